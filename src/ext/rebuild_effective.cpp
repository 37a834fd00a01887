// Making dated_entries and effective_days anew from what they are derived from.
#include "ext/rebuild_effective.hpp"

#include "ext/datums.hpp"

namespace ledgerflow {

namespace {

constexpr const char* wrong_rows_query =
#include "ext/verify_effective.sql"
    ;
constexpr const char* delete_dated_entries_statement =
    "DELETE FROM {ledger}.dated_entries WHERE account_id OPERATOR(pg_catalog.=) ANY ($1)";
constexpr const char* delete_effective_days_statement =
    "DELETE FROM {ledger}.effective_days WHERE account_id OPERATOR(pg_catalog.=) ANY ($1)";
constexpr const char* derive_dated_entries_statement =
    "INSERT INTO {ledger}.dated_entries "
    "(account_id, effective_at, transaction_id, line, amount, dated_after) "
    "SELECT e.account_id, t.effective_at, e.transaction_id, e.line, e.amount, "
    "pg_catalog.sum(e.amount) OVER (PARTITION BY e.account_id ORDER BY e.transaction_id, e.line) "
    "FROM {ledger}.entries e "
    "JOIN {ledger}.transactions t ON t.id OPERATOR(pg_catalog.=) e.transaction_id "
    "WHERE t.effective_at OPERATOR(pg_catalog.<>) t.posted_at "
    "AND e.account_id OPERATOR(pg_catalog.=) ANY ($1)";
constexpr const char* derive_effective_days_statement =
    "INSERT INTO {ledger}.effective_days (account_id, day, amount) "
    "SELECT account_id, CAST(pg_catalog.timezone('UTC', effective_at) AS pg_catalog.date), "
    "pg_catalog.sum(amount) FROM {ledger}.dated_entries "
    "WHERE account_id OPERATOR(pg_catalog.=) ANY ($1) GROUP BY 1, 2";

// The accounts that have wrong rows; the rows become the result of the function that is called.
std::vector<std::int64_t> wrong_accounts(Ledger& ledger, FunctionCallInfo fcinfo) {
  SPIPlanPtr plan = ledger.plan(wrong_rows_query, 0, nullptr);
  TupleDesc descriptor = nullptr;
  Tuplestorestate* rows = nullptr;
  pg_call([&] {
    if (fcinfo != nullptr) rows = start_result(fcinfo, &descriptor);
    execute(plan, SPI_OK_SELECT, nullptr);
  });
  std::set<std::int64_t> accounts;
  for (std::uint64_t i = 0; i < SPI_processed; ++i)
    accounts.insert(pg_call([&] {
      constexpr int columns = 5;
      Datum values[columns];
      bool nulls[columns];
      heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, nulls);
      if (rows != nullptr) tuplestore_putvalues(rows, descriptor, values + 1, nulls + 1);
      return DatumGetInt64(values[0]);
    }));
  return {accounts.begin(), accounts.end()};
}

void derive_anew(Ledger& ledger, const std::vector<std::int64_t>& accounts) {
  static constexpr Oid types[] = {INT8ARRAYOID};
  struct Step {
    SPIPlanPtr plan;
    int expected;
  };
  const Step steps[] = {{ledger.plan(delete_dated_entries_statement, 1, types), SPI_OK_DELETE},
                        {ledger.plan(delete_effective_days_statement, 1, types), SPI_OK_DELETE},
                        {ledger.plan(derive_dated_entries_statement, 1, types), SPI_OK_INSERT},
                        {ledger.plan(derive_effective_days_statement, 1, types), SPI_OK_INSERT}};
  std::vector<Datum> ids;
  ids.reserve(accounts.size());
  for (const std::int64_t id : accounts) ids.push_back(Int64GetDatum(id));
  const EngineWrites engine_writes;
  pg_call([&] {
    const Datum array = array_of(ids, INT8OID);
    for (const Step& step : steps) execute(step.plan, step.expected, &array);
  });
}

}  // namespace

void rebuild_effective(Ledger& ledger, FunctionCallInfo fcinfo) {
  const std::vector<std::int64_t> accounts = wrong_accounts(ledger, fcinfo);
  if (!accounts.empty()) derive_anew(ledger, accounts);
}

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_rebuild_effective);
PGDLLEXPORT Datum ledgerflow_rebuild_effective(PG_FUNCTION_ARGS) {
  return guarded([&] {
    Call call("ledger_rebuild_effective()", name_argument(fcinfo, 0), Table::settings, ACL_UPDATE);
    pg_call([&] {
      // With a snapshot from before, postings that this waits for would be missed.
      if (IsolationUsesXactSnapshot())
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("ledger_rebuild_effective() runs in READ COMMITTED only"),
                        errhint("Start the transaction with ISOLATION LEVEL READ COMMITTED.")));
      // Postings that are under way end first, new ones wait.
      LockRelationOid(call.ledger().relation(Table::transactions), ShareRowExclusiveLock);
    });
    call.as_owner([&] { rebuild_effective(call.ledger(), fcinfo); });
    call.finish();
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
