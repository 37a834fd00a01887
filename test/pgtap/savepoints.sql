-- What is rolled back never was: in the tables, and in what the session remembers of them.
BEGIN;
\ir include/books.sql
SELECT plan(33);
SELECT ledger_post('assets:bank', 'equity:capital', 100) \g /dev/null
SELECT t.fingerprint() AS before \gset

-- Postings.
SAVEPOINT s;
SELECT ledger_post('assets:bank', 'equity:capital', 5, 'key', 'REF') AS undone \gset
SELECT is(ledger_balance('assets:bank'), 105.00, 'a posting after a savepoint');
ROLLBACK TO s;
SELECT is(t.fingerprint(), :'before', 'is rolled back with it, in every table');
SELECT is(ledger_balance('assets:bank'), 100.00, 'the balance is what it was');
SELECT ledger_post('assets:bank', 'equity:capital', 7, 'key', 'REF') AS redone \gset
SELECT isnt(:'redone'::uuid, :'undone'::uuid, 'its key and reference are free again, for another request');
SELECT is(t.figures('assets:bank'), '107.00 | 0.00 | 2', 'versions have no gaps');
SELECT is((SELECT array_agg(balance_after ORDER BY transaction_id) FROM ledger.entries WHERE amount > 0), '{100.00,107.00}', 'nor have the balances after entries');

-- A refusal inside a function's own block.
CREATE FUNCTION pg_temp.try_both() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM ledger_post('assets:bank', 'income:fees', 1);
        PERFORM ledger_post('liabilities:alice', 'assets:bank', 1);
    EXCEPTION WHEN SQLSTATE 'LF040' THEN
        PERFORM ledger_post('assets:bank', 'equity:capital', 3);
        RETURN 'the second was refused';
    END;
END $$;
SELECT is(pg_temp.try_both(), 'the second was refused', 'an EXCEPTION block catches a refusal');
SELECT is(ledger_balance('income:fees'), 0.00, 'undoes what the block has done');
SELECT is(ledger_balance('assets:bank'), 110.00, 'and goes on');

-- Accounts: rolled back, then made anew with other attributes under the same code.
SAVEPOINT s;
SELECT ledger_open_account('volatile', 'asset', 'USD') AS first_id \gset
SELECT lives_ok($$SELECT ledger_post('volatile', 'equity:capital', 5)$$, 'an account opened after a savepoint takes postings');
ROLLBACK TO s;
SELECT is(t.verdict(t.attempt($$SELECT ledger_post('volatile', 'equity:capital', 5)$$)), 'LF023 account_not_found', 'rolled back, it is not there');
SELECT is(t.verdict(t.attempt($$SELECT ledger_balance('volatile')$$)), 'LF023 account_not_found', 'to nobody');
SELECT isnt(ledger_open_account('volatile', 'liability', 'JPY'), NULL, 'its code can be used for another');
SELECT is(t.verdict(t.attempt($$SELECT ledger_post('volatile', 'equity:capital', 5)$$)), 'LF007 currency_mismatch', 'of another currency');
SELECT is(t.verdict(t.attempt($$SELECT ledger_post('volatile', 'equity:yen', 0.5)$$)), 'LF001 invalid_amount', 'and scale');
SELECT lives_ok($$SELECT ledger_post('equity:yen', 'volatile', 5)$$, 'which is the one that counts');
SELECT is(ledger_balance('volatile')::text, '5', 'and of another normal side');

-- The same by id.
SAVEPOINT s;
INSERT INTO ledger.accounts (id, code, type, currency) VALUES (7000, 'seven:a', 'asset', 'USD');
SELECT lives_ok($$SELECT ledger_post('seven:a', 'equity:capital', 5)$$, 'an account of a given id');
ROLLBACK TO s;
INSERT INTO ledger.accounts (id, code, type, currency) VALUES (7000, 'seven:b', 'equity', 'JPY');
SELECT is(t.verdict(t.attempt($$SELECT ledger_post('seven:a', 'equity:capital', 5)$$)), 'LF023 account_not_found', 'rolled back');
SELECT lives_ok($$SELECT ledger_post('assets:yen', 'seven:b', 5)$$, 'another one has the id');
SELECT is(t.lines((SELECT last_transaction_id FROM ledger.balances WHERE account = 'seven:b')), 'assets:yen 5, seven:b -5', 'and the entries');

-- Currencies and types.
SAVEPOINT s;
INSERT INTO ledger.currencies (code, scale) VALUES ('TOK', 2);
SELECT ledger_open_account('tok:a', 'asset', 'TOK'), ledger_open_account('tok:b', 'equity', 'TOK'), ledger_post('tok:a', 'tok:b', 0.01) \g /dev/null
ROLLBACK TO s;
INSERT INTO ledger.currencies (code, scale) VALUES ('TOK', 0);
SELECT ledger_open_account('tok:a', 'asset', 'TOK'), ledger_open_account('tok:b', 'equity', 'TOK') \g /dev/null
SELECT is(t.verdict(t.attempt($$SELECT ledger_post('tok:a', 'tok:b', 0.01)$$)), 'LF001 invalid_amount', 'a currency made anew with another scale');
SELECT lives_ok($$SELECT ledger_post('tok:a', 'tok:b', 1)$$, 'counts in that scale');

-- Limits and freezes.
SAVEPOINT s;
SELECT ledger_freeze_account('assets:bank'), ledger_set_limits('equity:capital', NULL, 0 + 110) \g /dev/null
ROLLBACK TO s;
SELECT lives_ok($$SELECT ledger_post('assets:bank', 'equity:capital', 1000)$$, 'a freeze and a limit that were rolled back');

-- Rows by hand.
SAVEPOINT s;
INSERT INTO ledger.transactions DEFAULT VALUES;
ROLLBACK TO s;
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED', 'a header without entries that was rolled back is not missed');
SAVEPOINT s;
INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id \gset
SAVEPOINT inner_one;
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT :'id', row_number() OVER (ORDER BY id DESC), id, CASE code WHEN 'assets:bank' THEN 5 ELSE -5 END
  FROM ledger.accounts WHERE code IN ('assets:bank', 'equity:capital');
ROLLBACK TO inner_one;
SELECT is(ledger_balance('assets:bank'), 1110.00, 'entries by hand are rolled back with their balances');
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT :'id', row_number() OVER (ORDER BY id), id, CASE code WHEN 'assets:bank' THEN 6 ELSE -6 END
  FROM ledger.accounts WHERE code IN ('assets:bank', 'equity:capital');
RELEASE inner_one;
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED', 'and can be inserted again, in the header''s sub-transaction or another');
SELECT is(ledger_balance('assets:bank'), 1116.00, 'once');
RELEASE s;

-- Ledgers.
SAVEPOINT s;
SELECT ledger_create('passing'), ledger_open_account('a', 'asset', 'USD', ledger => 'passing') \g /dev/null
ROLLBACK TO s;
SELECT is(t.verdict(t.attempt($$SELECT ledger_balance('a', 'passing')$$)), 'LF020 ledger_not_found', 'a ledger that was rolled back');
SELECT lives_ok($$SELECT ledger_create('passing')$$, 'can be created again');
SELECT is(t.verdict(t.attempt($$SELECT ledger_post('a', 'b', 1, ledger => 'passing')$$)), 'LF023 account_not_found', 'and is empty');

-- Deep ones, and a posting in each.
DO $$
BEGIN
    FOR n IN 1 .. 100 LOOP
        BEGIN
            PERFORM ledger_post('assets:bank', 'income:fees', 1);
            IF n % 2 = 0 THEN RAISE EXCEPTION 'no'; END IF;
        EXCEPTION WHEN raise_exception THEN NULL;
        END;
    END LOOP;
END $$;
SELECT is(t.figures('income:fees'), '0.00 | 50.00 | 50', 'of a hundred postings, the fifty that were kept');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
