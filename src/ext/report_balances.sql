R"sql(
-- Part of the reports' queries, after WITH: debits less credits of every account at the end of the range.
-- This is the one place that knows how a balance at a time is found. Parameters as in ReportValues::add_range.
balance AS (
    SELECT account_id, debits_posted - credits_posted AS amount
      FROM {ledger}.account_balances WHERE $6 AND stripe = 0
    UNION ALL
    SELECT a.id, e.balance_after
      FROM {ledger}.accounts a
     CROSS JOIN LATERAL (  -- an order that only the index on (account_id, transaction_id) has
           SELECT account_id, transaction_id FROM {ledger}.entries
            WHERE account_id >= a.id AND (account_id, transaction_id) < (a.id, $5)
            ORDER BY account_id DESC, transaction_id DESC LIMIT 1) l
     CROSS JOIN LATERAL (
           SELECT balance_after FROM {ledger}.entries
            WHERE transaction_id = l.transaction_id AND account_id = l.account_id
            ORDER BY line DESC LIMIT 1) e
     WHERE NOT $6 AND $1 = 'posted'
    UNION ALL
    SELECT e.account_id, sum(e.amount)
      FROM {ledger}.entries e
      JOIN {ledger}.transactions t ON t.id = e.transaction_id
     WHERE NOT $6 AND $1 = 'effective' AND t.effective_at < $3 AND e.transaction_id < $5
     GROUP BY e.account_id
), account AS (
    SELECT a.id, a.code, a.name, a.type, a.currency, a.metadata, y.normal_side, round(0::numeric, c.scale) AS zero,
           coalesce(b.amount, round(0::numeric, c.scale)) AS amount
      FROM {ledger}.accounts a
      JOIN {ledger}.account_types y ON y.code = a.type
      JOIN {ledger}.currencies c ON c.code = a.currency
      LEFT JOIN balance b ON b.account_id = a.id
)
)sql"
