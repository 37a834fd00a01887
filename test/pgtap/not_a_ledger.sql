-- Schemas that are not ledgers, or are no longer what they were.
BEGIN;
\ir include/books.sql
SELECT plan(14);

SELECT is((t.attempt($$SELECT ledger_post('a', 'b', 1, ledger => 'public')$$)),
          ('LF020', 'ledger_not_found', 'ledger "public" does not exist', 'Its schema has no table "settings".',
           'Create it with ledger_create(), or name another one in the last argument or in ledgerflow.ledger.')::t.outcome,
          'a schema that is not a ledger');
SELECT is(t.verdict(t.attempt($$SELECT ledger_balance('a', 'pg_catalog')$$)), 'LF020 ledger_not_found', 'nor is pg_catalog');
SELECT is(t.verdict(t.attempt($$SELECT ledger_balance('a', 'information_schema')$$)), 'LF020 ledger_not_found', 'nor information_schema');

-- A look-alike, table by table.
CREATE SCHEMA alike;
SELECT ('CREATE TABLE alike.' || name || ' (LIKE ledger.' || name || ' INCLUDING ALL)')
  FROM unnest('{settings,currencies,account_types,accounts,account_balances,transactions,entries,idempotency_keys,holds,hold_lines,transaction_history,period_history,dated_entries,effective_days,verifications,seals,seal_blocks}'::text[]) AS name
\gexec
SELECT is((t.attempt($$SELECT ledger_balance('a', 'alike')$$)).detail, 'Its schema has no table "account_history".', 'a look-alike with a table missing');
CREATE VIEW alike.account_history AS SELECT * FROM ledger.account_history;
SELECT is((t.attempt($$SELECT ledger_balance('a', 'alike')$$)).detail, 'Its schema has no table "account_history".', 'a view does not count as a table');
DROP VIEW alike.account_history;
CREATE TABLE alike.account_history (LIKE ledger.account_history INCLUDING ALL);
CREATE ROLE stranger;
ALTER TABLE alike.entries OWNER TO stranger;
SELECT is((t.attempt($$SELECT ledger_balance('a', 'alike')$$)).detail,
          'Its table "entries" has another owner than "settings".', 'tables of several owners are not a ledger');
ALTER TABLE alike.entries OWNER TO CURRENT_USER;
SELECT is(t.verdict(t.attempt($$SELECT ledger_balance('a', 'alike')$$)), 'LF022 ledger_format_mismatch', 'without its row of settings it is of no known format');
INSERT INTO alike.settings (format_version) VALUES (999);
SELECT is((t.attempt($$SELECT ledger_post('a', 'b', 1, ledger => 'alike')$$)).detail, 'It has 999; this extension works with 2.', 'a ledger of a later format');
UPDATE alike.settings SET format_version = 2;
SELECT isnt((SELECT count(*) FROM ledger_verify('alike') WHERE check_name = 'guard_missing'), 0::bigint,
            'a look-alike without guards can be opened, and ledger_verify() says what it lacks');

-- What a session remembers of a ledger follows changes to it.
SELECT lives_ok($$SELECT ledger_post('assets:bank', 'equity:capital', 10)$$, 'the real one posts');
ALTER SCHEMA ledger RENAME TO books;
SELECT is(t.verdict(t.attempt($$SELECT ledger_balance('assets:bank')$$)), 'LF020 ledger_not_found', 'renamed, it is not found under its old name');
SELECT lives_ok($$SELECT ledger_post('assets:bank', 'equity:capital', 10, ledger => 'books')$$, 'but under the new one');
SELECT is(ledger_balance('assets:bank', 'books'), 20.00, 'with what was posted before');
DROP SCHEMA books CASCADE;
SELECT ledger_create('books') IS NOT NULL AS created \gset
SELECT is(t.verdict(t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 10, ledger => 'books')$$)),
          'LF023 account_not_found', 'a new ledger of a name that was dropped starts empty');

SELECT * FROM finish();
ROLLBACK;
