// Journals for hledger and ledger.
#include <algorithm>
#include <unordered_map>

#include "core/journal_text.hpp"
#include "core/journal_writer.hpp"

namespace ledgerflow::exchange {

namespace {

constexpr std::size_t longest_value = 1000;  // ledger reads lines of up to 4096 bytes
constexpr std::size_t longest_piece = 500;   // of a text that may be escaped
constexpr std::size_t longest_json = 3000;
constexpr std::size_t amount_column = 48;
constexpr std::size_t assertions_at_once = 1000;
constexpr std::size_t longest_key = 63;
constexpr const char* indent = "    ";

// Keys that mean something to us, to hledger or to ledger.
bool is_reserved(std::string_view key) {
  constexpr std::string_view reserved[] = {
      "id",   "reference",    "description", "effective_at", "metadata", "date", "date2", "type",
      "code", "account_type", "name",        "currency",     "scale",    "uuid", "payee", "value"};
  return std::find(std::begin(reserved), std::end(reserved), lowered(key)) != std::end(reserved);
}

bool is_plain_key(std::string_view key) {
  return !key.empty() && key.size() <= longest_key && is_letter(key[0]) &&
         std::all_of(key.begin(), key.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }) &&
         !is_reserved(key);
}

bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_plain_text(std::string_view text, std::string_view forbidden) {
  return !text.empty() && text.size() <= longest_value && is_printable(text) &&
         !is_space(text.front()) && !is_space(text.back()) &&
         text.find_first_of(forbidden) == std::string_view::npos;
}

bool is_plain_value(std::string_view text) {
  return is_plain_text(text, ",;[") && text[0] != '"' && text[0] != '{';
}

bool is_plain_description(std::string_view text) {
  return is_plain_text(text, ";") &&
         std::string_view("*!(=@").find(text[0]) == std::string_view::npos;
}

// The end of a piece of a text that does not cut a character of UTF-8.
std::size_t piece_end(std::string_view text, std::size_t first) {
  std::size_t end = std::min(text.size(), first + longest_piece);
  while (end < text.size() && end > first + 1 &&
         (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return end;
}

void write_pieces(std::string_view key, std::string_view value, TextLines& out) {
  for (std::size_t first = 0; first < value.size() || first == 0;) {
    const std::size_t end = piece_end(value, first);
    out.push_back(std::string(indent) + "; " + std::string(key) + (first == 0 ? ": " : "+: ") +
                  json_string(value.substr(first, end - first), true));
    if (end == value.size()) break;
    first = end;
  }
}

void write_tag(std::string_view key, std::string_view value, TextLines& out) {
  if (is_plain_value(value))
    out.push_back(std::string(indent) + "; " + std::string(key) + ": " + std::string(value));
  else
    write_pieces(key, value, out);
}

void write_metadata(const std::vector<ExportField>& metadata, TextLines& out) {
  std::vector<const ExportField*> others;
  for (const ExportField& field : metadata) {
    if (field.is_text && is_plain_key(field.key))
      write_tag(field.key, field.value, out);
    else
      others.push_back(&field);
  }
  if (others.empty()) return;
  const std::string object = object_text(others);
  const std::string shown = json_in_comment(object);
  if (shown.size() <= longest_json)
    out.push_back(std::string(indent) + "; metadata: " + shown);
  else
    write_pieces("metadata", object, out);
}

class PlainWriter : public JournalWriter {
 public:
  explicit PlainWriter(Format format) : format_(format) {}

  void begin(const ExportHead& head, TextLines& out) override {
    out.push_back(std::string(file_mark) + " 1 (" +
                  (format_ == Format::hledger ? "hledger" : "ledger") + ")");
    out.push_back("; Ledger " + json_string(head.ledger) + "; dates are in the time zone " +
                  head.time_zone);
    out.emplace_back();
    for (const ExportCurrency& currency : head.currencies) {
      commodities_[currency.code] = commodity_of(currency.code, head);
      declare_currency(currency, out);
    }
    for (ExportAccount* account : head.accounts) declare_account(*account, out);
    out.emplace_back();
  }

  void write(const ExportTransaction& transaction, TextLines& out) override {
    const bool is_flagged =
        std::any_of(transaction.metadata.begin(), transaction.metadata.end(), is_mark);
    std::string header = date_text(transaction.date) + (is_flagged ? " !" : " *");
    const auto& description = transaction.description;
    const bool is_plain = description && is_plain_description(*description);
    if (is_plain) header += " " + *description;
    out.push_back(std::move(header));
    write_tag("id", transaction.id, out);
    if (transaction.effective_at) write_tag("effective_at", *transaction.effective_at, out);
    if (transaction.reference) write_tag("reference", *transaction.reference, out);
    if (description && !is_plain) write_pieces("description", *description, out);
    if (is_flagged) {
      std::vector<ExportField> others;
      std::remove_copy_if(transaction.metadata.begin(), transaction.metadata.end(),
                          std::back_inserter(others), is_mark);
      write_metadata(others, out);
    } else {
      write_metadata(transaction.metadata, out);
    }
    for (const ExportLine& line : transaction.lines)
      out.push_back(posting(*line.account, line.amount));
    out.emplace_back();
  }

  void end(const ExportHead& head, const std::optional<Date>& last, TextLines& out) override {
    for (std::size_t i = 0; last && i < head.accounts.size(); ++i) {
      const ExportAccount& account = *head.accounts[i];
      if (i % assertions_at_once == 0) out.push_back(date_text(*last) + " * Balances");
      out.push_back(posting(account, 0) + " = " + format_units(account.balance, account.scale) +
                    " " + account.shown_currency);
      if (i + 1 == head.accounts.size() || (i + 1) % assertions_at_once == 0) out.emplace_back();
    }
    out.emplace_back(end_mark);
  }

 private:
  static bool is_mark(const ExportField& field) {
    return field.is_text && field.key == "flag" && field.value == "!";
  }

  // Anything but a few capital letters could mean something else, so it is in quotes. To ledger, hours,
  // minutes and seconds are time even then: they get another name.
  std::string commodity_of(const std::string& code, const ExportHead& head) const {
    if (code.size() > 1 && std::all_of(code.begin(), code.end(), is_upper)) return code;
    std::string name = code;
    if (format_ == Format::ledger && (code == "h" || code == "m" || code == "s")) do
        name.push_back('_');
      while (std::any_of(head.currencies.begin(), head.currencies.end(),
                         [&](const ExportCurrency& other) { return other.code == name; }));
    return "\"" + name + "\"";
  }

  std::string example(const ExportCurrency& currency) const {
    std::string text = format_units(1000 * power_of_ten(currency.scale), currency.scale);
    if (currency.scale == 0 && format_ == Format::hledger) text += ".";  // which it asks for
    return text + " " + commodities_.at(currency.code);
  }

  void declare_currency(const ExportCurrency& currency, TextLines& out) const {
    if (format_ == Format::hledger) {
      out.push_back("commodity " + example(currency));
    } else {
      out.push_back("commodity " + commodities_.at(currency.code));
      out.push_back(std::string(indent) + "format " + example(currency));
    }
    const std::string& shown = commodities_.at(currency.code);
    if (shown != currency.code && shown != "\"" + currency.code + "\"")
      write_tag("code", currency.code, out);
    if (currency.name) write_tag("name", *currency.name, out);
  }

  void declare_account(ExportAccount& account, TextLines& out) const {
    account.shown = account.code;
    account.shown_currency = commodities_.at(account.currency);
    out.push_back(
        "account " + account.code +
        (format_ == Format::hledger ? std::string("  ; type: ") + type_letter(account) : ""));
    write_tag("account_type", account.type, out);
    write_tag("currency", account.currency, out);
    if (account.name) write_tag("name", *account.name, out);
    write_metadata(account.metadata, out);
  }

  static char type_letter(const ExportAccount& account) {
    if (account.type == "equity") return 'E';
    if (account.type == "income") return 'R';
    if (account.type == "expense") return 'X';
    return account.normal_side == Side::debit ? 'A' : 'L';
  }

  static std::string posting(const ExportAccount& account, Units amount) {
    std::string line = indent + account.shown;
    const std::string number = format_units(amount, account.scale);
    const std::size_t width = line.size() + 2 + number.size();
    line.append(2 + (width < amount_column ? amount_column - width : 0), ' ');
    return line + number + " " + account.shown_currency;
  }

  Format format_;
  std::unordered_map<std::string, std::string> commodities_;
};

}  // namespace

std::unique_ptr<JournalWriter> make_plain_writer(Format format) {
  return std::make_unique<PlainWriter>(format);
}

}  // namespace ledgerflow::exchange
