R"sql(
-- What ledger_upgrade() locks, in an order in which others lock: the settings, which every session reads first, then
-- views before what they show, then tables as postings come to them. $1 is the ledger's schema, $2 the names of its
-- tables.
SELECT c.oid
  FROM pg_class c
  LEFT JOIN unnest(ARRAY['settings', 'accounts', 'currencies', 'account_types', 'account_balances', 'entries',
                         'idempotency_keys', 'transactions']) WITH ORDINALITY AS t (name, place) ON t.name = c.relname
 WHERE c.relnamespace = $1 AND (c.relkind = 'v' OR c.relname = ANY ($2))
 ORDER BY c.relname = 'settings' DESC, c.relkind = 'v' DESC, CASE WHEN c.relkind = 'v' THEN -CAST(c.oid AS bigint) END,
          t.place NULLS LAST, c.relname
)sql"
