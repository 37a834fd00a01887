-- Floors and ceilings: what is reserved counts, what is coming does not help, and captures never break them.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(39);
SELECT ledger_open_account('liabilities:vault', 'liability', 'USD', min_balance => 0, max_balance => 100) \g /dev/null
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null

-- A floor, on a credit-normal account.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 60) AS hold \gset
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'liabilities:bob', 40.01)$$, 'LF040 insufficient_balance', 'a posting cannot take what is reserved');
SELECT is((t.attempt($$SELECT ledger_post('liabilities:alice', 'liabilities:bob', 40.01)$$)).detail,
          'Balance 100.00 USD, reserved 60.00 USD, floor 0.00 USD; the posting moves 40.01 USD, and at most 40.00 USD would have passed.', 'with all figures');
SELECT t.refused($$SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 40.01)$$, 'LF040 insufficient_balance', 'nor another hold');
SELECT ledger_hold('assets:bank', 'liabilities:alice', 500) AS coming \gset
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'liabilities:bob', 40.01)$$, 'LF040 insufficient_balance', 'what is coming does not help a posting');
SELECT t.refused($$SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 40.01)$$, 'LF040 insufficient_balance', 'nor a hold');
SELECT is(ledger_available('liabilities:alice'), 40.00, 'nor what is available');
SELECT t.allowed($$SELECT ledger_post('liabilities:alice', 'liabilities:bob', 40)$$, 'all that is available can go');
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'hold'), 'and the hold be captured');
SELECT is(t.standing('liabilities:alice'), 'posted 0.00, pending 0.00 + 500.00, available 0.00', 'to the floor');
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'coming'), 'what was coming comes');
SELECT is(ledger_available('liabilities:alice'), 500.00, 'and is available then');

-- A floor and a ceiling, on a debit-normal account: assets:cash, from 0 to 1000.
SELECT ledger_post('assets:cash', 'equity:capital', 900) \g /dev/null
SELECT ledger_hold('assets:cash', 'equity:capital', 80) AS hold \gset
SELECT t.refused($$SELECT ledger_post('assets:cash', 'equity:capital', 20.01)$$, 'LF041 limit_exceeded', 'what is reserved to come counts against a ceiling');
SELECT is((t.attempt($$SELECT ledger_post('assets:cash', 'equity:capital', 20.01)$$)).detail,
          'Balance 900.00 USD, reserved 80.00 USD, ceiling 1000.00 USD; the posting moves 20.01 USD, and at most 20.00 USD would have passed.', 'with all figures');
SELECT t.refused($$SELECT ledger_hold('assets:cash', 'equity:capital', 20.01)$$, 'LF041 limit_exceeded', 'for a hold as well');
SELECT ledger_hold('equity:capital', 'assets:cash', 500) AS leaving \gset
SELECT t.refused($$SELECT ledger_post('assets:cash', 'equity:capital', 20.01)$$, 'LF041 limit_exceeded', 'what is to leave does not help against a ceiling');
SELECT t.refused($$SELECT ledger_post('equity:capital', 'assets:cash', 400.01)$$, 'LF040 insufficient_balance', 'and is gone for the floor');
SELECT t.allowed($$SELECT ledger_post('assets:cash', 'equity:capital', 20)$$, 'up to the ceiling');
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'hold'), 'the hold can be captured at the ceiling');
SELECT is(t.standing('assets:cash'), 'posted 1000.00, pending 0.00 + 500.00, available 500.00', 'the figures');
SELECT t.allowed(format('SELECT ledger_release(%L)', :'leaving'), 'a release breaks nothing');

-- Both at once, on an account with a ceiling, in parts.
SELECT ledger_hold('assets:bank', 'liabilities:vault', 100) AS hold \gset
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 0.01)', :'hold'), 'LF041 limit_exceeded', 'a raise is held against the ceiling');
SELECT ledger_capture(:'hold', 30, final => false) \g /dev/null
SELECT t.refused($$SELECT ledger_post('assets:bank', 'liabilities:vault', 0.01)$$, 'LF041 limit_exceeded', 'a part captured, the rest still counted');
SELECT ledger_capture(:'hold', 50) \g /dev/null
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:vault', 20)$$, 'the rest given back makes room');

-- Limits are set against what is reserved, too.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 450) AS hold \gset
SELECT t.refused($$SELECT ledger_set_limits('liabilities:alice', 51)$$, 'LF040 insufficient_balance', 'a floor above what is available');
SELECT t.allowed($$SELECT ledger_set_limits('liabilities:alice', 50)$$, 'a floor at what is available');
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'liabilities:bob', 0.01)$$, 'LF040 insufficient_balance', 'holds at once');
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'hold'), 'and the hold can still be captured');
SELECT is(t.standing('liabilities:alice'), 'posted 50.00, pending 0.00 + 0.00, available 50.00', 'to the new floor');
SELECT ledger_hold('assets:bank', 'liabilities:alice', 50) AS hold \gset
SELECT t.refused($$SELECT ledger_set_limits('liabilities:alice', 0, 99.99)$$, 'LF041 limit_exceeded', 'a ceiling below what is coming');
SELECT t.allowed($$SELECT ledger_set_limits('liabilities:alice', 0, 100)$$, 'a ceiling at it');

-- One account on both sides of a hold: each side is held against its own limit.
SELECT ledger_open_account('liabilities:carol', 'liability', 'USD', min_balance => 0) \g /dev/null
SELECT t.refused($$SELECT ledger_hold(ARRAY[ledger_debit('liabilities:carol', 5), ledger_credit('liabilities:carol', 10), ledger_debit('assets:bank', 5)])$$, 'LF040 insufficient_balance',
                 'what comes by the same hold does not help');
SELECT t.allowed($$SELECT ledger_post(ARRAY[ledger_debit('liabilities:carol', 5), ledger_credit('liabilities:carol', 10), ledger_debit('assets:bank', 5)])$$, 'where the same posting is only seen at its end');

-- Totals stay within 38 digits, what is pending counted.
INSERT INTO ledger.currencies (code, scale) VALUES ('SAT', 8);
SELECT ledger_open_account('a:big', 'asset', 'SAT'), ledger_open_account('e:big', 'equity', 'SAT') \g /dev/null
SELECT t.allowed($$SELECT ledger_hold('a:big', 'e:big', 999999999999999999999999999999)$$, 'as much as 38 digits hold');
SELECT t.refused($$SELECT ledger_hold('a:big', 'e:big', 1)$$, 'LF042 balance_out_of_range', 'more can be reserved no more');
SELECT t.refused($$SELECT ledger_post('a:big', 'e:big', 1)$$, 'LF042 balance_out_of_range', 'nor posted');
SELECT t.allowed($$SELECT ledger_post('e:big', 'a:big', 1)$$, 'but in the other direction');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 1)', (SELECT hold_id FROM ledger.hold_lines WHERE amount > 1e20)), 'LF042 balance_out_of_range', 'nor raised');
SELECT t.allowed(format('SELECT ledger_capture(%L)', (SELECT hold_id FROM ledger.hold_lines WHERE amount > 1e20)), 'captured');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
