CREATE FUNCTION ledger_seal(ledger name DEFAULT NULL, OUT seal bigint, OUT root text, OUT transactions bigint,
    OUT entries bigint, OUT sealed_at timestamptz, OUT is_new boolean) RETURNS record
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_seal';
COMMENT ON FUNCTION ledger_seal(name) IS
    'Hashes everything that was posted since the last seal, and chains it to that seal; returns the root, to be kept outside. With nothing new, the last seal; for operators';

CREATE FUNCTION ledger_verify_seal(from_seal bigint DEFAULT NULL, to_seal bigint DEFAULT NULL,
    known_root text DEFAULT NULL, ledger name DEFAULT NULL, OUT seal bigint, OUT object text, OUT expected text,
    OUT found text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_verify_seal';
COMMENT ON FUNCTION ledger_verify_seal(bigint, bigint, text, name) IS
    'Holds what was sealed against what is there: one row per finding, none when all is well. With a root that was kept outside, against that too';

CREATE FUNCTION ledger_prove(transaction uuid, seal bigint DEFAULT NULL, ledger name DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ledgerflow_prove';
COMMENT ON FUNCTION ledger_prove(uuid, bigint, name) IS
    'The proof that a transaction is among what was sealed, to be checked without a database against the root of a seal: the one named, or the newest';
