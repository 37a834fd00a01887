-- What was posted is not changed or removed, table by table, even by a superuser.
BEGIN;
\ir include/books.sql
SELECT plan(43);
SELECT ledger_post('assets:bank', 'equity:capital', 100, 'key', 'REF'), ledger_freeze_account('income:fees') \g /dev/null
SET CONSTRAINTS ALL IMMEDIATE;

SELECT t.refused('UPDATE ledger.' || change, 'LF070 immutable_ledger', 'refused: UPDATE ' || change)
  FROM (VALUES ('transactions SET description = ''x'''), ('transactions SET effective_at = now()'), ('transactions SET id = id'),
               ('entries SET amount = amount + 1'), ('entries SET account_id = 2'), ('entries SET balance_after = 0'), ('entries SET line = line'),
               ('idempotency_keys SET transaction_id = transaction_id'), ('idempotency_keys SET key = ''other'''),
               ('account_balances SET debits_posted = 1000000'), ('account_balances SET min_balance = NULL'), ('account_balances SET status = ''open'''),
               ('account_balances SET version = version'), ('account_history SET reason = ''x'''), ('settings SET format_version = 3')) AS x (change);
SELECT t.refused('DELETE FROM ledger.' || name, 'LF070 immutable_ledger', 'refused: DELETE FROM ' || name)
  FROM unnest('{transactions,entries,idempotency_keys,account_balances,account_history,accounts,settings}'::text[]) AS name;
SELECT t.refused('TRUNCATE ledger.' || name || rest, 'LF070 immutable_ledger', 'refused: TRUNCATE ' || name || rest)
  FROM (VALUES ('transactions', ''), ('entries', ''), ('idempotency_keys', ''), ('account_balances', ''), ('account_history', ''), ('transaction_history', ''),
               ('settings', ''), ('accounts', ' CASCADE'), ('currencies', ' CASCADE'), ('account_types', ' CASCADE')) AS x (name, rest);
SELECT t.refused($$INSERT INTO ledger.account_balances (account_id) SELECT id FROM ledger.accounts LIMIT 1$$, 'LF070 immutable_ledger', 'account_balances is written by the ledger alone');
SELECT t.refused($$INSERT INTO ledger.account_history (account_id, changed_by, change) VALUES (1, 'me', 'status')$$, 'LF070 immutable_ledger', 'account_history too');
SELECT t.refused($$INSERT INTO ledger.transaction_history (transaction_id, to_status) SELECT id, 'x' FROM ledger.transactions$$, 'LF070 immutable_ledger', 'and transaction_history');
SELECT t.refused($$INSERT INTO ledger.transactions (id) SELECT id FROM ledger.transactions ON CONFLICT (id) DO UPDATE SET description = 'x'$$, 'LF070 immutable_ledger', 'ON CONFLICT DO UPDATE is an UPDATE');
SELECT t.refused($$MERGE INTO ledger.entries e USING ledger.entries f ON e.transaction_id = f.transaction_id AND e.line = f.line
                   WHEN MATCHED THEN UPDATE SET amount = 2 * f.amount$$, 'LF070 immutable_ledger', 'so is MERGE');
SELECT t.refused($$WITH gone AS (DELETE FROM ledger.entries RETURNING *) SELECT count(*) FROM gone$$, 'LF070 immutable_ledger', 'a DELETE inside a query is a DELETE');
SELECT is(t.attempt('DELETE FROM ledger.entries'),
          ('LF070', 'immutable_ledger', 'cannot DELETE from ledger table "entries"', '', 'Correct a posting with a new one that reverses it.')::t.outcome, 'the message names operation and table');
SELECT is((t.attempt($$UPDATE ledger.accounts SET code = 'x'$$)).message, 'cannot UPDATE column code of ledger table "accounts"', 'and the column, where only some are guarded');

-- The guards are for everybody, a user's own function with the rights of the owner included.
CREATE FUNCTION pg_temp.tamper() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN UPDATE ledger.entries SET amount = 0; END $$;
SELECT t.refused('SELECT pg_temp.tamper()', 'LF070 immutable_ledger', 'a function of the owner does not get past them');
CREATE FUNCTION pg_temp.side_door() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE ledger.account_balances SET debits_posted = 0; RETURN NEW; END $$;
CREATE TRIGGER side_door AFTER INSERT ON ledger.entries FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.side_door();
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 100)$$, 'LF070 immutable_ledger', 'nor does a trigger of the user''s that a posting fires');
DROP TRIGGER side_door ON ledger.entries;
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
