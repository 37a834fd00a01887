-- Who may do what with holds, reversals, batches and periods.
BEGIN;
\ir include/hold_helpers.sql
CREATE TEMPORARY TABLE deed (number serial, deed text, statement text, least text);
GRANT SELECT ON deed TO PUBLIC;
-- A hold or transaction of its own for every deed of every role: taken by number.
CREATE FUNCTION t.nth(relation text, role text) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    id uuid;
BEGIN
    IF relation = 'hold' THEN id := ledger_hold('assets:bank', 'equity:capital', 5); ELSE id := ledger_post('assets:bank', 'equity:capital', 5); END IF;
    RETURN id;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA t TO PUBLIC;
INSERT INTO deed (deed, statement, least) VALUES
    ('see holds', $$SELECT * FROM ledger.open_holds$$, 'reader'),
    ('see the lines of holds', $$SELECT * FROM ledger.hold_lines$$, 'reader'),
    ('see reversals', $$SELECT * FROM ledger.reversals$$, 'reader'),
    ('see the history', $$SELECT * FROM ledger.transaction_history$$, 'reader'),
    ('see periods', $$SELECT * FROM ledger.period_history$$, 'reader'),
    ('hold', $$SELECT ledger_hold('assets:bank', 'equity:capital', 1)$$, 'poster'),
    ('hold with a key', $$SELECT ledger_hold('assets:bank', 'equity:capital', 1, 'hold of ' || current_user, expires_in => '1 day')$$, 'poster'),
    ('hold lines', $$SELECT ledger_hold(ARRAY[ledger_debit('assets:bank', 1), ledger_credit('equity:capital', 1)])$$, 'poster'),
    ('capture', $$SELECT ledger_capture('{hold}')$$, 'poster'),
    ('capture a part', $$SELECT ledger_capture('{hold}', 1, false)$$, 'poster'),
    ('raise', $$SELECT ledger_raise_hold('{hold}', 1)$$, 'poster'),
    ('release', $$SELECT ledger_release('{hold}')$$, 'poster'),
    ('reverse', $$SELECT ledger_reverse('{transaction}')$$, 'poster'),
    ('post a batch', $$SELECT * FROM ledger_post_batch('{assets:bank}'::text[], '{equity:capital}'::text[], '{1}')$$, 'poster'),
    ('post a batch by ids', $$SELECT * FROM ledger_post_batch('{1}'::bigint[], '{5}'::bigint[], '{1}', mode => 'each')$$, 'poster'),
    ('reverse by force', $$SELECT ledger_reverse('{transaction}', force => true)$$, 'operator'),
    ('expire holds', $$SELECT ledger_maintain()$$, 'operator'),
    ('close an account', $$SELECT ledger_close_account('expenses:rent')$$, 'operator'),
    ('reopen an account', $$SELECT ledger_reopen_account('expenses:rent')$$, 'operator'),
    ('close a period', $$SELECT ledger_close_period(clock_timestamp())$$, 'operator'),
    ('reopen periods', $$SELECT ledger_reopen_period()$$, 'operator'),
    ('insert holds', $$INSERT INTO ledger.holds (id, created_at, xact_id, created_by, status) VALUES (ledger_new_id(), now(), pg_current_xact_id(), 'x', 'pending')$$, 'nobody'),
    ('insert lines of holds', $$INSERT INTO ledger.hold_lines (account_id, hold_id, line, amount, captured, released) VALUES (1, ledger_new_id(), 1, 1, 0, 0)$$, 'nobody'),
    ('change holds', $$UPDATE ledger.holds SET status = 'released'$$, 'nobody'),
    ('delete holds', $$DELETE FROM ledger.holds$$, 'nobody'),
    ('write history', $$INSERT INTO ledger.transaction_history (transaction_id, changed_by, to_status) VALUES (ledger_new_id(), 'x', 'posted')$$, 'nobody'),
    ('write periods', $$INSERT INTO ledger.period_history (changed_by) VALUES ('x')$$, 'nobody');
SELECT plan(149);
CREATE ROLE stranger; CREATE ROLE reader; CREATE ROLE poster; CREATE ROLE operator; CREATE ROLE admin;
SELECT ledger_grant(level::name, level) FROM unnest('{reader,poster,operator,admin}'::text[]) AS level \g /dev/null
SELECT CASE WHEN rank >= coalesce(array_position('{reader,poster,operator,admin}', least), 9)
            THEN t.allowed(s, role || ' may ' || deed, role) ELSE t.refused(s, '42501', role || ' may not ' || deed, role) END
  FROM (SELECT *, replace(replace(statement, '{hold}', CASE WHEN statement LIKE '%{hold}%' THEN t.nth('hold', role)::text ELSE '' END),
                          '{transaction}', CASE WHEN statement LIKE '%{transaction}%' THEN t.nth('transaction', role)::text ELSE '' END) AS s
          FROM deed, unnest('{stranger,reader,poster,operator,admin}'::text[]) WITH ORDINALITY AS r (role, n), LATERAL (SELECT n - 1) AS x (rank) ORDER BY n, number) AS y;
SELECT is((SELECT string_agg(DISTINCT created_by, ',' ORDER BY created_by) FROM ledger.holds), 'admin,operator,poster,postgres', 'created_by of a hold is the caller');
SELECT is((SELECT string_agg(DISTINCT changed_by, ',' ORDER BY changed_by) FROM ledger.transaction_history WHERE to_status <> 'pending' OR from_status IS NOT NULL), 'admin,operator,poster', 'changed_by too');
SELECT is((SELECT string_agg(DISTINCT changed_by, ',' ORDER BY changed_by) FROM ledger.period_history), 'admin,operator', 'of periods as well');

-- INSERT on transactions is all that holding takes; who may not read is told no figures.
CREATE ROLE terminal;
GRANT USAGE ON SCHEMA ledger TO terminal;
GRANT INSERT ON ledger.transactions TO terminal;
SELECT ledger_hold('assets:bank', 'equity:capital', 5) AS hold, ledger_post('assets:bank', 'equity:capital', 5) AS id, ledger_hold('assets:bank', 'liabilities:alice', 5, 'spent key', metadata => '{"pin": 1234}') AS keyed \gset
SELECT t.allowed(format('SELECT ledger_capture(%L, 1, false), ledger_raise_hold(%1$L, 1), ledger_release(%1$L)', :'hold'), 'a role with INSERT on transactions captures, raises and releases', 'terminal');
SELECT t.allowed(format('SELECT ledger_reverse(%L, amount => 1)', :'id'), 'and reverses', 'terminal');
SELECT is((t.attempt(statement, 'terminal')).detail, '', 'nothing is told: ' || why)
  FROM (VALUES ($$SELECT ledger_hold('liabilities:alice', 'assets:bank', 1)$$, 'insufficient_balance'), ($$SELECT ledger_hold('assets:cash', 'equity:capital', 1001)$$, 'limit_exceeded'),
               (format($$SELECT ledger_capture(%L, 6)$$, :'keyed'), 'what is left of a hold'), (format('SELECT ledger_reverse(%L, amount => 4.01)', :'id'), 'what is left of a transaction'),
               ($$SELECT ledger_hold('assets:bank', 'liabilities:alice', 6, 'spent key')$$, 'what was requested first'),
               ($$SELECT * FROM ledger_post_batch('{liabilities:alice}'::text[], '{assets:bank}'::text[], '{1}')$$, 'in a batch')) AS x (statement, why);
SELECT is((t.attempt(statement, 'poster')).detail <> '', true, 'a poster who may read is told: ' || why)
  FROM (VALUES ($$SELECT ledger_hold('liabilities:alice', 'assets:bank', 1)$$, 'insufficient_balance'), (format($$SELECT ledger_capture(%L, 6)$$, :'keyed'), 'what is left of a hold')) AS x (statement, why);
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
