// Client: what the ledger reports about itself.
#include "calls.hpp"

namespace ledgerflow::client {

namespace {

constexpr Statement trial_balance_sql{
    "ledgerflow_trial_balance",
    "SELECT account, type, currency, debit, credit, name, debits_posted, credits_posted"
    " FROM {ext}.ledger_trial_balance(ledger => $1)",
    {type::name},
    8};

constexpr Statement verify_sql{
    "ledgerflow_verify",
    "SELECT check_name, object, expected, found FROM {ext}.ledger_verify(ledger => $1)",
    {type::name},
    4};

}  // namespace

std::vector<TrialBalanceLine> Client::trial_balance(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  const Result result = channel().run(trial_balance_sql, parameters, Repeat::yes);
  std::vector<TrialBalanceLine> lines;
  for (int row = 0; row < result.rows(); ++row)
    lines.push_back({result.text(row, 0), result.text(row, 1), result.text(row, 2),
                     result.amount(row, 3), result.amount(row, 4), result.optional_text(row, 5),
                     result.amount(row, 6), result.amount(row, 7)});
  return lines;
}

std::vector<Finding> Client::verify(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  const Result result = channel().run(verify_sql, parameters, Repeat::yes);
  std::vector<Finding> findings;
  for (int row = 0; row < result.rows(); ++row)
    findings.push_back({result.text(row, 0), result.optional_text(row, 1),
                        result.optional_text(row, 2), result.optional_text(row, 3)});
  return findings;
}

}  // namespace ledgerflow::client
