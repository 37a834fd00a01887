-- Holds, their lines and the history of periods are written by the ledger alone, whoever tries.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(27);
SELECT ledger_hold('assets:bank', 'liabilities:bob', 5) AS hold, ledger_close_period('2024-01-01Z') \gset
SELECT t.refused(statement, 'LF070 immutable_ledger', statement)
  FROM (VALUES ($$INSERT INTO ledger.holds (id, created_at, xact_id, created_by, status) VALUES (ledger_new_id(), now(), pg_current_xact_id(), 'me', 'pending')$$),
               ($$UPDATE ledger.holds SET status = 'released'$$), ($$UPDATE ledger.holds SET expires_at = now() + interval '1 year'$$), ($$UPDATE ledger.holds SET description = 'x'$$),
               ($$DELETE FROM ledger.holds$$), ($$TRUNCATE ledger.holds$$),
               ($$INSERT INTO ledger.hold_lines (account_id, hold_id, line, amount, captured, released) SELECT account_id, hold_id, 3, 1, 0, 0 FROM ledger.hold_lines LIMIT 1$$),
               ($$UPDATE ledger.hold_lines SET amount = amount * 2$$), ($$UPDATE ledger.hold_lines SET captured = 1$$), ($$UPDATE ledger.hold_lines SET is_open = false$$),
               ($$DELETE FROM ledger.hold_lines$$), ($$TRUNCATE ledger.hold_lines$$),
               ($$INSERT INTO ledger.transaction_history (transaction_id, changed_by, to_status) VALUES (ledger_new_id(), 'me', 'posted')$$),
               ($$UPDATE ledger.transaction_history SET changed_by = 'you'$$), ($$DELETE FROM ledger.transaction_history$$), ($$TRUNCATE ledger.transaction_history$$),
               ($$INSERT INTO ledger.period_history (changed_by) VALUES ('me')$$), ($$UPDATE ledger.period_history SET changed_by = 'you'$$),
               ($$DELETE FROM ledger.period_history$$), ($$TRUNCATE ledger.period_history$$),
               ($$UPDATE ledger.account_balances SET debits_pending = 0$$)) AS x (statement);
SELECT is((t.attempt($$UPDATE ledger.holds SET status = 'released'$$)).message, 'cannot UPDATE ledger table "holds"', 'the table is named');
-- Headers that name a hold or a reversed transaction are made by the ledger's functions only.
SELECT t.refused(format('INSERT INTO ledger.transactions (hold) VALUES (%L)', :'hold'), 'LF015 invalid_argument', 'a header that names a hold');
SELECT t.refused(format('INSERT INTO ledger.transactions (reverses) VALUES (%L)', ledger_post('assets:bank', 'liabilities:bob', 5)), 'LF015 invalid_argument', 'a header that names a reversed transaction');
-- A trigger of the user's own that writes while the ledger does is not the ledger.
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE ledger.hold_lines SET captured = 0; RETURN NULL; END $$;
CREATE TRIGGER meddle AFTER INSERT ON ledger.transactions FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
SELECT t.refused(format('SELECT ledger_capture(%L)', :'hold'), 'LF070 immutable_ledger', 'a trigger that meddles with holds');
DROP TRIGGER meddle ON ledger.transactions;
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'hold'), 'the ledger writes');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
