#!/usr/bin/env python3
"""Runs every recipe of docs/recipes.md and compares what it prints with the page.

A recipe is a section (##) of the page. Its ```sql blocks run in their order in one session of psql, in a database of
its own, after the blocks that stand before the first section. What a block prints, errors included, must be the
```text block behind it; a block that prints nothing has none.
    test/scripts/recipes.py            compare, then the last recipe with many sessions at once
    test/scripts/recipes.py --update   write what is printed into the page
Run by scripts/test.sh with libpq pointed at a server.
"""

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
DATABASE = "recipes"
MARK = "--- end of block ---"
ENVIRONMENT = dict(os.environ, PGOPTIONS="-c client_min_messages=warning -c timezone=UTC", LC_ALL="C.UTF-8")
BLOCK = re.compile(r"^```sql\n(?P<sql>.*?)^```\n(?P<gap>\n?)(?:^```text\n(?P<text>.*?)^```\n)?", re.M | re.S)


def psql(script, database=DATABASE, start=False):
    command = ["psql", "-X", "-q", "-d", database, "-P", "pager=off", "-v", "SHOW_CONTEXT=never"]
    options = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)
    process = subprocess.Popen(command, **options)
    if start:
        process.stdin.write(script)
        process.stdin.close()
        return process
    return process.communicate(script, timeout=120)[0]


def new_database():
    psql(f"DROP DATABASE IF EXISTS {DATABASE};\nCREATE DATABASE {DATABASE};\n", "postgres")


def trimmed(text):
    return "".join(line.rstrip() + "\n" for line in text.strip("\n").split("\n")) if text.strip() else ""


def run(blocks):
    """What each block prints."""
    script = "".join(block.rstrip("\n") + f"\n\\echo {MARK}\n" for block in blocks)
    return [trimmed(part) for part in psql(script).split(MARK + "\n")[: len(blocks)]]


def sections(page):
    """(heading, text) of the page; what stands before the first recipe has the heading None."""
    parts = re.split(r"^(?=## )", page, flags=re.M)
    return [(None, parts[0])] + [(part.split("\n", 1)[0][3:], part) for part in parts[1:]]


def together():
    """The last recipe's function, called by eight sessions at once while others hold and release."""
    workers = [psql("SELECT post_up_to('wallets:ann', 'wallets:shop', 7) FROM generate_series(1, 40);\n" * 2, start=True) for _ in range(8)]
    meddler = "SELECT ledger_hold('wallets:ann', 'wallets:shop', 0.01) AS hold \\gset\nSELECT ledger_release(:'hold');\n" * 60
    workers += [psql(meddler, start=True) for _ in range(2)]
    printed = [worker.stdout.read() for worker in workers]
    for worker in workers:
        worker.wait(timeout=120)
    errors = [line for text in printed[:8] for line in text.split("\n") if line.startswith("ERROR")]
    left = psql("\\pset tuples_only on\n\\pset format unaligned\nSELECT ledger_available('wallets:ann');\nSELECT count(*) FROM ledger_verify();\n").split()
    return errors, left


def main():
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        sys.exit(__doc__)
    page = PAGE.read_text()
    parts = sections(page)
    prelude = [match["sql"] for match in BLOCK.finditer(parts[0][1])]
    written, failed, recipes, count = parts[0][1], 0, 0, 0
    for heading, text in parts[1:]:
        blocks = [match["sql"] for match in BLOCK.finditer(text)]
        if not blocks:
            written += text
            continue
        recipes += 1
        count += len(blocks)
        new_database()
        results = run(prelude + blocks)[len(prelude):]
        if len(results) != len(blocks):
            sys.exit(f"{heading}: psql ended after {len(results)} of {len(blocks)} blocks")
        remaining = iter(results)

        def filled(match):
            printed = next(remaining)
            block = f"```sql\n{match['sql']}```\n"
            return block + (f"```text\n{printed}```\n" if printed else "") + ("" if match["text"] is not None else match["gap"])

        for match, printed in zip(BLOCK.finditer(text), results):
            if not update and trimmed(match["text"] or "") != printed:
                failed += 1
                print(f"{heading}: this block prints something else than the page says\n{match['sql']}")
                sys.stdout.writelines(difflib.unified_diff(trimmed(match["text"] or "").splitlines(True), printed.splitlines(True), "page", "printed"))
        written += BLOCK.sub(filled, text)
    if update:
        if written != page:
            PAGE.write_text(written)
        print(f"{PAGE.name}: results of {count} blocks in {recipes} recipes {'rewritten' if written != page else 'are as they were'}")
        return
    new_database()
    run(prelude + [match["sql"] for match in BLOCK.finditer(parts[-1][1])])
    psql("SELECT ledger_post('assets:bank', 'wallets:ann', 2000 - ledger_available('wallets:ann'));\n")
    errors, left = together()
    # Each of the two meddlers may have released its last cent after everybody had gone.
    if errors or left not in (["0.00", "0"], ["0.01", "0"], ["0.02", "0"]):
        failed += 1
        print(f"many sessions at once: an empty wallet and no finding expected, found {left}", *errors[:5], sep="\n")
    psql(f"DROP DATABASE {DATABASE};\n", "postgres")
    print(f"{count} blocks in {recipes} recipes, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
