-- What a posting can carry: reference, description, time, metadata; and the version it expects.
BEGIN;
\ir include/books.sql
SELECT plan(43);

SELECT ledger_post('assets:bank', 'income:fees', 5, 'key-1', 'INV-1', 'Café, 2 × espresso', '2024-02-29 12:00:00.123456+02',
                   '{"order": 17, "tags": ["x"]}') AS id \gset
SELECT results_eq(format('SELECT reference, description, effective_at, metadata::text FROM ledger.transactions WHERE id = %L', :'id'),
    $$VALUES ('INV-1', 'Café, 2 × espresso', timestamptz '2024-02-29 10:00:00.123456+00', '{"tags": ["x"], "order": 17}')$$, 'all of it, by position');
SELECT is((SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'key-1'), :'id'::uuid, 'the key is kept beside it');
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 5), ledger_credit('income:fees', 5)], 'key-2', 'INV-2', 'Two', '2024-03-01Z', '{}') AS id2 \gset
SELECT results_eq(format('SELECT reference, description, effective_at, metadata::text FROM ledger.transactions WHERE id = %L', :'id2'),
    $$VALUES ('INV-2', 'Two', timestamptz '2024-03-01Z', '{}')$$, 'the same with lines');
SELECT post_transfer('assets:bank', 'income:fees', 5, metadata => '{"a": null}', reference => 'INV-3') AS id3 \gset
SELECT results_eq(format('SELECT reference, description, metadata::text FROM ledger.transactions WHERE id = %L', :'id3'),
    $$VALUES ('INV-3', NULL, '{"a": null}')$$, 'and with post_transfer, by name');

-- References.
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 5, reference => 'INV-1')$$, 'LF028 duplicate_reference', 'a reference belongs to one transaction');
SELECT is((t.attempt($$SELECT ledger_post('assets:bank', 'income:fees', 5, reference => 'INV-1')$$)).detail, 'It belongs to transaction ' || :'id' || '.', 'which is named');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 5, 'key-9', 'INV-1')$$, 'LF028 duplicate_reference', 'a new key does not help');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, reference => 'inv-1')$$, 'references are told apart by case');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, reference => NULL), ledger_post('assets:bank', 'income:fees', 5)$$, 'any number without one');
SELECT t.allowed(format($$SELECT ledger_post('assets:bank', 'income:fees', 5, reference => %L)$$, repeat('r', 255)), '255 bytes');
SELECT t.refused(format($$SELECT ledger_post('assets:bank', 'income:fees', 5, reference => %L)$$, repeat('r', 256)), 'LF009 invalid_reference', '256 bytes');
SELECT t.refused(format($$SELECT ledger_post('assets:bank', 'income:fees', 5, reference => %L)$$, repeat('ä', 128)), 'LF009 invalid_reference', '128 characters of two bytes');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 5, reference => '')$$, 'LF009 invalid_reference', 'an empty one');

-- Descriptions.
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, description => '')$$, 'an empty description');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, description => repeat('x', 10000))$$, 'one of 10,000 bytes');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 5, description => repeat('x', 10001))$$, 'LF010 invalid_description', 'one of 10,001');

-- Effective times.
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, effective_at => '1970-01-01')$$, 'long ago');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, effective_at => '4713-01-01 BC')$$, 'longer ago');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, effective_at => '2999-12-31')$$, 'far ahead');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 5, effective_at => 'infinity')$$, 'LF012 invalid_effective_at', 'never');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 5, effective_at => '-infinity')$$, 'LF012 invalid_effective_at', 'always');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, 'the end', effective_at => '294246-12-31 23:59:59Z')$$, 'so far ahead as the ledger counts');
SELECT is((t.attempt($$SELECT ledger_post('assets:bank', 'income:fees', 5, 'the end')$$)).detail,
          'Stored effective_at: 294246-12-31 23:59:59.000000+00; sent: none.', 'and shown as it was sent');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 5, effective_at => '294276-12-31 23:59:59Z')$$, 'LF012 invalid_effective_at', 'further ahead');
SELECT is((SELECT count(*) FROM ledger.transactions WHERE effective_at < '1970-01-02' AND posted_at < now()), 0::bigint, 'when it was posted stays the truth');

-- Metadata.
SELECT t.refused(format('SELECT ledger_post(%L, %L, 5, metadata => %L)', 'assets:bank', 'income:fees', json), 'LF011 invalid_metadata', 'not an object: ' || json)
  FROM (VALUES ('[]'), ('[{"a": 1}]'), ('7'), ('"text"'), ('true'), ('null')) AS x (json);
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'income:fees', 5, metadata => jsonb_build_object('x', repeat('x', 65000)))$$, 'a large object');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 5, metadata => jsonb_build_object('x', repeat('x', 65536)))$$, 'LF011 invalid_metadata', 'one of more than 64 KiB');

-- expected_version: of the debited account, or of the first line's.
SELECT t.allowed($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1, expected_version => 0)$$, 'the expected version: nobody has posted yet');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1, expected_version => 0)$$, 'LF046 version_conflict', 'now somebody has');
SELECT is((t.attempt($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1, expected_version => 0)$$)),
          ('LF046', 'version_conflict', 'account "liabilities:bob" is not at the expected version', 'Version 1, expected 0.',
           'Read the account again and decide anew.')::t.outcome, 'both versions are told');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1, expected_version => 2)$$, 'LF046 version_conflict', 'a version that is yet to come');
SELECT t.refused($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1, expected_version => -1)$$, 'LF046 version_conflict', 'a version that never was');
SELECT t.allowed($$SELECT ledger_post('liabilities:bob', 'assets:bank', 1, expected_version => 1)$$, 'the right one');
SELECT t.allowed($$SELECT ledger_post(ARRAY[ledger_credit('liabilities:bob', 1), ledger_debit('assets:bank', 1)], expected_version => 2)$$, 'of the first line''s account');
SELECT t.refused($$SELECT ledger_post(ARRAY[ledger_credit('liabilities:bob', 1), ledger_debit('assets:bank', 1)], expected_version => 2)$$, 'LF046 version_conflict', 'which has moved on');
SELECT is(t.figures('liabilities:bob'), '2.00 | 1.00 | 3', 'what was refused has left no trace');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
