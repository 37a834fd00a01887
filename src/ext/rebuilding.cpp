// ledger_rebuild_balances(): what can be derived from entries and open holds is derived anew.
#include "ext/datums.hpp"
#include "ext/session.hpp"

namespace ledgerflow {

namespace {

constexpr const char* rows_statement =
#include "ext/rebuild_rows.sql"
    ;
constexpr const char* balances_statement =
#include "ext/rebuild.sql"
    ;
constexpr const char* entries_statement =
#include "ext/rebuild_entries.sql"
    ;

// In the order in which postings lock them; a posting under way ends first.
constexpr const char* lock_statement =
    "SELECT count(*) FROM (SELECT FROM {ledger}.account_balances b "
    "WHERE $1 IS NULL OR b.account_id = $1 ORDER BY b.account_id, b.stripe FOR NO KEY UPDATE) "
    "locked";

// What no ledger writes: nothing true can be derived from it.
constexpr const char* damage_query =
    "SELECT concat(x.what, ' ', x.id, ' line ', x.line, ': ', coalesce(x.amount::text, 'NULL')) "
    "FROM ("
    "SELECT 'entry' AS what, e.transaction_id AS id, e.line, e.amount, e.account_id "
    "FROM {ledger}.entries e WHERE $1 IS NULL OR e.account_id = $1 UNION ALL "
    "SELECT 'hold', l.hold_id, l.line, l.amount - sign(l.amount) * (l.captured + l.released), "
    "l.account_id "
    "FROM {ledger}.hold_lines l WHERE l.is_open AND ($1 IS NULL OR l.account_id = $1)) x "
    "JOIN {ledger}.accounts a ON a.id = x.account_id "
    "JOIN {ledger}.currencies c ON c.code = a.currency "
    "WHERE x.amount IS NULL "
    "OR x.amount IN ('NaN', 'Infinity', '-Infinity') OR round(x.amount, c.scale) <> x.amount "
    "OR abs(x.amount) >= 1e38 / 10::numeric ^ c.scale LIMIT 1";

constexpr Oid types[] = {INT8OID, TEXTOID};

void refuse_damage(Ledger& ledger, const Datum* values, const char* nulls) {
  SPIPlanPtr plan = ledger.plan(damage_query, 1, types);
  const char* found = pg_call([&]() -> const char* {
    execute(plan, SPI_OK_SELECT, values, nulls);
    return SPI_processed == 0 ? nullptr
                              : SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
  });
  if (found != nullptr)
    throw Error(Condition::damaged_ledger, "the entries and holds themselves are damaged", found);
}

// Runs a statement that changes rows and returns what it changed.
void rebuild(Ledger& ledger, const char* statement, int parameters, const Datum* values,
             const char* nulls, Tuplestorestate* rows) {
  SPIPlanPtr plan = ledger.plan(statement, parameters, types);
  const EngineWrites engine_writes;
  pg_call([&] {
    execute(plan, SPI_OK_SELECT, values, nulls);
    for (std::uint64_t i = 0; i < SPI_processed; ++i)
      tuplestore_puttuple(rows, SPI_tuptable->vals[i]);
    SPI_freetuptable(SPI_tuptable);
  });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_rebuild_balances);
PGDLLEXPORT Datum ledgerflow_rebuild_balances(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto code = text_argument(fcinfo, 0);
    const bool with_entries = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
    Call call("ledger_rebuild_balances()", name_argument(fcinfo, 2), Table::settings, ACL_UPDATE);
    // A row of entries is changed by nobody but their owner.
    if (with_entries &&
        !pg_call([&] { return has_privs_of_role(GetUserId(), call.ledger().owner); }))
      pg_call([&] { aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, "entries"); });
    Tuplestorestate* rows = pg_call([&] {
      TupleDesc descriptor = nullptr;
      return start_result(fcinfo, &descriptor);
    });
    call.as_owner([&] {
      Ledger& ledger = call.ledger();
      Datum values[2] = {};
      char nulls[] = {code ? ' ' : 'n', ' ', '\0'};
      if (code) values[0] = Int64GetDatum(ledger.find_account(*code).id);
      values[1] =
          pg_call([&] { return CStringGetTextDatum(GetUserNameFromId(call.caller(), false)); });
      // One rebuild at a time; postings do not mind.
      pg_call([&] {
        LockRelationOid(ledger.relation(Table::account_balances), ShareUpdateExclusiveLock);
      });
      rebuild(ledger, rows_statement, 2, values, nulls, rows);
      SPIPlanPtr lock_plan = ledger.plan(lock_statement, 1, types);
      pg_call([&] { execute(lock_plan, SPI_OK_SELECT, values, nulls); });
      refuse_damage(ledger, values, nulls);
      rebuild(ledger, balances_statement, 2, values, nulls, rows);
      if (with_entries) rebuild(ledger, entries_statement, 1, values, nulls, rows);
    });
    call.finish();
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
