-- Linked items stand or fall together: the culprit has its own code, the others linked_failed.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(30);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null

-- "posted,linked_failed,...": the statuses of a batch of transfers "debit>credit amount", a * behind those that are linked.
CREATE FUNCTION pg_temp.chain(items text[], keys text[] DEFAULT NULL, refs text[] DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(b.status, ',' ORDER BY b.item)
      FROM (SELECT array_agg(m[1] ORDER BY n) AS debit, array_agg(m[2] ORDER BY n) AS credit, array_agg(m[3]::numeric ORDER BY n) AS amount, array_agg(m[4] = '*' ORDER BY n) AS linked
              FROM unnest(items) WITH ORDINALITY AS i (item, n), regexp_match(item, '^(.*)>(.*) ([^*]*)(\*?)$') AS m) AS a,
           LATERAL ledger_post_batch(a.debit, a.credit, a.amount, keys, 'each', refs, linked => a.linked) AS b
$$;
SELECT is(pg_temp.chain('{liabilities:alice>liabilities:bob 10*,liabilities:bob>income:fees 1}'), 'posted,posted', 'a chain of two');
SELECT is(ledger_balance('liabilities:alice'), 90.00, 'is posted');
SELECT is(pg_temp.chain('{liabilities:alice>liabilities:bob 10*,liabilities:alice>liabilities:bob 80.01}'), 'linked_failed,insufficient_balance', 'the last one fails');
SELECT is(ledger_balance('liabilities:alice'), 90.00, 'nothing is posted');
SELECT is(pg_temp.chain('{liabilities:alice>liabilities:bob 90.01*,liabilities:alice>liabilities:bob 1}'), 'insufficient_balance,linked_failed', 'the first one fails');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1*,assets:bank>nobody 1*,liabilities:alice>liabilities:bob 1000*,assets:bank>liabilities:bob 1}'), 'linked_failed,account_not_found,linked_failed,linked_failed', 'of several bad ones the first is the culprit');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1*,liabilities:alice>liabilities:bob 1000*,assets:bank>nobody 1}'), 'linked_failed,insufficient_balance,linked_failed', 'in the order of the chain, whatever is wrong');
-- As in TigerBeetle's documentation: A, a chain B C D, E.
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1,assets:bank>liabilities:bob 1*,liabilities:alice>liabilities:bob 1000*,assets:bank>liabilities:bob 1,assets:bank>liabilities:bob 1}'),
    'posted,linked_failed,insufficient_balance,linked_failed,posted', 'items before and after a chain stand alone');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1*,liabilities:alice>liabilities:bob 1000,assets:bank>liabilities:bob 1*,assets:bank>liabilities:bob 1,assets:bank>nobody 1*,assets:bank>liabilities:bob 1}'),
    'linked_failed,insufficient_balance,posted,posted,account_not_found,linked_failed', 'chains are told apart');

-- What a chain sees, and what it leaves.
SELECT is(pg_temp.chain('{liabilities:alice>liabilities:bob 90*,assets:bank>liabilities:alice 5*,liabilities:alice>liabilities:bob 5}'), 'posted,posted,posted', 'items of a chain see those before them');
SELECT is(ledger_balance('liabilities:alice'), 0.00, 'to the cent');
SELECT is(pg_temp.chain('{assets:bank>liabilities:alice 50*,assets:bank>nobody 1,liabilities:alice>liabilities:bob 50}'), 'linked_failed,account_not_found,insufficient_balance', 'what a failed chain brought is not there for those after it');
SELECT is(pg_temp.chain('{assets:bank>liabilities:alice 50,liabilities:alice>liabilities:bob 50*,assets:bank>nobody 1,liabilities:alice>liabilities:bob 50}'), 'posted,linked_failed,account_not_found,posted', 'and what it took is');
SELECT t.figures('liabilities:alice') AS before \gset
SELECT is(pg_temp.chain('{assets:bank>liabilities:alice 1*,liabilities:alice>liabilities:bob 1*,assets:bank>liabilities:alice 1*,liabilities:alice>liabilities:bob 2}'), 'linked_failed,linked_failed,linked_failed,insufficient_balance', 'back and forth');
SELECT is(t.figures('liabilities:alice'), :'before', 'leaves no trace on the account');
SELECT is_empty('SELECT * FROM ledger_verify()', 'nor in the ledger');

-- A chain that is left open.
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1,assets:bank>liabilities:bob 1*}'), 'posted,chain_open', 'the last item is linked to nothing');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1*,assets:bank>liabilities:bob 1*,assets:bank>liabilities:bob 1*}'), 'linked_failed,linked_failed,chain_open', 'the whole chain falls');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1*}'), 'chain_open', 'a batch of one that is linked');
SELECT is(pg_temp.chain('{liabilities:alice>liabilities:bob 1000*,assets:bank>liabilities:bob 1*}'), 'linked_failed,chain_open', 'an open end is the culprit before what the books say');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1*,assets:bank>nobody 1*}'), 'linked_failed,account_not_found', 'unless the open end is bad in itself');

-- Keys and references in chains.
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1*,liabilities:alice>liabilities:bob 1000}', '{c1,c2}', '{r1,r2}'), 'linked_failed,insufficient_balance', 'a failed chain');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 2*,assets:bank>liabilities:bob 3}', '{c1,c2}', '{r1,r2}'), 'posted,posted', 'leaves its keys and references free');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 2*,assets:bank>liabilities:bob 3}', '{c1,c2}', '{r1,r2}'), 'replayed,replayed', 'a chain can be sent again');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 2*,assets:bank>liabilities:bob 4}', '{c1,c2}', '{r1,r2}'), 'linked_failed,idempotency_conflict', 'with another amount it falls, also what was posted before');
SELECT is((SELECT count(*) FROM ledger.transactions WHERE reference IN ('r1', 'r2')), 2::bigint, 'which stays posted');
SELECT is(pg_temp.chain('{assets:bank>liabilities:bob 1*,liabilities:alice>liabilities:bob 1000,assets:bank>liabilities:bob 1}', refs => '{r3,NULL,r3}'), 'linked_failed,insufficient_balance,posted', 'a reference of a failed chain is free for the next item');

-- NULL is not linked.
SELECT results_eq($$SELECT status FROM ledger_post_batch('{assets:bank,assets:bank}'::text[], '{liabilities:bob,nobody}'::text[], '{1,1}', mode => 'each', linked => ARRAY[NULL, NULL]::boolean[])$$,
    $$VALUES ('posted'), ('account_not_found')$$, 'NULL is not linked');
SELECT t.refused($$SELECT * FROM ledger_post_batch('{assets:bank,assets:bank}'::text[], '{liabilities:bob,liabilities:bob}'::text[], '{1,1}', linked => '{true,false}')$$, 'LF015 invalid_argument', 'in mode atomic there are no chains');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
