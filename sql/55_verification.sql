-- Verification, repair and monitoring.
CREATE FUNCTION ledger_verify(ledger name DEFAULT NULL, OUT check_name text, OUT object text, OUT expected text,
    OUT found text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_verify';
COMMENT ON FUNCTION ledger_verify(name) IS
    'Proves the whole ledger: holds balances, versions, ids and guards against the entries. One row per finding, none when all is well';

CREATE FUNCTION ledger_verify_incremental(from_start boolean DEFAULT false, ledger name DEFAULT NULL, OUT check_name text,
    OUT object text, OUT expected text, OUT found text) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_verify_incremental';
COMMENT ON FUNCTION ledger_verify_incremental(boolean, name) IS
    'ledger_verify() of what was posted since the last run without findings; records the run. from_start verifies everything';
