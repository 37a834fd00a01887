R"sql(
-- Views for people: codes instead of ids, debit and credit columns, balances in their normal sign.
-- As of ledgerflow.as_of, if it is set: see ledger_as_of.sql. "IS NOT TRUE" lets all pass where it is not.
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
  JOIN standings b ON b.account_id = a.id;
COMMENT ON VIEW balances IS 'Accounts with their current balances in the normal sign, limits and status';

CREATE OR REPLACE VIEW journal AS
SELECT t.id AS transaction_id, t.posted_at, t.effective_at, e.line, a.code AS account,
       CASE WHEN e.amount > 0 THEN e.amount END AS debit,
       CASE WHEN e.amount < 0 THEN -e.amount END AS credit,
       a.currency,
       CASE y.normal_side WHEN 'debit' THEN e.balance_after ELSE -e.balance_after END AS balance_after,
       t.reference, t.description, t.metadata, t.created_by, t.reverses, t.hold
  FROM transactions t
  JOIN entries e ON e.transaction_id = t.id
  JOIN accounts a ON a.id = e.account_id
  JOIN account_types y ON y.code = a.type
 WHERE (t.posted_at > (SELECT m.at FROM as_of m)) IS NOT TRUE;
COMMENT ON VIEW journal IS 'Every line of every transaction, with account codes, debit and credit columns, and the balance after it in the normal sign';

CREATE OR REPLACE VIEW trial_balance AS
SELECT a.code AS account, a.type, a.currency,
       greatest(b.debits_posted - b.credits_posted, 0 * b.debits_posted) AS debit,
       greatest(b.credits_posted - b.debits_posted, 0 * b.debits_posted) AS credit,
       a.name, b.debits_posted, b.credits_posted
  FROM accounts a
  JOIN standings b ON b.account_id = a.id;
COMMENT ON VIEW trial_balance IS 'Each account''s balance in its debit or credit column; per currency both columns have the same sum';

-- Rows inserted here are posted: the way in for COPY. What the last columns hold is not taken.
CREATE OR REPLACE VIEW postings AS
SELECT d.code AS debit, c.code AS credit, l.amount, NULL::text AS idempotency_key,
       t.reference, t.description, t.effective_at, t.metadata, t.id AS transaction_id, t.posted_at
  FROM transactions t
  JOIN entries l ON l.transaction_id = t.id AND l.line = 1 AND l.amount > 0
  JOIN entries r ON r.transaction_id = t.id AND r.line = 2 AND r.amount = -l.amount
  JOIN accounts d ON d.id = l.account_id
  JOIN accounts c ON c.id = r.account_id
 WHERE NOT EXISTS (SELECT FROM entries m WHERE m.transaction_id = t.id AND m.line > 2)
   AND (t.posted_at > (SELECT m.at FROM as_of m)) IS NOT TRUE;
COMMENT ON VIEW postings IS 'Transactions of two lines, one row each; INSERT and COPY into it post, all rows of a statement or none';

CREATE OR REPLACE VIEW open_holds AS
SELECT h.id AS hold, h.created_at, h.expires_at, h.status AS status, l.line, a.code AS account,
       CASE WHEN l.amount > 0 THEN l.amount END AS debit,
       CASE WHEN l.amount < 0 THEN -l.amount END AS credit,
       a.currency, l.captured, l.released, abs(l.amount) - l.captured - l.released AS remaining,
       h.reference, h.description, h.metadata, h.created_by
  FROM holds h
  JOIN hold_lines l ON l.hold_id = h.id
  JOIN accounts a ON a.id = l.account_id
 WHERE h.status = 'pending' AND (SELECT m.at FROM as_of m) IS NULL
UNION ALL
SELECT h.id AS hold, h.created_at, h.expires_at, 'pending' AS status, l.line, a.code AS account,
       CASE WHEN l.amount > 0 THEN l.amount END AS debit,
       CASE WHEN l.amount < 0 THEN -l.amount END AS credit,
       a.currency, l.captured, l.released, abs(l.amount) - l.captured - l.released AS remaining,
       h.reference, h.description, h.metadata, h.created_by
  FROM open_holds_at((SELECT m.at FROM as_of m), (SELECT m.next_id FROM as_of m)) l
  JOIN holds h ON h.id = l.hold
  JOIN accounts a ON a.id = l.account_id
 WHERE (SELECT m.at FROM as_of m) IS NOT NULL;
COMMENT ON VIEW open_holds IS 'Every line of every hold that is pending, with what is left of it';

CREATE OR REPLACE VIEW reversals AS
SELECT t.reverses AS transaction_id, t.id AS reversed_by, t.posted_at, t.description AS reason, t.created_by,
       EXISTS (SELECT FROM transaction_history h
                WHERE h.transaction_id = t.id AND h.to_status = 'forced') AS is_forced
  FROM transactions t
 WHERE t.reverses IS NOT NULL
   AND (t.posted_at > (SELECT m.at FROM as_of m)) IS NOT TRUE;
COMMENT ON VIEW reversals IS 'Reversed transactions beside the transactions that reverse them';
)sql"
