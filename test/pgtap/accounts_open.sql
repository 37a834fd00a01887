-- Opening accounts: once, again, and differently.
BEGIN;
\ir include/books.sql
SELECT plan(54);

SELECT ledger_open_account('wallet:7', 'liability', 'USD', 'Wallet 7', -10, 100, '{"tier": 1, "tags": ["a", "b"]}') AS id \gset
SELECT results_eq($$SELECT account, type, currency, name, normal_side, min_balance, max_balance, status, version, metadata::text
                      FROM ledger.balances WHERE account = 'wallet:7'$$,
    $$VALUES ('wallet:7', 'liability', 'USD', 'Wallet 7', 'credit', -10.00, 100.00, 'open', 0::bigint, '{"tags": ["a", "b"], "tier": 1}')$$,
    'an account has what it was opened with');
SELECT is((SELECT id FROM ledger.accounts WHERE code = 'wallet:7'), :id::bigint, 'its id is returned');
SELECT is((SELECT created_at FROM ledger.accounts WHERE code = 'wallet:7'), now(), 'and its time of opening kept');

-- Again.
SELECT is(ledger_open_account('wallet:7', 'liability', 'USD', 'Wallet 7', -10, 100, '{"tags": ["a", "b"], "tier": 1.0}'), :id::bigint,
          'the same again returns the same id');
SELECT is(ledger_open_account('wallet:7', 'liability', 'USD', 'Wallet 7', -10.00, 100.000, '{"tier": 1, "tags": ["a", "b"]}'), :id::bigint,
          'zeros after the point are the same limit');
SELECT is((SELECT count(*) FROM ledger.accounts WHERE code LIKE 'wallet:%'), 1::bigint, 'there is one account still');

-- Otherwise: the attribute is named, with what is there and what was sent.
CREATE FUNCTION pg_temp.difference(arguments text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' / ', o.condition, o.message, o.detail)
      FROM t.attempt('SELECT ledger_open_account(''wallet:7'', ' || arguments || ')') o
$$;
SELECT is(pg_temp.difference($$'asset', 'USD', 'Wallet 7', -10, 100, '{"tier": 1, "tags": ["a", "b"]}'$$),
    'account_exists / account "wallet:7" is open already with another type / It has type "liability"; sent: "asset".', 'another type');
SELECT is(pg_temp.difference($$'liability', 'EUR', 'Wallet 7', -10, 100, '{"tier": 1, "tags": ["a", "b"]}'$$),
    'account_exists / account "wallet:7" is open already with another currency / It has currency "USD"; sent: "EUR".', 'another currency');
SELECT is(pg_temp.difference($$'liability', 'USD', 'Wallet 8', -10, 100, '{"tier": 1, "tags": ["a", "b"]}'$$),
    'account_exists / account "wallet:7" is open already with another name / It has name "Wallet 7"; sent: "Wallet 8".', 'another name');
SELECT is(pg_temp.difference($$'liability', 'USD', NULL, -10, 100, '{"tier": 1, "tags": ["a", "b"]}'$$),
    'account_exists / account "wallet:7" is open already with another name / It has name "Wallet 7"; sent: none.', 'no name');
SELECT is(pg_temp.difference($$'liability', 'USD', 'Wallet 7', 0, 100, '{"tier": 1, "tags": ["a", "b"]}'$$),
    'account_exists / account "wallet:7" is open already with another min_balance / It has min_balance -10.00 USD; sent: 0.00 USD.', 'another floor');
SELECT is(pg_temp.difference($$'liability', 'USD', 'Wallet 7', NULL, 100, '{"tier": 1, "tags": ["a", "b"]}'$$),
    'account_exists / account "wallet:7" is open already with another min_balance / It has min_balance -10.00 USD; sent: none.', 'no floor');
SELECT is(pg_temp.difference($$'liability', 'USD', 'Wallet 7', -10, 100.01, '{"tier": 1, "tags": ["a", "b"]}'$$),
    'account_exists / account "wallet:7" is open already with another max_balance / It has max_balance 100.00 USD; sent: 100.01 USD.', 'another ceiling');
SELECT is(pg_temp.difference($$'liability', 'USD', 'Wallet 7', -10, 100, '{"tier": 2, "tags": ["a", "b"]}'$$),
    'account_exists / account "wallet:7" is open already with another metadata / It has metadata {"tags": ["a", "b"], "tier": 1}; sent: {"tags": ["a", "b"], "tier": 2}.', 'other metadata');
SELECT is(pg_temp.difference($$'liability', 'USD', 'Wallet 7', -10, 100$$),
    'account_exists / account "wallet:7" is open already with another metadata / It has metadata {"tags": ["a", "b"], "tier": 1}; sent: none.', 'no metadata');

-- Codes.
SELECT t.allowed(format('SELECT ledger_open_account(%L, %L, %L)', code, 'asset', 'USD'), 'code ' || left(code, 40))
  FROM (VALUES ('a'), ('0'), ('Assets:Bank_1:user@example.com'), ('a-b.c+d/e'), ('-'), ('a:b:c:d:e:f:g:h'), (repeat('x', 255))) AS x (code);
SELECT t.refused(format('SELECT ledger_open_account(%L, %L, %L)', code, 'asset', 'USD'), 'LF002 invalid_account_code', 'not a code: ' || why)
  FROM (VALUES (NULL, 'NULL'), ('', 'nothing'), (repeat('x', 256), '256 bytes'), (repeat('x', 10000), '10,000 characters'),
               (':', 'a colon'), (':a', 'an empty first segment'), ('a:', 'an empty last segment'), ('a::b', 'an empty segment between'),
               ('a b', 'a space'), ('a''b', 'a quote'), ('a"b', 'a double quote'), ('a;b', 'a semicolon'), ('a\b', 'a backslash'),
               (E'a\nb', 'a new line'), ('ä', 'a letter with a dot or two'), ('а', 'a Cyrillic a'), ('资产:银行', 'Chinese'),
               ('😀', 'a smile'), (U&'a\200Bb', 'a space of no width'), ('*', 'a star'), ('a%', 'a per cent sign')) AS x (code, why);
SELECT is((t.attempt(format('SELECT ledger_open_account(%L, %L, %L)', repeat('ä', 10000), 'asset', 'USD'))).message,
          'invalid account code "' || repeat('ä', 50) || '..."', 'a message quotes no more than the start of a long code, in whole characters');

-- What an account needs.
SELECT t.refused($$SELECT ledger_open_account('n', 'debt', 'USD')$$, 'LF025 account_type_not_found', 'an unknown type');
SELECT t.refused($$SELECT ledger_open_account('n', NULL, 'USD')$$, 'LF025 account_type_not_found', 'no type');
SELECT t.refused($$SELECT ledger_open_account('n', 'asset', 'usd')$$, 'LF026 currency_not_found', 'an unknown currency');
SELECT t.refused($$SELECT ledger_open_account('n', 'asset', NULL)$$, 'LF026 currency_not_found', 'no currency');
SELECT t.refused($$SELECT ledger_open_account('n', 'asset', 'USD', repeat('x', 10001))$$, 'LF010 invalid_description', 'a name beyond 10,000 bytes');
SELECT t.allowed($$SELECT ledger_open_account('long', 'asset', 'USD', repeat('x', 10000))$$, 'one of 10,000 bytes');
SELECT t.refused($$SELECT ledger_open_account('n', 'asset', 'USD', metadata => '[1]')$$, 'LF011 invalid_metadata', 'metadata that is an array');
SELECT t.refused($$SELECT ledger_open_account('n', 'asset', 'USD', metadata => 'null')$$, 'LF011 invalid_metadata', 'or JSON''s null');
SELECT t.refused($$SELECT ledger_open_account('n', 'asset', 'USD', metadata => jsonb_build_object('x', repeat('x', 65536)))$$, 'LF011 invalid_metadata', 'or more than 64 KiB');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
