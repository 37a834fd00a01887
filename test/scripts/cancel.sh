#!/usr/bin/env bash
# Postings that are cancelled by a timeout at any moment, and sessions that are ended in the middle of one: each posting is
# there whole or not at all, and the server stays up.
source "$(dirname "$0")/common.bash"

db=lf_cancel
new_database $db
log_start=$(wc -c <"$LEDGERFLOW_LOG")
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(1, 200) i;
CREATE FUNCTION big(key text, n integer) RETURNS uuid LANGUAGE sql AS $$
    SELECT ledger_post((SELECT array_agg(ROW('a' || 1 + i % 200, CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END)::ledger_line)
                          FROM generate_series(1, n) i), key) $$;
SQL
for c in 1 2; do
    for ((i = 1; i <= 250; ++i)); do
        echo "SET statement_timeout = $((1 + RANDOM % 20));"
        echo "SELECT 'answer', big('$c-$i', $((2 * (1 + RANDOM % 500))));"
    done >"$work/timed-$c"
    psql -XqAt -F ' ' -v VERBOSITY=sqlstate -d $db -f "$work/timed-$c" >"$work/out-$c" 2>"$work/errors-$c" &
done
for ((i = 1; i <= 12; ++i)); do
    for ((j = 1; j <= 20; ++j)); do echo "SELECT big('end $i-$j', 300);"; done | psql -XqAt -d $db >/dev/null 2>&1
done &
for ((i = 1; i <= 25; ++i)); do
    sleep 0.15
    sql $db -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$db' AND query LIKE 'SELECT big(''end%' LIMIT 1" >/dev/null
done
wait
answered=$(cat "$work"/out-? | grep -c '^answer ')
# The postings are on the even lines; a SET on a busy machine may run out of time itself.
cancelled=$(cat "$work"/errors-? | grep -cE ':[0-9]*[02468]: ERROR:  57014')
check 'each was answered or cancelled' 500 $((answered + cancelled))
check 'some of each' t "$([ "$answered" -gt 0 ] && [ "$cancelled" -gt 0 ] && echo t)"
check 'what was answered is there, what was cancelled is not' "$answered" "$(sql $db -c "SELECT count(*) FROM ledger.idempotency_keys WHERE key NOT LIKE 'end%'")"
check 'verified' '' "$(verified $db)"
check 'nothing made or lost' 0.00 "$(sql $db -c 'SELECT sum(debits_posted - credits_posted) FROM ledger.account_balances')"
check 'the server log has no crash' '' "$(tail -c "+$((log_start + 1))" "$LEDGERFLOW_LOG" | grep -E "PANIC|terminated by signal|TRAP:|leak:|still referenced|server process .* exited" | head -n 5)"
finish "$answered postings, $cancelled cancelled, 25 sessions ended"
