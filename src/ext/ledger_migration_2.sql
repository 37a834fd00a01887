R"sql(
-- From format 1 to 2, before ledger_tables_2.sql: what the tables of the first version have gained and lost. Format 1
-- is also that of every state between the two versions, so any of this may be done already.
-- Columns come without their defaults at first: the default of today says nothing about old rows.
ALTER TABLE settings ADD COLUMN IF NOT EXISTS closed_through timestamptz,
    DROP CONSTRAINT IF EXISTS settings_idempotency_retention_check,
    ADD CONSTRAINT settings_idempotency_retention_check
        CHECK (idempotency_retention > interval '0' AND idempotency_retention <= interval '1000 years');
ALTER TABLE account_balances DROP CONSTRAINT IF EXISTS account_balances_account_id_fkey,
    DROP CONSTRAINT IF EXISTS account_balances_status_check;
ALTER INDEX IF EXISTS transactions_pkey SET (fillfactor = 96);
ALTER INDEX IF EXISTS entries_pkey SET (fillfactor = 96);
ALTER TABLE idempotency_keys ADD COLUMN IF NOT EXISTS request jsonb,
    DROP CONSTRAINT IF EXISTS idempotency_keys_key_check;
ALTER TABLE transaction_history ALTER COLUMN changed_by DROP DEFAULT,
    ADD COLUMN IF NOT EXISTS client_address inet,
    ADD COLUMN IF NOT EXISTS application text;
ALTER TABLE transaction_history ALTER COLUMN client_address SET DEFAULT pg_catalog.inet_client_addr(),
    ALTER COLUMN application SET DEFAULT nullif(pg_catalog.current_setting('application_name', true), '');
ALTER TABLE account_history ADD COLUMN IF NOT EXISTS client_address inet,
    ADD COLUMN IF NOT EXISTS application text;
ALTER TABLE account_history ALTER COLUMN client_address SET DEFAULT pg_catalog.inet_client_addr(),
    ALTER COLUMN application SET DEFAULT nullif(pg_catalog.current_setting('application_name', true), '');

-- Tables that only states between the versions have.
ALTER TABLE IF EXISTS period_history ADD COLUMN IF NOT EXISTS client_address inet,
    ADD COLUMN IF NOT EXISTS application text;
ALTER TABLE IF EXISTS period_history ALTER COLUMN client_address SET DEFAULT pg_catalog.inet_client_addr(),
    ALTER COLUMN application SET DEFAULT nullif(pg_catalog.current_setting('application_name', true), '');
ALTER TABLE IF EXISTS hold_lines ADD COLUMN IF NOT EXISTS settled_at timestamptz,
    ADD COLUMN IF NOT EXISTS raises jsonb;
DROP INDEX IF EXISTS hold_lines_account_id_idx;
)sql"
