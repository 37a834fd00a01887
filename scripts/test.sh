#!/usr/bin/env bash
# Every test of the project, on a private server of its own: packages, build, suites, verdict.
#   scripts/test.sh [SUITE...]     suites: those of the list `known` below; none named: all but those of the list
#                                  `asked`, which take minutes to build or hours to run
# Postings go through the store that ledgerflow chooses (heap); the suites named *_spi run once more on the other.
# What mostly waits (`waiting` below) runs beside the rest, and is told of at the end.
# Compiler warnings are errors (WERROR=0 lets them pass). Full logs: build/test-logs/. The last line is
# the verdict, "N passed, N failed", and the exit code agrees with it.
set -euo pipefail
umask 022

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
export WERROR=${WERROR:-1} LC_ALL=C.UTF-8
# The allocator overwrites what is freed, by numbers that are large and positive: who reads it still is noticed.
export MALLOC_PERTURB_=${MALLOC_PERTURB_-85}
unset MAKEFLAGS MFLAGS MAKELEVEL

asked=(sanitizers pgtap_undefined pgtap_valgrind)
waiting=(isolation random_spi pgtap_spi isolation_spi torture)  # more than they compute: they run beside the others
known=(format unit random regress pgtap isolation scripts random_spi pgtap_spi isolation_spi torture "${asked[@]}")
for suite in "$@"; do
    if [[ " ${known[*]} " != *" $suite "* ]]; then
        echo "test: no suite '$suite'; there are: ${known[*]}" >&2
        exit 2
    fi
done
suites=("$@")
[ $# -gt 0 ] || for suite in "${known[@]}"; do [[ " ${asked[*]} " == *" $suite "* ]] || suites+=("$suite"); done

logs=${TEST_LOGS:-$root/build/test-logs}
server=test-$$
others=() beside=()    # suites of a second run of this script, on a server of its own, once everything is built
beside_pid=
locked=(flock -o "$root/build/.lock")  # runs of different suites may overlap, builds may not
server_started=no
total_passed=0 total_failed=0 total_skipped=0

mkdir -p "$logs"

on_exit() {
    trap - EXIT
    if [ -n "$beside_pid" ]; then
        kill -TERM -- "-$beside_pid" 2>/dev/null || true
        wait "$beside_pid" || true
    fi
    if [ "$server_started" = yes ]; then
        cp "build/servers/$server/log" "$logs/server.log" 2>/dev/null || true
        scripts/server.sh drop "$server" || echo "test: the server $server could not be removed" >&2
    fi
}
trap on_exit EXIT
trap 'echo "test: interrupted" >&2; exit 130' INT
trap 'echo "test: terminated" >&2; exit 143' TERM HUP

exists() { compgen -G "$1" >/dev/null; }

verdict() {
    local skipped=
    [ "$total_skipped" -eq 0 ] || skipped=", $total_skipped skipped"
    [ $((total_passed + total_failed)) -gt 0 ] || echo "test: nothing ran"
    [ "$total_failed" -eq 0 ] || echo "logs: ${logs#"$root"/}/"
    on_exit
    echo "$total_passed passed, $total_failed failed$skipped"
    [ "$total_failed" -eq 0 ] && [ "$total_passed" -gt 0 ] && exit 0
    exit 1
}

# A step before the suites: its failure is one failed test and the end.
step() {  # step NAME COMMAND...
    local name=$1 start=$EPOCHREALTIME
    shift
    if "$@" >"$logs/$name.log" 2>&1; then
        printf '%-24s %-30s %9s\n' "$name" 'done' "$(seconds "$start")"
        return
    fi
    printf '%-24s FAILED\n' "$name"
    local causes
    causes=$(grep -E ': (fatal )?error:|: warning:|undefined reference|^make.*\*\*\*|^server:' "$logs/$name.log" || true)
    if [ -n "$causes" ]; then head -n 40 <<<"$causes"; else tail -n 40 "$logs/$name.log"; fi | indent
    total_failed=$((total_failed + 1))
    verdict
}

seconds() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'; }

# One line for a suite, the failures under it. `extra` lines of detail come from a function on failure.
report() {  # report NAME START PASSED FAILED SKIPPED
    local text="$3 passed"
    [ "$4" -eq 0 ] || text+=", $4 FAILED"
    [ "$5" -eq 0 ] || text+=", $5 skipped"
    printf '%-24s %-30s %9s\n' "$1" "$text" "$(seconds "$2")"
    total_passed=$((total_passed + $3))
    total_failed=$((total_failed + $4))
    total_skipped=$((total_skipped + $5))
}

indent() { sed 's/^/    /'; }
count() { grep -cE "$1" "$2" || true; }

# --- what suites need -----------------------------------------------------------------------------

built=no
need_build() {
    [ "$built" = no ] || return 0
    step build "${locked[@]}" make -j"$(nproc)" --no-print-directory all
    built=yes
}

need_server() {
    [ "$server_started" = no ] || return 0
    need_build
    local old
    for old in build/servers/test-*; do  # left by a run that was killed
        [ -e "$old" ] || continue
        [ -d "/proc/${old##*-}" ] || scripts/server.sh drop "${old##*/}"
    done
    server_started=yes
    step server scripts/server.sh start "$server" fsync=off wal_level=logical max_prepared_transactions=20 \
        max_connections=100 log_min_messages=warning
    eval "$(scripts/server.sh env "$server")"
    export LEDGERFLOW_ROOT=$root PATH=$LEDGERFLOW_PGBIN:$PATH
    pgxs=$(dirname "$(pg_config --pgxs)")/../..
    start_beside
}

start_beside() {
    [ ${#beside[@]} -gt 0 ] && [ -z "$beside_pid" ] || return 0
    TEST_LOGS=$logs/beside setsid "$0" "${beside[@]}" >"$logs/beside.log" 2>&1 &
    beside_pid=$!
}

# Its lines are those of this run, but for the preparations and the verdict.
finish_beside() {
    [ -n "$beside_pid" ] || return 0
    local code=0 passed failed skipped
    wait "$beside_pid" || code=$?
    beside_pid=
    grep -vE '^(packages|build|server) +done |^logs: |^[0-9]+ passed, [0-9]+ failed' "$logs/beside.log" || true
    read -r passed failed skipped < <(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' "$logs/beside.log") || true
    [ "$code" -eq 0 ] || [ "${failed:-0}" -gt 0 ] || failed=1
    total_passed=$((total_passed + ${passed:-0}))
    total_failed=$((total_failed + ${failed:-0}))
    total_skipped=$((total_skipped + ${skipped:-0}))
}

new_database() {  # new_database NAME EXTENSION...
    local name=$1 extension
    shift
    psql -Xqc 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS $name" -c "CREATE DATABASE $name"
    for extension in "$@"; do
        psql -Xq -d "$name" -c "CREATE EXTENSION $extension"
    done
}

# --- suites ---------------------------------------------------------------------------------------

suite_format() {
    local start=$EPOCHREALTIME
    exists 'src/*/*.cpp' || exists 'src/*/*.hpp' || return 0
    if make --no-print-directory -s format-check >"$logs/format.log" 2>&1; then
        report format "$start" 1 0 0
    else
        report format "$start" 0 1 0
        { grep -E 'error' "$logs/format.log" || cat "$logs/format.log"; } | head -n 20 | indent
        echo "make format puts it right" | indent
    fi
}

gtest() {  # gtest NAME PROGRAM
    local name=$1 program=$2 log=$logs/$1.log start=$EPOCHREALTIME code=0 passed failed skipped
    "$program" --gtest_color=no >"$log" 2>&1 || code=$?
    passed=$(count '^\[       OK \] ' "$log")
    failed=$(count '^\[  FAILED  \] .*\([0-9]+ ms\)$' "$log")
    skipped=$(count '^\[  SKIPPED \] .*\([0-9]+ ms\)$' "$log")
    # A program that dies has one more failure than it could tell.
    if [ "$code" -ne 0 ] && ! grep -q '^\[==========\].* ran\.' "$log"; then failed=$((failed + 1)); fi
    [ "$code" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
    report "$name" "$start" "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ] || { grep -vE '^\[( RUN      |       OK |----------)\]|^$' "$log" | head -n 80 | indent; }
}

suite_unit() {
    local core=no client=no
    ! exists 'test/unit/core/*.cpp' || core=yes
    ! exists 'test/unit/client/*.cpp' || client=yes
    if [ $core = yes ]; then
        step core-build "${locked[@]}" make -C test -j"$(nproc)" --no-print-directory ../build/test/core_test
        gtest core build/test/core_test
    fi
    if [ $client = yes ]; then
        need_server
        step client-build "${locked[@]}" make -C test -j"$(nproc)" --no-print-directory ../build/test/client_test
        new_database client_test ledgerflow
        PGDATABASE=client_test gtest client build/test/client_test
    fi
}

# The client library and its tests once more, built with ThreadSanitizer, and with AddressSanitizer and UBSan.
suite_sanitizers() {
    exists 'test/unit/client/*.cpp' || return 0
    need_server
    local name kinds
    for name in tsan asan; do
        kinds=thread
        [ $name = tsan ] || kinds=address,undefined
        step "$name-build" "${locked[@]}" make -C test -j"$(nproc)" --no-print-directory BUILD="$root/build/$name" \
            SANITIZE=$kinds CLIENT_SANITIZE=yes "$root/build/$name/client_test"
        new_database client_test ledgerflow
        PGDATABASE=client_test TSAN_OPTIONS=halt_on_error=1 ASAN_OPTIONS=detect_leaks=1 gtest "client_$name" "build/$name/client_test"
    done
}

# LEDGERFLOW_SEED and LEDGERFLOW_OPERATIONS choose what it does; it says how to have the same again.
suite_random() {
    exists 'test/random/*.cpp' || return 0
    need_server
    step random-build "${locked[@]}" make -C test -j"$(nproc)" --no-print-directory ../build/test/random_test
    new_database random_test ledgerflow
    LEDGERFLOW_HISTORY=$logs/random-history.sql PGDATABASE=random_test gtest "${1:-random}" build/test/random_test
    grep -m 1 '^LEDGERFLOW_SEED=' "$logs/${1:-random}.log" | indent || true
}

# pg_regress and its isolation variant: "test NAME ... ok" until PostgreSQL 15, TAP from 16 on.
regress_result() {  # regress_result NAME START DIRECTORY
    local log=$logs/$1.log passed failed
    passed=$(count '^(test .* \.\.\. ok|ok )' "$log")
    failed=$(count '^(test .* \.\.\. FAILED|not ok )' "$log")
    # It never got as far as its tests.
    if [ "$4" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
    report "$1" "$2" "$passed" "$failed" 0
    [ "$failed" -eq 0 ] || {
        if [ -s "$3/regression.diffs" ]; then head -n 150 "$3/regression.diffs"; else tail -n 20 "$log"; fi | indent
    }
}

expecteddir() {  # PostgreSQL 16 and later look for expected/ only there
    if "$1" --help | grep -q expecteddir; then echo "--expecteddir=$2"; fi
}

suite_regress() {
    exists 'test/sql/*.sql' || return 0
    need_server
    local start=$EPOCHREALTIME code=0 out=$logs/regress tool=$pgxs/src/test/regress/pg_regress tests
    rm -rf "$out"
    mkdir -p "$out/input"
    ln -sfn "$root/test/sql" "$out/input/sql"
    ln -sfn "$root/expected" "$out/input/expected"
    mapfile -t tests < <(basename -a -s .sql test/sql/*.sql)
    # shellcheck disable=SC2046
    "$tool" --bindir="$LEDGERFLOW_PGBIN" --host="$PGHOST" --port="$PGPORT" --user=postgres --dbname=regress_test \
        --inputdir="$out/input" --outputdir="$out" $(expecteddir "$tool" "$out/input") \
        --load-extension=ledgerflow "${tests[@]}" >"$logs/regress.log" 2>&1 || code=$?
    regress_result regress "$start" "$out" "$code"
}

suite_isolation() {
    exists 'test/isolation/specs/*.spec' || return 0
    need_server
    local name=${1:-isolation} start=$EPOCHREALTIME code=0 out tool=$pgxs/src/test/isolation/pg_isolation_regress specs
    out=$logs/$name
    rm -rf "$out"
    mkdir -p "$out"
    mapfile -t specs < <(basename -a -s .spec test/isolation/specs/*.spec)
    # shellcheck disable=SC2046
    "$tool" --bindir="$LEDGERFLOW_PGBIN" --host="$PGHOST" --port="$PGPORT" --user=postgres --dbname=isolation_test \
        --inputdir="$root/test/isolation" --outputdir="$out" $(expecteddir "$tool" "$root/test/isolation") \
        --load-extension=ledgerflow "${specs[@]}" >"$logs/$name.log" 2>&1 || code=$?
    regress_result "$name" "$start" "$out" "$code"
}

suite_pgtap() {
    exists 'test/pgtap/*.sql' || return 0
    need_server
    local name=${1:-pgtap} start=$EPOCHREALTIME code=0 log passed failed skipped
    log=$logs/$name.log
    new_database pgtap pgtap ledgerflow
    pg_prove --norc --nocolor --verbose --merge --dbname pgtap --ext .sql test/pgtap/*.sql >"$log" 2>&1 || code=$?
    skipped=$(count '^ok [0-9]+.*# [Ss][Kk][Ii][Pp]' "$log")
    passed=$(($(count '^ok [0-9]+|^not ok [0-9]+.*# TODO' "$log") - skipped))
    failed=$(grep -E '^not ok [0-9]+' "$log" | grep -cv '# TODO' || true)
    # A file that ended early, or with a plan that does not fit.
    failed=$((failed + $(count '^  Parse errors: ' "$log")))
    if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
    report "$name" "$start" "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ] || { grep -vE '^ok |^[0-9]+\.\.[0-9]+$|^$' "$log" | head -n 120 | indent; }
}

on_spi_as() { PGOPTIONS="-c ledgerflow.store=spi" "suite_$1" "$2"; }
on_spi() { on_spi_as "$1" "$1_spi"; }
suite_random_spi() { on_spi random; }
suite_pgtap_spi() { on_spi pgtap; }
suite_isolation_spi() { on_spi isolation; }

# The extension with UBSan in it: a finding ends the backend, and with it the file. Both stores, and the random test.
suite_pgtap_undefined() {
    local ordinary=$server
    [ "$server_started" = no ] || scripts/server.sh drop "$ordinary"
    server=$ordinary-undefined server_started=no
    export LEDGERFLOW_SANITIZE=undefined
    need_server
    suite_pgtap pgtap_undefined
    on_spi_as pgtap pgtap_undefined_spi
    suite_random random_undefined
    unset LEDGERFLOW_SANITIZE
    scripts/server.sh drop "$server"
    server=$ordinary server_started=no
}

# Hours; findings of memcheck count, and tests that fail by themselves (some have waits that are too short for it).
suite_pgtap_valgrind() {
    local start=$EPOCHREALTIME log=$logs/pgtap_valgrind.log found
    scripts/valgrind.sh >"$log" 2>&1 || true
    found=$(tail -n 1 "$log" | sed -n 's/.*failed, \([0-9]*\) findings.*/\1/p')
    report pgtap_valgrind "$start" "$(count ': passed$' "$log")" "$((${found:-1}))" "$(count ': FAILED$' "$log")"
    tail -n 1 "$log" | indent
}

# Programs that are a test each: 0 is passed, 77 skipped, their last line says what was seen.
run_programs() {  # run_programs PROGRAM...
    local program start name code log
    for program in "$@"; do
        [ -f "$program" ] && [ -x "$program" ] || continue
        name=$(basename "$program")
        log=$logs/$name.log
        start=$EPOCHREALTIME
        code=0
        timeout --kill-after=10 "${SCRIPT_TIMEOUT:-900}" "$program" >"$log" 2>&1 </dev/null || code=$?
        case $code in
            0) report "$name" "$start" 1 0 0 ;;
            77) report "$name" "$start" 0 0 1 ;;
            *) report "$name" "$start" 0 1 0 ;;
        esac
        [ "$code" -ne 124 ] || echo "timed out" >>"$log"
        case $code in
            0 | 77) tail -n 1 "$log" | indent ;;
            *) { tail -n 40 "$log"; echo "exit code $code"; } | indent ;;
        esac
    done
}

suite_scripts() {
    exists 'test/scripts/*' || return 0
    need_server
    run_programs test/scripts/*.sh test/scripts/*.py
}

# The short form of `make torture`, a few seconds for each of its sections.
suite_torture() {
    exists 'test/torture/*' || return 0
    need_build
    step torture-packages scripts/packages.sh torture
    TORTURE_SECONDS=${TORTURE_SECONDS:-8} run_programs test/torture/*
}

# Alone, or named alone, they have nothing to run beside.
for suite in "${suites[@]}"; do
    if [[ " ${waiting[*]} " == *" $suite "* ]]; then beside+=("$suite"); else others+=("$suite"); fi
done
if [ ${#others[@]} -gt 0 ]; then suites=("${others[@]}"); else beside=(); fi

step packages scripts/packages.sh build test
for suite in "${suites[@]}"; do
    "suite_$suite"
done
[ ${#beside[@]} -eq 0 ] || need_server
finish_beside
verdict
