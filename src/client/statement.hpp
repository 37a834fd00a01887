// The SQL of one call. Each family of calls keeps its statements in its own file, as constants; a
// session knows what it has prepared by their addresses.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "types.hpp"

namespace ledgerflow::client {

struct Statement {
  const char* name;                // of the prepared statement; one to a statement
  const char* sql;                 // with {ext} for the extension's schema
  std::array<unsigned, 16> types;  // of the parameters, up to the first 0
  int columns = 1;                 // of the answer
};

// How many parameters the statement has.
int parameter_count(const Statement& statement);

// SQL with the schema, already quoted, put in for {ext}.
std::string sql_for_schema(std::string_view sql, std::string_view quoted_schema);

}  // namespace ledgerflow::client
