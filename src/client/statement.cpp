#include "statement.hpp"

namespace ledgerflow::client {

int parameter_count(const Statement& statement) {
  int count = 0;
  for (const unsigned type : statement.types) {
    if (type == 0) break;
    ++count;
  }
  return count;
}

std::string sql_for_schema(std::string_view text, std::string_view quoted_schema) {
  constexpr std::string_view placeholder = "{ext}";
  std::string sql(text);
  for (std::size_t at = sql.find(placeholder); at != std::string::npos;
       at = sql.find(placeholder, at + quoted_schema.size()))
    sql.replace(at, placeholder.size(), quoted_schema);
  return sql;
}

}  // namespace ledgerflow::client
