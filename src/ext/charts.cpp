// The series of an account's balance, point by point: what a chart is drawn from.
#include "ext/arguments.hpp"
#include "ext/as_of.hpp"
#include "ext/report_range.hpp"

namespace ledgerflow {

namespace {

constexpr int max_chart_points = 10000;

// $1 account, $2 true by posting time.
constexpr const char* first_entry_query = R"sql(
SELECT min(CASE WHEN $2 THEN t.posted_at ELSE t.effective_at END)
  FROM {ledger}.entries e
  JOIN {ledger}.transactions t ON t.id = e.transaction_id
 WHERE e.account_id = $1
   AND (NOT $2 OR e.transaction_id = (SELECT f.transaction_id FROM {ledger}.entries f
                                       WHERE f.account_id >= $1 AND f.account_id <= $1
                                       ORDER BY f.account_id, f.transaction_id LIMIT 1)))sql";

// Every entry belongs to the first point that is not before it. $7 account, $8 sign, $9 zero, $10 points, and
// just after each of them $11 times and $12 ids. By posting time the balance at the first point is one probe, as
// in report_balances.sql.
constexpr const char* chart_query = R"sql(
WITH movement AS (
    SELECT 1 + CASE $1 WHEN 'posted' THEN width_bucket(e.transaction_id, $12) ELSE width_bucket(t.effective_at, $11) END AS point,
           sum(greatest(e.amount, 0)) AS debits, -sum(least(e.amount, 0)) AS credits, sum(e.amount) AS amount
      FROM {ledger}.entries e
      LEFT JOIN {ledger}.transactions t ON t.id = e.transaction_id
     WHERE e.account_id = $7 AND e.transaction_id >= $4 AND e.transaction_id < $5
       AND ($1 = 'posted' OR t.effective_at < $3)
     GROUP BY 1
    UNION ALL
    SELECT 1, 0, 0, e.balance_after
      FROM (SELECT account_id, transaction_id FROM {ledger}.entries
             WHERE $1 = 'posted' AND account_id >= $7 AND (account_id, transaction_id) < ($7, least($4, $5))
             ORDER BY account_id DESC, transaction_id DESC LIMIT 1) l
     CROSS JOIN LATERAL (
           SELECT balance_after FROM {ledger}.entries
            WHERE transaction_id = l.transaction_id AND account_id = l.account_id
            ORDER BY line DESC LIMIT 1) e
)
SELECT p.at, CASE WHEN p.point > 1 THEN coalesce(m.debits, 0) ELSE 0 END + $9,
       CASE WHEN p.point > 1 THEN coalesce(m.credits, 0) ELSE 0 END + $9,
       $8 * sum(coalesce(m.amount, 0)) OVER (ORDER BY p.point) + $9
  FROM unnest($10) WITH ORDINALITY AS p (at, point)
  LEFT JOIN movement m ON m.point = p.point
 ORDER BY p.point)sql";

// No part of a step goes back, and one goes on: so every point is after the one before.
void check_step(const Interval* step) {
  if (step == nullptr) throw Error(Condition::invalid_argument, "step must not be NULL");
  if (step->month < 0 || step->day < 0 || step->time < 0 ||
      (step->month == 0 && step->day == 0 && step->time == 0))
    throw Error(Condition::invalid_argument, "the step is not positive",
                "A chart goes from point to point in steps like '1 day' or '1 month'.");
}

// A length that the step has at least: months of 28 days, days of 23 hours.
double least_length(const Interval& step) {
  return static_cast<double>(step.month) * 28 * USECS_PER_DAY +
         static_cast<double>(step.day) * 23 * USECS_PER_HOUR + static_cast<double>(step.time);
}

// Point number `index`, counted from the first one, so that steps of months from the 31st come back to it.
TimestampTz point_at(TimestampTz from, const Interval& step, int index) {
  if (index == 0) return from;
  const Datum distance = DirectFunctionCall2(interval_mul, IntervalPGetDatum(&step),
                                             Float8GetDatum(static_cast<double>(index)));
  return DatumGetTimestampTz(
      DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(from), distance));
}

// The points from `from` in steps, and `to` as the last one, so that nothing in between is left out.
int chart_points(TimestampTz from, TimestampTz to, const Interval& step, TimestampTz* points) {
  const double length = static_cast<double>(to) - static_cast<double>(from);
  for (int count = 0;; ++count) {
    const bool is_beyond = static_cast<double>(count) * least_length(step) > length;
    const TimestampTz point = is_beyond ? to : std::min(point_at(from, step, count), to);
    if (count == max_chart_points)
      throw Error(Condition::invalid_argument, "the chart would have too many points",
                  "It can have " + std::to_string(max_chart_points) + ".",
                  "Take a longer step or a shorter range.");
    points[count] = point;
    if (point == to) return count + 1;
  }
}

struct ChartArguments {
  std::string_view account;
  std::optional<TimestampTz> from;
  TimestampTz to = 0;
  const Interval* step = nullptr;
  bool by_posting = false;
};

ChartArguments chart_arguments(FunctionCallInfo fcinfo) {
  ChartArguments chart;
  const auto account = text_argument(fcinfo, 0);
  if (!account) throw Error(Condition::invalid_account_code, "account must not be NULL");
  chart.account = *account;
  if (!PG_ARGISNULL(1)) chart.from = PG_GETARG_TIMESTAMPTZ(1);
  const TimestampTz latest = timestamp_of(as_of().value_or(INT64_MAX));
  chart.to = moment_argument(fcinfo, 2, std::min(GetCurrentTransactionStartTimestamp(), latest));
  if ((chart.from && TIMESTAMP_NOT_FINITE(*chart.from)) || TIMESTAMP_NOT_FINITE(chart.to))
    throw Error(
        Condition::invalid_argument, "a chart has a finite range",
        "NULL instead of \"from\" is the account's first day, NULL instead of \"to\" is now.");
  chart.step = PG_ARGISNULL(3) ? nullptr : PG_GETARG_INTERVAL_P(3);
  check_step(chart.step);
  chart.by_posting = by_posting_argument(fcinfo, 4);
  return chart;
}

// Midnight of the account's first entry in the session's time zone, or `to` when it has none before.
TimestampTz first_day(Call& call, const Account& account, const ChartArguments& chart) {
  static constexpr Oid types[] = {INT8OID, BOOLOID};
  SPIPlanPtr plan = call.ledger().plan(first_entry_query, 2, types, CURSOR_OPT_CUSTOM_PLAN);
  return pg_call([&] {
    Datum values[] = {Int64GetDatum(account.id), BoolGetDatum(chart.by_posting)};
    bool is_null = true;
    Datum first = 0;
    if (SPI_execute_plan(plan, values, nullptr, true, 1) == SPI_OK_SELECT && SPI_processed == 1)
      first = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    if (is_null) return chart.to;
    first = DirectFunctionCall2(timestamptz_trunc, CStringGetTextDatum("day"), first);
    return std::min(DatumGetTimestampTz(first), chart.to);
  });
}

void add_points(ReportValues& values, const TimestampTz* points, int count) {
  auto* at = static_cast<Datum*>(palloc(sizeof(Datum) * max_chart_points));
  auto* after = static_cast<Datum*>(palloc(sizeof(Datum) * max_chart_points));
  auto* ids = static_cast<Datum*>(palloc(sizeof(Datum) * max_chart_points));
  for (int i = 0; i < count; ++i) {
    at[i] = TimestampTzGetDatum(points[i]);
    after[i] = TimestampTzGetDatum(just_after(points[i]));
    ids[i] = new_uuid(id_bound(just_after(points[i])));
  }
  const auto size = static_cast<std::size_t>(count);
  values.add(TIMESTAMPTZARRAYOID, array_of(at, size, TIMESTAMPTZOID));
  values.add(TIMESTAMPTZARRAYOID, array_of(after, size, TIMESTAMPTZOID));
  values.add(UUIDARRAYOID, array_of(ids, size, UUIDOID));
}

Datum chart_rows(FunctionCallInfo fcinfo, const ChartArguments& chart) {
  Call call(name_argument(fcinfo, PG_NARGS() - 1));
  const Account& account = call.account_to_read(chart.account);
  const TimestampTz from = chart.from ? *chart.from : first_day(call, account, chart);
  if (from > chart.to)
    throw Error(Condition::invalid_argument, "the range ends before it begins",
                "\"from\" must not be after \"to\".");
  // An entry at the first point itself is part of the balance there.
  const ReportRange range = range_between(just_after(from), just_after(chart.to), chart.by_posting);
  ReportValues values;
  pg_call([&] {
    auto* points = static_cast<TimestampTz*>(palloc(sizeof(TimestampTz) * max_chart_points));
    const int count = chart_points(from, chart.to, *chart.step, points);
    values.add_range(range);
    values.add(INT8OID, Int64GetDatum(account.id));
    values.add(INT4OID, Int32GetDatum(account.normal_side == Side::debit ? 1 : -1));
    values.add(NUMERICOID, numeric_from_units(0, account.scale));
    add_points(values, points, count);
  });
  return return_rows(fcinfo, call, chart_query, values.count, values.types, values.values,
                     CURSOR_OPT_CUSTOM_PLAN);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_chart);
PGDLLEXPORT Datum ledgerflow_chart(PG_FUNCTION_ARGS) {
  return guarded([&] { return chart_rows(fcinfo, chart_arguments(fcinfo)); });
}

}  // extern "C"

}  // namespace ledgerflow
