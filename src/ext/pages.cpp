#include "ext/pages.hpp"

#include "ext/as_of.hpp"

namespace ledgerflow {

namespace {

constexpr int default_limit = 100;
constexpr int most_rows = 10000;  // of a page

}  // namespace

std::optional<std::int64_t> bound_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  return saturated_micros(PG_GETARG_TIMESTAMPTZ(number));
}

void check_range(const std::optional<std::int64_t>& from, const std::optional<std::int64_t>& to,
                 const char* from_name, const char* to_name) {
  if (from && to && *from > *to)
    throw Error(Condition::invalid_argument,
                std::string(to_name) + " is before " + std::string(from_name), {},
                "Give the earlier time first; a range has its beginning and not its end.");
}

IdRange posted_range_arguments(FunctionCallInfo fcinfo, int from, int to, const char* from_name,
                               const char* to_name) {
  const auto first = bound_argument(fcinfo, from);
  const auto end = bound_argument(fcinfo, to);
  check_range(first, end, from_name, to_name);
  IdRange range;
  range.first = first_id_at(first.value_or(INT64_MIN));
  range.end = first_id_at(end.value_or(INT64_MAX));
  if (as_of()) range.end = std::min(range.end, first_id_after(*as_of()));
  return range;
}

int limit_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return default_limit;
  const int limit = PG_GETARG_INT32(number);
  if (limit < 1 || limit > most_rows)
    throw Error(Condition::invalid_argument, "limit " + std::to_string(limit) + " is not a page",
                {}, "A page has 1 to " + std::to_string(most_rows) + " rows.");
  return limit;
}

std::optional<ListPosition> after_argument(const std::optional<std::string_view>& text,
                                           const ListScope& scope) {
  if (!text) return std::nullopt;
  return read_cursor(*text, scope);
}

void put_row(Tuplestorestate* rows, TupleDesc descriptor, const ListScope& scope,
             const ListPosition& position, Datum* values, bool* nulls) {
  const std::string cursor = write_cursor(scope, position);
  pg_call([&] {
    const int last = descriptor->natts - 1;
    values[last] = new_text(cursor);
    nulls[last] = false;
    tuplestore_putvalues(rows, descriptor, values, nulls);
    pfree(DatumGetPointer(values[last]));
  });
}

}  // namespace ledgerflow
