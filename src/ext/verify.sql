R"sql(
-- ledger_verify(): one row per finding. The placeholder stands for the ledger's quoted schema (not in comments: a
-- name may have a line's end in it). Every name is in full, operators of pg_catalog are found first by the search_path that ledger_verify() sets.
WITH RECURSIVE reserved AS (
    SELECT account_id, stripe,
           coalesce(sum(amount - captured - released) FILTER (WHERE amount > 0), 0) AS debits,
           coalesce(sum(-amount - captured - released) FILTER (WHERE amount < 0), 0) AS credits
      FROM {ledger}.hold_lines GROUP BY account_id, stripe
), forced AS (  -- accounts on which an operator has set limits aside
    SELECT DISTINCT e.account_id
      FROM {ledger}.transaction_history h JOIN {ledger}.entries e ON e.transaction_id = h.transaction_id
     WHERE h.to_status = 'forced'
), ruled AS (  -- what the history last says of an account's status and limits
    SELECT DISTINCT ON (account_id, change) account_id, change, to_value
      FROM {ledger}.account_history ORDER BY account_id, change, id DESC
), captures AS (  -- the side of an entry tells the side of the hold's lines
    SELECT t.hold, e.account_id, e.amount > 0 AS is_debit, sum(abs(e.amount)) AS amount
      FROM {ledger}.transactions t JOIN {ledger}.entries e ON e.transaction_id = t.id
     WHERE t.hold IS NOT NULL GROUP BY 1, 2, 3
), held AS (
    SELECT hold_id, account_id, amount > 0 AS is_debit, sum(captured) AS captured,
           bool_and(captured >= 0 AND released >= 0 AND captured + released <= abs(amount)
                    AND is_open = (captured + released < abs(amount))
                    AND is_open = (settled_at IS NULL)) AS is_sound
      FROM {ledger}.hold_lines GROUP BY 1, 2, 3
), reversed AS (  -- transactions that were reversed, each with what reverses it, directly or not
    SELECT DISTINCT r.reverses AS root, r.reverses AS id FROM {ledger}.transactions r WHERE r.reverses IS NOT NULL
), tree AS (
    SELECT root, id FROM reversed
    UNION
    SELECT tree.root, t.id FROM tree JOIN {ledger}.transactions t ON t.reverses = tree.id AND t.reverses IS NOT NULL
)
SELECT 'account_without_balance' AS check_name, a.code AS object, 'a row in account_balances' AS expected, 'none' AS found
  FROM {ledger}.accounts a LEFT JOIN {ledger}.account_balances b ON b.account_id = a.id WHERE b.account_id IS NULL
UNION ALL
SELECT 'balance_without_account', b.account_id::text, 'a row in accounts', 'none'
  FROM {ledger}.account_balances b LEFT JOIN {ledger}.accounts a ON a.id = b.account_id WHERE a.id IS NULL
UNION ALL
SELECT 'account_without_currency', a.code, 'currency ' || a.currency, 'none'
  FROM {ledger}.accounts a LEFT JOIN {ledger}.currencies c ON c.code = a.currency WHERE c.code IS NULL
UNION ALL
SELECT 'account_without_type', a.code, 'account type ' || a.type, 'none'
  FROM {ledger}.accounts a LEFT JOIN {ledger}.account_types y ON y.code = a.type WHERE y.code IS NULL
UNION ALL
SELECT d.check_name, a.code, d.expected, d.found
  FROM {ledger}.account_balances b
  JOIN {ledger}.accounts a ON a.id = b.account_id
  JOIN {ledger}.account_types y ON y.code = a.type
  LEFT JOIN reserved r ON r.account_id = b.account_id AND r.stripe = b.stripe
 CROSS JOIN LATERAL (VALUES
    ('debits_pending_mismatch', coalesce(r.debits, 0)::text, b.debits_pending::text,
     coalesce(r.debits, 0) <> b.debits_pending),
    ('credits_pending_mismatch', coalesce(r.credits, 0)::text, b.credits_pending::text,
     coalesce(r.credits, 0) <> b.credits_pending),
    ('balance_below_floor', 'at least ' || b.min_balance,
     (CASE y.normal_side WHEN 'debit' THEN 1 ELSE -1 END * (b.debits_posted - b.credits_posted)
      - CASE y.normal_side WHEN 'debit' THEN b.credits_pending ELSE b.debits_pending END)::text,
     CASE y.normal_side WHEN 'debit' THEN 1 ELSE -1 END * (b.debits_posted - b.credits_posted)
      - CASE y.normal_side WHEN 'debit' THEN b.credits_pending ELSE b.debits_pending END < b.min_balance
     AND NOT EXISTS (SELECT FROM forced f WHERE f.account_id = b.account_id)),
    ('balance_above_ceiling', 'at most ' || b.max_balance,
     (CASE y.normal_side WHEN 'debit' THEN 1 ELSE -1 END * (b.debits_posted - b.credits_posted)
      + CASE y.normal_side WHEN 'debit' THEN b.debits_pending ELSE b.credits_pending END)::text,
     CASE y.normal_side WHEN 'debit' THEN 1 ELSE -1 END * (b.debits_posted - b.credits_posted)
      + CASE y.normal_side WHEN 'debit' THEN b.debits_pending ELSE b.credits_pending END > b.max_balance
     AND NOT EXISTS (SELECT FROM forced f WHERE f.account_id = b.account_id))
 ) AS d (check_name, expected, found, is_wrong)
 WHERE d.is_wrong
UNION ALL
-- The history has every change of an account's status and limits; an account is opened open.
SELECT 'status_mismatch', a.code, coalesce(r.to_value, 'open'), coalesce(b.status, 'NULL')
  FROM {ledger}.account_balances b
  JOIN {ledger}.accounts a ON a.id = b.account_id
  LEFT JOIN ruled r ON r.account_id = b.account_id AND r.change = 'status'
 WHERE b.status IS DISTINCT FROM coalesce(r.to_value, 'open')
UNION ALL
SELECT r.change || '_mismatch', a.code, r.to_value, coalesce(l.value, 'none')
  FROM ruled r
  JOIN {ledger}.account_balances b ON b.account_id = r.account_id
  JOIN {ledger}.accounts a ON a.id = b.account_id
  JOIN {ledger}.currencies c ON c.code = a.currency
 CROSS JOIN LATERAL (
    SELECT round(CASE r.change WHEN 'min_balance' THEN b.min_balance ELSE b.max_balance END, c.scale) || ' ' || a.currency AS value) l
 WHERE r.change IN ('min_balance', 'max_balance') AND r.to_value IS DISTINCT FROM coalesce(l.value, 'none')
UNION ALL
SELECT 'hold_mismatch', h.hold_id || ' account ' || h.account_id,
       'captured ' || coalesce(c.amount, 0), 'captured ' || h.captured
  FROM held h LEFT JOIN captures c
    ON c.hold = h.hold_id AND c.account_id = h.account_id AND c.is_debit = h.is_debit
 WHERE h.captured <> coalesce(c.amount, 0) OR NOT h.is_sound
UNION ALL
SELECT 'capture_without_hold', c.hold || ' account ' || c.account_id, 'a line of the hold', 'none'
  FROM captures c LEFT JOIN held h
    ON c.hold = h.hold_id AND c.account_id = h.account_id AND c.is_debit = h.is_debit
 WHERE h.hold_id IS NULL
UNION ALL
SELECT 'hold_without_lines', h.id::text, 'at least 2 lines', count(l.hold_id)::text
  FROM {ledger}.holds h LEFT JOIN {ledger}.hold_lines l ON l.hold_id = h.id
 GROUP BY h.id HAVING count(l.hold_id) < 2
UNION ALL
SELECT 'hold_line_without_hold', l.hold_id || ' line ' || l.line, 'a row in holds', 'none'
  FROM {ledger}.hold_lines l LEFT JOIN {ledger}.holds h ON h.id = l.hold_id WHERE h.id IS NULL
UNION ALL
SELECT 'settled_hold_with_reservation', l.hold_id || ' line ' || l.line, 'nothing left', h.status
  FROM {ledger}.hold_lines l JOIN {ledger}.holds h ON h.id = l.hold_id
 WHERE l.is_open AND h.status <> 'pending'
UNION ALL
SELECT 'unbalanced_hold', s.hold_id::text, '0 ' || s.currency, s.difference || ' ' || s.currency
  FROM (SELECT l.hold_id, a.currency, sum(l.amount) AS difference
          FROM {ledger}.hold_lines l JOIN {ledger}.accounts a ON a.id = l.account_id
         GROUP BY l.hold_id, a.currency) s
 WHERE s.difference <> 0
UNION ALL
SELECT 'hold_line_without_account', l.hold_id || ' line ' || l.line, 'a row in accounts with id ' || l.account_id, 'none'
  FROM {ledger}.hold_lines l LEFT JOIN {ledger}.accounts a ON a.id = l.account_id WHERE a.id IS NULL
UNION ALL
SELECT 'hold_status_mismatch', h.id::text, coalesce(s.to_status, 'none'), h.status
  FROM {ledger}.holds h
  LEFT JOIN (SELECT DISTINCT ON (transaction_id) transaction_id, to_status
               FROM {ledger}.transaction_history ORDER BY transaction_id, id DESC) s ON s.transaction_id = h.id
 WHERE s.to_status IS DISTINCT FROM h.status
UNION ALL
-- What is left of a reversed transaction lies between nothing and the whole, on each account.
SELECT 'reversal_exceeds_transaction', x.root::text,
       concat('account ', x.account_id, ' between 0 and ', x.whole), x.remainder::text
  FROM (SELECT tree.root, e.account_id, sum(e.amount) AS remainder,
               coalesce(sum(e.amount) FILTER (WHERE tree.id = tree.root), 0) AS whole
          FROM tree JOIN {ledger}.entries e ON e.transaction_id = tree.id
         GROUP BY tree.root, e.account_id) x
 WHERE EXISTS (SELECT FROM {ledger}.transactions o WHERE o.id = x.root)
   AND (sign(x.remainder) * sign(x.whole) < 0 OR abs(x.remainder) > abs(x.whole))
UNION ALL
SELECT 'reversal_without_transaction', t.id::text, 'transaction ' || t.reverses, 'none'
  FROM {ledger}.transactions t LEFT JOIN {ledger}.transactions o ON o.id = t.reverses
 WHERE t.reverses IS NOT NULL AND o.id IS NULL
UNION ALL
-- As long as its index is there, a reference is unique.
SELECT 'duplicate_reference', r.reference, '1 transaction', r.transactions::text
  FROM (SELECT reference, count(*) AS transactions FROM {ledger}.transactions
         WHERE reference IS NOT NULL AND (
            SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
                                WHERE c.relnamespace = $1 AND c.relname = 'transactions'
                                  AND i.indisunique AND i.indisvalid AND i.indisready AND i.indnkeyatts = 1
                                  AND pg_catalog.pg_get_indexdef(i.indexrelid, 1, false) = 'reference'
                                  AND (i.indpred IS NULL OR pg_catalog.pg_get_expr(i.indpred, i.indrelid) = '(reference IS NOT NULL)')))
         GROUP BY reference HAVING count(*) > 1) r
UNION ALL
SELECT 'closed_through_mismatch', 'settings', coalesce(h.to_closed_through::text, 'none'), coalesce(s.closed_through::text, 'none')
  FROM {ledger}.settings s
  LEFT JOIN LATERAL (SELECT to_closed_through FROM {ledger}.period_history ORDER BY id DESC LIMIT 1) h ON true
 WHERE s.closed_through IS DISTINCT FROM h.to_closed_through
UNION ALL
-- The guards must be there and enabled.
SELECT 'guard_missing', g.table_name || '.' || g.trigger_name, 'an enabled trigger',
       CASE WHEN t.oid IS NULL THEN 'none' ELSE 'disabled' END
  FROM (VALUES ('transactions', 'guard_transaction'), ('transactions', 'enforce_double_entry'),
               ('transactions', 'append_only'), ('transactions', 'append_only_truncate'),
               ('entries', 'adjust_account_balance'), ('entries', 'enforce_double_entry'),
               ('entries', 'append_only'), ('entries', 'append_only_truncate'),
               ('idempotency_keys', 'ledger_only'), ('idempotency_keys', 'ledger_only_truncate'),
               ('account_balances', 'ledger_only'), ('account_balances', 'ledger_only_truncate'),
               ('transaction_history', 'ledger_only'), ('transaction_history', 'ledger_only_truncate'),
               ('account_history', 'ledger_only'), ('account_history', 'ledger_only_truncate'),
               ('period_history', 'ledger_only'), ('period_history', 'ledger_only_truncate'),
               ('verifications', 'ledger_only'), ('verifications', 'ledger_only_truncate'),
               ('seals', 'ledger_only'), ('seals', 'ledger_only_truncate'),
               ('seal_blocks', 'ledger_only'), ('seal_blocks', 'ledger_only_truncate'),
               ('holds', 'ledger_only'), ('holds', 'ledger_only_truncate'),
               ('hold_lines', 'ledger_only'), ('hold_lines', 'ledger_only_truncate'),
               ('dated_entries', 'ledger_only'), ('dated_entries', 'ledger_only_truncate'),
               ('effective_days', 'ledger_only'), ('effective_days', 'ledger_only_truncate'),
               ('accounts', 'guard_account'), ('accounts', 'open_account_balance'),
               ('accounts', 'immutable'), ('accounts', 'immutable_delete'), ('accounts', 'immutable_truncate'),
               ('currencies', 'immutable'), ('account_types', 'immutable'),
               ('postings', 'post_row'), ('postings', 'post_statement'),
               ('settings', 'immutable'), ('settings', 'immutable_delete'), ('settings', 'immutable_truncate')
       ) AS g (table_name, trigger_name)
  JOIN pg_catalog.pg_namespace n ON n.oid = $1
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = g.table_name
  LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND t.tgname = g.trigger_name
   AND EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
                WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = t.tgfoid
                  AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND x.extname = 'ledgerflow')
 WHERE t.oid IS NULL OR t.tgenabled NOT IN ('O', 'A')
UNION ALL
-- And so must the unique keys, which no trigger replaces.
SELECT 'guard_missing', concat(g.table_name, ' (', array_to_string(g.columns, ', '), ')'), 'a unique index', 'none'
  FROM (VALUES ('currencies', '{code}'::text[]), ('account_types', '{code}'), ('accounts', '{id}'), ('accounts', '{code}'),
               ('account_balances', '{account_id,stripe}'), ('transactions', '{id}'), ('transactions', '{reference}'),
               ('entries', '{transaction_id,line}'), ('holds', '{id}'), ('holds', '{reference}'),
               ('hold_lines', '{hold_id,line}'), ('idempotency_keys', '{key}')) AS g (table_name, columns)
  JOIN pg_catalog.pg_class c ON c.relnamespace = $1 AND c.relname = g.table_name
 WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_index i
     WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indisready
       AND i.indnkeyatts = array_length(g.columns, 1)
       AND (SELECT array_agg(pg_catalog.pg_get_indexdef(i.indexrelid, n, false) ORDER BY n)
              FROM generate_series(1, i.indnkeyatts) AS n) = g.columns
       AND (i.indpred IS NULL OR pg_catalog.pg_get_expr(i.indpred, i.indrelid) = '(reference IS NOT NULL)'))
)sql"
