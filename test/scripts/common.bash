# What the scripts of this directory share. Sourced, not run.
set -uo pipefail

if [ -z "${LEDGERFLOW_SERVER:-}" ]; then
    echo "not under scripts/test.sh: no server to test"
    exit 77
fi
me=$(basename "$0" .sh)
failures=0 checks=0
work=$(mktemp -d "/tmp/ledgerflow-$me.XXXXXX")
databases=() servers=() roles=()

cleanup() {
    local name
    trap - EXIT
    release
    for name in "${databases[@]}"; do
        psql -XqAt -d postgres -c 'SET client_min_messages = error' -c "DROP DATABASE IF EXISTS $name WITH (FORCE)" >/dev/null 2>&1
    done
    for name in "${roles[@]}"; do psql -XqAt -d postgres -c "DROP ROLE IF EXISTS $name" >/dev/null 2>&1; done
    for name in "${servers[@]}"; do "$LEDGERFLOW_ROOT/scripts/server.sh" drop "$name"; done
    rm -rf "$work"
}
release() { :; }  # a script's own things to let go of first
trap cleanup EXIT
trap 'exit 143' INT TERM HUP

# check WHAT EXPECTED FOUND
check() {
    checks=$((checks + 1))
    if [ "$2" = "$3" ]; then echo "ok   $1"; return 0; fi
    failures=$((failures + 1))
    printf 'FAIL %s\n     expected: %s\n     found:    %s\n' "$1" "$2" "$3"
    return 1
}

# check_below WHAT LIMIT FOUND
check_below() {
    checks=$((checks + 1))
    if [ "$3" -lt "$2" ] 2>/dev/null; then echo "ok   $1 ($3)"; return 0; fi
    failures=$((failures + 1))
    printf 'FAIL %s\n     expected: below %s\n     found:    %s\n' "$1" "$2" "$3"
}

sql() { psql -XqAt -v ON_ERROR_STOP=1 -d "$1" "${@:2}" 2>&1; }  # sql DATABASE [-c STATEMENT]...

# The SQLSTATE with which a statement is refused, or ok. Several are one transaction.
state() {  # state DATABASE STATEMENT
    local found
    found=$(psql -XqAt -v VERBOSITY=sqlstate -v ON_ERROR_STOP=1 -d "$1" -c "$2" 2>&1 >/dev/null | sed -n 's/^ERROR:  //p' | head -n 1)
    echo "${found:-ok}"
}

new_database() {  # new_database NAME [OPTIONS OF CREATE DATABASE]
    databases+=("$1")
    psql -XqAt -d postgres -c 'SET client_min_messages = error' -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" \
        -c "CREATE DATABASE $1 ${2:-}" || exit 1
}

new_server() {  # new_server NAME SETTING...: another server, for this script alone
    servers+=("$1")
    "$LEDGERFLOW_ROOT/scripts/server.sh" start "$@" || exit 1
    use_server "$1"
}
use_server() {
    local settings
    settings=$("$LEDGERFLOW_ROOT/scripts/server.sh" env "$1") || exit 1
    eval "$settings"
}

# What ledger_verify() finds in a ledger: nothing, if all is well.
verified() { sql "$1" -c "SELECT * FROM ledger_verify(${2:-NULL})"; }  # verified DATABASE [QUOTED LEDGER]

# wait_for SECONDS DATABASE QUERY: until it says t
wait_for() {
    local end=$((SECONDS + $1))
    while [ "$(sql "$2" -c "$3")" != t ]; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

finish() {
    if [ $failures -eq 0 ]; then
        echo "$checks checks passed: ${1:-$me}"
        exit 0
    fi
    echo "$failures of $checks checks failed"
    exit 1
}
