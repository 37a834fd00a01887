#include "statements.hpp"

#include "types.hpp"

namespace ledgerflow::client {

namespace {

// The PostOptions, which come first in every posting: in the order in which client.cpp sends them.
#define POST_OPTIONS                                            \
  "idempotency_key => $1, reference => $2, description => $3, " \
  "effective_at => $4, metadata => $5::pg_catalog.jsonb, "      \
  "expected_version => $6, ledger => $7"
#define POST_OPTION_TYPES \
  type::text, type::text, type::text, type::timestamptz, type::text, type::bigint, type::name

// In the order of Call.
constexpr Statement statements[call_count] = {
    {"ledgerflow_post",
     "SELECT {ext}.ledger_post(debit => $8, credit => $9, amount => $10, " POST_OPTIONS ")",
     {POST_OPTION_TYPES, type::text, type::text, type::numeric}},
    {"ledgerflow_post_lines",
     "SELECT {ext}.ledger_post(lines => (SELECT COALESCE("
     "pg_catalog.array_agg(ROW(account, amount)::{ext}.ledger_line ORDER BY line), '{}')"
     " FROM ROWS FROM (pg_catalog.unnest($8), pg_catalog.unnest($9)) WITH ORDINALITY"
     " AS given(account, amount, line)), " POST_OPTIONS ")",
     {POST_OPTION_TYPES, type::text_array, type::numeric_array}},
    {"ledgerflow_post_transfer",
     "SELECT {ext}.post_transfer(source => $8, destination => $9, amount => $10, " POST_OPTIONS ")",
     {POST_OPTION_TYPES, type::text, type::text, type::numeric}},
    {"ledgerflow_balance",
     "SELECT {ext}.ledger_balance(account => $1, ledger => $2)",
     {type::text, type::name}},
    {"ledgerflow_available",
     "SELECT {ext}.ledger_available(account => $1, ledger => $2)",
     {type::text, type::name}},
};

#undef POST_OPTIONS
#undef POST_OPTION_TYPES

}  // namespace

const Statement& statement(Call call) { return statements[static_cast<std::size_t>(call)]; }

int parameter_count(const Statement& statement) {
  int count = 0;
  for (const unsigned type : statement.types) {
    if (type == 0) break;
    ++count;
  }
  return count;
}

std::string sql_for_schema(const Statement& statement, std::string_view quoted_schema) {
  constexpr std::string_view placeholder = "{ext}";
  std::string sql = statement.sql;
  for (std::size_t at = sql.find(placeholder); at != std::string::npos;
       at = sql.find(placeholder, at + quoted_schema.size()))
    sql.replace(at, placeholder.size(), quoted_schema);
  return sql;
}

}  // namespace ledgerflow::client
