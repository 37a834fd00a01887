-- Giving a hold back, and raising it.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(30);

SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30) AS hold \gset
SELECT t.allowed(format('SELECT ledger_release(%L, %L)', :'hold', 'cancelled'), 'release');
SELECT is(t.standing('liabilities:alice'), 'posted 100.00, pending 0.00 + 0.00, available 100.00', 'all is available again');
SELECT is(t.standing('liabilities:bob'), 'posted 0.00, pending 0.00 + 0.00, available 0.00', 'nothing is coming');
SELECT is(t.hold(:'hold'), 'released: liabilities:alice 30.00 (0.00 captured, 30.00 released), liabilities:bob -30.00 (0.00 captured, 30.00 released)', 'the hold is released');
SELECT is((SELECT count(*) FROM ledger.transactions), 1::bigint, 'nothing is posted');
SELECT is((SELECT reason FROM ledger.transaction_history WHERE transaction_id = :'hold' AND to_status = 'released'), 'cancelled', 'with the reason');
SELECT t.refused(format('SELECT ledger_release(%L)', :'hold'), 'LF061 hold_not_pending', 'not twice');
SELECT t.refused(format('SELECT ledger_capture(%L)', :'hold'), 'LF061 hold_not_pending', 'nor captured afterwards');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 1)', :'hold'), 'LF061 hold_not_pending', 'nor raised');

-- After a part was captured.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30) AS hold \gset
SELECT ledger_capture(:'hold', 10, final => false), ledger_release(:'hold') \g /dev/null
SELECT is(t.hold(:'hold'), 'released: liabilities:alice 30.00 (10.00 captured, 20.00 released), liabilities:bob -30.00 (10.00 captured, 20.00 released)', 'the rest is released');
SELECT is(t.standing('liabilities:alice'), 'posted 90.00, pending 0.00 + 0.00, available 90.00', 'what was captured stays posted');

-- Raising, by an amount.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30) AS hold \gset
SELECT t.allowed(format('SELECT ledger_raise_hold(%L, 20)', :'hold'), 'raise by an amount');
SELECT is(t.hold(:'hold'), 'pending: liabilities:alice 50.00 (0.00 captured, 0.00 released), liabilities:bob -50.00 (0.00 captured, 0.00 released)', 'both lines grow');
SELECT is(t.standing('liabilities:alice'), 'posted 90.00, pending 50.00 + 0.00, available 40.00', 'and the reservation');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 40.01)', :'hold'), 'LF040 insufficient_balance', 'not below the floor');
SELECT t.allowed(format('SELECT ledger_raise_hold(%L, 40)', :'hold'), 'down to the floor');
SELECT ledger_capture(:'hold', 60, final => false) \g /dev/null
SELECT is(t.standing('liabilities:alice'), 'posted 30.00, pending 30.00 + 0.00, available 0.00', 'more can be captured than was held at first');
SELECT ledger_post('assets:bank', 'liabilities:alice', 5) \g /dev/null
SELECT t.allowed(format('SELECT ledger_raise_hold(%L, 5)', :'hold'), 'raise after a part was captured');
SELECT ledger_capture(:'hold') AS id \gset
SELECT is(t.lines(:'id'), 'liabilities:alice 35.00, liabilities:bob -35.00', 'captured to the end');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 1)', :'hold'), 'LF061 hold_not_pending', 'a captured hold is raised no more');

-- By lines.
SELECT ledger_hold(ARRAY[ledger_debit('assets:bank', 100), ledger_credit('liabilities:bob', 90), ledger_credit('income:fees', 10)]) AS hold \gset
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 5)', :'hold'), 'LF015 invalid_argument', 'an amount does not tell how to divide three lines');
SELECT t.allowed(format($$SELECT ledger_raise_hold(%L, lines => ARRAY[ledger_debit('assets:bank', 10), ledger_credit('income:fees', 10)])$$, :'hold'), 'raise by lines');
SELECT is(t.hold(:'hold'), 'pending: assets:bank 110.00 (0.00 captured, 0.00 released), liabilities:bob -90.00 (0.00 captured, 0.00 released), income:fees -20.00 (0.00 captured, 0.00 released)', 'those that are named grow');
SELECT t.refused(format($$SELECT ledger_raise_hold(%L, lines => ARRAY[ledger_debit('assets:bank', 10), ledger_credit('equity:capital', 10)])$$, :'hold'), 'LF018 reversal_mismatch', 'no new accounts');
SELECT t.refused(format($$SELECT ledger_raise_hold(%L, lines => ARRAY[ledger_credit('assets:bank', 10), ledger_debit('income:fees', 10)])$$, :'hold'), 'LF018 reversal_mismatch', 'no other side');
SELECT t.refused(format($$SELECT ledger_raise_hold(%L, lines => ARRAY[ledger_debit('assets:bank', 10), ledger_credit('income:fees', 9)])$$, :'hold'), 'LF006 unbalanced_transaction', 'nor lines that do not balance');
SELECT ledger_freeze_account('income:fees', 'credit') \g /dev/null
SELECT t.refused(format($$SELECT ledger_raise_hold(%L, lines => ARRAY[ledger_debit('assets:bank', 10), ledger_credit('income:fees', 10)])$$, :'hold'), 'LF043 account_frozen', 'not on a frozen account');
SELECT t.allowed(format($$SELECT ledger_raise_hold(%L, lines => ARRAY[ledger_debit('assets:bank', 10), ledger_credit('liabilities:bob', 10)])$$, :'hold'), 'the others can be raised');
SELECT ledger_release(:'hold') \g /dev/null
SELECT is(t.standing('income:fees'), 'posted 0.00, pending 0.00 + 0.00, available 0.00', 'a release gives back what was added, on a frozen account too');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
