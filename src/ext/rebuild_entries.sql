R"sql(
-- Brings entries.balance_after to the running sum of the amounts. $1: an account's id, or NULL for all.
WITH lines AS MATERIALIZED (
    SELECT e.transaction_id, e.line, e.account_id, e.balance_after AS was,
           round(sum(e.amount) OVER (PARTITION BY e.account_id, e.stripe ORDER BY e.transaction_id, e.line), c.scale) AS now
      FROM {ledger}.entries e
      JOIN {ledger}.accounts a ON a.id = e.account_id
      JOIN {ledger}.currencies c ON c.code = a.currency
     WHERE $1 IS NULL OR e.account_id = $1
), changed AS (
    UPDATE {ledger}.entries e SET balance_after = l.now
      FROM lines l
     WHERE e.transaction_id = l.transaction_id AND e.line = l.line AND l.was IS DISTINCT FROM l.now
    RETURNING e.transaction_id, e.line
)
SELECT a.code, concat('balance_after of ', l.transaction_id, ' line ', l.line), l.was::text, l.now::text
  FROM changed d
  JOIN lines l ON l.transaction_id = d.transaction_id AND l.line = d.line
  JOIN {ledger}.accounts a ON a.id = l.account_id
 ORDER BY a.code, l.transaction_id, l.line
)sql"
