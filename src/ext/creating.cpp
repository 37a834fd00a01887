// Making what a ledger consists of: anew, and out of what an older version made.
#include "ext/creating.hpp"

#include "ext/datums.hpp"
#include "ext/rebuild_effective.hpp"

namespace ledgerflow {

namespace {

constexpr const char* tables_script =
#include "ext/ledger_tables.sql"
    ;
constexpr const char* migration_2_script =
#include "ext/ledger_migration_2.sql"
    ;
constexpr const char* tables_2_script =
#include "ext/ledger_tables_2.sql"
    ;
constexpr const char* guards_script =
#include "ext/ledger_guards.sql"
    ;
constexpr const char* as_of_script =
#include "ext/ledger_as_of.sql"
    ;
constexpr const char* views_script =
#include "ext/ledger_views.sql"
    ;
constexpr const char* seed_script =
#include "ext/ledger_seed.sql"
    ;
constexpr const char* locks_query =
#include "ext/ledger_locks.sql"
    ;
constexpr const char* regrant_query =
#include "ext/ledger_regrant.sql"
    ;

// Lines that were settled before it was noted when: by the last that happened to their hold.
constexpr const char* settle_lines_statement =
    "UPDATE hold_lines l SET settled_at = coalesce((SELECT max(h.changed_at) "
    "FROM transaction_history h WHERE h.transaction_id = l.hold_id), pg_catalog.now()) "
    "WHERE NOT l.is_open AND l.settled_at IS NULL";

// Guards of ours: triggers whose function belongs to the extension.
constexpr const char* drop_guards_query =
    "SELECT format('DROP TRIGGER %I ON %s;', t.tgname, CAST(t.tgrelid AS regclass)) "
    "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
    "JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid "
    "AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = $2 AND d.deptype = 'e' "
    "WHERE c.relnamespace = $1 AND NOT t.tgisinternal AND t.tgparentid = 0 ORDER BY 1";
constexpr const char* names_query =
    "SELECT coalesce(array_agg(CAST(name AS text)), '{}') FROM ("
    "SELECT relname FROM pg_class WHERE relnamespace = $1 AND relkind IN ('r', 'p', 'v') "
    "UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = $1) AS n (name)";

// Runs the body with this schema as the only one in which unqualified names are looked up, besides
// PostgreSQL's own.
template <typename Body>
void in_schema(const char* schema, Body&& body) {
  const std::string path =
      pg_call([&] { return quote_identifier(schema); }) + std::string(", pg_temp");
  const int level = pg_call([&] {
    const auto set = [](const char* name, const char* value) {
      (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                              false);
    };
    const int nesting = NewGUCNestLevel();
    set("search_path", path.c_str());
    set("client_min_messages", "warning");  // that something was there already is no news
    // "$user" stands for another schema there, or for none.
    List* const schemas = fetch_search_path(false);
    if (schemas == NIL || linitial_oid(schemas) != get_namespace_oid(schema, false))
      ereport(ERROR, (errcode(ERRCODE_INVALID_SCHEMA_NAME),
                      errmsg("a ledger cannot have the name \"%s\"", schema)));
    return nesting;
  });
  body();
  pg_call([&] { AtEOXact_GUC(true, level); });
}

// Runs a query; its rows stay in SPI_tuptable.
void run_query(const char* query, std::initializer_list<Oid> types,
               std::initializer_list<Datum> values) {
  pg_call([&] {
    const int result = SPI_execute_with_args(query, static_cast<int>(types.size()),
                                             const_cast<Oid*>(types.begin()),
                                             const_cast<Datum*>(values.begin()), nullptr, false, 0);
    if (result != SPI_OK_SELECT)
      elog(ERROR, "a ledger's query failed: %s", SPI_result_code_string(result));
  });
}

// Runs the statements that a query has made.
void run_result() {
  std::string script;
  for (std::uint64_t i = 0; i < SPI_processed; ++i)
    script +=
        pg_call([&] { return SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1); });
  if (!script.empty()) run_script(script);
}

// Names of tables, as an array of texts.
Datum table_name_array(std::size_t count) {
  return pg_call([&] {
    Datum names[table_count];
    for (std::size_t i = 0; i < count; ++i)
      names[i] = CStringGetTextDatum(table_name(static_cast<Table>(i)));
    return array_of(names, count, TEXTOID);
  });
}

Oid called_extension(FunctionCallInfo fcinfo) {
  return pg_call([&] { return getExtensionOfObject(ProcedureRelationId, fcinfo->flinfo->fn_oid); });
}

// What is made in the same way for a new ledger and for one that is there.
void make_views_and_guards(FunctionCallInfo fcinfo) {
  run_script(as_of_script);
  run_script(views_script);
  run_script(replaced(guards_script, "@extschema@", extension_schema(fcinfo)));
}

// Nobody reads or writes the ledger until the transaction ends: those who wait find it as it is then.
void lock_everything(const Ledger& ledger) {
  run_query(locks_query, {OIDOID, TEXTARRAYOID},
            {ObjectIdGetDatum(ledger.schema), table_name_array(table_count)});
  pg_call([] {
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
      bool is_null = false;
      LockRelationOid(DatumGetObjectId(
                          SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null)),
                      AccessExclusiveLock);
    }
  });
}

// A migration reads what was posted: with a snapshot from before the locks it would miss some of it.
void check_isolation() {
  pg_call([] {
    if (IsolationUsesXactSnapshot())
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                      errmsg("ledger_upgrade() to another format runs in READ COMMITTED only"),
                      errhint("Start the transaction with ISOLATION LEVEL READ COMMITTED.")));
  });
}

// From the format that the ledger has to the next, and so on. The guards are off.
void migrate(const Ledger& ledger) {
  if (ledger.format < 2) {
    run_script(migration_2_script);
    run_script(tables_2_script);
    run_script(settle_lines_statement);
  }
  run_script("UPDATE settings SET format_version = " + std::to_string(format_version));
}

}  // namespace

void run_script(const std::string& script) {
  pg_call([&] {
    const int result = SPI_execute(script.c_str(), false, 0);
    if (result < 0) elog(ERROR, "a ledger's script failed: %s", SPI_result_code_string(result));
  });
}

extern "C" {

// Both have the format in their names, so that those of a database that was not updated are not called: they
// would make triggers on functions that it has not (retired.cpp).
PG_FUNCTION_INFO_V1(ledgerflow_create_format_2);
PGDLLEXPORT Datum ledgerflow_create_format_2(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const char* name = name_argument(fcinfo, 0);
    if (name == nullptr || *name == '\0')
      throw Error(Condition::invalid_argument, "a ledger needs a name");
    const char* quoted_name = pg_call([&] {
      PreventCommandIfReadOnly("ledger_create()");
      PreventCommandIfParallelMode("ledger_create()");
      SPI_connect();
      return quote_identifier(name);
    });
    // What others made under this name is not adopted.
    if (OidIsValid(pg_call([&] { return get_namespace_oid(name, true); })))
      throw Error(Condition::ledger_exists, "schema " + quoted(name) + " exists already");
    run_script(std::string("CREATE SCHEMA ") + quoted_name);
    in_schema(name, [&] {
      run_script(tables_script);
      run_script(tables_2_script);
      run_script(seed_script);
      make_views_and_guards(fcinfo);
    });
    pg_call([] { SPI_finish(); });
    return PG_GETARG_DATUM(0);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_upgrade_format_2);
PGDLLEXPORT Datum ledgerflow_upgrade_format_2(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const char* name = name_argument(fcinfo, 0);
    pg_call([&] {
      PreventCommandIfReadOnly("ledger_upgrade()");
      PreventCommandIfParallelMode("ledger_upgrade()");
      SPI_connect();
    });
    LedgerPtr ledger = ledger_to_upgrade(name);
    const Oid owner = ledger->owner;
    if (!pg_call([&] { return has_privs_of_role(GetUserId(), owner); }))
      pg_call([&] { aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, ledger->name.c_str()); });
    // As the owner, so that what is new belongs to it whoever calls.
    const AsOwner as_owner(*ledger);
    in_schema(ledger->name.c_str(), [&] {
      lock_everything(*ledger);
      ledger = ledger_to_upgrade(name);  // somebody else may have upgraded it, or given it away
      if (ledger->owner != owner)
        throw Error(Condition::ledger_not_found,
                    "ledger " + quoted(ledger->name) + " was given to another owner");
      const bool is_old = ledger->format < format_version;
      if (!is_old) ledger = remembered_ledger(ledger->schema);  // its tables are as they should be
      const Datum schema = ObjectIdGetDatum(ledger->schema);
      run_query(drop_guards_query, {OIDOID, OIDOID},
                {schema, ObjectIdGetDatum(called_extension(fcinfo))});
      run_result();
      run_query(names_query, {OIDOID}, {schema});
      const Datum names = pg_call([&] {
        bool is_null = false;
        return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
      });
      if (is_old) {
        check_isolation();
        migrate(*ledger);
      }
      make_views_and_guards(fcinfo);
      run_query(regrant_query, {OIDOID, TEXTARRAYOID, TEXTARRAYOID},
                {schema, names, table_name_array(first_table_count)});
      run_result();
      if (is_old) rebuild_effective(*remembered_ledger(ledger->schema));
    });
    pg_call([] { SPI_finish(); });
    return Int32GetDatum(format_version);
  });
}

}  // extern "C"

}  // namespace ledgerflow
