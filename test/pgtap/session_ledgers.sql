-- What a session remembers of ledgers is bounded: it forgets the dropped ones.
BEGIN;
\ir include/helpers.sql
SELECT plan(4);

CREATE FUNCTION t.use(l name) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_open_account(a, 'asset', 'USD', ledger => l) FROM unnest('{a,b}'::text[]) a;
    PERFORM ledger_post('a', 'b', 5, ledger => l);
    RETURN ledger_balance('a', ledger => l);
END $$;
CREATE FUNCTION t.use_and_drop() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_create('short_lived');
    PERFORM t.use('short_lived');
    SET LOCAL client_min_messages = warning;
    DROP SCHEMA short_lived CASCADE;
END $$;
-- Without those of PostgreSQL's for foreign keys, which it keeps to the end of the session.
CREATE FUNCTION t.kept_plans() RETURNS bigint LANGUAGE sql AS
    $$SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'CachedPlanSource' AND ident NOT LIKE 'SELECT 1 FROM ONLY %'$$;

SELECT ledger_create() \g /dev/null
SELECT is(t.use('ledger'), 5.00, 'a ledger is used');
SELECT t.use_and_drop(), t.kept_plans() \g /dev/null
SELECT t.kept_plans() AS plans \gset
SELECT t.use_and_drop() FROM generate_series(1, 5) \g /dev/null
SELECT is(t.kept_plans(), :plans::bigint, 'ledgers that were made, used and dropped leave no plans behind');
SELECT is(t.use('ledger'), 10.00, 'one that is there is still good');
SELECT is_empty('SELECT * FROM ledger_verify()', 'and well');

SELECT * FROM finish();
ROLLBACK;
