#!/usr/bin/env bash
# From the first version to this one, on two ledgers that 0.1.0 itself made and filled: what works before the update,
# what the update leaves behind when it fails or waits, and that its result equals a fresh installation.
source "$(dirname "$0")/common.bash"

db=lf_upgrade fresh=lf_upgrade_fresh
here=$LEDGERFLOW_ROOT/test
roles=(lf_old_owner lf_old_reader lf_old_poster lf_old_operator lf_old_admin lf_old_clerk)
tenant='tenant "2"'
hint='Run ALTER EXTENSION ledgerflow UPDATE.'
for role in "${roles[@]}"; do
    psql -XqAt -d postgres -c 'SET client_min_messages = error' -c "DROP ROLE IF EXISTS $role" -c "CREATE ROLE $role" || exit 1
done
log_start=$(wc -c <"$LEDGERFLOW_LOG")
catalog() { psql -XqAt -v ON_ERROR_STOP=1 -v schema="${2:-ledger}" -d "$1" -f "$here/scripts/catalog.sql" 2>&1; }  # catalog DATABASE [LEDGER]
catalogs() { catalog "$1"; catalog "$1" "$tenant"; }
# as ROLE STATEMENT...: the answer, or the SQLSTATE
as() { psql -XqAt -v VERBOSITY=sqlstate -d $db -c "SET ROLE $1" "${@:2}" 2>&1; }

# --- frozen is frozen ---------------------------------------------------------------------------------
check 'a released script is as it was' 'ledgerflow--0.1.0.sql: OK' "$(cd "$LEDGERFLOW_ROOT/sql" && sha256sum -c 2>&1 <<'SUMS'
05f2657312fb68f756132d6feb009a9f8b65262eaa7789b93fffced15d96873f  ledgerflow--0.1.0.sql
SUMS
)"
check 'every released script is among them' "$(sed -n 's/^RELEASED *:= *//p' "$LEDGERFLOW_ROOT/Makefile")" \
    "$(sed -n 's/^[0-9a-f]\{64\}  ledgerflow--\([0-9.]*\)\.sql$/\1/p' "$0" | paste -sd ' ')"

# --- new files, old functions -------------------------------------------------------------------------
new_database $db
psql -XqAt -v ON_ERROR_STOP=1 -d $db -f "$here/data/ledger_0_1_0.sql" >/dev/null || exit 1
new_database $fresh
sql $fresh <<SQL >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
GRANT CREATE ON DATABASE $fresh TO lf_old_owner;
SET ROLE lf_old_owner;
SELECT ledger_create(), ledger_grant('lf_old_reader', 'reader'), ledger_grant('lf_old_poster', 'poster'),
       ledger_grant('lf_old_operator', 'operator'), ledger_grant('lf_old_admin', 'admin');
GRANT USAGE ON SCHEMA ledger TO lf_old_clerk;
GRANT SELECT ON ledger.accounts TO lf_old_clerk;
GRANT INSERT ON ledger.transactions TO lf_old_clerk;
RESET ROLE;
SELECT ledger_create('$tenant'), ledger_grant('lf_old_poster', 'poster', '$tenant');
SQL
# A symbol that both have means the same; one that this version has no more is refused (retired.cpp).
symbols() {
    sql "$1" -c "SELECT p.prosrc || ' ' || pg_get_function_result(p.oid) || ' ' || p.proretset || ' ' || p.proisstrict || ' ' ||
        coalesce((SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.place) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, place)), '')
        FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
        WHERE p.probin LIKE '%ledgerflow' ORDER BY 1" | sort -u
}
symbols $db >"$work/old"
symbols $fresh >"$work/new"
retired=$(sed -n 's/^RETIRED(\(.*\)).*/\1/p' "$LEDGERFLOW_ROOT/src/ext/retired.cpp" | sort)
check 'symbols with other arguments or results are the retired ones' "$retired" "$(comm -23 "$work/old" "$work/new" | cut -d ' ' -f 1 | sort -u)"
check 'and this version declares none of them' '' "$(cut -d ' ' -f 1 "$work/new" | grep -xF "$retired")"

balances_query() { printf "SELECT account, balance, status, version, min_balance, max_balance FROM %s.balances ORDER BY 1" "$1"; }
books() {
    sql $db -c "$(balances_query ledger)" -c "$(balances_query '"tenant ""2"""')" -c 'SELECT * FROM ledger.entries ORDER BY transaction_id, line' \
        -c 'SELECT id, posted_at, effective_at, xact_id, created_by, reference, description, metadata, own_branch FROM ledger.transactions ORDER BY id' \
        -c 'SELECT key, transaction_id, created_at FROM ledger.idempotency_keys ORDER BY key' \
        -c 'SELECT id, account_id, changed_at, changed_by, change, from_value, to_value, reason FROM ledger.account_history ORDER BY id'
}
before=$(books)
keys=$(sql $db -c 'SELECT key, transaction_id FROM ledger.idempotency_keys ORDER BY key')
dated=$(sql $db -c "SELECT sum(e.amount) FROM ledger.entries e JOIN ledger.transactions t ON t.id = e.transaction_id JOIN ledger.accounts a ON a.id = e.account_id
    WHERE a.code = 'assets:bank' AND t.effective_at <= '2026-01-06+00'")
for call in "ledger_post('vault', 'mine', 1)" "ledger_balance('vault')" 'ledger_trial_balance()' 'ledger_verify()' "ledger_freeze_account('vault')" \
    "ledger_open_account('x', 'asset', 'USD')" "ledger_grant('lf_old_clerk', 'reader')" "ledger_to_minor(1, 'USD')"; do
    check "old format: $call" LF022 "$(state $db "SELECT $call")"
done
check 'old format: raw rows' LF022 "$(state $db "INSERT INTO ledger.transactions (description) VALUES ('x')")"
check 'old format: a raw account' LF022 "$(state $db "INSERT INTO ledger.accounts (code, type, currency) VALUES ('x', 'asset', 'USD')")"
for call in 'ledger_upgrade()' "ledger_create('another')" 'ledger_maintain()'; do
    check "not updated: $call" "HINT:  $hint" "$(sql $db -c "SELECT $call" | grep HINT)"
done
# Every function of the old version, with NULL and with anything that has the type.
sql $db <<'SQL' >"$work/calls"
SELECT setseed(0.5);
CREATE TEMP TABLE outcomes (state text);
DO $$
DECLARE
    f record; arguments text; samples jsonb := $j${"text": ["NULL", "'assets:bank'", "''", "repeat('x', 70000)", "'both'", "'poster'"],
        "name": ["NULL", "'ledger'", "'tenant \"2\"'", "'nowhere'", "'lf_old_reader'"], "numeric": ["NULL", "0", "1.5", "'NaN'", "'Infinity'", "1e100", "-3"],
        "jsonb": ["NULL", "'{}'", "'[1]'"], "bigint": ["NULL", "0", "9223372036854775807"], "uuid": ["NULL", "gen_random_uuid()"],
        "timestamp with time zone": ["NULL", "now()", "'infinity'"], "ledger_line[]": ["NULL", "'{}'", "ARRAY[NULL::ledger_line, ('vault', 1)::ledger_line]"]}$j$;
BEGIN
    FOR f IN SELECT p.oid, p.proname, ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, i) ORDER BY i) AS types
               FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
              WHERE p.probin LIKE '%ledgerflow' AND p.prorettype <> 'trigger'::regtype LOOP
        FOR i IN 0 .. 40 LOOP
            SELECT string_agg(format('CAST(%s AS %s)', CASE WHEN i = 0 THEN 'NULL' ELSE samples -> a.t ->> floor(random() * jsonb_array_length(samples -> a.t))::int END, a.t), ', ' ORDER BY n)
              INTO arguments FROM unnest(f.types) WITH ORDINALITY AS a (t, n);
            BEGIN
                EXECUTE format('SELECT %I(%s)', f.proname, arguments);
                RAISE division_by_zero;
            EXCEPTION WHEN division_by_zero THEN INSERT INTO outcomes VALUES ('ok'); WHEN OTHERS THEN INSERT INTO outcomes VALUES (SQLSTATE);
            END;
        END LOOP;
    END LOOP;
END $$;
SELECT state, count(*) FROM outcomes GROUP BY 1 ORDER BY 1;
SQL
check_below 'random calls of old functions end in errors of their own' 1 "$(grep -cE 'XX000|server closed' "$work/calls")"
check 'and all were made' "$(($(sql $db -c "SELECT count(*) FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
    AND d.deptype = 'e' WHERE p.probin LIKE '%ledgerflow' AND p.prorettype <> 'trigger'::regtype") * 41))" "$(awk -F '|' '{ n += $2 } END { print n }' "$work/calls")"

# --- the extension is updated, the ledgers are not ----------------------------------------------------
psql -XqAt -v ON_ERROR_STOP=1 -d $db -c 'ALTER EXTENSION ledgerflow UPDATE' || exit 1
check 'updated: the version' "$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$LEDGERFLOW_ROOT/ledgerflow.control")" \
    "$(sql $db -c "SELECT extversion FROM pg_extension WHERE extname = 'ledgerflow'")"
untouched=$(catalogs $db)
for role in lf_old_clerk lf_old_reader lf_old_poster lf_old_operator lf_old_admin; do
    check "an upgrade by $role" 'ERROR:  42501' "$(as $role -c 'SELECT ledger_upgrade()')"
done
check 'in REPEATABLE READ' 0A000 "$(state $db 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; SELECT ledger_upgrade(); COMMIT')"
check 'in a read-only transaction' 25006 "$(state $db 'BEGIN READ ONLY; SELECT ledger_upgrade(); COMMIT')"
check 'a holding function' LF022 "$(state $db "SELECT ledger_hold('vault', 'mine', 1)")"
check 'rolled back: works until then, and not after' $'2\nt\nERROR:  LF022\nERROR:  LF022' "$(psql -XqAt -v VERBOSITY=sqlstate -d $db 2>&1 \
    -c BEGIN -c 'SELECT ledger_upgrade()' -c "SELECT ledger_post('vault', 'mine', 1) IS NOT NULL" -c ROLLBACK \
    -c "SELECT ledger_post('vault', 'mine', 1)" -c "SELECT ledger_balance('vault')")"
check 'nothing of all that changed anything' '' "$(diff <(echo "$untouched") <(catalogs $db))"
check 'nor the books' "$before" "$(books)"

# A table that a user made under the name of one of ours is not adopted.
sql $db -c 'SET ROLE lf_old_owner' -c 'CREATE TABLE ledger.holds (id uuid)' >/dev/null
check 'a table of another shape in the way' 42703 "$(state $db 'SELECT ledger_upgrade()')"
sql $db -c 'DROP TABLE ledger.holds' >/dev/null
check 'fails as a whole' '' "$(diff <(echo "$untouched") <(catalogs $db))"

# --- the upgrade, among others ------------------------------------------------------------------------
# It waits for who reads or writes; who comes meanwhile waits for it, and a second one finds it done.
psql -XqAt -d $db -c "SET application_name = 'reads'" -c BEGIN -c 'SELECT count(*) FROM ledger.balances' -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
wait_for 10 $db "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'reads' AND query LIKE '%pg_sleep%'"
psql -XqAt -d $db -c "SET application_name = 'upgrades'" -c 'SET ROLE lf_old_owner' -c BEGIN -c 'SELECT ledger_upgrade()' -c 'SELECT pg_sleep(1)' -c COMMIT >"$work/first" 2>&1 &
check 'it waits for readers' 0 "$(wait_for 10 $db "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE application_name = 'upgrades'"; echo $?)"
sql $db -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'reads'" >/dev/null
psql -XqAt -d $db -c "SET application_name = 'upgrades too'" -c 'SELECT ledger_upgrade()' >"$work/second" 2>&1 &
wait_for 10 $db "SELECT query LIKE '%pg_sleep%' FROM pg_stat_activity WHERE application_name = 'upgrades'"
psql -XqAt -d $db -c 'SET ROLE lf_old_poster' -c BEGIN -c "SELECT ledger_post('wei:1', 'wei:2', 1, 'meanwhile') IS NOT NULL" -c ROLLBACK >"$work/posting" 2>&1 &
psql -XqAt -d $db -c "SELECT account FROM ledger.balances WHERE account = 'vault'" >"$work/reading" 2>&1 &
wait $(jobs -p)
check 'the upgrade' 2 "$(grep -v '^$' "$work/first")"
check 'a second one at the same time' 2 "$(cat "$work/second")"
check 'a posting meanwhile' t "$(cat "$work/posting")"
check 'a reader meanwhile' vault "$(cat "$work/reading")"
check 'the other ledger, and again' '2|2' "$(sql $db -c "SELECT ledger_upgrade('$tenant'), ledger_upgrade()")"

# --- equal to a fresh installation --------------------------------------------------------------------
catalogs $fresh >"$work/fresh"
catalogs $db >"$work/upgraded"
check 'the catalog equals that of a fresh installation' '' "$(diff "$work/fresh" "$work/upgraded")"
check_below 'of many objects' 1 "$((1000 - $(wc -l <"$work/fresh")))"
# The comparison sees what is left out.
catalog $db >"$work/upgraded"
for change in "COMMENT ON COLUMN ledger.holds.effective_at IS NULL" "ALTER INDEX ledger.entries_pkey RESET (fillfactor)" \
    "REVOKE SELECT ON ledger.seals FROM lf_old_reader" "ALTER TABLE ledger.account_history ALTER application DROP DEFAULT" \
    "COMMENT ON FUNCTION ledger_hold(ledger_line[], text, text, text, timestamptz, jsonb, bigint, interval, timestamptz, name) IS 'x'" \
    "ALTER TABLE ledger.settings DROP CONSTRAINT settings_idempotency_retention_check" "DROP TRIGGER ledger_only ON ledger.seals" \
    "ALTER FUNCTION ledger_verify(name) RESET jit"; do
    found=$(sql $db -v schema=ledger -c BEGIN -c "$change" -f "$here/scripts/catalog.sql" -c ROLLBACK | diff "$work/upgraded" - | grep -c '^[<>]')
    check "it sees: $change" t "$([ "$found" -ge 1 ] && [ "$found" -le 4 ] && echo t || echo "$found lines")"
done

# --- the books are what they were, and go on ----------------------------------------------------------
both_verified() { verified $db; verified $db "'$tenant'"; }
check 'verified' '' "$(both_verified)"
check 'the same books' "$before" "$(books)"
check 'a history says nothing of where old changes came from' 0 "$(sql $db -c 'SELECT count(client_address) + count(application) FROM ledger.account_history')"
check 'things of the user are kept' '1|branch office|1|1|1|1|1' "$(sql $db -c "SELECT (SELECT count(*) FROM ledger.own_notes),
    col_description('ledger.transactions'::regclass, (SELECT attnum FROM pg_attribute WHERE attrelid = 'ledger.transactions'::regclass AND attname = 'own_branch')),
    (SELECT count(*) FROM pg_trigger WHERE tgname = 'own_trigger' AND tgrelid = 'ledger.entries'::regclass), (SELECT count(*) FROM pg_class WHERE relname = 'own_amount_idx'),
    (SELECT count(*) FROM pg_constraint WHERE conname = 'own_check'), (SELECT count(*) FROM ledger.own_journal WHERE own_branch = 'north' AND debit > 0),
    (SELECT count(*) FROM ledger.settings WHERE own_label IS NULL AND idempotency_retention = '90 years')")"
check 'a view on a function of ours' '' "$(sql $db -c 'SELECT * FROM own_findings')"
for store in spi auto; do
    on="SET ledgerflow.store = $store"
    check "$store: old keys replay" "$(echo "$keys" | grep -E '^(fee|key 1|key 2|key 3|lines|opening)\|')" "$(sql $db -c "$on" -c "SELECT * FROM (VALUES
        ('fee', post_transfer('wallet:1', 'income:fees', 1.50, 'fee', description => 'a fee')),
        ('key 1', ledger_post('assets:bank', 'wallet:2', 1.25, 'key 1', 'ref 1', 'number 1', metadata => '{\"n\": 1}')),
        ('key 2', ledger_post('assets:bank', 'wallet:1', 2.25, 'key 2', 'ref 2', 'number 2', metadata => '{\"n\": 2}')),
        ('key 3', ledger_post('assets:bank', 'wallet:2', 3.25, 'key 3', 'ref 3', 'number 3', '2026-01-01 21:00+00', '{\"n\": 3}')),
        ('lines', ledger_post(ARRAY[ledger_debit('vault', 1.2345), ledger_credit('mine', 1.2345), ledger_debit('wallet:2', 5), ledger_credit('income:fees', 5)],
            'lines', effective_at => '2030-06-30 12:00+00')),
        ('opening', ledger_post('assets:bank', 'equity:start', 100000, 'opening', 'ref opening', 'opening', '2025-12-31 23:59:59.999999+00', '{\"n\": 0}'))) AS k ORDER BY 1")"
    check "$store: another request under an old key" LF047 "$(state $db "$on; SELECT ledger_post('assets:bank', 'wallet:2', 2, 'key 1', 'ref 1', 'number 1', metadata => '{\"n\": 1}')")"
    check "$store: an old reference" LF028 "$(state $db "$on; SELECT ledger_post('assets:bank', 'wallet:2', 2, reference => 'ref 7')")"
    check "$store: old limits" LF040 "$(state $db "$on; SELECT ledger_post('wallet:2', 'assets:bank', 100000)")"
    check "$store: an old freeze" LF043 "$(state $db "$on; SELECT ledger_post('wallet:frozen', 'assets:bank', 1)")"
    check "$store: an old closing" LF044 "$(state $db "$on; SELECT ledger_post('wallet:closed', 'assets:bank', 1)")"
    check "$store: posts" t "$(sql $db -c "$on" -c "SELECT ledger_post('assets:bank', 'wallet:1', 10, '$store', effective_at => '2026-01-02+00') IS NOT NULL")"
    check "$store: posts by hand" '' "$(sql $db -c "$on" -c "WITH t AS (INSERT INTO ledger.transactions (effective_at) VALUES ('2026-01-03+00') RETURNING id)
        INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT t.id, a.id, a.id, CASE a.code WHEN 'vault' THEN 1 ELSE -1 END
          FROM t, ledger.accounts a WHERE a.code IN ('vault', 'mine')")"
    check "$store: a hold, captured in part" 4.00 "$(sql $db -c "$on" -c "DO \$\$ BEGIN PERFORM ledger_capture(ledger_hold('wallet:1', 'income:fees', 6, '$store hold'), 4); END \$\$" \
        -c "SELECT amount FROM ledger_find_transactions(\"limit\" => 1)")"
    check "$store: an old transaction reversed" t "$(sql $db -c "$on" -c "SELECT ledger_reverse(transaction_id, amount => 0.50) IS NOT NULL FROM ledger.idempotency_keys WHERE key = 'fee'")"
done
check 'balances by effective time' "$(sql $db -c "SELECT $dated + 20")" "$(sql $db -c "SELECT ledger_balance_at('assets:bank', '2026-01-06+00', 'effective')")"
check 'balances by posting time' 0.00 "$(sql $db -c "SELECT ledger_balance_at('assets:bank', '2020-01-01+00')")"
check 'a statement through all of an account' "$(sql $db -c "SELECT version FROM ledger.balances WHERE account = 'assets:bank'")" \
    "$(sql $db -c "SELECT count(*) FROM ledger_statement('assets:bank', \"limit\" => 1000)")"
check 'as of then' 0 "$(sql $db -c "SET ledgerflow.as_of = '2020-01-01+00'" -c 'SELECT count(*) FROM ledger.balances WHERE balance <> 0')"
check 'a report' "$(sql $db -c "SELECT balance FROM ledger.balances WHERE account = 'assets:bank'")|1" \
    "$(sql $db -c "SELECT max(amount), count(DISTINCT amount) FROM ledger_balance_sheet() WHERE kind = 'total' AND currency = 'USD'")"
check 'a seal' 't|t' "$(sql $db -c "SELECT is_new, transactions = (SELECT count(*) FROM ledger.transactions) FROM ledger_seal()")"
check 'that holds' '' "$(sql $db -c 'SELECT * FROM ledger_verify_seal()')"
check 'and proves what is old' t "$(sql $db -c "SELECT ledger_prove(transaction_id) LIKE '%{%' FROM ledger.idempotency_keys WHERE key = 'opening'")"
check 'an export' t "$(sql $db -c "SELECT count(*) > 100 FROM ledger_export()")"
check 'upkeep' '0|0' "$(sql $db -c 'SELECT * FROM ledger_maintain()')"
check 'an old account unfrozen, a closed one reopened' '|' "$(sql $db -c "SELECT ledger_unfreeze_account('wallet:frozen'), ledger_reopen_account('wallet:closed')")"
check 'verified' '' "$(both_verified)"

# --- who could do what ----------------------------------------------------------------------------------
check 'a reader reads what is new' 't' "$(as lf_old_reader -c 'SELECT (SELECT count(*) FROM ledger.holds) + (SELECT count(*) FROM ledger.seals) = 3 AND EXISTS (SELECT FROM ledger.audit)')"
check 'and posts nothing' 'ERROR:  42501' "$(as lf_old_reader -c "INSERT INTO ledger.postings (debit, credit, amount) VALUES ('vault', 'mine', 1)")"
check 'a poster posts' t "$(as lf_old_poster -c "SELECT ledger_post('vault', 'mine', 1) IS NOT NULL")"
check 'also in the new way' '' "$(as lf_old_poster -c "INSERT INTO ledger.postings (debit, credit, amount) VALUES ('vault', 'mine', 1)")"
check 'an operator closes a period' '' "$(as lf_old_operator -c "SELECT ledger_close_period('2020-01-01+00')")"
check 'an admin grants what is new' t "$(as lf_old_admin -c "SELECT ledger_grant('lf_old_clerk', 'reader') IS NOT NULL" -c "DO \$\$ BEGIN PERFORM ledger_revoke('lf_old_clerk'); END \$\$")"
sql $db -c 'GRANT USAGE ON SCHEMA ledger TO lf_old_clerk' -c 'GRANT SELECT ON ledger.accounts TO lf_old_clerk' -c 'GRANT INSERT ON ledger.transactions TO lf_old_clerk' >/dev/null
for table in holds seals entries postings; do check "a clerk does not read $table" 'ERROR:  42501' "$(as lf_old_clerk -c "SELECT * FROM ledger.$table")"; done
check 'a new table is guarded' LF070 "$(state $db "UPDATE ledger.dated_entries SET amount = 0")"

# --- dump and restore, formats of the future, another schema --------------------------------------------
new_database ${db}_copy
pg_dump -d $db >"$work/dump.sql" && psql -XqAt -v ON_ERROR_STOP=1 -d ${db}_copy -f "$work/dump.sql" >/dev/null
check 'a dump of it restores' '' "$(diff <(catalogs $db) <(catalogs ${db}_copy))"
check 'verified' '' "$(verified ${db}_copy)$(verified ${db}_copy "'$tenant'")"
# A posting that waits for an upgrade to a later format does not go on in the old one.
guarded='ALTER TABLE ledger.settings ENABLE TRIGGER immutable'
unguarded='ALTER TABLE ledger.settings DISABLE TRIGGER immutable'
mkfifo "$work/posts" "$work/upgrades"
active() { wait_for 10 $db "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '$1' AND state ~ '$2' AND query ~ '$3'"; }
for store in spi auto; do
    psql -XqAt -v VERBOSITY=sqlstate -d $db <"$work/posts" >"$work/late" 2>&1 &
    psql -XqAt -d $db <"$work/upgrades" >/dev/null 2>&1 &
    exec 8>"$work/posts" 9>"$work/upgrades"
    echo "SET ledgerflow.store = $store; SET application_name = 'posts'; SELECT ledger_post('vault', 'mine', 1) IS NOT NULL;" >&8
    active posts '^idle$' ledger_post
    echo "SET application_name = 'upgrades'; BEGIN; $unguarded; UPDATE ledger.settings SET format_version = 3; $guarded;
        LOCK ledger.account_balances, ledger.entries, ledger.transactions;" >&9
    active upgrades '^idle in' LOCK
    echo "SELECT ledger_post('vault', 'mine', 1) AS later;" >&8
    active posts active later
    echo 'COMMIT;' >&9
    exec 8>&- 9>&-
    wait $(jobs -p)
    check "$store: a posting that waited for a later format" $'t\nERROR:  LF022' "$(cat "$work/late")"
    sql $db -c "$unguarded" -c 'UPDATE ledger.settings SET format_version = 2' -c "$guarded" >/dev/null
done
check 'verified' '' "$(both_verified)"
sql $db -c "$unguarded" -c 'UPDATE ledger.settings SET format_version = 3' -c "$guarded" >/dev/null
check 'a newer format' 'LF022 LF022' "$(state $db "SELECT ledger_post('vault', 'mine', 1)") $(state $db 'SELECT ledger_upgrade()')"
for place in $db $fresh; do
    new_database ${place}_elsewhere
    sql ${place}_elsewhere -c 'CREATE SCHEMA "Our ""functions"""' >/dev/null
done
sql ${db}_elsewhere -c "CREATE EXTENSION ledgerflow SCHEMA \"Our \"\"functions\"\"\" VERSION '0.1.0'" -c 'ALTER EXTENSION ledgerflow UPDATE' >/dev/null
sql ${fresh}_elsewhere -c 'CREATE EXTENSION ledgerflow SCHEMA "Our ""functions"""' >/dev/null
check 'updated in a schema of its own' '' "$(diff <(catalog ${fresh}_elsewhere) <(catalog ${db}_elsewhere))"
new_database ${db}_planted
sql ${db}_planted -c "CREATE EXTENSION ledgerflow VERSION '0.1.0'" -c 'CREATE FUNCTION ledger_seal(ledger name DEFAULT NULL) RETURNS int LANGUAGE sql AS $$SELECT 1$$' >/dev/null
check 'nothing that others made is adopted' 42723 "$(state ${db}_planted 'ALTER EXTENSION ledgerflow UPDATE')"

check 'no backend went down' 0 "$(tail -c +"$((log_start + 1))" "$LEDGERFLOW_LOG" | grep -c 'was terminated by signal')"
finish 'two ledgers of 0.1.0 are ledgers of this version, and equal fresh ones'
