-- Closing accounts.
BEGIN;
\ir include/books.sql
SELECT plan(18);

SELECT ledger_post('assets:bank', 'liabilities:bob', 10) AS posted, (SELECT id FROM ledger.accounts WHERE code = 'liabilities:bob') AS id \gset
SELECT t.refused($$SELECT ledger_close_account('liabilities:bob')$$, 'LF045 account_not_empty', 'money on it: refused');
SELECT is((t.attempt($$SELECT ledger_close_account('liabilities:bob')$$)).detail, 'Balance 10.00 USD, pending debits 0.00 USD, pending credits 0.00 USD.', 'with the figures');
SELECT ledger_post('liabilities:bob', 'assets:bank', 10) AS posted \gset
SELECT t.allowed($$SELECT ledger_close_account('liabilities:bob', 'left us')$$, 'empty: closed');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'liabilities:bob'), 'closed', 'the status says so');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1)$$, 'LF044 account_closed', 'no credit');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1)$$, 'LF044 account_closed', 'no debit');
SELECT is((t.attempt($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1)$$)).message, 'account "liabilities:bob" is closed', 'it is named');
SELECT t.refused($$SELECT ledger_unfreeze_account('liabilities:bob')$$, 'LF044 account_closed', 'unfreezing does not reopen it');
SELECT t.refused($$SELECT ledger_freeze_account('liabilities:bob')$$, 'LF044 account_closed', 'nor can it be frozen');
SELECT t.allowed($$SELECT ledger_close_account('liabilities:bob')$$, 'closed again: nothing happens');
SELECT results_eq($$SELECT from_value, to_value, reason FROM ledger.account_history ORDER BY id$$,
    $$VALUES ('open', 'closed', 'left us')$$, 'the history tells it once');
SELECT is(ledger_balance('liabilities:bob'), 0.00, 'its balance can be read');
SELECT is(ledger_open_account('liabilities:bob', 'liability', 'USD'), :id::bigint, 'opening it again returns its id');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'liabilities:bob'), 'closed', 'and leaves it closed');
SELECT ledger_freeze_account('liabilities:alice') \g /dev/null
SELECT t.allowed($$SELECT ledger_close_account('liabilities:alice')$$, 'a frozen account can be closed');
SELECT t.refused($$SELECT ledger_close_account('nobody')$$, 'LF023 account_not_found', 'an unknown account');
SELECT t.refused($$SELECT ledger_close_account(NULL)$$, 'LF002 invalid_account_code', 'no account');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
