#!/usr/bin/python3
"""Histories of concurrent sessions on a few hot accounts, held against what every session was told.

Each round is a ledger of its own in one isolation level (or all of them mixed) on one store (or both). Its writers post,
hold, capture, reverse, batch, freeze and change limits, in single calls and in transactions of several; its readers
look meanwhile. What they saw and what came of it is judged by books.py.
"""

import itertools
import threading
from collections import defaultdict, deque

from books import Books
from harness import SECONDS, STORES, Figures, Server, check, figures, finish, randomness, seconds_left, verified
from readers import PageReader, PastReader, SnapshotReader
from writers import ACCOUNTS, LEVELS, RAW, SKEW, Keeper, Writer

WRITERS = 6
FUNDS = [("bank", "w1", 50), ("bank", "w1", 70), ("bank", "w1", 30), ("bank", "w2", 150), ("bank", "w3", 150), ("bank", "card", 150), ("cash", "fees", 500),
         ("euros", "euros:sold", 900), ("pot:a", "skew:a", 20), ("pot:b", "skew:b", 20)]
LENGTH = min(5.0, max(1.0, SECONDS / 12))  # seconds of a round


class History:
    """One round."""

    def __init__(self, server, number, level, store):
        self.server, self.number, self.level, self.store = server, number, level, store
        self.ledger, self.name = f"r{number}", f"round {number} ({level}, {store})"
        self.is_serializable = level in ("serializable", "mixed")
        self.stopped, self.keys = threading.Event(), itertools.count()
        self.holds, self.posted = deque(maxlen=12), deque(maxlen=30)  # (id, lines) of what others may go on with
        self.writers = []  # the readers ask them
        first = Writer(self, "first")
        first.rows("SELECT ledger_create(%s)", self.ledger)
        first.rows(RAW.format(self.ledger))
        for account in ACCOUNTS:
            first.rows("SELECT ledger_open_account(%s, %s, %s, min_balance => %s, max_balance => %s)", *account)
        for debit, credit, amount in FUNDS:
            first.transact([first.post(accounts=(debit, credit), amount=amount, kind="funds")], "read committed", "heap", alone=True)
        self.told = list(first.told)
        first.connection.close()
        self.writers = [Writer(self, f"writer{i}") for i in range(WRITERS)]
        self.readers = [SnapshotReader(self, "snapshots"), PageReader(self, "pages"), PastReader(self, "past")]
        self.sessions = [*self.writers, *self.readers, Keeper(self, "keeper")]

    def connect(self, name):
        return self.server.connect(options=f"-c ledgerflow.ledger={self.ledger} -c search_path={self.ledger},public"
                                           f" -c deadlock_timeout=10ms -c application_name={name}")

    def run(self):
        for session in self.sessions:
            session.start()
        self.stopped.wait(LENGTH)
        self.stopped.set()
        for session in self.sessions:
            session.join()
            check(f"{self.name}: {session.name} went well", None, session.error)
        for reader in self.readers:
            reader.end()
        for writer in self.writers:
            self.told += writer.told
        figures.add("histories")

    def judge(self):
        connection = self.connect("judge")
        books = Books(connection, self.ledger)
        check(f"{self.name}: the books", [], list(books.check(figures))[:5])
        check(f"{self.name}: what was told", [], list(self.check_answers(books, figures))[:5])
        check(f"{self.name}: the rule of the users", [], list(self.check_rule(books))[:5])
        check(f"{self.name}: ledger_verify()", [], verified(self.server, "postgres", self.ledger))
        snapshots, pages, past = self.readers
        pages.judge(books)
        past.judge(books)
        for number, seen in enumerate(snapshots.seen):
            for account, (count, found) in seen.items():
                # Ids rise in the order of commits: what a snapshot shows of an account is the beginning of what it has now.
                check(f"{self.name}, snapshot {number}: {count} lines of {books.accounts[account].code}",
                      hash(tuple(books.entries[account][:count])), found)
        connection.close()
        for session in self.sessions:
            session.connection.close()
        return books

    def check_answers(self, books, figures):
        """Every acknowledged request is there once, with its id and lines, and nothing else is; ids rise in the order in which
        requests followed one another."""
        there, told = defaultdict(list), defaultdict(list)
        for one in itertools.chain(books.transactions.values(), books.holds.values()):
            there[one.tag].append(one.id)
        for one in self.told:
            told[one.part.tag].append(one)
        lines = books.lines()
        held = defaultdict(list)
        for line in sorted(books.hold_lines):
            held[line.hold].append((books.accounts[line.account].code, line))
        for tag in told.keys() - there.keys():
            figures.add("lost")
            yield f"{tag!r} was acknowledged as {told[tag][0].id} and is not there"
        for tag, ids in there.items():
            if tag not in told:
                yield f"{tag!r} is there as {ids} and was not acknowledged"
            if len(ids) > 1:
                figures.add("doubled")
                yield f"{tag!r} is there {len(ids)} times: {ids}"
            for one in told[tag]:
                if one.id not in (ids[0], None):
                    yield f"{tag!r} was acknowledged as {one.id} and is there as {ids[0]}"
                found = lines[ids[0]] if not one.part.is_hold else [
                    (code, line.amount) for code, line in held[ids[0]] if not line.raises]
                if one.part.lines and found and found != one.part.lines:
                    yield f"{tag!r} has the lines {found}, sent were {one.part.lines}"
                if one.call.kind == "keyed":
                    figures.add("answers under shared keys")
                    if books.keys.get(tag) != ids[0]:
                        yield f"key {tag!r} is kept for {books.keys.get(tag)}, not for {ids[0]}"
        sent = {ids[0]: min(one.sent for one in told[tag]) for tag, ids in there.items() if told[tag]}
        acknowledged = {ids[0]: min(one.acknowledged for one in told[tag]) for tag, ids in there.items() if told[tag]}
        versions = {one.id: one for one in self.told if one.call.version is not None}
        for account, entries in books.entries.items():
            code, earliest = books.accounts[account].code, float("inf")
            for entry in reversed(entries):
                if earliest < sent.get(entry.transaction, 0):
                    yield f"{code}: {entry.transaction} was sent after a later one was acknowledged"
                earliest = min(earliest, acknowledged.get(entry.transaction, earliest))
            for version, entry in enumerate(entries):
                one = versions.get(entry.transaction)
                if one and one.part.lines[0][0] == code:
                    figures.add("expected versions")
                    if one.call.version != version:
                        yield f"{code}: {entry.transaction} was for version {one.call.version} and came at {version}"

    def check_rule(self, books):
        """Both accounts of the users' rule together, after each posting: they can go below zero only where the level lets
        two transactions look at what the other one changes."""
        postings = sorted((entry.transaction, -entry.amount) for code in SKEW for entry in books.entries[books.id_of[code]])
        total = 0
        for transaction, amount in postings:
            total += amount
            if total < 0 and amount < 0:
                figures.add("write skews " + ("under SERIALIZABLE" if self.is_serializable else "where the level allows them"))
                if self.is_serializable:
                    yield f"{transaction} left {total}"


def spoil(books, history):
    """Proves the judge: each of these faults, put into what was read, has to be found."""
    account = books.id_of["w1"]
    entries, balance = books.entries[account], books.balances[account]
    middle = len(entries) // 2
    transaction = next(t for t in books.transactions.values() if not t.hold and not t.reverses)
    faults = {
        "a lost line": ("entries", account, entries[:middle] + entries[middle + 1:]),
        "a doubled line": ("entries", account, entries[:middle] + entries[middle - 1:]),
        "lines out of order": ("entries", account, entries[:middle - 1] + entries[middle - 1:middle + 1][::-1] + entries[middle + 1:]),
        "an altered amount": ("entries", account, [entries[0]._replace(amount=entries[0].amount + 1)] + entries[1:]),
        "a wrong version": ("balances", account, balance._replace(version=balance.version + 1)),
        "a wrong reservation": ("balances", account, balance._replace(debits_pending=balance.debits_pending + 1)),
        "a broken floor": ("history", account, [c for c in books.history[account] if c.what != "min_balance"]),
        "a doubled posting": ("transactions", "0", transaction._replace(id="0")),
        "a posting nobody sent": ("transactions", "0", transaction._replace(id="0", tag="nobody's")),
    }
    for name, (table, key, fault) in faults.items():
        kept = getattr(books, table)
        setattr(books, table, {**kept, key: fault})
        if name == "a broken floor":
            lowest = min(-entry.balance_after for entry in entries)
            books.history[account], books.balances = fault, {**books.balances, account: balance._replace(floor=lowest + 1)}
        found = history.check_answers(books, Figures()) if table == "transactions" else books.check()
        check(f"the judge sees {name}", True, bool(list(found)))
        setattr(books, table, kept)
        books.balances = {**books.balances, account: balance}


server = Server("books", "fsync=off", "max_prepared_transactions=20", "max_connections=40")
server.sql("CREATE EXTENSION ledgerflow")
for figure in ("floors broken", "lost", "doubled"):
    figures.add(figure, 0)
plan = list(itertools.product((*LEVELS, "mixed"), (*STORES, "mixed")))
randomness("plan").shuffle(plan)
for number in itertools.count():
    history = History(server, number, *plan[number % len(plan)])
    history.run()
    books = history.judge()
    if number == 0:
        spoil(books, history)
    server.sql("SET client_min_messages = warning; DROP SCHEMA " + history.ledger + " CASCADE")
    if seconds_left() < LENGTH:
        break
check("no backend died", [], server.backend_crashes())
finish(f"{figures.values['histories']} histories of {WRITERS} writing sessions: every floor held, nothing lost or doubled")
