"""The books that the contestants write, and the pgbench scripts that write them."""

from typing import Dict, List

from server import Server
from settings import ACCOUNTS, HOT, Settings

LEDGER_TABLES = ["transactions", "entries", "idempotency_keys", "account_balances"]


def options(ledger: str, store: str, **more: str) -> Dict[str, str]:
    return {"ledgerflow.ledger": ledger, "ledgerflow.store": store, **more}


def make_ledger(server: Server, name: str) -> None:
    """A ledger with the accounts customer:1 to customer:10000 and the hot one, whose ids are their numbers."""
    server.rows(f"""
        SELECT ledger_create('{name}');
        SELECT count(ledger_open_account('customer:' || n, 'liability', 'USD', ledger => '{name}'))
          FROM (SELECT n FROM generate_series(1, {HOT}) n ORDER BY n) numbers;
        VACUUM ANALYZE {name}.accounts, {name}.account_balances;
        DO $$ BEGIN
            IF EXISTS (SELECT FROM {name}.accounts WHERE code <> 'customer:' || id) THEN
                RAISE 'account ids are not 1 to {HOT}: the scripts need that';
            END IF;
        END $$;""")


def columns(server: Server, schema: str, table: str) -> List[str]:
    return [row[0] for row in server.rows(
        "SELECT attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped "
        f"AND attrelid = '{schema}.{table}'::regclass ORDER BY attnum")]


def make_plain(server: Server, name: str, like: str) -> None:
    """Tables with the columns, indexes, constraints and storage options of a ledger's, and no triggers."""
    server.rows(f"CREATE SCHEMA {name};")
    for table in LEDGER_TABLES:
        server.rows(f"""
            CREATE TABLE {name}.{table} (LIKE {like}.{table} INCLUDING ALL);
            SELECT format('ALTER TABLE {name}.{table} SET (%s)', array_to_string(reloptions, ', '))
              FROM pg_class WHERE oid = '{like}.{table}'::regclass AND reloptions IS NOT NULL \\gexec
            """)
    server.rows(f"""
        INSERT INTO {name}.account_balances (account_id) SELECT generate_series(1, {HOT});
        VACUUM ANALYZE {name}.account_balances;""")


# Other indexes that entries could have: what they are made of, {0} being the schema.
BOTH = "ALTER TABLE {0}.entries ADD PRIMARY KEY (transaction_id, line) WITH (fillfactor = 96); CREATE INDEX ON {0}.entries (account_id, transaction_id);"
LAYOUTS = {
    "both indexes, as in a ledger": BOTH,
    "no index by account": "ALTER TABLE {0}.entries ADD PRIMARY KEY (transaction_id, line) WITH (fillfactor = 96);",
    "no index by transaction": "CREATE INDEX ON {0}.entries (account_id, transaction_id);",
    "no index": "",
    "BRIN by transaction": "CREATE INDEX ON {0}.entries USING brin (transaction_id); CREATE INDEX ON {0}.entries (account_id, transaction_id);",
    "by account alone": "ALTER TABLE {0}.entries ADD PRIMARY KEY (transaction_id, line) WITH (fillfactor = 96); CREATE INDEX ON {0}.entries (account_id);",
    "ids of 8 bytes": "ALTER TABLE {0}.entries ALTER transaction_id TYPE bigint USING 0; CREATE INDEX ON {0}.entries (transaction_id, line) WITH (fillfactor = 96);"
                      " CREATE INDEX ON {0}.entries (account_id, transaction_id);",
    "index by account, fillfactor 70": BOTH.replace("(account_id, transaction_id)", "(account_id, transaction_id) WITH (fillfactor = 70)"),
    "rows in the order of accounts": BOTH,
    "after a checkpoint": BOTH,
    "after a checkpoint, wal_compression": BOTH,
}


def make_layout(server: Server, name: str, like: str, indexes: str) -> None:
    """A table of entries with other indexes than a ledger's."""
    server.rows(f"CREATE SCHEMA {name}; CREATE TABLE {name}.entries (LIKE {like}.entries INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING CONSTRAINTS);"
                + indexes.format(name))


def choose(accounts: int, hot: bool) -> str:
    """Lines of a pgbench script that choose two accounts, an amount and a key."""
    destination = str(HOT) if hot else f"1 + (:source - 1 + random(1, {accounts} - 1)) % {accounts}"
    return (f"\\set source random(1, {accounts})\n"
            f"\\set destination {destination}\n"
            "\\set amount random(1, 100000) / 100.0\n")


def choose_key(settings: Settings) -> str:
    """Random, as clients' uuids are: 63 bits. Or in sequence for each client."""
    if settings.random_keys:
        return "\\set key random(1, 9223372036854775807)\n"
    return "\\set n :n + 1\n\\set key (:run * 100 + :client_id) * 10000000000 + :n\n"


def post_script(settings: Settings, accounts: int, hot: bool, key: bool = True) -> str:
    return (choose(accounts, hot) + (choose_key(settings) if key else "")
            + "SELECT ledger_post('customer:' || :source, 'customer:' || :destination, :amount"
            + (", :key" if key else "") + ");\n")


def application_script(server: Server, settings: Settings, schema: str, accounts: int, hot: bool) -> str:
    """The transfer as applications write it, one statement at a time. It knows the accounts' ids, and its ids
    are made as the ledger's are, so that its indexes fare no worse."""
    header = {"id": "ledger_new_id()", "posted_at": "now()", "effective_at": "now()",
              "xact_id": "pg_current_xact_id()", "created_by": "current_user"}
    header = {name: value for name, value in header.items() if name in columns(server, schema, "transactions")}
    entry = columns(server, schema, "entries")
    balance = columns(server, schema, "account_balances")
    stripe = " AND stripe = 0" if "stripe" in balance else ""
    named = [name for name in ("status", "min_balance", "max_balance") if name in balance]

    def lock(account: str, prefix: str) -> str:
        return (f"SELECT {', '.join(['debits_posted AS debits', 'credits_posted AS credits', 'version', *named])} "
                f"FROM {schema}.account_balances WHERE account_id = :{account}{stripe} FOR UPDATE \\gset {prefix}_\n")

    def insert_entry(line: int, account: str, prefix: str, sign: str) -> str:
        after = "balance_after" in entry
        return (f"INSERT INTO {schema}.entries (transaction_id, line, account_id, amount{', balance_after' if after else ''}) "
                f"VALUES (:t_id, {line}, :{account}, 0 {sign} :amount::numeric"
                + (f", :{prefix}_debits::numeric - :{prefix}_credits::numeric {sign} :amount::numeric" if after else "") + ");\n")

    def update(account: str, column: str) -> str:
        return (f"UPDATE {schema}.account_balances SET {column} = {column} + :amount, version = version + 1, "
                f"last_transaction_id = :t_id WHERE account_id = :{account}{stripe};\n")

    return (choose(accounts, hot) + choose_key(settings)
            + "BEGIN;\n"
            + "\\if :source < :destination\n" + lock("source", "s") + lock("destination", "d")
            + "\\else\n" + lock("destination", "d") + lock("source", "s") + "\\endif\n"
            + f"INSERT INTO {schema}.transactions ({', '.join(header)}) VALUES ({', '.join(header.values())}) RETURNING id \\gset t_\n"
            + f"INSERT INTO {schema}.idempotency_keys (key, transaction_id) VALUES (:key, :t_id);\n"
            + insert_entry(1, "source", "s", "+") + insert_entry(2, "destination", "d", "-")
            + update("source", "debits_posted") + update("destination", "credits_posted")
            + "COMMIT;\n")


def make_inputs(server: Server, sizes: List[int], copies: int = 16) -> None:
    """Batches to post: arrays in a table, so that every contestant reads its input from the server. Parts 1 and 2
    take their accounts from two halves, part 0 from all."""
    server.rows("""
        DROP SCHEMA IF EXISTS inputs CASCADE;
        CREATE SCHEMA inputs;
        CREATE UNLOGGED TABLE inputs.batches (size int, part int, n int, debit bigint[], credit bigint[], amount numeric[],
            PRIMARY KEY (size, part, n));
        ALTER TABLE inputs.batches ALTER debit SET STORAGE EXTERNAL, ALTER credit SET STORAGE EXTERNAL,
            ALTER amount SET STORAGE EXTERNAL;""")
    for size in sizes:
        server.rows(f"""
            INSERT INTO inputs.batches
            SELECT {size}, part, n, array_agg(low + debit), array_agg(low + 1 + (debit - 1 + apart) % width), array_agg(amount)
              FROM (SELECT part, n, low, width, 1 + floor(random() * width)::bigint AS debit,
                           1 + floor(random() * (width - 1))::bigint AS apart, round((random() * 1000 + 0.01)::numeric, 2) AS amount
                      FROM generate_series(1, {copies}) n,
                           (VALUES (0, 0, {ACCOUNTS}), (1, 0, {ACCOUNTS // 2}), (2, {ACCOUNTS // 2}, {ACCOUNTS // 2})) parts (part, low, width),
                           generate_series(1, {size})) lines
             GROUP BY part, n;""")
    server.rows("VACUUM ANALYZE inputs.batches;")


def batch_script(size: int, copies: int = 16, part: str = "0") -> str:
    return (f"\\set n :n % {copies} + 1\n\\set part {part}\n"
            "SELECT count(*) FROM inputs.batches b, ledger_post_batch(b.debit, b.credit, b.amount) "
            f"WHERE b.size = {size} AND b.part = :part AND b.n = :n;\n")


def batch_text_script(server: Server, size: int) -> str:
    """The same as a client sends it: three array literals in a statement."""
    arrays = server.rows(f"SELECT debit, credit, amount FROM inputs.batches WHERE size = {size} AND part = 0 AND n = 1")[0]
    debit, credit, amount = arrays
    return f"SELECT count(*) FROM ledger_post_batch('{debit}'::bigint[], '{credit}'::bigint[], '{amount}'::numeric[]);\n"
