R"sql(
-- Who could read all tables goes on to: the statements that grant what is new in a ledger to the roles that held the
-- same on what was there. $1 is the ledger's schema, $2 the names of what was there before (tables, views, functions),
-- $3 those of the tables of the first version.
WITH held AS (
    SELECT c.relname, a.grantee, a.privilege_type, bool_or(a.is_grantable) AS is_grantable
      FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
     WHERE c.relnamespace = $1 AND c.relname = ANY ($2) AND a.grantee <> c.relowner
     GROUP BY 1, 2, 3
), readers AS (
    SELECT grantee, bool_and(is_grantable) AS is_grantable
      FROM held WHERE privilege_type = 'SELECT' AND relname = ANY ($3)
     GROUP BY grantee HAVING count(*) = cardinality($3)
), grants AS (
    SELECT r.grantee, r.is_grantable, 'SELECT' AS privilege, 'TABLE' AS kind, CAST(c.oid AS regclass)::text AS object
      FROM readers r, pg_class c
     WHERE c.relnamespace = $1 AND c.relkind IN ('r', 'p', 'v') AND c.relname <> ALL ($2)
    UNION ALL
    SELECT r.grantee, r.is_grantable, 'EXECUTE', 'FUNCTION', CAST(p.oid AS regprocedure)::text
      FROM readers r, pg_proc p
     WHERE p.pronamespace = $1 AND p.proname <> ALL ($2)
    UNION ALL
    SELECT h.grantee, h.is_grantable, 'INSERT', 'TABLE', 'postings'
      FROM readers r JOIN held h USING (grantee)
     WHERE h.relname = 'transactions' AND h.privilege_type = 'INSERT' AND 'postings' <> ALL ($2)
)
SELECT format('GRANT %s ON %s %s TO %s%s;', privilege, kind, object,
              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM grants ORDER BY 1
)sql"
