"""Talk to the demo's database through psql, with the connection that the environment names."""

import csv
import io
import subprocess
from typing import Iterator, List

PSQL = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]


def rows(sql: str) -> List[List[str]]:
    """Run a query and return its rows; every value is text."""
    result = subprocess.run(PSQL + ["--csv", "--tuples-only", "--file=-"], input=sql, text=True, encoding="utf-8",
                            stdout=subprocess.PIPE, check=True)
    return list(csv.reader(io.StringIO(result.stdout)))


def lines(path: str) -> Iterator[str]:
    """Run a file of statements, each its own transaction, and yield the lines of output as they come."""
    command = PSQL + ["--no-align", "--tuples-only", f"--file={path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield line.rstrip("\n")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def literal(text: str) -> str:
    """A string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
