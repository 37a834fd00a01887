R"sql(
-- Accounts without a row of balances get one: with the status and limits that the history has last, or those of a
-- new account of their type.
WITH made AS (
    INSERT INTO {ledger}.account_balances (account_id, status, min_balance, max_balance)
    SELECT a.id, coalesce(h.status, 'open'),
           CASE WHEN h.min_balance IS NULL THEN y.min_balance
                WHEN h.min_balance ~ '^-?[0-9]+([.][0-9]+)? ' THEN split_part(h.min_balance, ' ', 1)::numeric END,
           CASE WHEN h.max_balance IS NULL THEN y.max_balance
                WHEN h.max_balance ~ '^-?[0-9]+([.][0-9]+)? ' THEN split_part(h.max_balance, ' ', 1)::numeric END
      FROM {ledger}.accounts a
      JOIN {ledger}.account_types y ON y.code = a.type
     CROSS JOIN LATERAL (
        SELECT (array_agg(r.to_value ORDER BY r.id DESC) FILTER (WHERE r.change = 'status'))[1] AS status,
               (array_agg(r.to_value ORDER BY r.id DESC) FILTER (WHERE r.change = 'min_balance'))[1] AS min_balance,
               (array_agg(r.to_value ORDER BY r.id DESC) FILTER (WHERE r.change = 'max_balance'))[1] AS max_balance
          FROM {ledger}.account_history r WHERE r.account_id = a.id) h
     WHERE ($1 IS NULL OR a.id = $1)
       AND NOT EXISTS (SELECT FROM {ledger}.account_balances b WHERE b.account_id = a.id AND b.stripe = 0)
    RETURNING account_id, status, min_balance, max_balance
), recorded AS (
    INSERT INTO {ledger}.account_history (account_id, changed_by, change, to_value, reason)
    SELECT account_id, $2, 'row', concat_ws(', ', status, 'floor ' || min_balance, 'ceiling ' || max_balance), 'ledger_rebuild_balances()' FROM made
)
SELECT a.code, 'row', NULL::text, concat_ws(', ', m.status, 'floor ' || m.min_balance, 'ceiling ' || m.max_balance)
  FROM made m JOIN {ledger}.accounts a ON a.id = m.account_id ORDER BY a.code
)sql"
