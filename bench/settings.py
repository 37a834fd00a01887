"""What a run measures and for how long, from the environment (BENCH_...)."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"

SECTIONS = ["single", "batch", "copy", "read", "client", "disk", "memory", "seal", "large"]
ASKED = ["layouts"]  # only when BENCH_SECTIONS names it
ACCOUNTS = 10_000
HOT = ACCOUNTS + 1  # the account that everything goes into
BATCH_SIZES = [10, 100, 1_000, 8_189]


class Failure(Exception):
    """The run cannot go on; the text says why."""


def crowd(clients: int) -> str:
    return "1 client" if clients == 1 else f"{clients} clients"


class Settings:
    """Two sets of defaults, quick and full; each can be overridden by a variable of the environment."""

    def __init__(self) -> None:
        self.quick = os.environ.get("BENCH_QUICK", "") not in ("", "0")
        self.seconds = self._int("SECONDS", quick=2, full=5)  # of a slot, its warm-up included
        self.warmup = self._float("WARMUP", quick=0.5, full=2.0)  # seconds of a slot that do not count
        self.rounds = self._int("ROUNDS", quick=1, full=3)
        self.headline_rounds = self._int("HEADLINE_ROUNDS", quick=2, full=5)  # cells with a target
        self.clients = [int(n) for n in os.environ.get("BENCH_CLIENTS", "1 8 32").split()]
        self.scale = self._int("SCALE", quick=50, full=50)  # of pgbench's own tables
        self.wal_gb = self._int("WAL_GB", quick=2, full=6)  # segments made before measuring
        self.large_entries = self._int("LARGE_ENTRIES", quick=0, full=5_000_000)
        self.long_entries = self._int("LONG_ENTRIES", quick=20_000, full=1_000_000)  # of the account with a long history
        self.memory_postings = self._int("MEMORY_POSTINGS", quick=50_000, full=1_000_000)
        self.disk_postings = self._int("DISK_POSTINGS", quick=50_000, full=200_000)
        self.copy_rows = self._int("COPY_ROWS", quick=20_000, full=200_000)
        self.seal_entries = self._int("SEAL_ENTRIES", quick=100_000, full=1_000_000)
        self.batch_seconds = self._float("BATCH_SECONDS", quick=0.5, full=2.0)  # sets the number of batches in a slot
        self.random_keys = os.environ.get("BENCH_KEYS", "random") == "random"
        self.keep = os.environ.get("BENCH_KEEP", "") not in ("", "0")
        wanted = os.environ.get("BENCH_SECTIONS", "").split() or SECTIONS
        for name in wanted:
            if name not in SECTIONS + ASKED:
                raise Failure(f"BENCH_SECTIONS: no section '{name}'; there are: {' '.join(SECTIONS + ASKED)}")
        self.sections = [name for name in SECTIONS + ASKED if name in wanted]
        if self.warmup >= self.seconds:
            raise Failure("BENCH_WARMUP must be shorter than BENCH_SECONDS")

    def _text(self, name: str, quick: float, full: float) -> str:
        return os.environ.get("BENCH_" + name) or str(quick if self.quick else full)

    def _int(self, name: str, quick: int, full: int) -> int:
        return int(self._text(name, quick, full))

    def _float(self, name: str, quick: float, full: float) -> float:
        return float(self._text(name, quick, full))

    def batches(self, size: int, clients: int = 1) -> int:
        """Batches that each client posts in a slot: a fixed number, so that every contestant's tables grow alike."""
        rate = {10: 6_000, 100: 25_000, 1_000: 50_000}.get(size, 60_000)  # postings a second, roughly
        return max(4, int(rate * self.batch_seconds / size / clients))
