CREATE FUNCTION ledger_open_account(code text, type text, currency text, name text DEFAULT NULL,
    min_balance numeric DEFAULT NULL, max_balance numeric DEFAULT NULL, metadata jsonb DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_open_account';
COMMENT ON FUNCTION ledger_open_account(text, text, text, text, numeric, numeric, jsonb, name) IS
    'Opens an account and returns its id; the same call again returns the same id. Limits are on the balance in its normal sign; NULL takes those of the account type';

CREATE FUNCTION ledger_set_limits(account text, min_balance numeric DEFAULT NULL,
    max_balance numeric DEFAULT NULL, reason text DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_set_limits';
COMMENT ON FUNCTION ledger_set_limits(text, numeric, numeric, text, name) IS
    'Sets both limits of an account; one that is NULL or not given is none. Refused when the account breaks them already';

CREATE FUNCTION ledger_freeze_account(account text, direction text DEFAULT 'both', reason text DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_freeze_account';
COMMENT ON FUNCTION ledger_freeze_account(text, text, text, name) IS
    'Refuses postings that debit, credit or do either (both) to the account, until it is unfrozen';

CREATE FUNCTION ledger_unfreeze_account(account text, direction text DEFAULT 'both', reason text DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_unfreeze_account';
COMMENT ON FUNCTION ledger_unfreeze_account(text, text, text, name) IS 'Takes a freeze back, in one direction or both';

CREATE FUNCTION ledger_close_account(account text, reason text DEFAULT NULL, ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_close_account';
COMMENT ON FUNCTION ledger_close_account(text, text, name) IS
    'Closes an account on which nothing is left and nothing is pending; it takes no more postings';


CREATE FUNCTION ledger_reopen_account(account text, reason text DEFAULT NULL, ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_reopen_account';
COMMENT ON FUNCTION ledger_reopen_account(text, text, name) IS 'Opens a closed account again';

