R"sql(
-- Views for people: codes instead of ids, debit and credit columns, balances in their normal sign.
-- Run with search_path set to the ledger's schema.

CREATE OR REPLACE VIEW balances AS
SELECT a.code AS account, a.type, a.currency, a.name, t.normal_side,
       CASE t.normal_side WHEN 'debit' THEN b.debits_posted - b.credits_posted
                          ELSE b.credits_posted - b.debits_posted END AS balance,
       CASE t.normal_side WHEN 'debit' THEN b.debits_posted - b.credits_posted - b.credits_pending
                          ELSE b.credits_posted - b.debits_posted - b.debits_pending END AS available,
       b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending,
       b.min_balance, b.max_balance, b.status, b.version, b.last_transaction_id, a.metadata, a.created_at
  FROM accounts a
  JOIN account_types t ON t.code = a.type
  JOIN account_balances b ON b.account_id = a.id AND b.stripe = 0;
COMMENT ON VIEW balances IS 'Accounts with their current balances in the normal sign, limits and status';

CREATE OR REPLACE VIEW journal AS
SELECT t.id AS transaction_id, t.posted_at, t.effective_at, e.line, a.code AS account,
       CASE WHEN e.amount > 0 THEN e.amount END AS debit,
       CASE WHEN e.amount < 0 THEN -e.amount END AS credit,
       a.currency,
       CASE y.normal_side WHEN 'debit' THEN e.balance_after ELSE -e.balance_after END AS balance_after,
       t.reference, t.description, t.metadata, t.created_by
  FROM transactions t
  JOIN entries e ON e.transaction_id = t.id
  JOIN accounts a ON a.id = e.account_id
  JOIN account_types y ON y.code = a.type;
COMMENT ON VIEW journal IS 'Every line of every transaction, with account codes, debit and credit columns, and the balance after it in the normal sign';

CREATE OR REPLACE VIEW trial_balance AS
SELECT a.code AS account, a.type, a.currency,
       greatest(b.debits_posted - b.credits_posted, 0 * b.debits_posted) AS debit,
       greatest(b.credits_posted - b.debits_posted, 0 * b.debits_posted) AS credit,
       a.name, b.debits_posted, b.credits_posted
  FROM accounts a
  JOIN account_balances b ON b.account_id = a.id AND b.stripe = 0;
COMMENT ON VIEW trial_balance IS 'Each account''s balance in its debit or credit column; per currency both columns have the same sum';
)sql"
