"""The benchmark's private server: psql, pgbench, and what one slot of pgbench measured."""

import csv
import io
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Dict, List, Optional

from settings import OUT, ROOT, Failure, Settings

NAME = "bench"
DATABASE = "bench"
csv.field_size_limit(1 << 24)  # arrays of thousands


@dataclass
class Slot:
    """One contestant's turn."""

    rate: float  # transactions a second (not counting the warm-up)
    transactions: int  # all of them, the warm-up included
    p50_ms: float
    p99_ms: float
    wal_bytes: float  # per transaction
    full_page_images: int

    def as_dict(self) -> Dict[str, float]:
        return {name: round(value, 3) for name, value in asdict(self).items()}


def percentile(ordered: List[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def run(command: List[str], **kwargs) -> str:
    result = subprocess.run(command, text=True, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)[:300]}\n{(result.stderr or result.stdout).strip()[-2000:]}")
    return result.stdout


class Server:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.scratch = Path(tempfile.mkdtemp(prefix="ledgerflow-bench."))
        self.env: Dict[str, str] = {}

    def start(self) -> None:
        script = str(ROOT / "scripts" / "server.sh")
        run([script, "drop", NAME])
        free = shutil.disk_usage(OUT).free >> 30
        need = 8 if self.settings.quick else 40
        if free < need:
            raise Failure(f"{free} GB are free, {need} are needed: there is no checkpoint while a section runs, so its WAL stays")
        subprocess.run(
            [script, "start", NAME, "fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=1GB",
             "max_wal_size=32GB", f"min_wal_size={self.settings.wal_gb}GB", "checkpoint_timeout=30min", "autovacuum=on",
             "max_connections=100", "track_wal_io_timing=off", "jit=off"],
            check=True, stdout=subprocess.DEVNULL)
        listing = run(["bash", "-c", f'eval "$({script} env {NAME})" && env -0'])
        self.env = dict(item.split("=", 1) for item in listing.split("\0") if "=" in item)
        self.env.update(PGAPPNAME="ledgerflow-bench", PGDATABASE=DATABASE)
        self.bindir = Path(self.env["LEDGERFLOW_PGBIN"])

    def stop(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        if not self.settings.keep:
            subprocess.run([str(ROOT / "scripts" / "server.sh"), "drop", NAME], check=False)

    def environment(self, options: Optional[Dict[str, str]] = None, database: str = DATABASE) -> Dict[str, str]:
        joined = " ".join(f"-c {name}={value}" for name, value in (options or {}).items())
        return dict(self.env, PGDATABASE=database, PGOPTIONS=joined)

    def rows(self, sql: str, options: Optional[Dict[str, str]] = None, database: str = DATABASE) -> List[List[str]]:
        out = run([str(self.bindir / "psql"), "-XqAt", "--csv", "--set=ON_ERROR_STOP=1", "-f-"], input=sql,
                  env=self.environment(options, database))
        return list(csv.reader(io.StringIO(out)))

    def value(self, sql: str, options: Optional[Dict[str, str]] = None) -> str:
        found = self.rows(sql, options)
        return found[0][0] if found and found[0] else ""

    def meta(self, *commands: str, options: Optional[Dict[str, str]] = None) -> None:
        """psql's own commands (\\copy), in one transaction."""
        arguments = [part for command in commands for part in ("-c", command)]
        run([str(self.bindir / "psql"), "-Xq", "-1", "--set=ON_ERROR_STOP=1", *arguments], env=self.environment(options))

    def file(self, name: str, text: str) -> str:
        path = self.scratch / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def initialise_pgbench(self) -> None:
        run([str(self.bindir / "createdb"), "peer"], env=self.env)
        run([str(self.bindir / "pgbench"), "-i", "-q", "-s", str(self.settings.scale), "peer"], env=self.env)

    def make_wal_segments(self) -> None:
        """A server that has run for a while writes into recycled WAL segments; a new one would have to make them."""
        self.rows("SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 64 * 1024 * 1024))) "
                  f"FROM generate_series(1, {self.settings.wal_gb * 16});\nCHECKPOINT;")

    def wal(self) -> List[int]:
        position, images = self.rows("SELECT pg_current_wal_insert_lsn() - '0/0', (SELECT wal_fpi FROM pg_stat_wal)")[0]
        return [int(position), int(images)]

    def pgbench(self, script: Optional[str], clients: int, *, builtin: str = "", seconds: int = 0, count: int = 0,
                variables: Optional[Dict[str, object]] = None, options: Optional[Dict[str, str]] = None,
                database: str = DATABASE, mode: str = "prepared") -> Slot:
        """One slot: for seconds, or count transactions per client. The rate is that after the warm-up, from pgbench's
        log: the first seconds, or the first tenth of the transactions, fill caches and do not count."""
        prefix = str(self.scratch / "log")
        command = [str(self.bindir / "pgbench"), "-n", "-M", mode, "-c", str(clients),
                   "-j", str(min(clients, os.cpu_count() or 1)), "--log", f"--log-prefix={prefix}"]
        command += ["-f", script] if script else [f"--builtin={builtin}"]
        command += ["-T", str(seconds)] if seconds else ["-t", str(count)]
        for name, value in (variables or {}).items():
            command += ["-D", f"{name}={value}"]
        before = self.wal()
        output = run(command, env=self.environment(options, database))
        after = self.wal()
        processed = re.search(r"actually processed: (\d+)", output)
        failed = re.search(r"number of failed transactions: (\d+)", output)
        if not processed or (failed and int(failed.group(1))):
            raise Failure(f"pgbench failed:\n{output}")
        transactions = int(processed.group(1))
        done: List[List[float]] = []  # end (s), latency (us)
        for path in self.scratch.glob("log.*"):
            with open(path, encoding="ascii") as lines:
                for line in lines:
                    field = line.split()
                    done.append([int(field[4]) + int(field[5]) / 1e6, float(field[2])])
            path.unlink()
        if not done:
            raise Failure("no transaction ended within the slot")
        done.sort()
        if seconds:
            start = min(end - latency / 1e6 for end, latency in done[: 4 * clients])
            opened, closed = start + self.settings.warmup, start + seconds
            counted = [latency for end, latency in done if opened < end <= closed]
            rate = len(counted) / (closed - opened)
        else:
            skipped = max(1, len(done) // 10)
            counted = [latency for _, latency in done[skipped:]]
            elapsed = done[-1][0] - done[skipped - 1][0]
            rate = len(counted) / elapsed if elapsed > 0 else 0.0
        if not counted:
            raise Failure("no transaction ended after the warm-up: give it more time (BENCH_SECONDS)")
        counted.sort()
        return Slot(rate, transactions, percentile(counted, 0.5) / 1e3, percentile(counted, 0.99) / 1e3,
                    (after[0] - before[0]) / transactions, after[1] - before[1])

    def timed(self, action, amount: int) -> Slot:
        """A slot that is one transaction of `amount` rows, run by something other than pgbench."""
        before = self.wal()
        start = time.perf_counter()
        action()
        elapsed = time.perf_counter() - start
        after = self.wal()
        return Slot(amount / elapsed, amount, elapsed * 1e3, elapsed * 1e3, (after[0] - before[0]) / amount, after[1] - before[1])

    def fsync_ms(self) -> float:
        """What the disk takes to make 8 kB durable: half of all attempts are faster."""
        path = ROOT / "build" / "servers" / NAME / "fsync.probe"
        times = []
        handle = os.open(path, os.O_CREAT | os.O_WRONLY)
        try:
            for number in range(200):
                start = time.perf_counter()
                os.pwrite(handle, b"x" * 8192, number % 64 * 8192)
                os.fdatasync(handle)
                times.append(time.perf_counter() - start)
        finally:
            os.close(handle)
            path.unlink()
        return percentile(sorted(times), 0.5) * 1e3
