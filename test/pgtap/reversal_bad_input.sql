-- Reversals that no ledger takes: each is refused with its own error and changes nothing.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(38);
SELECT ledger_post('assets:bank', 'liabilities:bob', 100, reference => 'USED') AS id \gset
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('liabilities:bob', 9), ledger_credit('income:fees', 1)]) AS three,
       ledger_hold('assets:bank', 'liabilities:bob', 5) AS hold \gset
SELECT ledger_post('assets:bank', 'equity:capital', 7) AS done \gset
SELECT ledger_reverse(:'done') \g /dev/null
SELECT ledger_create('other') \g /dev/null
SELECT ledger_open_account(c, 'asset', 'USD', ledger => 'other') FROM unnest('{assets:bank,liabilities:bob}'::text[]) AS c \g /dev/null
SELECT ledger_post('assets:bank', 'liabilities:bob', 5, ledger => 'other') AS foreign \gset

SELECT t.refused(format('SELECT ledger_reverse(%s)', arguments), error, why)
  FROM (VALUES ('NULL', 'LF027 transaction_not_found', 'no transaction'), (quote_literal(ledger_new_id()), 'LF027 transaction_not_found', 'an unknown transaction'),
               (quote_literal(ledger_new_id()) || ', amount => 5', 'LF027 transaction_not_found', 'an unknown transaction in part'),
               (quote_literal(:'hold'), 'LF027 transaction_not_found', 'a hold'), (quote_literal(:'foreign'), 'LF027 transaction_not_found', 'a transaction of another ledger'),
               (quote_literal(:'id') || ', ledger => ''other''', 'LF027 transaction_not_found', 'in another ledger'), (quote_literal(:'id') || ', ledger => ''none''', 'LF020 ledger_not_found', 'in no ledger'),
               (quote_literal(:'done'), 'LF064 already_reversed', 'what is fully reversed')) AS x (arguments, error, why);
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => %s)', :'id', amount), 'LF001 invalid_amount', 'amount ' || amount)
  FROM unnest(ARRAY['0', '-1', '0.001', '''NaN''', '''Infinity''', '1e30', '1e1000']) AS amount;
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 100.01)', :'id'), 'LF064 already_reversed', 'more than was posted');
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 1)', :'three'), 'LF015 invalid_argument', 'an amount of three lines');
SELECT t.refused(format('SELECT ledger_reverse(%L, lines => %s)', :'three', lines), error, 'lines: ' || why)
  FROM (VALUES ($$ARRAY[ledger_credit('assets:bank', 1)]$$, 'LF004 too_few_lines', 'one'), ($$ARRAY[ledger_credit('assets:bank', 1), ledger_debit('income:fees', 0.5)]$$, 'LF006 unbalanced_transaction', 'that do not balance'),
               ($$ARRAY[ledger_credit('assets:bank', 1), ledger_debit('equity:capital', 1)]$$, 'LF018 reversal_mismatch', 'of another account'),
               ($$ARRAY[ledger_credit('equity:capital', 1), ledger_debit('expenses:rent', 1)]$$, 'LF018 reversal_mismatch', 'of other accounts only'),
               ($$ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 1)]$$, 'LF018 reversal_mismatch', 'in the same direction'),
               ($$ARRAY[ledger_credit('assets:bank', 1), ledger_debit('nobody', 1)]$$, 'LF023 account_not_found', 'of an unknown account'),
               ($$ARRAY[ledger_credit('assets:bank', 1), (NULL, 1)::ledger_line]$$, 'LF002 invalid_account_code', 'without account'), ($$ARRAY[ledger_credit('assets:bank', 1), NULL]$$, '22004', 'NULL'),
               ($$ARRAY[ledger_credit('assets:bank', 2), ledger_debit('income:fees', 2)]$$, 'LF064 already_reversed', 'of more than was posted'),
               ($$ARRAY[ledger_credit('assets:bank', 1), ledger_debit('assets:bank', 1)]$$, 'LF003 same_account', 'of one account'),
               ($$(SELECT array_agg(ledger_debit('assets:bank', 0.01)) FROM generate_series(1, 10001))$$, 'LF005 too_many_lines', '10,001')) AS x (lines, error, why);
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 1, lines => ARRAY[ledger_credit(%L, 1), ledger_debit(%L, 1)])', :'id', 'assets:bank', 'liabilities:bob'), 'LF015 invalid_argument', 'an amount and lines');
SELECT t.refused(format('SELECT ledger_reverse(%L, %s)', :'id', arguments), error, why)
  FROM (VALUES ($$repeat('x', 10001)$$, 'LF010 invalid_description', 'a long reason'), ($$idempotency_key => ''$$, 'LF008 invalid_idempotency_key', 'an empty key'),
               ($$reference => ''$$, 'LF009 invalid_reference', 'an empty reference'), ($$reference => 'USED'$$, 'LF028 duplicate_reference', 'a reference that is used'),
               ($$metadata => '[1]'$$, 'LF011 invalid_metadata', 'metadata that is no object'), ($$effective_at => 'infinity'$$, 'LF012 invalid_effective_at', 'an infinite time')) AS x (arguments, error, why);
SELECT is((t.attempt(format('SELECT ledger_reverse(%L)', :'done'))).message, format('transaction %s is reversed already', :'done'), 'the transaction is named');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');
SELECT t.allowed(format('SELECT ledger_reverse(%L, force => NULL)', :'id'), 'and a good request is taken');

SELECT * FROM finish();
ROLLBACK;
