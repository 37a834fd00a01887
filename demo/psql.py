"""Talk to the demo's database through psql, with the connection that the environment names."""

import csv
import io
import subprocess
from typing import List

PSQL = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]


def rows(sql: str) -> List[List[str]]:
    """Run a query and return its rows; every value is text."""
    result = subprocess.run(PSQL + ["--csv", "--tuples-only", "--file=-"], input=sql, text=True, encoding="utf-8",
                            stdout=subprocess.PIPE, check=True)
    return list(csv.reader(io.StringIO(result.stdout)))


def literal(text: str) -> str:
    """A string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
