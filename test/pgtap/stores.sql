-- ledgerflow.store: postings are written straight to ordinary tables, by SQL to all others.
BEGIN;
\ir include/books.sql
SELECT plan(32);
CREATE FUNCTION t.post_with(store text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('ledgerflow.store', store, true);
    RETURN coalesce((t.attempt($q$SELECT ledger_post('assets:bank', 'equity:capital', 1)$q$)).detail,
                    t.verdict(t.attempt($q$SELECT ledger_post('assets:bank', 'equity:capital', 1)$q$)));
END $$;
CREATE FUNCTION t.obstacle() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('ledgerflow.store', 'heap', true);
    RETURN substring((t.attempt($q$SELECT ledger_post('assets:bank', 'equity:capital', 1)$q$)).message FROM 'but (.*)');
END $$;

SELECT is(t.post_with('heap'), 'done', 'straight to the tables');
SELECT is(t.post_with('spi'), 'done', 'by SQL');
SELECT is(t.post_with('auto'), 'done', 'as it fits');
SELECT throws_ok($$SET LOCAL ledgerflow.store = 'floppy'$$, '22023', NULL, 'there is no other way');

-- What is added to a table and can be honoured.
CREATE INDEX ON ledger.entries (amount);
CREATE INDEX ON ledger.transactions ((lower(description))) WHERE description IS NOT NULL;
ALTER TABLE ledger.transactions ADD COLUMN note text;
ALTER TABLE ledger.entries ADD CONSTRAINT small CHECK (abs(amount) < 1000000);
ALTER TABLE ledger.account_balances ADD COLUMN seen timestamptz DEFAULT now();
SELECT is(t.obstacle(), NULL, 'plain, partial and expression indexes, columns that may be NULL, CHECK constraints');
SELECT is((t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 1000000)$$)).sqlstate, '23514', 'a CHECK constraint is held');
SELECT is((SELECT count(*) FROM ledger.entries WHERE amount = 1), (SELECT count(*) / 2 FROM ledger.entries), 'rows are as they should be');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM ledger.entries WHERE amount = 1), (SELECT count(*) FROM ledger.transactions), 'through the new index as well');
SET LOCAL enable_seqscan = on;
CREATE UNIQUE INDEX one_note ON ledger.transactions (description);
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 1, description => 'once')$$, 'a unique index of the user''s');
SELECT is((t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 1, description => 'once')$$)).sqlstate, '23505', 'is held');
DROP INDEX ledger.one_note;

SAVEPOINT described;
SET LOCAL session_replication_role = replica;
UPDATE ledger.transactions SET description = 'nothing' WHERE description IS NULL;
SET LOCAL session_replication_role = origin;
ALTER TABLE ledger.transactions ALTER COLUMN description SET NOT NULL;
SELECT is(t.obstacle(), NULL, 'NOT NULL on a column that a posting may leave empty');
SELECT is((t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 1)$$)).sqlstate, '23502', 'is held');
ROLLBACK TO described;
CLUSTER ledger.account_balances USING account_balances_pkey;
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 1)$$, 'balances are found again after their table was rewritten');
SELECT is_empty('SELECT * FROM ledger_verify()', 'and are the right ones');

-- What means SQL.
SAVEPOINT plain;
CREATE FUNCTION t.audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t.seen VALUES (NEW.account_id); RETURN NULL; END $$;
CREATE TABLE t.seen (account_id bigint);
CREATE TRIGGER audit AFTER INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION t.audit();
SELECT is(t.obstacle(), 'table "entries" has triggers that are not the ledger''s own', 'a trigger of the user''s');
SELECT is(t.post_with('auto'), 'done', 'is no obstacle to SQL');
SELECT is((SELECT count(*) FROM t.seen), 4::bigint, 'and fires');
ROLLBACK TO plain;
ALTER TABLE ledger.entries ADD FOREIGN KEY (account_id) REFERENCES ledger.accounts;
SELECT is(t.obstacle(), 'table "entries" has triggers that are not the ledger''s own', 'a foreign key');
ROLLBACK TO plain;
ALTER TABLE ledger.transactions ADD COLUMN region text NOT NULL DEFAULT 'eu';
SELECT is(t.obstacle(), 'table "transactions" has a column that needs a value', 'a column with a default');
SELECT is(t.post_with('auto'), 'done', 'which SQL fills in');
SELECT is((SELECT count(*) FROM ledger.transactions WHERE region IS NULL), 0::bigint, 'everywhere');
ROLLBACK TO plain;
ALTER TABLE ledger.entries ADD COLUMN doubled numeric GENERATED ALWAYS AS (amount * 2) STORED;
SELECT is(t.obstacle(), 'table "entries" has generated columns', 'a generated column');
ROLLBACK TO plain;
ALTER TABLE ledger.transactions ALTER COLUMN type TYPE varchar(20);
SELECT is(t.obstacle(), 'table "transactions" has a column of another type', 'a column of another type');
SELECT is(t.post_with('auto'), 'done', 'is none to SQL, as long as it is read in the same way');
ROLLBACK TO plain;
CREATE RULE loud AS ON INSERT TO ledger.entries DO ALSO NOTIFY entries;
SELECT is(t.obstacle(), 'table "entries" has rules', 'a rule');
ROLLBACK TO plain;
ALTER TABLE ledger.entries SET UNLOGGED;
SELECT is(t.obstacle(), 'table "entries" is not permanent', 'an unlogged table');
ROLLBACK TO plain;
CREATE TABLE t.more () INHERITS (ledger.entries);
SELECT is(t.obstacle(), 'table "entries" is part of an inheritance tree', 'a table with children');
ROLLBACK TO plain;
CREATE TABLE t.orders (transaction_id uuid REFERENCES ledger.transactions);
SELECT is(t.obstacle(), NULL, 'a table of the user''s may refer to transactions');
SELECT is(t.obstacle(), NULL, 'and after all that the tables are ordinary ones again');
SELECT t.allowed($$INSERT INTO t.orders SELECT ledger_post('assets:bank', 'equity:capital', 1)$$, 'its rows find what is posted in the same statement');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');
SET LOCAL ledgerflow.store = 'auto';
SELECT is(current_setting('ledgerflow.store'), 'auto', 'the setting is back');

SELECT * FROM finish();
ROLLBACK;
