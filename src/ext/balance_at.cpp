// Balances at a time: by posting time, and by effective time.
#include "ext/datums.hpp"
#include "ext/session.hpp"

extern "C" {
#include "utils/date.h"
}

namespace ledgerflow {

namespace {

// Times beyond what an id can carry (48 bits of milliseconds) are after every posting.
constexpr std::int64_t last_id_time = (std::int64_t{1} << 48) * 1000 - 2;

// A moment as the queries need it. Infinity is the last time that a posting can have, -infinity the first.
struct Moment {
  TimestampTz at;
  TimestampTz next_day;  // where the day after it starts, in UTC
  DateADT day;
  TransactionId bound;  // above everything that was posted by then, below the rest

  explicit Moment(TimestampTz time)
      : at(std::clamp(time, MIN_TIMESTAMP, latest_time)),
        next_day(0),
        day(static_cast<DateADT>(at / USECS_PER_DAY - (at % USECS_PER_DAY < 0 ? 1 : 0))),
        bound(first_id_at(std::min(unix_micros(at), last_id_time) + 1)) {
    next_day = (static_cast<TimestampTz>(day) + 1) * USECS_PER_DAY;
  }
};

// The figure of an account ($1), debits less credits, in its normal sign. Rows have the decimals of the
// currency; a sum of none of them is given them. OFFSET keeps the figure from being computed twice.
#define BALANCE_OF_ACCOUNT(figure)                                                        \
  "SELECT CASE WHEN v.balance OPERATOR(pg_catalog.=) 0 THEN pg_catalog.round(v.balance, " \
  "(SELECT c.scale FROM {ledger}.currencies c "                                           \
  "WHERE c.code OPERATOR(pg_catalog.=) a.currency)) ELSE v.balance END "                  \
  "FROM {ledger}.accounts a "                                                             \
  "JOIN {ledger}.account_types y ON y.code OPERATOR(pg_catalog.=) a.type "                \
  "CROSS JOIN LATERAL (SELECT (CASE WHEN y.normal_side OPERATOR(pg_catalog.=) 'debit' "   \
  "THEN 1 ELSE -1 END) OPERATOR(pg_catalog.*) (" figure                                   \
  ") AS balance OFFSET 0) v WHERE a.code OPERATOR(pg_catalog.=) $1"
// What was posted before the id $2: the last balance_after. The order names the account, and no condition
// makes it a constant: so only the index (account_id, transaction_id) has this order. Without it the planner
// may walk through the primary key, past the entries of all other accounts.
#define POSTED                                                                   \
  "coalesce((SELECT l.balance_after FROM (SELECT e.account_id, e.balance_after " \
  "FROM {ledger}.entries e WHERE ROW(e.account_id, e.transaction_id) "           \
  "OPERATOR(pg_catalog.<) ROW(a.id, $2) "                                        \
  "ORDER BY e.account_id DESC, e.transaction_id DESC, e.line DESC LIMIT 1) l "   \
  "WHERE l.account_id OPERATOR(pg_catalog.=) a.id), 0)"
// What of the dated entries was posted before an id; TRUE instead of a bound: all of them.
#define DATED(bound)                                              \
  "coalesce((SELECT d.dated_after FROM {ledger}.dated_entries d " \
  "WHERE d.account_id OPERATOR(pg_catalog.=) a.id AND " bound     \
  " ORDER BY d.transaction_id DESC, d.line DESC LIMIT 1), 0)"

constexpr const char* posted_query = BALANCE_OF_ACCOUNT(POSTED);
// What was posted by then, with the dated entries that were posted later and without those that are
// effective later: on later days, or later on that day. No entry that is not dated is read, and of the
// dated ones only those of one day.
constexpr const char* effective_query = BALANCE_OF_ACCOUNT(
    POSTED " OPERATOR(pg_catalog.+) " DATED("TRUE") " OPERATOR(pg_catalog.-) " DATED(
        "d.transaction_id OPERATOR(pg_catalog.<) $2")
    " OPERATOR(pg_catalog.-) coalesce((SELECT pg_catalog.sum(n.amount) "
    "FROM {ledger}.effective_days n WHERE n.account_id OPERATOR(pg_catalog.=) a.id "
    "AND n.day OPERATOR(pg_catalog.>) $3), 0) "
    "OPERATOR(pg_catalog.-) coalesce((SELECT pg_catalog.sum(d.amount) "
    "FROM {ledger}.dated_entries d WHERE d.account_id OPERATOR(pg_catalog.=) a.id "
    "AND d.effective_at OPERATOR(pg_catalog.>) $4 "
    "AND d.effective_at OPERATOR(pg_catalog.<) $5), 0)");
#undef BALANCE_OF_ACCOUNT
#undef POSTED
#undef DATED

// One figure, or none when there is no such account.
std::optional<Datum> read_balance(SPIPlanPtr plan, std::string_view code, const Moment& moment) {
  return pg_call([&]() -> std::optional<Datum> {
    Datum values[] = {new_text(code), datum_of(moment.bound), DateADTGetDatum(moment.day),
                      TimestampTzGetDatum(moment.at), TimestampTzGetDatum(moment.next_day)};
    if (SPI_execute_plan(plan, values, nullptr, true, 1) != SPI_OK_SELECT || SPI_processed == 0)
      return std::nullopt;
    bool is_null = false;
    const Datum figure = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    // Out of SPI's memory, which goes when the connection is closed.
    return SPI_datumTransfer(figure, false, -1);
  });
}

std::optional<Datum> posted_balance_at(Ledger& ledger, std::string_view code,
                                       const Moment& moment) {
  static constexpr Oid types[] = {TEXTOID, UUIDOID};
  return read_balance(ledger.plan(posted_query, 2, types), code, moment);
}

std::optional<Datum> effective_balance_at(Ledger& ledger, std::string_view code,
                                          const Moment& moment) {
  static constexpr Oid types[] = {TEXTOID, UUIDOID, DATEOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
  return read_balance(ledger.plan(effective_query, 5, types), code, moment);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_balance_at);
PGDLLEXPORT Datum ledgerflow_balance_at(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto code = pg_call([&] { return text_argument(fcinfo, 0); });
    const auto by = pg_call([&] { return text_argument(fcinfo, 2); });
    Call call(name_argument(fcinfo, 3));
    if (!code) throw Error(Condition::invalid_account_code, "account must not be NULL");
    if (PG_ARGISNULL(1)) throw Error(Condition::invalid_argument, "at must not be NULL");
    if (!by || (*by != "posted" && *by != "effective"))
      throw Error(Condition::invalid_argument,
                  "balance by " + (by ? quoted(*by) : std::string("NULL")) + " is unknown", {},
                  "Use 'posted' or 'effective'.");
    const Moment moment(PG_GETARG_TIMESTAMPTZ(1));
    const std::optional<Datum> balance = *by == "posted"
                                             ? posted_balance_at(call.ledger(), *code, moment)
                                             : effective_balance_at(call.ledger(), *code, moment);
    if (!balance)
      throw Error(Condition::account_not_found, "account " + quoted(*code) + " does not exist",
                  "There is none in ledger " + quoted(call.ledger().name) + ".");
    call.finish();
    return *balance;
  });
}

}  // extern "C"

}  // namespace ledgerflow
