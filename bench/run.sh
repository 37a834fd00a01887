#!/usr/bin/env bash
# The benchmark: `make bench`. A private server of its own, half an hour; BENCH_QUICK=1 about two.
# docs/performance.md says what is measured and which settings (BENCH_...) there are.
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
unset PYTHONPATH PYTHONHOME MAKEFLAGS MFLAGS MAKELEVEL

"$bench/../scripts/packages.sh" build bench | sed '/: all there/d' >&2
exec python3 "$bench/bench.py" "$@"
