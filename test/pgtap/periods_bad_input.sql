-- Periods that cannot be closed or reopened.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(19);
SELECT t.refused('SELECT ledger_reopen_period()', 'LF017 invalid_period', 'nothing to reopen');
SELECT t.refused(format('SELECT ledger_close_period(%s)', through), 'LF017 invalid_period', 'close ' || why)
  FROM (VALUES ('NULL', 'nothing'), ($$now() + interval '1 hour'$$, 'the next hour'), ($$'2999-01-01'$$, 'the future'), ($$'infinity'$$, 'for ever'), ($$'-infinity'$$, 'before all time'), ($$'294276-12-31'$$, 'to the last day')) AS x (through, why);
SELECT ledger_close_period('2024-03-31Z') \g /dev/null
SELECT t.refused($$SELECT ledger_close_period('2024-02-29Z')$$, 'LF017 invalid_period', 'before the last one');
SELECT t.refused($$SELECT ledger_close_period('2024-03-31Z')$$, 'LF017 invalid_period', 'the same again');
SELECT is((t.attempt($$SELECT ledger_close_period('2024-02-29Z')$$)).message, 'the books are closed through 2024-03-31 00:00:00.000000+00 already', 'the message tells the time');
SELECT t.refused($$SELECT ledger_reopen_period('2024-03-31Z')$$, 'LF017 invalid_period', 'reopen to the same time');
SELECT t.refused($$SELECT ledger_reopen_period('2024-04-30Z')$$, 'LF017 invalid_period', 'or a later one');
SELECT t.refused($$SELECT ledger_reopen_period('infinity')$$, 'LF017 invalid_period', 'or infinity');
SELECT t.refused($$SELECT ledger_close_period('2024-04-30Z', repeat('x', 10001))$$, 'LF010 invalid_description', 'a long reason');
SELECT t.refused($$SELECT ledger_close_period('2024-04-30Z', ledger => 'none')$$, 'LF020 ledger_not_found', 'a ledger that does not exist');
SELECT t.refused($$UPDATE ledger.settings SET closed_through = NULL$$, 'LF070 immutable_ledger', 'by hand');
SELECT t.refused($$UPDATE ledger.settings SET closed_through = '2024-01-01Z'$$, 'LF070 immutable_ledger', 'in either direction');
SELECT t.allowed($$UPDATE ledger.settings SET idempotency_retention = '1 day'$$, 'other settings are the owner''s');
SELECT is((SELECT closed_through FROM ledger.settings), '2024-03-31Z'::timestamptz, 'the books are closed as they were');

SELECT * FROM finish();
ROLLBACK;
