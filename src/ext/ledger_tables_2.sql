R"sql(
-- What came with format 2: run by ledger_create() after ledger_tables.sql, and by ledger_upgrade() on a ledger of
-- format 1, which may have some of it.

CREATE INDEX IF NOT EXISTS transactions_reverses_idx ON transactions (reverses) WHERE reverses IS NOT NULL;
CREATE INDEX IF NOT EXISTS transactions_hold_idx ON transactions (hold) WHERE hold IS NOT NULL;
COMMENT ON COLUMN settings.closed_through IS 'End of the closed periods: nothing is posted with an effective time at or before it';
COMMENT ON COLUMN account_balances.status IS 'open, debits_frozen, credits_frozen, frozen or closed';
COMMENT ON COLUMN transactions.reverses IS 'The transaction that this one reverses, in whole or in part';
COMMENT ON COLUMN transactions.hold IS 'The hold that this transaction captures';
COMMENT ON COLUMN idempotency_keys.transaction_id IS 'The transaction or hold that came of the request';
COMMENT ON COLUMN idempotency_keys.request IS 'The operation and its arguments; NULL for a plain posting, which its rows tell';

CREATE TABLE IF NOT EXISTS holds (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    effective_at timestamptz,
    xact_id xid8 NOT NULL,
    created_by text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'captured', 'released', 'expired')),
    reference text,
    description text,
    metadata jsonb
);
CREATE UNIQUE INDEX IF NOT EXISTS holds_reference_key ON holds (reference) WHERE reference IS NOT NULL;
CREATE INDEX IF NOT EXISTS holds_expires_at_idx ON holds (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
COMMENT ON TABLE holds IS 'Reservations: money that is set aside and not yet moved';
COMMENT ON COLUMN holds.effective_at IS 'Effective time of its captures, unless they name their own';

CREATE TABLE IF NOT EXISTS hold_lines (
    account_id bigint NOT NULL,
    hold_id uuid NOT NULL,
    line smallint NOT NULL,
    stripe smallint NOT NULL DEFAULT 0,
    amount numeric NOT NULL,
    captured numeric NOT NULL,
    released numeric NOT NULL,
    is_open boolean NOT NULL DEFAULT true,
    settled_at timestamptz,
    raises jsonb,
    PRIMARY KEY (hold_id, line)
);
CREATE INDEX IF NOT EXISTS hold_lines_account_id_settled_at_idx ON hold_lines (account_id, settled_at);
COMMENT ON TABLE hold_lines IS 'Lines of holds; what is left of the open ones stands in the pending totals of account_balances';
COMMENT ON COLUMN hold_lines.amount IS 'Debit positive, credit negative; with what the hold was raised by';
COMMENT ON COLUMN hold_lines.captured IS 'How much of it was posted';
COMMENT ON COLUMN hold_lines.released IS 'How much of it was given back';
COMMENT ON COLUMN hold_lines.settled_at IS 'When nothing was left of it; NULL while it is open';
COMMENT ON COLUMN hold_lines.raises IS 'When it was raised and by how much';

CREATE TABLE IF NOT EXISTS period_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    changed_by text NOT NULL,
    from_closed_through timestamptz,
    to_closed_through timestamptz,
    reason text,
    client_address inet DEFAULT pg_catalog.inet_client_addr(),
    application text DEFAULT nullif(pg_catalog.current_setting('application_name', true), '')
);
COMMENT ON TABLE period_history IS 'Every closing and reopening of periods: who, when, from, to; append-only';

-- Balances by effective time. Rows only for transactions whose effective_at is not their posted_at: an
-- ordinary posting writes none. All of it can be re-derived from entries and transactions.
CREATE TABLE IF NOT EXISTS dated_entries (
    account_id bigint NOT NULL,
    effective_at timestamptz NOT NULL,
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    amount numeric NOT NULL,
    dated_after numeric NOT NULL,
    PRIMARY KEY (account_id, transaction_id, line)
);
CREATE INDEX IF NOT EXISTS dated_entries_account_id_effective_at_idx ON dated_entries (account_id, effective_at);
COMMENT ON TABLE dated_entries IS 'Entries that are effective at another time than they were posted at; kept by the ledger alone';
COMMENT ON COLUMN dated_entries.dated_after IS 'Debits less credits of the account''s dated entries up to this one, in the order of posting';

-- Only amount changes, and it is not indexed: pages keep room for updates in place.
CREATE TABLE IF NOT EXISTS effective_days (
    account_id bigint NOT NULL,
    day date NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (account_id, day)
) WITH (fillfactor = 70);
COMMENT ON TABLE effective_days IS 'Sums of dated_entries by account and effective day; kept by the ledger alone';
COMMENT ON COLUMN effective_days.day IS 'Day of effective_at in UTC, whatever the session''s time zone';
COMMENT ON COLUMN effective_days.amount IS 'Debits less credits of the account''s dated entries of that day';

CREATE TABLE IF NOT EXISTS verifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    verified_at timestamptz NOT NULL,
    verified_by text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('full', 'incremental')),
    findings bigint NOT NULL,
    transactions bigint NOT NULL,
    entries bigint NOT NULL,
    duration interval NOT NULL,
    horizon xid8 NOT NULL,
    xact_id xid8 NOT NULL,
    origin text NOT NULL
);
COMMENT ON TABLE verifications IS 'Every run of ledger_verify_incremental(), and up to where it has seen the books; append-only';
COMMENT ON COLUMN verifications.verified_at IS 'When the database transaction that verified began';
COMMENT ON COLUMN verifications.transactions IS 'Transactions that were read';
COMMENT ON COLUMN verifications.horizon IS 'Of every database transaction before this one, what it posted was seen';
COMMENT ON COLUMN verifications.xact_id IS 'The database transaction that verified';
COMMENT ON COLUMN verifications.origin IS 'Server, database and table in which the numbers of database transactions mean something: in a restored copy they do not';

-- What ledger_seal() has hashed. The columns are what the hash of a seal is made of.
CREATE TABLE IF NOT EXISTS seals (
    seal bigint PRIMARY KEY,
    transactions bigint NOT NULL,
    entries bigint NOT NULL,
    late bigint NOT NULL,
    last_transaction_id uuid NOT NULL,
    sealed_at timestamptz NOT NULL,
    sealed_by text NOT NULL,
    client_address inet,
    server bigint,
    horizon xid8 NOT NULL,
    next_xact_id xid8 NOT NULL,
    tree bytea NOT NULL,
    root bytea NOT NULL
);
COMMENT ON TABLE seals IS 'One row for each ledger_seal() that found something new; append-only';
COMMENT ON COLUMN seals.late IS 'How many of its transactions have an id below that of one sealed before: they were not visible yet';
COMMENT ON COLUMN seals.last_transaction_id IS 'The greatest id of all that is sealed';
COMMENT ON COLUMN seals.server IS 'System identifier of the server; NULL where transactions come by logical replication';
COMMENT ON COLUMN seals.horizon IS 'Database transactions below it had ended when it was sealed';
COMMENT ON COLUMN seals.next_xact_id IS 'Database transactions from it on had not begun when it was sealed';
COMMENT ON COLUMN seals.tree IS 'SHA-256 Merkle root of its transactions';
COMMENT ON COLUMN seals.root IS 'Hash of the root of the seal before and of this row: keep it outside, and it proves everything up to here';

-- Rows stay below the size from which PostgreSQL moves values out of line.
CREATE TABLE IF NOT EXISTS seal_blocks (
    seal bigint NOT NULL,
    block bigint NOT NULL,
    last_transaction_id uuid NOT NULL,
    transaction_ids uuid[] NOT NULL,
    marks bytea NOT NULL,
    root bytea NOT NULL,
    PRIMARY KEY (seal, block)
);
CREATE INDEX IF NOT EXISTS seal_blocks_last_transaction_id_idx ON seal_blocks (last_transaction_id);
COMMENT ON TABLE seal_blocks IS 'Which transactions a seal holds, 64 to a row, in the order in which they were hashed; append-only';
COMMENT ON COLUMN seal_blocks.last_transaction_id IS 'The greatest id of the block';
COMMENT ON COLUMN seal_blocks.marks IS 'The first four bytes of each transaction''s hash: they tell which one was changed';
COMMENT ON COLUMN seal_blocks.root IS 'Merkle root of the block, a node of the seal''s tree';
)sql"
