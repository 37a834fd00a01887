-- The user's own triggers, on the user's tables and on the ledger's: they may post, and the books stay right.
BEGIN;
\ir include/books.sql
SELECT plan(34);

-- A trigger on a table of the user's that posts.
CREATE TABLE orders (number integer, amount numeric, paid_by uuid);
CREATE FUNCTION pay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.paid_by := ledger_post('assets:bank', 'equity:capital', NEW.amount, 'order ' || NEW.number);
    RETURN NEW;
END $$;
CREATE TRIGGER pay BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION pay();
INSERT INTO orders SELECT n, n FROM generate_series(1, 20) AS n;
SELECT is(t.figures('assets:bank'), '210.00 | 0.00 | 20', 'twenty orders pay themselves');
SELECT is((SELECT count(DISTINCT paid_by) FROM orders), 20::bigint, 'each with its own transaction');

-- Triggers on the ledger's tables that post to the same accounts: a fee on every sale.
CREATE FUNCTION fee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.description = 'sale' THEN PERFORM ledger_post('assets:bank', 'income:fees', 1, description => 'fee'); END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION fee_of_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.line = 2 AND EXISTS (SELECT FROM ledger.transactions WHERE id = NEW.transaction_id AND description = 'sale') THEN
        PERFORM ledger_post('assets:bank', 'income:fees', 1, description => 'fee');
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION fees_of_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_post('assets:bank', 'income:fees', 1, description => 'fee')
       FROM new_rows n JOIN ledger.transactions x ON x.id = n.transaction_id WHERE x.description = 'sale' AND n.line = 1;
    RETURN NULL;
END $$;
CREATE FUNCTION t.sale(definition text, description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    bank numeric := ledger_balance('assets:bank');
    fees numeric := ledger_balance('income:fees');
BEGIN
    EXECUTE 'CREATE ' || definition;
    PERFORM ledger_post('assets:bank', 'equity:capital', 10, description => 'sale');
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN NEXT is(ledger_balance('assets:bank') - bank, 11.00, description || ': the sale and its fee');
    RETURN NEXT is(ledger_balance('income:fees') - fees, 1.00, description || ': the fee');
    RETURN NEXT is_empty('SELECT * FROM ledger_verify()', description || ': the ledger is well');
    EXECUTE 'DROP TRIGGER ' || split_part(regexp_replace(definition, '^CONSTRAINT ', ''), ' ', 2) || ' ON ledger.' || substring(definition FROM 'ON ledger\.(\w+)');
END $$;
SELECT t.sale('TRIGGER fee BEFORE INSERT ON ledger.transactions FOR EACH ROW EXECUTE FUNCTION fee()', 'before a header');
SELECT t.sale('TRIGGER fee AFTER INSERT ON ledger.transactions FOR EACH ROW EXECUTE FUNCTION fee()', 'after a header');
SELECT t.sale('CONSTRAINT TRIGGER fee AFTER INSERT ON ledger.transactions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fee()', 'deferred');
SELECT t.sale('TRIGGER fee BEFORE INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION fee_of_entry()', 'before an entry');
SELECT t.sale('TRIGGER fee AFTER INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION fee_of_entry()', 'after an entry');
SELECT t.sale('TRIGGER fee AFTER INSERT ON ledger.entries REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION fees_of_entries()', 'after a statement');

-- A trigger that refuses takes the posting with it.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not on Sundays'; END $$;
CREATE TRIGGER refuse AFTER INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 10, 'key', 'REF')$$, 'P0001', 'a trigger may refuse a posting');
DROP TRIGGER refuse ON ledger.entries;
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 10, 'key', 'REF')$$, 'which leaves nothing behind');

-- Writes of such a trigger are not mistaken for the ledger's own.
CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.description = 'forge' THEN
        INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT NEW.id, 3, id, 1000000 FROM ledger.accounts WHERE code = 'assets:bank';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER forge AFTER INSERT ON ledger.transactions FOR EACH ROW EXECUTE FUNCTION forge();
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 10, description => 'forge'); SET CONSTRAINTS ALL IMMEDIATE$$, 'LF070 immutable_ledger', 'what ledger_post() posts takes no entries by hand');
DROP TRIGGER forge ON ledger.transactions;
SET CONSTRAINTS ALL DEFERRED;

-- One that keeps the ledger from writing a row keeps it from posting.
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION t.interfering(definition text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'CREATE TRIGGER zz_mine ' || definition;
    RETURN NEXT t.refused('SELECT ledger_post(''assets:bank'', ''equity:capital'', 10, ''a key'')', '27000', definition);
    RETURN NEXT t.refused('SELECT ledger_post(ARRAY[ledger_debit(''assets:bank'', 3), ledger_credit(''equity:capital'', 1), ledger_credit(''income:fees'', 2)], ''a key'')', '27000', 'lines: ' || definition);
    EXECUTE 'DROP TRIGGER zz_mine ON ' || substring(definition FROM ' ON (ledger\.\w+)');
END $$;
SELECT t.interfering('BEFORE INSERT ON ledger.transactions FOR EACH ROW EXECUTE FUNCTION skip()');
SELECT t.interfering('BEFORE INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION skip()');
SELECT t.interfering('BEFORE UPDATE ON ledger.account_balances FOR EACH ROW EXECUTE FUNCTION skip()');
-- Nor can one post on an account while its balance is being written.
CREATE FUNCTION in_between() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN PERFORM ledger_post('assets:bank', 'equity:capital', 1); END IF;
    RETURN NEW;
END $$;
SELECT t.interfering('BEFORE INSERT ON ledger.idempotency_keys FOR EACH ROW EXECUTE FUNCTION in_between()');
SELECT t.interfering('BEFORE UPDATE ON ledger.account_balances FOR EACH ROW EXECUTE FUNCTION in_between()');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
