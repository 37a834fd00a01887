-- ledgerflow.as_of: whatever is read is as it was. Everything that views and functions showed is written down after
-- each of many operations, and must come back, column by column, when the setting is set to that moment.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(69);
SET LOCAL timezone = 'Europe/Berlin';
SET LOCAL datestyle = 'German';

CREATE TABLE t.moments (n int GENERATED ALWAYS AS IDENTITY, at timestamptz, what text, shown text);
CREATE TABLE t.ids (name text PRIMARY KEY, id uuid);
CREATE FUNCTION t.shown() RETURNS TABLE (what text, shown text) LANGUAGE plpgsql AS $$
DECLARE
    query text;
BEGIN
    FOR what, query IN VALUES
        ('balances', 'SELECT * FROM ledger.balances ORDER BY account'), ('trial_balance', 'SELECT * FROM ledger.trial_balance ORDER BY account'),
        ('journal', 'SELECT * FROM ledger.journal ORDER BY transaction_id, line'), ('postings', 'SELECT * FROM ledger.postings ORDER BY transaction_id'),
        ('reversals', 'SELECT * FROM ledger.reversals ORDER BY reversed_by'), ('standings', 'SELECT * FROM ledger.standings ORDER BY account_id'),
        ('open_holds', 'SELECT hold, created_at, expires_at, status, line, account, debit, credit, currency, captured, released, remaining, reference FROM ledger.open_holds ORDER BY hold, line'),
        ('ledger_trial_balance', 'SELECT * FROM ledger_trial_balance()'), ('ledger_balance', 'SELECT code, ledger_balance(code) FROM ledger.accounts ORDER BY 1'),
        ('ledger_available', 'SELECT code, ledger_available(code) FROM ledger.accounts ORDER BY 1'),
        ('ledger_statement', $q$SELECT * FROM ledger_statement('liabilities:alice')$q$),
        ('ledger_find_transactions', 'SELECT * FROM ledger_find_transactions()') LOOP
        EXECUTE format('SELECT string_agg(r::text, chr(10)) FROM (%s) r', query) INTO shown;
        RETURN NEXT;
    END LOOP;
END $$;
-- Writes down what is shown now, a microsecond after the last posting at least.
CREATE FUNCTION t.note() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz;
BEGIN
    PERFORM pg_sleep(0.002);
    moment := clock_timestamp();
    PERFORM pg_sleep(0.002);
    INSERT INTO t.moments (at, what, shown) SELECT moment, s.what, s.shown FROM t.shown() s;
END $$;
CREATE FUNCTION t.differences(moment timestamptz) RETURNS TABLE (what text, was text, shown text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('ledgerflow.as_of', moment::text, true);
    RETURN QUERY SELECT s.what, m.shown, s.shown FROM t.shown() s JOIN t.moments m ON m.what = s.what AND m.at = moment WHERE m.shown IS DISTINCT FROM s.shown;
    PERFORM set_config('ledgerflow.as_of', '', true);
END $$;

CREATE FUNCTION t.step(operation text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE operation;
    PERFORM t.note();
END $$;
CREATE FUNCTION t.id(name text) RETURNS uuid LANGUAGE sql STABLE AS 'SELECT id FROM t.ids i WHERE i.name = $1';
SELECT t.note() \g /dev/null
SELECT t.step(operation) FROM unnest(ARRAY[
    $$SELECT ledger_post('assets:bank', 'liabilities:alice', 100)$$,
    $$INSERT INTO t.ids SELECT 'h1', ledger_hold('liabilities:alice', 'liabilities:bob', 30, reference => 'H-1')$$,
    $$SELECT ledger_raise_hold(t.id('h1'), 5)$$,
    $$SELECT ledger_capture(t.id('h1'), 12, false)$$,
    $$SELECT ledger_raise_hold(t.id('h1'), 2.5)$$,
    $$SELECT ledger_freeze_account('income:fees', 'debit')$$,
    $$INSERT INTO t.ids SELECT 't1', ledger_post('assets:cash', 'equity:capital', 500, description => 'Capital')$$,
    $$SELECT ledger_set_limits('assets:cash', 10.5, NULL)$$,
    $$INSERT INTO t.ids SELECT 'h2', ledger_hold(ARRAY[ledger_debit('liabilities:alice', 9), ledger_credit('liabilities:bob', 4), ledger_credit('income:fees', 5)])$$,
    $$SELECT ledger_raise_hold(t.id('h2'), lines => ARRAY[ledger_debit('liabilities:alice', 3), ledger_credit('liabilities:bob', 3)])$$,
    $$SELECT ledger_capture(t.id('h2'), lines => ARRAY[ledger_debit('liabilities:alice', 7), ledger_credit('liabilities:bob', 7)], final => false)$$,
    $$SELECT ledger_release(t.id('h2'), 'raised by 1.00 USD')$$,
    $$SELECT ledger_capture(t.id('h1'), 10)$$,
    $$INSERT INTO t.ids SELECT 'r1', ledger_reverse(t.id('t1'), 'Part', 200)$$,
    $$SELECT ledger_unfreeze_account('income:fees')$$,
    $$SELECT ledger_set_limits('assets:cash', NULL, 400)$$,
    $$SELECT ledger_reverse(t.id('r1'), 'No', 50)$$,
    $$INSERT INTO t.ids SELECT 'h3', ledger_hold(ARRAY[ledger_debit('liabilities:alice', 60), ledger_credit('income:fees', 20), ledger_credit('liabilities:bob', 40)], expires_in => '20 ms')$$,
    $$INSERT INTO t.ids SELECT 'h4', ledger_hold('assets:yen', 'equity:yen', 7, expires_in => '20 ms')$$,
    $$SELECT pg_sleep(0.04)$$,
    $$SELECT ledger_post('liabilities:alice', 'assets:bank', 60)$$,  -- takes back an expired line of h3
    $$SELECT ledger_maintain()$$,
    $$SELECT ledger_reverse(t.id('t1'), 'The rest')$$,
    $$SELECT ledger_post('assets:cash', 'equity:capital', 20)$$,
    $$SELECT ledger_set_limits('assets:cash', 0)$$,
    $$INSERT INTO t.ids SELECT 'h5', ledger_hold('liabilities:alice', 'assets:cash', 5, expires_in => '20 ms')$$,
    $$SELECT pg_sleep(0.04)$$,
    $$SELECT ledger_post('liabilities:alice', 'assets:bank', 8)$$,  -- takes back one line of h5
    $$SELECT ledger_post('equity:capital', 'assets:cash', 18)$$,    -- and this one the other, but it is still pending
    $$SELECT ledger_maintain()$$,
    $$SELECT ledger_post('assets:yen', 'equity:yen', 33)$$]) operation \g /dev/null
SELECT is((SELECT count(*) FROM ledger.hold_lines WHERE settled_at IS NULL) + (SELECT count(*) FROM ledger.hold_lines WHERE is_open), 0::bigint, 'every hold came to its end');
SELECT is_empty(format('SELECT what, was, shown FROM t.differences(%L)', at), 'as it was at moment ' || row_number() OVER (ORDER BY at)) FROM (SELECT DISTINCT at FROM t.moments) x ORDER BY at;
SELECT is((SELECT count(DISTINCT shown) > 15 FROM t.moments WHERE what = 'balances'), true, 'and those moments differ');
-- At the very time of a posting: what it settled or took back is not reserved any more.
CREATE FUNCTION t.at_once() RETURNS TABLE (transaction uuid, what text, was text, shown text) LANGUAGE plpgsql AS $$
DECLARE
    posted timestamptz;
BEGIN
    FOR transaction, posted IN SELECT id, posted_at FROM ledger.transactions ORDER BY id LOOP
        PERFORM set_config('ledgerflow.as_of', posted::text, true);
        RETURN QUERY SELECT transaction, s.what, m.shown, s.shown FROM t.shown() s
                       JOIN t.moments m ON m.what = s.what AND m.at = (SELECT min(n.at) FROM t.moments n WHERE n.at > posted)
                      WHERE m.shown IS DISTINCT FROM s.shown;
    END LOOP;
    PERFORM set_config('ledgerflow.as_of', '', true);
END $$;
SELECT is_empty('SELECT * FROM t.at_once()', 'each posting is seen whole at its own time');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the books are right');

-- ledger_balance_at says the same without the setting, to the microsecond.
SELECT is_empty($$SELECT * FROM (SELECT DISTINCT at FROM t.moments) m, ledger.accounts a
    WHERE ledger_balance_at(a.code, m.at) <> (SELECT coalesce((SELECT CASE y.normal_side WHEN 'debit' THEN 1 ELSE -1 END * e.balance_after FROM ledger.entries e JOIN ledger.transactions t ON t.id = e.transaction_id
                                                JOIN ledger.account_types y ON y.code = a.type WHERE e.account_id = a.id AND t.posted_at <= m.at ORDER BY t.id DESC, e.line DESC LIMIT 1), 0))$$,
                'ledger_balance_at at every moment');
SELECT is_empty($$SELECT * FROM ledger.journal j WHERE ledger_balance_at(account, posted_at) <> balance_after
                     OR ledger_balance_at(account, posted_at - interval '1 microsecond') <> balance_after - (SELECT CASE WHEN normal_side = 'debit' THEN 1 ELSE -1 END FROM ledger.balances b WHERE b.account = j.account) * (coalesce(debit, 0) - coalesce(credit, 0))$$,
                'from the microsecond of each posting on');
SELECT is(ledger_balance_at('assets:dinar', now())::text || ' ' || ledger_balance_at('liabilities:alice', '2000-01-01')::text, '0.000 0.00', 'zero before the first entry');
SELECT is(ledger_balance_at('liabilities:alice', '-infinity') || ' ' || (ledger_balance_at('liabilities:alice', 'infinity') = ledger_balance('liabilities:alice')), '0.00 true', 'before and after all times');
SELECT is(ledger_balance_at('liabilities:alice', '200000-01-01'), ledger_balance('liabilities:alice'), 'in the future: what is posted until now');
SELECT t.refused($$SELECT ledger_balance_at('liabilities:alice', NULL)$$, 'LF015 invalid_argument', 'no time');
SELECT t.refused($$SELECT ledger_balance_at('nobody', now())$$, 'LF023 account_not_found', 'no such account');
SELECT t.refused($$SELECT ledger_balance_at(NULL, now())$$, 'LF002 invalid_account_code', 'no account');

-- The setting itself.
SELECT at AS moment FROM t.moments ORDER BY n LIMIT 1 OFFSET 30 \gset
SELECT set_config('ledgerflow.as_of', :'moment', true) \g /dev/null
SELECT matches(current_setting('ledgerflow.as_of'), '^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,6}\+00$', 'is kept in one form, whatever DateStyle and TimeZone are');
SELECT is((SELECT at FROM ledger.as_of), :'moment'::timestamptz, 'which is the same time');
SELECT is(ledger_balance_at('liabilities:alice', 'infinity'), ledger_balance('liabilities:alice'), 'ledger_balance_at does not go beyond it');
SELECT is_empty($$SELECT * FROM ledger_verify()$$, 'ledger_verify ignores it');
SELECT lives_ok($$SELECT ledger_post('assets:bank', 'income:fees', 7.77, idempotency_key => 'k')$$, 'a posting ignores it');
SELECT is(ledger_balance('income:fees')::text, '0.00', 'and is not seen');
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'income:fees', 1000)$$, 'LF040 insufficient_balance', 'limits are those of now');
SET LOCAL ledgerflow.as_of = '2200-01-01';
SELECT is(ledger_balance('income:fees')::text, (SELECT balance::text FROM ledger.balances WHERE account = 'income:fees'), 'a time in the future: everything');
SET LOCAL ledgerflow.as_of = '1960-01-01';
SELECT is((SELECT count(*) FROM ledger.balances) + (SELECT count(*) FROM ledger.journal) + (SELECT count(*) FROM ledger_trial_balance()), 0::bigint, 'before there was anything');
SET LOCAL ledgerflow.as_of = '';
SELECT is(ledger_balance('income:fees') > 7, true, 'and now again');
SELECT throws_ok(format('SET LOCAL ledgerflow.as_of = %L', bad), '22023', NULL, 'refused: ' || bad)
  FROM unnest('{infinity,-infinity,epoch and a half,2024-02-30,25:00,NaN,1,"2024-01-01 nowhere",300000-01-01}'::text[]) bad;
SELECT lives_ok($$SET LOCAL ledgerflow.as_of = 'yesterday'$$, 'yesterday is a time');

-- Who may: a reader, also where functions are not for everybody.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
CREATE ROLE past_reader;
CREATE ROLE past_stranger;
SELECT ledger_grant('past_reader', 'reader') \g /dev/null
SELECT set_config('ledgerflow.as_of', :'moment', true) \g /dev/null
SELECT t.allowed('SELECT * FROM ledger.balances, ledger.open_holds, ledger.journal', 'a reader reads the past through views', 'past_reader');
SELECT t.allowed($$SELECT ledger_balance('assets:bank'), ledger_available('assets:bank'), ledger_trial_balance()$$, 'and by functions', 'past_reader');
SELECT t.refused($$SELECT ledger_balance('assets:bank')$$, '42501', 'a stranger does not', 'past_stranger');
SELECT t.refused($$SELECT ledger_available('assets:bank')$$, '42501', 'nor what is available', 'past_stranger');
SELECT ledger_revoke('past_reader') \g /dev/null
SELECT t.refused($$SELECT * FROM ledger.balances$$, '42501', 'nor does who was a reader', 'past_reader');

SELECT * FROM finish();
ROLLBACK;
