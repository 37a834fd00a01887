"""What the programs of this directory share: private servers, sessions, random choices, figures.

Each program tortures one side of ledgerflow for TORTURE_SECONDS (10) with the random numbers of TORTURE_SEED (printed
when it was not given) and ends with exit code 0 if everything held. It runs by itself or under scripts/torture.sh,
which collects the figures from the file TORTURE_FIGURES.
"""

import atexit
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg2
import psycopg2.extensions

ROOT = Path(__file__).resolve().parents[2]
NAME = Path(sys.argv[0]).stem
SECONDS = float(os.environ.get("TORTURE_SECONDS", "10"))
SEED = int(os.environ.get("TORTURE_SEED") or random.SystemRandom().randrange(1, 2**31))
BEGUN = time.monotonic()
STORES = ("heap", "spi")

print(f"TORTURE_SEED={SEED} TORTURE_SECONDS={SECONDS:g} test/torture/{Path(sys.argv[0]).name}", flush=True)
# The allocator overwrites what is freed, by numbers that are large and positive: who reads it still is noticed.
os.environ.setdefault("MALLOC_PERTURB_", "85")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

work = Path(tempfile.mkdtemp(prefix=f"ledgerflow-{NAME}."))
os.chmod(work, 0o755)
atexit.register(shutil.rmtree, work, ignore_errors=True)


def randomness(*what):
    """A generator of its own for every thread or round: what others draw does not change what it draws."""
    return random.Random(f"{SEED} {what}")


def seconds_left(share=1.0):
    """Seconds until the first `share` of the time is over."""
    return BEGUN + SECONDS * share - time.monotonic()


class Figures:
    """Counters by name; `report` prints them and leaves them to scripts/torture.sh."""

    def __init__(self):
        self.values, self.lock = {}, threading.Lock()

    def add(self, name, count=1):
        with self.lock:
            self.values[name] = self.values.get(name, 0) + count

    def report(self):
        lines = "".join(f"{name}\t{value}\n" for name, value in self.values.items())
        for name, value in self.values.items():
            print(f"{value:>12,} {name}" if isinstance(value, int) else f"{value:>12} {name}")
        if path := os.environ.get("TORTURE_FIGURES"):
            with open(path, "a", encoding="utf-8") as file:
                file.write(lines)


figures = Figures()
failures = []


def check(what, expected, found):
    """Writes down a failure, with what to repeat it with; goes on."""
    if expected == found:
        return True
    failures.append(what)
    print(f"FAIL {what}\n     expected: {expected}\n     found:    {found}", flush=True)
    return False


def finish(sentence):
    figures.report()
    if failures:
        print(f"{len(failures)} checks failed; repeat with TORTURE_SEED={SEED} TORTURE_SECONDS={SECONDS:g} {sys.argv[0]}")
        sys.exit(1)
    print(sentence)
    sys.exit(0)


class Server:
    """A private server of scripts/server.sh, removed at the end."""

    def __init__(self, name, *settings, standby_of=None, backup_of=None):
        """A backup is not started yet."""
        self.name, self.settings = f"{NAME}-{name}-{os.getpid()}", settings
        atexit.register(self.drop)
        if backup_of:
            self._run("backup", self.name, backup_of.name)
        elif standby_of:
            self._run("standby", self.name, standby_of.name)
            self._read_environment()
        else:
            self.start()

    def _run(self, *command):
        subprocess.run([ROOT / "scripts/server.sh", *command], check=True, stdin=subprocess.DEVNULL)

    def drop(self):
        subprocess.run([ROOT / "scripts/server.sh", "drop", self.name], check=False, stdin=subprocess.DEVNULL)

    def _read_environment(self):
        script = f'lines=$("{ROOT}/scripts/server.sh" env {self.name}) && eval "$lines" && env -0'
        output = subprocess.run(["bash", "-c", script], check=True, stdout=subprocess.PIPE).stdout.decode()
        self.env = dict(line.split("=", 1) for line in output.split("\0") if "=" in line)
        self.bin, self.log, self.host = Path(self.env["LEDGERFLOW_PGBIN"]), Path(self.env["LEDGERFLOW_LOG"]), self.env["PGHOST"]

    def start(self, *settings):
        """Starts it again, with other settings if any are given."""
        self._run("start", self.name, *(settings or self.settings))
        self._read_environment()  # its socket may lie elsewhere now

    def stop(self):
        self._run("stop", self.name)

    def crash(self):
        """Immediate shutdown: as if the machine had lost power, less what the kernel held."""
        self._run("crash", self.name)

    @property
    def data(self):
        return Path(os.path.realpath(ROOT / "build/servers" / self.name)) / "data"

    @property
    def postmaster(self):
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def connect(self, database="postgres", autocommit=True, user="postgres", options="", connect_timeout=30):
        connection = psycopg2.connect(
            host=self.host, port=5432, dbname=database, user=user, options=options, connect_timeout=connect_timeout)
        connection.autocommit = autocommit
        return connection

    def sql(self, statement, *arguments, database="postgres", **options):
        """The rows of one statement in a session of its own."""
        connection = self.connect(database, **options)
        try:
            return rows(connection, statement, *arguments)
        finally:
            connection.close()

    def value(self, statement, *arguments, database="postgres", **options):
        return self.sql(statement, *arguments, database=database, **options)[0][0]

    def program(self, *command, **options):
        """Runs a program of PostgreSQL's, or anything with libpq pointed at this server; its output."""
        path = self.bin / command[0]
        words = [str(path) if path.exists() else command[0], *map(str, command[1:])]
        return subprocess.run(
            words, env={**self.env, **options.pop("env", {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, **options)

    def backend_crashes(self):
        """Lines of its log that tell of backends that died by themselves."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if "was terminated by signal" in line or "PANIC:" in line or "TRAP:" in line]


def rows(connection, statement, *arguments):
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments or None)
        return cursor.fetchall() if cursor.description else []


def value(connection, statement, *arguments):
    return rows(connection, statement, *arguments)[0][0]


def sqlstate(error):
    """SQLSTATE of an error of psycopg2's; None where the connection broke."""
    return getattr(error, "pgcode", None)


def verified(server, database, ledger="ledger"):
    """What ledger_verify() finds: nothing, if all is well."""
    return server.sql("SELECT * FROM ledger_verify(%s)", ledger, database=database)
