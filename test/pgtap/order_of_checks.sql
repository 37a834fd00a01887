-- Which of several errors is told: docs/order_of_checks.md.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(52);
SELECT ledger_open_account('liabilities:frozen', 'liability', 'USD', min_balance => 0), ledger_open_account('liabilities:closed', 'liability', 'USD'), ledger_open_account('liabilities:vault', 'liability', 'USD', max_balance => 10) \g /dev/null
SELECT ledger_freeze_account('liabilities:frozen'), ledger_close_account('liabilities:closed'), ledger_close_period('2024-01-31Z') \g /dev/null
SELECT ledger_post('assets:bank', 'liabilities:bob', 5, 'key', 'REF'), ledger_hold('assets:bank', 'liabilities:bob', 5, 'hold key', 'REF') \g /dev/null
CREATE ROLE stranger;

-- Each pair: a request that is wrong in two ways, one step after the other.
SELECT t.refused('SELECT ledger_' || function || '(' || arguments || ')', error, function || ': ' || why)
  FROM unnest('{post,hold}'::text[]) AS function,
       (VALUES ($$'nobody', '', 1, metadata => '[]', ledger => 'none'$$, 'LF011 invalid_metadata', 'argument before ledger'),
               ($$'nobody', '', 1, ledger => 'none'$$, 'LF020 ledger_not_found', 'ledger before accounts'),
               ($$'nobody', '', 0$$, 'LF002 invalid_account_code', 'both codes before both accounts'),
               ($$'nobody', 'assets:bank', 0$$, 'LF023 account_not_found', 'accounts before amount'),
               ($$'assets:bank', 'income:fees', 0, ''$$, 'LF001 invalid_amount', 'amount before texts'),
               ($$'assets:bank', 'assets:bank', 1, '', ''$$, 'LF008 invalid_idempotency_key', 'key before reference'),
               ($$'assets:bank', 'assets:bank', 1, reference => '', description => repeat('x', 10001)$$, 'LF009 invalid_reference', 'reference before description'),
               ($$'assets:bank', 'assets:bank', 1, description => repeat('x', 10001)$$, 'LF010 invalid_description', 'texts before lines'),
               ($$'assets:bank', 'assets:bank', 1, 'key'$$, 'LF003 same_account', 'lines before the key'),
               ($$'assets:bank', 'equity:yen', 1, 'key'$$, 'LF007 currency_mismatch', 'currencies before the key'),
               ($$'assets:bank', 'liabilities:closed', 1, 'key', effective_at => '2024-01-01Z'$$, 'LF047 idempotency_conflict', 'key before period'),
               ($$'assets:bank', 'liabilities:closed', 1, reference => 'REF', effective_at => '2024-01-01Z'$$, 'LF048 period_closed', 'period before reference'),
               ($$'assets:bank', 'liabilities:closed', 1, reference => 'REF', expected_version => 99$$, 'LF028 duplicate_reference', 'reference before version'),
               ($$'assets:bank', 'liabilities:closed', 1, expected_version => 99$$, 'LF046 version_conflict', 'version before status'),
               ($$'liabilities:alice', 'liabilities:closed', 1$$, 'LF044 account_closed', 'status before limits'),
               ($$'liabilities:frozen', 'liabilities:closed', 1$$, 'LF043 account_frozen', 'the debited account before the credited'),
               ($$'liabilities:closed', 'liabilities:frozen', 1$$, 'LF044 account_closed', 'whatever its status'),
               ($$'liabilities:alice', 'liabilities:vault', 11$$, 'LF040 insufficient_balance', 'the limit of the debited account before that of the credited')) AS x (arguments, error, why);
SELECT is((t.attempt(format('SELECT ledger_%s(%L, %L, 1)', function, 'nobody:1', 'nobody:2'))).message, 'account "nobody:1" does not exist', function || ': of two missing accounts the debited one')
  FROM unnest('{post,hold}'::text[]) AS function;
SELECT is((SELECT string_agg(status, ',') FROM ledger_post_batch('{nobody:1}'::text[], '{assets:bank}'::text[], '{0}', mode => 'each')), 'account_not_found', 'an item of a batch: accounts before amount');
SELECT is((t.attempt($$SELECT ledger_post_batch('{nobody:1}'::text[], '{nobody:2}'::text[], '{0}')$$)).message, 'account "nobody:1" does not exist', 'and the debited one first');
SELECT t.refused($$SELECT ledger_post('', '', 0)$$, '42501', 'the right to post before accounts', 'stranger');
SELECT t.refused($$SELECT ledger_hold('assets:bank', 'assets:bank', 1, expires_in => '-1 day')$$, 'LF003 same_account', 'lines before expiry');
SELECT t.refused($$SELECT ledger_hold('assets:bank', 'liabilities:closed', 1, 'key', expires_in => '-1 day')$$, 'LF047 idempotency_conflict', 'key before expiry');
SELECT t.refused($$SELECT ledger_hold('assets:bank', 'liabilities:closed', 1, effective_at => '2024-01-01Z', expires_in => '-1 day')$$, 'LF016 invalid_expiry', 'expiry before period');

-- Captures.
SELECT ledger_hold('assets:bank', 'liabilities:bob', 5) AS hold, ledger_hold('assets:bank', 'liabilities:bob', 5) AS done \gset
SELECT ledger_capture(:'done') \g /dev/null
SELECT t.refused(format('SELECT ledger_capture(%L, %s)', hold, arguments), error, 'capture: ' || why)
  FROM (VALUES (ledger_new_id(), $$1, idempotency_key => ''$$, 'LF008 invalid_idempotency_key', 'texts before the hold'),
               (ledger_new_id(), $$1, idempotency_key => 'key'$$, 'LF060 hold_not_found', 'the hold before the key'),
               (:'done', $$1, idempotency_key => 'key'$$, 'LF047 idempotency_conflict', 'the key before its status'),
               (:'done', $$6$$, 'LF061 hold_not_pending', 'status before amount'),
               (:'done', $$lines => ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 1)]$$, 'LF061 hold_not_pending', 'status before lines'),
               (:'hold', $$6, effective_at => '2024-01-01Z'$$, 'LF063 hold_amount_exceeded', 'amount before period'),
               (:'hold', $$5, effective_at => '2024-01-01Z', reference => 'REF'$$, 'LF048 period_closed', 'period before reference')) AS x (hold, arguments, error, why);
SELECT ledger_freeze_account('liabilities:bob') \g /dev/null
SELECT t.refused(format('SELECT ledger_capture(%L, reference => %L)', :'hold', 'REF'), 'LF028 duplicate_reference', 'capture: reference before status');

SELECT * FROM finish();
ROLLBACK;
