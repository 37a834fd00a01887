CREATE FUNCTION ledger_balance_at(account text, at timestamptz, by text DEFAULT 'posted', ledger name DEFAULT NULL)
    RETURNS numeric
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_balance_at';
COMMENT ON FUNCTION ledger_balance_at(text, timestamptz, text, name) IS
    'Balance of an account at a time, in its normal sign: what was posted by then, or what is effective by then';

CREATE FUNCTION ledger_rebuild_effective(ledger name DEFAULT NULL, OUT check_name text, OUT object text,
    OUT expected text, OUT found text) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_rebuild_effective';
COMMENT ON FUNCTION ledger_rebuild_effective(name) IS
    'Makes dated_entries and effective_days anew from the entries of every account where they are wrong; returns what was wrong';
