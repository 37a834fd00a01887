-- Closing periods: nothing is posted with an effective time at or before their end.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(42);
SELECT ledger_post('assets:bank', 'liabilities:bob', 10, 'old', effective_at => '2024-01-15Z') AS old, ledger_post('assets:bank', 'liabilities:bob', 10, effective_at => '2024-02-15Z') AS february,
       ledger_hold('assets:bank', 'liabilities:bob', 10, 'held', effective_at => '2024-01-20Z') AS held, ledger_hold('assets:bank', 'liabilities:bob', 10) AS plain \gset
SELECT t.allowed($$SELECT ledger_close_period('2024-01-31 23:59:59.999999Z', 'January')$$, 'close January');
SELECT is((SELECT closed_through FROM ledger.settings), '2024-01-31 23:59:59.999999Z'::timestamptz, 'the settings tell');

-- What is refused.
SELECT t.refused(statement, 'LF048 period_closed', why)
  FROM (VALUES ($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2024-01-31 23:59:59.999999Z')$$, 'a posting at the end of the period'),
               ($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2023-01-01Z')$$, 'a posting before it'),
               ($$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 1), ledger_credit('liabilities:bob', 1)], effective_at => '2024-01-01Z')$$, 'lines'),
               ($$SELECT ledger_hold('assets:bank', 'liabilities:bob', 1, effective_at => '2024-01-01Z')$$, 'a hold'),
               (format($$SELECT ledger_capture(%L)$$, :'held'), 'a capture whose time is that of its hold'),
               (format($$SELECT ledger_capture(%L, effective_at => '2024-01-01Z')$$, :'plain'), 'a capture with a time of its own'),
               (format($$SELECT ledger_reverse(%L, effective_at => '2024-01-16Z')$$, :'old'), 'a reversal'),
               ($$SELECT * FROM ledger_post_batch('{assets:bank}'::text[], '{liabilities:bob}'::text[], '{1}', effective_at => ARRAY[timestamptz '2024-01-01Z'])$$, 'an item of a batch')) AS x (statement, why);
SELECT is(t.attempt($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2024-01-01Z')$$),
    ('LF048', 'period_closed', 'effective time 2024-01-01 00:00:00.000000+00 lies in a closed period', 'The books are closed through 2024-01-31 23:59:59.999999+00.',
     'Post into the open period, or reopen the period.')::t.outcome, 'the message tells both times');
SELECT is((SELECT status FROM ledger_post_batch('{assets:bank}'::text[], '{liabilities:bob}'::text[], '{1}', mode => 'each', effective_at => ARRAY[timestamptz '2024-01-01Z'])), 'period_closed', 'or the status of an item');
SELECT t.refused($$INSERT INTO ledger.transactions (effective_at) VALUES ('2024-01-01Z')$$, 'LF048 period_closed', 'a row inserted by hand');
SELECT t.refused($$INSERT INTO ledger.transactions (id) VALUES ('018d0000-0000-7000-8000-000000000000')$$, 'LF048 period_closed', 'or one whose id is of that time (14 January)');

-- What is not.
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2024-02-01Z')$$, 'a posting after the end');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1)$$, 'a posting now');
SELECT is(ledger_post('assets:bank', 'liabilities:bob', 10, 'old', effective_at => '2024-01-15Z'), :'old'::uuid, 'a retry of what was posted before');
SELECT is(ledger_hold('assets:bank', 'liabilities:bob', 10, 'held', effective_at => '2024-01-20Z'), :'held'::uuid, 'or held');
SELECT is((SELECT status FROM ledger_post_batch('{assets:bank}'::text[], '{liabilities:bob}'::text[], '{10}', '{old}', effective_at => ARRAY[timestamptz '2024-01-15Z'])), 'replayed', 'in a batch as well');
SELECT t.allowed(format($$SELECT ledger_capture(%L, effective_at => '2024-02-10Z', final => false, amount => 5)$$, :'held'), 'a capture of an old hold with a later time');
SELECT t.allowed(format('SELECT ledger_raise_hold(%L, 1)', :'held'), 'raising it');
SELECT t.allowed(format('SELECT ledger_release(%L)', :'held'), 'and releasing it: nothing is posted');
SELECT t.allowed(format('SELECT ledger_reverse(%L)', :'old'), 'a reversal now of what was posted in the period');
SELECT t.allowed($$INSERT INTO ledger.transactions (id, effective_at) VALUES (ledger_new_id(), '2024-02-01Z')$$, 'a row inserted by hand after the end');
DO $$ BEGIN
    INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT (SELECT max(id::text)::uuid FROM ledger.transactions), n, a, 3 - 2 * n FROM (SELECT row_number() OVER (ORDER BY id), id FROM ledger.accounts WHERE code IN ('assets:bank', 'liabilities:bob')) AS x (n, a);
END $$;

-- Further, and back.
SELECT t.allowed($$SELECT ledger_close_period('2024-02-29Z', 'February, in part')$$, 'close further');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2024-02-01Z')$$, 'LF048 period_closed', 'February is closed');
SELECT t.allowed($$SELECT ledger_reopen_period('2024-01-31Z', 'late invoice')$$, 'reopen up to an earlier time');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2024-02-01Z')$$, 'February is open');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2024-01-31Z')$$, 'LF048 period_closed', 'January is not');
SELECT t.allowed($$SELECT ledger_close_period(now(), 'all there is')$$, 'close up to now');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1)$$, 'what is posted now is later');
SELECT t.allowed($$SELECT ledger_close_period(clock_timestamp())$$, 'to the very moment');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1)$$, 'and what is posted then is later still');
SELECT t.allowed($$SELECT ledger_reopen_period(NULL, 'audit')$$, 'reopen everything');
SELECT is((SELECT closed_through FROM ledger.settings), NULL, 'nothing is closed');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2020-01-01Z')$$, 'any time is taken');
SELECT t.allowed($$SELECT ledger_close_period('2019-12-31Z')$$, 'close again, earlier');

-- The history.
SELECT results_eq($$SELECT changed_by, from_closed_through, to_closed_through, reason FROM ledger.period_history WHERE coalesce(to_closed_through, '2000-01-01Z') < '2024-12-31Z' AND coalesce(from_closed_through, '2000-01-01Z') < '2024-12-31Z' ORDER BY id$$,
    $$VALUES ('postgres', NULL::timestamptz, timestamptz '2024-01-31 23:59:59.999999Z', 'January'), ('postgres', '2024-01-31 23:59:59.999999Z', '2024-02-29Z', 'February, in part'),
             ('postgres', '2024-02-29Z', '2024-01-31Z', 'late invoice'), ('postgres', NULL, '2019-12-31Z', NULL)$$, 'every closing and reopening is told: who, from, to, why');
SELECT is((SELECT count(*) FROM ledger.period_history), 7::bigint, 'all seven');
SELECT ok((SELECT bool_and(changed_at BETWEEN now() AND clock_timestamp()) FROM ledger.period_history), 'and when');
-- Ledgers are closed one by one.
SELECT ledger_create('other'), ledger_close_period('2024-12-31Z', ledger => 'other') \g /dev/null
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:bob', 1, effective_at => '2024-06-01Z')$$, 'another ledger''s periods are its own');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
