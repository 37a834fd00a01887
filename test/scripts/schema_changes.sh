#!/usr/bin/env bash
# One session that lives through everything that others do to the schema; triggers, blocks and prepared transactions
# around ledger_post. It posts rightly or fails with a plain error; the server never goes down.
source "$(dirname "$0")/common.bash"

db=lf_changes
new_database $db
log_start=$(wc -c <"$LEDGERFLOW_LOG")
release() { psql -XqAt -d $db -c "SELECT gid FROM pg_prepared_xacts WHERE database = '$db'" 2>/dev/null | while read -r gid; do psql -XqAt -d $db -c "ROLLBACK PREPARED '$gid'"; done; }
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
CREATE FUNCTION new_ledger(scale text DEFAULT 'USD') RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM ledger_create();
    PERFORM ledger_open_account(a, 'asset', scale) FROM unnest(ARRAY['a', 'b', 'c', 'd']) a;
    PERFORM ledger_open_account('low', 'asset', scale, min_balance => 0);
END $$;
CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN EXECUTE statement; RETURN 'ok'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
SELECT new_ledger();
SQL

coproc session { psql -XqAt -d $db 2>&1; }
session_pid=$!
exec 6>&"${session[1]}" 7<&"${session[0]}"  # that subshells have, too
in=6 out=7
# ask STATEMENT...: what the long session answers. It has one backend from beginning to end.
ask() {
    local line
    printf '%s\n' "$@" '\echo __done__' >&"$in" || return 1
    while IFS= read -r -t 60 line <&"$out"; do
        [ "$line" != __done__ ] || return 0
        printf '%s\n' "$line"
    done
    echo 'the session is gone'
}
post="SELECT ledger_post('a', 'b', 1) IS NOT NULL;"
ask '\set VERBOSITY sqlstate' 'SET client_min_messages = error;'
backend=$(ask 'SELECT pg_backend_pid();')
other() { sql $db -c 'SET client_min_messages = error' -c 'SET lock_timeout = 5000' "$@"; }  # other -c STATEMENT...
sound() { check "$1: verified" '' "$(verified $db "${2:-}")"; }

# --- changes of the schema by others -----------------------------------------------------------------
check 'posts' t "$(ask "$post")"
other -c 'ALTER SCHEMA ledger RENAME TO books'
check 'renamed: the old name' 'ERROR:  LF020' "$(ask "$post")"
check 'renamed: the new name' t "$(ask "SELECT ledger_post('a', 'b', 1, ledger => 'books') IS NOT NULL;")"
other -c 'ALTER SCHEMA books RENAME TO ledger'
check 'renamed back' t "$(ask "$post")"
sound renamed
# Another ledger under the name: its accounts have other ids and another currency.
other -c 'ALTER SCHEMA ledger RENAME TO books' -c "SELECT ledger_create(); SELECT ledger_open_account(a, 'asset', 'JPY') FROM unnest(ARRAY['x', 'b', 'a']) a" >/dev/null
check 'swapped: the scale of the other one' 'ERROR:  LF001' "$(ask "SELECT ledger_post('a', 'b', 1.5);")"
check 'swapped: posts to the other one' '-7' "$(ask "SELECT ledger_post('a', 'b', 7) IS NULL;" "SELECT ledger_balance('b');" | tail -n 1)"
check 'swapped: the first one is as it was' 3.00 "$(sql $db -c "SELECT ledger_balance('a', 'books')")"
sound swapped
other -c 'DROP SCHEMA ledger CASCADE' -c 'ALTER SCHEMA books RENAME TO ledger'
check 'swapped back' t "$(ask "$post")"
sound 'swapped back'
other -c 'DROP SCHEMA ledger CASCADE'
check 'dropped' 'ERROR:  LF020' "$(ask "$post")"
other -c 'SELECT new_ledger()'
check 'made again' t "$(ask "$post")"
check 'made again: one posting' '1.00|1' "$(sql $db -c "SELECT balance, version FROM ledger.balances WHERE account = 'a'")"
other -c "DROP SCHEMA ledger CASCADE; SELECT new_ledger('JPY')"
check 'made again with a currency without decimals' 'ERROR:  LF001' "$(ask "SELECT ledger_post('a', 'b', 0.5);")"
check 'made again: posts' t "$(ask "$post")"
other -c "DROP SCHEMA ledger CASCADE; SELECT new_ledger()"
check 'dropped and made by the session itself' t "$(ask 'BEGIN;' "$post" 'DROP SCHEMA ledger CASCADE;' 'SELECT new_ledger();' "$post" 'ROLLBACK;' "$post" | tail -n 1)"
check 'rolled back: one posting' '1.00|1' "$(sql $db -c "SELECT balance, version FROM ledger.balances WHERE account = 'a'")"
sound 'made again'

number=1
for change in "ALTER TABLE ledger.entries ADD COLUMN note text" "ALTER TABLE ledger.entries ADD COLUMN seen timestamptz NOT NULL DEFAULT clock_timestamp()" \
    "ALTER TABLE ledger.transactions ADD COLUMN tenant int NOT NULL DEFAULT 7" "ALTER TABLE ledger.account_balances ADD COLUMN extra text DEFAULT 'x'" \
    "ALTER TABLE ledger.accounts ADD COLUMN owner_id bigint" "CREATE INDEX ON ledger.entries (amount)" "CREATE INDEX CONCURRENTLY ON ledger.transactions (effective_at)" \
    "VACUUM FULL ledger.entries" "VACUUM FULL ledger.account_balances" "VACUUM FULL ledger.accounts" "VACUUM ANALYZE" "REINDEX TABLE ledger.account_balances" \
    "REINDEX TABLE CONCURRENTLY ledger.idempotency_keys" "CLUSTER ledger.transactions USING transactions_pkey" "CLUSTER ledger.account_balances USING account_balances_pkey" \
    "ALTER TABLE ledger.entries SET (fillfactor = 90)" "ALTER TABLE ledger.account_balances ALTER COLUMN extra TYPE varchar(10)" "ALTER TABLE ledger.entries DROP COLUMN note" \
    "ALTER TABLE ledger.entries SET UNLOGGED" "ALTER TABLE ledger.entries SET LOGGED" "ANALYZE ledger.accounts" "REINDEX SCHEMA ledger" \
    "DROP INDEX ledger.entries_amount_idx" "ALTER EXTENSION ledgerflow UPDATE" "SELECT ledger_upgrade()" "ALTER TABLE ledger.transactions ADD CHECK (tenant > 0)"; do
    changed=$(other -c "$change" | grep -v '^2$')
    check "$change" '' "$changed"
    number=$((number + 1))
    check "  the session posts" t "$(ask "SELECT ledger_post('a', 'b', 1, 'key $number', 'ref $number') IS NOT NULL;")"
done
check 'one posting for each' "$number.00|$number" "$(sql $db -c "SELECT balance, version FROM ledger.balances WHERE account = 'a'")"
sound 'changed tables'
other -c 'ALTER TABLE ledger.account_balances RENAME COLUMN version TO edition'
check 'a column that is gone: a plain error' 'ERROR:  LF020' "$(ask "$post")"
other -c 'ALTER TABLE ledger.account_balances RENAME COLUMN edition TO version'
other -c 'ALTER TABLE ledger.entries RENAME TO lines'
check 'a table that is gone: a plain error' 'ERROR:  LF020' "$(ask "$post")"
other -c 'ALTER TABLE ledger.lines RENAME TO entries'
check 'there again' t "$(ask "$post")"
# While the session waits for a lock on the table that changes: what changes it goes on once the session is seen to wait.
it_waits="EXISTS (SELECT FROM pg_stat_activity WHERE pid = $backend AND wait_event_type = 'Lock')"
until_it() { echo "DO \$\$ BEGIN FOR i IN 1 .. 1200 LOOP PERFORM pg_stat_clear_snapshot(); EXIT WHEN $1; PERFORM pg_sleep(0.05); END LOOP; END \$\$"; }
until_it_waits=$(until_it "$it_waits")
until_it_gave_up=$(until_it "NOT $it_waits")
somebody_waits_for_it() { wait_for 60 $db "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %pg_stat_clear_snapshot%')"; }
for change in 'ALTER TABLE ledger.entries ADD COLUMN late int' 'ALTER SCHEMA ledger RENAME TO moved' 'DROP SCHEMA ledger CASCADE'; do
    lock=; [ "${change#ALTER SCHEMA}" = "$change" ] || lock='LOCK TABLE ledger.account_balances;'
    sql $db -c 'SET client_min_messages = error' -c "BEGIN; $lock $change" -c "$until_it_waits" -c COMMIT >/dev/null &
    somebody_waits_for_it
    found=$(ask "$post")
    wait $!
    case $change in
        *COLUMN*) check "waits for: $change" t "$found" ;;
        *) check "waits for: $change: a plain error" t "$([[ $found =~ ^ERROR:\ \ (LF020|42P01|3F000)$ ]] && echo t || echo "$found")" ;;
    esac
    [ "$change" != 'ALTER SCHEMA ledger RENAME TO moved' ] || other -c 'ALTER SCHEMA moved RENAME TO ledger'
done
other -c 'SELECT new_ledger()'
check 'goes on' t "$(ask "$post")"
sound 'after the waiting'
# The extension dropped under a session and made again; its ledger gets its guards back.
other -c 'DROP EXTENSION ledgerflow CASCADE'
check 'no extension: a plain error' 'ERROR:  42883' "$(ask "$post")"
other -c 'CREATE EXTENSION ledgerflow' -c 'SELECT ledger_upgrade()' >/dev/null
check 'the extension is back' t "$(ask "$post")"
sound 'the extension is back'

# --- triggers of the user on the ledger's tables -----------------------------------------------------
fresh() { other -c 'DROP SCHEMA ledger CASCADE' -c 'SELECT new_ledger()' >/dev/null; }
# A fee for each transaction, posted by a trigger on the same accounts while the outer posting is under way.
for table in transactions entries account_balances idempotency_keys; do
    for when in BEFORE AFTER; do
        for fee in "'c', 'd'" "'a', 'c'"; do
            fresh
            other -c "CREATE OR REPLACE FUNCTION fee() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
                IF pg_trigger_depth() = 1 THEN PERFORM ledger_post($fee, 0.5); END IF; RETURN NEW; END \$\$" \
                -c "CREATE TRIGGER fee $when INSERT OR UPDATE ON ledger.$table FOR EACH ROW EXECUTE FUNCTION fee()"
            # Where the outer posting has read its balances but not yet written them, another on the same account is refused.
            case "$when $table $fee" in
                "BEFORE account_balances 'a', 'c'" | *" idempotency_keys 'a', 'c'") expected='ERROR:  27000|0' ;;
                *" transactions "* | *" idempotency_keys "*) expected='t|2' ;;
                *) expected='t|3' ;;
            esac
            found="$(ask "SELECT ledger_post('a', 'b', 1, 'key') IS NOT NULL;")|$(sql $db -c 'SELECT count(*) FROM ledger.transactions')"
            check "a posting in a trigger $when $table, fee $fee" "$expected" "$found"
            sound "a posting in a trigger $when $table, fee $fee"
        done
    done
done
# Common and harmless: an audit trail, and a fee by a trigger after the entries.
fresh
other -c "CREATE TABLE IF NOT EXISTS audit (what text)" -c "CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
        BEGIN INSERT INTO audit VALUES ('lost'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN INSERT INTO audit VALUES (TG_TABLE_NAME); END;
        BEGIN PERFORM ledger_post('a', 'low', -1); EXCEPTION WHEN SQLSTATE 'LF001' THEN NULL; END;
        BEGIN PERFORM ledger_post('b', 'low', 1); EXCEPTION WHEN SQLSTATE 'LF040' THEN NULL; END;
        RETURN NEW; END \$\$" \
    -c "CREATE TRIGGER audit AFTER INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION audit()" \
    -c "CREATE TRIGGER audit BEFORE INSERT ON ledger.transactions FOR EACH ROW EXECUTE FUNCTION audit()" \
    -c "CREATE TRIGGER audit AFTER UPDATE ON ledger.account_balances FOR EACH ROW EXECUTE FUNCTION audit()"
check 'blocks that roll back in triggers' t "$(ask "$post")"
check 'blocks that roll back in triggers: the trail' 'account_balances|2 entries|2 transactions|1' \
    "$(sql $db -c "SELECT string_agg(what || '|' || n, ' ' ORDER BY what) FROM (SELECT what, count(*) AS n FROM audit GROUP BY what) s")"
sound 'blocks that roll back in triggers'
# A trigger that swallows rows must not leave half a posting.
for table in transactions entries account_balances; do
    fresh
    other -c "CREATE OR REPLACE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RETURN NULL; END \$\$" \
        -c "CREATE TRIGGER swallow BEFORE INSERT OR UPDATE ON ledger.$table FOR EACH ROW EXECUTE FUNCTION swallow()"
    check "a trigger swallows rows of $table: refused" ERROR "$(ask "$post" | cut -c1-5)"
    sound "a trigger swallows rows of $table"
done
# A user's trigger in the middle of a posting is not the engine: its raw writes meet the guards.
fresh
other -c "CREATE OR REPLACE FUNCTION cheat() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
        UPDATE ledger.account_balances SET debits_posted = 0; RETURN NEW; END \$\$" \
    -c "CREATE TRIGGER cheat AFTER INSERT ON ledger.entries FOR EACH STATEMENT EXECUTE FUNCTION cheat()"
check 'a trigger that changes balances: refused' 'ERROR:  LF070' "$(ask "$post")"
sound 'a trigger that changes balances'
# One that never ends meets the limit of the stack, not the end of it.
fresh
other -c "CREATE OR REPLACE FUNCTION forever() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM ledger_post('c', 'd', 1); RETURN NEW; END \$\$" \
    -c "CREATE TRIGGER forever AFTER INSERT ON ledger.entries FOR EACH STATEMENT EXECUTE FUNCTION forever()"
check 'endless recursion: a plain error' 'ERROR:  54001' "$(ask "$post")"
sound 'endless recursion'

# --- blocks, loops and deferred triggers -------------------------------------------------------------
fresh
check 'refusals caught in a loop' '400|200' "$(ask "DO \$\$ DECLARE refused int := 0; BEGIN
    FOR i IN 1 .. 400 LOOP
        BEGIN
            PERFORM ledger_post('a', 'b', 1, 'loop ' || i / 2);
            PERFORM ledger_post('b', CASE WHEN i % 2 = 0 THEN 'low' ELSE 'c' END, 1);
        EXCEPTION WHEN SQLSTATE 'LF040' THEN refused := refused + 1;
        END;
    END LOOP;
    PERFORM set_config('test.refused', refused::text, false);
END \$\$;" "SELECT 400, current_setting('test.refused');")"
sound 'refusals caught in a loop'
fresh
other -c 'CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, amount numeric)' -c 'TRUNCATE orders' \
    -c "CREATE OR REPLACE FUNCTION pay() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM ledger_post('a', 'b', NEW.amount, 'order ' || NEW.id); RETURN NEW; END \$\$" \
    -c 'DROP TRIGGER IF EXISTS pay ON orders' \
    -c 'CREATE CONSTRAINT TRIGGER pay AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pay()'
check 'a deferred trigger posts at COMMIT' '0.00 6.00' "$(ask 'BEGIN;' 'INSERT INTO orders VALUES (1, 1), (2, 2), (3, 3);' "SELECT ledger_balance('a');" 'COMMIT;' "SELECT ledger_balance('a');" | xargs)"
check 'a deferred trigger is refused at COMMIT' 'ERROR: LF001 6.00 3' "$(ask 'BEGIN;' 'INSERT INTO orders VALUES (4, 4), (5, 0.001);' 'COMMIT;' "SELECT ledger_balance('a');" 'SELECT count(*) FROM orders;' | xargs)"
raw_in_deferred="CREATE OR REPLACE FUNCTION pay() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
    WITH t AS (INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id)
    INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
    SELECT t.id, l.line, a.id, l.amount FROM t, (VALUES (1, 'a', NEW.amount), (2, 'b', -NEW.amount - CASE NEW.id WHEN 7 THEN 1 ELSE 0 END)) l (line, code, amount) JOIN ledger.accounts a ON a.code = l.code;
    RETURN NEW; END \$\$"
other -c "$raw_in_deferred"
check 'rows by hand in a deferred trigger' 16.00 "$(ask 'INSERT INTO orders VALUES (6, 10);' "SELECT ledger_balance('a');")"
check 'rows by hand in a deferred trigger that do not balance' 'ERROR: LF006 16.00' "$(ask 'INSERT INTO orders VALUES (7, 10);' "SELECT ledger_balance('a');" | xargs)"
sound 'deferred triggers'
check 'a cursor and COMMIT in a procedure' 10 "$(ask "DO \$\$ DECLARE r record; BEGIN FOR r IN SELECT i FROM generate_series(1, 10) i LOOP
    PERFORM ledger_post('c', 'd', 1); IF r.i % 3 = 0 THEN COMMIT; END IF; END LOOP; END \$\$;" "SELECT version FROM ledger.balances WHERE account = 'c';")"
sql $db -c "BEGIN; SELECT ledger_post('a', 'b', 1)" -c "$until_it_waits" -c "$until_it_gave_up" -c ROLLBACK >/dev/null &
somebody_waits_for_it
check 'cancelled while it waits' 'ERROR:  57014' "$(ask "SET statement_timeout = 300;" "$post" 'RESET statement_timeout;')"
wait $!
check 'and posts after that' t "$(ask "$post")"
sound 'blocks and loops'

# --- prepared transactions ---------------------------------------------------------------------------
if [ "$(sql $db -c 'SHOW max_prepared_transactions')" -gt 0 ]; then
    fresh
    check 'prepared: refused to nobody' '' "$(ask 'BEGIN;' "SELECT ledger_post('a', 'b', 5, 'two phases', 'two phases') IS NULL;" "SELECT ledger_open_account('new', 'asset', 'USD') IS NULL;" \
        "SELECT ledger_post('new', 'c', 1) IS NULL;" "PREPARE TRANSACTION 'lf_commit';" | grep -v '^f$')"
    check 'prepared: others wait for its rows' 57014 "$(state $db "SET statement_timeout = 300; SELECT ledger_post('a', 'b', 1)")"
    check 'prepared: the account is not there yet' 'ERROR:  LF023' "$(ask "SELECT ledger_post('new', 'd', 1);")"
    check 'prepared: the session posts elsewhere' t "$(ask "SELECT ledger_post('low', 'd', 0.5, 'elsewhere') IS NOT NULL;")"
    other -c "COMMIT PREPARED 'lf_commit'"
    check 'committed: balance' 5.00 "$(ask "SELECT ledger_balance('a');")"
    check 'committed: the key replays' t "$(ask "SELECT ledger_post('a', 'b', 5, 'two phases', 'two phases') = transaction_id FROM ledger.idempotency_keys WHERE key = 'two phases';")"
    check 'committed: the account is there' t "$(ask "SELECT ledger_post('new', 'd', 1) IS NOT NULL;")"
    check 'prepared to be rolled back' '' "$(ask 'BEGIN;' "SELECT ledger_post('a', 'b', 50, 'undone') IS NULL;" "SELECT ledger_open_account('undone', 'asset', 'USD') IS NULL;" \
        "SELECT ledger_post('undone', 'b', 1) IS NULL;" "PREPARE TRANSACTION 'lf_rollback';" | grep -v '^f$')"
    other -c "ROLLBACK PREPARED 'lf_rollback'"
    check 'rolled back: the account is not there' 'ERROR:  LF023' "$(ask "SELECT ledger_post('undone', 'b', 1);")"
    check 'rolled back: opened as another one' 'f ERROR: LF001 f' "$(ask "SELECT ledger_open_account('undone', 'asset', 'JPY') IS NULL;" "SELECT ledger_open_account('yen', 'asset', 'JPY') IS NULL;" \
        "SELECT ledger_post('undone', 'yen', 1.5);" "SELECT ledger_post('undone', 'yen', 1) IS NULL;" | tail -n 3 | xargs)"
    check 'rolled back: the key is free' t "$(ask "SELECT ledger_post('a', 'b', 2, 'undone') IS NOT NULL;")"
    check 'rows by hand, prepared while they do not balance' 'ERROR:  LF006' "$(ask "INSERT INTO orders VALUES (17, 1), (7, 10);" | tail -n 1)"
    check 'balances' '7.00|-7.00' "$(sql $db -c "SELECT ledger_balance('a'), ledger_balance('b')")"
    sound 'prepared transactions'
fi

check 'one backend from beginning to end' "$backend" "$(ask 'SELECT pg_backend_pid();')"
printf '\\q\n' >&"$in"
wait $session_pid
check 'the server log has no crash' '' "$(tail -c "+$((log_start + 1))" "$LEDGERFLOW_LOG" | grep -E "PANIC|terminated by signal|TRAP:|server process .* exited|leak:|still referenced" | head -n 5)"
finish "one session through $((number + 30)) changes and many triggers"
