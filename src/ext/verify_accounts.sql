R"sql(
-- What ledger_verify() runs for suspect accounts, whose ids are $1: follows all of their entries.
WITH lines AS MATERIALIZED (
    SELECT e.transaction_id, e.line, e.account_id, e.stripe, e.amount, e.balance_after,
           sum(e.amount) OVER (PARTITION BY e.account_id, e.stripe ORDER BY e.transaction_id, e.line) AS running
      FROM {ledger}.entries e WHERE e.account_id = ANY ($1)
), totals AS (
    SELECT account_id, stripe, count(*) AS entries,
           coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debits,
           coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credits,
           max(transaction_id::text)::uuid AS last_transaction_id
      FROM lines GROUP BY account_id, stripe
)
SELECT 'balance_after_mismatch' AS check_name, concat(l.transaction_id, ' line ', l.line) AS object,
       coalesce(l.running::text, 'NULL') AS expected, coalesce(l.balance_after::text, 'NULL') AS found
  FROM lines l WHERE l.running IS DISTINCT FROM l.balance_after
UNION ALL
SELECT d.check_name, a.code, d.expected, d.found
  FROM {ledger}.account_balances b
  JOIN {ledger}.accounts a ON a.id = b.account_id
  LEFT JOIN totals t ON t.account_id = b.account_id AND t.stripe = b.stripe
 CROSS JOIN LATERAL (VALUES
    ('debits_posted_mismatch', coalesce(t.debits, 0)::text, coalesce(b.debits_posted::text, 'NULL'),
     coalesce(t.debits, 0) IS DISTINCT FROM b.debits_posted),
    ('credits_posted_mismatch', coalesce(t.credits, 0)::text, coalesce(b.credits_posted::text, 'NULL'),
     coalesce(t.credits, 0) IS DISTINCT FROM b.credits_posted),
    ('version_mismatch', coalesce(t.entries, 0)::text, coalesce(b.version::text, 'NULL'),
     coalesce(t.entries, 0) IS DISTINCT FROM b.version),
    ('last_transaction_mismatch', coalesce(t.last_transaction_id::text, 'none'),
     coalesce(b.last_transaction_id::text, 'none'),
     t.last_transaction_id IS DISTINCT FROM b.last_transaction_id)
 ) AS d (check_name, expected, found, is_wrong)
 WHERE b.account_id = ANY ($1) AND d.is_wrong
UNION ALL
SELECT 'entry_without_balance', concat(a.code, ' stripe ', t.stripe), 'a row in account_balances', 'none'
  FROM totals t
  JOIN {ledger}.accounts a ON a.id = t.account_id
  LEFT JOIN {ledger}.account_balances b ON b.account_id = t.account_id AND b.stripe = t.stripe
 WHERE b.account_id IS NULL AND EXISTS (SELECT FROM {ledger}.account_balances o WHERE o.account_id = t.account_id)
)sql"
