-- Reading: balances in their normal sign, the trial balance, the views, minor units.
BEGIN;
\ir include/books.sql
SELECT plan(40);
SELECT ledger_post('assets:bank', 'equity:capital', 1000, description => 'Capital', reference => 'R-1', effective_at => '2024-01-01Z', metadata => '{"a": 1}'),
       ledger_post('expenses:rent', 'assets:bank', 300), ledger_post('assets:bank', 'income:fees', 25.5), ledger_post('assets:bank', 'liabilities:bob', 70),
       ledger_post('assets:yen', 'equity:yen', 5000), ledger_post('assets:dinar', 'equity:dinar', 0.125) \g /dev/null

SELECT is(ledger_balance(account)::text, balance, account || ': ' || balance)
  FROM (VALUES ('assets:bank', '795.50'), ('expenses:rent', '300.00'), ('equity:capital', '1000.00'), ('income:fees', '25.50'), ('liabilities:bob', '70.00'),
               ('liabilities:alice', '0.00'), ('assets:yen', '5000'), ('equity:dinar', '0.125')) AS x (account, balance);
SELECT is((SELECT count(*) FROM ledger.accounts a WHERE ledger_available(code) <> ledger_balance(code)), 0::bigint, 'nothing is reserved: all is available');
SELECT ledger_post('liabilities:bob', 'assets:bank', 100) \g /dev/null
SELECT is(ledger_balance('liabilities:bob')::text, '-30.00', 'a balance on the other side is negative');
SELECT is(ledger_balance(account => 'liabilities:bob', ledger => 'ledger')::text, '-30.00', 'by name');
SELECT ok(ledger_balance('liabilities:bob') < 0, 'in an expression');
SELECT is((SELECT sum(ledger_balance(code)) FROM ledger.accounts WHERE currency = 'USD' AND type IN ('asset', 'expense')),
          (SELECT sum(ledger_balance(code)) FROM ledger.accounts WHERE currency = 'USD' AND type NOT IN ('asset', 'expense')), 'assets and expenses equal the rest');

-- Trial balance.
SELECT results_eq($$SELECT account, type, currency, debit::text, credit::text FROM ledger_trial_balance() WHERE debit <> 0 OR credit <> 0$$,
    $$VALUES ('assets:bank', 'asset', 'USD', '695.50', '0.00'), ('assets:dinar', 'asset', 'BHD', '0.125', '0.000'), ('assets:yen', 'asset', 'JPY', '5000', '0'),
             ('equity:capital', 'equity', 'USD', '0.00', '1000.00'), ('equity:dinar', 'equity', 'BHD', '0.000', '0.125'), ('equity:yen', 'equity', 'JPY', '0', '5000'),
             ('expenses:rent', 'expense', 'USD', '300.00', '0.00'), ('income:fees', 'income', 'USD', '0.00', '25.50'), ('liabilities:bob', 'liability', 'USD', '30.00', '0.00')$$,
    'the trial balance: by code, a balance in its debit or credit column');
SELECT is((SELECT count(*) FROM ledger_trial_balance()), (SELECT count(*) FROM ledger.accounts), 'with every account');
SELECT is_empty($$SELECT currency FROM ledger_trial_balance() GROUP BY currency HAVING sum(debit) <> sum(credit)$$, 'its columns have the same sum in every currency');
SELECT is_empty($$SELECT currency FROM ledger_trial_balance() GROUP BY currency HAVING sum(debits_posted) <> sum(credits_posted)$$, 'so have the turnovers');
SELECT is((SELECT debits_posted || ' ' || credits_posted FROM ledger_trial_balance() WHERE account = 'assets:bank'), '1095.50 400.00', 'which are given too');
SELECT set_eq('SELECT * FROM ledger_trial_balance()', 'SELECT * FROM ledger.trial_balance', 'the view shows the same');

-- The views.
SELECT results_eq($$SELECT line::integer, account, debit::text, credit::text, currency, balance_after::text, reference, description, metadata::text, effective_at, created_by
                      FROM ledger.journal WHERE description = 'Capital' ORDER BY line$$,
    format($$VALUES (1, 'assets:bank', '1000.00', NULL, 'USD', '1000.00', 'R-1', 'Capital', '{"a": 1}', timestamptz '2024-01-01Z', %1$L),
                    (2, 'equity:capital', NULL, '1000.00', 'USD', '1000.00', 'R-1', 'Capital', '{"a": 1}', timestamptz '2024-01-01Z', %1$L)$$, current_user),
    'the journal: codes, a debit and a credit column, the balance in its normal sign');
SELECT is((SELECT count(*) FROM ledger.journal), (SELECT count(*) FROM ledger.entries), 'every entry is in it once');
SELECT is_empty($$SELECT 1 FROM ledger.journal WHERE num_nonnulls(debit, credit) <> 1 OR coalesce(debit, credit) <= 0$$, 'either a debit or a credit');
SELECT is((SELECT balance_after FROM ledger.journal WHERE account = 'liabilities:bob' ORDER BY transaction_id DESC LIMIT 1), ledger_balance('liabilities:bob'), 'the last balance is the balance');
SELECT results_eq($$SELECT account, normal_side, balance::text, available::text, status, version FROM ledger.balances WHERE account LIKE 'liab%' ORDER BY 1$$,
    $$VALUES ('liabilities:alice', 'credit', '0.00', '0.00', 'open', 0::bigint), ('liabilities:bob', 'credit', '-30.00', '-30.00', 'open', 2::bigint)$$, 'balances');
SELECT t.refused('UPDATE ledger.balances SET balance = 0', '55000', 'views are for reading');

-- Reserved amounts are not available, and what is coming does not help.
ALTER TABLE ledger.account_balances DISABLE TRIGGER ledger_only;
UPDATE ledger.account_balances SET debits_pending = 5, credits_pending = 2 WHERE account_id IN (SELECT id FROM ledger.accounts WHERE code IN ('assets:bank', 'income:fees'));
SELECT is(ledger_available('assets:bank')::text, '693.50', 'debit-normal: pending credits count as gone');
SELECT is(ledger_available('income:fees')::text, '20.50', 'credit-normal: pending debits do');
SELECT is(ledger_balance('assets:bank')::text, '695.50', 'posted stays posted');

-- Minor units.
SELECT is(ledger_to_minor(125.00, 'USD')::text, '12500', 'cents of dollars');
SELECT is(ledger_from_minor(12500, 'USD')::text, '125.00', 'dollars of cents');
SELECT is(ledger_to_minor(7, 'JPY')::text || ' ' || ledger_from_minor(7, 'JPY'), '7 7', 'yen');
SELECT is(ledger_to_minor(-0.001, 'BHD')::text || ' ' || ledger_from_minor(-1, 'BHD'), '-1 -0.001', 'fils, negative ones');
SELECT is(ledger_from_minor(ledger_to_minor(999999999999999999999999999999.99, 'USD'), 'USD'), 999999999999999999999999999999.99, 'there and back');
SELECT is(ledger_to_minor(NULL, 'USD') IS NULL AND ledger_from_minor(NULL, 'USD') IS NULL, true, 'NULL of NULL');
SELECT t.refused($$SELECT ledger_to_minor(0.001, 'USD')$$, 'LF001 invalid_amount', 'a tenth of a cent');
SELECT t.refused($$SELECT ledger_from_minor(0.5, 'USD')$$, 'LF001 invalid_amount', 'half a cent');
SELECT t.refused($$SELECT ledger_to_minor('NaN', 'USD')$$, 'LF001 invalid_amount', 'NaN');
SELECT t.refused($$SELECT ledger_to_minor(1e38, 'USD')$$, 'LF001 invalid_amount', 'more than 38 digits');
SELECT t.refused($$SELECT ledger_to_minor(1, 'XYZ')$$, 'LF026 currency_not_found', 'an unknown currency');
SELECT t.refused($$SELECT ledger_to_minor(1, NULL)$$, 'LF026 currency_not_found', 'no currency');

SELECT * FROM finish();
ROLLBACK;
