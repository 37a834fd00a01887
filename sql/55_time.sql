CREATE FUNCTION ledger_balance_at(account text, at timestamptz, ledger name DEFAULT NULL) RETURNS numeric
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_balance_at';
COMMENT ON FUNCTION ledger_balance_at(text, timestamptz, name) IS
    'Posted balance of an account with all that was posted until this time, in its normal sign';

-- The settings keep to the index (account, transaction), whatever the statistics say: a page costs the same
-- on an account of any size.
CREATE FUNCTION ledger_statement(account text, "from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL,
    after text DEFAULT NULL, "limit" integer DEFAULT 100, newest_first boolean DEFAULT true, ledger name DEFAULT NULL)
    RETURNS TABLE (posted_at timestamptz, effective_at timestamptz, transaction_id uuid, line integer, reference text,
    description text, counter_accounts text[], debit numeric, credit numeric, balance numeric, metadata jsonb, cursor text)
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET enable_sort = off SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
    AS 'MODULE_PATHNAME', 'ledgerflow_statement';
COMMENT ON FUNCTION ledger_statement(text, timestamptz, timestamptz, text, integer, boolean, name) IS
    'A page of an account''s lines, posted from a time on and before another, with the balance after each; the cursor of the last row, given as after, continues behind it';

CREATE FUNCTION ledger_find_transactions(posted_from timestamptz DEFAULT NULL, posted_to timestamptz DEFAULT NULL,
    effective_from timestamptz DEFAULT NULL, effective_to timestamptz DEFAULT NULL, account text DEFAULT NULL,
    status text DEFAULT NULL, reference text DEFAULT NULL, reference_prefix text DEFAULT NULL,
    min_amount numeric DEFAULT NULL, max_amount numeric DEFAULT NULL, metadata jsonb DEFAULT NULL,
    type text DEFAULT NULL, created_by text DEFAULT NULL, after text DEFAULT NULL, "limit" integer DEFAULT 100,
    ledger name DEFAULT NULL)
    RETURNS TABLE (transaction_id uuid, posted_at timestamptz, effective_at timestamptz, type text, reference text,
    description text, amount numeric, currency text, accounts text[], status text, reverses uuid, hold uuid,
    metadata jsonb, created_by text, cursor text)
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS 'MODULE_PATHNAME', 'ledgerflow_find_transactions';
COMMENT ON FUNCTION ledger_find_transactions(timestamptz, timestamptz, timestamptz, timestamptz, text, text, text, text, numeric, numeric, jsonb, text, text, text, integer, name) IS
    'A page of the transactions that match all that is given, newest first; the cursor of the last row, given as after, continues behind it';
