-- The extension comes and goes; the ledger stays.
BEGIN;
\ir include/books.sql
SELECT plan(26);
SELECT ledger_post('assets:bank', 'equity:capital', 100, 'key', 'REF') AS id \gset
SELECT ledger_freeze_account('income:fees') \g /dev/null
SELECT ledger_create('other') \g /dev/null
SELECT t.fingerprint() AS before, t.fingerprint('other') AS other_before \gset

SELECT is(t.verdict(t.attempt('DROP EXTENSION ledgerflow')), '2BP01', 'DROP EXTENSION is refused while a ledger depends on it');
SELECT matches((t.attempt('DROP EXTENSION ledgerflow')).detail, 'trigger .* on table ledger\.', 'and says on what');
SAVEPOINT s;
DROP SCHEMA ledger, other CASCADE;
SELECT lives_ok('DROP EXTENSION ledgerflow', 'without ledgers it goes');
ROLLBACK TO s;

DROP EXTENSION ledgerflow CASCADE;
SELECT is(t.fingerprint(), :'before', 'with CASCADE: every row of every table is still there');
SELECT is(t.fingerprint('other'), :'other_before', 'of every ledger');
SELECT has_view('ledger', 'balances', 'the views too');
SELECT is((SELECT balance FROM ledger.balances WHERE account = 'assets:bank'), 100.00, 'and can be read');
SELECT is((SELECT count(*) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = 'ledger'::regnamespace AND NOT tgisinternal), 0::bigint, 'the guards are gone');
SELECT hasnt_function('ledger_post', 'and so are the functions');

CREATE EXTENSION ledgerflow;
SELECT isnt((SELECT count(*) FROM ledger_verify() WHERE check_name = 'guard_missing'), 0::bigint, 'made anew, the extension misses its guards');
SELECT is((SELECT count(*) FROM ledger_verify() WHERE check_name <> 'guard_missing'), 0::bigint, 'and nothing else');
SELECT is(ledger_upgrade(), 2, 'ledger_upgrade() returns the format');
SELECT is_empty('SELECT * FROM ledger_verify()', 'and brings them back');
SELECT isnt((SELECT count(*) FROM ledger_verify('other')), 0::bigint, 'in one ledger');
SELECT is(ledger_upgrade('other'), 2, 'and the other');
SELECT is_empty($$SELECT * FROM ledger_verify('other')$$, 'one by one');
SELECT is(t.fingerprint(), :'before', 'without a change to any row');
SELECT is(ledger_post('assets:bank', 'equity:capital', 100, 'key', 'REF'), :'id'::uuid, 'keys are remembered');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'income:fees', 1)$$, 'LF043 account_frozen', 'freezes hold');
SELECT t.refused('DELETE FROM ledger.entries', 'LF070 immutable_ledger', 'the guards guard');
SELECT t.refused($$INSERT INTO ledger.transactions DEFAULT VALUES; SET CONSTRAINTS ALL IMMEDIATE$$, 'LF004 too_few_lines', 'all of them');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 1)$$, 'posting goes on');

-- ledger_upgrade() any number of times.
SELECT is(ledger_upgrade(), 2, 'an upgrade of what is up to date');
SELECT is_empty('SELECT * FROM ledger_verify()', 'changes nothing');
CREATE FUNCTION pg_temp.mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER mine AFTER INSERT ON ledger.transactions FOR EACH ROW EXECUTE FUNCTION pg_temp.mine();
CREATE FUNCTION own_beside() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;  -- in the extension's schema
CREATE TRIGGER own_beside AFTER INSERT ON ledger.transactions FOR EACH ROW EXECUTE FUNCTION own_beside();
ALTER TABLE ledger.entries DISABLE TRIGGER append_only;
SELECT ledger_upgrade() \g /dev/null
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgname IN ('mine', 'own_beside')), 2::bigint, 'the user''s own triggers are left alone');
SELECT is_empty('SELECT * FROM ledger_verify()', 'a guard that was off is on again');

SELECT * FROM finish();
ROLLBACK;
