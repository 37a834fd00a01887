// Movements: what accounts were debited and credited from one time to another, and in two such ranges
// beside each other.
#include "ext/report_range.hpp"

namespace ledgerflow {

namespace {

// The opening balance is the closing one less what moved. $7 prefix.
constexpr const char* movements_query =
    "WITH "
#include "ext/report_balances.sql"
    ", "
#include "ext/report_movements.sql"
    R"sql(
SELECT a.code, a.type, a.currency, s.sign * (a.amount - t.debits + t.credits) + a.zero, t.debits, t.credits,
       s.sign * a.amount + a.zero, a.name
  FROM account a
  LEFT JOIN movement m ON m.account_id = a.id
 CROSS JOIN LATERAL (SELECT coalesce(m.debits, 0) + a.zero, coalesce(m.credits, 0) + a.zero) AS t (debits, credits)
 CROSS JOIN LATERAL (SELECT CASE a.normal_side WHEN 'credit' THEN -1 ELSE 1 END) AS s (sign)
 WHERE ($7 = '' OR a.code = $7 OR starts_with(a.code, $7 || ':'))
   AND (a.amount <> 0 OR t.debits <> 0 OR t.credits <> 0)
 ORDER BY a.code COLLATE "C")sql";

// Two ranges as in ReportValues::add_range, $1 to $6 and $7 to $12, in one pass; $13 prefix.
constexpr const char* compare_query = R"sql(
WITH movement AS (
    SELECT e.account_id,
           coalesce(sum(e.amount) FILTER (WHERE e.transaction_id >= $4 AND e.transaction_id < $5
                                            AND ($1 = 'posted' OR (t.effective_at >= $2 AND t.effective_at < $3))), 0) AS first,
           coalesce(sum(e.amount) FILTER (WHERE e.transaction_id >= $10 AND e.transaction_id < $11
                                            AND ($1 = 'posted' OR (t.effective_at >= $8 AND t.effective_at < $9))), 0) AS second
      FROM {ledger}.entries e
      LEFT JOIN {ledger}.transactions t ON t.id = e.transaction_id
     WHERE e.transaction_id >= least($4, $10) AND e.transaction_id < greatest($5, $11)
       AND ($1 = 'posted' OR (t.effective_at >= least($2, $8) AND t.effective_at < greatest($3, $9)))
     GROUP BY e.account_id
)
SELECT a.code, a.type, a.currency, v.first, v.second, v.second - v.first,
       CASE WHEN v.first <> 0 THEN round(100 * (v.second - v.first) / abs(v.first), 2) END, a.name
  FROM movement m
  JOIN {ledger}.accounts a ON a.id = m.account_id
  JOIN {ledger}.account_types y ON y.code = a.type
  JOIN {ledger}.currencies c ON c.code = a.currency
 CROSS JOIN LATERAL (SELECT CASE y.normal_side WHEN 'credit' THEN -1 ELSE 1 END, round(0::numeric, c.scale)) AS s (sign, zero)
 CROSS JOIN LATERAL (SELECT s.sign * m.first + s.zero, s.sign * m.second + s.zero) AS v (first, second)
 WHERE ($13 = '' OR a.code = $13 OR starts_with(a.code, $13 || ':')) AND (m.first <> 0 OR m.second <> 0)
 ORDER BY a.code COLLATE "C")sql";

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_movements);
PGDLLEXPORT Datum ledgerflow_movements(PG_FUNCTION_ARGS) {
  return guarded([&] {
    ReportValues values;
    values.add_range(range_arguments(fcinfo, 0, by_posting_argument(fcinfo, 3)));
    values.add_text(prefix_argument(fcinfo, 2));
    return run_report(fcinfo, movements_query, values);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_compare);
PGDLLEXPORT Datum ledgerflow_compare(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const bool by_posting = by_posting_argument(fcinfo, 5);
    ReportValues values;
    for (const int first : {0, 2}) values.add_range(range_arguments(fcinfo, first, by_posting));
    values.add_text(prefix_argument(fcinfo, 4));
    return run_report(fcinfo, compare_query, values);
  });
}

}  // extern "C"

}  // namespace ledgerflow
