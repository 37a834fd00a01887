// Journals of hledger and ledger, which have most of their syntax in common.
#include "core/plain_amounts.hpp"

namespace ledgerflow::exchange {

namespace {

// Account names hold single spaces: two, or a tab, end one.
std::string_view take_name(std::string_view& rest) {
  std::size_t end = 0;
  while (end < rest.size() && rest[end] != '\t' && rest.substr(end, 2) != "  ") ++end;
  const std::string_view name = trimmed(rest.substr(0, end));
  rest = trimmed(rest.substr(end));
  return name;
}

// Cuts a comment off the end of a text, outside of quotes.
std::string_view cut_comment(std::string_view& text) {
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_quotes = !in_quotes;
    if (text[i] != ';' || in_quotes) continue;
    const std::string_view comment = trimmed(text.substr(i + 1));
    text = trimmed(text.substr(0, i));
    return comment;
  }
  return {};
}

// hledger's words and letters for types of accounts.
std::string_view type_of_word(std::string_view word) {
  const std::string type = lowered(word);
  if (type == "a" || type == "asset" || type == "c" || type == "cash") return "asset";
  if (type == "l" || type == "liability") return "liability";
  if (type == "e" || type == "equity" || type == "v" || type == "conversion") return "equity";
  if (type == "r" || type == "revenue" || type == "income") return "income";
  if (type == "x" || type == "expense") return "expense";
  return {};
}

class PlainReader {
 public:
  PlainReader(std::string_view text, File& file)
      : lines_(text), file_(file), amounts_(file.commodities) {}

  void run() {
    bool ended = false;
    while (lines_.next()) {
      const std::string_view line = lines_.text();
      const std::string_view text = trimmed(line);
      if (lines_.number() == 1) file_.exported = starts_with(line, file_mark);
      if (in_comment_block_) {
        in_comment_block_ = text != "end comment" && text != "end test";
        continue;
      }
      if (text.empty()) {
        end_block();
      } else if (is_space(line[0])) {
        read_indented(text);
      } else {
        end_block();
        ended = starts_with(line, end_mark);
        read_directive(line);
      }
    }
    end_block();
    file_.lines = lines_.number();
    if (file_.exported && !ended)
      refuse_line(lines_.number(), "the file was cut short: its last line is missing");
  }

 private:
  enum class Block : unsigned char { none, ignored, transaction, account, commodity };

  std::size_t line() const { return lines_.number(); }

  void end_block() {
    if (block_ == Block::transaction) {
      FileTransaction& transaction = file_.transactions.back();
      if (transaction.postings.empty())
        refuse_line(transaction.line, "a transaction without postings");
      tags_.give(file_.exported, transaction);
      if (!comments_.empty()) transaction.metadata.add_json("comments", "[" + comments_ + "]");
    } else if (block_ == Block::account) {
      tags_.give(file_.exported, file_.declared.back());
    } else if (block_ == Block::commodity) {
      tags_.give(file_.exported, file_.declared_commodities.back());
    }
    block_ = Block::none;
    tags_.clear();
    comments_.clear();
  }

  void read_directive(std::string_view text) {
    if (std::string_view(";#*%|").find(text[0]) != std::string_view::npos) return;
    if (is_digit(text[0])) return read_transaction(text);
    if (text[0] == '~' || text[0] == '=')
      refuse_line(line(), "periodic and automated transactions cannot be imported", text,
                  "Have hledger write them out: hledger print --auto --forecast");
    std::string_view rest = text;
    const std::string_view word = take_word(rest);
    if (word == "account") return declare_account(rest);
    if (word == "commodity") return declare_commodity(rest);
    if (word == "comment" || word == "test") {
      in_comment_block_ = true;
    } else if (word == "D") {
      cut_comment(rest);
      amounts_.set_default(rest, line());
    } else if (word == "decimal-mark" && (rest == "." || rest == ",")) {
      amounts_.set_point(rest[0]);
    } else if (word == "P" || word == "N" || word == "tag" || word == "payee") {
      block_ = Block::ignored;  // prices and lists of names post nothing
    } else {
      refuse_line(line(), "cannot be read", text,
                  "Have hledger write the journal out plainly: hledger print");
    }
  }

  void declare_account(std::string_view rest) {
    const std::string_view comment = cut_comment(rest);
    FileAccount account;
    account.line = line();
    account.name = file_.accounts.index(take_name(rest));
    if (!rest.empty() || file_.accounts[account.name].empty())
      refuse_line(line(), "not an account's name", lines_.text());
    file_.declared.push_back(std::move(account));
    block_ = Block::account;
    if (!comment.empty()) read_comment(comment);
  }

  void declare_commodity(std::string_view rest) {
    const std::string_view comment = cut_comment(rest);
    file_.declared_commodities.push_back(amounts_.declare(rest, line()));
    block_ = Block::commodity;
    if (!comment.empty()) read_comment(comment);
  }

  void read_indented(std::string_view text) {
    if (text[0] == ';' || (text[0] == '#' && block_ != Block::transaction))
      return read_comment(trimmed(text.substr(1)));
    switch (block_) {
      case Block::transaction:
        return read_posting(text);
      case Block::account:
      case Block::commodity:
        return read_subdirective(text);
      case Block::ignored:
        return;
      default:
        refuse_line(line(), "an indented line that belongs to nothing", text);
    }
  }

  void read_subdirective(std::string_view text) {
    std::string_view rest = text;
    const std::string_view word = take_word(rest);
    if (word == "format" && block_ == Block::commodity) {
      cut_comment(rest);
      FileCommodity& commodity = file_.declared_commodities.back();
      const FileCommodity format = amounts_.declare(rest, line());
      if (format.name != commodity.name) refuse_line(line(), "a format of another commodity", text);
      commodity.decimals = format.decimals;
    } else if (word == "note" && block_ == Block::account) {
      tags_.add({"note", std::string(rest), false});
    } else if (word != "note" && word != "nomarket" && word != "default" && word != "payee" &&
               word != "check" && word != "assert" && word != "eval") {
      refuse_line(line(), "cannot be read", text);
    }
  }

  void read_transaction(std::string_view text) {
    FileTransaction transaction;
    transaction.line = line();
    std::string_view rest = text;
    const auto date = take_date(rest, line());
    if (!date)
      refuse_line(line(), "not a date", text, "A date is written with its year: 2024-01-31.");
    transaction.date = *date;
    if (!rest.empty() && rest[0] == '=') {
      rest.remove_prefix(1);
      const std::string_view second = rest;
      if (!take_date(rest, line())) refuse_line(line(), "not a date", text);
      transaction.metadata.add_text("date2", second.substr(0, second.size() - rest.size()));
    }
    if (!rest.empty() && !is_space(rest[0])) refuse_line(line(), "not a date", text);
    rest = trimmed(rest);
    if (!rest.empty() && (rest[0] == '*' || rest[0] == '!')) {
      if (rest[0] == '!') transaction.metadata.add_text("flag", "!");
      rest = trimmed(rest.substr(1));
    }
    const std::size_t code_end = rest.find(')');
    if (!rest.empty() && rest[0] == '(' && code_end != std::string_view::npos) {
      if (code_end > 1) transaction.metadata.add_text("code", rest.substr(1, code_end - 1));
      rest = trimmed(rest.substr(code_end + 1));
    }
    const std::string_view comment = cut_header_comment(rest);
    if (!rest.empty()) transaction.description = rest;
    file_.transactions.push_back(std::move(transaction));
    block_ = Block::transaction;
    if (!comment.empty()) read_comment(comment);
  }

  // ledger wants two spaces or a tab before it.
  std::string_view cut_header_comment(std::string_view& rest) const {
    std::size_t at = rest.find(';');
    while (file_.format == Format::ledger && at != std::string_view::npos && at > 0 &&
           rest[at - 1] != '\t' && (at < 2 || rest.substr(at - 2, 2) != "  "))
      at = rest.find(';', at + 1);
    if (at == std::string_view::npos) return {};
    const std::string_view comment = trimmed(rest.substr(at + 1));
    rest = trimmed(rest.substr(0, at));
    return comment;
  }

  void read_posting(std::string_view text) {
    std::string_view rest = text;
    const std::string_view comment = cut_comment(rest);
    if (rest.size() > 1 && (rest[0] == '*' || rest[0] == '!') && is_space(rest[1]))
      rest = trimmed(rest.substr(1));
    if (rest.empty() || rest[0] == '(' || rest[0] == '[')
      refuse_line(line(), "virtual postings are not part of double entry", text);
    FilePosting posting;
    posting.line = line();
    posting.account = file_.accounts.index(take_name(rest));
    if (!rest.empty() && rest[0] != '=') posting.amount = amounts_.take(rest, line());
    rest = trimmed(rest);
    if (!rest.empty() && rest[0] == '@') posting.price = take_price(rest);
    if (!rest.empty() && rest[0] == '=') posting.assertion = take_assertion(rest, posting);
    if (!rest.empty() && (rest[0] == '{' || rest[0] == '['))
      refuse_line(line(), "lots cannot be imported", text,
                  "Write what the amount is worth: 10 AAPL @ 50 USD");
    if (!rest.empty()) refuse_line(line(), "cannot be read as an amount", text);
    if (!posting.amount && file_.exported) refuse_line(line(), "the amount is missing", text);
    file_.transactions.back().postings.push_back(posting);
    if (!comment.empty())
      add_comment(file_.accounts[posting.account] + ": " + std::string(comment));
  }

  Price take_price(std::string_view& rest) {
    Price price;
    rest.remove_prefix(1);
    price.total = !rest.empty() && rest[0] == '@';
    if (price.total) rest.remove_prefix(1);
    price.amount = amounts_.take(rest, line());
    rest = trimmed(rest);
    return price;
  }

  Assertion take_assertion(std::string_view& rest, const FilePosting& posting) {
    if (!posting.amount)
      refuse_line(line(), "a posting whose amount is told by a balance cannot be imported",
                  lines_.text(), "Have hledger write the amounts out: hledger print --explicit");
    while (!rest.empty() && rest[0] == '=') rest.remove_prefix(1);
    Assertion assertion;
    assertion.line = line();
    assertion.account = posting.account;
    assertion.with_subaccounts = !rest.empty() && rest[0] == '*';
    if (assertion.with_subaccounts) rest.remove_prefix(1);
    assertion.amount = amounts_.take(rest, line());
    rest = trimmed(rest);
    if (!rest.empty() && rest[0] == '@') take_price(rest);
    return assertion;
  }

  // Comments are tags, or text that is kept.
  void read_comment(std::string_view comment) {
    if (comment.empty() || block_ == Block::none || block_ == Block::ignored) return;
    if (file_.exported) {
      if (auto tag = parse_tag(comment))
        tags_.add(std::move(*tag));
      else
        add_comment(comment);
    } else if (block_ == Block::transaction && !file_.transactions.back().postings.empty()) {
      add_comment(file_.accounts[file_.transactions.back().postings.back().account] + ": " +
                  std::string(comment));
    } else if (!(file_.format == Format::ledger ? read_ledger_tags(comment)
                                                : read_hledger_tags(comment))) {
      add_comment(comment);
    }
  }

  // `:shop:food:`, or `Key: value`.
  bool read_ledger_tags(std::string_view comment) {
    if (block_ == Block::transaction && comment.size() > 2 && comment[0] == ':' &&
        comment.back() == ':' && comment.find_first_of(" \t") == std::string_view::npos) {
      std::string list;
      for (std::size_t at = 1; at < comment.size();) {
        const std::size_t end = comment.find(':', at);
        list += (list.empty() ? "" : ", ") + json_string(comment.substr(at, end - at));
        at = end + 1;
      }
      file_.transactions.back().metadata.add_json("tags", "[" + list + "]");
      return true;
    }
    auto tag = parse_tag(comment);
    if (!tag || starts_with(comment.substr(comment.find(':') + 1), ":")) return false;
    tags_.add(std::move(*tag));
    return true;
  }

  // `shop:market, trip:` and so on, all of them tags.
  bool read_hledger_tags(std::string_view comment) {
    std::vector<Tag> found;
    while (!comment.empty()) {
      const std::size_t end = comment.find(',');
      auto tag = parse_tag(trimmed(comment.substr(0, end)));
      if (!tag) return false;
      found.push_back(std::move(*tag));
      comment = end == std::string_view::npos ? std::string_view() : comment.substr(end + 1);
    }
    for (Tag& tag : found) {
      if (block_ == Block::account && tag.key == "type")
        file_.declared.back().type = type_of_word(tag.value);
      else
        tags_.add(std::move(tag));
    }
    return true;
  }

  void add_comment(std::string_view comment) {
    comments_ += (comments_.empty() ? "" : ", ") + json_string(comment);
  }

  Lines lines_;
  File& file_;
  AmountReader amounts_;
  Block block_ = Block::none;
  bool in_comment_block_ = false;
  Tags tags_;
  std::string comments_;
};

}  // namespace

void read_plain_text(std::string_view text, File& file) { PlainReader(text, file).run(); }

}  // namespace ledgerflow::exchange
