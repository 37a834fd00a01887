// Journals for beancount, which has its own names for accounts and commodities. Ours stand beside them.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/journal_text.hpp"
#include "core/journal_writer.hpp"

namespace ledgerflow::exchange {

namespace {

constexpr std::size_t longest_commodity = 24;
constexpr std::size_t amount_column = 56;
// beancount computes with 28 digits: it could not confirm a balance of more.
constexpr Units exact_units = power_of_ten(28);

struct Root {
  std::string_view type;
  std::string_view name;
  std::string_view singular;
};
constexpr Root roots[] = {{"asset", "Assets", "asset"},
                          {"liability", "Liabilities", "liability"},
                          {"equity", "Equity", "equity"},
                          {"income", "Income", "income"},
                          {"expense", "Expenses", "expense"}};

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else
      out.push_back(c);
  }
  return out + "\"";
}

// Account types of the user's own stand among assets or liabilities.
const Root& root_of(const ExportAccount& account) {
  for (const Root& root : roots)
    if (account.type == root.type) return root;
  return roots[account.normal_side == Side::debit ? 0 : 1];
}

std::string segment_name(std::string_view segment) {
  std::string name;
  for (const char c : segment) name.push_back(is_letter(c) || is_digit(c) ? c : '-');
  name[0] = upper(name[0]);
  return name[0] == '-' ? "X" + name : name;
}

// assets:bank is Assets:Bank, the liability customers:alice is Liabilities:Customers:Alice.
std::string account_name(const ExportAccount& account) {
  const Root& root = root_of(account);
  std::string name(root.name);
  std::string_view rest = account.code;
  const std::size_t first = rest.find(':');
  if (first != std::string_view::npos) {
    const std::string word = lowered(rest.substr(0, first));
    if (word == lowered(root.name) || word == root.singular) rest.remove_prefix(first + 1);
  }
  for (;;) {
    const std::size_t end = rest.find(':');
    name += ":" + segment_name(rest.substr(0, end));
    if (end == std::string_view::npos) return name;
    rest.remove_prefix(end + 1);
  }
}

std::string commodity_name(std::string_view code) {
  std::string name;
  for (const char c : code) name.push_back(upper(c));
  if (!is_upper(name[0])) name = "X" + name;
  if (name.size() > longest_commodity) name.resize(longest_commodity);
  if (name == "TRUE" || name == "FALSE" || name == "NULL") name += "-X";
  const char last = name.back();
  if (name.size() == 1 || !(is_upper(last) || is_digit(last))) {
    if (name.size() == longest_commodity) name.pop_back();
    name.push_back('X');
  }
  return name;
}

// The name, or with a number behind it when another has it already.
std::string unique_name(const std::string& name, std::size_t longest,
                        std::unordered_set<std::string>& taken) {
  if (taken.insert(name).second) return name;
  for (std::size_t number = 2;; ++number) {
    const std::string suffix = "-" + std::to_string(number);
    const std::string other = name.substr(0, longest - suffix.size()) + suffix;
    if (taken.insert(other).second) return other;
  }
}

bool is_key(std::string_view key) {
  constexpr std::string_view reserved[] = {
      "id",     "reference", "description",  "effective_at", "metadata", "code",
      "scale",  "name",      "account_type", "currency",     "type",     "filename",
      "lineno", "payee",     "tags",         "links",        "opened"};
  return key.size() > 1 && key[0] >= 'a' && key[0] <= 'z' &&
         std::all_of(key.begin(), key.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }) &&
         std::find(std::begin(reserved), std::end(reserved), key) == std::end(reserved);
}

// A list of words as tags or links can be, each with its mark; nothing when it is anything else.
std::string marked_words(const ExportField& field, char mark) {
  std::vector<std::string> words;
  std::string_view json = field.value;
  if (field.is_text || json.size() < 2 || json.front() != '[' || json.back() != ']') return {};
  json = trimmed(json.substr(1, json.size() - 2));
  std::string text;
  while (!json.empty()) {
    const std::size_t end = json.find(',');
    const auto word = parse_json_string(trimmed(json.substr(0, end)));
    if (!word || word->empty() || std::find(words.begin(), words.end(), *word) != words.end() ||
        !std::all_of(word->begin(), word->end(), [](char c) {
          return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '/' || c == '.';
        }))
      return {};
    words.push_back(*word);
    text += std::string(" ") + mark + *word;
    json = end == std::string_view::npos ? std::string_view() : trimmed(json.substr(end + 1));
  }
  return text;
}

class BeancountWriter : public JournalWriter {
 public:
  void begin(const ExportHead& head, TextLines& out) override {
    out.push_back(std::string(file_mark) + " 1 (beancount)");
    out.push_back("; Ledger " + quoted_string(head.ledger) + "; dates are in the time zone " +
                  head.time_zone);
    out.push_back("option \"title\" " + quoted_string(head.ledger));
    out.emplace_back();
    std::unordered_set<std::string> taken;
    std::unordered_map<std::string, std::string> commodities;
    const std::string first = date_text(head.first);
    for (const ExportCurrency& currency : head.currencies) {
      const std::string name = unique_name(commodity_name(currency.code), longest_commodity, taken);
      commodities[currency.code] = name;
      out.push_back(first + " commodity " + name);
      if (name != currency.code) write_field("code", currency.code, out);
      write_field("scale", std::to_string(currency.scale), out);
      if (currency.name) write_field("name", *currency.name, out);
    }
    taken.clear();
    for (ExportAccount* account : head.accounts) {
      account->shown = unique_name(account_name(*account), max_code_length * 4, taken);
      account->shown_currency = commodities[account->currency];
      out.push_back(first + " open " + account->shown + " " + account->shown_currency);
      if (account->shown != account->code) write_field("code", account->code, out);
      if (account->type != root_of(*account).type) write_field("account_type", account->type, out);
      if (account->name) write_field("name", *account->name, out);
      write_metadata(account->metadata, out);
    }
    out.emplace_back();
  }

  void write(const ExportTransaction& transaction, TextLines& out) override {
    std::string header = date_text(transaction.date);
    std::string payee;
    std::string tags;
    std::string links;
    char flag = '*';
    std::vector<ExportField> others;
    for (const ExportField& field : transaction.metadata) {
      if (field.key == "payee" && field.is_text && !field.value.empty())
        payee = quoted_string(field.value) + " ";
      else if (field.key == "flag" && field.is_text && field.value == "!")
        flag = '!';
      else if (field.key == "tags" && !marked_words(field, '#').empty())
        tags = marked_words(field, '#');
      else if (field.key == "links" && !marked_words(field, '^').empty())
        links = marked_words(field, '^');
      else
        others.push_back(field);
    }
    header += std::string(" ") + flag + " " + payee +
              quoted_string(transaction.description.value_or("")) + tags + links;
    out.push_back(std::move(header));
    write_field("id", transaction.id, out);
    if (transaction.effective_at) write_field("effective_at", *transaction.effective_at, out);
    if (transaction.reference) write_field("reference", *transaction.reference, out);
    if (transaction.description == "") write_field("description", "", out);
    write_metadata(others, out);
    for (const ExportLine& line : transaction.lines)
      out.push_back(
          aligned("  " + line.account->shown, format_units(line.amount, line.account->scale)) +
          " " + line.account->shown_currency);
    out.emplace_back();
  }

  // A balance of beancount's is that of an account with all below it, at the start of a day: of the last day
  // that there is, none can be told.
  void end(const ExportHead& head, const std::optional<Date>& last, TextLines& out) override {
    if (last && next_day(*last).year < 10000) {
      std::unordered_map<std::string_view, std::pair<const ExportAccount*, Units>> sums;
      for (const ExportAccount* account : head.accounts)
        sums[account->shown] = {account, account->balance};
      for (const ExportAccount* account : head.accounts) add_to_parents(*account, sums);
      const std::string day = date_text(next_day(*last));
      for (const ExportAccount* account : head.accounts) {
        const Units sum = sums[account->shown].second;
        if (sum >= exact_units || sum <= -exact_units) continue;
        out.push_back(
            aligned(day + " balance " + account->shown, format_units(sum, account->scale)) +
            " ~ 0 " + account->shown_currency);
      }
      out.emplace_back();
    }
    out.emplace_back(end_mark);
  }

 private:
  template <typename Sums>
  static void add_to_parents(const ExportAccount& account, Sums& sums) {
    const std::string_view name = account.shown;
    for (std::size_t end = name.rfind(':'); end != std::string_view::npos;
         end = name.rfind(':', end - 1)) {
      const auto parent = sums.find(name.substr(0, end));
      if (parent != sums.end() && parent->second.first->currency == account.currency)
        parent->second.second += account.balance;
      if (end == 0) return;
    }
  }

  static void write_field(std::string_view key, std::string_view value, TextLines& out) {
    out.push_back("  " + std::string(key) + ": " + quoted_string(value));
  }

  static void write_metadata(const std::vector<ExportField>& metadata, TextLines& out) {
    std::vector<const ExportField*> others;
    for (const ExportField& field : metadata) {
      if (field.is_text && is_key(field.key))
        write_field(field.key, field.value, out);
      else
        others.push_back(&field);
    }
    if (!others.empty()) write_field("metadata", object_text(others), out);
  }

  static std::string aligned(std::string text, const std::string& number) {
    const std::size_t width = text.size() + 2 + number.size();
    text.append(2 + (width < amount_column ? amount_column - width : 0), ' ');
    return text + number;
  }
};

}  // namespace

std::unique_ptr<JournalWriter> make_beancount_writer() {
  return std::make_unique<BeancountWriter>();
}

}  // namespace ledgerflow::exchange
