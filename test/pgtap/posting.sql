-- Posting between two accounts.
BEGIN;
\ir include/books.sql
SELECT plan(35);

SELECT ledger_post('assets:bank', 'equity:capital', 125.00) AS id \gset
SELECT is(t.lines(:'id'), 'assets:bank 125.00, equity:capital -125.00', 'the debit comes first, the credit with its sign');
SELECT is(t.figures('assets:bank'), '125.00 | 0.00 | 1', 'the debited account: debits, credits, version');
SELECT is(t.figures('equity:capital'), '0.00 | 125.00 | 1', 'the credited account');
SELECT is((SELECT array_agg(balance_after::text ORDER BY line) FROM ledger.entries WHERE transaction_id = :'id'), '{125.00,-125.00}', 'the balances after it');
SELECT is(ledger_balance('assets:bank'), 125.00, 'the balance in its normal sign: debit');
SELECT is(ledger_balance('equity:capital'), 125.00, 'and credit');
SELECT is((SELECT last_transaction_id FROM ledger.balances WHERE account = 'assets:bank'), :'id'::uuid, 'the account knows its last transaction');
SELECT is(substr(:'id', 15, 1) || substr(:'id', 20, 1) SIMILAR TO '7[89ab]', true, 'the id is a UUIDv7');
SELECT results_eq(format('SELECT created_by, type, reference, description, reverses, hold, metadata FROM ledger.transactions WHERE id = %L', :'id'),
    format('SELECT %L::text, NULL::text, NULL::text, NULL::text, NULL::uuid, NULL::uuid, NULL::jsonb', current_user), 'the header');
SELECT is((SELECT xact_id FROM ledger.transactions WHERE id = :'id'), pg_current_xact_id(), 'it knows the database transaction');
SELECT is((SELECT effective_at = posted_at FROM ledger.transactions WHERE id = :'id'), true, 'it counts from when it was posted');
SELECT is((SELECT posted_at BETWEEN now() AND clock_timestamp() FROM ledger.transactions WHERE id = :'id'), true, 'which is the time of the call, not of its transaction');

-- More of them.
SELECT ledger_post('assets:bank', 'equity:capital', 0.01) AS id2 \gset
SELECT cmp_ok(:'id2'::uuid, '>', :'id'::uuid, 'ids rise');
SELECT is(t.figures('assets:bank'), '125.01 | 0.00 | 2', 'versions rise by one');
SELECT is(post_transfer('assets:bank', 'expenses:rent', 25) IS NOT NULL, true, 'post_transfer() posts');
SELECT is(t.figures('assets:bank') || ', ' || t.figures('expenses:rent'), '150.01 | 0.00 | 3, 0.00 | 25.00 | 1', 'it debits the source and credits the destination');
SELECT is(ledger_balance('expenses:rent'), -25.00, 'an account may be on its other side');
SELECT ledger_post('liabilities:bob', 'assets:bank', n) FROM generate_series(1, 100) AS n \g /dev/null
SELECT is(t.figures('liabilities:bob') || ', ' || t.figures('assets:bank'), '5050.00 | 0.00 | 100, 150.01 | 5050.00 | 103', 'a hundred in one statement');
SELECT is((SELECT count(DISTINCT transaction_id) FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id WHERE a.code = 'liabilities:bob'), 100::bigint, 'a hundred ids');
SELECT is((SELECT bool_and(balance_after = running) FROM (
             SELECT balance_after, sum(amount) OVER (PARTITION BY account_id ORDER BY transaction_id, line) AS running FROM ledger.entries) x),
          true, 'balance_after follows the entries in the order of ids');

-- Amounts, to the last digit.
SELECT is(t.lines(ledger_post('assets:yen', 'equity:yen', 1000000)), 'assets:yen 1000000, equity:yen -1000000', 'yen have no decimals');
SELECT is(t.lines(ledger_post('assets:dinar', 'equity:dinar', 1.005)), 'assets:dinar 1.005, equity:dinar -1.005', 'dinars have three');
SELECT is(t.lines(ledger_post('assets:yen', 'equity:yen', 5.000)), 'assets:yen 5, equity:yen -5', 'zeros beyond the scale are no decimals');
SELECT is(t.lines(ledger_post('assets:bank', 'income:fees', 1e3)), 'assets:bank 1000.00, income:fees -1000.00', 'an exponent is a way of writing');
SELECT is(t.lines(ledger_post('assets:bank', 'income:fees', 7::integer)), 'assets:bank 7.00, income:fees -7.00', 'whole numbers are amounts');
SELECT is(t.lines(ledger_post('assets:yen', 'equity:yen', 999999999999999999999999999999)),
          'assets:yen 999999999999999999999999999999, equity:yen -999999999999999999999999999999', 'the largest amount: 30 digits before the point');
SELECT is(ledger_balance('assets:yen')::text, (999999999999999999999999999999 + 1000005)::text, 'and adds up exactly');

-- Arguments by name, in any order.
SELECT is(t.lines(ledger_post(amount => 3, credit => 'income:fees', debit => 'assets:bank')), 'assets:bank 3.00, income:fees -3.00', 'arguments by name');
SELECT is(t.lines(post_transfer(destination => 'income:fees', amount => 3, source => 'assets:bank')), 'assets:bank 3.00, income:fees -3.00', 'of post_transfer too');
SELECT is(t.lines(ledger_post('assets:bank', 'income:fees', 3, ledger => 'ledger')), 'assets:bank 3.00, income:fees -3.00', 'the ledger by name');
PREPARE posting (text, text, numeric) AS SELECT ledger_post($1, $2, $3);
SELECT lives_ok($$EXECUTE posting ('assets:bank', 'income:fees', 3)$$, 'prepared');
SELECT lives_ok($$EXECUTE posting ('assets:bank', 'income:fees', 3)$$, 'and again');
DO $$
BEGIN
    FOR n IN 1 .. 7 LOOP
        PERFORM ledger_post('assets:bank', 'income:fees', n);
    END LOOP;
END $$;
SELECT is(ledger_balance('income:fees'), (1000 + 7 + 9 + 6 + 28)::numeric, 'in PL/pgSQL, beyond the point where plans become generic');
SELECT is((SELECT sum(amount) FROM ledger.entries), 0::numeric, 'all entries together are zero');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
