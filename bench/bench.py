#!/usr/bin/env python3
"""The benchmark of ledgerflow; bench/run.sh starts it. Prints a table, writes build/bench/results.json and curves."""

import hashlib
import os
import platform
import signal
import subprocess
import sys
import time

import curves
import report
from results import Results
from sections import Bench
from server import Server
from settings import OUT, ROOT, Failure, Settings


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def first_line(path: str, starts: str = "") -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return next((line.strip() for line in lines if line.startswith(starts)), "")
    except OSError:
        return ""


def library_digest(server: Server) -> str:
    """Tells builds apart: somebody may install another one while this runs."""
    found = sorted(os.path.join(directory, "ledgerflow.so") for directory, _, files in os.walk(server.env["LEDGERFLOW_STAGE"])
                   if "ledgerflow.so" in files)
    with open(found[0], "rb") as library:
        return hashlib.sha256(library.read()).hexdigest()[:12]


def revision() -> str:
    def git(*arguments: str) -> str:
        result = subprocess.run(["git", "-C", str(ROOT), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return result.stdout.strip()

    name = git("rev-parse", "--short", "HEAD")
    return (name + (" with changes" if git("status", "--porcelain", "--", "src", "sql") else "")) if name else "unknown"


def describe(server: Server, settings: Settings) -> dict:
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S %Z"),
        "mode": "quick" if settings.quick else "full",
        "revision": revision(),
        "library": library_digest(server),
        "server": server.value("SELECT version()"),
        "processors": f"{os.cpu_count()} x {first_line('/proc/cpuinfo', 'model name').partition(':')[2].strip() or platform.machine()}",
        "memory": first_line("/proc/meminfo", "MemTotal").partition(":")[2].strip(),
        "kernel": platform.release(),
        "8 kB made durable in": f"{server.fsync_ms():.2f} ms (median of fdatasync)",
        "load before": first_line("/proc/loadavg"),
        "slots": f"{settings.seconds} s, of which {settings.warmup:g} s warm-up; {settings.rounds} rounds, {settings.headline_rounds} where there is a target",
        "keys": "random" if settings.random_keys else "in sequence",
    }


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    OUT.mkdir(parents=True, exist_ok=True)
    server = None
    try:
        settings = Settings()
        results = Results()
        started = time.monotonic()
        server = Server(settings)
        server.start()
        server.rows("CREATE DATABASE bench", database="postgres")
        server.rows("CREATE EXTENSION ledgerflow")
        results.environment = describe(server, settings)
        load = os.getloadavg()[0]
        if load > 0.7:
            results.note(f"The machine was busy before the run (load {load:.1f}): do not trust these figures")
        say(f"bench: {settings.wal_gb} GB of WAL segments")
        server.make_wal_segments()
        bench = Bench(settings, server, results, say)
        for name in settings.sections:
            say(f"bench: {name} ({time.monotonic() - started:.0f} s)")
            server.rows("CHECKPOINT")  # recycles WAL; a section's own tables come after it
            checkpoints = server.value("SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter")
            getattr(bench, name)()
            if server.value("SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter") != checkpoints:
                results.note(f"A checkpoint ran within section {name}: its WAL figures hold full-page images")
        if library_digest(server) != results.environment["library"]:
            results.note("The extension was rebuilt while this ran: the figures are of more than one build")
        results.environment["took"] = f"{time.monotonic() - started:.0f} s"
        results.environment["load after"] = first_line("/proc/loadavg")
        drawn = curves.draw(results, settings, OUT if settings.quick else ROOT / "docs")
        found = report.targets(results)
        text = report.render(results, found)
        (OUT / "report.txt").write_text(text, encoding="utf-8")
        results.save(OUT / "results.json", found)
        print(text)
        for path in [OUT / "results.json", OUT / "report.txt", *drawn]:
            print(f"written: {path.relative_to(ROOT)}")
        return 1 if any(note.startswith("WRONG") for note in results.notes) else 0
    except Failure as failure:
        say(f"bench: {failure}")
        return 2
    except subprocess.CalledProcessError as failure:
        say(f"bench: {failure}")
        return 2
    except KeyboardInterrupt:
        say("bench: interrupted")
        return 130
    finally:
        if server is not None:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
