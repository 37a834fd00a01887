-- Ledgers: creating them, naming them, keeping them apart, and what is not one.
BEGIN;
\ir include/helpers.sql
SELECT plan(46);

SELECT is(ledger_create(), 'ledger'::name, 'ledger_create() returns the default name');
SELECT has_table('ledger', name, 'it has the table ' || name)
  FROM unnest('{settings,currencies,account_types,accounts,account_balances,transactions,entries,
                idempotency_keys,transaction_history,account_history}'::name[]) AS name;
SELECT has_view('ledger', name, 'it has the view ' || name) FROM unnest('{balances,journal,trial_balance}'::name[]) AS name;
SELECT is((SELECT format_version FROM ledger.settings), 2, 'and carries its format version');
SELECT is((SELECT idempotency_retention FROM ledger.settings), NULL, 'keys are kept for ever at first');
SELECT is_empty('SELECT * FROM ledger_verify()', 'a new ledger is well');
SELECT is_empty('SELECT * FROM ledger_trial_balance()', 'and empty');
SELECT is((SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'ledger'::regnamespace AND c.relowner <> current_user::regrole),
          0::bigint, 'everything in it belongs to the creator');
SELECT is((SELECT count(*) FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
            WHERE c.relnamespace = 'ledger'::regnamespace AND d.refclassid = 'pg_extension'::regclass),
          0::bigint, 'and none of it to the extension');

-- Names.
SELECT is(t.verdict(t.attempt('SELECT ledger_create()')), 'LF021 ledger_exists', 'the same name again is refused');
CREATE SCHEMA taken;
SELECT is(t.verdict(t.attempt($$SELECT ledger_create('taken')$$)), 'LF021 ledger_exists', 'a schema that is there is not adopted');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'taken'::regnamespace), 0::bigint, 'nothing was put into it');
SELECT is(t.verdict(t.attempt($$SELECT ledger_create('public')$$)), 'LF021 ledger_exists', 'nor is public');
SELECT is(t.verdict(t.attempt($$SELECT ledger_create('pg_books')$$)), '42939', 'a name that PostgreSQL reserves is refused');
SELECT is(t.verdict(t.attempt($$SELECT ledger_create('')$$)), 'LF015 invalid_argument', 'so is an empty one');
SELECT is(t.verdict(t.attempt('SELECT ledger_create(NULL)')), 'LF015 invalid_argument', 'and NULL');
SELECT is(ledger_create('Tenant "7"; DROP'), 'Tenant "7"; DROP'::name, 'any other name will do');
SELECT lives_ok($$SELECT ledger_open_account('a', 'asset', 'USD', ledger => 'Tenant "7"; DROP')$$, 'and can be used');
SELECT lives_ok($$SELECT ledger_upgrade('Tenant "7"; DROP')$$, 'and upgraded');
SELECT is_empty($$SELECT * FROM ledger_verify('Tenant "7"; DROP')$$, 'and verified');

-- Two ledgers know nothing of each other.
SELECT is(ledger_create('second'), 'second'::name, 'a second ledger');
SELECT ledger_open_account(code, type, 'USD', ledger => ledger)
  FROM (VALUES ('a', 'asset'), ('b', 'equity')) AS x (code, type), (VALUES ('ledger'), ('second')) AS y (ledger) \g /dev/null
SELECT ledger_post('a', 'b', 5, idempotency_key => 'k', reference => 'r', ledger => 'second') IS NOT NULL AS posted \gset
SELECT is(ledger_balance('a', ledger => 'second'), 5.00, 'a posting lands in the ledger that is named');
SELECT is(ledger_balance('a'), 0.00, 'and leaves the other one alone');
SELECT lives_ok($$SELECT ledger_post('a', 'b', 7, idempotency_key => 'k', reference => 'r')$$,
                'keys and references are unique only within a ledger');
SELECT lives_ok('UPDATE second.currencies SET name = $$Buck$$ WHERE code = $$USD$$', 'its currencies are its own');
SELECT is((SELECT name FROM ledger.currencies WHERE code = 'USD'), 'US Dollar', 'the other ledger keeps its own');

SELECT t.allowed($$SELECT ledger_create('third'), ledger_open_account('a', 'asset', 'USD', ledger => 'third')$$, 'a ledger can be used by the statement that creates it');

-- The setting.
SET LOCAL ledgerflow.ledger = 'second';
SELECT is(ledger_balance('a'), 5.00, 'ledgerflow.ledger names the ledger of calls that name none');
SELECT is(ledger_balance('a', ledger => 'ledger'), 7.00, 'the argument goes before the setting');
SELECT set_config('ledgerflow.ledger', value, true) AS setting FROM (VALUES ('no such ledger')) AS x (value) \gset
SELECT is(t.attempt($$SELECT ledger_post('a', 'b', 1)$$),
          ('LF020', 'ledger_not_found', 'ledger "no such ledger" does not exist', 'There is no schema of this name.',
           'Create it with ledger_create(), or name another one in the last argument or in ledgerflow.ledger.')::t.outcome,
          'a ledger that does not exist');
SELECT set_config('ledgerflow.ledger', '', true) AS setting \gset
SELECT is((t.attempt($$SELECT ledger_balance('a')$$)).detail, 'ledgerflow.ledger is empty.', 'an empty setting');
SELECT set_config('ledgerflow.ledger', repeat('x', 64), true) AS setting \gset
SELECT is((t.attempt($$SELECT ledger_balance('a')$$)).detail, 'The name is too long.', 'a name of 64 bytes is not cut short');
SELECT set_config('ledgerflow.ledger', repeat('"; DROP SCHEMA ledger; --', 100), true) AS setting \gset
SELECT is(t.verdict(t.attempt($$SELECT * FROM ledger_verify()$$)), 'LF020 ledger_not_found', 'rubbish');
SELECT set_config('ledgerflow.ledger', 'LEDGER', true) AS setting \gset
SELECT is(t.verdict(t.attempt($$SELECT ledger_balance('a')$$)), 'LF020 ledger_not_found', 'names are told apart by case');
RESET ledgerflow.ledger;
SELECT is(t.verdict(t.attempt($$SET ledgerflow.nonsense = '1'$$)), '42602', 'there is no other setting of ours');

SELECT * FROM finish();
ROLLBACK;
