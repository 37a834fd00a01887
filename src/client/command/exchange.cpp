// import and export.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "command.hpp"
#include "failure.hpp"
#include "input.hpp"
#include "progress.hpp"

namespace ledgerflow::command {

namespace {

constexpr char group[] = "Exchange";

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdout) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string format_of(const std::string& file) {
  constexpr const char* endings[][2] = {{".beancount", "beancount"}, {".bean", "beancount"},
                                        {".journal", "hledger"},     {".hledger", "hledger"},
                                        {".ledger", "ledger"},       {".csv", "csv"}};
  for (const auto& [ending, format] : endings)
    if (ends_with(file, ending)) return format;
  throw UsageError("--format is needed: the name of the file does not tell");
}

int export_journal(Context& context) {
  const std::string name = context.command.value_or("output", "-");
  std::vector<NamedValue> more;
  if (!context.command.given("format"))
    more.push_back({"format", "text", name == "-" ? "hledger" : format_of(name)});
  Sql sql("SELECT ");
  context.call(sql, "ledger_export", std::move(more)).add(" AS line");
  // Beside the file, so that there is the whole of it in the end or what was there before.
  const std::string unfinished = name + ".part";
  const File file(name == "-" ? stdout : std::fopen(unfinished.c_str(), "wb"));
  if (file == nullptr) throw FileError("write", unfinished);
  try {
    Progress progress("exporting", context.settings.shows_progress && name != "-", "lines");
    std::uint64_t lines = 0;
    context.server.stream(
        sql, [](const std::vector<client::Table::Column>&) {},
        [&](const client::Table::Row& row) {
          write_bytes(file.get(), name, row.front().value_or("") + "\n");
          progress.set_done(++lines);
        });
    flush(file.get(), name);
    if (name != "-" &&
        (fsync(fileno(file.get())) != 0 || std::rename(unfinished.c_str(), name.c_str()) != 0))
      throw FileError("write", name);
  } catch (...) {
    if (name != "-") std::remove(unfinished.c_str());
    throw;
  }
  return exit_code::success;
}

int import_journal(Context& context) {
  const std::string name = context.command.value_or("file", "-");
  Input input(name);
  const std::string format =
      context.command.given("format") ? *context.command.value("format") : format_of(name);
  std::string journal;
  for (std::string_view piece = input.piece(); !piece.empty(); piece = input.piece())
    journal += piece;
  const Progress progress("importing", context.settings.shows_progress);
  std::vector<NamedValue> more{{"journal", "text", std::move(journal)}, {"format", "text", format}};
  const Command& given = context.command;
  if (given.given("keep_accounts")) more.push_back({"open_accounts", "bool", "false"});
  if (given.given("keep_currencies")) more.push_back({"add_currencies", "bool", "false"});
  Sql sql("SELECT * FROM ");
  context.call(sql, "ledger_import", std::move(more));
  context.change(Shape::row, sql, given.given("key_prefix") ? Repeat::safe : Repeat::unsafe);
  return exit_code::success;
}

}  // namespace

void add_exchange(Commands& commands) {
  commands.add(group, "export", "Write the journal for another program")
      .option("--format", "text", "FORMAT",
              "hledger, ledger, beancount or csv; default: what the file is called, or hledger")
      .among({"hledger", "ledger", "beancount", "csv"})
      .option("--from", "timestamptz", "TIME", "From this time on")
      .option("--to", "timestamptz", "TIME", "Before this time")
      .option("-o,--output", "own", "FILE",
              "Into this file, whole or not at all; default: standard output")
      .does(export_journal);
  commands.add(group, "import", "Post the transactions of a journal")
      .optional_operand("FILE", "own", "The journal; '-', the default, is standard input")
      .option("--format", "own", "FORMAT",
              "hledger, ledger, beancount or csv; default: what the file is called")
      .among({"hledger", "ledger", "beancount", "csv"})
      .option("--key-prefix", "text", "TEXT",
              "Name for this import: repeated under the same one nothing is posted twice")
      .option("--accounts", "jsonb", "JSON",
              "The journal's accounts by other codes: {\"old\": \"new\"}")
      .option("--commodities", "jsonb", "JSON", "The journal's commodities by other currency codes")
      .flag("--keep-accounts", "own", "Open no account: refuse what names one that is not there")
      .flag("--keep-currencies", "own", "Add no currency: refuse what names one that is not there")
      .says(
          "All of it is posted, or nothing; a refusal names the line. Prints how many "
          "transactions, "
          "entries, accounts and currencies came of it, and how many balances it found asserted.")
      .example("ledgerflow import books.beancount --key-prefix books-2024", "safe to repeat")
      .does(import_journal);
}

}  // namespace ledgerflow::command
