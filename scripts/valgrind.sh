#!/usr/bin/env bash
# Runs tests on a server under valgrind: memcheck sees the C++ heap of every backend (not pieces of PostgreSQL's own
# memory contexts, whose blocks are one allocation to it). Takes hours for everything.
#   scripts/valgrind.sh [FILE...]    pgTAP files (none named: all), or programs that start servers (test/torture/calls.py)
#   PGOPTIONS="-c ledgerflow.store=spi" tests the other store
# What PostgreSQL itself does is left out by test/valgrind.supp. Leaves the findings in build/valgrind/findings.log.
# The last line is the verdict.
set -euo pipefail
umask 022

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
command -v valgrind >/dev/null || { echo "valgrind: not installed (apt-get install valgrind)" >&2; exit 2; }
server=valgrind-$$
results=$root/build/valgrind
work=$(mktemp -d /tmp/ledgerflow-valgrind.XXXXXX)  # where the server's user can write
mkdir -p "$results" "$work/logs"
rm -f "$results"/*
trap 'scripts/server.sh drop "$server"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

pgbin=$(dirname "$(ls "${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}")")
cp test/valgrind.supp "$work"
cat >"$work/postgres" <<EOF
#!/bin/sh
exec valgrind -q --leak-check=no --error-limit=no --num-callers=30 --gen-suppressions=all --suppressions=$work/valgrind.supp \\
    --log-file=$work/logs/%p.log $pgbin/postgres "\$@"
EOF
chmod 755 "$work" "$work/postgres"
chmod 777 "$work/logs"
export LEDGERFLOW_POSTGRES=$work/postgres

files=() failed=0 passed=0
[ $# -gt 0 ] || set -- test/pgtap/*.sql
result() {  # result FILE EXIT_CODE
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "$1: passed"
    else
        failed=$((failed + 1))
        echo "$1: FAILED"
        tail -n 20 "$results/$(basename "$1").log" | sed 's/^/    /'
    fi
}
for file in "$@"; do
    code=0
    if [[ $file == *.sql ]]; then
        if [ ${#files[@]} -eq 0 ]; then
            scripts/server.sh start "$server" fsync=off jit=off wal_level=logical max_prepared_transactions=20 autovacuum=off
            eval "$(scripts/server.sh env "$server")"
            psql -Xqc 'CREATE DATABASE pgtap' && psql -Xq -d pgtap -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION ledgerflow'
        fi
        files+=("$file")
        pg_prove --norc --nocolor --verbose --merge --dbname pgtap "$file" >"$results/$(basename "$file").log" 2>&1 || code=$?
    else
        "$file" >"$results/$(basename "$file").log" 2>&1 || code=$?
    fi
    result "$file" $code
done
[ ${#files[@]} -eq 0 ] || scripts/server.sh stop "$server"

cat "$work"/logs/*.log >"$results/findings.log" 2>/dev/null || true
findings=$(grep -c '^{' "$results/findings.log" || true)  # each is followed by a suppression for it
[ "$findings" -eq 0 ] || head -n 100 "$results/findings.log"
echo "$passed passed, $failed failed, $findings findings of memcheck"
[ $failed -eq 0 ] && [ "$findings" -eq 0 ]
