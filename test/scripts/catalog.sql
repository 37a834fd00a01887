-- Everything that the catalog says of the extension and of the ledger :schema, one line each, without numbers that differ
-- from database to database and without things of the user's, whose names begin with own_. For comparing.
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET search_path = pg_catalog;
CREATE TEMP VIEW catalog AS
WITH member AS (SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'ledgerflow'),
space AS (SELECT n.* FROM pg_namespace n WHERE n.nspname = current_setting('own.schema')),
relation AS (SELECT c.* FROM pg_class c JOIN space s ON s.oid = c.relnamespace WHERE c.relname !~ '^own_'),
object (kind, name, classid, objid, sub, acl, text) AS (
    SELECT 'extension', e.extname || ' ' || e.extversion, 'pg_extension'::regclass, e.oid, 0, NULL::aclitem[],
           concat_ws(' ', e.extnamespace::regnamespace, e.extrelocatable, e.extconfig, e.extcondition)
      FROM pg_extension e WHERE e.extname = 'ledgerflow'
    UNION ALL
    SELECT 'member', pg_describe_object(m.classid, m.objid, 0), m.classid, m.objid, 0, NULL, '' FROM member m
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, 'pg_proc'::regclass, p.oid, 0, p.proacl,
           concat_ws(' ', p.proowner::regrole, pg_get_functiondef(p.oid),
                     to_jsonb(p) - '{oid,proowner,pronamespace,prorettype,proargtypes,proallargtypes,proargdefaults,proacl,prosqlbody}'::text[])
      FROM pg_proc p
     WHERE p.pronamespace IN (SELECT oid FROM space) OR p.oid IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
    UNION ALL
    SELECT 'type', format_type(t.oid, NULL), 'pg_type'::regclass, t.oid, 0, t.typacl, concat_ws(' ', t.typowner::regrole, t.typtype, t.typcategory,
           (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid))
      FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
    UNION ALL
    SELECT 'schema', s.nspname, 'pg_namespace'::regclass, s.oid, 0, s.nspacl, s.nspowner::regrole::text FROM space s
    UNION ALL
    SELECT 'relation', c.relname, 'pg_class'::regclass, c.oid, 0, c.relacl,
           concat_ws(' ', c.relkind, c.relowner::regrole, c.relpersistence, c.relreplident, c.relrowsecurity, c.relhasrules, c.reloptions,
                     (SELECT m.amname FROM pg_am m WHERE m.oid = c.relam), c.reltablespace,
                     CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END)
      FROM relation c
    UNION ALL
    SELECT 'column', c.relname || ' ' || row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) || ' ' || a.attname, 'pg_class'::regclass, c.oid, a.attnum, a.attacl,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
                     a.atthasmissing, a.attstorage, a.attstattarget,
                     ARRAY(SELECT o FROM unnest(a.attoptions) o WHERE o !~ '^pg_attver=' ORDER BY o), a.attcollation::regcollation)
      FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname !~ '^own_'
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT 'constraint', c.relname || ' ' || k.conname, 'pg_constraint'::regclass, k.oid, 0, NULL,
           concat_ws(' ', k.contype, pg_get_constraintdef(k.oid), k.convalidated, k.connoinherit)
      FROM relation c JOIN pg_constraint k ON k.conrelid = c.oid WHERE k.conname !~ '^own_'
    UNION ALL
    SELECT 'index', c.relname, 'pg_class'::regclass, c.oid, 0, NULL,
           concat_ws(' ', pg_get_indexdef(c.oid), i.indisunique, i.indisprimary, i.indisvalid, i.indimmediate, i.indisclustered, i.indisreplident)
      FROM relation c JOIN pg_index i ON i.indexrelid = c.oid
    UNION ALL
    SELECT 'trigger', c.relname || ' ' || t.tgname, 'pg_trigger'::regclass, t.oid, 0, NULL, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
      FROM relation c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal AND t.tgname !~ '^own_'
    UNION ALL
    SELECT 'sequence', c.relname, 'pg_class'::regclass, c.oid, 0, NULL,
           concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle,
                     (SELECT pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) || ' ' || d.deptype::text FROM pg_depend d
                       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
      FROM relation c JOIN pg_sequence s ON s.seqrelid = c.oid
)
SELECT regexp_replace(concat_ws(' | ', o.kind, o.name, o.text,
           (SELECT string_agg(i::text, ' ' ORDER BY i::text) FROM unnest(o.acl) i),
           (SELECT d.description FROM pg_description d WHERE (d.classoid, d.objoid, d.objsubid) = (o.classid, o.objid, o.sub))), '\s+', ' ', 'g') AS line
  FROM object o;
SET own.schema = :'schema';
SELECT line FROM pg_temp.catalog ORDER BY line COLLATE "C";
