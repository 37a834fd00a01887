-- The extension in a schema of its own, which need not be on the search_path.
BEGIN;
DROP EXTENSION ledgerflow;
CREATE SCHEMA "Our ""functions""";
CREATE EXTENSION ledgerflow SCHEMA "Our ""functions""";
SET LOCAL client_min_messages = warning;
SELECT plan(13);

SELECT hasnt_function('ledger_create', 'nothing is on the search_path');
SELECT is("Our ""functions""".ledger_create('elsewhere'), 'elsewhere'::name, 'ledger_create()');
SELECT isnt("Our ""functions""".ledger_open_account('a', 'asset', 'USD', ledger => 'elsewhere'), NULL, 'ledger_open_account()');
SELECT isnt("Our ""functions""".ledger_open_account('b', 'equity', 'USD', ledger => 'elsewhere'), NULL, 'and another');
SELECT isnt("Our ""functions""".ledger_post('a', 'b', 5, ledger => 'elsewhere'), NULL, 'ledger_post()');
SELECT isnt("Our ""functions""".ledger_post(ARRAY["Our ""functions""".ledger_debit('a', 5), "Our ""functions""".ledger_credit('b', 5)], ledger => 'elsewhere'), NULL, 'with lines');
SELECT is("Our ""functions""".ledger_balance('a', 'elsewhere'), 10.00, 'ledger_balance()');
INSERT INTO elsewhere.transactions DEFAULT VALUES RETURNING id \gset
INSERT INTO elsewhere.entries (transaction_id, line, account_id, amount) SELECT :'id', id, id, CASE code WHEN 'a' THEN 7 ELSE -7 END FROM elsewhere.accounts;
SELECT lives_ok('SET CONSTRAINTS ALL IMMEDIATE', 'rows by hand');
SELECT is("Our ""functions""".ledger_balance('b', 'elsewhere'), 17.00, 'are in the balances');
SELECT throws_ok('DELETE FROM elsewhere.entries', 'LF070', 'cannot DELETE from ledger table "entries"', 'the guards guard');
SELECT is("Our ""functions""".ledger_upgrade('elsewhere'), 2, 'ledger_upgrade()');
SELECT is((SELECT count(*) FROM "Our ""functions""".ledger_verify('elsewhere')), 0::bigint, 'ledger_verify()');
SELECT throws_ok('ALTER EXTENSION ledgerflow SET SCHEMA public', '0A000', NULL, 'it stays where it was created');

SELECT * FROM finish();
ROLLBACK;
