R"sql(
-- What balances by effective time rest on, against entries and transactions: the wrong rows, by account.
-- For ledger_verify() and for ledger_rebuild_effective(). The placeholder stands for the ledger's quoted
-- schema (not in comments: a name may have a line's end in it); operators of pg_catalog are found first by the search_path of both.
SELECT f.account_id, f.check_name, f.object, f.expected, f.found
  FROM (
    WITH dated AS MATERIALIZED (
        SELECT e.account_id, t.effective_at, e.transaction_id, e.line, e.amount,
               sum(e.amount) OVER (PARTITION BY e.account_id ORDER BY e.transaction_id, e.line) AS dated_after
          FROM {ledger}.transactions t JOIN {ledger}.entries e ON e.transaction_id = t.id
         WHERE t.effective_at <> t.posted_at
    ), days AS (
        SELECT account_id, (effective_at AT TIME ZONE 'UTC')::date AS day, sum(amount) AS amount
          FROM dated GROUP BY 1, 2
    )
    SELECT coalesce(e.account_id, d.account_id) AS account_id, 'dated_entry_mismatch' AS check_name,
           coalesce(e.transaction_id, d.transaction_id) || ' line ' || coalesce(e.line, d.line) AS object,
           CASE WHEN e.line IS NULL THEN 'none'
                ELSE concat_ws(' ', e.amount, 'at', e.effective_at AT TIME ZONE 'UTC', 'UTC, dated', e.dated_after) END AS expected,
           CASE WHEN d.line IS NULL THEN 'none'
                ELSE concat_ws(' ', d.amount, 'at', d.effective_at AT TIME ZONE 'UTC', 'UTC, dated', d.dated_after) END AS found
      FROM dated e FULL JOIN {ledger}.dated_entries d
        ON d.account_id = e.account_id AND d.transaction_id = e.transaction_id AND d.line = e.line
     WHERE (e.effective_at, e.amount, e.dated_after) IS DISTINCT FROM (d.effective_at, d.amount, d.dated_after)
    UNION ALL
    SELECT coalesce(e.account_id, d.account_id), 'effective_day_mismatch',
           coalesce(a.code, 'account ' || coalesce(e.account_id, d.account_id)) || ' ' || coalesce(e.day, d.day),
           coalesce(e.amount, 0)::text, coalesce(d.amount, 0)::text
      FROM days e FULL JOIN {ledger}.effective_days d ON d.account_id = e.account_id AND d.day = e.day
      LEFT JOIN {ledger}.accounts a ON a.id = coalesce(e.account_id, d.account_id)
     WHERE coalesce(e.amount, 0) <> coalesce(d.amount, 0)
  ) AS f
)sql"
