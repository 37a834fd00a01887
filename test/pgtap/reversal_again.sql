-- Reversals of reversals: money can go back and forth, but no transaction is ever reversed by more than it posted.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(26);

SELECT ledger_post('assets:bank', 'liabilities:bob', 100) AS t0 \gset
SELECT ledger_reverse(:'t0') AS r1 \gset
SELECT ledger_reverse(:'r1', 'in error') AS r2 \gset
SELECT is(t.lines(:'r2'), 'assets:bank 100.00, liabilities:bob -100.00', 'the reversal of a reversal posts the original again');
SELECT is(ledger_balance('liabilities:bob'), 100.00, 'the money is there again');
SELECT is(t.history(:'r1'), 'posted > reversed', 'the reversal is reversed');
SELECT is(t.history(:'t0'), 'posted > reversed, reversed > posted', 'and the original posted again');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'r1'), 'LF064 already_reversed', 'a reversal is reversed once');
SELECT ledger_reverse(:'t0') AS r3 \gset
SELECT is(ledger_balance('liabilities:bob'), 0.00, 'the original can be reversed again');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'t0'), 'LF064 already_reversed', 'once');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'r2'), 'LF064 already_reversed', 'what posted the original again cannot be reversed any more: the original would be, twice');
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 0.01)', :'r2'), 'LF064 already_reversed', 'not by a cent');
SELECT ledger_reverse(:'r3') AS r4 \gset
SELECT is(ledger_balance('liabilities:bob'), 100.00, 'the second reversal can be reversed');
SELECT t.allowed(format('SELECT ledger_reverse(%L)', :'r2'), 'and then what posted the original again first');
SELECT is(ledger_balance('liabilities:bob'), 0.00, 'to nothing');
SELECT t.refused(format('SELECT ledger_reverse(%L)', id), 'LF064 already_reversed', 'and now none of them: ' || name)
  FROM (VALUES ('the original', :'t0'), ('its first reversal', :'r4'), ('the second posting', :'r2')) AS x (name, id);
SELECT is((SELECT count(*) FROM ledger.transactions), 6::bigint, 'nothing else was posted');

-- In parts.
SELECT ledger_post('assets:bank', 'liabilities:bob', 100) AS t0 \gset
SELECT ledger_reverse(:'t0', amount => 60) AS r1 \gset
SELECT ledger_reverse(:'r1', amount => 20) AS r2 \gset
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 60.01)', :'t0'), 'LF064 already_reversed', '40 were left, and 20 came back');
SELECT ledger_reverse(:'t0', amount => 50) AS r3 \gset
SELECT is(ledger_balance('liabilities:bob'), 10.00, 'what is left of 100: less 60, again 20, less 50');
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 10.01)', :'r2'), 'LF064 already_reversed', 'a part that came back, by more than is left of the original');
SELECT t.allowed(format('SELECT ledger_reverse(%L, amount => 10)', :'r2'), 'up to that');
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 50.01)', :'r1'), 'LF064 already_reversed', 'a reversal, by more than is left of it');
SELECT t.allowed(format('SELECT ledger_reverse(%L, amount => 50)', :'r1'), 'up to that');
SELECT is(ledger_balance('liabilities:bob'), 50.00, 'in the end');
SELECT is(t.history(:'t0'), 'posted > partly_reversed, partly_reversed > partly_reversed, partly_reversed > reversed, reversed > partly_reversed', 'the history of the original');

-- A long chain.
SELECT ledger_post('assets:bank', 'income:fees', 1) AS id \gset
DO $$
DECLARE
    id uuid := (SELECT t.id FROM ledger.transactions t ORDER BY t.id DESC LIMIT 1);
BEGIN
    FOR i IN 1..50 LOOP id := ledger_reverse(id); END LOOP;
END $$;
SELECT is(ledger_balance('income:fees'), 1.00, 'fifty reversals, each of the one before');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
