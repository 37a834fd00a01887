CREATE FUNCTION ledger_export(format text DEFAULT 'hledger', "from" timestamptz DEFAULT NULL,
    "to" timestamptz DEFAULT NULL, ledger name DEFAULT NULL) RETURNS SETOF text
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_export';
COMMENT ON FUNCTION ledger_export(text, timestamptz, timestamptz, name) IS
    'The ledger as a journal of hledger, ledger or beancount, or as csv, line by line: what is effective from the one time up to before the other';

CREATE FUNCTION ledger_import(journal text, format text DEFAULT 'hledger', key_prefix text DEFAULT NULL,
    open_accounts boolean DEFAULT true, add_currencies boolean DEFAULT true, accounts jsonb DEFAULT NULL,
    commodities jsonb DEFAULT NULL, ledger name DEFAULT NULL, OUT transactions bigint, OUT replayed bigint,
    OUT entries bigint, OUT accounts_opened bigint, OUT currencies_added bigint, OUT balances_checked bigint)
    RETURNS record
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_import';
COMMENT ON FUNCTION ledger_import(text, text, text, boolean, boolean, jsonb, jsonb, name) IS
    'Posts a journal of hledger, ledger or beancount, or csv as exported: all of it or nothing. With a key_prefix, what was imported before is not posted again';
