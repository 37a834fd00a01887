-- ledger_rebuild_balances(): mends what can be derived, and says what it changed.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(34);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) AS first_id, ledger_post('assets:bank', 'equity:capital', 50) AS second_id,
       ledger_post('assets:yen', 'equity:yen', 7) AS yen_id, ledger_hold('liabilities:alice', 'liabilities:bob', 30) AS hold \gset
SELECT ledger_capture(:'hold', 10, false) AS capture \gset
DO $$ BEGIN PERFORM ledger_set_limits('liabilities:bob', 0, 500); PERFORM ledger_freeze_account('liabilities:bob', 'debit'); END $$;
SELECT is_empty('SELECT * FROM ledger_rebuild_balances()', 'nothing to do where all is well');
SELECT is((SELECT count(*) FROM ledger.account_history WHERE reason LIKE 'ledger_rebuild%'), 0::bigint, 'and nothing is recorded');

CREATE FUNCTION pg_temp.damage(damage text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL session_replication_role = replica;
    EXECUTE damage;
    SET LOCAL session_replication_role = origin;
END $$;
-- What is changed, and what ledger_verify() finds afterwards; then both are undone.
CREATE FUNCTION pg_temp.mended(damage text, account text DEFAULT NULL, balance_after boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        PERFORM pg_temp.damage(damage);
        SELECT coalesce(string_agg(concat_ws(' ', r.account_code, r.item, coalesce(r.was, '-'), coalesce(r.now, '-')), '; '), 'nothing') INTO result FROM ledger_rebuild_balances(account, balance_after) r;
        result := result || (SELECT coalesce(' / ' || string_agg(DISTINCT check_name, ' '), '') FROM ledger_verify());
        RAISE EXCEPTION USING ERRCODE = 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
        RETURN result;
    END;
END $$;
SELECT is(pg_temp.mended(damage), changes, why)
  FROM (VALUES
    ('UPDATE ledger.account_balances SET debits_posted = 1 WHERE account_id = 1', 'assets:bank debits_posted 1 150.00', 'debits'),
    ('UPDATE ledger.account_balances SET credits_posted = 1 WHERE account_id = 1', 'assets:bank credits_posted 1 0.00', 'credits'),
    ('UPDATE ledger.account_balances SET debits_pending = 1 WHERE account_id IN (1, 3)', 'assets:bank debits_pending 1 0.00; liabilities:alice debits_pending 1 20.00', 'pending debits'),
    ('UPDATE ledger.account_balances SET credits_pending = ''NaN'' WHERE account_id = 4', 'liabilities:bob credits_pending NaN 20.00', 'pending credits that are no number'),
    ('UPDATE ledger.account_balances SET version = 9, debits_posted = 0 WHERE account_id = 8', 'assets:yen debits_posted 0 7; assets:yen version 9 1', 'the version, and scale 0'),
    (format('UPDATE ledger.account_balances SET last_transaction_id = NULL WHERE account_id = 5'), format('equity:capital last_transaction_id - %s', :'second_id'), 'the last transaction'),
    (format('UPDATE ledger.account_balances SET last_transaction_id = %L WHERE account_id = 2', :'first_id'), format('assets:cash last_transaction_id %s -', :'first_id'), 'which there is not'),
    ('DELETE FROM ledger.account_balances WHERE account_id = 2', 'assets:cash row - open', 'a missing row'),
    ('DELETE FROM ledger.account_balances WHERE account_id = 4', 'liabilities:bob row - debits_frozen, floor 0.00, ceiling 500.00; liabilities:bob credits_pending 0 20.00; liabilities:bob credits_posted 0 10.00; liabilities:bob last_transaction_id - ' || :'capture' || '; liabilities:bob version 0 1',
     'a missing row comes back with status and limits of its history'),
    ('UPDATE ledger.account_balances SET status = ''frozen'', min_balance = 1', 'nothing / balance_below_floor min_balance_mismatch status_mismatch', 'status and limits are not touched'),
    (format('UPDATE ledger.entries SET balance_after = 1 WHERE transaction_id = %L', :'yen_id'), 'nothing / balance_after_mismatch', 'nor is balance_after')
   ) AS x (damage, changes, why);
SELECT is(pg_temp.mended(format('UPDATE ledger.entries SET balance_after = 1 WHERE transaction_id = %L', :'yen_id'), NULL, true),
    format('assets:yen balance_after of %1$s line 1 1 7; equity:yen balance_after of %1$s line 2 1 -7', :'yen_id'), 'unless that is asked for');
SELECT is(pg_temp.mended('UPDATE ledger.account_balances SET debits_posted = 1', 'assets:bank'), 'assets:bank debits_posted 1 150.00 / debits_posted_mismatch', 'one account alone');
SELECT is(pg_temp.mended('UPDATE ledger.account_balances SET debits_posted = 1, credits_posted = 2, debits_pending = 3, credits_pending = 4, version = 5, last_transaction_id = NULL; UPDATE ledger.entries SET balance_after = 0', NULL, true) LIKE '% / %', false, 'all at once');
SELECT is(pg_temp.mended('UPDATE ledger.account_balances SET debits_posted = 10::numeric ^ 100'), 'assets:bank debits_posted ' || (10::numeric ^ 100) || ' 150.00' || (SELECT string_agg(format('; %s debits_posted %s %s', a.code, 10::numeric ^ 100, b.debits_posted), '' ORDER BY a.code) FROM ledger.accounts a JOIN ledger.account_balances b ON b.account_id = a.id WHERE a.code <> 'assets:bank' AND a.code < 'b')
    || (SELECT string_agg(format('; %s debits_posted %s %s', a.code, 10::numeric ^ 100, b.debits_posted::numeric), '' ORDER BY a.code) FROM ledger.accounts a JOIN ledger.account_balances b ON b.account_id = a.id WHERE a.code > 'b'), 'totals beyond any that a ledger writes');

-- It is recorded, and the ledger goes on.
SELECT pg_temp.damage('UPDATE ledger.account_balances SET debits_posted = 1 WHERE account_id = 1');
SELECT results_eq('SELECT * FROM ledger_rebuild_balances()', $$VALUES ('assets:bank', 'debits_posted', '1', '150.00')$$, 'account, item, was, now');
SELECT results_eq($$SELECT account_id, change, from_value, to_value, reason, changed_by = current_user FROM ledger.account_history ORDER BY id DESC LIMIT 1$$,
    $$VALUES (1::bigint, 'debits_posted', '1', '150.00', 'ledger_rebuild_balances()', true)$$, 'in the history of the account');
SELECT lives_ok($$SELECT ledger_post('assets:bank', 'equity:capital', 1)$$, 'postings go on');
SELECT is_empty('SELECT * FROM ledger_verify()', 'and all is well');

-- Nothing is derived from rows that no ledger writes.
CREATE FUNCTION pg_temp.refused(damage text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        PERFORM pg_temp.damage(damage);
        result := (SELECT concat_ws(' ', o.sqlstate, o.message, o.detail) FROM t.attempt('SELECT ledger_rebuild_balances()') o);
        RAISE EXCEPTION USING ERRCODE = 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
        RETURN result;
    END;
END $$;
SELECT is(pg_temp.refused(format('UPDATE ledger.entries SET amount = %L WHERE transaction_id = %L AND line = 1', amount, :'first_id')),
    format('LF071 the entries and holds themselves are damaged entry %s line 1: %s', :'first_id', amount), 'an amount of ' || amount)
  FROM (VALUES ('NaN'), ('Infinity'), ('1.005'), ('1000000000000000000000000000000000000000')) AS x (amount);
SELECT is(pg_temp.refused(format('UPDATE ledger.hold_lines SET released = ''NaN'' WHERE hold_id = %L AND line = 1', :'hold')),
    format('LF071 the entries and holds themselves are damaged hold %s line 1: NaN', :'hold'), 'a hold of NaN');

-- Who may.
CREATE ROLE lf_operator; CREATE ROLE lf_admin; CREATE ROLE lf_none;
SELECT ledger_grant('lf_operator', 'operator'), ledger_grant('lf_admin', 'admin') \g /dev/null
SELECT is((t.attempt('SELECT ledger_rebuild_balances()', 'lf_operator')).sqlstate, '42501', 'no operator');
SELECT is((t.attempt('SELECT ledger_rebuild_balances()', 'lf_none')).sqlstate, '42501', 'nobody else');
SELECT is((t.attempt('SELECT ledger_rebuild_balances()', 'lf_admin')).sqlstate, NULL, 'an admin');
SELECT is((t.attempt('SELECT ledger_rebuild_balances(NULL, true)', 'lf_admin')).sqlstate, '42501', 'but only an owner changes entries');
SELECT is((t.attempt($$SELECT ledger_rebuild_balances('nobody')$$)).sqlstate, 'LF023', 'an account that there is not');
SELECT is((t.attempt($$SELECT ledger_rebuild_balances(ledger => 'nowhere')$$)).sqlstate, 'LF020', 'a ledger that there is not');
SELECT is((t.attempt($$SELECT ledger_rebuild_balances(NULL, NULL, NULL)$$)).sqlstate, NULL, 'NULL is not given');
SET LOCAL transaction_read_only = on;
SELECT is((t.attempt('SELECT ledger_rebuild_balances()')).sqlstate, '25006', 'not in a read-only transaction');
SELECT * FROM finish();
ROLLBACK;
