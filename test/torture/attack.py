#!/usr/bin/python3
"""Roles of every level try everything that they should not, and what an owner of a ledger could do to those who use it.

The core is a matrix: every function of the extension, every relation and column of a ledger, by every role, held
against the levels of docs/operations.md. Functions come from the catalog: one that EXPECTED does not know fails the
test. Nothing may change, and no message may tell what its reader may not read. Then come look-alikes and traps,
hostile names, planted objects; and random attempts for the rest of the time.
"""

import re
from pathlib import Path

from harness import (Server, SECONDS, check, figures, finish, psycopg2, randomness, rows, seconds_left, sqlstate, value,
                     verified)

LEVELS = ("nobody", "reader", "poster", "operator", "admin", "owner")
# Role: its level on the ledger `vault`. Those of level nobody differ in what else they have.
ROLES = {
    "stranger": "nobody", "visitor": "nobody", "clerk": "nobody", "terminal": "nobody", "rival": "nobody",
    "maker": "nobody", "heir": "nobody", "reader": "reader", "poster": "poster", "operator": "operator",
    "admin": "admin", "keeper": "owner"}
POSTS_ALL_THE_SAME = "terminal"  # INSERT on transactions alone: posts, and may read nothing

# The level that a function takes: docs/operations.md. "anyone": no ledger, or no rights on one, is needed.
EXPECTED = {
    "reader": """ledger_balance ledger_available ledger_balance_at ledger_trial_balance ledger_statement ledger_chart
        ledger_find_transactions ledger_rollup ledger_balances_by_type ledger_balances_by_metadata ledger_balance_sheet
        ledger_income_statement ledger_movements ledger_compare ledger_export ledger_verify ledger_health
        ledger_verify_seal ledger_prove ledger_to_minor ledger_from_minor""",
    "poster": """ledger_post post_transfer ledger_post_batch ledger_hold ledger_capture ledger_release ledger_raise_hold
        ledger_reverse ledger_import""",
    "operator": """ledger_open_account ledger_set_limits ledger_freeze_account ledger_unfreeze_account
        ledger_close_account ledger_reopen_account ledger_close_period ledger_reopen_period ledger_maintain
        ledger_verify_incremental ledger_seal""",
    "admin": "ledger_grant ledger_revoke ledger_rebuild_balances ledger_rebuild_effective",
    "owner": "ledger_upgrade",
    "anyone": "ledger_errors ledger_new_id ledger_debit ledger_credit ledger_is_raw_write",
    "database": "ledger_create",  # CREATE on the database, which none of the roles has
    "trigger": """enforce_double_entry adjust_account_balance ledger_guard ledger_guard_transaction
        ledger_guard_account ledger_post_rows""",
}
LEVEL_OF = {name: level for level, names in EXPECTED.items() for name in names.split()}

# What ledger_grant gives: level, privilege, relation, columns (docs/operations.md). SELECT is on everything.
GRANTS = [("poster", "INSERT", "transactions", None), ("poster", "INSERT", "postings", None),
          ("operator", "INSERT", "accounts", None), ("operator", "UPDATE", "accounts", ("name", "metadata")),
          ("operator", "UPDATE", "account_balances", None), ("operator", "DELETE", "idempotency_keys", None)]
GRANTS += [("admin", privilege, table, None)
           for table in ("currencies", "account_types") for privilege in ("INSERT", "UPDATE", "DELETE")]
GRANTS += [("admin", "UPDATE", "settings", None)]

# Planted where the nobodies may not read. What they name in a call themselves is none of these.
SECRETS = re.compile(r"sekret|31337", re.IGNORECASE)
READS_NOTHING = ("stranger", "visitor", "terminal", "rival", "maker", "heir")

server = Server("server", "fsync=off", "max_prepared_transactions=20", "max_connections=60")


class Session:
    """A connection as a role; every message that comes back is looked at."""

    def __init__(self, database, role, options=""):
        self.role = role
        self.connection = server.connect(database, user=role, options=options)

    def attempt(self, statement, keep=False, rolls_back=True):
        """SQLSTATE or "done", and the message. What was allowed is rolled back, unless it is to be kept."""
        figures.add("attempts")
        if keep:
            rolls_back = False
        try:
            with self.connection.cursor() as cursor:
                if rolls_back:
                    cursor.execute("BEGIN")
                cursor.execute(statement)
                if cursor.description:
                    cursor.fetchall()
                if rolls_back:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            state, text = "done", ""
        except psycopg2.Error as error:
            state = sqlstate(error) or "broken"
            names = ("message_primary", "message_detail", "message_hint", "context", "schema_name", "table_name",
                     "column_name", "constraint_name", "datatype_name", "internal_query", "statement_position")
            text = "\n".join(str(getattr(error.diag, name)) for name in names if getattr(error.diag, name, None))
            check(f"{self.role}: the session survives {statement[:200]}", 0, self.connection.closed)
        finally:
            if not self.connection.closed and self.connection.get_transaction_status() != psycopg2.extensions.TRANSACTION_STATUS_IDLE:
                with self.connection.cursor() as cursor:
                    cursor.execute("ROLLBACK")
        self.scan(statement, text)
        return state, text

    def scan(self, statement, text):
        told = text + "\n".join(self.connection.notices)
        del self.connection.notices[:]
        figures.add("messages scanned for secrets")
        if self.role in READS_NOTHING and (found := SECRETS.search(told)) and not SECRETS.search(statement):
            figures.add("leaks")
            check(f"{self.role} is told nothing by: {statement[:200]}", "no secret", told[max(found.start() - 80, 0):][:300])

    def expect(self, statement, wanted, what=None, **options):
        """`wanted`: SQLSTATEs, "done", or "allowed" for whatever is no lack of privileges."""
        state, text = self.attempt(statement, **options)
        wanted = (wanted,) if isinstance(wanted, str) else wanted
        figures.add("denied" if state == "42501" else "allowed as documented")
        is_right = state in wanted or ("allowed" in wanted and state not in ("42501", "broken") and not state.startswith("XX"))
        if not is_right:
            check(f"{self.role}: {what or statement[:240]}", wanted, f"{state} {text[:300]}")
        return state, text

    def close(self):
        self.connection.close()


def has(role, level):
    return LEVELS.index(ROLES[role]) >= LEVELS.index(level)


def digest(connection, schemas=("vault", "rivals")):
    """Everything in the ledgers and what the catalog says of them."""
    parts = []
    for (relation,) in rows(connection, """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                                            WHERE n.nspname = ANY (%s) AND c.relkind = 'r' ORDER BY 1""", list(schemas)):
        parts.append((relation, value(connection, f"SELECT md5(string_agg(r::text, chr(10) ORDER BY r::text)) FROM {relation} r")))
    parts.append(value(connection, """
        SELECT md5(string_agg(d, chr(10) ORDER BY d)) FROM (
            SELECT concat_ws(' ', c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relhasrules, pg_get_viewdef(c.oid)) FROM pg_class c
             WHERE c.relnamespace::regnamespace::text = ANY (%s)
            UNION ALL SELECT concat_ws(' ', a.attrelid::regclass, a.attname, a.attacl) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relnamespace::regnamespace::text = ANY (%s)
            UNION ALL SELECT concat_ws(' ', t.tgrelid::regclass, t.tgname, t.tgenabled) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             WHERE c.relnamespace::regnamespace::text = ANY (%s)
            UNION ALL SELECT concat_ws(' ', n.nspname, n.nspowner, n.nspacl) FROM pg_namespace n WHERE n.nspname = ANY (%s)
            UNION ALL SELECT concat_ws(' ', p.oid::regprocedure, p.prosrc, p.proacl, p.proowner, p.proconfig) FROM pg_proc p
             WHERE p.pronamespace::regnamespace::text = ANY (%s || '{public}'::text[])) x (d)""", *[list(schemas)] * 5))
    return parts


# ---------------------------------------------------------------------------------------------------------------------
# The books that are attacked

def build(database, store):
    server.sql(f"CREATE DATABASE {database} TEMPLATE planted")
    server.sql(f"ALTER DATABASE {database} SET ledgerflow.store = {store}")
    admin = server.connect(database)
    rows(admin, "CREATE EXTENSION ledgerflow")
    for role in ROLES:
        rows(admin, f"DO $$ BEGIN CREATE ROLE {role} LOGIN {'CREATEROLE' if role == 'maker' else ''}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    rows(admin, "DO $$ BEGIN CREATE ROLE bystander; EXCEPTION WHEN duplicate_object THEN NULL; END $$; ALTER ROLE heir NOINHERIT; GRANT poster TO heir")
    rows(admin, "CREATE SCHEMA lair; GRANT CREATE ON SCHEMA lair TO PUBLIC")
    rows(admin, f"GRANT CREATE ON DATABASE {database} TO keeper, rival")
    keeper = server.connect(database, user="keeper")
    rows(keeper, """
        SELECT ledger_create('vault');
        INSERT INTO vault.account_types (code, normal_side, min_balance) VALUES ('purse', 'credit', 0);
        SET ledgerflow.ledger = vault;
        SELECT ledger_open_account('plain:a', 'asset', 'USD', 'Sekret name', metadata => '{"note": "sekret metadata"}'),
               ledger_open_account('plain:b', 'purse', 'USD'), ledger_open_account('sekret:code', 'purse', 'USD'),
               ledger_open_account('sekret:euro', 'asset', 'EUR');
        SELECT ledger_post('plain:a', 'sekret:code', 31337.31, 'sekret key', 'sekret reference', 'sekret description', metadata => '{"pin": "sekret pin"}'),
               ledger_post('plain:a', 'plain:b', 31337.00, 'known key', 'known', metadata => '{"pin": "sekret pin"}'),
               ledger_post('plain:a', 'plain:b', 1, effective_at => now() - interval '3 days'),
               ledger_hold('sekret:code', 'plain:a', 31.31, 'sekret hold', metadata => '{"pin": "sekret pin"}'),
               ledger_hold('plain:a', 'sekret:code', 2), ledger_seal();
        SELECT ledger_freeze_account('sekret:code', 'both', 'sekret reason'), ledger_close_period('2001-01-01', 'sekret reason');
        SELECT ledger_grant(level::name, level) FROM unnest('{reader,poster,operator,admin}'::text[]) level;
        GRANT USAGE ON SCHEMA vault TO visitor, clerk, terminal;
        GRANT SELECT (code) ON vault.accounts TO clerk;
        GRANT INSERT ON vault.transactions TO terminal;
        RESET ledgerflow.ledger""")
    keeper.close()
    rival = server.connect(database, user="rival")
    rows(rival, """SELECT ledger_create('rivals'), ledger_open_account('plain:a', 'asset', 'USD', ledger => 'rivals'),
                          ledger_open_account('plain:b', 'equity', 'USD', ledger => 'rivals'), ledger_post('plain:a', 'plain:b', 5, ledger => 'rivals')""")
    rival.close()
    return admin


def arguments_of(admin):
    """An argument for every name and type that the functions have: of what is there, and of what is not."""
    ids = rows(admin, """SELECT (SELECT id FROM vault.transactions WHERE reference = 'known'), (SELECT id FROM vault.transactions WHERE reference = 'sekret reference'),
                                (SELECT id FROM vault.holds ORDER BY id LIMIT 1), (SELECT id FROM vault.accounts WHERE code = 'sekret:code'),
                                (SELECT id FROM vault.accounts WHERE code = 'plain:a')""")[0]
    known, secret, hold, secret_account, account = ids
    there = {
        ("transaction", "uuid"): f"'{secret}'", ("hold", "uuid"): f"'{hold}'", ("account", "text"): "'plain:a'", ("code", "text"): "'plain:new'",
        ("type", "text"): "'asset'", ("currency", "text"): "'USD'", ("debit", "text"): "'plain:a'", ("source", "text"): "'plain:a'",
        ("credit", "text"): "'plain:b'", ("destination", "text"): "'plain:b'", ("amount", "numeric"): "1", ("amount", "text"): "'1'",
        ("debit", "text[]"): "ARRAY['plain:b']", ("credit", "text[]"): "ARRAY['plain:a']", ("amount", "numeric[]"): "ARRAY[99999999]",
        ("debit", "bigint[]"): f"ARRAY[{secret_account}]", ("credit", "bigint[]"): f"ARRAY[{account}]",
        ("lines", "ledger_line[]"): "ARRAY[ledger_debit('plain:a', 1), ledger_credit('plain:b', 1)]", ("level", "text"): "'reader'",
        ("role", "name"): "'bystander'", ("through", "timestamptz"): "now() - interval '2 years'", ("at", "timestamptz"): "now()",
        ("from1", "timestamptz"): "'2001-01-01'", ("to1", "timestamptz"): "'2101-01-01'", ("from2", "timestamptz"): "'2001-01-01'",
        ("to2", "timestamptz"): "'2101-01-01'", ("key", "text"): "'note'", ("units", "numeric"): "100",
        ("journal", "text"): "E'2024-01-01 x\\n plain:a  1 USD\\n plain:b\\n'"}
    missing = dict(there)
    nil = "'01700000-0000-7000-8000-000000000001'"
    for key in missing:
        if key[1] == "uuid":
            missing[key] = nil
    missing.update({("account", "text"): "'no:such'", ("debit", "text"): "'no:such'", ("source", "text"): "'no:such'", ("debit", "text[]"): "ARRAY['no:such']",
                    ("debit", "bigint[]"): "ARRAY[999999]", ("currency", "text"): "'XYZ'", ("type", "text"): "'nosuch'",
                    ("lines", "ledger_line[]"): "ARRAY[ledger_debit('no:such', 1), ledger_credit('plain:b', 1)]",
                    ("journal", "text"): "E'2024-01-01 x\\n no:such  1 XYZ\\n no:other\\n'"})
    return there, missing


def functions_of(admin):
    found = rows(admin, """
        SELECT p.oid::regprocedure::text, p.proname::text, p.proargnames, p.pronargs, p.pronargdefaults,
               ARRAY(SELECT replace(format_type(t, NULL), 'timestamp with time zone', 'timestamptz') FROM unnest(p.proargtypes) WITH ORDINALITY u (t, n) ORDER BY n)
          FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ledgerflow' ORDER BY 1""")
    names = {row[1] for row in found}
    check("functions that this test does not know (give them a level in EXPECTED)", set(), names - set(LEVEL_OF))
    check("functions that are gone", set(), set(LEVEL_OF) - names)
    return [row for row in found if row[1] in LEVEL_OF]


def call_of(function, arguments, ledger="vault"):
    """A call with what has no default and, last, the ledger."""
    signature, name, names, count, defaults, types = function
    given = [(names or [""] * count)[i] for i in range(count)]
    parts = []
    for i, (argument, kind) in enumerate(zip(given, types)):
        if argument == "ledger":
            parts.append(f"'{ledger}'" if name == "ledger_create" else f"ledger => '{ledger}'")
        elif i < count - defaults:
            if (argument, kind) not in arguments:
                check(f"an argument for {argument} {kind} of {signature} (give it one in arguments_of)", True, False)
                return None
            parts.append(f"{chr(34)}{argument}{chr(34)} => CAST({arguments[argument, kind]} AS {kind})")
    return f"SELECT * FROM {name}({', '.join(parts)})"


def expected_of(role, name):
    """What comes of a call: a tuple of SQLSTATEs, or allowed."""
    level = LEVEL_OF[name]
    if level == "trigger":
        return ("42804", "39P01", "0A000")
    if level == "anyone":
        return ("done",)
    if level == "database":
        return ("LF021",) if role in ("keeper", "rival") else ("LF021", "42501")
    if level == "poster" and role == POSTS_ALL_THE_SAME:
        return ("allowed",)
    return ("allowed",) if has(role, level) else ("42501",)


# ---------------------------------------------------------------------------------------------------------------------
# The matrix

def attack_functions(database, admin, roles):
    functions = functions_of(admin)
    there, missing = arguments_of(admin)
    for role in roles:
        session = Session(database, role)
        for function in functions:
            name, wanted = function[1], expected_of(role, function[1])
            verdicts = []
            for arguments in (there, missing):
                if (call := call_of(function, arguments)) is None:
                    break
                verdicts.append(session.expect(call, wanted, keep=wanted == ("42501",)))
            # Whoever is refused learns nothing from how.
            if wanted == ("42501",) and len(verdicts) == 2:
                check(f"{role}: {name} refuses what is there as what is not", verdicts[0], verdicts[1])
        if not has(role, "operator"):
            session.expect(f"SELECT ledger_reverse({there['transaction', 'uuid']}, force => true, ledger => 'vault')", "42501", keep=True)
        session.close()
    # An operator opens accounts by import, only an admin adds currencies; a poster neither.
    for role, journal, wanted in (("poster", "assets:new  1 USD", "42501"), ("operator", "assets:new  1 NEW", "42501"),
                                  ("operator", "assets:new  1 USD", "allowed"), ("admin", "assets:new  1 NEW", "allowed")):
        Session(database, role).expect(f"SELECT ledger_import(E'2024-01-01 x\\n {journal}\\n assets:other\\n', ledger => 'vault')", wanted)


def may(role, privilege, relation, column=None):
    if role == POSTS_ALL_THE_SAME:
        return (privilege, relation) == ("INSERT", "transactions")
    if role == "clerk":
        return (privilege, relation, column) == ("SELECT", "accounts", "code")
    if has(role, "owner"):
        return True
    if privilege == "SELECT":
        return has(role, "reader")
    return any(has(role, level) for level, *what, columns in GRANTS
               if what == [privilege, relation] and (columns is None or column in columns))


def attack_relations(database, admin, roles):
    relations = rows(admin, """
        SELECT c.relname, c.relkind, ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
               ARRAY(SELECT format_type(a.atttypid, NULL) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
          FROM pg_class c WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind IN ('r', 'v', 'S', 'p', 'm', 'f') ORDER BY 1""")
    for role in roles:
        session = Session(database, role)

        def attempt(statement, is_allowed):
            session.expect(statement, "allowed" if is_allowed else "42501", keep=not is_allowed and not statement.startswith("LOCK"))

        for relation, kind, columns, types in relations:
            name = f"vault.{relation}"
            if kind == "S":
                for call in (f"nextval('{name}')", f"setval('{name}', 1000)", f"currval('{name}')"):
                    if not has(role, "owner"):
                        attempt(f"SELECT {call}", False)
                attempt(f"SELECT * FROM {name}", has(role, "owner"))
                continue
            if has(role, "owner"):
                continue
            reads = may(role, "SELECT", relation)
            attempt(f"SELECT * FROM {name}", reads)
            attempt(f"SELECT count(*) FROM {name}", reads or may(role, "SELECT", relation, "code"))
            attempt(f"SELECT ctid, xmin, tableoid FROM {name}" if kind == "r" else f"SELECT {relation} FROM {name}", reads)
            attempt(f"COPY (SELECT * FROM {name}) TO '/dev/null'", False)
            attempt(f"EXPLAIN SELECT * FROM {name}", reads)
            attempt(f"CREATE TEMP TABLE stolen AS TABLE {name}", reads)
            # To who may not enter the schema all columns are alike. What a view cannot do is said first at times.
            for column in columns if role not in ("stranger", "rival", "maker", "heir") else columns[:1]:
                attempt(f"SELECT {column} FROM {name}", may(role, "SELECT", relation, column))
                if kind == "r":
                    attempt(f"UPDATE {name} SET {column} = DEFAULT", may(role, "UPDATE", relation, column))
            if kind == "v" and relation != "postings":
                session.expect(f"INSERT INTO {name} DEFAULT VALUES", ("42501", "55000"), keep=True)
            else:
                attempt(f"INSERT INTO {name} DEFAULT VALUES", may(role, "INSERT", relation))
            for statement in (f"DELETE FROM {name}", f"EXPLAIN DELETE FROM {name}", f"UPDATE {name} SET {columns[0]} = NULL") if kind == "v" else ():
                session.expect(statement, ("42501", "55000"), keep=True)
            if kind == "r":
                attempt(f"DELETE FROM {name}", may(role, "DELETE", relation))
                attempt(f"EXPLAIN DELETE FROM {name}", may(role, "DELETE", relation))
            for statement in (f"DROP {'TABLE' if kind == 'r' else 'VIEW'} {name} CASCADE", f"ALTER TABLE {name} OWNER TO CURRENT_USER",
                              f"ALTER TABLE {name} RENAME TO mine", f"COMMENT ON {'TABLE' if kind == 'r' else 'VIEW'} {name} IS ''",
                              f"CREATE RULE mine AS ON INSERT TO {name} DO INSTEAD NOTHING",
                              f"CREATE TRIGGER mine BEFORE INSERT ON {name} FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard()"):
                attempt(statement, False)
            if kind != "r":
                attempt(f"CREATE OR REPLACE VIEW {name} AS SELECT 1 AS one", False)
                attempt(f"ALTER VIEW {name} SET (security_barrier)", False)
                continue
            for statement in (f"TRUNCATE {name}", f"CREATE TABLE lair.t (x {types[0]} REFERENCES {name} ({columns[0]}))",
                              f"ALTER TABLE {name} DISABLE TRIGGER ALL", f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY", f"CREATE INDEX ON {name} (({columns[0]}::text))",
                              f"CREATE POLICY mine ON {name} USING (true)", f"ALTER TABLE {name} ADD mine int", f"CREATE STATISTICS mine ON {columns[0]}, {columns[1]} FROM {name}",
                              f"CREATE TABLE pg_temp.kid () INHERITS ({name})", f"CLUSTER {name}", f"REINDEX TABLE {name}", f"COPY {name} FROM '/dev/null'", f"COPY {name} TO '/dev/null'"):
                attempt(statement, False)
            writes = any(may(role, privilege, relation) for privilege in ("UPDATE", "DELETE"))
            attempt(f"LOCK TABLE {name} IN ACCESS SHARE MODE", reads or writes)
            attempt(f"LOCK TABLE {name} IN ROW EXCLUSIVE MODE", writes or may(role, "INSERT", relation))
            attempt(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE", writes)
            with session.connection.cursor() as cursor:
                for way, is_allowed in (("TO STDOUT", reads), ("FROM STDIN", may(role, "INSERT", relation))):
                    try:
                        figures.add("attempts")
                        with open("/dev/null", "r+", encoding="utf-8") as nothing:
                            cursor.copy_expert(f"COPY {name} {way}", nothing)
                        found = True
                    except psycopg2.Error as error:
                        session.scan(f"COPY {name} {way}", str(error))
                        found = sqlstate(error) != "42501"
                    figures.add("allowed as documented" if found else "denied")
                    check(f"{role}: COPY {name} {way}", is_allowed, found)
        if not has(role, "owner"):
            for statement in ("CREATE TABLE vault.mine ()", "CREATE FUNCTION vault.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP SCHEMA vault CASCADE",
                              "ALTER SCHEMA vault RENAME TO mine", "ALTER SCHEMA vault OWNER TO CURRENT_USER", "ALTER FUNCTION ledger_balance(text, name) SECURITY DEFINER",
                              "ALTER FUNCTION ledger_balance(text, name) OWNER TO CURRENT_USER", "ALTER FUNCTION ledger_balance(text, name) SET search_path = mine",
                              "CREATE OR REPLACE FUNCTION ledger_new_id() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'",
                              "DROP EXTENSION ledgerflow CASCADE", "ALTER EXTENSION ledgerflow DROP FUNCTION ledger_new_id()", "ALTER EXTENSION ledgerflow UPDATE",
                              "SET session_replication_role = replica", "SET ROLE keeper", "SET SESSION AUTHORIZATION keeper", "ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT ALL ON TABLES TO PUBLIC",
                              "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION mine()", "REASSIGN OWNED BY keeper TO CURRENT_USER", "DROP OWNED BY keeper",
                              "CREATE PUBLICATION mine FOR ALL TABLES", "LOAD 'ledgerflow_other'",
                              "CREATE FUNCTION pg_temp.forged() RETURNS uuid LANGUAGE c AS '$libdir/ledgerflow', 'ledgerflow_post_transfer'"):
                session.expect(statement, ("42501", "58P01", "42809"), keep=True)
            grants = "42501" if ROLES[role] == "nobody" else ("42501", "done")  # a GRANT that grants nothing is a warning
            if not has(role, "admin"):
                session.expect("GRANT ALL ON vault.entries TO PUBLIC", grants, keep=True)
        session.close()


# ---------------------------------------------------------------------------------------------------------------------
# Look-alikes and traps

def attack_warm_session(database):
    """Privileges are checked anew with every call, whatever the session remembers."""
    connection = server.connect(database)
    try:
        rows(connection, "SET SESSION AUTHORIZATION keeper; SET ledgerflow.ledger = vault")
        rows(connection, "SELECT ledger_balance('plain:a'), ledger_balance('plain:b'), ledger_post('plain:a', 'plain:b', 1, 'warm')")
        rows(connection, "PREPARE warm AS SELECT ledger_balance('plain:a'); EXECUTE warm")
        rows(connection, """CREATE FUNCTION pg_temp.cached() RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RETURN ledger_balance('plain:a', 'vault'); END $$;
                            SELECT pg_temp.cached(); GRANT EXECUTE ON FUNCTION pg_temp.cached() TO PUBLIC""")
        for role in ("stranger", "visitor", "clerk", "rival", "heir"):
            rows(connection, f"SET SESSION AUTHORIZATION {role}")
            for statement in ("SELECT ledger_balance('plain:a')", "SELECT ledger_balance('no:such')", "SELECT ledger_post('plain:a', 'plain:b', 1, 'warm')",
                              "SELECT ledger_chart('no:such')", "SELECT ledger_statement('plain:a')", "EXECUTE warm", "SELECT ledger_capture(ledger_new_id())",
                              "SELECT pg_temp.cached()"):
                state = state_of(connection, statement)
                figures.add("attempts")
                figures.add("denied")
                check(f"{role} in the warm session of the owner: {statement}", "42501", state)
            rows(connection, "RESET SESSION AUTHORIZATION")
            rows(connection, "SET SESSION AUTHORIZATION keeper")
        # Membership that is not inherited is used by SET ROLE, and lost by RESET ROLE.
        rows(connection, "RESET SESSION AUTHORIZATION")
        rows(connection, "SET SESSION AUTHORIZATION heir")
        check("heir as poster", "done", state_of(connection, "SET ROLE poster; SELECT ledger_balance('plain:a')"))
        check("heir as himself again", "42501", state_of(connection, "RESET ROLE; SELECT ledger_balance('plain:a')"))
        # A cursor that one role has opened calls for the role that fetches.
        rows(connection, "RESET SESSION AUTHORIZATION; BEGIN; SET LOCAL ROLE keeper; DECLARE held CURSOR FOR SELECT ledger_balance('plain:a') FROM generate_series(1, 3); FETCH held")
        check("a cursor of the owner's, fetched by a stranger", "42501", state_of(connection, "SET LOCAL ROLE stranger; FETCH held"))
        rows(connection, "ROLLBACK; SET SESSION AUTHORIZATION heir")
        # A grant that is taken back takes effect at once, within a transaction too.
        rows(connection, "RESET SESSION AUTHORIZATION; SET SESSION AUTHORIZATION poster")
        rows(connection, "BEGIN; SELECT ledger_post('plain:a', 'plain:b', 1)")
        server.sql("SELECT ledger_revoke('poster', 'vault')", database=database)
        check("poster in a transaction, after ledger_revoke", "42501", state_of(connection, "SELECT ledger_post('plain:a', 'plain:b', 1)"))
        rows(connection, "ROLLBACK")
        check("poster after ledger_revoke", "42501", state_of(connection, "SELECT ledger_balance('plain:a')"))
        server.sql("SELECT ledger_grant('poster', 'poster', 'vault')", database=database)
        check("poster after ledger_grant", "done", state_of(connection, "SELECT ledger_balance('plain:a')"))
    finally:
        connection.close()


def state_of(connection, statement):
    try:
        rows(connection, statement)
        return "done"
    except psycopg2.Error as error:
        return sqlstate(error)


def attack_wrappers(database):
    """SECURITY DEFINER functions and views of a poster's work as that poster, and only that."""
    poster = server.connect(database)
    rows(poster, """CREATE SCHEMA IF NOT EXISTS wraps AUTHORIZATION poster; GRANT USAGE ON SCHEMA wraps TO PUBLIC; SET SESSION AUTHORIZATION poster;
        CREATE FUNCTION wraps.pay(amount numeric) RETURNS uuid LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$ SELECT ledger_post('plain:a', 'plain:b', amount, ledger => 'vault') $$;
        CREATE FUNCTION wraps.freeze() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$ SELECT ledger_freeze_account('plain:b', ledger => 'vault') $$;
        CREATE VIEW wraps.mine WITH (security_barrier) AS SELECT account, balance FROM vault.balances WHERE account = 'plain:b';
        CREATE VIEW wraps.theirs WITH (security_invoker) AS SELECT * FROM vault.balances;
        GRANT SELECT ON wraps.mine, wraps.theirs TO PUBLIC;
        CREATE TABLE wraps.bait (id int DEFAULT 1, paid uuid DEFAULT ledger_post('plain:a', 'plain:b', 1, ledger => 'vault')); GRANT INSERT ON wraps.bait TO PUBLIC;
        CREATE FUNCTION wraps.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'leaked %', $1; RETURN true; END $$""")
    session = Session(database, "stranger")
    session.expect("SELECT wraps.pay(1)", "done", "a poster's wrapper posts")
    session.expect("SELECT wraps.freeze()", "42501", "and does no more than its owner may", keep=True)
    session.expect("SELECT * FROM wraps.theirs", "42501", "a security_invoker view", keep=True)
    session.expect("INSERT INTO wraps.bait (id) VALUES (2)", "42501", "a default is the caller's own call", keep=True)
    with session.connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM wraps.mine WHERE wraps.leak(account)")
    check("a security_barrier view shows a stranger's function its rows only", ["NOTICE:  leaked plain:b\n"], session.connection.notices)
    session.close()
    rows(poster, "RESET SESSION AUTHORIZATION; DROP SCHEMA wraps CASCADE")
    poster.close()


TRAP = """
    CREATE FUNCTION {s}.evil(tag text) RETURNS void LANGUAGE plpgsql AS $f$ BEGIN RAISE NOTICE 'evil % as %', tag, current_user; END $f$;
    CREATE FUNCTION {s}.evil_constant(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN RAISE NOTICE 'evil index as %', current_user; RETURN 1; END $f$;
    CREATE FUNCTION {s}.evil_trigger() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM {s}.evil('trigger'); PERFORM set_config('search_path', '{s}', false); RETURN coalesce(NEW, OLD); END $f$;
    CREATE FUNCTION {s}.evil_deferred() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM {s}.evil('deferred trigger'); RETURN NULL; END $f$;
    CREATE FUNCTION {s}.evil_check(x numeric) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN PERFORM {s}.evil('check'); RETURN true; END $f$;
    GRANT USAGE ON SCHEMA {s} TO PUBLIC;
"""
# What the owner of a ledger can put in the way, one at a time.
TRAPS = {
    "views": """ALTER VIEW {l}.trial_balance RENAME TO real_trial_balance;
                CREATE VIEW {l}.trial_balance AS SELECT x.* FROM {l}.real_trial_balance x, {s}.evil('view');
                CREATE OR REPLACE FUNCTION {l}.standing_at(id bigint, at timestamptz, next_id uuid, OUT version bigint, OUT last_transaction_id uuid, OUT status text, OUT debits_posted numeric,
                    OUT credits_posted numeric, OUT debits_pending numeric, OUT credits_pending numeric, OUT min_balance numeric, OUT max_balance numeric, OUT was_there boolean)
                    LANGUAGE plpgsql AS $f$ BEGIN PERFORM {s}.evil('function'); debits_posted := 1; credits_posted := 1; debits_pending := 1; credits_pending := 1; END $f$""",
    "indexes": "CREATE INDEX ON {l}.{t} ({s}.evil_constant(1)); ANALYZE {l}.{t}",
    "checks": "ALTER TABLE {l}.account_balances ADD CHECK ({s}.evil_check(debits_posted)), ADD CHECK ({s}.evil_constant(2) = 1); ALTER TABLE {l}.transactions ADD CHECK ({s}.evil_check(1))",
    "triggers": """CREATE TRIGGER zz_evil BEFORE INSERT OR UPDATE OR DELETE ON {l}.{t} FOR EACH ROW EXECUTE FUNCTION {s}.evil_trigger()""",
    "deferred": """CREATE CONSTRAINT TRIGGER zz_evil AFTER INSERT OR UPDATE OR DELETE ON {l}.{t} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.evil_deferred()""",
    "policies": "ALTER TABLE {l}.{t} ENABLE ROW LEVEL SECURITY; ALTER TABLE {l}.{t} FORCE ROW LEVEL SECURITY; CREATE POLICY evil ON {l}.{t} USING ({s}.evil_check(1))",
    "operators": """CREATE FUNCTION {l}.evil_times(numeric, integer) RETURNS numeric LANGUAGE plpgsql AS $f$ BEGIN PERFORM {s}.evil('operator'); RETURN 0; END $f$;
                    CREATE OPERATOR {l}.* (LEFTARG = numeric, RIGHTARG = integer, FUNCTION = {l}.evil_times);
                    DROP VIEW {l}.balances CASCADE; DROP FUNCTION {l}.open_holds_at(timestamptz, uuid) CASCADE""",
    "defaults": "ALTER TABLE {l}.entries ADD evil int DEFAULT {s}.evil_constant(3); ALTER TABLE {l}.account_history ALTER client_address SET DEFAULT CASE WHEN {s}.evil_check(1) THEN NULL::inet END",
}


def attack_superuser(database, admin, traps):
    """A superuser calls every function on a ledger of somebody's who has waited for that."""
    functions = functions_of(admin)
    there, _ = arguments_of(admin)
    for trap in traps:
        rows(admin, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS trap CASCADE; DROP SCHEMA IF EXISTS traps CASCADE; RESET client_min_messages")
        rival = server.connect(database, user="rival")
        rows(rival, """CREATE SCHEMA traps; SELECT ledger_create('trap'); SELECT ledger_open_account('plain:a', 'asset', 'USD', ledger => 'trap'), ledger_open_account('plain:b', 'equity', 'USD', ledger => 'trap'),
                       ledger_post('plain:a', 'plain:b', 5, 'k', ledger => 'trap'), ledger_hold('plain:a', 'plain:b', 5, expires_in => '1 ms', ledger => 'trap'), ledger_seal('trap')""")
        rows(rival, TRAP.format(s="traps"))
        tables = ["accounts", "account_balances", "transactions", "entries", "idempotency_keys", "holds", "hold_lines", "settings", "account_history", "currencies", "seals", "verifications"]
        for table in tables if "{t}" in TRAPS[trap] else [""]:
            rows(rival, TRAPS[trap].format(s="traps", l="trap", t=table))
        rival.close()
        ids = dict(there)
        ids["transaction", "uuid"] = f"'{value(admin, 'SELECT id FROM trap.transactions LIMIT 1')}'"
        ids["hold", "uuid"] = f"'{value(admin, 'SELECT id FROM trap.holds LIMIT 1')}'"
        with_as_of = ["SET ledgerflow.as_of = '2100-01-01'", "SELECT ledger_available('plain:a', 'trap')", "SELECT ledger_trial_balance('trap')", "RESET ledgerflow.as_of"]
        calls = [call_of(function, ids, "trap") for function in functions if LEVEL_OF[function[1]] not in ("trigger", "database")]
        # With the search_path at its worst, in a session that has seen nothing yet.
        victim = server.connect(database, options="-c search_path=trap,traps,public,pg_catalog")
        reached = 0
        for call in calls + with_as_of:
            figures.add("calls of a superuser on an attacker's ledger")
            state = state_of(victim, call)
            check(f"superuser, {trap}: {call} neither breaks nor", False, state is None or victim.closed != 0)
            reached += sum("evil" in notice for notice in victim.notices)
            as_superuser = {notice.strip() for notice in victim.notices if "evil" in notice and "as postgres" in notice}
            del victim.notices[:]
            if as_superuser:
                figures.add("holes")
            check(f"superuser, {trap}: {call} runs the owner's code as its owner only", set(), as_superuser)
            check(f"superuser, {trap}: {call} leaves settings as they were", "trap,traps,public,pg_catalog",
                  value(victim, "SHOW search_path").replace(" ", ""))
            check(f"superuser, {trap}: {call} leaves the user as it was", [("postgres", "postgres")], rows(victim, "SELECT current_user, session_user"))
        victim.close()
        if trap not in ("defaults", "operators", "policies"):
            figures.add("traps that were stepped on as their owner", reached)
        check(f"{trap}: objects of a superuser's in the ledger", [], rows(admin, "SELECT relname FROM pg_class WHERE relnamespace = 'trap'::regnamespace AND relowner = 10"))
        check(f"{trap}: functions of a superuser's in the ledger", [], rows(admin, "SELECT proname FROM pg_proc WHERE pronamespace = 'trap'::regnamespace AND proowner = 10"))
    rows(admin, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS trap CASCADE; DROP SCHEMA IF EXISTS traps CASCADE; RESET client_min_messages")


# Every operator of the server on types that a ledger uses, and a function for every one that its statements might call
# without saying where it is from; whoever runs one of them says so.
PLANT = """
DO $plant$
DECLARE
    types text[] := '{text,bigint,integer,smallint,uuid,numeric,jsonb,timestamptz,name,oid,boolean,xid8,interval}';
    operator text;
    item record;
BEGIN
    CREATE SCHEMA evil;
    FOR item IN SELECT l.t AS l, r.t AS r FROM unnest(types) l (t), unnest(types) r (t) LOOP
        EXECUTE format('CREATE FUNCTION evil.operate(a %s, b %s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''evil operator'' USING ERRCODE = ''EVIL1''; END $f$', item.l, item.r);
        FOREACH operator IN ARRAY '{=,<>,<,>,<=,>=,+,-,*,/,||,->>,->,@>,^@}'::text[] LOOP
            EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.operate)', operator, item.l, item.r);
        END LOOP;
    END LOOP;
    FOR item IN SELECT DISTINCT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments FROM pg_proc p
                 WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a', 'w') AND p.pronargs <= 3 AND p.provariadic = 0
                   AND p.proname ~ '^(now|clock_timestamp|statement_timestamp|unnest|sum|count|max|min|abs|sign|round|format|length|octet_length|left|right|replace|substr|lower|upper|coalesce|concat|string_agg|array_agg|bool_and|bool_or|lpad|to_hex|extract|date_part|date_trunc|timezone|jsonb_.*|pg_current_.*|pg_snapshot_.*|text|numeric|int8|generate_series|row_number|lag|lead|first_value|split_part|encode|decode|txid_.*|current_setting|set_config|cardinality|array_position|array_to_string|string_to_array|starts_with|repeat|greatest|least|nullif|inet_client_addr|quote_.*|has_.*_privilege|pg_get_.*|obj_description|width_bucket)$'
                   AND pg_get_function_identity_arguments(p.oid) !~ 'VARIADIC|internal|cstring|anyrange|anymultirange|"any"|ORDER BY' LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''evil %I'' USING ERRCODE = ''EVIL1''; END $f$', item.proname, item.arguments, item.proname);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    CREATE TYPE evil.ledger_line AS (account int, amount text);
    CREATE DOMAIN evil.uuid AS int; CREATE DOMAIN evil.jsonb AS int; CREATE DOMAIN evil.text AS int; CREATE DOMAIN evil.numeric AS int; CREATE DOMAIN evil.timestamptz AS int;
    CREATE TABLE evil.accounts (); CREATE TABLE evil.entries (); CREATE TABLE evil.transactions (); CREATE TABLE evil.settings (); CREATE VIEW evil.as_of AS SELECT 1;
    GRANT USAGE ON SCHEMA evil TO PUBLIC;
END $plant$"""


def attack_search_path(database, admin):
    """Whatever lies on the search_path, before pg_catalog: the same results as without."""
    functions = functions_of(admin)
    there, _ = arguments_of(admin)
    calls = [call_of(function, there) for function in functions if LEVEL_OF[function[1]] not in ("trigger", "anyone", "database")]
    for role in ("keeper", "operator"):
        plain, poisoned = server.connect(database, user=role), server.connect(database, user=role)
        rows(poisoned, """CREATE TEMP TABLE accounts (); CREATE TEMP TABLE entries (); CREATE TEMP TABLE settings (); CREATE TEMP TABLE transactions (); CREATE TEMP TABLE account_balances ();
                          SET search_path = pg_temp, evil, pg_catalog, public""")
        check("the trap is set", ("EVIL1", "EVIL1"), (state_of(poisoned, "SELECT 1 = 1"), state_of(poisoned, "SELECT now()")))
        for call in calls:
            verdicts = []
            for connection in (plain, poisoned):
                rows(connection, "BEGIN")
                call_there = re.sub(r"CAST\((.*?) AS (numeric|text|uuid|timestamptz|ledger_line\[\]|numeric\[\]|text\[\])\)", r"CAST(\1 AS pg_catalog.\2)", call)
                call_there = call_there.replace("pg_catalog.ledger_line", "public.ledger_line").replace("now() - interval '2 years'", "'2001-01-02'").replace("now()", "pg_catalog.now()")
                verdicts.append(state_of(connection, call_there))
                rows(connection, "ROLLBACK")
            figures.add("calls with a hostile search_path")
            check(f"{role}, hostile search_path: {call}", verdicts[0], verdicts[1])
        plain.close()
        poisoned.close()


HOSTILE = ["'", '"', "'; DROP TABLE canary; --", '"; DROP TABLE canary; --', "\\'; DROP TABLE canary; --", "%s%n%1$s", "$1", "{ledger}", "{filters}", "{limit}", "@extschema@",
           "$user", "a\nb", "a\tb", "ä€𝄞", "x" * 63, "ä" * 31, "public x", "pg", "E'\\\\'", "$$", "--", "/*", "a.b", "a,b", ";", " ", "select", "user", "NULL", "\\", "%"]


def attack_with_values(database, admin, chooser, count):
    """Names and texts that would be statements if they were taken for such."""
    rows(admin, "CREATE TABLE IF NOT EXISTS canary ()")
    functions = functions_of(admin)
    there, _ = arguments_of(admin)
    calls = [call_of(function, there) for function in functions if LEVEL_OF[function[1]] not in ("trigger", "anyone", "database")]
    for text in chooser.sample(HOSTILE, min(count, len(HOSTILE))):
        figures.add("hostile values", 1)
        quoted = '"' + text.replace('"', '""') + '"'
        connection = server.connect(database, autocommit=False)
        try:
            try:
                rows(connection, "SELECT ledger_create(%s)", text)
                rows(connection, f"CREATE ROLE {quoted}")
                rows(connection, "SELECT ledger_grant(%s, 'admin', %s), ledger_open_account('a', 'asset', 'USD', %s, metadata => jsonb_build_object(%s, %s), ledger => %s), ledger_open_account('b', 'equity', 'USD', ledger => %s)",
                     text, text, text, text, text, text, text)
                rows(connection, f"SET LOCAL ROLE {quoted}")
                posted = value(connection, "SELECT ledger_post('a', 'b', 1, %s, %s, %s, metadata => jsonb_build_object(%s, %s), ledger => %s)", text, text, text, text, text, text)
                check(f"{text!r} is replayed", posted, value(connection, "SELECT ledger_post('a', 'b', 1, %s, %s, %s, metadata => jsonb_build_object(%s, %s), ledger => %s)", text, text, text, text, text, text))
                found = rows(connection, """SELECT transaction_id, description FROM ledger_find_transactions(reference => %s, reference_prefix => %s, created_by => %s, metadata => jsonb_build_object(%s, %s), ledger => %s)""",
                             text, text, text, text, text, text)
                check(f"{text!r} is found", [(posted, text)], found)
                check(f"{text!r} finds nothing elsewhere", [], rows(connection, "SELECT * FROM ledger_find_transactions(type => %s, account => 'a', ledger => %s)", text, text))
                for format_name in ("hledger", "ledger", "beancount", "csv"):
                    try_in_savepoint(connection, "SELECT * FROM ledger_export(%s, ledger => %s)", format_name, text)
                    try_in_savepoint(connection, "SELECT * FROM ledger_import(%s, %s, %s, accounts => jsonb_build_object(%s, %s), commodities => jsonb_build_object(%s, %s), ledger => %s)",
                                     f"2024-01-01 {text}\n  {text}  1 USD\n  b\n", format_name, text, text, text, text, text, text)
                for statement in ("ledger_freeze_account('a', 'debit', %s, %s)", "ledger_close_period('2001-01-01', %s, %s)", "ledger_balances_by_metadata(%s, ledger => %s)"):
                    try_in_savepoint(connection, f"SELECT * FROM {statement}", text, text)
                for statement in ("ledger_open_account(%s, %s, %s, ledger => %s)", "ledger_rollup(%s, by => %s, ledger => %s)", "ledger_statement('a', after => %s, ledger => %s)",
                                  "ledger_freeze_account('a', %s, ledger => %s)", "ledger_export(%s, ledger => %s)", "ledger_verify_seal(known_root => %s, ledger => %s)", "ledger_to_minor(1, %s, %s)"):
                    state = try_in_savepoint(connection, f"SELECT * FROM {statement}", *[text] * statement.count("%s"))
                    check(f"{statement} with {text!r} is refused as a value", True, state.startswith("LF"))
                rows(connection, "RESET ROLE")
                for call in calls:
                    try_in_savepoint(connection, call.replace("ledger => 'vault'", "ledger => " + literal(text)).replace("'plain:a'", "'a'").replace("'plain:b'", "'b'"))
                check(f"{text!r}: ledger_upgrade", [(1,)], rows(connection, "SELECT ledger_upgrade(%s) > 0", text) and [(1,)])
                check(f"{text!r}: the ledger is well", [], rows(connection, "SELECT * FROM ledger_verify(%s)", text))
                rows(connection, "SELECT ledger_revoke(%s, %s)", text, text)
                state = "done"
            except psycopg2.Error as error:
                state = f"{sqlstate(error)} {error}"
            check(f"{text!r} as a name and as texts", "3F000" if text == "$user" else "done", state[:5] if text == "$user" else state)
        finally:
            connection.rollback()
            connection.close()
        check(f"{text!r}: the canary lives", 1, value(admin, "SELECT count(*) FROM pg_class WHERE relname = 'canary'"))


def literal(text):
    return "'" + text.replace("'", "''") + "'" if "\\" not in text else "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def try_in_savepoint(connection, statement, *arguments):
    rows(connection, "SAVEPOINT here")
    try:
        rows(connection, statement, *arguments)
        state = "done"
    except psycopg2.Error as error:
        state = sqlstate(error) or "broken"
    if state != "done":
        rows(connection, "ROLLBACK TO here")
    check(f"no statement is made of a value: {statement} {arguments}", False, state in ("42601", "42P01", "42703", "42883", "broken") or state.startswith("XX"))
    return state


def attack_extension_script():
    """Objects that somebody has planted before CREATE EXTENSION are not adopted, and do not change what it makes."""
    # The server's own list does not look where a private server has its extensions.
    scripts = [path.stem.split("--")[1:] for path in Path(server.env["LEDGERFLOW_STAGE"]).rglob("ledgerflow--*.sql")]
    versions = sorted({version for script in scripts for version in script})
    paths = sorted(script for script in scripts if len(script) == 2)
    check("there are versions", True, bool(versions))
    admin = server.connect("planted")
    # What the scripts make, from a clean run.
    for version in versions:
        rows(admin, f"BEGIN; CREATE SCHEMA clean; CREATE EXTENSION ledgerflow SCHEMA clean VERSION '{version}'")
        signatures = rows(admin, """SELECT p.proname, oidvectortypes(p.proargtypes) FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
                                    WHERE p.pronamespace = 'clean'::regnamespace ORDER BY 1, 2""")
        catalog = """SELECT md5(string_agg(x, chr(10) ORDER BY x)) FROM (SELECT replace(pg_get_functiondef(p.oid), 'clean.', '') || p.prolang || p.proowner || p.prosecdef
                       FROM pg_proc p WHERE p.pronamespace = 'clean'::regnamespace UNION ALL SELECT a.attname || a.atttypid::regtype FROM pg_attribute a WHERE a.attrelid = 'clean.ledger_line'::regclass) f (x)"""
        clean = value(admin, catalog)
        rows(admin, "ROLLBACK")
        # Each object by itself, planted in the schema that the extension goes to: refused, not replaced.
        plants = [f"CREATE FUNCTION clean.{name}({arguments}) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'" for name, arguments in signatures if "ledger_line" not in arguments]
        plants += ["CREATE TYPE clean.ledger_line AS (account text, amount numeric)", "CREATE TABLE clean.ledger_line (account text, amount numeric)", "CREATE DOMAIN clean.ledger_line AS text"]
        for plant in plants:
            figures.add("planted objects")
            rows(admin, f"BEGIN; CREATE SCHEMA clean; {plant}")
            state = state_of(admin, f"CREATE EXTENSION ledgerflow SCHEMA clean VERSION '{version}'")
            check(f"{version}: not adopted: {plant}", True, state in ("42723", "42710", "42P07"))
            rows(admin, "ROLLBACK")
        # The worst of search_paths, and a target schema full of what somebody else has made.
        rows(admin, f"""BEGIN; CREATE SCHEMA clean; CREATE FUNCTION clean.text(int) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'; CREATE DOMAIN clean.numeric AS int; CREATE DOMAIN clean.uuid AS int;
                        CREATE TEMP TABLE ledger_line (x int); SET LOCAL search_path = pg_temp, evil, clean, pg_catalog;
                        CREATE EXTENSION ledgerflow SCHEMA clean VERSION '{version}'; SET LOCAL search_path = pg_catalog; DROP FUNCTION clean.text(int); DROP DOMAIN clean.numeric, clean.uuid""")
        check(f"{version}: made the same with a hostile search_path", clean, value(admin, catalog))
        rows(admin, "ROLLBACK")
    for source, target in paths:
        rows(admin, f"BEGIN; CREATE SCHEMA clean; CREATE EXTENSION ledgerflow SCHEMA clean VERSION '{target}'")
        new = [f"CREATE FUNCTION clean.{name}({arguments}) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'" for name, arguments in rows(
            admin, "SELECT p.proname, oidvectortypes(p.proargtypes) FROM pg_proc p WHERE p.pronamespace = 'clean'::regnamespace") if "ledger_line" not in arguments]
        rows(admin, "ROLLBACK")
        for plant in new:
            rows(admin, f"BEGIN; CREATE SCHEMA clean; CREATE EXTENSION ledgerflow SCHEMA clean VERSION '{source}'; SAVEPOINT here")
            if state_of(admin, plant) == "done":  # else the older version has it already
                figures.add("planted objects")
                check(f"{source} to {target}: not adopted: {plant}", True, state_of(admin, f"ALTER EXTENSION ledgerflow UPDATE TO '{target}'") in ("42723", "42710", "42P07", "55000"))
            rows(admin, "ROLLBACK")
        rows(admin, f"BEGIN; CREATE SCHEMA clean; CREATE EXTENSION ledgerflow SCHEMA clean VERSION '{source}'; SET LOCAL search_path = pg_temp, evil, clean, pg_catalog")
        check(f"{source} to {target} with a hostile search_path", "done", state_of(admin, f"ALTER EXTENSION ledgerflow UPDATE TO '{target}'"))
        rows(admin, "ROLLBACK")
    check("only a superuser creates the extension", "42501", state_of(server.connect("planted", user="rival"), "CREATE EXTENSION ledgerflow"))
    admin.close()


def attack_at_random(database, admin, chooser):
    """Any role, any call, any arguments, in sessions that stay: refused for lack of privileges or not, as documented."""
    functions = [function for function in functions_of(admin) if LEVEL_OF[function[1]] not in ("trigger", "database", "anyone")]
    there, missing = arguments_of(admin)
    connection = server.connect(database)
    session = Session(database, "reader")
    session.connection.close()
    session.connection = connection
    number = 0
    while seconds_left() > 0 or number < 200:
        session.role = chooser.choice([role for role in ROLES if role != "keeper"])
        function = chooser.choice(functions)
        arguments = {key: (there if chooser.random() < 0.7 else missing)[key] for key in there}
        for key in arguments:
            if key[1] == "text" and chooser.random() < 0.2:
                arguments[key] = literal(chooser.choice(HOSTILE))
            elif chooser.random() < 0.1:
                arguments[key] = "NULL"
        settings = chooser.choice(["", "SET ledgerflow.as_of = '2010-01-01';", "SET ledgerflow.store = spi;", "SET row_security = off;", "SET ledgerflow.ledger = 'rivals';", "SET standard_conforming_strings = off;"])
        rows(connection, f"RESET ALL; SET SESSION AUTHORIZATION {session.role}; SET client_encoding = utf8; {settings}")
        call = call_of(function, arguments)
        wanted = expected_of(session.role, function[1])
        # What is wrong with the request itself may be told first.
        state, _ = session.attempt(call)
        is_right = (state != "42501" or "42501" in wanted) and not state.startswith("XX") and state != "broken"
        if wanted == ("42501",):
            is_asked_first = state < "LF020" or not state.startswith("LF") or (state in ("LF026", "LF027") and "NULL" in call)
            # NULL converted is NULL, whoever asks.
            is_null = state == "done" and function[1] in ("ledger_to_minor", "ledger_from_minor") and "NULL AS numeric" in call
            is_right = is_right and (is_null or ((state == "42501" or is_asked_first) and state != "done"))
        figures.add("denied" if state == "42501" else "allowed as documented")
        if not is_right:
            check(f"{session.role}: {settings} {call}", wanted, state)
        rows(connection, "RESET SESSION AUTHORIZATION")
        number += 1
    figures.add("random attempts", number)
    connection.close()


def main():
    chooser = randomness("attack")
    server.sql("CREATE DATABASE planted")
    server.sql(PLANT, database="planted")
    for database, store in (("attack_heap", "heap"), ("attack_spi", "spi")):
        admin = build(database, store)
        before = digest(admin)
        roles = list(ROLES) if store == "heap" else ["visitor", "terminal", "poster", "operator"]
        attack_functions(database, admin, roles)
        if store == "heap":
            attack_relations(database, admin, list(ROLES))
        found = digest(admin)
        figures.add("changes", 0 if check(f"{store}: nothing has changed", before, found) else 1)
        attack_warm_session(database)
        attack_wrappers(database)
        attack_superuser(database, admin, list(TRAPS) if store == "heap" or SECONDS > 30 else ["triggers"])
        if store == "heap":
            attack_search_path(database, admin)
            attack_with_values(database, admin, chooser, len(HOSTILE) if SECONDS > 30 else 12)
        check(f"{store}: the ledger is well", [], verified(server, database, "vault"))
        admin.close()
    attack_extension_script()
    admin = server.connect("attack_heap")
    before = digest(admin)
    attack_at_random("attack_heap", admin, chooser)
    figures.add("changes", 0 if check("random attempts have changed nothing", before, digest(admin)) else 1)
    check("the ledger is well", [], verified(server, "attack_heap", "vault"))
    check("no backend died", [], server.backend_crashes())
    figures.add("roles", len(ROLES))
    for nothing in ("leaks", "holes"):
        figures.add(nothing, 0)
    finish(f"{len(ROLES)} roles tried what they should not: nothing leaked, nothing moved")


main()
