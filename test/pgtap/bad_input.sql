-- Requests that no ledger takes: each is refused with its own error and changes nothing.
BEGIN;
\ir include/books.sql
SELECT plan(77);
SELECT ledger_post('assets:bank', 'equity:capital', 1000), ledger_post('assets:bank', 'liabilities:alice', 100, 'used', 'REF') \g /dev/null

-- Amounts, between two accounts and as lines.
SELECT t.refused(format(request, amount), 'LF001 invalid_amount', why || form)
  FROM (VALUES ($$SELECT ledger_post('assets:bank', 'income:fees', %s)$$, ''),
               ($$SELECT ledger_post(ARRAY[('assets:bank', %s), ('income:fees', -1)]::ledger_line[])$$, ', as a line')) AS y (request, form),
       (VALUES ('0', 'amount 0'), ('0.000', '0.000'), ('NULL::numeric', 'NULL'), ('''NaN''::numeric', 'NaN'), ('''Infinity''::numeric', 'Infinity'),
               ('''-Infinity''::numeric', '-Infinity'), ('0.001', 'too many decimals'), ('10.005', 'half a cent'), ('1e-200', '1e-200'),
               ('1e30', '1e30'), ('1e37', '1e37'), ('1e38', '1e38'), ('1e200', '1e200'), ('1e10000', '1e10000'), ('-1e200', '-1e200'),
               ('1e-16383', 'the smallest numeric'), ('(repeat(''9'', 131072) || ''.'' || repeat(''9'', 16383))::numeric', 'the longest numeric'),
               ('1.00000000000000000000000000000000000000000000000001', 'a decimal far out')) AS x (amount, why);
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', -1)$$, 'LF001 invalid_amount', 'a negative amount');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', -0.01)$$, 'LF001 invalid_amount', 'a negative cent');
SELECT t.refused($$SELECT ledger_post('assets:yen', 'equity:yen', 1.5)$$, 'LF001 invalid_amount', 'one and a half yen');
SELECT t.refused($$SELECT ledger_post('assets:dinar', 'equity:dinar', 1.0005)$$, 'LF001 invalid_amount', 'half a fils');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 1e30::float8::numeric)$$, 'LF001 invalid_amount', '1e30 from a float');
SELECT is(t.attempt($$SELECT ledger_post('assets:bank', 'income:fees', 0.001)$$),
          ('LF001', 'invalid_amount', 'amount 0.001 has too many decimals for USD', 'USD has 2 decimals; amounts are never rounded.',
           'Send a positive amount with no more decimals than the currency has, below 10^30 and of at most 38 digits in minor units.')::t.outcome, 'the message names amount and currency');

-- Accounts.
SELECT t.refused(format('SELECT ledger_post(%L, %L, 1)', code, 'income:fees'), error, why)
  FROM (VALUES (NULL, 'LF002 invalid_account_code', 'no account'), ('', 'LF002 invalid_account_code', 'an empty account'),
               ('assets:bnak', 'LF023 account_not_found', 'an unknown account'), ('Assets:Bank', 'LF023 account_not_found', 'another case'),
               ('assets', 'LF023 account_not_found', 'a part of a code'), ('assets:bank ', 'LF002 invalid_account_code', 'a space behind'),
               ('assets:''bank', 'LF002 invalid_account_code', 'a quote'), ('assets:bänk', 'LF002 invalid_account_code', 'an umlaut'),
               (repeat('x', 10000), 'LF002 invalid_account_code', '10,000 characters'), (repeat('x', 255), 'LF023 account_not_found', '255 characters'),
               ('income:fees', 'LF003 same_account', 'the same account on both sides')) AS x (code, error, why);
SELECT t.refused($$SELECT ledger_post('assets:bank', NULL, 1)$$, 'LF002 invalid_account_code', 'no account to credit');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'nobody', 1)$$, 'LF023 account_not_found', 'an unknown account to credit');
SELECT t.refused($$SELECT ledger_post(ARRAY[(NULL, 1), ('income:fees', -1)]::ledger_line[])$$, 'LF002 invalid_account_code', 'a line without account');
SELECT t.refused($$SELECT ledger_post(ARRAY[('assets:bank', 1), ('assets:bank', -1)]::ledger_line[])$$, 'LF003 same_account', 'two lines on one account');
SELECT t.refused($$SELECT ledger_post(ARRAY[('assets:bank', 1), ('assets:bank', 1), ('assets:bank', -2)]::ledger_line[])$$, 'LF003 same_account', 'three lines on one account');
SELECT is((t.attempt($$SELECT ledger_post('assets:bank', 'nobody', 1)$$)).message, 'account "nobody" does not exist', 'the missing account is named');

-- Lines that do not cancel out.
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 0.99)])$$, 'LF006 unbalanced_transaction', 'a cent is missing');
SELECT is((t.attempt($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 0.99)])$$)).detail, 'In USD debits less credits is 0.01.', 'the difference is told');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 1), ledger_debit('income:fees', 1)])$$, 'LF006 unbalanced_transaction', 'two debits');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 100), ledger_credit('equity:yen', 100)])$$, 'LF007 currency_mismatch', 'currencies that balance only in total');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:yen', 100)$$, 'LF007 currency_mismatch', 'two accounts of two currencies');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 100), ledger_credit('income:fees', 100), ledger_debit('assets:yen', 5), ledger_credit('equity:yen', 6)])$$,
                 'LF006 unbalanced_transaction', 'one currency balances, the other does not');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_debit('assets:yen', 999999999999999999999999999999), ledger_debit('assets:yen', 999999999999999999999999999999), ledger_credit('equity:yen', 1)])$$,
                 'LF006 unbalanced_transaction', 'sums of great amounts');

-- Keys.
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 1, '')$$, 'LF008 invalid_idempotency_key', 'an empty key');
SELECT t.refused(format($$SELECT ledger_post('assets:bank', 'income:fees', 1, %L)$$, repeat('k', 256)), 'LF008 invalid_idempotency_key', 'a key of 256 bytes');
SELECT t.refused(format($$SELECT ledger_post('assets:bank', 'income:fees', 1, %L)$$, repeat('k', 1000000)), 'LF008 invalid_idempotency_key', 'of a million');
SELECT t.refused(format($$SELECT ledger_post('assets:bank', 'income:fees', 1, %L)$$, repeat('ä', 128)), 'LF008 invalid_idempotency_key', 'of 128 characters in 256 bytes');

-- Where and when.
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 1, ledger => 'none')$$, 'LF020 ledger_not_found', 'a ledger that does not exist');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 1, ledger => 'public')$$, 'LF020 ledger_not_found', 'a schema that is not a ledger');
SELECT t.refused($$SELECT ledger_balance(NULL)$$, 'LF002 invalid_account_code', 'the balance of NULL');
SELECT t.refused($$SELECT ledger_balance('nobody')$$, 'LF023 account_not_found', 'the balance of nobody');
SELECT t.refused($$SELECT ledger_available('nobody')$$, 'LF023 account_not_found', 'what nobody has');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 0.01)$$, 'and takes a good request');

SELECT * FROM finish();
ROLLBACK;
