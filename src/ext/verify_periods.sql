R"sql(
-- Backdated transactions that were posted while the period of their effective time was closed.
SELECT 'posted_in_closed_period' AS check_name, t.id::text AS object,
       'effective after ' || h.to_closed_through AS expected, t.effective_at::text AS found
  FROM {ledger}.transactions t
 CROSS JOIN LATERAL (
    SELECT p.to_closed_through FROM {ledger}.period_history p
     WHERE p.changed_at <= t.posted_at ORDER BY p.id DESC LIMIT 1) h
 WHERE t.effective_at < t.posted_at AND t.effective_at <= h.to_closed_through
)sql"
