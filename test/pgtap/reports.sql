-- Reports: roll-ups, trial balance at a time, balance sheet, income statement, movements, comparison.
BEGIN;
\ir include/books.sql
\ir include/report_helpers.sql
SELECT plan(56);
SET timezone = 'UTC';
INSERT INTO ledger.account_types (code, normal_side) VALUES ('wallet', 'credit'), ('reserve', 'debit');
SELECT ledger_open_account('assets:bank:savings', 'asset', 'USD', metadata => '{"region": "north", "n": 1}'),
       ledger_open_account('assets:bankers', 'asset', 'USD'),
       ledger_open_account('assets:bank:yen', 'asset', 'JPY', metadata => '{"region": "north"}'),
       ledger_open_account('liabilities:ann', 'wallet', 'USD', metadata => '{"region": "south"}'),
       ledger_open_account('reserves:fund', 'reserve', 'USD', metadata => '{"region": "south", "n": null}') \g /dev/null
SELECT ledger_post('assets:bank', 'equity:capital', 1000, effective_at => '2023-01-10'),
       ledger_post('assets:bank:savings', 'assets:bank', 400, effective_at => '2023-02-01'),
       ledger_post('assets:bankers', 'equity:capital', 7, effective_at => '2023-02-10'),
       ledger_post('assets:bank', 'income:fees', 90, effective_at => '2023-03-01'),
       ledger_post('expenses:rent', 'assets:bank', 50, effective_at => '2023-03-15'),
       ledger_post('assets:bank', 'income:fees', 120.5, effective_at => '2024-03-01'),
       ledger_post('expenses:rent', 'assets:bank', 60, effective_at => '2024-03-15'),
       ledger_post('assets:bank', 'liabilities:ann', 30, effective_at => '2024-04-01'),
       ledger_post('reserves:fund', 'assets:bank', 10, effective_at => '2024-05-01'),
       ledger_post('liabilities:bob', 'assets:bank', 5, effective_at => '2024-05-02'),
       ledger_post('assets:yen', 'equity:yen', 5000, effective_at => '2024-06-01'),
       ledger_post('assets:bank:yen', 'assets:yen', 1500, effective_at => '2024-07-01') \g /dev/null

-- The tree.
SELECT results_eq($$SELECT level, account, label, accounts, normal_side, own::text, total::text FROM ledger_rollup('assets') WHERE currency = 'USD'$$,
    $$VALUES (1, 'assets', 'assets', 4::bigint, 'debit', NULL, '1122.50'), (2, 'assets:bank', '  bank', 2, 'debit', '715.50', '1115.50'),
             (3, 'assets:bank:savings', '    savings', 1, 'debit', '400.00', '400.00'), (2, 'assets:bankers', '  bankers', 1, 'debit', '7.00', '7.00'),
             (2, 'assets:cash', '  cash', 1, 'debit', '0.00', '0.00')$$, 'a tree: the own balance of a code and that of all under it, by segment');
SELECT results_eq($$SELECT currency, account, total::text FROM ledger_rollup('assets', 1)$$,
    $$VALUES ('BHD', 'assets', '0.000'), ('JPY', 'assets', '5000'), ('USD', 'assets', '1122.50')$$, 'currencies are never added together');
SELECT results_eq($$SELECT level, account, label, total::text FROM ledger_rollup('assets:bank') ORDER BY 3, 4$$,
    $$VALUES (2, 'assets:bank:savings', '  savings', '400.00'), (2, 'assets:bank:yen', '  yen', '1500'),
             (1, 'assets:bank', 'assets:bank', '1115.50'), (1, 'assets:bank', 'assets:bank', '1500')$$, 'from an account down');
SELECT is_empty($$SELECT * FROM ledger_rollup('assets:ba')$$, 'part of a segment is no prefix');
SELECT is_empty($$SELECT * FROM ledger_rollup('nothing:here')$$, 'a prefix that no account has');
SELECT results_eq($$SELECT account FROM ledger_rollup(depth => 1) WHERE currency = 'USD'$$, $$VALUES ('assets'), ('equity'), ('expenses'), ('income'), ('liabilities'), ('reserves')$$, 'depth 1');
SELECT is((SELECT max(level) FROM ledger_rollup()), 3, 'all levels');
SELECT set_eq('SELECT * FROM ledger_rollup(depth => 2147483647)', 'SELECT * FROM ledger_rollup()', 'a depth that nothing has');
SELECT set_eq($$SELECT r.currency, r.total FROM ledger_rollup('income') r WHERE level = 1$$, $$VALUES ('USD', 210.50)$$, 'credit-normal: credits less debits');
SELECT results_eq($$SELECT normal_side, total::text FROM ledger_rollup('liabilities', 1)$$, $$VALUES ('credit', '25.00')$$, 'types of the same side add up in it');
SELECT ledger_open_account('mixed:a', 'asset', 'USD'), ledger_open_account('mixed:b', 'liability', 'USD') \g /dev/null
SELECT ledger_post('mixed:a', 'mixed:b', 9), ledger_post('equity:capital', 'mixed:b', 1) \g /dev/null
SELECT results_eq($$SELECT account, normal_side, total::text FROM ledger_rollup('mixed')$$,
    $$VALUES ('mixed', NULL, '-1.00'), ('mixed:a', 'debit', '9.00'), ('mixed:b', 'credit', '10.00')$$, 'where sides meet: debits less credits, and no normal side');
SELECT is_empty($$SELECT currency FROM ledger_rollup(depth => 1) GROUP BY 1
                  HAVING sum(CASE normal_side WHEN 'credit' THEN -total ELSE total END) <> 0$$, 'the whole tree is zero in every currency');
SELECT ledger_post('mixed:b', 'mixed:a', 9), ledger_post('mixed:b', 'equity:capital', 1) \g /dev/null
SELECT is((SELECT total::text FROM ledger_rollup('assets', 1, '2023-02-01') WHERE currency = 'USD'), '1000.00', 'at a time, inclusive');
SELECT is((SELECT own::text FROM ledger_rollup('assets:bank', 1, '2023-02-01') WHERE currency = 'USD'), '600.00', 'with what is effective at it');
SELECT is((SELECT own::text FROM ledger_rollup('assets:bank', 1, '2023-01-31 23:59:59.999999') WHERE currency = 'USD'), '1000.00', 'and without what is effective a moment later');

-- By type, by metadata.
SELECT results_eq($$SELECT type, currency, accounts, normal_side, balance::text FROM ledger_balances_by_type() WHERE currency = 'USD'$$,
    $$VALUES ('asset', 'USD', 5::bigint, 'debit', '1122.50'), ('liability', 'USD', 3, 'credit', '-5.00'), ('equity', 'USD', 1, 'credit', '1007.00'), ('income', 'USD', 1, 'credit', '210.50'),
             ('expense', 'USD', 1, 'debit', '110.00'), ('reserve', 'USD', 1, 'debit', '10.00'), ('wallet', 'USD', 1, 'credit', '30.00')$$, 'by type, the standard ones first');
SELECT is((SELECT balance::text FROM ledger_balances_by_type('2023-12-31') WHERE type = 'income'), '90.00', 'by type at a time');
SELECT results_eq($$SELECT value, currency, accounts, normal_side, balance::text FROM ledger_balances_by_metadata('region') WHERE value IS NOT NULL$$,
    $$VALUES ('north', 'JPY', 1::bigint, 'debit', '1500'), ('north', 'USD', 1, 'debit', '400.00'), ('south', 'USD', 2, NULL, '-20.00')$$, 'by metadata');
SELECT is((SELECT sum(accounts) FROM ledger_balances_by_metadata('region')), (SELECT count(*)::numeric FROM ledger.accounts), 'accounts without the key are one group');
SELECT results_eq($$SELECT value, accounts FROM ledger_balances_by_metadata('n') WHERE currency = 'USD'$$,
    $$SELECT '1', 1::bigint UNION ALL SELECT NULL, count(*) - 1 FROM ledger.accounts WHERE currency = 'USD'$$, 'with those whose value is null');
SELECT is((SELECT count(DISTINCT value) FROM ledger_balances_by_metadata('%')), 0::bigint, 'a key is taken literally');
SELECT is((SELECT balance::text FROM ledger_balances_by_metadata('region', '2023-01-31') WHERE value = 'north' AND currency = 'USD'), '0.00', 'by metadata at a time');

-- Trial balance at a time.
SELECT results_eq($$SELECT account, debit::text, credit::text, debits_posted::text, credits_posted::text FROM ledger_trial_balance('2023-03-01'::timestamptz) WHERE debits_posted + credits_posted > 0$$,
    $$VALUES ('assets:bank', '690.00', '0.00', '1090.00', '400.00'), ('assets:bank:savings', '400.00', '0.00', '400.00', '0.00'), ('assets:bankers', '7.00', '0.00', '7.00', '0.00'),
             ('equity:capital', '0.00', '1007.00', '0.00', '1007.00'), ('income:fees', '0.00', '90.00', '0.00', '90.00')$$, 'the trial balance at a time');
SELECT results_eq('SELECT * FROM ledger_trial_balance(NULL::timestamptz)', 'SELECT * FROM ledger_trial_balance()', 'at no time in particular it is that of all that is posted');
SELECT results_eq($$SELECT * FROM ledger_trial_balance(at => 'infinity', by => 'posted')$$, 'SELECT * FROM ledger_trial_balance()', 'by posting time too');
SELECT is((SELECT count(*) FROM ledger_trial_balance(at => '2020-01-01')), (SELECT count(*) FROM ledger.accounts), 'before the first entry every account is there');
SELECT is((SELECT sum(debits_posted + credits_posted) FROM ledger_trial_balance(at => '-infinity')), 0.0, 'with nothing');
SELECT is((SELECT count(*) FROM ledger_trial_balance('ledger')), (SELECT count(*) FROM ledger.accounts), 'one text still names the ledger');
SELECT is((SELECT count(*) FROM ledger_trial_balance(NULL)), (SELECT count(*) FROM ledger.accounts), 'and so does one NULL');
SELECT is((SELECT count(*) FROM ledger_trial_balance(ledger => 'ledger')), (SELECT count(*) FROM ledger.accounts), 'by name');
SELECT is((SELECT count(*) FROM ledger_trial_balance(at => now(), ledger => 'ledger')), (SELECT count(*) FROM ledger.accounts), 'with a time');

-- Balance sheet.
SELECT results_eq($$SELECT side, section, kind, label, account, amount::text FROM ledger_balance_sheet() WHERE currency = 'USD'$$,
    $$VALUES ('debit', 'asset', 'account', '  assets:bank', 'assets:bank', '715.50'), ('debit', 'asset', 'account', '  assets:bank:savings', 'assets:bank:savings', '400.00'),
             ('debit', 'asset', 'account', '  assets:bankers', 'assets:bankers', '7.00'), ('debit', 'asset', 'subtotal', 'Total assets', NULL, '1122.50'),
             ('debit', 'reserve', 'account', '  reserves:fund', 'reserves:fund', '10.00'), ('debit', 'reserve', 'subtotal', 'Total reserve', NULL, '10.00'),
             ('debit', NULL, 'total', 'Total debit balances', NULL, '1132.50'),
             ('credit', 'liability', 'account', '  liabilities:bob', 'liabilities:bob', '-5.00'), ('credit', 'liability', 'subtotal', 'Total liabilities', NULL, '-5.00'),
             ('credit', 'wallet', 'account', '  liabilities:ann', 'liabilities:ann', '30.00'), ('credit', 'wallet', 'subtotal', 'Total wallet', NULL, '30.00'),
             ('credit', 'equity', 'account', '  equity:capital', 'equity:capital', '1007.00'), ('credit', 'equity', 'earnings', '  Current earnings', NULL, '100.50'),
             ('credit', 'equity', 'subtotal', 'Total equity', NULL, '1107.50'), ('credit', NULL, 'total', 'Total credit balances', NULL, '1132.50')$$,
    'the balance sheet: sections with their totals, earnings in equity, own types in sections of their own on their side');
SELECT results_eq($$SELECT label, name, amount::text FROM ledger_balance_sheet('2023-01-31', 1) WHERE currency = 'USD' AND amount <> 0$$,
    $$VALUES ('  assets', NULL, '1000.00'), ('Total assets', NULL, '1000.00'), ('Total debit balances', NULL, '1000.00'),
             ('  equity', NULL, '1000.00'), ('Total equity', NULL, '1000.00'), ('Total credit balances', NULL, '1000.00')$$, 'at a time, to a depth');
SELECT is((SELECT string_agg(name, ',') FROM ledger_balance_sheet() WHERE account = 'assets:bank'), 'Bank', 'with the names of accounts');
SELECT is_empty($$SELECT currency, at FROM generate_series(timestamptz '2022-12-31', '2024-12-31', '7 days') at, ledger_balance_sheet(at)
                   WHERE kind = 'total' GROUP BY 1, 2 HAVING sum(amount) FILTER (WHERE side = 'debit') IS DISTINCT FROM sum(amount) FILTER (WHERE side = 'credit')$$,
                'both sides have the same sum at every time, in every currency');
SELECT is_empty($$SELECT currency, section FROM ledger_balance_sheet() WHERE section IS NOT NULL GROUP BY 1, 2
                  HAVING sum(amount) FILTER (WHERE kind IN ('account', 'earnings')) IS DISTINCT FROM sum(amount) FILTER (WHERE kind = 'subtotal')
                         AND sum(amount) FILTER (WHERE kind = 'subtotal') <> 0$$, 'subtotals are the sums of their lines');
SELECT results_eq($$SELECT section, kind, amount::text FROM ledger_balance_sheet() WHERE currency = 'BHD'$$,
    $$VALUES ('asset', 'subtotal', '0.000'), (NULL, 'total', '0.000'), ('liability', 'subtotal', '0.000'), ('equity', 'earnings', '0.000'), ('equity', 'subtotal', '0.000'), (NULL, 'total', '0.000')$$,
    'a currency on which nothing was posted has its sections');

-- Income statement.
SELECT results_eq($$SELECT currency, section, kind, label, account, amount::text FROM ledger_income_statement('2023-01-01', '2024-01-01')$$,
    $$VALUES ('USD', 'income', 'account', '  income:fees', 'income:fees', '90.00'), ('USD', 'income', 'subtotal', 'Total income', NULL, '90.00'),
             ('USD', 'expense', 'account', '  expenses:rent', 'expenses:rent', '50.00'), ('USD', 'expense', 'subtotal', 'Total expenses', NULL, '50.00'),
             ('USD', NULL, 'net', 'Net income', NULL, '40.00')$$, 'the income statement of a year');
SELECT is((SELECT amount::text FROM ledger_income_statement() WHERE kind = 'net'), '100.50', 'from the beginning until now');
SELECT is((SELECT amount FROM ledger_income_statement() WHERE kind = 'net'), (SELECT amount FROM ledger_balance_sheet() WHERE kind = 'earnings' AND currency = 'USD'), 'is what the balance sheet has as earnings');
SELECT is((SELECT amount::text FROM ledger_income_statement('2024-03-01', '2024-03-15') WHERE kind = 'net'), '120.50', 'from is inclusive, to is not');
SELECT is((SELECT amount::text FROM ledger_income_statement('2024-03-01 00:00:00.000001', '2024-03-15 00:00:00.000001') WHERE kind = 'net'), '-60.00', 'to the microsecond');
SELECT results_eq($$SELECT kind, amount::text FROM ledger_income_statement('2024-03-01', '2024-03-01')$$, $$VALUES ('subtotal', '0.00'), ('subtotal', '0.00'), ('net', '0.00')$$, 'an empty range');
SELECT is((SELECT string_agg(account, ',') FROM ledger_income_statement(depth => 1)), 'income,expenses', 'to a depth');

-- Movements.
SELECT results_eq($$SELECT account, opening::text, debits::text, credits::text, closing::text FROM ledger_movements('2024-01-01', '2024-05-02') WHERE currency = 'USD'$$,
    $$VALUES ('assets:bank', '640.00', '150.50', '70.00', '720.50'), ('assets:bank:savings', '400.00', '0.00', '0.00', '400.00'), ('assets:bankers', '7.00', '0.00', '0.00', '7.00'),
             ('equity:capital', '1007.00', '0.00', '0.00', '1007.00'), ('expenses:rent', '50.00', '60.00', '0.00', '110.00'), ('income:fees', '90.00', '0.00', '120.50', '210.50'),
             ('liabilities:ann', '0.00', '0.00', '30.00', '30.00'), ('reserves:fund', '0.00', '10.00', '0.00', '10.00')$$, 'opening, debits, credits, closing; what never held anything is left out');
SELECT set_eq($$SELECT account FROM ledger_movements(prefix => 'assets:bank')$$, $$VALUES ('assets:bank'), ('assets:bank:savings'), ('assets:bank:yen')$$, 'of the accounts of a prefix');
SELECT is_empty($$SELECT account FROM ledger_movements() WHERE opening <> 0 OR closing <> ledger_balance(account)$$, 'of all time: from nothing to the balance');
SELECT is_empty($$SELECT a.account FROM ledger_movements(NULL, '2023-03-01') a JOIN ledger_movements('2023-03-01', NULL) b USING (account) WHERE a.closing <> b.opening$$, 'one range opens where the other closes');
SELECT is_empty($$SELECT currency FROM ledger_movements('2023-02-01', '2024-04-15') GROUP BY 1 HAVING sum(debits) <> sum(credits)$$, 'debits equal credits in every range');

-- Comparison.
SELECT results_eq($$SELECT account, first::text, second::text, difference::text, percent::text FROM ledger_compare('2023-01-01', '2024-01-01', '2024-01-01', '2025-01-01') WHERE currency = 'USD'$$,
    $$VALUES ('assets:bank', '640.00', '75.50', '-564.50', '-88.20'), ('assets:bank:savings', '400.00', '0.00', '-400.00', '-100.00'), ('assets:bankers', '7.00', '0.00', '-7.00', '-100.00'),
             ('equity:capital', '1007.00', '0.00', '-1007.00', '-100.00'), ('expenses:rent', '50.00', '60.00', '10.00', '20.00'), ('income:fees', '90.00', '120.50', '30.50', '33.89'),
             ('liabilities:ann', '0.00', '30.00', '30.00', NULL), ('liabilities:bob', '0.00', '-5.00', '-5.00', NULL), ('reserves:fund', '0.00', '10.00', '10.00', NULL)$$, 'two years beside each other');
SELECT results_eq($$SELECT account, first::text, second::text FROM ledger_compare('2023-01-01', NULL, NULL, '2023-06-01', 'income')$$, $$VALUES ('income:fees', '210.50', '90.00')$$, 'ranges that overlap, open ones, a prefix');
SELECT is_empty($$SELECT * FROM ledger_compare('2020-01-01', '2021-01-01', '2021-01-01', '2022-01-01')$$, 'nothing moved: nothing to compare');
SELECT ledger_post('expenses:rent', 'income:fees', 1000, effective_at => '2025-06-01'), ledger_post('income:fees', 'expenses:rent', 50, effective_at => '2025-07-01') \g /dev/null
SELECT is((SELECT percent::text FROM ledger_compare('2025-07-01', '2025-08-01', '2025-06-01', '2025-07-01') WHERE account = 'income:fees'), '2100.00', 'a percentage of a negative first');

-- The defining sums, from the entries, at many times and both ways.
SELECT t.books_of_many() \g /dev/null
SELECT is_empty($$SELECT * FROM t.differences('effective')$$, 'every report agrees with the entries, by effective time');
SELECT is_empty($$SELECT * FROM t.differences('posted')$$, 'and by posting time');
SELECT is_empty($$SELECT * FROM ledger_verify()$$, 'the books are in order');

SELECT * FROM finish();
ROLLBACK;
