R"sql(
-- Part of the reports' queries, after WITH: what every account was debited and credited in the range.
-- By posting time the ids say it all, and the planner leaves transactions out.
movement AS (
    SELECT e.account_id, sum(greatest(e.amount, 0)) AS debits, -sum(least(e.amount, 0)) AS credits
      FROM {ledger}.entries e
      LEFT JOIN {ledger}.transactions t ON t.id = e.transaction_id
     WHERE e.transaction_id >= $4 AND e.transaction_id < $5
       AND ($1 = 'posted' OR (t.effective_at >= $2 AND t.effective_at < $3))
     GROUP BY e.account_id
)
)sql"
