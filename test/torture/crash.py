#!/usr/bin/python3
"""Sessions do everything that a ledger can do, at random, while their server is killed, cancelled and filled up.

After each recovery: ledger_verify() is empty; what was acknowledged is there exactly once, as it was sent; what was
refused is not; what is not known is there wholly or not at all, and sending it again under its keys settles it. What is
expected is kept in crash_books.py.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg2

import crash_books
from crash_books import ACCOUNTS, ACKNOWLEDGED, PREPARED, SHORT, UNKNOWN, Books
from harness import SECONDS, STORES, Server, check, figures, finish, randomness, rows, seconds_left, value
from harness import work as scratch

SESSIONS = 8
SETTINGS = (
    "shared_buffers=1MB", "max_connections=60", "max_prepared_transactions=20", "checkpoint_timeout=30s", "max_wal_size=64MB",
    "min_wal_size=32MB", "wal_buffers=64kB", "autovacuum_naptime=1s", "log_min_messages=log", "log_min_error_statement=panic",
    "log_checkpoints=off")
DATABASE = "storm"
UNITS = 12_000  # so much in one ledger; then another is made
random = randomness("main")


class Storm:
    """One ledger and its sessions."""

    def __init__(self, ledger, database=DATABASE, short_holds=True):
        self.ledger, self.database = ledger, database
        self.books = Books(ledger, short_holds)
        self.roots = []  # seals that were answered: number, root
        self.round = 0
        self.connections = {}
        self.stop, self.leaving = threading.Event(), threading.Event()
        quiet = self.connect()
        rows(quiet, f"SELECT ledger_create('{ledger}')")
        rows(quiet, ACCOUNTS)
        quiet.close()

    def connect(self, *options):
        """A session on this ledger, without limits of time unless they are given."""
        settings = (f"search_path={self.ledger},public", f"ledgerflow.ledger={self.ledger}", "timezone=UTC", *options)
        return server.connect(self.database, options=" ".join(f"-c {each}" for each in settings))

    # --- under load ---

    def begin(self):
        self.round += 1
        self.stop.clear()
        self.leaving.clear()
        tasks = [(self._session, number) for number in range(SESSIONS)] + [(self._clerk,), (self._nuisance,)]
        self.threads = [threading.Thread(target=task, args=arguments, daemon=True) for task, *arguments in tasks]
        for thread in self.threads:
            thread.start()

    def end(self):
        """After this nobody does anything. Who waits for a prepared transaction is sent home."""
        self.stop.set()
        while any(thread.is_alive() for thread in self.threads):
            for thread in self.threads:
                thread.join(0.5)
            try:
                server.sql(
                    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
                    " WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid()", self.database)
            except psycopg2.Error:
                pass

    def _session(self, number):
        random = randomness(self.ledger, self.round, number)
        work, count, before = None, 0, None
        while not self.stop.is_set():
            limits = [] if work else [
                f"statement_timeout={random.choice((0,) * 9 + (10, 50, 300))}", f"lock_timeout={random.choice((0,) * 9 + (5, 100))}",
                f"idle_in_transaction_session_timeout={random.choice((0, 0, 30))}"]
            try:
                connection = self.connect(f"ledgerflow.store={STORES[number % 2]}", *limits)
                if work:  # what the session that broke had on its way has to come to its end first
                    while value(connection, "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE pid = %s", before):
                        time.sleep(0.005)
            except psycopg2.Error:
                self.stop.wait(0.02)
                continue
            self.connections[number], before = connection, connection.get_backend_pid()
            for _ in range(random.randrange(3, 8 if any(each[-2:] != "=0" for each in limits) else 60)):
                if self.stop.is_set() or connection.closed:
                    break
                if work:
                    work.settle(connection)
                else:
                    leave = self.leaving.is_set() and random.random() < 0.7
                    count += 1
                    work = self.books.draw(random, f"{self.round}.{number}.{count}", leave)
                    work.attempt(connection, leave)
                if work.state == PREPARED:
                    figures.add("transactions left prepared")
                    return
                if work.state == UNKNOWN:
                    break
                self.books.done(work)
                work = None
            connection.close()

    def _clerk(self):
        """Seals, verifies, settles holds, writes checkpoints."""
        random = randomness(self.ledger, self.round, "clerk")
        while not self.stop.is_set():
            try:
                connection = self.connect("statement_timeout=20000")
                while not self.stop.wait(random.random() * 0.3):
                    what = random.choice(("seal", "verify", "maintain", "checkpoint"))
                    if what == "seal":
                        self._seal(connection)
                    elif what == "verify":
                        check("incremental verification under load", [], rows(connection, "SELECT * FROM ledger_verify_incremental()"))
                    elif what == "maintain":
                        rows(connection, "SELECT * FROM ledger_maintain()")
                    else:
                        rows(connection, "CHECKPOINT")
                connection.close()
            except psycopg2.Error as error:
                crash_books.note(error)
                self.stop.wait(0.02)

    def _seal(self, connection):
        seal, root, is_new = rows(connection, "SELECT seal, root, is_new FROM ledger_seal()")[0]
        if is_new:
            self.roots.append((seal, root))
            figures.add("seals")

    def _nuisance(self):
        """Cancels, ends and cuts off sessions."""
        random = randomness(self.ledger, self.round, "nuisance")
        while not self.stop.wait(random.random() * 0.4):
            connection = self.connections.get(random.randrange(SESSIONS))
            what = random.choice(("cancel", "cancel", "cancel", "terminate", "cut"))
            try:
                if what == "cut":  # the server learns of it when it is done
                    with socket.socket(fileno=os.dup(connection.fileno())) as line:
                        line.shutdown(socket.SHUT_RDWR)
                else:
                    with_pid = self.connect()
                    value(with_pid, f"SELECT pg_catalog.pg_{what}_backend(%s)", connection.get_backend_pid())
                    with_pid.close()
                figures.add({"cancel": "cancels sent", "terminate": "sessions terminated", "cut": "connections cut"}[what])
            except (psycopg2.Error, OSError, ValueError, AttributeError):
                pass

    # --- afterwards ---

    def examine(self, when):
        """With the server up and nobody else there: nothing is lost, doubled or half done, before and after the retries."""
        when = f"{self.ledger}, round {self.round}, {when}"
        connection = self.connect("lock_timeout=60000")  # there is nothing left to wait for
        open_works = [each for each in self.books.works if each.state in (UNKNOWN, PREPARED)]
        gids = {gid for gid, in rows(connection, "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()")}
        for each in open_works:
            if each.state == PREPARED:
                check(f"{when}: a prepared transaction is still there", True, each.gid in gids)
        check(f"{when}: nothing else is prepared", set(), gids - {each.gid for each in open_works})
        check(f"{when}: ledger_verify, before anything", [], rows(connection, "SELECT * FROM ledger_verify()"))
        for each in open_works:  # others would wait for these
            if each.gid in gids:
                each.settle(connection)
        found = self._found(connection, when)
        self.books.look(found)
        self.books.audit(found, f"{when}, before the retries")
        for each in open_works:
            if each.state == UNKNOWN:
                each.settle(connection)
            check(f"{when}: a retry settles it", True, each.state not in (UNKNOWN, PREPARED))
        for each in open_works:
            if each.state == ACKNOWLEDGED and any(unit.there for unit in each.units):
                figures.add("retried")
                before = {unit: unit.id for unit in each.units if unit.there}
                each.attempt(connection)
                check(f"{when}: a second retry answers the same", (ACKNOWLEDGED, before), (each.state, {unit: unit.id for unit in before}))
            self.books.done(each)
        if open_works:
            self.books.audit(self._found(connection, when), f"{when}, after the retries")
        if random.random() < 0.5:
            self._seal(connection)
            check(f"{when}: incremental verification", [], rows(connection, "SELECT * FROM ledger_verify_incremental()"))
        connection.close()

    def _found(self, connection, when):
        if self.books.short_holds:
            time.sleep(SHORT)
            rows(connection, "SELECT * FROM ledger_maintain()")
        check(f"{when}: ledger_verify", [], rows(connection, "SELECT * FROM ledger_verify()"))
        seals = dict(rows(connection, "SELECT seal, pg_catalog.encode(root, 'hex') FROM seals"))
        check(f"{when}: noted seals are there", [], [each for each in self.roots if seals.get(each[0]) != each[1]])
        known = self.roots[-1][1] if self.roots else None
        check(f"{when}: ledger_verify_seal", [], rows(connection, "SELECT * FROM ledger_verify_seal(known_root => %s)", known))
        figures.add("verifications")
        return self.books.find(connection)


# --- calamities ---

def children(pid):
    """The processes whose parent it is."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except (OSError, IndexError):
            pass
    return found


def kill_a_backend():
    """One process dies; the server ends all others and recovers by itself."""
    kind = random.choice(("client backend",) * 4 + ("checkpointer", "background writer", "walwriter", "autovacuum launcher"))
    victims = server.sql("SELECT pid FROM pg_catalog.pg_stat_activity WHERE backend_type = %s AND pid <> pg_catalog.pg_backend_pid()", kind)
    if not victims:
        return kill_the_postmaster()
    crashes = len(server.backend_crashes())
    os.kill(random.choice(victims)[0], signal.SIGKILL)
    while len(server.backend_crashes()) == crashes:
        time.sleep(0.01)
    figures.add("kills of a client's process survived" if kind == "client backend" else "kills of another server process survived")
    return await_server


def kill_the_postmaster():
    os.kill(server.postmaster, signal.SIGKILL)
    figures.add("kills of the postmaster survived")
    return restart


def shut_down():
    os.kill(server.postmaster, signal.SIGQUIT)
    figures.add("immediate shutdowns survived")
    return restart


def await_server():
    for _ in range(1200):
        try:
            server.connect().close()
            return
        except psycopg2.Error:
            time.sleep(0.1)
    check("the server is there again", True, False)


def try_start():
    try:
        server.start()
        return True
    except subprocess.CalledProcessError:
        return False


def restart():
    """Starts the server, which was killed; sometimes it is killed once more while it recovers."""
    if random.random() < 0.25:
        starting = threading.Thread(target=try_start)
        starting.start()
        while starting.is_alive():
            try:
                if children(server.postmaster):
                    time.sleep(random.random() * 0.3)
                    os.kill(server.postmaster, signal.SIGKILL)
                    figures.add("kills of a recovering server survived")
                    break
            except (OSError, ValueError):  # not there yet
                time.sleep(0.002)
        starting.join()
    server.start()


# --- a full disk ---

def mount(name):
    """A small disk in memory; None where that is not permitted."""
    path = scratch / name
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g,mode=700", "tmpfs", path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"no disk to fill, as none can be mounted: {done.stderr.strip()}")
        return None
    atexit.register(subprocess.run, ["umount", "-l", path], check=False)
    shutil.chown(path, "postgres", "postgres")
    return path


def resize(disk, room):
    """Leaves this much room on it."""
    for _ in range(100):
        state = os.statvfs(disk)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        if subprocess.run(["mount", "-o", f"remount,size={used + room}", disk], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        room += 8192  # somebody wrote meanwhile
    check("the disk can be resized", True, False)


def fill_data(disk):
    """No room for the tables and indexes: every call that needs some fails, the others go on."""
    server.sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
    server.sql("CREATE DATABASE small TABLESPACE small")
    server.sql("CREATE EXTENSION ledgerflow", database="small")
    storm = Storm("small", "small", short_holds=False)  # to settle those takes room
    crash_books.EXPECTED["53100"] = "refusals for want of disk space"
    for again in range(1 if SECONDS < 60 else 6):
        before = figures.values.get("refusals for want of disk space", 0)
        storm.begin()
        time.sleep(0.3)
        resize(disk, 0)
        for _ in range(600):
            if figures.values.get("refusals for want of disk space", 0) > before + 20:
                break
            time.sleep(0.1)
        check("data found no room", True, figures.values.get("refusals for want of disk space", 0) > before)
        if again % 2 == 1:
            kill_the_postmaster()
        storm.end()
        if again % 2 == 1 and not try_start():  # the recovery needs room too
            figures.add("starts refused for want of disk space")
        try:
            check("on a full disk: ledger_verify", [], server.sql("SELECT * FROM ledger_verify('small')", database="small"))
            figures.add("verifications on a full disk")
        except psycopg2.OperationalError:  # not even a session may begin there
            pass
        resize(disk, 256 << 20)
        server.start()
        storm.examine("room was made")
        figures.add("disk full rounds, data")
    storm.begin()
    time.sleep(0.3)
    storm.end()
    storm.examine("after the full disk")
    return storm


def fill_wal(disk, storm):
    """No room for the log: the server stops at once, and recovers when there is room."""
    server.stop()
    log = server.data / "pg_wal"
    subprocess.run(["cp", "-a", f"{log}/.", disk], check=True)
    shutil.rmtree(log)
    log.symlink_to(disk)
    server.settings = (*(each for each in SETTINGS if not each.startswith(("max_wal_size", "checkpoint_timeout"))), "checkpoint_timeout=1h")
    server.start()
    for _ in range(1 if SECONDS < 60 else 3):
        before = panics()
        storm.begin()
        time.sleep(0.3)
        resize(disk, 0)
        try:
            while panics() == before:
                server.sql("SELECT pg_catalog.pg_switch_wal()")
                time.sleep(0.02)
        except psycopg2.Error:
            pass
        storm.end()
        check("the log found no room", True, panics() > before)
        resize(disk, 256 << 20)
        if not try_start():
            server.start()
        await_server()
        storm.examine("room was made for the log")
        figures.add("disk full rounds, log")


def panics():
    return sum("PANIC:" in line for line in server.backend_crashes())


# --- the run ---

threading.excepthook = lambda died: (sys.__excepthook__(*died[:3]), check("no thread of the test dies", None, died.exc_value))
disks = [mount("data"), mount("wal")]  # before the server, so that they go after it
server = Server("main", *SETTINGS)
server.sql(f"CREATE DATABASE {DATABASE}")
server.sql("CREATE EXTENSION ledgerflow", database=DATABASE)
storms = [Storm("books1")]
calamities = []
while seconds_left(0.7) > 0 or not calamities:
    storm = storms[-1]
    if sum(len(each.units) for each in storm.books.works) > UNITS:
        storm = Storm(f"books{len(storms) + 1}")
        storms.append(storm)
    if not calamities:
        calamities = [kill_a_backend, kill_the_postmaster, shut_down, kill_a_backend]
        random.shuffle(calamities)
    storm.begin()
    time.sleep(min(random.uniform(0.3, 4), SECONDS / 8))
    storm.leaving.set()
    time.sleep(random.random() * 0.2)
    calamity = calamities.pop()
    recover = calamity()
    storm.end()
    recover()
    if random.random() < 0.2:  # once more, with all that is open
        kill_the_postmaster()()
    storm.examine(calamity.__name__)

check("no process died but those that were killed", [], [line for line in server.backend_crashes() if "signal 9" not in line])
figures.add("disk full rounds, data", 0)
figures.add("disk full rounds, log", 0)
if disks[0]:
    storms.append(fill_data(disks[0]))
if disks[1]:
    fill_wal(disks[1], storms[0])
for storm in storms:
    storm.examine("at the end")
    works = storm.books.works
    kept = [each for each in works if any(unit.there for unit in each.units)]
    figures.add("operations", len(works))
    figures.add("acknowledged", len(kept))
    figures.add("refused or rolled back", len(works) - len(kept))
    figures.add("unknown at first", sum(each.unknown for each in works))
    figures.add("postings, holds and the like in them", sum(unit.there for each in kept for unit in each.units))
print("refusals:", ", ".join(f"{code} {count}" for code, count in sorted(crash_books.refusals.items())))
finish("nothing acknowledged was lost, nothing came twice, nothing was half done")
