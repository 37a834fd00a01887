"""The sessions of concurrency.py that write."""

import itertools
import threading
import time
from collections import namedtuple
from decimal import Decimal

import psycopg2

from harness import STORES, figures, randomness, rows, sqlstate

LEVELS = ("read committed", "repeatable read", "serializable")
ATTEMPTS = 25
RETRIED = {"40001": "serialization failures", "40P01": "deadlocks"}
REFUSALS = {  # what a call can be refused for when others were faster
    "LF040", "LF041", "LF043",  # insufficient_balance, limit_exceeded, account_frozen
    "LF046", "LF049",  # version_conflict, transaction_out_of_order
    "LF061", "LF062", "LF063", "LF064"}  # hold_not_pending, hold_expired, hold_amount_exceeded, already_reversed
ACCOUNTS = (  # code, type, currency, floor, ceiling
    ("bank", "asset", "USD", None, None), ("fees", "income", "USD", None, None), ("cash", "asset", "USD", 0, 2000),
    ("w1", "liability", "USD", 0, None), ("w2", "liability", "USD", 0, 400), ("w3", "liability", "USD", -30, None),
    ("card", "liability", "USD", 0, 300), ("euros", "asset", "EUR", 0, None), ("euros:sold", "equity", "EUR", None, None),
    ("skew:a", "liability", "USD", None, None), ("pot:a", "asset", "USD", None, None),
    ("skew:b", "liability", "USD", None, None), ("pot:b", "asset", "USD", None, None))
DOLLARS = ("bank", "fees", "cash", "w1", "w2", "w3", "card")
LIMITED = ("cash", "w1", "w2", "w3", "card")
# Accounts without limits. Who debits one of them first looks at both together, in one of these ways.
SKEW = ("skew:a", "skew:b")
LOOKS = (
    "SELECT ledger_balance('skew:a') + ledger_balance('skew:b')",
    "SELECT ledger_available('skew:b') + ledger_available('skew:a')",
    "SELECT ledger_balance_at('skew:a', 'infinity') + ledger_balance_at('skew:b', 'infinity')",
    "SELECT sum(balance) FROM balances WHERE account IN ('skew:a', 'skew:b')",
    "SELECT sum(credits_posted - debits_posted) FROM account_balances JOIN accounts ON id = account_id WHERE code ~ '^skew'",
    "SELECT coalesce(-sum(amount), 0) FROM entries JOIN accounts ON id = account_id WHERE code ~ '^skew'",
    "SELECT sum(credit - debit) FROM ledger_trial_balance() WHERE account IN ('skew:a', 'skew:b')",
    "SELECT coalesce((SELECT balance FROM ledger_statement('skew:a', \"limit\" => 1)), 0)"
    " + coalesce((SELECT balance FROM ledger_statement('skew:b', \"limit\" => 1)), 0)")

# A posting by INSERT, and when its entries were there: from then until the end of the transaction its accounts are locked.
RAW = """
CREATE TABLE {0}.adopted (transaction uuid PRIMARY KEY, at timestamptz NOT NULL);
CREATE FUNCTION {0}.insert_raw(tag text, debit text, credit text, amount numeric) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    made uuid;
BEGIN
    INSERT INTO transactions (description) VALUES (tag) RETURNING id INTO made;
    INSERT INTO entries (transaction_id, line, account_id, amount)
    SELECT made, v.line, a.id, v.amount FROM (VALUES (1, debit, insert_raw.amount), (2, credit, -insert_raw.amount)) v (line, code, amount) JOIN accounts a USING (code);
    INSERT INTO adopted VALUES (made, clock_timestamp());
    RETURN made;
END $$"""

# What a call is to leave in the books: a transaction or hold under this tag, with these lines (None: not known before).
Part = namedtuple("Part", "tag lines is_hold", defaults=(None, False))
Call = namedtuple("Call", "kind statement arguments parts version", defaults=((), None))
# What a session was told of a part: its id (None where the call tells none), and when it was sent and acknowledged.
Told = namedtuple("Told", "part id call sent acknowledged")


def mirrored(lines, amount):
    """The lines of a part of a posting of two lines: of its capture by 1, of its reversal by -1."""
    return [(code, amount if line > 0 else -amount) for code, line in lines]


class Refused(Exception):
    """The call, and the transaction with it, will not do."""


class Session(threading.Thread):
    """A thread with a connection of its own. What goes wrong in it stops the round."""

    def __init__(self, history, name):
        super().__init__(name=name, daemon=True)
        self.history, self.random, self.error = history, randomness(history.number, name), None
        self.connection = history.connect(name)

    def rows(self, statement, *arguments):
        return rows(self.connection, statement, *arguments)

    def run(self):
        try:
            while not self.history.stopped.is_set():
                try:
                    self.step()
                except psycopg2.Error as error:
                    self.go_on_after(error)
        except Exception as error:  # pylint: disable=broad-except
            self.error = f"{type(error).__name__}: {error}"
            self.history.stopped.set()

    def step(self):
        raise NotImplementedError

    def go_on_after(self, error):
        """The same session goes on after a conflict with others."""
        if sqlstate(error) not in RETRIED:
            raise error
        figures.add(RETRIED[sqlstate(error)])
        self.rows("ROLLBACK")


class Keeper(Session):
    """Moves rows to other places meanwhile: sessions remember where they found an account's."""

    def step(self):
        self.rows(self.random.choice((
            "VACUUM account_balances", "VACUUM FULL account_balances", "CLUSTER account_balances USING account_balances_pkey",
            "REINDEX TABLE account_balances", "VACUUM (FREEZE) entries", "REINDEX TABLE entries", "REINDEX TABLE idempotency_keys",
            "VACUUM FULL hold_lines", "ANALYZE")))
        figures.add("tables rewritten or cleaned")
        self.history.stopped.wait(self.random.random() * 0.4)


class Writer(Session):
    def __init__(self, history, name):
        super().__init__(history, name)
        self.told, self.began, self.modes, self.count = [], None, {}, itertools.count()

    def step(self):
        level, store = self.history.level, self.history.store
        level = self.random.choice(LEVELS) if level == "mixed" else level
        store = self.random.choice(STORES) if store == "mixed" else store
        chance = self.random.random()
        if chance < 0.12:
            # In a mixed round they are serializable: one that is not can break the rule for all.
            self.transact([self.check_then_post()], "serializable" if self.history.level == "mixed" else level, store)
        elif chance < 0.75:
            self.transact([self.call()], level, store, alone=True)
        else:
            self.transact([self.call() for _ in range(self.random.randint(2, 4))], level, store)

    def transact(self, calls, level, store, alone=False):
        """Until it is committed or given up: the same requests, under the same tags, in a new transaction."""
        ending = "COMMIT" if alone else self.random.choices(("COMMIT", "ROLLBACK", "PREPARE"), (8, 1, 1))[0]
        for _ in range(ATTEMPTS):
            self.began = time.monotonic()
            try:
                self.told += self.attempt(calls, level, store, alone, ending)
                return
            except Refused:
                self.rows("ROLLBACK")
                return
            except psycopg2.Error as error:
                self.go_on_after(error)
            finally:
                self.began = None
        figures.add("transactions given up")

    def attempt(self, calls, level, store, alone, ending):
        self.use("default_transaction_isolation", level)
        self.use("ledgerflow.store", store)
        told = []
        if not alone:
            self.rows("BEGIN")
        for call in calls:
            savepoint = not alone and self.random.random() < 0.5
            if savepoint:
                self.rows("SAVEPOINT here")
            sent = time.monotonic()
            figures.add("operations")
            try:
                call = call() if callable(call) else call
                answers = self.rows(call.statement, *call.arguments)
            except psycopg2.Error as error:
                if sqlstate(error) in RETRIED:
                    raise
                figures.add("refused")
                if sqlstate(error) not in REFUSALS:
                    raise
                if not savepoint:
                    raise Refused from error
                self.rows("ROLLBACK TO here")
                continue
            if savepoint and self.random.random() < 0.15:
                self.rows("ROLLBACK TO here")
            else:
                told += [Told(part, id, call, sent, None) for part, id in self.answered(call, answers)]
        if ending == "PREPARE":
            name = f"{self.history.ledger} {self.name} {next(self.count)}"
            self.rows("PREPARE TRANSACTION %s", name)
            ending = self.random.choice(("COMMIT", "COMMIT", "ROLLBACK"))
            self.rows(f"{ending} PREPARED %s", name)
            figures.add("prepared transactions")
        elif not alone:
            self.rows(ending)
        if ending == "ROLLBACK":
            return []
        now = time.monotonic()
        for one in told:
            if one.id and one.part.lines and one.call.kind not in ("check then post", "funds"):
                (self.history.holds if one.part.is_hold else self.history.posted).append((one.id, one.part.lines))
        figures.add("acknowledged", len(told))
        return [one._replace(acknowledged=now) for one in told]

    def use(self, setting, wanted):
        if self.modes.get(setting) != wanted:
            self.rows(f"SET {setting} = '{wanted}'")
            self.modes[setting] = wanted

    @staticmethod
    def answered(call, answers):
        """The parts that were done, with their ids."""
        if call.kind == "batch":
            done = [(part, id) for part, (_, id, status) in zip(call.parts, answers) if status == "posted"]
            figures.add("refused", len(answers) - len(done))
            return done
        if call.kind == "rows":
            return [(part, None) for part in call.parts]
        return list(zip(call.parts, (answers[0][0], None) if call.kind != "hold and capture" else (None, answers[0][0])))

    # Requests

    def tag(self):
        return f"{self.name} {next(self.count)}"

    def amount(self):
        return Decimal(self.random.randint(1, 6000)) / 100

    def call(self):
        return self.random.choices((
            self.post, self.post_lines, self.post_at_version, self.post_to_limit, self.keyed, self.hold, self.hold_lines,
            self.hold_and_capture, self.capture, self.release, self.raise_hold, self.reverse, self.batch, self.insert_rows,
            self.insert_raw, self.freeze, self.unfreeze, self.set_limits, self.maintain),
            (20, 8, 4, 6, 16, 10, 4, 3, 14, 5, 4, 7, 6, 3, 3, 0.7, 5, 3, 1))[0]()

    def post(self, function="ledger_post", accounts=None, amount=None, options="", kind="post"):
        debit, credit = accounts or self.random.sample(DOLLARS, 2)
        amount, tag = amount or self.amount(), self.tag()
        if function == "ledger_post" and not accounts and self.random.random() < 0.1:
            options += f", effective_at => now() - interval '{self.random.randint(0, 5)} days'"
        return Call(kind, f"SELECT {function}(%s, %s, %s, description => %s{options})", (debit, credit, amount, tag),
                    (Part(tag, [(debit, amount), (credit, -amount)], function == "ledger_hold"),))

    def post_lines(self, function="ledger_post"):
        """A payment with a fee, an exchange, or accounts that occur more than once."""
        amount, fee, (a, b, c) = self.amount(), Decimal("0.25"), self.random.sample(DOLLARS, 3)
        lines = self.random.choice((
            [(a, amount + fee), (b, -amount), (c, -fee)],
            [(a, amount), (b, fee), (a, fee), (c, -amount), (b, -fee), (c, -fee)],
            [("euros", amount), ("euros:sold", -amount), (a, fee), (b, -fee)],
            [("euros:sold", amount), ("euros", -amount), (a, -fee), (b, fee)]))
        tag, words = self.tag(), []
        for _, line in lines:
            words.append("ledger_debit(%s, %s)" if line > 0 else "ledger_credit(%s, %s)")
        arguments = [value for code, line in lines for value in (code, abs(line))]
        return Call("lines", f"SELECT {function}(ARRAY[{', '.join(words)}], description => %s)", (*arguments, tag),
                    (Part(tag, lines, function == "ledger_hold"),))

    def post_at_version(self):
        accounts = self.random.sample(DOLLARS, 2)

        def decide():
            version = self.rows("SELECT version FROM balances WHERE account = %s", accounts[0])[0][0]
            return self.post(accounts=accounts, options=f", expected_version => {version}")._replace(version=version)
        return decide

    def post_to_limit(self):
        """All that an account has room for, or a cent more; others are after the same."""
        code, other = self.random.choice(LIMITED), self.random.choice(("bank", "fees"))
        is_down, more = self.random.random() < 0.6, self.random.choice((0, 0, Decimal("0.01")))

        def decide():
            available, balance, floor, ceiling, side = self.rows(
                "SELECT available, balance, min_balance, max_balance, normal_side FROM balances WHERE account = %s", code)[0]
            room = available - (floor or 0) if is_down else (ceiling or balance) - balance
            accounts = [other, code] if is_down == (side == "debit") else [code, other]
            return self.post(accounts=accounts, amount=max(room, Decimal("0.01")) + more)
        return decide

    def check_then_post(self):
        side, amount, look = self.random.choice("ab"), self.amount(), self.random.choice(LOOKS)
        accounts = [f"skew:{side}", f"pot:{side}"]

        def decide():
            enough = self.rows(look)[0][0] >= amount
            if self.random.random() < 0.5:
                time.sleep(0.002)  # another one looks meanwhile
            return self.post(accounts=accounts if enough else accounts[::-1], amount=amount, kind="check then post")
        return decide

    def keyed(self):
        """Requests that several sessions send at about the same time, under one key."""
        if self.random.random() < 0.4 and self.history.holds and self.history.posted:
            function, (id, lines) = self.random.choice(
                (("capture", self.history.holds[-1]), ("reverse", self.history.posted[-1])))
            if len(lines) == 2:
                tag, amount = f"{function} {id}", Decimal("0.50")
                if function == "capture":
                    return Call("keyed", "SELECT ledger_capture(%s, 0.50, final => false, idempotency_key => %s, description => %s)",
                                (id, tag, tag), (Part(tag, mirrored(lines, amount)),))
                return Call("keyed", "SELECT ledger_reverse(%s, %s, 0.50, idempotency_key => %s)", (id, tag, tag),
                            (Part(tag, mirrored(lines, -amount)),))
        tag = f"key {next(self.history.keys) // 10}"
        shared = randomness(self.history.number, tag)
        accounts, amount = shared.sample(DOLLARS, 2), Decimal(shared.randint(1, 3000)) / 100
        function = shared.choice(("ledger_post", "ledger_post", "ledger_hold"))
        return Call("keyed", f"SELECT {function}(%s, %s, %s, description => %s, idempotency_key => %s)", (*accounts, amount, tag, tag),
                    (Part(tag, [(accounts[0], amount), (accounts[1], -amount)], function == "ledger_hold"),))

    def hold(self):
        return self.post("ledger_hold", options=self.random.choice(
            ("", "", ", expires_in => '30 milliseconds'", ", expires_in => '1 hour'")))

    def hold_lines(self):
        return self.post_lines("ledger_hold")

    def hold_and_capture(self):
        (debit, credit), amount, tag = self.random.sample(DOLLARS, 2), self.amount(), self.tag()
        return Call("hold and capture", "SELECT ledger_capture(ledger_hold(%s, %s, %s, description => %s), 0.01, description => %s)",
                    (debit, credit, amount, tag, f"{tag} captured"),
                    (Part(tag, [(debit, amount), (credit, -amount)], True),
                     Part(f"{tag} captured", [(debit, Decimal("0.01")), (credit, Decimal("-0.01"))])))

    def capture(self):
        if not self.history.holds:
            return self.hold()
        (id, lines), amount, tag = self.random.choice(self.history.holds), self.amount() / 2, self.tag()
        if len(lines) > 2 or self.random.random() < 0.3:
            return Call("capture", "SELECT ledger_capture(%s, description => %s)", (id, tag), (Part(tag),))
        amount = max(amount.quantize(Decimal("0.01")), Decimal("0.01"))
        return Call("capture", "SELECT ledger_capture(%s, %s, %s, description => %s)", (id, amount, self.random.random() < 0.4, tag),
                    (Part(tag, mirrored(lines, amount)),))

    def release(self):
        if not self.history.holds:
            return self.hold()
        return Call("release", "SELECT ledger_release(%s)", (self.random.choice(self.history.holds)[0],))

    def raise_hold(self):
        id, lines = self.random.choice(self.history.holds or [(None, ())])
        if len(lines) != 2:
            return self.hold()
        return Call("raise", "SELECT ledger_raise_hold(%s, %s)", (id, self.amount()))

    def reverse(self):
        if not self.history.posted:
            return self.post()
        (id, lines), tag = self.random.choice(self.history.posted), self.tag()
        if len(lines) > 2 or self.random.random() < 0.5:
            return Call("reverse", "SELECT ledger_reverse(%s, %s)", (id, tag), (Part(tag),))
        amount = Decimal(self.random.randint(1, 300)) / 100
        return Call("reverse", "SELECT ledger_reverse(%s, %s, %s)", (id, tag, amount), (Part(tag, mirrored(lines, -amount)),))

    def batch_items(self):
        items = [(*self.random.sample(DOLLARS, 2), self.amount(), self.tag()) for _ in range(self.random.randint(2, 6))]
        return items, tuple(Part(tag, [(debit, amount), (credit, -amount)]) for debit, credit, amount, tag in items)

    def batch(self):
        items, parts = self.batch_items()
        options = "mode => 'atomic'"
        if self.random.random() < 0.7:
            linked = [self.random.random() < 0.3 for _ in items[1:]] + [False]
            options = f"mode => 'each', linked => ARRAY{linked}"
        return Call("batch", f"SELECT * FROM ledger_post_batch(%s, %s, %s, description => %s, {options})",
                    tuple(list(column) for column in zip(*items)), parts)

    def insert_rows(self):
        items, parts = self.batch_items()
        return Call("rows", "INSERT INTO postings (debit, credit, amount, description) VALUES "
                    + ", ".join(["(%s, %s, %s, %s)"] * len(items)), tuple(itertools.chain(*items)), parts)

    def insert_raw(self):
        (debit, credit), amount, tag = self.random.sample(DOLLARS, 2), self.amount(), self.tag()
        return Call("raw", "SELECT insert_raw(%s, %s, %s, %s)", (tag, debit, credit, amount), (Part(tag, [(debit, amount), (credit, -amount)]),))

    def freeze(self):
        return Call("freeze", "SELECT ledger_freeze_account(%s, %s)",
                    (self.random.choice(LIMITED), self.random.choice(("debit", "credit", "both"))))

    def unfreeze(self):
        return Call("unfreeze", "SELECT ledger_unfreeze_account(%s)", (self.random.choice(LIMITED),))

    def set_limits(self):
        return Call("limits", "SELECT ledger_set_limits(%s, %s, %s)", (
            self.random.choice(LIMITED), self.random.choice((0, 0, 10, -30, Decimal("0.5"))), self.random.choice((None, 300, 400, 1000))))

    def maintain(self):
        return Call("maintain", "SELECT * FROM ledger_maintain()", ())
