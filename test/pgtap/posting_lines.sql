-- Posting many lines.
BEGIN;
\ir include/books.sql
SELECT plan(29);

SELECT is(ledger_debit('a', 5)::text, '(a,5)', 'ledger_debit() makes a line with a positive amount');
SELECT is(ledger_credit('a', 5)::text, '(a,-5)', 'ledger_credit() one with a negative amount');
SELECT is(t.lines(ledger_post(ARRAY[ledger_debit('assets:bank', 97), ledger_debit('expenses:rent', 3), ledger_credit('income:fees', 100)])),
          'assets:bank 97.00, expenses:rent 3.00, income:fees -100.00', 'three lines, in their order');
SELECT is(t.lines(ledger_post(ARRAY[('assets:bank', 1), ('income:fees', -1)]::ledger_line[])), 'assets:bank 1.00, income:fees -1.00', 'lines as rows');
SELECT is(t.lines(ledger_post(ARRAY[ledger_credit('income:fees', 1), ledger_debit('assets:bank', 1)])), 'income:fees -1.00, assets:bank 1.00', 'a credit may come first');
SELECT is(t.lines(ledger_post('{"(assets:bank,2.5)","(income:fees,-2.50)"}'::ledger_line[])), 'assets:bank 2.50, income:fees -2.50', 'lines as text');
SELECT is(t.lines(ledger_post(lines => ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 1)], description => 'd')),
          'assets:bank 1.00, income:fees -1.00', 'lines by name');

-- The same account more than once.
SELECT ledger_post(ARRAY[ledger_debit('liabilities:bob', 10), ledger_debit('liabilities:bob', 20), ledger_credit('liabilities:bob', 5),
                         ledger_credit('equity:capital', 25)]) AS id \gset
SELECT is(t.figures('liabilities:bob'), '30.00 | 5.00 | 3', 'each line counts by itself');
SELECT is((SELECT array_agg(balance_after::text ORDER BY line) FROM ledger.entries WHERE transaction_id = :'id'),
          '{10.00,30.00,25.00,-25.00}', 'and has its own balance after it');

-- Several currencies, each of which balances.
SELECT is(t.lines(ledger_post(ARRAY[ledger_debit('assets:yen', 1500), ledger_credit('equity:yen', 1500), ledger_debit('equity:capital', 10), ledger_credit('assets:bank', 10)])),
          'assets:yen 1500, equity:yen -1500, equity:capital 10.00, assets:bank -10.00', 'two currencies');
SELECT is(t.lines(ledger_post(ARRAY[ledger_debit('assets:yen', 1), ledger_debit('assets:bank', 1), ledger_debit('assets:dinar', 1.001),
                                    ledger_credit('equity:dinar', 1.001), ledger_credit('equity:yen', 1), ledger_credit('equity:capital', 1)])),
          'assets:yen 1, assets:bank 1.00, assets:dinar 1.001, equity:dinar -1.001, equity:yen -1, equity:capital -1.00', 'three currencies, their lines mixed');

-- 10,000 lines.
SELECT ledger_open_account('many:' || n, 'asset', 'USD') FROM generate_series(1, 500) AS n \g /dev/null
SELECT ledger_post((SELECT array_agg(ledger_debit('many:' || (1 + n % 500), n) ORDER BY n) FROM generate_series(1, 9999) AS n)
                   || ledger_credit('equity:capital', 9999 * 10000 / 2)) AS id \gset
SELECT is((SELECT count(*) FROM ledger.entries WHERE transaction_id = :'id'), 10000::bigint, '10,000 lines');
SELECT is((SELECT array_agg(line::integer ORDER BY line) FROM ledger.entries WHERE transaction_id = :'id'), (SELECT array_agg(n) FROM generate_series(1, 10000) n), 'are numbered without gaps');
SELECT is((SELECT sum(balance) FROM ledger.balances WHERE account LIKE 'many:%'), 49995000.00, 'and end in the balances');
SELECT is((SELECT version FROM ledger.balances WHERE account = 'many:1'), 19::bigint, 'and in the versions');
SELECT t.refused($$SELECT ledger_post((SELECT array_agg(ledger_debit('many:1', 1)) FROM generate_series(1, 10000)) || ledger_credit('equity:capital', 10000))$$,
                 'LF005 too_many_lines', '10,001 lines');
SELECT is((t.attempt($$SELECT ledger_post((SELECT array_agg(ledger_debit('many:1', 1)) FROM generate_series(1, 10001)))$$)).detail,
          'It has 10001; at most 10000 are allowed.', 'with their number');
SELECT t.refused($$SELECT ledger_post((SELECT array_agg(ledger_debit('many:1', 1)) FROM generate_series(1, 200000)))$$, 'LF005 too_many_lines', '200,000 lines');

-- Lines that make no transaction.
SELECT t.refused($$SELECT ledger_post(ARRAY[]::ledger_line[])$$, 'LF004 too_few_lines', 'no lines');
SELECT t.refused($$SELECT ledger_post(NULL::ledger_line[])$$, 'LF004 too_few_lines', 'NULL');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 1)])$$, 'LF004 too_few_lines', 'one line');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 1), NULL])$$, '22004', 'a line that is NULL');
SELECT t.refused($$SELECT ledger_post(ARRAY[[ledger_debit('assets:bank', 1)], [ledger_credit('income:fees', 1)]])$$, '2202E', 'an array of two dimensions');
SELECT t.refused($$SELECT ledger_debit('assets:bank', -1)$$, 'LF001 invalid_amount', 'a debit of a negative amount');
SELECT t.refused($$SELECT ledger_credit('assets:bank', 0)$$, 'LF001 invalid_amount', 'a credit of zero');
SELECT t.refused($$SELECT ledger_credit('assets:bank', NULL)$$, 'LF001 invalid_amount', 'a credit of NULL');
SELECT t.refused($$SELECT ledger_debit('assets:bank', 'NaN')$$, 'LF001 invalid_amount', 'a debit of NaN');
SELECT t.refused($$SELECT ledger_debit('', 1)$$, 'LF002 invalid_account_code', 'a debit of nobody');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
