-- The same key never posts twice; with another request it is a conflict that names the field.
BEGIN;
\ir include/books.sql
SELECT plan(43);

SELECT ledger_post('assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}') AS id \gset
SELECT t.fingerprint() AS before \gset
SELECT is(ledger_post('assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'), :'id'::uuid, 'the same request: the same id');
SELECT is(ledger_post('assets:bank', 'liabilities:alice', 10.000, 'key', 'REF', 'Deposit', '2024-05-01 14:00+02', '{"b":[true,null],"a":1.0}'), :'id'::uuid, 'the same request, written otherwise');
SELECT is(post_transfer('assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'), :'id'::uuid, 'or as a transfer');
SELECT is(ledger_post(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('liabilities:alice', 10)], 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'), :'id'::uuid, 'or as lines');
SELECT is(ledger_post('assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}', expected_version => 0), :'id'::uuid, 'an expected version was met then');
SELECT is(t.fingerprint(), :'before', 'and nothing is written');

-- Conflicts: what differs, what was stored, what was sent.
CREATE FUNCTION pg_temp.conflict(arguments text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' / ', t.verdict(o), o.message, o.detail, o.hint) FROM t.attempt('SELECT ledger_post(' || arguments || ')') o
$$;
SELECT is(pg_temp.conflict(arguments),
          format('LF047 idempotency_conflict / idempotency key "key" was used for a different request: %1$s differs / Stored %1$s: %2$s; sent: %3$s. / '
                 'Use a new key for a new request; a retry must repeat the first request exactly.', field, stored, sent), 'conflict: ' || why)
  FROM (VALUES
    ($$'assets:bank', 'liabilities:alice', 10.01, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'amount', '10.00 USD', '10.01 USD', 'amount'),
    ($$'assets:cash', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'debit account', '"assets:bank"', '"assets:cash"', 'debited account'),
    ($$'assets:bank', 'liabilities:bob', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'credit account', '"liabilities:alice"', '"liabilities:bob"', 'credited account'),
    ($$'liabilities:alice', 'assets:bank', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'debit account', '"assets:bank"', '"liabilities:alice"', 'direction'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', 'REF-2', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'reference', '"REF"', '"REF-2"', 'reference'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', NULL, 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'reference', '"REF"', 'none', 'no reference'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'description', '"Deposit"', '"deposit"', 'description'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', 'REF', '', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'description', '"Deposit"', '""', 'empty description'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00:00.000001Z', '{"a": 1, "b": [true, null]}'$$, 'effective_at', '2024-05-01 12:00:00.000000+00', '2024-05-01 12:00:00.000001+00', 'effective time'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', NULL, '{"a": 1, "b": [true, null]}'$$, 'effective_at', '2024-05-01 12:00:00.000000+00', 'none', 'no effective time'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 2, "b": [true, null]}'$$, 'metadata', '{"a": 1, "b": [true, null]}', '{"a": 2, "b": [true, null]}', 'metadata'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1}'$$, 'metadata', '{"a": 1, "b": [true, null]}', '{"a": 1}', 'less metadata'),
    ($$'assets:bank', 'liabilities:alice', 10, 'key', 'REF', 'Deposit', '2024-05-01 12:00Z'$$, 'metadata', '{"a": 1, "b": [true, null]}', 'none', 'no metadata'),
    ($$ARRAY[ledger_debit('assets:bank', 10), ledger_credit('liabilities:alice', 9), ledger_credit('liabilities:bob', 1)], 'key', 'REF', 'Deposit', '2024-05-01 12:00Z', '{"a": 1, "b": [true, null]}'$$, 'number of lines', '2', '3', 'number of lines')
  ) AS x (arguments, field, stored, sent, why);

-- A plain request: what was left out then and is sent now.
SELECT ledger_post('assets:bank', 'liabilities:alice', 10, 'plain') AS plain \gset
SELECT is(ledger_post('assets:bank', 'liabilities:alice', 10, 'plain'), :'plain'::uuid, 'a plain request again');
SELECT is(pg_temp.conflict(arguments), format('LF047 idempotency_conflict / idempotency key "plain" was used for a different request: %1$s differs / Stored %1$s: none; sent: %2$s. / '
                 'Use a new key for a new request; a retry must repeat the first request exactly.', field, sent), 'conflict: ' || field || ' where there was none')
  FROM (VALUES ($$'assets:bank', 'liabilities:alice', 10, 'plain', 'NEW'$$, 'reference', '"NEW"'),
               ($$'assets:bank', 'liabilities:alice', 10, 'plain', NULL, 'New'$$, 'description', '"New"'),
               ($$'assets:bank', 'liabilities:alice', 10, 'plain', metadata => '{}'$$, 'metadata', '{}')) AS x (arguments, field, sent);
SELECT t.refused($$SELECT ledger_post('assets:bank', 'liabilities:alice', 10, 'plain', effective_at => '2024-01-01')$$, 'LF047 idempotency_conflict', 'conflict: an effective time where there was none');

-- Lines.
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:alice', 1), ledger_credit('liabilities:bob', 2)], 'lines') AS lines \gset
SELECT is(ledger_post(ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:alice', 1), ledger_credit('liabilities:bob', 2)], 'lines'), :'lines'::uuid, 'lines again');
SELECT is(split_part(pg_temp.conflict($$ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:bob', 2), ledger_credit('liabilities:alice', 1)], 'lines'$$), ' / ', 3),
          'Stored line 2 account: "liabilities:alice"; sent: "liabilities:bob".', 'in another order');
SELECT is(split_part(pg_temp.conflict($$ARRAY[ledger_debit('assets:bank', 4), ledger_credit('liabilities:alice', 1), ledger_credit('liabilities:bob', 3)], 'lines'$$), ' / ', 3),
          'Stored line 1 amount: 3.00 USD; sent: 4.00 USD.', 'with other amounts');

-- A retry is answered whatever has become of the accounts; so late an answer needs no money.
SELECT ledger_post('liabilities:alice', 'assets:bank', 21, 'all of it') AS spent \gset
SELECT is(ledger_available('liabilities:alice'), 0.00, 'all is spent');
SELECT is(ledger_post('liabilities:alice', 'assets:bank', 21, 'all of it'), :'spent'::uuid, 'the retry is answered without a second debit');
SELECT ledger_close_account('liabilities:alice') \g /dev/null
SELECT is(ledger_post('liabilities:alice', 'assets:bank', 21, 'all of it'), :'spent'::uuid, 'on a closed account too');
SELECT t.refused($$SELECT ledger_post('liabilities:alice', 'assets:bank', 20, 'all of it')$$, 'LF047 idempotency_conflict', 'a conflict is found before the account''s state');

-- What was refused has not used its key up.
SELECT t.refused($$SELECT ledger_post('assets:bank', 'assets:cash', 1, 'again')$$, 'LF040 insufficient_balance', 'a request that is refused');
SELECT t.allowed($$SELECT ledger_post('assets:cash', 'assets:bank', 1, 'again')$$, 'leaves its key for another');

-- Keys as such.
SELECT t.allowed(format('SELECT ledger_post(%L, %L, 1, %L)', 'assets:bank', 'liabilities:bob', key), 'key: ' || why)
  FROM (VALUES ('x', 'one byte'), (repeat('k', 255), '255 bytes'), (' ', 'a space'), ('ключ-🔑', 'letters of any kind'), ('''; --', 'quotes'),
               ('KEY', 'keys are told apart by case'), (E'a\nb', 'two lines')) AS x (key, why);
SELECT is((SELECT count(*) FROM ledger.idempotency_keys), 12::bigint, 'each is kept');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
