// Ledgers as a whole: creating one, granting on it, upkeep.
#include "ext/datums.hpp"
#include "ext/spi_store.hpp"

namespace ledgerflow {

namespace {

constexpr const char* tables_script =
#include "ext/ledger_tables.sql"
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

constexpr const char* expire_keys_statement =
    "DELETE FROM {ledger}.idempotency_keys k USING {ledger}.settings s "
    "WHERE k.created_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) "
    "s.idempotency_retention)";

constexpr const char* set_closed_through_statement =
    "UPDATE {ledger}.settings SET closed_through = $1";
constexpr const char* insert_period_history_statement =
    "INSERT INTO {ledger}.period_history (changed_by, from_closed_through, to_closed_through, "
    "reason) "
    "VALUES ($1, $2, $3, $4)";
constexpr std::size_t most_expired_holds = 10000;  // that one call of ledger_maintain settles

// Runs statements that return nothing, one after the other, as the current user.
void run_script(const std::string& script) {
  pg_call([&] {
    const int result = SPI_execute(script.c_str(), false, 0);
    if (result < 0) elog(ERROR, "a ledger's script failed: %s", SPI_result_code_string(result));
  });
}

// The same with the ledger's schema as the only one that unqualified names are looked up in.
void run_in_schema(const char* name, const std::vector<std::string>& scripts) {
  const std::string path =
      pg_call([&] { return quote_identifier(name); }) + std::string(", pg_temp");
  const int level = pg_call([&] {
    const int nesting = NewGUCNestLevel();
    (void)set_config_option("search_path", path.c_str(), PGC_USERSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
    // "$user" stands for another schema there, or for none.
    List* const schemas = fetch_search_path(false);
    if (schemas == NIL || linitial_oid(schemas) != get_namespace_oid(name, false))
      ereport(ERROR, (errcode(ERRCODE_INVALID_SCHEMA_NAME),
                      errmsg("a ledger cannot have the name \"%s\"", name)));
    return nesting;
  });
  for (const std::string& script : scripts) run_script(script);
  pg_call([&] { AtEOXact_GUC(true, level); });
}

// Who may do what: table by table, in the order of rising trust. Each level includes the ones before.
struct Grant {
  const char* level;
  const char* privileges;
  const char* tables;  // nullptr: every table and view of the ledger
};
constexpr Grant grants[] = {
    {"reader", "SELECT", nullptr},
    {"poster", "INSERT", "transactions, postings"},
    {"operator", "INSERT, UPDATE (name, metadata)", "accounts"},
    {"operator", "UPDATE", "account_balances"},
    {"operator", "DELETE", "idempotency_keys"},
    {"admin", "INSERT, UPDATE, DELETE", "currencies, account_types"},
    {"admin", "UPDATE", "settings"},
};

// What the views call, as the user who reads them.
constexpr const char* view_functions[] = {
    "next_id(pg_catalog.timestamptz)",
    "standing_at(pg_catalog.int8, pg_catalog.timestamptz, pg_catalog.uuid)",
    "open_holds_at(pg_catalog.timestamptz, pg_catalog.uuid)",
};

// The grants of a level, or what takes all of them back.
std::string grant_script(const Ledger& ledger, const std::string& role, std::string_view level,
                         bool revoke) {
  const std::string option = level == "admin" ? " WITH GRANT OPTION" : "";
  const std::string end = revoke ? " FROM " + role + " CASCADE;" : " TO " + role + option + ";";
  const std::string verb = revoke ? "REVOKE " : "GRANT ";
  std::string script = verb + "USAGE ON SCHEMA " + ledger.prefix + end;
  for (const char* function : view_functions)
    script += verb + "EXECUTE ON FUNCTION " + ledger.prefix + "." + function + end;
  for (const Grant& grant : grants) {
    std::string tables = "ALL TABLES IN SCHEMA " + ledger.prefix;
    if (grant.tables != nullptr)
      tables = ledger.prefix + "." + replaced(grant.tables, ", ", ", " + ledger.prefix + ".");
    script += verb + grant.privileges + " ON " + tables + end;
    // Up to and with the last line of the wanted level.
    const Grant* next = &grant + 1;
    if (!revoke && grant.level == level &&
        (next == std::end(grants) || std::string_view(next->level) != level))
      break;
  }
  return script;
}

// Who may grant: admins and the owner. A bare GRANT of somebody else ends in a warning only. All grants are
// the owner's, so that any admin can take them back.
constexpr AclMode grant_capability = ACL_GRANT_OPTION_FOR(ACL_UPDATE);

bool is_level(std::string_view level) {
  return std::any_of(std::begin(grants), std::end(grants),
                     [&](const Grant& grant) { return grant.level == level; });
}

std::string quoted_role(const char* role) {
  return pg_call([&] {
    get_role_oid(role, false);
    return quote_identifier(role);
  });
}

// An amount between decimal and minor units of a currency; `convert` gets the currency's scale.
template <typename Convert>
Datum with_scale(FunctionCallInfo fcinfo, Convert&& convert) {
  return guarded([&] {
    const auto currency = text_argument(fcinfo, 1);
    const auto number = numeric_argument(fcinfo, 0);
    if (!number) {
      fcinfo->isnull = true;
      return Datum{0};
    }
    Call call(name_argument(fcinfo, 2));
    if (!currency) throw Error(Condition::currency_not_found, "currency must not be NULL");
    static constexpr const char* query =
        "SELECT scale FROM {ledger}.currencies WHERE code OPERATOR(pg_catalog.=) $1";
    static constexpr Oid types[] = {TEXTOID};
    SPIPlanPtr plan = call.ledger().plan(query, 1, types);
    const auto found = pg_call([&]() -> std::optional<Datum> {
      Datum value = new_text(*currency);
      if (SPI_execute_plan(plan, &value, nullptr, true, 1) != SPI_OK_SELECT || SPI_processed == 0)
        return std::nullopt;
      bool is_null = false;
      return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    });
    if (!found)
      throw Error(Condition::currency_not_found,
                  "currency " + quoted(*currency) + " does not exist",
                  "There is none in ledger " + quoted(call.ledger().name) + ".");
    const int scale = scale_of(*found);
    call.finish();
    return convert(*number, *currency, scale);
  });
}

// Moves the end of the closed periods. Postings that are under way end first, new ones wait: what they
// read after that is exact.
template <typename Check>
Datum change_period(FunctionCallInfo fcinfo, const char* function, Check&& check) {
  return guarded([&] {
    std::optional<std::int64_t> through;
    if (!PG_ARGISNULL(0)) {
      const TimestampTz time = PG_GETARG_TIMESTAMPTZ(0);
      if (TIMESTAMP_NOT_FINITE(time) || time > latest_time)
        throw Error(Condition::invalid_period, "the end of a period must be a finite time");
      through = unix_micros(time);
    }
    const auto reason = text_argument(fcinfo, 1);
    Call call(function, name_argument(fcinfo, 2), Table::account_balances, ACL_UPDATE);
    call.as_owner([&] {
      Ledger& ledger = call.ledger();
      Posting texts;
      texts.description = reason;
      check_texts(texts);
      pg_call(
          [&] { LockRelationOid(ledger.relation(Table::transactions), ShareRowExclusiveLock); });
      SpiStore store(ledger, call.caller());
      const std::optional<std::int64_t> closed = store.closed_through();
      check(through, closed, store.clock());
      static constexpr Oid set_types[] = {TIMESTAMPTZOID};
      static constexpr Oid history_types[] = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID};
      SPIPlanPtr set_plan = ledger.plan(set_closed_through_statement, 1, set_types);
      SPIPlanPtr history_plan = ledger.plan(insert_period_history_statement, 4, history_types);
      const EngineWrites engine_writes;
      pg_call([&] {
        const auto time = [](const std::optional<std::int64_t>& micros) {
          return micros ? TimestampTzGetDatum(timestamp_of(*micros)) : Datum{0};
        };
        const Datum values[] = {CStringGetTextDatum(GetUserNameFromId(call.caller(), false)),
                                time(closed), time(through), reason ? new_text(*reason) : Datum{0}};
        const char nulls[] = {' ', closed ? ' ' : 'n', through ? ' ' : 'n', reason ? ' ' : 'n',
                              '\0'};
        execute(set_plan, SPI_OK_UPDATE, values + 2, nulls + 2);
        execute(history_plan, SPI_OK_INSERT, values, nulls);
      });
    });
    call.finish();
    return Datum{0};
  });
}

Units whole_units(Datum number, std::string_view currency, int scale) {
  Units units = 0;
  const AmountStatus status = units_from_numeric(number, scale, units);
  if (status != AmountStatus::ok) refuse_amount(status, numeric_text(number), currency, scale);
  return units;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_create);
PGDLLEXPORT Datum ledgerflow_create(PG_FUNCTION_ARGS) {
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
    const std::string schema(quoted_name);
    run_script("CREATE SCHEMA " + schema);
    run_in_schema(name, {tables_script, seed_script, as_of_script, views_script,
                         replaced(guards_script, "@extschema@", extension_schema(fcinfo))});
    pg_call([] { SPI_finish(); });
    return PG_GETARG_DATUM(0);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_upgrade);
PGDLLEXPORT Datum ledgerflow_upgrade(PG_FUNCTION_ARGS) {
  return guarded([&] {
    Call call("ledger_upgrade()", name_argument(fcinfo, 0), Table::settings, ACL_UPDATE);
    Ledger& ledger = call.ledger();
    if (!pg_call([&] { return has_privs_of_role(GetUserId(), ledger.owner); }))
      pg_call([&] { aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, ledger.name.c_str()); });
    // As the owner, to whom all of it belongs then.
    call.as_owner([&] {
      // Guards of ours that are there are made anew, so that all are there and as this version has them.
      static constexpr const char* query =
          "SELECT pg_catalog.format('DROP TRIGGER %I ON %s;', t.tgname, "
          "CAST(t.tgrelid AS pg_catalog.regclass)) "
          "FROM pg_catalog.pg_trigger t "
          "JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid "
          "JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) t.tgfoid "
          "AND d.classid OPERATOR(pg_catalog.=) CAST('pg_catalog.pg_proc' AS pg_catalog.regclass) "
          "AND d.refclassid OPERATOR(pg_catalog.=) "
          "CAST('pg_catalog.pg_extension' AS pg_catalog.regclass) "
          "AND d.deptype OPERATOR(pg_catalog.=) 'e' "
          "WHERE c.relnamespace OPERATOR(pg_catalog.=) $1 "
          "AND d.refobjid OPERATOR(pg_catalog.=) $2 AND NOT t.tgisinternal "
          "AND t.tgparentid OPERATOR(pg_catalog.=) 0 ORDER BY 1";
      static constexpr Oid types[] = {OIDOID, OIDOID};
      SPIPlanPtr plan = ledger.plan(query, 2, types);
      std::uint64_t count = 0;
      SPITupleTable* table = nullptr;
      pg_call([&] {
        const Datum values[] = {
            ObjectIdGetDatum(ledger.schema),
            ObjectIdGetDatum(getExtensionOfObject(ProcedureRelationId, fcinfo->flinfo->fn_oid))};
        execute(plan, SPI_OK_SELECT, values);
        count = SPI_processed;
        table = SPI_tuptable;
      });
      std::string drops;
      for (std::uint64_t i = 0; i < count; ++i)
        drops += pg_call([&] { return SPI_getvalue(table->vals[i], table->tupdesc, 1); });
      if (!drops.empty()) run_in_schema(ledger.name.c_str(), {drops});
      run_in_schema(ledger.name.c_str(),
                    {as_of_script, views_script,
                     replaced(guards_script, "@extschema@", extension_schema(fcinfo))});
    });
    call.finish();
    return Int32GetDatum(format_version);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_grant);
PGDLLEXPORT Datum ledgerflow_grant(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const char* role = name_argument(fcinfo, 0);
    const auto level = text_argument(fcinfo, 1);
    Call call("ledger_grant()", name_argument(fcinfo, 2), Table::settings, grant_capability);
    if (role == nullptr) throw Error(Condition::invalid_argument, "role must not be NULL");
    if (!level || !is_level(*level))
      throw Error(
          Condition::invalid_argument,
          "privilege level " + (level ? quoted(*level) : std::string("NULL")) + " is unknown", {},
          "Use 'reader', 'poster', 'operator' or 'admin'.");
    const std::string script = grant_script(call.ledger(), quoted_role(role), *level, false);
    call.as_owner([&] { run_script(script); });
    call.finish();
    return Datum{0};
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_revoke);
PGDLLEXPORT Datum ledgerflow_revoke(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const char* role = name_argument(fcinfo, 0);
    Call call("ledger_revoke()", name_argument(fcinfo, 1), Table::settings, grant_capability);
    if (role == nullptr) throw Error(Condition::invalid_argument, "role must not be NULL");
    if (pg_call([&] { return get_role_oid(role, false); }) == call.ledger().owner)
      throw Error(Condition::invalid_argument, "role " + quoted(role) + " owns the ledger", {},
                  "What an owner may do cannot be taken back; give the ledger to another role.");
    const std::string script = grant_script(call.ledger(), quoted_role(role), {}, true);
    call.as_owner([&] { run_script(script); });
    call.finish();
    return Datum{0};
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_maintain);
PGDLLEXPORT Datum ledgerflow_maintain(PG_FUNCTION_ARGS) {
  return guarded([&] {
    Call call("ledger_maintain()", name_argument(fcinfo, 0), Table::idempotency_keys, ACL_DELETE);
    struct Done {
      std::uint64_t keys, holds;
    };
    const Done done = call.as_owner([&] {
      SpiStore store(call.ledger(), call.caller());
      const std::uint64_t holds = expire_holds(store, most_expired_holds);
      SPIPlanPtr plan = call.ledger().plan(expire_keys_statement, 0, nullptr);
      const EngineWrites engine_writes;
      return pg_call([&] {
        execute(plan, SPI_OK_DELETE, nullptr);
        return Done{SPI_processed, holds};
      });
    });
    call.finish();
    return pg_call([&] {
      TupleDesc descriptor = nullptr;
      if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
      Datum values[] = {Int64GetDatum(static_cast<std::int64_t>(done.keys)),
                        Int64GetDatum(static_cast<std::int64_t>(done.holds))};
      bool nulls[] = {false, false};
      return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
    });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_close_period);
PGDLLEXPORT Datum ledgerflow_close_period(PG_FUNCTION_ARGS) {
  return change_period(
      fcinfo, "ledger_close_period()",
      [](const std::optional<std::int64_t>& through, const std::optional<std::int64_t>& closed,
         std::int64_t now) {
        if (!through)
          throw Error(Condition::invalid_period, "the end of a period must not be NULL");
        if (*through > now)
          throw Error(Condition::invalid_period,
                      "cannot close a period that ends in the future: " + format_time(*through));
        if (closed && *through <= *closed)
          throw Error(Condition::invalid_period,
                      "the books are closed through " + format_time(*closed) + " already");
      });
}

PG_FUNCTION_INFO_V1(ledgerflow_reopen_period);
PGDLLEXPORT Datum ledgerflow_reopen_period(PG_FUNCTION_ARGS) {
  return change_period(fcinfo, "ledger_reopen_period()",
                       [](const std::optional<std::int64_t>& through,
                          const std::optional<std::int64_t>& closed, std::int64_t) {
                         if (!closed)
                           throw Error(Condition::invalid_period, "no period is closed", {},
                                       "Nothing is to be done.");
                         if (through && *through >= *closed)
                           throw Error(
                               Condition::invalid_period,
                               "the books are closed through " + format_time(*closed) + " only", {},
                               "Name an earlier time, or NULL to reopen everything.");
                       });
}

PG_FUNCTION_INFO_V1(ledgerflow_to_minor);
PGDLLEXPORT Datum ledgerflow_to_minor(PG_FUNCTION_ARGS) {
  return with_scale(fcinfo, [](Datum amount, std::string_view currency, int scale) {
    const Units units = whole_units(amount, currency, scale);
    return pg_call([&] { return numeric_from_units(units, 0); });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_from_minor);
PGDLLEXPORT Datum ledgerflow_from_minor(PG_FUNCTION_ARGS) {
  return with_scale(fcinfo, [](Datum minor, std::string_view currency, int scale) {
    Units units = 0;
    if (units_from_numeric(minor, 0, units) != AmountStatus::ok)
      throw Error(Condition::invalid_amount, "minor units " + numeric_text(minor) + " of " +
                                                 std::string(currency) +
                                                 " are not a whole number of at most 38 digits");
    return pg_call([&] { return numeric_from_units(units, scale); });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_new_id);
PGDLLEXPORT Datum ledgerflow_new_id(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return guarded([&] {
    const TransactionId id = new_transaction_id();
    return pg_call([&] { return new_uuid(id); });
  });
}

}  // extern "C"

}  // namespace ledgerflow
