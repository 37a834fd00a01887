-- Verification, repair and monitoring.
-- Plans that are made once and statements of many parts: compiling them costs more than it saves.
CREATE FUNCTION ledger_verify(ledger name DEFAULT NULL, OUT check_name text, OUT object text, OUT expected text,
    OUT found text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS 'MODULE_PATHNAME', 'ledgerflow_verify';
COMMENT ON FUNCTION ledger_verify(name) IS
    'Proves the whole ledger: holds balances, versions, ids and guards against the entries. One row per finding, none when all is well';

CREATE FUNCTION ledger_verify_incremental(from_start boolean DEFAULT false, ledger name DEFAULT NULL, OUT check_name text,
    OUT object text, OUT expected text, OUT found text) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS 'MODULE_PATHNAME', 'ledgerflow_verify_incremental';
COMMENT ON FUNCTION ledger_verify_incremental(boolean, name) IS
    'ledger_verify() of what was posted since the last run without findings; records the run. from_start verifies everything';

CREATE FUNCTION ledger_rebuild_balances(account text DEFAULT NULL, balance_after boolean DEFAULT false,
    ledger name DEFAULT NULL, OUT account_code text, OUT item text, OUT was text, OUT now text) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS 'MODULE_PATHNAME', 'ledgerflow_rebuild_balances';
COMMENT ON FUNCTION ledger_rebuild_balances(text, boolean, name) IS
    'Derives account_balances anew from entries and open holds, of one account or of all, and returns what it changed. balance_after, for the owner, mends that column of entries too';

CREATE FUNCTION ledger_health(ledger name DEFAULT NULL, OUT ledger_name name, OUT checked_at timestamptz,
    OUT format_version integer, OUT store text, OUT store_obstacle text, OUT accounts_estimate bigint,
    OUT transactions_estimate bigint, OUT entries_estimate bigint, OUT last_posted_at timestamptz,
    OUT closed_through timestamptz, OUT last_verified_at timestamptz, OUT last_verification_mode text,
    OUT last_verification_findings bigint, OUT last_full_verified_at timestamptz, OUT unverified_transactions bigint,
    OUT holds_expired bigint, OUT oldest_hold_expired_at timestamptz, OUT keys_to_expire_estimate bigint,
    OUT keys_estimate bigint, OUT guards_disabled bigint, OUT oldest_transaction_started_at timestamptz,
    OUT horizon_lag bigint) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 1 SET search_path = pg_catalog, pg_temp SET jit = off
    AS 'MODULE_PATHNAME', 'ledgerflow_health';
COMMENT ON FUNCTION ledger_health(name) IS
    'One row for monitoring: verification, expired holds and keys, sizes, store and what holds back the horizon; cheap enough for every few seconds';
