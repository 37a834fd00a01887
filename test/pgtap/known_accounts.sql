-- A session reads each account once, mostly without SQL. Whatever is done to the tables, it finds what SQL would
-- show: each account here is new to the session.
BEGIN;
\ir include/books.sql
SELECT plan(20);

CREATE ROLE clerk;
SELECT ledger_grant('clerk', 'reader') \g /dev/null
GRANT USAGE ON SCHEMA t TO clerk;
SELECT ledger_open_account('new:' || number, 'asset', 'USD') FROM generate_series(1, 20) AS number \g /dev/null

SELECT is(ledger_balance('new:1'), 0.00, 'a new account');
SELECT t.refused($$SELECT ledger_balance('new:none')$$, 'LF023 account_not_found', 'and one that there is not');
SELECT is(count(*), 3::bigint, 'accounts that come more than once in a batch')
  FROM ledger_post_batch(debit => '{new:2,new:3,new:2}'::text[], credit => '{new:3,new:2,new:3}'::text[], amount => '{1,2,3}'::numeric[]);
SELECT is(ledger_balance('new:2'), 2.00, 'with their balances');
SELECT is(count(*), 1::bigint, 'the same by id')
  FROM ledger_post_batch(debit => ARRAY[(SELECT id FROM ledger.accounts WHERE code = 'new:4')],
                         credit => ARRAY[(SELECT id FROM ledger.accounts WHERE code = 'new:5')], amount => '{1}'::numeric[]);
SELECT t.refused($$SELECT ledger_post_batch(debit => '{-5}'::bigint[], credit => '{-6}'::bigint[], amount => '{1}'::numeric[])$$,
                 'LF023 account_not_found', 'ids of no account');

-- Made in the same transaction, and gone with a part of it.
SAVEPOINT before;
SELECT ledger_open_account('passing', 'asset', 'USD') \g /dev/null
SELECT is(ledger_balance('passing'), 0.00, 'an account of this transaction');
ROLLBACK TO before;
SELECT t.refused($$SELECT ledger_balance('passing')$$, 'LF023 account_not_found', 'and when it is rolled back');

-- Privileges on what the columns come from.
SET ROLE clerk;
SELECT is(ledger_balance('new:6'), 0.00, 'a reader');
RESET ROLE;
REVOKE SELECT ON ledger.currencies FROM clerk;
SELECT t.refused($$SELECT ledger_balance('new:7')$$, '42501', 'one who may not read currencies', 'clerk');
GRANT SELECT ON ledger.currencies TO clerk;

-- Without the index over codes, or with one that leaves some out.
ALTER TABLE ledger.accounts DROP CONSTRAINT accounts_code_key;
SELECT is(ledger_balance('new:8'), 0.00, 'no index over codes');
CREATE UNIQUE INDEX some_codes ON ledger.accounts (code) WHERE code < 'new:9';
SELECT is(ledger_balance('new:9'), 0.00, 'one over some codes');
CREATE UNIQUE INDEX upper_codes ON ledger.accounts (upper(code));
SELECT is(ledger_balance('new:10'), 0.00, 'one over an expression');
DROP INDEX ledger.some_codes, ledger.upper_codes;
CREATE UNIQUE INDEX other_order ON ledger.accounts (code COLLATE "C" DESC) INCLUDE (name);
SELECT is(ledger_balance('new:11'), 0.00, 'one of another order and collation');
REINDEX TABLE ledger.accounts;
SELECT is(ledger_balance('new:12'), 0.00, 'indexes that were made anew');

-- A column that is of the same type, and yet another.
ALTER TABLE ledger.accounts ADD copy text;
UPDATE ledger.accounts SET copy = currency;
ALTER TABLE ledger.accounts RENAME currency TO old_currency;
ALTER TABLE ledger.accounts RENAME copy TO currency;
SELECT is(ledger_balance('new:13'), 0.00, 'a column in another place');

-- Rows that not everybody sees.
ALTER TABLE ledger.accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY others ON ledger.accounts TO clerk USING (code <> 'new:14');
SELECT t.refused($$SELECT ledger_balance('new:14')$$, 'LF023 account_not_found', 'a row that a policy hides', 'clerk');
SET ROLE clerk;
SELECT is(ledger_balance('new:15'), 0.00, 'and one that it shows');
RESET ROLE;
SELECT is(ledger_balance('new:14'), 0.00, 'the owner sees it');

-- Rows from elsewhere.
CREATE TABLE t.more () INHERITS (ledger.accounts);
INSERT INTO t.more (id, code, type, currency, old_currency, created_at) VALUES (-1, 'new:elsewhere', 'asset', 'USD', 'USD', now());
SELECT t.refused($$SELECT ledger_post('new:elsewhere', 'new:1', 1)$$, 'LF071 damaged_ledger', 'a row of a child table, which has no balance');

SELECT * FROM finish();
ROLLBACK;
