// Client: holds.
#include "calls.hpp"

namespace ledgerflow::client {

namespace {

constexpr Statement hold_sql{
    "ledgerflow_hold",
    "SELECT {ext}.ledger_hold(debit => $10, credit => $11, amount => $12, " LEDGERFLOW_POST_OPTIONS
    ", expires_in => $8, expires_at => $9)",
    {LEDGERFLOW_POST_OPTION_TYPES, type::interval, type::timestamptz, type::text, type::text,
     type::numeric}};

constexpr Statement hold_lines_sql{"ledgerflow_hold_lines",
                                   "SELECT {ext}.ledger_hold(lines => " LEDGERFLOW_LINES(
                                       "$10", "$11") ", " LEDGERFLOW_POST_OPTIONS
                                                     ", expires_in => $8, expires_at => $9)",
                                   {LEDGERFLOW_POST_OPTION_TYPES, type::interval, type::timestamptz,
                                    type::text_array, type::numeric_array}};

constexpr Statement capture_sql{
    "ledgerflow_capture",
    "SELECT {ext}.ledger_capture(hold => $1, amount => $2, final => $3, idempotency_key => $4, "
    "lines => " LEDGERFLOW_LINES("$5", "$6")
    ", reference => $7, description => $8, effective_at => $9, "
    "metadata => $10::pg_catalog.jsonb, ledger => $11)",
    {type::uuid, type::numeric, type::boolean, type::text, type::text_array, type::numeric_array,
     type::text, type::text, type::timestamptz, type::text, type::name}};

constexpr Statement raise_hold_sql{
    "ledgerflow_raise_hold",
    "SELECT {ext}.ledger_raise_hold(hold => $1, amount => $2, lines => " LEDGERFLOW_LINES(
        "$3", "$4") ", idempotency_key => $5, ledger => $6)",
    {type::uuid, type::numeric, type::text_array, type::numeric_array, type::text, type::name}};

constexpr Statement release_sql{
    "ledgerflow_release",
    "SELECT {ext}.ledger_release(hold => $1, reason => $2, idempotency_key => $3, ledger => $4)",
    {type::uuid, type::text, type::text, type::name}};

void add_hold_options(Parameters& parameters, const std::optional<std::string>& key,
                      const HoldOptions& options) {
  add_post_options(parameters, key, options);
  parameters.add_interval(options.expires_in);
  parameters.add_timestamp(options.expires_at);
}

void raise(Channel& channel, const TransactionId& hold, const std::optional<Amount>& amount,
           const std::vector<Line>* lines, const HoldChangeOptions& options) {
  const auto key = channel.key_for(options.idempotency_key);
  Parameters parameters;
  parameters.add_id(hold);
  parameters.add_numeric(amount);
  if (lines != nullptr)
    parameters.add_lines(*lines);
  else
    parameters.add_optional_lines({});
  parameters.add_text(key);
  parameters.add_text(options.ledger);
  channel.run(raise_hold_sql, parameters, repeat_under(key));
}

}  // namespace

TransactionId Client::hold(std::string_view debit, std::string_view credit, const Amount& amount,
                           const HoldOptions& options) {
  const auto key = channel().key_for(options.idempotency_key);
  Parameters parameters;
  add_hold_options(parameters, key, options);
  parameters.add_text(debit);
  parameters.add_text(credit);
  parameters.add_numeric(amount);
  return channel().run(hold_sql, parameters, repeat_under(key)).id(0, 0);
}

TransactionId Client::hold(const std::vector<Line>& lines, const HoldOptions& options) {
  const auto key = channel().key_for(options.idempotency_key);
  Parameters parameters;
  add_hold_options(parameters, key, options);
  parameters.add_lines(lines);
  return channel().run(hold_lines_sql, parameters, repeat_under(key)).id(0, 0);
}

TransactionId Client::capture(const TransactionId& hold, const CaptureOptions& options) {
  const auto key = channel().key_for(options.idempotency_key);
  Parameters parameters;
  parameters.add_id(hold);
  parameters.add_numeric(options.amount);
  parameters.add_boolean(options.final);
  parameters.add_text(key);
  parameters.add_optional_lines(options.lines);
  parameters.add_text(options.reference);
  parameters.add_text(options.description);
  parameters.add_timestamp(options.effective_at);
  parameters.add_text(options.metadata);
  parameters.add_text(options.ledger);
  return channel().run(capture_sql, parameters, repeat_under(key)).id(0, 0);
}

void Client::raise_hold(const TransactionId& hold, const Amount& amount,
                        const HoldChangeOptions& options) {
  raise(channel(), hold, amount, nullptr, options);
}

void Client::raise_hold(const TransactionId& hold, const std::vector<Line>& lines,
                        const HoldChangeOptions& options) {
  raise(channel(), hold, std::nullopt, &lines, options);
}

void Client::release(const TransactionId& hold, const HoldChangeOptions& options) {
  const auto key = channel().key_for(options.idempotency_key);
  Parameters parameters;
  parameters.add_id(hold);
  parameters.add_text(options.reason);
  parameters.add_text(key);
  parameters.add_text(options.ledger);
  channel().run(release_sql, parameters, repeat_under(key));
}

}  // namespace ledgerflow::client
