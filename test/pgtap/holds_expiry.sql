-- A hold past its expiry cannot be captured at that very moment; its reservation goes back when somebody
-- needs the room, or when ledger_maintain() comes by.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(45);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null

SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 60, expires_in => '20 ms') AS hold,
       ledger_hold('liabilities:alice', 'liabilities:bob', 30, expires_in => '1 hour') AS fresh \gset
SELECT pg_sleep(0.05) \g /dev/null
SELECT t.refused(format('SELECT ledger_capture(%L)', :'hold'), 'LF062 hold_expired', 'no capture');
SELECT t.refused(format('SELECT ledger_capture(%L, 1, false)', :'hold'), 'LF062 hold_expired', 'nor of a part');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 1)', :'hold'), 'LF062 hold_expired', 'no raise');
SELECT is((t.attempt(format('SELECT ledger_capture(%L)', :'hold'))).detail,
          (SELECT format('It was good until %s.', to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"')) FROM ledger.holds WHERE id = :'hold'), 'the message tells the time');
SELECT is(t.standing('liabilities:alice'), 'posted 100.00, pending 90.00 + 0.00, available 10.00', 'nobody has given the reservation back yet');
SELECT is_empty('SELECT * FROM ledger_verify()', 'which is sound');

-- The next posting that needs the room takes it.
SELECT t.allowed($$SELECT ledger_post('liabilities:alice', 'assets:bank', 10)$$, 'a posting that has room without it');
SELECT is(t.standing('liabilities:alice'), 'posted 90.00, pending 90.00 + 0.00, available 0.00', 'leaves it');
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'assets:bank', 60.01)$$, 'LF040 insufficient_balance', 'a posting for which it is not enough is refused');
SELECT is((t.attempt($$SELECT ledger_post('liabilities:alice', 'assets:bank', 60.01)$$)).detail,
          'Balance 90.00 USD, reserved 30.00 USD, floor 0.00 USD; the posting moves 60.01 USD, and at most 60.00 USD would have passed.', 'by figures without the expired hold');
SELECT t.allowed($$SELECT ledger_post('liabilities:alice', 'assets:bank', 60)$$, 'one for which it is enough passes');
SELECT is(t.standing('liabilities:alice'), 'posted 30.00, pending 30.00 + 0.00, available 0.00', 'and gives it back');
SELECT is(t.hold(:'hold'), 'pending: liabilities:alice 60.00 (0.00 captured, 60.00 released), liabilities:bob -60.00 (0.00 captured, 0.00 released)', 'one line of the hold is released');
SELECT is_empty('SELECT * FROM ledger_verify()', 'which is sound');
SELECT t.refused(format('SELECT ledger_capture(%L)', :'hold'), 'LF062 hold_expired', 'still no capture');
SELECT is((SELECT holds_expired FROM ledger_maintain()), 1::bigint, 'ledger_maintain() does the rest');
SELECT is(t.hold(:'hold'), 'expired: liabilities:alice 60.00 (0.00 captured, 60.00 released), liabilities:bob -60.00 (0.00 captured, 60.00 released)', 'the hold is expired');
SELECT is(t.standing('liabilities:bob'), 'posted 0.00, pending 0.00 + 30.00, available 0.00', 'and nothing of it is left');
SELECT is(t.history(:'hold'), 'none > pending, pending > expired', 'on record');
SELECT t.refused(format('SELECT ledger_capture(%L)', :'hold'), 'LF062 hold_expired', 'no capture, still with the same answer');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 1)', :'hold'), 'LF062 hold_expired', 'no raise');
SELECT t.refused(format('SELECT ledger_release(%L)', :'hold'), 'LF062 hold_expired', 'no release');
SELECT is((SELECT holds_expired FROM ledger_maintain()), 0::bigint, 'once is enough');
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'fresh'), 'the hold that is good is captured');

-- A hold, a raise, a ceiling that need the room.
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 40, expires_in => '20 ms'), ledger_hold('liabilities:alice', 'liabilities:bob', 40, expires_in => '20 ms'), ledger_hold('liabilities:alice', 'liabilities:bob', 20) AS other \gset
SELECT pg_sleep(0.05) \g /dev/null
SELECT t.allowed($$SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 50)$$, 'a hold takes the room of two expired ones');
SELECT is(t.standing('liabilities:alice'), 'posted 100.00, pending 70.00 + 0.00, available 30.00', 'both are given back');
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30, expires_in => '20 ms') AS hold \gset
SELECT pg_sleep(0.05) \g /dev/null
SELECT t.allowed(format('SELECT ledger_raise_hold(%L, 30)', :'other'), 'a raise takes the room');
SELECT is(t.standing('liabilities:alice'), 'posted 100.00, pending 100.00 + 0.00, available 0.00', 'to the floor');
SELECT ledger_hold('assets:cash', 'equity:capital', 1000, expires_in => '20 ms') \g /dev/null
SELECT pg_sleep(0.05) \g /dev/null
SELECT t.allowed($$SELECT ledger_post('assets:cash', 'equity:capital', 1000)$$, 'a posting up to a ceiling takes the room');
SELECT is(t.standing('assets:cash'), 'posted 1000.00, pending 0.00 + 0.00, available 1000.00', 'all of it');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

-- Part captured, in time on a busy machine too, then expired.
SELECT ledger_maintain() \g /dev/null
SELECT ledger_open_account('liabilities:carol', 'liability', 'USD', min_balance => 0) \g /dev/null
SELECT ledger_post('assets:bank', 'liabilities:carol', 100) \g /dev/null
SELECT ledger_hold('liabilities:carol', 'liabilities:bob', 100, expires_in => '500 ms') AS hold \gset
SELECT ledger_capture(:'hold', 25, false) \g /dev/null
SELECT pg_sleep(0.55) \g /dev/null
SELECT t.allowed($$SELECT ledger_post('liabilities:carol', 'assets:bank', 75)$$, 'the rest is free');
SELECT is((SELECT holds_expired FROM ledger_maintain()), 1::bigint, 'and given back');
SELECT is(t.hold(:'hold'), 'expired: liabilities:carol 100.00 (25.00 captured, 75.00 released), liabilities:bob -100.00 (25.00 captured, 75.00 released)', 'what was captured stays');

-- A release after the expiry is no harm: nobody has settled it yet.
SELECT ledger_hold('assets:bank', 'liabilities:carol', 1, expires_in => '20 ms') AS hold \gset
SELECT pg_sleep(0.05) \g /dev/null
SELECT t.allowed(format('SELECT ledger_release(%L)', :'hold'), 'a release past the expiry');
SELECT is((SELECT status FROM ledger.holds WHERE id = :'hold'), 'released', 'is a release');
SELECT is((SELECT holds_expired FROM ledger_maintain()), 0::bigint, 'nothing is left to expire');

-- In a batch: the refused item takes nothing along, what it gave back stays with those after it.
SELECT ledger_post('assets:bank', 'liabilities:carol', 50) \g /dev/null
SELECT ledger_hold('liabilities:carol', 'liabilities:bob', 50, expires_in => '20 ms') AS hold \gset
SELECT pg_sleep(0.05) \g /dev/null
SELECT results_eq($$SELECT item, status FROM ledger_post_batch('{liabilities:carol,liabilities:carol,liabilities:carol}'::text[], '{assets:bank,assets:bank,assets:bank}'::text[], '{50.01,30,20}', mode => 'each')$$,
    $$VALUES (1, 'insufficient_balance'), (2, 'posted'), (3, 'posted')$$, 'items after a refused one have the room');
SELECT is(t.standing('liabilities:carol'), 'posted 0.00, pending 0.00 + 0.00, available 0.00', 'once');
SELECT is(t.hold(:'hold'), 'pending: liabilities:carol 50.00 (0.00 captured, 50.00 released), liabilities:bob -50.00 (0.00 captured, 0.00 released)', 'one line was needed');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

-- By raw INSERT.
SELECT ledger_post('assets:bank', 'liabilities:carol', 10) \g /dev/null
SELECT ledger_hold('liabilities:carol', 'liabilities:bob', 10, expires_in => '20 ms') AS hold \gset
SELECT pg_sleep(0.05) \g /dev/null
INSERT INTO ledger.transactions (description) VALUES ('by hand') RETURNING id \gset
SELECT t.allowed(format($$INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT %L, n, (SELECT id FROM ledger.accounts WHERE code = c), a
    FROM (VALUES (1, 'liabilities:carol', 10), (2, 'assets:bank', -10)) AS x (n, c, a)$$, :'id'), 'rows inserted by hand have the room too');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(t.standing('liabilities:carol'), 'posted 0.00, pending 0.00 + 0.00, available 0.00', 'it is given back');
SELECT is((SELECT holds_expired FROM ledger_maintain()), 2::bigint, 'upkeep settles both holds');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
