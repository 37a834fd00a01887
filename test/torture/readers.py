"""The sessions of concurrency.py that read what others write: each sees one state of the books, or tells."""

import time
from datetime import datetime, timedelta, timezone

from books import Books
from harness import check, figures
from writers import DOLLARS, SKEW, Session

FORMS = """
    SELECT a.code, b.balance, b.available, b.version, ledger_balance(a.code), ledger_available(a.code),
           ledger_balance_at(a.code, 'infinity'), ledger_balance_at(a.code, 'infinity', 'effective'),
           (SELECT coalesce(sum(e.amount), 0) FROM entries e WHERE e.account_id = a.id),
           (SELECT count(*) FROM entries e WHERE e.account_id = a.id),
           coalesce((SELECT s.balance FROM ledger_statement(a.code, "limit" => 1) s), 0),
           (SELECT t.debit - t.credit FROM ledger_trial_balance() t WHERE t.account = a.code), t.normal_side
      FROM balances b JOIN accounts a ON a.code = b.account JOIN account_types t ON t.code = a.type"""
STATEMENT = """
    SELECT transaction_id::text, line, debit, credit, balance, cursor
      FROM ledger_statement(%s, after => %s, "limit" => %s, newest_first => %s)"""
PAST = {
    "balances": "SELECT account, balance, available, debits_posted, credits_posted, debits_pending, credits_pending, min_balance,"
                " max_balance, status, version, last_transaction_id FROM balances ORDER BY account",
    "functions": "SELECT code, ledger_balance(code), ledger_available(code), ledger_balance_at(code, 'infinity')"
                 " FROM accounts ORDER BY code",
    "trial balance": "SELECT * FROM ledger_trial_balance() ORDER BY account",
    "open holds": "SELECT * FROM open_holds ORDER BY hold, line",
    "journal": "SELECT count(*), sum(balance_after), max(transaction_id::text) FROM journal",
    "statement": "SELECT * FROM ledger_statement('w1', \"limit\" => 50)",
    "transactions": "SELECT transaction_id, amount, status FROM ledger_find_transactions(account => 'card', \"limit\" => 50)",
}


class Reader(Session):
    def end(self):
        """What is left to do once nobody writes any more."""


class SnapshotReader(Reader):
    """Reads the books in several statements of one transaction, by the tables and by the functions, and compares."""

    def __init__(self, history, name):
        super().__init__(history, name)
        self.seen = []  # of each snapshot: its entries of each account, as (how many, hash)

    def step(self):
        mode = self.random.choice(("REPEATABLE READ", "REPEATABLE READ READ ONLY", "SERIALIZABLE", "SERIALIZABLE READ ONLY",
                                   "SERIALIZABLE READ ONLY DEFERRABLE"))
        self.rows(f"BEGIN ISOLATION LEVEL {mode}")
        self.rows("SELECT count(*) FROM accounts")  # now it has its snapshot, and others go on
        forms = self.random.sample([self.functions, self.statement, self.effective], 3)
        told = [form() for form in forms[:2]]
        books = Books(self.connection, self.history.ledger)
        told += [form() for form in forms[2:]]
        self.rows("COMMIT")
        what = f"{self.history.name}, snapshot {len(self.seen)} ({mode})"
        check(f"{what}: the books", [], list(books.check())[:5])
        for judge in told:
            judge(what, books)
        if self.history.is_serializable:
            check(f"{what}: the rule of the users", True, sum(books.balance(books.id_of[code]) for code in SKEW) >= 0)
        self.seen.append({account: (len(entries), hash(tuple(entries))) for account, entries in books.entries.items()})
        figures.add("snapshots checked")

    def functions(self):
        found = self.rows(FORMS)

        def judge(what, books):
            check(f"{what}: as many accounts", len(books.accounts), len(found))
            check_forms(what, found)
            for code, balance, available, version, *_ in found:
                account = books.accounts[books.id_of[code]]
                own, entries = books.balance(account.id), books.entries[account.id]
                less = books.reserved(account.id)[account.sign > 0]
                check(f"{what}: {code}", (own, own - less, len(entries)), (balance, available, version))
        return judge

    def statement(self):
        """All pages of a statement."""
        code, size, newest = self.random.choice(DOLLARS), self.random.choice((1, 3, 10, 50)), self.random.random() < 0.5
        found, page, cursor = [], [None] * size, None
        while len(page) == size and len(found) < 40 * size:
            page = self.rows(STATEMENT, code, cursor, size, newest)
            found += page
            cursor = page[-1][-1] if page else cursor
            figures.add("statement pages walked")
        is_whole = len(page) < size

        def judge(what, books):
            expected = expected_lines(books, code)[:: -1 if newest else 1]
            check(f"{what}: statement of {code}, pages of {size}", expected if is_whole else expected[: len(found)],
                  [row[:-1] for row in found])
        return judge

    def effective(self):
        at = datetime.now(timezone.utc) - timedelta(days=self.random.randint(-1, 6), seconds=self.random.randint(0, 5))
        found = dict(self.rows("SELECT code, ledger_balance_at(code, %s, 'effective') FROM accounts", at))

        def judge(what, books):
            for id, account in books.accounts.items():
                expected = account.sign * sum(e.amount for e in books.entries[id] if books.transactions[e.transaction].effective_at <= at)
                check(f"{what}: {account.code} effective at {at}", expected, found[account.code])
        return judge


def expected_lines(books, code):
    """An account's lines as its statement has them."""
    account = books.id_of[code]
    return [(e.transaction, e.line, e.amount if e.amount > 0 else None, -e.amount if e.amount < 0 else None,
             books.accounts[account].sign * e.balance_after) for e in books.entries[account]]


def check_forms(what, found):
    for code, balance, available, version, by_function, available_by_function, at, effective, net, lines, statement, trial, side in found:
        sign = 1 if side == "debit" else -1
        check(f"{what}: {code} by every road", (balance,) * 5, (by_function, at, effective, sign * net, statement))
        check(f"{what}: {code}, what is available, its version and the trial balance", (available, version, sign * balance),
              (available_by_function, lines, trial))


class PageReader(Reader):
    """Reads single statements, each with a snapshot of its own, and pages of statements from commit to commit."""

    def __init__(self, history, name):
        super().__init__(history, name)
        self.oldest = {code: ([], None) for code in ("bank", "w1")}  # rows so far, cursor
        self.newest, self.walk = [], None  # finished walks as (code, rows); the one under way as (code, rows, cursor)

    def step(self):
        check_forms(f"{self.history.name}, one statement", self.rows(FORMS))
        figures.add("snapshots checked")
        for code in self.oldest:
            self.follow(code, self.random.randint(1, 40))
        for _ in range(self.random.randint(1, 20)):
            code, found, cursor = self.walk or (self.random.choice(DOLLARS), [], None)
            size = self.random.randint(1, 60)
            page = self.rows(STATEMENT, code, cursor, size, True)
            figures.add("statement pages walked")
            found += [row[:-1] for row in page]
            self.walk = (code, found, page[-1][-1]) if len(page) == size else None
            if self.walk is None:
                self.newest.append((code, found))

    def follow(self, code, size):
        found, cursor = self.oldest[code]
        page = self.rows(STATEMENT, code, cursor, size, False)
        figures.add("statement pages walked")
        self.oldest[code] = (found + [row[:-1] for row in page], page[-1][-1] if page else cursor)
        return len(page) == size

    def end(self):
        for code in self.oldest:
            while self.follow(code, 100):
                pass

    def judge(self, books):
        for code, (found, _) in self.oldest.items():
            check(f"{self.history.name}: pages of {code}, oldest first", expected_lines(books, code), found)
        for code, found in self.newest:
            lines = expected_lines(books, code)
            check(f"{self.history.name}: pages of {code}, newest first", lines[: len(found)][::-1], found)


class PastReader(Reader):
    """Reads the books as of moments, again and again: they never change once all that was under way then has ended."""

    def __init__(self, history, name):
        super().__init__(history, name)
        self.moments, self.first = [], {}

    def step(self):
        if len(self.moments) < 4 or self.random.random() < 0.2:
            (at,), = self.rows(self.random.choice(("SELECT clock_timestamp()", "SELECT max(posted_at) FROM transactions")))
            self.moments.append((at, time.monotonic()))
        at, taken = self.random.choice(self.moments[-12:])
        if all(writer.began is None or writer.began > taken for writer in self.history.writers):
            self.read(at)
        else:
            time.sleep(0.002)

    def read(self, at):
        self.rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.rows("SET LOCAL ledgerflow.as_of = %s", at.isoformat())
        found = {name: self.rows(query) for name, query in PAST.items()}
        self.rows("COMMIT")
        if at not in self.first:
            self.first[at] = found
        for name in PAST:
            check(f"{self.history.name}: {name} as of {at.isoformat()} as read before", self.first[at][name], found[name])
        figures.add("readings of the past")

    def end(self):
        for at, _ in self.moments:
            self.read(at)

    def judge(self, books):
        for at, found in self.first.items():
            what = f"{self.history.name}: as of {at.isoformat()}"
            check(f"{what}: the functions as the view", [(row[0], *row[1:3], row[1]) for row in found["balances"]], found["functions"])
            for code, balance, available, debits, credits, *pending, floor, ceiling, status, version, _ in found["balances"]:
                account = books.accounts[books.id_of[code]]
                own = books.standing_at(account.id, at)
                check(f"{what}: {code}", own, (version, debits - credits, *pending, floor, ceiling, status))
                check(f"{what}: {code} in its sign", account.sign * own.net, balance)
                check(f"{what}: {code} is above its floor", True, floor is None or available >= floor)
