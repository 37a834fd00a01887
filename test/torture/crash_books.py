"""The books of crash.py, kept a second time: what was sent, what was answered, and what must be in the ledger for it.

A Unit is what one idempotency key stands for. A Call is one call of SQL, of one unit or of many. A Work is what a
session does as one: a call by itself, or several in a transaction of its own. Amounts are summed up here, in Python.
"""

import json
import time
from collections import Counter, defaultdict, deque
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from io import StringIO

import psycopg2

from harness import check, figures, rows, sqlstate, value

ACKNOWLEDGED, REFUSED, UNKNOWN, PREPARED = "acknowledged", "refused", "unknown", "prepared"
PLAIN, KEPT, UNDONE = "plain", "kept", "undone"  # what becomes of a step of a transaction: KEPT and UNDONE are savepoints

FREE = {"USD": [f"a{i}" for i in range(1, 13)], "JPY": [f"j{i}" for i in range(1, 9)]}
LIMITED = ["w1", "w2", "w3", "w4", "cap"]
ACCOUNTS = """
SELECT ledger_open_account('a' || i, (ARRAY['asset', 'income'])[1 + i % 2], 'USD') FROM generate_series(1, 12) i;
SELECT ledger_open_account('j' || i, (ARRAY['expense', 'equity'])[1 + i % 2], 'JPY') FROM generate_series(1, 8) i;
SELECT ledger_open_account('w' || i, 'liability', 'USD', min_balance => 0) FROM generate_series(1, 4) i;
SELECT ledger_open_account('cap', 'liability', 'USD', max_balance => 2000);
"""
SHORT = 0.03  # seconds until a short hold expires

# Other refusals than ledgerflow's that a session has to expect; any other is a finding.
EXPECTED = {
    "40001": "serialization failures", "40P01": "deadlocks", "55P03": "lock timeouts", "57014": "cancels", "25P03": "idle sessions ended",
    "57P01": "sessions ended", "57P02": "sessions ended by a crash", "57P03": "sessions turned away", None: "connections lost"}
refusals = Counter()

OPTIONS = "idempotency_key => %(key)s, reference => %(reference)s, effective_at => %(effective)s, metadata => %(metadata)s"
BATCH = """SELECT item, transaction_id, status FROM ledger_post_batch(%(debit)s::text[], %(credit)s::text[], %(amount)s::numeric[],
    %(key)s::text[], %(mode)s, %(reference)s::text[], %(name)s::text[], %(effective)s::timestamptz[], %(metadata)s::jsonb[],
    %(linked)s::boolean[])"""
COLUMNS = ("debit", "credit", "amount", "key", "reference", "name", "effective", "metadata")


def broken(connection, error):
    """Whether an answer may have been lost, rather than been no."""
    code = sqlstate(error)
    return connection.closed != 0 or code is None or code.startswith(("57P", "08")) or code == "25P03"


class Unit:
    def __init__(self, name, kind, lines=(), target=None, amount=None, final=True, keyed=True, short=False):
        self.name, self.kind, self.lines, self.target, self.amount, self.final = name, kind, list(lines), target, amount, final
        self.key, self.short = name if keyed else None, short
        self.reference = self.metadata = self.effective = None
        self.id = None  # as it was answered
        self.there = False  # whether it has to be in the ledger
        self.on = []  # what was done to it: captures, raises, a release; reversals

    def decorate(self, random):
        if self.reference or random.random() < 0.2:
            self.reference = f"ref {self.name}"
        if random.random() < 0.15:
            self.effective = datetime(2020, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=random.randrange(3_000_000))
        if random.random() < 0.2:  # now and then too long for its page
            self.metadata = {"n": random.random(), "text": random.randbytes(random.choice((5, 40, 3000))).hex()}
        return self

    def arguments(self):
        (debit, amount), (credit, _) = self.lines[:2] if len(self.lines) == 2 else ((None, None), (None, None))
        return {
            "debit": debit, "credit": credit, "amount": self.amount if self.target else amount, "key": self.key,
            "reference": self.reference, "name": self.name, "effective": self.effective, "final": self.final,
            "metadata": json.dumps(self.metadata) if self.metadata else None,
            "target": self.target and self.target.id,
        }

    def free(self):
        """Whether no limit can refuse it."""
        return not any(account in LIMITED for account, _ in self.lines)


def array(lines):
    return "ARRAY[" + ", ".join(f"('{account}', {amount:f})" for account, amount in lines) + "]::ledger_line[]"


class Call:
    """A function that returns the id of its one unit, or nothing."""

    def __init__(self, unit, statement):
        self.units, self.statement = [unit], statement

    def send(self, cursor, alone):
        """The units that it says are there, with their ids where it tells them."""
        unit = self.units[0]
        cursor.execute(self.statement, unit.arguments())
        answer = cursor.fetchone()[0] or None
        if unit.kind not in ("raise", "release"):
            unit.id = answer
        return {unit: answer}

    def bundles(self):
        """Units that stand or fall together, whatever the balances are."""
        return [self.units]


class Batch(Call):
    def __init__(self, units, mode, linked):
        self.units, self.mode, self.linked = units, mode, linked

    def send(self, cursor, alone):
        arguments = [unit.arguments() for unit in self.units]
        columns = {name: [each[name] for each in arguments] for name in COLUMNS}
        cursor.execute(BATCH, {**columns, "mode": self.mode, "linked": self.linked})
        told = {}
        for item, transaction, status in cursor.fetchall():
            if status in ("posted", "replayed"):
                self.units[item - 1].id = transaction
                told[self.units[item - 1]] = transaction
        return told

    def bundles(self):
        if self.mode == "atomic":
            return [self.units]
        chains, chain = [], []
        for unit, linked in zip(self.units, self.linked):
            chain.append(unit)
            if not linked:
                chains.append(chain)
                chain = []
        free = [unit for chain in chains if all(each.free() for each in chain) for unit in chain]
        return [free] + [chain for chain in chains if not all(each.free() for each in chain)]


class Load(Call):
    """INSERT or COPY into the view `postings`, which tells no ids."""

    NAMES = "debit, credit, amount, idempotency_key, reference, description, effective_at, metadata"

    def __init__(self, units, copied):
        self.units, self.copied = units, copied

    def send(self, cursor, alone):
        values = [[unit.arguments()[name] for name in COLUMNS] for unit in self.units]
        if self.copied:
            lines = ("\t".join("\\N" if field is None else str(field).replace("\\", "\\\\") for field in row) for row in values)
            try:
                cursor.copy_expert(f"COPY postings ({self.NAMES}) FROM STDIN", StringIO("\n".join(lines) + "\n"))
            except SystemError as error:  # psycopg2 wraps what comes in the middle of a COPY
                raise error.__cause__ or error
        else:
            row = "(%s, %s, %s::numeric, %s, %s, %s, %s::timestamptz, %s::jsonb)"
            cursor.execute(
                f"INSERT INTO postings ({self.NAMES}) VALUES {', '.join([row] * len(values))}",
                [field for row in values for field in row])
        return dict.fromkeys(self.units)


class Raw(Call):
    """Rows inserted by hand. They have no key: whoever sends them again looks for their reference first."""

    def __init__(self, unit):
        self.units = [unit]

    def send(self, cursor, alone):
        unit = self.units[0]
        cursor.execute("SELECT id FROM transactions WHERE reference = %s", [unit.reference])
        found = cursor.fetchone()
        if found:
            unit.id = found[0]
            return {unit: unit.id}
        header = "INSERT INTO transactions (reference, description, effective_at, metadata)" \
            " VALUES (%(reference)s, %(name)s, %(effective)s, %(metadata)s) RETURNING id"
        lines = ", ".join(f"({number}, '{account}', {amount:f})" for number, (account, amount) in enumerate(unit.lines, 1))
        entries = f"INSERT INTO entries (transaction_id, line, account_id, amount) SELECT {{id}}, v.line, a.id, v.amount" \
            f" FROM {{source}} (VALUES {lines}) AS v (line, code, amount) JOIN accounts a ON a.code = v.code ORDER BY v.line" \
            " RETURNING transaction_id"
        if alone:
            cursor.execute(f"WITH t AS ({header}) {entries.format(id='t.id', source='t,')}", unit.arguments())
        else:  # header and entries may be far apart
            cursor.execute(header, unit.arguments())
            cursor.execute(entries.format(id=f"'{cursor.fetchone()[0]}'::uuid", source=""))
        unit.id = cursor.fetchone()[0]
        return {unit: unit.id}


class Work:
    """One call alone, or a transaction of steps [(calls, fate)] with an ending: commit, rollback, or prepare and a decision."""

    def __init__(self, steps, isolation=None, ending="commit", gid=None, decision="commit", pause=0):
        self.steps, self.isolation, self.ending, self.gid, self.decision, self.pause = steps, isolation, ending, gid, decision, pause
        self.alone = isolation is None
        self.calls = [call for calls, _ in steps for call in calls]
        self.units = [unit for call in self.calls for unit in call.units]
        self.state = None
        self.attempts = 0
        self.unknown = False  # whether it ever was
        self.told = {}  # what was answered the last time
        self.history = []  # of its attempts: what came of them, for the findings
        self.must = None  # of a transaction whose end is not known: units that are all there or none

    def attempt(self, connection, leave=False):
        """Does it, the first time or again. With `leave` a prepared transaction is not ended."""
        again = self.state is not None
        self.attempts += 1
        told, ending = {}, False
        try:
            with connection.cursor() as cursor:
                if self.alone:
                    ending = True
                    told = self.calls[0].send(cursor, True)
                else:
                    cursor.execute(f"BEGIN ISOLATION LEVEL {self.isolation}")
                    for calls, fate in self.steps:
                        self._step(cursor, calls, fate, told)
                        if self.pause:
                            time.sleep(self.pause)
                    if self.ending == "rollback":
                        told = {}
                    else:
                        ending = True
                        self.told = told
                        self.must = set(told) if self.must is None else self.must & set(told)
                    if self.gid and not again:
                        cursor.execute(f"PREPARE TRANSACTION '{self.gid}'")
                        if leave:
                            self.state = PREPARED
                            return
                        cursor.execute(f"{self.decision} PREPARED '{self.gid}'")
                        if self.decision == "rollback":
                            told = {}
                    else:
                        cursor.execute(self.ending if self.ending != "prepare" else "commit")
        except psycopg2.Error as error:
            self._failed(connection, error, ending, again)
        else:
            self._acknowledged(told)

    def _step(self, cursor, calls, fate, told):
        here = {}
        if fate == PLAIN:
            for call in calls:
                told.update(call.send(cursor, False))
            return
        cursor.execute("SAVEPOINT s")
        try:
            for call in calls:
                here.update(call.send(cursor, False))
        except psycopg2.Error as error:
            # The second time, only ledgerflow's own says that it is not there from the first.
            if broken(cursor.connection, error) or (self.attempts > 1 and not (sqlstate(error) or "").startswith("LF")):
                raise
            note(error)
            self.history.append(f"{self.attempts}: {sqlstate(error)} at {calls[0].units[0].name}, and back to the savepoint")
            cursor.execute("ROLLBACK TO s")
            return
        cursor.execute("RELEASE s" if fate == KEPT else "ROLLBACK TO s")
        if fate == KEPT:
            told.update(here)

    def _acknowledged(self, told):
        self.state = ACKNOWLEDGED
        self.history.append(f"{self.attempts}: acknowledged {sorted(unit.name for unit in told)}")
        for unit in self.units:
            check(f"{unit.name} is there, and so answered again", True, not unit.there or unit in told)
            unit.there = unit.there or unit in told
            if unit.there and unit.target and unit not in unit.target.on:
                unit.target.on.append(unit)
        self.told = told

    def _failed(self, connection, error, ending, again):
        """A transaction whose end was not sent is not there. An error that came by itself says no; but when a request
        is sent again, only ledgerflow's own: any other says nothing of the first time. What is prepared stays so."""
        note(error)
        code = sqlstate(error) or ""
        self.history.append(f"{self.attempts}: {code or 'connection lost'}{' at its end' if ending else ''}")
        lost = broken(connection, error)
        prepared = self.gid is not None and ending and not again
        if (lost and ending) or (again and not code.startswith("LF")) or prepared:
            self.state = UNKNOWN
            self.unknown = True
        else:
            self.state = REFUSED
        if not connection.closed:
            try:
                connection.cursor().execute("ROLLBACK")
            except psycopg2.Error:
                connection.close()

    def settle(self, connection):
        """Finds out what came of it as an application does: ends what is prepared, sends the rest again under its keys."""
        try:
            if self.gid:
                if value(connection, "SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE gid = %s", self.gid):
                    rows(connection, f"{self.decision} PREPARED '{self.gid}'")
                    self._acknowledged(self.told if self.decision == "commit" else {})
                    figures.add("prepared transactions ended later")
                    return
                if self.decision == "rollback":
                    self._acknowledged({})
                    return
        except psycopg2.Error as error:
            note(error)
            return
        figures.add("retried")
        self.attempt(connection)


def note(error):
    code = sqlstate(error)
    if code in EXPECTED:
        figures.add("statement timeouts" if "statement timeout" in str(error) else EXPECTED[code])
    else:
        refusals[code] += 1
        if not code.startswith("LF") and refusals[code] <= 3:
            check("a refusal is one of ours or was to be expected", "LF...", f"{code} {error}")


class Books:
    """One ledger as it has to be."""

    def __init__(self, ledger, short_holds=True):
        self.ledger, self.short_holds = ledger, short_holds
        self.works = []
        self.posted = deque(maxlen=300)  # to be reversed
        self.holds = deque(maxlen=100)  # to be captured, raised, released

    # --- what sessions do ---

    def draw(self, random, name, leaving=False):
        """Something to do. `leaving`: rather a prepared transaction."""
        if not leaving and random.random() < 0.65:
            work = Work([([self._call(random, f"{name}.0")], PLAIN)])
        else:
            steps, number = [], 0
            for _ in range(random.choice((1, 2, 2, 3, 3, 4, 6))):
                calls = [self._call(random, f"{name}.{number}")]
                number += 1
                unit = calls[0].units[0]
                if unit.kind == "hold" and random.random() < 0.5:
                    calls.append(self._on_hold(random, f"{name}.{number}", unit))
                    number += 1
                steps.append((calls, random.choice((PLAIN, PLAIN, PLAIN, KEPT, UNDONE))))
            ending = "prepare" if leaving else random.choice(("commit",) * 6 + ("rollback",) * 2 + ("prepare",))
            work = Work(
                steps, random.choice(("READ COMMITTED",) * 4 + ("REPEATABLE READ", "SERIALIZABLE")), ending,
                f"{self.ledger} {name}" if ending == "prepare" else None, random.choice(("commit", "commit", "rollback")),
                random.choice((0,) * 30 + (0.003, 0.06)))
        self.works.append(work)
        return work

    def done(self, work):
        """Others may go on from what was acknowledged."""
        for unit in work.units:
            if unit.there and unit.id is not None:
                if unit.kind == "post":
                    self.posted.append(unit)
                elif unit.kind == "hold":
                    self.holds.append(unit)

    def _call(self, random, name):
        dice = random.random()
        if dice < 0.25:
            unit = Unit(name, "post", self._pair(random)).decorate(random)
            function = random.choice(("ledger_post", "post_transfer"))
            return Call(unit, f"SELECT {function}(%(debit)s, %(credit)s, %(amount)s, description => %(name)s, {OPTIONS})")
        if dice < 0.35:
            unit = Unit(name, "post", self._lines(random)).decorate(random)
            return Call(unit, f"SELECT ledger_post({array(unit.lines)}, description => %(name)s, {OPTIONS})")
        if dice < 0.47:
            return self._hold(random, name)
        if dice < 0.65 and self.holds:
            return self._on_hold(random, name, random.choice(self.holds))
        if dice < 0.72 and self.posted:
            target = random.choice(self.posted)
            part = len(target.lines) == 2 and random.random() < 0.6
            unit = Unit(name, "reverse", target.lines, target, self._part(random, target) if part else None).decorate(random)
            return Call(unit, f"SELECT ledger_reverse(%(target)s, reason => %(name)s, amount => %(amount)s, {OPTIONS})")
        if dice < 0.84:
            count = random.choice((1, 2, 2, 5, 5, 10, 30, 100))
            atomic = random.random() < 0.5
            units = [Unit(f"{name}.{i}", "post", self._pair(random, 0.005 if atomic else 0.15)).decorate(random) for i in range(count)]
            if atomic:
                return Batch(units, "atomic", None)
            return Batch(units, "each", [random.random() < 0.2 for _ in units[1:]] + [False])
        if dice < 0.92:
            count = random.choice((1, 3, 10, 60))
            units = [Unit(f"{name}.{i}", "post", self._pair(random, 0.005)).decorate(random) for i in range(count)]
            return Load(units, random.random() < 0.5)
        unit = Unit(name, "post", random.choice((self._pair, self._lines))(random), keyed=False)
        unit.reference = name
        return Raw(unit.decorate(random))

    def _hold(self, random, name):
        lines = self._pair(random) if random.random() < 0.8 else self._lines(random)
        short = self.short_holds and random.random() < 0.15
        unit = Unit(name, "hold", lines, short=short).decorate(random)
        what = "%(debit)s, %(credit)s, %(amount)s" if len(lines) == 2 else array(lines)
        until = f"'{SHORT} seconds'" if short else random.choice(("NULL", "'1 hour'"))
        return Call(unit, f"SELECT ledger_hold({what}, description => %(name)s, expires_in => {until}, {OPTIONS})")

    def _on_hold(self, random, name, hold):
        kind = random.choice(("capture",) * 4 + ("raise", "release"))
        two = len(hold.lines) == 2
        if kind == "capture":
            part = two and random.random() < 0.8
            unit = Unit(name, "capture", hold.lines, hold, self._part(random, hold) if part else None, random.random() < 0.3)
            return Call(unit.decorate(random), f"SELECT ledger_capture(%(target)s, %(amount)s, %(final)s, description => %(name)s, {OPTIONS})")
        if kind == "raise" and two:
            unit = Unit(name, "raise", hold.lines, hold, self._part(random, hold))
            return Call(unit, "SELECT ledger_raise_hold(%(target)s, %(amount)s, idempotency_key => %(key)s)::text")
        unit = Unit(name, "release", hold.lines, hold)
        return Call(unit, "SELECT ledger_release(%(target)s, %(name)s, idempotency_key => %(key)s)::text")

    @staticmethod
    def _amount(random, currency):
        return Decimal(random.randrange(1, 30_000)) if currency == "JPY" else Decimal(random.randrange(1, 30_000)).scaleb(-2)

    @staticmethod
    def _part(random, unit):
        amount = unit.lines[0][1]
        unit_of = Decimal(1) if unit.lines[0][0] in FREE["JPY"] else Decimal("0.01")
        return max(unit_of, (amount * random.choice((10, 25, 50, 100)) / 100).quantize(unit_of))

    def _pair(self, random, limited=0.15):
        currency = random.choice(("USD", "USD", "JPY"))
        accounts = random.sample(FREE[currency], 2)
        if currency == "USD" and random.random() < limited:
            accounts[random.random() < 0.7] = random.choice(LIMITED)  # more is paid in than out
        amount = self._amount(random, currency)
        return [(accounts[0], amount), (accounts[1], -amount)]

    def _lines(self, random):
        lines = []
        for currency in random.choice((["USD"], ["JPY"], ["USD", "JPY"])):
            some = [(random.choice(FREE[currency]), self._amount(random, currency) * random.choice((1, -1)))
                    for _ in range(random.choice((2, 3, 3, 5, 10, 80)))]
            rest = sum(amount for _, amount in some)
            lines += some
            if rest:
                lines.append((random.choice(FREE[currency]), -rest))
        return lines if len(lines) > 2 else self._pair(random)

    # --- what has to be in the ledger ---

    def find(self, connection):
        """What is in the ledger, by the names that we gave."""
        found = Found()
        accounts = dict(rows(connection, "SELECT id, code FROM accounts"))
        lines = defaultdict(list)
        for transaction, account, amount in rows(
                connection, "SELECT transaction_id, account_id, amount FROM entries ORDER BY transaction_id, line"):
            lines[transaction].append((accounts[account], amount))
        for each in rows(
                connection, "SELECT id, description, reference, reverses, hold, metadata, effective_at, posted_at, xact_id::text"
                " FROM transactions"):
            found.transactions[each[1]].append((each, lines.pop(each[0], [])))
        found.orphans = list(lines)
        held = defaultdict(list)
        for hold, account, amount, captured, released in rows(
                connection, "SELECT hold_id, account_id, amount, captured, released FROM hold_lines ORDER BY hold_id, line"):
            held[hold].append((accounts[account], amount, captured, released))
        for each in rows(
                connection, "SELECT id, description, reference, metadata, effective_at, status, xact_id::text FROM holds"):
            found.holds[each[1]].append((each, held.pop(each[0], [])))
        found.keys = dict(rows(connection, "SELECT key, transaction_id FROM idempotency_keys"))
        found.balances = {
            accounts[account]: figures_of for account, *figures_of in rows(
                connection, "SELECT account_id, version, debits_posted, credits_posted, debits_pending, credits_pending"
                " FROM account_balances")}
        return found

    def look(self, found):
        """Sets what is not known by what is there: wholly, or not at all."""
        for work in self.works:
            if work.state not in (UNKNOWN, PREPARED):
                continue
            ids = {unit: found.id_of(unit) for unit in work.units if found.has(unit)}
            bundles = [work.must] if work.must is not None else [bundle for call in work.calls for bundle in call.bundles()]
            for bundle in bundles:
                count = sum(unit in ids for unit in bundle)
                if not check("an unknown one is there wholly or not at all", True, count in (0, len(bundle))):
                    figures.add("half done")
            if work.must is not None and work.attempts == 1:
                check("nothing of an unknown transaction is there that was undone", set(), set(ids) - work.must)
                for unit in ids:
                    if unit.kind in ("post", "hold", "capture", "reverse"):
                        check(f"{unit.name} has the id that was answered", unit.id or ids[unit], ids[unit])
            for unit in work.units:
                unit.there = unit in ids
                if unit.there:
                    unit.id = ids[unit]
                    if unit.target and unit not in unit.target.on:
                        unit.target.on.append(unit)

    def audit(self, found, when):
        """Everything that has to be there is there once, as it was sent; nothing else is."""
        units = [unit for work in self.works for unit in work.units]
        names = {unit.name for unit in units if unit.there}
        keys = {unit.key for unit in units if unit.there and unit.key}
        lost, doubled, wrong, extra = [], [], [], []
        for unit in units:
            if not unit.there:
                if found.has(unit):
                    extra.append(unit.name)
                continue
            if unit.key and unit.key not in found.keys:
                lost.append(f"key {unit.key}")
            table = found.holds if unit.kind == "hold" else found.transactions
            if unit.kind in ("raise", "release"):
                continue
            there = table.get(unit.name, [])
            if len(there) != 1:
                (doubled if there else lost).append(unit.name)
                continue
            row, lines = there[0]
            unit.id = unit.id or row[0]
            if unit.key and found.keys.get(unit.key) != row[0]:
                wrong.append((unit.name, "key", row[0], found.keys.get(unit.key)))
            if unit.kind == "hold":
                expected = (unit.id, unit.name, unit.reference, unit.metadata, unit.effective, *self._expected_hold(unit))
                seen = (*row[:6], lines)
            else:
                expected, seen = self._expected_transaction(unit, row), (*row[:7], lines)
            if expected != seen:
                wrong.append((unit.name, expected, seen))
        extra += [name for table in (found.transactions, found.holds) for name in table if name not in names]
        extra += [key for key in found.keys if key not in keys] + found.orphans
        figures.add("lost", len(lost))
        figures.add("doubled", len(doubled))
        figures.add("refused and yet there", len(extra))
        check(f"{when}: nothing acknowledged is lost", [], lost[:5])
        check(f"{when}: nothing is there twice", [], doubled[:5])
        if extra:
            print(*(f"{work.units[0].name}: {work.history}" for work in self.works if {unit.name for unit in work.units} & set(extra)), sep="\n")
        check(f"{when}: nothing refused is there", [], extra[:5])
        check(f"{when}: everything is as it was sent", [], wrong[:3])
        apart = []
        for work in self.works:
            if work.attempts == 1 and work.state == ACKNOWLEDGED:
                xacts = {found.xact_of(unit) for unit in work.units if unit.there and unit.kind not in ("raise", "release")}
                if len(xacts - {None}) > 1:
                    apart.append(work.units[0].name)
        figures.add("half done", len(apart))
        check(f"{when}: every transaction came as one", [], apart[:5])
        check(f"{when}: balances by our own arithmetic", self._balances(units, found), found.balances)

    def _expected_transaction(self, unit, row):
        return (
            unit.id, unit.name, unit.reference, unit.target.id if unit.kind == "reverse" else None,
            unit.target.id if unit.kind == "capture" else None, unit.metadata,
            unit.effective or (unit.kind == "capture" and unit.target.effective) or row[7], self._lines_of(unit))

    def _lines_of(self, unit):
        return unit.lines if unit.kind == "post" else self._share(unit, 1 if unit.kind == "capture" else -1)

    @staticmethod
    def _share(unit, sign):
        """The lines of a capture or reversal: of its amount, or of all that others have left."""
        target = unit.target
        if len(target.lines) > 2:
            return [(account, sign * amount) for account, amount in target.lines]
        others = [each for each in target.on if each is not unit and each.there and each.kind == unit.kind]
        total = target.lines[0][1] + sum(each.amount for each in target.on if each.there and each.kind == "raise")
        amount = unit.amount if unit.amount is not None else total - sum(each.amount for each in others)
        return [(target.lines[0][0], sign * amount), (target.lines[1][0], -sign * amount)]

    def _expected_hold(self, hold):
        """Its status and its lines (account, amount, captured, released)."""
        on = [each for each in hold.on if each.there]
        captures = [each for each in on if each.kind == "capture"]
        released = any(each.kind == "release" for each in on)
        if len(hold.lines) > 2:
            status = "captured" if captures else "released" if released else "expired" if hold.short else "pending"
            zero = Decimal(0)
            return status, [
                (account, amount, abs(amount) if captures else zero, abs(amount) if status in ("released", "expired") else zero)
                for account, amount in hold.lines]
        amount = hold.lines[0][1] + sum(each.amount for each in on if each.kind == "raise")
        captured = sum((self._share(each, 1)[0][1] for each in captures), Decimal(0))
        if any(each.final or each.amount is None for each in captures) or captured == amount:
            status = "captured"
        else:
            status = "released" if released else "expired" if hold.short else "pending"
        rest = Decimal(0) if status == "pending" else amount - captured
        return status, [(account, amount.copy_sign(line), captured, rest) for account, line in hold.lines]

    def _balances(self, units, found):
        totals = {account: [0, Decimal(0), Decimal(0), Decimal(0), Decimal(0)] for account in found.balances}
        for unit in units:
            if not unit.there:
                continue
            if unit.kind == "hold":
                for account, amount, captured, released in self._expected_hold(unit)[1]:
                    totals[account][3 if amount > 0 else 4] += abs(amount) - captured - released
            elif unit.kind not in ("raise", "release"):
                for account, amount in self._lines_of(unit):
                    totals[account][0] += 1
                    totals[account][1 if amount > 0 else 2] += abs(amount)
        return totals


class Found:
    """The rows of a ledger, by name."""

    def __init__(self):
        self.transactions, self.holds = defaultdict(list), defaultdict(list)
        self.keys, self.balances, self.orphans = {}, {}, []

    def has(self, unit):
        return unit.key in self.keys or unit.name in self.transactions or unit.name in self.holds

    def id_of(self, unit):
        if unit.key:
            return self.keys.get(unit.key)
        return self.transactions[unit.name][0][0][0]

    def xact_of(self, unit):
        row = (self.holds if unit.kind == "hold" else self.transactions).get(unit.name)
        return row[0][0][-1] if row else None
