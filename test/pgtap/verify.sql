-- ledger_verify(): nothing to say when all is well, and each kind of damage under its own name.
BEGIN;
\ir include/books.sql
SELECT ledger_post('assets:bank', 'equity:capital', 1000, 'k1', 'R1') AS first_id,
       ledger_post('expenses:rent', 'assets:bank', 300, 'k2', 'R2') AS second_id,
       ledger_post(ARRAY[ledger_debit('assets:bank', 5), ledger_debit('assets:yen', 7), ledger_credit('liabilities:alice', 5), ledger_credit('equity:yen', 7)]) AS third_id \gset
SELECT 'trigger ' || tgrelid::regclass || '.' || tgname AS what, tgrelid::regclass AS relation, tgname, c.relkind = 'v' AS is_view INTO TEMPORARY guard
  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = 'ledger'::regnamespace AND NOT g.tgisinternal;
-- Triggers of a view cannot be switched off.
SELECT plan(40 + count(*)::integer + count(*) FILTER (WHERE NOT is_view)::integer) FROM guard;

-- What ledger_verify() finds after a statement that no guard saw; the damage is undone again.
CREATE FUNCTION t.findings(damage text) RETURNS TABLE (check_name text, object text, expected text, found text) LANGUAGE plpgsql AS $$
DECLARE
    rows jsonb;
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        EXECUTE damage;
        SET LOCAL session_replication_role = origin;
        rows := (SELECT jsonb_agg(v) FROM ledger_verify() v);
        RAISE EXCEPTION USING ERRCODE = 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
        NULL;
    END;
    RETURN QUERY SELECT * FROM jsonb_to_recordset(rows) AS r (check_name text, object text, expected text, found text);
END $$;
CREATE FUNCTION t.names(damage text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(DISTINCT check_name, ' ' ORDER BY check_name), 'nothing') FROM t.findings(damage)
$$;

SELECT is_empty('SELECT * FROM ledger_verify()', 'all is well');
SELECT is_empty($$SELECT * FROM ledger_verify(ledger => 'ledger')$$, 'by name too');
SELECT is(t.names('SELECT 1'), 'nothing', 'no damage, no findings');

SELECT is(t.names(format(damage, :'first_id', :'second_id', :'third_id')), names, why)
  FROM (VALUES
    ('UPDATE ledger.entries SET amount = amount + 1 WHERE transaction_id = %L AND line = 1', 'balance_after_mismatch debits_posted_mismatch unbalanced_transaction', 'a changed amount'),
    ('UPDATE ledger.entries SET amount = -amount WHERE transaction_id = %L', 'balance_after_mismatch credits_posted_mismatch debits_posted_mismatch', 'both amounts of a transaction turned round'),
    ('UPDATE ledger.entries SET balance_after = balance_after + 1 WHERE transaction_id = %L AND line = 2', 'balance_after_mismatch', 'a changed balance_after'),
    ('UPDATE ledger.entries SET account_id = account_id + 1 WHERE transaction_id = %L AND line = 1', 'balance_after_mismatch debits_posted_mismatch last_transaction_mismatch version_mismatch', 'an entry moved to another account'),
    ('UPDATE ledger.entries SET amount = ''NaN'' WHERE transaction_id = %L AND line = 1', 'balance_after_mismatch debits_posted_mismatch invalid_amount unbalanced_transaction', 'an amount that is no number'),
    ('UPDATE ledger.entries SET amount = 0 WHERE transaction_id = %3$L', 'balance_after_mismatch credits_posted_mismatch debits_posted_mismatch invalid_amount', 'amounts of zero'),
    ('DELETE FROM ledger.entries WHERE transaction_id = %3$L AND line = 1', 'debits_posted_mismatch last_transaction_mismatch unbalanced_transaction version_mismatch', 'a deleted entry'),
    ('DELETE FROM ledger.entries WHERE transaction_id = %L AND line = 2', 'credits_posted_mismatch last_transaction_mismatch transaction_without_lines unbalanced_transaction version_mismatch', 'a deleted entry of two'),
    ('DELETE FROM ledger.entries WHERE transaction_id = %L', 'balance_after_mismatch credits_posted_mismatch debits_posted_mismatch last_transaction_mismatch transaction_without_lines version_mismatch', 'all entries of a transaction'),
    ('WITH gone AS (DELETE FROM ledger.entries WHERE transaction_id = %1$L) DELETE FROM ledger.transactions WHERE id = %1$L',
     'balance_after_mismatch credits_posted_mismatch debits_posted_mismatch key_without_transaction last_transaction_mismatch version_mismatch', 'a whole transaction'),
    ('INSERT INTO ledger.entries SELECT account_id, transaction_id, 7, 0, 1, balance_after + 1 FROM ledger.entries WHERE transaction_id = %3$L AND line = 1', 'debits_posted_mismatch unbalanced_transaction version_mismatch', 'an inserted entry'),
    ('DELETE FROM ledger.transactions WHERE id = %3$L', 'entry_without_transaction', 'entries without header'),
    ('UPDATE ledger.entries SET account_id = 4711 WHERE transaction_id = %3$L AND line = 1', 'balance_after_mismatch debits_posted_mismatch entry_without_account last_transaction_mismatch unbalanced_transaction version_mismatch', 'an entry without account'),
    ('UPDATE ledger.account_balances SET debits_posted = debits_posted + 0.01 WHERE account_id = 1', 'debits_posted_mismatch', 'changed debits'),
    ('UPDATE ledger.account_balances SET credits_posted = credits_posted - 0.01 WHERE account_id = 1', 'credits_posted_mismatch', 'changed credits'),
    ('UPDATE ledger.account_balances SET version = version + 1 WHERE account_id = 1', 'version_mismatch', 'a changed version'),
    ('UPDATE ledger.account_balances SET last_transaction_id = NULL WHERE account_id = 1', 'last_transaction_mismatch', 'a lost last transaction'),
    ('UPDATE ledger.account_balances SET last_transaction_id = %L WHERE account_id = 1', 'last_transaction_mismatch', 'an earlier last transaction'),
    ('UPDATE ledger.account_balances SET min_balance = 706 WHERE account_id = 1', 'balance_below_floor', 'a floor that does not hold'),
    ('UPDATE ledger.account_balances SET max_balance = 4.99 WHERE account_id = 3', 'balance_above_ceiling', 'a ceiling that does not hold'),
    ('DELETE FROM ledger.account_balances WHERE account_id = 2', 'account_without_balance', 'a missing row of balances'),
    ('DELETE FROM ledger.accounts WHERE id = 2', 'balance_without_account', 'a missing account'),
    ('UPDATE ledger.transactions SET posted_at = posted_at - interval ''1 microsecond'' WHERE id = %L', 'dated_entry_mismatch effective_day_mismatch id_time_mismatch', 'a time of posting that is not the id''s'),
    ('UPDATE ledger.transactions SET posted_at = ''infinity'' WHERE id = %L', 'dated_entry_mismatch effective_day_mismatch id_time_mismatch', 'a time of posting that is none'),
    ('UPDATE ledger.currencies SET scale = 0 WHERE code = ''USD''; UPDATE ledger.entries SET amount = amount + 0.5, balance_after = balance_after + 0.5 WHERE transaction_id = %3$L AND amount = 5',
     'debits_posted_mismatch invalid_amount unbalanced_transaction', 'decimals that the currency does not have'),
    ('UPDATE ledger.idempotency_keys SET transaction_id = ledger_new_id() WHERE key = ''k1''', 'key_without_transaction', 'a key without transaction'),
    ('DROP INDEX ledger.transactions_reference_key; UPDATE ledger.transactions SET reference = ''R'' WHERE reference IS NOT NULL', 'duplicate_reference guard_missing', 'a reference used twice')
   ) AS x (damage, names, why);
SELECT is(t.names($$INSERT INTO ledger.transactions (id, posted_at, effective_at, xact_id, created_by)
                    VALUES ('01700000-0000-7000-8000-000000000000', to_timestamp(x'017000000000'::bigint / 1000.0), now(), '1', 'me')$$), 'transaction_without_lines', 'a header without entries');
SELECT is(t.names($$INSERT INTO ledger.transactions (id, posted_at, effective_at, xact_id, created_by)
                    VALUES ('6e0ff1a3-0c4c-4d93-b8fd-b66bcb4c5b5f', now(), now(), '1', 'me')$$), 'id_time_mismatch transaction_without_lines', 'an id that carries no time');

-- A finding says where, what should be and what is.
SELECT results_eq($$SELECT object, expected, found FROM t.findings('UPDATE ledger.account_balances SET debits_posted = 1 WHERE account_id = 1')$$,
    $$VALUES ('assets:bank', '1005.00', '1')$$, 'the account and both figures');
SELECT results_eq(format('SELECT object, expected, found FROM t.findings(%L) WHERE check_name = %L', format('UPDATE ledger.entries SET amount = 1000.5 WHERE transaction_id = %L AND line = 1', :'first_id'), 'unbalanced_transaction'),
    format('VALUES (%L, %L, %L)', :'first_id', '0 USD', '0.50 USD'), 'the transaction and its difference');
SELECT results_eq($$SELECT object, expected, found FROM t.findings('UPDATE ledger.account_balances SET version = 9 WHERE account_id IN (1, 2) AND version < 4 AND account_id = 1')$$,
    $$VALUES ('assets:bank', '3', '9')$$, 'the version');
SELECT results_eq($$SELECT check_name, object, found FROM t.findings('UPDATE ledger.account_balances SET version = version + 1, debits_posted = debits_posted + 1 WHERE account_id IN (1, 3)') ORDER BY 1, 2$$,
    $$VALUES ('debits_posted_mismatch', 'assets:bank', '1006.00'), ('debits_posted_mismatch', 'liabilities:alice', '1.00'),
             ('version_mismatch', 'assets:bank', '4'), ('version_mismatch', 'liabilities:alice', '2')$$, 'a row for each finding');

-- Every guard is missed: when it is off, and when it is gone.
SELECT results_eq(format('SELECT * FROM t.findings(%L)', format('ALTER TABLE %s DISABLE TRIGGER %I', relation, tgname)),
                  format($$VALUES ('guard_missing', %L, 'an enabled trigger', 'disabled')$$, split_part(relation::text, '.', 2) || '.' || tgname), 'off: ' || what) FROM guard WHERE NOT is_view ORDER BY what;
SELECT results_eq(format('SELECT * FROM t.findings(%L)', format('DROP TRIGGER %I ON %s', tgname, relation)),
                  format($$VALUES ('guard_missing', %L, 'an enabled trigger', 'none')$$, split_part(relation::text, '.', 2) || '.' || tgname), 'gone: ' || what) FROM guard ORDER BY what;
SELECT is(t.names($$ALTER TABLE ledger.entries ENABLE REPLICA TRIGGER append_only$$), 'guard_missing', 'a guard that fires in replicas only is off');
SELECT is(t.names($$ALTER TABLE ledger.entries ENABLE ALWAYS TRIGGER append_only$$), 'nothing', 'one that fires always is on');
SELECT is(t.names($$CREATE FUNCTION public.idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(NEW, OLD); END';
                    DROP TRIGGER append_only ON ledger.entries;
                    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.entries FOR EACH ROW EXECUTE FUNCTION public.idle()$$), 'guard_missing', 'a guard that was exchanged for another trigger');
SELECT is_empty('SELECT * FROM ledger_verify()', 'and in the end all is well');

SELECT * FROM finish();
ROLLBACK;
