R"sql(
-- ledger_verify(): one row per finding. {ledger} stands for the ledger's quoted schema. Every name is in
-- full, operators of pg_catalog are found first by the search_path that ledger_verify() sets.
WITH lines AS MATERIALIZED (
    SELECT e.transaction_id, e.line, e.account_id, e.stripe, e.amount, e.balance_after,
           sum(e.amount) OVER (PARTITION BY e.account_id, e.stripe ORDER BY e.transaction_id, e.line) AS running
      FROM {ledger}.entries e
), sums AS (
    SELECT l.transaction_id, a.currency, sum(l.amount) AS difference
      FROM lines l JOIN {ledger}.accounts a ON a.id = l.account_id
     GROUP BY l.transaction_id, a.currency
), totals AS (
    SELECT account_id, stripe, count(*) AS entries,
           coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debits,
           coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credits,
           max(transaction_id::text)::uuid AS last_transaction_id
      FROM lines GROUP BY account_id, stripe
), reserved AS (
    SELECT account_id, stripe,
           coalesce(sum(amount - captured - released) FILTER (WHERE amount > 0), 0) AS debits,
           coalesce(sum(-amount - captured - released) FILTER (WHERE amount < 0), 0) AS credits
      FROM {ledger}.hold_lines GROUP BY account_id, stripe
), forced AS (  -- accounts on which an operator has set limits aside
    SELECT DISTINCT l.account_id
      FROM {ledger}.transaction_history h JOIN lines l ON l.transaction_id = h.transaction_id
     WHERE h.to_status = 'forced'
), captures AS (  -- the side of an entry tells the side of the hold's lines
    SELECT t.hold, l.account_id, l.amount > 0 AS is_debit, sum(abs(l.amount)) AS amount
      FROM {ledger}.transactions t JOIN lines l ON l.transaction_id = t.id
     WHERE t.hold IS NOT NULL GROUP BY 1, 2, 3
), held AS (
    SELECT hold_id, account_id, amount > 0 AS is_debit, sum(captured) AS captured,
           bool_and(captured >= 0 AND released >= 0 AND captured + released <= abs(amount)
                    AND is_open = (captured + released < abs(amount))
                    AND is_open = (settled_at IS NULL)) AS is_sound
      FROM {ledger}.hold_lines GROUP BY 1, 2, 3
), line_counts AS (
    SELECT transaction_id, count(*) AS entries FROM lines GROUP BY transaction_id
)
SELECT 'unbalanced_transaction' AS check_name, s.transaction_id::text AS object,
       '0 ' || s.currency AS expected, s.difference || ' ' || s.currency AS found
  FROM sums s WHERE s.difference <> 0
UNION ALL
SELECT 'transaction_without_lines', t.id::text, 'at least 2 entries', coalesce(c.entries, 0)::text
  FROM {ledger}.transactions t LEFT JOIN line_counts c ON c.transaction_id = t.id
 WHERE coalesce(c.entries, 0) < 2
UNION ALL
SELECT 'entry_without_transaction', l.transaction_id || ' line ' || l.line, 'a row in transactions', 'none'
  FROM lines l LEFT JOIN {ledger}.transactions t ON t.id = l.transaction_id WHERE t.id IS NULL
UNION ALL
SELECT 'entry_without_account', l.transaction_id || ' line ' || l.line,
       'a row in accounts with id ' || l.account_id, 'none'
  FROM lines l LEFT JOIN {ledger}.accounts a ON a.id = l.account_id WHERE a.id IS NULL
UNION ALL
SELECT 'invalid_amount', l.transaction_id || ' line ' || l.line,
       'not zero, finite, at most ' || c.scale || ' decimals', l.amount::text
  FROM lines l JOIN {ledger}.accounts a ON a.id = l.account_id JOIN {ledger}.currencies c ON c.code = a.currency
 WHERE l.amount = 0 OR l.amount IN ('NaN', 'Infinity', '-Infinity') OR round(l.amount, c.scale) <> l.amount
UNION ALL
SELECT 'balance_after_mismatch', l.transaction_id || ' line ' || l.line, l.running::text, l.balance_after::text
  FROM lines l WHERE l.running <> l.balance_after
UNION ALL
SELECT 'account_without_balance', a.code, 'a row in account_balances', 'none'
  FROM {ledger}.accounts a LEFT JOIN {ledger}.account_balances b ON b.account_id = a.id WHERE b.account_id IS NULL
UNION ALL
SELECT 'balance_without_account', b.account_id::text, 'a row in accounts', 'none'
  FROM {ledger}.account_balances b LEFT JOIN {ledger}.accounts a ON a.id = b.account_id WHERE a.id IS NULL
UNION ALL
SELECT d.check_name, a.code, d.expected, d.found
  FROM {ledger}.account_balances b
  JOIN {ledger}.accounts a ON a.id = b.account_id
  JOIN {ledger}.account_types y ON y.code = a.type
  LEFT JOIN totals t ON t.account_id = b.account_id AND t.stripe = b.stripe
  LEFT JOIN reserved r ON r.account_id = b.account_id AND r.stripe = b.stripe
 CROSS JOIN LATERAL (VALUES
    ('debits_posted_mismatch', coalesce(t.debits, 0)::text, b.debits_posted::text,
     coalesce(t.debits, 0) <> b.debits_posted),
    ('credits_posted_mismatch', coalesce(t.credits, 0)::text, b.credits_posted::text,
     coalesce(t.credits, 0) <> b.credits_posted),
    ('debits_pending_mismatch', coalesce(r.debits, 0)::text, b.debits_pending::text,
     coalesce(r.debits, 0) <> b.debits_pending),
    ('credits_pending_mismatch', coalesce(r.credits, 0)::text, b.credits_pending::text,
     coalesce(r.credits, 0) <> b.credits_pending),
    ('version_mismatch', coalesce(t.entries, 0)::text, b.version::text,
     coalesce(t.entries, 0) <> b.version),
    ('last_transaction_mismatch', coalesce(t.last_transaction_id::text, 'none'),
     coalesce(b.last_transaction_id::text, 'none'),
     t.last_transaction_id IS DISTINCT FROM b.last_transaction_id),
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
SELECT 'reversal_without_transaction', t.id::text, 'transaction ' || t.reverses, 'none'
  FROM {ledger}.transactions t LEFT JOIN {ledger}.transactions o ON o.id = t.reverses
 WHERE t.reverses IS NOT NULL AND o.id IS NULL
UNION ALL
-- The id carries the time of posting.
SELECT 'id_time_mismatch', t.id::text, i.posted_at::text, t.posted_at::text
  FROM {ledger}.transactions t
 CROSS JOIN LATERAL (
    SELECT timestamptz 'epoch'
           + (('x' || left(replace(t.id::text, '-', ''), 12))::bit(48)::bigint * 1000
              + ('x' || substr(t.id::text, 16, 3))::bit(12)::integer * 1000 / 4096) * interval '1 microsecond'
           AS posted_at) i
 WHERE i.posted_at <> t.posted_at OR substr(t.id::text, 15, 1) <> '7'
UNION ALL
SELECT 'key_without_transaction', k.key, 'transaction ' || k.transaction_id, 'none'
  FROM {ledger}.idempotency_keys k
  LEFT JOIN {ledger}.transactions t ON t.id = k.transaction_id
  LEFT JOIN {ledger}.holds h ON h.id = k.transaction_id
 WHERE t.id IS NULL AND h.id IS NULL
UNION ALL
SELECT 'duplicate_reference', r.reference, '1 transaction', r.transactions::text
  FROM (SELECT reference, count(*) AS transactions FROM {ledger}.transactions
         WHERE reference IS NOT NULL GROUP BY reference HAVING count(*) > 1) r
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
               ('holds', 'ledger_only'), ('holds', 'ledger_only_truncate'),
               ('hold_lines', 'ledger_only'), ('hold_lines', 'ledger_only_truncate'),
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
)sql"
