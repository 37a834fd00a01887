"""A ledger's rows, added up again by arithmetic of our own: nothing here believes a sum that the ledger keeps.

`Books` holds what one snapshot shows. Its methods return findings, as texts: none, if all is well.
"""

from collections import defaultdict, namedtuple
from datetime import datetime
from decimal import Decimal

from harness import rows

Account = namedtuple("Account", "id code sign currency")  # sign: 1 for debit-normal accounts, else -1
Transaction = namedtuple("Transaction", "id posted_at effective_at tag reverses hold")
Entry = namedtuple("Entry", "transaction line amount balance_after")
Balance = namedtuple("Balance", "version last status debits credits debits_pending credits_pending floor ceiling")
Hold = namedtuple("Hold", "id created_at expires_at status tag")
HoldLine = namedtuple("HoldLine", "hold line account amount captured released settled_at raises")
Change = namedtuple("Change", "at what before after")
Standing = namedtuple("Standing", "version net debits_pending credits_pending floor ceiling status")

TABLES = {
    "accounts": "SELECT a.id, a.code, CASE t.normal_side WHEN 'debit' THEN 1 ELSE -1 END, a.currency"
                " FROM {0}.accounts a JOIN {0}.account_types t ON t.code = a.type",
    "transactions": "SELECT id::text, posted_at, effective_at, description, reverses::text, hold::text FROM {0}.transactions",
    "entries": "SELECT account_id, transaction_id::text, line, amount, balance_after FROM {0}.entries",
    "balances": "SELECT account_id, version, last_transaction_id::text, status, debits_posted, credits_posted,"
                " debits_pending, credits_pending, min_balance, max_balance FROM {0}.account_balances",
    "holds": "SELECT id::text, created_at, expires_at, status, description FROM {0}.holds",
    "hold_lines": "SELECT hold_id::text, line, account_id, amount, captured, released, settled_at, raises FROM {0}.hold_lines",
    "history": "SELECT account_id, changed_at, change, from_value, to_value FROM {0}.account_history ORDER BY id",
    "keys": "SELECT key, transaction_id::text FROM {0}.idempotency_keys",
    "adopted": "SELECT transaction::text, at FROM {0}.adopted",
}


def limit(text):
    """A limit as account_history writes it."""
    return None if text == "none" else Decimal(text.split(" ")[0])


class Books:
    def __init__(self, connection, ledger):
        """Reads all; in one snapshot if the connection is in a transaction that has one."""
        table = {name: rows(connection, query.format(ledger)) for name, query in TABLES.items()}
        self.accounts = {row[0]: Account(*row) for row in table["accounts"]}
        self.transactions = {row[0]: Transaction(*row) for row in table["transactions"]}
        self.balances = {row[0]: Balance(*row[1:]) for row in table["balances"]}
        self.holds = {row[0]: Hold(*row) for row in table["holds"]}
        self.hold_lines = [HoldLine(*row) for row in table["hold_lines"]]
        self.keys = dict(table["keys"])
        self.adopted = dict(table["adopted"])
        self.entries = {account: [] for account in self.accounts}  # in the order of ids, by account
        for account, *entry in sorted(table["entries"], key=lambda row: row[1:3]):
            self.entries[account].append(Entry(*entry))
        self.history = defaultdict(list)
        for account, *change in table["history"]:
            self.history[account].append(Change(*change))
        self.id_of = {account.code: account.id for account in self.accounts.values()}

    def lines(self):
        """The lines of every transaction, as (code, amount), in their order."""
        found = defaultdict(list)
        for account, entries in self.entries.items():
            for entry in entries:
                found[entry.transaction].append((entry.line, self.accounts[account].code, entry.amount))
        return {transaction: [line[1:] for line in sorted(lines)] for transaction, lines in found.items()}

    def balance(self, account):
        entries = self.entries[account]
        return self.accounts[account].sign * sum((entry.amount for entry in entries), Decimal(0))

    def reserved(self, account):
        """What is left of its holds: of debits, and of credits."""
        left = [Decimal(0), Decimal(0)]
        for line in self.hold_lines:
            if line.account == account:
                left[line.amount < 0] += abs(line.amount) - line.captured - line.released
        return left

    def check_figures(self):
        """The figures that are kept beside the entries and holds, chains of balances, and that nothing was made or lost."""
        totals, sums, count = defaultdict(Decimal), defaultdict(Decimal), defaultdict(int)
        for account, entries in self.entries.items():
            name, kept = self.accounts[account].code, self.balances[account]
            net = Decimal(0)
            for entry in entries:
                net += entry.amount
                if entry.balance_after != net:
                    yield f"{name}: {entry.balance_after} after {entry.transaction}, the entries add to {net}"
                sums[entry.transaction, self.accounts[account].currency] += entry.amount
                count[entry.transaction] += 1
                if entry.transaction not in self.transactions:
                    yield f"{name}: an entry of {entry.transaction}, which is not there"
            totals[self.accounts[account].currency] += net
            found = (len(entries), entries[-1].transaction if entries else None,
                     sum((e.amount for e in entries if e.amount > 0), Decimal(0)),
                     -sum((e.amount for e in entries if e.amount < 0), Decimal(0)), *self.reserved(account))
            if found != (*kept[:2], *kept[3:7]):
                yield f"{name}: the ledger keeps {(*kept[:2], *kept[3:7])}, its rows add to {found}"
        yield from (f"{total} {currency} made or lost" for currency, total in totals.items() if total)
        yield from (f"{transaction} does not balance in {currency}" for (transaction, currency), total in sums.items() if total)
        yield from (f"{transaction} has {count[transaction]} lines" for transaction in self.transactions if count[transaction] < 2)

    def check_reversals(self):
        """On no account is more reversed than was posted, counting what reversals of reversals gave back."""
        lines, children = self.lines(), defaultdict(list)
        for transaction in self.transactions.values():
            if transaction.reverses:
                children[transaction.reverses].append(transaction.id)

        def rest(transaction):
            sums = defaultdict(Decimal)
            for code, amount in lines[transaction]:
                sums[code] += amount
            whole = dict(sums)
            for child in children.get(transaction, ()):
                for code, amount in rest(child)[1].items():
                    sums[code] += amount
            return whole, sums

        for transaction in children:
            whole, left = rest(transaction)
            for code, amount in left.items():
                if not min(whole.get(code, 0), 0) <= amount <= max(whole.get(code, 0), 0):
                    yield f"{transaction}: {whole.get(code)} on {code}, {amount} after its reversals"

    def events(self, account, adopted):
        """What happened on an account, as (time, rank, id, what, hold, value) in the order in which it happened. A raw
        transaction has the time of its header; what counts on the account is when its entries were `adopted`."""
        found, by_transaction = [], defaultdict(list)
        for entry in self.entries[account]:
            by_transaction[entry.transaction].append(entry.amount)
        for transaction, amounts in by_transaction.items():
            header = self.transactions[transaction]
            found.append((adopted.get(transaction, header.posted_at), 2, transaction, "post", header.hold, amounts))
        for line in self.hold_lines:
            if line.account != account:
                continue
            hold, side = self.holds[line.hold], line.amount < 0
            raises = [(datetime.fromisoformat(one["at"]), Decimal(str(one["by"]))) for one in line.raises or ()]
            held = abs(line.amount) - sum((by for _, by in raises), Decimal(0))
            found.append((hold.created_at, 2, f"{hold.id} {line.line}", "hold", hold.id, (side, held)))
            found += ((at, 2, f"{hold.id} {line.line}", "hold", hold.id, (side, by)) for at, by in raises)
            if line.settled_at and line.released:
                found.append((line.settled_at, 1, f"{hold.id} {line.line}", "release", hold.id, (side, line.released)))
        found += ((change.at, 0, str(number).zfill(9), "change", None, change) for number, change in enumerate(self.history[account]))
        return sorted(found, key=lambda event: event[:3])

    def first_rules(self, account):
        """Limits and status as they were at first: those of now, less all changes."""
        kept = self.balances[account]
        rules = {"min_balance": kept.floor, "max_balance": kept.ceiling, "status": kept.status}
        for change in reversed(self.history[account]):
            rules[change.what] = change.before if change.what == "status" else limit(change.before)
        return rules

    def replay(self, account, adopted):
        """The standing of an account after each event, as (event, standing, open holds)."""
        rules = self.first_rules(account)
        version, net, left = 0, Decimal(0), defaultdict(lambda: [Decimal(0), Decimal(0)])
        for event in self.events(account, adopted):
            _, _, _, what, hold, value = event
            if what == "post":
                version += len(value)
                net += sum(value)
                for amount in value if hold else ():
                    left[hold][amount < 0] -= abs(amount)
            elif what == "hold":
                left[hold][value[0]] += value[1]
            elif what == "release":
                left[hold][value[0]] -= value[1]
            else:
                rules[value.what] = value.after if value.what == "status" else limit(value.after)
            pending = [sum((amounts[side] for amounts in left.values()), Decimal(0)) for side in (0, 1)]
            yield event, Standing(version, net, *pending, *rules.values()), left
            if hold in left and not any(left[hold]):
                del left[hold]

    def check_limits(self, figures=None):
        """Floor, ceiling and freezes after everything that happened, with what was reserved, under the rules of that moment."""
        for account, (_, name, sign, _) in self.accounts.items():
            for event, standing, left in self.replay(account, self.adopted):
                _, _, cause, what, hold, value = event
                if hold and min(left[hold]) < 0:
                    yield f"{name}: more was captured or released than was held, {left[hold]} after {cause}"
                if what == "release":
                    continue
                balance = sign * standing.net
                against, coming = standing[2:4] if sign < 0 else standing[3:1:-1]
                if standing.floor is not None and balance - against < standing.floor:
                    if figures:
                        figures.add("floors broken")
                    yield f"{name}: floor {standing.floor} broken by {cause}: {balance} less {against}"
                if standing.ceiling is not None and balance + coming > standing.ceiling:
                    yield f"{name}: ceiling {standing.ceiling} broken by {cause}: {balance} and {coming}"
                sides = {amount < 0 for amount in value} if what == "post" else {value[0]} if what == "hold" else set()
                frozen = {"debits_frozen": {False}, "credits_frozen": {True}, "frozen": {False, True}}.get(standing.status, set())
                if sides & frozen:
                    yield f"{name}: {cause} although {standing.status}"
                if figures:
                    figures.add("prefixes checked")
                    figures.add("prefixes at a limit exactly", balance - against == standing.floor or balance + coming == standing.ceiling)

    def standing_at(self, account, at):
        """What the ledger has to tell of an account as of a time: it goes by the times of headers."""
        standing = Standing(0, Decimal(0), Decimal(0), Decimal(0), *self.first_rules(account).values())
        for event, after, _ in self.replay(account, {}):
            if event[0] > at:
                break
            standing = after
        return standing

    def check(self, figures=None):
        yield from self.check_figures()
        yield from self.check_reversals()
        yield from self.check_limits(figures)
