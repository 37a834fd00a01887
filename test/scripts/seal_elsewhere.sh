#!/usr/bin/env bash
# Seals where ids of database transactions mean nothing: restored on a fresh server, on a logical subscriber; prepared
# transactions; without the extension.
source "$(dirname "$0")/common.bash"

db=lf_seal
new_database $db
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(1, 20) i;
-- Many database transactions, so that a fresh server is far behind.
DO $$ BEGIN FOR i IN 1 .. 20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$;
DO $$ BEGIN PERFORM ledger_post('a1', 'a2', i, 'key ' || i, metadata => jsonb_build_object('n', i)) FROM generate_series(1, 100) i; END $$;
SQL
post() { sql "$1" -c "SELECT ledger_post('a$2', 'a$3', 1)"; }  # post DATABASE FROM TO
sealed() { sql "$1" -c 'SELECT seal, transactions, entries, is_new FROM ledger_seal()'; }
seals_verified() { sql "$1" -c 'SELECT * FROM ledger_verify_seal()'; }
roots() { sql "$1" -c "SELECT seal, encode(root, 'hex') FROM ledger.seals WHERE seal <= $2 ORDER BY seal"; }
late() { sql "$1" -c 'SELECT seal, late FROM ledger.seals WHERE late > 0 ORDER BY seal'; }

# Prepared before the first seal, and there after the second.
sql $db -c BEGIN -c "SELECT ledger_post('a3', 'a4', 5)" -c "PREPARE TRANSACTION 'lf_seal'" >/dev/null
post $db 1 2 >/dev/null
check 'a prepared transaction is not sealed' '1|101|202|t' "$(sealed $db)"
post $db 1 2 >/dev/null
check 'nor does it hold up the next seal' '2|1|2|t' "$(sealed $db)"
sql $db -c "COMMIT PREPARED 'lf_seal'" >/dev/null
check 'committed, it is no finding' '' "$(seals_verified $db)"
check 'and comes into the next one' '3|1|2|t' "$(sealed $db)"
check 'as a latecomer' '3|1' "$(late $db)"
check 'all is well' '' "$(seals_verified $db)"
# Prepared over a seal, and lost.
sql $db -c BEGIN -c "SELECT ledger_post('a3', 'a4', 5)" -c "PREPARE TRANSACTION 'lf_seal'" >/dev/null
post $db 1 2 >/dev/null
check 'another seal' '4|1|2|t' "$(sealed $db)"
sql $db -c "ROLLBACK PREPARED 'lf_seal'" >/dev/null
check 'rolled back, it leaves nothing to seal' '4|1|2|f' "$(sealed $db)"
# One that is in no seal when the dump is made.
sql $db -c BEGIN -c "SELECT ledger_post('a5', 'a6', 5)" -c "PREPARE TRANSACTION 'lf_seal'" >/dev/null
post $db 1 2 >/dev/null
check 'the last seal before the dump' '5|1|2|t' "$(sealed $db)"
sql $db -c "COMMIT PREPARED 'lf_seal'" >/dev/null
post $db 7 8 >/dev/null
before=$(roots $db 5)
last=$(sql $db -c "SELECT encode(root, 'hex') FROM ledger.seals WHERE seal = 5")
first_id=$(sql $db -c "SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'key 1'")

# A logical subscriber that seals what it gets: xact_id counts on the publisher, arrival is late as it pleases.
new_database lf_seal_sub
release() {
    psql -XqAt -d lf_seal_sub -c 'ALTER SUBSCRIPTION lf_seal_sub DISABLE' -c 'ALTER SUBSCRIPTION lf_seal_sub SET (slot_name = NONE)' \
        -c 'DROP SUBSCRIPTION lf_seal_sub' >/dev/null 2>&1
    psql -XqAt -d postgres -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = 'lf_seal' AND NOT active" >/dev/null 2>&1
}
tables=$(sql $db -c "SELECT string_agg(format('ledger.%I', relname), ', ') FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r' AND relname NOT LIKE 'seal%'")
sql $db -c "CREATE PUBLICATION lf_seal_pub FOR TABLE $tables" -c "SELECT pg_create_logical_replication_slot('lf_seal_slot', 'pgoutput')" >/dev/null
sql lf_seal_sub <<SQL >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SET session_replication_role = replica;
DELETE FROM ledger.settings;
DELETE FROM ledger.currencies;
DELETE FROM ledger.account_types;
RESET session_replication_role;
CREATE SUBSCRIPTION lf_seal_sub CONNECTION 'host=$PGHOST port=$PGPORT user=$PGUSER dbname=$db' PUBLICATION lf_seal_pub
    WITH (create_slot = false, slot_name = 'lf_seal_slot');
SQL
count=$(sql $db -c 'SELECT count(*) FROM ledger.transactions')
wait_for 60 lf_seal_sub "SELECT bool_and(srsubstate = 'r') AND (SELECT count(*) FROM ledger.transactions) = $count FROM pg_subscription_rel"
check 'the subscriber has it all' 0 $?
check 'a subscriber seals' "1|$count|$((2 * count))|t" "$(sealed lf_seal_sub)"
check 'and names no server' t "$(sql lf_seal_sub -c 'SELECT server IS NULL FROM ledger.seals')"
sql $db -c BEGIN -c "SELECT ledger_post('a9', 'a10', 5)" -c "PREPARE TRANSACTION 'lf_seal'" >/dev/null
post $db 1 2 >/dev/null
wait_for 60 lf_seal_sub "SELECT count(*) = $count + 1 FROM ledger.transactions"
check 'what came since' '2|1|2|t' "$(sealed lf_seal_sub)"
sql $db -c "COMMIT PREPARED 'lf_seal'" >/dev/null
wait_for 60 lf_seal_sub "SELECT count(*) = $count + 2 FROM ledger.transactions"
check 'a latecomer is no finding' '' "$(seals_verified lf_seal_sub)"
check 'and is sealed' '3|1|2|t' "$(sealed lf_seal_sub)"
check 'as one' '3|1' "$(late lf_seal_sub)"
check 'still no finding' '' "$(seals_verified lf_seal_sub)"
release

# A fresh server. Its counter of database transactions is far below those of the seals.
pg_dump -Fc -f "$work/dump" $db
check 'pg_dump' 0 $?
new_server "seal-$$" fsync=off max_prepared_transactions=5
new_database $db
check 'pg_restore' '' "$(pg_restore --exit-on-error --no-publications -d $db "$work/dump" 2>&1)"
check 'the counter is behind' t "$(sql $db -c "SELECT pg_snapshot_xmax(pg_current_snapshot()) < horizon FROM ledger.seals WHERE seal = 1")"
check 'the same roots' "$before" "$(roots $db 5)"
check 'restored: no finding' '' "$(seals_verified $db)"
check 'with the root that was kept' '' "$(sql $db -c "SELECT * FROM ledger_verify_seal(known_root => '$last')")"
post $db 1 2 >/dev/null
post $db 11 12 >/dev/null
check 'posted anew: no finding' '' "$(seals_verified $db)"
sql $db -c BEGIN -c "SELECT ledger_post('a13', 'a14', 5)" -c "PREPARE TRANSACTION 'lf_seal'" >/dev/null
post $db 1 2 >/dev/null
# Left by the old server: the one that was prepared, and three after the last seal; three new ones.
check 'sealed on' '6|7|14|t' "$(sealed $db)"
check 'with a latecomer of the old server' '3|1
6|1' "$(late $db)"
sql $db -c "COMMIT PREPARED 'lf_seal'" >/dev/null
check 'one of the new server is no finding' '' "$(seals_verified $db)"
check 'and is sealed' '7|1|2|t' "$(sealed $db)"
check 'all is well' '' "$(seals_verified $db)"
check 'and in the books' '' "$(verified $db)"
root=$(sql $db -c "SELECT encode(root, 'hex') FROM ledger.seals WHERE seal = 7")
sql $db -c "SELECT ledger_prove('$first_id')" >"$work/proof"
truncate -s -1 "$work/proof"  # psql's own newline
check 'a proof from the old server to the newest root' "id $first_id" "$("$LEDGERFLOW_ROOT/test/scripts/seal_recomputed.py" "$work/proof" "$root" | sed -n 2p)"
check 'and to no other' 'the proof does not hold' "$("$LEDGERFLOW_ROOT/test/scripts/seal_recomputed.py" "$work/proof" "$last" 2>&1)"
sql $db -c "SET session_replication_role = replica" \
    -c "UPDATE ledger.entries SET amount = amount * 2 WHERE transaction_id = '$first_id'" >/dev/null
check 'a change is found here too' "1|transaction $first_id|as it was sealed|changed" "$(seals_verified $db)"
sql $db -c 'SET session_replication_role = replica' -c "UPDATE ledger.entries SET amount = amount / 2 WHERE transaction_id = '$first_id'" >/dev/null
check 'division has left more decimals, and that is found' "1|transaction $first_id|as it was sealed|changed" "$(seals_verified $db)"
sql $db -c 'SET session_replication_role = replica' -c "UPDATE ledger.entries SET amount = round(amount, 2) WHERE transaction_id = '$first_id'" >/dev/null
check 'put right, it is no finding' '' "$(seals_verified $db)"

# Without the extension the seals stay, and another installation goes on with them.
sql $db -c 'SET client_min_messages = error' -c 'DROP EXTENSION ledgerflow CASCADE' >/dev/null
check 'DROP EXTENSION keeps the seals' '7|8' "$(sql $db -c 'SELECT (SELECT count(*) FROM ledger.seals), (SELECT count(*) FROM ledger.seal_blocks)')"
sql $db -c 'CREATE EXTENSION ledgerflow' -c 'SELECT ledger_upgrade()' >/dev/null
check 'installed again: no finding' '' "$(seals_verified $db)"
post $db 1 2 >/dev/null
check 'and sealing goes on' '8|1|2|t' "$(sealed $db)"
finish 'prepared transactions, a subscriber, a fresh server, without the extension'
