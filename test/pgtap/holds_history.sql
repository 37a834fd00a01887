-- Every change of a hold's status: who, when, from, to, why.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(9);
CREATE ROLE cashier;
SELECT ledger_grant('cashier', 'poster') \g /dev/null

SELECT ledger_hold('assets:bank', 'liabilities:bob', 30) AS hold \gset
SET LOCAL ROLE cashier;
SELECT ledger_raise_hold(:'hold', 10) \g /dev/null
SELECT ledger_capture(:'hold', 5, false) AS part, ledger_capture(:'hold', 15) AS last \gset
RESET ROLE;
SELECT is(t.history(:'hold'), 'none > pending, pending > pending, pending > pending, pending > captured', 'placed, raised, captured in part and to the end');
SELECT results_eq(format('SELECT changed_by, reason FROM ledger.transaction_history WHERE transaction_id = %L ORDER BY id', :'hold'),
    format($$VALUES ('postgres', NULL), ('cashier', 'raised by 10.00 USD'), ('cashier', 'captured 5.00 USD in transaction %s'), ('cashier', 'captured 15.00 USD in transaction %s')$$, :'part', :'last'), 'by whom and what');
SELECT ok((SELECT bool_and(changed_at BETWEEN now() AND clock_timestamp()) FROM ledger.transaction_history), 'and when');
SELECT is((SELECT string_agg(DISTINCT created_by, ', ') FROM ledger.transactions WHERE hold = :'hold'), 'cashier', 'a capture is made by who captures');

SELECT ledger_hold('assets:bank', 'liabilities:bob', 30, 'key') AS hold \gset
SELECT ledger_hold('assets:bank', 'liabilities:bob', 30, 'key'), ledger_release(:'hold', 'wrong card', 'release'), ledger_release(:'hold', 'wrong card', 'release') \g /dev/null
SELECT results_eq(format('SELECT from_status, to_status, reason FROM ledger.transaction_history WHERE transaction_id = %L ORDER BY id', :'hold'),
    $$VALUES (NULL, 'pending', NULL), ('pending', 'released', 'wrong card')$$, 'repeated requests are told once');

SELECT ledger_hold('assets:bank', 'liabilities:bob', 30, expires_in => '20 ms') AS hold \gset
SELECT pg_sleep(0.05) \g /dev/null
SELECT ledger_maintain() \g /dev/null
SELECT is(t.history(:'hold'), 'none > pending, pending > expired', 'expired');
SELECT t.refused($$SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 1)$$, 'LF040 insufficient_balance', 'what is refused leaves no line');
SELECT ledger_post('assets:bank', 'equity:capital', 1) AS id \gset
SELECT is(t.history(:'id'), NULL, 'a plain posting has no history: it is posted, and stays so');
SELECT is((SELECT count(*) FROM ledger.transaction_history), 8::bigint, 'nothing else is written');

SELECT * FROM finish();
ROLLBACK;
