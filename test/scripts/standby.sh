#!/usr/bin/env bash
# A physical standby and read-only transactions: reads work, writes are refused (25006); after promotion it posts.
source "$(dirname "$0")/common.bash"

primary=primary-$$ standby=standby-$$
new_server $primary fsync=off
db=lf_standby
sql postgres -c "CREATE DATABASE $db"
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a', 'asset', 'USD'), ledger_open_account('b', 'liability', 'USD', min_balance => 0);
DO $$ BEGIN PERFORM ledger_post('a', 'b', 1.5, 'key ' || i) FROM generate_series(1, 100) i; END $$;
SELECT ledger_seal();
SQL
balances=$(sql $db -c 'SELECT * FROM ledger_trial_balance()')
key=$(sql $db -c "SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'key 5'")

writes=("SELECT ledger_post('a', 'b', 1)" "SELECT ledger_post('a', 'b', 1.5, 'key 5')" "SELECT post_transfer('a', 'b', 1)"
    "SELECT ledger_post(ARRAY[ledger_debit('a', 1), ledger_credit('b', 1)])" "SELECT ledger_open_account('c', 'asset', 'USD')"
    "SELECT ledger_open_account('a', 'asset', 'USD')" "SELECT ledger_set_limits('b', 1, NULL)" "SELECT ledger_freeze_account('a')"
    "SELECT ledger_unfreeze_account('a')" "SELECT ledger_close_account('a')" "SELECT ledger_create('other')" "SELECT ledger_maintain()" "SELECT ledger_seal()"
    "SELECT ledger_upgrade()" "INSERT INTO ledger.transactions DEFAULT VALUES")
reads() {  # reads WHERE PREFIX
    check "$1: balance" 150.00 "$(sql $db -c "$2" -c "SELECT ledger_balance('b')")"
    check "$1: available" 150.00 "$(sql $db -c "$2" -c "SELECT ledger_available('b')")"
    check "$1: trial balance" "$balances" "$(sql $db -c "$2" -c 'SELECT * FROM ledger_trial_balance()')"
    check "$1: views" '150.00|200' "$(sql $db -c "$2" -c "SELECT (SELECT balance FROM ledger.balances WHERE account = 'a'), count(*) FROM ledger.journal")"
    check "$1: reports" '150.00|150.00|150.00' "$(sql $db -c "$2" -c "SELECT (SELECT amount FROM ledger_balance_sheet() WHERE kind = 'total' AND side = 'debit'),
        (SELECT total FROM ledger_rollup('b', at => 'tomorrow', by => 'posted')), (SELECT debits FROM ledger_movements(prefix => 'a'))")"
    check "$1: minor units" 12500 "$(sql $db -c "$2" -c "SELECT ledger_to_minor(125, 'USD')")"
    check "$1: verified" '' "$(sql $db -c "$2" -c 'SELECT * FROM ledger_verify()')"
    check "$1: seals verified" '' "$(sql $db -c "$2" -c 'SELECT * FROM ledger_verify_seal()')"
    check "$1: proof" 'ledgerflow-proof 1' "$(sql $db -c "$2" -c "SELECT split_part(ledger_prove('$key'), E'\\n', 1)")"
}

# On the primary, in read-only transactions, of each isolation level, and deferrable.
for mode in 'READ ONLY' 'ISOLATION LEVEL REPEATABLE READ, READ ONLY' 'ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE'; do
    reads "$mode" "BEGIN TRANSACTION $mode"
    for statement in "${writes[@]}"; do
        check "$mode: refused: $statement" 25006 "$(state $db "BEGIN TRANSACTION $mode; $statement; COMMIT")"
    done
done
check 'read-only by default: refused' 25006 "$(PGOPTIONS='-c default_transaction_read_only=on' state $db "SELECT ledger_post('a', 'b', 1)")"

servers=("$standby" "${servers[@]}")
"$LEDGERFLOW_ROOT/scripts/server.sh" standby $standby $primary || exit 1
# What comes over the stream, not with the base backup.
sql $db -c "SELECT ledger_post('a', 'b', 8.5, 'streamed')" -c "SELECT ledger_post('b', 'a', 8.5)" >/dev/null
balances=$(sql $db -c 'SELECT * FROM ledger_trial_balance()')
sql $db -c 'SELECT pg_current_wal_lsn()' >"$work/lsn"
use_server $standby
wait_for 30 $db "SELECT pg_last_wal_replay_lsn() >= '$(cat "$work/lsn")'"
check 'the standby follows' 0 $?
check 'the standby is one' t "$(sql $db -c 'SELECT pg_is_in_recovery()')"
reads_on_standby() {
    check 'standby: balance' 150.00 "$(sql $db -c "SELECT ledger_balance('b')")"
    check 'standby: trial balance' "$balances" "$(sql $db -c 'SELECT * FROM ledger_trial_balance()')"
    check 'standby: reports' '150.00|150.00' "$(sql $db -c "SELECT (SELECT amount FROM ledger_balance_sheet('tomorrow') WHERE kind = 'total' AND side = 'credit'),
        (SELECT balance FROM ledger_chart('b') ORDER BY at DESC LIMIT 1)")"
    check 'standby: journal' 204 "$(sql $db -c 'SELECT count(*) FROM ledger.journal')"
    check 'standby: verified' '' "$(verified $db)"
}
reads_on_standby
for statement in "${writes[@]}"; do
    check "standby: refused: $statement" 25006 "$(state $db "$statement")"
done
# A session that read on the standby and lives through its promotion posts in it.
coproc session { psql -XqAt -d $db 2>&1; }
session_pid=$!
exec 6>&"${session[1]}" 7<&"${session[0]}"  # that subshells have, too
in=6 out=7
ask() {  # ask STATEMENT: the answers, to a marker
    local line
    printf '%s\n\\echo __done__\n' "$1" >&"$in"
    while IFS= read -r -t 30 line <&"$out" && [ "$line" != __done__ ]; do printf '%s\n' "$line"; done
}
ask '\set VERBOSITY sqlstate'
check 'a session on the standby: reads' 150.00 "$(ask "SELECT ledger_balance('a');")"
check 'a session on the standby: is refused' 'ERROR:  25006' "$(ask "SELECT ledger_post('a', 'b', 1);")"
check 'promoted' t "$(sql $db -c 'SELECT pg_promote()')"
check 'the same session: posts' t "$(ask "SELECT ledger_post('a', 'b', 1, 'after') IS NOT NULL;")"
printf '\\q\n' >&"$in"
wait $session_pid
check 'an old key replays' "$key" "$(sql $db -c "SELECT ledger_post('a', 'b', 1.5, 'key 5')")"
check 'a new account' ok "$(state $db "SELECT ledger_open_account('c', 'asset', 'USD'), ledger_post('c', 'b', 2)")"
check 'ids rise' t "$(sql $db -c "SELECT bool_and(id > before) FROM (SELECT transaction_id AS id, lag(transaction_id) OVER (ORDER BY e.ctid) AS before
    FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id WHERE a.code = 'b') e WHERE before IS NOT NULL")"
check 'balances' '151.00|153.00' "$(sql $db -c "SELECT ledger_balance('a'), ledger_balance('b')")"
check 'verified after promotion' '' "$(verified $db)"
finish 'reads on read-only ground, writes refused, posts after promotion'
