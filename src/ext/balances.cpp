// ledger_balance, ledger_available, ledger_balance_at: a figure of one account, in its normal sign.
#include "core/effective.hpp"
#include "ext/as_of.hpp"
#include "ext/spi_rows.hpp"

extern "C" {
#include "utils/date.h"
}

namespace ledgerflow {

namespace {

constexpr const char* totals_query =
    "SELECT debits_posted, credits_posted, debits_pending, credits_pending "
    "FROM {ledger}.account_balances "
    "WHERE account_id OPERATOR(pg_catalog.=) $1 AND stripe OPERATOR(pg_catalog.=) 0";
constexpr const char* standing_query =
    // Types as they should be: view and function may have been made anew by their owner, in another shape.
    "SELECT CAST(s.debits_posted AS pg_catalog.numeric), "
    "CAST(s.credits_posted AS pg_catalog.numeric), CAST(s.debits_pending AS pg_catalog.numeric), "
    "CAST(s.credits_pending AS pg_catalog.numeric) FROM {ledger}.as_of m, {ledger}.standing_at($1, "
    "m.at, m.next_id) s";
// What was posted before the id $2: the last balance_after of account $1. The order names the account, and no
// condition makes it a constant: so only the index (account, transaction) has this order. Without it the
// planner may walk through the primary key, past the entries of all other accounts.
#define POSTED                                                                   \
  "coalesce((SELECT l.balance_after FROM (SELECT e.account_id, e.balance_after " \
  "FROM {ledger}.entries e WHERE ROW(e.account_id, e.transaction_id) "           \
  "OPERATOR(pg_catalog.<) ROW($1, $2) "                                          \
  "ORDER BY e.account_id DESC, e.transaction_id DESC, e.line DESC LIMIT 1) l "   \
  "WHERE l.account_id OPERATOR(pg_catalog.=) $1), 0)"
// What of the dated entries was posted before an id; TRUE instead of a bound: all of them.
#define DATED(bound)                                              \
  "coalesce((SELECT d.dated_after FROM {ledger}.dated_entries d " \
  "WHERE d.account_id OPERATOR(pg_catalog.=) $1 AND " bound       \
  " ORDER BY d.transaction_id DESC, d.line DESC LIMIT 1), 0)"
constexpr const char* posted_query = "SELECT " POSTED;
// What was posted by then, with the dated entries that were posted later and without those that are
// effective later: on later days, or later on that day. No entry that is not dated is read, and of the
// dated ones only those of one day.
constexpr const char* effective_query =
    "SELECT " POSTED " OPERATOR(pg_catalog.+) " DATED("TRUE") " OPERATOR(pg_catalog.-) " DATED(
        "d.transaction_id OPERATOR(pg_catalog.<) $2")
    " OPERATOR(pg_catalog.-) coalesce((SELECT pg_catalog.sum(n.amount) "
    "FROM {ledger}.effective_days n WHERE n.account_id OPERATOR(pg_catalog.=) $1 "
    "AND n.day OPERATOR(pg_catalog.>) $3), 0) "
    "OPERATOR(pg_catalog.-) coalesce((SELECT pg_catalog.sum(d.amount) "
    "FROM {ledger}.dated_entries d WHERE d.account_id OPERATOR(pg_catalog.=) $1 "
    "AND d.effective_at OPERATOR(pg_catalog.>) $4 "
    "AND d.effective_at OPERATOR(pg_catalog.<) $5), 0)";
// The same as it was known when nothing from the id $3 on was posted: sums of days do not tell that, so the
// dated entries are read.
constexpr const char* effective_as_of_query =
    "SELECT " POSTED " OPERATOR(pg_catalog.-) " DATED("d.transaction_id OPERATOR(pg_catalog.<) $2")
    " OPERATOR(pg_catalog.+) coalesce((SELECT pg_catalog.sum(d.amount) "
    "FROM {ledger}.dated_entries d WHERE d.account_id OPERATOR(pg_catalog.=) $1 "
    "AND d.transaction_id OPERATOR(pg_catalog.<) $3 "
    "AND d.effective_at OPERATOR(pg_catalog.<=) $4), 0)";
#undef POSTED
#undef DATED

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

// Debits less credits, in the account's normal sign. Rows have the decimals of the currency; a sum of none of
// them is given them.
Datum read_net(SPIPlanPtr plan, Datum* values, const Account& account) {
  return pg_call([&] {
    if (SPI_execute_plan(plan, values, nullptr, true, 1) != SPI_OK_SELECT)
      elog(ERROR, "could not read the entries of an account");
    const Datum net =
        DirectFunctionCall2(numeric_round, result_row(0).column(1), Int32GetDatum(account.scale));
    return account.normal_side == Side::debit ? net : DirectFunctionCall1(numeric_uminus, net);
  });
}

// By posting time, the very microsecond included; zero before the first entry.
Datum read_balance_until(Call& call, const Account& account, std::int64_t until) {
  static constexpr Oid types[] = {INT8OID, UUIDOID};
  const TransactionId bound = first_id_after(until);
  Datum values[] = {Int64GetDatum(account.id), datum_of(bound)};
  return read_net(call.ledger().plan(posted_query, 2, types), values, account);
}

// By effective time, also for times that are still to come.
Datum read_effective_balance(Call& call, const Account& account, TimestampTz at) {
  at = std::clamp(at, MIN_TIMESTAMP, latest_time);
  const std::int64_t day = day_of(unix_micros(at)) - (epoch_shift / USECS_PER_DAY);
  const TimestampTz next_day = (day + 1) * USECS_PER_DAY;
  const std::optional<std::int64_t> known = as_of();
  const TransactionId bound = first_id_after(std::min(unix_micros(at), known.value_or(INT64_MAX)));
  if (known) {
    static constexpr Oid types[] = {INT8OID, UUIDOID, UUIDOID, TIMESTAMPTZOID};
    const TransactionId known_bound = first_id_after(*known);
    Datum values[] = {Int64GetDatum(account.id), datum_of(bound), datum_of(known_bound),
                      TimestampTzGetDatum(at)};
    return read_net(call.ledger().plan(effective_as_of_query, 4, types), values, account);
  }
  static constexpr Oid types[] = {INT8OID, UUIDOID, DATEOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
  Datum values[] = {Int64GetDatum(account.id), datum_of(bound),
                    DateADTGetDatum(static_cast<DateADT>(day)), TimestampTzGetDatum(at),
                    TimestampTzGetDatum(next_day)};
  return read_net(call.ledger().plan(effective_query, 5, types), values, account);
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
    const auto by = text_argument(fcinfo, 2);
    if (PG_ARGISNULL(1)) throw Error(Condition::invalid_argument, "at must not be NULL");
    if (by != "posted" && by != "effective")
      throw Error(Condition::invalid_argument,
                  "balance by " + (by ? quoted(*by) : std::string("NULL")) + " is unknown", {},
                  "Use 'posted' or 'effective'.");
    const TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
    return figure_of_account(fcinfo, 3, [&](Call& call, const Account& account) {
      if (by == "effective") return read_effective_balance(call, account, at);
      const std::int64_t until = saturated_micros(at);
      return read_balance(call, account, std::min(until, as_of().value_or(until)));
    });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_available);
PGDLLEXPORT Datum ledgerflow_available(PG_FUNCTION_ARGS) {
  return guarded([&] { return figure_of_account(fcinfo, 1, read_available); });
}

}  // extern "C"

}  // namespace ledgerflow
