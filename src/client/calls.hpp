// What the families of calls share: the parameters that many of them take.
#pragma once

#include "channel.hpp"
#include "ledgerflow/client.hpp"

namespace ledgerflow::client {

// The options of postings and holds come first among their parameters: $1 to $7, in this order.
#define LEDGERFLOW_POST_OPTIONS                                 \
  "idempotency_key => $1, reference => $2, description => $3, " \
  "effective_at => $4, metadata => $5::pg_catalog.jsonb, "      \
  "expected_version => $6, ledger => $7"
#define LEDGERFLOW_POST_OPTION_TYPES \
  type::text, type::text, type::text, type::timestamptz, type::text, type::bigint, type::name

// A ledger_line[] out of an array of accounts and one of amounts: empty when they are, NULL when they
// are NULL.
#define LEDGERFLOW_LINES(accounts, amounts)                                            \
  "CASE WHEN " accounts                                                                \
  " IS NOT NULL THEN (SELECT COALESCE("                                                \
  "pg_catalog.array_agg(ROW(account, amount)::{ext}.ledger_line ORDER BY line), '{}')" \
  " FROM ROWS FROM (pg_catalog.unnest(" accounts "), pg_catalog.unnest(" amounts       \
  ")) WITH ORDINALITY AS given(account, amount, line)) END"

// A key that the library made must live as long as the call: it is kept by the caller.
inline void add_post_options(Parameters& parameters, const std::optional<std::string>& key,
                             const PostOptions& options) {
  parameters.add_text(key);
  parameters.add_text(options.reference);
  parameters.add_text(options.description);
  parameters.add_timestamp(options.effective_at);
  parameters.add_text(options.metadata);
  parameters.add_bigint(options.expected_version);
  parameters.add_text(options.ledger);
}

// A posting of lines, for Client and Poster.
extern const Statement post_lines_sql;
void add_posting(Parameters& parameters, const std::vector<Line>& lines,
                 const std::optional<std::string>& key, const PostOptions& options);

// The rows of an answer, each made by `read(result, row)`.
template <typename Read>
auto rows_of(const Result& result, Read read) {
  std::vector<decltype(read(result, 0))> rows;
  rows.reserve(static_cast<std::size_t>(result.rows()));
  for (int row = 0; row < result.rows(); ++row) rows.push_back(read(result, row));
  return rows;
}

inline const char* name_of(By by) { return by == By::posted ? "posted" : "effective"; }

// A request without a key is not to be repeated when it may have been carried out.
inline Repeat repeat_under(const std::optional<std::string>& key) {
  return key ? Repeat::yes : Repeat::no;
}

}  // namespace ledgerflow::client
