#!/usr/bin/env python3
"""Compiles and runs every program of docs/client.md and compares what it prints with the page.

A ```cpp block with a main function is a program; the others go, each by itself, in place of what stands within the
first program's try block. They run in their order in one database, made by the page's ```sql blocks. What a block
prints must be the ```text block behind it.
    test/scripts/client_guide.py            compare
    test/scripts/client_guide.py --update   write what is printed into the page
Run by scripts/test.sh with libpq pointed at a server.
"""

import difflib
import fcntl
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "client.md"
DATABASE = "books"  # as the page calls it
BLOCK = re.compile(r"^```cpp\n(?P<cpp>.*?)^```\n(?:^```text\n(?P<text>.*?)^```\n)?", re.M | re.S)
PRELUDE = """
#include <ledgerflow/ledgerflow.hpp>
#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <string>
#include <thread>
#include <vector>
namespace lf = ledgerflow::client;
"""
MAIN = """
int main(int, char** argv) {
  try {
    lf::Client client("dbname=books");
    blocks[std::atoi(argv[1])](client);
    return 0;
  } catch (const lf::Error& error) {
    std::cerr << error.what() << "\\n";
    return 2;
  }
}
"""


def psql(script, database):
    result = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input=script, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                            env=dict(os.environ, PGOPTIONS="-c client_min_messages=warning"))
    if result.returncode != 0:
        sys.exit(result.stdout)


def compile_program(source, directory, name):
    path = Path(directory, name + ".cpp")
    path.write_text(source)
    libpq = subprocess.check_output(["pkg-config", "--libs", "libpq"], text=True).split()
    command = ["g++", "-std=c++17", "-O0", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{ROOT}/src/client/include", str(path),
               str(ROOT / "build/client/libledgerflow_client.a"), *libpq, "-o", str(path.with_suffix(""))]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{name} does not compile:\n{result.stdout}")
    return str(path.with_suffix(""))


def main():
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        sys.exit(__doc__)
    if "LEDGERFLOW_SERVER" not in os.environ:
        print("not under scripts/test.sh: no server to test")
        sys.exit(77)
    page = PAGE.read_text()
    with open(ROOT / "build" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "-C", str(ROOT / "src/client"), "all"], check=True, stdout=subprocess.DEVNULL)
    psql(f"DROP DATABASE IF EXISTS {DATABASE};\nCREATE DATABASE {DATABASE};\n", "postgres")
    psql("".join(re.findall(r"^```sql\n(.*?)^```\n", page, re.M | re.S)), DATABASE)
    matches = list(BLOCK.finditer(page))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="ledgerflow-guide.") as directory:
        fragments = [match["cpp"] for match in matches if "int main" not in match["cpp"]]
        # [[maybe_unused]]: a block need not use what the others do.
        functions = "".join(f"void block_{i}([[maybe_unused]] lf::Client& client) {{\n{text}}}\n" for i, text in enumerate(fragments))
        table = "void (*const blocks[])(lf::Client&) = {" + ", ".join(f"block_{i}" for i in range(len(fragments))) + "};\n"
        fragment_program = compile_program(PRELUDE + functions + table + MAIN, directory, "fragments")
        printed, number = [], 0
        for index, match in enumerate(matches):
            if "int main" in match["cpp"]:
                command = [compile_program(match["cpp"], directory, f"program_{index}")]
            else:
                command, number = [fragment_program, str(number)], number + 1
            result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
            printed.append(result.stdout)
            if result.returncode != 0:
                failed += 1
                print(f"this program ends with {result.returncode}:\n{match['cpp']}{result.stderr}")
    if update:
        remaining = iter(printed)

        def filled(match):
            text = next(remaining)
            return f"```cpp\n{match['cpp']}```\n" + (f"```text\n{text}```\n" if text else "")

        PAGE.write_text(BLOCK.sub(filled, page))
    for match, text in zip(matches, printed):
        if not update and (match["text"] or "") != text:
            failed += 1
            print(f"this program prints something else than the page says:\n{match['cpp']}")
            sys.stdout.writelines(difflib.unified_diff((match["text"] or "").splitlines(True), text.splitlines(True), "page", "printed"))
    psql(f"DROP DATABASE {DATABASE};\n", "postgres")
    print(f"{len(matches)} programs, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
