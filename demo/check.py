"""Compare ledgerflow's books with beancount's and hledger's, figure by figure.

    check.py JOURNAL

prints the trial balance of the imported journal three times side by side, as computed by
- ledgerflow: ledger_trial_balance(), debits less credits;
- beancount: its query engine, the one behind bean-query, on the journal itself, without rounding for display;
- hledger: on the journal as beancount's own bean-report exports it to hledger.
Then it checks the journal's balance assertions and every transaction's date, payee and narration inside the
database. The last line is the verdict; the exit status is 1 if anything differs.
"""

import collections
import csv
import io
import subprocess
import sys
from decimal import Decimal
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

from beancount.core import data
from beancount.ops import balance
from beancount.query import query
from beancount.reports import convert_reports

import convert
import psql

Key = Tuple[str, str]  # account code, currency
Figures = Dict[Key, Decimal]
ZERO = Decimal(0)
HLEDGER_DECIMALS = Decimal(1).scaleb(-12)
COLUMN = "{:<42} {:<6} {:>15} {:>15} {:>15}  {}"
WIDTH = 99


class Journal(NamedTuple):
    """A journal as beancount loads it."""

    entries: List[Any]
    options: Dict[str, Any]

    def query(self, text: str) -> List[Any]:
        """Run a query with beancount's own engine."""
        return query.run_query(self.entries, self.options, text)[1]

    def transactions(self) -> List[data.Transaction]:
        """Its transactions."""
        return [entry for entry in self.entries if isinstance(entry, data.Transaction)]


def amounts(inventory: Any) -> Dict[str, Decimal]:
    """What an inventory of plain amounts holds, by currency."""
    return {position.units.currency: position.units.number for position in inventory}


def ledgerflow_figures() -> Figures:
    """The trial balance of the database."""
    sql = "SELECT account, currency, coalesce(debit, 0) - coalesce(credit, 0) FROM ledger_trial_balance()"
    return {(account, currency): Decimal(amount) for account, currency, amount in psql.rows(sql)}


def beancount_figures(journal: Journal) -> Dict[Key, Decimal]:
    """Account balances by beancount, keyed by beancount account and commodity, trading and rounding included."""
    figures = {(row.account, row.currency): row.units for row in journal.query(
        "SELECT account, currency, sum(number) AS units GROUP BY account, currency")}
    for row in journal.query("SELECT currency, sum(number) AS units, sum(weight) AS weight "
                             "WHERE currency != CURRENCY(weight) GROUP BY currency"):
        trading = convert.trading_account(journal.options, row.currency)
        figures[trading, row.currency] = -row.units
        figures.update({(trading, paid): amount for paid, amount in amounts(row.weight).items()})
    for row in journal.query("SELECT sum(weight) AS weight"):
        rounding = convert.rounding_account(journal.options)
        figures.update({(rounding, currency): -amount for currency, amount in amounts(row.weight).items()})
    return figures


def for_hledger(posting: data.Posting) -> data.Posting:
    """A posting as hledger can take it.

    Sales of lots carry both cost and price and hledger takes one of them: the cost, which is what counts. hledger
    rounds what it computes from a cost to the decimals that the cost is written with, so it is written with more.
    """
    def long(number: Decimal) -> Decimal:
        return convert.EXACT.quantize(number, HLEDGER_DECIMALS)

    if posting.cost:
        return posting._replace(price=None, cost=posting.cost._replace(number=long(posting.cost.number)))
    if posting.price:
        return posting._replace(price=posting.price._replace(number=long(posting.price.number)))
    return posting


def hledger_journal(journal: Journal) -> str:
    """The journal in hledger's format, by beancount's exporter, which books roundings to Equity:Rounding."""
    printer = convert_reports.HLedgerPrinter()
    return "\n".join(printer(transaction._replace(postings=[for_hledger(posting) for posting in transaction.postings]))
                     for transaction in journal.transactions())


def hledger_figures(journal: Journal, keys: Iterable[Key]) -> Dict[Key, Decimal]:
    """Balances by hledger for those of the keys that it knows; it names trading accounts in its own way."""
    currencies = {currency for _, currency in keys}
    command = ["hledger", "--file=-", "balance", "--flat", "--empty", "--no-total", "--infer-equity",
               "--output-format=csv", "--layout=bare"]
    for currency in sorted(currencies):  # enough decimals that nothing is rounded for display
        command += ["-c", f'1.{"0" * convert.MAX_SCALE} "{currency}"']
    output = subprocess.run(command, input=hledger_journal(journal), stdout=subprocess.PIPE, check=True,
                            text=True, encoding="utf-8").stdout
    found = {(account, currency): Decimal(amount) for account, currency, amount in list(csv.reader(io.StringIO(output)))[1:]}
    figures = {key: found[key] for key in keys if key in found}
    for account, currency in keys:
        pair = hledger_conversion_account(journal, account, currency, keys)
        if (pair, currency) in found:
            figures[account, currency] = found[pair, currency]
    return figures


def hledger_conversion_account(journal: Journal, account: str, currency: str, keys: Iterable[Key]) -> str:
    """hledger's name for one side of a trading account, which exists if the commodity was traded for one other."""
    prefix, _, commodity = account.rpartition(":")
    others = [paid for name, paid in keys if name == account and paid != commodity]
    if prefix + ":" != convert.trading_account(journal.options, "") or len(others) != 1:
        return ""
    return f"equity:conversion:{'-'.join(sorted((commodity, others[0])))}:{currency}"


def by_code(figures: Dict[Key, Decimal], codes: Dict[Key, str]) -> Figures:
    """Rename beancount's accounts to ledgerflow's codes."""
    return {(codes[key], key[1]): amount for key, amount in figures.items()}


def shown_decimals(amount: Decimal) -> int:
    """Decimals to show: none of a whole number of things, two for money, more where the figure needs them."""
    needed = convert.needed_decimals(amount)
    return 2 if needed == 1 else needed


def figure(amount: Optional[Decimal], least: int, most: int) -> str:
    """A figure for a column: thousands separated, at least so many decimals, points aligned."""
    if amount is None:
        return "-" + " " * (most + 1 if most else 0)
    kept = max(least, shown_decimals(amount))
    text = f"{amount or ZERO:,.{kept}f}"
    return text + " " * (most - kept + (1 if most and not kept else 0))


def sort_key(journal: Journal, key: Key) -> Tuple[int, str, str]:
    """Assets first, expenses last, then by name."""
    roots = list(convert.account_types(journal.options))
    return (roots.index(key[0].split(":", 1)[0]), key[0], key[1])


def print_trial_balance(journal: Journal, columns: List[Figures], codes: Dict[Key, str]) -> Tuple[int, int]:
    """Print the columns side by side; return how many lines there are and how many differ."""
    keys = sorted({key for column in columns for key in column} | {(code, key[1]) for key, code in codes.items()},
                  key=lambda key: sort_key(journal, key))
    least: Dict[str, int] = {}
    for (_, currency), amount in (item for column in columns for item in column.items()):
        least[currency] = max(least.get(currency, 0), min(2, shown_decimals(amount)))
    most = max(shown_decimals(amount) for column in columns for amount in column.values())
    print(COLUMN.format("account", "", "ledgerflow", "beancount", "hledger", "").rstrip())
    print("-" * WIDTH)
    different = 0
    for key in keys:
        figures = [column.get(key) for column in columns]
        # An account on which nothing was posted is absent from the journals' reports: it counts as zero.
        ours, theirs = figures[0], figures[1] or ZERO
        same = ours == theirs and figures[2] in (None, ours)
        different += not same
        texts = [figure(amount, least[key[1]], most) for amount in figures]
        print(COLUMN.format(key[0], key[1], *texts, "=" if same else "DIFFERS"))
    print("-" * WIDTH)
    return len(keys), different


def currency_sums(figures: Figures) -> Dict[str, Decimal]:
    """The sum over all accounts of each currency: zero, if debits equal credits."""
    sums: Dict[str, Decimal] = collections.defaultdict(Decimal)
    for (_, currency), amount in figures.items():
        sums[currency] += amount
    return sums


def failed_assertions(journal: Journal) -> Tuple[int, List[str]]:
    """Check every balance assertion in the database: its number, and those that fail."""
    asserted = [entry for entry in journal.entries if isinstance(entry, data.Balance)]
    values = ",\n".join(
        f"({psql.literal(entry.account)}, {psql.literal(entry.amount.currency)}, timestamptz '{entry.date} 00:00:00+00', "
        f"{entry.amount.number:f}, {balance.get_balance_tolerance(entry, journal.options):f})" for entry in asserted)
    if not asserted:
        return 0, []
    found = psql.rows(f"""
        SELECT w.account, w.currency, w.at, w.amount, f.amount
          FROM (VALUES {values}) AS w (account, currency, at, amount, tolerance)
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(e.amount), 0) AS amount
                 FROM ledger.entries e
                 JOIN ledger.transactions t ON t.id = e.transaction_id
                 JOIN ledger.accounts a ON a.id = e.account_id
                WHERE (a.code = w.account OR starts_with(a.code, w.account || ':'))
                  AND a.currency = w.currency AND t.effective_at < w.at) AS f
         WHERE abs(f.amount - w.amount) > w.tolerance""")
    return len(asserted), [f"{account} on {at}: asserted {amount} {currency}, found {got}"
                           for account, currency, at, amount, got in found]


def different_headers(journal: Journal) -> Tuple[int, int]:
    """Compare date, payee and narration of all transactions that move anything: their number, and how many differ."""
    wanted = collections.Counter(
        (str(transaction.date), transaction.payee or "", transaction.narration or "")
        for transaction in journal.transactions() if any(posting.units.number for posting in transaction.postings))
    found = collections.Counter(tuple(row) for row in psql.rows(
        "SELECT (effective_at AT TIME ZONE 'UTC')::date, coalesce(metadata ->> 'payee', ''), coalesce(description, '') "
        "FROM ledger.transactions"))
    return sum(wanted.values()), max(sum((wanted - found).values()), sum((found - wanted).values()))


def report(label: str, text: str, good: bool) -> bool:
    """Print one finding."""
    print(f"  {label:<19} {text:<70} {'ok' if good else 'WRONG'}")
    return good


def compare(journal: Journal) -> bool:
    """Print the comparison and the verdict."""
    expected = beancount_figures(journal)
    codes = convert.convert_journal(journal.entries, journal.options).codes
    by_hledger = hledger_figures(journal, list(expected))
    columns = [ledgerflow_figures(), by_code(expected, codes), by_code(by_hledger, codes)]
    accounts, different = print_trial_balance(journal, columns, codes)
    sums = currency_sums(columns[0])
    unbalanced = [f"{currency} {total:+f}" for currency, total in sorted(sums.items()) if total]
    assertions, failed = failed_assertions(journal)
    headers, other_headers = different_headers(journal)
    good = [
        report("Accounts", f"{accounts - different} of {accounts} agree to the last decimal; "
               f"hledger knows {len(by_hledger)}, {accounts - len(expected)} were never posted to", not different),
        report("Currencies", f"debits less credits: {', '.join(unbalanced)}" if unbalanced else
               f"all {len(sums)} sum to zero: {', '.join(sorted(sums))}", not unbalanced),
        report("Balance assertions", f"{assertions - len(failed)} of {assertions} of the journal hold in the database", not failed),
        report("Transactions", f"{headers - other_headers:,} of {headers:,} have their date, payee and narration", not other_headers),
    ]
    for line in failed:
        print(f"  {line}")
    print()
    if all(good):
        print(f"OK: {accounts} accounts in {len(sums)} currencies agree between ledgerflow, beancount and hledger.")
    else:
        print(f"FAILED: ledgerflow and the accountants differ ({different} of {accounts} accounts; see above).")
    return all(good)


def main(arguments: List[str]) -> int:
    """Run the comparison."""
    if len(arguments) != 1:
        print("usage: check.py JOURNAL", file=sys.stderr)
        return 2
    return 0 if compare(Journal(*convert.load(arguments[0]))) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
