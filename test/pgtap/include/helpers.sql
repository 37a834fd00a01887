-- What the tests share, in a schema that their ROLLBACK takes away.
\set QUIET 1
SET client_min_messages = warning;
CREATE SCHEMA t;
GRANT USAGE ON SCHEMA t TO PUBLIC;

CREATE TYPE t.outcome AS (sqlstate text, condition text, message text, detail text, hint text);

-- Runs a statement and tells how it was refused; all NULL when it was not. Acts as `role` if one is given.
CREATE FUNCTION t.attempt(statement text, role text DEFAULT NULL) RETURNS t.outcome LANGUAGE plpgsql AS $$
DECLARE
    result t.outcome;
    before text := current_user;
BEGIN
    BEGIN
        IF role IS NOT NULL THEN PERFORM set_config('role', role, true); END IF;
        EXECUTE statement;
        IF role IS NOT NULL THEN PERFORM set_config('role', before, true); END IF;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS result.sqlstate = RETURNED_SQLSTATE, result.message = MESSAGE_TEXT,
            result.detail = PG_EXCEPTION_DETAIL, result.hint = PG_EXCEPTION_HINT;
    END;
    result.condition := (SELECT e.condition_name FROM ledger_errors() e WHERE e.sqlstate = result.sqlstate);
    RETURN result;
END $$;

-- "LF040 insufficient_balance", "42501", or "done".
CREATE FUNCTION t.verdict(outcome t.outcome) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(outcome.sqlstate || coalesce(' ' || outcome.condition, ''), 'done')
$$;

-- Every row of every table of a ledger, as one checksum.
CREATE FUNCTION t.fingerprint(ledger name DEFAULT 'ledger') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    relation text;
    rows text;
    everything text := '';
BEGIN
    FOR relation IN SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = ledger::text::regnamespace
                       AND c.relkind = 'r' ORDER BY c.relname LOOP
        EXECUTE format('SELECT md5(string_agg(r::text, chr(10) ORDER BY r::text)) FROM %s r', relation) INTO rows;
        everything := everything || relation || coalesce(rows, '-');
    END LOOP;
    RETURN md5(everything);
END $$;

-- One test: the statement is refused in exactly this way, and the ledger is as it was.
CREATE FUNCTION t.refused(statement text, expected text, description text, role text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    before text := t.fingerprint();
    outcome t.outcome := t.attempt(statement, role);
    verdict text := t.verdict(outcome);
BEGIN
    IF before <> t.fingerprint() THEN verdict := verdict || ', and the ledger has changed'; END IF;
    RETURN CASE WHEN verdict = expected THEN pass(description)
                ELSE fail(description) || E'\n' || diag(format(E'wanted: %s\nfound: %s (%s)', expected, verdict, outcome.message))
           END;
END $$;

-- One test: the statement is let through.
CREATE FUNCTION t.allowed(statement text, description text, role text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    outcome t.outcome := t.attempt(statement, role);
BEGIN
    RETURN CASE WHEN outcome.sqlstate IS NULL THEN pass(description)
                ELSE fail(description) || E'\n' || diag(t.verdict(outcome) || ': ' || outcome.message)
           END;
END $$;

-- Whole rows of figures are easier to read in one text: "12.00 | 0.00 | 3".
CREATE FUNCTION t.figures(account text, ledger name DEFAULT 'ledger') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT concat_ws('' | '', debits_posted, credits_posted, version) FROM %I.balances
                     WHERE account = $1', ledger) INTO result USING account;
    RETURN result;
END $$;

-- The lines of one transaction: "assets:bank 5.00, income:fees -5.00".
CREATE FUNCTION t.lines(transaction uuid, ledger name DEFAULT 'ledger') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT string_agg(a.code || '' '' || e.amount, '', '' ORDER BY e.line) FROM %1$I.entries e
                      JOIN %1$I.accounts a ON a.id = e.account_id WHERE e.transaction_id = $1', ledger)
       INTO result USING transaction;
    RETURN result;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA t TO PUBLIC;
