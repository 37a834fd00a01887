-- The extension and a ledger as the catalog shows them: everything explained, nothing left to chance.
BEGIN;
\ir include/books.sql
SELECT plan(20);

CREATE TEMPORARY VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND x.extname = 'ledgerflow';
CREATE TEMPORARY VIEW function AS
SELECT p.*, p.oid::regprocedure::text AS signature FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

SELECT cmp_ok((SELECT count(*) FROM function), '>', 20::bigint, 'there are functions to look at');
SELECT is_empty($$SELECT signature FROM function WHERE coalesce(length(obj_description(oid, 'pg_proc')), 0) < 20$$, 'every function has a comment');
SELECT is_empty($$SELECT t.oid::regtype FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid WHERE obj_description(t.oid, 'pg_type') IS NULL$$,
                'so has every type');
SELECT is_empty($$SELECT m.objid::regclass FROM member m WHERE m.classid = 'pg_class'::regclass$$, 'the extension owns no tables');
SELECT is_empty($$SELECT signature FROM function WHERE prosecdef$$, 'no function is SECURITY DEFINER');
SELECT is_empty($$SELECT signature FROM function WHERE prorettype <> 'trigger'::regtype AND pronargs > 0 AND (proargnames IS NULL OR '' = ANY (proargnames))$$, 'every argument has a name');
SELECT is_empty($$SELECT signature FROM function WHERE proname !~ '^ledger_' AND proname NOT IN ('post_transfer', 'enforce_double_entry', 'adjust_account_balance')$$,
                'names begin with ledger_, but those that the design gives');
SELECT is_empty($$SELECT signature FROM function WHERE prorettype <> 'trigger'::regtype
                     AND proname NOT IN ('ledger_errors', 'ledger_debit', 'ledger_credit', 'ledger_new_id', 'ledger_is_raw_write')
                     AND proargnames[pronargs] IS DISTINCT FROM 'ledger'$$, 'the last argument of every function that works on a ledger is ledger');
SELECT is_empty($$SELECT signature FROM function WHERE proname NOT IN ('ledger_errors', 'ledger_debit', 'ledger_credit', 'ledger_new_id', 'ledger_is_raw_write') AND prorettype <> 'trigger'::regtype
                     AND (pronargdefaults = 0 OR pg_get_function_arg_default(oid, pronargs) NOT IN ('NULL::name', '''ledger''::name'))$$, 'and may be left out');
SELECT set_eq($$SELECT proname::text FROM function WHERE provolatile = 's'$$,
              '{ledger_balance,ledger_balance_at,ledger_available,ledger_trial_balance,ledger_statement,ledger_find_transactions,ledger_verify,ledger_to_minor,ledger_from_minor}'::text[], 'what reads is stable');
SELECT set_eq($$SELECT proname::text FROM function WHERE provolatile = 'i'$$, '{ledger_errors,ledger_debit,ledger_credit}'::text[], 'what depends on its arguments only is immutable');
SELECT set_eq($$SELECT proname::text FROM function WHERE proparallel = 's'$$, '{ledger_errors,ledger_debit,ledger_credit,ledger_new_id}'::text[], 'and parallel safe; the session''s memory of a ledger is not');
SELECT is_empty($$SELECT signature FROM function WHERE proparallel = 'r'$$, 'nothing is in between');
SELECT is_empty($$SELECT signature FROM function WHERE NOT has_function_privilege('public', oid, 'EXECUTE')$$, 'anybody may call: tables decide who may do what');
SELECT isnt(obj_description((SELECT oid FROM pg_extension WHERE extname = 'ledgerflow'), 'pg_extension'), NULL, 'the extension has a comment');

SELECT is_empty($$SELECT oid::regclass FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'v') AND coalesce(length(obj_description(oid, 'pg_class')), 0) < 20$$,
                'every table and view of a ledger has a comment');
SELECT is_empty($$SELECT attrelid::regclass, attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
                   WHERE c.relnamespace = 'ledger'::regnamespace AND t.typnamespace <> 'pg_catalog'::regnamespace AND attnum > 0$$, 'no column has a type of the extension: tables outlive it');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'r'
                     AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)$$, 'every table has a primary key');
SELECT is_empty($$SELECT conrelid::regclass, conname FROM pg_constraint WHERE connamespace = 'ledger'::regnamespace AND contype = 'f'
                     AND (SELECT relnamespace FROM pg_class WHERE oid = confrelid) <> 'ledger'::regnamespace$$, 'no key reaches out of the ledger');
SELECT is_empty($$SELECT c.oid::regclass, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                   WHERE c.oid = 'ledger.account_balances'::regclass AND a.attname NOT IN ('account_id', 'stripe')$$, 'nothing that changes is indexed in account_balances');

SELECT * FROM finish();
ROLLBACK;
