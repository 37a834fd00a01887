// Client: verification, repair, health and seals.
#include "calls.hpp"

namespace ledgerflow::client {

namespace {

constexpr Statement verify_sql{
    "ledgerflow_verify",
    "SELECT check_name, object, expected, found FROM {ext}.ledger_verify(ledger => $1)",
    {type::name},
    4};

constexpr Statement verify_incremental_sql{
    "ledgerflow_verify_incremental",
    "SELECT check_name, object, expected, found"
    " FROM {ext}.ledger_verify_incremental(from_start => $1, ledger => $2)",
    {type::boolean, type::name},
    4};

constexpr Statement rebuild_effective_sql{
    "ledgerflow_rebuild_effective",
    "SELECT check_name, object, expected, found FROM {ext}.ledger_rebuild_effective(ledger => $1)",
    {type::name},
    4};

constexpr Statement rebuild_balances_sql{
    "ledgerflow_rebuild_balances",
    "SELECT account_code, item, was, now"
    " FROM {ext}.ledger_rebuild_balances(account => $1, balance_after => $2, ledger => $3)",
    {type::text, type::boolean, type::name},
    4};

constexpr Statement maintain_sql{
    "ledgerflow_maintain",
    "SELECT keys_deleted, holds_expired FROM {ext}.ledger_maintain(ledger => $1)",
    {type::name},
    2};

constexpr Statement health_sql{
    "ledgerflow_health",
    "SELECT ledger_name::pg_catalog.text, checked_at, format_version, store, store_obstacle, "
    "accounts_estimate, transactions_estimate, entries_estimate, last_posted_at, closed_through, "
    "last_verified_at, last_verification_mode, last_verification_findings, "
    "last_full_verified_at, unverified_transactions, holds_expired, oldest_hold_expired_at, "
    "keys_to_expire_estimate, keys_estimate, guards_disabled, oldest_transaction_started_at, "
    "horizon_lag FROM {ext}.ledger_health(ledger => $1)",
    {type::name},
    22};

constexpr Statement seal_sql{"ledgerflow_seal",
                             "SELECT seal, root, transactions, entries, sealed_at, is_new"
                             " FROM {ext}.ledger_seal(ledger => $1)",
                             {type::name},
                             6};

constexpr Statement verify_seal_sql{
    "ledgerflow_verify_seal",
    "SELECT seal, object, expected, found FROM {ext}.ledger_verify_seal(from_seal => $1, "
    "to_seal => $2, known_root => $3, ledger => $4)",
    {type::bigint, type::bigint, type::text, type::name},
    4};

constexpr Statement prove_sql{
    "ledgerflow_prove",
    "SELECT {ext}.ledger_prove(transaction => $1, seal => $2, ledger => $3)",
    {type::uuid, type::bigint, type::name}};

constexpr Statement errors_sql{
    "ledgerflow_errors",
    "SELECT sqlstate, condition_name, meaning, hint FROM {ext}.ledger_errors()",
    {},
    4};

Finding finding(const Result& result, int row) {
  return {result.text(row, 0), result.optional_text(row, 1), result.optional_text(row, 2),
          result.optional_text(row, 3)};
}

RebuiltValue rebuilt_value(const Result& result, int row) {
  return {result.text(row, 0), result.text(row, 1), result.optional_text(row, 2),
          result.optional_text(row, 3)};
}

SealFinding seal_finding(const Result& result, int row) {
  return {result.optional_bigint(row, 0), result.text(row, 1), result.optional_text(row, 2),
          result.optional_text(row, 3)};
}

ErrorDescription error_description(const Result& result, int row) {
  return {result.text(row, 0), result.text(row, 1), result.text(row, 2),
          result.optional_text(row, 3)};
}

}  // namespace

std::vector<Finding> Client::verify(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  return rows_of(channel().run(verify_sql, parameters, Repeat::yes), finding);
}

std::vector<Finding> Client::verify_incremental(bool from_start,
                                                std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_boolean(from_start);
  parameters.add_text(ledger);
  return rows_of(channel().run(verify_incremental_sql, parameters, Repeat::yes), finding);
}

std::vector<Finding> Client::rebuild_effective(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  return rows_of(channel().run(rebuild_effective_sql, parameters, Repeat::no), finding);
}

std::vector<RebuiltValue> Client::rebuild_balances(std::optional<std::string_view> account,
                                                   bool balance_after,
                                                   std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(account);
  parameters.add_boolean(balance_after);
  parameters.add_text(ledger);
  return rows_of(channel().run(rebuild_balances_sql, parameters, Repeat::no), rebuilt_value);
}

Maintenance Client::maintain(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  const Result result = channel().run(maintain_sql, parameters, Repeat::no);
  return {result.bigint(0, 0), result.bigint(0, 1)};
}

Health Client::health(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  const Result result = channel().run(health_sql, parameters, Repeat::yes);
  Health health;
  health.ledger = result.text(0, 0);
  health.checked_at = result.timestamp(0, 1);
  health.format_version = result.integer(0, 2);
  health.store = result.text(0, 3);
  health.store_obstacle = result.optional_text(0, 4);
  health.accounts_estimate = result.optional_bigint(0, 5);
  health.transactions_estimate = result.optional_bigint(0, 6);
  health.entries_estimate = result.optional_bigint(0, 7);
  health.last_posted_at = result.optional_timestamp(0, 8);
  health.closed_through = result.optional_timestamp(0, 9);
  health.last_verified_at = result.optional_timestamp(0, 10);
  health.last_verification_mode = result.optional_text(0, 11);
  health.last_verification_findings = result.optional_bigint(0, 12);
  health.last_full_verified_at = result.optional_timestamp(0, 13);
  health.unverified_transactions = result.optional_bigint(0, 14);
  health.holds_expired = result.optional_bigint(0, 15);
  health.oldest_hold_expired_at = result.optional_timestamp(0, 16);
  health.keys_to_expire_estimate = result.optional_bigint(0, 17);
  health.keys_estimate = result.optional_bigint(0, 18);
  health.guards_disabled = result.optional_bigint(0, 19);
  health.oldest_transaction_started_at = result.optional_timestamp(0, 20);
  health.horizon_lag = result.optional_bigint(0, 21);
  return health;
}

Seal Client::seal(std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(ledger);
  // Again it finds nothing new, and returns the seal of the first time.
  const Result result = channel().run(seal_sql, parameters, Repeat::yes);
  return {result.bigint(0, 0), result.text(0, 1),      result.bigint(0, 2),
          result.bigint(0, 3), result.timestamp(0, 4), result.boolean(0, 5)};
}

std::vector<SealFinding> Client::verify_seal(const SealCheckOptions& options) {
  Parameters parameters;
  parameters.add_bigint(options.from_seal);
  parameters.add_bigint(options.to_seal);
  parameters.add_text(options.known_root);
  parameters.add_text(options.ledger);
  return rows_of(channel().run(verify_seal_sql, parameters, Repeat::yes), seal_finding);
}

std::string Client::prove(const TransactionId& transaction, std::optional<std::int64_t> seal,
                          std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_id(transaction);
  parameters.add_bigint(seal);
  parameters.add_text(ledger);
  return channel().run(prove_sql, parameters, Repeat::yes).text(0, 0);
}

std::vector<ErrorDescription> Client::errors() {
  return rows_of(channel().run(errors_sql, Parameters(), Repeat::yes), error_description);
}

}  // namespace ledgerflow::client
