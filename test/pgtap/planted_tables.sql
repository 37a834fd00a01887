-- Our functions where they do not belong: triggers on other tables, and tables that only look like a ledger's. Once
-- each of these ended the backend: a value was read as one of another type.
BEGIN;
\ir include/books.sql
SELECT plan(23);

-- Columns of the right names and of other types.
CREATE TABLE t.header (id int, posted_at text, effective_at int, xact_id int, created_by int, reference int, description int, reverses int, hold int, metadata int);
CREATE TRIGGER x BEFORE INSERT ON t.header FOR EACH ROW EXECUTE FUNCTION ledger_guard_transaction();
SELECT t.refused('INSERT INTO t.header (id, reference) VALUES (5, 7)', '39P01', 'a header of integers');
CREATE TABLE t.account (id int, code int, metadata int);
CREATE TRIGGER x BEFORE INSERT ON t.account FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();
SELECT t.refused('INSERT INTO t.account VALUES (5, 7, 8)', '39P01', 'an account of integers');
CREATE VIEW t.rows AS SELECT 1 AS debit, 2 AS credit, 3 AS amount, 4 AS idempotency_key, 5 AS reference, 6 AS description, 7 AS effective_at, 8 AS metadata;
CREATE TRIGGER x INSTEAD OF INSERT ON t.rows FOR EACH ROW EXECUTE FUNCTION ledger_post_rows();
CREATE TRIGGER y AFTER INSERT ON t.rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_post_rows();
SELECT t.refused('INSERT INTO t.rows VALUES (1, 2, 3)', 'LF020 ledger_not_found', 'a view of integers');
CREATE TABLE t.json (a json, b int);
CREATE TRIGGER x BEFORE UPDATE ON t.json FOR EACH ROW EXECUTE FUNCTION ledger_guard('a');
INSERT INTO t.json VALUES ('{}', 1);
SELECT t.allowed('UPDATE t.json SET b = 2', 'a type without an equality is compared all the same');
SELECT t.refused($$UPDATE t.json SET a = '[]'$$, 'LF070 immutable_ledger', 'and its change refused');

-- Events without a row.
CREATE TABLE t.events AS SELECT * FROM ledger.transactions LIMIT 0;
SELECT t.refused(format('CREATE TRIGGER x %s ON t.events FOR EACH STATEMENT EXECUTE FUNCTION %s; INSERT INTO t.events DEFAULT VALUES; UPDATE t.events SET id = NULL; TRUNCATE t.events', event, called),
                 error, format('%s for a statement: %s', called, event))
  FROM (VALUES ('BEFORE INSERT', 'ledger_guard_transaction()', '39P01'), ('AFTER UPDATE', 'ledger_guard_transaction()', '39P01'),
               ('BEFORE TRUNCATE', 'ledger_guard_account()', '39P01'), ('BEFORE INSERT', 'enforce_double_entry()', '39P01'),
               ('BEFORE UPDATE', $$ledger_guard('id')$$, '39P01'), ('AFTER INSERT', 'adjust_account_balance()', 'LF015 invalid_argument')) AS e (event, called, error);
CREATE TRIGGER x AFTER INSERT ON t.events REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION adjust_account_balance();
SELECT t.refused('INSERT INTO t.events DEFAULT VALUES', 'LF020 ledger_not_found', 'a transition table of another table');

-- A look-alike with one column of another type, for every column of every table.
SELECT ledger_create('alike') \g /dev/null
SELECT ledger_open_account(c, 'asset', 'USD', ledger => 'alike') FROM unnest('{a,b}'::text[]) AS c \g /dev/null
SELECT ledger_post('a', 'b', 1, ledger => 'alike') \g /dev/null
SELECT ledger_seal('alike') \g /dev/null
CREATE RULE x AS ON INSERT TO alike.entries DO INSTEAD NOTHING;
SELECT t.refused($$SELECT ledger_post('a', 'b', 1, ledger => 'alike')$$, 'LF071 damaged_ledger', 'a rule that takes rows away');
DROP RULE x ON alike.entries;
-- The ledger without its views, foreign keys and triggers, which would hold its columns fast.
DROP INDEX alike.holds_expires_at_idx;
DROP FUNCTION alike.standing_at CASCADE;
DROP FUNCTION alike.open_holds_at CASCADE;
CREATE FUNCTION t.loosen() RETURNS void LANGUAGE plpgsql AS $$
DECLARE drop text;
BEGIN
    FOR drop IN SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'alike'::regnamespace AND NOT tgisinternal
      UNION ALL SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) FROM pg_constraint WHERE connamespace = 'alike'::regnamespace AND contype IN ('f', 'c')
      UNION ALL SELECT 'DROP VIEW IF EXISTS alike.' || relname || ' CASCADE' FROM pg_class WHERE relnamespace = 'alike'::regnamespace AND relkind = 'v'
    LOOP EXECUTE drop; END LOOP;
END $$;
SELECT t.loosen() \g /dev/null
-- What comes of a call on it with one column changed; the change is undone.
CREATE FUNCTION t.with_column(relation regclass, attribute name, kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE verdict text;
BEGIN
    EXECUTE format('ALTER TABLE %s ALTER %2$I DROP IDENTITY IF EXISTS; ALTER TABLE %1$s ALTER %2$I DROP DEFAULT, ALTER %2$I TYPE %3$s USING NULL::%3$s', relation, attribute, kind);
    verdict := t.verdict(t.attempt($q$SELECT ledger_post('a', 'b', 1, ledger => 'alike')$q$)) || ', ' || t.verdict(t.attempt($q$SELECT ledger_verify('alike')$q$));
    RAISE EXCEPTION USING errcode = 'ZZ000', message = verdict;
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN RETURN sqlerrm;
END $$;
TRUNCATE alike.accounts, alike.account_balances, alike.transactions, alike.entries, alike.idempotency_keys, alike.seals, alike.seal_blocks, alike.account_history, alike.currencies, alike.account_types;
ALTER TABLE alike.settings ALTER singleton DROP DEFAULT;
SELECT is_empty($$SELECT relation, attname, verdict FROM
    (SELECT a.attrelid::regclass AS relation, a.attname, t.with_column(a.attrelid, a.attname, k.kind) AS verdict
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, (VALUES ('money')) AS k (kind)
      WHERE c.relnamespace = 'alike'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND c.relname <> 'settings') x
    WHERE verdict <> 'LF020 ledger_not_found, LF020 ledger_not_found'$$, 'no column may have another type');
SELECT is((t.attempt($$ALTER TABLE alike.entries ALTER amount TYPE money USING NULL; SELECT ledger_post('a', 'b', 1, ledger => 'alike')$$)).detail,
          'Its table "entries" has no column "amount" of type numeric.', 'and the column is named');
SELECT t.refused($$ALTER TABLE alike.settings ALTER format_version TYPE text; SELECT ledger_post('a', 'b', 1, ledger => 'alike')$$, 'LF022 ledger_format_mismatch', 'a format that is a text is no format');
SELECT t.refused($$ALTER TABLE alike.hold_lines DROP COLUMN raises; SELECT ledger_post('a', 'b', 1, ledger => 'alike')$$, 'LF020 ledger_not_found', 'nor may one be missing');

-- What no ledger writes is told as damage.
ALTER TABLE ledger.entries ALTER amount DROP NOT NULL;
SELECT ledger_post('assets:bank', 'equity:capital', 10) AS posted \gset
ALTER TABLE ledger.entries DISABLE TRIGGER USER;
UPDATE ledger.entries SET amount = NULL WHERE transaction_id = :'posted';
ALTER TABLE ledger.entries ENABLE TRIGGER USER;
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'posted'), 'LF071 damaged_ledger', 'an entry without an amount');
SELECT id AS bank FROM ledger.accounts WHERE code = 'assets:bank' \gset
SELECT t.refused(format($$WITH h AS (INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id) SELECT id FROM h; INSERT INTO ledger.entries (transaction_id, line, account_id) SELECT max(id::text)::uuid, 1, %s FROM ledger.transactions$$, :bank),
                 'LF001 invalid_amount', 'nor does a raw entry without one end more than the statement');
ALTER TABLE ledger.account_balances DISABLE TRIGGER USER;
DELETE FROM ledger.account_balances WHERE account_id = :bank;
ALTER TABLE ledger.account_balances ENABLE TRIGGER USER;
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 10)$$, 'LF071 damaged_ledger', 'an account without its row of balances');
SELECT t.allowed($$SELECT ledger_post('assets:cash', 'equity:capital', 10)$$, 'others go on');
ALTER TABLE ledger.accounts DISABLE TRIGGER USER;
ALTER TABLE ledger.currencies DROP CONSTRAINT currencies_pkey CASCADE;
INSERT INTO ledger.currencies SELECT * FROM ledger.currencies;
SELECT t.refused(format('SELECT ledger_export(%L)', format), 'LF071 damaged_ledger', format || ' of currencies that are there twice') FROM unnest('{hledger,beancount}'::text[]) AS format;
SELECT * FROM finish();
ROLLBACK;
