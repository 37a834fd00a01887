#!/usr/bin/env bash
# pg_upgrade, copying and by links, to a new cluster of the same version (Debian 12 has no other): the books, seals,
# grants and transaction numbers go along, and posting, verifying and sealing go on.
source "$(dirname "$0")/common.bash"

as_owner() { (cd "$work" && if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi); }
chmod 755 "$work"
old=old-$$ db=lf_upgrade
new_server $old fsync=off
sql postgres -c "CREATE DATABASE $db" -c 'CREATE ROLE lf_owner' -c 'CREATE ROLE lf_poster LOGIN' -c 'CREATE ROLE lf_reader LOGIN'
sql $db -o /dev/null <<'SQL' || exit 1
CREATE SCHEMA elsewhere;
CREATE EXTENSION ledgerflow SCHEMA elsewhere;
ALTER SCHEMA elsewhere RENAME TO lf;
GRANT USAGE ON SCHEMA lf TO PUBLIC;
GRANT CREATE ON DATABASE lf_upgrade TO lf_owner;
SET search_path = lf;
SET ROLE lf_owner;
SELECT ledger_create();
SELECT ledger_create('tenant "2": größe');
INSERT INTO ledger.currencies VALUES ('GOLD', 4, NULL);
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(1, 5) i;
SELECT ledger_open_account('floor', 'liability', 'GOLD', min_balance => 0), ledger_open_account('vault', 'asset', 'GOLD');
SELECT ledger_open_account('x', 'asset', 'JPY', ledger => 'tenant "2": größe'), ledger_open_account('y', 'asset', 'JPY', ledger => 'tenant "2": größe');
DO $$ BEGIN FOR i IN 1 .. 500 LOOP
    PERFORM lf.ledger_post('a' || 1 + i % 5, 'a' || 1 + (i + 2) % 5, i, 'key ' || i, 'ref ' || i, effective_at => CASE WHEN i % 7 = 0 THEN '2026-01-01'::timestamptz END);
    COMMIT;
END LOOP; END $$;
SELECT ledger_post('vault', 'floor', 12.3456, 'gold'), ledger_post('x', 'y', 7, 'yen', ledger => 'tenant "2": größe');
SELECT ledger_hold('a1', 'a2', 50, 'hold'), ledger_hold('a1', 'a2', 5, 'expires', expires_in => '1 day');
SELECT ledger_reverse(transaction_id, amount => 3, idempotency_key => 'back') FROM ledger.idempotency_keys WHERE key = 'key 10';
SELECT ledger_freeze_account('a5', 'debit'), ledger_close_period('2025-12-31');
SELECT ledger_grant('lf_poster', 'poster'), ledger_grant('lf_reader', 'reader'), ledger_seal(), ledger_seal('tenant "2": größe');
SELECT count(*) FROM ledger_verify_incremental();
SELECT ledger_post('a1', 'a2', 1, 'not sealed');
RESET ROLE;
CREATE TABLE public.orders (payment uuid REFERENCES ledger.transactions);
SQL
books() {
    local table ledger
    for ledger in ledger '"tenant ""2"": größe"'; do
        for table in $(sql $db -c "SELECT relname FROM pg_class WHERE relnamespace = '${ledger//\'/}'::regnamespace AND relkind = 'r' ORDER BY 1"); do
            sql $db -c "SELECT '$table', count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM $ledger.$table t"
        done
        sql $db -c "SELECT relname, relacl, relowner::regrole FROM pg_class WHERE relnamespace = '$ledger'::regnamespace ORDER BY relname"
        sql $db -c "SELECT tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN
            (SELECT oid FROM pg_class WHERE relnamespace = '$ledger'::regnamespace) ORDER BY 1, 2"
    done
}
books >"$work/books"
check 'the original is worth it' t "$([ "$(wc -l <"$work/books")" -gt 100 ] && echo t)"
key=$(sql $db -c "SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'key 7'")
root=$(sql $db -c "SELECT encode(root, 'hex') FROM ledger.seals")
xmax=$(sql $db -c 'SELECT pg_snapshot_xmax(pg_current_snapshot())')
data_of() { echo "$(readlink -f "$LEDGERFLOW_ROOT/build/servers/$1")/data"; }
"$LEDGERFLOW_ROOT/scripts/server.sh" stop $old

for mode in copy link; do
    new=upgraded-$mode-$$
    new_server "$new" fsync=off
    "$LEDGERFLOW_ROOT/scripts/server.sh" stop "$new"
    directory=$(mktemp -d "$work/upgrade.XXXXXX")
    [ "$(id -u)" -ne 0 ] || chown postgres: "$directory"
    options="-c extension_destdir=$LEDGERFLOW_STAGE -c fsync=off"
    (cd "$directory" && as_owner env -C "$directory" "$LEDGERFLOW_PGBIN/pg_upgrade" --no-sync -U postgres -b "$LEDGERFLOW_PGBIN" -B "$LEDGERFLOW_PGBIN" -d "$(data_of $old)" -D "$(data_of "$new")" \
        -s "$directory" -o "$options" -O "$options" $([ $mode = copy ] || echo --link)) >"$work/log" 2>&1
    check "$mode: pg_upgrade" 0 $? || tail -n 20 "$work/log"
    "$LEDGERFLOW_ROOT/scripts/server.sh" start "$new" fsync=off || exit 1
    use_server "$new"
    books >"$work/found"
    check "$mode: the same books, grants and triggers" '' "$(diff "$work/books" "$work/found" | head -n 5)"
    check "$mode: transaction numbers go on" t "$(sql $db -c "SELECT pg_snapshot_xmax(pg_current_snapshot()) >= '$xmax'")"
    for ledger in 'NULL' "'tenant \"2\": größe'"; do
        check "$mode: verified" '' "$(sql $db -c "SELECT * FROM lf.ledger_verify($ledger)")"
        check "$mode: seals" '' "$(sql $db -c "SELECT * FROM lf.ledger_verify_seal(ledger => $ledger)")"
    done
    check "$mode: the root that was kept" '' "$(sql $db -c "SELECT * FROM lf.ledger_verify_seal(known_root => '$root')")"
    check "$mode: incrementally, all of it: this is another server" '|full|503' "$(sql $db -c 'SELECT * FROM lf.ledger_verify_incremental()')|$(sql $db -c \
        'SELECT mode, transactions FROM ledger.verifications ORDER BY id DESC LIMIT 1')"
    export PGUSER=lf_poster
    check "$mode: an old key replays" "$key" "$(sql $db -c "SELECT lf.ledger_post('a3', 'a5', 7, 'key 7', 'ref 7', effective_at => '2026-01-01')")"
    check "$mode: posts on, with rising ids" t "$(sql $db -c "SELECT lf.ledger_post('a1', 'a2', 1, 'new') > max(last_transaction_id::text)::uuid FROM ledger.account_balances
        JOIN ledger.accounts ON id = account_id WHERE code IN ('a1', 'a2')")"
    check "$mode: captures an old hold" ok "$(state $db "SELECT lf.ledger_capture((SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'hold'))")"
    check "$mode: frozen still" LF043 "$(state $db "SELECT lf.ledger_post('a5', 'a1', 1)")"
    check "$mode: the period is closed" LF048 "$(state $db "SELECT lf.ledger_post('a1', 'a2', 1, effective_at => '2025-12-01')")"
    check "$mode: the floor" LF040 "$(state $db "SELECT lf.ledger_post('floor', 'vault', 12.3457)")"
    check "$mode: a poster may not freeze" 42501 "$(state $db "SELECT lf.ledger_freeze_account('a1')")"
    PGUSER=lf_reader
    check "$mode: a reader may not post" 42501 "$(state $db "SELECT lf.ledger_post('a1', 'a2', 1)")"
    PGUSER=postgres
    check "$mode: guarded" LF070 "$(state $db 'UPDATE ledger.entries SET amount = 1')"
    check "$mode: a new account and a new ledger" ok "$(state $db "SET search_path = lf; SELECT ledger_open_account('new', 'asset', 'USD'), ledger_post('new', 'a1', 1), ledger_create('third')")"
    check "$mode: seals on" '2|4|t' "$(sql $db -c 'SELECT seal, transactions, is_new FROM lf.ledger_seal()')"
    check "$mode: all is well" '' "$(sql $db -c 'SELECT * FROM lf.ledger_verify()')$(sql $db -c 'SELECT * FROM lf.ledger_verify_seal()')$(sql $db -c 'SELECT * FROM lf.ledger_verify_incremental()')"
    check "$mode: incrementally from now on" incremental "$(sql $db -c 'SELECT mode FROM ledger.verifications ORDER BY id DESC LIMIT 1')"
    "$LEDGERFLOW_ROOT/scripts/server.sh" stop "$new"
done
finish 'copied and linked, to a new cluster of the same version'
