-- Placing holds: what they reserve, what they keep, what can be seen of them.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(30);

SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30, reference => 'CARD-1', description => 'Authorisation', effective_at => '2024-05-01 12:00Z',
                   metadata => '{"terminal": 7}', expires_in => '7 days') AS hold \gset
SELECT is(t.standing('liabilities:alice'), 'posted 100.00, pending 30.00 + 0.00, available 70.00', 'a hold reserves on the debited side');
SELECT is(t.standing('liabilities:bob'), 'posted 0.00, pending 0.00 + 30.00, available 0.00', 'what is coming is not available');
SELECT is(t.figures('liabilities:alice'), '0.00 | 100.00 | 1', 'nothing is posted: totals and version stay');
SELECT is((SELECT count(*) FROM ledger.transactions), 1::bigint, 'no transaction is made');
SELECT is(ledger_balance('liabilities:alice'), 100.00, 'ledger_balance() is what is posted');
SELECT is(ledger_available('liabilities:alice'), 70.00, 'ledger_available() is what is left');
SELECT is(t.hold(:'hold'), 'pending: liabilities:alice 30.00 (0.00 captured, 0.00 released), liabilities:bob -30.00 (0.00 captured, 0.00 released)', 'the hold has its lines');
SELECT is((SELECT (reference, description, effective_at, metadata, created_by)::text FROM ledger.holds WHERE id = :'hold'),
          (SELECT ('CARD-1'::text, 'Authorisation'::text, timestamptz '2024-05-01 12:00Z', '{"terminal": 7}'::jsonb, current_user::text)::text), 'and its texts');
SELECT ok((SELECT expires_at - created_at BETWEEN interval '7 days' - interval '1 minute' AND interval '7 days' FROM ledger.holds WHERE id = :'hold'), 'it expires in seven days');
SELECT is((SELECT substr(id::text, 15, 1) FROM ledger.holds WHERE id = :'hold'), '7', 'its id is a UUIDv7');
SELECT results_eq(format($$SELECT line, account, debit, credit, currency, remaining, reference FROM ledger.open_holds WHERE hold = %L ORDER BY line$$, :'hold'),
    $$VALUES (1::smallint, 'liabilities:alice', 30.00, NULL, 'USD', 30.00, 'CARD-1'), (2::smallint, 'liabilities:bob', NULL, 30.00, 'USD', 30.00, 'CARD-1')$$, 'open_holds shows it');

-- On a debit-normal account the credited side is what leaves.
SELECT ledger_hold('liabilities:bob', 'assets:bank', 5) \g /dev/null
SELECT is(t.standing('assets:bank'), 'posted 100.00, pending 0.00 + 5.00, available 95.00', 'a credit reserves on an asset');
SELECT is(t.standing('liabilities:bob'), 'posted 0.00, pending 5.00 + 30.00, available -5.00', 'both sides of one account side by side');

-- When it ends.
SELECT is((SELECT h.expires_at FROM ledger.holds h WHERE h.id = ledger_hold('assets:bank', 'liabilities:bob', 1)), NULL, 'a hold without expiry has none');
SELECT is((SELECT h.expires_at FROM ledger.holds h WHERE h.id = ledger_hold('assets:bank', 'liabilities:bob', 1, expires_at => '2099-12-31 23:59:59.999999Z')), NULL, 'not visible to the statement that makes it');
SELECT is((SELECT max(expires_at) FROM ledger.holds), '2099-12-31 23:59:59.999999Z'::timestamptz, 'a time is kept to the microsecond');
SELECT t.allowed($$SELECT ledger_hold('assets:bank', 'liabilities:bob', 1, expires_in => '99 years')$$, 'within a hundred years');

-- Many lines, one account on several of them, several currencies.
SELECT ledger_hold(ARRAY[ledger_debit('liabilities:alice', 20), ledger_debit('liabilities:alice', 5), ledger_credit('liabilities:bob', 22.50), ledger_credit('income:fees', 2.50)]) AS hold \gset
SELECT is(t.hold(:'hold'), 'pending: liabilities:alice 20.00 (0.00 captured, 0.00 released), liabilities:alice 5.00 (0.00 captured, 0.00 released), '
          'liabilities:bob -22.50 (0.00 captured, 0.00 released), income:fees -2.50 (0.00 captured, 0.00 released)', 'four lines are one hold');
SELECT is(t.standing('liabilities:alice'), 'posted 100.00, pending 55.00 + 0.00, available 45.00', 'both lines of an account count');
SELECT ledger_hold(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('equity:capital', 10), ledger_debit('assets:yen', 1500), ledger_credit('equity:yen', 1500)]) AS hold \gset
SELECT is(t.standing('equity:yen'), 'posted 0, pending 0 + 1500, available 0', 'each in its own currency');
SELECT is(t.hold(:'hold'), 'pending: assets:bank 10.00 (0.00 captured, 0.00 released), equity:capital -10.00 (0.00 captured, 0.00 released), '
          'assets:yen 1500 (0 captured, 0 released), equity:yen -1500 (0 captured, 0 released)', 'two currencies in one hold');
SELECT ledger_hold(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('assets:bank', 4), ledger_credit('equity:capital', 6)]) \g /dev/null
SELECT t.allowed($$SELECT ledger_hold((SELECT array_agg(l) FROM (SELECT ledger_debit('assets:bank', 1) FROM generate_series(1, 5000) UNION ALL
                   SELECT ledger_credit('equity:capital', 1) FROM generate_series(1, 5000)) AS x (l)))$$, '10,000 lines');

-- Version, reference.
SELECT t.refused($$SELECT ledger_hold('liabilities:alice', 'assets:bank', 1, expected_version => 0)$$, 'LF046 version_conflict', 'another version than expected');
SELECT t.allowed($$SELECT ledger_hold('liabilities:alice', 'assets:bank', 1, expected_version => 1)$$, 'the expected version');
SELECT t.allowed($$SELECT ledger_hold('liabilities:alice', 'assets:bank', 1, expected_version => 1)$$, 'a hold does not change it');
SELECT t.refused($$SELECT ledger_hold('assets:bank', 'equity:capital', 1, reference => 'CARD-1')$$, 'LF028 duplicate_reference', 'references of holds are unique');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 1, reference => 'CARD-1')$$, 'a transaction may have the reference of its hold');

-- In another ledger.
SELECT ledger_create('other') \g /dev/null
SELECT ledger_open_account('a', 'asset', 'USD', ledger => 'other'), ledger_open_account('b', 'equity', 'USD', ledger => 'other') \g /dev/null
SELECT ledger_hold('a', 'b', 5, ledger => 'other') AS hold \gset
SELECT is((SELECT count(*) FROM other.holds), 1::bigint, 'a hold in a ledger that is named');
SELECT is_empty($$SELECT * FROM ledger_verify('other')$$, 'that ledger is well');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
