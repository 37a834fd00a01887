-- Balances at a time: bad input, privileges, and what they rest on: guarded, verified, made anew.
BEGIN;
\ir include/books.sql
SELECT plan(59);
SELECT ledger_post('assets:bank', 'equity:capital', 100) AS plain,
       ledger_post('assets:bank', 'equity:capital', 7, effective_at => '2026-01-15 12:00+00') AS first,
       ledger_post('assets:bank', 'equity:capital', 5, effective_at => '2026-01-16 12:00+00') AS second \gset

-- Bad input.
SELECT t.refused($$SELECT ledger_balance_at(NULL, now())$$, 'LF002 invalid_account_code', 'no account');
SELECT t.refused($$SELECT ledger_balance_at('nobody', now())$$, 'LF023 account_not_found', 'an unknown account');
SELECT t.refused($$SELECT ledger_balance_at('nobody', now(), 'effective')$$, 'LF023 account_not_found', 'an unknown account by effective time');
SELECT t.refused($$SELECT ledger_balance_at('assets:bank', NULL)$$, 'LF015 invalid_argument', 'no time');
SELECT t.refused($$SELECT ledger_balance_at('assets:bank', NULL, 'effective')$$, 'LF015 invalid_argument', 'no effective time');
SELECT t.refused(format('SELECT ledger_balance_at(''assets:bank'', now(), %L)', word), 'LF015 invalid_argument', 'by ' || coalesce(word, 'NULL'))
  FROM (VALUES (NULL), (''), ('Effective'), ('effective '), ('posting'), (repeat('x', 100000))) AS w (word);
SELECT is((t.attempt($$SELECT ledger_balance_at('assets:bank', now(), 'value')$$))::text, '(LF015,invalid_argument,"balance by ""value"" is unknown","","Use ''posted'' or ''effective''.")', 'the error tells what to use');
SELECT t.refused($$SELECT ledger_balance_at('assets:bank', now(), ledger => 'none')$$, 'LF020 ledger_not_found', 'no ledger');
SELECT t.refused($$SELECT ledger_balance_at('assets:bank', '294277-01-01')$$, '22008', 'a time that there is not');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 1, effective_at => 'infinity')$$, 'LF012 invalid_effective_at', 'no posting without a day');
SELECT t.refused($$WITH x AS (INSERT INTO ledger.transactions (effective_at) VALUES ('-infinity') RETURNING id) INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT id, 1, 1, 1 FROM x$$,
                 'LF012 invalid_effective_at', 'nor by hand');

-- By name, by place, in another ledger.
SELECT is(ledger_balance_at(account => 'assets:bank', at => '2026-01-15 12:00+00', by => 'effective', ledger => 'ledger'), 7.00, 'by name');
SELECT is(ledger_balance_at('assets:bank', '2026-01-15 12:00+00', 'effective', 'ledger'), 7.00, 'by place');
SELECT ledger_create('other'), ledger_open_account('assets:bank', 'asset', 'JPY', ledger => 'other'), ledger_open_account('equity:capital', 'equity', 'JPY', ledger => 'other') \g /dev/null
SELECT ledger_post('assets:bank', 'equity:capital', 3, effective_at => '2026-01-15 12:00+00', ledger => 'other') \g /dev/null
SELECT is(ledger_balance_at('assets:bank', '2026-01-15 12:00+00', 'effective', 'other'), 3::numeric, 'each ledger by itself');
SET LOCAL ledgerflow.ledger = 'other';
SELECT is(ledger_balance_at('assets:bank', '2026-01-15 12:00+00', 'effective'), 3::numeric, 'the ledger of the setting');
RESET ledgerflow.ledger;

-- Names and operators of the caller's make no difference.
CREATE SCHEMA evil;
CREATE FUNCTION evil.add(a numeric, b numeric) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil operator'; END $$;
CREATE FUNCTION evil.scale(a integer, b numeric) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil operator'; END $$;
CREATE FUNCTION evil.round(a numeric, b smallint) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil function'; END $$;
CREATE FUNCTION evil.sum(a numeric) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil function'; END $$;
CREATE FUNCTION evil.timezone(a text, b timestamptz) RETURNS timestamp LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil function'; END $$;
DO $$ DECLARE name text; type text; BEGIN
    FOREACH type IN ARRAY '{text,bigint,uuid,numeric,date,timestamptz}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION evil.trap(a %1$s, b %1$s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE ''evil operator''; END $f$', type);
        FOREACH name IN ARRAY '{=,<>,<,>}'::text[] LOOP
            EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %2$s, FUNCTION = evil.trap)', name, type);
        END LOOP;
    END LOOP;
    FOREACH name IN ARRAY '{+,-,*}'::text[] LOOP
        EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = evil.add)', name);
        EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = integer, RIGHTARG = numeric, FUNCTION = evil.scale)', name);
    END LOOP;
END $$;
CREATE TABLE evil.dated_entries (); CREATE TABLE evil.effective_days ();
CREATE FUNCTION t.poisoned(statement text) RETURNS text LANGUAGE plpgsql SET search_path = pg_temp, evil, pg_catalog, public AS $$
DECLARE
    result text;
BEGIN
    EXECUTE statement INTO result;
    RETURN result;
END $$;
SELECT throws_like($$SELECT t.poisoned('SELECT 1::numeric + 1::numeric')$$, '%evil operator%', 'the trap is set');
SELECT is(t.poisoned($$SELECT ledger_balance_at('assets:bank', '2026-01-15 12:00+00', 'effective')$$), '7.00', 'reading on a poisoned search_path');
SELECT is(t.poisoned($$SELECT ledger_post('assets:yen', 'equity:yen', 5, effective_at => '2026-01-15 12:00+00') IS NOT NULL$$), 'true', 'posting');
SELECT is(t.poisoned($$SELECT count(*) FROM ledger_rebuild_effective()$$), '0', 'making anew');

-- Who may read, and who may make anew.
CREATE ROLE stranger; CREATE ROLE reader; CREATE ROLE operator; CREATE ROLE admin;
SELECT ledger_grant(level::name, level) FROM unnest('{reader,operator,admin}'::text[]) AS level \g /dev/null
SELECT t.refused($$SELECT ledger_balance_at('assets:bank', now(), 'effective')$$, '42501', 'a stranger may not read', 'stranger');
SELECT t.allowed($$SELECT ledger_balance_at('assets:bank', now(), 'effective')$$, 'a reader may', 'reader');
SELECT t.refused($$SELECT * FROM ledger_rebuild_effective()$$, '42501', 'an operator may not make anew', 'operator');
SELECT t.allowed($$SELECT * FROM ledger_rebuild_effective()$$, 'an admin may', 'admin');
CREATE ROLE poster; GRANT USAGE ON SCHEMA ledger TO poster; GRANT INSERT ON ledger.transactions TO poster;
SELECT t.allowed($$SELECT ledger_post('assets:yen', 'equity:yen', 5, effective_at => '2026-01-15 12:00+00')$$, 'to post with an effective time INSERT on transactions is enough', 'poster');

-- Written by the ledger alone.
SELECT t.refused(statement, 'LF070 immutable_ledger', statement)
  FROM (VALUES ($$INSERT INTO ledger.dated_entries SELECT 2, effective_at, transaction_id, line, amount, dated_after FROM ledger.dated_entries LIMIT 1$$),
               ($$UPDATE ledger.dated_entries SET amount = 1$$), ($$DELETE FROM ledger.dated_entries$$), ($$TRUNCATE ledger.dated_entries$$),
               ($$INSERT INTO ledger.effective_days VALUES (2, '2026-01-01', 1)$$), ($$UPDATE ledger.effective_days SET amount = 1$$),
               ($$DELETE FROM ledger.effective_days$$), ($$TRUNCATE ledger.effective_days$$)) AS x (statement);

-- A trigger of the user's on dated_entries may not post with an effective time: totals would not follow one another.
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN PERFORM ledger_post('assets:bank', 'equity:capital', 1, effective_at => '2026-01-15 12:00+00'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meddle BEFORE INSERT ON ledger.dated_entries FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 7, effective_at => '2026-01-15 12:00+00')$$, '27000', 'a trigger that posts in between');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 7)$$, 'an ordinary posting does not meet it');
DROP TRIGGER meddle ON ledger.dated_entries;
CREATE TRIGGER meddle AFTER INSERT ON ledger.entries FOR EACH ROW WHEN (NEW.line = 1) EXECUTE FUNCTION meddle();
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 7, effective_at => '2026-01-17 12:00+00')$$, 'after an entry it may');
DROP TRIGGER meddle ON ledger.entries;
SELECT is(ledger_balance_at('assets:bank', '2026-01-15 12:00+00', 'effective'), 8.00, 'what it posted counts');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

-- What ledger_verify() finds behind the guards, and what ledger_rebuild_effective() mends.
CREATE FUNCTION t.damaged(damage text, expected text, description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    whole text := (SELECT string_agg(d::text, ' ' ORDER BY d) FROM ledger.dated_entries d) || (SELECT string_agg(d::text, ' ' ORDER BY d) FROM ledger.effective_days d WHERE amount <> 0);
    found text;
    mended text;
    afterwards text;
    left_over bigint;
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        EXECUTE damage;
        SET LOCAL session_replication_role = origin;
        found := (SELECT string_agg(concat_ws(' | ', check_name, object, v.expected, v.found), E'\n' ORDER BY check_name, object) FROM ledger_verify() v);
        mended := (SELECT string_agg(concat_ws(' | ', check_name, object, v.expected, v.found), E'\n' ORDER BY check_name, object) FROM ledger_rebuild_effective() v);
        left_over := (SELECT count(*) FROM ledger_verify());
        afterwards := (SELECT string_agg(d::text, ' ' ORDER BY d) FROM ledger.dated_entries d) || (SELECT string_agg(d::text, ' ' ORDER BY d) FROM ledger.effective_days d WHERE amount <> 0);
        RAISE EXCEPTION USING ERRCODE = 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
        NULL;
    END;
    RETURN NEXT is(found, expected, description || ': found');
    RETURN NEXT ok(mended = found AND left_over = 0 AND afterwards = whole, description || ': mended');
END $$;
SELECT t.damaged($$UPDATE ledger.dated_entries SET amount = 6 WHERE account_id = 1 AND effective_at = '2026-01-16 12:00+00'$$,
    format('dated_entry_mismatch | %s line 1 | 5.00 at 2026-01-16 12:00:00 UTC, dated 12.00 | 6 at 2026-01-16 12:00:00 UTC, dated 12.00', :'second'), 'a changed amount');
SELECT t.damaged($$UPDATE ledger.dated_entries SET effective_at = '2026-01-16 12:00:01+00' WHERE account_id = 1 AND effective_at = '2026-01-16 12:00+00'$$,
    format('dated_entry_mismatch | %s line 1 | 5.00 at 2026-01-16 12:00:00 UTC, dated 12.00 | 5.00 at 2026-01-16 12:00:01 UTC, dated 12.00', :'second'), 'a changed time');
SELECT t.damaged($$UPDATE ledger.dated_entries SET dated_after = 'NaN' WHERE account_id = 1 AND effective_at = '2026-01-16 12:00+00'$$,
    format('dated_entry_mismatch | %s line 1 | 5.00 at 2026-01-16 12:00:00 UTC, dated 12.00 | 5.00 at 2026-01-16 12:00:00 UTC, dated NaN', :'second'), 'a changed total');
SELECT t.damaged($$DELETE FROM ledger.dated_entries WHERE account_id = 1 AND effective_at = '2026-01-16 12:00+00'$$,
    format('dated_entry_mismatch | %s line 1 | 5.00 at 2026-01-16 12:00:00 UTC, dated 12.00 | none', :'second'), 'a missing entry');
SELECT t.damaged(format('INSERT INTO ledger.dated_entries VALUES (1, ''2026-01-16 12:00+00'', %L, 1, 100, 100)', :'plain'),
    format('dated_entry_mismatch | %s line 1 | none | 100 at 2026-01-16 12:00:00 UTC, dated 100', :'plain'), 'an entry too many');
SELECT t.damaged($$UPDATE ledger.effective_days SET amount = amount + 1 WHERE account_id = 1 AND day = '2026-01-16'$$,
    'effective_day_mismatch | assets:bank 2026-01-16 | 5.00 | 6.00', 'a changed day');
SELECT t.damaged($$DELETE FROM ledger.effective_days WHERE account_id = 1 AND day = '2026-01-16'$$,
    'effective_day_mismatch | assets:bank 2026-01-16 | 5.00 | 0', 'a missing day');
SELECT t.damaged($$INSERT INTO ledger.effective_days VALUES (1, '2020-01-01', 1), (4711, '2020-01-01', 1)$$,
    E'effective_day_mismatch | account 4711 2020-01-01 | 0 | 1\neffective_day_mismatch | assets:bank 2020-01-01 | 0 | 1', 'days too many');
SELECT is((SELECT string_agg(concat_ws(' ', check_name, object), ', ' ORDER BY check_name, object) FROM ledger_rebuild_effective()), NULL, 'nothing to mend');

SELECT * FROM finish();
ROLLBACK;
