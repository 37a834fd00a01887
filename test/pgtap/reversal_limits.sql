-- Reversals are postings: limits, freezes and periods hold for them; an operator may set limits aside, on record.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(29);
CREATE ROLE clerk; CREATE ROLE boss;
SELECT ledger_grant('clerk', 'poster'), ledger_grant('boss', 'operator') \g /dev/null

SELECT ledger_post('assets:bank', 'liabilities:alice', 100) AS id \gset
SELECT ledger_post('liabilities:alice', 'liabilities:bob', 70) AS spent \gset
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'id'), 'LF040 insufficient_balance', 'what is spent cannot be taken back');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'id'), 'LF040 insufficient_balance', 'not by a clerk', 'clerk');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'id'), 'LF040 insufficient_balance', 'nor by an operator who does not ask for force', 'boss');
SELECT t.refused(format('SELECT ledger_reverse(%L, force => true)', :'id'), '42501', 'a clerk has no force', 'clerk');
SELECT t.allowed(format('SELECT ledger_reverse(%L, amount => 30)', :'id'), 'what is there can', 'clerk');
SELECT t.allowed(format('SELECT ledger_reverse(%L, %L, force => true)', :'id', 'fraud'), 'an operator takes the rest by force', 'boss');
SELECT id AS forced FROM ledger.transactions ORDER BY id DESC LIMIT 1 \gset
SELECT is(t.standing('liabilities:alice'), 'posted -70.00, pending 0.00 + 0.00, available -70.00', 'below the floor');
SELECT results_eq(format('SELECT from_status, to_status, changed_by, reason FROM ledger.transaction_history WHERE transaction_id = %L', :'forced'),
    $$VALUES (NULL, 'forced', 'boss', 'limits of the accounts were not held')$$, 'which is recorded');
SELECT is((SELECT string_agg(is_forced::text, ',' ORDER BY reversed_by) FROM ledger.reversals WHERE transaction_id = :'id'), 'false,true', 'and visible');
SELECT is_empty('SELECT * FROM ledger_verify()', 'ledger_verify() knows that it was forced');
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'assets:bank', 0.01)$$, 'LF040 insufficient_balance', 'the floor holds for the next posting');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:alice', 1)$$, 'money can come back');

-- A ceiling.
SELECT ledger_post('assets:cash', 'equity:capital', 500) AS a \gset
SELECT ledger_post('equity:capital', 'assets:cash', 400) AS b, ledger_post('assets:cash', 'equity:capital', 900) AS c \gset
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'b'), 'LF041 limit_exceeded', 'a reversal above a ceiling');
SELECT t.allowed(format('SELECT ledger_reverse(%L, force => true)', :'b'), 'by force');
SELECT t.allowed(format('SELECT ledger_reverse(%L, force => true)', :'a'), 'force where none is needed');
SELECT is((SELECT count(*) FROM ledger.transaction_history WHERE to_status = 'forced'), 3::bigint, 'is recorded as well');

-- What is reserved is not taken back.
SELECT ledger_open_account('liabilities:carol', 'liability', 'USD', min_balance => 0) \g /dev/null
SELECT ledger_post('assets:bank', 'liabilities:carol', 100) AS id \gset
SELECT ledger_hold('liabilities:carol', 'liabilities:bob', 60) AS hold \gset
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 40.01)', :'id'), 'LF040 insufficient_balance', 'a reversal of what is reserved');
SELECT t.allowed(format('SELECT ledger_reverse(%L, amount => 40)', :'id'), 'up to what is available');
SELECT t.allowed(format('SELECT ledger_reverse(%L, force => true)', :'id'), 'by force all');
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'hold'), 'and the hold can be captured all the same');
SELECT is(t.standing('liabilities:carol'), 'posted -60.00, pending 0.00 + 0.00, available -60.00', 'the account is short by what was forced');

-- Freezing is not set aside.
SELECT ledger_post('assets:bank', 'liabilities:bob', 10) AS id \gset
SELECT ledger_freeze_account('liabilities:bob', 'debit') \g /dev/null
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'id'), 'LF043 account_frozen', 'a frozen account');
SELECT t.refused(format('SELECT ledger_reverse(%L, force => true)', :'id'), 'LF043 account_frozen', 'by force as well');
SELECT ledger_unfreeze_account('liabilities:bob'), ledger_freeze_account('liabilities:bob', 'credit') \g /dev/null
SELECT t.allowed(format('SELECT ledger_reverse(%L)', :'id'), 'frozen in the other direction');
SELECT ledger_open_account('liabilities:dora', 'liability', 'USD') \g /dev/null
SELECT ledger_post('assets:bank', 'liabilities:dora', 10) AS id \gset
SELECT ledger_post('liabilities:dora', 'assets:bank', 10), ledger_close_account('liabilities:dora') \g /dev/null
SELECT t.refused(format('SELECT ledger_reverse(%L, force => true)', :'id'), 'LF044 account_closed', 'a closed account');

-- The capture of a hold can be reversed like any transaction: that is a refund.
SELECT ledger_unfreeze_account('liabilities:bob') \g /dev/null
SELECT ledger_hold('assets:bank', 'liabilities:bob', 10) AS hold \gset
SELECT ledger_capture(:'hold', 8) AS capture \gset
SELECT ledger_reverse(:'capture', 'refund', 3) AS refund \gset
SELECT is(t.lines(:'refund'), 'assets:bank -3.00, liabilities:bob 3.00', 'a part of a capture, reversed');
SELECT is((SELECT status FROM ledger.holds WHERE id = :'hold'), 'captured', 'the hold stays captured');
SELECT is((SELECT count(*) FROM ledger.transactions WHERE hold = :'hold'), 1::bigint, 'the refund is not a capture');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
