// The SQL of the library's calls.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace ledgerflow::client {

enum class Call : unsigned char { post, post_lines, post_transfer, balance, available };

inline constexpr std::size_t call_count = 5;

struct Statement {
  const char* name;                // of the prepared statement
  const char* sql;                 // with {ext} for the extension's schema
  std::array<unsigned, 12> types;  // of the parameters, up to the first 0
};

const Statement& statement(Call call);

// How many parameters the statement has.
int parameter_count(const Statement& statement);

// The statement's SQL with the schema, already quoted, put in.
std::string sql_for_schema(const Statement& statement, std::string_view quoted_schema);

}  // namespace ledgerflow::client
