-- Accounts written by plain SQL.
BEGIN;
\ir include/books.sql
SELECT plan(23);

SELECT t.allowed($$INSERT INTO ledger.accounts (code, type, currency, name) VALUES ('raw:1', 'asset', 'USD', 'By hand'), ('raw:2', 'equity', 'JPY', NULL)$$,
                 'accounts can be inserted by hand');
SELECT results_eq($$SELECT account, balance::text, status, version FROM ledger.balances WHERE account LIKE 'raw:%' ORDER BY account$$,
    $$VALUES ('raw:1', '0.00', 'open', 0::bigint), ('raw:2', '0', 'open', 0::bigint)$$, 'and get their rows of account_balances');
SELECT t.allowed($$SELECT ledger_post('raw:1', 'equity:capital', 3)$$, 'they take postings');
INSERT INTO ledger.account_types (code, normal_side, min_balance) VALUES ('strict', 'debit', 0);
SELECT t.allowed($$INSERT INTO ledger.accounts (code, type, currency) VALUES ('raw:3', 'strict', 'USD')$$, 'one of a type with limits');
SELECT is((SELECT min_balance FROM ledger.balances WHERE account = 'raw:3'), 0.00, 'has these limits');
SELECT is(ledger_open_account('raw:1', 'asset', 'USD', 'By hand'), (SELECT id FROM ledger.accounts WHERE code = 'raw:1'), 'ledger_open_account() finds it open');
COPY ledger.accounts (code, type, currency) FROM STDIN;
copied:1	asset	USD
copied:2	equity	USD
\.
SELECT t.allowed($$SELECT ledger_post('copied:1', 'copied:2', 3)$$, 'accounts can be copied in');
SELECT t.allowed($$INSERT INTO ledger.accounts (id, code, type, currency) VALUES (1000000, 'raw:far', 'asset', 'USD')$$, 'with an id of one''s own');
SELECT t.allowed($$SELECT ledger_post('raw:far', 'equity:capital', 3)$$, 'which works as well');

SELECT t.refused($$INSERT INTO ledger.accounts (code, type, currency) VALUES ('a::b', 'asset', 'USD')$$, 'LF002 invalid_account_code', 'a bad code');
SELECT t.refused($$INSERT INTO ledger.accounts (code, type, currency) VALUES (NULL, 'asset', 'USD')$$, 'LF002 invalid_account_code', 'no code');
SELECT t.refused($$INSERT INTO ledger.accounts (code, type, currency, metadata) VALUES ('n', 'asset', 'USD', '7')$$, 'LF011 invalid_metadata', 'metadata that is not an object');
SELECT t.refused($$INSERT INTO ledger.accounts (code, type, currency) VALUES ('assets:bank', 'asset', 'USD')$$, '23505', 'a code that is taken');
SELECT t.refused($$INSERT INTO ledger.accounts (code, type, currency) VALUES ('n', 'debt', 'USD')$$, '23503', 'an unknown type');
SELECT t.refused($$INSERT INTO ledger.accounts (code, type, currency) VALUES ('n', 'asset', 'XYZ')$$, '23503', 'an unknown currency');

SELECT t.refused(format('UPDATE ledger.accounts SET %s WHERE code = %L', change, 'raw:far'), 'LF070 immutable_ledger', 'immutable: ' || change)
  FROM unnest('{id = 2000000,code = $$other$$,type = $$equity$$,currency = $$EUR$$,created_at = $$2020-01-01$$}'::text[]) AS change;
SELECT t.allowed($$UPDATE ledger.accounts SET name = 'New name', metadata = '{"a": 1}' WHERE code = 'raw:1'$$, 'name and metadata may change');
SELECT t.refused($$DELETE FROM ledger.accounts WHERE code = 'raw:2'$$, 'LF070 immutable_ledger', 'an account is never deleted');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
