#!/usr/bin/env python3
"""The reports against two accountants: the demo's journal, three years of somebody's finances, is posted to a ledger;
then trial balance, balance sheet and income statement at the ends of several periods are held against beancount's and
hledger's own, every account and every total.

Run by scripts/test.sh with libpq pointed at a server. Skipped (77) where beancount or hledger is not installed.
"""

import collections
import csv
import datetime
import gzip
import io
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's has Debian's beancount
DATABASE = "reports_test"
# Ends of periods, exclusive: before the first transaction, in the middle of things, years, after the last one.
DAYS = ["2013-01-01", "2013-03-17", "2014-01-01", "2014-07-01", "2015-01-01", "2015-12-21", "2016-06-01"]
RANGES = [("2013-01-01", "2014-01-01"), ("2014-01-01", "2015-01-01"), ("2014-02-11", "2014-09-03"),
          ("2012-01-01", "2017-01-01"), ("2015-06-01", "2015-06-01")]


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


try:
    sys.path.insert(0, str(ROOT / "demo"))
    sys.dont_write_bytecode = True
    os.environ.update(BEANCOUNT_DISABLE_LOAD_CACHE="1", PGTZ="UTC", PGCLIENTENCODING="UTF8")
    import beancount
except ImportError:
    if os.path.realpath(sys.executable) == os.path.realpath(SYSTEM_PYTHON) or not os.path.exists(SYSTEM_PYTHON):
        skip("there is no beancount for Python")
    os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])

import check
import convert
import psql

ZERO = Decimal(0)
failures = []
compared = 0


def same(what, ours, theirs):
    """Hold two sets of figures against each other; what is missing on one side is zero there."""
    global compared
    for key in sorted(set(ours) | set(theirs)):
        compared += 1
        if ours.get(key, ZERO) != theirs.get(key, ZERO):
            failures.append(what)
            print(f"FAILED: {what}: {' '.join(key)}: {ours.get(key, ZERO)}, expected {theirs.get(key, ZERO)}")


def find_journal():
    """The package's example journal, or the copy that the demo took out of the package."""
    for directory in ("/usr/share/doc/beancount/examples", ROOT / "build/demo"):
        for name in ("example.beancount", "example.beancount.gz"):
            if (Path(directory) / name).exists():
                return Path(directory) / name
    return skip("beancount's example journal is not installed")


def load_database(path, books, directory):
    """Import the whole journal."""
    def run(*arguments):
        subprocess.run(psql.PSQL + list(arguments), check=True, stdout=subprocess.DEVNULL)

    os.environ["PGOPTIONS"] = (os.environ.get("PGOPTIONS", "") + " -c client_min_messages=warning").strip()
    run("-d", "postgres", "-c", f"DROP DATABASE IF EXISTS {DATABASE}", "-c", f"CREATE DATABASE {DATABASE}")
    os.environ["PGDATABASE"] = DATABASE
    run("-c", "CREATE EXTENSION ledgerflow", "-c", "SELECT ledger_create()")
    run("-c", "\n".join(convert.currency_sql(currency, books) for currency in books.scales))
    content = path.read_bytes()
    (directory / "journal").write_bytes(gzip.decompress(content) if path.suffix == ".gz" else content)
    (directory / "import.sql").write_text(f"""\\set journal `cat {directory}/journal`
        SELECT ledger_import(:'journal', 'beancount');""")
    run("-f", str(directory / "import.sql"))


def figures(sql):
    """Figures of the database: key columns, the amount last."""
    return {tuple(row[:-1]): Decimal(row[-1]) for row in psql.rows(sql)}


def end_of(day):
    """The last moment before a day."""
    return f"timestamptz '{day} 00:00:00+00' - interval '1 microsecond'"


# --- beancount ------------------------------------------------------------------------------------


def until(journal, day):
    """The journal as if nothing had happened from this day on."""
    day = datetime.date.fromisoformat(day)
    return check.Journal([entry for entry in journal.entries if entry.date < day], journal.options)


def by_beancount(journal, codes, day):
    """All balances before a day, by our codes; debits positive."""
    return check.by_code(check.beancount_figures(until(journal, day)), codes)


def earnings_by_beancount(journal, day):
    """What beancount's own closing of the books moves into its account of current earnings, in our sign."""
    rows = journal.query(f"SELECT account, units(sum(position)) AS units FROM CLOSE ON {day} CLEAR GROUP BY account")
    earnings = journal.options["name_equity"] + ":" + journal.options["account_current_earnings"]
    return {(currency,): -amount for row in rows if row.account == earnings
            for currency, amount in check.amounts(row.units).items()}


# --- hledger --------------------------------------------------------------------------------------


def hledger(text, report, *arguments):
    """One of hledger's reports as (section, account or total, currency) -> amount."""
    command = ["hledger", "--file=-", report, "--output-format=csv", "--layout=bare", "--flat", *arguments]
    answer = subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, text=True, encoding="utf-8").stdout
    found, section = {}, ""
    for row in csv.reader(io.StringIO(answer)):
        name, currency, amounts = row[0], row[1], row[2:]
        if name in ("Assets", "Liabilities", "Equity", "Revenues", "Expenses") and not currency:
            section = name
        elif currency and amounts and currency != "Commodity":
            found[section if name.lower() != "net:" else "", name, currency] = Decimal(amounts[-1])
    return found


def check_sheet(journal, codes, expected, text, precision, day):
    """The balance sheet before a day."""
    at = end_of(day)
    sql = f"FROM ledger_balance_sheet({at})"
    accounts = figures(f"SELECT account, currency, CASE side WHEN 'credit' THEN -amount ELSE amount END {sql} WHERE kind = 'account'")
    types = {code: convert.account_types(journal.options)[account.split(":", 1)[0]] for (account, _), code in codes.items()}
    same(f"balance sheet before {day}, beancount", accounts,
         {key: amount for key, amount in expected.items() if types[key[0]] not in ("income", "expense")})
    earnings = figures(f"SELECT currency, amount {sql} WHERE kind = 'earnings'")
    same(f"earnings before {day}, beancount", earnings, earnings_by_beancount(journal, day))
    for section in ("asset", "liability", "equity"):
        sums = collections.defaultdict(Decimal)
        for (code, currency), amount in expected.items():
            if types[code] == section or section == "equity" and types[code] in ("income", "expense"):
                sums[currency,] += amount if section == "asset" else -amount
        same(f"total of {section} before {day}, beancount",
             figures(f"SELECT currency, amount {sql} WHERE kind = 'subtotal' AND section = '{section}'"), dict(sums))
    sides = figures(f"SELECT side, currency, amount {sql} WHERE kind = 'total'")
    same(f"sides before {day}", {key[1:]: amount for key, amount in sides.items() if key[0] == "debit"},
         {key[1:]: amount for key, amount in sides.items() if key[0] == "credit"})

    found = hledger(text, "balancesheet", "--end", day, *precision)
    names = {(code, key[1]): key for key, code in codes.items()}
    ours = figures(f"SELECT section, account, currency, amount {sql} WHERE kind = 'account' AND section <> 'equity'")
    same(f"balance sheet before {day}, hledger",
         {(section, names[code, currency][0], currency): amount for (section, code, currency), amount in ours.items()},
         {({"Assets": "asset", "Liabilities": "liability"}[section], name, currency): amount
          for (section, name, currency), amount in found.items() if section and name != "total"})
    same(f"totals before {day}, hledger",
         figures(f"SELECT section, currency, amount {sql} WHERE kind = 'subtotal' AND section <> 'equity'"),
         {({"Assets": "asset", "Liabilities": "liability"}[section], currency): amount
          for (section, name, currency), amount in found.items() if section and name == "total"})


def check_income(journal, codes, text, precision, start, end):
    """The income statement of a range."""
    sql = f"FROM ledger_income_statement('{start} 00:00:00+00', '{end} 00:00:00+00')"
    names = {(code, key[1]): key for key, code in codes.items()}
    ours = {(section, names[code, currency][0], currency): amount for (section, code, currency), amount in
            figures(f"SELECT section, account, currency, amount {sql} WHERE kind = 'account'").items()}
    totals = figures(f"SELECT section, currency, amount {sql} WHERE kind = 'subtotal'")
    net = figures(f"SELECT currency, amount {sql} WHERE kind = 'net'")

    rows = journal.query(f"SELECT account, currency, sum(number) AS units WHERE date >= {start} AND date < {end} "
                         "AND account ~ '^(Income|Expenses):' GROUP BY account, currency")
    theirs = {("income" if row.account.startswith("Income:") else "expense", row.account, row.currency):
              -row.units if row.account.startswith("Income:") else row.units for row in rows}
    what = f"income statement {start} to {end}"
    same(f"{what}, beancount", ours, theirs)
    sums, nets = collections.defaultdict(Decimal), collections.defaultdict(Decimal)
    for (section, _, currency), amount in theirs.items():
        sums[section, currency] += amount
        nets[currency,] += amount if section == "income" else -amount
    same(f"{what}, totals, beancount", totals, dict(sums))
    same(f"{what}, net, beancount", net, dict(nets))

    if start == end:  # hledger takes an empty range for none
        return
    found = hledger(text, "incomestatement", "--begin", start, "--end", end, *precision)
    sections = {"Revenues": "income", "Expenses": "expense"}
    same(f"{what}, hledger", ours, {(sections[section], name, currency): amount
                                    for (section, name, currency), amount in found.items() if section and name != "total"})
    same(f"{what}, totals, hledger", totals, {(sections[section], currency): amount
                                              for (section, name, currency), amount in found.items() if section and name == "total"})
    same(f"{what}, net, hledger", net, {(currency,): amount for (section, _, currency), amount in found.items() if not section})


def main():
    if not shutil.which("hledger"):
        skip("there is no hledger")
    path = find_journal()
    journal = check.Journal(*convert.load(str(path)))
    books = convert.convert_journal(journal.entries, journal.options)
    with tempfile.TemporaryDirectory() as directory:
        load_database(path, books, Path(directory))
    text = check.hledger_journal(journal)
    precision = []
    for currency in sorted(books.scales):  # enough decimals that nothing is rounded for display
        precision += ["-c", f'1.{"0" * convert.MAX_SCALE} "{currency}"']
    for day in DAYS:
        expected = by_beancount(journal, books.codes, day)
        same(f"trial balance before {day}, beancount",
             figures(f"SELECT account, currency, debit - credit FROM ledger_trial_balance({end_of(day)})"), expected)
        check_sheet(journal, books.codes, expected, text, precision, day)
    for start, end in RANGES:
        check_income(journal, books.codes, text, precision, start, end)
    if compared < 1000:
        failures.append(f"only {compared} figures were compared")
    if failures:
        sys.exit(f"{len(failures)} of {compared} figures differ: {', '.join(sorted(set(failures)))}")
    print(f"{compared} figures at {len(DAYS)} times and in {len(RANGES)} ranges agree with beancount and hledger")


if __name__ == "__main__":
    main()
