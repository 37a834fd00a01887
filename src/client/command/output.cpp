#include "output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "failure.hpp"
#include "text.hpp"

namespace ledgerflow::command {

namespace {

using client::Table;
using Columns = std::vector<Table::Column>;

const std::string standard_output = "standard output";

// OIDs of PostgreSQL's own types, which never change.
namespace type {
constexpr unsigned boolean = 16, bigint = 20, smallint = 21, integer = 23, json = 114, float8 = 701,
                   text_array = 1009, timestamp_tz = 1184, numeric = 1700, jsonb = 3802;
}

bool is_number(unsigned oid) {
  return oid == type::bigint || oid == type::smallint || oid == type::integer ||
         oid == type::float8 || oid == type::numeric;
}

void put(std::string_view bytes) { write_bytes(stdout, standard_output, bytes); }

// What people and spreadsheets read.
std::string plain(const std::optional<std::string>& value, unsigned oid) {
  if (!value) return {};
  if (oid == type::boolean) return *value == "t" ? "true" : "false";
  if (oid == type::text_array) return joined(array_elements(*value), ", ");
  return *value;
}

struct Style {
  const char* heading = "";
  const char* reset = "";
};

Style style() {
  static const Style none, terminal{"\033[1m", "\033[0m"};
  return is_decorated(stdout) ? terminal : none;
}

std::string spaces(std::size_t count) { return std::string(count, ' '); }

// A table with headings over a line; numbers to the right. Keeps all rows, to know its widths.
class TableOutput : public Output {
 public:
  void columns(const Columns& columns) override {
    for (const Table::Column& column : columns) {
      Shown heading;
      heading.text = printable(column.name, &heading.width);
      widths_.push_back(heading.width);
      is_right_.push_back(is_number(column.type));
      types_.push_back(column.type);
      headings_.push_back(std::move(heading));
    }
  }

  void row(const Table::Row& row) override {
    std::vector<Shown> shown(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      shown[i].text = printable(plain(row[i], types_[i]), &shown[i].width);
      widths_[i] = std::max(widths_[i], shown[i].width);
    }
    rows_.push_back(std::move(shown));
  }

  void end() override {
    if (!headings_.empty()) {
      const Style decoration = style();
      put(decoration.heading + line(headings_) + decoration.reset + "\n");
      std::string rule;
      for (std::size_t i = 0; i < widths_.size(); ++i)
        rule += (i == 0 ? "" : "  ") + std::string(widths_[i], '-');
      put(rule + "\n");
      for (const std::vector<Shown>& row : rows_) put(line(row) + "\n");
    }
    flush(stdout, standard_output);
  }

 private:
  struct Shown {
    std::string text;
    std::size_t width = 0;
  };

  std::string line(const std::vector<Shown>& cells) const {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string padding = spaces(widths_[i] - cells[i].width);
      out += i == 0 ? "" : "  ";
      out += is_right_[i] ? padding + cells[i].text : cells[i].text + padding;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
  }

  std::vector<Shown> headings_;
  std::vector<std::size_t> widths_;
  std::vector<bool> is_right_;
  std::vector<unsigned> types_;
  std::vector<std::vector<Shown>> rows_;
};

// One row, a line for each of its columns.
class RecordOutput : public Output {
 public:
  void columns(const Columns& columns) override {
    columns_ = columns;
    for (const Table::Column& column : columns)
      width_ = std::max(width_, printable(column.name).size());
  }

  void row(const Table::Row& row) override {
    const Style decoration = style();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string name = printable(columns_[i].name);
      std::string line = decoration.heading + name + decoration.reset +
                         spaces(width_ - name.size() + 2) +
                         printable(plain(row[i], columns_[i].type));
      line.erase(line.find_last_not_of(' ') + 1);
      put(line + "\n");
    }
  }

  void end() override { flush(stdout, standard_output); }

 private:
  Columns columns_;
  std::size_t width_ = 0;
};

// Nothing but the value, to be taken into a variable of the shell.
class ValueOutput : public Output {
 public:
  void columns(const Columns& columns) override { columns_ = columns; }
  void row(const Table::Row& row) override {
    put(printable(plain(row.front(), columns_.front().type)) + "\n");
  }
  void end() override { flush(stdout, standard_output); }

 private:
  Columns columns_;
};

// RFC 4180 with a heading; lines end as on Unix. NULL is nothing, an empty text is "".
class CsvOutput : public Output {
 public:
  void columns(const Columns& columns) override {
    columns_ = columns;
    std::string line;
    for (const Table::Column& column : columns)
      line += (line.empty() ? "" : ",") + quoted(column.name);
    put(line + "\n");
  }

  void row(const Table::Row& row) override {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += ',';
      if (row[i]) line += quoted(plain(row[i], columns_[i].type));
    }
    put(line + "\n");
  }

  void end() override { flush(stdout, standard_output); }

 private:
  static std::string quoted(const std::string& text) {
    if (!text.empty() && text.find_first_of("\",\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"') out += '"';
      out += c;
    }
    return out + '"';
  }

  Columns columns_;
};

// 2024-03-01T12:00:00+00:00, as JSON has times; infinity stays as it is.
std::string iso_time(std::string text) {
  if (text.size() < 22 || text[10] != ' ') return text;
  text[10] = 'T';
  const char sign = text[text.size() - 3];
  if (sign == '+' || sign == '-') text += ":00";
  return text;
}

// Amounts are strings: a JSON number would be read as binary floating point.
std::string json_value(const std::optional<std::string>& value, unsigned oid) {
  if (!value) return "null";
  switch (oid) {
    case type::boolean:
      return *value == "t" ? "true" : "false";
    case type::bigint:
    case type::smallint:
    case type::integer:
    case type::json:
    case type::jsonb:
      return *value;
    case type::float8:  // a measurement; NaN and the infinities have no number in JSON
      return value->find_first_of("Nn") == std::string::npos ? *value : json_string(*value);
    case type::timestamp_tz:
      return json_string(iso_time(*value));
    case type::text_array: {
      std::vector<std::string> elements = array_elements(*value);
      for (std::string& element : elements) element = json_string(element);
      return "[" + joined(elements, ", ") + "]";
    }
    default:
      return json_string(*value);
  }
}

class JsonOutput : public Output {
 public:
  explicit JsonOutput(Shape shape) : is_array_(shape == Shape::rows) {}

  void columns(const Columns& columns) override { columns_ = columns; }

  void row(const Table::Row& row) override {
    std::string object = is_array_ ? (count_ == 0 ? "[\n  {" : ",\n  {") : "{";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) object += ", ";
      object += json_string(columns_[i].name) + ": " + json_value(row[i], columns_[i].type);
    }
    put(object + "}");
    ++count_;
  }

  void end() override {
    if (is_array_)
      put(count_ == 0 ? "[]" : "\n]");
    else if (count_ == 0)
      put("{}");
    put("\n");
    flush(stdout, standard_output);
  }

 private:
  bool is_array_;
  Columns columns_;
  std::size_t count_ = 0;
};

}  // namespace

std::unique_ptr<Output> make_output(Format format, Shape shape) {
  if (format == Format::json) return std::make_unique<JsonOutput>(shape);
  if (format == Format::csv) return std::make_unique<CsvOutput>();
  if (shape == Shape::value) return std::make_unique<ValueOutput>();
  if (shape == Shape::row) return std::make_unique<RecordOutput>();
  return std::make_unique<TableOutput>();
}

void write(Output& output, const Table& table) {
  output.columns(table.columns);
  for (const Table::Row& row : table.rows) output.row(row);
  output.end();
}

bool is_decorated(std::FILE* file) {
  const char* const no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* const terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(fileno(file)) == 1;
}

void write_bytes(std::FILE* file, const std::string& name, std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size())
    throw FileError("write to", name);
}

void flush(std::FILE* file, const std::string& name) {
  if (std::fflush(file) != 0) throw FileError("write to", name);
}

}  // namespace ledgerflow::command
