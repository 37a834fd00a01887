CREATE FUNCTION enforce_double_entry() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_enforce_double_entry';
COMMENT ON FUNCTION enforce_double_entry() IS 'Refuses at COMMIT a transaction inserted by hand that does not balance';

CREATE FUNCTION adjust_account_balance() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_adjust_account_balance';
COMMENT ON FUNCTION adjust_account_balance() IS 'Takes entries inserted by hand into the balances, under the same checks as ledger_post()';

CREATE FUNCTION ledger_guard() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_guard';
COMMENT ON FUNCTION ledger_guard() IS 'Refuses to change what was posted; with arguments, only changes to these columns';

CREATE FUNCTION ledger_guard_transaction() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_guard_transaction';
COMMENT ON FUNCTION ledger_guard_transaction() IS 'Completes and checks the header of a transaction inserted by hand';

CREATE FUNCTION ledger_guard_account() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_guard_account';
COMMENT ON FUNCTION ledger_guard_account() IS 'Checks an account inserted by hand and gives it its row of account_balances';

CREATE FUNCTION ledger_post_rows() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_post_rows';
COMMENT ON FUNCTION ledger_post_rows() IS 'Posts the rows that a statement inserts into a ledger''s postings view';

CREATE FUNCTION ledger_is_raw_write() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_raw_write';
COMMENT ON FUNCTION ledger_is_raw_write() IS 'For the WHEN condition of a ledger''s triggers: false while the ledger itself writes';

