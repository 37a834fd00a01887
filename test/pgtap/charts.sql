-- The series for a chart: points, steps, limits.
BEGIN;
\ir include/books.sql
SELECT plan(38);
SET timezone = 'UTC';
SELECT ledger_post('assets:bank', 'income:fees', 10, effective_at => '2024-01-10 13:00'),
       ledger_post('assets:bank', 'income:fees', 20, effective_at => '2024-01-12'),
       ledger_post('expenses:rent', 'assets:bank', 5, effective_at => '2024-01-12 08:00'),
       ledger_post('assets:bank', 'income:fees', 40, effective_at => '2024-01-14 00:00:00.000001') \g /dev/null
SELECT results_eq($$SELECT at, debits::text, credits::text, balance::text FROM ledger_chart('assets:bank', '2024-01-10', '2024-01-14')$$,
    $$VALUES (timestamptz '2024-01-10', '0.00', '0.00', '0.00'), ('2024-01-11', '10.00', '0.00', '10.00'), ('2024-01-12', '20.00', '0.00', '30.00'),
             ('2024-01-13', '0.00', '5.00', '25.00'), ('2024-01-14', '0.00', '0.00', '25.00')$$, 'day by day: the balance at each point, and what came since the one before');
SELECT results_eq($$SELECT at, balance::text FROM ledger_chart('income:fees', '2024-01-11', '2024-01-16', '2 days')$$,
    $$VALUES (timestamptz '2024-01-11', '10.00'), ('2024-01-13', '30.00'), ('2024-01-15', '70.00'), ('2024-01-16', '70.00')$$, 'credit-normal; opening with what was there');
SELECT results_eq($$SELECT at, debits::text, balance::text FROM ledger_chart('assets:bank', '2024-01-13', '2024-01-14 23:00')$$,
    $$VALUES (timestamptz '2024-01-13', '0.00', '25.00'), ('2024-01-14', '0.00', '25.00'), ('2024-01-14 23:00', '40.00', '65.00')$$, 'the last point is the end, whatever the step');
SELECT results_eq($$SELECT at, balance::text FROM ledger_chart('assets:bank', '2024-01-12', '2024-01-12')$$, $$VALUES (timestamptz '2024-01-12', '30.00')$$, 'a range of one moment is one point');
SELECT results_eq($$SELECT at, balance::text FROM ledger_chart('assets:bank', '2024-01-12', '2024-01-13', '1000000 years')$$, $$VALUES (timestamptz '2024-01-12', '30.00'), ('2024-01-13', '25.00')$$, 'a step beyond the end');
SELECT results_eq($$SELECT at FROM ledger_chart('assets:bank', '2024-01-31', '2024-06-01', '1 month')$$,
    $$VALUES (timestamptz '2024-01-31'), ('2024-02-29'), ('2024-03-31'), ('2024-04-30'), ('2024-05-31'), ('2024-06-01')$$, 'months from the 31st end at the end of months');
SELECT results_eq($$SELECT at FROM ledger_chart('assets:bank', '2024-01-31', '2024-05-01', '1 month 1 day')$$,
    $$VALUES (timestamptz '2024-01-31'), ('2024-03-01'), ('2024-04-02'), ('2024-05-01')$$, 'and days');
SELECT is((SELECT min(at) FROM ledger_chart('assets:bank', "to" => '2024-02-01')), timestamptz '2024-01-10', 'without a beginning: the day of the first entry');
SELECT is((SELECT min(balance) FROM ledger_chart('assets:bank', "to" => '2024-02-01')), 0.00, 'that is before it');
SELECT is((SELECT max(at) FROM ledger_chart('assets:bank', now() - interval '3 days')), now(), 'without an end: now');
SELECT is((SELECT balance FROM ledger_chart('assets:bank', step => '1 month') ORDER BY at DESC LIMIT 1), ledger_balance('assets:bank'), 'all of it');
SELECT is((SELECT sum(debits - credits) FROM ledger_chart('assets:bank', step => '1 year')), ledger_balance('assets:bank'), 'nothing is left out');
SELECT results_eq($$SELECT at, debits::text, credits::text, balance::text FROM ledger_chart('assets:cash')$$, $$VALUES (now(), '0.00', '0.00', '0.00')$$, 'an account without entries');
SELECT results_eq($$SELECT balance::text FROM ledger_chart('assets:yen', '2024-01-01', '2024-01-02')$$, $$VALUES ('0'), ('0')$$, 'in the scale of its currency');
SELECT is((SELECT min(at) FROM ledger_chart('assets:bank', "to" => '2020-01-01')), timestamptz '2020-01-01', 'an end before the first entry');

-- Days are those of the session's time zone.
SET LOCAL timezone = 'Europe/Berlin';
SELECT results_eq($$SELECT at::text FROM ledger_chart('assets:bank', '2024-03-30', '2024-04-01')$$,
    $$VALUES ('2024-03-30 00:00:00+01'), ('2024-03-31 00:00:00+01'), ('2024-04-01 00:00:00+02')$$, 'across the change of the clocks');
SELECT is((SELECT count(*) FROM ledger_chart('assets:bank', '2024-03-31', '2024-04-01', '1 hour')), 24::bigint, 'an hour is an hour');
SET LOCAL timezone = 'Pacific/Apia';
SELECT lives_ok($$SELECT * FROM ledger_chart('assets:bank', '2011-12-28', '2012-01-02')$$, 'a calendar without the 30th');
SET LOCAL timezone = 'UTC';

-- By posting time.
SELECT clock_timestamp() AS between \gset
SELECT ledger_post('assets:bank', 'income:fees', 100, effective_at => '2024-01-01') \g /dev/null
SELECT results_eq(format($$SELECT debits::text, balance::text FROM ledger_chart('assets:bank', %L, %L::timestamptz + interval '1 day', '1 day', 'posted')$$, :'between', :'between'),
    $$VALUES ('0.00', '65.00'), ('100.00', '165.00')$$, 'by posting time');
SELECT is((SELECT string_agg(balance::text, ' ') FROM ledger_chart('assets:bank', (SELECT max(posted_at) FROM ledger.transactions), clock_timestamp(), '1 day', 'posted')), '165.00 165.00', 'a posting at the first point is part of it');
SELECT is((SELECT min(at) FROM ledger_chart('assets:bank', by => 'posted')), date_trunc('day', now()), 'from the day of the first posting');

-- What is refused.
SELECT t.refused(format($$SELECT * FROM ledger_chart('assets:bank', '2024-01-01', '2024-02-01', %L)$$, step), 'LF015 invalid_argument', 'step ' || step)
  FROM unnest('{0,-1 day,1 month -1 day,-1 month 40 days,1 day -24 hours}'::text[]) AS step;
SELECT t.refused($$SELECT * FROM ledger_chart('assets:bank', step => NULL)$$, 'LF015 invalid_argument', 'no step');
SELECT t.refused($$SELECT * FROM ledger_chart('assets:bank', '2024-01-01', '2024-02-01', '1 microsecond')$$, 'LF015 invalid_argument', 'too many points');
SELECT is((t.attempt($$SELECT * FROM ledger_chart('assets:bank', '2024-01-01', '2024-01-12 13:45:01', '100 seconds')$$)).message, 'the chart would have too many points', 'one too many');
SELECT is((SELECT count(*) FROM ledger_chart('assets:bank', '2024-01-01', '2024-01-12 13:45', '100 seconds')), 10000::bigint, 'the most that there can be');
SELECT t.refused($$SELECT * FROM ledger_chart('assets:bank', '4713-01-01 BC', '290000-01-01')$$, 'LF015 invalid_argument', 'all of time, day by day');
SELECT cmp_ok((SELECT count(*) FROM ledger_chart('assets:bank', '4713-01-01 BC', '290000-01-01', '100 years')), '=', 2949::bigint, 'all of time');
SELECT t.refused($$SELECT * FROM ledger_chart('assets:bank', '-infinity')$$, 'LF015 invalid_argument', 'from eternity');
SELECT t.refused($$SELECT * FROM ledger_chart('assets:bank', "to" => 'infinity')$$, 'LF015 invalid_argument', 'to eternity');
SELECT t.refused($$SELECT * FROM ledger_chart('assets:bank', '2024-02-01', '2024-01-01')$$, 'LF015 invalid_argument', 'reversed');
SELECT t.refused($$SELECT * FROM ledger_chart('assets:none')$$, 'LF023 account_not_found', 'no such account');
SELECT t.refused($$SELECT * FROM ledger_chart(NULL)$$, 'LF002 invalid_account_code', 'no account');
SELECT t.refused($$SELECT * FROM ledger_chart('')$$, 'LF023 account_not_found', 'an empty code');

SELECT * FROM finish();
ROLLBACK;
