"""Section client: the C++ library over one connection, beside pgbench with the same SQL over one connection."""

import subprocess
from typing import Callable

import books
from books import options
from server import Slot, run
from settings import ACCOUNTS, OUT, ROOT

PROGRAM = OUT / "client_post"
CELL = "client library, 10,000 accounts, 1 connection"


def build() -> None:
    run(["make", "-C", str(ROOT / "src" / "client"), "all"])
    flags = subprocess.check_output(["pkg-config", "--libs", "libpq"], text=True).split()
    run(["g++", "-std=c++17", "-O2", "-pthread", f"-I{ROOT}/src/client/include", str(ROOT / "bench" / "client" / "post.cpp"),
         str(ROOT / "build" / "client" / "libledgerflow_client.a"), *flags, "-o", str(PROGRAM)])


def measure(bench) -> None:
    settings, server = bench.settings, bench.server
    build()
    books.make_ledger(server, "book_client")
    script = server.file("client.sql", books.post_script(settings, ACCOUNTS, hot=False))
    book = options("book_client", "auto")

    def library(mode: str) -> Callable[[int], Slot]:
        def turn(_: int) -> Slot:
            before = server.wal()
            printed = run([str(PROGRAM), mode, str(settings.seconds), str(settings.warmup), str(ACCOUNTS)],
                          env=server.environment(book))
            after = server.wal()
            count, rate, p50, p99 = (float(text) for text in printed.split())
            return Slot(rate, int(count), p50, p99, (after[0] - before[0]) / count, after[1] - before[1])
        return turn

    bench.take_turns(CELL, [
        ("pgbench, the same SQL", lambda _: server.pgbench(script, 1, seconds=settings.seconds, variables=bench.variables(), options=book)),
        ("library, one at a time", library("sync")),
        ("library, Poster", library("poster"))], settings.headline_rounds)
    bench.verify("book_client")
