// Reading: every function runs with the caller's own privileges and in the caller's snapshot.
#include "ext/datums.hpp"
#include "ext/session.hpp"

namespace ledgerflow {

namespace {

constexpr const char* balance_query =
    "SELECT balance FROM {ledger}.balances WHERE account OPERATOR(pg_catalog.=) $1";
constexpr const char* available_query =
    "SELECT available FROM {ledger}.balances WHERE account OPERATOR(pg_catalog.=) $1";
constexpr const char* trial_balance_query =
    "SELECT account, type, currency, debit, credit, name, debits_posted, credits_posted "
    "FROM {ledger}.trial_balance ORDER BY account";

constexpr long rows_per_fetch = 1000;

// One figure of one account.
Datum read_figure(FunctionCallInfo fcinfo, const char* query) {
  return guarded([&] {
    const auto code = text_argument(fcinfo, 0);
    Call call(name_argument(fcinfo, 1));
    if (!code) throw Error(Condition::invalid_account_code, "account must not be NULL");
    static constexpr Oid types[] = {TEXTOID};
    SPIPlanPtr plan = call.ledger().plan(query, 1, types);
    const Datum figure = pg_call([&] {
      Datum value = new_text(*code);
      if (SPI_execute_plan(plan, &value, nullptr, true, 1) != SPI_OK_SELECT || SPI_processed == 0)
        return Datum{0};
      bool is_null = false;
      value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
      // Out of SPI's memory, which goes when the connection is closed.
      return is_null ? Datum{0} : SPI_datumTransfer(value, false, -1);
    });
    if (figure == Datum{0})
      throw Error(Condition::account_not_found, "account " + quoted(*code) + " does not exist",
                  "There is none in ledger " + quoted(call.ledger().name) + ".");
    call.finish();
    return figure;
  });
}

// Returns the rows of a query on the ledger.
Datum return_rows(FunctionCallInfo fcinfo, Call& call, const char* query, int parameters,
                  const Oid* types, Datum* values) {
  SPIPlanPtr plan = call.ledger().plan(query, parameters, types);
  pg_call([&] {
    TupleDesc descriptor = nullptr;
    Tuplestorestate* rows = start_result(fcinfo, &descriptor);
    Portal portal = SPI_cursor_open(nullptr, plan, values, nullptr, true);
    for (;;) {
      SPI_cursor_fetch(portal, true, rows_per_fetch);
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

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_balance);
PGDLLEXPORT Datum ledgerflow_balance(PG_FUNCTION_ARGS) {
  return read_figure(fcinfo, balance_query);
}

PG_FUNCTION_INFO_V1(ledgerflow_available);
PGDLLEXPORT Datum ledgerflow_available(PG_FUNCTION_ARGS) {
  return read_figure(fcinfo, available_query);
}

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
