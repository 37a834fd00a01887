// Random ledgers, written and read back in every format: the plan of the import is what was exported.
#include <gtest/gtest.h>

#include "core/import_plan.hpp"
#include "core/journal_text.hpp"
#include "core/journal_writer.hpp"
#include "core/rules.hpp"
#include "randomness.hpp"

namespace ledgerflow::exchange {
namespace {

using ledgerflow::testing::Randomness;

struct Books {
  ExportHead head;
  std::vector<std::unique_ptr<ExportAccount>> accounts;
  std::vector<ExportTransaction> transactions;
};

std::string random_text(Randomness& random, std::size_t longest) {
  static const std::vector<std::string> parts = {
      "a", "Z", "9",  " ",    "  ",   "\t",         "\n",    "\r",  "\"",      "\\",
      "'", ";", ":",  ",",    "[",    "]",          "(",     ")",   "{",       "}",
      "@", "*", "!",  "=",    "|",    "#",          "^",     "+",   "-",       "%",
      "é", "😀", "日", "\x01", "\x7f", "2024-01-01", "date:", "\\n", "\\u0041", "+:"};
  std::string text;
  const std::size_t count = random.below(longest);
  for (std::size_t i = 0; i < count; ++i) text += parts[random.below(parts.size())];
  return text;
}

std::vector<ExportField> random_metadata(Randomness& random) {
  static const std::vector<std::string> keys = {
      "a",     "shop", "key-1", "Upper",    "with space", "",    "id",
      "payee", "flag", "tags",  "metadata", "type",       "é:,", "description"};
  static const std::vector<std::string> values = {"1",
                                                  "-0.50",
                                                  "true",
                                                  "null",
                                                  "{}",
                                                  "[]",
                                                  "[\"a\", \"b\"]",
                                                  "[1, [\"x, y\", {\"z\": \":\"}]]",
                                                  "{\"k\": \"[2024]\"}"};
  std::vector<ExportField> fields;
  for (const std::string& key : keys) {
    if (random.below(4) != 0) continue;
    const bool is_text = random.below(2) == 0;
    fields.push_back(
        {key, is_text ? random_text(random, 30) : values[random.below(values.size())], is_text});
  }
  return fields;
}

Books random_books(Randomness& random) {
  Books books;
  books.head.ledger = "books";
  books.head.time_zone = "UTC";
  books.head.first = {2020, 1, 1};
  const std::vector<std::string> codes = {"USD", "usd", "BTC-X.1", "X", "9", "JPY"};
  for (const std::string& code : codes)
    books.head.currencies.push_back({code, static_cast<int>(random.below(10)), std::nullopt});
  const std::vector<std::string> names = {
      "assets:bank", "Assets:Bank", "assets",          "a.b",
      "a-b",         "@x:+1",       "liabilities:a:b", "EXPENSES:x"};
  for (const std::string& name : names)
    for (const ExportCurrency& currency : books.head.currencies) {
      auto account = std::make_unique<ExportAccount>();
      account->code = name + (currency.code == "USD" ? "" : ":" + currency.code);
      account->type = random.below(2) == 0 ? "asset" : "wallet";
      account->normal_side = account->type == "asset" ? Side::debit : Side::credit;
      account->currency = currency.code;
      account->scale = currency.scale;
      if (random.below(2) == 0) account->name = random_text(random, 10);
      books.head.accounts.push_back(account.get());
      books.accounts.push_back(std::move(account));
    }
  for (int number = 1; number <= 50; ++number) {
    ExportTransaction transaction;
    transaction.id = "id-" + std::to_string(number);
    transaction.date = {2020 + number / 20, 1 + number % 12, 1 + number % 28};
    if (random.below(3) == 0) transaction.effective_at = format_time(1706697000123456 + number);
    if (random.below(3) == 0) transaction.reference = "r" + random_text(random, 20);
    if (random.below(5) != 0)
      transaction.description = random_text(random, random.below(10) == 0 ? 2000 : 12);
    transaction.metadata = random_metadata(random);
    for (std::size_t pairs = 1 + random.below(3); pairs > 0; --pairs) {
      const std::size_t currency = random.below(codes.size());
      const auto account = [&] {
        return books.accounts[random.below(names.size()) * codes.size() + currency].get();
      };
      const auto amount = static_cast<Units>(1 + random.below(1000000));
      for (const auto& [side, units] :
           {std::pair(account(), amount), std::pair(account(), -amount)}) {
        transaction.lines.push_back({side, units});
        side->balance += units;
      }
    }
    books.transactions.push_back(std::move(transaction));
  }
  return books;
}

std::string write(const Books& books, Format format) {
  const auto writer = make_writer(format);
  TextLines lines;
  writer->begin(books.head, lines);
  for (const ExportTransaction& transaction : books.transactions) writer->write(transaction, lines);
  writer->end(books.head, Date{2030, 1, 1}, lines);
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// The members of an object, sorted, so that their order does not matter.
std::string shown(const std::vector<ExportField>& fields) {
  std::vector<std::string> members;
  for (const ExportField& field : fields) members.push_back(object_text({&field}));
  std::sort(members.begin(), members.end());
  std::string text;
  for (const std::string& member : members) text += member + "\n";
  return text;
}

class JournalRoundTrip : public ::testing::TestWithParam<Format> {};

TEST_P(JournalRoundTrip, GivesEverythingBack) {
  Randomness random;
  SCOPED_TRACE(random.note());
  for (int round = 0; round < 20; ++round) {
    const Books books = random_books(random);
    const std::string text = write(books, GetParam());
    SCOPED_TRACE(text.substr(0, 200));
    Known known;
    for (const ExportCurrency& currency : books.head.currencies)
      known.scales[currency.code] = currency.scale;
    if (random.below(2) == 0 && GetParam() != Format::csv)
      known.scales.clear();  // CSV does not declare them
    try {
      File file = read_file(GetParam(), text);
      Planner planner(file, known);
      const Plan plan = planner.plan({});
      ASSERT_EQ(plan.transactions.size(), books.transactions.size());
      for (std::size_t i = 0; i < plan.transactions.size(); ++i) {
        const PlannedTransaction& read = plan.transactions[i];
        const ExportTransaction& written = books.transactions[i];
        EXPECT_EQ(read.source->id, written.id);
        EXPECT_EQ(date_text(read.source->date), date_text(written.date));
        EXPECT_EQ(read.source->effective_at.has_value(), written.effective_at.has_value());
        if (written.effective_at) {
          EXPECT_EQ(*read.source->effective_at, *parse_time(*written.effective_at));
        }
        EXPECT_EQ(read.source->reference, written.reference);
        EXPECT_EQ(read.source->description, written.description);
        EXPECT_TRUE(is_json_object_text(read.source->metadata.object()))
            << read.source->metadata.object();
        EXPECT_EQ(read.source->metadata.empty(), written.metadata.empty())
            << shown(written.metadata);
        ASSERT_EQ(read.lines.size(), written.lines.size());
        for (std::size_t line = 0; line < read.lines.size(); ++line) {
          EXPECT_EQ(plan.accounts[read.lines[line].account].code,
                    written.lines[line].account->code);
          EXPECT_TRUE(read.lines[line].amount == written.lines[line].amount);
        }
      }
      for (const PlannedAccount& account : plan.accounts) {
        const auto original =
            std::find_if(books.accounts.begin(), books.accounts.end(),
                         [&](const auto& candidate) { return candidate->code == account.code; });
        ASSERT_NE(original, books.accounts.end()) << account.code;
        EXPECT_EQ(account.type, (*original)->type);
        EXPECT_EQ(plan.currencies[account.currency].code, (*original)->currency);
        EXPECT_EQ(plan.currencies[account.currency].scale, (*original)->scale);
        if (GetParam() != Format::csv) {
          EXPECT_EQ(account.title, (*original)->name);
        }
      }
      if (GetParam() != Format::csv) {
        EXPECT_EQ(plan.accounts.size(), books.accounts.size());
        EXPECT_EQ(plan.assertions, books.accounts.size());
      }
    } catch (const Error& error) {
      FAIL() << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, JournalRoundTrip,
                         ::testing::Values(Format::hledger, Format::ledger, Format::beancount,
                                           Format::csv));

// The exporter calls h, m and s otherwise for ledger; an account without entries names them by their codes.
TEST(JournalRoundTripOf, UnusedAccountsOfRenamedCurrencies) {
  Books books;
  books.head.first = {2024, 1, 1};
  books.head.currencies.push_back({"h", 3, std::nullopt});
  auto account = std::make_unique<ExportAccount>();
  account->code = "assets:time";
  account->type = "asset";
  account->currency = "h";
  account->scale = 3;
  books.head.accounts.push_back(account.get());
  books.accounts.push_back(std::move(account));
  for (const Format format : {Format::hledger, Format::ledger, Format::beancount}) {
    const std::string text = write(books, format);
    File file = read_file(format, text);
    const Plan plan = Planner(file, Known()).plan({});
    ASSERT_EQ(plan.accounts.size(), 1U);
    EXPECT_EQ(plan.currencies[plan.accounts[0].currency].code, "h");
    EXPECT_EQ(plan.currencies[plan.accounts[0].currency].scale, 3) << text;
  }
}

// A journal that was cut anywhere is refused, or the cut took nothing away.
TEST(JournalCut, IsNoticed) {
  Randomness random;
  SCOPED_TRACE(random.note());
  const Books books = random_books(random);
  for (const Format format : {Format::hledger, Format::ledger, Format::beancount}) {
    const std::string text = write(books, format);
    Known known;
    for (const ExportCurrency& currency : books.head.currencies)
      known.scales[currency.code] = currency.scale;
    for (int round = 0; round < 200; ++round) {
      const std::size_t size = random.below(text.size() - end_mark.size() - 1);
      if (size < file_mark.size()) continue;
      try {
        File file = read_file(format, std::string_view(text).substr(0, size));
        Planner(file, known).plan({});
        FAIL() << "cut after " << size << " bytes";
      } catch (const Error&) {
        SUCCEED();
      }
    }
  }
}

}  // namespace
}  // namespace ledgerflow::exchange
