// Client: ledgers, periods and conversions.
#include "calls.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

namespace {

constexpr Statement create_sql{
    "ledgerflow_create", "SELECT {ext}.ledger_create(ledger => $1)", {type::name}};

constexpr Statement upgrade_sql{
    "ledgerflow_upgrade", "SELECT {ext}.ledger_upgrade(ledger => $1)", {type::name}};

constexpr Statement grant_sql{"ledgerflow_grant",
                              "SELECT {ext}.ledger_grant(role => $1, level => $2, ledger => $3)",
                              {type::name, type::text, type::name}};

constexpr Statement revoke_sql{"ledgerflow_revoke",
                               "SELECT {ext}.ledger_revoke(role => $1, ledger => $2)",
                               {type::name, type::name}};

constexpr Statement close_period_sql{
    "ledgerflow_close_period",
    "SELECT {ext}.ledger_close_period(through => $1, reason => $2, ledger => $3)",
    {type::timestamptz, type::text, type::name}};

constexpr Statement reopen_period_sql{
    "ledgerflow_reopen_period",
    "SELECT {ext}.ledger_reopen_period(through => $1, reason => $2, ledger => $3)",
    {type::timestamptz, type::text, type::name}};

constexpr Statement to_minor_sql{
    "ledgerflow_to_minor",
    "SELECT {ext}.ledger_to_minor(amount => $1, currency => $2, ledger => $3)",
    {type::numeric, type::text, type::name}};

constexpr Statement from_minor_sql{
    "ledgerflow_from_minor",
    "SELECT {ext}.ledger_from_minor(units => $1, currency => $2, ledger => $3)",
    {type::numeric, type::text, type::name}};

// `ledger` is what the extension takes when the session has not set it.
constexpr Statement ledger_name_sql{
    "ledgerflow_ledger_name",
    "SELECT COALESCE(pg_catalog.current_setting('ledgerflow.ledger', true), 'ledger')",
    {}};

}  // namespace

std::string Client::create_ledger(std::string_view name) {
  Parameters parameters;
  parameters.add_text(name);
  return channel().run(create_sql, parameters, Repeat::no).text(0, 0);
}

int Client::upgrade_ledger(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  return channel().run(upgrade_sql, parameters, Repeat::yes).integer(0, 0);
}

void Client::grant(std::string_view role, std::string_view level,
                   std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(role);
  parameters.add_text(level);
  parameters.add_text(ledger);
  channel().run(grant_sql, parameters, Repeat::yes);
}

void Client::revoke(std::string_view role, std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(role);
  parameters.add_text(ledger);
  channel().run(revoke_sql, parameters, Repeat::yes);
}

void Client::close_period(Timestamp through, const ChangeOptions& options) {
  Parameters parameters;
  parameters.add_timestamp(through);
  parameters.add_text(options.reason);
  parameters.add_text(options.ledger);
  channel().run(close_period_sql, parameters, Repeat::no);
}

void Client::reopen_period(std::optional<Timestamp> through, const ChangeOptions& options) {
  Parameters parameters;
  parameters.add_timestamp(through);
  parameters.add_text(options.reason);
  parameters.add_text(options.ledger);
  channel().run(reopen_period_sql, parameters, Repeat::no);
}

Units Client::to_minor(const Amount& amount, std::string_view currency,
                       std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_numeric(amount);
  parameters.add_text(currency);
  parameters.add_text(ledger);
  return channel().run(to_minor_sql, parameters, Repeat::yes).whole_number(0, 0);
}

Amount Client::from_minor(Units units, std::string_view currency,
                          std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_numeric(Amount::from_minor_units(units, 0));
  parameters.add_text(currency);
  parameters.add_text(ledger);
  return channel().run(from_minor_sql, parameters, Repeat::yes).amount(0, 0);
}

std::string Client::ledger_name(std::optional<std::string_view> ledger) {
  if (ledger) return std::string(*ledger);
  return channel().run(ledger_name_sql, Parameters(), Repeat::yes).text(0, 0);
}

}  // namespace ledgerflow::client
