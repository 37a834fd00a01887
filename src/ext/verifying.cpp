// Verification. One pass over all rows tells what is suspect; SQL statements tell what is wrong with it.
#include "ext/receiver.hpp"
#include "ext/seals.hpp"
#include "ext/verification.hpp"

extern "C" {
#include "access/xlog.h"
#include "utils/fmgroids.h"
}

namespace ledgerflow {

namespace {

constexpr const char* standing_query =
#include "ext/verify.sql"
    ;
constexpr const char* transactions_query =
#include "ext/verify_transactions.sql"
    ;
constexpr const char* accounts_query =
#include "ext/verify_accounts.sql"
    ;
constexpr const char* periods_query =
#include "ext/verify_periods.sql"
    ;
constexpr const char* effective_query =
    "SELECT v.check_name, v.object, v.expected, v.found FROM ("
#include "ext/verify_effective.sql"
    ") AS v WHERE $1 OR EXISTS (SELECT FROM {ledger}.dated_entries) "
    "OR EXISTS (SELECT FROM {ledger}.effective_days)";
constexpr const char* keys_query =
#include "ext/verify_keys.sql"
    ;

// The newest run that had no findings here, and a time after which everything was posted that it has not seen:
// that of a verification whose own number is below the horizon. An hour is for clocks that step back.
constexpr const char* verified_point_query =
    "SELECT CAST(CAST(v.horizon AS text) AS numeric), "
    "(SELECT max(e.verified_at) FROM {ledger}.verifications e "
    "WHERE e.origin = $1 AND e.xact_id < v.horizon) - interval '1 hour', v.verified_at "
    "FROM {ledger}.verifications v WHERE v.origin = $1 AND v.findings = 0 ORDER BY v.id DESC LIMIT "
    "1";
constexpr const char* record_statement =
    "INSERT INTO {ledger}.verifications (verified_at, verified_by, mode, findings, transactions, "
    "entries, duration, horizon, xact_id, origin) "
    "VALUES (now(), $1, $2, $3, $4, $5, clock_timestamp() - $6, $7::xid8, pg_current_xact_id(), "
    "$8)";

struct Run {
  std::optional<VerifiedPoint> since;
  Suspects suspects;
  std::uint64_t findings = 0;
};

// Adds the rows of a statement to the findings.
void find(Call& call, const char* query, int parameters, const Oid* types, const Datum* values,
          Tuplestorestate* rows, TupleDesc descriptor, Run& run) {
  SPIPlanPtr plan =
      call.ledger().plan(query, parameters, types, CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_CUSTOM_PLAN);
  auto receive = [&](Datum* columns, bool* nulls) {
    tuplestore_putvalues(rows, descriptor, columns, nulls);
    ++run.findings;
  };
  pg_call([&] { for_each_row(plan, values, nullptr, receive); });
}

void verify(FunctionCallInfo fcinfo, Call& call, Run& run) {
  TupleDesc descriptor = nullptr;
  Tuplestorestate* rows = pg_call([&] { return start_result(fcinfo, &descriptor); });
  const auto look = [&](const char* query, int parameters, const Oid* types, const Datum* values) {
    find(call, query, parameters, types, values, rows, descriptor, run);
  };
  static constexpr Oid schema_type[] = {OIDOID};
  static constexpr Oid dated_type[] = {BOOLOID};
  static constexpr Oid accounts_type[] = {INT8ARRAYOID};

  call.push_whole_snapshot();
  run.suspects = find_suspects(call.ledger(), run.since);
  if (run.suspects.transactions) look(transactions_query, 0, nullptr, nullptr);
  if (!run.suspects.accounts.empty()) {
    const std::vector<std::int64_t>& accounts = run.suspects.accounts;
    static_assert(FLOAT8PASSBYVAL, "a bigint is a Datum");
    std::vector<Datum> ids;
    for (const std::int64_t id : accounts) ids.push_back(Int64GetDatum(id));
    const Datum array = pg_call([&] { return array_of(ids, INT8OID); });
    look(accounts_query, 1, accounts_type, &array);
  }
  if (run.suspects.periods) look(periods_query, 0, nullptr, nullptr);
  if (run.suspects.keys) look(keys_query, 0, nullptr, nullptr);
  const Datum dated = BoolGetDatum(run.suspects.dated);
  if (!run.since) look(effective_query, 1, dated_type, &dated);
  const Datum schema = ObjectIdGetDatum(call.ledger().schema);
  look(standing_query, 1, schema_type, &schema);
  pg_call([] { PopActiveSnapshot(); });
}

// Where the numbers of database transactions mean something: nothing where logical replication brings rows of
// another server.
std::optional<std::string> origin_of(Ledger& ledger) {
  if (is_subscriber(ledger)) return std::nullopt;
  return std::to_string(GetSystemIdentifier()) + "." + std::to_string(MyDatabaseId) + "." +
         std::to_string(ledger.relation(Table::transactions));
}

void record(Call& call, const Run& run, TimestampTz started, Datum horizon,
            const std::optional<std::string>& origin) {
  static constexpr Oid types[] = {TEXTOID, TEXTOID,        INT8OID, INT8OID,
                                  INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID};
  SPIPlanPtr plan = call.ledger().plan(record_statement, 8, types);
  const EngineWrites engine_writes;
  pg_call([&] {
    const Datum values[] = {
        CStringGetTextDatum(GetUserNameFromId(call.caller(), false)),
        CStringGetTextDatum(run.since ? "incremental" : "full"),
        Int64GetDatum(static_cast<std::int64_t>(run.findings)),
        Int64GetDatum(static_cast<std::int64_t>(run.suspects.transactions_read)),
        Int64GetDatum(static_cast<std::int64_t>(run.suspects.entries_read)),
        TimestampTzGetDatum(started),
        horizon,
        new_text(origin ? *origin : std::string_view("subscriber"))};
    execute(plan, SPI_OK_INSERT, values);
  });
}

}  // namespace

std::optional<VerifiedPoint> verified_point(Ledger& ledger) {
  const std::optional<std::string> origin = origin_of(ledger);
  if (!origin) return std::nullopt;
  static constexpr Oid types[] = {TEXTOID};
  SPIPlanPtr plan = ledger.plan(verified_point_query, 1, types);
  std::optional<VerifiedPoint> point;
  auto receive = [&](Datum* columns, bool* nulls) {
    if (nulls[0] || nulls[2]) return;  // which no run has recorded
    point.emplace();
    point->horizon =
        strtou64(DatumGetCString(DirectFunctionCall1(numeric_out, columns[0])), nullptr, 10);
    point->first_unseen_id = first_id_at(unix_micros(DatumGetTimestampTz(columns[2])));
    if (!nulls[1]) point->first_id = first_id_at(unix_micros(DatumGetTimestampTz(columns[1])));
  };
  pg_call([&] {
    const Datum value = new_text(*origin);
    for_each_row(plan, &value, nullptr, receive);
  });
  return point;
}

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_verify);
PGDLLEXPORT Datum ledgerflow_verify(PG_FUNCTION_ARGS) {
  return guarded([&] {
    Call call(name_argument(fcinfo, 0));
    Run run;
    verify(fcinfo, call, run);
    call.finish();
    return Datum{0};
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_verify_incremental);
PGDLLEXPORT Datum ledgerflow_verify_incremental(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const bool from_start = !PG_ARGISNULL(0) && PG_GETARG_BOOL(0);
    Call call("ledger_verify_incremental()", name_argument(fcinfo, 1), Table::account_balances,
              ACL_UPDATE);
    const TimestampTz started = GetCurrentTimestamp();
    const std::optional<std::string> origin = origin_of(call.ledger());
    // Before anything is read: every later database transaction has a higher number.
    const Datum horizon = pg_call([&] {
      (void)GetTopFullTransactionId();
      const Datum oldest =
          DirectFunctionCall1(pg_snapshot_xmin, OidFunctionCall0(F_PG_CURRENT_SNAPSHOT));
      return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(xid8out, oldest)));
    });
    Run run;
    if (!from_start) run.since = verified_point(call.ledger());
    verify(fcinfo, call, run);
    call.as_owner([&] { record(call, run, started, horizon, origin); });
    call.finish();
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
