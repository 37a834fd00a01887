-- Capturing: in whole and in part, by amount and by lines.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(36);

SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null

-- In whole.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30, effective_at => '2024-05-01 12:00Z') AS hold \gset
SELECT ledger_capture(:'hold', reference => 'INV-1', description => 'Shipped', metadata => '{"parcel": 1}', idempotency_key => 'whole') AS id \gset
SELECT is(t.lines(:'id'), 'liabilities:alice 30.00, liabilities:bob -30.00', 'a capture posts what was reserved');
SELECT is(t.standing('liabilities:alice'), 'posted 70.00, pending 0.00 + 0.00, available 70.00', 'and reserves it no longer');
SELECT is(t.standing('liabilities:bob'), 'posted 30.00, pending 0.00 + 0.00, available 30.00', 'on both accounts');
SELECT is(t.hold(:'hold'), 'captured: liabilities:alice 30.00 (30.00 captured, 0.00 released), liabilities:bob -30.00 (30.00 captured, 0.00 released)', 'the hold is captured');
SELECT is((SELECT (hold, reference, description, metadata, effective_at)::text FROM ledger.transactions WHERE id = :'id'),
          (SELECT (:'hold'::uuid, 'INV-1'::text, 'Shipped'::text, '{"parcel": 1}'::jsonb, timestamptz '2024-05-01 12:00Z')::text), 'the transaction names its hold, has its own texts, and the effective time of the hold');
SELECT is((SELECT DISTINCT hold FROM ledger.journal WHERE transaction_id = :'id'), :'hold'::uuid, 'the journal shows it');
SELECT is((SELECT count(*) FROM ledger.open_holds), 0::bigint, 'no hold is open');
SELECT t.refused(format('SELECT ledger_capture(%L)', :'hold'), 'LF061 hold_not_pending', 'it cannot be captured again');

-- In parts, the last of which gives back the rest.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 50) AS hold \gset
SELECT ledger_capture(:'hold', 20, final => false) AS first \gset
SELECT is(t.hold(:'hold'), 'pending: liabilities:alice 50.00 (20.00 captured, 0.00 released), liabilities:bob -50.00 (20.00 captured, 0.00 released)', 'a part, not the last');
SELECT is(t.standing('liabilities:alice'), 'posted 50.00, pending 30.00 + 0.00, available 20.00', 'the rest stays reserved');
SELECT ledger_capture(:'hold', 0.01, final => false) AS second \gset
SELECT is((SELECT sum(remaining) FILTER (WHERE account = 'liabilities:alice') FROM ledger.open_holds WHERE hold = :'hold'), 29.99, 'another part');
SELECT ledger_capture(:'hold', 9.99) AS third \gset
SELECT is(t.hold(:'hold'), 'captured: liabilities:alice 50.00 (30.00 captured, 20.00 released), liabilities:bob -50.00 (30.00 captured, 20.00 released)', 'the last part gives back the rest');
SELECT is(t.standing('liabilities:alice'), 'posted 40.00, pending 0.00 + 0.00, available 40.00', 'which is available again');
SELECT is((SELECT count(*) FROM ledger.transactions WHERE hold = :'hold'), 3::bigint, 'three transactions name the hold');
SELECT is((SELECT effective_at - posted_at FROM ledger.transactions WHERE id = :'third'), interval '0', 'effective when posted, where nobody names a time');

-- In parts until nothing is left: captured without being told so.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 10) AS hold \gset
SELECT ledger_capture(:'hold', 4, final => false), ledger_capture(:'hold', 6, final => false) \g /dev/null
SELECT is(t.hold(:'hold'), 'captured: liabilities:alice 10.00 (10.00 captured, 0.00 released), liabilities:bob -10.00 (10.00 captured, 0.00 released)', 'parts that make up the whole');
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 10) AS hold \gset
SELECT ledger_capture(:'hold', final => false) \g /dev/null
SELECT is(t.hold(:'hold'), 'captured: liabilities:alice 10.00 (10.00 captured, 0.00 released), liabilities:bob -10.00 (10.00 captured, 0.00 released)', 'no amount: all that is left');
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 10) AS hold \gset
SELECT ledger_capture(:'hold', 4, final => false) \g /dev/null
SELECT ledger_capture(:'hold', effective_at => '2024-06-01Z') AS id \gset
SELECT is(t.lines(:'id'), 'liabilities:alice 6.00, liabilities:bob -6.00', 'no amount after a part: what is left then');
SELECT is((SELECT effective_at FROM ledger.transactions WHERE id = :'id'), '2024-06-01Z'::timestamptz, 'an effective time of its own');
SELECT is(t.standing('liabilities:alice'), 'posted 10.00, pending 0.00 + 0.00, available 10.00', 'all of it is posted');

-- Lines.
SELECT ledger_hold(ARRAY[ledger_debit('assets:bank', 100), ledger_credit('liabilities:bob', 90), ledger_credit('income:fees', 10)]) AS hold \gset
SELECT t.refused(format('SELECT ledger_capture(%L, 50)', :'hold'), 'LF015 invalid_argument', 'an amount does not tell how to divide three lines');
SELECT ledger_capture(:'hold', lines => ARRAY[ledger_credit('income:fees', 10), ledger_debit('assets:bank', 40), ledger_credit('liabilities:bob', 30)], final => false) AS id \gset
SELECT is(t.lines(:'id'), 'assets:bank 40.00, liabilities:bob -30.00, income:fees -10.00', 'lines, in the order of the hold');
SELECT ledger_capture(:'hold', lines => ARRAY[ledger_debit('assets:bank', 5), ledger_credit('liabilities:bob', 5)], final => false) AS id \gset
SELECT is(t.lines(:'id'), 'assets:bank 5.00, liabilities:bob -5.00', 'some of the lines');
SELECT is(t.hold(:'hold'), 'pending: assets:bank 100.00 (45.00 captured, 0.00 released), liabilities:bob -90.00 (35.00 captured, 0.00 released), '
          'income:fees -10.00 (10.00 captured, 0.00 released)', 'what is captured of each');
SELECT t.refused(format($$SELECT ledger_capture(%L, lines => ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 1)])$$, :'hold'), 'LF063 hold_amount_exceeded', 'a line of which nothing is left');
SELECT ledger_capture(:'hold') AS id \gset
SELECT is(t.lines(:'id'), 'assets:bank 55.00, liabilities:bob -55.00', 'and the rest');

-- One account on several lines: they fill up in their order.
SELECT ledger_hold(ARRAY[ledger_debit('assets:bank', 10), ledger_debit('assets:bank', 20), ledger_credit('equity:capital', 30)]) AS hold \gset
SELECT ledger_capture(:'hold', lines => ARRAY[ledger_debit('assets:bank', 15), ledger_credit('equity:capital', 15)], final => false) AS id \gset
SELECT is(t.lines(:'id'), 'assets:bank 10.00, assets:bank 5.00, equity:capital -15.00', 'one line of the capture over two of the hold');
SELECT ledger_capture(:'hold', lines => ARRAY[ledger_debit('assets:bank', 3), ledger_debit('assets:bank', 2), ledger_credit('equity:capital', 5)], final => false) AS id \gset
SELECT is(t.lines(:'id'), 'assets:bank 5.00, equity:capital -5.00', 'two lines of the capture on one of the hold');
SELECT t.refused(format($$SELECT ledger_capture(%L, lines => ARRAY[ledger_debit('assets:bank', 11), ledger_credit('equity:capital', 11)])$$, :'hold'), 'LF063 hold_amount_exceeded', 'more than both lines have left');
SELECT ledger_capture(:'hold') \g /dev/null
-- One account on both sides.
SELECT t.standing('assets:bank') AS before \gset
SELECT ledger_hold(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('assets:bank', 4), ledger_credit('equity:capital', 6)]) AS hold \gset
SELECT ledger_capture(:'hold', lines => ARRAY[ledger_debit('assets:bank', 5), ledger_credit('assets:bank', 2), ledger_credit('equity:capital', 3)], final => false) AS id \gset
SELECT is(t.lines(:'id'), 'assets:bank 5.00, assets:bank -2.00, equity:capital -3.00', 'sides are told apart');
SELECT ledger_release(:'hold') \g /dev/null
-- Two currencies.
SELECT ledger_hold(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('equity:capital', 10), ledger_debit('assets:yen', 1500), ledger_credit('equity:yen', 1500)]) AS hold \gset
SELECT ledger_capture(:'hold', lines => ARRAY[ledger_debit('assets:yen', 500), ledger_credit('equity:yen', 500)], final => false) AS id \gset
SELECT is(t.lines(:'id'), 'assets:yen 500, equity:yen -500', 'one of two currencies');
SELECT ledger_capture(:'hold') AS id \gset
SELECT is(t.lines(:'id'), 'assets:bank 10.00, equity:capital -10.00, assets:yen 1000, equity:yen -1000', 'the rest of both');

-- References are those of transactions.
SELECT ledger_hold('assets:bank', 'equity:capital', 1) AS hold \gset
SELECT t.refused(format('SELECT ledger_capture(%L, reference => %L)', :'hold', 'INV-1'), 'LF028 duplicate_reference', 'a reference that is used');
SELECT t.allowed(format('SELECT ledger_capture(%L, final => NULL)', :'hold'), 'final NULL is as not given');
SELECT is((SELECT status FROM ledger.holds WHERE id = :'hold'), 'captured', 'that is, true');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
