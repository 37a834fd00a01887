-- Account types: the five, the user's own with their limits, and what of them never changes.
BEGIN;
\ir include/books.sql
SELECT plan(17);

SELECT is((SELECT normal_side FROM ledger.account_types WHERE code = type), side, type || ' counts on the ' || side || ' side')
  FROM (VALUES ('asset', 'debit'), ('expense', 'debit'), ('liability', 'credit'), ('equity', 'credit'), ('income', 'credit')) AS x (type, side);
SELECT is((SELECT count(*) FROM ledger.account_types), 5::bigint, 'there are five at first');

SELECT t.allowed($$INSERT INTO ledger.account_types (code, normal_side, min_balance, max_balance)
                   VALUES ('wallet', 'credit', 0, 500), ('escrow', 'credit', NULL, NULL)$$, 'types can be added');
SELECT ledger_open_account('w:1', 'wallet', 'USD'), ledger_open_account('w:2', 'wallet', 'USD', max_balance => 50),
       ledger_open_account('w:3', 'wallet', 'USD', min_balance => -20) \g /dev/null
SELECT results_eq($$SELECT account, min_balance::text, max_balance::text FROM ledger.balances WHERE type = 'wallet' ORDER BY account$$,
    $$VALUES ('w:1', '0.00', '500.00'), ('w:2', '0.00', '50.00'), ('w:3', '-20.00', '500.00')$$,
    'an account takes the limits of its type where it names none of its own');
SELECT t.refused($$SELECT ledger_post('w:1', 'assets:bank', 0.01)$$, 'LF040 insufficient_balance', 'and is held to them: floor');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'w:1', 500.01)$$, 'LF041 limit_exceeded', 'and ceiling');
SELECT is(ledger_balance('w:1'), 0.00, 'a credit-normal type of the user''s');

SELECT t.allowed($$UPDATE ledger.account_types SET min_balance = -100, description = 'With credit' WHERE code = 'wallet'$$, 'the limits of a type may change');
SELECT is((SELECT min_balance FROM ledger.balances WHERE account = 'w:1'), 0.00, 'for accounts to come, not for those that are open');
SELECT t.refused($$UPDATE ledger.account_types SET normal_side = 'debit' WHERE code = 'wallet'$$, 'LF070 immutable_ledger', 'the normal side never changes');
SELECT t.refused($$UPDATE ledger.account_types SET code = 'purse' WHERE code = 'escrow'$$, 'LF070 immutable_ledger', 'nor does the code');
SELECT t.refused($$INSERT INTO ledger.account_types (code, normal_side) VALUES ('odd', 'left')$$, '23514', 'there are two sides');
SELECT t.refused($$DELETE FROM ledger.account_types WHERE code = 'wallet'$$, '23503', 'a type with accounts stays');

SELECT * FROM finish();
ROLLBACK;
