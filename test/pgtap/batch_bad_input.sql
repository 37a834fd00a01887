-- Batches that are no batches: each is refused with its own error, in either mode, and changes nothing.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(49);
SELECT t.refused(format('SELECT * FROM ledger_post_batch(%s, mode => %L)', arguments, mode), error, mode || ': ' || why)
  FROM unnest('{atomic,each}'::text[]) AS mode,
       (VALUES ($$'{assets:bank,assets:bank}'::text[], '{income:fees}'::text[], '{1,1}'$$, 'LF015 invalid_argument', 'fewer credits than debits'),
               ($$'{assets:bank}'::text[], '{income:fees,income:fees}'::text[], '{1}'$$, 'LF015 invalid_argument', 'more credits'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{1,1}'$$, 'LF015 invalid_argument', 'more amounts'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{}'$$, 'LF015 invalid_argument', 'no amounts'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], NULL$$, 'LF015 invalid_argument', 'amounts that are NULL'),
               ($$'{assets:bank}'::text[], NULL::text[], '{1}'$$, 'LF015 invalid_argument', 'credits that are NULL'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{1}', '{a,b}'$$, 'LF015 invalid_argument', 'more keys'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{1}', '{}'$$, 'LF015 invalid_argument', 'an empty array of keys'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{1}', reference => '{a,b}'$$, 'LF015 invalid_argument', 'more references'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{1}', description => '{a,b}'$$, 'LF015 invalid_argument', 'more descriptions'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{1}', effective_at => ARRAY[now(), now()]$$, 'LF015 invalid_argument', 'more times'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{1}', metadata => ARRAY['{}'::jsonb, '{}'::jsonb]$$, 'LF015 invalid_argument', 'more metadata'),
               ($$'{assets:bank}'::text[], '{income:fees}'::text[], '{1}', linked => '{false,false}'$$, 'LF015 invalid_argument', 'more links'),
               ($$'{}'::text[], '{}'::text[], '{}'$$, 'LF015 invalid_argument', 'nothing'),
               ($$NULL::text[], NULL::text[], NULL$$, 'LF015 invalid_argument', 'NULL'),
               ($$'{}'::bigint[], '{}'::bigint[], '{}'$$, 'LF015 invalid_argument', 'no ids'),
               ($$'{{assets:bank,assets:bank}}'::text[], '{{income:fees,income:fees}}'::text[], '{{1,1}}'$$, 'LF015 invalid_argument', 'matrices'),
               ($$'{assets:bank,assets:bank}'::text[], '{income:fees,income:fees}'::text[], '{{1,1}}'$$, 'LF015 invalid_argument', 'a matrix of amounts'),
               ($$array_fill('assets:bank'::text, '{100001}'), array_fill('income:fees'::text, '{100001}'), array_fill(1::numeric, '{100001}')$$, 'LF005 too_many_lines', '100,001 items'),
               ($$array_fill(1::bigint, '{100001}'), array_fill(2::bigint, '{100001}'), array_fill(1::numeric, '{100001}')$$, 'LF005 too_many_lines', '100,001 items by id')) AS x (arguments, error, why);
SELECT is((t.attempt($$SELECT * FROM ledger_post_batch('{assets:bank,assets:bank}'::text[], '{income:fees}'::text[], '{1,1}')$$)).message, 'argument credit has 1 elements where debit has 2', 'the argument is named');
SELECT t.refused(format('SELECT * FROM ledger_post_batch(%L::text[], %L::text[], %L, mode => %L)', '{assets:bank}', '{income:fees}', '{1}', mode), 'LF015 invalid_argument', 'mode ' || coalesce(mode, 'NULL'))
  FROM unnest(ARRAY[NULL, '', 'all', 'ATOMIC', 'each ']) AS mode;
SELECT is((t.attempt($$SELECT * FROM ledger_post_batch('{assets:bank}'::text[], '{income:fees}'::text[], '{1}', mode => 'all')$$)).hint, 'Use ''atomic'' or ''each''.', 'the modes are told');
-- Arrays whose subscripts do not start at 1 are arrays.
SELECT results_eq($$SELECT item, status FROM ledger_post_batch('[5:6]={assets:bank,assets:bank}'::text[], '{income:fees,income:fees}'::text[], '[-1:0]={1,1}')$$, $$VALUES (1, 'posted'), (2, 'posted')$$, 'items are numbered from 1');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
