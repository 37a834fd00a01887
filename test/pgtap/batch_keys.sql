-- Keys in batches: a batch can be sent again, as a whole or in part, and a key counts once inside it too.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(23);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null
CREATE FUNCTION pg_temp.batch(amounts numeric[], keys text[], mode text DEFAULT 'atomic') RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(b.status, ',' ORDER BY b.item)
      FROM ledger_post_batch(array_fill('liabilities:alice'::text, ARRAY[cardinality(amounts)]), array_fill('liabilities:bob'::text, ARRAY[cardinality(amounts)]), amounts, keys, mode) AS b
$$;
SELECT is(pg_temp.batch('{1,2,3}', '{a,b,c}'), 'posted,posted,posted', 'three keys');
SELECT t.fingerprint() AS before \gset
SELECT is(pg_temp.batch('{1,2,3}', '{a,b,c}'), 'replayed,replayed,replayed', 'the whole batch again');
SELECT is(pg_temp.batch('{3,1,2}', '{c,a,b}'), 'replayed,replayed,replayed', 'in another order');
SELECT is(pg_temp.batch('{1,2,3}', '{a,b,c}', 'each'), 'replayed,replayed,replayed', 'in the other mode');
SELECT is(t.fingerprint(), :'before', 'and nothing is written');
SELECT is((SELECT array_agg(transaction_id ORDER BY item) FROM ledger_post_batch('{liabilities:alice,liabilities:alice}'::text[], '{liabilities:bob,liabilities:bob}'::text[], '{2,1}', '{b,a}')),
          (SELECT array_agg(transaction_id ORDER BY key DESC) FROM ledger.idempotency_keys WHERE key IN ('a', 'b')), 'with the ids of the first time');
SELECT is(ledger_post('liabilities:alice', 'liabilities:bob', 2, 'b'), (SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'b'), 'a single posting under a key of a batch');
SELECT is(pg_temp.batch('{1,4,3}', '{a,d,c}'), 'replayed,posted,replayed', 'old and new');
SELECT t.refused($$SELECT pg_temp.batch('{1,5,7}', '{a,e,c}')$$, 'LF047 idempotency_conflict', 'atomic: one conflict, and none is posted');
SELECT is((t.attempt($$SELECT pg_temp.batch('{1,5,7}', '{a,e,c}')$$)).message, 'item 3: idempotency key "c" was used for a different request: amount differs', 'the item and the field are named');
SELECT is(pg_temp.batch('{1,5,7}', '{a,e,c}', 'each'), 'replayed,posted,idempotency_conflict', 'each: the others go on');
SELECT is(pg_temp.batch('{1,1,1}', '{NULL,f,NULL}'), 'posted,posted,posted', 'keys that are NULL are none');
SELECT is(pg_temp.batch('{1,1}', NULL), 'posted,posted', 'or no keys at all');

-- The same key twice in one batch.
SELECT t.figures('liabilities:alice') AS before \gset
SELECT is(pg_temp.batch('{1,1,1}', '{g,g,g}'), 'posted,replayed,replayed', 'the first is posted, the others answered from it');
SELECT is((SELECT count(DISTINCT transaction_id) FROM ledger_post_batch('{liabilities:alice,liabilities:alice}'::text[], '{liabilities:bob,liabilities:bob}'::text[], '{1,1}', '{h,h}')), 1::bigint, 'with one id');
SELECT t.refused($$SELECT pg_temp.batch('{1,2}', '{i,i}')$$, 'LF047 idempotency_conflict', 'atomic: another request under it is a conflict');
SELECT is(pg_temp.batch('{1,2,1}', '{i,i,i}', 'each'), 'posted,idempotency_conflict,replayed', 'each: the same');
SELECT is(pg_temp.batch('{1000,1000}', '{j,j}', 'each'), 'insufficient_balance,insufficient_balance', 'a refused request is refused again');
SELECT is(pg_temp.batch('{1}', '{j}', 'each'), 'posted', 'and its key is free');
SELECT is(pg_temp.batch('{0,1}', '{k,k}', 'each'), 'invalid_amount,posted', 'a bad request takes no key at all');

-- Keys of other operations.
SELECT ledger_hold('assets:bank', 'liabilities:bob', 5, 'held') AS hold \gset
SELECT is(pg_temp.batch('{5}', '{held}', 'each'), 'idempotency_conflict', 'the key of a hold');
SELECT ledger_capture(:'hold', idempotency_key => 'captured') \g /dev/null
SELECT is((SELECT status FROM ledger_post_batch('{assets:bank}'::text[], '{liabilities:bob}'::text[], '{5}', '{captured}', 'each')), 'idempotency_conflict', 'or of a capture that looks the same');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
