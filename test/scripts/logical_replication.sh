#!/usr/bin/env bash
# A ledger's tables published to another database: the subscriber's copy verifies while it follows, and can take over.
source "$(dirname "$0")/common.bash"

[ "$(psql -XqAt -c 'SHOW wal_level')" = logical ] || { echo 'wal_level is not logical'; exit 77; }
from=lf_publisher to=lf_subscriber
release() {  # the slot holds the database
    psql -XqAt -d $to -c "ALTER SUBSCRIPTION lf_sub DISABLE" -c "ALTER SUBSCRIPTION lf_sub SET (slot_name = NONE)" -c "DROP SUBSCRIPTION lf_sub" >/dev/null 2>&1
    psql -XqAt -d postgres -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '$from' AND NOT active" >/dev/null 2>&1
}
release
new_database $from
new_database $to
sql $from <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create('main ledger');
ALTER DATABASE lf_publisher SET ledgerflow.ledger = 'main ledger';
SET ledgerflow.ledger = 'main ledger';
INSERT INTO "main ledger".currencies VALUES ('GOLD', 4, NULL);
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(1, 5) i;
SELECT ledger_open_account('g' || i, 'asset', 'GOLD') FROM generate_series(1, 2) i;
DO $$ BEGIN PERFORM ledger_post('a' || 1 + i % 5, 'a' || 1 + (i + 2) % 5, i, 'key ' || i) FROM generate_series(1, 1000) i; END $$;
SELECT ledger_post('g1', 'g2', 0.0001);
CREATE PUBLICATION lf_pub FOR TABLES IN SCHEMA "main ledger";
SELECT pg_create_logical_replication_slot('lf_slot', 'pgoutput');
SQL
# On the subscriber the tables are made by ledger_create(); its seeds go, the publisher's come instead.
sql $to <<SQL >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create('main ledger');
ALTER DATABASE $to SET ledgerflow.ledger = 'main ledger';
SET session_replication_role = replica;
DELETE FROM "main ledger".settings;
DELETE FROM "main ledger".currencies;
DELETE FROM "main ledger".account_types;
RESET session_replication_role;
CREATE SUBSCRIPTION lf_sub CONNECTION 'host=$PGHOST port=$PGPORT user=$PGUSER dbname=$from' PUBLICATION lf_pub
    WITH (create_slot = false, slot_name = 'lf_slot');
SQL
caught_up() {
    local lsn
    lsn=$(sql $from -c 'SELECT pg_current_wal_lsn()')
    wait_for 30 $from "SELECT confirmed_flush_lsn >= '$lsn' FROM pg_replication_slots WHERE slot_name = 'lf_slot'"
    check "$1: caught up" 0 $?
}
# Postings go on while the tables are copied, and after.
printf '%s\n' '\set x random(1, 5)' '\set y 1 + (:x + random(0, 3)) % 5' "SELECT ledger_post('a' || :x, 'a' || :y, 0.25);" >"$work/any"
pgbench -n -c 3 -T 4 -d $from -f "$work/any" >"$work/out" 2>&1 &
load=$!
wait_for 30 $to "SELECT bool_and(srsubstate = 'r') AND count(*) >= 10 FROM pg_subscription_rel"
check 'the tables are copied' 0 $? || sql $to -c 'SELECT srrelid::regclass, srsubstate FROM pg_subscription_rel'
seen=0
while :; do  # every state that the subscriber shows is a state of the books
    found=$(sql $to -c 'SELECT * FROM ledger_verify()')
    [ -z "$found" ] || break
    seen=$((seen + 1))
    kill -0 $load 2>/dev/null || break  # on a slow machine before the first look
done
wait $load
check 'verified while it follows' '' "$found"
check 'the load ran without failures' 'number of failed transactions: 0 (0.000%)' "$(grep '^number of failed' "$work/out")"
# Everything else that changes.
sql $from <<'SQL' >/dev/null
SELECT ledger_open_account('late', 'liability', 'GOLD', min_balance => 0);
SELECT ledger_post('g1', 'late', 2.5, 'late', 'late', metadata => '{"n": 1}');
SELECT ledger_freeze_account('a3', 'debit', 'court');
SELECT ledger_set_limits('a1', -1000000, NULL);
UPDATE "main ledger".accounts SET name = 'First' WHERE code = 'a1';
SQL
caught_up 'all changes'
sql $to -c "SELECT count(*) FROM pg_subscription_rel" >/dev/null
compare() {
    for query in 'SELECT * FROM ledger_trial_balance()' 'SELECT md5(string_agg(e::text, chr(10) ORDER BY transaction_id, line)) FROM "main ledger".entries e' \
        'SELECT md5(string_agg(t::text, chr(10) ORDER BY id)) FROM "main ledger".transactions t' \
        'SELECT md5(string_agg(b::text, chr(10) ORDER BY account_id)) FROM "main ledger".account_balances b' \
        'SELECT count(*) FROM "main ledger".idempotency_keys' 'SELECT name, metadata FROM "main ledger".accounts ORDER BY id' \
        'SELECT change, from_value, to_value, reason FROM "main ledger".account_history ORDER BY id' 'SELECT count(*) FROM "main ledger".currencies'; do
        check "the same: $query" "$(sql $from -c "$query")" "$(sql $to -c "$query")"
    done
}
compare
check 'the publisher: verified' '' "$(verified $from)"
check 'the subscriber: verified' '' "$(verified $to)"
check 'the subscriber guards its copy' LF070 "$(state $to 'UPDATE "main ledger".entries SET amount = 1')"

# The subscriber takes over. Sequences are not replicated: they are moved past what is there.
check 'the subscription ends' ok "$(state $to 'DROP SUBSCRIPTION lf_sub')"
sql $to >/dev/null <<'SQL'
SELECT setval(pg_get_serial_sequence('"main ledger".' || t, 'id'), (xpath('/row/max/text()', query_to_xml('SELECT coalesce(max(id), 1) AS max FROM "main ledger".' || t, false, true, '')))[1]::text::bigint)
  FROM unnest(ARRAY['accounts', 'account_history', 'transaction_history']) t;
SQL
check 'posts' ok "$(state $to "SELECT ledger_post('a1', 'a2', 1, 'took over')")"
check 'an old key replays' "$(sql $from -c 'SELECT transaction_id FROM "main ledger".idempotency_keys WHERE key = '"'late'")" \
    "$(sql $to -c "SELECT ledger_post('g1', 'late', 2.5, 'late', 'late', metadata => '{\"n\": 1}')")"
check 'frozen as on the publisher' LF043 "$(state $to "SELECT ledger_post('a3', 'a2', 1)")"
check 'unfreezes' ok "$(state $to "SELECT ledger_unfreeze_account('a3'), ledger_post('a3', 'a2', 1)")"
check 'opens an account' ok "$(state $to "SELECT ledger_open_account('new', 'asset', 'USD'), ledger_post('new', 'a2', 1)")"
check 'verified after it took over' '' "$(verified $to)"
finish "the copy verified $seen times while it followed, and took over"
