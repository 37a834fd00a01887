"""The curves: data files for gnuplot, and gnuplot."""

import shutil
import subprocess
from pathlib import Path
from typing import List

from results import Results
from settings import BATCH_SIZES, OUT, Settings, crowd

WORKLOADS = ["10,000 accounts", "50 accounts", "one hot account"]
SINGLE = ["heap", "spi", "application", "pgbench -N"]
BATCH = ["heap", "spi", "ceiling", "ceiling and balances"]


def draw(results: Results, settings: Settings, directory: Path) -> List[Path]:
    """Draws what was measured; returns the files."""
    if not shutil.which("gnuplot"):
        results.note("There is no gnuplot: the curves were not drawn")
        return []
    script = Path(__file__).with_name("curves.gp")
    drawn = []
    if "single" in settings.sections:
        for index, workload in enumerate(WORKLOADS, 1):
            rows = [[str(clients), *(field(results, f"single, {workload}, {crowd(clients)}", name) for name in SINGLE)]
                    for clients in settings.clients]
            if index > 1:  # pgbench -N knows no accounts: one curve, in every panel
                for row, clients in zip(rows, settings.clients):
                    row[-1] = field(results, f"single, {WORKLOADS[0]}, {crowd(clients)}", "pgbench -N")
            write(OUT / f"clients-{index}.dat", ["clients", *SINGLE], rows)
        drawn.append(plot(script, "clients", directory))
    if "batch" in settings.sections:
        rows = [[str(size), *(field(results, f"batch of {size:,}, 1 client", name) for name in BATCH)] for size in BATCH_SIZES]
        write(OUT / "batches.dat", ["size", *BATCH], rows)
        drawn.append(plot(script, "batches", directory))
    return drawn


def field(results: Results, cell: str, contestant: str) -> str:
    value = results.median(cell, contestant)
    return "?" if value is None else f"{value:.1f}"


def write(path: Path, head: List[str], rows: List[List[str]]) -> None:
    lines = ["\t".join(head), *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def plot(script: Path, curve: str, directory: Path) -> Path:
    target = directory / f"performance-{curve}.svg"
    subprocess.run(["gnuplot", "-e", f"curve='{curve}'; data='{OUT}'; target='{target}'", str(script)], check=True)
    return target
