-- Requests on holds that no ledger takes: each is refused with its own error and changes nothing.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(123);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30) AS hold, ledger_hold('assets:bank', 'liabilities:bob', 30) AS captured,
       ledger_hold('assets:bank', 'liabilities:bob', 30) AS released, ledger_hold('assets:bank', 'liabilities:bob', 30, expires_in => '1 ms') AS expired,
       ledger_hold(ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:bob', 2), ledger_credit('income:fees', 1)]) AS three \gset
SELECT pg_sleep(0.02), ledger_capture(:'captured'), ledger_release(:'released') \g /dev/null
SELECT ledger_create('other') \g /dev/null
SELECT ledger_open_account(c, 'asset', 'USD', ledger => 'other') FROM unnest('{assets:bank,liabilities:bob}'::text[]) AS c \g /dev/null
SELECT ledger_hold('assets:bank', 'liabilities:bob', 5, ledger => 'other') AS foreign \gset

-- Which hold.
SELECT t.refused(format(request, hold), error, deed || ' ' || why)
  FROM (VALUES ('capture', 'SELECT ledger_capture(%s)'), ('capture a part of', 'SELECT ledger_capture(%s, 1, false)'), ('release', 'SELECT ledger_release(%s)'), ('raise', 'SELECT ledger_raise_hold(%s, 1)'),
               ('capture by lines', $$SELECT ledger_capture(%s, lines => ARRAY[ledger_debit('assets:bank', 1), ledger_credit('liabilities:bob', 1)])$$)) AS d (deed, request),
       (VALUES ('NULL', 'LF060 hold_not_found', 'no hold'), (quote_literal(ledger_new_id()), 'LF060 hold_not_found', 'an unknown hold'),
               (quote_literal('00000000-0000-0000-0000-000000000000'), 'LF060 hold_not_found', 'the id of zeros'),
               (quote_literal(:'foreign'), 'LF060 hold_not_found', 'a hold in another ledger'),
               ((SELECT quote_literal(max(id::text)) FROM ledger.transactions), 'LF060 hold_not_found', 'a transaction'),
               (quote_literal(:'captured'), 'LF061 hold_not_pending', 'a captured hold'), (quote_literal(:'released'), 'LF061 hold_not_pending', 'a released hold')) AS h (hold, error, why);
SELECT t.refused(format('SELECT ledger_capture(%L)', :'expired'), 'LF062 hold_expired', 'capture an expired hold');
SELECT t.refused(format('SELECT ledger_capture(%L, ledger => %L)', :'hold', 'other'), 'LF060 hold_not_found', 'capture of a hold from another ledger');
SELECT t.refused(format('SELECT ledger_capture(%L, ledger => %L)', :'hold', 'none'), 'LF020 ledger_not_found', 'capture in no ledger');
SELECT is((t.attempt(format('SELECT ledger_capture(%L)', :'captured'))).message, format('hold %s is captured already', :'captured'), 'the hold and its status are named');
SELECT is((t.attempt(format('SELECT ledger_capture(%L)', :'foreign'))).message, format('hold %s does not exist', :'foreign'), 'or that it is not there');

-- How much.
SELECT t.refused(format('SELECT ledger_capture(%L, 30.01)', :'hold'), 'LF063 hold_amount_exceeded', 'more than was held');
SELECT ledger_capture(:'hold', 10, false) \g /dev/null
SELECT t.refused(format('SELECT ledger_capture(%L, 20.01)', :'hold'), 'LF063 hold_amount_exceeded', 'more than is left');
SELECT is((t.attempt(format('SELECT ledger_capture(%L, 20.01)', :'hold'))).detail, 'Left 20.00 USD on account "liabilities:alice", to be captured 20.01 USD.', 'with the figures');
SELECT t.refused(format('SELECT %s(%L, %s)', function, :'hold', amount), 'LF001 invalid_amount', format('%s(%s)', function, amount))
  FROM unnest('{ledger_capture,ledger_raise_hold}'::text[]) AS function,
       unnest(ARRAY['0', '-1', '0.001', '''NaN''', '''Infinity''', '''-Infinity''', '1e30', '1e1000', '1e-1000']) AS amount;
SELECT t.refused(format('SELECT ledger_raise_hold(%L)', :'hold'), 'LF004 too_few_lines', 'a raise by nothing');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, NULL, ARRAY[]::ledger_line[])', :'hold'), 'LF004 too_few_lines', 'a raise by no lines');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 1, ARRAY[ledger_debit(%L, 1), ledger_credit(%L, 1)])', :'hold', 'liabilities:alice', 'liabilities:bob'), 'LF015 invalid_argument', 'a raise by an amount and lines');
SELECT t.refused(format('SELECT ledger_capture(%L, 1, lines => ARRAY[ledger_debit(%L, 1), ledger_credit(%L, 1)])', :'hold', 'liabilities:alice', 'liabilities:bob'), 'LF015 invalid_argument', 'a capture by an amount and lines');

-- Lines.
SELECT t.refused(format('SELECT ledger_capture(%L, lines => %s)', :'three', lines), error, 'capture: ' || why)
  FROM (VALUES ($$ARRAY[ledger_debit('assets:bank', 1)]$$, 'LF004 too_few_lines', 'one line'),
               ($$ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 0.50)]$$, 'LF006 unbalanced_transaction', 'lines that do not balance'),
               ($$ARRAY[ledger_debit('assets:bank', 1), ledger_credit('equity:capital', 1)]$$, 'LF018 reversal_mismatch', 'another account'),
               ($$ARRAY[ledger_credit('assets:bank', 1), ledger_debit('income:fees', 1)]$$, 'LF018 reversal_mismatch', 'the other side'),
               ($$ARRAY[ledger_debit('assets:bank', 1), ledger_credit('nobody', 1)]$$, 'LF023 account_not_found', 'an unknown account'),
               ($$ARRAY[ledger_debit('assets:bank', 1), (NULL, -1)::ledger_line]$$, 'LF002 invalid_account_code', 'no account'),
               ($$ARRAY[ledger_debit('assets:bank', 1), ('income:fees', NULL)::ledger_line]$$, 'LF001 invalid_amount', 'no amount'),
               ($$ARRAY[ledger_debit('assets:bank', 1), NULL]$$, '22004', 'a NULL line'),
               ($$ARRAY[ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 1)]]$$, '2202E', 'a matrix of lines'),
               ($$ARRAY[ledger_debit('assets:bank', 1), ledger_debit('assets:bank', 1), ledger_credit('assets:bank', 2)]$$, 'LF003 same_account', 'one account only'),
               ($$ARRAY[ledger_debit('assets:bank', 2), ledger_credit('income:fees', 2)]$$, 'LF063 hold_amount_exceeded', 'more than a line has'),
               ($$ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:bob', 3)]$$, 'LF063 hold_amount_exceeded', 'more than one of the lines has'),
               ($$(SELECT array_agg(ledger_debit('assets:bank', 0.01)) FROM generate_series(1, 10001))$$, 'LF005 too_many_lines', '10,001 lines')) AS x (lines, error, why);

-- When.
SELECT t.refused(format($$SELECT ledger_hold('assets:bank', 'liabilities:bob', 1, %s)$$, expiry), 'LF016 invalid_expiry', 'expiry: ' || why)
  FROM (VALUES ($$expires_in => '-1 second'$$, 'an interval in the past'), ($$expires_in => '0'$$, 'an interval of zero'), ($$expires_in => '300 years'$$, '300 years ahead'),
               ($$expires_in => '101 years'$$, '101 years ahead'), ($$expires_in => '178000000 years'$$, 'the longest interval'), ($$expires_in => '-178000000 years'$$, 'the longest one back'),
               ($$expires_in => '2147483647 days'$$, 'all days there are'), ($$expires_in => '-2147483648 days'$$, 'all days back'), ($$expires_in => '2562047788 hours'$$, 'all hours there are'),
               ($$expires_in => '1 month -40 days'$$, 'a month less forty days'),
               ($$expires_at => now() - interval '1 second'$$, 'a time in the past'), ($$expires_at => now()$$, 'the start of the transaction'), ($$expires_at => '1969-01-01Z'$$, 'before 1970'),
               ($$expires_at => '4713-01-01 BC'$$, 'the earliest time'), ($$expires_at => now() + interval '300 years'$$, 'a time 300 years ahead'), ($$expires_at => '294276-12-31'$$, 'the last time'),
               ($$expires_at => 'infinity'$$, 'infinity'), ($$expires_at => '-infinity'$$, '-infinity'),
               ($$expires_at => now() + interval '1 day', expires_in => '1 day'$$, 'both')) AS x (expiry, why);

-- What a posting refuses, a hold refuses.
SELECT t.refused('SELECT ledger_hold(' || arguments || ')', error, 'hold: ' || why)
  FROM (VALUES ($$'assets:bank', 'assets:bank', 1$$, 'LF003 same_account', 'the same account'), ($$NULL, 'assets:bank', 1$$, 'LF002 invalid_account_code', 'no account'),
               ($$'nobody', 'assets:bank', 1$$, 'LF023 account_not_found', 'an unknown account'), ($$'assets:bank', 'equity:yen', 1$$, 'LF007 currency_mismatch', 'two currencies'),
               ($$'assets:bank', 'income:fees', 0$$, 'LF001 invalid_amount', 'nothing'), ($$'assets:bank', 'income:fees', NULL::numeric$$, 'LF001 invalid_amount', 'no amount'), ($$'assets:bank', 'income:fees', -1$$, 'LF001 invalid_amount', 'a negative amount'),
               ($$'assets:bank', 'income:fees', 1, ''$$, 'LF008 invalid_idempotency_key', 'an empty key'), ($$'assets:bank', 'income:fees', 1, reference => ''$$, 'LF009 invalid_reference', 'an empty reference'),
               ($$'assets:bank', 'income:fees', 1, description => repeat('x', 10001)$$, 'LF010 invalid_description', 'a long description'), ($$'assets:bank', 'income:fees', 1, metadata => '[]'$$, 'LF011 invalid_metadata', 'metadata that is no object'),
               ($$'assets:bank', 'income:fees', 1, effective_at => 'infinity'$$, 'LF012 invalid_effective_at', 'an infinite time'),
               ($$NULL::ledger_line[]$$, 'LF004 too_few_lines', 'no lines'), ($$ARRAY[ledger_debit('assets:bank', 1)]$$, 'LF004 too_few_lines', 'one line'),
               ($$ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 2)]$$, 'LF006 unbalanced_transaction', 'lines that do not balance'),
               ($$(SELECT array_agg(ledger_debit('assets:bank', 1)) FROM generate_series(1, 10001))$$, 'LF005 too_many_lines', '10,001 lines')) AS x (arguments, error, why);
SELECT t.refused(format('SELECT ledger_capture(%L, %s)', :'hold', arguments), error, 'capture: ' || why)
  FROM (VALUES ($$idempotency_key => ''$$, 'LF008 invalid_idempotency_key', 'an empty key'), ($$reference => repeat('x', 256)$$, 'LF009 invalid_reference', 'a long reference'), ($$description => repeat('x', 10001)$$, 'LF010 invalid_description', 'a long description'),
               ($$metadata => '1'$$, 'LF011 invalid_metadata', 'metadata that is no object'), ($$effective_at => '-infinity'$$, 'LF012 invalid_effective_at', 'an infinite time')) AS x (arguments, error, why);
SELECT t.refused(format('SELECT ledger_release(%L, repeat(%L, 10001))', :'hold', 'x'), 'LF010 invalid_description', 'release: a long reason');
SELECT t.refused(format('SELECT ledger_release(%L, NULL, %L)', :'hold', ''), 'LF008 invalid_idempotency_key', 'release: an empty key');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 1, NULL, repeat(%L, 256))', :'hold', 'k'), 'LF008 invalid_idempotency_key', 'raise: a long key');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'hold'), 'and the hold can be captured');

SELECT * FROM finish();
ROLLBACK;
