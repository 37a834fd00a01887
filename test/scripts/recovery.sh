#!/usr/bin/env bash
# A base backup under load, and recovery from it to a named point, a time and a transaction: what was posted up to there is
# there and nothing else; it verifies and posts on.
source "$(dirname "$0")/common.bash"

archive=$(mktemp -d /tmp/ledgerflow-archive.XXXXXX)
chmod 755 "$archive"
[ "$(id -u)" -ne 0 ] || chown postgres: "$archive"
load=
release() {
    [ -z "$load" ] || kill "$load" 2>/dev/null
    rm -rf "$archive"
}
primary=recovery-$$
new_server $primary fsync=off archive_mode=on "archive_command='cp %p $archive/%f.part && mv $archive/%f.part $archive/%f'"
db=lf_recovery
sql postgres -c "CREATE DATABASE $db"
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(1, 5) i;
SELECT ledger_hold('a1', 'a2', 5, 'hold'), ledger_post('a1', 'a2', 1, 'old', effective_at => '2026-01-01');
SELECT ledger_seal();
SQL
printf '%s\n' '\set x random(1, 5)' '\set y 1 + (:x + random(0, 3)) % 5' "SELECT ledger_post('a' || :x, 'a' || :y, 0.25);" >"$work/any"
pgbench -n -c 2 -T 600 -R 300 -d $db -f "$work/any" >/dev/null 2>&1 &
load=$!
copies=(named timed after whole)
for copy in "${copies[@]}"; do
    servers=("$copy-$$" "${servers[@]}")
    "$LEDGERFLOW_ROOT/scripts/server.sh" backup "$copy-$$" $primary || exit 1
done
post() { sql $db -c "SELECT ledger_post('a1', 'a2', 1, '$1')"; }
post 'before the name' >/dev/null
sql $db -c "SELECT pg_create_restore_point('here')" -c 'SELECT ledger_post($$a1$$, $$a2$$, 1, $$after the name$$)' >/dev/null
at=$(sql $db -c 'SELECT clock_timestamp()')
post 'after the time' >/dev/null
xid=$(sql $db -c "SELECT xact_id FROM ledger.transactions WHERE id = ledger_post('a1', 'a2', 1, 'the transaction')" -c "SELECT xact_id FROM ledger.transactions
    WHERE id = (SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'the transaction')")
post 'after the transaction' >/dev/null
old=$(sql $db -c "SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'old'")
kill $load
wait $load
load=
wal=$(sql $db -c 'SELECT pg_walfile_name(pg_switch_wal())')
for ((i = 0; i < 600; ++i)); do [ ! -e "$archive/$wal" ] || break; sleep 0.1; done
history="SELECT t.id, md5(t::text || (SELECT string_agg(e::text, chr(10) ORDER BY line) FROM ledger.entries e WHERE e.transaction_id = t.id)) FROM ledger.transactions t ORDER BY t.id"
sql $db -c "$history" >"$work/original"

# recovered COPY EXPECTED KEYS [SETTING]...: starts it and checks what must hold
recovered() {
    local copy=$1 keys=$2 data
    shift 2
    data=$(readlink -f "$LEDGERFLOW_ROOT/build/servers/$copy-$$")/data
    if [ $# -gt 0 ]; then
        touch "$data/recovery.signal"
        [ "$(id -u)" -ne 0 ] || chown postgres: "$data/recovery.signal"
        set -- "restore_command='cp $archive/%f %p'" recovery_target_action=promote "$@"
    fi
    "$LEDGERFLOW_ROOT/scripts/server.sh" start "$copy-$$" fsync=off archive_mode=off "$@" || exit 1
    use_server "$copy-$$"
    wait_for 60 postgres 'SELECT NOT pg_is_in_recovery()'
    check "$copy: recovered" 0 $?
    check "$copy: verified" '' "$(verified $db)"
    check "$copy: seals" '' "$(sql $db -c 'SELECT * FROM ledger_verify_seal()')"
    check "$copy: what was posted up to there" "$keys" "$(sql $db -c "SELECT string_agg(key, ', ' ORDER BY transaction_id) FROM ledger.idempotency_keys WHERE key LIKE '%the%'")"
    sql $db -c "$history" >"$work/copy"
    check "$copy: no row that differs from the original's" 0 "$(comm -23 "$work/copy" "$work/original" | wc -l)"
    check "$copy: an old key replays" "$old" "$(sql $db -c "SELECT ledger_post('a1', 'a2', 1, 'old', effective_at => '2026-01-01')")"
    check "$copy: posts on, with rising ids" t "$(sql $db -c "SELECT ledger_post('a1', 'a2', 1, 'new') > last_transaction_id FROM ledger.account_balances
        JOIN ledger.accounts ON id = account_id WHERE code = 'a1'")"
    check "$copy: captures an old hold" ok "$(state $db "SELECT ledger_capture((SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'hold'))")"
    check "$copy: seals on" t "$(sql $db -c 'SELECT is_new FROM ledger_seal()')"
    check "$copy: all is well" '' "$(verified $db)$(sql $db -c 'SELECT * FROM ledger_verify_seal()')$(sql $db -c 'SELECT * FROM ledger_verify_incremental()')"
}
recovered whole ''
recovered named 'before the name' recovery_target_name=here
recovered timed 'before the name, after the name' "recovery_target_time='$at'"
recovered after 'before the name, after the name, after the time, the transaction' "recovery_target_xid=$xid"
finish 'a base backup under load; recovered to a name, a time, a transaction'
