-- Freezing and unfreezing, in each direction.
BEGIN;
\ir include/books.sql
SELECT plan(41);

SELECT ledger_post('liabilities:bob', 'assets:bank', 50) \g /dev/null
-- One direction at a time.
SELECT t.allowed($$SELECT ledger_freeze_account('liabilities:bob', 'debit', 'court order 17')$$, 'freeze debits');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'liabilities:bob'), 'debits_frozen', 'the status says so');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1)$$, 'LF043 account_frozen', 'a debit is refused');
SELECT is((t.attempt($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1)$$)),
          ('LF043', 'account_frozen', 'account "liabilities:bob" is frozen', 'Its status is debits_frozen; the posting debits it.',
           'Unfreeze it with ledger_unfreeze_account().')::t.outcome, 'with account, status and direction');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1)$$, 'a credit is not');
SELECT t.allowed($$SELECT ledger_unfreeze_account('liabilities:bob', 'debit')$$, 'unfreeze debits');
SELECT t.allowed($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1)$$, 'a debit passes again');

SELECT t.allowed($$SELECT ledger_freeze_account('assets:bank', 'credit')$$, 'freeze credits');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'assets:bank'), 'credits_frozen', 'the status says so');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1)$$, 'LF043 account_frozen', 'a credit is refused');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1)$$, 'a debit is not');

-- Both.
SELECT t.allowed($$SELECT ledger_freeze_account('assets:bank', 'debit')$$, 'then debits as well');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'assets:bank'), 'frozen', 'is frozen altogether');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1)$$, 'LF043 account_frozen', 'no credit');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1)$$, 'LF043 account_frozen', 'no debit');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_debit('assets:cash', 3), ledger_credit('equity:capital', 2), ledger_credit('assets:bank', 1)])$$,
                 'LF043 account_frozen', 'not as one line of many');
SELECT t.allowed($$SELECT ledger_unfreeze_account('assets:bank', 'credit')$$, 'one direction taken back');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'assets:bank'), 'debits_frozen', 'leaves the other');
SELECT t.allowed($$SELECT ledger_unfreeze_account('assets:bank')$$, 'both taken back at once');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'assets:bank'), 'open', 'is open');
SELECT t.allowed($$SELECT ledger_freeze_account('assets:bank')$$, 'freezing is in both directions where none is named');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'assets:bank'), 'frozen', 'indeed');
SELECT t.allowed($$SELECT ledger_freeze_account('assets:bank', 'debit')$$, 'freezing what is frozen changes nothing');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'assets:bank'), 'frozen', 'and takes nothing back');
SELECT t.allowed($$SELECT ledger_unfreeze_account('equity:capital')$$, 'unfreezing what is open changes nothing');

-- A frozen account can be read, limited, and its requests repeated.
SELECT ledger_unfreeze_account('assets:bank') \g /dev/null
SELECT ledger_post('assets:bank', 'liabilities:bob', 9, idempotency_key => 'before') AS first_id \gset
SELECT ledger_freeze_account('assets:bank', 'both', 'audit') \g /dev/null
SELECT is(ledger_post('assets:bank', 'liabilities:bob', 9, idempotency_key => 'before'), :'first_id'::uuid, 'a retry is answered all the same');
SELECT is(ledger_balance('assets:bank'), -40.00, 'and the balance read');
SELECT t.allowed($$SELECT ledger_set_limits('assets:bank', -100, NULL)$$, 'and limits set');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'assets:bank'), 'frozen', 'which does not unfreeze it');

SELECT results_eq($$SELECT h.from_value, h.to_value, h.reason FROM ledger.account_history h JOIN ledger.accounts a ON a.id = h.account_id
                     WHERE a.code = 'liabilities:bob' ORDER BY h.id$$,
    $$VALUES ('open', 'debits_frozen', 'court order 17'), ('debits_frozen', 'open', NULL)$$, 'the history tells it');
SELECT is((SELECT count(*) FROM ledger.account_history h JOIN ledger.accounts a ON a.id = h.account_id WHERE a.code = 'equity:capital'),
          0::bigint, 'but not what changed nothing');

SELECT t.refused($$SELECT ledger_freeze_account('assets:bank', 'up')$$, 'LF015 invalid_argument', 'an unknown direction');
SELECT t.refused($$SELECT ledger_freeze_account('assets:bank', NULL)$$, 'LF015 invalid_argument', 'no direction');
SELECT t.refused($$SELECT ledger_unfreeze_account('assets:bank', 'DEBIT')$$, 'LF015 invalid_argument', 'directions are in small letters');
SELECT t.refused($$SELECT ledger_freeze_account('nobody')$$, 'LF023 account_not_found', 'an unknown account');
SELECT t.refused($$SELECT ledger_freeze_account(NULL)$$, 'LF002 invalid_account_code', 'no account');
SELECT t.refused($$SELECT ledger_unfreeze_account('nobody')$$, 'LF023 account_not_found', 'an unknown account to unfreeze');
SELECT t.refused($$SELECT ledger_freeze_account('assets:bank', 'debit', repeat('x', 10001))$$, 'LF010 invalid_description', 'a reason beyond 10,000 bytes');
SELECT is((SELECT string_agg(DISTINCT status, ',' ORDER BY status) FROM ledger.account_balances), 'frozen,open', 'only the frozen one is frozen');
SELECT ledger_unfreeze_account('assets:bank') \g /dev/null
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 9)$$, 'and posts when it is not');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
