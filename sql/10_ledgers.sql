CREATE FUNCTION ledger_create(ledger name DEFAULT 'ledger') RETURNS name
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_create_format_2';
COMMENT ON FUNCTION ledger_create(name) IS
    'Creates a ledger: a new schema of tables that belong to the caller, with the currencies of ISO 4217 and the five standard account types';

CREATE FUNCTION ledger_upgrade(ledger name DEFAULT NULL) RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_upgrade_format_2';
COMMENT ON FUNCTION ledger_upgrade(name) IS
    'Brings a ledger to the format of the installed extension, makes its guards and views anew, and returns the format version; for the ledger''s owner';

CREATE FUNCTION ledger_grant(role name, level text, ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_grant';
COMMENT ON FUNCTION ledger_grant(name, text, name) IS
    'Grants a role what a reader, poster, operator or admin of the ledger needs; each level includes the ones before';

CREATE FUNCTION ledger_revoke(role name, ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_revoke';
COMMENT ON FUNCTION ledger_revoke(name, name) IS 'Takes back from a role whatever ledger_grant() gave it';

CREATE FUNCTION ledger_maintain(ledger name DEFAULT NULL, OUT keys_deleted bigint, OUT holds_expired bigint)
    RETURNS record
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_maintain_ledger';
COMMENT ON FUNCTION ledger_maintain(name) IS
    'Gives back what holds past their expiry reserve (at most 10,000 holds a call), and deletes idempotency keys older than the ledger''s idempotency_retention, if it has one; returns how many';

CREATE FUNCTION ledger_close_period(through timestamptz, reason text DEFAULT NULL, ledger name DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_close_period';
COMMENT ON FUNCTION ledger_close_period(timestamptz, text, name) IS
    'Refuses from now on postings with an effective time at or before this time; for operators';

CREATE FUNCTION ledger_reopen_period(through timestamptz DEFAULT NULL, reason text DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_reopen_period';
COMMENT ON FUNCTION ledger_reopen_period(timestamptz, text, name) IS
    'Moves the end of the closed periods back to this time; NULL opens everything; for operators, on record in period_history';

CREATE FUNCTION ledger_errors(OUT sqlstate text, OUT condition_name text, OUT meaning text, OUT hint text)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ledgerflow_errors';
COMMENT ON FUNCTION ledger_errors() IS 'Every condition with which ledgerflow refuses a request';

CREATE FUNCTION ledger_to_minor(amount numeric, currency text, ledger name DEFAULT NULL) RETURNS numeric
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_to_minor';
COMMENT ON FUNCTION ledger_to_minor(numeric, text, name) IS
    'Minor units of an amount: 125.00 USD is 12500. Refuses an amount with more decimals than the currency';

CREATE FUNCTION ledger_from_minor(units numeric, currency text, ledger name DEFAULT NULL) RETURNS numeric
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_from_minor';
COMMENT ON FUNCTION ledger_from_minor(numeric, text, name) IS
    'Amount of a whole number of minor units: 12500 in USD is 125.00';

