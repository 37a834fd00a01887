#!/usr/bin/python3
"""Very many operations of all kinds, in one session and over many: nothing grows that should not.

- Two long sessions, one for each store, each on a ledger of its own, mix calls from the client with loops in the server,
  while others change the tables beside them. At equal intervals their memory, locks and descriptors are measured, and
  the sizes of the tables and indexes.
- Many short sessions after that, and beside them one that makes, uses, renames and drops ledgers.

An operation is one call of ours: a function, or a statement on a view or table of a ledger.
"""

import io
import os
import re
import subprocess
import threading
import time
import traceback

import psycopg2

from harness import ROOT, SECONDS, STORES, Server, check, figures, finish, randomness, rows, sqlstate, value, work
from soak_kinds import ACCOUNTS, KINDS, REPORTS, ROUND

GROWING = ("entries", "transactions", "holds", "hold_lines", "dated_entries", "transaction_history")

# Growth that is none: what PostgreSQL remembers of tables and their statistics comes and goes, and so do the files of
# tables that it has open. What was freed below something that is still in use stays with the process: the heap steps
# up by megabytes with the largest report, once. It is told of and does not count.
MOST_USED = 192 << 10
MOST_NATIVE = 64 << 10
MOST_MEMORY = 2 << 20
MOST_FILES = 100
DRAWS = [kind for kind in KINDS for _ in range(kind.weight)]

# Draws kinds and runs them, each in a block of its own; commits after every so many, or never (0).
LOOP = """
CREATE SCHEMA soak;
CREATE TABLE soak.kinds (number int PRIMARY KEY, name text, sqlstate text, calls int, postings int, statement text);
CREATE PROCEDURE soak.run(ledger text, many int, first bigint, commit_every int,
                          INOUT calls bigint, INOUT postings bigint, INOUT refusals bigint, INOUT wrong text)
LANGUAGE plpgsql AS $$
DECLARE
    kind record;
    state text;
    answer text;
    draw int;
    draws int := (SELECT count(*) FROM soak.kinds);
BEGIN
    calls := 0; postings := 0; refusals := 0;
    FOR i IN 0 .. many - 1 LOOP
        draw := floor(random() * draws);
        SELECT * INTO STRICT kind FROM soak.kinds WHERE number = draw;
        BEGIN
            EXECUTE replace(kind.statement, '{ledger}', ledger) INTO answer USING first + i, floor(random() * 1000000)::int;
            state := '00000';
        EXCEPTION WHEN OTHERS THEN
            state := SQLSTATE;
            answer := SQLERRM;
        END;
        IF state <> kind.sqlstate OR answer = 'false' THEN
            wrong := format('%s: %s instead of %s, %s', kind.name, state, kind.sqlstate, answer);
            EXIT;
        END IF;
        calls := calls + kind.calls;
        postings := postings + kind.postings;
        refusals := refusals + (state <> '00000')::int;
        IF commit_every > 0 AND i % commit_every = 0 THEN COMMIT; END IF;
    END LOOP;
END $$;
"""

# The allocator gives back what is freed: what a process has is then what it uses, and no high-water mark.
os.environ.update(MALLOC_MMAP_THRESHOLD_="65536", MALLOC_TRIM_THRESHOLD_="65536", MALLOC_TOP_PAD_="0")
server = Server(
    "main", "fsync=off", "autovacuum_naptime=1s", "autovacuum_vacuum_cost_delay=0", "max_prepared_transactions=10",
    "max_wal_size=4GB", "max_locks_per_transaction=256", "log_min_error_statement=panic", "jit=off")


def check_at_most(what, most, found):
    check(f"{what}: at most {most:,}", True, found <= most or f"{found:,}")


def in_threads(*bodies):
    """Runs them at the same time; what one raises is a failure."""
    def run(body):
        try:
            body()
        except Exception:  # pylint: disable=broad-except
            check("a thread ends", "by itself", traceback.format_exc())

    threads = [threading.Thread(target=run, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Worker:
    """A session and what it has done."""

    def __init__(self, ledger, store, *name):
        self.ledger, self.random = ledger, randomness(ledger, *name)
        self.connection = server.connect("soak", options=f"-c ledgerflow.store={store} -c ledgerflow.ledger={ledger}")
        self.pid = self.connection.info.backend_pid
        self.client = self.looped = self.postings = self.refusals = 0
        self.number = self.random.randrange(1, 2**40) << 20  # keys and references of its own
        rows(self.connection, "SELECT setseed(%s)", self.random.random())

    @property
    def operations(self):
        return self.client + self.looped

    def sql(self, statement):
        return rows(self.connection, statement.replace("{ledger}", self.ledger))

    def state(self, statement):
        try:
            self.sql(statement)
            return "00000"
        except psycopg2.Error as error:
            return sqlstate(error)

    def did(self, calls, postings=0):
        self.client += calls
        self.postings += postings

    def one(self, kind=None):
        """A statement of a random kind; what it posted, and whether it went through."""
        kind = kind or self.random.choice(DRAWS)
        self.number += 1
        statement = kind.statement.replace("$1", f"{self.number}::bigint").replace("$2", str(self.random.randrange(1000000)))
        try:
            found, answer = "00000", self.sql(statement)
        except psycopg2.Error as error:
            found, answer = sqlstate(error), str(error)
            if found is None:
                raise
        if found != kind.sqlstate or answer == [(False,)]:
            check(f"{self.ledger}: {kind.name}: {answer}", kind.sqlstate, found)
        self.client += kind.calls
        self.refusals += found != "00000"
        return kind.postings, found == "00000"

    def singly(self):
        for _ in range(20):
            self.postings += self.one()[0]

    def loop(self, many=400, commit_every=None):
        if commit_every is None:
            commit_every = self.random.choice((0, 1, 1, 1, 7, 50))
        [(calls, postings, refusals, wrong)] = rows(
            self.connection, "CALL soak.run(%s, %s, %s, %s, 0, 0, 0, NULL)", self.ledger, many, self.number + 1, commit_every)
        check(f"{self.ledger}: a kind in the loop", None, wrong)
        self.number += many
        self.looped += calls
        self.postings += postings
        self.refusals += refusals

    def series(self, many=200):
        """One statement that calls very often."""
        statement, calls, postings = self.random.choice((
            ("ledger_post('cash:' || n % 50, 'cash:' || 50 + n % 50, 0.01)", 1, 1),
            ("post_transfer('cash:' || n % 50, 'cash:' || 50 + n % 50, 0.01, 'series ' || n)", 1, 1),
            ("ledger_capture(ledger_hold('cash:' || n % 50, 'cash:' || 50 + n % 50, 0.01))", 2, 1),
            ("ledger_balance('cash:' || n % 50)", 1, 0)))
        self.sql(f"SELECT count({statement}) FROM generate_series({self.number + 1}, {self.number + many}) n")
        self.number += many
        self.looped += calls * many
        self.postings += postings * many

    def block(self):
        """Several calls in one transaction, with savepoints; half of them are rolled back."""
        self.sql("BEGIN ISOLATION LEVEL " + self.random.choice(("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")))
        posted = 0
        for _ in range(4):
            self.sql("SAVEPOINT s")
            postings, went = self.one()
            if went and self.random.random() < 0.7:
                self.sql("RELEASE s")
                posted += postings
            else:
                self.sql("ROLLBACK TO s")
        if self.random.random() < 0.5:
            self.sql("COMMIT")
            self.postings += posted
        else:
            self.sql("ROLLBACK")

    def opened_and_rolled_back(self):
        self.sql(f"""BEGIN; SELECT ledger_open_account('gone', 'asset', 'USD'); SAVEPOINT s;
            SELECT ledger_open_account('gone:too', 'asset', 'USD'); SELECT ledger_post('gone', 'gone:too', 1); ROLLBACK TO s""")
        check("an account of a savepoint that was rolled back", "LF023", self.state("SELECT ledger_post('gone', 'gone:too', 1)"))
        self.sql("ROLLBACK")
        check("an account that was rolled back", "LF023", self.state("SELECT ledger_balance('gone')"))
        self.did(5)

    def copy(self):
        text = "".join(f"cash:{self.random.randrange(50)}\tcash:{50 + self.random.randrange(50)}\t1.50\n" for _ in range(50))
        with self.connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {self.ledger}.postings (debit, credit, amount) FROM STDIN", io.StringIO(text))
        self.did(1, 50)

    def pages(self):
        account = f"cash:{self.random.randrange(100)}"
        for function in (f"ledger_statement('{account}', ", f"ledger_find_transactions(account => '{account}', "):
            after, ids = "NULL", []
            for _ in range(4):
                page = self.sql(f"""SELECT transaction_id::text, cursor FROM {function} after => {after}, "limit" => 5)""")
                self.did(1)
                ids += [row[0] for row in page]
                if len(page) < 5:
                    break
                after = f"'{page[-1][1]}'"
            check("pages go back in time", sorted(ids, reverse=True), ids)
        self.sql("""BEGIN; DECLARE c CURSOR FOR SELECT * FROM ledger_statement('cash:1');
            FETCH 3 FROM c; SAVEPOINT s; FETCH 3 FROM c; ROLLBACK TO s; CLOSE c; COMMIT""")
        self.did(1)

    def roles(self):
        post = "SELECT ledger_post('cash:3', 'cash:4', 1)"
        for role, expected in (("soak_poster", "00000"), ("soak_reader", "42501"), ("soak_nobody", "42501"), ("NONE", "00000")):
            self.sql(f"SET ROLE {role}")
            check(f"posting as {role}", expected, self.state(post))
            self.did(1, expected == "00000")
        self.refusals += 2

    def temporary(self):
        """The schema of temporary objects comes and goes, and has look-alikes of ours."""
        self.sql("""CREATE TEMP TABLE account_balances (account_id bigint); CREATE TEMP TABLE entries (amount text);
            SET search_path = pg_temp, public""")
        self.postings += self.one()[0]
        self.sql("RESET search_path; DISCARD TEMP")

    def prepared(self):
        self.sql("PREPARE p AS SELECT ledger_post('cash:5', 'cash:6', $1)")
        for amount in range(1, 8):
            self.sql(f"EXECUTE p({amount})")
        self.sql("DEALLOCATE p")
        self.did(7, 7)

    def two_phase(self):
        for end in ("COMMIT", "ROLLBACK"):
            self.sql(f"BEGIN; SELECT ledger_post('cash:7', 'cash:8', 1); PREPARE TRANSACTION 'soak {self.pid}'")
            self.sql(f"{end} PREPARED 'soak {self.pid}'")
        self.did(2, 1)

    def raw(self):
        """A transaction inserted by hand."""
        self.sql("""BEGIN; WITH t AS (INSERT INTO {ledger}.transactions DEFAULT VALUES RETURNING id)
            INSERT INTO {ledger}.entries (transaction_id, line, account_id, amount)
            SELECT t.id, n, a.id, 3 - 2 * n FROM t, (VALUES (1, 'cash:9'), (2, 'cash:10')) v (n, code)
            JOIN {ledger}.accounts a USING (code); COMMIT""")
        self.did(2, 1)

    def read_only(self):
        self.sql("BEGIN READ ONLY")
        check("posting in a read-only transaction", "25006", self.state("SELECT ledger_post('cash:1', 'cash:2', 1)"))
        self.sql("ROLLBACK")
        self.did(1)
        self.refusals += 1

    def step(self, most=400):
        """A round of everything, in random order."""
        actions = [self.singly] * 3 + [self.block] * 3 + [self.opened_and_rolled_back, self.copy, self.pages, self.roles,
                   self.temporary, self.prepared, self.two_phase, self.raw, self.read_only]
        actions += [lambda: self.loop(most)] * 6 + [lambda: self.series(2 * most)] * 6
        self.random.shuffle(actions)
        return actions

    def round(self, number):
        """What reads much of the ledger, now and then."""
        for statement, postings in ROUND:
            self.sql(statement.replace("$1", str(self.number + number)))
            self.did(1, postings)
        self.sql("DISCARD PLANS")
        if number % 6 == 0:
            for statement in REPORTS:
                self.sql(statement)
                self.did(1)


def anonymous_memory(pid):
    """Memory of a process's own: its heap, whoever asked for it, and what it has written to of all else."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))


def contexts(worker):
    """Bytes that the session uses in its memory contexts, and on the heap beside them; its plans of ours."""
    return rows(worker.connection, """
        SELECT sum(used_bytes)::bigint, soak_heap() - sum(total_bytes)::bigint, count(*) FILTER (WHERE name = 'CachedPlanSource' AND ident LIKE '%OPERATOR(pg_catalog.%'
                                                           AND ident NOT LIKE 'SELECT 1 FROM ONLY %')
          FROM pg_backend_memory_contexts""")[0]


def open_files(pid):
    """How many descriptors a process has, and how many of them are of a file that it has another one of."""
    files = []
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            files.append(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
        except FileNotFoundError:  # closed since
            pass
    return len(files), len(files) - len(set(files))


def measure(worker, monitor):
    used, native, plans = contexts(worker)
    free, descriptors = value(worker.connection, "SELECT soak_heap_free()"), open_files(worker.pid)
    point = {
        "operations": worker.operations, "at": time.monotonic(), "memory": anonymous_memory(worker.pid) - free, "free": free, "used": used,
        "native": native, "plans": plans, "descriptors": descriptors[0], "doubled": descriptors[1],
        "locks": value(monitor, "SELECT count(*) FROM pg_locks WHERE pid = %s", worker.pid)}
    point["sizes"] = dict(rows(monitor, """
        SELECT relname, pg_relation_size(oid) FROM pg_class
         WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'i') AND relname NOT LIKE 'soak%%'""", worker.ledger))
    for table in GROWING:
        point[table] = value(monitor, f"SELECT count(*) FROM {worker.ledger}.{table}")
    return point


def growth(points, key):
    """From the most of the first quarter to the least of the last three: a peak of either is no growth."""
    return min(point[key] for point in points[-3:]) - max(point[key] for point in points[:max(1, len(points) // 4)])


def long_session(worker, monitor, until):
    """Steps of everything until the time is over, measured at equal intervals."""
    for _ in range(2):  # until everything was done, plans, statistics and caches are not what they will be
        for kind in KINDS:
            worker.postings += worker.one(kind)[0]
        for action in worker.step(50):
            action()
        worker.round(0)
    points, actions = [], []
    interval = max(0.3, (until - time.monotonic()) / 24)
    due = time.monotonic()
    while time.monotonic() < until or len(points) < 8 or worker.operations < 8000:
        if time.monotonic() >= due:
            worker.round(1 + len(points))
            points.append(measure(worker, monitor))
            due = time.monotonic() + interval
        actions = actions or worker.step()
        actions.pop()()
    points.append(measure(worker, monitor))
    return points


def beside(ledgers, stop):
    """What administrators and other users do meanwhile."""
    session, random = server.connect("soak"), randomness("beside")
    rows(session, "SET client_min_messages = warning")
    done = 0
    while not stop.wait(0.2):
        ledger = random.choice(ledgers)
        table = random.choice(("accounts", "account_balances", "hold_lines", "entries", "transactions"))
        for statement in random.choice((
                [f"VACUUM {ledger}.{table}"], [f"ANALYZE {ledger}.{table}"], ["ANALYZE"],
                [f"CREATE INDEX soak_index ON {ledger}.{table} ((1))", f"DROP INDEX {ledger}.soak_index"],
                [f"BEGIN; ALTER SCHEMA {ledger} RENAME TO soak_other; ALTER SCHEMA soak_other RENAME TO {ledger}; COMMIT"],
                [f"CREATE TABLE {ledger}.soak_table (n int)", f"DROP TABLE {ledger}.soak_table"],
                [f"GRANT SELECT ON {ledger}.{table} TO soak_nobody", f"REVOKE SELECT ON {ledger}.{table} FROM soak_nobody"],
                [f"ALTER TABLE {ledger}.{table} SET (autovacuum_analyze_threshold = {random.randrange(40, 60)})"],
                ["SELECT ledger_create('soak_side')", "DROP SCHEMA soak_side CASCADE"])):
            rows(session, statement)
            done += 1
    session.close()
    figures.add("statements of administrators beside them", done)


def short_sessions(ledger, until, result):
    """Connect, do something, disconnect."""
    number = 0
    while time.monotonic() < until or number < 4:
        number += 1
        worker = Worker(ledger, ("auto", ledger)[number % 2], number)
        for action in worker.step(40)[:4]:
            action()
        worker.connection.close()
        result.append(worker)


def many_ledgers(worker):
    """More ledgers than a session keeps plans of, and more accounts than it keeps, all of them used twice."""
    def use(ledger):
        worker.sql(f"SET ledgerflow.ledger = {ledger}; SELECT ledger_post('a', 'b', 1), ledger_balance('a')")
        worker.did(2)

    names = [f"many_{number}" for number in range(120)]
    plans = [contexts(worker)[2]]
    for name in names:
        worker.sql(f"SELECT ledger_create('{name}'); SET ledgerflow.ledger = {name}; "
                   "SELECT ledger_open_account('a', 'asset', 'USD'), ledger_open_account('b', 'asset', 'USD')")
        use(name)
        worker.did(3)
        plans.append(contexts(worker)[2])
    for name in names:
        use(name)
    check_at_most("plans kept of 120 ledgers", plans[1] + 100 * (plans[2] - plans[1]), contexts(worker)[2])
    check("balances in 120 ledgers", {2}, {worker.sql(f"SELECT ledger_balance('a', '{name}')")[0][0] for name in names})
    worker.did(120)

    before = contexts(worker)[1]
    worker.sql("SELECT count(ledger_open_account('n:' || n, 'asset', 'USD')) FROM generate_series(1, 90000) n")
    figures.add("heap that 90,000 accounts take in a session (bytes)", contexts(worker)[1] - before)
    worker.sql("SELECT count(ledger_open_account('n:' || n, 'asset', 'USD')) FROM generate_series(90001, 150000) n")
    for first in range(1, 150000, 1000):
        worker.sql(f"SELECT count(ledger_balance('n:' || n)) FROM generate_series({first}, {first + 999}) n")
    worker.looped += 300000
    check_at_most("heap that 150,000 accounts take, bytes", 40 << 20, contexts(worker)[1] - before)
    for name in names:
        worker.sql(f"DROP SCHEMA {name} CASCADE")


def passing_ledgers(until, result):
    """A session that lives while ledgers are made, used, renamed and dropped, by itself and by another one."""
    worker, other = Worker("passing", "auto"), server.connect("soak")
    made, points = 0, []
    for session in (worker.connection, other):
        rows(session, "SET client_min_messages = warning")
    while time.monotonic() < until or made < 6:
        made += 1
        for ledger in ("passing", f"passed_{made}"):
            worker.sql("SELECT ledger_create('passing')" if ledger == "passing" else f"ALTER SCHEMA passing RENAME TO {ledger}")
            worker.sql(f"""SET ledgerflow.ledger = {ledger}; SELECT ledger_open_account(c, 'asset', 'USD') FROM unnest('{{a,b}}'::text[]) c;
                SELECT ledger_capture(ledger_hold('a', 'b', 1)), ledger_balance('a'); SELECT ledger_statement('a')""")
        check("balance after renaming", 2, worker.sql("SELECT ledger_balance('a')")[0][0])
        rows((worker.connection, other)[made % 2], f"DROP SCHEMA {ledger} CASCADE")
        check("a ledger that was dropped", "LF020", worker.state("SELECT ledger_balance('a')"))
        worker.did(15)
        points.append(dict(zip(("used", "native", "plans"), contexts(worker)), memory=anonymous_memory(worker.pid)))
    # PostgreSQL keeps the plans of two foreign keys for each: 18 kB.
    kept = (growth(points, "used") + growth(points, "native")) // (len(points) - 2 - len(points) // 4)
    check_at_most("memory kept for a ledger that was dropped, bytes", 65536, kept)
    check_at_most("plans kept for ledgers that were dropped", 0, growth(points, "plans"))
    figures.add("ledgers made, renamed and dropped in one session", made)
    if SECONDS >= 120:
        many_ledgers(worker)
    figures.add("memory kept for each of them, by PostgreSQL (bytes)", kept)
    other.close()
    worker.connection.close()
    result.append(worker)


def set_up():
    server.sql("CREATE DATABASE soak")
    session = server.connect("soak")
    rows(session, "CREATE EXTENSION ledgerflow")
    rows(session, LOOP)
    library = work / "soak_heap.so"
    include = subprocess.run([server.bin / "pg_config", "--includedir-server"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    subprocess.run(["cc", "-O2", "-fPIC", "-shared", "-I", include, "-o", library, ROOT / "test/torture/soak_heap.c"], check=True)
    for function in ("soak_heap", "soak_heap_free"):
        rows(session, f"CREATE FUNCTION {function}() RETURNS bigint LANGUAGE c AS '{library}'")
    for number, kind in enumerate(DRAWS):
        rows(session, "INSERT INTO soak.kinds VALUES (%s, %s, %s, %s, %s, %s)",
             number, kind.name, kind.sqlstate, kind.calls, kind.postings, kind.statement)
    rows(session, "CREATE ROLE soak_poster; CREATE ROLE soak_reader; CREATE ROLE soak_nobody")
    for ledger in STORES:
        rows(session, "SELECT ledger_create(%s); SELECT set_config('ledgerflow.ledger', %s, false)", ledger, ledger)
        rows(session, ACCOUNTS.replace("{ledger}", ledger))
    session.close()


def judge(store, worker, points):
    """What was measured of a long session: flat, or growing by what was posted and no more."""
    first, last = points[max(1, len(points) // 4) - 1], points[-1]
    since = last["operations"] - first["operations"]
    print(f"{store}: " + "; ".join(
        f"{point['operations']:,} operations {point['memory'] >> 10} + {point['free'] >> 10} kB {point['used'] >> 10} kB {point['native'] >> 10} kB "
        f"{point['plans']} plans {point['descriptors']} files {point['doubled']} twice {point['sizes']['account_balances'] >> 10} {point['sizes']['idempotency_keys'] >> 10} kB"
        for point in points))
    for key, what, most in (("memory", "private memory, bytes", MOST_MEMORY), ("used", "memory contexts, bytes", MOST_USED),
                            ("native", "the heap beside them, bytes", MOST_NATIVE), ("plans", "kept plans", 5),
                            ("descriptors", "open files", MOST_FILES), ("doubled", "files opened twice", 0)):
        check_at_most(f"{store}: growth of {what}", most, growth(points, key))
    check(f"{store}: locks left after a transaction", [0], sorted({point["locks"] for point in points}))

    half = len(points) // 2
    # Versions that a snapshot may still see stay, and the more the ledger holds, the longer the snapshots of its reports
    # live: a few bytes an operation, of the 200 and more that it writes.
    for table, more in (("account_balances", 8), ("account_balances_pkey", 1), ("idempotency_keys", 0), ("idempotency_keys_pkey", 0)):
        sizes = [point["sizes"][table] for point in points]
        check_at_most(f"{store}: size of {table}", max(sizes[:half]) * 3 // 2 + (512 << 10) + more * since, sizes[-1])
    for table in GROWING:
        for name in [name for name in last["sizes"] if re.fullmatch(rf"{table}(_[a-z_]+_(idx|key)|_pkey)?", name)]:
            before = first["sizes"][name] / max(1, first[table])
            most = 1.25 if name == table else 2  # the pages of an index are half full to full
            check_at_most(f"{store}: bytes of {name} for each row of {table}", round(before * most + 65536 / max(1, last[table]), 1),
                          round(last["sizes"][name] / max(1, last[table]), 1))

    figures.add(f"operations in one session ({store})", worker.operations)
    figures.add(f"growth of its private memory (bytes, {store})", growth(points, "memory"))
    figures.add(f"free on its heap at most (bytes, {store})", max(point["free"] for point in points))
    figures.add(f"growth of its memory contexts (bytes, {store})", growth(points, "used"))
    figures.add(f"growth of its heap beside them (bytes, {store})", growth(points, "native"))
    figures.add(f"smallest leak that would be seen (bytes an operation, {store})", -(-MOST_USED // max(1, since)))
    figures.add(f"account_balances after the first quarter (bytes, {store})", first["sizes"]["account_balances"])
    figures.add(f"account_balances at the end (bytes, {store})", last["sizes"]["account_balances"])
    updates, hot = server.sql("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = %s::regclass",
                              f"{store}.account_balances", database="soak")[0]
    figures.add(f"HOT updates of account_balances (%, {store})", round(100 * hot / max(1, updates)))
    tenth = max(1, len(points) // 10)
    for name, begin, end in (("first", points[0], points[tenth]), ("last", points[-2 - tenth], points[-2])):  # the very last one follows at once
        figures.add(f"operations a second, {name} tenth ({store})",
                    round((end["operations"] - begin["operations"]) / max(0.1, end["at"] - begin["at"])))


def background_memory(monitor):
    """Of the postmaster and the processes that are no sessions."""
    return sum(anonymous_memory(pid) for pid in [server.postmaster] + [row[0] for row in rows(monitor, """
        SELECT pid FROM pg_stat_activity WHERE backend_type NOT IN ('client backend', 'parallel worker', 'autovacuum worker')""")])


def main():
    set_up()
    begun = time.monotonic()
    monitors = {store: server.connect("soak") for store in STORES}
    long = {store: Worker(store, store) for store in STORES}
    points, stop = {}, threading.Event()
    aside = threading.Thread(target=in_threads, args=(lambda: beside(STORES, stop),))
    aside.start()
    in_threads(*[lambda store=store: points.update({store: long_session(long[store], monitors[store], begun + SECONDS * 0.65)})
                 for store in STORES])
    stop.set()
    aside.join()
    for store in STORES:
        if store in points:
            judge(store, long[store], points[store])
        long[store].connection.close()

    monitor, short, passing = monitors["heap"], [], []
    background = [background_memory(monitor)]
    in_threads(*[lambda store=store: short_sessions(store, begun + SECONDS, short) for store in STORES],
               lambda: passing_ledgers(begun + SECONDS, passing))
    background.append(background_memory(monitor))
    # Of PostgreSQL alone: none of them runs a line of ours, but many ledgers come and go in its catalogs.
    check_at_most("growth of the server's own processes, bytes", 32 << 20, background[1] - background[0])

    everybody = [*long.values(), *short, *passing]
    for store in STORES:
        check(f"{store}: verification", [], server.sql("SELECT * FROM ledger_verify(%s)", store, database="soak"))
        check(f"{store}: transactions", 1 + sum(worker.postings for worker in everybody if worker.ledger == store),
              value(monitor, f"SELECT count(*) FROM {store}.transactions"))
    check("locks left", 0, value(monitor, """
        SELECT count(*) FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
         WHERE pid IS DISTINCT FROM pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'"""))
    check("temporary tables left", 0, value(monitor, "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"))
    check("temporary files left", [], [str(file) for file in server.data.glob("base/pgsql_tmp/*")])
    log = server.log.read_text(encoding="utf-8", errors="replace").splitlines()
    check("warnings in the server's log", [], [line for line in log if "WARNING:" in line][:10])
    check("crashes", [], server.backend_crashes())

    figures.add("operations", sum(worker.operations for worker in everybody))
    figures.add("operations called from the client", sum(worker.client for worker in everybody))
    figures.add("operations called in loops in the server", sum(worker.looped for worker in everybody))
    figures.add("transactions posted", sum(worker.postings for worker in everybody))
    figures.add("refused as they should be", sum(worker.refusals for worker in everybody))
    figures.add("short sessions", len(short))
    figures.add("growth of the server's own processes meanwhile (bytes)", background[1] - background[0])
    figures.add("locks left", 0)
    finish("what was posted is there, and nothing grew that should not")


main()
