-- Each call on holds takes a key: the same request is answered again, another one is a conflict that names the field.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(54);
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null

-- Placing.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expires_in => '1 day') AS hold,
       ledger_hold('liabilities:alice', 'liabilities:bob', 20, 'hold at', expires_at => '2099-01-01Z') AS hold_at,
       ledger_hold(ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:bob', 2), ledger_credit('income:fees', 1)], 'hold lines') AS hold_lines \gset
SELECT t.fingerprint() AS before \gset
SELECT is(ledger_hold('liabilities:alice', 'liabilities:bob', 30.000, 'hold', 'CARD', 'Pay', '2024-05-01 14:00+02', '{ "a" :1 }', expires_in => '1 day'), :'hold'::uuid, 'the same hold: the same id');
SELECT is(ledger_hold(ARRAY[ledger_debit('liabilities:alice', 30), ledger_credit('liabilities:bob', 30)], 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expires_in => '1 day'), :'hold'::uuid, 'or as lines');
SELECT is(ledger_hold('liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expected_version => 99, expires_in => '1 day'), :'hold'::uuid, 'the expected version was met then');
SELECT is(ledger_hold('liabilities:alice', 'liabilities:bob', 20, 'hold at', expires_at => '2099-01-01 01:00+01'), :'hold_at'::uuid, 'with a time of expiry');
SELECT is(ledger_hold(ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:bob', 2), ledger_credit('income:fees', 1)], 'hold lines'), :'hold_lines'::uuid, 'with three lines');
SELECT is(t.fingerprint(), :'before', 'and nothing is written');
SELECT is(t.conflict('SELECT ledger_hold(' || arguments || ')'), 'LF047 idempotency_conflict / ' || conflict, 'conflict: ' || why)
  FROM (VALUES
    ($$'liabilities:alice', 'liabilities:bob', 31, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expires_in => '1 day'$$, 'amount / 30.00 USD / 31.00 USD', 'amount'),
    ($$'assets:bank', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expires_in => '1 day'$$, 'debit account / liabilities:alice / assets:bank', 'debited account'),
    ($$'liabilities:alice', 'assets:bank', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expires_in => '1 day'$$, 'credit account / liabilities:bob / assets:bank', 'credited account'),
    ($$'liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expires_in => '2 days'$$, 'expiry / 0 months 1 days 0 microseconds / 0 months 2 days 0 microseconds', 'interval'),
    ($$'liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}'$$, 'expiry / 0 months 1 days 0 microseconds / none', 'no interval'),
    ($$'liabilities:alice', 'liabilities:bob', 20, 'hold at', expires_at => '2099-01-02Z'$$, 'expiry / 2099-01-01 00:00:00.000000+00 / 2099-01-02 00:00:00.000000+00', 'time of expiry'),
    ($$'liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD-2', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expires_in => '1 day'$$, 'reference / "CARD" / "CARD-2"', 'reference'),
    ($$'liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', NULL, '2024-05-01 12:00Z', '{"a": 1}', expires_in => '1 day'$$, 'description / "Pay" / none', 'description'),
    ($$'liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:01Z', '{"a": 1}', expires_in => '1 day'$$, 'effective_at / 2024-05-01 12:00:00.000000+00 / 2024-05-01 12:01:00.000000+00', 'effective_at'),
    ($$'liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 2}', expires_in => '1 day'$$, 'metadata / {"a": 1} / {"a": 2}', 'metadata'),
    ($$ARRAY[ledger_debit('assets:bank', 3), ledger_credit('liabilities:bob', 1), ledger_credit('income:fees', 2)], 'hold lines'$$,
     'lines / assets:bank 3.00 USD, liabilities:bob -2.00 USD, income:fees -1.00 USD / assets:bank 3.00 USD, liabilities:bob -1.00 USD, income:fees -2.00 USD', 'lines')) AS x (arguments, conflict, why);
SELECT is(t.conflict($$SELECT ledger_post('liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}')$$), 'LF047 idempotency_conflict / operation / hold / post', 'a posting under the key of a hold');

-- Capturing.
SELECT ledger_capture(:'hold', 10, false, 'part', reference => 'INV') AS part \gset
SELECT ledger_capture(:'hold_lines', idempotency_key => 'cap lines', lines => ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 1)], final => false) AS part_lines \gset
SELECT t.fingerprint() AS before \gset
SELECT is(ledger_capture(:'hold', 10, false, 'part', reference => 'INV'), :'part'::uuid, 'the same capture: the same transaction');
SELECT is(ledger_capture(:'hold_lines', idempotency_key => 'cap lines', lines => ARRAY[ledger_debit('assets:bank', 1), ledger_credit('income:fees', 1)], final => false), :'part_lines'::uuid, 'by lines');
SELECT is(ledger_hold('liabilities:alice', 'liabilities:bob', 30, 'hold', 'CARD', 'Pay', '2024-05-01 12:00Z', '{"a": 1}', expires_in => '1 day'), :'hold'::uuid, 'the hold is still answered as it was placed');
SELECT is(t.fingerprint(), :'before', 'and nothing is written');
SELECT is(t.conflict(format('SELECT ledger_capture(%L, %s)', coalesce(hold, :'hold'), arguments)), 'LF047 idempotency_conflict / ' || conflict, 'conflict: ' || why)
  FROM (VALUES
    (NULL, $$11, false, 'part', reference => 'INV'$$, 'amount / 10.00 USD / 11.00 USD', 'amount'),
    (NULL, $$NULL, false, 'part', reference => 'INV'$$, 'amount / 10.00 USD / none', 'no amount'),
    (NULL, $$10, true, 'part', reference => 'INV'$$, 'final / false / true', 'final'),
    (NULL, $$10, false, 'part'$$, 'reference / "INV" / none', 'reference'),
    (NULL, $$10, false, 'part', reference => 'INV', description => 'x'$$, 'description / none / "x"', 'description'),
    (NULL, $$10, false, 'part', reference => 'INV', effective_at => '2024-01-01Z'$$, 'effective_at / none / 2024-01-01 00:00:00.000000+00', 'effective_at'),
    (NULL, $$10, false, 'part', reference => 'INV', metadata => '{}'$$, 'metadata / none / {}', 'metadata'),
    (:'hold_at', $$10, false, 'part', reference => 'INV'$$, format('hold / %s / %s', :'hold', :'hold_at'), 'hold'),
    (NULL, $$NULL, false, 'part', lines => ARRAY[ledger_debit('liabilities:alice', 10), ledger_credit('liabilities:bob', 10)], reference => 'INV'$$, 'amount / 10.00 USD / none', 'lines for an amount'),
    (:'hold_lines', $$idempotency_key => 'cap lines', lines => ARRAY[ledger_debit('assets:bank', 2), ledger_credit('income:fees', 2)], final => false$$,
     'lines / assets:bank 1.00 USD, income:fees -1.00 USD / assets:bank 2.00 USD, income:fees -2.00 USD', 'lines')) AS x (hold, arguments, conflict, why);
SELECT is(t.conflict(format('SELECT ledger_capture(%L, idempotency_key => %L)', :'hold', 'hold')), 'LF047 idempotency_conflict / operation / hold / capture', 'the key of the hold itself');
SELECT is(t.conflict($$SELECT ledger_post('liabilities:alice', 'liabilities:bob', 10, 'part', 'INV')$$), 'LF047 idempotency_conflict / operation / capture / post', 'a posting that looks the same');
SELECT ledger_post('assets:bank', 'liabilities:bob', 1, 'posting') \g /dev/null
SELECT is(t.conflict(format('SELECT ledger_capture(%L, idempotency_key => %L)', :'hold', 'posting')), 'LF047 idempotency_conflict / operation / post / capture', 'the key of a posting');
SELECT is(t.conflict($$SELECT ledger_hold('assets:bank', 'liabilities:bob', 1, 'posting')$$), 'LF047 idempotency_conflict / operation / post / hold', 'for a hold as well');

-- Raising.
SELECT ledger_raise_hold(:'hold', 5, idempotency_key => 'raise') \g /dev/null
SELECT t.fingerprint() AS before \gset
SELECT t.allowed(format('SELECT ledger_raise_hold(%L, 5, idempotency_key => %L)', :'hold', 'raise'), 'the same raise');
SELECT is(t.fingerprint(), :'before', 'adds nothing');
SELECT is(t.conflict(format('SELECT ledger_raise_hold(%L, %s, idempotency_key => %L)', coalesce(hold, :'hold'), arguments, 'raise')), 'LF047 idempotency_conflict / ' || conflict, 'conflict: ' || why)
  FROM (VALUES (NULL, '6', 'amount / 5.00 USD / 6.00 USD', 'amount'),
               (NULL, $$lines => ARRAY[ledger_debit('liabilities:alice', 5), ledger_credit('liabilities:bob', 5)]$$, 'amount / 5.00 USD / none', 'lines'),
               (:'hold_at', '5', format('hold / %s / %s', :'hold', :'hold_at'), 'hold')) AS x (hold, arguments, conflict, why);

-- Releasing, and what came before it.
SELECT ledger_release(:'hold', 'enough', 'release') \g /dev/null
SELECT t.fingerprint() AS before \gset
SELECT t.allowed(format('SELECT ledger_release(%L, %L, %L)', :'hold', 'enough', 'release'), 'the same release');
SELECT is(ledger_capture(:'hold', 10, false, 'part', reference => 'INV'), :'part'::uuid, 'a capture of before is answered still');
SELECT t.allowed(format('SELECT ledger_raise_hold(%L, 5, idempotency_key => %L)', :'hold', 'raise'), 'and a raise');
SELECT is(t.fingerprint(), :'before', 'and nothing is written');
SELECT is(t.conflict(format('SELECT ledger_release(%L, %L, %L)', coalesce(hold, :'hold'), reason, 'release')), 'LF047 idempotency_conflict / ' || conflict, 'conflict: ' || why)
  FROM (VALUES (NULL, 'other', 'reason / "enough" / "other"', 'reason'), (NULL, NULL, 'reason / "enough" / none', 'no reason'),
               (:'hold_at', 'enough', format('hold / %s / %s', :'hold', :'hold_at'), 'hold')) AS x (hold, reason, conflict, why);
SELECT t.refused(format('SELECT ledger_release(%L, %L)', :'hold', 'enough'), 'LF061 hold_not_pending', 'without the key it is a second release');

-- A refused request leaves its key free.
SELECT t.refused($$SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 1000, 'again')$$, 'LF040 insufficient_balance', 'refused');
SELECT t.allowed($$SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 1, 'again')$$, 'and another request with its key');

-- What a key names stays answered after the hold's expiry.
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 2, 'short', expires_in => '500 ms') AS short,
       ledger_hold('liabilities:alice', 'liabilities:bob', 2, 'short at', expires_at => '2099-01-01Z') AS short_at \gset
SELECT ledger_capture(:'short', 1, false, 'short part') AS part \gset
SELECT pg_sleep(0.55) \g /dev/null
SELECT is(ledger_capture(:'short', 1, false, 'short part'), :'part'::uuid, 'a capture before the expiry');
SELECT is(ledger_hold('liabilities:alice', 'liabilities:bob', 2, 'short', expires_in => '500 ms'), :'short'::uuid, 'a hold that has expired');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
