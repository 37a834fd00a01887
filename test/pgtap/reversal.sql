-- Reversing: in full, in part by an amount or lines, never more than was posted.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(44);

-- In full.
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, reference => 'DEP-1', effective_at => '2024-05-01Z') AS id \gset
SELECT ledger_reverse(:'id', 'bounced', reference => 'REV-1', metadata => '{"code": "AC04"}', effective_at => '2024-05-03Z') AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:bank -100.00, liabilities:alice 100.00', 'the mirror, line by line');
SELECT is(ledger_balance('liabilities:alice'), 0.00, 'the money is back');
SELECT is((SELECT (reverses, description, reference, metadata, effective_at)::text FROM ledger.transactions WHERE id = :'reversal'),
          (SELECT (:'id'::uuid, 'bounced'::text, 'REV-1'::text, '{"code": "AC04"}'::jsonb, timestamptz '2024-05-03Z')::text), 'it names the transaction, the reason and its own texts');
SELECT results_eq(format('SELECT transaction_id, reversed_by, reason, is_forced FROM ledger.reversals WHERE transaction_id = %L', :'id'),
    format($$VALUES (%L::uuid, %L::uuid, 'bounced', false)$$, :'id', :'reversal'), 'both sides are visible');
SELECT is((SELECT DISTINCT reverses FROM ledger.journal WHERE transaction_id = :'reversal'), :'id'::uuid, 'in the journal too');
SELECT is(t.history(:'id'), 'posted > reversed', 'the history tells it');
SELECT is((SELECT reason FROM ledger.transaction_history WHERE transaction_id = :'id'), 'by transaction ' || :'reversal', 'and by what');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'id'), 'LF064 already_reversed', 'not twice');
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 0.01)', :'id'), 'LF064 already_reversed', 'nor in part afterwards');
SELECT is(t.lines(:'id'), 'assets:bank 100.00, liabilities:alice -100.00', 'the original is as it was');

-- In part, by an amount.
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) AS id \gset
SELECT ledger_reverse(:'id', 'goodwill', 30) AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:bank -30.00, liabilities:alice 30.00', 'a part');
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 70.01)', :'id'), 'LF064 already_reversed', 'more than is left');
SELECT is((t.attempt(format('SELECT ledger_reverse(%L, amount => 70.01)', :'id'))).detail, 'Left on account "assets:bank": 70.00 USD, to be reversed 70.01 USD.', 'with the figures');
SELECT ledger_reverse(:'id', 'goodwill', 50), ledger_reverse(:'id') AS last \gset
SELECT is(t.lines(:'last'), 'assets:bank -20.00, liabilities:alice 20.00', 'no amount: what is left');
SELECT is(t.history(:'id'), 'posted > partly_reversed, partly_reversed > partly_reversed, partly_reversed > reversed', 'the history tells each step');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'id'), 'LF064 already_reversed', 'and nothing is left then');
SELECT is((SELECT sum(e.amount) FROM ledger.transactions t JOIN ledger.entries e ON e.transaction_id = t.id WHERE t.reverses = :'id' AND e.amount > 0), 100.00, 'the sum of reversals is the original');

-- Lines.
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 100), ledger_credit('liabilities:alice', 90), ledger_credit('income:fees', 10)]) AS id \gset
SELECT t.refused(format('SELECT ledger_reverse(%L, amount => 10)', :'id'), 'LF015 invalid_argument', 'an amount does not tell how to divide three lines');
SELECT ledger_reverse(:'id', lines => ARRAY[ledger_debit('liabilities:alice', 40), ledger_credit('assets:bank', 40)]) AS reversal \gset
SELECT is(t.lines(:'reversal'), 'liabilities:alice 40.00, assets:bank -40.00', 'by lines, without the fee');
SELECT t.refused(format('SELECT ledger_reverse(%L, lines => ARRAY[ledger_debit(%L, 50.01), ledger_credit(%L, 50.01)])', :'id', 'liabilities:alice', 'assets:bank'), 'LF064 already_reversed', 'more than is left of a line');
SELECT t.refused(format('SELECT ledger_reverse(%L, lines => ARRAY[ledger_debit(%L, 20), ledger_debit(%L, 40), ledger_credit(%L, 60)])', :'id', 'income:fees', 'liabilities:alice', 'assets:bank'), 'LF064 already_reversed', 'of any line');
SELECT ledger_reverse(:'id') AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:bank -60.00, liabilities:alice 50.00, income:fees 10.00', 'and the rest');

-- Several currencies.
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('equity:capital', 10), ledger_debit('assets:yen', 1500), ledger_credit('equity:yen', 1500)]) AS id \gset
SELECT ledger_reverse(:'id', lines => ARRAY[ledger_credit('assets:yen', 500), ledger_debit('equity:yen', 500)]) AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:yen -500, equity:yen 500', 'one currency of two');
SELECT ledger_reverse(:'id') AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:bank -10.00, equity:capital 10.00, assets:yen -1000, equity:yen 1000', 'the rest of both');
SELECT is(t.history(:'id'), 'posted > partly_reversed, partly_reversed > reversed', 'reversed when both are');

-- One account on both sides, or on several lines.
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('assets:bank', 4), ledger_credit('equity:capital', 6)]) AS id \gset
SELECT ledger_reverse(:'id') AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:bank -10.00, assets:bank 4.00, equity:capital 6.00', 'mirrored line by line');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'id'), 'LF064 already_reversed', 'once');
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 10), ledger_credit('assets:bank', 4), ledger_credit('equity:capital', 6)]) AS id \gset
SELECT ledger_reverse(:'id', lines => ARRAY[ledger_credit('assets:bank', 5), ledger_debit('equity:capital', 5)]) \g /dev/null
SELECT t.refused(format('SELECT ledger_reverse(%L, lines => ARRAY[ledger_credit(%L, 2), ledger_debit(%L, 2)])', :'id', 'assets:bank', 'equity:capital'), 'LF064 already_reversed', 'no more than the lines of an account come to');
SELECT ledger_reverse(:'id') AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:bank -1.00, equity:capital 1.00', 'account by account, after a part');
-- Lines that cancel out on an account.
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 5), ledger_credit('assets:bank', 5), ledger_debit('assets:cash', 3), ledger_credit('equity:capital', 3)]) AS id \gset
SELECT ledger_reverse(:'id') AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:bank -5.00, assets:bank 5.00, assets:cash -3.00, equity:capital 3.00', 'mirrored all the same');
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 5), ledger_credit('assets:bank', 5), ledger_debit('equity:capital', 3), ledger_credit('equity:capital', 3)]) AS id \gset
SELECT ledger_reverse(:'id') AS reversal \gset
SELECT is(t.lines(:'reversal'), 'assets:bank -5.00, assets:bank 5.00, equity:capital -3.00, equity:capital 3.00', 'where all accounts cancel out');
SELECT t.refused(format('SELECT ledger_reverse(%L)', :'id'), 'LF064 already_reversed', 'once');
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 5), ledger_credit('assets:bank', 5), ledger_debit('assets:cash', 3), ledger_credit('equity:capital', 3)]) AS id \gset

-- A key.
SELECT ledger_post('assets:bank', 'liabilities:bob', 100) AS id \gset
SELECT ledger_reverse(:'id', 'why', 10, 'key') AS reversal \gset
SELECT t.fingerprint() AS before \gset
SELECT is(ledger_reverse(:'id', 'why', 10.00, 'key'), :'reversal'::uuid, 'the same reversal: the same transaction');
SELECT is(t.fingerprint(), :'before', 'and nothing is written');
SELECT is(t.conflict(format('SELECT ledger_reverse(%L, %s)', coalesce(id, :'id'), arguments)), 'LF047 idempotency_conflict / ' || conflict, 'conflict: ' || why)
  FROM (VALUES (NULL, $$'why', 11, 'key'$$, 'amount / 10.00 USD / 11.00 USD', 'amount'), (NULL, $$'why', NULL, 'key'$$, 'amount / 10.00 USD / none', 'no amount'),
               (NULL, $$'else', 10, 'key'$$, 'description / "why" / "else"', 'reason'), (:'reversal', $$'why', 10, 'key'$$, format('transaction / %s / %s', :'id', :'reversal'), 'transaction'),
               (NULL, $$'why', 10, 'key', force => true$$, 'force / false / true', 'force'), (NULL, $$'why', 10, 'key', reference => 'R'$$, 'reference / none / "R"', 'reference'),
               (NULL, $$'why', NULL, 'key', ARRAY[ledger_credit('assets:bank', 10), ledger_debit('liabilities:bob', 10)]$$, 'amount / 10.00 USD / none', 'lines')) AS x (id, arguments, conflict, why);
SELECT is(t.conflict($$SELECT ledger_post('liabilities:bob', 'assets:bank', 10, 'key', description => 'why')$$), 'LF047 idempotency_conflict / operation / reverse / post', 'a posting that looks the same');
SELECT ledger_reverse(:'id') \g /dev/null
SELECT is(ledger_reverse(:'id', 'why', 10, 'key'), :'reversal'::uuid, 'answered still when all is reversed');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
