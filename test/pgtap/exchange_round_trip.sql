-- What ledger_export writes, ledger_import reads back: the same accounts, balances, dates, texts and metadata.
BEGIN;
\ir include/books.sql
\ir include/exchange.sql
SELECT plan(34);
SET LOCAL timezone = 'Asia/Kolkata';
INSERT INTO ledger.currencies (code, scale, name) VALUES ('BTC-X.1', 24, 'Not "Bitcoin", no; really'), ('usd', 4, NULL), ('POINTS', 0, NULL), ('TRUE', 1, NULL), ('9', 2, NULL), ('x', 3, NULL),
    ('ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345', 2, NULL), ('ABCDEFGHIJKLMNOPQRSTUVWXYZ-12346', 2, NULL);
INSERT INTO ledger.account_types (code, normal_side) VALUES ('wallet', 'credit'), ('locker', 'debit');
SELECT ledger_open_account(code, type, currency, name, metadata => metadata) FROM (VALUES
    ('a:b.c-d_e@f+g/h', 'wallet', 'BTC-X.1', NULL, NULL::jsonb), ('A:b.c-d_e@f+g/h', 'wallet', 'BTC-X.1', E'two\nlines, "quoted"; #1', '{"type": "x", "k": 1, "code": "9"}'),
    ('1/2', 'locker', 'usd', '', '{"note": "a, b: c", "list": [1, [2024, "[x]"]], "empty": "", "null": null, "yes": true}'), ('@x', 'asset', 'usd', ' ', NULL),
    ('assets', 'asset', 'USD', 'Only a root', NULL), ('assets:bank:sub', 'asset', 'USD', NULL, NULL), ('assets:bank:sub:eur', 'asset', 'EUR', NULL, NULL),
    ('Assets:bank', 'asset', 'USD', NULL, NULL), ('ASSETS:bank', 'asset', 'USD', NULL, NULL), ('equity:eur', 'equity', 'EUR', NULL, NULL), ('liabilities:x', 'asset', 'POINTS', NULL, NULL), ('p', 'equity', 'POINTS', NULL, NULL),
    ('t', 'equity', 'TRUE', NULL, NULL), ('n', 'equity', '9', NULL, NULL), ('i', 'income', 'x', NULL, NULL),
    ('long1', 'asset', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345', NULL, NULL), ('long2', 'asset', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ-12346', NULL, NULL), (repeat('z', 255), 'asset', 'USD', repeat('n', 10000), NULL)) AS v (code, type, currency, name, metadata) \g /dev/null

CREATE FUNCTION t.nasty() RETURNS text[] LANGUAGE sql AS $$
    SELECT ARRAY['', ' ', 'plain', ' leading', 'trailing ', E'tab\there', E'new\nline', E'\r', E'two\n\nempty', '"quoted"', '"', $q$'$q$, '\', 'back\slash\n', ';', 'a ; b', 'a  ; b', '; a', '* flagged', '! x', '(code) x', '=x', '@', '#tag ^link',
                 '[2024-01-01]', '[2024/13/40]', 'date:2024-99-99', 'key: value, other: [=1]', ':a:b:', '{"a": 1}', '{', 'Größe 😀 日本語', U&'\00A0nbsp\00A0', U&'\2028', E'\x01\x7f', 'a,b', 'a | b', '%', '&', '~', 'end comment', 'comment',
                 repeat('long ', 2000), repeat('"\', 5000), repeat('é', 5000), repeat(U&'\+01F600', 2500), 'null', 'NULL', 'TRUE', '2024-01-01', '1,000.00', E'a\u0085b']
$$;
SELECT count(ledger_post('assets:bank', 'equity:capital', 1 + n / 100.0, reference => nullif(left(text, 60), ''), description => text, effective_at => '2024-01-01'::timestamptz + n * interval '1 day'))
  FROM unnest(t.nasty()) WITH ORDINALITY AS x (text, n) \g /dev/null
SELECT count(ledger_post('assets:bank', 'equity:capital', 1, description => NULL, effective_at => '2024-01-01', metadata => jsonb_build_object('text', text, 'payee', text, 'uuid', text, 'date', text, 'value', text, 'k e y', text, 'type', text, 'id', text,
        'reference', text, 'description', text, 'effective_at', text, 'metadata', text, 'flag', left(text, 1), 'X-1_y', text, 'tags', jsonb_build_array(left(text, 50)), 'n', n, '', text, 'lineno', 1, 'list', jsonb_build_array(n, text, NULL, '{}'::jsonb))))
  FROM unnest(t.nasty()) WITH ORDINALITY AS x (text, n) WHERE length(text) < 200 \g /dev/null
SELECT ledger_post('assets:bank', 'equity:capital', 0.01, metadata => m) FROM unnest(ARRAY['{"tags": ["a", "b-1"], "links": ["l/1"], "payee": "Bob", "flag": "!"}', '{"tags": ["a", "a"], "links": "l", "payee": 5, "flag": "x"}', '{"tags": [], "links": [1]}', '{"tags": ["a b"]}',
        '{"deep": [[[[{"a": [{}, [], ""]}]]]], "number": 1e30, "exact": 0.10, "uni": "\u00e9\ud83d\ude00"}', '{"flag": "!"}', '{"big": 123456789012345678901234567890.123456789}']::jsonb[]) m \g /dev/null
SELECT ledger_post('a:b.c-d_e@f+g/h', 'A:b.c-d_e@f+g/h', 12345678901234.000000000000000000000001, effective_at => '2024-05-01 10:30:00.123456Z'),
       ledger_post('a:b.c-d_e@f+g/h', 'A:b.c-d_e@f+g/h', 0.000000000000000000000001, effective_at => '2024-05-01'), ledger_post('1/2', '@x', 0.0001, effective_at => '0001-01-05'), ledger_post('@x', '1/2', 99999999.9999, effective_at => '9999-12-30'),
       ledger_post(ARRAY[ledger_debit('assets:bank:sub', 1), ledger_credit('assets:bank', 0.4), ledger_credit('assets', 0.6), ledger_debit('assets:bank:sub:eur', 2), ledger_credit('equity:eur', 2),
                         ledger_debit('liabilities:x', 3), ledger_credit('p', 3), ledger_debit('assets:bank:sub', 1), ledger_credit('assets:bank:sub', 0.5), ledger_credit('ASSETS:bank', 0.5)], 'key', 'all at once', effective_at => '2024-02-29 23:59:59.999999'),
       ledger_post('Assets:bank', 'ASSETS:bank', 7, effective_at => '1969-12-31 23:59:59'), ledger_post(repeat('z', 255), 'assets', 10000000000), ledger_post('assets:yen', 'equity:yen', 5), ledger_post('assets:dinar', 'equity:dinar', 0.125) \g /dev/null
SELECT ledger_reverse(ledger_post('assets:bank', 'equity:capital', 50), 'wrong; "really"') \g /dev/null
SELECT ledger_capture(ledger_hold('assets:bank', 'equity:capital', 50), 20) \g /dev/null

-- Keys of hledger's and ledger's own, and years before 1400, which ledger has no dates for.
SELECT throws_like($$SELECT ledger_export('ledger')$$, '%has no date%', 'ledger has no dates before 1400');
SELECT t.verdict(t.attempt($$SELECT ledger_export('ledger')$$)) = 'LF012 invalid_effective_at' AS refused \gset
SELECT ok(:'refused', 'which is refused');

CREATE FUNCTION t.round_trip(format text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    target name := 'copy_' || format;
    file text;
    counts record;
BEGIN
    PERFORM ledger_create(target);
    EXECUTE format($q$INSERT INTO %I.account_types (code, normal_side) VALUES ('wallet', 'credit'), ('locker', 'debit')$q$, target);
    file := t.export(format);
    SELECT * INTO counts FROM ledger_import(file, format, ledger => target, key_prefix => 'copy ');
    RETURN NEXT is((counts.transactions, counts.replayed, counts.entries)::text, (SELECT (count(DISTINCT e.transaction_id), 0, count(*))::text FROM ledger.entries e), format || ': all are posted');
    -- What a reversal or capture belongs to is kept as metadata.
    RETURN NEXT set_eq(format('SELECT t.transactions(%L)', target), $q$
        SELECT concat_ws(' | ', effective_at, quote_nullable(reference), quote_nullable(description),
                         coalesce(metadata, '{}') || jsonb_strip_nulls(jsonb_build_object('reverses', reverses, 'hold', hold)),
                         string_agg(concat_ws(' ', line, account, debit, '/', credit, currency), ', ' ORDER BY line))
          FROM ledger.journal GROUP BY transaction_id, effective_at, reference, description, metadata, reverses, hold$q$, format || ': the same transactions');
    RETURN NEXT is_empty(format($q$SELECT * FROM ledger_verify(%L)$q$, target), format || ': the copy is sound');
    RETURN NEXT is((SELECT (i.transactions, i.replayed, i.accounts_opened)::text FROM ledger_import(file, format, ledger => target, key_prefix => 'copy ') i),
        (SELECT (0, count(*), 0)::text FROM ledger.transactions), format || ': again, and nothing is posted twice');
END $$;
SELECT t.round_trip('hledger');
SELECT set_eq($$SELECT t.accounts('copy_hledger')$$, $$SELECT t.accounts('ledger')$$, 'hledger: the same accounts');
SELECT t.round_trip('beancount');
SELECT set_eq($$SELECT t.accounts('copy_beancount')$$, $$SELECT t.accounts('ledger')$$, 'beancount: the same accounts');
SELECT t.round_trip('csv');
SELECT set_eq($$SELECT account, type, currency, balance FROM copy_csv.balances$$, $$SELECT account, type, currency, balance FROM ledger.balances WHERE version > 0$$, 'csv: the same accounts, but those without entries');

-- ledger, without what it cannot date.
SELECT ledger_create('modern') \g /dev/null
INSERT INTO modern.account_types (code, normal_side) VALUES ('wallet', 'credit'), ('locker', 'debit');
SELECT ledger_import(replace(t.export('hledger', 'ledger'), '0001-01-05', '1400-01-05'), 'hledger', ledger => 'modern') \g /dev/null
SELECT ledger_create('copy') \g /dev/null
INSERT INTO copy.account_types (code, normal_side) VALUES ('wallet', 'credit'), ('locker', 'debit');
SELECT ledger_import(t.export('ledger', 'modern'), 'ledger', ledger => 'copy') \g /dev/null
SELECT set_eq($$SELECT t.transactions('copy')$$, $$SELECT t.transactions('modern')$$, 'ledger: the same transactions');
SELECT set_eq($$SELECT t.accounts('copy')$$, $$SELECT t.accounts('modern')$$, 'ledger: the same accounts');

-- Lines: no control characters but the ends of lines, and no line that ledger would not read.
SELECT is((SELECT max(octet_length(l)) < 4096 FROM ledger_export('ledger', '1400-02-01') l), true, 'no line is longer than ledger reads');
SELECT is_empty($$SELECT l FROM ledger_export('hledger') l WHERE l ~ '[\x01-\x08\x0a-\x1f]'$$, 'hledger: no control characters');
SELECT is_empty($$SELECT l FROM ledger_export('beancount') l WHERE l ~ '[\n\r]'$$, 'beancount: each row is a line');

-- Periods are half open; balances are told only from the beginning.
SELECT is((SELECT count(*) FROM ledger_export('csv', '2024-02-29', '2024-03-01')), (SELECT 1 + count(*) FROM ledger.journal WHERE effective_at >= '2024-02-29' AND effective_at < '2024-03-01'), 'from is in it, to is not');
SELECT is((SELECT count(*) FROM ledger_export('hledger', '2024-02-29', '2024-03-01') l WHERE l LIKE '% = %'), 0::bigint, 'a journal from the middle states no balances');
SELECT is((SELECT count(*) FROM ledger_export('hledger', NULL, '2024-03-01') l WHERE l LIKE '    %  0%= %'), (SELECT count(*) FROM ledger.accounts), 'one from the beginning does');
SELECT ledger_create('early') \g /dev/null
INSERT INTO early.account_types (code, normal_side) VALUES ('wallet', 'credit'), ('locker', 'debit');
SELECT is((SELECT balances_checked FROM ledger_import((SELECT string_agg(l, E'\n') FROM ledger_export('hledger', NULL, '2024-01-15') l), 'hledger', ledger => 'early')), (SELECT count(*) FROM ledger.accounts), 'of that time');
SELECT is((SELECT balance FROM early.balances WHERE account = 'assets:bank'), (SELECT sum(coalesce(debit, 0) - coalesce(credit, 0)) FROM ledger.journal WHERE account = 'assets:bank' AND effective_at < '2024-01-15'), 'with the balance of that time');
SELECT results_eq($$SELECT ledger_export('csv', 'tomorrow', 'tomorrow')$$, $$SELECT 'transaction,line,date,effective_at,account,type,currency,debit,credit,reference,description,metadata'$$, 'nothing in it');

-- Dates are those of the session's time zone.
SELECT is((SELECT count(*) FROM ledger_export('hledger') l WHERE l LIKE '%; effective_at: %'), (SELECT count(*) FROM ledger.transactions WHERE effective_at <> date_trunc('day', effective_at)), 'exact times stand where they are not midnight');
SELECT ledger_post('assets:bank', 'equity:capital', 1, description => 'New Year in India', effective_at => '2025-01-01') \g /dev/null
SELECT ok(EXISTS (SELECT FROM ledger_export('hledger') l WHERE l = '2025-01-01 * New Year in India'), 'a day of the time zone');
SET LOCAL timezone = 'UTC';
SELECT ok(EXISTS (SELECT FROM ledger_export('hledger') l WHERE l = '2024-12-31 * New Year in India'), 'another day in another one');
SELECT ok(EXISTS (SELECT FROM ledger_export('hledger') l WHERE l = '    ; effective_at: 2024-12-31 18:30:00.000000+00'), 'with its time');

-- There is no day after the last one at whose start beancount could be told a balance.
SELECT ok(EXISTS (SELECT FROM ledger_export('beancount') l WHERE l ~ '^\d{4}-\d{2}-\d{2} balance '), 'beancount: balances of the day after');
SELECT ledger_post('assets:bank', 'equity:capital', 1, effective_at => '9999-12-31 23:59:59') \g /dev/null
SELECT is_empty($$SELECT l FROM ledger_export('beancount') l WHERE l ~ '^\d{5}' OR l ~ '^9999.* balance '$$, 'beancount: none after the end of all dates');
SELECT * FROM finish();
ROLLBACK;
