// A journal as a file: what the readers of hledger, ledger, beancount and CSV find in one, before anything
// of a ledger is known. Names of accounts and commodities are the file's own, each kept once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/amount.hpp"

namespace ledgerflow::exchange {

enum class Format : unsigned char { hledger, ledger, beancount, csv };

std::optional<Format> format_from_string(std::string_view text);

// The first line of a journal that was exported says so: in such a file some tags are fields of ours, while
// in anybody else's they are only tags.
inline constexpr std::string_view file_mark = "; ledgerflow journal";
// Its last line, so that a file that was cut short is known.
inline constexpr std::string_view end_mark = "; end of ledgerflow journal";

struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
};
inline bool operator<(const Date& a, const Date& b) {
  return a.year != b.year     ? a.year < b.year
         : a.month != b.month ? a.month < b.month
                              : a.day < b.day;
}

// A number as it is written: 1.50 is 150 with 2 decimals.
struct Decimal {
  Units units = 0;
  int decimals = 0;
};

using Index = std::uint32_t;

// Strings by number, in the order in which they came.
class Names {
 public:
  Index index(std::string_view name);
  std::optional<Index> find(std::string_view name) const;
  const std::string& operator[](Index index) const { return *names_[index]; }
  std::size_t size() const { return names_.size(); }

 private:
  std::unordered_map<std::string, Index> indexes_;
  std::vector<const std::string*> names_;
};

struct Amount {
  Decimal number;
  Index commodity = 0;
};

// What a posting's amount is worth in another commodity: a price or a cost, for each unit or in all.
struct Price {
  Amount amount;
  bool total = false;
};

// The balance that the file says an account has.
struct Assertion {
  std::size_t line = 0;
  Index account = 0;
  Amount amount;
  bool with_subaccounts = false;
  Decimal tolerance = {};
};

struct FilePosting {
  std::size_t line = 0;
  Index account = 0;
  std::optional<Amount> amount;  // none: what is left of the transaction
  std::optional<Price> price;
  std::optional<Assertion> assertion;  // right after the posting
};

// Members of a JSON object, as text without its braces.
class Members {
 public:
  void add_text(std::string_view key, std::string_view value);
  void add_json(std::string_view key, std::string_view json);
  // The members of an object.
  void merge(std::string_view object);
  bool empty() const { return text_.empty(); }
  std::string object() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

struct FileTransaction {
  std::size_t line = 0;
  Date date;
  std::optional<std::int64_t> effective_at;  // exact, in microseconds since 1970
  std::string id;                            // in the ledger that exported it
  std::optional<std::string> reference;
  std::optional<std::string> description;
  Members metadata;
  std::vector<FilePosting> postings;
};

struct FileAccount {
  std::size_t line = 0;
  Index name = 0;
  std::string code;  // empty: the name
  std::string type;  // empty: told by the first segment of the name
  std::vector<std::string> currencies;
  std::optional<std::string> title;
  Members metadata;
};

struct FileCommodity {
  std::size_t line = 0;
  Index name = 0;
  std::string code;  // empty: the name
  int decimals = 0;
  std::optional<std::string> title;
};

// A balance at the start of a day, of its own.
struct DayAssertion {
  Date date;
  Assertion assertion;
};

struct File {
  Format format = Format::hledger;
  bool exported = false;  // by us
  std::size_t lines = 0;
  Names accounts;
  Names commodities;
  std::vector<FileAccount> declared;
  std::vector<FileCommodity> declared_commodities;
  std::vector<FileTransaction> transactions;
  std::vector<DayAssertion> assertions;
  std::string default_currency;  // of declared accounts that name none and are not used
  // The first segments of beancount's account names, which a file may rename: assets, liabilities, equity,
  // income, expenses.
  std::string roots[5] = {"Assets", "Liabilities", "Equity", "Income", "Expenses"};
};

// Reads a whole file; throws Error, condition invalid_journal, with the line and what stands there.
File read_file(Format format, std::string_view text);

// One for each format.
void read_plain_text(std::string_view text, File& file);  // hledger and ledger
void read_beancount(std::string_view text, File& file);
void read_csv(std::string_view text, File& file);

}  // namespace ledgerflow::exchange
