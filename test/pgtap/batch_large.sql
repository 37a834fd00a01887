-- 100,000 postings in one call.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(9);
SELECT ledger_open_account('customers:' || n, 'liability', 'USD', min_balance => 0) FROM generate_series(1, 1000) AS n \g /dev/null
SELECT clock_timestamp() AS started \gset
SELECT count(*) AS items, count(DISTINCT transaction_id) AS ids, string_agg(DISTINCT status, ',') AS statuses
  FROM ledger_post_batch((SELECT array_agg('assets:bank'::text) FROM generate_series(1, 100000)), (SELECT array_agg('customers:' || 1 + n % 1000) FROM generate_series(1, 100000) AS n),
                         (SELECT array_agg(n / 100.0) FROM generate_series(1, 100000) AS n)) \gset
SELECT diag(format('100,000 items in %s s', round(extract(epoch FROM clock_timestamp() - :'started'), 1)));
SELECT is(:items, 100000, '100,000 items');
SELECT is(:ids, 100000, 'each is a transaction');
SELECT is(:'statuses'::text, 'posted', 'all posted');
SELECT is(ledger_balance('assets:bank'), 50000500.00, 'to the cent');
SELECT is((SELECT version FROM ledger.balances WHERE account = 'assets:bank'), 100000::bigint, 'every entry counted');
SELECT clock_timestamp() AS started \gset
SELECT string_agg(DISTINCT status, ',') AS statuses
  FROM ledger_post_batch((SELECT array_agg('customers:' || 1 + n % 1000) FROM generate_series(1, 100000) AS n), (SELECT array_agg('customers:' || 1 + (n * 7 + 1) % 1000) FROM generate_series(1, 100000) AS n),
                         (SELECT array_agg(CASE WHEN n % 10 = 0 THEN 1e9 ELSE 1 END) FROM generate_series(1, 100000) AS n), (SELECT array_agg('key ' || n) FROM generate_series(1, 100000) AS n), 'each',
                         linked => (SELECT array_agg(n % 5 <> 0) FROM generate_series(1, 100000) AS n)) \gset
SELECT diag(format('100,000 items with keys, in chains of five, half of them refused, in %s s', round(extract(epoch FROM clock_timestamp() - :'started'), 1)));
SELECT is(:'statuses'::text, 'insufficient_balance,linked_failed,posted', 'chains stand and fall');
SELECT is((SELECT count(*) FROM ledger.idempotency_keys), 50000::bigint, 'the keys of those that stand');
SELECT is((SELECT count(*) FROM ledger.transactions), 150000::bigint, 'half of the second batch is posted');
SELECT clock_timestamp() AS started \gset
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');
SELECT diag(format('verified 150,000 transactions in %s s', round(extract(epoch FROM clock_timestamp() - :'started'), 1)));

SELECT * FROM finish();
ROLLBACK;
