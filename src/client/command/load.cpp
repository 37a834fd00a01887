// load: postings of two lines in bulk, by COPY.
#include <algorithm>
#include <utility>
#include <vector>

#include "command.hpp"
#include "failure.hpp"
#include "input.hpp"
#include "progress.hpp"

namespace ledgerflow::command {

namespace {

constexpr std::size_t longest_heading = 4096;

const std::vector<std::string>& columns_of_postings() {
  static const std::vector<std::string> columns{"debit",           "credit",    "amount",
                                                "idempotency_key", "reference", "description",
                                                "effective_at",    "metadata"};
  return columns;
}

// The headings of a CSV file; they may stand in quotes, and the file may begin with a byte order mark.
std::vector<std::string> headings(std::string line) {
  if (line.compare(0, 3, "\xef\xbb\xbf") == 0) line.erase(0, 3);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
  std::vector<std::string> found(1);
  for (const char c : line) {
    if (c == ',')
      found.emplace_back();
    else if (c != '"')
      found.back() += c;
  }
  for (const std::string& heading : found) {
    const auto& known = columns_of_postings();
    if (std::find(known.begin(), known.end(), heading) == known.end())
      throw UsageError("a file of postings has no column '" + heading + "'");
    if (std::count(found.begin(), found.end(), heading) > 1)
      throw UsageError("the column '" + heading + "' is there twice");
  }
  for (const char* const needed : {"debit", "credit", "amount"})
    if (std::find(found.begin(), found.end(), needed) == found.end())
      throw UsageError(std::string("the column '") + needed + "' is missing in the first line");
  return found;
}

// Takes the first line off the input; the rest of what was read stays.
std::string first_line(Input& input, std::string& rest) {
  std::size_t end = std::string::npos;
  while (end == std::string::npos && rest.size() < longest_heading) {
    const std::string_view piece = input.piece();
    if (piece.empty()) break;
    rest += piece;
    end = rest.find('\n');
  }
  if (rest.empty()) throw UsageError(input.name() + " is empty");
  if (end == std::string::npos) end = rest.size() - 1;
  const std::string line = rest.substr(0, end + 1);
  rest.erase(0, end + 1);
  return line;
}

int load(Context& context) {
  Input input(context.command.value_or("file", "-"));
  std::string rest, first_piece, columns;
  for (const std::string& heading : headings(first_line(input, rest)))
    columns += (columns.empty() ? "\"" : ", \"") + heading + "\"";
  const std::string copy =
      "COPY " + context.server.ledger() + "postings (" + columns + ") FROM STDIN (FORMAT csv)";
  Progress progress("loading", context.settings.shows_progress, "bytes");
  progress.set_total(input.size());
  const std::uint64_t rows = context.server.copy_in(copy, [&]() -> std::string_view {
    progress.set_done(input.bytes_read());
    if (rest.empty()) return input.piece();
    first_piece = std::exchange(rest, {});
    return first_piece;
  });
  client::Table answer;
  answer.columns.push_back({"postings", 20});
  answer.rows.push_back({std::to_string(rows)});
  write(*make_output(context.settings.format, Shape::value), answer);
  return exit_code::success;
}

}  // namespace

void add_load(Commands& commands) {
  commands.add("Exchange", "load", "Post transactions of two lines in bulk, from CSV")
      .optional_operand("FILE", "own", "The file; '-', the default, is standard input")
      .says(
          "The first line names the columns: debit, credit and amount, and if need be "
          "idempotency_key, reference, description, effective_at and metadata. All rows are "
          "posted, or none; the refusal names the row. Rows under keys that were used before are "
          "not posted again, so that a load that broke off is simply repeated. Prints the number "
          "of rows.")
      .example("ledgerflow load payments.csv", "with a progress bar")
      .does(load);
}

}  // namespace ledgerflow::command
