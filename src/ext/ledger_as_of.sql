R"sql(
-- What the views need to show the books as of ledgerflow.as_of. Functions of the ledger's own, so that the
-- views outlive the extension; in functions, so that reading the present is neither planned nor charged for
-- reading the past (a large estimate would make the server compile every query). Their bodies are parsed
-- here and now: they do not depend on a search_path, and follow a schema that is renamed.
-- Run with search_path set to the ledger's schema.

-- The smallest id of a later time: 48 bits of milliseconds, 7, 12 bits of the fraction of the millisecond.
CREATE OR REPLACE FUNCTION next_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN (SELECT CAST(lpad(to_hex(m.micros / 1000), 12, '0') || '7'
                    || lpad(to_hex((m.micros % 1000 * 4096 + 999) / 1000), 3, '0') || '8000000000000000' AS uuid)
          FROM (SELECT CAST(least(greatest(extract(epoch FROM at) * 1000000 + 1, 0), 281474976710655999) AS bigint)) AS m (micros));
COMMENT ON FUNCTION next_id(timestamptz) IS 'Smallest id of a transaction that is posted after this time';

CREATE OR REPLACE VIEW as_of AS
SELECT m.at, next_id(m.at) AS next_id
  FROM (SELECT CAST(nullif(current_setting('ledgerflow.as_of', true), '') AS timestamptz)) AS m (at);
COMMENT ON VIEW as_of IS 'One row: the time of ledgerflow.as_of, NULL for now, and the first id that is too late for it';

-- The row of account_balances as it stood: what came later is taken back.
CREATE OR REPLACE FUNCTION standing_at(id bigint, at timestamptz, next_id uuid,
    OUT version bigint, OUT last_transaction_id uuid, OUT status text, OUT debits_posted numeric, OUT credits_posted numeric,
    OUT debits_pending numeric, OUT credits_pending numeric, OUT min_balance numeric, OUT max_balance numeric, OUT was_there boolean)
LANGUAGE sql STABLE PARALLEL SAFE COST 1
BEGIN ATOMIC
SELECT b.version - later.lines,
       (SELECT e.transaction_id FROM entries e
         WHERE e.account_id = b.account_id AND e.transaction_id < $3 ORDER BY e.transaction_id DESC LIMIT 1),
       coalesce(rules.status, b.status), b.debits_posted - later.debits, b.credits_posted - later.credits,
       0 * b.debits_posted + held.debits + later.captured_debits, 0 * b.debits_posted + held.credits + later.captured_credits,
       CASE WHEN rules.min_balance IS NULL THEN b.min_balance ELSE CAST(nullif(split_part(rules.min_balance, ' ', 1), 'none') AS numeric) END,
       CASE WHEN rules.max_balance IS NULL THEN b.max_balance ELSE CAST(nullif(split_part(rules.max_balance, ' ', 1), 'none') AS numeric) END,
       a.created_at <= $2 OR b.version > later.lines
  FROM account_balances b
  JOIN accounts a ON a.id = b.account_id
 CROSS JOIN LATERAL (  -- posted since; captures of holds that were there are pending again
    SELECT count(*) AS lines, coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0) AS debits,
           coalesce(-sum(e.amount) FILTER (WHERE e.amount < 0), 0) AS credits,
           coalesce(sum(e.amount) FILTER (WHERE e.amount > 0 AND t.hold < $3), 0) AS captured_debits,
           coalesce(-sum(e.amount) FILTER (WHERE e.amount < 0 AND t.hold < $3), 0) AS captured_credits
      FROM entries e LEFT JOIN transactions t ON t.id = e.transaction_id AND t.hold IS NOT NULL
     WHERE e.account_id = b.account_id AND e.transaction_id >= $3) later
 CROSS JOIN LATERAL (  -- what stood in the first change since
    SELECT (SELECT h.from_value FROM account_history h
             WHERE h.account_id = b.account_id AND h.change = 'status' AND h.changed_at > $2 ORDER BY h.id LIMIT 1) AS status,
           (SELECT h.from_value FROM account_history h
             WHERE h.account_id = b.account_id AND h.change = 'min_balance' AND h.changed_at > $2 ORDER BY h.id LIMIT 1) AS min_balance,
           (SELECT h.from_value FROM account_history h
             WHERE h.account_id = b.account_id AND h.change = 'max_balance' AND h.changed_at > $2 ORDER BY h.id LIMIT 1) AS max_balance) rules
 CROSS JOIN LATERAL (  -- lines of holds that were there and not settled: all but what is captured by now
    SELECT coalesce(sum(abs(l.amount) - raised.since - l.captured) FILTER (WHERE l.amount > 0), 0) AS debits,
           coalesce(sum(abs(l.amount) - raised.since - l.captured) FILTER (WHERE l.amount < 0), 0) AS credits
      FROM (SELECT x.amount, x.captured, x.raises FROM hold_lines x
             WHERE x.account_id = b.account_id AND x.settled_at IS NULL AND x.hold_id < $3
            UNION ALL
            SELECT x.amount, x.captured, x.raises FROM hold_lines x
             WHERE x.account_id = b.account_id AND x.settled_at > $2 AND x.hold_id < $3) l
     CROSS JOIN LATERAL (
        SELECT coalesce(sum(CAST(r.value ->> 'by' AS numeric)), 0) AS since
          FROM jsonb_array_elements(l.raises) r WHERE CAST(r.value ->> 'at' AS timestamptz) > $2) raised) held
 WHERE b.account_id = $1 AND b.stripe = 0;
END;
COMMENT ON FUNCTION standing_at(bigint, timestamptz, uuid) IS 'Figures, status and limits of an account as they stood; next_id is that of the time';

CREATE OR REPLACE VIEW standings AS
SELECT b.account_id, CASE WHEN p.version IS NULL THEN b.version ELSE p.version END AS version,
       CASE WHEN p.version IS NULL THEN b.last_transaction_id ELSE p.last_transaction_id END AS last_transaction_id,
       coalesce(p.status, b.status) AS status,
       coalesce(p.debits_posted, b.debits_posted) AS debits_posted, coalesce(p.credits_posted, b.credits_posted) AS credits_posted,
       coalesce(p.debits_pending, b.debits_pending) AS debits_pending,
       coalesce(p.credits_pending, b.credits_pending) AS credits_pending,
       CASE WHEN p.version IS NULL THEN b.min_balance ELSE p.min_balance END AS min_balance,
       CASE WHEN p.version IS NULL THEN b.max_balance ELSE p.max_balance END AS max_balance
  FROM account_balances b
  LEFT JOIN LATERAL (
    SELECT s.* FROM standing_at(b.account_id, (SELECT m.at FROM as_of m), (SELECT m.next_id FROM as_of m)) s
     WHERE (SELECT m.at FROM as_of m) IS NOT NULL) p ON true
 WHERE b.stripe = 0 AND p.was_there IS NOT FALSE;
COMMENT ON VIEW standings IS 'Rows of account_balances as they are, or as they stood at the time of ledgerflow.as_of';

-- Lines of the holds that were pending. What of a line was captured cannot be told where a hold has several
-- lines on one side of one account: NULL.
CREATE OR REPLACE FUNCTION open_holds_at(at timestamptz, next_id uuid)
RETURNS TABLE (hold uuid, line smallint, account_id bigint, amount numeric, captured numeric, released numeric)
LANGUAGE sql STABLE PARALLEL SAFE COST 1 ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
SELECT l.hold_id, l.line, l.account_id, l.amount - sign(l.amount) * raised.since,
       CASE WHEN EXISTS (SELECT FROM hold_lines o WHERE o.hold_id = l.hold_id AND o.account_id = l.account_id
                            AND o.line <> l.line AND (o.amount > 0) = (l.amount > 0)) THEN NULL
            ELSE l.captured - captured.since END,
       CASE WHEN l.settled_at <= $1 THEN l.released ELSE 0 * l.released END
  FROM holds h
  JOIN hold_lines l ON l.hold_id = h.id
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(CAST(r.value ->> 'by' AS numeric)), 0) AS since
      FROM jsonb_array_elements(l.raises) r WHERE CAST(r.value ->> 'at' AS timestamptz) > $1) raised
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(abs(e.amount)), 0) AS since
      FROM transactions t JOIN entries e ON e.transaction_id = t.id
     WHERE t.hold = h.id AND t.id >= $2 AND e.account_id = l.account_id AND (e.amount > 0) = (l.amount > 0)) captured
 WHERE h.id < $2
   AND (h.status = 'pending' OR EXISTS (SELECT FROM transaction_history c
                                         WHERE c.transaction_id = h.id AND c.to_status = h.status AND c.changed_at > $1));
END;
COMMENT ON FUNCTION open_holds_at(timestamptz, uuid) IS 'Lines of the holds that were pending; next_id is that of the time';
)sql"
