-- ledger_statement: an account's lines, their counter-accounts and balances, pages and cursors, bad input.
BEGIN;
\ir include/books.sql
SELECT plan(65);

CREATE TEMP TABLE posted (n int, id uuid);
DO $$
BEGIN
    FOR n IN 1 .. 7 LOOP
        INSERT INTO posted VALUES (n, ledger_post('assets:bank', 'liabilities:bob', n, reference => 'R-' || n, description => 'Deposit ' || n,
            effective_at => timestamptz '2024-01-01Z' + n * interval '1 day', metadata => jsonb_build_object('n', n)));
    END LOOP;
    -- Two lines of one account in one transaction, three others.
    INSERT INTO posted VALUES (8, ledger_post(ARRAY[ledger_debit('liabilities:bob', 3), ledger_credit('income:fees', 1), ledger_debit('liabilities:bob', 2),
                                                    ledger_credit('assets:bank', 3), ledger_credit('liabilities:alice', 1)]));
END $$;

CREATE TEMP VIEW statement AS SELECT * FROM ledger_statement('liabilities:bob', newest_first => false);
SELECT is((SELECT count(*) FROM statement), 9::bigint, 'every line of the account');
SELECT results_eq($$SELECT line, reference, description, counter_accounts, debit::text, credit::text, balance::text, metadata::text, effective_at FROM statement LIMIT 2$$,
    $$VALUES (2, 'R-1', 'Deposit 1', '{assets:bank}'::text[], NULL, '1.00', '1.00', '{"n": 1}', timestamptz '2024-01-02Z'),
             (2, 'R-2', 'Deposit 2', '{assets:bank}', NULL, '2.00', '3.00', '{"n": 2}', '2024-01-03Z')$$, 'what a line has, oldest first');
SELECT results_eq($$SELECT s.line, s.counter_accounts, s.debit::text, s.credit::text, s.balance::text FROM statement s JOIN posted p ON p.id = s.transaction_id AND p.n = 8 ORDER BY 1$$,
    $$VALUES (1, '{income:fees,assets:bank,liabilities:alice}'::text[], '3.00', NULL, '25.00'), (3, '{income:fees,assets:bank,liabilities:alice}', '2.00', NULL, '23.00')$$,
    'two lines of one transaction: the balance after each, the other accounts in their order');
SELECT is((SELECT balance FROM ledger_statement('liabilities:bob', "limit" => 1)), ledger_balance('liabilities:bob'), 'newest first by itself: the first line has the balance');
SELECT results_eq('SELECT transaction_id, line FROM ledger_statement(''liabilities:bob'')', 'SELECT transaction_id, line FROM statement ORDER BY transaction_id DESC, line DESC', 'the same lines in the other direction');
SELECT results_eq($$SELECT debit::text, credit::text, balance::text FROM ledger_statement('assets:bank', newest_first => false, "limit" => 2)$$,
    $$VALUES ('1.00', NULL::text, '1.00'), ('2.00', NULL, '3.00')$$, 'a debit-normal account');
SELECT results_eq($$SELECT s.transaction_id, s.line, s.posted_at FROM statement s$$,
    $$SELECT e.transaction_id, e.line::int, t.posted_at FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id JOIN ledger.transactions t ON t.id = e.transaction_id
       WHERE a.code = 'liabilities:bob' ORDER BY 1, 2$$, 'as the entries have it');
SELECT is_empty($$SELECT * FROM ledger_statement('assets:yen')$$, 'an account without entries');
SELECT is((SELECT count(*) FROM ledger_statement('liabilities:bob', NULL, NULL, NULL, NULL, NULL, NULL)), 9::bigint, 'NULLs are what is left out');

-- Pages: every line once, in either direction, whatever their length.
CREATE FUNCTION t.pages(page int, newest boolean, account text DEFAULT 'liabilities:bob') RETURNS TABLE (transaction_id uuid, line int) LANGUAGE plpgsql AS $$
DECLARE
    behind text;
    page_rows int;
BEGIN
    LOOP
        page_rows := 0;
        FOR transaction_id, line, behind IN SELECT s.transaction_id, s.line, s.cursor FROM ledger_statement(account, after => behind, "limit" => page, newest_first => newest) s LOOP
            page_rows := page_rows + 1;
            RETURN NEXT;
        END LOOP;
        EXIT WHEN page_rows < page;
    END LOOP;
END $$;
SELECT results_eq(format('SELECT * FROM t.pages(%s, false)', page), 'SELECT transaction_id, line FROM statement', 'pages of ' || page || ', oldest first') FROM generate_series(1, 10) page;
SELECT results_eq(format('SELECT * FROM t.pages(%s, true)', page), 'SELECT transaction_id, line FROM statement ORDER BY 1 DESC, 2 DESC', 'pages of ' || page || ', newest first') FROM generate_series(1, 10) page;
SELECT is_empty(format('SELECT * FROM ledger_statement(%L, after => %L, newest_first => false)', 'liabilities:bob', cursor), 'behind the last line there is nothing')
  FROM statement ORDER BY transaction_id DESC, line DESC LIMIT 1;

-- A range: its beginning belongs to it, its end does not.
SELECT posted_at AS third FROM statement WHERE reference = 'R-3' \gset
SELECT posted_at AS fifth FROM statement WHERE reference = 'R-5' \gset
SELECT results_eq(format('SELECT reference FROM ledger_statement(%L, %L, %L, newest_first => false)', 'liabilities:bob', :'third', :'fifth'), $$VALUES ('R-3'), ('R-4')$$, 'from, inclusive, to, exclusive');
SELECT is_empty(format('SELECT 1 FROM ledger_statement(%L, %L, %L)', 'liabilities:bob', :'third', :'third'), 'an empty range');
SELECT results_eq(format('SELECT reference FROM ledger_statement(%L, %L, timestamptz %L + interval ''1 microsecond'')', 'liabilities:bob', :'third', :'third'), $$VALUES ('R-3')$$, 'a range of a microsecond');
SELECT is_empty($$SELECT 1 FROM ledger_statement('liabilities:bob', "to" => '2020-01-01')$$, 'before the first entry');
SELECT is_empty($$SELECT 1 FROM ledger_statement('liabilities:bob', "to" => '1950-01-01')$$, 'before time began');
SELECT is_empty($$SELECT 1 FROM ledger_statement('liabilities:bob', "from" => '2200-01-01')$$, 'in the future');
SELECT is_empty($$SELECT 1 FROM ledger_statement('liabilities:bob', "from" => 'infinity')$$, 'after everything');
SELECT is((SELECT count(*) FROM ledger_statement('liabilities:bob', '-infinity', 'infinity')), 9::bigint, 'infinities are no bounds');
SELECT is((SELECT count(*) FROM ledger_statement('liabilities:bob', '4713-01-01 BC', '294276-12-31')), 9::bigint, 'the ends of PostgreSQL''s time neither');
SELECT cursor AS behind_third FROM statement WHERE reference = 'R-3' \gset
SELECT results_eq(format('SELECT reference FROM ledger_statement(%L, "to" => %L, after => %L, newest_first => false)', 'liabilities:bob', :'fifth', :'behind_third'), $$VALUES ('R-4')$$, 'a range and a cursor');

-- More counter-accounts than a line shows.
SELECT ledger_open_account('liabilities:n' || n, 'liability', 'USD') FROM generate_series(1, 150) n \g /dev/null
SELECT ledger_post(array_agg(line ORDER BY n)) FROM (SELECT 0, ledger_debit('assets:bank', 150) UNION ALL
    SELECT n, ledger_credit('liabilities:n' || n, 1) FROM generate_series(1, 150) n) x (n, line) \g /dev/null
SELECT is((SELECT array_length(counter_accounts, 1) FROM ledger_statement('assets:bank', "limit" => 1)), 100, 'of many counter-accounts the first 100');

-- Bad input.
SELECT cursor AS good FROM statement WHERE reference = 'R-2' \gset
SELECT cursor AS of_bank FROM ledger_statement('assets:bank', newest_first => false) WHERE reference = 'R-2' \gset
SELECT cursor AS of_search FROM ledger_find_transactions(reference => 'R-2') \gset
SELECT t.refused(format('SELECT * FROM ledger_statement(%L, after => %L, newest_first => false)', 'liabilities:bob', bad), 'LF019 invalid_cursor', why)
  FROM (VALUES (left(:'good', -1), 'a cursor cut short'), (left(:'good', 10), 'cut shorter'), ('', 'an empty one'), ('made up', 'made up'), (:'good' || '0', 'with a tail'),
               (repeat('0', length(:'good')), 'of zeros'), (upper(:'good'), 'in another case'), (reverse(:'good'), 'backwards'), (:'of_bank', 'of another account'),
               (:'of_search', 'of a search'), (overlay(:'good' PLACING CASE substr(:'good', 30, 1) WHEN '0' THEN '1' ELSE '0' END FROM 30), 'one digit changed')) x (bad, why);
SELECT t.refused(format('SELECT * FROM ledger_statement(%L, after => %L)', 'liabilities:bob', :'good'), 'LF019 invalid_cursor', 'of the other direction');
SELECT ledger_create('other'), ledger_open_account('liabilities:bob', 'liability', 'USD', ledger => 'other') \g /dev/null
SELECT t.refused(format('SELECT * FROM ledger_statement(%L, after => %L, newest_first => false, ledger => %L)', 'liabilities:bob', :'good', 'other'), 'LF019 invalid_cursor', 'of another ledger');
SELECT t.refused($$SELECT * FROM ledger_statement('liabilities:bob', '2024-02-01', '2024-01-01')$$, 'LF015 invalid_argument', 'a range that ends before it begins');
SELECT t.refused(format('SELECT * FROM ledger_statement(%L, "limit" => %s)', 'liabilities:bob', bad), 'LF015 invalid_argument', 'a page of ' || bad)
  FROM (VALUES (0), (-1), (10001), (1000000), (2147483647)) x (bad);
SELECT t.refused($$SELECT * FROM ledger_statement('nobody')$$, 'LF023 account_not_found', 'an unknown account');
SELECT t.refused($$SELECT * FROM ledger_statement(NULL)$$, 'LF002 invalid_account_code', 'no account');
SELECT t.refused($$SELECT * FROM ledger_statement('a', ledger => 'nowhere')$$, 'LF020 ledger_not_found', 'an unknown ledger');

-- Who may.
CREATE ROLE statement_reader;
CREATE ROLE statement_stranger;
SELECT ledger_grant('statement_reader', 'reader') \g /dev/null
SELECT t.allowed($$SELECT * FROM ledger_statement('liabilities:bob')$$, 'a reader may', 'statement_reader');
SELECT t.refused($$SELECT * FROM ledger_statement('liabilities:bob')$$, '42501', 'a stranger may not', 'statement_stranger');

SELECT * FROM finish();
ROLLBACK;
