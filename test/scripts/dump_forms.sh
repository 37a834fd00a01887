#!/usr/bin/env bash
# The forms of a dump that dump_restore.sh does not have, taken while others post: each is one state of the books, and
# comes back as it was. Data alone without --disable-triggers is refused.
source "$(dirname "$0")/common.bash"

db=lf_forms
new_database $db
load=
release() { [ -z "$load" ] || kill "$load" 2>/dev/null; }
roles=(lf_forms_poster)
psql -XqAt -d postgres -c 'SET client_min_messages = error' -c 'DROP ROLE IF EXISTS lf_forms_poster' -c 'CREATE ROLE lf_forms_poster LOGIN' || exit 1
sql $db -o /dev/null <<'SQL' || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create(), ledger_create('other one');
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(1, 5) i;
SELECT ledger_open_account('low', 'liability', 'USD', min_balance => 0), ledger_freeze_account('low', 'debit');
SELECT ledger_open_account('x', 'asset', 'USD', ledger => 'other one'), ledger_open_account('y', 'asset', 'USD', ledger => 'other one');
SELECT ledger_post('x', 'y', 1, 'x', ledger => 'other one'), ledger_hold('a1', 'low', 5, 'hold');
DO $$ BEGIN PERFORM ledger_post('a1', 'a2', i, 'key ' || i, E'\\ref\t"' || i, E'it''s\n\\.', '2026-01-01', '{"n": "\\"}') FROM generate_series(1, 300) i; END $$;
SELECT ledger_reverse(transaction_id, idempotency_key => 'back') FROM ledger.idempotency_keys WHERE key = 'key 9';
SELECT ledger_grant('lf_forms_poster', 'poster'), ledger_seal();
SQL
key=$(sql $db -c "SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'key 7'")
tables=$(sql $db -c "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r' ORDER BY 1")
contents="SELECT concat_ws('|'$(for table in $tables; do echo ", (SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM ledger.$table t)"; done))"
printf '%s\n' '\set x random(1, 5)' '\set y 1 + (:x + random(0, 3)) % 5' "SELECT ledger_post('a' || :x, 'a' || :y, 0.25);" "SELECT ledger_hold('a' || :y, 'a' || :x, 1);" >"$work/any"
pgbench -n -c 2 -T 600 -R 200 -d $db -f "$work/any" >/dev/null 2>&1 &
load=$!

# One snapshot for all forms, held by a session that says what is in it.
coproc holder { psql -XqAt -d $db 2>&1; }
exec 6>&"${holder[1]}" 7<&"${holder[0]}"
printf '%s\n' 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;' 'SELECT pg_export_snapshot();' "$contents;" >&6
read -r -t 60 snapshot <&7
read -r -t 60 original <&7
cd "$work" || exit 1
dump() { pg_dump --snapshot="$snapshot" "$@" $db; }
dump -Fd -j3 -f directory && dump -Ft -f tar && dump --inserts -f inserts && dump --column-inserts --rows-per-insert=7 -f columns &&
    dump -Fc --section=pre-data -f pre && dump -Fc --section=data -f data && dump -Fc --section=post-data -f post &&
    dump --schema-only -f schema && dump -Fc --data-only -f only && dump --data-only -f only.sql && dump -n ledger -f one
check 'pg_dump, in all forms' 0 $?
printf '%s\n' 'COMMIT;' '\q' >&6
check 'posting went on meanwhile' f "$(sql $db -c "SELECT ($contents) = '$original'")"

restored() {  # restored NAME DATABASE
    check "$1: contents" "$original" "$(sql "$2" -c "$contents")"
    check "$1: verified" '' "$(verified "$2")$(sql "$2" -c 'SELECT * FROM ledger_verify_seal()')"
    check "$1: an old key replays" "$key" "$(sql "$2" -c "SELECT ledger_post('a1', 'a2', 7, 'key 7', E'\\\\ref\\t\"7', E'it''s\\n\\\\.', '2026-01-01', '{\"n\": \"\\\\\"}')")"
    check "$1: captures a hold" ok "$(state "$2" "SELECT ledger_capture((SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'hold'))")"
    check "$1: guarded" LF070 "$(state "$2" 'DELETE FROM ledger.entries')"
    check "$1: a poster posts" ok "$(PGUSER=lf_forms_poster state "$2" "SELECT ledger_post('a1', 'a2', 1)")"
    check "$1: opens an account and seals" ok "$(state "$2" "SELECT ledger_open_account('new', 'asset', 'USD'), ledger_post('new', 'a1', 1), ledger_seal()")"
    check "$1: all is well" '' "$(verified "$2")$(sql "$2" -c 'SELECT * FROM ledger_verify_seal()')"
}
fresh() { new_database lf_forms_to; }
script() { sql lf_forms_to -o /dev/null -f "$1"; }
archive() { pg_restore --exit-on-error -d lf_forms_to "$@" 2>&1; }

fresh && check 'directory, three jobs' '' "$(archive -j3 directory)" && restored directory lf_forms_to
fresh && check 'tar' '' "$(archive tar)" && restored tar lf_forms_to
fresh && check '--inserts' '' "$(script inserts)" && restored inserts lf_forms_to
fresh && check '--column-inserts' '' "$(script columns)" && restored 'column inserts' lf_forms_to
fresh && check 'sections' '' "$(archive pre)$(archive -j2 data)$(archive post)" && restored sections lf_forms_to
fresh && sql lf_forms_to -c 'CREATE EXTENSION ledgerflow' && check 'one ledger' '' "$(script one)" && restored 'one ledger' lf_forms_to
check 'one ledger: alone' LF020 "$(state lf_forms_to "SELECT ledger_post('x', 'y', 1, ledger => 'other one')")"

# Data alone into the tables of a restored schema.
fresh && check 'schema alone' '' "$(script schema)"
check 'schema alone: no ledger yet' LF022 "$(state lf_forms_to "SELECT ledger_post('a1', 'a2', 1)")"
sql lf_forms_to -c "$contents" >empty
refused=$(pg_restore --exit-on-error -d lf_forms_to only 2>&1)
check 'data alone: refused' 1 "$(grep -c 'ERROR:  cannot INSERT into ledger table' <<<"$refused")"
check 'data alone: the hint' 1 "$(grep -c 'disable-triggers' <<<"$refused")"
check 'data alone, as a script in one transaction: refused' 1 "$(psql -Xq -1 -v ON_ERROR_STOP=1 -d lf_forms_to -o /dev/null -f only.sql 2>&1 | grep -c 'ERROR:  cannot INSERT into ledger table')"
check 'data alone: nothing half done' '' "$(sql lf_forms_to -c "$contents" | diff empty -)"
# Whoever goes on after errors gets no money, and hears of it for each table.
pg_restore -d lf_forms_to only >log 2>&1
check 'data alone, past all errors: no posting, no balance' '0|0|0|0' "$(sql lf_forms_to -c "SELECT (SELECT count(*) FROM ledger.transactions), (SELECT count(*) FROM ledger.entries),
    (SELECT count(*) FROM ledger.idempotency_keys), (SELECT count(*) FROM ledger.account_balances WHERE version > 0)")"
check 'data alone, past all errors: each was told' t "$([ "$(grep -c 'ERROR: ' log)" -ge 16 ] && echo t)"
fresh && check 'schema again' '' "$(script schema)"
check 'data alone, --disable-triggers' '' "$(archive --disable-triggers only)" && restored '--disable-triggers' lf_forms_to
fresh && check 'schema once more' '' "$(script schema)"
check 'data alone, as a replica' '' "$(PGOPTIONS='-c session_replication_role=replica' archive -j2 only)" && restored 'as a replica' lf_forms_to

# The whole cluster, with its roles, on another server.
release
wait "$load"
load=
pg_dumpall -f all
check 'pg_dumpall' 0 $?
original=$(sql $db -c "$contents")
new_server "forms-$$" fsync=off max_prepared_transactions=20
psql -Xq -d postgres -o /dev/null -f all >log 2>&1
check 'pg_dumpall: restored' '' "$(grep ERROR log | grep -v 'role "postgres" already exists')"
restored pg_dumpall $db
finish 'directory under load, tar, inserts, sections, one ledger, data alone, the whole cluster'
