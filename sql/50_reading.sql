CREATE FUNCTION ledger_balance(account text, ledger name DEFAULT NULL) RETURNS numeric
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_balance';
COMMENT ON FUNCTION ledger_balance(text, name) IS 'Posted balance of an account, in its normal sign';

CREATE FUNCTION ledger_available(account text, ledger name DEFAULT NULL) RETURNS numeric
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_available';
COMMENT ON FUNCTION ledger_available(text, name) IS
    'Posted balance of an account less what is reserved against it, in its normal sign';

CREATE FUNCTION ledger_trial_balance(ledger name DEFAULT NULL, OUT account text, OUT type text, OUT currency text,
    OUT debit numeric, OUT credit numeric, OUT name text, OUT debits_posted numeric, OUT credits_posted numeric)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_trial_balance';
COMMENT ON FUNCTION ledger_trial_balance(name) IS
    'Each account''s balance in its debit or credit column, by code; per currency both columns have the same sum';
