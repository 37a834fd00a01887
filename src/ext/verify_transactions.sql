R"sql(
-- What ledger_verify() runs when sums, lines or headers are suspect: looks at every transaction.
WITH line_counts AS (
    SELECT e.transaction_id, count(*) AS entries FROM {ledger}.entries e GROUP BY e.transaction_id
)
SELECT 'unbalanced_transaction' AS check_name, s.transaction_id::text AS object,
       '0 ' || s.currency AS expected, s.difference || ' ' || s.currency AS found
  FROM (SELECT e.transaction_id, a.currency, sum(e.amount) AS difference
          FROM {ledger}.entries e JOIN {ledger}.accounts a ON a.id = e.account_id
         GROUP BY e.transaction_id, a.currency) s
 WHERE s.difference <> 0
UNION ALL
SELECT 'transaction_without_lines', t.id::text, 'at least 2 entries', coalesce(c.entries, 0)::text
  FROM {ledger}.transactions t LEFT JOIN line_counts c ON c.transaction_id = t.id
 WHERE coalesce(c.entries, 0) < 2
UNION ALL
SELECT 'entry_without_transaction', concat(e.transaction_id, ' line ', e.line), 'a row in transactions', 'none'
  FROM {ledger}.entries e LEFT JOIN {ledger}.transactions t ON t.id = e.transaction_id WHERE t.id IS NULL
UNION ALL
SELECT 'entry_without_account', concat(e.transaction_id, ' line ', e.line),
       concat('a row in accounts with id ', e.account_id), 'none'
  FROM {ledger}.entries e LEFT JOIN {ledger}.accounts a ON a.id = e.account_id WHERE a.id IS NULL
UNION ALL
SELECT 'invalid_amount', concat(e.transaction_id, ' line ', e.line),
       'not zero, finite, at most ' || c.scale || ' decimals', coalesce(e.amount::text, 'NULL')
  FROM {ledger}.entries e JOIN {ledger}.accounts a ON a.id = e.account_id JOIN {ledger}.currencies c ON c.code = a.currency
 WHERE e.amount IS NULL OR e.amount = 0 OR e.amount IN ('NaN', 'Infinity', '-Infinity')
    OR round(e.amount, c.scale) <> e.amount OR abs(e.amount) >= 1e38 / 10::numeric ^ c.scale
UNION ALL
-- The id carries the time of posting.
SELECT 'id_time_mismatch', t.id::text, i.posted_at::text, coalesce(t.posted_at::text, 'NULL')
  FROM {ledger}.transactions t
 CROSS JOIN LATERAL (
    SELECT timestamptz 'epoch'
           + (('x' || left(replace(t.id::text, '-', ''), 12))::bit(48)::bigint * 1000
              + ('x' || substr(t.id::text, 16, 3))::bit(12)::integer * 1000 / 4096) * interval '1 microsecond'
           AS posted_at) i
 WHERE i.posted_at IS DISTINCT FROM t.posted_at OR t.id::text !~ '^.{14}7.{4}[89ab]'
UNION ALL
SELECT 'invalid_effective_at', t.id::text, 'a finite time', coalesce(t.effective_at::text, 'NULL')
  FROM {ledger}.transactions t WHERE t.effective_at IS NULL OR NOT isfinite(t.effective_at)
)sql"
