"""The table that a run prints: every cell, and the targets."""

from typing import Dict, List, Optional

import client_library
from results import Results

Row = List[str]


def number(value: Optional[float], digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def table(head: Row, rows: List[Row]) -> List[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: Row) -> str:
        return ("  " + "  ".join(text.ljust(widths[i]) if i < 2 else text.rjust(widths[i]) for i, text in enumerate(row))).rstrip()

    return [line(head), "  " + "-" * (sum(widths) + 2 * len(widths) - 2), *(line(row) for row in rows)]


def cells(results: Results) -> List[str]:
    rows: List[Row] = []
    for cell, contestants in results.slots.items():
        first = next(iter(contestants))
        for contestant in contestants:
            one = results.unit[cell]
            spread = results.spread(cell, contestant)
            rows.append([
                cell if contestant == first else "", contestant, number(results.median(cell, contestant)),
                "" if contestant == first else number(results.ratio(cell, first, contestant), 2),
                number(results.median(cell, contestant, "p50_ms"), 2), number(results.median(cell, contestant, "p99_ms"), 2),
                number((results.median(cell, contestant, "wal_bytes") or 0) / one),
                "" if spread is None else f"{spread * 100:.0f} %"])
    return table(["cell", "contestant", "per second", "first/this", "p50 ms", "p99 ms", "WAL bytes", "spread"], rows)


def targets(results: Results) -> List[Dict[str, object]]:
    """The table "To reach" of the issue; reached is None where a run did not measure it."""
    found: List[Dict[str, object]] = []

    def at_least(measure: str, wanted: float, value: Optional[float]) -> None:
        found.append({"measure": measure, "wanted": f"at least {wanted:g}", "value": value,
                      "reached": None if value is None else value >= wanted})

    def at_most(measure: str, wanted: float, value: Optional[float]) -> None:
        found.append({"measure": measure, "wanted": f"at most {wanted:g}", "value": value,
                      "reached": None if value is None else value <= wanted})

    def only(measure: str, value: Optional[float]) -> None:
        found.append({"measure": measure, "wanted": "", "value": value, "reached": None})

    single = "single, 10,000 accounts, 8 clients"
    big = "batch of 8,189, 1 client"
    at_least("one posting, 8 clients, against pgbench -N", 1.8, results.ratio(single, "heap", "pgbench -N"))
    at_least("the same against the application's transfer", 4.0, results.ratio(single, "heap", "application"))
    at_least("one posting, 8 clients, heap against spi, durable", 1.15, results.ratio(single, "heap", "spi"))
    at_least("the same, synchronous_commit off", 1.4, results.ratio(f"{single}, synchronous_commit off", "heap", "spi"))
    at_least("batch of 8,189, heap against spi", 1.4, results.ratio(big, "heap", "spi"))
    at_least("batch of 8,189, 1 client, against the ceiling", 0.8, results.ratio(big, "heap", "ceiling"))
    only("the same against the ceiling that updates balances", results.ratio(big, "heap", "ceiling and balances"))
    at_least("batch of 8,189, 1 client, against single postings, 8 clients", 8, results.ratio(big, "heap", "heap", single))
    only("the same with 8 clients posting batches", results.ratio("batch of 8,189, 8 clients", "heap", "heap", single))
    client = client_library.CELL
    at_least("client library, Poster against one at a time", 5,
             results.ratio(client, "library, Poster", "library, one at a time"))
    library, pgbench = (results.median(client, name, "p50_ms") for name in ("library, one at a time", "pgbench, the same SQL"))
    at_most("client library, time of one posting against pgbench's", 1.1, library / pgbench if library and pgbench else None)
    size = "single, 10,000 accounts, 8 clients, size of the ledger"
    at_least("5 million entries against an empty ledger", 0.85, results.ratio(size, "large", "empty"))
    long = next((cell.rsplit(" of ", 1)[1] for cell in results.slots if cell.startswith("ledger_statement, ")), "")
    for place in ("first", "middle", "last"):
        cell = f"ledger_statement, {place} page of 100 of {long}"
        at_most(f"time of a statement's {place} page of 100, {long or 'a long account'}, against 1,000 entries", 1.5,
                results.ratio(cell, "an account of 1,000 entries", "the long account"))
    at_most("time of ledger_balance_at against ledger_balance", 3,
            results.ratio(f"ledger_balance_at on an account of {long}", "ledger_balance", "ledger_balance_at"))
    for way in ("single", "batch"):
        value = results.facts.get(f"disk bytes per posting, {way}")
        at_most(f"disk bytes per posting, posted by {way}", 450, value if isinstance(value, float) else None)
    settled = results.facts.get("memory of a session, kB after a fifth of the postings")
    final = results.facts.get("memory of a session, kB at the end")
    grown = float(final) - float(settled) if isinstance(settled, int) and isinstance(final, int) else None
    # The allocator keeps and gives back pages: 256 kB is its noise, and a fraction of a byte per posting of a million.
    at_most(f"kB that a session grew over {results.facts.get('memory of a session, postings', 'many')} postings", 256, grown)
    return found


def render(results: Results, found: List[Dict[str, object]]) -> str:
    environment = results.environment
    lines = ["", "Measured on", *(f"  {name}: {value}" for name, value in environment.items()), "",
             "Results: medians over rounds. 'per second' counts postings (or reads, or pgbench's transactions); 'first/this' is the",
             "cell's first contestant against this one; WAL bytes are per posting; spread is (fastest - slowest) / median of the rounds.",
             "In batches p50 and p99 are of a whole batch.", ""]
    lines += cells(results)
    lines += ["", "Targets"]
    rows = []
    for target in found:
        value, reached = target["value"], target["reached"]
        shown = "" if value is None else number(float(value), 0 if abs(float(value)) >= 20 else 2)  # type: ignore[arg-type]
        verdict = "not measured" if value is None else "" if reached is None else "reached" if reached else "NOT REACHED"
        rows.append([str(target["measure"]), str(target["wanted"]), shown, verdict])
    lines += table(["measure", "wanted", "found", ""], rows)
    if results.notes:
        lines += ["", "Notes", *(f"  {note}" for note in results.notes)]
    return "\n".join(lines) + "\n"
