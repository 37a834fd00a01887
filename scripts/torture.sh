#!/usr/bin/env bash
# Tortures ledgerflow for a bounded time and writes down what came of it.
#   scripts/torture.sh [SECTION...]     sections: the programs of test/torture; none named: all of them
#   TORTURE_MINUTES=60                  how long in all (60), shared out among the sections by their weights below
#   TORTURE_SEED=N                      the random choices of an earlier run; printed, new where it is not given
#   TORTURE_SECONDS=10                  how long each section, instead of the minutes
# Leaves build/torture/report.md with the figures and the logs beside it. The last line is the verdict.
set -euo pipefail
umask 022

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
export LC_ALL=C.UTF-8
unset MAKEFLAGS MFLAGS MAKELEVEL

declare -A weights=([crash]=5 [concurrency]=3 [copies]=4 [attack]=1 [fuzz]=3 [calls]=4 [soak]=4)
known=(crash concurrency copies attack fuzz calls soak)
sections=("$@")
[ $# -gt 0 ] || sections=("${known[@]}")
sum=0
for section in "${sections[@]}"; do
    if [ -z "${weights[$section]:-}" ]; then
        echo "torture: no section '$section'; there are: ${known[*]}" >&2
        exit 2
    fi
    sum=$((sum + weights[$section]))
done
export TORTURE_SEED=${TORTURE_SEED:-$(od -An -N4 -tu4 /dev/urandom | awk '{ print $1 % 2147483647 + 1 }')}
minutes=${TORTURE_MINUTES:-60}
logs=$root/build/torture
report=$logs/report.md
mkdir -p "$logs"

running=
interrupted() {
    [ -z "$running" ] || { kill "$running" 2>/dev/null || true; wait "$running" || true; }
    echo "torture: interrupted" >&2
    exit 130
}
trap interrupted INT TERM HUP

scripts/packages.sh build torture
echo "torture: TORTURE_SEED=$TORTURE_SEED repeats this run"
{
    echo "| section | figure | value |"
    echo "|---|---|---:|"
} >"$report"
passed=0 failed=0
for section in "${sections[@]}"; do
    program=(test/torture/"$section".*)
    seconds=${TORTURE_SECONDS:-$((minutes * 60 * weights[$section] / sum))}
    export TORTURE_FIGURES=$logs/$section.figures
    rm -f "$TORTURE_FIGURES"
    printf '%-14s %6s s ... ' "$section" "$seconds"
    start=$SECONDS code=0
    TORTURE_SECONDS=$seconds timeout --kill-after=60 $((seconds * 3 + 600)) "${program[0]}" >"$logs/$section.log" 2>&1 </dev/null &
    running=$!
    wait $running || code=$?
    running=
    if [ $code -eq 0 ]; then
        passed=$((passed + 1))
        echo "passed in $((SECONDS - start)) s: $(tail -n 1 "$logs/$section.log")"
    else
        failed=$((failed + 1))
        echo "FAILED (exit code $code) after $((SECONDS - start)) s; build/torture/$section.log ends:"
        tail -n 25 "$logs/$section.log" | sed 's/^/    /'
    fi
    [ ! -f "$TORTURE_FIGURES" ] || awk -F '\t' -v s="$section" '{ printf "| %s | %s | %s |\n", s, $1, $2 }' "$TORTURE_FIGURES" >>"$report"
done
echo "figures: ${report#"$root"/}"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
