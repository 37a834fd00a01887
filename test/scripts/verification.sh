#!/usr/bin/env bash
# Verification and repair of a ledger that is in use: rebuilding while others post, the horizon of incremental runs,
# copies, tables whose rows lie out of order, many accounts in little memory, progress, and the monitoring query.
source "$(dirname "$0")/common.bash"

new_server verification fsync=off autovacuum=off  # of its own: transactions of others would hold the horizon back
db=lf_verification
new_database $db
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT count(ledger_open_account('a:' || i, 'asset', 'USD')) FROM generate_series(1, 20) i;
SELECT count(*) FROM ledger_post_batch(array_fill('a:1'::text, '{1000}'), array_fill('a:2'::text, '{1000}'), array_fill(1.5, '{1000}'));
SQL

# --- a session that stays open ---
mkfifo "$work/in"
psql -XqAt -d $db <"$work/in" >"$work/out" 2>&1 &
session=$!
exec 9>"$work/in"
release() { exec 9>&-; wait; }
say() { echo "$1" >&9; }
answered() { for _ in $(seq 100); do grep -q "$1" "$work/out" && return 0; sleep 0.1; done; return 1; }
last_run() { sql $db -c 'SELECT mode, findings, transactions FROM ledger.verifications ORDER BY id DESC LIMIT 1'; }

# --- the horizon ---
check 'first run' '' "$(sql $db -c 'SELECT * FROM ledger_verify_incremental()')"
check 'is full' 'full|0|1000' "$(last_run)"
say "BEGIN; SELECT ledger_post('a:3', 'a:4', 7); SELECT 'posted ' || 1;"
answered 'posted 1' || check 'the session answers' yes no
sql $db -c "SELECT ledger_post('a:5', 'a:6', 1) FROM generate_series(1, 5)" >/dev/null
check 'a run beside an open transaction' '' "$(sql $db -c 'SELECT * FROM ledger_verify_incremental()')"
check 'reads what is committed' 'incremental|0|5' "$(last_run)"
check 'health sees what holds the horizon back' t "$(sql $db -c 'SELECT horizon_lag > 0 AND oldest_transaction_started_at < now() FROM ledger_health()')"
say "COMMIT; SELECT 'ended ' || 1;"
answered 'ended 1' || check 'the session answers' yes no
check 'the next run' '' "$(sql $db -c 'SELECT * FROM ledger_verify_incremental()')"
check 'reads it, though its id is older than the last run' 'incremental|0|6' "$(last_run)"
check 'and one more' '' "$(sql $db -c 'SELECT * FROM ledger_verify_incremental()')"
check 'has nothing left to read' 'incremental|0|0' "$(last_run)"
sql $db -c "SET session_replication_role = replica" -c "UPDATE ledger.entries SET balance_after = 0 WHERE account_id = 1 AND transaction_id IN (SELECT id FROM ledger.transactions ORDER BY id OFFSET 9 LIMIT 1)" >/dev/null
check 'old damage is not seen' '' "$(sql $db -c 'SELECT * FROM ledger_verify_incremental()')"
check 'but by a full run' balance_after_mismatch "$(sql $db -c 'SELECT check_name FROM ledger_verify()')"
check 'and mended' 1 "$(sql $db -c "SELECT count(*) FROM ledger_rebuild_balances('a:1', true)")"
check 'verified' '' "$(verified $db)"
check 'in a serializable transaction' '' "$(sql $db -c "BEGIN ISOLATION LEVEL SERIALIZABLE" -c "SELECT * FROM ledger_verify_incremental()" -c COMMIT)"

# --- rebuilding while others post: what is damaged does not go into balance_after ---
cat >"$work/post.sql" <<'SQL'
\set a random(1, 20)
\set b 1 + (:a + random(0, 18)) % 20
SELECT ledger_post('a:' || :a, 'a:' || :b, 1.25);
SELECT ledger_hold('a:' || :a, 'a:' || :b, 1) AS hold \gset
SELECT ledger_capture(':hold', 0.5, false);
SQL
pgbench -n -c 3 -t 150 -f "$work/post.sql" $db >"$work/pgbench" 2>&1 &
load=$!
rebuilt=0
while kill -0 $load 2>/dev/null; do
    for _ in 1 2 3; do  # a row for each statement: several, in any order, would meet postings in a deadlock
        sql $db -c "SET session_replication_role = replica" \
            -c "UPDATE ledger.account_balances SET debits_posted = debits_posted + 1, credits_posted = credits_posted + 1, version = version + 3 WHERE account_id = $((1 + RANDOM % 19))" >/dev/null
    done
    changed=$(sql $db -c "SELECT count(*) FROM ledger_rebuild_balances()")
    [[ $changed =~ ^[0-9]+$ ]] || check 'a rebuild beside postings' 'a number' "$changed"
    rebuilt=$((rebuilt + changed))
done
wait $load
check 'no posting failed' 'number of transactions actually processed: 450/450' "$(grep 'actually processed' "$work/pgbench")"
check 'there was something to rebuild' t "$([ $rebuilt -gt 0 ] && echo t)"
changed=$(sql $db -c "SELECT count(*) FROM ledger_rebuild_balances()")
rebuilt=$((rebuilt + changed))
check 'exact' '' "$(verified $db)"
check 'every rebuild is recorded' "$rebuilt" "$(sql $db -c "SELECT count(*) FROM ledger.account_history WHERE reason = 'ledger_rebuild_balances()'")"

# A posting that is under way is waited for, and counted.
say "BEGIN; SELECT ledger_post('a:3', 'a:4', 100); SELECT 'posted ' || 2;"
answered 'posted 2' || check 'the session answers' yes no
sql $db -c "BEGIN" -c "SET LOCAL session_replication_role = replica" -c "UPDATE ledger.account_balances SET debits_posted = 0 WHERE account_id = 5" -c COMMIT >/dev/null
sql $db -c "SELECT account_code, item FROM ledger_rebuild_balances()" >"$work/rebuilt" &
rebuild=$!
wait_for 20 $db "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%ledger_rebuild_balances%' AND pid <> pg_backend_pid() AND wait_event_type = 'Lock')" ||
    check 'the rebuild waits' yes no
say "COMMIT;"
wait $rebuild
check 'it changes what was wrong' 'a:5|debits_posted' "$(cat "$work/rebuilt")"
check 'and nothing else' '' "$(verified $db)"
check 'above READ COMMITTED' '' "$(sql $db -c 'BEGIN ISOLATION LEVEL REPEATABLE READ' -c 'SELECT * FROM ledger_rebuild_balances()' -c COMMIT)"

# --- rows that lie out of order, more accounts than fit into memory ---
sql $db <<'SQL' >/dev/null || exit 1
SELECT ledger_create('many');
SET ledgerflow.ledger = 'many';
SELECT count(ledger_open_account('c:' || i, 'asset', CASE WHEN i % 2 = 0 THEN 'USD' ELSE 'JPY' END)) FROM generate_series(1, 6000) i;
CREATE FUNCTION public.fill(n int) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (SELECT array_agg(2 * (1 + i % 2500) + i % 2) AS d, array_agg(2 * (1 + (i + 7) % 2500) + i % 2) AS c, array_agg((1 + i % 9)::numeric) AS a
                            FROM generate_series(1, n) i) x, ledger_post_batch(x.d, x.c, x.a, ledger => 'many') $$;
SELECT fill(5000);
BEGIN; SELECT fill(10000); ROLLBACK;
SELECT fill(2000);
BEGIN; SELECT fill(3000); ROLLBACK;
SELECT fill(1);
VACUUM many.entries, many.transactions;
SELECT ledger_post('c:2', 'c:4', 1) FROM generate_series(1, 2000);
SELECT fill(30000);
VACUUM ANALYZE many.entries, many.transactions, many.accounts;
SQL
check 'later rows lie before earlier ones' t "$(sql $db -c "SELECT bool_or(later) FROM (SELECT transaction_id < max(transaction_id::text) OVER (ORDER BY ctid)::uuid AS later FROM many.entries) x")"
check 'out of order: verified' '' "$(verified $db "'many'")"
little="SET maintenance_work_mem = '1MB'"
check 'in little memory' '' "$(sql $db -c "$little" -c "SELECT * FROM ledger_verify('many')")"
check 'in parallel' '' "$(sql $db -c 'SET parallel_setup_cost = 0' -c 'SET parallel_tuple_cost = 0' -c 'SET min_parallel_table_scan_size = 0' -c 'SET force_parallel_mode = on' -c "SELECT * FROM ledger_verify('many')")"
check 'incremental' '' "$(sql $db -c "SELECT * FROM ledger_verify_incremental(ledger => 'many')" -c "SELECT fill(500)" -c "$little" -c "SELECT * FROM ledger_verify_incremental(ledger => 'many')" | grep -v '^500$')"
damage="SET session_replication_role = replica; UPDATE many.entries SET balance_after = balance_after + 1 WHERE ctid IN (SELECT ctid FROM many.entries ORDER BY transaction_id LIMIT 3); UPDATE many.entries SET amount = amount + 1 WHERE ctid = (SELECT ctid FROM many.entries ORDER BY transaction_id DESC, line DESC LIMIT 1); DELETE FROM many.transactions WHERE ctid IN (SELECT ctid FROM many.transactions ORDER BY id OFFSET 6000 LIMIT 1);"
wanted='balance_after_mismatch 4|credits_posted_mismatch 1|entry_without_transaction 2|unbalanced_transaction 1|'
found() { sql $db -c "BEGIN; $damage" -c "$1" -c "SELECT check_name || ' ' || count(*) FROM ledger_verify('many') GROUP BY check_name ORDER BY 1" -c ROLLBACK | tr '\n' '|'; }
check 'damage is found' "$wanted" "$(found 'SELECT 1 WHERE false')"
check 'in little memory too' "$wanted" "$(found "$little")"

# --- progress ---
check 'progress of a long run' 'NOTICE:  verifying ledger "many": 65536 of about' "$(sql $db -c 'SET ledgerflow.progress = 0' -c "SELECT * FROM ledger_verify('many')" | grep -o '^NOTICE:  verifying ledger "many": 65536 of about' | head -n 1)"
check 'or none' '' "$(sql $db -c 'SET ledgerflow.progress = -1' -c "SELECT * FROM ledger_verify('many')")"

# --- a copy is verified from its start ---
copy=lf_verification_copy
new_database $copy
pg_dump -d $db | psql -Xq -d $copy >"$work/restore" 2>&1
check 'restored' '' "$(grep ERROR "$work/restore")"
check 'an incremental run in a copy' '' "$(sql $copy -c 'SELECT * FROM ledger_verify_incremental()')"
check 'is a full one' full "$(sql $copy -c 'SELECT mode FROM ledger.verifications ORDER BY id DESC LIMIT 1')"
check 'once' 'incremental' "$(sql $copy -c 'SELECT * FROM ledger_verify_incremental()' -c 'SELECT mode FROM ledger.verifications ORDER BY id DESC LIMIT 1')"

# --- the query for postgres_exporter, as a role that may read one ledger of three ---
sql $db -c "SELECT ledger_create('Third \"one\"')" >/dev/null
query=$(sed -n '/^  query: |$/,/^  master:/p' "$LEDGERFLOW_ROOT/monitoring/postgres_exporter.yml" | sed '1d;$d')
check 'a row for each ledger' 'Third "one" ledger many' "$(sql $db -c "SELECT string_agg(q.ledger, ' ' ORDER BY q.ledger COLLATE \"C\") FROM ($query) q")"
roles=(lf_exporter)
psql -XqAt -d postgres -c "SET client_min_messages = error" -c "DROP ROLE IF EXISTS lf_exporter" -c "CREATE ROLE lf_exporter"
sql $db -c "SELECT ledger_grant('lf_exporter', 'reader', 'many')" >/dev/null
check 'as far as the role may read' many "$(sql $db -c 'SET ROLE lf_exporter' -c "SELECT q.ledger FROM ($query) q")"
columns=$(psql -Xq --csv -d $db -c "$query" | head -n 1 | tr ',' '\n' | sort | tr '\n' ' ')
described=$(sed -n 's/^    - \([a-z_]*\):$/\1/p' "$LEDGERFLOW_ROOT/monitoring/postgres_exporter.yml" | sort | tr '\n' ' ')
check 'every column is described' "$columns" "$described"
check 'every metric is a number' "" "$(psql -Xq --csv -t -d $db -c "$query" | cut -d, -f4- | tr ',' '\n' | grep -vE '^-?[0-9.]*$')"
if python3 -c 'import yaml' 2>/dev/null; then
    check 'the file is YAML' 19 "$(python3 -c 'import sys, yaml; print(len(yaml.safe_load(open(sys.argv[1]))["ledgerflow"]["metrics"]))' "$LEDGERFLOW_ROOT/monitoring/postgres_exporter.yml" 2>&1)"
fi
release
finish 'verification of a ledger in use'
