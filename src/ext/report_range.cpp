#include "ext/report_range.hpp"

#include "ext/arguments.hpp"
#include "ext/as_of.hpp"

namespace ledgerflow {

namespace {

constexpr int most_segments = 255;  // more than an account code can have

TransactionId highest_id() {
  TransactionId id;
  id.bytes.fill(0xFF);
  return id;
}

}  // namespace

bool ReportRange::is_endless() const { return until == DT_NOEND && until_id == highest_id(); }

void ReportValues::add_text(std::string_view text) { add(TEXTOID, new_text(text)); }

void ReportValues::add_range(const ReportRange& range) {
  add_text(range.by_posting ? "posted" : "effective");
  add(TIMESTAMPTZOID, TimestampTzGetDatum(range.since));
  add(TIMESTAMPTZOID, TimestampTzGetDatum(range.until));
  add(UUIDOID, new_uuid(range.since_id));
  add(UUIDOID, new_uuid(range.until_id));
  add(BOOLOID, BoolGetDatum(range.is_endless()));
}

bool by_posting_argument(FunctionCallInfo fcinfo, int number) {
  const auto by = text_argument(fcinfo, number);
  if (by == "posted") return true;
  if (by == "effective") return false;
  throw Error(Condition::invalid_argument,
              by ? "unknown kind of time " + quoted(*by) : "by must not be NULL",
              "A report is by 'effective' or by 'posted' time.");
}

TimestampTz moment_argument(FunctionCallInfo fcinfo, int number, TimestampTz when_null) {
  return PG_ARGISNULL(number) ? when_null : PG_GETARG_TIMESTAMPTZ(number);
}

int depth_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return most_segments;
  const int depth = PG_GETARG_INT32(number);
  if (depth < 1)
    throw Error(Condition::invalid_argument, "depth " + std::to_string(depth) + " is not positive",
                "It is the number of levels to show; NULL shows all.");
  return std::min(depth, most_segments);
}

std::string_view prefix_argument(FunctionCallInfo fcinfo, int number) {
  const auto prefix = text_argument(fcinfo, number);
  return prefix ? checked_code(prefix) : std::string_view();
}

TimestampTz just_after(TimestampTz time) {
  return TIMESTAMP_NOT_FINITE(time) || time + 1 == DT_NOEND ? time : time + 1;
}

TransactionId id_bound(TimestampTz time) {
  if (time == DT_NOBEGIN) return {};
  return first_id_at(time > latest_time ? INT64_MAX : unix_micros(time));
}

ReportRange range_between(TimestampTz from, TimestampTz to, bool by_posting) {
  if (from > to)
    throw Error(Condition::invalid_argument, "the range ends before it begins",
                "\"from\" must not be after \"to\".");
  ReportRange range;
  range.by_posting = by_posting;
  range.until_id = highest_id();
  if (by_posting) {
    range.since_id = id_bound(from);
    range.until_id = id_bound(to);
  } else {
    range.since = from;
    range.until = to;
  }
  if (const std::optional<std::int64_t> limit = as_of())
    range.until_id = std::min(range.until_id, id_bound(just_after(timestamp_of(*limit))));
  return range;
}

ReportRange range_through_argument(FunctionCallInfo fcinfo, int at, int by) {
  const TimestampTz last = moment_argument(fcinfo, at, DT_NOEND);
  return range_between(DT_NOBEGIN, just_after(last), by_posting_argument(fcinfo, by));
}

ReportRange range_arguments(FunctionCallInfo fcinfo, int from, bool by_posting) {
  return range_between(moment_argument(fcinfo, from, DT_NOBEGIN),
                       moment_argument(fcinfo, from + 1, DT_NOEND), by_posting);
}

Datum run_report(FunctionCallInfo fcinfo, const char* query, ReportValues& values) {
  Call call(name_argument(fcinfo, PG_NARGS() - 1));
  return return_rows(fcinfo, call, query, values.count, values.types, values.values,
                     CURSOR_OPT_CUSTOM_PLAN);
}

}  // namespace ledgerflow
