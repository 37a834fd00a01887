-- Anybody may put the trigger functions on tables of their own, of any shape: an error, never a crash, and nothing
-- of what lies in the server's memory.
BEGIN;
\ir include/books.sql
CREATE ROLE mallory;
SELECT format('GRANT CREATE ON DATABASE %I TO mallory', current_database()) \gexec

-- Every kind of trigger with every function of ours on a table, and on a view, whose columns have our names.
CREATE FUNCTION t.shapes() RETURNS TABLE (shape text, columns text) LANGUAGE sql AS $$
    VALUES ('ours', 'id uuid, code text, posted_at timestamptz, effective_at timestamptz, xact_id xid8, created_by text, reference text, description text, '
            'reverses uuid, hold uuid, metadata jsonb, transaction_id uuid, line smallint, stripe smallint, account_id bigint, amount numeric, debit text, credit text, idempotency_key text'),
           ('numbers', 'id bigint, code bigint, posted_at bigint, effective_at bigint, xact_id bigint, created_by bigint, reference bigint, description bigint, '
            'reverses bigint, hold bigint, metadata bigint, transaction_id bigint, line bigint, stripe bigint, account_id bigint, amount bigint, debit bigint, credit bigint, idempotency_key bigint'),
           ('accounts', 'id bigint, code text, metadata bigint, description json'),
           ('json', 'id json, code json, description json'), ('one column', 'description point'), ('no columns', '')
$$;
CREATE FUNCTION t.hostile(shape text, columns text, function text, arguments text) RETURNS SETOF text LANGUAGE plpgsql SET search_path = pg_temp, public, pg_catalog AS $$
DECLARE
    kind text;
    verdicts text[] := '{}';
    verdict text;
    result t.outcome;
BEGIN
    FOREACH kind IN ARRAY '{BEFORE INSERT OR UPDATE OR DELETE @ ROW,AFTER INSERT OR UPDATE OR DELETE @ ROW,BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE @ STATEMENT,AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE @ STATEMENT,AFTER INSERT @ REFERENCING NEW TABLE AS n STATEMENT,AFTER UPDATE @ REFERENCING NEW TABLE AS n ROW,INSTEAD OF INSERT OR UPDATE OR DELETE @ ROW}'::text[] LOOP
        BEGIN
            EXECUTE format('CREATE TABLE pg_temp.prey (%s)', columns);
            INSERT INTO prey DEFAULT VALUES;
            IF kind LIKE 'INSTEAD%' THEN
                ALTER TABLE prey RENAME TO real_prey;
                CREATE TEMPORARY VIEW prey AS SELECT * FROM real_prey;
            END IF;
            EXECUTE format('CREATE TRIGGER hostile %s ON pg_temp.prey %s FOR EACH %s EXECUTE FUNCTION %s(%s)', split_part(kind, ' @ ', 1),
                           substring(kind FROM 'REFERENCING NEW TABLE AS n'), substring(kind FROM '\w+$'), function, arguments);
            FOR verdict IN SELECT s FROM unnest(ARRAY['INSERT INTO prey DEFAULT VALUES', 'DELETE FROM prey', 'TRUNCATE prey']
                    || CASE WHEN columns <> '' THEN ARRAY['UPDATE prey SET description = description', 'INSERT INTO prey SELECT * FROM prey'] END
                    || CASE shape WHEN 'ours' THEN ARRAY['INSERT INTO prey (id, code, metadata) VALUES (''01700000-0000-7000-8000-000000000001'', ''a'', ''[]'')'] WHEN 'accounts' THEN ARRAY['INSERT INTO prey VALUES (7, ''a'', 7)'] WHEN 'numbers' THEN ARRAY['INSERT INTO prey (id, code, description, metadata, debit, credit, amount) VALUES (7, 7, 7, 7, 7, 7, 7)'] END) s LOOP
                result := t.attempt(verdict);
                verdicts := verdicts || coalesce(result.sqlstate, 'done');
                IF result.sqlstate LIKE 'XX%' THEN RETURN NEXT diag(format('%s: %s: %s', kind, verdict, result.message)); END IF;
            END LOOP;
            RAISE EXCEPTION USING ERRCODE = 'UNDO1';
        EXCEPTION
            WHEN SQLSTATE 'UNDO1' THEN NULL;
            -- The server itself refuses some kinds: transition tables for a ROW trigger without rows, say.
            WHEN SQLSTATE '42P17' OR SQLSTATE '0A000' OR SQLSTATE '42809' THEN NULL;
        END;
    END LOOP;
    RETURN NEXT ok(cardinality(verdicts) > 0 AND NOT EXISTS (SELECT FROM unnest(verdicts) v WHERE v LIKE 'XX%'),
                   format('%s(%s) on a table of the shape "%s": %s', function, arguments, shape, array_to_string(ARRAY(SELECT DISTINCT v FROM unnest(verdicts) v ORDER BY v), ' ')));
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA t TO PUBLIC;

CREATE TEMPORARY TABLE functions AS
SELECT p.proname::text AS function, arguments
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ledgerflow'
 CROSS JOIN unnest(ARRAY['', '''description''', '''id'', ''code''']) AS arguments
 WHERE p.prorettype = 'trigger'::regtype;
GRANT SELECT ON functions TO PUBLIC;
SELECT plan(2 + (SELECT count(*)::integer FROM functions, t.shapes()));
SELECT t.fingerprint() AS before \gset
SET ROLE mallory;
SELECT t.hostile(shape, columns, function, arguments) FROM functions, t.shapes();
RESET ROLE;

SELECT is((t.attempt($$CREATE TEMPORARY TABLE prey (id bigint, code bigint, metadata jsonb);
                      CREATE TRIGGER hostile BEFORE INSERT ON prey FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();
                      INSERT INTO prey VALUES (1, 94000000000000)$$, 'mallory')).message,
          'the table has no column "code" of type text', 'a number is not taken for an address');
SELECT is(t.fingerprint(), :'before', 'the ledger is as it was');
SELECT * FROM finish();
ROLLBACK;
