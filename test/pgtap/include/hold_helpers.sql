-- What the tests of holds and reversals share, on top of the books.
\ir books.sql
-- "posted 70.00, pending 0.00 + 30.00, available 40.00": pending debits + pending credits.
CREATE FUNCTION t.standing(account text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT format('posted %s, pending %s + %s, available %s', b.balance, b.debits_pending, b.credits_pending, b.available)
              FROM ledger.balances b WHERE b.account = standing.account);
END $$;

-- "pending: liabilities:alice 30.00 (10.00 captured, 0.00 released), ..."
CREATE FUNCTION t.hold(hold uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT h.status || ': ' || string_agg(format('%s %s (%s captured, %s released)', a.code, l.amount, l.captured, l.released), ', ' ORDER BY l.line)
              FROM ledger.holds h JOIN ledger.hold_lines l ON l.hold_id = h.id JOIN ledger.accounts a ON a.id = l.account_id
             WHERE h.id = hold.hold GROUP BY h.id);
END $$;

-- "none > pending, pending > captured"
CREATE FUNCTION t.history(id uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT string_agg(coalesce(h.from_status, 'none') || ' > ' || h.to_status, ', ' ORDER BY h.id)
              FROM ledger.transaction_history h WHERE h.transaction_id = history.id);
END $$;

-- How a request is refused that repeats a key: "LF047 idempotency_conflict / amount / 5.00 USD / 6.00 USD": the field, what was stored and sent.
CREATE FUNCTION t.conflict(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome t.outcome := t.attempt(statement);
BEGIN
    RETURN concat_ws(' / ', t.verdict(outcome), substring(outcome.message FROM 'request: (.*) differs$'),
                     substring(outcome.detail FROM '^Stored [^:]*: (.*); sent: '), substring(outcome.detail FROM '; sent: (.*)\.$'));
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA t TO PUBLIC;
