#!/usr/bin/python3
"""Coverage-guided fuzzing (libFuzzer, AddressSanitizer, UBSan) of everything of ours that reads what others wrote,
and of the engine: the programs of test/fuzz, each for its share of the time, one on every processor but at most two.

What an input breaks is an assertion of its program's, a sanitizer's finding, a crash, a leak or a hang; the input stays
in build/fuzz/found, and the command that repeats it is printed. Needs clang; the first build takes most of a minute.
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from harness import ROOT, SECONDS, SEED, check, figures, finish

PLACE = ROOT / "test/fuzz"
TARGETS = sorted(path.name[: -len("_fuzz.cpp")] for path in PLACE.glob("*_fuzz.cpp"))
WORKERS = min(2, os.cpu_count())
SHARE = max(1, round(SECONDS * WORKERS / len(TARGETS)))


def make(*arguments):
    return subprocess.run(
        ["make", "--no-print-directory", "-C", PLACE, *arguments], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def run(target):
    """Executions and covered edges of one program; its output if it found something."""
    done = make(f"run-{target}", f"FUZZ_SECONDS={SHARE}", f"FUZZ_SEED={SEED}")
    output = done.stdout.decode(errors="replace")
    executions = re.findall(r"number_of_executed_units:\s*(\d+)", output)
    edges = re.findall(r"\bcov: (\d+)", output)
    return (int(executions[-1]) if executions else 0, int(edges[-1]) if edges else 0,
            output if done.returncode else None)


def tell(target, output):
    """The end of what it said, from where it says what is wrong, and how to have it again."""
    start = min((output.find(mark) for mark in ("NOT SO", "==ERROR", "runtime error") if mark in output), default=-4000)
    print(output[start:][:6000], flush=True)
    for kept in re.findall(r"Test unit written to (\S+)", output):
        print(f"repeat with: make -C test/fuzz all && build/fuzz/{target}_fuzz build/fuzz/found/{os.path.basename(kept)}")


built = make("all", f"-j{os.cpu_count()}")
if not check("the programs are built", 0, built.returncode):
    print(built.stdout.decode(errors="replace")[-4000:])
    finish("")

with ThreadPoolExecutor(WORKERS) as pool:
    for target, (executions, edges, found) in zip(TARGETS, pool.map(run, TARGETS)):
        print(f"{target:<10} {executions:>12,} executions, {edges:>6,} edges covered", flush=True)
        figures.add("fuzz targets")
        figures.add("fuzz executions", executions)
        figures.add("edges covered by fuzzing", edges)
        figures.add("crashes and broken assertions", 1 if found else 0)
        check(f"{target}: at least one input was executed", True, executions > 0 or found is not None)
        if not check(f"{target}: no input breaks anything", False, found is not None):
            tell(target, found)

finish(f"{figures.values['fuzz executions']:,} inputs on {len(TARGETS)} targets: nothing broke")
