// Roll-ups: the balances of many accounts in one figure, by code prefix, by type, by metadata. Currencies
// are never added together. Where all accounts of a group have one normal side the figure is in it.
#include "ext/datums.hpp"
#include "ext/report_range.hpp"

namespace ledgerflow {

namespace {

// $7 prefix, $8 how many segments it has (1 when there is none), $9 depth.
constexpr const char* rollup_query =
    "WITH "
#include "ext/report_balances.sql"
    R"sql(, node AS (
    SELECT n.level::integer AS level, s.segments[:n.level::integer] AS path, a.currency, count(*) AS accounts,
           CASE WHEN min(a.normal_side) = max(a.normal_side) THEN min(a.normal_side) END AS normal_side,
           sum(a.amount) AS total, sum(a.amount) FILTER (WHERE n.level = cardinality(s.segments)) AS own
      FROM account a
     CROSS JOIN LATERAL string_to_array(a.code, ':') AS s (segments)
     CROSS JOIN LATERAL unnest(s.segments) WITH ORDINALITY AS n (segment, level)
     WHERE n.level >= $8 AND n.level < $8 + $9 AND ($7 = '' OR a.code = $7 OR starts_with(a.code, $7 || ':'))
     GROUP BY n.level, s.segments[:n.level::integer], a.currency
)
SELECT level - $8 + 1, array_to_string(path, ':'),
       repeat('  ', level - $8) || CASE WHEN level = $8 THEN array_to_string(path, ':') ELSE path[level] END,
       currency, accounts, normal_side,
       CASE normal_side WHEN 'credit' THEN -own ELSE own END,
       CASE normal_side WHEN 'credit' THEN -total ELSE total END
  FROM node
 ORDER BY currency COLLATE "C", path COLLATE "C")sql";

// The standard types come first, in the order of the reports.
constexpr const char* by_type_query =
    "WITH "
#include "ext/report_balances.sql"
    R"sql(
SELECT type, currency, count(*), normal_side, sum(CASE normal_side WHEN 'credit' THEN -amount ELSE amount END)
  FROM account
 GROUP BY type, currency, normal_side
 ORDER BY array_position('{asset,liability,equity,income,expense}'::text[], type), type COLLATE "C", currency COLLATE "C")sql";

// $7 the key.
constexpr const char* by_metadata_query =
    "WITH "
#include "ext/report_balances.sql"
    R"sql(, valued AS (
    SELECT metadata ->> $7 AS value, currency, count(*) AS accounts, sum(amount) AS amount,
           CASE WHEN min(normal_side) = max(normal_side) THEN min(normal_side) END AS normal_side
      FROM account GROUP BY 1, 2
)
SELECT value, currency, accounts, normal_side, CASE normal_side WHEN 'credit' THEN -amount ELSE amount END
  FROM valued ORDER BY value COLLATE "C", currency COLLATE "C")sql";

int segments_of(std::string_view code) {
  return 1 + static_cast<int>(std::count(code.begin(), code.end(), ':'));
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_rollup);
PGDLLEXPORT Datum ledgerflow_rollup(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const std::string_view prefix = prefix_argument(fcinfo, 0);
    ReportValues values;
    values.add_range(range_through_argument(fcinfo, 2, 3));
    values.add_text(prefix);
    values.add(INT4OID, Int32GetDatum(segments_of(prefix)));
    values.add(INT4OID, Int32GetDatum(depth_argument(fcinfo, 1)));
    return run_report(fcinfo, rollup_query, values);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_balances_by_type);
PGDLLEXPORT Datum ledgerflow_balances_by_type(PG_FUNCTION_ARGS) {
  return guarded([&] {
    ReportValues values;
    values.add_range(range_through_argument(fcinfo, 0, 1));
    return run_report(fcinfo, by_type_query, values);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_balances_by_metadata);
PGDLLEXPORT Datum ledgerflow_balances_by_metadata(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto key = text_argument(fcinfo, 0);
    if (!key) throw Error(Condition::invalid_argument, "key must not be NULL");
    ReportValues values;
    values.add_range(range_through_argument(fcinfo, 1, 2));
    values.add_text(*key);
    return run_report(fcinfo, by_metadata_query, values);
  });
}

}  // extern "C"

}  // namespace ledgerflow
