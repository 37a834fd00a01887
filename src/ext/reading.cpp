// Reading: every function runs with the caller's own privileges and in the caller's snapshot.
#include "ext/reading.hpp"

#include "ext/datums.hpp"

namespace ledgerflow {

namespace {

constexpr const char* trial_balance_query =
    "SELECT account, type, currency, debit, credit, name, debits_posted, credits_posted "
    "FROM {ledger}.trial_balance ORDER BY account";

constexpr long rows_per_fetch = 1000;

}  // namespace

// A view of the ledger could have been made anew by its owner, in another shape.
void check_columns(TupleDesc found, TupleDesc promised, int count) {
  bool same = found->natts == count && count <= promised->natts;
  for (int i = 0; same && i < found->natts; ++i)
    same =
        IsBinaryCoercible(TupleDescAttr(found, i)->atttypid, TupleDescAttr(promised, i)->atttypid);
  if (!same)
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("the ledger's relations have other columns than this function returns"),
                    errhint("ledger_upgrade() makes the views of a ledger anew.")));
}

Datum return_rows(FunctionCallInfo fcinfo, Call& call, const char* query, int parameters,
                  const Oid* types, Datum* values, int options) {
  SPIPlanPtr plan = call.ledger().plan(query, parameters, types, options);
  pg_call([&] {
    TupleDesc descriptor = nullptr;
    Tuplestorestate* rows = start_result(fcinfo, &descriptor);
    Portal portal = SPI_cursor_open(nullptr, plan, values, nullptr, true);
    for (;;) {
      SPI_cursor_fetch(portal, true, rows_per_fetch);
      check_columns(SPI_tuptable->tupdesc, descriptor, descriptor->natts);
      if (SPI_processed == 0) break;
      for (std::uint64_t i = 0; i < SPI_processed; ++i)
        tuplestore_puttuple(rows, SPI_tuptable->vals[i]);
      SPI_freetuptable(SPI_tuptable);
    }
    SPI_cursor_close(portal);
  });
  call.finish();
  return Datum{0};
}

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_trial_balance);
PGDLLEXPORT Datum ledgerflow_trial_balance(PG_FUNCTION_ARGS) {
  return guarded([&] {
    Call call(name_argument(fcinfo, 0));
    return return_rows(fcinfo, call, trial_balance_query, 0, nullptr, nullptr);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_errors);
PGDLLEXPORT Datum ledgerflow_errors(PG_FUNCTION_ARGS) {
  return guarded([&] {
    return pg_call([&] {
      TupleDesc descriptor = nullptr;
      Tuplestorestate* rows = start_result(fcinfo, &descriptor);
      for (const ConditionInfo& condition : condition_table) {
        Datum values[] = {
            CStringGetTextDatum(condition.sqlstate), CStringGetTextDatum(condition.name),
            CStringGetTextDatum(condition.meaning), CStringGetTextDatum(condition.remedy)};
        bool nulls[] = {false, false, false, false};
        tuplestore_putvalues(rows, descriptor, values, nulls);
      }
      return Datum{0};
    });
  });
}

}  // extern "C"

}  // namespace ledgerflow
