// Client: financial reports.
#include "calls.hpp"

namespace ledgerflow::client {

namespace {

// The options of a report at a time, and those of one of a range, come first among its parameters.
#define REPORT_OPTIONS "at => $1, by => $2, ledger => $3"
#define REPORT_OPTION_TYPES type::timestamptz, type::text, type::name
#define RANGE_OPTIONS "\"from\" => $1, \"to\" => $2, by => $3, ledger => $4"
#define RANGE_OPTION_TYPES type::timestamptz, type::timestamptz, type::text, type::name

void add_options(Parameters& parameters, const ReportOptions& options) {
  parameters.add_timestamp(options.at);
  parameters.add_text(name_of(options.by));
  parameters.add_text(options.ledger);
}

// RangeOptions or ChartOptions.
template <typename Options>
void add_options(Parameters& parameters, const Options& options) {
  parameters.add_timestamp(options.from);
  parameters.add_timestamp(options.to);
  parameters.add_text(name_of(options.by));
  parameters.add_text(options.ledger);
}

constexpr Statement trial_balance_sql{
    "ledgerflow_trial_balance",
    "SELECT account, type, currency, debit, credit, name, debits_posted, credits_posted"
    " FROM {ext}.ledger_trial_balance(ledger => $1)",
    {type::name},
    8};

constexpr Statement trial_balance_at_sql{
    "ledgerflow_trial_balance_at",
    "SELECT account, type, currency, debit, credit, name, debits_posted, credits_posted"
    " FROM {ext}.ledger_trial_balance(" REPORT_OPTIONS ")",
    {REPORT_OPTION_TYPES},
    8};

constexpr Statement rollup_sql{
    "ledgerflow_rollup",
    "SELECT level, account, label, currency, accounts, normal_side, own, total"
    " FROM {ext}.ledger_rollup(" REPORT_OPTIONS ", prefix => $4, depth => $5)",
    {REPORT_OPTION_TYPES, type::text, type::integer},
    8};

constexpr Statement balances_by_type_sql{"ledgerflow_balances_by_type",
                                         "SELECT type, currency, accounts, normal_side, balance"
                                         " FROM {ext}.ledger_balances_by_type(" REPORT_OPTIONS ")",
                                         {REPORT_OPTION_TYPES},
                                         5};

constexpr Statement balances_by_metadata_sql{
    "ledgerflow_balances_by_metadata",
    "SELECT value, currency, accounts, normal_side, balance"
    " FROM {ext}.ledger_balances_by_metadata(" REPORT_OPTIONS ", key => $4)",
    {REPORT_OPTION_TYPES, type::text},
    5};

constexpr Statement balance_sheet_sql{
    "ledgerflow_balance_sheet",
    "SELECT currency, side, section, kind, label, account, name, amount"
    " FROM {ext}.ledger_balance_sheet(" REPORT_OPTIONS ", depth => $4)",
    {REPORT_OPTION_TYPES, type::integer},
    8};

constexpr Statement income_statement_sql{
    "ledgerflow_income_statement",
    "SELECT currency, NULL::pg_catalog.text, section, kind, label, account, name, amount"
    " FROM {ext}.ledger_income_statement(" RANGE_OPTIONS ", depth => $5)",
    {RANGE_OPTION_TYPES, type::integer},
    8};

constexpr Statement movements_sql{
    "ledgerflow_movements",
    "SELECT account, type, currency, opening, debits, credits, closing, name"
    " FROM {ext}.ledger_movements(" RANGE_OPTIONS ", prefix => $5)",
    {RANGE_OPTION_TYPES, type::text},
    8};

constexpr Statement compare_sql{
    "ledgerflow_compare",
    "SELECT account, type, currency, first, second, difference, percent, name"
    " FROM {ext}.ledger_compare(from1 => $1, to1 => $2, from2 => $3, to2 => $4, prefix => $5, "
    "by => $6, ledger => $7)",
    {type::timestamptz, type::timestamptz, type::timestamptz, type::timestamptz, type::text,
     type::text, type::name},
    8};

constexpr Statement chart_sql{"ledgerflow_chart",
                              "SELECT at, debits, credits, balance"
                              " FROM {ext}.ledger_chart(" RANGE_OPTIONS
                              ", account => $5, step => $6::pg_catalog.interval)",
                              {RANGE_OPTION_TYPES, type::text, type::text},
                              4};

TrialBalanceLine trial_balance_line(const Result& result, int row) {
  return {result.text(row, 0),   result.text(row, 1),   result.text(row, 2),
          result.amount(row, 3), result.amount(row, 4), result.optional_text(row, 5),
          result.amount(row, 6), result.amount(row, 7)};
}

RollupLine rollup_line(const Result& result, int row) {
  return {result.integer(row, 0),
          result.text(row, 1),
          result.text(row, 2),
          result.text(row, 3),
          result.bigint(row, 4),
          result.optional_text(row, 5),
          result.optional_amount(row, 6),
          result.amount(row, 7)};
}

GroupBalance group_balance(const Result& result, int row) {
  return {result.optional_text(row, 0), result.text(row, 1), result.bigint(row, 2),
          result.optional_text(row, 3), result.amount(row, 4)};
}

FinancialLine financial_line(const Result& result, int row) {
  return {result.text(row, 0),          result.optional_text(row, 1), result.optional_text(row, 2),
          result.text(row, 3),          result.text(row, 4),          result.optional_text(row, 5),
          result.optional_text(row, 6), result.amount(row, 7)};
}

Movement movement(const Result& result, int row) {
  return {result.text(row, 0),   result.text(row, 1),         result.text(row, 2),
          result.amount(row, 3), result.amount(row, 4),       result.amount(row, 5),
          result.amount(row, 6), result.optional_text(row, 7)};
}

Comparison comparison(const Result& result, int row) {
  return {result.text(row, 0),
          result.text(row, 1),
          result.text(row, 2),
          result.amount(row, 3),
          result.amount(row, 4),
          result.amount(row, 5),
          result.optional_amount(row, 6),
          result.optional_text(row, 7)};
}

ChartPoint chart_point(const Result& result, int row) {
  return {result.timestamp(row, 0), result.amount(row, 1), result.amount(row, 2),
          result.amount(row, 3)};
}

}  // namespace

std::vector<TrialBalanceLine> Client::trial_balance(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  return rows_of(channel().run(trial_balance_sql, parameters, Repeat::yes), trial_balance_line);
}

std::vector<TrialBalanceLine> Client::trial_balance(const ReportOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  return rows_of(channel().run(trial_balance_at_sql, parameters, Repeat::yes), trial_balance_line);
}

std::vector<RollupLine> Client::rollup(const ReportOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  parameters.add_text(options.prefix);
  parameters.add_integer(options.depth);
  return rows_of(channel().run(rollup_sql, parameters, Repeat::yes), rollup_line);
}

std::vector<GroupBalance> Client::balances_by_type(const ReportOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  return rows_of(channel().run(balances_by_type_sql, parameters, Repeat::yes), group_balance);
}

std::vector<GroupBalance> Client::balances_by_metadata(std::string_view key,
                                                       const ReportOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  parameters.add_text(key);
  return rows_of(channel().run(balances_by_metadata_sql, parameters, Repeat::yes), group_balance);
}

std::vector<FinancialLine> Client::balance_sheet(const ReportOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  parameters.add_integer(options.depth);
  return rows_of(channel().run(balance_sheet_sql, parameters, Repeat::yes), financial_line);
}

std::vector<FinancialLine> Client::income_statement(const RangeOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  parameters.add_integer(options.depth);
  return rows_of(channel().run(income_statement_sql, parameters, Repeat::yes), financial_line);
}

std::vector<Movement> Client::movements(const RangeOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  parameters.add_text(options.prefix);
  return rows_of(channel().run(movements_sql, parameters, Repeat::yes), movement);
}

std::vector<Comparison> Client::compare(const TimeRange& first, const TimeRange& second,
                                        const CompareOptions& options) {
  Parameters parameters;
  parameters.add_timestamp(first.from);
  parameters.add_timestamp(first.to);
  parameters.add_timestamp(second.from);
  parameters.add_timestamp(second.to);
  parameters.add_text(options.prefix);
  parameters.add_text(name_of(options.by));
  parameters.add_text(options.ledger);
  return rows_of(channel().run(compare_sql, parameters, Repeat::yes), comparison);
}

std::vector<ChartPoint> Client::chart(std::string_view account, const ChartOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  parameters.add_text(account);
  parameters.add_text(std::string_view(options.step));
  return rows_of(channel().run(chart_sql, parameters, Repeat::yes), chart_point);
}

}  // namespace ledgerflow::client
