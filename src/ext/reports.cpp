// The accountant's reports: trial balance at a time, balance sheet, income statement. Each per currency.
#include "ext/report_range.hpp"

namespace ledgerflow {

namespace {

constexpr const char* trial_balance_query =
    "WITH "
#include "ext/report_movements.sql"
    R"sql(
SELECT a.code, a.type, a.currency, greatest(t.debits - t.credits, z.zero), greatest(t.credits - t.debits, z.zero),
       a.name, t.debits, t.credits
  FROM {ledger}.accounts a
  JOIN {ledger}.currencies c ON c.code = a.currency
  LEFT JOIN movement m ON m.account_id = a.id
 CROSS JOIN LATERAL round(0::numeric, c.scale) AS z (zero)
 CROSS JOIN LATERAL (SELECT coalesce(m.debits, 0) + z.zero, coalesce(m.credits, 0) + z.zero) AS t (debits, credits)
 ORDER BY a.code)sql";

// Every account stands in a section, and every section on a side. Income less expenses, as far as no entry
// has closed them, belong to the owners: one line of equity. Types of the user's own have sections of their
// own, on their normal side, and so both sides have one sum whatever types there are. $7 depth.
constexpr const char* balance_sheet_query =
    "WITH "
#include "ext/report_balances.sql"
    R"sql(, section (type, side, rank) AS (
    VALUES ('asset', 'debit', 1), ('liability', 'credit', 1), ('equity', 'credit', 3)
    UNION ALL
    SELECT code, normal_side, 2 FROM {ledger}.account_types
     WHERE code NOT IN ('asset', 'liability', 'equity', 'income', 'expense')
), item AS (
    SELECT currency, CASE WHEN type IN ('income', 'expense') THEN 'equity' ELSE type END AS type,
           CASE WHEN type IN ('income', 'expense') THEN '{}' ELSE (string_to_array(code, ':'))[:$7] END AS path,
           CASE WHEN cardinality(string_to_array(code, ':')) <= $7 THEN name END AS name, amount
      FROM account
    UNION ALL  -- every currency has the standard sections, and the line of the earnings
    SELECT DISTINCT a.currency, s.type, '{}'::text[], NULL, a.zero
      FROM account a CROSS JOIN section s WHERE s.type IN ('asset', 'liability', 'equity')
), line AS (
    SELECT i.currency, s.side, s.rank, i.type, i.path, grouping(i.type, i.path) AS sum_of, min(i.name) AS name,
           CASE s.side WHEN 'credit' THEN -sum(i.amount) ELSE sum(i.amount) END AS amount
      FROM item i JOIN section s ON s.type = i.type
     GROUP BY GROUPING SETS ((i.currency, s.side, s.rank, i.type, i.path), (i.currency, s.side, s.rank, i.type),
                             (i.currency, s.side))
)
SELECT currency, side, type, k.kind,
       CASE k.kind WHEN 'account' THEN '  ' || array_to_string(path, ':')
                   WHEN 'earnings' THEN '  Current earnings'
                   WHEN 'subtotal' THEN 'Total ' || CASE type WHEN 'asset' THEN 'assets' WHEN 'liability' THEN 'liabilities'
                                                              ELSE type END
                   ELSE 'Total ' || side || ' balances' END,
       CASE k.kind WHEN 'account' THEN array_to_string(path, ':') END,
       CASE k.kind WHEN 'account' THEN name END, amount
  FROM line
 CROSS JOIN LATERAL (SELECT CASE WHEN sum_of = 3 THEN 'total' WHEN sum_of = 1 THEN 'subtotal'
                                 WHEN path <> '{}' THEN 'account' ELSE 'earnings' END) AS k (kind)
 WHERE CASE k.kind WHEN 'account' THEN amount <> 0 WHEN 'earnings' THEN type = 'equity' ELSE true END
 ORDER BY currency COLLATE "C", side DESC, rank NULLS LAST, type COLLATE "C", sum_of, path = '{}', path COLLATE "C")sql";

// $7 depth.
constexpr const char* income_statement_query =
    "WITH "
#include "ext/report_movements.sql"
    R"sql(, account AS (
    SELECT a.currency, a.type, string_to_array(a.code, ':') AS segments, a.name,
           coalesce(m.credits - m.debits, 0) + round(0::numeric, c.scale) AS earned
      FROM {ledger}.accounts a
      JOIN {ledger}.currencies c ON c.code = a.currency
      LEFT JOIN movement m ON m.account_id = a.id
     WHERE a.type IN ('income', 'expense')
), item AS (
    SELECT currency, type, segments[:$7] AS path, CASE WHEN cardinality(segments) <= $7 THEN name END AS name, earned
      FROM account
    UNION ALL  -- every currency has both sections
    SELECT DISTINCT a.currency, s.type, '{}'::text[], NULL, 0 * a.earned
      FROM account a CROSS JOIN (VALUES ('income'), ('expense')) AS s (type)
), line AS (
    SELECT currency, type, path, grouping(type, path) AS sum_of, min(name) AS name,
           CASE type WHEN 'expense' THEN -sum(earned) ELSE sum(earned) END AS amount
      FROM item GROUP BY GROUPING SETS ((currency, type, path), (currency, type), (currency))
)
SELECT currency, type, k.kind,
       CASE k.kind WHEN 'account' THEN '  ' || array_to_string(path, ':')
                   WHEN 'subtotal' THEN CASE type WHEN 'income' THEN 'Total income' ELSE 'Total expenses' END
                   ELSE 'Net income' END,
       CASE k.kind WHEN 'account' THEN array_to_string(path, ':') END,
       CASE k.kind WHEN 'account' THEN name END, amount
  FROM line
 CROSS JOIN LATERAL (SELECT CASE sum_of WHEN 3 THEN 'net' WHEN 1 THEN 'subtotal' ELSE 'account' END) AS k (kind)
 WHERE k.kind <> 'account' OR amount <> 0
 ORDER BY currency COLLATE "C", type = 'expense' NULLS LAST, sum_of, path COLLATE "C")sql";

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_trial_balance_at);
PGDLLEXPORT Datum ledgerflow_trial_balance_at(PG_FUNCTION_ARGS) {
  return guarded([&] {
    ReportValues values;
    values.add_range(range_through_argument(fcinfo, 0, 1));
    return run_report(fcinfo, trial_balance_query, values);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_balance_sheet);
PGDLLEXPORT Datum ledgerflow_balance_sheet(PG_FUNCTION_ARGS) {
  return guarded([&] {
    ReportValues values;
    values.add_range(range_through_argument(fcinfo, 0, 2));
    values.add(INT4OID, Int32GetDatum(depth_argument(fcinfo, 1)));
    return run_report(fcinfo, balance_sheet_query, values);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_income_statement);
PGDLLEXPORT Datum ledgerflow_income_statement(PG_FUNCTION_ARGS) {
  return guarded([&] {
    ReportValues values;
    values.add_range(range_arguments(fcinfo, 0, by_posting_argument(fcinfo, 3)));
    values.add(INT4OID, Int32GetDatum(depth_argument(fcinfo, 2)));
    return run_report(fcinfo, income_statement_query, values);
  });
}

}  // extern "C"

}  // namespace ledgerflow
