-- A read-only transaction reads and does not write.
BEGIN;
\ir include/books.sql
SELECT plan(14);
SELECT ledger_post('assets:bank', 'equity:capital', 7) \g /dev/null
SAVEPOINT writable;
SET LOCAL transaction_read_only = on;
SELECT t.verdict(t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 1)$$)) AS post,
       t.verdict(t.attempt($$SELECT post_transfer('assets:bank', 'equity:capital', 1)$$)) AS transfer,
       t.verdict(t.attempt($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 1), ledger_credit('equity:capital', 1)])$$)) AS lines,
       t.verdict(t.attempt($$SELECT ledger_open_account('n', 'asset', 'USD')$$)) AS open,
       t.verdict(t.attempt($$SELECT ledger_set_limits('assets:bank', 0, 1)$$)) AS limits,
       t.verdict(t.attempt($$SELECT ledger_freeze_account('assets:bank')$$)) AS freeze,
       t.verdict(t.attempt($$SELECT ledger_create('other')$$)) AS create,
       t.verdict(t.attempt($$SELECT ledger_maintain()$$)) AS maintain,
       t.verdict(t.attempt($$SELECT ledger_upgrade()$$)) AS upgrade,
       (t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 1)$$)).message AS message,
       ledger_balance('assets:bank') AS balance, ledger_available('assets:bank') AS available,
       (SELECT count(*) FROM ledger_trial_balance()) AS accounts, (SELECT count(*) FROM ledger_verify()) AS findings \gset
ROLLBACK TO writable;
SELECT is(:'post'::text, '25006', 'no ledger_post');
SELECT is(:'transfer'::text, '25006', 'no post_transfer');
SELECT is(:'lines'::text, '25006', 'no ledger_post of lines');
SELECT is(:'open'::text, '25006', 'no new account');
SELECT is(:'limits'::text, '25006', 'no limits');
SELECT is(:'freeze'::text, '25006', 'no freeze');
SELECT is(:'create'::text, '25006', 'no ledger');
SELECT is(:'maintain'::text, '25006', 'no maintenance');
SELECT is(:'upgrade'::text, '25006', 'no upgrade');
SELECT is(:'message'::text, 'cannot execute ledger_post() in a read-only transaction', 'the function is named');
SELECT is(:'balance'::text, '7.00', 'balances are read');
SELECT is(:'available'::text, '7.00', 'and what is available');
SELECT is(:'accounts'::text, '11', 'and the trial balance');
SELECT is(:'findings'::text, '0', 'and the ledger verified');
SELECT * FROM finish();
ROLLBACK;
