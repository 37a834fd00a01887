// Results for people, for spreadsheets and for programs.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <ledgerflow/table.hpp>

#include "settings.hpp"

namespace ledgerflow::command {

// What a command answers with. It decides how the answer looks: a value stands alone in a table and in
// an object in JSON; a row is a list of its columns, and one object; rows are a table, and an array.
enum class Shape : unsigned char { value, row, rows };

// Takes a result row by row. Columns come first; a result may have columns and no row.
class Output {
 public:
  virtual ~Output() = default;
  virtual void columns(const std::vector<client::Table::Column>& columns) = 0;
  virtual void row(const client::Table::Row& row) = 0;
  // Throws FileError when not everything could be written.
  virtual void end() = 0;
};

// An output in this format to standard output.
std::unique_ptr<Output> make_output(Format format, Shape shape);

// A whole table.
void write(Output& output, const client::Table& table);

// Whether to decorate what goes there: a terminal that knows how to, and nobody has set NO_COLOR.
bool is_decorated(std::FILE* file);

// Throws FileError when the bytes cannot be written.
void write_bytes(std::FILE* file, const std::string& name, std::string_view bytes);
void flush(std::FILE* file, const std::string& name);

}  // namespace ledgerflow::command
