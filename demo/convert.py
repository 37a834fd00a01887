"""What a beancount journal comes to in a ledger of one currency an account: for check.py, and for the scales.

    convert.py JOURNAL OUTPUT_DIRECTORY

writes setup.sql, which gives every currency the decimals that the journal needs, so that ledger_import() has nothing to
round, and prints what it found. The rules are those of ledger_import():

- A beancount account that holds one commodity keeps its name; one that holds several becomes one account for each of
  them, NAME:COMMODITY.
- A posting held at cost or converted at a price passes through a pair of trading accounts, so that every currency of
  the transaction sums to zero:
      16 VHT {53.60 USD}   debits Assets:US:ETrade:VHT 16 VHT, credits Equity:Trading:VHT:VHT 16 VHT,
                           debits Equity:Trading:VHT:USD 857.60 USD
- beancount lets a transaction be off by a fraction of a cent; a ledger does not. The difference is booked,
  in full, to Equity:Rounding.
- A currency's scale is the most decimals that any of its amounts needs.
- Lines of amount zero say nothing and are left out.
"""

import collections
import dataclasses
import datetime
import decimal
import pathlib
import re
import sys
from decimal import Decimal
from typing import Any, Dict, Iterable, List, NamedTuple, Set, Tuple

from beancount import loader
from beancount.core import convert, data

from psql import literal

TRADING = "Trading"
ROUNDING = "Rounding"
MAX_SCALE = 24
ACCOUNT_CODE = re.compile(r"[A-Za-z0-9_.@+/-]+(:[A-Za-z0-9_.@+/-]+)*")
CURRENCY_CODE = re.compile(r"[A-Za-z0-9._-]{1,32}")
# Enough digits that no sum or product of a journal is rounded; Inexact is trapped to prove it.
EXACT = decimal.Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.Overflow])


class Refused(Exception):
    """The journal holds something that cannot be converted exactly."""


class Line(NamedTuple):
    """One side of a transaction, by beancount's account name: debit positive, credit negative."""

    account: str
    currency: str
    amount: Decimal


@dataclasses.dataclass
class Books:
    """What the conversion keeps of a journal."""

    scales: Dict[str, int] = dataclasses.field(default_factory=dict)
    names: Dict[str, str] = dataclasses.field(default_factory=dict)
    types: Dict[str, str] = dataclasses.field(default_factory=dict)
    opened: Dict[str, data.Open] = dataclasses.field(default_factory=dict)
    transactions: List[Tuple[data.Transaction, List[Line]]] = dataclasses.field(default_factory=list)
    codes: Dict[Tuple[str, str], str] = dataclasses.field(default_factory=dict)
    zero_lines: int = 0
    empty_transactions: int = 0


def load(journal: str) -> Tuple[List[Any], Dict[str, Any]]:
    """Load a journal with beancount, which also fills in pads and checks balance assertions."""
    entries, errors, options = loader.load_file(journal)
    if errors:
        raise Refused(f"beancount finds {len(errors)} errors in {journal}: {errors[0].message}")
    return entries, options


def account_types(options: Dict[str, Any]) -> Dict[str, str]:
    """The ledgerflow account type of each root account."""
    return {
        options["name_assets"]: "asset",
        options["name_liabilities"]: "liability",
        options["name_equity"]: "equity",
        options["name_income"]: "income",
        options["name_expenses"]: "expense",
    }


def trading_account(options: Dict[str, Any], commodity: str) -> str:
    """The account through which a commodity is bought and sold."""
    return ":".join((options["name_equity"], TRADING, commodity))


def rounding_account(options: Dict[str, Any]) -> str:
    """The account of the fractions that beancount tolerates."""
    return ":".join((options["name_equity"], ROUNDING))


def account_codes(used: Iterable[Tuple[str, str]]) -> Dict[Tuple[str, str], str]:
    """Name the ledgerflow account of each pair of beancount account and commodity."""
    currencies: Dict[str, Set[str]] = collections.defaultdict(set)
    for account, currency in used:
        currencies[account].add(currency)
    codes: Dict[Tuple[str, str], str] = {}
    taken: Set[str] = set()
    for account in sorted(currencies):
        for currency in sorted(currencies[account]):
            code = account if len(currencies[account]) == 1 else f"{account}:{currency}"
            if code in taken:
                raise Refused(f"two accounts would be named {code}")
            if not ACCOUNT_CODE.fullmatch(code) or len(code) > 255:
                raise Refused(f"account {code} is not a code that ledgerflow takes (ASCII, up to 255 bytes)")
            taken.add(code)
            codes[account, currency] = code
    return codes


def transaction_lines(transaction: data.Transaction, options: Dict[str, Any]) -> List[Line]:
    """The lines of a transaction, every currency summing to zero; amounts may still be zero."""
    lines: List[Line] = []
    residual: Dict[str, Decimal] = collections.defaultdict(Decimal)
    for posting in transaction.postings:
        units, weight = posting.units, convert.get_weight(posting)
        lines.append(Line(posting.account, units.currency, units.number))
        if weight.currency != units.currency:
            trading = trading_account(options, units.currency)
            lines.append(Line(trading, units.currency, -units.number))
            lines.append(Line(trading, weight.currency, weight.number))
        residual[weight.currency] += weight.number
    for currency, difference in residual.items():
        lines.append(Line(rounding_account(options), currency, -difference))
    return lines


def decimals(number: Decimal) -> int:
    """Digits after the point as written."""
    return max(0, -int(number.as_tuple().exponent))


def needed_decimals(number: Decimal) -> int:
    """Digits after the point without trailing zeros."""
    return decimals(number.normalize())


def measure(books: Books) -> None:
    """Find the scale of each currency: as its amounts are written, and as the computed ones need."""
    for transaction, lines in books.transactions:
        written = [(posting.units.currency, decimals(posting.units.number)) for posting in transaction.postings]
        needed = [(line.currency, needed_decimals(line.amount)) for line in lines]
        for currency, scale in written + needed:
            books.scales[currency] = max(scale, books.scales.get(currency, 0))
            if scale > MAX_SCALE:
                raise Refused(f"an amount of {currency} on {transaction.date} needs {scale} decimals")
    for currency in books.scales:
        if not CURRENCY_CODE.fullmatch(currency):
            raise Refused(f"currency {currency} is not a code that ledgerflow takes")


def add_transaction(books: Books, transaction: data.Transaction, options: Dict[str, Any]) -> None:
    """Convert one transaction, leaving out what moves nothing."""
    lines = transaction_lines(transaction, options)
    moving = [line for line in lines if line.amount]
    books.zero_lines += sum(1 for posting in transaction.postings if not posting.units.number)
    if moving:
        books.transactions.append((transaction, moving))
    else:
        books.empty_transactions += 1


def accounts_in_use(books: Books, entries: Iterable[Any], options: Dict[str, Any]) -> Set[Tuple[str, str]]:
    """Every pair of account and commodity: those that appear, and those that were opened and never used."""
    used = {(posting.account, posting.units.currency)
            for entry in entries if isinstance(entry, data.Transaction) for posting in entry.postings}
    used |= {(line.account, line.currency) for _, lines in books.transactions for line in lines}
    fallback = options["operating_currency"][:1] or sorted(books.scales)[:1]
    idle = set(books.opened) - {account for account, _ in used}
    used |= {(account, currency) for account in idle for currency in books.opened[account].currencies or fallback}
    return used


def convert_journal(entries: List[Any], options: Dict[str, Any]) -> Books:
    """Convert a whole journal."""
    books = Books(types=account_types(options))
    with decimal.localcontext(EXACT):
        for entry in entries:
            if isinstance(entry, data.Transaction):
                add_transaction(books, entry, options)
            elif isinstance(entry, data.Open):
                books.opened[entry.account] = entry
            elif isinstance(entry, data.Commodity):
                books.names[entry.currency] = entry.meta.get("name", "")
        measure(books)
    used = accounts_in_use(books, entries, options)
    for _, currency in used:
        books.scales.setdefault(currency, 0)
    books.codes = account_codes(used)
    return books


def currency_sql(currency: str, books: Books) -> str:
    """Make a currency known, with at least the decimals that the journal needs.

    The scale of a currency never changes; one that no account uses yet can be replaced by a finer one.
    """
    code, scale = literal(currency), books.scales[currency]
    name = literal(books.names[currency]) if books.names.get(currency) else "NULL"
    return (f"DELETE FROM ledger.currencies WHERE code = {code} AND scale < {scale};\n"
            f"INSERT INTO ledger.currencies (code, scale, name) VALUES ({code}, {scale}, {name}) ON CONFLICT DO NOTHING;")


def summary(books: Books, options: Dict[str, Any]) -> str:
    """What was found, for people."""
    dates: List[datetime.date] = [transaction.date for transaction, _ in books.transactions]
    prefix = trading_account(options, "")
    trading = sum(1 for account, _ in books.codes if account.startswith(prefix))
    rounding = sum(1 for account, _ in books.codes if account == rounding_account(options))
    rounded = [lines for _, lines in books.transactions if lines[-1].account == rounding_account(options)]
    currencies = ", ".join(f"{currency} {books.scales[currency]}" for currency in sorted(books.scales))
    rows = [
        ("Journal", f"{options['title']}, {min(dates)} to {max(dates)}"),
        ("Transactions", f"{len(books.transactions):,} of {sum(len(lines) for _, lines in books.transactions):,} lines"),
        ("Accounts", f"{len(books.codes)}: {len(books.codes) - trading - rounding} of the journal, {trading} for trading"
                     f" commodities, {rounding} for rounding"),
        ("Decimals", currencies),
        ("Rounding", f"{len(rounded)} transactions are off by a fraction that beancount tolerates: booked, not dropped"),
        ("Left out", f"{books.zero_lines} lines of amount zero, {books.empty_transactions} transactions without any other"),
    ]
    return "\n".join(f"  {name:<13} {text}" for name, text in rows)


def main(arguments: List[str]) -> int:
    """Run the conversion."""
    if len(arguments) != 2:
        print("usage: convert.py JOURNAL OUTPUT_DIRECTORY", file=sys.stderr)
        return 2
    directory = pathlib.Path(arguments[1])
    directory.mkdir(parents=True, exist_ok=True)
    try:
        entries, options = load(arguments[0])
        books = convert_journal(entries, options)
    except Refused as reason:
        print(f"convert.py: {reason}", file=sys.stderr)
        return 1
    statements = (currency_sql(currency, books) for currency in sorted(books.scales))
    (directory / "setup.sql").write_text("\n".join(statements) + "\n", encoding="utf-8")
    print(summary(books, options))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
