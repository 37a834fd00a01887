"""What is measured, one function per section. Contestants take turns: A B C A B C ..."""

import itertools
import threading
import time
from typing import Callable, Dict, List, Tuple

import books
import client_library
from books import options
from results import Results
from server import Server, Slot
from settings import ACCOUNTS, BATCH_SIZES, Settings, crowd

Contestants = List[Tuple[str, Callable[[int], Slot]]]  # name, and what takes its turn in a round


class Bench:
    def __init__(self, settings: Settings, server: Server, results: Results, say: Callable[[str], None]) -> None:
        self.settings, self.server, self.results, self.say = settings, server, results, say
        self.runs = 0

    def take_turns(self, cell: str, contestants: Contestants, rounds: int, unit: int = 1) -> None:
        for number in range(rounds):
            for name, turn in contestants:
                self.results.add(cell, name, turn(number), unit)
        self.say(f"  {cell}: " + ", ".join(
            f"{name} {self.results.median(cell, name):,.0f}" for name, _ in contestants))

    def variables(self, **more: object) -> Dict[str, object]:
        self.runs += 1
        return {"n": 0, "run": self.runs, **more}

    def verify(self, ledger: str) -> None:
        found = self.server.rows(f"SELECT * FROM ledger_verify('{ledger}') LIMIT 3")
        if found:
            self.results.note(f"WRONG: ledger_verify() has findings on {ledger}: {found}")

    # Section single: one posting per transaction.

    def single(self) -> None:
        settings, server = self.settings, self.server
        books.make_ledger(server, "book_heap")
        books.make_ledger(server, "book_spi")
        books.make_plain(server, "app", like="book_heap")
        self.say(f"  pgbench's tables, scale {settings.scale}")
        server.initialise_pgbench()  # after the checkpoint, as all the books: nobody pays for full-page images

        def ledger(store: str, script: str, clients: int, **more: str) -> Callable[[int], Slot]:
            return lambda _: server.pgbench(script, clients, seconds=settings.seconds, variables=self.variables(),
                                            options=options(f"book_{store}", store, **more))

        def peer(clients: int) -> Callable[[int], Slot]:
            return lambda _: server.pgbench(None, clients, builtin="simple-update", seconds=settings.seconds, database="peer")

        def application(script: str, clients: int) -> Callable[[int], Slot]:
            return lambda _: server.pgbench(script, clients, seconds=settings.seconds, variables=self.variables())

        for workload, accounts, hot in (("10,000 accounts", ACCOUNTS, False), ("50 accounts", 50, False), ("one hot account", ACCOUNTS, True)):
            post = server.file("post.sql", books.post_script(settings, accounts, hot))
            transfer = server.file("transfer.sql", books.application_script(server, settings, "app", accounts, hot))
            for clients in settings.clients:
                headline = workload == "10,000 accounts" and clients == 8
                contestants = [("heap", ledger("heap", post, clients)), ("spi", ledger("spi", post, clients)),
                               ("application", application(transfer, clients))]
                if workload == "10,000 accounts":
                    contestants.append(("pgbench -N", peer(clients)))
                cell = f"single, {workload}, {crowd(clients)}"
                self.take_turns(cell, contestants, settings.headline_rounds if headline else settings.rounds)
                if headline:
                    free = {"synchronous_commit": "off"}
                    self.take_turns(f"{cell}, synchronous_commit off",
                                    [("heap", ledger("heap", post, clients, **free)), ("spi", ledger("spi", post, clients, **free))],
                                    settings.headline_rounds)
        self.verify("book_heap")
        self.verify("book_spi")
        wrong = server.value("""
            SELECT count(*) FROM (SELECT account_id, sum(amount) AS entries FROM app.entries GROUP BY 1) e
              JOIN app.account_balances b USING (account_id) WHERE e.entries <> b.debits_posted - b.credits_posted""")
        if wrong != "0":
            self.results.note(f"WRONG: {wrong} balances of the application's tables disagree with its entries")

    # Section batch: ledger_post_batch, beside INSERT ... SELECT of the very rows that it wrote.

    def batch(self) -> None:
        settings, server = self.settings, self.server
        books.make_ledger(server, "batch_heap")
        books.make_ledger(server, "batch_spi")
        books.make_plain(server, "ceiling", like="batch_heap")
        books.make_plain(server, "ceiling_balances", like="batch_heap")
        books.make_inputs(server, BATCH_SIZES)
        self.prepare_source("batch_heap")
        transaction_columns = ", ".join(books.columns(server, "ceiling", "transactions"))
        entry_columns = ", ".join(books.columns(server, "ceiling", "entries"))

        def insert(schema: str, update: str) -> str:
            return ("WITH headers AS (INSERT INTO {0}.transactions ({1}) SELECT {1} FROM source.transactions WHERE batch = :n)"
                    "{3} INSERT INTO {0}.entries ({2}) SELECT {2} FROM source.entries WHERE batch = :n;\n\\set n :n + 1\n"
                    ).format(schema, transaction_columns, entry_columns, update)

        raw = server.file("ceiling.sql", insert("ceiling", ""))
        raw_balances = server.file("ceiling_balances.sql", insert(
            "ceiling_balances",
            ", balances AS (UPDATE ceiling_balances.account_balances b SET debits_posted = b.debits_posted + s.debits, "
            "credits_posted = b.credits_posted + s.credits, version = b.version + s.lines, last_transaction_id = s.last "
            "FROM source.balances s WHERE s.batch = :n AND b.account_id = s.account_id)"))

        for size in BATCH_SIZES:
            script = server.file("batch.sql", books.batch_script(size))
            count = settings.batches(size)

            def heap(_: int) -> Slot:
                last = server.value("SELECT id FROM batch_heap.transactions ORDER BY id DESC LIMIT 1")
                slot = server.pgbench(script, 1, count=count, variables=self.variables(), options=options("batch_heap", "heap"))
                self.fill_source("batch_heap", last, size)
                return slot

            contestants: Contestants = [
                ("heap", heap),
                ("spi", lambda _: server.pgbench(script, 1, count=count, variables=self.variables(), options=options("batch_spi", "spi"))),
                ("ceiling", lambda _: server.pgbench(raw, 1, count=count, variables=self.variables())),
                ("ceiling and balances", lambda _: server.pgbench(raw_balances, 1, count=count, variables=self.variables())),
            ]
            headline = size == BATCH_SIZES[-1]
            self.take_turns(f"batch of {size:,}, 1 client", contestants, settings.headline_rounds if headline else settings.rounds, size)

        if not settings.quick:
            size = BATCH_SIZES[-1]
            script = server.file("batch.sql", books.batch_script(size))
            halves = server.file("halves.sql", books.batch_script(size, part=":client_id + 1"))
            text = server.file("text.sql", books.batch_text_script(server, size))

            def many(book: str, path: str, clients: int, mode: str = "prepared") -> Callable[[int], Slot]:
                return lambda _: server.pgbench(path, clients, count=settings.batches(size, clients), variables=self.variables(),
                                                options=options(f"batch_{book}", book), mode=mode)

            self.take_turns(f"batch of {size:,}, 8 clients", [("heap", many("heap", script, 8)), ("spi", many("spi", script, 8))],
                            settings.rounds, size)
            self.take_turns(f"batch of {size:,}, 2 clients on disjoint accounts",
                            [("heap", many("heap", halves, 2)), ("spi", many("spi", halves, 2))], settings.rounds, size)
            self.take_turns(f"batch of {size:,}, 1 client, arrays sent as text", [("heap", many("heap", text, 1, "simple"))],
                            settings.rounds, size)
        self.verify("batch_heap")
        self.verify("batch_spi")

    def prepare_source(self, ledger: str) -> None:
        self.server.rows(f"""
            CREATE SCHEMA source;
            CREATE UNLOGGED TABLE source.transactions (LIKE {ledger}.transactions);
            ALTER TABLE source.transactions ADD batch int NOT NULL;
            CREATE UNLOGGED TABLE source.entries (LIKE {ledger}.entries);
            ALTER TABLE source.entries ADD batch int NOT NULL;
            CREATE UNLOGGED TABLE source.balances (batch int, account_id bigint, debits numeric, credits numeric, lines int, last uuid);
            CREATE INDEX ON source.transactions (batch);
            CREATE INDEX ON source.entries (batch);
            CREATE INDEX ON source.balances (batch);""")

    def fill_source(self, ledger: str, last: str, size: int) -> None:
        """The rows that came after the id `last`, numbered by batch; what the ceilings then insert. Not timed."""
        since = f"'{last}'" if last else "'00000000-0000-0000-0000-000000000000'"
        self.server.rows(f"""
            TRUNCATE source.transactions, source.entries, source.balances;
            INSERT INTO source.transactions SELECT t.*, (row_number() OVER (ORDER BY id) - 1) / {size}
              FROM {ledger}.transactions t WHERE id > {since} ORDER BY id;
            INSERT INTO source.entries SELECT e.*, t.batch
              FROM {ledger}.entries e JOIN source.transactions t ON t.id = e.transaction_id
             WHERE e.transaction_id > {since} ORDER BY e.transaction_id, e.line;
            INSERT INTO source.balances
            SELECT batch, account_id, coalesce(sum(amount) FILTER (WHERE amount > 0), 0), coalesce(-sum(amount) FILTER (WHERE amount < 0), 0),
                   count(*), (max(transaction_id::text))::uuid
              FROM source.entries GROUP BY batch, account_id ORDER BY batch, account_id;
            VACUUM ANALYZE source.transactions, source.entries, source.balances;""")

    # Section copy: COPY into the postings view.

    def copy(self) -> None:
        settings, server = self.settings, self.server
        books.make_ledger(server, "copy_heap")
        have = books.columns(server, "copy_heap", "postings") if server.value("SELECT to_regclass('copy_heap.postings')") else []
        if not {"debit", "credit", "amount"} <= set(have):
            self.results.note("COPY was not measured: this version has no postings view to copy into")
            return
        books.make_ledger(server, "copy_spi")
        books.make_plain(server, "copy_plain", like="copy_heap")
        data = server.file("postings.csv", "")
        server.meta(f"""\\copy (SELECT 'customer:' || d, 'customer:' || 1 + d % {ACCOUNTS}, round((random() * 1000 + 0.01)::numeric, 2)
            FROM (SELECT 1 + floor(random() * {ACCOUNTS})::int AS d FROM generate_series(1, {settings.copy_rows})) s) TO '{data}' (FORMAT csv)""".replace("\n", " "))
        plain = {"transactions": str(server.scratch / "transactions.copy"), "entries": str(server.scratch / "entries.copy")}

        def into(store: str) -> Slot:
            return server.timed(lambda: server.meta(f"\\copy copy_{store}.postings (debit, credit, amount) FROM '{data}' (FORMAT csv)",
                                                    options=options(f"copy_{store}", store)), settings.copy_rows)

        def heap(_: int) -> Slot:
            last = server.value("SELECT id FROM copy_heap.transactions ORDER BY id DESC LIMIT 1") or "00000000-0000-0000-0000-000000000000"
            slot = into("heap")
            server.meta(f"\\copy (SELECT * FROM copy_heap.transactions WHERE id > '{last}' ORDER BY id) TO '{plain['transactions']}'",
                        f"\\copy (SELECT * FROM copy_heap.entries WHERE transaction_id > '{last}' ORDER BY transaction_id, line) TO '{plain['entries']}'")
            return slot

        def ceiling(_: int) -> Slot:
            return server.timed(lambda: server.meta(*(f"\\copy copy_plain.{table} FROM '{path}'" for table, path in plain.items())),
                                settings.copy_rows)

        self.take_turns(f"COPY of {settings.copy_rows:,} postings",
                        [("heap", heap), ("spi", lambda _: into("spi")), ("COPY of the same rows into plain tables", ceiling)], settings.rounds)
        self.verify("copy_heap")

    # Section read.

    def read(self) -> None:
        settings, server = self.settings, self.server
        books.make_ledger(server, "book_read")
        books.make_inputs(server, [1_000])
        server.pgbench(server.file("fill.sql", books.batch_script(1_000)), 1, count=20 if settings.quick else 200,
                       variables=self.variables(), options=options("book_read", "auto", synchronous_commit="off"))
        server.rows("VACUUM ANALYZE book_read.transactions, book_read.entries, book_read.account_balances, book_read.accounts;")
        account = f"\\set account random(1, {ACCOUNTS})\n"
        sql_balance = server.file("sql_balance.sql", account + (
            "SELECT b.credits_posted - b.debits_posted FROM book_read.accounts a JOIN book_read.account_balances b ON b.account_id = a.id "
            "WHERE a.code = 'customer:' || :account;\n"))
        balance = server.file("balance.sql", account + "SELECT ledger_balance('customer:' || :account);\n")
        sql_page = server.file("sql_page.sql", account + (
            "SELECT * FROM book_read.entries WHERE account_id = :account ORDER BY account_id DESC, transaction_id DESC LIMIT 50;\n"))
        statement = server.file("statement.sql", account + "SELECT * FROM ledger_statement('customer:' || :account, \"limit\" => 50);\n")

        def turn(path: str, clients: int) -> Callable[[int], Slot]:
            return lambda _: server.pgbench(path, clients, seconds=settings.seconds, options=options("book_read", "auto"))

        for clients in [n for n in settings.clients if n <= 8]:
            self.take_turns(f"ledger_balance, {crowd(clients)}",
                            [("ledger_balance", turn(balance, clients)), ("the same in SQL", turn(sql_balance, clients))], settings.rounds)
            self.take_turns(f"ledger_statement page of 50, {crowd(clients)}",
                            [("ledger_statement", turn(statement, clients)), ("50 entries in SQL", turn(sql_page, clients))], settings.rounds)
        self.read_long_accounts()

    def read_long_accounts(self) -> None:
        """The same page, and the balance at a past time, on an account with a long history and one with a short one."""
        settings, server = self.settings, self.server
        server.rows("SELECT ledger_create('book_long');"
                    "SELECT count(ledger_open_account(code, 'liability', 'USD', ledger => 'book_long')) FROM unnest('{long,short,other}'::text[]) code;")
        # One batch on the short account at the beginning, in the middle and at the end, the others on the long one.
        batches = settings.long_entries // 1_000
        server.rows("SET ledgerflow.ledger = 'book_long'; SET synchronous_commit = off;" + "".join(
            "SELECT count(*) FROM ledger_post_batch(array_fill('{0}'::text, ARRAY[{1}]), array_fill('other'::text, ARRAY[{1}]), array_fill(1.25, ARRAY[{1}]));".format(code, rows)
            for n in range(batches) for code, rows in [("short", 333 + n % 2)] * (n in (0, batches // 2, batches - 1)) + [("long", 1_000)])
            + "VACUUM ANALYZE book_long.transactions, book_long.entries, book_long.account_balances, book_long.accounts;")
        middle = server.value("SELECT posted_at FROM book_long.transactions ORDER BY id OFFSET (SELECT count(*) / 2 FROM book_long.transactions) LIMIT 1")

        def cursor(code: str) -> str:
            return server.value(f"SELECT cursor FROM ledger_statement('{code}', \"to\" => '{middle}', \"limit\" => 1, ledger => 'book_long')")

        scripts = itertools.count()

        def turn(sql: str) -> Callable[[int], Slot]:
            path = server.file(f"long_{next(scripts)}.sql", sql + ";\n")
            return lambda _: server.pgbench(path, 1, seconds=settings.seconds, options=options("book_long", "auto"))

        def page(code: str, more: str) -> Callable[[int], Slot]:
            return turn(f"SELECT * FROM ledger_statement('{code}'{more})")

        for place, more in (("first", lambda _: ""), ("middle", lambda code: f", after => '{cursor(code)}'"), ("last", lambda _: ", newest_first => false")):
            long, short = page("long", more("long")), page("short", more("short"))
            self.take_turns(f"ledger_statement, {place} page of 100 of {settings.long_entries:,} entries",
                            [("the long account", long), ("an account of 1,000 entries", short)], settings.rounds)
        self.take_turns(f"ledger_balance_at on an account of {settings.long_entries:,} entries",
                        [("ledger_balance_at", turn(f"SELECT ledger_balance_at('long', '{middle}')")),
                         ("ledger_balance", turn("SELECT ledger_balance('long')"))], settings.rounds)

    # Section client: the C++ library.

    def client(self) -> None:
        client_library.measure(self)

    # Section disk: bytes of a two-line posting without key and texts.

    def disk(self) -> None:
        settings, server = self.settings, self.server
        books.make_inputs(server, [1_000])
        single = server.file("single.sql", books.post_script(settings, ACCOUNTS, hot=False, key=False))
        batch = server.file("batch.sql", books.batch_script(1_000))
        wanted = settings.disk_postings
        for way, script, clients, count in (("single", single, 8, wanted // 8), ("batch", batch, 1, wanted // 1_000)):
            book = f"disk_{way}"
            books.make_ledger(server, book)
            before = self.sizes(book)
            server.pgbench(script, clients, count=count, variables=self.variables(),
                           options=options(book, "heap", synchronous_commit="off"))
            after = self.sizes(book)
            postings = int(server.value(f"SELECT count(*) FROM {book}.transactions"))
            parts = {name: (size - before.get(name, 0)) / postings for name, size in after.items() if size != before.get(name, 0)}
            self.results.facts[f"disk bytes per posting, {way}"] = round(sum(parts.values()), 1)
            self.results.facts[f"disk bytes per posting, {way}, by relation"] = {name: round(size, 1) for name, size in parts.items()}
            self.say(f"  disk, {way}: {sum(parts.values()):.0f} bytes per posting ("
                     + ", ".join(f"{name} {size:.0f}" for name, size in parts.items()) + ")")

    def sizes(self, schema: str) -> Dict[str, int]:
        return {name: int(size) for name, size in self.server.rows(f"""
            SELECT relname, CASE relkind WHEN 'i' THEN pg_relation_size(oid) ELSE pg_total_relation_size(oid) - pg_indexes_size(oid) END
              FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind IN ('r', 'i', 'm') ORDER BY relname""")}

    # Section memory: one session, many postings.

    def memory(self) -> None:
        settings, server = self.settings, self.server
        books.make_ledger(server, "memory")
        script = server.file("memory.sql", books.post_script(settings, 1_000, hot=False))  # few: caches fill soon
        samples: List[Tuple[float, int]] = []
        failure: List[BaseException] = []

        def post() -> None:
            try:
                server.pgbench(script, 1, count=settings.memory_postings, variables=self.variables(),
                               options=options("memory", "heap", synchronous_commit="off"))
            except BaseException as error:  # raised where it is joined
                failure.append(error)

        worker = threading.Thread(target=post)
        worker.start()
        pid = ""
        while worker.is_alive():
            if not pid:
                pid = server.value("SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT ledger_post(%' AND pid <> pg_backend_pid()")
            else:
                kilobytes = private_memory(pid)
                if kilobytes:
                    samples.append((time.monotonic(), kilobytes))
            time.sleep(0.1)
        worker.join()
        if failure:
            raise failure[0]
        if len(samples) < 10:
            self.results.note("memory was not measured: the session was too short to sample")
            return
        # The session's caches (accounts, plans, relations) fill first; growth is what comes after a fifth of the run.
        settled, final = samples[len(samples) // 5][1], max(size for _, size in samples[-5:])
        self.results.facts["memory of a session, kB after a fifth of the postings"] = settled
        self.results.facts["memory of a session, kB at the end"] = final
        self.results.facts["memory of a session, postings"] = settings.memory_postings
        self.say(f"  memory: {settled:,} kB after a fifth of {settings.memory_postings:,} postings, {final:,} kB at the end")

    # Section layouts: what the indexes of entries cost a batch, and what could stand in their place.

    def layouts(self) -> None:
        settings, server = self.settings, self.server
        size = BATCH_SIZES[-1]
        books.make_ledger(server, "layout_ledger")
        books.make_inputs(server, [size])
        self.prepare_source("layout_ledger")
        columns = ", ".join(books.columns(server, "layout_ledger", "entries"))
        schemas = {layout: f"layout_{number}" for number, layout in enumerate(books.LAYOUTS)}
        for layout, schema in schemas.items():
            books.make_layout(server, schema, "layout_ledger", books.LAYOUTS[layout])
        count = settings.batches(size)
        script = server.file("batch.sql", books.batch_script(size))

        def ledger(_: int) -> Slot:
            last = server.value("SELECT id FROM layout_ledger.transactions ORDER BY id DESC LIMIT 1")
            slot = server.pgbench(script, 1, count=count, variables=self.variables(), options=options("layout_ledger", "heap"))
            self.fill_source("layout_ledger", last, size)
            return slot

        def raw(layout: str) -> Callable[[int], Slot]:
            schema = schemas[layout]
            order = "account_id, transaction_id" if "order of accounts" in layout else "transaction_id, line"
            values = columns
            if "8 bytes" in layout:  # the time, and what counts up within it
                values = columns.replace("transaction_id", "('x' || substr(replace(transaction_id::text, '-', ''), 2, 16))::bit(64)::bigint")
            path = server.file(f"{schema}.sql", f"INSERT INTO {schema}.entries ({columns}) SELECT {values} FROM source.entries "
                                                f"WHERE batch = :n ORDER BY {order};\n\\set n :n + 1\n")
            compressed = {"wal_compression": "on" if "wal_compression" in layout else "off"}

            def turn(_: int) -> Slot:
                if "checkpoint" in layout:
                    server.rows("CHECKPOINT")
                return server.pgbench(path, 1, count=count, variables=self.variables(), options=compressed)
            return turn

        self.take_turns(f"entries of batches of {size:,}, raw", [("ledger_post_batch", ledger), *((layout, raw(layout)) for layout in schemas)],
                        settings.headline_rounds, size)
        entries = int(server.value("SELECT count(*) FROM layout_0.entries"))
        for layout, schema in schemas.items():
            bytes_per_posting = 2 * sum(self.sizes(schema).values()) / entries
            self.results.facts[f"disk bytes of a posting's entries, {layout}"] = round(bytes_per_posting, 1)
            self.say(f"  {layout}: {bytes_per_posting:.0f} bytes for the entries of a posting")

        server.rows(";".join(f"VACUUM ANALYZE {schema}.entries" for schema in schemas.values()))
        identifier = server.value("SELECT transaction_id FROM layout_0.entries OFFSET 12345 LIMIT 1")

        def read(layout: str, condition: str) -> Callable[[int], Slot]:
            path = server.file(f"read_{schemas[layout]}.sql", f"SELECT * FROM {schemas[layout]}.entries WHERE {condition};\n")
            return lambda _: server.pgbench(path, 1, seconds=settings.seconds, variables=self.variables())

        self.take_turns("entries of one transaction, read", [(layout, read(layout, f"transaction_id = '{identifier}'"))
                                                             for layout in ("both indexes, as in a ledger", "BRIN by transaction")], settings.rounds)
        page = "account_id = 77 ORDER BY account_id DESC, transaction_id DESC LIMIT 50"
        self.take_turns("last 50 entries of an account, read", [(layout, read(layout, page))
                                                                for layout in ("both indexes, as in a ledger", "by account alone")], settings.rounds)

    # Section seal: hashing what was posted, beside the plainest question to the same entries.

    def seal(self) -> None:
        settings, server = self.settings, self.server
        books.make_ledger(server, "sealed")
        books.make_inputs(server, [1_000])
        server.pgbench(server.file("fill.sql", books.batch_script(1_000)), 1, count=settings.seal_entries // 2_000,
                       variables=self.variables(), options=options("sealed", "auto", synchronous_commit="off"))
        server.rows("VACUUM ANALYZE sealed.transactions, sealed.entries, sealed.account_balances, sealed.accounts;")
        entries = int(server.value("SELECT count(*) FROM sealed.entries"))
        one_core = {"max_parallel_workers_per_gather": "0"}

        def turn(sql: str) -> Callable[[int], Slot]:
            return lambda _: server.timed(lambda: server.rows(sql, options=one_core), entries)

        self.take_turns(f"entries sealed, {entries:,}", [
            ("ledger_seal", turn("BEGIN; SELECT root FROM ledger_seal('sealed'); ROLLBACK;")),
            ("sum(amount) by account", turn("SELECT count(*) FROM (SELECT account_id, sum(amount) FROM sealed.entries GROUP BY 1) s"))],
            settings.rounds)
        server.rows("SELECT ledger_seal('sealed'); VACUUM ANALYZE sealed.seal_blocks;")
        self.take_turns(f"entries verified against their seal, {entries:,}",
                        [("ledger_verify_seal", turn("SELECT count(*) FROM ledger_verify_seal(ledger => 'sealed')"))], settings.rounds)
        if server.rows("SELECT * FROM ledger_verify_seal(ledger => 'sealed') LIMIT 1"):
            self.results.note("WRONG: ledger_verify_seal() has findings")

    # Section large: a ledger of millions of entries against an empty one.

    def large(self) -> None:
        settings, server = self.settings, self.server
        if not settings.large_entries:
            self.results.note("The ledger of 5 million entries is measured in full runs only")
            return
        books.make_ledger(server, "large")
        size = 10_000
        fill = server.file("fill.sql", f"""SELECT count(*) FROM (
            SELECT array_agg(d) AS debit, array_agg(1 + (d - 1 + apart) % {ACCOUNTS}) AS credit, array_agg(amount) AS amount, array_agg(key) AS key
              FROM (SELECT 1 + floor(random() * {ACCOUNTS})::bigint AS d, 1 + floor(random() * {ACCOUNTS - 1})::bigint AS apart,
                           round((random() * 1000 + 0.01)::numeric, 2) AS amount,
                           (random() * 1e9)::bigint * 1000000000 + (random() * 1e9)::bigint || '' AS key
                      FROM generate_series(1, {size})) lines) b,
            ledger_post_batch(b.debit, b.credit, b.amount, b.key);
            """.replace("\n", " ") + "\n")
        started = time.monotonic()
        server.pgbench(fill, 1, count=max(1, settings.large_entries // 2 // size), options=options("large", "heap", synchronous_commit="off"))
        server.rows("VACUUM ANALYZE large.transactions, large.entries, large.idempotency_keys, large.account_balances;")
        self.say(f"  filled with {settings.large_entries:,} entries in {time.monotonic() - started:.0f} s")
        post = server.file("post.sql", books.post_script(settings, ACCOUNTS, hot=False))
        for number in range(settings.headline_rounds):
            books.make_ledger(server, f"empty_{number}")

        def turn(book: Callable[[int], str]) -> Callable[[int], Slot]:
            return lambda number: server.pgbench(post, 8, seconds=settings.seconds, variables=self.variables(),
                                                 options=options(book(number), "heap"))

        self.take_turns("single, 10,000 accounts, 8 clients, size of the ledger",
                        [("empty", turn(lambda number: f"empty_{number}")), ("large", turn(lambda _: "large"))], settings.headline_rounds)
        self.verification()

    def verification(self) -> None:
        """What the ledger of the section large costs to prove, beside one sum over its entries."""
        server, entries = self.server, self.settings.large_entries
        # Back to what was analyzed: the postings of the turns before are in it by now.
        server.rows("VACUUM ANALYZE large.transactions, large.entries, large.idempotency_keys, large.account_balances;")

        def timed(sql: str) -> Callable[[int], Slot]:
            return lambda _: server.timed(lambda: server.rows(sql), entries)

        self.take_turns("verification, entries a second",
                        [("GROUP BY", timed("SELECT count(*) FROM (SELECT account_id, sum(amount) FROM large.entries GROUP BY 1) x")),
                         ("ledger_verify", timed("SELECT count(*) FROM ledger_verify('large')"))], self.settings.headline_rounds)
        self.verify("large")


def private_memory(pid: str) -> int:
    """Kilobytes of a backend that are its own: not shared buffers, not mapped files."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0
