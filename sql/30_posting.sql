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

CREATE FUNCTION ledger_post(debit text, credit text, amount text, idempotency_key text DEFAULT NULL,
    reference text DEFAULT NULL, description text DEFAULT NULL, effective_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_post_transfer_text';
COMMENT ON FUNCTION ledger_post(text, text, text, text, text, text, timestamptz, jsonb, bigint, name) IS
    'ledger_post() for arguments without a type: the amount is read as a numeric';

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

CREATE FUNCTION ledger_post_batch(debit text[], credit text[], amount numeric[], idempotency_key text[] DEFAULT NULL,
    mode text DEFAULT 'atomic', reference text[] DEFAULT NULL, description text[] DEFAULT NULL,
    effective_at timestamptz[] DEFAULT NULL, metadata jsonb[] DEFAULT NULL, linked boolean[] DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS TABLE (item integer, transaction_id uuid, status text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_post_batch';
COMMENT ON FUNCTION ledger_post_batch(text[], text[], numeric[], text[], text, text[], text[], timestamptz[], jsonb[], boolean[], name) IS
    'Posts 1 to 100,000 transactions of two lines in one pass. Mode atomic: all or none; each: every item, or chain of linked items, stands alone, and status tells what came of it: posted, replayed, or the name of a condition';

CREATE FUNCTION ledger_post_batch(debit bigint[], credit bigint[], amount numeric[], idempotency_key text[] DEFAULT NULL,
    mode text DEFAULT 'atomic', reference text[] DEFAULT NULL, description text[] DEFAULT NULL,
    effective_at timestamptz[] DEFAULT NULL, metadata jsonb[] DEFAULT NULL, linked boolean[] DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS TABLE (item integer, transaction_id uuid, status text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_post_batch_by_id';
COMMENT ON FUNCTION ledger_post_batch(bigint[], bigint[], numeric[], text[], text, text[], text[], timestamptz[], jsonb[], boolean[], name) IS
    'ledger_post_batch() by account ids';

CREATE FUNCTION ledger_reverse(transaction uuid, reason text DEFAULT NULL, amount numeric DEFAULT NULL,
    idempotency_key text DEFAULT NULL, lines ledger_line[] DEFAULT NULL, reference text DEFAULT NULL,
    effective_at timestamptz DEFAULT NULL, metadata jsonb DEFAULT NULL, force boolean DEFAULT false,
    ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_reverse';
COMMENT ON FUNCTION ledger_reverse(uuid, text, numeric, text, ledger_line[], text, timestamptz, jsonb, boolean, name) IS
    'Posts a transaction that mirrors what is left of an earlier one: all of it, an amount (of two lines), or lines. force, for operators, does not hold the limits, and is recorded';

CREATE FUNCTION ledger_new_id() RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ledgerflow_new_id';
COMMENT ON FUNCTION ledger_new_id() IS 'A transaction id for rows that are about to be inserted by hand';

