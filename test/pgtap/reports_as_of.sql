-- ledgerflow.as_of: every report sees what had been posted by then.
BEGIN;
\ir include/books.sql
SELECT count(*) > 0 AS there FROM pg_settings WHERE name = 'ledgerflow.as_of' \gset
\if :there
SELECT plan(14);
SET timezone = 'UTC';
SELECT ledger_open_account('assets:tagged', 'asset', 'USD', metadata => '{"k": "v"}') \g /dev/null
SELECT ledger_post('assets:bank', 'income:fees', 10, effective_at => '2024-01-01'), ledger_post('assets:tagged', 'income:fees', 1, effective_at => '2024-01-05') \g /dev/null
SELECT clock_timestamp() AS between \gset
SELECT ledger_post('assets:bank', 'income:fees', 20, effective_at => '2024-01-02'), ledger_post('assets:tagged', 'income:fees', 2, effective_at => '2024-01-06') \g /dev/null
SELECT ledger_post('expenses:rent', 'assets:bank', 5, effective_at => '2024-01-03') \g /dev/null
CREATE FUNCTION t.seen() RETURNS TABLE (report text, figure text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT 'roll-up', (SELECT own::text FROM ledger_rollup('assets:bank'))
    UNION ALL SELECT 'roll-up by posting time', (SELECT own::text FROM ledger_rollup('assets:bank', by => 'posted'))
    UNION ALL SELECT 'by type', (SELECT balance::text FROM ledger_balances_by_type() b WHERE b.type = 'income')
    UNION ALL SELECT 'by metadata', (SELECT balance::text FROM ledger_balances_by_metadata('k') b WHERE b.value = 'v')
    UNION ALL SELECT 'trial balance', (SELECT debit::text FROM ledger_trial_balance(at => '2025-01-01') b WHERE b.account = 'assets:bank')
    UNION ALL SELECT 'balance sheet', (SELECT amount::text FROM ledger_balance_sheet() b WHERE b.kind = 'earnings' AND b.currency = 'USD')
    UNION ALL SELECT 'income statement', (SELECT amount::text FROM ledger_income_statement('2024-01-01', '2024-01-04') b WHERE b.kind = 'net')
    UNION ALL SELECT 'movements', (SELECT concat_ws(' ', opening, debits, credits, closing) FROM ledger_movements('2024-01-02', '2024-01-03', 'assets:bank'))
    UNION ALL SELECT 'compare', (SELECT concat_ws(' ', b.first, b.second) FROM ledger_compare('2024-01-01', '2024-01-02', '2024-01-02', NULL, 'income') b)
    UNION ALL SELECT 'chart', (SELECT string_agg(b.balance::text, ' ' ORDER BY b.at) FROM ledger_chart('assets:bank', '2024-01-01', '2024-01-03') b)
    UNION ALL SELECT 'chart by posting time', (SELECT b.balance::text FROM ledger_chart('assets:bank', step => '100 years', by => 'posted') b WHERE b.at <= date_trunc('day', now()));
END $$;
SELECT set_config('ledgerflow.as_of', :'between', true) \g /dev/null
SELECT results_eq('SELECT * FROM t.seen()', $$VALUES ('roll-up', '10.00'), ('roll-up by posting time', '10.00'), ('by type', '11.00'), ('by metadata', '1.00'), ('trial balance', '10.00'),
    ('balance sheet', '11.00'), ('income statement', '10.00'), ('movements', '10.00 0.00 0.00 10.00'), ('compare', '10.00 1.00'), ('chart', '10.00 10.00 10.00'), ('chart by posting time', '0.00')$$,
    'what was posted by then');
SELECT is((SELECT max(at) FROM ledger_chart('assets:bank', '2024-01-01')) <= :'between', true, 'a chart ends there');
SELECT is((SELECT sum(debit) FROM ledger_trial_balance(at => clock_timestamp(), by => 'posted')), 11.00, 'a later time by posting is not seen');
SELECT is((SELECT sum(debit) FROM ledger_trial_balance(at => '2024-01-01')), 10.00, 'an earlier effective time counts as well');
SELECT is((SELECT sum(debits) FROM ledger_movements(:'between'::timestamptz + interval '1 hour', by => 'posted')), 0.00, 'nothing moves after it');
SELECT is((SELECT sum(closing) FROM ledger_movements(:'between'::timestamptz + interval '1 hour', prefix => 'assets', by => 'posted')), 11.00, 'and what was there stays');
SELECT set_config('ledgerflow.as_of', '2000-01-01', true) \g /dev/null
SELECT is((SELECT sum(abs(balance)) FROM ledger_balances_by_type()), 0.0, 'before everything');
SELECT is_empty('SELECT * FROM ledger_movements()', 'nothing moved');
SELECT is((SELECT count(*) FROM ledger_chart('assets:bank')), 1::bigint, 'a chart of nothing');
SELECT set_config('ledgerflow.as_of', (now() + interval '1 year')::text, true) \g /dev/null
SELECT results_eq($$SELECT figure FROM t.seen() WHERE report IN ('roll-up', 'balance sheet', 'chart')$$, $$VALUES ('25.00'), ('28.00'), ('10.00 30.00 25.00')$$, 'in the future: all that is posted until now');
SELECT is((SELECT max(at) FROM ledger_chart('assets:bank', '2024-01-01')) <= now(), true, 'charts end now');
SELECT set_config('ledgerflow.as_of', '', true) \g /dev/null
SELECT results_eq($$SELECT figure FROM t.seen() WHERE report IN ('roll-up', 'balance sheet')$$, $$VALUES ('25.00'), ('28.00')$$, 'and without it all');
SELECT is((SELECT sum(debit) FROM ledger_trial_balance(NULL::timestamptz)), (SELECT sum(debit) FROM ledger_trial_balance()), 'as ever');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the books are in order');
\else
SELECT plan(1);
SELECT skip('there is no setting ledgerflow.as_of', 1);
\endif
SELECT * FROM finish();
ROLLBACK;
