#!/usr/bin/env bash
# ledgerflow.as_of before the library is loaded, from every place that a setting can come from, and in parallel
# workers: the past that was asked for, or an error, and never the present instead.
source "$(dirname "$0")/common.bash"

db=lf_as_of
new_database $db
sql $db >"$work/setup.log" <<'SQL' || { cat "$work/setup.log"; exit 1; }
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a', 'asset', 'USD'), ledger_open_account('b', 'asset', 'USD');
SELECT ledger_post('a', 'b', 1);
SELECT pg_sleep(0.01);
SQL
moment=$(sql $db -c "SELECT clock_timestamp()")
sql $db -c "SELECT pg_sleep(0.01)" -c "SELECT count(ledger_post('a', 'b', 10)) FROM generate_series(1, 5)" >"$work/post.log"

function='SELECT ledger_balance($$a$$)' view="SELECT balance FROM ledger.balances WHERE account = 'a'"
check 'now, by the function' 51.00 "$(sql $db -c "$function")"
check 'now, by the view' 51.00 "$(sql $db -c "$view")"
check 'set before the library is loaded, by the view' 1.00 "$(sql $db -c "SET ledgerflow.as_of = '$moment'" -c "$view")"
check 'by the function' 1.00 "$(sql $db -c "SET ledgerflow.as_of = '$moment'" -c "$function")"
check 'by the view after the function' 1.00 "$(sql $db -c "SET ledgerflow.as_of = '$moment'" -c "$function" -c "$view" | tail -n 1)"
check 'from PGOPTIONS' 1.00 "$(PGOPTIONS="-c ledgerflow.as_of=${moment// /\\ }" sql $db -c "$function")"
sql $db -c "ALTER DATABASE $db SET ledgerflow.as_of = '$moment'"
check 'from ALTER DATABASE' '1.00 1.00' "$(sql $db -c "$function") $(sql $db -c "$view")"
check 'for one transaction only' '51.00 1.00' "$(sql $db -c "BEGIN; SET LOCAL ledgerflow.as_of = ''; $function; COMMIT; $function" | xargs)"
sql $db -c "ALTER DATABASE $db RESET ledgerflow.as_of"
for bad in garbage infinity 2024-02-30; do
    check "$bad, by the function" 22023 "$(state $db "SET ledgerflow.as_of = '$bad'; $function")"
    check "$bad, by the function again" 22023 "$(sql $db -c "SET ledgerflow.as_of = '$bad'" -c "$function" 2>&1 | sed -n '1s/.*invalid value for parameter.*/22023/p')"
done
check 'garbage, by the view' 22007 "$(state $db "SET ledgerflow.as_of = 'garbage'; $view")"
check 'garbage, put right' 51.00 "$(psql -XqAt -d $db -c "SET ledgerflow.as_of = 'garbage'" -c "$function" -c "SET ledgerflow.as_of = ''" -c "$function" 2>/dev/null)"
parallel="SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET force_parallel_mode = on"
check 'in parallel workers' 2 "$(sql $db -c "SET ledgerflow.as_of = '$moment'; $parallel; SELECT count(*) FROM ledger.journal")"
check 'balances in parallel workers' 1.00 "$(sql $db -c "SET ledgerflow.as_of = '$moment'; $parallel; $view")"
for old in '0001-01-01 00:00:00+00' '0001-12-31 23:59:59 BC' '4713-01-01 BC'; do
    check "$old, in parallel workers" '0001-01-01 00:00:00+00 0' \
        "$(sql $db -c "$function" -c "SET TimeZone = 'UTC'; SET ledgerflow.as_of = '$old'; $parallel; SHOW ledgerflow.as_of" -c "$view" -c 'SELECT count(ledger_new_id()) FROM ledger.journal' | sed 1d | xargs)"
done
# A worker that meets the library inside another function, when it is too late for settings.
sql $db -c "CREATE FUNCTION new_id() RETURNS uuid LANGUAGE plpgsql PARALLEL SAFE AS 'BEGIN RETURN ledger_new_id(); END'"
late='SELECT new_id() IS NOT NULL'
for setting in "as_of = '$moment'" "ledger = 'other'" "store = 'spi'" 'progress = 0'; do
    check "$setting, loaded in a worker" 55000 "$(state $db "SET ledgerflow.$setting; $parallel; $late")"
done
check 'no setting, loaded in a worker' t "$(sql $db -c "$parallel; $late")"
check 'loaded before' 't 1.00' "$(sql $db -c "SET ledgerflow.as_of = '$moment'" -c 'SELECT FROM ledger_new_id()' -c "$parallel; $late" -c "$view" | xargs)"
check 'loaded at the start' 't 1.00' "$(PGOPTIONS='-c session_preload_libraries=$libdir/ledgerflow' sql $db -c "SET ledgerflow.as_of = '$moment'; $parallel; $late" -c "$view" | xargs)"
sql $db -c "DROP EXTENSION ledgerflow CASCADE" >/dev/null
check 'the views without the extension' '1.00 51.00' "$(sql $db -c "SET ledgerflow.as_of = '$moment'" -c "$view" -c 'RESET ledgerflow.as_of' -c "$view" | xargs)"
sql $db -c "ALTER SCHEMA ledger RENAME TO \"Other books\""
check 'and in a schema that was renamed' 1.00 "$(sql $db -c "SET ledgerflow.as_of = '$moment'" -c "${view/ledger./\"Other books\".}")"
finish 'ledgerflow.as_of in new sessions'
