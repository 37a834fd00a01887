// Journals of beancount. What needs its booking of lots, its plugins or its arithmetic is refused: beancount
// itself writes such a journal out in full.
#include <algorithm>

#include "core/journal_text.hpp"

namespace ledgerflow::exchange {

namespace {

constexpr const char* write_out_hint =
    "Have beancount write the journal out in full: bean-report FILE print";

constexpr bool is_key_character(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}
constexpr bool is_currency_character(char c) {
  return is_upper(c) || is_digit(c) || c == '\'' || c == '.' || c == '_' || c == '-';
}

class BeancountReader {
 public:
  BeancountReader(std::string_view text, File& file) : text_(text), file_(file) {
    if (starts_with(text_, "\xEF\xBB\xBF")) at_ = 3;
  }

  void run() {
    file_.exported = starts_with(text_.substr(at_), file_mark);
    bool ended = false;
    while (at_ < text_.size()) {
      if (starts_with(text_.substr(at_), end_mark)) ended = true;
      read_line();
    }
    file_.lines = line_;
    if (file_.exported && !ended)
      refuse_line(line_, "the file was cut short: its last line is missing");
  }

 private:
  // --- characters and tokens ---

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_line_end() const {
    return at_ == text_.size() || peek() == '\n' || peek() == '\r' || peek() == ';';
  }
  void skip_space() {
    while (is_space(peek())) ++at_;
  }

  std::string_view line_text() const {
    const std::size_t before = at_ == 0 ? std::string_view::npos : text_.rfind('\n', at_ - 1);
    const std::size_t first = before == std::string_view::npos ? 0 : before + 1;
    return trimmed(text_.substr(first, text_.find('\n', first) - first));
  }
  [[noreturn]] void refuse(const std::string& why, const char* hint = "") const {
    refuse_line(line_, why, line_text(), hint);
  }

  // To the start of the next line; nothing but a comment may be left of this one.
  void end_line() {
    skip_space();
    if (!at_line_end()) refuse("cannot be read");
    skip_line();
  }
  void skip_line() {
    while (at_ < text_.size() && peek() != '\n') ++at_;
    if (at_ < text_.size()) ++at_, ++line_;
  }

  std::string_view take_while(bool (*is_part)(char)) {
    const std::size_t first = at_;
    while (at_ < text_.size() && is_part(peek())) ++at_;
    return text_.substr(first, at_ - first);
  }
  std::string_view take_token() {
    return take_while([](char c) { return !is_space(c) && c != '\n' && c != '\r' && c != ';'; });
  }

  std::string take_string() {
    const std::size_t first_line = line_;
    std::string out;
    for (++at_; at_ < text_.size();) {
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c == '\n') ++line_;
      if (c != '\\') {
        out.push_back(c);
        continue;
      }
      const char escape = peek();
      if (at_ < text_.size()) ++at_;
      if (escape == '\n') ++line_;
      out.push_back(escape == 'n' ? '\n' : escape == 't' ? '\t' : escape == 'r' ? '\r' : escape);
    }
    refuse_line(first_line, "a string that does not end");
  }
  std::string require_string() {
    skip_space();
    if (peek() != '"') refuse("cannot be read");
    return take_string();
  }

  Date require_date() {
    std::string_view rest = text_.substr(at_);
    const auto date = take_date(rest, line_);
    if (!date) refuse("not a date");
    at_ = text_.size() - rest.size();
    return *date;
  }

  std::string_view require_account() {
    skip_space();
    const std::string_view account = take_token();
    if (account.find(':') == std::string_view::npos) refuse("not an account");
    return account;
  }

  // Commas between digits separate thousands.
  Decimal require_number() {
    skip_space();
    bool negative = false;
    if (peek() == '-' || peek() == '+') negative = text_[at_++] == '-';
    const std::string_view written =
        take_while([](char c) { return is_digit(c) || c == '.' || c == ','; });
    std::string digits;
    std::size_t group = 0;
    bool grouped = false;
    const std::string_view whole = written.substr(0, written.find('.'));
    for (const char c : whole) {
      if (c == ',') {
        if (group == 0 || group > 3 || (grouped && group != 3)) refuse("not a number");
        grouped = true;
        group = 0;
      } else {
        digits.push_back(c);
        ++group;
      }
    }
    if (grouped && group != 3) refuse("not a number");
    if (digits.empty()) digits = "0";
    digits += written.substr(whole.size());
    if (written.find_first_of("0123456789") == std::string_view::npos)
      refuse("not a number", write_out_hint);
    Decimal number = read_decimal(digits, line_);
    if (negative) number.units = -number.units;
    return number;
  }

  Index require_currency() {
    skip_space();
    const std::string_view currency = take_while(is_currency_character);
    if (currency.empty()) refuse("cannot be read as an amount", write_out_hint);
    return file_.commodities.index(currency);
  }
  Amount require_amount() {
    Amount amount;
    amount.number = require_number();
    amount.commodity = require_currency();
    return amount;
  }

  // --- directives ---

  void read_line() {
    const char c = peek();
    if (is_space(c)) {
      skip_space();
      if (!at_line_end()) refuse("an indented line that belongs to nothing");
      return skip_line();
    }
    if (is_digit(c)) return read_dated();
    if (is_letter(c)) return read_undated();
    // Comments, empty lines, and headings as of org-mode.
    if (!at_line_end() && std::string_view("*:#&%!?").find(c) == std::string_view::npos)
      refuse("cannot be read");
    skip_line();
  }

  void read_undated() {
    const std::string_view word = take_while(is_key_character);
    if (word == "option") {
      const std::string name = require_string();
      set_option(name, require_string());
    } else if (word == "pushtag" || word == "poptag") {
      skip_space();
      const std::string tag(take_token());
      if (tag.size() < 2 || tag[0] != '#') refuse("not a tag");
      if (word == "pushtag")
        pushed_tags_.push_back(tag.substr(1));
      else
        pushed_tags_.erase(std::remove(pushed_tags_.begin(), pushed_tags_.end(), tag.substr(1)),
                           pushed_tags_.end());
    } else {
      refuse("cannot be imported", write_out_hint);
    }
    end_line();
  }

  void set_option(const std::string& name, const std::string& value) {
    constexpr std::string_view root_options[] = {"name_assets", "name_liabilities", "name_equity",
                                                 "name_income", "name_expenses"};
    for (std::size_t i = 0; i < std::size(root_options); ++i)
      if (name == root_options[i]) file_.roots[i] = value;
    if (name == "operating_currency" && file_.default_currency.empty())
      file_.default_currency = value;
  }

  void read_dated() {
    const std::size_t line = line_;
    const Date date = require_date();
    skip_space();
    if (is_letter(peek()) && text_.substr(at_, 3) != "txn" && !is_space(next_after_flag())) {
      const std::string_view word = take_while(is_key_character);
      if (word == "open") return read_open(line, date);
      if (word == "commodity") return read_commodity(line);
      if (word == "balance") return read_balance(line, date);
      if (word == "price" || word == "close" || word == "note" || word == "document" ||
          word == "event" || word == "query" || word == "custom")
        return skip_directive();
      refuse("cannot be imported", write_out_hint);
    }
    read_transaction(line, date);
  }
  char next_after_flag() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'; }

  // What posts nothing: over its strings, which may be of several lines, and its metadata.
  void skip_directive() {
    do {
      while (!at_line_end()) {
        if (peek() == '"')
          take_string();
        else
          ++at_;
      }
      skip_line();
    } while (is_space(peek()));
  }

  void read_open(std::size_t line, const Date& date) {
    FileAccount account;
    account.line = line;
    account.name = file_.accounts.index(require_account());
    for (skip_space(); is_upper(peek()); skip_space()) {
      account.currencies.push_back(file_.commodities[require_currency()]);
      skip_space();
      if (peek() == ',') ++at_;
    }
    if (peek() == '"') take_string();  // the booking method
    end_line();
    if (!file_.exported) account.metadata.add_text("opened", date_text(date));
    Tags tags;
    read_metadata(tags, account.metadata);
    tags.give(file_.exported, account);
    file_.declared.push_back(std::move(account));
  }

  void read_commodity(std::size_t line) {
    FileCommodity commodity;
    commodity.line = line;
    commodity.name = require_currency();
    end_line();
    Tags tags;
    Members ignored;
    read_metadata(tags, ignored);
    tags.give(file_.exported, commodity);
    file_.declared_commodities.push_back(std::move(commodity));
  }

  void read_balance(std::size_t line, const Date& date) {
    Assertion assertion;
    assertion.line = line;
    assertion.account = file_.accounts.index(require_account());
    assertion.amount.number = require_number();
    const int decimals = assertion.amount.number.decimals;
    if (decimals > 0) assertion.tolerance = {1, decimals};
    skip_space();
    if (peek() == '~') {
      ++at_;
      assertion.tolerance = require_number();
    }
    assertion.amount.commodity = require_currency();
    assertion.with_subaccounts = true;
    end_line();
    Tags tags;
    Members ignored;
    read_metadata(tags, ignored);
    file_.assertions.push_back({date, assertion});
  }

  // --- transactions ---

  void read_transaction(std::size_t line, const Date& date) {
    FileTransaction transaction;
    transaction.line = line;
    transaction.date = date;
    const std::string_view flag = take_token();
    if (flag != "txn" && (flag.size() != 1 || is_digit(flag[0]))) refuse("cannot be read");
    if (flag != "txn" && flag != "*") transaction.metadata.add_text("flag", flag);
    std::vector<std::string> strings;
    for (skip_space(); peek() == '"' || peek() == '|'; skip_space()) {
      if (peek() == '"')
        strings.push_back(take_string());
      else
        ++at_;
    }
    if (strings.size() > 2) refuse("more than a payee and a narration");
    if (strings.size() == 2 && !strings[0].empty())
      transaction.metadata.add_text("payee", strings[0]);
    if (!strings.empty() && !strings.back().empty()) transaction.description = strings.back();

    std::vector<std::string> tags = pushed_tags_;
    std::vector<std::string> links;
    std::vector<std::string> lots;
    Tags fields;
    take_tags_and_links(tags, links);
    end_line();
    while (is_space(peek())) {
      skip_space();
      const char c = peek();
      if (at_line_end()) {
        skip_line();
      } else if (c == '#' || c == '^') {
        take_tags_and_links(tags, links);
        end_line();
      } else if (c >= 'a' && c <= 'z') {
        // Metadata of a posting is no field of the transaction.
        if (transaction.postings.empty())
          read_key_value(fields, transaction.metadata);
        else
          read_posting_metadata(transaction);
      } else {
        transaction.postings.push_back(read_posting(lots));
      }
    }
    if (transaction.postings.empty()) refuse_line(line, "a transaction without postings");
    fields.give(file_.exported, transaction);
    add_list(transaction.metadata, "tags", tags);
    add_list(transaction.metadata, "links", links);
    add_list(transaction.metadata, "lots", lots);
    add_list(transaction.metadata, "comments", comments_);
    comments_.clear();
    file_.transactions.push_back(std::move(transaction));
  }

  void take_tags_and_links(std::vector<std::string>& tags, std::vector<std::string>& links) {
    for (skip_space(); peek() == '#' || peek() == '^'; skip_space()) {
      const std::string_view token = take_token();
      if (token.size() < 2) refuse("not a tag");
      std::vector<std::string>& list = token[0] == '#' ? tags : links;
      const std::string name(token.substr(1));
      if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
    }
  }

  static void add_list(Members& metadata, std::string_view key,
                       const std::vector<std::string>& list) {
    if (list.empty()) return;
    std::string json;
    for (const std::string& item : list) json += (json.empty() ? "" : ", ") + json_string(item);
    metadata.add_json(key, "[" + json + "]");
  }

  FilePosting read_posting(std::vector<std::string>& lots) {
    FilePosting posting;
    posting.line = line_;
    if (is_space(next_after_flag())) {
      ++at_;
      skip_space();
    }
    posting.account = file_.accounts.index(require_account());
    skip_space();
    const std::size_t first = at_;
    if (!at_line_end()) posting.amount = require_amount();
    skip_space();
    if (peek() == '{') posting.price = read_cost();
    skip_space();
    if (peek() == '@') {
      const Price price = read_price();
      if (!posting.price) posting.price = price;  // the cost is what counts
    }
    if (posting.price) lots.emplace_back(trimmed(text_.substr(first, at_ - first)));
    end_line();
    if (!posting.amount && file_.exported) refuse_line(posting.line, "the amount is missing");
    return posting;
  }

  Price read_price() {
    Price price;
    ++at_;
    price.total = peek() == '@';
    if (price.total) ++at_;
    price.amount = require_amount();
    return price;
  }

  // {53.60 USD, 2024-01-31, "label"}, or in all: {{857.60 USD}}
  Price read_cost() {
    Price cost;
    bool has_amount = false;
    ++at_;
    cost.total = peek() == '{';
    if (cost.total) ++at_;
    for (;;) {
      skip_space();
      std::string_view ahead = text_.substr(at_);
      if (peek() == '}') break;
      if (peek() == ',') {
        ++at_;
      } else if (peek() == '"') {
        take_string();
      } else if (take_date(ahead, line_)) {
        at_ = text_.size() - ahead.size();
      } else if (!has_amount && (is_digit(peek()) || peek() == '-' || peek() == '.')) {
        cost.amount = require_amount();
        has_amount = true;
      } else {
        refuse("a cost that cannot be read", write_out_hint);
      }
    }
    ++at_;
    if (cost.total) {
      if (peek() != '}') refuse("a cost that cannot be read");
      ++at_;
    }
    if (!has_amount) refuse("a lot without a cost", write_out_hint);
    return cost;
  }

  // --- metadata ---

  void read_metadata(Tags& tags, Members& metadata) {
    while (is_space(peek())) {
      skip_space();
      if (at_line_end())
        skip_line();
      else
        read_key_value(tags, metadata);
    }
  }

  // Texts go to the tags, other values are kept as they are written.
  void read_key_value(Tags& tags, Members& metadata) {
    const std::string key(take_while(is_key_character));
    if (key.empty() || peek() != ':') refuse("cannot be read");
    ++at_;
    skip_space();
    if (peek() == '"') {
      tags.add({key, take_string(), false});
    } else {
      const std::string_view value = take_value();
      if (value.empty() || value == "NULL")
        metadata.add_json(key, "null");
      else if (value == "TRUE" || value == "FALSE")
        metadata.add_json(key, value == "TRUE" ? "true" : "false");
      else
        metadata.add_text(key, value);
    }
    end_line();
  }
  std::string_view take_value() {
    const std::size_t first = at_;
    while (!at_line_end()) ++at_;
    return trimmed(text_.substr(first, at_ - first));
  }

  void read_posting_metadata(const FileTransaction& transaction) {
    const std::string_view text = take_posting_comment();
    comments_.push_back(file_.accounts[transaction.postings.back().account] + ": " +
                        std::string(text));
  }
  std::string_view take_posting_comment() {
    const std::size_t first = at_;
    while (!at_line_end()) {
      if (peek() == '"')
        take_string();
      else
        ++at_;
    }
    const std::string_view text = trimmed(text_.substr(first, at_ - first));
    skip_line();
    return text;
  }

  std::string_view text_;
  File& file_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::vector<std::string> pushed_tags_;
  std::vector<std::string> comments_;
};

}  // namespace

void read_beancount(std::string_view text, File& file) { BeancountReader(text, file).run(); }

}  // namespace ledgerflow::exchange
