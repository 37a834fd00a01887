// Writes a ledger as a journal that hledger, ledger or beancount reads, or as CSV, in lines that come out
// transaction by transaction. The readers of this project get everything back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/journal_file.hpp"
#include "core/ledger.hpp"

namespace ledgerflow::exchange {

// A member of a metadata object: a text, or JSON of another kind.
struct ExportField {
  std::string key;
  std::string value;
  bool is_text = false;
};

struct ExportCurrency {
  std::string code;
  int scale = 0;
  std::optional<std::string> name;
};

struct ExportAccount {
  std::string code;
  std::string type;
  std::string currency;
  int scale = 0;
  Side normal_side = Side::debit;
  std::optional<std::string> name;
  std::vector<ExportField> metadata;
  Units balance = 0;  // debits less credits
  // As the journal names it and its currency.
  std::string shown;
  std::string shown_currency;
};

struct ExportLine {
  const ExportAccount* account = nullptr;
  Units amount = 0;
};

struct ExportTransaction {
  std::string id;
  Date date;
  std::optional<std::string> effective_at;  // when it is not the start of the date
  std::optional<std::string> reference;
  std::optional<std::string> description;
  std::vector<ExportField> metadata;
  std::vector<ExportLine> lines;
};

struct ExportHead {
  std::string ledger;
  std::string time_zone;
  Date first;  // no transaction is earlier
  std::vector<ExportCurrency> currencies;
  std::vector<ExportAccount*> accounts;
};

using TextLines = std::vector<std::string>;

class JournalWriter {
 public:
  virtual ~JournalWriter() = default;
  // Names the accounts and declares them.
  virtual void begin(const ExportHead& head, TextLines& out) = 0;
  virtual void write(const ExportTransaction& transaction, TextLines& out) = 0;
  // States the accounts' balances at the end of the day `last`, if it is given, and ends the journal.
  virtual void end(const ExportHead& head, const std::optional<Date>& last, TextLines& out) = 0;
};

std::unique_ptr<JournalWriter> make_writer(Format format);
std::unique_ptr<JournalWriter> make_plain_writer(Format format);
std::unique_ptr<JournalWriter> make_beancount_writer();
std::unique_ptr<JournalWriter> make_csv_writer();

// The members as a JSON object.
std::string object_text(const std::vector<const ExportField*>& fields);

}  // namespace ledgerflow::exchange
