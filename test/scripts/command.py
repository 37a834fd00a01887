#!/usr/bin/env python3
"""The command ledgerflow: every subcommand in its three formats, exit codes, bad input, and what is made of its
descriptions (docs/command.md, manual page, completion). Bad luck is in command_bad_luck.py.

    test/scripts/command.py            against the server that libpq is pointed at
    test/scripts/command.py --update   writes what `ledgerflow generate markdown` says into docs/command.md
Run by scripts/test.sh.
"""

import json
import os
import re
import subprocess
import sys

from command_support import (DATABASE, ENVIRONMENT, PROGRAM, ROOT, UUID, check, check_in, done, has, in_three_formats,
                             new_database, refused, run, run_parts, sql, table)

PAGE = ROOT / "docs/command.md"

# --- what it says about itself --------------------------------------------------------------------


def words_of_all_commands():
    return re.findall(r"^## ledgerflow (.*)$", done("generate", "markdown").out, re.M)


def check_help():
    check("--version", "ledgerflow " + re.search(r"default_version *= *'(.*)'", (ROOT / "ledgerflow.control").read_text())[1] + "\n",
          done("--version").out)
    check("help is --help", done("help").out, done("--help").out)
    commands = words_of_all_commands()
    check("the commands of the issue are there", set(), {
        "init", "account open", "post", "hold", "capture", "release", "reverse", "balance", "statement",
        "report trial-balance", "report balance-sheet", "report income-statement", "verify", "import", "export", "bench"} - set(commands))
    for words in commands:
        text = done(*words.split(), "--help").out
        check_in(f"help of {words}", "Usage: ", text)
        check(f"help {words} is {words} --help", text.strip(), done("help", *words.split()).out.replace(f"ledgerflow {words} ledgerflow {words}", f"ledgerflow {words}").strip())


def check_command_line():
    for arguments in ((), ("nonsense",), ("account",), ("post", "--nonsense"), ("balance", "--json", "--csv"), ("account", "open", "a"),
                      ("balance", "--at"), ("help", "nonsense"), ("verify", "more"), ("--ledger", "", "balance"),
                      ("--ledger", "x" * 64, "balance"), ("export", "--format", "pdf"), ("account", "freeze", "a", "--direction", "up")):
        refused(2, "See ledgerflow help", *arguments)
    check("usage errors in JSON", 2, json.loads(run("post", "a", "--json").err)["error"]["exit_code"])


def generated():
    return done("generate", "markdown").out


MARK = "<!-- Made by test/scripts/command.py --update from the commands' own descriptions. -->\n"


def check_page():
    check("docs/command.md is what the commands say: test/scripts/command.py --update", generated(), PAGE.read_text().split(MARK)[-1])


def check_manual():
    page = PROGRAM.parent / "ledgerflow.1"
    lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], stdout=subprocess.PIPE, text=True)
    check("the manual page has no faults", "", lint.stdout)
    shown = subprocess.run(["mandoc", "-Tutf8", page], stdout=subprocess.PIPE, text=True).stdout
    shown = re.sub(r".\x08", "", shown)
    for words in words_of_all_commands():
        check_in("the manual page", "ledgerflow " + words, shown)


def completed(line):
    words = line.split(" ")
    script = f"""source '{PROGRAM.parent / "ledgerflow.bash"}' && COMP_WORDS=({' '.join(f"'{word}'" for word in words)}) &&
        COMP_CWORD={len(words) - 1} && _ledgerflow && printf '%s\\n' "${{COMPREPLY[@]}}" """
    answer = subprocess.run(["bash", "--norc", "-euc", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    check(f"completion of {line!r}", (0, ""), (answer.returncode, answer.stderr))
    return set(answer.stdout.split())


def check_completion():
    check("completion of commands", {"account"}, completed("ledgerflow acc"))
    check("of their second words", {"open"}, completed("ledgerflow account o"))
    check("behind options of the whole", {"balance-sheet"}, completed("ledgerflow --json -d books report balance-"))
    check("of options", {"--idempotency-key"}, completed("ledgerflow post --idem"))
    check("of options of the whole", {"--json"}, completed("ledgerflow account list --js"))
    check("of values", {"debit", "credit", "both"}, completed("ledgerflow account freeze a --direction "))
    check("of files", {"README.md"}, completed("ledgerflow load READ"))
    check("of what nobody can guess", set(), completed("ledgerflow post -k "))
    check("in other commands", {"help"}, completed("ledgerflow hel"))


# --- the books ------------------------------------------------------------------------------------


def check_example():
    """The first example of docs/command.md, in a database of its own."""
    page = PAGE.read_text()
    script, shown = re.search(r"^```sh\n(.*?)^```\n```text\n(.*?)^```", page, re.M | re.S).groups()
    new_database("command_example")
    script = script.replace("PGDATABASE=books", "PGDATABASE=command_example")
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    answer = subprocess.run(["bash", "-e"], input=script, stdout=subprocess.PIPE, text=True, env=dict(ENVIRONMENT, PATH=path))
    check("the page's example", (0, shown), (answer.returncode, "".join(answer.stdout.splitlines(True)[4:])))
    sql("DROP DATABASE command_example WITH (FORCE)", "postgres")


def check_init():
    new_database()
    check("init prints the ledger", "ledger\n", done("init").out)
    check("the extension is there", "1", sql("SELECT count(*) FROM pg_extension WHERE extname = 'ledgerflow'"))
    refused(1, "LF021 ledger_exists", "init")
    check("init --if-missing", "ledger\n", done("init", "--if-missing").out)
    sql("CREATE SCHEMA mine")
    refused(1, "LF020", "init", "--if-missing", "--ledger", "mine")
    check("another ledger", {"ledger": "Tenant 17"}, done("--json", "-l", "Tenant 17", "init").json())
    check("named by the environment", [], done("balance", "--json", env={"LEDGERFLOW_LEDGER": "Tenant 17"}).json())
    refused(1, "LF020 ledger_not_found", "balance", "--ledger", "nope")
    refused(1, "LF020 ledger_not_found", "post", "a", "b", "1", "--ledger", "nope")


def check_accounts():
    check("account open prints the id", True, done("account", "open", "assets:bank", "asset", "USD").out.strip().isdigit())
    alice = ("account", "open", "customers:alice", "liability", "USD", "--min-balance", "0", "--name", "Alice, \"A.\"",
             "--metadata", '{"tier": 1.10}')
    check("and again the same", done(*alice).out, done(*alice).out)
    refused(1, "LF024 account_exists", "account", "open", "assets:bank", "asset", "EUR")
    refused(1, "LF002 invalid_account_code", "account", "open", "a b", "asset", "USD")
    refused(1, "LF002", "account", "open", "", "asset", "USD")
    refused(1, "LF025", "account", "open", "x", "nonsense", "USD")
    refused(2, "22P02", "account", "open", "x", "asset", "USD", "--metadata", "{")
    refused(1, "LF001 invalid_amount", "account", "open", "x", "asset", "USD", "--min-balance", "1e3")
    for code in ("assets:bank:eur", "assets:banking", "income:fees", "shops:corner"):
        kind = code.split(":")[0]
        done("account", "open", code, {"assets": "asset", "income": "income", "shops": "liability"}[kind], "EUR" if "eur" in code else "USD")
    check("account list", ["assets:bank", "assets:bank:eur", "assets:banking", "customers:alice", "income:fees", "shops:corner"],
          in_three_formats("account", "list", key="account"))
    check("a prefix is one of segments", ["assets:bank", "assets:bank:eur"], in_three_formats("account", "list", "assets:bank", key="account"))
    check("and plain text", [], in_three_formats("account", "list", "assets:bank%", key="account"))
    check("by type and currency", ["assets:bank:eur"], in_three_formats("account", "list", "--type", "asset", "--currency", "EUR", key="account"))
    shown = done("account", "show", "customers:alice", "--json").json()
    check("account show", ("Alice, \"A.\"", "0.00", 1.1, 0), (shown["name"], shown["min_balance"], shown["metadata"]["tier"], shown["version"]))
    check_in("metadata keep their digits", '{"tier": 1.10}', done("account", "show", "customers:alice", "--json").out)
    check_in("account show for people", "status               open\n", done("account", "show", "customers:alice").out)
    refused(1, "LF023 account_not_found", "account", "show", "nobody")
    check("limits are shown", {"account": "customers:alice", "currency": "USD", "min_balance": "0.00", "max_balance": None},
          done("account", "limits", "customers:alice", "--json").json())
    refused(2, "give both", "account", "limits", "customers:alice", "--min-balance", "5")
    limits = ("account", "limits", "customers:alice", "--min-balance", "-50", "--max-balance", "none", "--json", "--reason", "more")
    check("and set", "-50.00", done(*limits).json()["min_balance"])
    refused(1, "LF001", "account", "limits", "customers:alice", "--min-balance", "0x10", "--max-balance", "none")
    refused(1, "LF013", "account", "limits", "customers:alice", "--min-balance", "5", "--max-balance", "4")
    done("account", "limits", "customers:alice", "--min-balance", "0", "--max-balance", "none")
    check("freeze", {"account": "shops:corner", "done": "frozen"}, done("account", "freeze", "shops:corner", "--direction", "debit", "--json").json())
    check("status", ["shops:corner"], in_three_formats("account", "list", "--status", "debits_frozen", key="account"))
    refused(1, "LF043 account_frozen", "post", "shops:corner", "assets:bank", "1")
    done("account", "unfreeze", "shops:corner", "--reason", "found again")
    done("account", "close", "shops:corner")
    refused(1, "LF044 account_closed", "post", "assets:bank", "shops:corner", "1")
    done("account", "reopen", "shops:corner")
    check("history", ["debits_frozen", "open", "closed", "open"], in_three_formats("account", "history", "shops:corner", key="to_value"))
    refused(1, "LF023", "account", "history", "nobody")


BAD_AMOUNTS = ("1e3", "1,000.00", "", " 5 ", "0x10", "NaN", "Infinity", "-Infinity", ".5", "5.", "1_000", "١", "5 USD", "+-5", "1" * 40)


def check_postings():
    first = done("post", "assets:bank", "customers:alice", "100.00", "-k", "d1", "-r", "wire 1", "-m", "De\x1b[31mposit\n", "--metadata", '{"a": [1]}').out
    check("post prints the id", True, UUID.fullmatch(first) is not None)
    check("the same key, the same id", first, done("post", "assets:bank", "customers:alice", "100", "-k", "d1", "-r", "wire 1", "-m",
                                                   "De\x1b[31mposit\n", "--metadata", '{"a": [1]}').out)
    refused(1, "LF047 idempotency_conflict", "post", "assets:bank", "customers:alice", "99", "-k", "d1")
    for amount in BAD_AMOUNTS:
        for arguments in (("post", "assets:bank", "customers:alice", amount), ("hold", "assets:bank", "customers:alice", amount),
                          ("post", "--debit", "assets:bank=" + amount, "--credit", "customers:alice=5")):
            if not amount.startswith("-") or "--debit" in arguments:
                refused(1, "LF001 invalid_amount", *arguments)
    refused(2, "not expected", "post", "assets:bank", "customers:alice", "-Infinity")
    for amount in ("0", "-5", "-5.00"):
        refused(1, "LF001 invalid_amount", "post", "assets:bank", "customers:alice", amount)
    refused(1, "LF001", "post", "assets:bank", "customers:alice", "1.001")
    refused(1, "LF023 account_not_found", "post", "assets:bank", "nobody", "1")
    refused(1, "LF003 same_account", "post", "assets:bank", "assets:bank", "1")
    answer = refused(1, "LF040 insufficient_balance", "post", "customers:alice", "assets:bank", "100.01")
    check_in("the detail is there", "  detail:   Balance 100.00 USD", answer.err)
    check_in("and the hint", "  hint:     Post at most", answer.err)
    error = json.loads(refused(1, "LF040", "--json", "post", "customers:alice", "assets:bank", "100.01").err)["error"]
    check("an error in JSON", ("LF040", "insufficient_balance", 1), (error["sqlstate"], error["condition"], error["exit_code"]))
    check("with detail and hint", (True, True), ("detail" in error, "hint" in error))
    refused(2, "22007", "post", "assets:bank", "customers:alice", "1", "--effective-at", "someday")
    refused(2, "22008", "post", "assets:bank", "customers:alice", "1", "--effective-at", "2024-13-40")
    refused(2, "22P02", "post", "assets:bank", "customers:alice", "1", "--expected-version", "x")
    refused(1, "LF046 version_conflict", "post", "assets:bank", "customers:alice", "1", "--expected-version", "7")
    refused(2, "give DEBIT CREDIT AMOUNT", "post", "assets:bank", "customers:alice")
    refused(2, "give DEBIT CREDIT AMOUNT", "post", "assets:bank", "customers:alice", "1", "--debit", "a=1")
    refused(2, "ACCOUNT=AMOUNT", "post", "--debit", "assets:bank", "--credit", "customers:alice=1")
    refused(1, "LF006 unbalanced", "post", "--debit", "assets:bank=2", "--credit", "customers:alice=1")
    refused(1, "LF004 too_few", "post", "--debit", "assets:bank=2")
    refused(1, "LF009", "post", "assets:bank", "customers:alice", "1", "-r", "")
    refused(1, "LF008", "post", "assets:bank", "customers:alice", "1", "-k", "")
    lines = ("--debit", "customers:alice=25", "--credit", "shops:corner=24.50", "--credit", "income:fees=0.50")
    before = sql("SELECT count(*) FROM ledger.transactions")
    dry = done_dry("post", *lines, "--json").json()
    check("a dry run shows the lines", [("customers:alice", "25.00", None, "75.00"), ("shops:corner", None, "24.50", "24.50"),
                                        ("income:fees", None, "0.50", "0.50")],
          [(line["account"], line["debit"], line["credit"], line["balance_after"]) for line in dry])
    check("and posts nothing", before, sql("SELECT count(*) FROM ledger.transactions"))
    answer = run("post", "-n", "customers:alice", "shops:corner", "1000")
    check("a dry run can be refused", (1, True), (answer.code, "LF040" in answer.err))
    three = done("post", *lines).out.strip()
    check("show", ["customers:alice", "shops:corner", "income:fees"], [row["account"] for row in done("show", three, "--json").json()])
    check("show in CSV", ["25.00", "", ""], [row["debit"] for row in done("show", three, "--csv").csv()])
    head, body = done("show", three).out.split("\n\n")
    check_in("show for people has a head", f"transaction_id  {three}\n", head)
    check("and lines", ["25.00", "", ""], [row["debit"] for row in table(body)])
    first = first.strip()
    check("control characters are shown, not sent", True, "De\\x1b[31mposit\\n" in done("show", first).out)
    check("in JSON they are whole", "De\x1b[31mposit\n", done("show", first, "--json").json()[0]["description"])
    check("in CSV too", "De\x1b[31mposit\n", done("show", first, "--csv").csv()[0]["description"])
    check("times in JSON are ISO 8601", True,
          re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", done("show", first, "--json").json()[0]["posted_at"]) is not None)
    check("metadata are JSON", {"a": [1]}, done("show", first, "--json").json()[0]["metadata"])
    refused(1, "LF027 transaction_not_found", "show", "00000000-0000-7000-8000-000000000000")
    refused(2, "22P02", "show", "nonsense")
    refused(1, "LF027", "reverse", "00000000-0000-7000-8000-000000000000")
    transfer = done("transfer", "customers:alice", "shops:corner", "5", "--effective-at", "2024-02-29 12:00+01").out.strip()
    check("effective_at", "2024-02-29T11:00:00+00:00", done("show", transfer, "--json").json()[0]["effective_at"])
    part = done("reverse", transfer, "2", "--reason", "too much", "--json").json()["transaction_id"]
    check("a reversal", (transfer, "too much"), tuple(done("show", part, "--json").json()[0][name] for name in ("reverses", "description")))
    refused(1, "LF064", "reverse", transfer, "4")
    refused(2, "not both", "reverse", transfer, "1", "--debit", "a=1")
    check("a dry reversal", ["customers:alice", "shops:corner"], sorted(row["account"] for row in table(done_dry("reverse", transfer).out)))
    done("reverse", three, "--debit", "income:fees=0.50", "--credit", "customers:alice=0.50")
    check("balances", ["72.50", "100.00"], in_three_formats("balance", "customers:alice", "assets:bank", key="balance"))
    check("all of them", 6, len(in_three_formats("balance", key="balance")))
    refused(1, "LF023", "balance", "customers:alice", "nobody")
    refused(2, "--by needs --at", "balance", "--by", "posted")
    check("a text for SQL stays a text", [], done("account", "list", "x'; DROP TABLE ledger.entries --", "--json").json())
    refused(1, "LF023", "balance", "x\"}'; --", "\\")


def done_dry(*arguments):
    answer = run(*arguments, "--dry-run")
    check(f"{' '.join(arguments)} --dry-run", (0, "dry run: nothing was posted\n"), (answer.code, answer.err))
    return answer


def check_holds():
    hold = done("hold", "customers:alice", "shops:corner", "50.00", "--expires-in", "7 days", "-k", "h1").out.strip()
    check("hold prints the id", True, UUID.fullmatch(hold) is not None)
    check("the same key, the same hold", hold, done("hold", "customers:alice", "shops:corner", "50", "--expires-in", "7 days", "-k", "h1").out.strip())
    refused(1, "LF016", "hold", "customers:alice", "shops:corner", "1", "--expires-in", "-1 day")
    refused(2, "22007", "hold", "customers:alice", "shops:corner", "1", "--expires-in", "soon")
    check("what is reserved", "22.50", done("balance", "customers:alice", "--json").json()[0]["available"])
    check("holds", [hold, hold], in_three_formats("holds", key="hold"))
    check("holds of an account", ["customers:alice", "shops:corner"], in_three_formats("holds", "shops:corner", key="account"))
    check("and of another", [], in_three_formats("holds", "income:fees", key="hold"))
    check("raise", {"hold": hold, "done": "raised"}, done("raise", hold, "10", "--json").json())
    refused(2, "give an AMOUNT", "raise", hold)
    transaction = done("capture", hold, "20", "--keep-rest", "-m", "first part").out.strip()
    check("a capture names its hold", hold, done("show", transaction, "--json").json()[0]["hold"])
    refused(1, "LF063", "capture", hold, "40.01")
    done("capture", hold, "15")
    refused(1, "LF061", "release", hold)
    lines = done("hold", "--debit", "customers:alice=2", "--credit", "shops:corner=1.50", "--credit", "income:fees=0.50").out.strip()
    done("capture", lines, "--debit", "customers:alice=1.50", "--credit", "shops:corner=1", "--credit", "income:fees=0.50")
    check("release", {"hold": (other := done("hold", "customers:alice", "shops:corner", "1").out.strip()), "done": "released"},
          done("release", other, "--reason", "changed my mind", "--json").json())
    refused(1, "LF060", "release", "00000000-0000-7000-8000-000000000000")
    check("nothing is left", [], done("holds", "--json").json())


def check_administration():
    sql("DROP ROLE IF EXISTS command_role; CREATE ROLE command_role LOGIN", "postgres")
    try:
        refused(3, "42501", "post", "assets:bank", "customers:alice", "1", env={"PGUSER": "command_role"})
        check("grant", {"role": "command_role", "done": "granted"}, done("grant", "command_role", "poster", "--json").json())
        done("post", "assets:bank", "customers:alice", "1", env={"PGUSER": "command_role"})
        refused(3, "42501", "maintain", env={"PGUSER": "command_role"})
        refused(2, "god", "grant", "command_role", "god")
        refused(3, "42704", "grant", "no_such_role", "reader")
        done("revoke", "command_role")
    finally:
        sql("DROP ROLE command_role")
    check("maintain", {"keys_deleted": 0, "holds_expired": 0}, done("maintain", "--json").json())
    check("upgrade", "2\n", done("upgrade").out)
    check("period close", {"through": "2023-12-31", "done": "closed"}, done("period", "close", "2023-12-31", "--reason", "year end", "--json").json())
    refused(1, "LF048", "post", "assets:bank", "customers:alice", "1", "--effective-at", "2023-06-01")
    refused(1, "LF017", "period", "close", "2999-01-01")
    done("period", "reopen")
    done("post", "assets:bank", "customers:alice", "1", "--effective-at", "2023-06-01")
    check_in("errors", "LF040", in_three_formats("errors", key="sqlstate"))


def check_reports():
    report = ("report", "trial-balance")
    rows = done(*report, "--json").json()
    check("trial balance", {"100.00"}, {row["debit"] for row in rows if row["account"] == "assets:bank"} and {"100.00"})
    totals = [row for row in table(done(*report).out) if row["account"] == "total"]
    check("has totals for people", True, all(row["debit"] == row["credit"] for row in totals) and len(totals) == 2)
    check("and none for programs", [], [row for row in done(*report, "--csv").csv() if row["account"] == "total"])
    refused(2, "--by needs --at", *report, "--by", "posted")
    if has("ledger_balance_sheet"):
        year = ("--from", "2023-01-01", "--to", "2024-01-01")
        in_three_formats("report", "balance-sheet", "--depth", "1", key="amount")
        in_three_formats("report", "income-statement", "--by", "posted", key="amount")
        check("movements of a year", ["1.00"], [row["debits"] for row in done("report", "movements", *year, "--prefix", "assets", "--json").json()
                                                if row["account"] == "assets:bank"])
        in_three_formats("report", "movements", *year, key="closing")
        in_three_formats("report", "compare", "2022-01-01", "2023-01-01", "2023-01-01", "2024-01-01", key="difference")
        check("a tree", ["assets", "assets:bank"], [row["account"] for row in done("report", "tree", "assets", "--depth", "2", "--csv").csv()][:2])
        in_three_formats("report", "tree", key="total")
        in_three_formats("report", "by-type", "--at", "2024-01-01", key="balance")
        in_three_formats("report", "by-metadata", "tier", key="value")
        check("a chart", 13, len(in_three_formats("report", "chart", "assets:bank", *year, "--step", "1 month", key="balance")))
        check("a trial balance of the past", "1.00", [row["debit"] for row in done(*report, "--at", "2023-12-31", "--json").json()
                                                     if row["account"] == "assets:bank"][0])
        refused(1, "LF", "report", "movements", "--from", "2024-01-01", "--to", "2023-01-01")
        refused(1, "LF", "report", "chart", "assets:bank", "--step", "0 days")
        refused(2, "--by", "report", "by-type", "--by", "nonsense")
    if has("ledger_statement"):
        lines = done("statement", "assets:bank", "--json").json()
        check("a statement", True, len(lines) > 2 and lines[0]["counter_accounts"] == ["customers:alice"])
        check("is newest first", True, lines[0]["posted_at"] >= lines[-1]["posted_at"])
        oldest = [line["balance"] for line in done("statement", "assets:bank", "--oldest-first", "--json").json()]
        check("or oldest first", [line["balance"] for line in lines], oldest[::-1])
        page = run("statement", "assets:bank", "--limit", "2")
        check("a page says how to go on", True, page.code == 0 and "--after" in page.err)
        check("pages go on", [line["transaction_id"] for line in lines[1:3]],
              [line["transaction_id"] for line in done("statement", "assets:bank", "--limit", "2", "--after", lines[0]["cursor"], "--json").json()])
        check("all pages", lines, done("statement", "assets:bank", "--all", "--json").json())
        in_three_formats("statement", "customers:alice", key="balance")
        refused(1, "LF023", "statement", "nobody")
        refused(1, "LF", "statement", "assets:bank", "--after", "made up")
        refused(2, "excludes", "statement", "assets:bank", "--all", "--limit", "5")
        refused(1, "LF", "statement", "assets:bank", "--limit", "0")
        refused(2, "22P02", "statement", "assets:bank", "--limit", "many")
        check("find", ["100.00"], in_three_formats("find", "--reference", "wire 1", key="amount"))
        check("find by what must hold together", [], in_three_formats("find", "--reference-prefix", "wire", "--min-amount", "101", key="amount"))
        refused(1, "LF001", "find", "--min-amount", "1e3")
        check("balance --at", "0.00", done("balance", "assets:bank", "--at", "2001-01-01", "--json").json()[0]["balance"])
        check("balance --at of all", 6, len(done("balance", "--at", "2001-01-01", "--json").json()))
        check("--as-of", "0.00", done("balance", "assets:bank", "--as-of", "2001-01-01", "--json").json()[0]["balance"])
        refused(2, "22", "balance", "--as-of", "someday")


def check_verify():
    check("verify", "all is well\n", done("verify").out)
    check("verify in JSON", [], done("verify", "--json").json())
    check("verify in CSV", [], done("verify", "--csv").csv()) if done("verify", "--csv").out else None
    sql("SET session_replication_role = replica; UPDATE ledger.account_balances SET debits_posted = debits_posted + 1 WHERE account_id = 1")
    for format_ in ((), ("--json",), ("--csv",)):
        answer = run("verify", *format_)
        check("findings have an exit code", 4, answer.code)
        check_in("and are listed", "debits_posted_mismatch", answer.out)
    json.loads(run("verify", "--json").out)
    sql("SET session_replication_role = replica; UPDATE ledger.account_balances SET debits_posted = debits_posted - 1 WHERE account_id = 1")
    done("verify")
    if has("ledger_rebuild_balances"):
        check("incremental", "all is well\n", done("verify", "--incremental").out)
        check("from the start", [], done("verify", "--incremental", "--from-start", "--json").json())
        refused(2, "needs --incremental", "verify", "--from-start")
        check("nothing to rebuild", [], done("rebuild", "--json").json())
        sql("SET session_replication_role = replica; UPDATE ledger.account_balances SET debits_posted = debits_posted + 1 WHERE account_id = 1")
        check("rebuild", ["debits_posted"], [row["item"] for row in done("rebuild", "assets:bank", "--json").json()])
        done("verify")
        refused(1, "LF023", "rebuild", "nobody")
        check("health", 0, done("health", "--json").json()["last_verification_findings"])
        check_in("health for people", "last_verified_at ", done("health").out)
    if has("ledger_seal"):
        root = done("seal", "create", "--json").json()["root"]
        check("the seal holds", "what was sealed is as it was\n", done("seal", "verify", "--known-root", root).out)
        check("in JSON too", [], done("seal", "verify", "--json").json())
        check("another root does not", 4, run("seal", "verify", "--known-root", "0" * 64).code)
        transaction = sql("SELECT min(id::text) FROM ledger.transactions")
        proof = done("seal", "prove", transaction).out
        check("a proof is printed as it is", proof.rstrip("\n"), done("seal", "prove", transaction, "--json").json()["proof"].rstrip("\n"))
        checked = done("seal", "check", "--known-root", root, "--json", given=proof).json()
        check("a proof is checked without a database", (True, transaction), (checked["holds"], checked["transaction_id"]))
        for bad, known in ((proof, "0" * 64), (proof, ""), (proof[:-20], root), ("", root), ("\0\xff" * 100, root)):
            answer = run("seal", "check", "--known-root", known, "--json", given=bad, env={"PGHOST": "/nonexistent"})
            check("another is not", (4, False), (answer.code, answer.json()["holds"]))
        refused(1, "LF027", "seal", "prove", "00000000-0000-7000-8000-000000000000")
        sql(f"SET session_replication_role = replica; UPDATE ledger.transactions SET description = 'forged' WHERE id = '{transaction}'")
        check("what was changed afterwards is found", 4, run("seal", "verify", "--json").code)


def check_exchange(work):
    good = "debit,credit,amount,idempotency_key,description\nassets:bank,customers:alice,1.00,l1,\"a, \"\"b\"\"\nc\"\nassets:bank,customers:alice,2.50,l2,\n"
    check("load from standard input", "2\n", done("load", given=good).out)
    balance = done("balance", "assets:bank", "--json").json()[0]["balance"]
    (work / "good.csv").write_text("\ufeff" + good.replace(",description", ',"description"'))
    check("load again from a file", {"postings": 2}, done("load", str(work / "good.csv"), "--json").json())
    check("posts nothing twice", balance, done("balance", "assets:bank", "--json").json()[0]["balance"])
    refused(1, "LF023", "load", given=good.replace("l1", "l3").replace("l2", "l4").replace("alice,2.50", "nobody,2.50"))
    check("a load is whole or not at all", "0", sql("SELECT count(*) FROM ledger.idempotency_keys WHERE key IN ('l3', 'l4')"))
    refused(2, "is empty", "load")
    refused(2, "no column 'nonsense'", "load", given="debit,credit,amount,nonsense\n")
    refused(2, "missing", "load", given="debit,credit\n")
    refused(2, "twice", "load", given="debit,credit,amount,amount\n")
    refused(2, "no column", "load", given="\0\xff" * 3000)
    refused(2, "22P0", "load", given="debit,credit,amount\na,b\n")
    refused(2, "22P02", "load", given="debit,credit,amount\na,b,x\n")
    refused(5, "No such file", "load", str(work / "none.csv"))
    refused(5, "directory", "load", str(work))
    check("a heading alone", "0\n", done("load", given="debit,credit,amount").out)
    if not has("ledger_export"):
        return
    for format_ in ("hledger", "ledger", "beancount", "csv"):
        done("-l", "to " + format_, "init")
        file = work / f"books.{'journal' if format_ == 'hledger' else format_}"
        check("export to a file says nothing", "", done("export", "-o", str(file)).out)
        check("a file is like standard output", file.read_text(), done("export", "--format", format_).out)
        answer = done("-l", "to " + format_, "import", str(file), "--key-prefix", "x", "--json").json()
        check(f"import of {format_}", sql("SELECT count(*) FROM ledger.transactions"), str(answer["transactions"]))
        again = done("-l", "to " + format_, "import", str(file), "--key-prefix", "x", "--json").json()
        check("and again", answer["transactions"], again["replayed"])
        check(f"{format_}: the same balances", done("balance", "--json").json()[0]["balance"], done("-l", "to " + format_, "balance", "--json").json()[0]["balance"])
    refused(2, "--format is needed", "export", "-o", str(work / "books"))
    refused(5, "No such file", "export", "-o", str(work / "none" / "books.csv"))
    check("a refused export leaves nothing", [], list(work.glob("**/*.part")))
    refused(2, "--format is needed", "import", given="x")
    refused(1, "LF", "import", "--format", "hledger", given="2024-13-40 nonsense\n    a  1 USD\n")
    refused(5, "No such file", "import", str(work / "none.journal"))
    refused(1, "LF020", "export", "--ledger", "nope")


def check_bench():
    result = done("bench", "--seconds", "1", "--clients", "2", "--accounts", "10", "--json").json()
    check("bench finds what it posted", result["postings"], result["in_ledger"])
    check("and posts", True, result["postings"] > 0 and result["p50_ms"] <= result["p99_ms"] <= result["max_ms"])
    check_in("bench for people", "postings_per_second", done("bench", "--seconds", "1", "--keys").out)
    check("bench leaves no schema", "0", sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'ledgerflow_bench%'"))
    result = done("bench", "--seconds", "1", "--clients", "1", "--in-flight", "100", "--json").json()
    check("many in flight are all there", True, result["postings"] == result["in_ledger"] > 0)
    for arguments in (("--in-flight", "0"), ("--clients", "0"), ("--seconds", "x"), ("--accounts", "1"), ("--accounts", "9999999999")):
        refused(2, "is a number from", "bench", *arguments)


PARTS = (check_help, check_command_line, check_page, check_manual, check_completion, check_example, check_init, check_accounts, check_postings, check_holds, check_administration, check_reports, check_verify, check_exchange, check_bench)

if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        PAGE.write_text(PAGE.read_text().split(MARK)[0] + MARK + generated())
    else:
        run_parts(PARTS, "the command")
