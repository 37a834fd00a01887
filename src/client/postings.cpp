// Client: postings and reversals.
#include "calls.hpp"

namespace ledgerflow::client {

namespace {

constexpr Statement post_sql{
    "ledgerflow_post",
    "SELECT {ext}.ledger_post(debit => $8, credit => $9, amount => $10, " LEDGERFLOW_POST_OPTIONS
    ")",
    {LEDGERFLOW_POST_OPTION_TYPES, type::text, type::text, type::numeric}};

constexpr Statement post_transfer_sql{
    "ledgerflow_post_transfer",
    "SELECT {ext}.post_transfer(source => $8, destination => $9, amount => "
    "$10, " LEDGERFLOW_POST_OPTIONS ")",
    {LEDGERFLOW_POST_OPTION_TYPES, type::text, type::text, type::numeric}};

constexpr Statement reverse_sql{
    "ledgerflow_reverse",
    "SELECT {ext}.ledger_reverse(transaction => $1, reason => $2, amount => $3, "
    "idempotency_key => $4, lines => " LEDGERFLOW_LINES("$5", "$6")
    ", reference => $7, effective_at => $8, metadata => $9::pg_catalog.jsonb, force => $10, "
    "ledger => $11)",
    {type::uuid, type::text, type::numeric, type::text, type::text_array, type::numeric_array,
     type::text, type::timestamptz, type::text, type::boolean, type::name}};

constexpr Statement new_id_sql{"ledgerflow_new_id", "SELECT {ext}.ledger_new_id()", {}};

TransactionId post_pair(Channel& channel, const Statement& statement, std::string_view debit,
                        std::string_view credit, const Amount& amount, const PostOptions& options) {
  const auto key = channel.key_for(options.idempotency_key);
  Parameters parameters;
  add_post_options(parameters, key, options);
  parameters.add_text(debit);
  parameters.add_text(credit);
  parameters.add_numeric(amount);
  return channel.run(statement, parameters, repeat_under(key)).id(0, 0);
}

}  // namespace

const Statement post_lines_sql{
    "ledgerflow_post_lines",
    "SELECT {ext}.ledger_post(lines => " LEDGERFLOW_LINES("$8", "$9") ", " LEDGERFLOW_POST_OPTIONS
                                                                      ")",
    {LEDGERFLOW_POST_OPTION_TYPES, type::text_array, type::numeric_array}};

void add_posting(Parameters& parameters, const std::vector<Line>& lines,
                 const std::optional<std::string>& key, const PostOptions& options) {
  add_post_options(parameters, key, options);
  parameters.add_lines(lines);
}

TransactionId Client::post(std::string_view debit, std::string_view credit, const Amount& amount,
                           const PostOptions& options) {
  return post_pair(channel(), post_sql, debit, credit, amount, options);
}

TransactionId Client::post_transfer(std::string_view source, std::string_view destination,
                                    const Amount& amount, const PostOptions& options) {
  return post_pair(channel(), post_transfer_sql, source, destination, amount, options);
}

TransactionId Client::post(const std::vector<Line>& lines, const PostOptions& options) {
  const auto key = channel().key_for(options.idempotency_key);
  Parameters parameters;
  add_posting(parameters, lines, key, options);
  return channel().run(post_lines_sql, parameters, repeat_under(key)).id(0, 0);
}

TransactionId Client::reverse(const TransactionId& transaction, const ReverseOptions& options) {
  const auto key = channel().key_for(options.idempotency_key);
  Parameters parameters;
  parameters.add_id(transaction);
  parameters.add_text(options.reason);
  parameters.add_numeric(options.amount);
  parameters.add_text(key);
  parameters.add_optional_lines(options.lines);
  parameters.add_text(options.reference);
  parameters.add_timestamp(options.effective_at);
  parameters.add_text(options.metadata);
  parameters.add_boolean(options.force);
  parameters.add_text(options.ledger);
  return channel().run(reverse_sql, parameters, repeat_under(key)).id(0, 0);
}

TransactionId Client::new_id() {
  return channel().run(new_id_sql, Parameters(), Repeat::yes).id(0, 0);
}

}  // namespace ledgerflow::client
