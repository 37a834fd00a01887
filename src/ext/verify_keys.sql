R"sql(
-- Idempotency keys whose result is not there.
SELECT 'key_without_transaction' AS check_name, k.key AS object, concat('transaction ', k.transaction_id) AS expected,
       'none' AS found
  FROM {ledger}.idempotency_keys k
 WHERE NOT EXISTS (SELECT FROM {ledger}.transactions t WHERE t.id = k.transaction_id)
   AND NOT EXISTS (SELECT FROM {ledger}.holds h WHERE h.id = k.transaction_id)
)sql"
