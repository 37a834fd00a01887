R"sql(
-- Brings account_balances to what entries and open holds say, and tells what was changed. $1: an account's id,
-- or NULL for all; $2: who does it. The rows are locked.
WITH lines AS (
    SELECT e.account_id, e.stripe, count(*) AS entries,
           coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0) AS debits,
           coalesce(-sum(e.amount) FILTER (WHERE e.amount < 0), 0) AS credits
      FROM {ledger}.entries e WHERE $1 IS NULL OR e.account_id = $1
     GROUP BY e.account_id, e.stripe
), reserved AS (
    SELECT l.account_id, l.stripe,
           coalesce(sum(l.amount - l.captured - l.released) FILTER (WHERE l.amount > 0), 0) AS debits,
           coalesce(sum(-l.amount - l.captured - l.released) FILTER (WHERE l.amount < 0), 0) AS credits
      FROM {ledger}.hold_lines l WHERE l.is_open AND ($1 IS NULL OR l.account_id = $1)
     GROUP BY l.account_id, l.stripe
), figures AS MATERIALIZED (
    SELECT b.account_id, b.stripe, a.code,
           b.debits_posted AS debits_posted_was, round(coalesce(t.debits, 0), c.scale) AS debits_posted,
           b.credits_posted AS credits_posted_was, round(coalesce(t.credits, 0), c.scale) AS credits_posted,
           b.debits_pending AS debits_pending_was, round(coalesce(r.debits, 0), c.scale) AS debits_pending,
           b.credits_pending AS credits_pending_was, round(coalesce(r.credits, 0), c.scale) AS credits_pending,
           b.version AS version_was, coalesce(t.entries, 0) AS version,
           b.last_transaction_id AS last_transaction_id_was, n.last_transaction_id
      FROM {ledger}.account_balances b
      JOIN {ledger}.accounts a ON a.id = b.account_id
      JOIN {ledger}.currencies c ON c.code = a.currency
      LEFT JOIN lines t ON t.account_id = b.account_id AND t.stripe = b.stripe
      LEFT JOIN reserved r ON r.account_id = b.account_id AND r.stripe = b.stripe
      LEFT JOIN LATERAL (
        SELECT e.transaction_id AS last_transaction_id FROM {ledger}.entries e
         WHERE e.account_id = b.account_id AND e.stripe = b.stripe
         ORDER BY e.account_id DESC, e.transaction_id DESC LIMIT 1) n ON true
     WHERE $1 IS NULL OR b.account_id = $1
), changed AS (
    UPDATE {ledger}.account_balances b
       SET debits_posted = f.debits_posted, credits_posted = f.credits_posted,
           debits_pending = f.debits_pending, credits_pending = f.credits_pending,
           version = f.version, last_transaction_id = f.last_transaction_id
      FROM figures f
     WHERE b.account_id = f.account_id AND b.stripe = f.stripe
       AND (b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending, b.version, b.last_transaction_id)
           IS DISTINCT FROM
           (f.debits_posted, f.credits_posted, f.debits_pending, f.credits_pending, f.version, f.last_transaction_id)
    RETURNING b.account_id, b.stripe
), differences AS (
    SELECT f.account_id, f.code, f.stripe, d.item, d.was, d.now
      FROM changed
      JOIN figures f ON f.account_id = changed.account_id AND f.stripe = changed.stripe
     CROSS JOIN LATERAL (VALUES
        ('debits_posted', f.debits_posted_was::text, f.debits_posted::text, f.debits_posted_was IS DISTINCT FROM f.debits_posted),
        ('credits_posted', f.credits_posted_was::text, f.credits_posted::text, f.credits_posted_was IS DISTINCT FROM f.credits_posted),
        ('debits_pending', f.debits_pending_was::text, f.debits_pending::text, f.debits_pending_was IS DISTINCT FROM f.debits_pending),
        ('credits_pending', f.credits_pending_was::text, f.credits_pending::text, f.credits_pending_was IS DISTINCT FROM f.credits_pending),
        ('version', f.version_was::text, f.version::text, f.version_was IS DISTINCT FROM f.version),
        ('last_transaction_id', f.last_transaction_id_was::text, f.last_transaction_id::text,
         f.last_transaction_id_was IS DISTINCT FROM f.last_transaction_id)
     ) AS d (item, was, now, differs)
     WHERE d.differs
), recorded AS (
    INSERT INTO {ledger}.account_history (account_id, changed_by, change, from_value, to_value, reason)
    SELECT account_id, $2, item, was, now, 'ledger_rebuild_balances()' FROM differences
)
SELECT code, item, was, now FROM differences ORDER BY code, stripe, item
)sql"
