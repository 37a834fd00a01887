-- Transactions written by plain SQL: INSERT, INSERT ... SELECT and COPY end with the guarantees of ledger_post().
BEGIN;
\ir include/books.sql
SELECT plan(32);
SELECT id AS bank FROM ledger.accounts WHERE code = 'assets:bank' \gset
SELECT id AS capital FROM ledger.accounts WHERE code = 'equity:capital' \gset

-- One transaction, its id made by the ledger.
INSERT INTO ledger.transactions (description, metadata) VALUES ('By hand', '{"raw": true}') RETURNING id \gset
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'id', 1, :bank, 12.5), (:'id', 2, :capital, -12.50);
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE', 'a balanced pair of entries');
SET CONSTRAINTS ALL DEFERRED;
SELECT is(t.figures('assets:bank'), '12.50 | 0.00 | 1', 'is in the balances');
SELECT is(ledger_balance('equity:capital'), 12.50, 'on both sides');
SELECT is((SELECT array_agg(amount || ' ' || balance_after ORDER BY line) FROM ledger.entries WHERE transaction_id = :'id'), '{"12.50 12.50","-12.50 -12.50"}',
          'amounts get the scale of their currency, and balances after them');
SELECT is((SELECT last_transaction_id FROM ledger.balances WHERE account = 'assets:bank'), :'id'::uuid, 'the account knows its last transaction');
SELECT is(substr(:'id', 15, 1), '7', 'an id that was left out is a UUIDv7');
SELECT results_eq(format('SELECT created_by, xact_id, effective_at = posted_at, description FROM ledger.transactions WHERE id = %L', :'id'),
    format('SELECT %L, pg_current_xact_id(), true, %L', current_user, 'By hand'), 'the header is completed');
SELECT is(ledger_post('assets:bank', 'equity:capital', 1) > :'id'::uuid, true, 'ledger_post() goes on from there');

-- What the header claims is not believed.
INSERT INTO ledger.transactions (id, posted_at, xact_id, created_by, effective_at)
     VALUES (ledger_new_id(), '1999-01-01', '3', 'somebody', '2024-01-01Z') RETURNING id \gset
INSERT INTO ledger.entries (transaction_id, line, account_id, amount, balance_after) VALUES (:'id', 1, :bank, 1, 999), (:'id', 2, :capital, -1, 999);
SELECT results_eq(format('SELECT created_by, xact_id, posted_at > now() - interval ''1 hour'', effective_at FROM ledger.transactions WHERE id = %L', :'id'),
    format('SELECT %L, pg_current_xact_id(), true, timestamptz ''2024-01-01Z''', current_user), 'who, when and in which database transaction are the ledger''s to say');
SELECT is((SELECT array_agg(balance_after ORDER BY line) FROM ledger.entries WHERE transaction_id = :'id'), '{14.50,-14.50}', 'and so are the balances');

-- Entry by entry.
INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id \gset
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'id', 1, :bank, 1);
SELECT is(ledger_balance('assets:bank'), 15.50, 'entries count as soon as they are there');
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'id', 2, :capital, -1);
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE', 'and have to balance only in the end');
SET CONSTRAINTS ALL DEFERRED;

-- INSERT ... SELECT of many: 500 transactions of two accounts of their own.
SELECT ledger_open_account('bulk:' || n, 'asset', 'USD') FROM generate_series(1, 10) AS n \g /dev/null
CREATE TEMPORARY TABLE incoming AS SELECT n, ledger_new_id() AS id, 1 + n % 10 AS account, n / 100.0 AS amount FROM generate_series(1, 500) AS n;
INSERT INTO ledger.transactions (id, reference) SELECT id, 'bulk-' || n FROM incoming;
INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
     SELECT i.id, 1, a.id, i.amount FROM incoming i JOIN ledger.accounts a ON a.code = 'bulk:' || i.account
      UNION ALL SELECT i.id, 2, :capital, -i.amount FROM incoming i ORDER BY 1, 2;
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE', 'INSERT ... SELECT of 500 transactions');
SET CONSTRAINTS ALL DEFERRED;
SELECT is((SELECT sum(balance) FROM ledger.balances WHERE account LIKE 'bulk:%'), 1252.50, 'all of it is in the balances');
SELECT is((SELECT string_agg(version::text, ',') FROM ledger.balances WHERE account LIKE 'bulk:%'), repeat('50,', 9) || '50', 'and in the versions');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 1, reference => 'bulk-1')$$, 'LF028 duplicate_reference', 'references that came by hand are taken');

-- The order of rows within one statement does not matter.
INSERT INTO ledger.transactions SELECT ledger_new_id(), NULL, NULL, NULL, NULL, NULL, 'unordered-' || n FROM generate_series(1, 20) AS n;
INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
     SELECT id, line, account, amount FROM ledger.transactions, (VALUES (1, :bank, 2), (2, :capital, -2)) AS l (line, account, amount)
      WHERE reference LIKE 'unordered-%' ORDER BY id DESC, line DESC;
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE', 'entries in any order');
SET CONSTRAINTS ALL DEFERRED;
-- Statements of no rows.
SELECT t.allowed(format('INSERT INTO ledger.%1$I SELECT * FROM ledger.%1$I WHERE false', name), 'no rows into ' || name)
  FROM unnest('{entries,transactions,postings}'::text[]) AS name;
COPY ledger.entries FROM STDIN;
\.
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

-- COPY, with ids and times of long ago, into accounts that have no later ones.
INSERT INTO ledger.accounts (id, code, type, currency) VALUES (901, 'copied:a', 'asset', 'USD'), (902, 'copied:b', 'equity', 'USD');
COPY ledger.transactions (id, effective_at, description) FROM STDIN;
016f5e66-e800-7000-8000-000000000001	2020-01-01 00:00:00+00	First
016f5e66-e800-7000-8000-000000000002	2020-01-01 00:00:00+00	Second
016f6390-c000-7000-8000-000000000001	2020-01-02 00:00:00+00	Third
\.
COPY ledger.entries (transaction_id, line, account_id, amount) FROM STDIN;
016f5e66-e800-7000-8000-000000000001	1	901	100
016f5e66-e800-7000-8000-000000000001	2	902	-100
016f5e66-e800-7000-8000-000000000002	1	902	30
016f5e66-e800-7000-8000-000000000002	2	901	-30
016f6390-c000-7000-8000-000000000001	1	901	0.05
016f6390-c000-7000-8000-000000000001	2	902	-0.05
\.
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE', 'COPY of three transactions');
SET CONSTRAINTS ALL DEFERRED;
SELECT is(t.figures('copied:a') || ', ' || t.figures('copied:b'), '100.05 | 30.00 | 3, 30.00 | 100.05 | 3', 'is in the balances');
SELECT is((SELECT array_agg(balance_after ORDER BY transaction_id) FROM ledger.entries WHERE account_id = 901), '{100.00,70.00,70.05}', 'with the balances after each');
SELECT is((SELECT array_agg(posted_at ORDER BY id) FROM ledger.transactions WHERE description IN ('First', 'Second', 'Third')),
          '{2020-01-01 00:00:00Z,2020-01-01 00:00:00Z,2020-01-02 00:03:48.352Z}'::timestamptz[], 'posted when their ids say');

-- CSV from a program, as pg_dump and other tools deliver it.
COPY ledger.transactions (id, description) FROM PROGRAM 'echo 016f6890-0000-7000-8000-000000000001,Fourth' WITH (FORMAT csv);
COPY ledger.entries (transaction_id, line, account_id, amount) FROM PROGRAM
    'printf "016f6890-0000-7000-8000-000000000001,%s\n" 1,902,20.05 2,901,-20.05' WITH (FORMAT csv);
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE', 'COPY as CSV, from a program');
SET CONSTRAINTS ALL DEFERRED;
SELECT is(ledger_balance('copied:a'), 50.00, 'adds up');

-- Several currencies, several ledgers.
SELECT id AS yen FROM ledger.accounts WHERE code = 'assets:yen' \gset
SELECT id AS yen_equity FROM ledger.accounts WHERE code = 'equity:yen' \gset
INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id \gset
INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
     VALUES (:'id', 1, :bank, 1), (:'id', 2, :yen, 150), (:'id', 3, :yen_equity, -150), (:'id', 4, :capital, -1);
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE', 'two currencies, each of which balances');
SET CONSTRAINTS ALL DEFERRED;
-- A raw transaction and ledger_post() in one database transaction.
SELECT ledger_post('assets:bank', 'equity:capital', 1) AS posted \gset
INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id \gset
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'id', 1, :capital, 1), (:'id', 2, :bank, -1);
SELECT is(ledger_post('assets:bank', 'equity:capital', 1) > :'id'::uuid, true, 'both roads in turn');
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE', 'in one transaction of the database');
SET CONSTRAINTS ALL DEFERRED;
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');
SELECT is((SELECT sum(amount) FROM ledger.entries), 0::numeric, 'and all entries together are zero');

SELECT * FROM finish();
ROLLBACK;
