-- ledger_maintain(): keys are kept for ever, or as long as the ledger says.
BEGIN;
\ir include/books.sql
SELECT plan(17);
SELECT ledger_post('assets:bank', 'equity:capital', 5, 'old') AS old_id, ledger_post('assets:bank', 'equity:capital', 5, 'new') AS new_id \gset
SET LOCAL session_replication_role = replica;
UPDATE ledger.idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old';
SET LOCAL session_replication_role = origin;

SELECT is((ledger_maintain()).keys_deleted, 0::bigint, 'without idempotency_retention nothing is deleted');
SELECT is(ledger_post('assets:bank', 'equity:capital', 5, 'old'), :'old_id'::uuid, 'an old key is answered still');
SELECT t.allowed($$UPDATE ledger.settings SET idempotency_retention = '24 hours'$$, 'a retention of 24 hours');
SELECT is(ledger_post('assets:bank', 'equity:capital', 5, 'old'), :'old_id'::uuid, 'alone does not forget');
SELECT is((ledger_maintain()).keys_deleted, 1::bigint, 'ledger_maintain() deletes what is older, and says how many');
SELECT is((ledger_maintain('ledger')).keys_deleted, 0::bigint, 'once');
SELECT is((SELECT array_agg(key) FROM ledger.idempotency_keys), '{new}', 'younger keys stay');
SELECT is(ledger_post('assets:bank', 'equity:capital', 5, 'new'), :'new_id'::uuid, 'and are answered');
SELECT isnt(ledger_post('assets:bank', 'equity:capital', 5, 'old'), :'old_id'::uuid, 'a forgotten key posts anew');
SELECT is(ledger_balance('assets:bank'), 15.00, 'so it does');
SELECT is((SELECT count(*) FROM ledger.transactions WHERE id = :'old_id'), 1::bigint, 'its first transaction stays');
SELECT t.refused('DELETE FROM ledger.idempotency_keys', 'LF070 immutable_ledger', 'others than ledger_maintain() delete no keys');
SELECT t.refused($$UPDATE ledger.settings SET idempotency_retention = '0'$$, '23514', 'no retention of nothing');
SELECT t.refused($$UPDATE ledger.settings SET idempotency_retention = '-1 day'$$, '23514', 'nor of less');
SELECT t.allowed($$UPDATE ledger.settings SET idempotency_retention = NULL$$, 'for ever again');
SELECT is((ledger_maintain()).keys_deleted, 0::bigint, 'is for ever');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
