-- ledger_find_transactions: every filter, status, pages, bad input.
BEGIN;
\ir include/books.sql
SELECT plan(60);
CREATE TABLE t.ids (name text PRIMARY KEY, id uuid);
INSERT INTO t.ids VALUES
    ('capital', ledger_post('assets:bank', 'equity:capital', 1000, reference => 'C%1', description => 'Capital', effective_at => '2024-01-01Z', metadata => '{"a": 1, "b": {"c": [1, 2]}}')),
    ('rent', ledger_post('expenses:rent', 'assets:bank', 300, reference => 'C_1', effective_at => '2024-02-01Z', metadata => '{"a": 2}')),
    ('fee', ledger_post('assets:bank', 'income:fees', 25.5, reference => 'C11')),
    ('yen', ledger_post('assets:yen', 'equity:yen', 300)),
    ('many', ledger_post(ARRAY[ledger_debit('assets:bank', 10), ledger_debit('assets:cash', 20), ledger_credit('liabilities:bob', 29), ledger_credit('income:fees', 1)], reference => 'D-1')),
    ('exchange', ledger_post(ARRAY[ledger_debit('assets:yen', 500), ledger_credit('equity:yen', 500), ledger_debit('equity:capital', 4), ledger_credit('assets:bank', 4)])),
    ('wrong', ledger_post('expenses:rent', 'assets:bank', 70)), ('half', ledger_post('expenses:rent', 'assets:bank', 80)), ('right', ledger_post('expenses:rent', 'assets:bank', 90));
INSERT INTO t.ids SELECT 'undo', ledger_reverse(id, 'Wrong') FROM t.ids WHERE name = 'wrong';
INSERT INTO t.ids SELECT 'undo half', ledger_reverse(id, 'Half', 40) FROM t.ids WHERE name = 'half';
INSERT INTO t.ids SELECT 'undo right', ledger_reverse(id, 'Wrong?') FROM t.ids WHERE name = 'right';
INSERT INTO t.ids SELECT 'redo right', ledger_reverse(id, 'Right') FROM t.ids WHERE name = 'undo right';
INSERT INTO t.ids SELECT 'hold', ledger_hold('liabilities:bob', 'income:fees', 9);
INSERT INTO t.ids SELECT 'capture', ledger_capture(id) FROM t.ids WHERE name = 'hold';

-- The names of what is found, newest first: "fee, rent, capital".
CREATE FUNCTION t.found(filters text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    names text;
BEGIN
    EXECUTE format('SELECT string_agg(i.name, '', '' ORDER BY f.ordinality) FROM ledger_find_transactions(%s) WITH ORDINALITY f JOIN t.ids i ON i.id = f.transaction_id', filters) INTO names;
    RETURN names;
END $$;
SELECT is((SELECT string_agg(transaction_id::text, ',') FROM ledger_find_transactions()), (SELECT string_agg(id::text, ',' ORDER BY id DESC) FROM ledger.transactions), 'without filters everything, newest first');
SELECT results_eq($$SELECT posted_at, effective_at, type, reference, description, amount::text, currency, accounts, status, reverses, hold, metadata::text, created_by FROM ledger_find_transactions(reference => 'C%1')$$,
    $$SELECT posted_at, timestamptz '2024-01-01Z', type, 'C%1', 'Capital', '1000.00', 'USD', '{assets:bank,equity:capital}'::text[], 'posted', NULL::uuid, NULL::uuid, metadata::text, created_by FROM ledger.transactions WHERE reference = 'C%1'$$,
    'what a row has');
SELECT is(t.found(filters), expected, filters) FROM (VALUES
    ($$reference => 'C_1'$$, 'rent'), ($$reference => 'C'$$, NULL), ($$reference_prefix => 'C'$$, 'fee, rent, capital'), ($$reference_prefix => 'C%'$$, 'capital'), ($$reference_prefix => 'C_'$$, 'rent'),
    ($$reference_prefix => ''$$, 'many, fee, rent, capital'), ($$reference => ''''' OR true --'$$, NULL),
    ($$effective_from => '2024-01-01Z', effective_to => '2024-02-01Z'$$, 'capital'), ($$effective_to => '2024-02-02Z'$$, 'rent, capital'), ($$effective_to => '2020-01-01'$$, NULL),
    ($$posted_to => '2020-01-01'$$, NULL), ($$posted_from => '2200-01-01'$$, NULL), ($$posted_from => '-infinity', posted_to => 'infinity', reference => 'C11'$$, 'fee'),
    ($$account => 'assets:yen'$$, 'exchange, yen'), ($$account => 'assets:dinar'$$, NULL), ($$account => 'liabilities:bob'$$, 'capture, many'),
    ($$min_amount => 500$$, 'exchange, capital'), ($$max_amount => 4$$, 'exchange'), ($$min_amount => 25.5, max_amount => 30$$, 'many, fee'), ($$min_amount => 300, max_amount => 300.00$$, 'yen, rent'),
    ($$min_amount => 5, max_amount => 499, account => 'equity:yen'$$, 'yen'),
    ($$metadata => '{"a": 1}'$$, 'capital'), ($$metadata => '{"b": {"c": [2]}}'$$, 'capital'), ($$metadata => '{}'$$, 'rent, capital'), ($$metadata => '{"x": null}'$$, NULL),
    ($$status => 'reversed'$$, 'undo right, wrong'), ($$status => 'partly_reversed'$$, 'half'), ($$status => 'posted', account => 'expenses:rent'$$, 'redo right, undo half, undo, right, rent'),
    ($$created_by => 'nobody'$$, NULL), ($$created_by => session_user, reference => 'C11'$$, 'fee'), ($$type => 'x'$$, NULL),
    ($$reference => 'C11', account => 'assets:bank', status => 'posted', min_amount => 1, max_amount => 30, posted_from => '2000-01-01', created_by => session_user$$, 'fee')) x (filters, expected);
SELECT results_eq($$SELECT amount::text, currency, accounts FROM ledger_find_transactions(reference => 'D-1')$$, $$VALUES ('30.00', 'USD', '{assets:bank,assets:cash,liabilities:bob,income:fees}'::text[])$$, 'the amount is the sum of the debits');
SELECT results_eq($$SELECT f.amount, f.currency FROM ledger_find_transactions() f JOIN t.ids i ON i.id = f.transaction_id AND i.name = 'exchange'$$, $$VALUES (NULL::numeric, NULL::text)$$, 'of several currencies there is none');
SELECT is((SELECT f.hold FROM ledger_find_transactions() f JOIN t.ids i ON i.id = f.transaction_id AND i.name = 'capture'), (SELECT id FROM t.ids WHERE name = 'hold'), 'a capture names its hold');
SELECT is_empty($$SELECT f.transaction_id, f.status, h.to_status FROM ledger_find_transactions() f
    LEFT JOIN LATERAL (SELECT to_status FROM ledger.transaction_history h WHERE h.transaction_id = f.transaction_id AND to_status <> 'forced' ORDER BY h.id DESC LIMIT 1) h ON true
    WHERE f.status <> coalesce(h.to_status, 'posted')$$, 'the status is that of the history');

-- By posting time, to the microsecond; pages.
SELECT posted_at AS second FROM ledger.transactions WHERE reference = 'C_1' \gset
SELECT is(t.found(format('posted_to => %L', :'second')), 'capital', 'posted before, exclusive');
SELECT is(t.found(format('posted_from => %L, posted_to => timestamptz %L + interval ''1 microsecond''', :'second', :'second')), 'rent', 'posted from, inclusive');
SELECT posted_at AS undone FROM ledger.transactions t JOIN t.ids i USING (id) WHERE i.name = 'undo' \gset
SELECT is((SELECT string_agg(f.status, ',') FROM ledger_find_transactions(posted_to => :'undone', status => 'reversed') f JOIN t.ids i ON i.id = f.transaction_id AND i.name = 'wrong'), 'reversed',
          'a range does not hide what was reversed after it');
CREATE FUNCTION t.pages(page int) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    behind text;
    found_id uuid;
    page_rows int;
BEGIN
    LOOP
        page_rows := 0;
        FOR found_id, behind IN SELECT f.transaction_id, f.cursor FROM ledger_find_transactions(after => behind, "limit" => page) f LOOP
            page_rows := page_rows + 1;
            RETURN NEXT found_id;
        END LOOP;
        EXIT WHEN page_rows < page;
    END LOOP;
END $$;
SELECT results_eq(format('SELECT * FROM t.pages(%s)', page), 'SELECT id FROM ledger.transactions ORDER BY id DESC', 'pages of ' || page) FROM unnest('{1,2,5,100}'::int[]) page;

-- Bad input.
SELECT cursor AS good FROM ledger_find_transactions("limit" => 1) \gset
SELECT cursor AS of_statement FROM ledger_statement('assets:bank', "limit" => 1) \gset
SELECT t.refused('SELECT * FROM ledger_find_transactions(' || filters || ')', expected, filters) FROM (VALUES
    ($$status => 'open'$$, 'LF015 invalid_argument'), ($$min_amount => 'NaN'$$, 'LF001 invalid_amount'), ($$max_amount => 'Infinity'$$, 'LF001 invalid_amount'), ($$min_amount => 2, max_amount => 1$$, 'LF015 invalid_argument'),
    ($$metadata => '[1]'$$, 'LF011 invalid_metadata'), ($$metadata => '1'$$, 'LF011 invalid_metadata'), ($$posted_from => '2024-02-01', posted_to => '2024-01-01'$$, 'LF015 invalid_argument'),
    ($$effective_from => '2024-02-01', effective_to => '2024-01-01'$$, 'LF015 invalid_argument'), ($$account => 'nobody'$$, 'LF023 account_not_found'), ($$"limit" => 0$$, 'LF015 invalid_argument'),
    ($$"limit" => 1000000$$, 'LF015 invalid_argument'), (format('after => %L', left(:'good', 20)), 'LF019 invalid_cursor'), (format('after => %L', :'of_statement'), 'LF019 invalid_cursor'),
    ($$ledger => 'nowhere'$$, 'LF020 ledger_not_found')) x (filters, expected);
CREATE ROLE search_stranger;
SELECT t.refused('SELECT * FROM ledger_find_transactions()', '42501', 'a stranger may not', 'search_stranger');

SELECT * FROM finish();
ROLLBACK;
