-- ledger_verify_incremental(): what was posted since the last clean run, and a record of each run.
BEGIN;
\ir include/books.sql
SELECT plan(32);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) AS old_id \gset
SELECT is_empty('SELECT * FROM ledger_verify_incremental()', 'all is well');
SELECT results_eq($$SELECT mode, findings, transactions, entries, verified_by = current_user FROM ledger.verifications ORDER BY id DESC LIMIT 1$$,
    $$VALUES ('full', 0::bigint, 1::bigint, 2::bigint, true)$$, 'the first run is a full one, and is recorded');
SELECT ok(verified_at = now() AND horizon <= xact_id AND xact_id = pg_current_xact_id() AND duration >= '0', 'with time and horizon') FROM ledger.verifications;
SELECT is_empty('SELECT * FROM ledger_verify_incremental()', 'again');
SELECT is((SELECT mode FROM ledger.verifications ORDER BY id DESC LIMIT 1), 'incremental', 'the second run is an incremental one');
SELECT is_empty('SELECT * FROM ledger_verify_incremental(from_start => true)', 'from the start');
SELECT is((SELECT mode FROM ledger.verifications ORDER BY id DESC LIMIT 1), 'full', 'when that is asked for');
SELECT is_empty($$SELECT * FROM ledger_verify_incremental(false, 'ledger')$$, 'the ledger is the last argument');

-- As if everything until now had been posted by earlier database transactions, an hour and more ago.
CREATE FUNCTION pg_temp.settle() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL session_replication_role = replica;
    DELETE FROM ledger.verifications;
    UPDATE ledger.transactions SET xact_id = '1';
    PERFORM ledger_verify_incremental();
    SET LOCAL session_replication_role = origin;
END $$;
CREATE FUNCTION t.names(damage text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    names text;
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        EXECUTE damage;
        SET LOCAL session_replication_role = origin;
        SELECT coalesce(string_agg(DISTINCT check_name, ' ' ORDER BY check_name), 'nothing') INTO names FROM ledger_verify_incremental();
        names := names || ' / ' || (SELECT concat_ws(' ', mode, findings, transactions, entries) FROM ledger.verifications ORDER BY id DESC LIMIT 1);
        RAISE EXCEPTION USING ERRCODE = 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
        RETURN names;
    END;
END $$;
SELECT pg_temp.settle();
SELECT ledger_post('liabilities:alice', 'income:fees', 5) AS new_id,
       ledger_post(ARRAY[ledger_debit('assets:bank', 3), ledger_debit('assets:bank', 4), ledger_credit('equity:capital', 7)]) AS lines_id,
       ledger_post('assets:yen', 'equity:yen', 9) AS yen_id \gset
SELECT is(t.names('SELECT 1'), 'nothing / incremental 0 3 7', 'only what is new is read');
SELECT is(t.names(format(damage, :'new_id', :'lines_id', :'old_id')), names, why)
  FROM (VALUES
    ('UPDATE ledger.entries SET amount = amount + 1 WHERE transaction_id = %L AND line = 1', 'balance_after_mismatch debits_posted_mismatch unbalanced_transaction / incremental 3 3 7', 'a new amount'),
    ('UPDATE ledger.entries SET balance_after = balance_after + 1 WHERE transaction_id = %L', 'balance_after_mismatch / incremental 2 3 7', 'a new balance_after'),
    ('DELETE FROM ledger.transactions WHERE id = %2$L', 'entry_without_transaction / incremental 3 2 4', 'a header that is gone'),
    ('UPDATE ledger.account_balances SET debits_posted = debits_posted + 1 WHERE account_id = 1', 'debits_posted_mismatch / incremental 1 3 7', 'a total of an account with new entries'),
    ('UPDATE ledger.account_balances SET last_transaction_id = %3$L WHERE account_id = 1', 'last_transaction_mismatch / incremental 1 3 7', 'its last transaction'),
    ('UPDATE ledger.account_balances SET credits_pending = 1 WHERE account_id = 7', 'credits_pending_mismatch / incremental 1 3 7', 'pending totals of any account'),
    ('UPDATE ledger.entries SET balance_after = 1 WHERE transaction_id = %3$L AND account_id = 1', 'balance_after_mismatch / incremental 1 3 7', 'an old entry, when it is the last before a new one'),
    ('ALTER TABLE ledger.entries DISABLE TRIGGER append_only', 'guard_missing / incremental 1 3 7', 'a guard that is off'),
    ('UPDATE ledger.transactions SET posted_at = posted_at - interval ''1 second'' WHERE id = %L', 'id_time_mismatch / incremental 1 3 7', 'a new header')
   ) AS x (damage, names, why);
SELECT matches(t.names(format(damage, :'new_id', :'lines_id')), names, why)
  FROM (VALUES
    ('DELETE FROM ledger.entries WHERE transaction_id = %L', '(?=.*transaction_without_lines)(?=.*mismatch).* / incremental [0-9]+ 3 5$', 'no entries'),
    ('WITH gone AS (DELETE FROM ledger.entries WHERE transaction_id = %1$L) DELETE FROM ledger.transactions WHERE id = %1$L', '^credits_posted_mismatch debits_posted_mismatch last_transaction_mismatch version_mismatch / incremental 6 2 5$', 'a whole transaction that is gone'),
    ('DELETE FROM ledger.entries WHERE transaction_id = %2$L AND line = 2', '(?=.*unbalanced_transaction)(?=.*version_mismatch).* / incremental [0-9]+ 3 6$', 'a new entry that is gone'),
    ('UPDATE ledger.entries SET transaction_id = ledger_new_id() WHERE transaction_id = %1$L', 'entry_without_transaction.* / incremental [0-9]+ 3 5$', 'entries of nothing')
   ) AS x (damage, names, why);
-- What it cannot see: old rows, changed later. That is for full runs.
SELECT is(t.names(format('UPDATE ledger.entries SET balance_after = 1 WHERE transaction_id = %L AND account_id = 1; UPDATE ledger.transactions SET xact_id = ''1'' WHERE id = %L', :'old_id', :'lines_id')), 'nothing / incremental 0 2 4', 'an old entry is not read again');
-- A run with findings moves nothing: the next one finds them again.
SELECT matches(t.names($$UPDATE ledger.account_balances SET debits_posted = debits_posted + 1 WHERE account_id = 1; SELECT count(*) FROM ledger_verify_incremental()$$),
    '^debits_posted_mismatch / incremental 1 3 7$', 'a finding is found until it is mended');
-- Numbers of database transactions mean nothing in a restored copy.
SELECT is(t.names($$UPDATE ledger.verifications SET origin = '1.2.3'$$), 'nothing / full 0 4 9', 'a copy is verified from the start');

-- Who may, and when.
CREATE ROLE lf_reader; CREATE ROLE lf_operator;
SELECT ledger_grant('lf_reader', 'reader'), ledger_grant('lf_operator', 'operator') \g /dev/null
SET LOCAL ROLE lf_reader;
SELECT is((t.attempt('SELECT ledger_verify_incremental()')).sqlstate, '42501', 'a reader may not record');
SELECT is_empty('SELECT * FROM ledger_verify()', 'but verify');
SET LOCAL ROLE lf_operator;
SELECT is_empty('SELECT * FROM ledger_verify_incremental()', 'an operator may');
SELECT throws_ok('DELETE FROM ledger.verifications', '42501', NULL, 'but not change the record');
RESET ROLE;
SELECT throws_ok('DELETE FROM ledger.verifications', 'LF070', NULL, 'nor may a superuser');
SELECT throws_ok('UPDATE ledger.verifications SET findings = 0', 'LF070', NULL, 'or change it');
SELECT throws_ok('TRUNCATE ledger.verifications', 'LF070', NULL, 'or empty it');
SELECT * FROM finish();
ROLLBACK;
