"""What the tests of the command share. Not run by itself."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/command/ledgerflow"
DATABASE = Path(sys.argv[0]).stem + "_test"
ENVIRONMENT = dict(os.environ, PGDATABASE=DATABASE, PGTZ="UTC", LC_ALL="C.UTF-8", TERM="xterm")
ENVIRONMENT.pop("NO_COLOR", None)
ENVIRONMENT.pop("LEDGERFLOW_LEDGER", None)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\n?")

checks = failures = 0


def check(what, expected, found):
    global checks, failures
    checks += 1
    if expected != found:
        failures += 1
        print(f"FAIL {what}\n     expected: {expected!r}\n     found:    {found!r}")


def check_in(what, part, whole):
    global checks, failures
    checks += 1
    if part not in whole:
        failures += 1
        print(f"FAIL {what}\n     no {part!r} in {whole!r}")


class Answer:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def csv(self):
        rows = list(csv.reader(io.StringIO(self.out), strict=True))
        assert len({len(row) for row in rows}) == 1, rows
        return [dict(zip(rows[0], row)) for row in rows[1:]]


def start(*arguments, env=None, **options):
    return subprocess.Popen([PROGRAM, *arguments], env=dict(ENVIRONMENT, **(env or {})), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def run(*arguments, given="", env=None):
    process = start(*arguments, env=env)
    out, err = process.communicate(given, timeout=120)
    return Answer(process.returncode, out, err)


def done(*arguments, given="", env=None):
    """What a command prints that must succeed."""
    answer = run(*arguments, given=given, env=env)
    check(f"{' '.join(arguments)} succeeds", (0, ""), (answer.code, answer.err))
    return answer


def refused(code, state, *arguments, given="", env=None):
    """A command that must fail: exit code, and SQLSTATE or a piece of the message."""
    answer = run(*arguments, given=given, env=env)
    what = " ".join(repr(argument) for argument in arguments)
    check(f"{what}: exit code", code, answer.code)
    check(f"{what}: standard output", "", answer.out)
    check_in(what, state, answer.err)
    return answer


def sql(statement, database=DATABASE):
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]
    quiet = dict(ENVIRONMENT, PGOPTIONS="-c client_min_messages=warning")
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=quiet).stdout.strip()


def has(function):
    """The command offers all of them; LEDGERFLOW_PARTIAL=1 lets one be absent while the extension is being put together."""
    found = sql(f"SELECT count(*) > 0 FROM pg_proc WHERE proname = '{function}'") == "t"
    if not os.environ.get("LEDGERFLOW_PARTIAL"):
        check(f"the extension has {function}", True, found)
    return found


def new_database(name=DATABASE):
    sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", "postgres")
    sql(f"CREATE DATABASE {name}", "postgres")


def wait_for(statement):
    end = time.monotonic() + 30
    while sql(statement) != "t":
        if time.monotonic() > end:
            raise TimeoutError(statement)
        time.sleep(0.05)


def table(text):
    """The rows of a table for people, by the places of its rules."""
    heading, rule, *lines = text.splitlines()
    places = [match.span() for match in re.finditer("-+", rule)]
    places = [(a, places[i + 1][0] if i + 1 < len(places) else None) for i, (a, _) in enumerate(places)]
    names = [heading[a:b].strip() for a, b in places]
    return [dict(zip(names, (line[a:b].strip() for a, b in places))) for line in lines]


def in_three_formats(*arguments, key):
    """The same rows in each format: the texts under one column."""
    for_people = [row[key] for row in table(done(*arguments).out)]
    as_json = [row[key] for row in done(*arguments, "--json").json()]
    as_csv = [row[key] for row in done("--csv", *arguments).csv()]
    check(f"{' '.join(arguments)}: JSON like CSV", as_csv, ["" if text is None else str(text) for text in as_json])
    check(f"{' '.join(arguments)}: tables like CSV", as_csv, for_people)
    return as_csv


def run_parts(parts, what):
    """Each part is a function; one that takes an argument gets a directory to work in."""
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is not built")
    if "LEDGERFLOW_SERVER" not in os.environ:
        print("not under scripts/test.sh: no server to test")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="ledgerflow-command.") as name:
        for part in parts:
            start_of_part = time.monotonic()
            part(Path(name)) if part.__code__.co_argcount else part()
            print(f"{part.__name__}: {time.monotonic() - start_of_part:.1f} s")
    sql(f"DROP DATABASE {DATABASE} WITH (FORCE)", "postgres")
    if failures:
        sys.exit(f"{failures} of {checks} checks failed")
    print(f"{checks} checks passed: {what}")
