// Rows of any query, as text.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ledgerflow::client {

/// What a query returns: texts as PostgreSQL writes them, NULL as nothing.
struct Table {
  /// A column's name and type.
  struct Column {
    std::string name;   ///< as the query calls it
    unsigned type = 0;  ///< OID of its type in pg_type: 1700 is numeric
  };
  /// One row: a value for each column.
  using Row = std::vector<std::optional<std::string>>;

  std::vector<Column> columns;  ///< in the order of the query
  std::vector<Row> rows;        ///< in the order of the answer
};

/// A named argument of an SQL function, as text; nothing is NULL.
struct Argument {
  std::string name;                  ///< of the parameter
  std::optional<std::string> value;  ///< as PostgreSQL reads its type
};

}  // namespace ledgerflow::client
