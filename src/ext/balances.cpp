// ledger_balance, ledger_available, ledger_balance_at: a figure of one account, in its normal sign.
#include "ext/as_of.hpp"
#include "ext/spi_rows.hpp"

namespace ledgerflow {

namespace {

constexpr const char* totals_query =
    "SELECT debits_posted, credits_posted, debits_pending, credits_pending "
    "FROM {ledger}.account_balances "
    "WHERE account_id OPERATOR(pg_catalog.=) $1 AND stripe OPERATOR(pg_catalog.=) 0";
constexpr const char* standing_query =
    "SELECT s.debits_posted, s.credits_posted, s.debits_pending, s.credits_pending "
    "FROM {ledger}.as_of m, {ledger}.standing_at($1, m.at, m.next_id) s";
// One look into the index (account, transaction), which needs no sort: whatever the statistics say, the plan
// is the right one for an account of any size.
constexpr const char* last_entries_query =
    "SELECT transaction_id, balance_after FROM {ledger}.entries "
    "WHERE account_id OPERATOR(pg_catalog.=) $1 AND transaction_id OPERATOR(pg_catalog.<) $2 "
    "ORDER BY transaction_id DESC LIMIT 2";
constexpr const char* last_line_query =
    "SELECT balance_after FROM {ledger}.entries WHERE account_id OPERATOR(pg_catalog.=) $1 "
    "AND transaction_id OPERATOR(pg_catalog.=) $2 ORDER BY line DESC LIMIT 1";

struct Totals {
  Datum debits_posted, credits_posted, debits_pending, credits_pending;
};

Datum minus(Datum a, Datum b) { return DirectFunctionCall2(numeric_sub, a, b); }

Totals read_totals(Call& call, const Account& account, const char* query) {
  static constexpr Oid types[] = {INT8OID};
  SPIPlanPtr plan = call.ledger().plan(query, 1, types);
  Totals totals = {};
  const bool found = pg_call([&] {
    const Datum id = Int64GetDatum(account.id);
    if (SPI_execute_plan(plan, const_cast<Datum*>(&id), nullptr, true, 1) != SPI_OK_SELECT)
      elog(ERROR, "could not read the balance of an account");
    if (SPI_processed == 0) return false;
    const Row row = result_row(0);
    totals = {row.column(1), row.column(2), row.column(3), row.column(4)};
    return true;
  });
  if (!found)
    throw Error(Condition::account_not_found, "account " + quoted(account.code) + " does not exist",
                "There is none in ledger " + quoted(call.ledger().name) + ".");
  return totals;
}

void select(SPIPlanPtr plan, const Account& account, const TransactionId& id) {
  const Datum values[] = {Int64GetDatum(account.id), datum_of(id)};
  if (SPI_execute_plan(plan, const_cast<Datum*>(values), nullptr, true, 0) != SPI_OK_SELECT)
    elog(ERROR, "could not read the entries of an account");
}

// The posted balance at a time; zero before the first entry. Where the last transaction has several lines
// of the account, the last one has the balance, and the index does not tell which that is.
Datum read_balance_until(Call& call, const Account& account, std::int64_t until) {
  static constexpr Oid types[] = {INT8OID, UUIDOID};
  SPIPlanPtr entries = call.ledger().plan(last_entries_query, 2, types);
  SPIPlanPtr last_line = call.ledger().plan(last_line_query, 2, types);
  const TransactionId bound = first_id_after(until);
  return pg_call([&] {
    select(entries, account, bound);
    if (SPI_processed == 0) return numeric_from_units(0, account.scale);
    Datum net = result_row(0).column(2);
    const TransactionId last = id_from_datum(result_row(0).column(1));
    if (SPI_processed == 2 && last == id_from_datum(result_row(1).column(1))) {
      select(last_line, account, last);
      net = result_row(0).column(1);
    }
    return account.normal_side == Side::debit ? net : DirectFunctionCall1(numeric_uminus, net);
  });
}

Datum read_balance(Call& call, const Account& account, std::optional<std::int64_t> until) {
  if (until) return read_balance_until(call, account, *until);
  const Totals totals = read_totals(call, account, totals_query);
  return pg_call([&] {
    return account.normal_side == Side::debit ? minus(totals.debits_posted, totals.credits_posted)
                                              : minus(totals.credits_posted, totals.debits_posted);
  });
}

Datum read_available(Call& call, const Account& account) {
  const Totals totals = read_totals(call, account, as_of() ? standing_query : totals_query);
  return pg_call([&] {
    return account.normal_side == Side::debit
               ? minus(minus(totals.debits_posted, totals.credits_posted), totals.credits_pending)
               : minus(minus(totals.credits_posted, totals.debits_posted), totals.debits_pending);
  });
}

// Reads one figure and takes it out of SPI's memory, which goes when the connection is closed.
template <typename Read>
Datum figure_of_account(FunctionCallInfo fcinfo, int ledger_argument, Read&& read) {
  const auto code = text_argument(fcinfo, 0);
  Call call(name_argument(fcinfo, ledger_argument));
  const Datum found = read(call, call.account_to_read(code));
  const Datum figure = pg_call([&] { return SPI_datumTransfer(found, false, -1); });
  call.finish();
  return figure;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_balance);
PGDLLEXPORT Datum ledgerflow_balance(PG_FUNCTION_ARGS) {
  return guarded([&] {
    return figure_of_account(fcinfo, 1, [](Call& call, const Account& account) {
      return read_balance(call, account, as_of());
    });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_balance_at);
PGDLLEXPORT Datum ledgerflow_balance_at(PG_FUNCTION_ARGS) {
  return guarded([&] {
    if (PG_ARGISNULL(1)) throw Error(Condition::invalid_argument, "at must not be NULL");
    const std::int64_t at = saturated_micros(PG_GETARG_TIMESTAMPTZ(1));
    return figure_of_account(fcinfo, 2, [&](Call& call, const Account& account) {
      return read_balance(call, account, std::min(at, as_of().value_or(at)));
    });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_available);
PGDLLEXPORT Datum ledgerflow_available(PG_FUNCTION_ARGS) {
  return guarded([&] { return figure_of_account(fcinfo, 1, read_available); });
}

}  // extern "C"

}  // namespace ledgerflow
