-- Balances by effective time: exact at every moment, whatever road the postings took, against a sum over the entries.
BEGIN;
\ir include/books.sql
SELECT plan(40);

-- What ledger_balance_at() is to say, from the entries themselves.
CREATE FUNCTION t.summed(account text, at timestamptz, by text) RETURNS numeric LANGUAGE sql AS $$
    SELECT coalesce(sum(e.amount), 0) * CASE y.normal_side WHEN 'debit' THEN 1 ELSE -1 END
      FROM ledger.accounts a JOIN ledger.account_types y ON y.code = a.type
      LEFT JOIN (ledger.entries e JOIN ledger.transactions t ON t.id = e.transaction_id)
        ON e.account_id = a.id AND CASE by WHEN 'posted' THEN t.posted_at ELSE t.effective_at END <= at
     WHERE a.code = account GROUP BY y.normal_side
$$;
-- Moments at which something happens, just before and just after, and the ends of their days; 200 of them.
CREATE FUNCTION t.moments() RETURNS SETOF timestamptz LANGUAGE sql AS $$
    (SELECT m FROM (SELECT DISTINCT m FROM ledger.transactions t, unnest(ARRAY[t.posted_at, t.effective_at]) AS s,
           unnest(ARRAY[s, s - interval '1 microsecond', s + interval '1 microsecond', s - interval '1 day', s + interval '1 day',
                        date_trunc('day', s, 'UTC'), date_trunc('day', s, 'UTC') - interval '1 microsecond', date_trunc('day', s, 'UTC') + interval '1 day']) AS m) AS all_of_them
     ORDER BY md5(m::text) LIMIT 200)
    UNION VALUES (timestamptz '-infinity'), ('infinity'), ('4713-01-01 00:00:00+00 BC'), ('1969-12-31 23:59:59.999999+00'), ('294246-01-01 00:00:00+00')
$$;
CREATE FUNCTION t.differences() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', a.code, b.by, m, ledger_balance_at(a.code, m, b.by), 'instead of', t.summed(a.code, m, b.by))
      FROM ledger.accounts a, t.moments() AS m, (VALUES ('posted'), ('effective')) AS b (by)
     WHERE ledger_balance_at(a.code, m, b.by) <> t.summed(a.code, m, b.by)
$$;
CREATE FUNCTION t.exact(description text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT is_empty('SELECT * FROM t.differences()', description)
    UNION ALL SELECT is_empty('SELECT * FROM ledger_verify()', description || ': verified')
$$;

-- One account by hand.
SELECT ledger_post('assets:bank', 'equity:capital', 100);
SELECT ledger_post('assets:bank', 'equity:capital', 7, effective_at => '2026-01-15 12:00+00');
SELECT ledger_post('equity:capital', 'assets:bank', 3, effective_at => '2026-01-15 12:00+00');
SELECT ledger_post('assets:bank', 'equity:capital', 20, effective_at => '2026-01-16 00:00+00');
SELECT ledger_post('assets:bank', 'equity:capital', 500, effective_at => now() + interval '40 days');
SELECT results_eq(
    $$SELECT at, ledger_balance_at('assets:bank', at, 'effective'), ledger_balance_at('equity:capital', at, 'effective')
        FROM unnest(ARRAY['-infinity', '2026-01-15 11:59:59.999999+00', '2026-01-15 12:00+00', '2026-01-15 23:59:59.999999+00', '2026-01-16 00:00+00',
                          now() - interval '1 second', now() + interval '1 hour', now() + interval '40 days', 'infinity']::timestamptz[]) AS at$$,
    $$VALUES ('-infinity'::timestamptz, 0.00, 0.00), ('2026-01-15 11:59:59.999999+00', 0.00, 0.00), ('2026-01-15 12:00+00', 4.00, 4.00), ('2026-01-15 23:59:59.999999+00', 4.00, 4.00),
             ('2026-01-16 00:00+00', 24.00, 24.00), (now() - interval '1 second', 24.00, 24.00), (now() + interval '1 hour', 124.00, 124.00),
             (now() + interval '40 days', 624.00, 624.00), ('infinity', 624.00, 624.00)$$,
    'back-dated, forward-dated, at midnight; a moment includes what is effective at it');
SELECT is(ledger_balance_at('assets:bank', '2026-01-15 12:00+00'), 0.00, 'by posting time unless told otherwise');
SELECT is(ledger_balance_at('assets:bank', 'infinity', 'posted'), ledger_balance('assets:bank'), 'at the end of time: all that is posted');
SELECT is(ledger_balance_at('assets:bank', now() + interval '1 hour', 'effective')::text, '124.00', 'with the decimals of the currency');
SELECT is(ledger_balance_at('assets:yen', now(), 'effective')::text || ledger_balance_at('assets:dinar', now())::text, '00.000', 'zero too, on accounts without entries');
SELECT is((SELECT count(*) FROM ledger.dated_entries), 8::bigint, 'an ordinary posting writes no dated entries');
SELECT is((SELECT string_agg(concat(day, ' ', amount), ', ' ORDER BY day) FROM ledger.effective_days WHERE account_id = 1 AND day < '2026-06-01'), '2026-01-15 4.00, 2026-01-16 20.00', 'one row for each day');
SELECT t.exact('posted one by one');

-- Within the day of posting, and at the very time of posting.
SELECT ledger_post('assets:bank', 'equity:capital', 0.5, effective_at => least(clock_timestamp(), date_trunc('day', clock_timestamp(), 'UTC') + interval '1 microsecond'));
SELECT ledger_post('assets:bank', 'equity:capital', 0.25, effective_at => date_trunc('day', clock_timestamp(), 'UTC') + interval '86399.999999 seconds');
SELECT t.exact('on the day of posting');

-- Days are days of UTC, in whatever time zone a session posts and reads.
SET LOCAL TimeZone = 'Pacific/Kiritimati';
SELECT ledger_post('liabilities:bob', 'liabilities:alice', 1, effective_at => '2025-12-31 23:59:59.999999+00');
SET LOCAL TimeZone = 'Pacific/Pago_Pago';
SELECT ledger_post('liabilities:bob', 'liabilities:alice', 2, effective_at => '2026-01-01 00:00:00+00');
SELECT t.exact('read in Pago Pago');
SELECT is((SELECT string_agg(concat(day, ' ', amount), ', ' ORDER BY day) FROM ledger.effective_days WHERE account_id = 3), '2025-12-31 -1.00, 2026-01-01 -2.00', 'across midnight of UTC');
SET LOCAL TimeZone = 'Asia/Kathmandu';
SELECT t.exact('read in Kathmandu');
RESET TimeZone;

-- Several lines, several currencies, one account on both sides.
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('income:fees', 4), ledger_credit('assets:bank', 1), ledger_credit('income:fees', 5),
                         ledger_debit('assets:yen', 7), ledger_credit('equity:yen', 7), ledger_debit('assets:dinar', 0.125), ledger_credit('equity:dinar', 0.125)],
                   effective_at => '1969-12-31 23:59:59.999999+00');
SELECT ledger_post('assets:yen', 'equity:yen', 11, effective_at => '4713-01-01 00:00:00+00 BC');
SELECT ledger_post('assets:yen', 'equity:yen', 13, effective_at => '294246-01-01 00:00:00+00');
SELECT t.exact('lines and currencies');

-- Reversals count when they are made, or when they say.
SELECT ledger_post('assets:bank', 'income:fees', 60, effective_at => '2026-03-01 10:00+00') AS dated \gset
SELECT ledger_reverse(:'dated', amount => 10) AS reversal \gset
SELECT ledger_reverse(:'dated', amount => 20, effective_at => '2026-03-02 10:00+00');
SELECT ledger_reverse(:'reversal', effective_at => '2026-03-03 10:00+00');
SELECT t.exact('reversals');

-- Captures: the effective time of the hold, or their own.
SELECT ledger_hold('liabilities:alice', 'income:fees', 3, effective_at => '2026-04-01 10:00+00') AS hold \gset
SELECT ledger_capture(:'hold', 1, final => false);
SELECT ledger_capture(:'hold', 1, effective_at => '2026-04-02 10:00+00');
SELECT ledger_hold('liabilities:bob', 'income:fees', 3) AS hold \gset
SELECT ledger_capture(:'hold');
SELECT is((SELECT string_agg(effective_at::date::text, ' ' ORDER BY transaction_id) FROM ledger.dated_entries
            WHERE transaction_id IN (SELECT id FROM ledger.transactions WHERE hold IS NOT NULL) AND line = 1), '2026-04-01 2026-04-02', 'two captures are dated');
SELECT t.exact('captures');

-- A batch of many days, with ordinary and refused items between, and chains that end after their dated items.
CREATE TEMPORARY TABLE item AS SELECT i, CASE WHEN i % 7 = 0 THEN 'nobody' WHEN i % 2 = 0 THEN 'income:fees' ELSE 'liabilities:bob' END AS credit,
       CASE WHEN i % 5 <> 0 THEN timestamptz '2025-06-01 00:00+00' + i * interval '7 hours' END AS effective_at, i % 7 = 6 AS linked FROM generate_series(1, 120) i;
SELECT is((SELECT string_agg(status || ' ' || count, ', ' ORDER BY status) FROM (SELECT status, count(*) FROM
    (SELECT array_agg('assets:bank'::text ORDER BY i) AS debit, array_agg(credit ORDER BY i) AS credit, array_agg(i / 100.0 ORDER BY i) AS amount,
            array_agg(effective_at ORDER BY i) AS effective_at, array_agg(linked ORDER BY i) AS linked FROM item) a,
    ledger_post_batch(a.debit, a.credit, a.amount, mode => 'each', effective_at => a.effective_at, linked => a.linked) b GROUP BY status) s),
    'account_not_found 17, linked_failed 17, posted 86', 'a batch is posted in part');
SELECT t.exact('a batch');

-- COPY.
COPY ledger.postings (debit, credit, amount, effective_at) FROM stdin;
assets:bank	income:fees	1	2025-06-03 07:00+00
income:fees	assets:bank	2	2025-06-03 23:59:59.999999+00
assets:bank	liabilities:bob	3	\N
assets:bank	income:fees	4	2030-01-01 00:00+00
expenses:rent	assets:bank	5	2025-06-03 07:00+00
\.
SELECT is((SELECT string_agg(ledger_balance_at('expenses:rent', at, 'effective')::text, ' ' ORDER BY at)
             FROM unnest(ARRAY['2025-06-03 06:59:59+00', '2025-06-03 07:00+00']::timestamptz[]) at), '0.00 5.00', 'COPY posts with effective times');
SELECT t.exact('COPY');

-- Rows by hand, their entries in one statement or in several.
INSERT INTO ledger.transactions (id, effective_at) VALUES (ledger_new_id(), '2025-02-01 08:00+00') RETURNING id AS by_hand \gset
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'by_hand', 1, 1, 8), (:'by_hand', 2, 1, 1);
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'by_hand', 3, 5, -8);
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'by_hand', 4, 5, -1);
INSERT INTO ledger.transactions (reference) VALUES ('not dated') RETURNING id AS plain \gset
INSERT INTO ledger.transactions (reference, effective_at) VALUES ('dated', '2025-02-02 08:00+00') RETURNING id AS other \gset
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'other', 2, 5, -2), (:'plain', 1, 1, 16), (:'other', 1, 1, 2), (:'plain', 2, 5, -16);
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
SELECT is((SELECT string_agg(concat(transaction_id = :'by_hand', ' ', line, ' ', amount), ', ' ORDER BY transaction_id, line) FROM ledger.dated_entries
            WHERE transaction_id IN (:'by_hand', :'plain', :'other')), 't 1 8.00, t 2 1.00, t 3 -8.00, t 4 -1.00, f 1 2.00, f 2 -2.00', 'rows by hand are dated as well');
SELECT t.exact('rows by hand');

-- What is rolled back leaves nothing.
SAVEPOINT before;
SELECT ledger_post('assets:bank', 'equity:capital', 77, effective_at => '2025-05-05 05:05+00');
ROLLBACK TO SAVEPOINT before;
SELECT ledger_post('assets:bank', 'equity:capital', 78, effective_at => '2025-05-05 05:05+00');
SELECT is(t.verdict(t.attempt($$SELECT ledger_post('liabilities:alice', 'equity:capital', 1e6, effective_at => '2025-05-05 05:05+00')$$)), 'LF040 insufficient_balance', 'a refused posting');
SELECT t.exact('savepoints');

-- A retry writes nothing; amounts are exact beyond what a bigint holds.
SELECT ledger_post('assets:bank', 'equity:capital', 1, 'once', effective_at => '2025-05-06 05:05+00') = ledger_post('assets:bank', 'equity:capital', 1, 'once', effective_at => '2025-05-06 05:05+00') AS replayed \gset
SELECT ok(:'replayed', 'a retry is answered');
INSERT INTO ledger.currencies VALUES ('ATTO', 18, NULL);
SELECT ledger_open_account('assets:atto', 'asset', 'ATTO'), ledger_open_account('equity:atto', 'equity', 'ATTO');
SELECT ledger_post('assets:atto', 'equity:atto', 12345678901234567890.123456789012345678, effective_at => '2025-01-01 00:00+00');
SELECT ledger_post('equity:atto', 'assets:atto', 0.000000000000000001, effective_at => '2025-01-02 00:00+00');
SELECT is(ledger_balance_at('assets:atto', '2025-01-02 00:00+00', 'effective'), 12345678901234567890.123456789012345677, 'all the digits');
SELECT t.exact('at the end');

-- As it was known at a time: nothing counts that was posted later, whenever it is effective.
CREATE FUNCTION t.known(account text, at timestamptz, known timestamptz) RETURNS numeric LANGUAGE sql AS $$
    SELECT coalesce(sum(e.amount), 0) * CASE y.normal_side WHEN 'debit' THEN 1 ELSE -1 END
      FROM ledger.accounts a JOIN ledger.account_types y ON y.code = a.type
      LEFT JOIN (ledger.entries e JOIN ledger.transactions t ON t.id = e.transaction_id)
        ON e.account_id = a.id AND t.effective_at <= at AND t.posted_at <= known
     WHERE a.code = account GROUP BY y.normal_side
$$;
CREATE FUNCTION t.forgotten() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE known timestamptz;
BEGIN
    FOR known IN SELECT posted_at FROM ledger.transactions ORDER BY md5(id::text) LIMIT 6 LOOP
        PERFORM set_config('ledgerflow.as_of', known::text, true);
        RETURN QUERY SELECT concat_ws(' ', a.code, m, 'known at', known) FROM ledger.accounts a, t.moments() AS m
                      WHERE ledger_balance_at(a.code, m, 'effective') <> t.known(a.code, m, known);
    END LOOP;
    PERFORM set_config('ledgerflow.as_of', '', true);
END $$;
SELECT is_empty('SELECT * FROM t.forgotten()', 'as of a time');

SELECT * FROM finish();
ROLLBACK;
