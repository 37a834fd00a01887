// A ledger that is to be written as a journal, and what a journal says, as texts that can be compared.
#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/import_plan.hpp"
#include "core/journal_text.hpp"
#include "core/journal_writer.hpp"
#include "core/rules.hpp"
#include "fuzz.hpp"
#include "json.hpp"

namespace ledgerflow::fuzz {

using namespace exchange;

inline constexpr std::int64_t year_1 = -62135596800 * 1000000;
inline constexpr std::int64_t year_10000 = 253402300800 * 1000000;

struct Books {
  ExportHead head;
  std::vector<std::unique_ptr<ExportAccount>> accounts;
  std::vector<ExportTransaction> transactions;  // by date, as they are exported

  ExportAccount& add_account() {
    accounts.push_back(std::make_unique<ExportAccount>());
    head.accounts.push_back(accounts.back().get());
    return *accounts.back();
  }
};

inline std::vector<ExportField> fields_of(const std::string& object) {
  const auto members = Json::members(object);
  expect(members.has_value(), "metadata is an object", object);
  std::vector<ExportField> fields;
  for (const auto& [key, value] : *members) {
    const auto text = Json::string(value);
    fields.push_back({key, text.value_or(value), text.has_value()});
  }
  return fields;
}

inline std::string shown(const std::vector<ExportField>& fields) {
  std::set<std::string> members;
  for (const ExportField& field : fields)
    members.insert(field.key + " = " +
                   Json::canonical(field.is_text ? json_string(field.value) : field.value)
                       .value_or("no JSON: " + field.value));
  std::string text;
  for (const std::string& member : members) text += " [" + member + "]";
  return text;
}

inline std::string shown(const std::optional<std::string>& text) {
  return text ? "\"" + *text + "\"" : "none";
}

inline std::string shown_account(Format format, const std::string& code, const std::string& type,
                                 const std::string& currency, int scale,
                                 const std::optional<std::string>& title,
                                 const std::vector<ExportField>& metadata) {
  const std::string text =
      "account " + code + " " + type + " " + currency + " " + std::to_string(scale);
  return format == Format::csv ? text : text + " " + shown(title) + shown(metadata);
}

// CSV has the accounts that are used, and of them less.
inline std::string shown(const Books& books, Format format) {
  std::set<std::string> accounts;
  std::set<const ExportAccount*> used;
  std::string text;
  for (const ExportTransaction& transaction : books.transactions) {
    text += transaction.id + " " + date_text(transaction.date) + " " +
            transaction.effective_at.value_or("") + " " + shown(transaction.reference) + " " +
            shown(transaction.description) + shown(transaction.metadata) + "\n";
    for (const ExportLine& line : transaction.lines) {
      text +=
          "  " + line.account->code + " " + format_units(line.amount, line.account->scale) + "\n";
      used.insert(line.account);
    }
  }
  for (const auto& one : books.accounts)
    if (format != Format::csv || used.count(one.get()) != 0)
      accounts.insert(shown_account(format, one->code, one->type, one->currency, one->scale,
                                    one->name, one->metadata));
  for (const std::string& account : accounts) text += account + "\n";
  return text;
}

inline std::string shown(const Plan& plan, Format format) {
  std::set<std::string> accounts;
  std::string text;
  for (const PlannedTransaction& transaction : plan.transactions) {
    const FileTransaction& source = *transaction.source;
    text += source.id + " " + date_text(source.date) + " " +
            (source.effective_at ? format_time(*source.effective_at) : "") + " " +
            shown(source.reference) + " " + shown(source.description) +
            shown(fields_of(source.metadata.object())) + "\n";
    for (const PlannedLine& line : transaction.lines) {
      const PlannedAccount& account = plan.accounts[line.account];
      text += "  " + account.code + " " +
              format_units(line.amount, plan.currencies[account.currency].scale) + "\n";
    }
  }
  for (const PlannedAccount& one : plan.accounts) {
    const PlannedCurrency& currency = plan.currencies[one.currency];
    accounts.insert(
        shown_account(format, one.code, one.type, currency.code, currency.scale, one.title,
                      one.declared != nullptr ? fields_of(one.declared->metadata.object())
                                              : std::vector<ExportField>()));
  }
  for (const std::string& account : accounts) text += account + "\n";
  return text;
}

inline std::string written(const Books& books, Format format) {
  const auto writer = make_writer(format);
  TextLines lines;
  writer->begin(books.head, lines);
  for (const ExportTransaction& transaction : books.transactions) writer->write(transaction, lines);
  writer->end(books.head,
              books.transactions.empty() ? books.head.first : books.transactions.back().date,
              lines);
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// What is written in a format is read as what was written.
inline void round_trip(const Books& books, Format format) {
  const std::string journal = written(books, format);
  Known known;
  if (format == Format::csv)  // it does not declare them
    for (const ExportCurrency& currency : books.head.currencies)
      known.scales[currency.code] = currency.scale;
  try {
    File file = read_file(format, journal);
    const std::string found = shown(Planner(file, known).plan({}), format);
    const std::string expected = shown(books, format);
    if (found != expected)
      expect(false, "a journal comes back as it was written",
             journal + "\n--- was\n" + expected + "--- is\n" + found);
  } catch (const Error& error) {
    expect(false, "what is written is read", std::string(error.what()) + "\n" + journal);
  }
}

}  // namespace ledgerflow::fuzz
