--
-- The first steps with ledgerflow: a ledger, accounts, postings, balances.
--
-- A ledger is a schema of tables that belong to you. This one is called "ledger".
SELECT ledger_create();
SELECT code, normal_side FROM ledger.account_types ORDER BY code;
SELECT code, scale FROM ledger.currencies WHERE code IN ('USD', 'JPY', 'BHD') ORDER BY code;

-- Accounts have a code, a type and a currency. Alice's balance is what we owe her, and never less than zero.
SELECT ledger_open_account('assets:bank', 'asset', 'USD', 'First Bank');
SELECT ledger_open_account('liabilities:alice', 'liability', 'USD', 'Alice', min_balance => 0);
SELECT ledger_open_account('liabilities:bob', 'liability', 'USD', 'Bob', min_balance => 0);
SELECT ledger_open_account('income:fees', 'income', 'USD');

-- The same call again is no harm.
SELECT ledger_open_account('income:fees', 'income', 'USD');

-- Alice pays in 100 dollars. The posting has an id; here it is enough that there is one.
SELECT ledger_post('assets:bank', 'liabilities:alice', 100.00, description => 'Deposit') IS NOT NULL AS posted;
SELECT ledger_balance('assets:bank'), ledger_balance('liabilities:alice');

-- She sends Bob 30 dollars; the key makes a retry safe.
SELECT post_transfer('liabilities:alice', 'liabilities:bob', 30, idempotency_key => 'order-1') AS first_id \gset
SELECT post_transfer('liabilities:alice', 'liabilities:bob', 30, idempotency_key => 'order-1') = :'first_id' AS same_transaction;
SELECT ledger_balance('liabilities:alice') AS alice, ledger_balance('liabilities:bob') AS bob;

-- Many lines: Bob pays out 20 dollars, and a fee of 50 cents.
SELECT ledger_post(ARRAY[
    ledger_debit('liabilities:bob', 20.50),
    ledger_credit('assets:bank', 20.00),
    ledger_credit('income:fees', 0.50)
], reference => 'PAYOUT-1', description => 'Payout with fee', effective_at => '2026-01-31 12:00+00') IS NOT NULL AS posted;

-- What is not there cannot be spent, what does not balance cannot be posted.
SELECT ledger_post('liabilities:bob', 'assets:bank', 9.51);
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('income:fees', 9)]);

-- The books.
SELECT account, debit, credit FROM ledger_trial_balance();
SELECT sum(debit) AS debit, sum(credit) AS credit FROM ledger_trial_balance() WHERE currency = 'USD';
SELECT line, account, debit, credit, balance_after, description FROM ledger.journal ORDER BY transaction_id, line;
SELECT account, balance, available, min_balance, status, version FROM ledger.balances ORDER BY account;

-- Another currency, one of our own.
INSERT INTO ledger.currencies (code, scale, name) VALUES ('BTC', 8, 'Bitcoin');
SELECT ledger_open_account('assets:wallet', 'asset', 'BTC'), ledger_open_account('trading:btc', 'equity', 'BTC'),
       ledger_open_account('trading:usd', 'equity', 'USD');

-- Each currency balances by itself: an exchange passes through trading accounts.
SELECT ledger_post(ARRAY[
    ledger_debit('trading:usd', 15.00), ledger_credit('assets:bank', 15.00),
    ledger_debit('assets:wallet', 0.00025), ledger_credit('trading:btc', 0.00025)
]) IS NOT NULL AS posted;
SELECT ledger_balance('assets:wallet'), ledger_to_minor(0.00025, 'BTC') AS satoshi, ledger_from_minor(25000, 'BTC') AS bitcoin;

-- A posting is a part of your own transaction.
BEGIN;
CREATE TABLE orders (number integer, paid_by uuid);
INSERT INTO orders VALUES (1, ledger_post('liabilities:alice', 'income:fees', 5));
SELECT ledger_balance('liabilities:alice');
ROLLBACK;
SELECT ledger_balance('liabilities:alice');

-- Plain SQL ends with the same guarantees.
BEGIN;
INSERT INTO ledger.transactions (description) VALUES ('By hand') RETURNING id IS NOT NULL AS has_id, posted_at IS NOT NULL AS has_time;
INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
SELECT t.id, l.line, a.id, l.amount
  FROM ledger.transactions t, ledger.accounts a
  JOIN (VALUES (1, 'assets:bank', 2.00), (2, 'income:fees', -2.00)) AS l (line, code, amount) USING (code)
 WHERE t.description = 'By hand';
COMMIT;
SELECT ledger_balance('income:fees');

-- Nobody changes what was posted.
UPDATE ledger.entries SET amount = 1000000;
DELETE FROM ledger.transactions;

-- Freezing, limits, closing; and what became of an account.
SELECT ledger_freeze_account('liabilities:bob', 'debit', 'Card reported lost');
SELECT ledger_post('liabilities:bob', 'assets:bank', 1);
SELECT ledger_unfreeze_account('liabilities:bob', reason => 'Found again');
SELECT ledger_set_limits('liabilities:bob', -50, NULL, 'Overdraft agreed');
SELECT ledger_close_account('liabilities:bob');
SELECT a.code, h.change, h.from_value, h.to_value, h.reason
  FROM ledger.account_history h JOIN ledger.accounts a ON a.id = h.account_id ORDER BY h.id;

-- Proof that all is well.
SELECT * FROM ledger_verify();

-- Another ledger is another world.
SELECT ledger_create('tenant_2');
SET ledgerflow.ledger = 'tenant_2';
SELECT ledger_open_account('assets:bank', 'asset', 'EUR');
SELECT ledger_balance('assets:bank'), ledger_balance('assets:bank', ledger => 'ledger') AS in_the_first;
RESET ledgerflow.ledger;

SET client_min_messages = warning;
DROP SCHEMA tenant_2 CASCADE;
DROP SCHEMA ledger CASCADE;
