--
-- Refusals as a user sees them: message, DETAIL, HINT and SQLSTATE.
--
SELECT ledger_create('refusals');
SET ledgerflow.ledger = 'refusals';
SELECT ledger_open_account('assets:bank', 'asset', 'USD');
SELECT ledger_open_account('assets:yen', 'asset', 'JPY');
SELECT ledger_open_account('liabilities:alice', 'liability', 'USD', 'Alice', min_balance => 0, max_balance => 500);
SELECT ledger_open_account('liabilities:bob', 'liability', 'USD');
SELECT ledger_open_account('income:fees', 'income', 'USD');
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, 'key-1', description => 'Deposit') IS NOT NULL AS posted;

-- Amounts.
SELECT ledger_post('assets:bank', 'income:fees', 0);
\echo :SQLSTATE
SELECT ledger_post('assets:bank', 'income:fees', -5);
SELECT ledger_post('assets:bank', 'income:fees', NULL::numeric);
SELECT ledger_post('assets:bank', 'income:fees', 'NaN'::numeric);
SELECT ledger_post('assets:bank', 'income:fees', 0.005);
SELECT ledger_post('assets:bank', 'income:fees', 1e30);
SELECT ledger_post('assets:bank', 'income:fees', 1e200);
SELECT ledger_debit('assets:bank', -5);

-- Accounts.
SELECT ledger_post('assets:bank', 'assets:bank', 5);
\echo :SQLSTATE
SELECT ledger_post('assets:bank', 'income:fee', 5);
\echo :SQLSTATE
SELECT ledger_post('assets:bank', '', 5);
\echo :SQLSTATE
SELECT ledger_post('assets:bank', NULL, 5);
SELECT ledger_open_account('assets:my bank', 'asset', 'USD');
SELECT ledger_open_account('assets:bank', 'asset', 'EUR');
\echo :SQLSTATE
SELECT ledger_open_account('assets:new', 'assets', 'USD');
SELECT ledger_open_account('assets:new', 'asset', 'Dollar');
SELECT ledger_open_account('assets:new', 'asset', 'USD', min_balance => 10, max_balance => 5);
SELECT ledger_open_account('assets:new', 'asset', 'USD', min_balance => 0.001);

-- Lines.
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 5)]);
\echo :SQLSTATE
SELECT ledger_post((SELECT array_agg(ledger_debit('assets:bank', 5)) FROM generate_series(1, 10001)));
\echo :SQLSTATE
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 5), ledger_credit('income:fees', 4.99)]);
\echo :SQLSTATE
SELECT ledger_post('assets:bank', 'assets:yen', 5);
\echo :SQLSTATE

-- Limits.
SELECT ledger_post('liabilities:alice', 'liabilities:bob', 100.01);
\echo :SQLSTATE
SELECT ledger_post('assets:bank', 'liabilities:alice', 400.01);
\echo :SQLSTATE
SELECT ledger_set_limits('liabilities:alice', 200, NULL);
SELECT ledger_set_limits('liabilities:alice', NULL, 50);

-- Status.
SELECT ledger_freeze_account('liabilities:bob', 'debit');
SELECT ledger_post('liabilities:bob', 'assets:bank', 5);
\echo :SQLSTATE
SELECT ledger_freeze_account('liabilities:bob', 'all');
SELECT ledger_close_account('liabilities:alice');
\echo :SQLSTATE
SELECT ledger_close_account('income:fees');
SELECT ledger_post('assets:bank', 'income:fees', 5);
\echo :SQLSTATE
SELECT ledger_unfreeze_account('income:fees');

-- Keys, references, texts.
SELECT ledger_post('assets:bank', 'liabilities:alice', 101, 'key-1', description => 'Deposit');
\echo :SQLSTATE
SELECT ledger_post('assets:bank', 'liabilities:bob', 100, 'key-1', description => 'Deposit');
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, 'key-1', description => 'A deposit');
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, 'key-1', description => 'Deposit', metadata => '{"a": 1}');
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, '');
\echo :SQLSTATE
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, repeat('k', 256));
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, reference => '');
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, description => repeat('x', 10001));
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, metadata => '[1, 2]');
\echo :SQLSTATE
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, effective_at => 'infinity');
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, expected_version => 7);
\echo :SQLSTATE

-- Ledgers.
SELECT ledger_create('refusals');
\echo :SQLSTATE
SELECT ledger_balance('assets:bank', 'nowhere');
\echo :SQLSTATE
SELECT ledger_balance('assets:bank', 'public');
SET ledgerflow.ledger = '';
SELECT ledger_balance('assets:bank');
SET ledgerflow.ledger = 'refusals';

-- Plain SQL: the check comes at COMMIT.
BEGIN;
INSERT INTO refusals.transactions (id, reference) VALUES ('016f5e66-e800-7000-8000-000000000001', 'HAND-1');
COMMIT;
\echo :SQLSTATE
SELECT ledger_open_account('old:a', 'asset', 'USD'), ledger_open_account('old:b', 'equity', 'USD');
BEGIN;
INSERT INTO refusals.transactions (id, reference) VALUES ('016f5e66-e800-7000-8000-000000000001', 'HAND-1');
INSERT INTO refusals.entries (transaction_id, line, account_id, amount)
SELECT '016f5e66-e800-7000-8000-000000000001', row_number() OVER (ORDER BY code), id, CASE code WHEN 'old:a' THEN 100 ELSE -99 END
  FROM refusals.accounts WHERE code LIKE 'old:%';
COMMIT;
\echo :SQLSTATE
SELECT ledger_balance('old:a');
BEGIN;
INSERT INTO refusals.transactions (id, reference) VALUES ('016f5e66-e800-7000-8000-000000000001', 'HAND-1');
INSERT INTO refusals.entries (transaction_id, line, account_id, amount)
SELECT '016f5e66-e800-7000-8000-000000000001', row_number() OVER (ORDER BY code), id, CASE code WHEN 'old:a' THEN 100 ELSE -100 END
  FROM refusals.accounts WHERE code LIKE 'old:%';
COMMIT;
SELECT ledger_balance('old:a');

-- Once committed, it takes no more.
INSERT INTO refusals.entries (transaction_id, line, account_id, amount)
SELECT '016f5e66-e800-7000-8000-000000000001', 2 + row_number() OVER (ORDER BY code), id, CASE code WHEN 'old:a' THEN 1 ELSE -1 END
  FROM refusals.accounts WHERE code LIKE 'old:%';
\echo :SQLSTATE
SELECT ledger_post('assets:bank', 'liabilities:alice', 1, reference => 'HAND-1');
\echo :SQLSTATE
INSERT INTO refusals.transactions (id) VALUES ('6e0ff1a3-0c4c-4d93-b8fd-b66bcb4c5b5f');
\echo :SQLSTATE
BEGIN;
INSERT INTO refusals.transactions (id) VALUES ('016f5e66-e7ff-7000-8000-000000000001');
INSERT INTO refusals.entries (transaction_id, line, account_id, amount)
SELECT '016f5e66-e7ff-7000-8000-000000000001', row_number() OVER (ORDER BY code), id, CASE code WHEN 'old:a' THEN 1 ELSE -1 END
  FROM refusals.accounts WHERE code LIKE 'old:%';
\echo :SQLSTATE
ROLLBACK;

-- Nothing is changed or removed.
UPDATE refusals.entries SET amount = 5;
\echo :SQLSTATE
DELETE FROM refusals.transactions;
TRUNCATE refusals.entries;
UPDATE refusals.account_balances SET debits_posted = 0;
UPDATE refusals.accounts SET currency = 'EUR';
UPDATE refusals.currencies SET scale = 3 WHERE code = 'USD';
DELETE FROM refusals.accounts;

-- Privileges.
CREATE ROLE regress_ledgerflow_nobody;
CREATE ROLE regress_ledgerflow_reader;
SELECT ledger_grant('regress_ledgerflow_reader', 'reader');
SET ROLE regress_ledgerflow_nobody;
SELECT ledger_post('assets:bank', 'liabilities:alice', 1);
\echo :SQLSTATE
SET ROLE regress_ledgerflow_reader;
SELECT ledger_balance('assets:bank');
SELECT ledger_post('assets:bank', 'liabilities:alice', 1);
\echo :SQLSTATE
SELECT ledger_grant('regress_ledgerflow_nobody', 'poster');
SELECT ledger_upgrade();
RESET ROLE;
SELECT ledger_grant('regress_ledgerflow_reader', 'king');

-- A read-only transaction.
BEGIN READ ONLY;
SELECT ledger_post('assets:bank', 'liabilities:alice', 1);
\echo :SQLSTATE
ROLLBACK;

-- After all this the ledger is as it was.
SELECT account, debit, credit FROM ledger_trial_balance();
SELECT * FROM ledger_verify();

SELECT ledger_revoke('regress_ledgerflow_reader');
SET client_min_messages = warning;
DROP SCHEMA refusals CASCADE;
DROP ROLE regress_ledgerflow_nobody, regress_ledgerflow_reader;
