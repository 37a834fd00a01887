-- Whatever lies on the caller's search_path, the ledger finds its own tables, functions and operators.
BEGIN;
\ir include/helpers.sql
SELECT plan(22);

-- A schema in which everything that a ledger might use by name is a trap.
CREATE SCHEMA evil;
DO $$
DECLARE
    type text;
    operator text;
BEGIN
    FOREACH type IN ARRAY '{text,bigint,integer,smallint,uuid,numeric,jsonb,timestamptz,name,oid,boolean}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION evil.trap(a %1$s, b %1$s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE ''evil %1$s operator''; END $f$', type);
        FOREACH operator IN ARRAY '{=,<>,<,>,<=,>=,+,-,*,||,~}'::text[] LOOP
            EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %2$s, FUNCTION = evil.trap)', operator, type);
        END LOOP;
    END LOOP;
    FOREACH type IN ARRAY string_to_array('now() clock_timestamp() unnest(anyarray) sum(numeric) count(anyelement) max(text) abs(numeric) '
        'round(numeric,smallint) octet_length(text) pg_current_xact_id() format(text) length(text) "left"(text,integer) replace(text,text,text) '
        'substr(text,integer,integer) ledger_is_raw_write() ledger_guard() adjust_account_balance() enforce_double_entry()', ' ') LOOP
        EXECUTE format('CREATE FUNCTION evil.%s RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE ''evil %%'', %L; END $f$', type, type);
    END LOOP;
END $$;
CREATE FUNCTION evil.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil table'; END $$;
CREATE TABLE evil.transactions (id uuid); CREATE TABLE evil.entries (id uuid); CREATE TABLE evil.accounts (id bigint);
CREATE TABLE evil.account_balances (account_id bigint); CREATE TABLE evil.idempotency_keys (key text); CREATE TABLE evil.currencies (code text);
CREATE TABLE evil.settings (format_version integer); CREATE VIEW evil.balances AS SELECT 'a'::text AS account, 1e6 AS balance;
CREATE TEMPORARY TABLE accounts (id bigint);
CREATE TEMPORARY TABLE entries (id bigint);

CREATE FUNCTION t.poisoned(statement text) RETURNS text LANGUAGE plpgsql SET search_path = pg_temp, evil, pg_catalog, public AS $$
DECLARE
    result text;
BEGIN
    EXECUTE statement INTO result;
    RETURN result;
END $$;
SELECT throws_like($$SELECT t.poisoned('SELECT 1::bigint = 1::bigint')$$, '%evil bigint operator%', 'the trap is set: operators');
SELECT throws_like($$SELECT t.poisoned('SELECT now()')$$, '%evil now()%', 'and functions');

SELECT is(t.poisoned($$SELECT ledger_create()$$), 'ledger', 'a ledger is created');
SELECT isnt(t.poisoned($$SELECT ledger_open_account('a', 'asset', 'USD', 'A', -5, 500, '{"a": 1}')$$), NULL, 'an account opened');
SELECT isnt(t.poisoned($$SELECT ledger_open_account('a', 'asset', 'USD', 'A', -5, 500, '{"a": 1}')$$), NULL, 'and opened again');
SELECT isnt(t.poisoned($$SELECT ledger_open_account('b', 'equity', 'USD')$$), NULL, 'a second one');
SELECT isnt(t.poisoned($$SELECT ledger_post('a', 'b', 5, 'key', 'REF', metadata => '{"a": 1}')$$), NULL, 'a posting made');
SELECT is(t.poisoned($$SELECT ledger_post('a', 'b', 5, 'key', 'REF', metadata => '{"a": 1}')$$), t.poisoned($$SELECT ledger_post('a', 'b', 5, 'key', 'REF', metadata => '{"a": 1}')$$), 'and repeated');
SELECT isnt(t.poisoned($$SELECT ledger_post(ARRAY[ledger_debit('a', 7), ledger_credit('b', 3), ledger_credit('b', 4)])$$), NULL, 'lines posted');
SELECT is(t.poisoned($$SELECT ledger_balance('a')$$), '12.00', 'the balance read');
SELECT is(t.poisoned($$SELECT ledger_available('a')$$), '12.00', 'and what is available');
SELECT is(t.poisoned($$SELECT x FROM ledger_trial_balance() x LIMIT 1$$), '(a,asset,USD,12.00,0.00,A,12.00,0.00)', 'and the trial balance');
SELECT is(t.poisoned($$SELECT x FROM ledger_verify() x LIMIT 1$$), NULL, 'the ledger verified');
SELECT is(t.poisoned($$SELECT ledger_to_minor(1.25, 'USD')$$), '125', 'units converted');
SELECT is(t.poisoned($$SELECT ledger_set_limits('a', 0, 100), ledger_freeze_account('a', 'debit'), ledger_unfreeze_account('a')$$), '', 'accounts changed');
SELECT is(t.poisoned($$SELECT ledger_maintain()$$), '(0,0)', 'keys looked after');
SELECT is(t.poisoned($$SELECT ledger_upgrade()$$), '2', 'the ledger upgraded');
SELECT is((SELECT count(*) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = 'ledger'::regnamespace AND NOT g.tgisinternal
              AND g.tgfoid::regproc::text LIKE 'evil%'), 0::bigint, 'its guards are ours');
SELECT t.allowed($$SELECT t.poisoned('INSERT INTO ledger.transactions (id) VALUES (''01700000-0000-7000-8000-000000000001'') RETURNING id')$$, 'a header inserted by hand');
SELECT is(t.verdict(t.attempt($$SELECT t.poisoned('INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
    SELECT ''01700000-0000-7000-8000-000000000001'', 1, id, 1 FROM ledger.accounts RETURNING line')$$)), '23505', 'and entries, whose own rules hold');
SELECT is(t.verdict(t.attempt($$SELECT t.poisoned('SET CONSTRAINTS ALL IMMEDIATE')$$)), 'LF004 too_few_lines', 'and the check in the end');
SELECT is(t.verdict(t.attempt($$SELECT t.poisoned('SELECT ledger_post(''a'', ''a'', 5)')$$)), 'LF003 same_account', 'refusals are what they are');

SELECT * FROM finish();
ROLLBACK;
