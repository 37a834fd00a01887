// ledger_health(): one row for monitoring.
#include "ext/heap_tables.hpp"
#include "ext/receiver.hpp"
#include "ext/verification.hpp"

namespace ledgerflow {

namespace {

constexpr const char* health_query =
#include "ext/health.sql"
    ;
constexpr double sampled_pages = 1000;

// What the caller may see of other sessions, whoever the ledger belongs to.
constexpr const char* oldest_transaction_query =
    "SELECT least((SELECT min(p.xact_start) FROM pg_stat_activity p "
    "WHERE p.backend_xid IS NOT NULL AND p.pid <> pg_backend_pid()), "
    "(SELECT min(p.prepared) FROM pg_prepared_xacts p))";

std::optional<TimestampTz> oldest_transaction() {
  return pg_call([]() -> std::optional<TimestampTz> {
    SPI_connect();
    if (SPI_execute(oldest_transaction_query, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
      elog(ERROR, "could not read the activity of the server");
    bool is_null = false;
    const Datum time = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    const TimestampTz found = is_null ? 0 : DatumGetTimestampTz(time);
    SPI_finish();
    if (is_null) return std::nullopt;
    return found;
  });
}

// How much of a table is some 1,000 pages.
double sampled_percent(Oid table) {
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
  if (!HeapTupleIsValid(tuple)) return 100;
  const double pages = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relpages;
  ReleaseSysCache(tuple);
  return pages <= sampled_pages ? 100 : sampled_pages * 100 / pages;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_health);
PGDLLEXPORT Datum ledgerflow_health(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const std::optional<TimestampTz> oldest = oldest_transaction();
    Call call(name_argument(fcinfo, 0));
    Ledger& ledger = call.ledger();
    const std::optional<VerifiedPoint> point = verified_point(ledger);
    const TransactionId first_id = point ? point->first_unseen_id : TransactionId();
    const HeapLayout& layout = ledger.heap_layout();
    const bool heap = store_setting() == StoreSetting::heap ||
                      (store_setting() == StoreSetting::automatic && layout.obstacle == nullptr);
    static constexpr Oid types[] = {NAMEOID, TEXTOID, TEXTOID, UUIDOID, FLOAT8OID,
                                    OIDOID,  OIDOID,  OIDOID,  OIDOID,  TIMESTAMPTZOID};
    SPIPlanPtr plan = ledger.plan(health_query, 10, types);
    TupleDesc descriptor = nullptr;
    Tuplestorestate* rows = pg_call([&] { return start_result(fcinfo, &descriptor); });
    auto receive = [&](Datum* values, bool* nulls) {
      tuplestore_putvalues(rows, descriptor, values, nulls);
    };
    pg_call([&] {
      const auto relation = [&](Table table) { return ObjectIdGetDatum(ledger.relation(table)); };
      const Datum values[] = {
          DirectFunctionCall1(namein, CStringGetDatum(ledger.name.c_str())),
          CStringGetTextDatum(heap ? "heap" : "spi"),
          layout.obstacle == nullptr
              ? Datum{0}
              : CStringGetTextDatum(
                    psprintf("table \"%s\" %s", layout.obstacle_table, layout.obstacle)),
          datum_of(first_id),
          Float8GetDatum(sampled_percent(ledger.relation(Table::idempotency_keys))),
          relation(Table::accounts),
          relation(Table::transactions),
          relation(Table::entries),
          relation(Table::idempotency_keys),
          oldest ? TimestampTzGetDatum(*oldest) : Datum{0}};
      const char nulls[] = {' ',
                            ' ',
                            layout.obstacle == nullptr ? 'n' : ' ',
                            ' ',
                            ' ',
                            ' ',
                            ' ',
                            ' ',
                            ' ',
                            oldest ? ' ' : 'n',
                            '\0'};
      for_each_row(plan, values, nulls, receive);
    });
    call.finish();
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
