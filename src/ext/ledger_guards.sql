R"sql(
-- The triggers on a ledger's tables. Run by ledger_create() and, after dropping what is there, by
-- ledger_upgrade(), with search_path set to the ledger's schema and a placeholder for the
-- extension's (not in comments: a name may have a line's end in it).

-- Raw INSERTs: headers are completed, entries go into the balances, and at COMMIT all must balance.
CREATE TRIGGER guard_transaction BEFORE INSERT ON transactions
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard_transaction();
CREATE TRIGGER adjust_account_balance AFTER INSERT ON entries
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT WHEN (@extschema@.ledger_is_raw_write())
    EXECUTE FUNCTION @extschema@.adjust_account_balance();
CREATE CONSTRAINT TRIGGER enforce_double_entry AFTER INSERT ON entries
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (@extschema@.ledger_is_raw_write())
    EXECUTE FUNCTION @extschema@.enforce_double_entry();
CREATE CONSTRAINT TRIGGER enforce_double_entry AFTER INSERT ON transactions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (@extschema@.ledger_is_raw_write())
    EXECUTE FUNCTION @extschema@.enforce_double_entry();
CREATE TRIGGER guard_account BEFORE INSERT ON accounts
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard_account();
CREATE TRIGGER open_account_balance AFTER INSERT ON accounts
    FOR EACH ROW WHEN (@extschema@.ledger_is_raw_write())
    EXECUTE FUNCTION @extschema@.ledger_guard_account();

-- Rows for the postings view are gathered and posted together.
CREATE TRIGGER post_row INSTEAD OF INSERT ON postings
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_post_rows();
CREATE TRIGGER post_statement AFTER INSERT ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_post_rows();

-- Append-only.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON transactions
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON transactions
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();

-- Written by the ledger alone.
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON idempotency_keys
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON idempotency_keys
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON account_balances
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON account_balances
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON transaction_history
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON transaction_history
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON account_history
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON account_history
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON holds
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON holds
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON hold_lines
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON hold_lines
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON period_history
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON period_history
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON dated_entries
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON dated_entries
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON effective_days
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON effective_days
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON verifications
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON verifications
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON seals
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON seals
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only BEFORE INSERT OR UPDATE OR DELETE ON seal_blocks
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER ledger_only_truncate BEFORE TRUNCATE ON seal_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();

-- What entries rest on: the named columns never change.
CREATE TRIGGER immutable BEFORE UPDATE ON accounts
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard('id', 'code', 'type', 'currency', 'created_at');
CREATE TRIGGER immutable_delete BEFORE DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER immutable_truncate BEFORE TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER immutable BEFORE UPDATE ON currencies
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard('code', 'scale');
CREATE TRIGGER immutable BEFORE UPDATE ON account_types
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard('code', 'normal_side');
CREATE TRIGGER immutable BEFORE UPDATE ON settings
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard('singleton', 'format_version', 'closed_through');
CREATE TRIGGER immutable_delete BEFORE DELETE ON settings
    FOR EACH ROW EXECUTE FUNCTION @extschema@.ledger_guard();
CREATE TRIGGER immutable_truncate BEFORE TRUNCATE ON settings
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.ledger_guard();
)sql"
