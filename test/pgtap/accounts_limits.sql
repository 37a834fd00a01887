-- Floors and ceilings: given at opening, changed later, exact to one minor unit, in the normal sign.
BEGIN;
\ir include/books.sql
SELECT plan(38);

-- Exact to one minor unit, on both kinds of account.
SELECT ledger_post('assets:bank', 'liabilities:alice', 100), ledger_post('assets:cash', 'equity:capital', 100) \g /dev/null
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'assets:bank', 100.01)$$, 'LF040 insufficient_balance', 'a cent below the floor');
SELECT is((t.attempt($$SELECT ledger_post('liabilities:alice', 'assets:bank', 100.01)$$)).detail,
          'Balance 100.00 USD, reserved 0.00 USD, floor 0.00 USD; the posting moves 100.01 USD, and at most 100.00 USD would have passed.', 'with the figures');
SELECT t.allowed($$SELECT ledger_post('liabilities:alice', 'assets:bank', 100)$$, 'all that is there may go');
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'assets:bank', 0.01)$$, 'LF040 insufficient_balance', 'and then nothing more');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:cash', 100.01)$$, 'LF040 insufficient_balance', 'the floor of a debit-normal account');
SELECT t.refused($$SELECT ledger_post('assets:cash', 'equity:capital', 900.01)$$, 'LF041 limit_exceeded', 'a cent above the ceiling');
SELECT is((t.attempt($$SELECT ledger_post('assets:cash', 'equity:capital', 900.01)$$)).detail,
          'Balance 100.00 USD, reserved 0.00 USD, ceiling 1000.00 USD; the posting moves 900.01 USD, and at most 900.00 USD would have passed.', 'with the figures');
SELECT t.allowed($$SELECT ledger_post('assets:cash', 'equity:capital', 900)$$, 'up to the ceiling');
SELECT t.refused($$SELECT ledger_post('assets:cash', 'equity:capital', 0.01)$$, 'LF041 limit_exceeded', 'and no further');
SELECT t.allowed($$SELECT ledger_post('equity:capital', 'assets:cash', 0.01)$$, 'away from a limit is always allowed');

-- Limits hold for what a transaction leaves behind, not for the steps on the way.
SELECT t.allowed($$SELECT ledger_post(ARRAY[ledger_debit('liabilities:alice', 50), ledger_credit('assets:bank', 50),
    ledger_debit('assets:bank', 60), ledger_credit('liabilities:alice', 60)])$$, 'lines that go below the floor on the way');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_credit('liabilities:alice', 50), ledger_debit('assets:bank', 50),
    ledger_credit('assets:bank', 60.01), ledger_debit('liabilities:alice', 60.01)])$$, 'LF040 insufficient_balance', 'lines that end below it');

-- ledger_set_limits.
SELECT t.allowed($$SELECT ledger_set_limits('liabilities:bob', -5, 20, 'agreed overdraft')$$, 'limits can be set');
SELECT results_eq($$SELECT min_balance::text, max_balance::text FROM ledger.balances WHERE account = 'liabilities:bob'$$,
    $$VALUES ('-5.00', '20.00')$$, 'and are kept in the scale of the currency');
SELECT results_eq($$SELECT change, from_value, to_value, reason, changed_by FROM ledger.account_history ORDER BY id$$,
    format($$VALUES ('min_balance', 'none', '-5.00 USD', 'agreed overdraft', %1$L), ('max_balance', 'none', '20.00 USD', 'agreed overdraft', %1$L)$$, current_user),
    'the history says who changed what, and why');
SELECT t.allowed($$SELECT ledger_post('liabilities:bob', 'assets:bank', 5)$$, 'an overdraft up to its floor');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:bank', 0.01)$$, 'LF040 insufficient_balance', 'and no further');
SELECT t.allowed($$SELECT ledger_set_limits('liabilities:bob', -5.00, 20)$$, 'the same limits again');
SELECT is((SELECT count(*) FROM ledger.account_history), 2::bigint, 'write no history');
SELECT t.refused($$SELECT ledger_set_limits('liabilities:bob', -4.99, 20)$$, 'LF040 insufficient_balance', 'a floor that the account breaks already');
SELECT t.refused($$SELECT ledger_set_limits('assets:cash', 0, 999)$$, 'LF041 limit_exceeded', 'a ceiling that it breaks already');
SELECT is((t.attempt($$SELECT ledger_set_limits('liabilities:bob', -4.99, 20)$$)).detail, 'Available -5.00 USD, new floor -4.99 USD.', 'with the figures');
SELECT t.allowed($$SELECT ledger_set_limits('liabilities:bob', NULL, NULL)$$, 'NULL takes both away');
SELECT t.allowed($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1000000)$$, 'and then there are none');
SELECT t.allowed($$SELECT ledger_set_limits('assets:yen', 5 - 5, 0)$$, 'floor and ceiling may meet');
SELECT t.refused($$SELECT ledger_post('assets:yen', 'equity:yen', 1)$$, 'LF041 limit_exceeded', 'the least amount of yen');

-- Limits that are none.
SELECT t.refused(format('SELECT ledger_set_limits(%L, %s, %s)', account, floor, ceiling), 'LF013 invalid_limits', why)
  FROM (VALUES ('assets:bank', '2', '1', 'a floor above the ceiling'), ('assets:bank', '0.001', 'NULL', 'a floor with too many decimals'),
               ('assets:yen', '0', '0.5', 'half a yen'), ('assets:bank', '''NaN''', 'NULL', 'not a number'),
               ('assets:bank', 'NULL', '''Infinity''', 'an infinity'), ('assets:bank', '-1e37', 'NULL', 'a number without room'),
               ('assets:bank', '-1e1000', 'NULL', 'a number beyond all bounds')) AS x (account, floor, ceiling, why);
SELECT t.refused($$SELECT ledger_open_account('n', 'asset', 'USD', min_balance => 2, max_balance => 1)$$, 'LF013 invalid_limits', 'the same at opening');
SELECT t.refused($$SELECT ledger_open_account('n', 'asset', 'USD', min_balance => 0.001)$$, 'LF013 invalid_limits', 'with decimals too');
SELECT t.refused($$SELECT ledger_set_limits('nobody', 0, 1)$$, 'LF023 account_not_found', 'an unknown account');
SELECT t.refused($$SELECT ledger_set_limits(NULL, 0, 1)$$, 'LF002 invalid_account_code', 'no account');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
