// Ledgers as a whole: granting on them, periods, upkeep. creating.cpp makes them.
#include "ext/creating.hpp"
#include "ext/datums.hpp"
#include "ext/spi_store.hpp"

namespace ledgerflow {

namespace {

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
    Call call(name_argument(fcinfo, 2));
    if (!number) {
      call.finish();
      fcinfo->isnull = true;
      return Datum{0};
    }
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

// The name ledgerflow_maintain is taken: see retired.cpp.
PG_FUNCTION_INFO_V1(ledgerflow_maintain_ledger);
PGDLLEXPORT Datum ledgerflow_maintain_ledger(PG_FUNCTION_ARGS) {
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
