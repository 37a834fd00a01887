-- The list of errors.
BEGIN;
\ir include/helpers.sql
SELECT plan(10 + 4 + 20);

SELECT cmp_ok((SELECT count(*) FROM ledger_errors()), '>=', 40::bigint, 'ledger_errors() lists them');
SELECT is_empty($$SELECT sqlstate FROM ledger_errors() GROUP BY 1 HAVING count(*) > 1$$, 'each SQLSTATE is there once');
SELECT is_empty($$SELECT condition_name FROM ledger_errors() GROUP BY 1 HAVING count(*) > 1$$, 'each condition is there once');
SELECT is_empty($$SELECT sqlstate FROM ledger_errors() WHERE sqlstate !~ '^LF[0-9A-Z]{3}$'$$, 'all are of class LF');
SELECT is_empty($$SELECT condition_name FROM ledger_errors() WHERE condition_name !~ '^[a-z]+(_[a-z]+)*$'$$, 'names are words in small letters');
SELECT is_empty($$SELECT condition_name FROM ledger_errors() WHERE coalesce(meaning, '') !~ '^[A-Z].*\.$' OR coalesce(hint, '') !~ '^[A-Z].*\.$'$$,
                'each has a meaning and a hint, in sentences');
SELECT is_empty($$SELECT 1 FROM (SELECT sqlstate, lag(sqlstate) OVER () AS before FROM ledger_errors()) x WHERE before >= sqlstate$$, 'in the order of SQLSTATEs');
SELECT is((SELECT meaning FROM ledger_errors() WHERE condition_name = 'unbalanced_transaction'), 'Debits and credits of a currency do not cancel out.', 'a meaning');
SELECT is((SELECT count(*) FROM ledger_errors() e, ledger_errors() f WHERE e.sqlstate = f.sqlstate), (SELECT count(*) FROM ledger_errors()), 'it can be joined with itself');
SELECT is((SELECT e.condition_name FROM ledger_errors() e WHERE e.sqlstate = 'LF040'), 'insufficient_balance', 'and looked up in');

-- PL/pgSQL can catch them by SQLSTATE.
SELECT ledger_create() \g /dev/null
CREATE FUNCTION pg_temp.caught() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_post('a', 'b', 1);
EXCEPTION WHEN SQLSTATE 'LF023' THEN RETURN 'caught ' || SQLERRM;
END $$;
SELECT is(pg_temp.caught(), 'caught account "a" does not exist', 'a handler for one SQLSTATE');
SELECT throws_ok($$SELECT ledger_post('a', 'a', 1)$$, 'LF023', 'account "a" does not exist', 'pgTAP knows them');
SELECT is((t.attempt($$SELECT ledger_balance('a')$$)).hint, (SELECT hint FROM ledger_errors() WHERE condition_name = 'account_not_found'), 'the HINT is the one in the list');
SELECT is((t.attempt($$SELECT ledger_balance('a')$$)).detail, 'There is none in ledger "ledger".', 'the DETAIL has the particulars');

-- The conditions of the design are all there.
SELECT isnt((SELECT sqlstate FROM ledger_errors() WHERE condition_name = name), NULL, name)
  FROM unnest('{invalid_amount,same_account,account_not_found,account_frozen,account_closed,currency_mismatch,unbalanced_transaction,
                insufficient_balance,limit_exceeded,idempotency_conflict,version_conflict,hold_not_found,hold_not_pending,hold_expired,
                hold_amount_exceeded,already_reversed,immutable_ledger,period_closed,ledger_not_found,too_many_lines}'::text[]) AS name;

SELECT * FROM finish();
ROLLBACK;
