-- Many postings in one call: all or none, each seeing the effect of those before it.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(30);

SELECT results_eq($$SELECT item, status FROM ledger_post_batch('{assets:bank,liabilities:alice,assets:bank}'::text[], '{liabilities:alice,liabilities:bob,income:fees}'::text[], '{100,40,2.5}')$$,
    $$VALUES (1, 'posted'), (2, 'posted'), (3, 'posted')$$, 'one row per item, in order');
SELECT is(t.figures('liabilities:alice'), '40.00 | 100.00 | 2', 'an item spends what the one before brought');
SELECT is((SELECT array_agg(e.balance_after ORDER BY e.transaction_id) FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id WHERE a.code = 'assets:bank'), '{100.00,102.50}', 'every line has the balance after it');
SELECT results_eq($$SELECT id FROM ledger.transactions ORDER BY id$$, $$SELECT transaction_id FROM ledger.entries GROUP BY 1 ORDER BY 1$$, 'every item is a transaction');

-- By ids, and everything that an item can have.
SELECT id AS bank FROM ledger.accounts WHERE code = 'assets:bank' \gset
SELECT id AS bob FROM ledger.accounts WHERE code = 'liabilities:bob' \gset
CREATE TEMPORARY TABLE answer AS SELECT * FROM ledger_post_batch(ARRAY[:bank, :bob], ARRAY[:bob, :bank], '{7,3}', '{k1,NULL}', reference => '{R1,R2}', description => ARRAY['first', NULL],
    effective_at => ARRAY[timestamptz '2024-05-01Z', NULL], metadata => ARRAY['{"n": 1}'::jsonb, NULL]);
SELECT results_eq('SELECT a.item, a.status, t.reference, t.description, t.metadata, t.effective_at = t.posted_at FROM answer a JOIN ledger.transactions t ON t.id = a.transaction_id ORDER BY 1',
    $$VALUES (1, 'posted', 'R1', 'first', '{"n": 1}'::jsonb, false), (2, 'posted', 'R2', NULL, NULL, true)$$, 'by account ids, with texts');
SELECT is((SELECT effective_at FROM ledger.transactions WHERE reference = 'R1'), '2024-05-01Z'::timestamptz, 'with effective times');
SELECT is((SELECT string_agg(key, ',') FROM ledger.idempotency_keys), 'k1', 'with keys');
SELECT is((SELECT t.lines(transaction_id) FROM answer WHERE item = 2), 'liabilities:bob 3.00, assets:bank -3.00', 'lines are debit and credit');
SELECT ok((SELECT bool_and(before < id) FROM (SELECT id, lag(id) OVER (ORDER BY a.item) AS before FROM answer a JOIN ledger.transactions t ON t.id = a.transaction_id) AS x), 'ids rise from item to item');

-- All or none.
SELECT t.refused($$SELECT * FROM ledger_post_batch('{assets:bank,liabilities:alice,assets:bank}'::text[], '{liabilities:alice,liabilities:bob,income:fees}'::text[], '{100,160.01,2}', '{a,b,c}')$$,
    'LF040 insufficient_balance', 'one bad item: none is posted, no key is taken');
SELECT is((t.attempt($$SELECT * FROM ledger_post_batch('{assets:bank,liabilities:alice,assets:bank}'::text[], '{liabilities:alice,liabilities:bob,income:fees}'::text[], '{100,160.01,2}')$$)).message,
    'item 2: insufficient balance on account "liabilities:alice"', 'the item is named');
SELECT is((t.attempt($$SELECT * FROM ledger_post_batch('{liabilities:alice,nobody}'::text[], '{liabilities:bob,assets:bank}'::text[], '{1000,5}')$$)).message,
    'item 2: account "nobody" does not exist', 'what is wrong with a request itself is found before what the books say');
SELECT is((t.attempt($$SELECT * FROM ledger_post_batch('{nobody,assets:bank}'::text[], '{liabilities:bob,assets:bank}'::text[], '{5,0}')$$)).message, 'item 1: account "nobody" does not exist', 'the first one');
SELECT is((t.attempt($$SELECT * FROM ledger_post_batch('{nobody}'::text[], '{liabilities:bob}'::text[], '{5}')$$)).message, 'account "nobody" does not exist', 'a single item needs no number');
SELECT t.refused(format('SELECT * FROM ledger_post_batch(%L::text[], %L::text[], %s)', debit, credit, amount), error, 'atomic: ' || why)
  FROM (VALUES ('{assets:bank,NULL}', '{income:fees,income:fees}', '''{1,1}''', 'LF002 invalid_account_code', 'an account that is NULL'), ('{assets:bank,assets:bank}', '{income:fees,income:fees}', '''{1,NULL}''', 'LF001 invalid_amount', 'an amount that is NULL'),
               ('{assets:bank,assets:bank}', '{income:fees,assets:bank}', '''{1,1}''', 'LF003 same_account', 'the same account twice'), ('{assets:bank,assets:bank}', '{income:fees,equity:yen}', '''{1,1}''', 'LF007 currency_mismatch', 'two currencies'),
               ('{assets:bank,assets:bank}', '{income:fees,income:fees}', '''{1,0.001}''', 'LF001 invalid_amount', 'half a cent')) AS x (debit, credit, amount, error, why);
SELECT t.refused($$SELECT * FROM ledger_post_batch('{1,2}'::bigint[], '{2,987654321}'::bigint[], '{1,1}')$$, 'LF023 account_not_found', 'an unknown id');
SELECT is((t.attempt($$SELECT * FROM ledger_post_batch('{1,2}'::bigint[], '{2,987654321}'::bigint[], '{1,1}')$$)).message, 'item 2: account with id 987654321 does not exist', 'is named');
SELECT ledger_freeze_account('income:fees') \g /dev/null
SELECT t.refused($$SELECT * FROM ledger_post_batch('{assets:bank,assets:bank}'::text[], '{liabilities:bob,income:fees}'::text[], '{1,1}')$$, 'LF043 account_frozen', 'a frozen account');

-- Only the whole counts for no limit: items come one after the other.
SELECT t.refused($$SELECT * FROM ledger_post_batch('{liabilities:alice,assets:bank}'::text[], '{liabilities:bob,liabilities:alice}'::text[], '{61,100}')$$, 'LF040 insufficient_balance', 'money that comes later does not help');

-- References inside a batch.
SELECT t.refused($$SELECT * FROM ledger_post_batch('{assets:bank,assets:bank}'::text[], '{liabilities:bob,liabilities:bob}'::text[], '{1,1}', reference => '{X,X}')$$, 'LF028 duplicate_reference', 'a reference twice in a batch');
SELECT t.refused($$SELECT * FROM ledger_post_batch('{assets:bank,assets:bank}'::text[], '{liabilities:bob,liabilities:bob}'::text[], '{1,1}', reference => '{X,R1}')$$, 'LF028 duplicate_reference', 'a reference that is used');
SELECT t.allowed($$SELECT * FROM ledger_post_batch('{assets:bank,assets:bank}'::text[], '{liabilities:bob,liabilities:bob}'::text[], '{1,1}', reference => '{Z,A}')$$, 'references in any order');

-- The same as single postings.
SELECT ledger_create('one'), ledger_create('many') \g /dev/null
SELECT ledger_open_account(c, 'asset', 'USD', ledger => l) FROM unnest('{one,many}'::name[]) AS l, unnest('{a,b,c}'::text[]) AS c \g /dev/null
SELECT ledger_post(d, c, a, ledger => 'one') FROM (VALUES ('a', 'b', 1), ('b', 'c', 2), ('c', 'a', 3), ('a', 'c', 0.01)) AS x (d, c, a) \g /dev/null
SELECT * FROM ledger_post_batch('{a,b,c,a}'::text[], '{b,c,a,c}'::text[], '{1,2,3,0.01}', ledger => 'many') \g /dev/null
SELECT results_eq('SELECT account_id, debits_posted, credits_posted, version FROM one.account_balances ORDER BY 1', 'SELECT account_id, debits_posted, credits_posted, version FROM many.account_balances ORDER BY 1', 'the same balances as by single calls');
SELECT results_eq('SELECT account_id, line, amount, balance_after FROM one.entries ORDER BY transaction_id, line', 'SELECT account_id, line, amount, balance_after FROM many.entries ORDER BY transaction_id, line', 'and the same entries');
SELECT is_empty($$SELECT * FROM ledger_verify('many')$$, 'that ledger is well');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
