R"sql(
-- ledger_health(): one row, each figure from an index, the catalog or an estimate. $1: name; $2, $3: store and
-- what keeps the ledger from the heap store; $4: the smallest id of what was posted since the last clean
-- verification; $5: percent of idempotency_keys to look at; $6 to $9: tables, for estimates of their rows; $10: when the
-- oldest transaction began.
SELECT $1 AS ledger, clock_timestamp() AS checked_at, s.format_version, $2 AS store, $3 AS store_obstacle,
       greatest(a.reltuples, 0)::bigint, greatest(t.reltuples, 0)::bigint, greatest(e.reltuples, 0)::bigint,
       (SELECT x.posted_at FROM {ledger}.transactions x ORDER BY x.id DESC LIMIT 1),
       s.closed_through, v.verified_at, v.mode, v.findings,
       (SELECT f.verified_at FROM {ledger}.verifications f WHERE f.mode = 'full' ORDER BY f.id DESC LIMIT 1),
       (SELECT count(*) FROM (SELECT FROM {ledger}.transactions x WHERE x.id >= $4 LIMIT 100000) n),
       h.expired, h.oldest,
       CASE WHEN s.idempotency_retention IS NULL THEN 0 ELSE
           (SELECT round(count(*) * 100 / $5)::bigint
              FROM {ledger}.idempotency_keys k TABLESAMPLE SYSTEM ($5) REPEATABLE (0)
             WHERE k.created_at < now() - s.idempotency_retention) END,
       greatest(k.reltuples, 0)::bigint,
       (SELECT count(*) FROM pg_trigger g
         WHERE g.tgrelid IN (a.oid, t.oid, e.oid) AND NOT g.tgisinternal AND g.tgenabled NOT IN ('O', 'A')),
       $10,
       (pg_snapshot_xmax(c.now)::text::numeric - pg_snapshot_xmin(c.now)::text::numeric)::bigint
  FROM {ledger}.settings s
 CROSS JOIN (SELECT pg_current_snapshot() AS now) c
 CROSS JOIN LATERAL (
    SELECT count(*) AS expired, min(o.expires_at) AS oldest
      FROM {ledger}.holds o WHERE o.status = 'pending' AND o.expires_at < now()) h
  JOIN pg_class a ON a.oid = $6
  JOIN pg_class t ON t.oid = $7
  JOIN pg_class e ON e.oid = $8
  JOIN pg_class k ON k.oid = $9
  LEFT JOIN (SELECT * FROM {ledger}.verifications ORDER BY id DESC LIMIT 1) v ON true
)sql"
