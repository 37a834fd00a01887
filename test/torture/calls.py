#!/usr/bin/python3
"""Calls every function of the extension, and writes into every table of a ledger, with random arguments in random
surroundings: errors there may be, of ours and of the user's kind, but no crash, no internal error, no leak, no hang,
and an undamaged ledger stays one.

One thread for each store, each with a database of its own. What it draws depends on the seed alone, not on the clock.
TORTURE_TRACE=FILE: every statement goes there before it is sent.
"""

import collections
import io
import json
import os
import threading
import time

import psycopg2

from harness import NAME, SEED, STORES, Server, check, figures, finish, randomness, rows, seconds_left, value
from random_values import LEDGERS, Values, identifier, is_uuid, quoted

# Under valgrind everything takes its time, and memory is valgrind's.
SLOW = 40 if os.environ.get("LEDGERFLOW_POSTGRES") else 1
TIMEOUT = 10 * SLOW
GROUPS_OF_A_ROUND = 100
LEAK = 512 * 1024  # bytes that the repetitions of a round may add; one small thing left by each call is more
ROLES = ["reader", "poster", "operator", "admin", "stranger"]

# Where a call can stand. {call} is the call, {other} another one, {ledger} a ledger's schema.
PLACES = [
    *["SELECT {call}", "SELECT * FROM {call} AS f"] * 6,
    "SELECT ({call})::text", "SELECT f FROM {call} AS f LIMIT 1", "SELECT * FROM {call} WITH ORDINALITY LIMIT 2 OFFSET 1", "SELECT {call}, {other}",
    "SELECT * FROM ROWS FROM ({call}, {other}) LIMIT 5", "SELECT count(*), min(f::text) FROM {call} AS f", "SELECT f FROM (SELECT {call} AS f OFFSET 0) x WHERE f IS NOT NULL",
    "SELECT g, f FROM generate_series(1, 3) g, LATERAL {call} AS f", "SELECT g, (SELECT f::text FROM {call} AS f LIMIT 1) FROM generate_series(1, 2) g",
    "WITH x AS MATERIALIZED (SELECT {call} AS f), y AS (SELECT {other} AS f) SELECT (SELECT count(*) FROM x), (SELECT count(*) FROM y)",
    "WITH RECURSIVE x(n, f) AS (SELECT 1, f::text FROM {call} AS f UNION ALL SELECT n + 1, ({other})::text FROM x WHERE n < 3) SELECT * FROM x LIMIT 10",
    "SELECT account FROM {ledger}.balances WHERE ({call}) IS NOT NULL LIMIT 3", "SELECT count({call}) FROM {ledger}.accounts a LEFT JOIN {ledger}.entries e ON e.account_id = a.id WHERE e.line < 2",
    "SELECT count(*) FROM {ledger}.journal j, LATERAL (SELECT {call} AS f WHERE j.line = 1 LIMIT 1) x WHERE j.line < 3 AND j.account > 'l'",
    "SELECT a.code FROM {ledger}.accounts a WHERE EXISTS (SELECT FROM {call}) ORDER BY ({other})::text LIMIT 2", "SELECT DISTINCT {call} FROM generate_series(1, 2)",
    "SELECT array_agg(f::text ORDER BY f::text) OVER () FROM {call} AS f LIMIT 3", "SELECT coalesce(({call})::text, ({other})::text), CASE WHEN random() < 2 THEN {call} END",
    "VALUES (({call})::text), ({other}::text)", "EXPLAIN (ANALYZE, TIMING OFF) SELECT {call}", "EXPLAIN VERBOSE SELECT * FROM {call} f, {other} g",
    "SELECT x.* FROM {call} x JOIN {other} y ON x::text = y::text", "SELECT ({call}) IS DISTINCT FROM NULL UNION SELECT ({other}) IS NULL", "TABLE {ledger}.balances LIMIT 2",
    "SELECT * FROM {ledger}.open_holds h, {call} f LIMIT 3", "SELECT * FROM {ledger}.audit LIMIT 5", "SELECT * FROM {ledger}.trial_balance UNION ALL TABLE {ledger}.trial_balance",
    "DO {body}BEGIN PERFORM {call}; EXCEPTION WHEN internal_error THEN RAISE; WHEN OTHERS THEN PERFORM {other}; END{body}",
    "DO {body}DECLARE r record; BEGIN FOR i IN 1..3 LOOP BEGIN FOR r IN SELECT * FROM {call} LOOP EXIT WHEN i = 2; END LOOP; "
    "EXCEPTION WHEN internal_error THEN RAISE; WHEN OTHERS THEN NULL; END; END LOOP; END{body}",
    "DO {body}BEGIN EXECUTE {quoted_call}; COMMIT; PERFORM {other}; ROLLBACK; PERFORM {call}; END{body}",
    "DO {body}DECLARE c CURSOR FOR SELECT {call}; r record; BEGIN OPEN c; FETCH c INTO r; BEGIN PERFORM {other}; PERFORM 1 / 0; EXCEPTION WHEN internal_error THEN RAISE; WHEN OTHERS THEN NULL; END; "
    "FETCH c INTO r; END{body}",
]
# Several statements. %N is a name of its own.
SEQUENCES = [
    ["DECLARE c%N CURSOR FOR SELECT * FROM {call} f", "FETCH 1 FROM c%N", "{statement}", "FETCH 2 FROM c%N", "CLOSE c%N"],
    ["DECLARE c%N SCROLL CURSOR FOR SELECT {call}", "MOVE 1 FROM c%N", "FETCH LAST FROM c%N", "FETCH FIRST FROM c%N"],
    ["DECLARE c%N CURSOR WITH HOLD FOR SELECT * FROM {call} f", "COMMIT", "FETCH ALL FROM c%N", "CLOSE ALL"],
    ["SAVEPOINT a", "DECLARE c%N CURSOR FOR SELECT * FROM {call} f, {other} g", "FETCH 1 FROM c%N", "ROLLBACK TO a", "{statement}"],
    ["SAVEPOINT a", "{statement}", "SAVEPOINT b", "{statement}", "ROLLBACK TO b", "{statement}", "RELEASE a", "{statement}"],
    ["SAVEPOINT a", "{statement}", "SELECT 1 / 0", "{statement}", "ROLLBACK TO a", "{statement}"],
    ["SELECT 1 / 0", "{statement}", "{statement}"],
    ["SET plan_cache_mode = force_generic_plan", "PREPARE p%N AS SELECT {call}", "EXECUTE p%N", "EXECUTE p%N", "{statement}", "EXECUTE p%N", "DEALLOCATE p%N"],
    ["CREATE TEMP TABLE t%N AS SELECT * FROM {call} f", "SELECT * FROM t%N", "DROP TABLE t%N"],
    ["CREATE TEMP TABLE t%N (a int DEFAULT 1, b text DEFAULT (({scalar})::text), CHECK (({scalar}) IS NOT NULL OR a > 0))", "INSERT INTO t%N DEFAULT VALUES", "INSERT INTO t%N (a) SELECT generate_series(1, 3)"],
    ["CREATE FUNCTION pg_temp.f%N() RETURNS text LANGUAGE sql AS {quoted_text}", "SELECT pg_temp.f%N()", "SELECT pg_temp.f%N() FROM generate_series(1, 3)"],
    ["CREATE FUNCTION pg_temp.f%N() RETURNS trigger LANGUAGE plpgsql AS {quoted_trigger}", "CREATE TEMP TABLE t%N (a int)",
     "CREATE TRIGGER t AFTER INSERT ON t%N FOR EACH ROW EXECUTE FUNCTION pg_temp.f%N()", "INSERT INTO t%N VALUES (1), (2)"],
    ["CREATE MATERIALIZED VIEW public.m%N AS SELECT ({call})::text", "REFRESH MATERIALIZED VIEW public.m%N", "DROP MATERIALIZED VIEW public.m%N"],
    ["CREATE VIEW pg_temp.v%N AS SELECT * FROM {call} f", "SELECT * FROM pg_temp.v%N LIMIT 2", "SELECT count(*) FROM pg_temp.v%N a, pg_temp.v%N b"],
    ["{statement}", "{statement}", "PREPARE TRANSACTION 'p%N'", "COMMIT PREPARED 'p%N'"], ["{statement}", "PREPARE TRANSACTION 'p%N'", "ROLLBACK PREPARED 'p%N'"],
    ["COPY (SELECT * FROM {call} f) TO STDOUT"], ["LISTEN x", "{statement}", "NOTIFY x"], ["LOCK TABLE {ledger}.accounts IN SHARE MODE", "{statement}"],
    ["DISCARD PLANS", "{statement}"], ["{statement}"], ["{statement}", "{statement}", "{statement}"],
]
# A trigger function of ours where it does not belong.
TRAPS = [
    ["CREATE TABLE public.trap%N (LIKE {ledger}.{table})", "CREATE TRIGGER t {when} INSERT OR UPDATE OR DELETE ON public.trap%N FOR EACH {each} EXECUTE FUNCTION {trigger}({words})",
     "INSERT INTO public.trap%N SELECT * FROM {ledger}.{table} LIMIT 2", "UPDATE public.trap%N SET {column} = {column}", "DELETE FROM public.trap%N", "SET CONSTRAINTS ALL IMMEDIATE"],
    ["CREATE TABLE public.trap%N (a int, id uuid, account_id text)", "CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON public.trap%N DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {trigger}({words})",
     "INSERT INTO public.trap%N VALUES (1, NULL, 'x'), (2)", "UPDATE public.trap%N SET a = 3", "SET CONSTRAINTS ALL IMMEDIATE"],
    ["CREATE TABLE public.trap%N (LIKE {ledger}.{table})", "CREATE TRIGGER t AFTER INSERT ON public.trap%N REFERENCING NEW TABLE AS {transition} FOR EACH STATEMENT EXECUTE FUNCTION {trigger}({words})",
     "INSERT INTO public.trap%N SELECT * FROM {ledger}.{table} LIMIT 3", "TRUNCATE public.trap%N"],
    ["CREATE TABLE public.trap%N AS SELECT {retyped} FROM {ledger}.{table} LIMIT 0", "CREATE TRIGGER t {when} INSERT OR UPDATE ON public.trap%N FOR EACH {each} EXECUTE FUNCTION {trigger}({words})",
     "INSERT INTO public.trap%N DEFAULT VALUES", "INSERT INTO public.trap%N SELECT (jsonb_populate_record(t, '{one}')).* FROM (SELECT NULL::public.trap%N AS t) x", "UPDATE public.trap%N SET {column} = DEFAULT"],
    ["CREATE VIEW public.trap%N AS SELECT {retyped} FROM {ledger}.postings", "CREATE TRIGGER t INSTEAD OF INSERT ON public.trap%N FOR EACH ROW EXECUTE FUNCTION {trigger}()",
     "CREATE TRIGGER u AFTER INSERT ON public.trap%N FOR EACH STATEMENT EXECUTE FUNCTION {trigger}()", "INSERT INTO public.trap%N SELECT (jsonb_populate_record(t, '{one}')).* FROM (SELECT NULL::public.trap%N AS t) x"],
    ["CREATE TABLE public.trap%N (a int)", "CREATE TRIGGER t BEFORE TRUNCATE ON public.trap%N FOR EACH STATEMENT EXECUTE FUNCTION {trigger}({words})", "TRUNCATE public.trap%N"],
    ["CREATE VIEW public.trap%N AS SELECT * FROM {ledger}.postings", "CREATE TRIGGER t INSTEAD OF {event} ON public.trap%N FOR EACH ROW EXECUTE FUNCTION {trigger}({words})",
     "INSERT INTO public.trap%N (debit, credit, amount) VALUES ('assets:bank', 'income:fees', 1)", "UPDATE public.trap%N SET amount = 2", "DELETE FROM public.trap%N"],
    ["CREATE TRIGGER t {when} {event} ON {ledger}.{table} FOR EACH {each} EXECUTE FUNCTION {trigger}({words})", "{statement}", "{statement}", "{change}"],
    ["SET session_replication_role = replica", "{change}", "{statement}"], ["SET session_replication_role = local", "{change}"],
]
BEGINS = ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN READ ONLY", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
          "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE"]
SETTINGS = [
    *["SET ledgerflow.as_of = {time}"] * 3, "SET statement_timeout = '{small} ms'", "SET work_mem = '64kB'", "SET maintenance_work_mem = '1MB'", "SET ledgerflow.progress = 0", "SET ledgerflow.progress = -1",
    "SET ledgerflow.store = {store}", "SET ledgerflow.ledger = {name}", "SET DateStyle = 'SQL, DMY'", "SET DateStyle = 'German'", "SET TimeZone = 'Pacific/Apia'", "SET TimeZone = '+15:59:59'",
    "SET IntervalStyle = 'sql_standard'", "SET search_path = ''", "SET search_path = pg_temp, {name}, public", "SET search_path = {name}, pg_catalog", "SET standard_conforming_strings = off",
    "SET client_encoding = LATIN1", "SET client_encoding = SJIS", "SET bytea_output = escape", "SET extra_float_digits = -15", "SET enable_hashagg = off", "SET enable_indexscan = off",
    "SET enable_seqscan = off", "SET default_transaction_isolation = serializable", "SET default_transaction_read_only = on", "SET row_security = off", "SET array_nulls = off", "SET transform_null_equals = on",
    "SET check_function_bodies = off", "SET track_functions = 'all'", "SET lc_messages = 'C'", "SET max_stack_depth = '100kB'", "SET synchronous_commit = off", "SET temp_buffers = 100", "SET join_collapse_limit = 1",
    "SET force_parallel_mode = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0",
    "SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0", "SET xmloption = document", "SET plan_cache_mode = force_custom_plan",
]
# What the owner of an undamaged ledger may do to it. A ledger's functions go on, or refuse; nothing is lost.
ALTERATIONS = [
    "ALTER SCHEMA {ledger} RENAME TO moved; ALTER SCHEMA moved RENAME TO {ledger}", "ALTER EXTENSION ledgerflow SET SCHEMA pg_catalog", "ALTER EXTENSION ledgerflow UPDATE", "ANALYZE", "VACUUM", "DISCARD ALL",
    "REINDEX SCHEMA {ledger}", "VACUUM FULL {ledger}.{table}", "ALTER TABLE {ledger}.{table} ADD COLUMN mine{number} text DEFAULT 'x'", "ALTER TABLE {ledger}.{table} SET (autovacuum_enabled = off)",
    "CREATE INDEX ON {ledger}.{table} ({column})", "ALTER TABLE {ledger}.{table} SET UNLOGGED; ALTER TABLE {ledger}.{table} SET LOGGED", "CLUSTER {ledger}.entries USING entries_pkey",
    "DROP EXTENSION ledgerflow CASCADE; CREATE EXTENSION ledgerflow SCHEMA public", "ALTER TABLE {ledger}.{table} REPLICA IDENTITY FULL", "ALTER TABLE {ledger}.{table} REPLICA IDENTITY DEFAULT",
    "CREATE TRIGGER mine{number} AFTER INSERT ON {ledger}.{table} FOR EACH ROW EXECUTE FUNCTION public.quiet()", "SELECT ledger_upgrade({name})", "REASSIGN OWNED BY admin TO postgres",
    "ALTER TABLE {ledger}.{table} ALTER {column} SET STATISTICS 10", "CREATE STATISTICS ON account_id, amount FROM {ledger}.entries", "CREATE PUBLICATION all_of_it FOR ALL TABLES; DROP PUBLICATION all_of_it",
]
DAMAGES = [
    *["ALTER TABLE hurt.{table} DROP COLUMN {column} CASCADE"] * 4, *["ALTER TABLE hurt.{table} ALTER {column} TYPE {type} USING NULL"] * 3, "ALTER TABLE hurt.{table} RENAME {column} TO other",
    *["DROP FUNCTION hurt.standing_at CASCADE; DROP FUNCTION hurt.open_holds_at CASCADE; DROP VIEW hurt.standings CASCADE; DROP VIEW hurt.balances, hurt.journal, hurt.trial_balance, hurt.postings, hurt.open_holds, hurt.reversals, hurt.audit, hurt.as_of CASCADE; "
      "ALTER TABLE hurt.{table} ALTER {column} DROP DEFAULT; ALTER TABLE hurt.{table} ALTER {column} TYPE {type} USING {nothing}"] * 4,
    "DROP VIEW hurt.{view} CASCADE; CREATE VIEW hurt.{view} AS SELECT {retyped}", "DROP FUNCTION hurt.standing_at CASCADE; CREATE FUNCTION hurt.standing_at(int8, timestamptz, uuid, OUT debits_posted int, OUT credits_posted int, OUT debits_pending int, OUT credits_pending int) LANGUAGE sql AS 'SELECT 1, 2, 3, 4'",
    "ALTER TABLE hurt.{table} DROP CONSTRAINT {table}_pkey CASCADE; ALTER TABLE hurt.{table} ALTER {column} DROP NOT NULL; UPDATE hurt.{table} SET {column} = NULL",
    "DROP TABLE hurt.{table} CASCADE", "TRUNCATE hurt.{table} CASCADE", "DELETE FROM hurt.settings", "UPDATE hurt.settings SET format_version = {number}", "UPDATE hurt.settings SET closed_through = 'infinity'",
    "INSERT INTO hurt.settings SELECT false, 1 FROM hurt.settings", "ALTER TABLE hurt.{table} ALTER {column} DROP NOT NULL; UPDATE hurt.{table} SET {column} = NULL",
    *["UPDATE hurt.{table} SET {column} = {drawn}"] * 5, "DELETE FROM hurt.{table} WHERE random() < 0.5", *["INSERT INTO hurt.{table} SELECT * FROM hurt.{table}"],
    "ALTER TABLE hurt.{table} DROP CONSTRAINT {table}_pkey CASCADE; INSERT INTO hurt.{table} SELECT * FROM hurt.{table}", "ALTER TABLE hurt.{table} DISABLE TRIGGER ALL", "ALTER TABLE hurt.{table} OWNER TO stranger",
    "ALTER TABLE hurt.{table} ENABLE ROW LEVEL SECURITY; ALTER TABLE hurt.{table} FORCE ROW LEVEL SECURITY; ALTER TABLE hurt.{table} OWNER TO admin; ALTER SCHEMA hurt OWNER TO admin",
    "CREATE RULE r AS ON INSERT TO hurt.{table} DO INSTEAD NOTHING", "CREATE RULE r AS ON UPDATE TO hurt.{table} DO INSTEAD NOTHING", "ALTER TABLE hurt.{table} ADD COLUMN must text NOT NULL DEFAULT 'x'; ALTER TABLE hurt.{table} ALTER must DROP DEFAULT",
    "ALTER TABLE hurt.{table} ADD COLUMN made text GENERATED ALWAYS AS ('x') STORED", "CREATE TABLE hurt.child () INHERITS (hurt.{table})", "ALTER TABLE hurt.{table} RENAME TO gone; CREATE VIEW hurt.{table} AS TABLE hurt.gone",
    "ALTER TABLE hurt.{table} RENAME TO gone; CREATE TABLE hurt.{table} (LIKE hurt.gone INCLUDING ALL) PARTITION BY LIST ({column}); CREATE TABLE hurt.part PARTITION OF hurt.{table} DEFAULT; INSERT INTO hurt.{table} TABLE hurt.gone",
    "ALTER TABLE hurt.{table} RENAME TO gone; CREATE TEMP TABLE {table} (LIKE hurt.gone)", "CREATE FUNCTION hurt.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER a BEFORE INSERT OR UPDATE ON hurt.{table} FOR EACH ROW EXECUTE FUNCTION hurt.swallow()",
    "ALTER TABLE hurt.{table} ADD CHECK ({column} IS NULL) NOT VALID", "ALTER TABLE hurt.{table} SET UNLOGGED", "DROP VIEW hurt.standings CASCADE", "DROP VIEW hurt.as_of CASCADE", "REVOKE ALL ON ALL TABLES IN SCHEMA hurt FROM postgres",
    "ALTER TABLE hurt.{table} DROP COLUMN {column} CASCADE; ALTER TABLE hurt.{table} ADD COLUMN {column} {type}", "CREATE UNIQUE INDEX ON hurt.{table} ((1))", "ALTER TABLE hurt.{table} ADD EXCLUDE USING gist (int8range(0, 1) WITH &&)",
]
DOCUMENTED = ()  # beginnings of messages of internal errors that are no defect of ours

USER_ERRORS = ("XX", "58", "08", "F0")  # classes of SQLSTATEs that no argument may lead to
server = Server("main", "fsync=off", "log_min_messages=warning", "log_min_error_statement=panic", "client_min_messages=error", "max_prepared_transactions=20",
                f"statement_timeout={TIMEOUT}s", f"lock_timeout={300 * SLOW}", "deadlock_timeout=100", "autovacuum=off", "max_wal_size=4GB", "temp_file_limit=1GB",
                *(["jit_provider=none"] if SLOW > 1 else []))  # the loader, as LLVM uses it, is full of findings
lock = threading.Lock()
errors = collections.Counter()
called, answered = set(), set()
trace = open(os.environ["TORTURE_TRACE"], "w", encoding="utf-8") if "TORTURE_TRACE" in os.environ else None  # pylint: disable=consider-using-with


class Lost(Exception):
    """The session broke."""


class Session:
    """A connection that looks at every answer."""

    def __init__(self, database, name):
        self.database, self.name, self.sent, self.statement = database, name, None, ""
        self.connection = connected(database)
        self.pid = self.connection.info.backend_pid

    def run(self, statement, may_last=False, data=None):
        """Sends a statement; (rows with their columns' names, SQLSTATE of its error or None)."""
        if trace:
            trace.write(f"{self.name}: {statement}\n")
            trace.flush()
        self.statement, self.sent, state, result, error = statement, time.monotonic(), None, [], None
        try:
            with self.connection.cursor() as cursor:
                if data is not None or statement.startswith("COPY"):
                    cursor.copy_expert(statement, io.StringIO(data or ""))
                else:
                    cursor.execute(statement)
                if cursor.description:
                    names = [column.name for column in cursor.description]
                    result = [dict(zip(names, row)) for row in cursor.fetchmany(30)]
        except (psycopg2.Error, UnicodeError, ValueError) as caught:
            # Without a code: an answer in an encoding that is not ours, or the connection is gone.
            error, state = str(caught).strip(), getattr(caught, "pgcode", None) or "client"
        self.sent = None
        figures_of_call(state)
        if self.connection.closed or (error and state == "client" and "server closed" in error):
            raise Lost(statement)
        if state and state.startswith(USER_ERRORS) and not error.startswith(DOCUMENTED):
            finding(f"{state} {error[:300]}", self, statement)
        if state == "57014" and "statement timeout" in error and not may_last:
            finding("no answer in time", self, statement)
        return result, state

    def close(self):
        try:
            self.connection.close()
        except psycopg2.Error:
            pass


def figures_of_call(state):
    with lock:
        figures.add("statements")
        if state:
            errors[state] += 1


def finding(what, session, statement):
    with lock:
        check(f"{what}\n     {session.name}: {statement[:3000]}", "an answer", what.split("\n")[0][:200])


class Caller:
    """One thread: a database, a store, two sessions that get in each other's way."""

    def __init__(self, store):
        self.store, self.database, self.number = store, f"calls_{store}", 0
        server.sql(f"CREATE DATABASE {self.database}")
        server.sql(f"ALTER DATABASE {self.database} SET ledgerflow.store = {store}")
        with_closing(connected(self.database), self.prepare)

    def prepare(self, connection):
        rows(connection, "CREATE EXTENSION ledgerflow")
        rows(connection, "GRANT CREATE ON SCHEMA public TO PUBLIC")
        rows(connection, "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
        self.functions, self.types = read_functions(connection), read_types(connection)
        self.tables = {}
        for ledger in LEDGERS:
            self.create(connection, ledger)
        for table, column, kind in rows(connection, """SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 ORDER BY 1, a.attnum"""):
            self.tables.setdefault(table, []).append((column, kind))

    def create(self, connection, ledger):
        """A ledger with something of everything in it."""
        schema, name = identifier(ledger), quoted(ledger)
        rows(connection, f"SET ledgerflow.ledger = {name}; SELECT ledger_create({name})")
        rows(connection, f"""INSERT INTO {schema}.currencies (code, scale) VALUES ('BTC', 8), ('W24', 24);
            INSERT INTO {schema}.account_types (code, normal_side, min_balance) VALUES ('wallet', 'credit', 0)""")
        for code, kind, currency in (("assets:bank", "asset", "USD"), ("liabilities:alice", "liability", "USD"), ("liabilities:bob", "wallet", "USD"), ("income:fees", "income", "USD"),
                                     ("equity:opening", "equity", "USD"), ("expenses:food", "expense", "USD"), ("exchange:usd", "equity", "USD"), ("exchange:eur", "equity", "EUR"),
                                     ("euro:a", "asset", "EUR"), ("tiny:24", "asset", "W24"), ("tiny:b", "equity", "W24")):
            rows(connection, "SELECT ledger_open_account(%s, %s, %s)", code, kind, currency)
        rows(connection, """SELECT ledger_open_account('limited:a', 'asset', 'USD', min_balance => -5, max_balance => 100);
            SELECT ledger_post('assets:bank', 'liabilities:alice', i, 'key-' || i, 'ref-' || i, metadata => '{"channel": "wire"}', effective_at => now() - i * interval '1 day') FROM generate_series(1, 5) i;
            SELECT ledger_post('assets:bank', 'liabilities:bob', 100); SELECT ledger_hold('liabilities:bob', 'income:fees', 5, expires_in => '1 hour');
            SELECT ledger_seal()""")
        if ledger == "own things":
            rows(connection, f"""ALTER TABLE {schema}.transactions ADD COLUMN branch text DEFAULT 'main'; ALTER TABLE {schema}.entries ADD COLUMN note text; ALTER TABLE {schema}.entries DROP COLUMN note;
                CREATE INDEX ON {schema}.entries ((abs(amount))) WHERE amount > 0; CREATE INDEX ON {schema}.transactions USING gin (metadata); ALTER TABLE {schema}.entries ADD CHECK (amount < 1e20);
                CREATE TRIGGER mine AFTER INSERT ON {schema}.transactions FOR EACH ROW EXECUTE FUNCTION quiet(); CREATE TRIGGER mine BEFORE UPDATE ON {schema}.account_balances FOR EACH ROW EXECUTE FUNCTION quiet();
                CREATE UNIQUE INDEX ON {schema}.transactions (description) WHERE description LIKE 'unique%%'""")
        for role in ROLES[:-1]:
            rows(connection, "SELECT ledger_grant(%s, %s)", role, role)

    # --- statements -------------------------------------------------------------------------------

    def chance(self, share):
        return self.random.random() < share

    def call(self, function=None):
        """An SQL expression that calls a function."""
        function = function or self.random.choice(self.functions)
        with lock:
            called.add(function["signature"])
            figures.add("calls drawn")
        self.values.call()
        count = len(function["types"])
        given = count - (self.random.randint(0, function["defaults"]) if self.chance(0.5) else 0)
        named_from = self.random.randint(0, given) if self.chance(0.4) else given
        arguments = []
        for i in range(count):
            name, kind = function["names"][i], function["types"][i]
            skip = i >= given or (i >= named_from and i >= count - function["defaults"] and self.chance(0.5) and name != "ledger")
            if skip and not (self.hurt and name == "ledger"):
                named_from = min(named_from, i)
                continue
            expression = self.values.ledger_lines() if name == "lines" and self.chance(0.6) else self.values.an_expression(kind, name)
            if self.hurt and name == "ledger":
                expression, named_from = "'hurt'", min(named_from, i)
            if self.chance(self.values.odd / 10):
                expression = quoted(self.values.a_text(name))
            if i == count - 1 and function["variadic"] and self.chance(0.5):
                expression = "VARIADIC " + expression
            arguments.append(f"{identifier(name)} => {expression}" if i >= named_from and name else expression)
        return f"{function['name']}({', '.join(arguments)})"

    def fill(self, text):
        """A template with its places filled."""
        ledger = "hurt" if self.hurt else self.random.choice(LEDGERS)
        table = self.random.choice(sorted(self.tables))
        column, kind = self.random.choice(self.tables[table])
        call, names = None, {name for columns in self.tables.values() for name, _ in columns}
        while "{" in text:
            at = text.index("{")
            key = text[at + 1:text.index("}", at)]
            if key in ("call", "quoted_call", "quoted_text", "quoted_trigger"):
                call = call or self.call()
            draw = {
                "call": lambda: call, "other": self.call, "scalar": lambda: self.call(self.random.choice([f for f in self.functions if not f["set"]])),
                "quoted_call": lambda: quoted("SELECT " + call), "quoted_text": lambda: quoted(f"SELECT ({call})::text"),
                "quoted_trigger": lambda: quoted(f"BEGIN PERFORM {call}; RETURN NULL; END"), "body": lambda: "$body_of_calls$", "statement": self.statement, "change": self.change,
                "ledger": lambda: identifier(ledger), "name": lambda: quoted(ledger), "table": lambda: table, "column": lambda: identifier(column), "number": lambda: str(self.random.randrange(-1, 1000)),
                "type": lambda: self.random.choice(["text", "integer", "numeric", "bytea", "jsonb", "timestamptz", "bigint", "uuid[]", "bool"]), "nothing": lambda: self.random.choice(["NULL", "1::text", "'1'"]), "drawn": lambda: self.values.an_expression(kind, column),
                "time": lambda: quoted(self.random.choice(["now", "2024-06-30", "infinity", "", "yesterday", "294276-12-31", "4713-01-01 BC", "x", time.strftime("%Y-%m-%d")])),
                "small": lambda: str(self.random.choice([1, 2, 5, 20, 50])), "store": lambda: self.random.choice(["spi", "heap", "auto"]),
                "trigger": lambda: self.random.choice([f["name"] for f in self.functions if f["trigger"]]), "words": lambda: ", ".join(quoted(self.random.choice(["id", "code", "a", "nothing", ""])) for _ in range(self.random.choice([0, 0, 1, 5]))),
                "when": lambda: self.random.choice(["BEFORE", "AFTER"]), "each": lambda: self.random.choice(["ROW", "STATEMENT"]), "event": lambda: self.random.choice(["INSERT", "UPDATE", "DELETE"]),
                "retyped": lambda: self.retyped(table), "one": lambda: json.dumps({name: "1" for name in sorted(names) if self.chance(0.8)}),
                "view": lambda: self.random.choice(["balances", "journal", "trial_balance", "postings", "open_holds", "standings", "as_of"]),
                "transition": lambda: self.random.choice(["new_entries", "x", "accounts"]),
            }[key]()
            # What was drawn may hold braces itself.
            text = text[:at] + draw.replace("{", "\ue000") + text[at + len(key) + 2:]
        return text

    def retyped(self, table):
        """The columns of a table that our triggers are for, with other types."""
        kinds = ["int", "text", "json", "numeric", "bool"] + ["same"] * self.random.choice([0, 0, 5])
        columns = self.tables[self.random.choice([table, "postings", "accounts", "transactions", "transactions"])]
        return ", ".join(f"NULL::{kind if kind != 'same' else own} AS {identifier(name)}" for name, own in columns for kind in [self.random.choice(kinds)])

    def statement(self):
        return self.fill(self.random.choice(PLACES)) if self.chance(0.85) else self.change()

    def change(self):
        """A write into a table or view of a ledger."""
        ledger, table = identifier("hurt" if self.hurt else self.random.choice(LEDGERS)), self.random.choice(sorted(self.tables))
        columns = [c for c in self.tables[table] if self.chance(0.7)] or self.tables[table][:1]
        column, kind = self.random.choice(self.tables[table])
        one = f"ctid = (SELECT ctid FROM {ledger}.{table} OFFSET {self.random.randrange(4)} LIMIT 1)" if table not in ("postings",) and self.chance(0.7) else "true"
        drawn = lambda: ", ".join(self.values.an_expression(kind, name) for name, kind in columns)
        names = ", ".join(identifier(name) for name, _ in columns)
        shape = self.random.randrange(9)
        if shape == 0:
            return f"INSERT INTO {ledger}.postings (debit, credit, amount, idempotency_key) VALUES " + ", ".join(
                f"({', '.join(self.values.an_expression(k, n) for n, k in (('debit', 'text'), ('credit', 'text'), ('amount', 'numeric'), ('idempotency_key', 'text')))})" for _ in range(self.random.choice([1, 2, 5])))
        if shape == 1:
            accounts = [self.random.randrange(0, 14) for _ in range(self.random.choice([1, 2, 2, 2, 3]))]
            amounts = self.random.choice([["1", "-1", "0"], ["2.5", "-2.5", "NULL"], [self.random.choice(["'NaN'", "1e30", "0.001"]), "-1", "0"]])
            return f"DO $body_of_calls$DECLARE i uuid; BEGIN INSERT INTO {ledger}.transactions (effective_at) VALUES ({self.values.an_expression('timestamp with time zone')}) RETURNING id INTO i; " + " ".join(
                f"INSERT INTO {ledger}.entries (transaction_id, line, account_id, amount) VALUES (i, {n + 1}, {a}, {amounts[n]});" for n, a in enumerate(accounts)) + " END$body_of_calls$"
        if shape == 2:
            return f"UPDATE {ledger}.{table} SET {identifier(column)} = {self.values.an_expression(kind, column)} WHERE {one}"
        if shape == 3:
            return f"DELETE FROM {ledger}.{table} WHERE {one}"
        if shape == 4:
            return f"INSERT INTO {ledger}.{table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({drawn()}) ON CONFLICT DO NOTHING"
        if shape == 5:
            return f"MERGE INTO {ledger}.{table} t USING (SELECT 1) s ON {one} WHEN MATCHED AND t.{identifier(column)} IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET {identifier(column)} = {self.values.an_expression(kind, column)} WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({drawn()})"
        if shape == 6:
            return self.random.choice([f"TRUNCATE {ledger}.{table} CASCADE", f"SELECT * FROM {ledger}.{table} LIMIT 3 FOR UPDATE SKIP LOCKED", f"INSERT INTO {ledger}.{table} SELECT * FROM {ledger}.{table} LIMIT 2"])
        return f"INSERT INTO {ledger}.{table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({drawn()}), ({drawn()}) RETURNING *"

    def copied(self):
        """A COPY into a table or view, and its lines."""
        ledger, table = identifier("hurt" if self.hurt else self.random.choice(LEDGERS)), self.random.choice([*sorted(self.tables), *["postings"] * 6])
        names = ["debit", "credit", "amount", "idempotency_key"] if table == "postings" else [name for name, _ in self.tables[table] if self.chance(0.8)]
        lines = []
        for _ in range(self.random.choice([0, 1, 3, 50])):
            texts = [self.values.a_text(name) if name != "amount" else self.random.choice(["1", "2.5", "NaN", "x", "1e40"]) for name in names]
            lines.append("\t".join("\\N" if self.chance(0.05) else t.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r") for t in texts) + "\n")
        return f"COPY {ledger}.{table} ({', '.join(map(identifier, names))}) FROM STDIN" if names else f"COPY {ledger}.{table} FROM STDIN", "".join(lines)

    # --- groups -----------------------------------------------------------------------------------

    def send(self, session, statement, data=None, timed=False):
        statement = statement.replace("\ue000", "{")
        result, state = session.run(statement, self.values.large or self.short or timed, data)
        if state is None:
            for row in result:
                for name, found in row.items():
                    if is_uuid(found):
                        self.values.remember("transaction_id" if "hold" not in name else "hold", found)
                    elif isinstance(found, dict):
                        self.values.remember("jsonb", json.dumps(found))
                    else:
                        self.values.remember(name, found)
        return state

    def group(self, session):
        """Statements that belong together, and back to nothing."""
        self.values.large = self.short = False
        self.number += 1
        for setting in self.random.sample(SETTINGS, self.random.choice([0, 0, 0, 1, 2])):
            self.short |= "timeout" in setting or "parallel" in setting or "jit" in setting
            self.send(session, self.fill(setting))
        if self.chance(0.25):
            self.send(session, f"SET {self.random.choice(['ROLE', 'SESSION AUTHORIZATION'])} {self.random.choice(ROLES)}")
        kind = self.random.random()
        if kind < 0.35:
            function = self.random.choice(self.functions)
            started = time.monotonic()
            statement = f"SELECT {self.call(function)}"
            if self.send(session, statement) is None:
                with lock:
                    answered.add(function["signature"])
                if function["trigger"]:
                    finding("a trigger function was called as a function", session, statement)
            if not self.values.large and time.monotonic() - started < 0.05 and not self.hurt and not any(w in statement for w in ("ledger_create", "ledger_upgrade", "pg_temp")):
                self.repeatable.append(statement.replace("\ue000", "{"))
        elif kind < 0.40:
            self.send(session, *self.copied())
        elif kind < 0.48:
            self.sequence(session, ["BEGIN", *self.random.choice(TRAPS)], "ROLLBACK", begins=False)
        elif kind < 0.52 and not self.hurt:
            self.alter(session)
        else:
            self.sequence(session, self.random.choice(SEQUENCES), self.random.choice(["COMMIT", "COMMIT", "ROLLBACK"]))
        self.send(session, "ROLLBACK")
        for reset in ("RESET SESSION AUTHORIZATION", "RESET ALL"):
            if self.send(session, reset):
                finding("a session that does not come back", session, reset)

    def sequence(self, session, statements, end, begins=True):
        number = f"{self.number}"
        if begins and (len(statements) > 1 or self.chance(0.5)):
            self.send(session, self.random.choice(BEGINS[:1] * 4 + BEGINS))
        for statement in statements:
            state = self.send(session, self.fill(statement.replace("%N", number)))
            if state and self.chance(0.5):
                break
        self.send(session, end)

    def alter(self, session):
        statements = self.fill(self.random.choice(ALTERATIONS)).split("; ")
        if statements[0].startswith("DROP EXTENSION"):
            self.remake_extension(session, statements)
            return
        for statement in statements:
            for _ in range(5):  # the other session may be in the way
                if self.send(session, statement, timed=True) not in ("55P03", "40P01", "57014"):
                    break
            if self.chance(0.5):
                self.send(self.other if session is not self.other else self.session, self.statement())

    def remake_extension(self, session, statements):
        """All of it or nothing: without the extension no trigger guards the tables."""
        again = """SELECT public.ledger_upgrade(n.nspname) FROM pg_catalog.pg_namespace n WHERE n.nspname <> 'hurt'
                   AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'idempotency_keys')"""
        for statement in ["BEGIN", *statements, again, "COMMIT"]:
            if self.send(session, statement, timed=True):
                self.send(session, "ROLLBACK")
                return

    # --- rounds -----------------------------------------------------------------------------------

    def round(self, number):
        self.random = randomness(self.store, number)
        values = Values(self.random, self.types)
        if number:
            values.seen = self.values.seen
        self.values, self.repeatable, self.hurt, self.short = values, [], number % 3 == 2, False
        self.session, self.other = Session(self.database, f"{self.store} round {number}"), Session(self.database, f"{self.store} round {number}, second session")
        with lock:
            sessions.update([self.session, self.other])
        try:
            if self.hurt:
                self.damage()
            for _ in range(GROUPS_OF_A_ROUND):
                if seconds_left() < -5:
                    break
                self.group(self.session if self.chance(0.85) else self.other)
            if not self.hurt:
                self.repeat(self.session)
            self.settle(self.session)
        except Lost as lost:
            with lock:
                check(f"the backend lives\n     {self.session.name}: {lost}", True, False)
        finally:
            with lock:
                sessions.difference_update([self.session, self.other])
            self.session.close()
            self.other.close()
        with_closing(connected(self.database), self.look_after)
        with lock:
            figures.add("rounds")

    def damage(self):
        """A ledger that somebody has been at."""
        self.session.run("DROP SCHEMA IF EXISTS hurt CASCADE", True)
        with_closing(connected(self.database), lambda connection: self.create(connection, "hurt"))
        self.other.run("SELECT * FROM ledger_trial_balance('hurt')", True)  # a cache that will be stale
        self.session.run("SET session_replication_role = replica")
        for _ in range(self.random.choice([1, 1, 2, 4])):
            for statement in self.fill(self.random.choice(DAMAGES)).split("; "):
                self.send(self.session, statement, timed=True)
        self.session.run("RESET ALL")
        with lock:
            figures.add("damaged ledgers")

    def repeat(self, session):
        """The same calls again and again: after some rounds the backend has all that it needs."""
        def all_of_them(times):
            for _ in range(times):
                for statement in self.repeatable:
                    session.run("BEGIN")
                    session.run(statement, True)
                    session.run("ROLLBACK")
        times = min(30, 1 + int(200 / max(1, len(self.repeatable))))
        all_of_them(times if SLOW == 1 else 1)
        before, rss = memory(session)
        if SLOW > 1:
            return
        # What is kept for good once, or given back later, is no leak: a leak grows with every pass.
        for last in (False, False, False, True):
            all_of_them(times)
            after, rss_after = memory(session)
            with lock:
                figures.add("repeated calls", times * len(self.repeatable))
            grows = after[0] - before[0] > LEAK or rss_after - rss > 4 * LEAK
            if not grows:
                break
            if not last:
                before, rss = after, rss_after
        if grows:
            finding(f"memory grows: contexts {before[0]} -> {after[0]}, RSS {rss} -> {rss_after} bytes: {set(after[1]) - set(before[1])}", session, "\n     ".join(self.repeatable))

    def settle(self, session):
        for (gid,) in [tuple(row.values()) for row in session.run("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")[0]]:
            session.run(f"ROLLBACK PREPARED {quoted(gid)}")
        locks = session.run("""SELECT locktype, relation::regclass::text, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid' AND mode <> 'SIReadLock' AND relation IS DISTINCT FROM 'pg_locks'::regclass""")[0]
        if locks:
            finding(f"locks are left: {locks}", session, "")

    def look_after(self, connection):
        """Nothing that was done has broken a ledger that nobody has damaged; mends what was altered on purpose."""
        for ledger in LEDGERS:
            there = rows(connection, "SELECT 1 FROM pg_namespace WHERE nspname = %s", ledger)
            if not there:
                self.create(connection, ledger)
            found = rows(connection, "SELECT * FROM ledger_verify(%s)", ledger) + rows(connection, "SELECT * FROM ledger_verify_seal(ledger => %s)", ledger)
            with lock:
                figures.add("verifications")
                check(f"{self.session.name}: ledger {ledger} verifies", [], found[:5])
            if found or value(connection, f"SELECT count(*) > 20000 FROM {identifier(ledger)}.entries") or self.chance(0.05):
                rows(connection, f"DROP SCHEMA {identifier(ledger)} CASCADE")
                self.create(connection, ledger)

    def work(self):
        number = 0
        while number == 0 or seconds_left() > 0:
            self.round(number)
            number += 1


def connected(database):
    """A session; waits for the server if a crash has made it start anew."""
    until = time.monotonic() + TIMEOUT + 60
    while True:
        try:
            return server.connect(database)
        except psycopg2.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def with_closing(connection, work):
    try:
        return work(connection)
    finally:
        connection.close()


def memory(session):
    """(bytes and names of the backend's memory contexts, its anonymous memory)"""
    contexts = session.run("SELECT sum(total_bytes)::bigint AS bytes, array_agg(name || ' ' || coalesce(ident, '') || ' ' || total_bytes) AS names FROM pg_backend_memory_contexts")[0][0]
    with open(f"/proc/{session.pid}/status", encoding="utf-8") as file:
        anonymous = next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))
    return (contexts["bytes"], contexts["names"]), anonymous


def read_functions(connection):
    """Whatever the extension has: functions, aggregates, trigger functions."""
    return [dict(zip(("signature", "name", "names", "types", "defaults", "variadic", "set", "trigger"), row)) for row in rows(connection, """
        SELECT p.oid::regprocedure::text, quote_ident(n.nspname) || '.' || quote_ident(p.proname),
               (SELECT coalesce(array_agg(coalesce(p.proargnames[i.at], '') ORDER BY i.at), '{}') FROM generate_series(1, cardinality(coalesce(p.proallargtypes, p.proargtypes::oid[]))) AS i(at)
                 WHERE coalesce(p.proargmodes[i.at], 'i') IN ('i', 'b', 'v')),
               (SELECT coalesce(array_agg(format_type(t, NULL) ORDER BY i), '{}') FROM unnest(p.proargtypes) WITH ORDINALITY AS u(t, i)),
               p.pronargdefaults, p.provariadic <> 0, p.proretset, p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
          FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_extension e ON e.oid = d.refobjid
         WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'ledgerflow'
         ORDER BY p.proname, pg_get_function_identity_arguments(p.oid)""")]


def read_types(connection):
    """Row types that arguments may have, with the names and types of their fields."""
    types = {}
    for name, field, kind in rows(connection, """SELECT format_type(t.oid, NULL), a.attname, format_type(a.atttypid, NULL) FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace = 'public'::regnamespace ORDER BY 1, a.attnum"""):
        types.setdefault(name, []).append((field, kind))
    return types


sessions = set()
over = threading.Event()


def watch():
    """A call that does not even heed its statement_timeout: its thread would wait for ever."""
    while not over.wait(1):
        with lock:
            stuck = [s for s in sessions if s.sent and time.monotonic() - s.sent > 3 * TIMEOUT + 30]
        for session in stuck:
            finding("no answer, not to its timeout either", session, session.statement)
            os.kill(session.pid, 9)
            session.sent = None


for role in ROLES:
    server.sql(f"CREATE ROLE {role}")
callers = [Caller(store) for store in STORES]
threading.Thread(target=watch, daemon=True).start()


def guarded(caller):
    try:
        caller.work()
    except Exception as error:  # pylint: disable=broad-except
        with lock:
            check(f"the thread of {caller.store} goes on", None, repr(error))
        raise


threads = [threading.Thread(target=guarded, args=(caller,)) for caller in callers]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
over.set()

log = server.log.read_text(encoding="utf-8", errors="replace")
check("no backend crashed", [], server.backend_crashes())
leaks = [line for line in log.splitlines() if "WARNING:" in line and any(sign in line for sign in (" leak", "SPI stack", "still active", "problem in", "past chunk", "don't own"))]
check("nothing is left open at the end of a transaction", [], leaks[:10])
functions = {f["signature"] for f in callers[0].functions}
figures.add("functions", len(functions))
figures.add("functions called", len(functions & called))
figures.add("functions that answered", len(functions & answered))
for kind, members in (("errors of ours", lambda s: s.startswith("LF")), ("errors of PostgreSQL's", lambda s: not s.startswith(("LF", "XX", "client"))), ("internal errors", lambda s: s.startswith("XX"))):
    figures.add(kind, sum(count for state, count in errors.items() if members(state)))
figures.add("warnings of leaks", len(leaks))
figures.add("crashes", len(server.backend_crashes()))
print(" ".join(f"{state}:{count}" for state, count in sorted(errors.items())))
if SLOW == 1:
    check("every function was called", set(), functions - called)
finish(f"{NAME}: no crash, no internal error, no leak (seed {SEED})")
