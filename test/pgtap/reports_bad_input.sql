-- Reports: what is refused, open ends, privileges, names that lie in wait.
BEGIN;
\ir include/books.sql
SELECT plan(81);
SET timezone = 'UTC';
SELECT ledger_post('assets:bank', 'income:fees', 10, effective_at => '2024-01-01'), ledger_post('assets:yen', 'equity:yen', 10, effective_at => '2024-01-02') \g /dev/null

-- Every function, with what each has to refuse.
CREATE TEMPORARY TABLE report (name text, call text);
INSERT INTO report VALUES
    ('roll-up', 'ledger_rollup(at => %1$s, by => %3$s)'), ('by type', 'ledger_balances_by_type(%1$s, %3$s)'), ('by metadata', 'ledger_balances_by_metadata(''k'', %1$s, %3$s)'),
    ('trial balance', 'ledger_trial_balance(at => %1$s, by => %3$s)'), ('balance sheet', 'ledger_balance_sheet(%1$s, NULL, %3$s)'),
    ('income statement', 'ledger_income_statement(%1$s, %2$s, NULL, %3$s)'), ('movements', 'ledger_movements(%1$s, %2$s, NULL, %3$s)'),
    ('compare', 'ledger_compare(%1$s, %2$s, NULL, NULL, NULL, %3$s)'), ('chart', 'ledger_chart(''assets:bank'', %1$s, %2$s, ''1 day'', %3$s)');
CREATE FUNCTION t.call(call text, "from" text, "to" text, by text DEFAULT '''effective''') RETURNS text LANGUAGE sql AS
    $$ SELECT 'SELECT * FROM ' || format(call, "from", "to", by) $$;
SELECT t.refused(t.call(call, 'NULL', 'NULL', '''due'''), 'LF015 invalid_argument', name || ': an unknown time') FROM report;
SELECT t.refused(t.call(call, 'NULL', 'NULL', '''Posted'''), 'LF015 invalid_argument', name || ': spelt otherwise') FROM report;
SELECT t.refused(t.call(call, 'NULL', 'NULL', 'NULL'), 'LF015 invalid_argument', name || ': no time') FROM report;
SELECT t.refused(t.call(call, '''2024-02-01''', '''2024-01-31'''), 'LF015 invalid_argument', name || ': reversed dates') FROM report WHERE call LIKE '%2$s%';
SELECT t.allowed(t.call(call, '''2024-01-01''', '''2024-01-01'''), name || ': a range of nothing') FROM report;
SELECT t.allowed(t.call(call, '''-infinity''', '''infinity'''), name || ': infinities are open ends') FROM report WHERE name <> 'chart';
SELECT t.refused($$SELECT * FROM ledger_compare(NULL, NULL, '2024-02-01', '2024-01-31')$$, 'LF015 invalid_argument', 'compare: the second range reversed');
SELECT t.refused($$SELECT * FROM ledger_movements('infinity', '-infinity')$$, 'LF015 invalid_argument', 'movements: infinities the wrong way round');

-- Before the first entry, beyond the last.
SELECT is((SELECT sum(abs(total)) FROM ledger_rollup(at => '4713-01-01 BC')), 0.0, 'nothing before the first entry');
SELECT is((SELECT sum(debit) FROM ledger_trial_balance(at => '4713-01-01 BC', by => 'posted')), 0.0, 'by posting time');
SELECT is((SELECT sum(debit) FROM ledger_trial_balance(at => '294276-12-31 23:59:59.999999', by => 'posted')), 20.0, 'all at the end of time');
SELECT is((SELECT sum(debit) FROM ledger_trial_balance(at => '12000-01-01', by => 'posted')), 20.0, 'after the last id that there can be');
SELECT is((SELECT sum(debit) FROM ledger_trial_balance(at => '1960-01-01', by => 'posted')), 0.0, 'before the first one');
SELECT is((SELECT sum(debits) FROM ledger_movements('1960-01-01', '12000-01-01', by => 'posted')), 20.0, 'between them');

-- Prefixes and depths.
SELECT t.refused(format('SELECT * FROM ledger_rollup(%L)', prefix), 'LF002 invalid_account_code', 'prefix ' || coalesce(prefix, 'NULL'))
  FROM unnest('{"",":","assets:",":assets","assets::bank","%","assets:%","as sets"}'::text[] || repeat('a', 256)) AS prefix;
SELECT ledger_open_account('a_b:x', 'asset', 'USD'), ledger_open_account('acb:x', 'asset', 'USD') \g /dev/null
SELECT is((SELECT string_agg(account, ' ') FROM ledger_rollup('a_b')), 'a_b a_b:x', '_ is a character like others');
SELECT t.refused($$SELECT * FROM ledger_movements(prefix => 'assets:')$$, 'LF002 invalid_account_code', 'movements: a trailing colon');
SELECT t.refused($$SELECT * FROM ledger_compare(NULL, NULL, NULL, NULL, '%')$$, 'LF002 invalid_account_code', 'compare: a percent sign');
SELECT t.refused(format('SELECT * FROM %s', call), 'LF015 invalid_argument', call)
  FROM unnest('{ledger_rollup(depth => 0),ledger_rollup(depth => -1),ledger_balance_sheet(depth => 0),ledger_income_statement(depth => -2147483648)}'::text[]) AS call;
SELECT t.refused('SELECT * FROM ledger_balances_by_metadata(NULL)', 'LF015 invalid_argument', 'no key');
SELECT t.refused(t.call(call, 'NULL', 'NULL') || ' WHERE false', 'done', name || ': nobody has to read the rows') FROM report WHERE name = 'movements';

-- Nothing there.
SELECT ledger_create('empty') \g /dev/null
SELECT is_empty($$SELECT 1 FROM ledger_rollup(ledger => 'empty') UNION ALL SELECT 1 FROM ledger_balance_sheet(ledger => 'empty') UNION ALL SELECT 1 FROM ledger_income_statement(ledger => 'empty')
                  UNION ALL SELECT 1 FROM ledger_movements(ledger => 'empty') UNION ALL SELECT 1 FROM ledger_balances_by_type(ledger => 'empty')
                  UNION ALL SELECT 1 FROM ledger_balances_by_metadata('k', ledger => 'empty') UNION ALL SELECT 1 FROM ledger_trial_balance(at => NULL, ledger => 'empty')$$, 'a ledger without accounts');
SELECT t.refused($$SELECT * FROM ledger_rollup(ledger => 'nowhere')$$, 'LF020 ledger_not_found', 'no such ledger');

-- Privileges: the caller's own.
CREATE ROLE t_nobody; CREATE ROLE t_reader;
SELECT ledger_grant('t_reader', 'reader') \g /dev/null
GRANT USAGE ON SCHEMA ledger TO t_nobody; GRANT SELECT ON ledger.accounts TO t_nobody;
SELECT is((SELECT string_agg(t.verdict(t.attempt(t.call(call, 'NULL', 'now()'), 't_nobody')), ',') FROM report), '42501,42501,42501,42501,42501,42501,42501,42501,42501', 'who may not read is refused');
SELECT is((SELECT string_agg(t.verdict(t.attempt(t.call(call, 'NULL', 'now()'), 't_reader')), ',') FROM report), 'done,done,done,done,done,done,done,done,done', 'a reader reads');

-- A search_path full of traps.
CREATE SCHEMA evil;
CREATE FUNCTION evil.trap(a numeric, b numeric) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil operator'; END $$;
CREATE OPERATOR evil.- (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = evil.trap);
CREATE FUNCTION evil.sum(numeric) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil sum'; END $$;
CREATE FUNCTION evil.string_to_array(text, text) RETURNS text[] LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil array'; END $$;
CREATE FUNCTION t.poisoned(statement text) RETURNS text LANGUAGE plpgsql SET search_path = pg_temp, evil, pg_catalog, public AS $$ BEGIN EXECUTE statement; RETURN 'done'; END $$;
SELECT throws_like($$SELECT t.poisoned('SELECT 1.0 - 1.0')$$, '%evil operator%', 'the trap is set');
SELECT is((SELECT string_agg(DISTINCT t.poisoned(t.call(call, 'NULL', 'NULL')), ',') FROM report), 'done', 'and nothing steps into it');

-- A view of the ledger in another shape ends in an error.
DROP VIEW ledger.trial_balance;
CREATE VIEW ledger.trial_balance AS SELECT 'a'::text AS account, 1 AS type, 2 AS currency, 3 AS debit, 4 AS credit, 5 AS name, 6 AS debits_posted, 7 AS credits_posted;
SELECT t.refused('SELECT * FROM ledger_trial_balance()', '42804', 'not in a crash');

SELECT * FROM finish();
ROLLBACK;
