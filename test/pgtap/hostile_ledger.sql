-- A ledger whose owner has made something else of its tables: values are not taken for what they are not. It takes
-- nothing but CREATE on any schema to have one; an error is right, a crash takes the whole server along.
BEGIN;
\ir include/hold_helpers.sql
CREATE ROLE mallory;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA t TO PUBLIC;
SELECT format('GRANT CREATE ON DATABASE %I TO mallory', current_database()) \gexec
SET ROLE mallory;
DO $$ BEGIN
    PERFORM ledger_create('trap');
    PERFORM ledger_open_account('a', 'asset', 'USD', 'A', -5, 100000, '{"a": 1}', 'trap'), ledger_open_account('b', 'equity', 'USD', ledger => 'trap');
    PERFORM ledger_post('a', 'b', 7, 'key', 'REF', 'text', now() - interval '3 days', '{"a": 1}', ledger => 'trap');
    PERFORM ledger_hold('a', 'b', 3, 'hold', expires_in => '1 day', ledger => 'trap');
    PERFORM ledger_seal('trap'), ledger_set_limits('a', -7, 100000, ledger => 'trap');
    PERFORM ledger_verify_incremental(ledger => 'trap');
END $$;
SELECT id FROM trap.transactions \gset
SELECT id AS hold FROM trap.holds \gset
CREATE TEMPORARY TABLE calls (number serial, statement text);
INSERT INTO calls (statement) VALUES ('SELECT ledger_balance(''a'', ''trap'')'), ('SELECT ledger_available(''a'', ''trap'')'), ('SELECT ledger_balance_at(''a'', now(), ''effective'', ''trap'')'),
    ('SELECT * FROM ledger_trial_balance(''trap'')'), ('SELECT * FROM ledger_trial_balance(now(), ledger => ''trap'')'), ('SELECT * FROM ledger_statement(''a'', ledger => ''trap'')'),
    ('SELECT * FROM ledger_find_transactions(account => ''a'', ledger => ''trap'')'), ('SELECT * FROM ledger_verify(''trap'')'), ('SELECT * FROM ledger_verify_seal(ledger => ''trap'')'),
    ('SELECT * FROM ledger_verify_incremental(ledger => ''trap'')'), ('SELECT * FROM ledger_health(''trap'')'), ('SELECT * FROM ledger_export(ledger => ''trap'')'),
    ('SELECT * FROM ledger_rollup(ledger => ''trap'')'), ('SELECT * FROM ledger_balance_sheet(ledger => ''trap'')'), ('SELECT * FROM ledger_chart(''a'', ledger => ''trap'')'),
    ('SELECT * FROM ledger_movements(ledger => ''trap'')'), ('SELECT ledger_to_minor(1, ''USD'', ''trap'')'), ('SELECT ledger_from_minor(1, ''USD'', ''trap'')'),
    (format('SELECT ledger_prove(%L, ledger => ''trap'')', :'id')), ('SELECT ledger_post(''a'', ''b'', 1, ''key'', ledger => ''trap'')'), ('SELECT ledger_post(''a'', ''b'', 1, ''key2'', ''REF2'', ledger => ''trap'')'),
    (format('SELECT ledger_capture(%L, 1, false, ledger => ''trap'')', :'hold')), (format('SELECT ledger_release(%L, ledger => ''trap'')', :'hold')), (format('SELECT ledger_reverse(%L, ledger => ''trap'')', :'id')),
    ('SELECT ledger_open_account(''a'', ''asset'', ''USD'', ledger => ''trap'')'), ('SELECT ledger_open_account(''c'', ''asset'', ''USD'', ledger => ''trap'')'), ('SELECT ledger_freeze_account(''a'', ledger => ''trap'')'),
    ('SELECT ledger_close_period(now() - interval ''1 year'', ledger => ''trap'')'), ('SELECT ledger_maintain(''trap'')'), ('SELECT ledger_seal(''trap'')'), ('SELECT * FROM ledger_rebuild_balances(ledger => ''trap'')'),
    ('SELECT * FROM ledger_rebuild_effective(''trap'')'), ('SELECT ledger_import(E''2024-01-01 x\n a  1 USD\n b\n'', ledger => ''trap'')'), ('SELECT ledger_grant(''mallory'', ''reader'', ''trap'')'), ('INSERT INTO trap.postings (debit, credit, amount) VALUES (''a'', ''b'', 1)'),
    ('SET LOCAL ledgerflow.as_of = ''2100-01-01''; SELECT ledger_available(''a'', ''trap'')'), ('SELECT ledger_upgrade(''trap'')');

-- Does damage, makes the calls, and undoes it all: the verdicts, each once.
CREATE FUNCTION pg_temp.verdicts_after(damage text, which text DEFAULT '%', every integer DEFAULT 1, first integer DEFAULT 0) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    call text;
    verdicts text[] := '{}';
BEGIN
    EXECUTE damage;
    FOR call IN SELECT statement FROM calls WHERE statement LIKE which AND number % every = first % every LOOP
        verdicts := verdicts || t.verdict(t.attempt(call));
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
    RETURN array_to_string(ARRAY(SELECT DISTINCT v FROM unnest(verdicts) v ORDER BY v), ', ');
END $$;
-- Takes away what the owner of a ledger can take away: constraints and guards.
CREATE FUNCTION pg_temp.free() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    statement text;
BEGIN
    FOR statement IN SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname) FROM pg_constraint k
                      WHERE k.connamespace = 'trap'::regnamespace AND k.contype = 'f' LOOP EXECUTE statement; END LOOP;
    FOR statement IN SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname) FROM pg_constraint k
                      WHERE k.connamespace = 'trap'::regnamespace AND k.contype IN ('c', 'p', 'u') LOOP EXECUTE statement; END LOOP;
    FOR statement IN SELECT format('ALTER TABLE %s DISABLE TRIGGER USER', c.oid::regclass) FROM pg_class c
                      WHERE c.relnamespace = 'trap'::regnamespace AND c.relkind = 'r' LOOP EXECUTE statement; END LOOP;
END $$;
CREATE TEMPORARY TABLE columns AS
SELECT row_number() OVER (ORDER BY c.relname, a.attnum)::integer AS number, c.relname::text AS relation, a.attname::text AS name, a.atttypid = 'bigint'::regtype AS is_bigint, a.attnotnull AS is_required
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'trap'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped;
SELECT plan((SELECT count(*) + count(*) FILTER (WHERE is_required) FROM columns)::integer + 11);
SELECT is(pg_temp.verdicts_after('SELECT'), 'LF024 account_exists, LF043 account_frozen, LF047 idempotency_conflict, LF048 period_closed, done', 'as it is, the calls do what they do');
SELECT pg_temp.free();
SELECT alike(pg_temp.verdicts_after('SELECT'), '%done%', 'without constraints and guards too');

-- Another type: no call gets as far as a value; each time every twelfth call, so that the test does not take too long.
SELECT is(pg_temp.verdicts_after(format('ALTER TABLE trap.%I DROP COLUMN %I CASCADE; ALTER TABLE trap.%1$I ADD COLUMN %2$I %s DEFAULT %L', relation, name,
              CASE WHEN is_bigint THEN 'text' ELSE 'bigint' END, CASE name WHEN 'format_version' THEN 1 ELSE 7 END), 'SELECT ledger_%', 12, number),
          CASE name WHEN 'format_version' THEN 'LF022 ledger_format_mismatch' ELSE 'LF020 ledger_not_found' END, format('%s.%s of another type', relation, name)) FROM columns;
-- NULL where none may be; every twelfth call again.
SELECT isnt(pg_temp.verdicts_after(format('ALTER TABLE trap.%I ALTER %I DROP IDENTITY IF EXISTS, ALTER %2$I DROP NOT NULL; UPDATE trap.%1$I SET %2$I = NULL', relation, name), every => 12, first => number),
            '', format('%s.%s is NULL', relation, name)) FROM columns WHERE is_required;
-- Figures that no ledger has.
SELECT isnt(pg_temp.verdicts_after(statement), '', statement)
  FROM (VALUES ('UPDATE trap.currencies SET scale = 30000'), ('UPDATE trap.currencies SET scale = -30000'), ('UPDATE trap.entries SET line = -1, stripe = 7'), ('UPDATE trap.entries SET amount = ''NaN'', balance_after = 1e1000'),
               ('UPDATE trap.transactions SET posted_at = ''infinity'', effective_at = ''-infinity'''), ('UPDATE trap.hold_lines SET amount = 9e37, captured = -9e37, released = -9e37'),
               ('UPDATE trap.seal_blocks SET marks = '''', root = ''\x00'', transaction_ids = ''{NULL}'''), ('UPDATE trap.account_balances SET status = repeat(''x'', 100000)'),
               ('UPDATE trap.account_types SET normal_side = repeat(''x'', 100000)')) x (statement);
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
