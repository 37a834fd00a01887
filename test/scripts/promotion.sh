#!/usr/bin/env bash
# A synchronous standby is promoted under load: whatever was acknowledged before is there under its id, and answers alike.
source "$(dirname "$0")/common.bash"

primary=promoted-primary-$$ standby=promoted-$$ clients=3
new_server $primary fsync=off synchronous_commit=remote_apply
db=lf_promotion
sql postgres -c "CREATE DATABASE $db"
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(0, 4) i;
SQL
servers=("$standby" "${servers[@]}")
"$LEDGERFLOW_ROOT/scripts/server.sh" standby $standby $primary || exit 1
sql postgres -c "ALTER SYSTEM SET synchronous_standby_names = '*'" -c 'SELECT pg_reload_conf()' >/dev/null
wait_for 60 postgres "SELECT bool_or(sync_state = 'sync') FROM pg_stat_replication"
check 'the standby is synchronous' 0 $?
pids=()
for ((c = 1; c <= clients; ++c)); do
    for ((i = 1; i <= 20000; ++i)); do
        echo "SELECT 'c$c-$i', ledger_post('a$((i % 5))', 'a$(((i + c) % 5))', $i, 'c$c-$i', 'ref c$c-$i');"
    done >"$work/requests-$c"
    PGOPTIONS="-c ledgerflow.store=$([ $c = 1 ] && echo spi || echo heap)" psql -XqAt -F ' ' -d $db -f "$work/requests-$c" >"$work/acked-$c" 2>/dev/null &
    pids+=($!)
done
sleep 3
for ((c = 1; c <= clients; ++c)); do cp "$work/acked-$c" "$work/before-$c"; done  # psql writes each answer before it asks for the next
use_server $standby
check 'promoted' t "$(sql $db -c 'SELECT pg_promote()')"
"$LEDGERFLOW_ROOT/scripts/server.sh" crash $primary
wait "${pids[@]}"
for ((c = 1; c <= clients; ++c)); do sed -n '/ [0-9a-f-]\{36\}$/p' "$work/before-$c"; done >"$work/acked"
acked=$(wc -l <"$work/acked")
check 'some were acknowledged' t "$([ "$acked" -gt 50 ] && echo t)"
check 'verified' '' "$(verified $db)"
check "all $acked acknowledged are there under their ids" "$acked" "$(sql $db <<SQL
CREATE TEMP TABLE acked (key text, id uuid);
\\copy acked FROM '$work/acked' (DELIMITER ' ')
SELECT count(*) FROM acked JOIN ledger.idempotency_keys k USING (key) JOIN ledger.transactions t ON t.id = k.transaction_id
 WHERE k.transaction_id = acked.id AND t.reference = 'ref ' || key;
SQL
)"
for ((c = 1; c <= clients; ++c)); do
    sed -n '/ [0-9a-f-]\{36\}$/p' "$work/before-$c" >"$work/had"
    had=$(wc -l <"$work/had")
    head -n $((had + 2)) "$work/requests-$c" >"$work/again"
    sql $db -F ' ' -f "$work/again" >"$work/answers"
    check "client $c: the same answers again" "$(md5sum <"$work/had")" "$(head -n "$had" "$work/answers" | md5sum)"
    check "client $c: the next ones are posted" $((had + 2)) "$(grep -c ' [0-9a-f-]\{36\}$' "$work/answers")"
done
check 'posts on, with rising ids' t "$(sql $db -c "SELECT bool_and(ledger_post(code, 'a0', 1) > last_transaction_id) FROM ledger.account_balances
    JOIN ledger.accounts ON id = account_id WHERE code <> 'a0'")"
check 'all is well' '' "$(verified $db)$(sql $db -c 'SELECT * FROM ledger_verify_incremental()')"
finish "$acked acknowledged postings outlived their primary"
