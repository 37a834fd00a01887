CREATE FUNCTION ledger_hold(debit text, credit text, amount numeric, idempotency_key text DEFAULT NULL,
    reference text DEFAULT NULL, description text DEFAULT NULL, effective_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL,
    expires_in interval DEFAULT NULL, expires_at timestamptz DEFAULT NULL, ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_hold_transfer';
COMMENT ON FUNCTION ledger_hold(text, text, numeric, text, text, text, timestamptz, jsonb, bigint, interval, timestamptz, name) IS
    'Reserves a posting of two lines without moving it, and returns the hold''s id. It ends when it is captured, released, or expires';

CREATE FUNCTION ledger_hold(debit text, credit text, amount text, idempotency_key text DEFAULT NULL,
    reference text DEFAULT NULL, description text DEFAULT NULL, effective_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL,
    expires_in interval DEFAULT NULL, expires_at timestamptz DEFAULT NULL, ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_hold_transfer_text';
COMMENT ON FUNCTION ledger_hold(text, text, text, text, text, text, timestamptz, jsonb, bigint, interval, timestamptz, name) IS
    'ledger_hold() for arguments without a type: the amount is read as a numeric';

CREATE FUNCTION ledger_hold(lines ledger_line[], idempotency_key text DEFAULT NULL,
    reference text DEFAULT NULL, description text DEFAULT NULL, effective_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL,
    expires_in interval DEFAULT NULL, expires_at timestamptz DEFAULT NULL, ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_hold_lines';
COMMENT ON FUNCTION ledger_hold(ledger_line[], text, text, text, timestamptz, jsonb, bigint, interval, timestamptz, name) IS
    'Reserves a posting of 2 to 10,000 lines without moving it, and returns the hold''s id';

CREATE FUNCTION ledger_capture(hold uuid, amount numeric DEFAULT NULL, final boolean DEFAULT true,
    idempotency_key text DEFAULT NULL, lines ledger_line[] DEFAULT NULL, reference text DEFAULT NULL,
    description text DEFAULT NULL, effective_at timestamptz DEFAULT NULL, metadata jsonb DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_capture';
COMMENT ON FUNCTION ledger_capture(uuid, numeric, boolean, text, ledger_line[], text, text, timestamptz, jsonb, name) IS
    'Posts what a hold has reserved: all that is left, an amount (of two lines), or lines; returns the new transaction''s id. final gives back the rest';

CREATE FUNCTION ledger_release(hold uuid, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_release';
COMMENT ON FUNCTION ledger_release(uuid, text, text, name) IS 'Gives back what is left of a hold';

CREATE FUNCTION ledger_raise_hold(hold uuid, amount numeric DEFAULT NULL, lines ledger_line[] DEFAULT NULL,
    idempotency_key text DEFAULT NULL, ledger name DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_raise_hold';
COMMENT ON FUNCTION ledger_raise_hold(uuid, numeric, ledger_line[], text, name) IS
    'Reserves more on a pending hold: by an amount (of two lines), or by lines';

