\echo Use "CREATE EXTENSION ledgerflow" to load this file. \quit

-- No function here is SECURITY DEFINER. Functions that write check one privilege on a table of the ledger
-- (INSERT on transactions to post, for instance) and then act as the ledger's owner, as the checks of
-- foreign keys do; so EXECUTE stays with PUBLIC, like INSERT itself. Functions that read run with the
-- caller's own privileges.

CREATE FUNCTION ledger_create(ledger name DEFAULT 'ledger') RETURNS name
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_create';
COMMENT ON FUNCTION ledger_create(name) IS
    'Creates a ledger: a new schema of tables that belong to the caller, with the currencies of ISO 4217 and the five standard account types';

CREATE FUNCTION ledger_upgrade(ledger name DEFAULT NULL) RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_upgrade';
COMMENT ON FUNCTION ledger_upgrade(name) IS
    'Brings a ledger to the format of the installed extension, makes its guards and views anew, and returns the format version; for the ledger''s owner';

CREATE FUNCTION ledger_grant(role name, level text, ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_grant';
COMMENT ON FUNCTION ledger_grant(name, text, name) IS
    'Grants a role what a reader, poster, operator or admin of the ledger needs; each level includes the ones before';

CREATE FUNCTION ledger_revoke(role name, ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_revoke';
COMMENT ON FUNCTION ledger_revoke(name, name) IS 'Takes back from a role whatever ledger_grant() gave it';

CREATE FUNCTION ledger_maintain(ledger name DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_maintain';
COMMENT ON FUNCTION ledger_maintain(name) IS
    'Deletes idempotency keys older than the ledger''s idempotency_retention, if it has one, and returns how many';

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

CREATE FUNCTION ledger_open_account(code text, type text, currency text, name text DEFAULT NULL,
    min_balance numeric DEFAULT NULL, max_balance numeric DEFAULT NULL, metadata jsonb DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_open_account';
COMMENT ON FUNCTION ledger_open_account(text, text, text, text, numeric, numeric, jsonb, name) IS
    'Opens an account and returns its id; the same call again returns the same id. Limits are on the balance in its normal sign; NULL takes those of the account type';

CREATE FUNCTION ledger_set_limits(account text, min_balance numeric, max_balance numeric, reason text DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_set_limits';
COMMENT ON FUNCTION ledger_set_limits(text, numeric, numeric, text, name) IS
    'Sets both limits of an account; NULL means none. Refused when the account breaks them already';

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

CREATE TYPE ledger_line AS (account text, amount numeric);
COMMENT ON TYPE ledger_line IS 'A line of a transaction: account code and amount, debit positive, credit negative';

CREATE FUNCTION ledger_debit(account text, amount numeric) RETURNS ledger_line
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ledgerflow_debit';
COMMENT ON FUNCTION ledger_debit(text, numeric) IS 'A line that debits the account by a positive amount';

CREATE FUNCTION ledger_credit(account text, amount numeric) RETURNS ledger_line
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ledgerflow_credit';
COMMENT ON FUNCTION ledger_credit(text, numeric) IS 'A line that credits the account by a positive amount';

CREATE FUNCTION ledger_post(debit text, credit text, amount numeric, idempotency_key text DEFAULT NULL,
    reference text DEFAULT NULL, description text DEFAULT NULL, effective_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL, ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_post_transfer';
COMMENT ON FUNCTION ledger_post(text, text, numeric, text, text, text, timestamptz, jsonb, bigint, name) IS
    'Posts a transaction of two lines and returns its id. expected_version is of the debited account';

CREATE FUNCTION ledger_post(lines ledger_line[], idempotency_key text DEFAULT NULL,
    reference text DEFAULT NULL, description text DEFAULT NULL, effective_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL, ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_post_lines';
COMMENT ON FUNCTION ledger_post(ledger_line[], text, text, text, timestamptz, jsonb, bigint, name) IS
    'Posts a transaction of 2 to 10,000 lines that sum to zero in every currency and returns its id. expected_version is of the first line''s account';

CREATE FUNCTION post_transfer(source text, destination text, amount numeric, idempotency_key text DEFAULT NULL,
    reference text DEFAULT NULL, description text DEFAULT NULL, effective_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL, ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_post_transfer';
COMMENT ON FUNCTION post_transfer(text, text, numeric, text, text, text, timestamptz, jsonb, bigint, name) IS
    'ledger_post() in the words of a transfer: debits the source, credits the destination';

CREATE FUNCTION ledger_new_id() RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ledgerflow_new_id';
COMMENT ON FUNCTION ledger_new_id() IS 'A transaction id for rows that are about to be inserted by hand';

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

CREATE FUNCTION ledger_is_raw_write() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_raw_write';
COMMENT ON FUNCTION ledger_is_raw_write() IS 'For the WHEN condition of a ledger''s triggers: false while the ledger itself writes';

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

CREATE FUNCTION ledger_verify(ledger name DEFAULT NULL, OUT check_name text, OUT object text, OUT expected text,
    OUT found text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_verify';
COMMENT ON FUNCTION ledger_verify(name) IS
    'Holds balances, versions, ids and guards against the entries: one row per finding, none when all is well';
