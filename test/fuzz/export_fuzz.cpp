// The writers of journals: a ledger with any texts, any metadata, amounts of any scale and awkward names is
// written and read back the same in every format, and a journal that was cut short is refused.
#include "journals.hpp"

namespace ledgerflow::fuzz {
namespace {

// Of a database: what is no UTF-8 is replaced.
std::string words(Source& source, std::size_t longest = 24) {
  std::string text = fuzz::text(source, longest);
  if (!is_database_text(text))
    for (char& c : text)
      if ((static_cast<unsigned char>(c) & 0x80U) != 0 || c == '\0') c = '~';
  if (source.ConsumeIntegralInRange(0, 30) == 0)  // long enough to be divided, somewhere
    for (const std::string part = text + "é"; text.size() < 1500;) text += part;
  return text;
}

std::optional<std::string> some_words(Source& source) {
  return source.ConsumeBool() ? std::optional<std::string>(words(source)) : std::nullopt;
}

std::vector<ExportField> metadata(Source& source) {
  static constexpr const char* keys[] = {"a",    "shop",     "flag",  "tags",     "links",
                                         "id",   "metadata", "payee", "comments", "type",
                                         "name", "date",     "code",  "key-1"};
  static constexpr const char* values[] = {"1",
                                           "true",
                                           "null",
                                           "-0.50e3",
                                           "{}",
                                           "[]",
                                           "[1]",
                                           "[\"a\"]",
                                           "[\"a\", \"b\"]",
                                           "[\"a b\"]",
                                           "{\"a\": [\"[2024]\", \"\\u0001:,\"]}"};
  std::vector<ExportField> fields;
  for (int count = source.ConsumeIntegralInRange(0, 3); count > 0; --count) {
    ExportField field;
    field.key = source.ConsumeBool() ? source.PickValueInArray(keys) : words(source, 10);
    field.is_text = source.ConsumeBool();
    field.value = field.is_text ? words(source) : source.PickValueInArray(values);
    if (field.key == "flag" && source.ConsumeBool()) field = {"flag", "!", true};
    if (std::none_of(fields.begin(), fields.end(),
                     [&](const ExportField& other) { return other.key == field.key; }))
      fields.push_back(std::move(field));
  }
  return fields;
}

template <typename Item, std::size_t count>
const Item& pick(Source& source, const Item (&items)[count]) {
  return items[source.ConsumeIntegralInRange<std::size_t>(0, count - 1)];
}

Books any_books(Source& source) {
  static const std::string codes[] = {"USD", "usd", "h", "m_", "m", "9", "-", "TRUE", "X.1-_", "A"};
  static const std::string names[] = {"assets:bank", "Assets:Bank", "assets", "asset",
                                      "a.b",         "a-b",         "@x:+1",  "liabilities:a:b",
                                      "EXPENSES:x",  "1:2",         "-:-",    "equity:trading"};
  static const std::string types[] = {"asset",  "liability", "equity",
                                      "income", "expense",   "wallet"};
  Books books;
  books.head.ledger = words(source);
  books.head.time_zone = "UTC";
  books.head.first = {1970, 1, 1};
  for (const std::string& code : codes)
    if (source.ConsumeBool())
      books.head.currencies.push_back(
          {code, source.ConsumeIntegralInRange(0, max_scale), some_words(source)});
  if (books.head.currencies.empty()) books.head.currencies.push_back({"USD", 2, std::nullopt});
  std::set<std::string> taken;
  for (int count = source.ConsumeIntegralInRange(2, 8); count > 0; --count) {
    const ExportCurrency& currency =
        books.head.currencies[source.ConsumeIntegralInRange<std::size_t>(
            0, books.head.currencies.size() - 1)];
    std::string code = pick(source, names);
    if (!taken.insert(code).second) continue;
    ExportAccount& account = books.add_account();
    account.code = code;
    account.type = pick(source, types);
    account.normal_side =
        account.type == "asset" || account.type == "expense" || source.ConsumeBool() ? Side::debit
                                                                                     : Side::credit;
    account.currency = currency.code;
    account.scale = currency.scale;
    account.name = some_words(source);
    account.metadata = metadata(source);
  }
  Date date{source.ConsumeIntegralInRange(1, 9999), 12, 30};
  books.head.first = date;
  while (source.remaining_bytes() > 0 && books.transactions.size() < 6) {
    if (source.ConsumeBool() && (date.year < 9999 || date.day < 31)) date = next_day(date);
    ExportTransaction transaction;
    transaction.id = "id-" + std::to_string(books.transactions.size());
    transaction.date = date;
    if (source.ConsumeBool())
      transaction.effective_at =
          format_time(source.ConsumeIntegralInRange<std::int64_t>(year_1, year_10000 - 1));
    if (source.ConsumeBool()) transaction.reference = "r" + words(source);
    transaction.description = some_words(source);
    transaction.metadata = metadata(source);
    for (int pairs = source.ConsumeIntegralInRange(1, 3); pairs > 0; --pairs) {
      const auto any = [&]() -> ExportAccount& {
        return *books.accounts[source.ConsumeIntegralInRange<std::size_t>(
            0, books.accounts.size() - 1)];
      };
      ExportAccount& debit = any();
      ExportAccount& credit = any();
      Units units = source.ConsumeIntegralInRange<std::int64_t>(1, INT64_MAX);
      if (source.ConsumeBool()) units *= source.ConsumeIntegralInRange<std::int64_t>(1, INT32_MAX);
      if (debit.currency != credit.currency || !add_units(debit.balance, units)) continue;
      if (!add_units(credit.balance, -units)) return books;
      transaction.lines.push_back({&debit, units});
      transaction.lines.push_back({&credit, -units});
    }
    if (!transaction.lines.empty()) books.transactions.push_back(std::move(transaction));
  }
  return books;
}

}  // namespace
}  // namespace ledgerflow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ledgerflow::fuzz;
  Source source(data, size);
  const auto format = static_cast<Format>(source.ConsumeIntegralInRange(0, 3));
  const auto cut = source.ConsumeIntegral<std::uint16_t>();
  const Books books = any_books(source);
  round_trip(books, format);
  if (format == Format::csv) return 0;
  const std::string journal = written(books, format);
  const std::size_t whole = journal.size() - end_mark.size() - 1;
  try {
    static_cast<void>(read_file(
        format, std::string_view(journal).substr(0, std::max(cut % whole, file_mark.size()))));
    expect(false, "a journal that was cut is refused", journal);
  } catch (const ledgerflow::Error&) {
  }
  return 0;
}
