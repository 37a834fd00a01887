#!/usr/bin/env python3
"""The command ledgerflow without a server, with a wrong password, on terminals and into closed pipes, ended by signals,
and with connections that break under it. Run by scripts/test.sh.
"""

import os
import pty
import re
import select
import signal
import subprocess
import time

from command_support import (DATABASE, ENVIRONMENT, PROGRAM, ROOT, Answer, check, check_in, done, new_database, refused,
                             run_parts, sql, start, wait_for)


def prepare():
    new_database()
    done("init")
    done("account", "open", "assets:bank", "asset", "USD")
    done("account", "open", "customers:alice", "liability", "USD")


def check_connections(work):
    refused(3, "SQLSTATE: 08001", "balance", env={"PGHOST": "/nonexistent"})
    refused(3, "SQLSTATE: 08001", "-d", "host=/nonexistent", "balance")
    refused(3, "SQLSTATE: 08001", "init", env={"PGHOST": "/nonexistent"})
    refused(3, "database \"no_such_database\" does not exist", "-d", "no_such_database", "balance")
    refused(3, "ledgerflow", "-d", "postgres", "balance")
    check_in("-d takes a URI", "all is well", done("-d", f"postgresql:///{DATABASE}", "verify").out)
    check_in("and a database", "all is well", done("-d", DATABASE, "verify", env={"PGDATABASE": "postgres"}).out)


def check_passwords(work):
    """A server of its own, for the others trust everybody."""
    server, tool = "command_passwords", str(ROOT / "scripts/server.sh")
    hba = work / "hba"
    hba.write_text("local all all trust\n")
    work.chmod(0o755)
    try:
        subprocess.run([tool, "start", server, f"hba_file='{hba}'", "fsync=off"], check=True, stdout=subprocess.DEVNULL)
        shown = subprocess.run([tool, "env", server], check=True, stdout=subprocess.PIPE, text=True).stdout
        host = re.search(r"PGHOST=(\S+)", shown)[1]
        own = {"PGHOST": host, "PGDATABASE": "postgres"}
        psql = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c"]
        subprocess.run(psql + ["CREATE ROLE teller LOGIN SUPERUSER PASSWORD 'right'"], check=True, env=dict(ENVIRONMENT, **own))
        hba.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        subprocess.run(psql + ["SELECT pg_reload_conf()"], check=True, env=dict(ENVIRONMENT, **own), stdout=subprocess.DEVNULL)
        teller = dict(own, PGUSER="teller", PGPASSFILE="/nonexistent")
        refused(3, "no password supplied", "init", env=teller)
        refused(3, "password authentication failed", "init", env=dict(teller, PGPASSWORD="wrong"))
        done("init", env=dict(teller, PGPASSWORD="right"))
        out = on_terminal("-W", "balance", env=teller, typed="right\n")
        check("-W asks for the password", (0, True, False), (out.code, "Password:" in out.out, "right" in out.out))
        check("and takes a wrong one", 3, on_terminal("-W", "balance", env=teller, typed="wrong\n").code)
    finally:
        subprocess.run([tool, "drop", server], check=True)


def on_terminal(*arguments, env=None, typed=""):
    """A run with a terminal for everything."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(PROGRAM, ["ledgerflow", *arguments], dict(ENVIRONMENT, **(env or {})))
    out, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        if typed and b"assword" in out:
            os.write(terminal, typed.encode())
            typed = ""
    os.close(terminal)
    return Answer(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode(), "")


def check_terminal():
    check_in("a terminal gets bold headings", "\x1b[1maccount", on_terminal("balance").out)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        check("but not against NO_COLOR or for a dumb one", False, "\x1b" in on_terminal("balance", env=env).out)
    check("long work shows how far it is", True, "posting [" in on_terminal("bench", "--seconds", "2", "--clients", "1").out)
    check("unless it is not wanted", False, "posting [" in on_terminal("bench", "--seconds", "2", "--clients", "1", "--no-progress").out)


def check_output():
    """Far more than a pipe holds, and a reader who goes away; also where somebody has that signal ignored."""
    sql("SELECT ledger_open_account('many:' || i, 'asset', 'USD') FROM generate_series(1, 5000) AS i")
    for before in ("", "trap '' PIPE; "):
        for format_ in ("", "--json", "--csv"):
            shell = f"{before}'{PROGRAM}' account list {format_} | head -n 1; echo ${{PIPESTATUS[0]}}"
            answer = subprocess.run(["bash", "-c", shell], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            check("| head ends without a word", ("141", ""), (answer.stdout.split()[-1], answer.stderr))
    full = subprocess.run(["bash", "-c", f"'{PROGRAM}' errors > /dev/full"], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    check("a full disk is said", (5, True), (full.returncode, "No space left" in full.stderr))


LOCKER = "BEGIN; SELECT 1 FROM ledger.account_balances WHERE account_id = 1 FOR UPDATE; SELECT pg_sleep(60);"
WAITS = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'ledgerflow'"


class Locked:
    """The balance of account 1 is locked by somebody."""

    def __enter__(self):
        self.psql = subprocess.Popen(["psql", "-Xqc", LOCKER], env=dict(ENVIRONMENT, PGAPPNAME="locker"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'locker' AND wait_event = 'PgSleep'")

    def __exit__(self, *_):
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'locker'")
        self.psql.wait()


def check_signals():
    count = "SELECT count(*) FROM ledger.transactions"
    before = sql(count)
    for number in (signal.SIGINT, signal.SIGTERM):
        with Locked():
            process = start("post", "assets:bank", "customers:alice", "7", "-k", f"signal {number}")
            wait_for(WAITS)
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            check("a signal ends it", (128 + number, ""), (process.returncode, out))
            check_in("and says so", "nothing of the statement was done", err)
    with Locked():
        process = start("post", "assets:bank", "customers:alice", "7", "--dry-run")
        wait_for(WAITS)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    check("nothing was posted", before, sql(count))
    process = start("load")
    process.stdin.write("debit,credit,amount\nassets:bank,customers:alice,7\n")
    process.stdin.flush()
    wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%' AND state = 'active'")
    process.send_signal(signal.SIGINT)
    check("a load that waits for its input ends too", 130, process.wait(timeout=30))
    process.communicate()
    check("and posts nothing", before, sql(count))
    process = start("bench", "--seconds", "60", "--clients", "2")
    wait_for("SELECT count(*) >= 3 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ledgerflow'")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    check("bench can be ended", 130, process.returncode)
    check("and cleans up", "0", sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'ledgerflow_bench%'"))


def check_lost_connections():
    """A backend that is killed while it waits: the request is repeated under its key, and done once."""
    count = "SELECT count(*) FROM ledger.transactions WHERE description = 'kill'"
    for arguments in (("post", "assets:bank", "customers:alice", "3"), ("post", "assets:bank", "customers:alice", "3", "-k", "kill")):
        before = int(sql(count))
        with Locked():
            process = start(*arguments, "-m", "kill")
            wait_for(WAITS)
            sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (SELECT pid FROM ({WAITS.replace('count(*) = 1', 'pid')}) w)")
            wait_for(WAITS)
        out, err = process.communicate(timeout=60)
        check("a posting outlives its connection", (0, ""), (process.returncode, err))
        check("it is done once", before + 1, int(sql(count)))
        check("its id is there", "1", sql(f"SELECT count(*) FROM ledger.transactions WHERE id = '{out.strip()}'"))


PARTS = (prepare, check_connections, check_passwords, check_terminal, check_output, check_signals, check_lost_connections)

if __name__ == "__main__":
    run_parts(PARTS, "the command's bad luck")
