"""The sessions that write the books which copies.py copies."""

import contextlib
import threading
import traceback

from harness import *

DATABASE = "books"
LEDGERS = ("ledger", 'tenant "2"')
WALLETS = 8
RETRIED = {"40001", "40P01"}
REFUSED = {"LF040", "LF061", "LF063", "LF064"}


class Operation:
    """A call under idempotency keys, and what came of it."""

    def __init__(self, ledger, keys, statement, arguments):
        self.ledger, self.keys, self.statement, self.arguments = ledger, keys, statement, arguments
        self.began, self.ended = time.monotonic(), None
        self.ids = None  # one for each key
        self.state = None  # why it was refused


class Customer:
    """Makes random calls on a connection and remembers what can be captured and reversed."""

    def __init__(self, connection, rng, name):
        self.connection, self.rng, self.name = connection, rng, name
        self.number = 0
        self.holds = {ledger: [] for ledger in LEDGERS}
        self.postings = {ledger: [] for ledger in LEDGERS}
        rows(connection, "SET search_path = lf")

    def request(self, ledger):
        rng = self.rng
        self.number += 1
        key = f"{self.name}-{self.number}"
        amount = f"{rng.randint(1, 5000) / 100:.2f}"
        wallets = [f"wallet:{number}" for number in rng.sample(range(1, WALLETS + 1), 2)]
        source, destination = rng.choice([("bank", wallets[0]), ("bank", wallets[0]), wallets])
        kind = rng.choice(["post"] * 4 + ["lines", "wei", "batch", "hold", "hold", "capture", "capture", "release", "reverse", "reverse"])
        if kind in ("capture", "release") and not self.holds[ledger] or kind == "reverse" and not self.postings[ledger]:
            kind = "hold" if kind != "reverse" else "post"
        if kind == "post":
            at = f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)} 12:00+00" if rng.random() < 0.2 else None
            reference = key if rng.random() < 0.3 else None
            return Operation(ledger, [key], "SELECT ledger_post(%s, %s, %s::numeric, %s, %s, %s, %s::timestamptz, %s::jsonb, ledger => %s)",
                             (source, destination, amount, key, reference, "Größe\t'\\", at, f'{{"n": {self.number}}}', ledger))
        if kind == "lines":
            return Operation(ledger, [key], "SELECT ledger_post(ARRAY[ledger_debit('bank', %s + 1), ledger_credit(%s, %s), ledger_credit(%s, 1)], %s, ledger => %s)",
                             (float(amount), wallets[0], float(amount), wallets[1], key, ledger))
        if kind == "wei":
            return Operation(ledger, [key], "SELECT ledger_post('wei:1', 'wei:2', %s, %s, ledger => %s)",
                             (f"{rng.randint(1, 10**9)}.{rng.randint(1, 10**18 - 1):018d}", key, ledger))
        if kind == "batch":
            keys = [f"{key}.{item}" for item in range(rng.randint(1, 20))]
            return Operation(ledger, keys, "SELECT transaction_id FROM ledger_post_batch(%s::text[], %s::text[], %s::numeric[], %s, ledger => %s) ORDER BY item",
                             (["bank"] * len(keys), [f"wallet:{rng.randint(1, WALLETS)}" for _ in keys], [amount] * len(keys), keys, ledger))
        if kind == "hold":
            expires = "1 hour" if rng.random() < 0.5 else "0.3 seconds" if rng.random() < 0.3 else None
            return Operation(ledger, [key], "SELECT ledger_hold(%s, %s, %s::numeric, %s, expires_in => %s::interval, ledger => %s)",
                             (source, destination, amount, key, expires, ledger))
        if kind == "reverse":
            return Operation(ledger, [key], "SELECT ledger_reverse(%s, 'torture', idempotency_key => %s, ledger => %s)",
                             (rng.choice(self.postings[ledger]), key, ledger))
        hold = self.holds[ledger].pop(rng.randrange(len(self.holds[ledger])))
        if kind == "release":
            return Operation(ledger, [key], "SELECT %s FROM ledger_release(%s, idempotency_key => %s, ledger => %s)", (hold, hold, key, ledger))
        return Operation(ledger, [key], "SELECT ledger_capture(%s, %s::numeric, %s, %s, ledger => %s)",
                         (hold, rng.choice([None, "0.01"]), rng.random() < 0.7, key, ledger))

    def perform(self, operation, tolerated=frozenset):
        """Sends it until it is answered or refused; an error that is neither is a failure."""
        while True:
            try:
                operation.ids = [row[0] for row in rows(self.connection, operation.statement, *operation.arguments)]
                break
            except psycopg2.Error as error:
                if sqlstate(error) in RETRIED or sqlstate(error) in tolerated():
                    figures.add("retried")
                    continue
                operation.state = sqlstate(error) or str(error)
                check(f"{operation.statement} {operation.arguments}: refused for a reason, not: {error}", True,
                      operation.state in REFUSED or operation.state == "LF062" and "hold" in str(error))
                break
        operation.ended = time.monotonic()
        if operation.ids and "ledger_hold" in operation.statement:
            self.holds[operation.ledger].append(operation.ids[0])
        elif operation.ids and "ledger_release" not in operation.statement:
            self.postings[operation.ledger] = self.postings[operation.ledger][-20:] + operation.ids[:1]
        return operation


class Load:
    """Customers of both stores on the server, each in a thread, and one that seals and verifies."""

    def __init__(self, server, customers=4):
        self.server, self.operations, self.roots = server, [], []
        self.stopping, self.tolerated = threading.Event(), frozenset()
        self.locks = [threading.Lock() for _ in range(customers + 1)]
        self.threads = [threading.Thread(target=self._guarded, args=(self._customer, number)) for number in range(customers)]
        self.threads.append(threading.Thread(target=self._guarded, args=(self._keeper, customers)))
        for thread in self.threads:
            thread.start()

    def _guarded(self, body, number):
        try:
            body(number)
        except Exception as error:  # a thread's end must not go unseen
            check(f"session {number} goes on to the end", None, "".join(traceback.format_exception(error)))

    def _customer(self, number):
        store = ("auto", "spi")[number % 2]  # auto: heap, but for the time that pg_repack's triggers are there
        customer = Customer(self.server.connect(DATABASE, options=f"-c ledgerflow.store={store}"), randomness("customer", number), f"c{number}")
        while not self.stopping.is_set():
            with self.locks[number]:
                operation = customer.request(customer.rng.choice(LEDGERS))
                self.operations.append(operation)
                customer.perform(operation, lambda: self.tolerated)
            time.sleep(customer.rng.random() * 0.02)  # what counts are copies, not postings

    def _keeper(self, number):
        connection, rng = self.server.connect(DATABASE), randomness("keeper")
        rows(connection, "SET search_path = lf")
        while not self.stopping.wait(rng.random() * 0.5):
            ledger = rng.choice(LEDGERS)
            with self.locks[number]:
                try:
                    root, is_new = rows(connection, "SELECT root, is_new FROM ledger_seal(%s)", ledger)[0]
                    if is_new:
                        self.roots.append((time.monotonic(), ledger, root))
                    check("ledger_verify_incremental under load", [], rows(connection, "SELECT * FROM ledger_verify_incremental(ledger => %s)", ledger))
                    rows(connection, "SELECT ledger_maintain(%s)", ledger)
                except psycopg2.Error as error:
                    if sqlstate(error) not in RETRIED | self.tolerated:
                        raise

    @contextlib.contextmanager
    def paused(self):
        with contextlib.ExitStack() as stack:
            for lock in self.locks:
                stack.enter_context(lock)
            yield

    @contextlib.contextmanager
    def tolerating(self, *states):
        """While these errors may come, everything is repeated until it is answered."""
        self.tolerated = frozenset(states)
        yield
        with self.paused():
            self.tolerated = frozenset()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
