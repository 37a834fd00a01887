// Client: export and import of journals.
#include "calls.hpp"

namespace ledgerflow::client {

namespace {

constexpr Statement import_sql{
    "ledgerflow_import",
    "SELECT transactions, replayed, entries, accounts_opened, currencies_added, balances_checked"
    " FROM {ext}.ledger_import(journal => $1, format => $2, key_prefix => $3, "
    "open_accounts => $4, add_currencies => $5, accounts => $6::pg_catalog.jsonb, "
    "commodities => $7::pg_catalog.jsonb, ledger => $8)",
    {type::text, type::text, type::text, type::boolean, type::boolean, type::text, type::text,
     type::name},
    6};

// The time since 1970 as an interval, exact and whatever the session's time zone.
std::optional<std::string> since_epoch(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  constexpr std::int64_t day = 86'400'000'000;
  const std::int64_t count = time->time_since_epoch().count();
  return std::to_string(count / day) + " days " + std::to_string(count % day) + " microseconds";
}

#define TIME_SINCE_EPOCH(interval)                            \
  "pg_catalog.timezone('UTC', 'epoch'::pg_catalog.timestamp " \
  "OPERATOR(pg_catalog.+) " interval "::pg_catalog.interval)"

}  // namespace

void Client::export_journal(const ExportOptions& options,
                            const std::function<void(const std::string&)>& on_line) {
  const std::string sql =
      "SELECT line FROM {ext}.ledger_export(format => $1, \"from\" => " TIME_SINCE_EPOCH(
          "$2") ", \"to\" => " TIME_SINCE_EPOCH("$3") ", ledger => $4) AS line";
  query(sql_for_schema(sql, channel().session()->quoted_schema()),
        {options.format, since_epoch(options.from), since_epoch(options.to), options.ledger},
        nullptr, [&](const Table::Row& row) { on_line(row.at(0).value_or("")); });
}

Imported Client::import_journal(std::string_view journal, const ImportOptions& options) {
  Parameters parameters;
  parameters.add_text(journal);
  parameters.add_text(std::string_view(options.format));
  parameters.add_text(options.key_prefix);
  parameters.add_boolean(options.open_accounts);
  parameters.add_boolean(options.add_currencies);
  parameters.add_text(options.accounts);
  parameters.add_text(options.commodities);
  parameters.add_text(options.ledger);
  const Result result =
      channel().run(import_sql, parameters, options.key_prefix ? Repeat::yes : Repeat::no);
  return {result.bigint(0, 0), result.bigint(0, 1), result.bigint(0, 2),
          result.bigint(0, 3), result.bigint(0, 4), result.bigint(0, 5)};
}

}  // namespace ledgerflow::client
