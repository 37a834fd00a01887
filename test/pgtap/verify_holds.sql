-- ledger_verify() finds damage in holds and reversals: what somebody did who went around the guards.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(24);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) AS id,
       ledger_hold('liabilities:alice', 'liabilities:bob', 30) AS hold, ledger_hold(ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:bob', 2), ledger_credit('income:fees', 1)]) AS three,
       ledger_hold('assets:bank', 'liabilities:bob', 5) AS released \gset
SELECT ledger_capture(:'hold', 10, false) AS capture, ledger_release(:'released'), ledger_reverse(:'id', amount => 5) AS reversal \gset
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

-- The findings after a statement with the guards off, which is then taken back: "check object expected found; ...".
CREATE FUNCTION pg_temp.findings(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        EXECUTE statement;
        SET LOCAL session_replication_role = origin;
        SELECT string_agg(concat_ws(' ', v.check_name, v.object, v.expected, v.found), '; ' ORDER BY v.check_name, v.object) INTO result FROM ledger_verify() v;
        RAISE EXCEPTION USING ERRCODE = 'P0099';
    EXCEPTION WHEN SQLSTATE 'P0099' THEN
        RETURN result;
    END;
END $$;
SELECT is(pg_temp.findings(statement), findings, why)
  FROM (VALUES
    ($$UPDATE ledger.account_balances b SET debits_pending = 1 FROM ledger.accounts a WHERE a.id = b.account_id AND a.code = 'liabilities:alice'$$,
     'debits_pending_mismatch liabilities:alice 20.00 1', 'pending debits that no hold has'),
    ($$UPDATE ledger.account_balances b SET credits_pending = 0 FROM ledger.accounts a WHERE a.id = b.account_id AND a.code = 'income:fees'$$,
     'credits_pending_mismatch income:fees 1.00 0', 'pending credits that are gone'),
    (format($$UPDATE ledger.hold_lines SET amount = 31 WHERE hold_id = %L AND line = 1$$, :'hold'), format('debits_pending_mismatch liabilities:alice 21.00 20.00; unbalanced_hold %s 0 USD 1.00 USD', :'hold'), 'a line that was made larger'),
    (format($$UPDATE ledger.hold_lines SET captured = 15 WHERE hold_id = %L AND line = 1$$, :'hold'),
     format('debits_pending_mismatch liabilities:alice 15.00 20.00; hold_mismatch %s account %s captured 10.00 captured 15', :'hold', (SELECT id FROM ledger.accounts WHERE code = 'liabilities:alice')), 'more captured than was posted'),
    (format($$UPDATE ledger.hold_lines SET captured = -1, amount = 19 WHERE hold_id = %L AND line = 1$$, :'hold'),
     format('hold_mismatch %1$s account %2$s captured 10.00 captured -1; unbalanced_hold %1$s 0 USD -11.00 USD', :'hold', (SELECT id FROM ledger.accounts WHERE code = 'liabilities:alice')), 'less than nothing captured'),
    (format($$UPDATE ledger.hold_lines SET is_open = false WHERE hold_id = %L AND line = 1$$, :'hold'),
     format('hold_mismatch %s account %s captured 10.00 captured 10.00', :'hold', (SELECT id FROM ledger.accounts WHERE code = 'liabilities:alice')), 'a line that is closed though something is left'),
    (format($$UPDATE ledger.hold_lines SET settled_at = now() WHERE hold_id = %L AND line = 1$$, :'hold'),
     format('hold_mismatch %s account %s captured 10.00 captured 10.00', :'hold', (SELECT id FROM ledger.accounts WHERE code = 'liabilities:alice')), 'a line that is open and yet settled'),
    (format($$UPDATE ledger.hold_lines SET released = 25 WHERE hold_id = %L AND line = 1$$, :'hold'),
     format('debits_pending_mismatch liabilities:alice -5.00 20.00; hold_mismatch %s account %s captured 10.00 captured 10.00', :'hold', (SELECT id FROM ledger.accounts WHERE code = 'liabilities:alice')), 'more released than there was'),
    (format($$UPDATE ledger.hold_lines SET account_id = (SELECT id FROM ledger.accounts WHERE code = 'expenses:rent') WHERE hold_id = %L AND line = 1$$, :'three'),
     'debits_pending_mismatch assets:bank 0.00 3.00; debits_pending_mismatch expenses:rent 3.00 0.00', 'a line on another account'),
    (format($$UPDATE ledger.transactions SET hold = %L WHERE id = %L$$, :'three', :'capture'),
     format('capture_without_hold %2$s account %3$s a line of the hold none; hold_mismatch %1$s account %3$s captured 0 captured 10.00; hold_mismatch %1$s account %4$s captured 0 captured 10.00; hold_mismatch %2$s account %4$s captured 10.00 captured 0.00',
            :'hold', :'three', (SELECT id FROM ledger.accounts WHERE code = 'liabilities:alice'), (SELECT id FROM ledger.accounts WHERE code = 'liabilities:bob')), 'a capture that names another hold'),
    (format($$DELETE FROM ledger.hold_lines WHERE hold_id = %L$$, :'released'), format('hold_without_lines %s at least 2 lines 0', :'released'), 'a hold without lines'),
    (format($$DELETE FROM ledger.hold_lines WHERE hold_id = %L AND line = 2$$, :'released'), format('hold_without_lines %1$s at least 2 lines 1; unbalanced_hold %1$s 0 USD 5.00 USD', :'released'), 'or with one'),
    (format($$DELETE FROM ledger.holds WHERE id = %L$$, :'released'), format('hold_line_without_hold %1$s line 1 a row in holds none; hold_line_without_hold %1$s line 2 a row in holds none', :'released'), 'lines without their hold'),
    (format($$UPDATE ledger.holds SET status = 'released' WHERE id = %L$$, :'hold'),
     format('hold_status_mismatch %1$s pending released; settled_hold_with_reservation %1$s line 1 nothing left released; settled_hold_with_reservation %1$s line 2 nothing left released', :'hold'), 'a settled hold that reserves still'),
    (format($$UPDATE ledger.transactions SET reverses = '018d0000-0000-7000-8000-000000000000' WHERE id = %L$$, :'reversal'),
     format('reversal_without_transaction %s transaction 018d0000-0000-7000-8000-000000000000 none', :'reversal'), 'a reversal of nothing'),
    ($$ALTER TABLE ledger.holds DISABLE TRIGGER ledger_only$$, 'guard_missing holds.ledger_only an enabled trigger disabled', 'a guard that is off'),
    ($$DROP TRIGGER ledger_only_truncate ON ledger.hold_lines$$, 'guard_missing hold_lines.ledger_only_truncate an enabled trigger none', 'a guard that is gone'),
    ($$DROP TRIGGER ledger_only ON ledger.period_history$$, 'guard_missing period_history.ledger_only an enabled trigger none', 'on periods as well')) AS x (statement, findings, why);
-- A key of a hold is no finding, one of nothing is.
SELECT ledger_hold('assets:bank', 'liabilities:bob', 1, 'held') AS held \gset
SELECT is_empty('SELECT * FROM ledger_verify()', 'a key may name a hold');
SELECT is(pg_temp.findings(format('DELETE FROM ledger.holds WHERE id = %L', :'held')),
    format('hold_line_without_hold %1$s line 1 a row in holds none; hold_line_without_hold %1$s line 2 a row in holds none; key_without_transaction held transaction %1$s none', :'held'), 'but not one that is gone');
-- A floor that is broken is a finding, unless an operator has set it aside.
SELECT is(pg_temp.findings($$UPDATE ledger.account_balances b SET min_balance = 80 FROM ledger.accounts a WHERE a.id = b.account_id AND a.code = 'liabilities:alice'$$),
    'balance_below_floor liabilities:alice at least 80 65.00', 'what is reserved counts as gone for the floor');
SELECT is(pg_temp.findings($$UPDATE ledger.account_balances b SET max_balance = 12 FROM ledger.accounts a WHERE a.id = b.account_id AND a.code = 'liabilities:bob'$$),
    'balance_above_ceiling liabilities:bob at most 12 33.00', 'what is coming counts for the ceiling');
SELECT ledger_reverse(:'id', force => true) \g /dev/null
SELECT is_empty('SELECT * FROM ledger_verify()', 'forced: no finding');
SELECT * FROM finish();
ROLLBACK;
