-- Mode each: every item stands alone, and tells what came of it.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(38);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, 'old key', 'OLD') AS old \gset
SELECT ledger_freeze_account('expenses:rent'), ledger_close_period('2024-01-31Z') \g /dev/null
SELECT ledger_open_account('liabilities:gone', 'liability', 'USD'), ledger_close_account('liabilities:gone') \g /dev/null

CREATE TEMPORARY TABLE request (item serial, debit text, credit text, amount numeric, key text, reference text, description text, effective_at timestamptz, metadata jsonb, status text);
INSERT INTO request (debit, credit, amount, key, reference, description, effective_at, metadata, status) VALUES
    ('liabilities:alice', 'liabilities:bob', 60, 'k1', 'R1', NULL, NULL, NULL, 'posted'),
    ('liabilities:alice', 'liabilities:bob', 60, 'k2', 'R2', NULL, NULL, NULL, 'insufficient_balance'),
    ('liabilities:alice', 'liabilities:bob', 40, 'k3', 'R2', NULL, NULL, NULL, 'posted'),
    (NULL, 'liabilities:bob', 1, NULL, NULL, NULL, NULL, NULL, 'invalid_account_code'),
    ('assets:bank', NULL, 1, NULL, NULL, NULL, NULL, NULL, 'invalid_account_code'),
    ('assets bank', 'liabilities:bob', 1, NULL, NULL, NULL, NULL, NULL, 'invalid_account_code'),
    ('nobody', 'liabilities:bob', 1, NULL, NULL, NULL, NULL, NULL, 'account_not_found'),
    ('assets:bank', 'liabilities:bob', NULL, NULL, NULL, NULL, NULL, NULL, 'invalid_amount'),
    ('assets:bank', 'liabilities:bob', 0, NULL, NULL, NULL, NULL, NULL, 'invalid_amount'),
    ('assets:bank', 'liabilities:bob', -1, NULL, NULL, NULL, NULL, NULL, 'invalid_amount'),
    ('assets:bank', 'liabilities:bob', 'NaN', NULL, NULL, NULL, NULL, NULL, 'invalid_amount'),
    ('assets:bank', 'assets:bank', 1, NULL, NULL, NULL, NULL, NULL, 'same_account'),
    ('assets:bank', 'equity:yen', 1, NULL, NULL, NULL, NULL, NULL, 'currency_mismatch'),
    ('expenses:rent', 'assets:bank', 1, NULL, NULL, NULL, NULL, NULL, 'account_frozen'),
    ('assets:bank', 'liabilities:gone', 1, NULL, NULL, NULL, NULL, NULL, 'account_closed'),
    ('assets:cash', 'equity:capital', 1000.01, NULL, NULL, NULL, NULL, NULL, 'limit_exceeded'),
    ('assets:bank', 'liabilities:bob', 1, '', NULL, NULL, NULL, NULL, 'invalid_idempotency_key'),
    ('assets:bank', 'liabilities:bob', 1, NULL, '', NULL, NULL, NULL, 'invalid_reference'),
    ('assets:bank', 'liabilities:bob', 1, NULL, 'OLD', NULL, NULL, NULL, 'duplicate_reference'),
    ('assets:bank', 'liabilities:bob', 1, NULL, 'R1', NULL, NULL, NULL, 'duplicate_reference'),
    ('assets:bank', 'liabilities:bob', 1, NULL, NULL, repeat('x', 10001), NULL, NULL, 'invalid_description'),
    ('assets:bank', 'liabilities:bob', 1, NULL, NULL, NULL, 'infinity', NULL, 'invalid_effective_at'),
    ('assets:bank', 'liabilities:bob', 1, NULL, NULL, NULL, '2024-01-31Z', NULL, 'period_closed'),
    ('assets:bank', 'liabilities:bob', 1, NULL, NULL, NULL, '2024-02-01Z', NULL, 'posted'),
    ('assets:bank', 'liabilities:bob', 1, NULL, NULL, NULL, NULL, '"text"', 'invalid_metadata'),
    ('assets:bank', 'liabilities:alice', 100, 'old key', 'OLD', NULL, NULL, NULL, 'replayed'),
    ('assets:bank', 'liabilities:alice', 101, 'old key', 'OLD', NULL, NULL, NULL, 'idempotency_conflict'),
    ('assets:bank', 'liabilities:bob', 1, 'k4', NULL, NULL, NULL, '{"a": 1}', 'posted');
CREATE FUNCTION pg_temp.post_requests() RETURNS TABLE (item integer, transaction_id uuid, status text) LANGUAGE sql AS $$
    SELECT b.* FROM (SELECT array_agg(debit ORDER BY r.item) AS debit, array_agg(credit ORDER BY r.item) AS credit, array_agg(amount ORDER BY r.item) AS amount, array_agg(key ORDER BY r.item) AS key,
                            array_agg(reference ORDER BY r.item) AS reference, array_agg(description ORDER BY r.item) AS description, array_agg(effective_at ORDER BY r.item) AS effective_at,
                            array_agg(metadata ORDER BY r.item) AS metadata FROM request r) AS a,
           LATERAL ledger_post_batch(a.debit, a.credit, a.amount, a.key, 'each', a.reference, a.description, a.effective_at, a.metadata) AS b
$$;
CREATE TEMPORARY TABLE answer AS SELECT * FROM pg_temp.post_requests();
SELECT is(a.status, r.status, format('item %s: %s', r.item, r.status)) FROM request r LEFT JOIN answer a USING (item) ORDER BY r.item;
SELECT is((SELECT count(*) FROM answer WHERE (transaction_id IS NOT NULL) <> (status IN ('posted', 'replayed'))), 0::bigint, 'an id where something was posted, and only there');
SELECT is((SELECT transaction_id FROM answer WHERE status = 'replayed'), :'old'::uuid, 'the id of the first posting where a key was used before');
SELECT is((SELECT string_agg(key, ',' ORDER BY key) FROM ledger.idempotency_keys), 'k1,k3,k4,old key', 'refused items leave their keys free');
SELECT is((SELECT count(*) FROM ledger.transactions), 5::bigint, 'nothing else is posted');
SELECT is((SELECT t.lines(transaction_id) FROM answer WHERE item = 3), 'liabilities:alice 40.00, liabilities:bob -40.00', 'items after a refused one go on');
SELECT is(t.figures('liabilities:alice'), '100.00 | 100.00 | 3', 'the refused ones left no trace');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

-- A refused item's texts are not needed: by ids, NULLs and all.
SELECT results_eq($$SELECT item, status FROM ledger_post_batch(ARRAY[NULL, 1, 1]::bigint[], ARRAY[1, NULL, 987654321]::bigint[], '{1,1,1}', mode => 'each')$$,
    $$VALUES (1, 'invalid_account_code'), (2, 'invalid_account_code'), (3, 'account_not_found')$$, 'ids that are NULL or unknown');
SELECT results_eq($$SELECT item, transaction_id, status FROM ledger_post_batch('{nobody}'::text[], '{assets:bank}'::text[], '{1}', mode => 'each')$$, $$VALUES (1, NULL::uuid, 'account_not_found')$$, 'a single refused item raises nothing');
SELECT is(t.verdict(t.attempt($$SELECT * FROM ledger_post_batch('{nobody}'::text[], '{assets:bank}'::text[], '{1}', mode => 'each', ledger => 'none')$$)), 'LF020 ledger_not_found', 'what is wrong with the call itself is an exception');

SELECT * FROM finish();
ROLLBACK;
