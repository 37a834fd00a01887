-- What a statement sees of what it posts itself, and what the next one sees.
BEGIN;
\ir include/books.sql
SELECT plan(5);
SELECT ledger_post('assets:bank', 'equity:capital', 5) \g /dev/null
SELECT is((SELECT ledger_balance('assets:bank') FROM (SELECT ledger_post('assets:bank', 'equity:capital', 5)) AS x (id) WHERE id IS NOT NULL), 5.00,
          'a reading function sees the books as its statement found them, as STABLE functions do');
SELECT is(ledger_balance('assets:bank'), 10.00, 'the next statement sees what was posted');
SELECT is((SELECT count(*) FROM ledger.journal), 4::bigint, 'and so do the views');
CREATE FUNCTION pg_temp.deposit() RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_post('assets:bank', 'equity:capital', 5);
    RETURN ledger_balance('assets:bank');
END $$;
SELECT is(pg_temp.deposit(), 15.00, 'in a function, the next statement is the function''s');
SELECT is((SELECT array_agg(version ORDER BY account) FROM ledger.balances WHERE version > 0), '{3,3}', 'three postings');
SELECT * FROM finish();
ROLLBACK;
