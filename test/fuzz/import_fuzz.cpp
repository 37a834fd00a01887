// The readers of journals. Any bytes end in a plan or in an Error; the transactions of a plan balance, its
// accounts and currencies are those of a ledger, and written as a journal of any format it is read again the
// same. The first byte chooses the formats.
#include <map>

#include "journals.hpp"

namespace ledgerflow::fuzz {
namespace {

bool is_type_code(std::string_view code) {
  return !code.empty() && code.size() <= 63 && std::all_of(code.begin(), code.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

// What a ledger would hold after the import; nothing where it would refuse what the planner cannot know.
std::optional<Books> imported(const Plan& plan) {
  Books books;
  books.head.ledger = "books";
  books.head.time_zone = "UTC";
  books.head.first = {1970, 1, 1};
  std::set<std::string> codes;
  for (const PlannedCurrency& currency : plan.currencies) {
    if (currency.line == 0) continue;
    expect(codes.insert(currency.code).second, "a currency is planned once", currency.code);
    expect(currency.scale >= 0 && currency.scale <= max_scale, "its scale is one");
    books.head.currencies.push_back({currency.code, currency.scale, currency.title});
  }
  codes.clear();
  for (const PlannedAccount& planned : plan.accounts) {
    expect(codes.insert(planned.code).second, "an account is planned once", planned.code);
    expect(is_account_code(planned.code), "its code is one", planned.code);
    if (!is_type_code(planned.type)) return std::nullopt;
    ExportAccount& account = books.add_account();
    account.code = planned.code;
    account.type = planned.type;
    account.normal_side =
        planned.type == "asset" || planned.type == "expense" ? Side::debit : Side::credit;
    account.currency = plan.currencies[planned.currency].code;
    account.scale = plan.currencies[planned.currency].scale;
    account.name = planned.title;
    if (planned.declared != nullptr)
      account.metadata = fields_of(planned.declared->metadata.object());
  }
  for (const PlannedTransaction& planned : plan.transactions) {
    const FileTransaction& source = *planned.source;
    if (source.effective_at &&
        (*source.effective_at < year_1 || *source.effective_at >= year_10000))
      return std::nullopt;
    ExportTransaction transaction;
    transaction.id = "id-" + std::to_string(books.transactions.size());
    transaction.date = source.date;
    if (source.effective_at) transaction.effective_at = format_time(*source.effective_at);
    transaction.reference = source.reference;
    transaction.description = source.description;
    transaction.metadata = fields_of(source.metadata.object());
    std::map<Index, Units> left;
    for (const PlannedLine& line : planned.lines) {
      const PlannedAccount& account = plan.accounts[line.account];
      expect(line.amount != 0, "no line moves nothing");
      expect(add_units(left[account.currency], line.amount), "the lines' sums fit");
      ExportAccount& of = *books.accounts[line.account];
      if (!add_units(of.balance, line.amount)) return std::nullopt;
      transaction.lines.push_back({&of, line.amount});
    }
    for (const auto& [currency, units] : left)
      expect(units == 0, "a transaction balances", plan.currencies[currency].code);
    books.transactions.push_back(std::move(transaction));
  }
  std::stable_sort(books.transactions.begin(), books.transactions.end(),
                   [](const auto& a, const auto& b) { return a.date < b.date; });
  if (!books.transactions.empty()) books.head.first = books.transactions.front().date;
  return books;
}

}  // namespace
}  // namespace ledgerflow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ledgerflow::fuzz;
  using ledgerflow::Error;
  if (size == 0) return 0;
  const std::string_view text = text_of(data + 1, size - 1);
  Known known;
  known.scales = {{"USD", 2}, {"EUR", 2}, {"BTC", 8}, {"JPY", 0}};
  known.currencies = {{"$", "USD"}};
  try {
    File file = read_file(static_cast<Format>(data[0] % 4), text);
    Planner planner(file, known);
    planner.candidate_codes();
    const bool is_new = data[0] / 16 % 2 == 0;  // or some accounts are there, with their types
    const Plan plan = planner.plan(is_new ? std::unordered_map<std::string, std::string>()
                                          : std::unordered_map<std::string, std::string>{
                                                {"assets:bank", "USD"}, {"Assets:Bank", "EUR"}});
    if (!is_database_text(text)) return 0;
    if (const auto books = imported(plan)) round_trip(*books, static_cast<Format>(data[0] / 4 % 4));
  } catch (const Error&) {
  }
  return 0;
}
