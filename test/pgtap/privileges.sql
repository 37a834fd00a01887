-- Who may do what: nobody, reader, poster, operator, admin, owner.
BEGIN;
\ir include/books.sql
CREATE TEMPORARY TABLE deed (number serial, deed text, statement text, least text);
INSERT INTO deed (deed, statement, least) VALUES
    ('read a balance', $$SELECT ledger_balance('assets:bank')$$, 'reader'),
    ('read what is available', $$SELECT ledger_available('assets:bank')$$, 'reader'),
    ('read the trial balance', $$SELECT * FROM ledger_trial_balance()$$, 'reader'),
    ('read the journal', $$SELECT * FROM ledger.journal$$, 'reader'),
    ('read entries', $$SELECT * FROM ledger.entries$$, 'reader'),
    ('verify', $$SELECT * FROM ledger_verify()$$, 'reader'),
    ('convert to minor units', $$SELECT ledger_to_minor(1.25, 'USD')$$, 'reader'),
    ('post', $$SELECT ledger_post('assets:bank', 'equity:capital', 1)$$, 'poster'),
    ('post with a key', $$SELECT ledger_post('assets:bank', 'equity:capital', 1, 'key of ' || current_user)$$, 'poster'),
    ('post lines', $$SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 1), ledger_credit('equity:capital', 1)])$$, 'poster'),
    ('transfer', $$SELECT post_transfer('assets:bank', 'equity:capital', 1)$$, 'poster'),
    ('open an account', $$SELECT ledger_open_account('by:' || current_user, 'asset', 'USD')$$, 'operator'),
    ('insert an account', $$INSERT INTO ledger.accounts (code, type, currency) VALUES ('raw:' || current_user, 'asset', 'USD')$$, 'operator'),
    ('rename an account', $$UPDATE ledger.accounts SET name = 'Bank' WHERE code = 'assets:bank'$$, 'operator'),
    ('set limits', $$SELECT ledger_set_limits('expenses:rent', NULL, 100)$$, 'operator'),
    ('freeze', $$SELECT ledger_freeze_account('expenses:rent')$$, 'operator'),
    ('unfreeze', $$SELECT ledger_unfreeze_account('expenses:rent')$$, 'operator'),
    ('close', $$SELECT ledger_close_account('by:' || current_user)$$, 'operator'),
    ('maintain', $$SELECT ledger_maintain()$$, 'operator'),
    ('add a currency', $$INSERT INTO ledger.currencies (code, scale) VALUES ('of.' || current_user, 2)$$, 'admin'),
    ('add an account type', $$INSERT INTO ledger.account_types (code, normal_side) VALUES ('of.' || current_user, 'debit')$$, 'admin'),
    ('change the retention', $$UPDATE ledger.settings SET idempotency_retention = '1 day'$$, 'admin'),
    ('grant', $$SELECT ledger_grant('bystander', 'reader')$$, 'admin'),
    ('revoke', $$SELECT ledger_revoke('bystander')$$, 'admin'),
    ('insert entries', $$INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT ledger_new_id(), 1, 1, 1$$, 'nobody'),
    ('insert keys', $$INSERT INTO ledger.idempotency_keys (key, transaction_id) VALUES ('k', ledger_new_id())$$, 'nobody'),
    ('change entries', $$UPDATE ledger.entries SET amount = 0$$, 'nobody'),
    ('delete entries', $$DELETE FROM ledger.entries$$, 'nobody'),
    ('empty entries', $$TRUNCATE ledger.entries$$, 'nobody'),
    ('delete accounts', $$DELETE FROM ledger.accounts$$, 'nobody'),
    ('change codes', $$UPDATE ledger.accounts SET code = 'x'$$, 'nobody'),
    ('make tables', $$CREATE TABLE ledger.mine ()$$, 'nobody'),
    ('drop guards', $$DROP TRIGGER append_only ON ledger.entries$$, 'nobody'),
    ('disable guards', $$ALTER TABLE ledger.entries DISABLE TRIGGER ALL$$, 'nobody'),
    ('get past guards', $$SET LOCAL session_replication_role = replica$$, 'nobody'),
    ('upgrade', $$SELECT ledger_upgrade()$$, 'nobody');
SELECT plan((SELECT 5 * count(*)::integer FROM deed) + 29);

CREATE ROLE stranger; CREATE ROLE reader; CREATE ROLE poster; CREATE ROLE operator; CREATE ROLE admin; CREATE ROLE bystander;
SELECT ledger_grant(level::name, level) FROM unnest('{reader,poster,operator,admin}'::text[]) AS level \g /dev/null
SELECT CASE WHEN rank >= coalesce(array_position('{reader,poster,operator,admin}', least), 9)
            THEN t.allowed(statement, role || ' may ' || deed, role) ELSE t.refused(statement, '42501', role || ' may not ' || deed, role) END
  FROM deed, unnest('{stranger,reader,poster,operator,admin}'::text[]) WITH ORDINALITY AS r (role, n), LATERAL (SELECT n - 1) AS x (rank)
 ORDER BY n, number;

-- What an operator and an admin have privileges for and the guards refuse all the same.
SELECT t.refused($$UPDATE ledger.account_balances SET debits_posted = 5$$, 'LF070 immutable_ledger', 'an operator cannot touch balances', 'operator');
SELECT t.refused($$DELETE FROM ledger.idempotency_keys$$, 'LF070 immutable_ledger', 'nor delete keys', 'operator');
SELECT t.refused($$UPDATE ledger.settings SET format_version = 7$$, 'LF070 immutable_ledger', 'an admin cannot change the format', 'admin');
SELECT t.refused($$UPDATE ledger.currencies SET scale = 7$$, 'LF070 immutable_ledger', 'nor scales', 'admin');
SELECT t.refused($$INSERT INTO ledger.transactions DEFAULT VALUES; SET CONSTRAINTS ALL IMMEDIATE$$, 'LF004 too_few_lines', 'a poster may insert a header, which without entries does not hold', 'poster');
SELECT is((SELECT count(DISTINCT created_by) FROM ledger.transactions WHERE created_by IN ('poster', 'operator', 'admin')), 3::bigint, 'created_by is the caller, not the owner');
SELECT is((SELECT string_agg(DISTINCT changed_by, ',') FROM ledger.account_history), 'admin,operator', 'changed_by too');
SELECT is(t.verdict(t.attempt($$SELECT ledger_create('own')$$, 'stranger')), '42501', 'who may not create schemas may not create ledgers');

-- INSERT on transactions is all that posting takes; who may not read is told no figures.
CREATE ROLE terminal;
GRANT USAGE ON SCHEMA ledger TO terminal;
GRANT INSERT ON ledger.transactions TO terminal;
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 1, 'terminal', metadata => '{"pin": 1234}')$$, 'a role with INSERT on transactions posts', 'terminal');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 1, 'terminal', metadata => '{"pin": 1234}')$$, 'and repeats its request', 'terminal');
SELECT t.refused($$SELECT ledger_balance('assets:bank')$$, '42501', 'but does not read', 'terminal');
SELECT t.refused($$SELECT id FROM ledger.transactions$$, '42501', 'not even its own', 'terminal');
SELECT is((t.attempt($$SELECT ledger_post('liabilities:alice', 'assets:bank', 1)$$, 'terminal')),
    ('LF040', 'insufficient_balance', 'insufficient balance on account "liabilities:alice"', '', 'Post at most what is available.')::t.outcome, 'insufficient_balance without figures');
SELECT isnt((t.attempt($$SELECT ledger_post('liabilities:alice', 'assets:bank', 1)$$, 'poster')).detail, '', 'a poster who may read gets them');
SELECT is((t.attempt(statement, 'terminal')).detail, '', 'nothing is told: ' || why)
  FROM (VALUES ($$SELECT ledger_post('assets:cash', 'equity:capital', 1001)$$, 'limit_exceeded'),
               ($$SELECT ledger_post('assets:bank', 'equity:capital', 2, 'terminal', metadata => '{"pin": 1234}')$$, 'amount of the first request'),
               ($$SELECT ledger_post('assets:bank', 'equity:capital', 1, 'terminal')$$, 'metadata of the first request'),
               ($$SELECT ledger_post('assets:bank', 'equity:capital', 1, expected_version => 77)$$, 'version')) AS x (statement, why);
SELECT is((t.attempt($$SELECT ledger_post('assets:bank', 'equity:capital', 0.001)$$, 'terminal')).detail, 'USD has 2 decimals; amounts are never rounded.', 'what is wrong with the request itself is');

-- Granting.
SELECT is(t.verdict(t.attempt($$SELECT ledger_grant('bystander', 'king')$$)), 'LF015 invalid_argument', 'an unknown level');
SELECT is(t.verdict(t.attempt($$SELECT ledger_grant('bystander', NULL)$$)), 'LF015 invalid_argument', 'no level');
SELECT is(t.verdict(t.attempt($$SELECT ledger_grant('no such role', 'reader')$$)), '42704', 'an unknown role');
SELECT is(t.verdict(t.attempt($$SELECT ledger_grant(NULL, 'reader')$$)), 'LF015 invalid_argument', 'no role');
SELECT t.allowed($$SELECT ledger_revoke('poster')$$, 'an admin takes back what the owner gave', 'admin');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 1)$$, '42501', 'and it is gone', 'poster');
SELECT ledger_revoke('admin') \g /dev/null
SELECT t.refused($$SELECT ledger_grant('admin', 'admin')$$, '42501', 'a former admin grants nothing', 'admin');

-- A ledger of an owner who is no superuser.
CREATE ROLE "Owner" NOSUPERUSER;
SELECT format('GRANT CREATE ON DATABASE %I TO "Owner"', current_database()) \gexec
SELECT t.allowed($$SELECT ledger_create('own'), ledger_open_account('a', 'asset', 'USD', ledger => 'own'), ledger_open_account('b', 'equity', 'USD', ledger => 'own'),
                   ledger_post('a', 'b', 5, ledger => 'own'), ledger_grant('bystander', 'poster', 'own'), ledger_upgrade('own')$$, 'anybody who may create schemas', 'Owner');
SELECT t.allowed($$SELECT ledger_post('a', 'b', 1, ledger => 'own')$$, 'and grants on it', 'bystander');
SELECT is(t.verdict(t.attempt($$SELECT ledger_revoke('Owner', 'own')$$, 'Owner')), 'LF015 invalid_argument', 'the owner''s own privileges stay');

SELECT * FROM finish();
ROLLBACK;
