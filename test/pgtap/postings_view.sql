-- INSERT and COPY into the postings view: every row is posted, all rows of a statement or none.
BEGIN;
\ir include/books.sql
SELECT plan(31);

COPY ledger.postings (debit, credit, amount, idempotency_key, reference, description, effective_at, metadata) FROM stdin;
assets:bank	equity:capital	100.00	k1	r1	capital	2026-01-01 00:00:00+00	{"a": 1}
assets:cash	assets:bank	20	k2	\N	\N	\N	\N
expenses:rent	assets:cash	15.5	\N	\N	\N	\N	\N
\.
SELECT is(ledger_balance('assets:bank'), 80.00, 'COPY posts its rows');
SELECT is(ledger_balance('assets:cash'), 4.50, 'in their order: what a row spends may have come with one before it');
SELECT results_eq($$SELECT debit, credit, amount, reference, description, effective_at, metadata FROM ledger.postings WHERE reference = 'r1'$$,
                  $$VALUES ('assets:bank', 'equity:capital', 100.00, 'r1', 'capital', '2026-01-01 00:00:00+00'::timestamptz, '{"a": 1}'::jsonb)$$,
                  'with all that the row says');
SELECT is((SELECT count(*) FROM ledger.postings), 3::bigint, 'the view shows them');
SELECT is((SELECT count(*) FROM ledger.postings WHERE idempotency_key IS NOT NULL), 0::bigint, 'but for their keys');
SELECT is((SELECT array_agg(key ORDER BY key) FROM ledger.idempotency_keys), '{k1,k2}', 'which are kept');

COPY ledger.postings (debit, credit, amount, idempotency_key, reference, description, effective_at, metadata) FROM stdin;
assets:bank	equity:capital	100.00	k1	r1	capital	2026-01-01 00:00:00+00	{"a": 1}
assets:cash	assets:bank	20	k2	\N	\N	\N	\N
\.
SELECT is((SELECT count(*) FROM ledger.transactions), 3::bigint, 'rows that are loaded again under their keys post nothing');

SELECT t.allowed($$INSERT INTO ledger.postings (debit, credit, amount) SELECT 'assets:bank', 'equity:capital', i FROM generate_series(1, 50) i$$, 'INSERT ... SELECT');
SELECT is(ledger_balance('equity:capital'), 1375.00, 'posts as well');
SELECT t.allowed($$INSERT INTO ledger.postings (debit, credit, amount) SELECT 'assets:bank', 'equity:capital', 1 WHERE false$$, 'no rows at all');

-- Refusals name the row, and nothing is posted.
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', 1), ('assets:bank', 'nobody', 1)$$,
                 'LF023 account_not_found', 'an unknown account');
SELECT is((t.attempt($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', 1), ('assets:bank', 'nobody', 1)$$)).message,
          'row 2: account "nobody" does not exist', 'is named with its row');
SELECT is((t.attempt($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:cash', 'liabilities:alice', 1000)$$)).message,
          'row 1: limit exceeded on account "assets:cash"', 'an only row too');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', NULL)$$, 'LF001 invalid_amount', 'no amount');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', -1)$$, 'LF001 invalid_amount', 'a negative amount');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', 'NaN')$$, 'LF001 invalid_amount', 'no number');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) VALUES (NULL, 'equity:capital', 1)$$, 'LF002 invalid_account_code', 'no debit');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'assets:bank', 1)$$, 'LF003 same_account', 'one account');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:yen', 1)$$, 'LF007 currency_mismatch', 'two currencies');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount, metadata) VALUES ('assets:bank', 'equity:capital', 1, '[]')$$, 'LF011 invalid_metadata', 'metadata that is no object');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount, idempotency_key) VALUES ('assets:bank', 'equity:capital', 2, 'k1')$$, 'LF047 idempotency_conflict', 'a key of another request');
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount, reference) VALUES ('assets:bank', 'equity:capital', 2, 'r1')$$, 'LF028 duplicate_reference', 'a reference that is used');
SELECT t.refused($$UPDATE ledger.postings SET amount = 1$$, '55000', 'rows of the view are not updated');
SELECT t.refused($$DELETE FROM ledger.postings$$, '55000', 'nor deleted');

-- A failed statement leaves nothing behind in the session.
SAVEPOINT before;
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) SELECT 'assets:bank', 'equity:capital', CASE WHEN i < 10 THEN i ELSE 1 / (i - 10) END FROM generate_series(1, 10) i$$, '22012', 'rows of a statement that fails half-way');
ROLLBACK TO before;
SELECT t.allowed($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', 5)$$, 'the next statement');
SELECT is(ledger_balance('equity:capital'), 1380.00, 'posts only its own');

-- Who may post may load.
CREATE ROLE loader;
SELECT t.refused($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', 1)$$, '42501', 'without the privilege', 'loader');
SELECT ledger_grant('loader', 'poster') \g /dev/null
SELECT t.allowed($$INSERT INTO ledger.postings (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', 1)$$, 'with it', 'loader');

-- Without the trigger that ends a statement nothing is lost silently.
ALTER VIEW ledger.postings RENAME TO renamed;
SELECT t.allowed($$INSERT INTO ledger.renamed (debit, credit, amount) VALUES ('assets:bank', 'equity:capital', 1)$$, 'the view may be renamed');
SELECT is_empty($$SELECT * FROM ledger_verify() WHERE check_name <> 'guard_missing'$$, 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
