-- What the owner of a ledger may wait for: that somebody with more rights than he has calls a function on it.
BEGIN;
\ir include/books.sql
SELECT plan(36);
CREATE ROLE mallory;
SELECT format('GRANT CREATE ON DATABASE %I TO mallory', current_database()) \gexec
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA t TO PUBLIC;
SELECT current_user AS superuser \gset
CREATE TABLE loot (who name, through text);
GRANT INSERT ON loot TO PUBLIC;
CREATE FUNCTION t.loot() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(DISTINCT who || ' through ' || through, ', ' ORDER BY who || ' through ' || through) FROM loot $$;
SET ROLE mallory;
SELECT ledger_create('trap'), ledger_open_account('a', 'asset', 'USD', ledger => 'trap'), ledger_open_account('b', 'equity', 'USD', ledger => 'trap'), ledger_post('a', 'b', 5, 'k', ledger => 'trap') \g /dev/null
CREATE SCHEMA mallory;
GRANT USAGE ON SCHEMA mallory TO PUBLIC;
CREATE FUNCTION mallory.take(through text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.loot VALUES (current_user, through); RETURN true; END $$;
CREATE FUNCTION mallory.take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM mallory.take(TG_ARGV[0]), set_config('search_path', 'mallory', false); RETURN NEW; END $$;

-- Code in a view, in a function of the ledger's, in policies.
ALTER VIEW trap.trial_balance RENAME TO real_trial_balance;
CREATE VIEW trap.trial_balance AS SELECT * FROM trap.real_trial_balance WHERE mallory.take('a view');
ALTER TABLE trap.transactions ADD CHECK (mallory.take('a constraint'));
CREATE TRIGGER take AFTER UPDATE ON trap.account_balances FOR EACH ROW EXECUTE FUNCTION mallory.take('a trigger');
RESET ROLE;
SELECT t.allowed($$SELECT * FROM ledger_trial_balance('trap')$$, 'a superuser reads somebody''s trial balance');
SELECT t.allowed($$SELECT ledger_post('a', 'b', 1, ledger => 'trap')$$, 'posts');
SELECT t.allowed($$SELECT ledger_freeze_account('a', ledger => 'trap'), ledger_unfreeze_account('a', ledger => 'trap')$$, 'changes an account');
SELECT t.allowed($$SELECT * FROM ledger_verify('trap')$$, 'verifies');
SELECT is(t.loot(), 'mallory through a constraint, mallory through a trigger, mallory through a view', 'the owner''s code ran, as the owner');
SELECT isnt(current_setting('search_path'), 'mallory', 'and what it set is gone');
SELECT is((SELECT created_by FROM trap.transactions ORDER BY id DESC LIMIT 1), :'superuser', 'created_by is the superuser all the same');
SELECT is((SELECT min(changed_by) FROM trap.account_history), :'superuser', 'changed_by too');
SELECT t.allowed($$SELECT ledger_balance('a', 'trap'), ledger_export(ledger => 'trap'), ledger_health('trap'), ledger_seal('trap'), ledger_rebuild_balances(ledger => 'trap')$$, 'and everything else goes');
SELECT is(current_user::text, :'superuser', 'the superuser is itself again');
SELECT t.refused($$SELECT ledger_post('a', 'b', 0, ledger => 'trap')$$, 'LF001 invalid_amount', 'after a refusal');
SELECT is(current_user::text, :'superuser', 'too');

-- A deferred trigger would run at COMMIT, as whoever that is.
SET ROLE mallory;
DROP TRIGGER take ON trap.account_balances;
CREATE CONSTRAINT TRIGGER take AFTER INSERT ON trap.entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mallory.take('a deferred trigger');
RESET ROLE;
SELECT t.refused($$SELECT ledger_post('a', 'b', 1, ledger => 'trap')$$, '42501', 'what waits for COMMIT does not wait for a superuser''s');
SELECT t.allowed($$SELECT ledger_post('a', 'b', 1, ledger => 'trap')$$, 'the owner may', 'mallory');
SET ROLE mallory;
DROP TRIGGER take ON trap.entries;
RESET ROLE;

-- An upgrade by somebody else makes nothing of its own, and takes no trigger that is not the ledger's.
CREATE FUNCTION public.audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER audit_entry AFTER INSERT ON trap.entries FOR EACH ROW EXECUTE FUNCTION public.audit_entry();
CREATE TRIGGER audit_entry AFTER INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION public.audit_entry();
SET ROLE mallory;
CREATE FUNCTION trap.times(numeric, integer) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN PERFORM mallory.take('an operator'); RETURN 0; END $$;
CREATE OPERATOR trap.* (LEFTARG = numeric, RIGHTARG = integer, FUNCTION = trap.times);
DROP VIEW trap.reversals;
DROP FUNCTION trap.open_holds_at(timestamptz, uuid) CASCADE;
DROP VIEW trap.trial_balance;
RESET ROLE;
CREATE ROLE dba;
GRANT mallory TO dba;
SELECT t.allowed($$SELECT ledger_upgrade('trap')$$, 'a superuser upgrades');
SELECT is((SELECT string_agg(DISTINCT relowner::regrole::text, ', ') FROM pg_class WHERE relnamespace = 'trap'::regnamespace), 'mallory', 'all relations are the owner''s');
SELECT is((SELECT string_agg(DISTINCT proowner::regrole::text, ', ') FROM pg_proc WHERE pronamespace = 'trap'::regnamespace), 'mallory', 'and all functions');
SELECT t.allowed($$SELECT ledger_upgrade('trap')$$, 'a member of the owner upgrades', 'dba');
SELECT t.allowed($$SELECT ledger_upgrade()$$, 'a superuser upgrades its own');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgname = 'audit_entry'), 2::bigint, 'the user''s triggers are there, though their function lies in the extension''s schema');
SELECT is_empty($$SELECT * FROM ledger_verify()$$, 'and the guards');

-- Names. $user stands for something else in a search_path, and a line's end ends a comment.
SELECT t.refused($$SELECT ledger_create('$user')$$, '3F000', 'no ledger is called $user');
ALTER SCHEMA trap RENAME TO "$user";
SELECT t.refused($$SELECT ledger_upgrade('$user')$$, '3F000', 'nor upgraded under this name');
ALTER SCHEMA "$user" RENAME TO "x
SELECT mallory.take('a comment'), '', '', '' UNION --";
SELECT set_config('ledgerflow.ledger', nspname, true) IS NOT NULL FROM pg_namespace WHERE nspowner = 'mallory'::regrole AND nspname LIKE 'x%' \g /dev/null
TRUNCATE loot;
SELECT t.allowed($$SELECT * FROM ledger_verify()$$, 'a name with a line''s end: verified');
SELECT t.allowed($$SELECT * FROM ledger_rebuild_effective()$$, 'rebuilt');
SELECT t.allowed($$SELECT * FROM ledger_verify_incremental()$$, 'verified again');
SELECT t.allowed($$SELECT ledger_upgrade()$$, 'upgraded');
SELECT t.allowed($$SELECT ledger_post('a', 'b', 1)$$, 'posted to');
SELECT t.allowed($$SELECT * FROM ledger_rollup()$$, 'reported on');
SELECT is(t.loot(), 'mallory through a constraint', 'and nothing of the name was run');

-- Who may not read is shown no row, and no code of an account that it did not name.
RESET ledgerflow.ledger;
CREATE ROLE terminal;
GRANT USAGE ON SCHEMA ledger TO terminal;
GRANT INSERT ON ledger.transactions TO terminal;
ALTER TABLE ledger.account_balances ADD CONSTRAINT small CHECK (debits_posted < 1000);
SELECT is(((t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 5000)$$, 'terminal')).sqlstate, (t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 5000)$$, 'terminal')).detail)::text, '(23514,"")', 'a constraint of the user''s: no row for who may not read');
SELECT alike((t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 5000)$$)).detail, 'Failing row contains%', 'the row for who may');
SELECT ledger_hold('assets:bank', 'liabilities:bob', 5) AS hold, ledger_post('assets:bank', 'liabilities:bob', 5) AS posted, ledger_freeze_account('liabilities:bob') \gset
SELECT is((t.attempt(statement, 'terminal'))::text, '(LF043,account_frozen,"account frozen","","Unfreeze it with ledger_unfreeze_account().")', 'no code: ' || statement)
  FROM (VALUES (format('SELECT ledger_capture(%L)', :'hold')), (format('SELECT ledger_reverse(%L)', :'posted')), ($$SELECT ledger_post_batch('{4}'::bigint[], '{1}'::bigint[], '{1}')$$)) x (statement);
SELECT alike((t.attempt(format('SELECT ledger_capture(%L)', :'hold'))).message, '%liabilities:bob%', 'who may read is told');
SELECT * FROM finish();
ROLLBACK;
