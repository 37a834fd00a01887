"""Post the converted journal, showing progress; then import it once more, which must post nothing.

    post.py POST_SQL TRANSACTIONS

POST_SQL holds one ledger_post() for each of the TRANSACTIONS transactions. Every call is a database transaction of its
own, sent by psql and answered with the id of the posting.
"""

import subprocess
import sys
import time
from typing import List

import psql

BAR_WIDTH = 30
SECONDS_BETWEEN_UPDATES = 0.1


class Progress:
    """A bar that is redrawn on a terminal, or five lines anywhere else."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total = label, total
        self.started = self.drawn = time.monotonic()
        self.live = sys.stdout.isatty()

    def line(self, done: int) -> str:
        """The bar as text."""
        elapsed = max(time.monotonic() - self.started, 1e-9)
        bar = ("#" * (BAR_WIDTH * done // self.total)).ljust(BAR_WIDTH, ".")
        return (f"  {self.label:<13} [{bar}] {done:>6,} of {self.total:,} transactions"
                f" {done / elapsed:>7,.0f}/s")

    def show(self, done: int) -> None:
        """Draw the bar if it is time to."""
        last = done == self.total
        if self.live and (last or time.monotonic() - self.drawn > SECONDS_BETWEEN_UPDATES):
            self.drawn = time.monotonic()
            print("\r" + self.line(done), end="\n" if last else "", flush=True)
        elif not self.live and done * 5 // self.total != (done - 1) * 5 // self.total:
            print(self.line(done), flush=True)


def run_import(label: str, path: str, total: int) -> List[str]:
    """Send every statement of the file and return the ids that came back."""
    progress, ids = Progress(label, total), []
    for line in psql.lines(path):
        ids.append(line)
        progress.show(len(ids))
    return ids


def posted() -> int:
    """How many transactions the ledger holds."""
    return int(psql.rows("SELECT count(*) FROM ledger.transactions")[0][0])


def import_twice(path: str, total: int) -> str:
    """Import, import again, and say what is wrong (nothing, if all went well)."""
    before = posted()
    first = run_import("Posting", path, total)
    new = posted() - before
    print(f"  {'Imported':<13} {new:,} new transactions")
    second = run_import("Once more", path, total)
    new_again = posted() - before - new
    print(f"  {'Again':<13} {new_again:,} new: each call was answered with the id that its idempotency key has")
    if (len(set(first)), new) != (total, total):
        return f"{total} calls posted {new} transactions"
    if new_again or first != second:
        return f"importing again posted {new_again} transactions or gave other ids"
    return ""


def main(arguments: List[str]) -> int:
    """Run both imports."""
    if len(arguments) != 2:
        print("usage: post.py POST_SQL TRANSACTIONS", file=sys.stderr)
        return 2
    try:
        wrong = import_twice(arguments[0], int(arguments[1]))
    except subprocess.CalledProcessError:
        wrong = "the database refused a posting (see above)"
    if wrong:
        print(f"\npost.py: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
