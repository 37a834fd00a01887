#!/usr/bin/python3
"""Copies of books that are being written: dumps, base backups, recovery to a point, standbys, subscribers, upgrades, rewriting.

Sessions of both stores post, hold, batch and reverse all the time on two ledgers, and write down what they asked, when,
and what was answered. Each round makes a copy of one kind meanwhile and holds it against that: what was acknowledged
before the copy is in it under its id, what began after it is not, and nothing else is; the rows are those of the
original; it verifies, answers old keys as before, and posts on. Arguments name the only kinds, if not all are wanted:
dump, dump_all, base_backup, recovery, promotion, replication, upgrade.
"""

import contextlib
import shutil

from copies_load import *

TABLES = ("accounts", "account_balances", "transactions", "entries", "idempotency_keys", "holds", "hold_lines", "transaction_history",
          "account_history", "period_history", "dated_entries", "effective_days", "seals", "seal_blocks", "verifications", "currencies")
ARCHIVE = Path(tempfile.mkdtemp(prefix="archive.", dir=work))
TABLESPACE = Path(tempfile.mkdtemp(prefix="tablespace.", dir=work))
if os.getuid() == 0:
    for directory in (ARCHIVE, TABLESPACE):
        shutil.chown(directory, "postgres", "postgres")


def books_of(server):
    rows_of = lambda statement: server.sql(statement, database=DATABASE, options="-c search_path=lf")
    server.sql(f"CREATE DATABASE {DATABASE}")
    rows_of("CREATE SCHEMA lf")
    rows_of("CREATE EXTENSION ledgerflow SCHEMA lf")
    rows_of("CREATE EXTENSION pg_repack; CREATE EXTENSION amcheck")
    rows_of("CREATE ROLE lf_poster LOGIN")
    for ledger in LEDGERS:
        quoted = ledger.replace("'", "''")
        name = '"' + ledger.replace('"', '""') + '"'
        rows_of(f"""SELECT ledger_create('{quoted}');
            INSERT INTO {name}.currencies VALUES ('WEI', 18, NULL);
            SELECT ledger_open_account('bank', 'asset', 'USD', ledger => '{quoted}'), ledger_open_account('wei:1', 'asset', 'WEI', ledger => '{quoted}'),
                   ledger_open_account('wei:2', 'equity', 'WEI', ledger => '{quoted}');
            SELECT ledger_open_account('wallet:' || i, 'liability', 'USD', min_balance => 0, ledger => '{quoted}') FROM generate_series(1, {WALLETS}) i;
            SELECT ledger_freeze_account('wallet:{WALLETS}', 'debit', ledger => '{quoted}');
            SELECT ledger_unfreeze_account('wallet:{WALLETS}', ledger => '{quoted}');
            SELECT ledger_grant('lf_poster', 'poster', '{quoted}')""")


def quoted(ledger):
    return '"' + ledger.replace('"', '""') + '"'


def digest(connection, ledger, tables=TABLES):
    return {table: rows(connection, f"SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {quoted(ledger)}.{table} t")[0]
            for table in tables}


def history(server, database, ledger):
    """A hash for each transaction with its entries."""
    return dict(server.sql(f"""SELECT t.id, md5(t::text || (SELECT string_agg(e::text, chr(10) ORDER BY line)
        FROM {quoted(ledger)}.entries e WHERE e.transaction_id = t.id)) FROM {quoted(ledger)}.transactions t""", database=database))


def holds_what_was(what, server, database, before, after, ledgers=LEDGERS):
    """Checks a copy against what the sessions wrote down; returns the operations that it surely has."""
    sure = []
    operations = list(load.operations)
    for ledger in ledgers:
        found = dict(server.sql(f"SELECT key, transaction_id FROM {quoted(ledger)}.idempotency_keys", database=database))
        mine = [operation for operation in operations if operation.ledger == ledger]
        there = [o for o in mine if o.ids and o.ended < before]
        check(f"{what}: {ledger}: acknowledged before it and missing", [],
              [(key, id) for o in there for key, id in zip(o.keys, o.ids) if found.get(key) != id][:5])
        check(f"{what}: {ledger}: begun after it, or refused, and there", [],
              [key for o in mine if o.began > after or o.state for key in o.keys if key in found][:5])
        check(f"{what}: {ledger}: there, and asked for by nobody", set(), set(found) - {key for o in mine for key in o.keys})
        check(f"{what}: {ledger}: batches of which a part is there", [],
              [o.keys for o in mine if len({key in found for key in o.keys}) > 1])
        figures.add("acknowledged operations looked for in copies", len(there))
        sure += there
    return sure


def rows_are_the_originals(what, server, database=DATABASE):
    for ledger in LEDGERS:
        copy, original = history(server, database, ledger), history(primary, DATABASE, ledger)
        check(f"{what}: {ledger}: rows that differ from the original's", [], [id for id, row in copy.items() if original.get(id) != row][:5])


def goes_on(what, server, database, rng, sure, before, ledgers=LEDGERS):
    """Verified, sealed as before, the same answers to old keys, new postings."""
    for ledger in ledgers:
        found = server.sql("SELECT * FROM lf.ledger_verify(%s)", ledger, database=database)
        check(f"{what}: {ledger}: verified", [], found)
        roots = [root for ended, of, root in load.roots if of == ledger and ended < before]
        check(f"{what}: {ledger}: seals", [], server.sql("SELECT * FROM lf.ledger_verify_seal(known_root => %s, ledger => %s)",
                                                         roots[-1] if roots else None, ledger, database=database))
    for store in STORES:
        connection = server.connect(database, options=f"-c ledgerflow.store={store}")
        customer = Customer(connection, rng, f"copy {what} {store}")
        for operation in rng.sample(sure, min(len(sure), 15)):
            again = Operation(operation.ledger, operation.keys, operation.statement, operation.arguments)
            customer.perform(again)
            check(f"{what}: {store}: an old key answers alike", operation.ids, again.ids)
            figures.add("old keys replayed in copies")
        for _ in range(20):
            customer.perform(customer.request(rng.choice(ledgers)))
        for ledger in ledgers:
            last = value(connection, f"SELECT max(last_transaction_id::text) FROM {quoted(ledger)}.account_balances b"
                         " JOIN " + quoted(ledger) + ".accounts a ON a.id = b.account_id WHERE a.code IN ('bank', 'wallet:1')")
            new = value(connection, "SELECT ledger_post('bank', 'wallet:1', 1, ledger => %s)", ledger)
            check(f"{what}: {store}: {ledger}: ids rise", True, last is None or new > last)
            value(connection, "SELECT ledger_post(%s, 'bank', 1, ledger => %s) FROM ledger_open_account(%s, 'asset', 'USD', ledger => %s)",
                  f"new:{store}", ledger, f"new:{store}", ledger)
        connection.close()
    for ledger in ledgers:
        server.sql("SELECT lf.ledger_seal(%s)", ledger, database=database)
        check(f"{what}: {ledger}: verified after postings", [], server.sql("SELECT * FROM lf.ledger_verify(%s)", ledger, database=database))
        check(f"{what}: {ledger}: incrementally", [], server.sql("SELECT * FROM lf.ledger_verify_incremental(ledger => %s)", ledger, database=database))
        check(f"{what}: {ledger}: seals after postings", [], server.sql("SELECT * FROM lf.ledger_verify_seal(ledger => %s)", ledger, database=database))


def run(server, *command, expected=0, **options):
    result = server.program(*command, **options)
    if result.returncode != expected:
        check(f"{command[0]} {' '.join(map(str, command[1:]))}", expected, f"{result.returncode}: {result.stdout[-2000:]}")
    return result.stdout


def as_postgres(server, *command, **options):
    return run(server, *(["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []), *command, **options)


# --- dumps -------------------------------------------------------------------------------------------

def restore_archive(*options):
    def restore(dump, target, *more):
        dump("file", *options)
        run(primary, "pg_restore", "--exit-on-error", *more, "-d", target, dump.path / "file")
    return restore


def restore_script(*options, then=()):
    def restore(dump, target):
        dump("file", *options)
        run(primary, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", target, "-o", os.devnull, "-f", dump.path / "file")
        if then:
            restore_script(*then)(dump, target)
    return restore


def restore_sections(dump, target):
    for section in ("pre-data", "data", "post-data"):
        restore_archive("-Fc", f"--section={section}")(dump, target)


def restore_as_replica(dump, target):
    restore_archive("-Fc", "--schema-only")(dump, target)
    dump("file", "-Fc", "--data-only")
    run(primary, "pg_restore", "--exit-on-error", "-d", target, dump.path / "file", env={"PGOPTIONS": "-c session_replication_role=replica"})


def restore_as_another_owner(dump, target):
    dump("file", "-Fc")
    primary.sql("CREATE SCHEMA lf; CREATE EXTENSION ledgerflow SCHEMA lf; CREATE EXTENSION pg_repack; CREATE EXTENSION amcheck; GRANT USAGE ON SCHEMA lf TO PUBLIC;"
                f" GRANT CREATE ON DATABASE {target} TO lf_owner", database=target)
    listed = run(primary, "pg_restore", "-l", dump.path / "file").splitlines()
    (dump.path / "list").write_text("\n".join(line for line in listed if " EXTENSION " not in line and " lf " not in line))
    run(primary, "pg_restore", "--exit-on-error", "--no-owner", "--no-acl", "--role=lf_owner", "-L", dump.path / "list", "-d", target, dump.path / "file")
    check("restored as another owner: owners", [("lf_owner",)], primary.sql(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'ledger'::regnamespace", database=target))


def restore_one_ledger(dump, target):
    primary.sql("CREATE SCHEMA lf; CREATE EXTENSION ledgerflow SCHEMA lf", database=target)
    restore_archive("-Fc", "-n", LEDGERS[0])(dump, target)


DUMPS = {
    "plain": restore_script("-Fp"),
    "custom": restore_archive("-Fc"),
    "tar": restore_archive("-Ft"),
    "directory": lambda dump, target: restore_archive("-Fd", "-j2")(dump, target, "-j2"),
    "inserts": restore_script("--inserts", "--rows-per-insert=50"),
    "column inserts": restore_script("--column-inserts"),
    "sections": restore_sections,
    "schema, then data": restore_script("--schema-only", then=("--data-only", "--disable-triggers")),
    "schema, then data as a replica": restore_as_replica,
    "another owner": restore_as_another_owner,
    "one ledger": restore_one_ledger,
}


class Dump:
    """Runs pg_dump in one exported snapshot."""

    def __init__(self, connection):
        self.path = Path(tempfile.mkdtemp(dir=work))
        self.snapshot = value(connection, "SELECT pg_export_snapshot()")

    def __call__(self, name, *options):
        target = self.path / name
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
        run(primary, "pg_dump", f"--snapshot={self.snapshot}", "-f", target, *options, DATABASE)


def dump(rng, number):
    form = forms.pop() if forms else None
    if form is None:
        forms.extend(rng.sample(list(DUMPS), len(DUMPS)))
        form = forms.pop()
    what, ledgers, target = f"dump {number} ({form})", LEDGERS[:1] if form == "one ledger" else LEDGERS, f"restored_{number}"
    primary.sql(f"CREATE DATABASE {target}")
    before = time.monotonic()
    connection = primary.connect(DATABASE, autocommit=False)
    rows(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    taken = Dump(connection)
    after = time.monotonic()
    DUMPS[form](taken, target)
    contents = [digest(connection, ledger) for ledger in ledgers]
    connection.close()
    restored = primary.connect(target)
    check(f"{what}: contents", contents, [digest(restored, ledger) for ledger in ledgers])
    restored.close()
    sure = holds_what_was(what, primary, target, before, after, ledgers)
    goes_on(what, primary, target, rng, [o for o in sure if o.ledger in ledgers], before, ledgers)
    primary.sql(f"DROP DATABASE {target}")
    shutil.rmtree(taken.path)
    figures.add("dumps restored")


def dump_all(rng, number):
    what, path, server = f"pg_dumpall {number}", work / "all", Server(f"all{number}", "fsync=off")
    before = time.monotonic()
    run(primary, "pg_dumpall", "-f", path)
    after = time.monotonic()
    output = run(server, "psql", "-Xq", "-d", "postgres", "-o", os.devnull, "-f", path)
    check(f"{what}: restored", [], [line for line in output.splitlines() if "ERROR" in line and 'role "postgres" already exists' not in line])
    goes_on(what, server, DATABASE, rng, holds_what_was(what, server, DATABASE, before, after), before)
    rows_are_there = server.value("SELECT has_table_privilege('lf_poster', 'ledger.transactions', 'INSERT')", database=DATABASE)
    check(f"{what}: grants", True, rows_are_there)
    server.drop()
    figures.add("dumps restored")


# --- physical copies ---------------------------------------------------------------------------------

def is_primary(server, seconds=120):
    end = time.monotonic() + seconds
    while server.value("SELECT pg_is_in_recovery()"):
        if time.monotonic() > end:
            return check(f"{server.name} ends its recovery", True, False)
        time.sleep(0.05)
    return True


def base_backup(rng, number):
    what = f"base backup {number}"
    before = time.monotonic()
    server = Server(f"backup{number}", "fsync=off", backup_of=primary)
    after = time.monotonic()
    server.start()
    goes_on(what, server, DATABASE, rng, physical(what, server, before, after), before)
    server.drop()
    figures.add("base backups")


def physical(what, server, before, after):
    run(server, "pg_amcheck", "--heapallindexed", "-d", DATABASE)
    sure = holds_what_was(what, server, DATABASE, before, after)
    rows_are_the_originals(what, server)
    return sure


def archived():
    """Everything up to now is in the archive."""
    name = primary.value("SELECT pg_walfile_name(pg_switch_wal())")
    while not (ARCHIVE / name).exists():
        time.sleep(0.05)


def recovery(rng, number):
    target = ("name", "time", "xid", "xid, exclusive")[number % 4]
    what = f"recovery {number} to a {target}"
    server = Server(f"recovery{number}", backup_of=primary)
    time.sleep(rng.random() * 2)
    marker, settings = None, []
    before = time.monotonic()
    if target == "name":
        primary.sql("SELECT pg_create_restore_point(%s)", what)
        settings = [f"recovery_target_name='{what}'"]
    elif target == "time":
        settings = [f"recovery_target_time='{primary.value('SELECT clock_timestamp()::text')}'"]
    else:
        connection = primary.connect(DATABASE, autocommit=False)
        marker = Operation(LEDGERS[0], [what], "SELECT lf.ledger_post('bank', 'wallet:1', 1, %s)", (what,))
        load.operations.append(marker)
        marker.ids = [value(connection, marker.statement, *marker.arguments)]
        xid = value(connection, "SELECT pg_current_xact_id()::text")
        before = time.monotonic()  # of the commit
        connection.commit()
        marker.ended = time.monotonic()
        connection.close()
        settings = [f"recovery_target_xid={xid}", f"recovery_target_inclusive={'off' if 'exclusive' in target else 'on'}"]
    after = time.monotonic()
    time.sleep(0.1)
    primary.sql("CREATE TABLE IF NOT EXISTS later ()")  # a commit beyond any target
    primary.sql("DROP TABLE later")
    archived()
    signal_file = server.data / "recovery.signal"
    signal_file.touch()
    shutil.chown(signal_file, *(["postgres", "postgres"] if os.getuid() == 0 else [os.getuid()]))
    server.start("fsync=off", "archive_mode=off", f"restore_command='cp {ARCHIVE}/%f %p'", "recovery_target_action=promote", *settings)
    if is_primary(server):
        if marker:
            check(f"{what}: the target itself", "exclusive" not in target,
                  server.value("SELECT EXISTS (SELECT FROM ledger.idempotency_keys WHERE key = %s)", what, database=DATABASE))
        goes_on(what, server, DATABASE, rng, physical(what, server, before, after), before)
    server.drop()
    figures.add("recoveries to a point")


def promotion(rng, number):
    what = f"promotion {number}"
    server = Server(f"standby{number}", standby_of=primary)
    set_primary("synchronous_standby_names", f'"ledgerflow-{server.name}"')
    wait_for(f"{what}: synchronous", primary, "SELECT bool_or(sync_state = 'sync') FROM pg_stat_replication", True)
    with load.paused():
        pass  # what is acknowledged from here on has waited for the standby
    time.sleep(0.5 + rng.random() * 2)
    for ledger in LEDGERS:
        check(f"{what}: verified on the standby", [], server.sql("SELECT * FROM lf.ledger_verify(%s)", ledger, database=DATABASE))
        try:
            server.sql("SELECT lf.ledger_post('bank', 'wallet:1', 1, ledger => %s)", ledger, database=DATABASE)
            check(f"{what}: a standby refuses to post", "25006", None)
        except psycopg2.Error as error:
            check(f"{what}: a standby refuses to post", "25006", sqlstate(error))
    before = time.monotonic()
    check(f"{what}: promoted", True, server.value("SELECT pg_promote()"))
    # The other one goes on by itself; what waits for the standby is acknowledged, after it.
    set_primary("synchronous_standby_names", "")
    with load.paused():
        after = time.monotonic()
    goes_on(what, server, DATABASE, rng, physical(what, server, before, after), before)
    server.drop()
    figures.add("promotions")


def set_primary(setting, to):
    primary.sql(f"ALTER SYSTEM SET {setting} = '{to}'")
    primary.sql("SELECT pg_reload_conf()")


def wait_for(what, server, query, expected, seconds=120, **options):
    end = time.monotonic() + seconds
    while (found := server.value(query, **options)) != expected:
        if time.monotonic() > end:
            return check(what, expected, found)
        time.sleep(0.05)
    return True


def upgrade(rng, number):
    """pg_upgrade of a base backup, to a new cluster of the same version: other versions are not in Debian 12."""
    mode = ([], ["--link"])[number % 2]
    what = f"pg_upgrade {number} {'by links' if mode else 'by copying'}"
    before = time.monotonic()
    old = Server(f"old{number}", "fsync=off", "archive_mode=off", backup_of=primary)
    after = time.monotonic()
    old.start()
    horizon = old.value("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::numeric")
    old.stop()
    new = Server(f"new{number}", "fsync=off")
    new.stop()
    directory = Path(tempfile.mkdtemp(prefix="ledgerflow-upgrade.", dir="/tmp"))
    shutil.chown(directory, *(["postgres", "postgres"] if os.getuid() == 0 else [os.getuid()]))
    options = f"-c extension_destdir={new.env['LEDGERFLOW_STAGE']} -c fsync=off -c archive_mode=off"
    as_postgres(new, new.bin / "pg_upgrade", *mode, "--no-sync", "-b", new.bin, "-B", new.bin, "-d", old.data, "-D", new.data, "-o", options, "-O", options,
                "-U", "postgres", "-s", directory, cwd=directory)
    shutil.rmtree(directory)
    new.start()
    check(f"{what}: transaction numbers go on", True, new.value("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::numeric") >= horizon)
    check(f"{what}: grants", True, new.value("SELECT has_table_privilege('lf_poster', 'ledger.transactions', 'INSERT')", database=DATABASE))
    goes_on(what, new, DATABASE, rng, physical(what, new, before, after), before)
    new.drop()
    old.drop()
    figures.add("pg_upgrades")


# --- logical replication -----------------------------------------------------------------------------

def replication(rng, number):
    what, ledger = f"replication {number}", LEDGERS[number % 2]
    subscriber = Server(f"subscriber{number}", "fsync=off", "max_logical_replication_workers=12", "max_sync_workers_per_subscription=8",
                        "max_worker_processes=16", "wal_retrieve_retry_interval=100ms")
    subscriber.sql(f"CREATE DATABASE {DATABASE}")
    subscriber.sql("CREATE ROLE lf_poster")
    subscriber.sql("CREATE SCHEMA lf; CREATE EXTENSION ledgerflow SCHEMA lf", database=DATABASE)
    primary.sql(f"CREATE PUBLICATION torture FOR TABLES IN SCHEMA {quoted(ledger)}", database=DATABASE)
    run(primary, "pg_dump", "-s", "-n", quoted(ledger), "-f", work / "schema", "--no-publications", DATABASE)
    run(subscriber, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", DATABASE, "-o", os.devnull, "-f", work / "schema")
    subscriber.sql(f"CREATE SUBSCRIPTION torture{number} CONNECTION 'host={primary.host} port=5432 user=postgres dbname={DATABASE}' PUBLICATION torture",
                   database=DATABASE)
    wait_for(f"{what}: the tables are copied", subscriber, "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel", True, database=DATABASE)
    time.sleep(rng.random() * 2)
    check(f"{what}: verified while it follows", [], subscriber.sql("SELECT * FROM lf.ledger_verify(%s)", ledger, database=DATABASE))
    with load.paused():
        before = after = time.monotonic()
        lsn = primary.value("SELECT pg_current_wal_lsn()")
        wait_for(f"{what}: caught up", primary, f"SELECT confirmed_flush_lsn >= '{lsn}' FROM pg_replication_slots WHERE slot_name = 'torture{number}'", True)
        theirs, ours = subscriber.connect(DATABASE), primary.connect(DATABASE)
        check(f"{what}: contents", digest(ours, ledger), digest(theirs, ledger))
        theirs.close()
        ours.close()
        subscriber.sql(f"DROP SUBSCRIPTION torture{number}", database=DATABASE)
    primary.sql("DROP PUBLICATION torture", database=DATABASE)
    for table in ("accounts", "transaction_history", "account_history", "period_history", "verifications"):
        subscriber.sql(f"""SELECT setval(pg_get_serial_sequence('{quoted(ledger)}.{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {quoted(ledger)}.{table}))""",
                       database=DATABASE)
    goes_on(what, subscriber, DATABASE, rng, holds_what_was(what, subscriber, DATABASE, before, after, (ledger,)), before, (ledger,))
    subscriber.drop()
    figures.add("replications that took over")


# --- rewriting ---------------------------------------------------------------------------------------

def patiently(session, statement):
    """A rewriting wants more than the lock that it has, as sessions do, and so may be the victim of a deadlock."""
    while True:
        try:
            return rows(session, statement)
        except psycopg2.Error as error:
            if sqlstate(error) not in RETRIED:
                return check(statement, None, str(error))
            figures.add("rewritings repeated")
            for name, in rows(session, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"):
                patiently(session, f"DROP INDEX {name}")


def repack(table):
    """Its waits for locks end by statement_timeout, which may strike its next statement on a busy machine."""
    while True:
        result = primary.program("pg_repack", "-d", DATABASE, "-t", table, "--no-kill-backend", "--wait-timeout=30")
        if result.returncode == 0:
            return
        if "statement timeout" not in result.stdout and "deadlock detected" not in result.stdout:
            check(f"pg_repack -t {table}", 0, f"{result.returncode}: {result.stdout}")
            return
        figures.add("rewritings repeated")
        primary.sql("DROP EXTENSION pg_repack CASCADE; CREATE EXTENSION pg_repack", database=DATABASE)  # with what it has left


@contextlib.contextmanager
def renamed(session, old, new, *states):
    with load.tolerating("3F000", *states):
        rows(session, f"ALTER SCHEMA {old} RENAME TO {new}")
        time.sleep(0.05)
        yield
        rows(session, f"ALTER SCHEMA {new} RENAME TO {old}")


REWRITINGS = [  # what is done, one after the other
    ("VACUUM FULL {0}",),
    ("VACUUM (FREEZE, ANALYZE) {0}",),
    ("CLUSTER {0} USING {1}",),
    ("REINDEX TABLE {0}",),
    ("REINDEX TABLE CONCURRENTLY {0}",),
    ("REINDEX SCHEMA {2}",),
    ("CREATE INDEX CONCURRENTLY torture ON {0} ((1))", "DROP INDEX {2}.torture"),
    ("CREATE INDEX CONCURRENTLY torture ON {0} ({3})", "DROP INDEX CONCURRENTLY {2}.torture"),
    ("ALTER TABLE {0} SET (fillfactor = 70)", "ALTER TABLE {0} RESET (fillfactor)"),
    (f"CREATE TABLESPACE torture LOCATION '{TABLESPACE}'", "ALTER TABLE {0} SET TABLESPACE torture", "ALTER TABLE {0} SET TABLESPACE pg_default",
     "DROP TABLESPACE torture"),
    ("ALTER TABLE {0} SET UNLOGGED", "ALTER TABLE {0} SET LOGGED"),
    ("ALTER TABLE {0} ADD COLUMN torture timestamptz NOT NULL DEFAULT clock_timestamp()", "ALTER TABLE {0} DROP COLUMN torture"),
    ("pg_repack",), ("rename the ledger",), ("rename the extension's schema",), ("TRUNCATE {0} CASCADE",),
]


def rewriting(rng, number):
    """Everything that moves rows under the sessions, which remember where they are."""
    ledger = quoted(rng.choice(LEDGERS))
    session = primary.connect(DATABASE)
    for _ in range(min(4, 1 + int(SECONDS / 8))):
        name, statements = rng.choice(TABLES), rng.choice(REWRITINGS)
        kind = statements[0]
        if "UNLOGGED" in kind and name == "currencies":
            name = "entries"  # what others refer to stays logged
        table = f"{ledger}.{name}"
        column = rows(session, "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
                      " AND atttypid <> 'jsonb'::regtype ORDER BY attnum DESC LIMIT 1", table)[0][0]
        fill = lambda text: text.format(table, f"{name}_pkey", ledger, column)
        if kind == "pg_repack":
            repack(table)
        elif kind == "rename the ledger":
            with renamed(session, ledger, "elsewhere", "LF020", "42P01"):
                pass
        elif kind == "rename the extension's schema":
            with renamed(session, "lf", "lf_elsewhere", "42883", "42704"):
                pass
        elif kind.startswith("TRUNCATE"):
            try:
                rows(session, f"BEGIN; {fill(kind)}; ROLLBACK")
                check(fill(kind), "LF070", None)
            except psycopg2.Error as error:
                rows(session, "ROLLBACK")
                if sqlstate(error) not in RETRIED:
                    check(fill(kind), "LF070", sqlstate(error))
        else:
            for statement in statements:
                patiently(session, fill(statement))
                time.sleep(0.05)
        figures.add("rewritings under load")
    session.close()
    verified_now(f"rewriting {number}")


def verified_now(what):
    run(primary, "pg_amcheck", "--heapallindexed", "-d", DATABASE)  # every row is in every index
    for ledger in LEDGERS:
        check(f"{what}: {ledger}: verified", [], primary.sql("SELECT * FROM lf.ledger_verify(%s)", ledger, database=DATABASE))
        check(f"{what}: {ledger}: seals", [], primary.sql("SELECT * FROM lf.ledger_verify_seal(ledger => %s)", ledger, database=DATABASE))


primary = Server("primary", "fsync=off", "wal_level=logical", "archive_mode=on", f"archive_command='cp %p {ARCHIVE}/%f.part && mv {ARCHIVE}/%f.part {ARCHIVE}/%f'",
                 "synchronous_commit=remote_apply")
books_of(primary)
primary.sql("CREATE ROLE lf_owner")
forms = []
load = Load(primary)
try:
    rng = randomness("rounds")
    kinds, counts = [], {}
    heavy = [dump, dump, dump, base_backup, recovery, recovery, promotion, replication, upgrade, dump_all]
    while not failures:
        if not kinds:
            kinds = [kind for kind in rng.sample(heavy, len(heavy)) if not sys.argv[1:] or kind.__name__ in sys.argv[1:]]
        if seconds_left() <= 0 and counts:
            break
        for kind in (rewriting, kinds.pop()):
            counts[kind] = counts.get(kind, -1) + 1
            print(f"{time.monotonic() - BEGUN:6.1f} s: {kind.__name__} {counts[kind]}", flush=True)
            kind(rng, counts[kind])
finally:
    load.stop()
verified_now("in the end")
acknowledged = holds_what_was("in the end", primary, DATABASE, time.monotonic(), time.monotonic())
figures.add("operations under load", len(acknowledged))
figures.add("differences", len(failures))
check("backends that crashed", [], primary.backend_crashes())
finish("copies: what was acknowledged is in every copy, what came later is in none; all verify and post on")
