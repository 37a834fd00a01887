#!/usr/bin/env bash
# pg_dump in every format and restore in new databases, also as another owner: the same books, and posting goes on
# behind the same guards.
source "$(dirname "$0")/common.bash"

db=lf_dump
roles=(lf_dump_owner lf_dump_poster)
for role in "${roles[@]}"; do
    psql -XqAt -d postgres -c "SET client_min_messages = error" -c "DROP ROLE IF EXISTS $role" -c "CREATE ROLE $role LOGIN" || exit 1
done
new_database $db
sql $db <<'SQL' >/dev/null || exit 1
CREATE SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO PUBLIC;
CREATE EXTENSION ledgerflow SCHEMA extensions;
SET search_path = extensions;
SELECT ledger_create();
SELECT ledger_create('tenant "2": größe');
INSERT INTO ledger.currencies VALUES ('GOLD', 4, 'Gold in the vault'), ('A18', 18, NULL);
INSERT INTO ledger.account_types VALUES ('vault', 'debit', 0, NULL, NULL, 'never below zero');
SELECT ledger_open_account('assets:bank', 'asset', 'USD', 'Bank', metadata => '{"iban": "XX"}');
SELECT ledger_open_account('equity:start', 'equity', 'USD');
SELECT ledger_open_account('wallet:' || i, 'liability', 'USD', min_balance => 0, max_balance => 1e9) FROM generate_series(1, 20) i;
SELECT ledger_open_account('vault:1', 'vault', 'GOLD');
SELECT ledger_open_account('vault:2', 'vault', 'GOLD');
SELECT ledger_open_account('mine', 'equity', 'GOLD');
SELECT ledger_open_account('wei:1', 'asset', 'A18');
SELECT ledger_open_account('wei:2', 'equity', 'A18');
DO $$ BEGIN
    PERFORM ledger_post('assets:bank', 'wallet:' || i % 20 + 1, i + 0.25, 'key ' || i, 'ref ' || i, 'number ' || i, '2026-01-01'::timestamptz + i * interval '1 hour',
        jsonb_build_object('n', i)) FROM generate_series(1, 500) i;
    FOR i IN 1 .. 20 LOOP  -- holes: what rolls back has used up ids and sequence numbers
        BEGIN
            PERFORM ledger_open_account('gone:' || i, 'asset', 'USD');
            PERFORM ledger_post('gone:' || i, 'equity:start', 1, 'gone ' || i);
            RAISE division_by_zero;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
    END LOOP;
END $$;
SELECT ledger_open_account('late', 'asset', 'USD');
SELECT ledger_post('vault:1', 'mine', 12.3456, 'gold');
SELECT ledger_post('wei:1', 'wei:2', 12345678901234567.123456789012345678);
SELECT ledger_post(ARRAY[ledger_debit('vault:2', 1), ledger_credit('mine', 1), ledger_debit('late', 5), ledger_credit('equity:start', 5)], 'lines');
WITH t AS (INSERT INTO ledger.transactions (reference, description) VALUES ('by hand', E'tab\there, \\, "quoted"') RETURNING id)
INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
SELECT t.id, a.line, a.id, a.amount FROM t, (SELECT row_number() OVER (ORDER BY code) AS line, id, CASE code WHEN 'late' THEN 1.5 ELSE -1.5 END AS amount
    FROM ledger.accounts WHERE code IN ('late', 'equity:start')) a;
SELECT ledger_freeze_account('wallet:3', reason => 'court');
SELECT ledger_set_limits('wallet:4', 10, 1000000);
SELECT ledger_open_account('empty', 'asset', 'USD');
SELECT ledger_close_account('empty');
SELECT ledger_grant('lf_dump_poster', 'poster');
SELECT ledger_open_account('a', 'asset', 'JPY', ledger => 'tenant "2": größe'), ledger_open_account('b', 'asset', 'JPY', ledger => 'tenant "2": größe');
SELECT ledger_post('a', 'b', 1000, 'key 1', ledger => 'tenant "2": größe');
CREATE TABLE public.orders (id int PRIMARY KEY, payment uuid REFERENCES ledger.transactions);  -- the user's own beside it
INSERT INTO public.orders SELECT 1, transaction_id FROM ledger.idempotency_keys WHERE key = 'key 7';
SQL

books() {  # everything that a restore must bring back
    sql "$1" <<'SQL'
SET search_path = extensions;
SELECT * FROM ledger_trial_balance();
SELECT * FROM ledger_trial_balance('tenant "2": größe');
SELECT md5(string_agg(t::text, E'\n' ORDER BY id)) FROM ledger.transactions t;
SELECT md5(string_agg(e::text, E'\n' ORDER BY transaction_id, line)) FROM ledger.entries e;
SELECT md5(string_agg(b::text, E'\n' ORDER BY account_id)) FROM ledger.account_balances b;
SELECT count(*), md5(string_agg(d::text, E'\n' ORDER BY account_id, transaction_id, line)) FROM ledger.dated_entries d;
SELECT count(*), md5(string_agg(d::text, E'\n' ORDER BY account_id, day)) FROM ledger.effective_days d;
SELECT ledger_balance_at('assets:bank', '2026-01-10 12:00+00', 'effective');
SELECT md5(string_agg(k::text, E'\n' ORDER BY key)) FROM ledger.idempotency_keys k;
SELECT md5(string_agg(h::text, E'\n' ORDER BY id)) FROM ledger.account_history h;
SELECT md5(string_agg(a::text, E'\n' ORDER BY id)) FROM ledger.accounts a;
SELECT count(*) FROM ledger.currencies;
SQL
}
both_verified() { sql "$1" -c "SELECT * FROM extensions.ledger_verify()" -c "SELECT * FROM extensions.ledger_verify('tenant \"2\": größe')"; }

original=$(books $db)
check 'the original: verified' '' "$(both_verified $db)"
key7=$(sql $db -c "SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'key 7'")

# restored NAME DATABASE: all that must hold in a database that was restored
restored() {
    local e=extensions
    check "$1: verified" '' "$(both_verified "$2")"
    check "$1: the same books" "$original" "$(books "$2")"
    check "$1: an old key replays" "$key7" "$(sql "$2" -c "SELECT $e.ledger_post('assets:bank', 'wallet:8', 7.25, 'key 7', 'ref 7', 'number 7',
        '2026-01-01'::timestamptz + 7 * interval '1 hour', '{\"n\": 7}')")"
    check "$1: an old key for something else" LF047 "$(state "$2" "SELECT $e.ledger_post('assets:bank', 'wallet:8', 7, 'key 7')")"
    check "$1: an old reference" LF028 "$(state "$2" "SELECT $e.ledger_post('assets:bank', 'wallet:8', 7, reference => 'by hand')")"
    check "$1: still frozen" LF043 "$(state "$2" "SELECT $e.ledger_post('assets:bank', 'wallet:3', 1)")"
    check "$1: still closed" LF044 "$(state "$2" "SELECT $e.ledger_post('assets:bank', 'empty', 1)")"
    check "$1: the floor" LF040 "$(state "$2" "SELECT $e.ledger_post('wallet:4', 'assets:bank', (SELECT balance - 9.99 FROM ledger.balances WHERE account = 'wallet:4'))")"
    check "$1: the floor of the type" LF040 "$(state "$2" "SELECT $e.ledger_post('mine', 'vault:1', 12.3457)")"
    check "$1: the currency's scale" LF001 "$(state "$2" "SELECT $e.ledger_post('vault:1', 'mine', 0.00001)")"
    local statement
    for statement in 'UPDATE ledger.entries SET amount = amount * 2' 'DELETE FROM ledger.transactions' 'TRUNCATE ledger.idempotency_keys' \
        "UPDATE ledger.account_balances SET debits_posted = 0" "UPDATE ledger.accounts SET code = 'x'" 'DELETE FROM ledger.account_history' \
        'TRUNCATE ledger.accounts CASCADE' 'UPDATE "tenant ""2"": größe".entries SET line = line + 1'; do
        check "$1: refused: $statement" LF070 "$(state "$2" "$statement")"
    done
    check "$1: one-sided entries" LF004 "$(state "$2" "WITH t AS (INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id)
        INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT t.id, 1, a.id, 1 FROM t, ledger.accounts a WHERE code = 'late'")"
    check "$1: posting goes on" ok "$(state "$2" "SELECT $e.ledger_post('assets:bank', 'wallet:' || i, 1, 'new ' || i) FROM generate_series(4, 20) i")"
    check "$1: in the other ledger too" ok "$(state "$2" "SELECT $e.ledger_post('b', 'a', 1, ledger => 'tenant \"2\": größe')")"
    check "$1: a new account" ok "$(state "$2" "SELECT $e.ledger_open_account('fresh', 'asset', 'USD'), $e.ledger_post('fresh', 'assets:bank', 1)")"
    check "$1: unfrozen" ok "$(state "$2" "SELECT $e.ledger_unfreeze_account('wallet:3'), $e.ledger_post('assets:bank', 'wallet:3', 1)")"
    check "$1: a new ledger" ok "$(state "$2" "SET search_path = extensions; SELECT ledger_create('third')")"
    check "$1: verified after that" '' "$(both_verified "$2")"
}

cd "$work" || exit 1
pg_dump -Fc -f custom $db && pg_dump -Fp -f plain $db && pg_dump -Fd -j2 -f directory $db &&
    pg_dump --schema-only -f schema $db && pg_dump --data-only --disable-triggers -f data $db
check 'pg_dump' 0 $?

new_database lf_dump_custom
check 'custom: pg_restore' '' "$(pg_restore --exit-on-error -j2 -d lf_dump_custom custom 2>&1)"
restored custom lf_dump_custom
check 'custom: the poster may post' ok "$(PGUSER=lf_dump_poster state lf_dump_custom "SELECT extensions.ledger_post('assets:bank', 'wallet:1', 1)")"
check 'custom: and may not freeze' 42501 "$(PGUSER=lf_dump_poster state lf_dump_custom "SELECT extensions.ledger_freeze_account('wallet:1')")"
# Over a database that has a ledger with more in it. A ledger that the dump does not know holds the extension fast.
check 'clean: refused while there is another ledger' 1 "$(pg_restore --exit-on-error --clean --if-exists --single-transaction -d lf_dump_custom custom 2>&1 |
    grep -c 'cannot drop extension ledgerflow')"
sql lf_dump_custom -c 'SET client_min_messages = error' -c 'DROP SCHEMA third CASCADE' >/dev/null
check 'clean: pg_restore' '' "$(pg_restore --exit-on-error --clean --if-exists -d lf_dump_custom custom 2>&1)"
check 'clean: the same books' "$original" "$(books lf_dump_custom)"
check 'clean: verified' '' "$(both_verified lf_dump_custom)"

# Restored from a server that was further on, its rows bear transaction ids that this server will use: they must not pass
# for rows of the transaction that does.
sql lf_dump_custom -c 'SET session_replication_role = replica' -c "UPDATE ledger.transactions t SET xact_id = (pg_current_xact_id()::text::bigint + n)::text::xid8
    FROM (SELECT id, row_number() OVER () AS n FROM ledger.transactions) r WHERE r.id = t.id"
check 'a posted transaction with our xid takes no more entries' LF070 "$(state lf_dump_custom "INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
    SELECT t.id, line, a.id, amount FROM ledger.transactions t, (VALUES (5, 'assets:bank', 1), (6, 'wallet:1', -1)) v (line, code, amount)
    JOIN ledger.accounts a USING (code) WHERE t.xact_id = pg_current_xact_id()")"

new_database lf_dump_plain
check 'plain: psql' '' "$(sql lf_dump_plain -o /dev/null -f plain)"
restored plain lf_dump_plain

new_database lf_dump_directory
check 'directory: pg_restore' '' "$(pg_restore --exit-on-error -j2 -d lf_dump_directory directory 2>&1)"
restored directory lf_dump_directory

new_database lf_dump_two
check 'schema, then data: schema' '' "$(sql lf_dump_two -o /dev/null -f schema)"
check 'schema, then data: data' '' "$(sql lf_dump_two -o /dev/null -f data)"
restored 'schema, then data' lf_dump_two

# Another owner: the extension is there, made by the superuser; the restore runs as the role that will own the books.
new_database lf_dump_owned "OWNER lf_dump_owner"
sql lf_dump_owned -c 'CREATE SCHEMA extensions' -c 'GRANT USAGE ON SCHEMA extensions TO PUBLIC' -c 'CREATE EXTENSION ledgerflow SCHEMA extensions'
pg_restore -l custom | grep -vE ' (SCHEMA|ACL|COMMENT) - (SCHEMA )?extensions | EXTENSION |EXTENSION ledgerflow' >list
check 'another owner: pg_restore' '' "$(pg_restore --exit-on-error --no-owner --no-acl --role=lf_dump_owner -L list -d lf_dump_owned custom 2>&1)"
check 'another owner: owns the books' lf_dump_owner "$(sql lf_dump_owned -c "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'ledger'::regnamespace")"
export PGUSER=lf_dump_owner
sql lf_dump_owned -c 'SELECT 1' >/dev/null
restored 'another owner' lf_dump_owned
export PGUSER=postgres
finish 'custom, plain, directory, schema and data apart, over an old one, another owner'
