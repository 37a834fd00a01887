-- Every column of every table, changed behind the guards by a superuser: ledger_verify() finds the change, or the
-- column says the same thing nowhere else and only the seal can tell.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(92);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, 'k1', 'R1', 'Deposit', now() - interval '40 days', '{"a": 1}') AS first_id,
       ledger_post('assets:bank', 'equity:capital', 50) AS second_id, ledger_post('assets:yen', 'equity:yen', 7) AS yen_id,
       ledger_hold('liabilities:alice', 'liabilities:bob', 30, 'h1', 'H1') AS hold, ledger_hold('assets:bank', 'liabilities:bob', 5) AS other_hold \gset
SELECT ledger_capture(:'hold', 10, false) AS capture, ledger_reverse(:'first_id', amount => 5) AS reversal \gset
DO $$ BEGIN
    PERFORM ledger_set_limits('liabilities:bob', 0, 500);
    PERFORM ledger_freeze_account('income:fees');
    PERFORM ledger_close_period(now() - interval '30 days', 'month');
END $$;
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

CREATE FUNCTION t.names(damage text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    names text;
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        EXECUTE damage;
        SET LOCAL session_replication_role = origin;
        SELECT coalesce(string_agg(DISTINCT check_name, ' ' ORDER BY check_name), 'nothing') INTO names FROM ledger_verify();
        RAISE EXCEPTION USING ERRCODE = 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
        RETURN names;
    END;
END $$;

CREATE TEMPORARY TABLE damage (relation text, column_name text, statement text, names text);
INSERT INTO damage
SELECT relation, column_name, replace(replace(replace(replace(statement, '%first', quote_literal(:'first_id')), '%hold', quote_literal(:'hold')), '%second', quote_literal(:'second_id')), '%reversal', quote_literal(:'reversal')), names
  FROM (VALUES
    ('entries', 'account_id', 'SET account_id = 4 WHERE transaction_id = %first AND line = 1', 'balance_after_mismatch dated_entry_mismatch debits_posted_mismatch effective_day_mismatch reversal_exceeds_transaction version_mismatch'),
    ('entries', 'transaction_id', 'SET transaction_id = %second, line = 3 WHERE transaction_id = %first AND line = 1', 'balance_after_mismatch dated_entry_mismatch effective_day_mismatch reversal_exceeds_transaction transaction_without_lines unbalanced_transaction'),
    ('entries', 'line', 'SET line = 9 WHERE transaction_id = %first AND line = 1', 'dated_entry_mismatch'),
    ('entries', 'stripe', 'SET stripe = 1 WHERE transaction_id = %first AND line = 1', 'balance_after_mismatch debits_posted_mismatch entry_without_balance version_mismatch'),
    ('entries', 'amount', 'SET amount = 99.99 WHERE transaction_id = %first AND line = 1', 'balance_after_mismatch dated_entry_mismatch debits_posted_mismatch effective_day_mismatch unbalanced_transaction'),
    ('entries', 'balance_after', 'SET balance_after = 1 WHERE transaction_id = %first AND line = 1', 'balance_after_mismatch'),
    ('transactions', 'id', 'SET id = ''018d0000-0000-7000-8000-000000000000'' WHERE id = %second', 'entry_without_transaction id_time_mismatch transaction_without_lines'),
    ('transactions', 'posted_at', 'SET posted_at = posted_at + interval ''1 hour'' WHERE id = %second', 'dated_entry_mismatch effective_day_mismatch id_time_mismatch'),
    ('transactions', 'effective_at', 'SET effective_at = ''infinity'' WHERE id = %second', 'dated_entry_mismatch effective_day_mismatch invalid_effective_at'),
    ('transactions', 'xact_id', 'SET xact_id = ''1'' WHERE id = %second', 'nothing'),
    ('transactions', 'created_by', 'SET created_by = ''x'' WHERE id = %second', 'nothing'),
    ('transactions', 'type', 'SET type = ''x'' WHERE id = %second', 'nothing'),
    ('transactions', 'reference', 'SET reference = ''x'' WHERE id = %second', 'nothing'),
    ('transactions', 'description', 'SET description = ''x'' WHERE id = %second', 'nothing'),
    ('transactions', 'metadata', 'SET metadata = ''{}'' WHERE id = %second', 'nothing'),
    ('transactions', 'reverses', 'SET reverses = %second WHERE id = %reversal', 'reversal_exceeds_transaction'),
    ('transactions', 'hold', 'SET hold = NULL WHERE hold = %hold', 'hold_mismatch'),
    ('accounts', 'id', 'SET id = 4711 WHERE code = ''assets:bank''', 'account_without_balance balance_without_account entry_without_account hold_line_without_account unbalanced_hold unbalanced_transaction'),
    ('accounts', 'code', 'SET code = ''x'' WHERE code = ''assets:bank''', 'nothing'),
    ('accounts', 'type', 'SET type = ''expense'' WHERE code = ''assets:bank''', 'nothing'),
    ('accounts', 'currency', 'SET currency = ''EUR'' WHERE code = ''assets:bank''', 'unbalanced_hold unbalanced_transaction'),
    ('accounts', 'name', 'SET name = ''x''', 'nothing'),
    ('accounts', 'metadata', 'SET metadata = ''{}''', 'nothing'),
    ('accounts', 'created_at', 'SET created_at = now()', 'nothing'),
    ('account_balances', 'account_id', 'SET account_id = 4711 WHERE account_id = 1', 'account_without_balance balance_without_account'),
    ('account_balances', 'version', 'SET version = version - 1 WHERE account_id = 1', 'version_mismatch'),
    ('account_balances', 'last_transaction_id', 'SET last_transaction_id = %first WHERE account_id = 1', 'last_transaction_mismatch'),
    ('account_balances', 'stripe', 'SET stripe = 3 WHERE account_id = 1', 'credits_posted_mismatch debits_pending_mismatch debits_posted_mismatch entry_without_balance last_transaction_mismatch version_mismatch'),
    ('account_balances', 'status', 'SET status = ''open'' WHERE account_id = 6', 'status_mismatch'),
    ('account_balances', 'debits_posted', 'SET debits_posted = 0 WHERE account_id = 1', 'debits_posted_mismatch'),
    ('account_balances', 'credits_posted', 'SET credits_posted = credits_posted + 1, debits_posted = debits_posted + 1 WHERE account_id = 1', 'credits_posted_mismatch debits_posted_mismatch'),
    ('account_balances', 'debits_pending', 'SET debits_pending = 1 WHERE account_id = 1', 'debits_pending_mismatch'),
    ('account_balances', 'credits_pending', 'SET credits_pending = 1 WHERE account_id = 1', 'credits_pending_mismatch'),
    ('account_balances', 'min_balance', 'SET min_balance = -1 WHERE account_id = 4', 'min_balance_mismatch'),
    ('account_balances', 'max_balance', 'SET max_balance = NULL WHERE account_id = 4', 'max_balance_mismatch'),
    ('holds', 'id', 'SET id = ''018d0000-0000-7000-8000-000000000000'' WHERE id = %hold', 'hold_line_without_hold hold_status_mismatch hold_without_lines key_without_transaction'),
    ('holds', 'created_at', 'SET created_at = ''2020-01-01'' WHERE id = %hold', 'nothing'),
    ('holds', 'expires_at', 'SET expires_at = ''2020-01-01'' WHERE id = %hold', 'nothing'),
    ('holds', 'effective_at', 'SET effective_at = ''2020-01-01'' WHERE id = %hold', 'nothing'),
    ('holds', 'xact_id', 'SET xact_id = ''1'' WHERE id = %hold', 'nothing'),
    ('holds', 'created_by', 'SET created_by = ''x'' WHERE id = %hold', 'nothing'),
    ('holds', 'status', 'SET status = ''expired'' WHERE id = %hold', 'hold_status_mismatch settled_hold_with_reservation'),
    ('holds', 'reference', 'SET reference = ''x'' WHERE id = %hold', 'nothing'),
    ('holds', 'description', 'SET description = ''x'' WHERE id = %hold', 'nothing'),
    ('holds', 'metadata', 'SET metadata = ''{}'' WHERE id = %hold', 'nothing'),
    ('hold_lines', 'account_id', 'SET account_id = 5 WHERE hold_id = %hold AND line = 1', 'capture_without_hold debits_pending_mismatch hold_mismatch'),
    ('hold_lines', 'hold_id', 'SET hold_id = ''018d0000-0000-7000-8000-000000000000'' WHERE hold_id = %hold', 'capture_without_hold hold_line_without_hold hold_mismatch hold_without_lines'),
    ('hold_lines', 'line', 'SET line = 9 WHERE hold_id = %hold AND line = 1', 'nothing'),
    ('hold_lines', 'stripe', 'SET stripe = 1 WHERE hold_id = %hold AND line = 1', 'debits_pending_mismatch'),
    ('hold_lines', 'amount', 'SET amount = 29 WHERE hold_id = %hold AND line = 1', 'debits_pending_mismatch unbalanced_hold'),
    ('hold_lines', 'captured', 'SET captured = 9 WHERE hold_id = %hold AND line = 1', 'debits_pending_mismatch hold_mismatch'),
    ('hold_lines', 'released', 'SET released = 1 WHERE hold_id = %hold AND line = 1', 'debits_pending_mismatch'),
    ('hold_lines', 'is_open', 'SET is_open = false WHERE hold_id = %hold AND line = 1', 'hold_mismatch'),
    ('hold_lines', 'settled_at', 'SET settled_at = now() WHERE hold_id = %hold AND line = 1', 'hold_mismatch'),
    ('hold_lines', 'raises', 'SET raises = ''[]'' WHERE hold_id = %hold AND line = 1', 'nothing'),
    ('idempotency_keys', 'key', 'SET key = ''x'' WHERE key = ''k1''', 'nothing'),
    ('idempotency_keys', 'transaction_id', 'SET transaction_id = ''018d0000-0000-7000-8000-000000000000'' WHERE key = ''k1''', 'key_without_transaction'),
    ('idempotency_keys', 'created_at', 'SET created_at = ''2020-01-01''', 'nothing'),
    ('idempotency_keys', 'request', 'SET request = ''{}''', 'nothing'),
    ('settings', 'idempotency_retention', 'SET idempotency_retention = ''1 day''', 'nothing'),
    ('settings', 'closed_through', 'SET closed_through = NULL', 'closed_through_mismatch'),
    ('currencies', 'code', 'SET code = ''USX'' WHERE code = ''USD''', 'account_without_currency'),
    ('currencies', 'scale', 'SET scale = 0 WHERE code = ''USD''; UPDATE ledger.entries SET amount = amount * 1.001 WHERE transaction_id = %second', 'balance_after_mismatch credits_posted_mismatch debits_posted_mismatch invalid_amount max_balance_mismatch min_balance_mismatch'),
    ('currencies', 'name', 'SET name = ''x''', 'nothing'),
    ('account_types', 'normal_side', 'SET normal_side = ''debit'' WHERE code = ''liability''', 'balance_below_floor'),
    ('account_types', 'code', 'SET code = ''x'' WHERE code = ''asset''', 'account_without_type'),
    ('account_types', 'min_balance', 'SET min_balance = 1', 'nothing'),
    ('account_types', 'max_balance', 'SET max_balance = 1', 'nothing'),
    ('account_types', 'metadata_schema', 'SET metadata_schema = ''{}''', 'nothing'),
    ('account_types', 'description', 'SET description = ''x''', 'nothing'),
    ('transaction_history', 'transaction_id', 'SET transaction_id = ''018d0000-0000-7000-8000-000000000000'' WHERE transaction_id = %hold', 'hold_status_mismatch'),
    ('transaction_history', 'to_status', 'SET to_status = ''captured'' WHERE transaction_id = %hold', 'hold_status_mismatch'),
    ('account_history', 'account_id', 'SET account_id = 1 WHERE change = ''status''', 'status_mismatch'),
    ('account_history', 'change', 'SET change = ''status'' WHERE change = ''max_balance''', 'status_mismatch'),
    ('account_history', 'to_value', 'SET to_value = ''1.00 USD'' WHERE change = ''min_balance''', 'min_balance_mismatch'),
    ('period_history', 'to_closed_through', 'SET to_closed_through = now()', 'closed_through_mismatch')
   ) AS d (relation, column_name, statement, names);
SELECT is(t.names('UPDATE ledger.' || relation || ' ' || statement), names, relation || '.' || column_name) FROM damage;

-- No column of the tables that hold money and rules is left out here.
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                   WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'r'
                     AND c.relname IN ('entries', 'transactions', 'accounts', 'account_balances', 'holds', 'hold_lines', 'idempotency_keys', 'account_types', 'currencies')
                     AND NOT EXISTS (SELECT FROM damage d WHERE d.relation = c.relname AND d.column_name = a.attname)$$, 'every column was tried');

-- Rows that are gone, doubled or made up, and values that no ledger writes.
SELECT is(t.names(format(damage, :'first_id', :'second_id', :'yen_id', :'reversal', :'hold')), names, why)
  FROM (VALUES
    ('ALTER TABLE ledger.entries ALTER amount DROP NOT NULL; UPDATE ledger.entries SET amount = NULL WHERE transaction_id = %1$L AND line = 1', 'balance_after_mismatch dated_entry_mismatch debits_posted_mismatch effective_day_mismatch invalid_amount reversal_exceeds_transaction unbalanced_transaction', 'an amount that is NULL'),
    ('UPDATE ledger.entries SET amount = ''Infinity'' WHERE transaction_id = %1$L AND line = 1', 'balance_after_mismatch dated_entry_mismatch debits_posted_mismatch effective_day_mismatch invalid_amount unbalanced_transaction', 'one that is infinite'),
    ('UPDATE ledger.entries SET balance_after = ''NaN'' WHERE transaction_id = %1$L AND line = 1', 'balance_after_mismatch', 'a balance_after that is no number'),
    ('UPDATE ledger.entries SET amount = 10::numeric ^ 1000 WHERE transaction_id = %1$L AND line = 1', 'balance_after_mismatch dated_entry_mismatch debits_posted_mismatch effective_day_mismatch invalid_amount unbalanced_transaction', 'one of a thousand digits'),
    ('UPDATE ledger.entries SET amount = amount + 170141183460469231731687303715884105727 * sign(amount) * 0.01, balance_after = balance_after WHERE transaction_id = %1$L AND line = 1', 'balance_after_mismatch dated_entry_mismatch debits_posted_mismatch effective_day_mismatch invalid_amount unbalanced_transaction', 'a difference that is the modulus of the weighted sums'),
    ('UPDATE ledger.entries SET amount = -amount, balance_after = balance_after - 2 * amount WHERE transaction_id = %3$L', 'credits_posted_mismatch debits_posted_mismatch', 'a transaction turned round with its balances'),
    ('UPDATE ledger.entries e SET balance_after = o.balance_after FROM ledger.entries o WHERE o.account_id = 1 AND e.account_id = 1 AND e.transaction_id = %1$L AND o.transaction_id = %2$L', 'balance_after_mismatch', 'a balance_after of another line'),
    ('ALTER TABLE ledger.entries DROP CONSTRAINT entries_pkey; INSERT INTO ledger.entries SELECT * FROM ledger.entries WHERE transaction_id = %1$L', 'balance_after_mismatch credits_posted_mismatch dated_entry_mismatch debits_posted_mismatch effective_day_mismatch guard_missing version_mismatch', 'doubled entries'),
    ('DELETE FROM ledger.account_balances', 'account_without_balance', 'no balances at all'),
    ('UPDATE ledger.transactions SET effective_at = posted_at - interval ''31 days'' WHERE id = %2$L; UPDATE ledger.period_history SET changed_at = ''2020-01-01''', 'dated_entry_mismatch effective_day_mismatch posted_in_closed_period', 'a posting moved into a closed period')
   ) AS x (damage, names, why);
SELECT is(t.names('INSERT INTO ledger.entries VALUES (4711, ''018d0000-0000-7000-8000-000000000000'', 2, 0, 5, 5), (4712, ''018d0000-0000-7000-8000-000000000000'', 3, 0, -5, -5)'),
    'entry_without_account entry_without_transaction', 'entries of nothing, without a first line');
SELECT is(t.names(format('INSERT INTO ledger.entries SELECT account_id, ledger_new_id(), 2, stripe, 1, balance_after + 1 FROM ledger.entries WHERE transaction_id = %L AND line = 1', :'yen_id')),
    'debits_posted_mismatch entry_without_transaction last_transaction_mismatch unbalanced_transaction version_mismatch', 'an entry alone');
SELECT is(t.names('DELETE FROM ledger.entries; INSERT INTO ledger.entries VALUES (1, ''00000000-0000-0000-0000-000000000000'', 1, 0, 5, 5)') ~ 'entry_without_transaction.*unbalanced_transaction', true, 'an entry of the id of zeros, alone in the table');
SELECT is_empty('SELECT * FROM ledger_verify()', 'and in the end all is well');
SELECT * FROM finish();
ROLLBACK;
