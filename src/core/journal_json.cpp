#include "core/journal_json.hpp"

#include <cstdint>

namespace ledgerflow::exchange {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

// What starts a tag, ends one, or looks like a date in a comment of hledger's and ledger's.
constexpr bool means_something_in_comment(char c) {
  return c == ':' || c == ',' || c == ';' || c == '[' || c == ']' || c == '@' || c == '(' ||
         c == ')';
}

void append_escaped(std::string& out, char c) {
  out += "\\u00";
  out.push_back(hex_digits[static_cast<unsigned char>(c) >> 4U]);
  out.push_back(hex_digits[static_cast<unsigned char>(c) & 15U]);
}

std::optional<unsigned> parse_hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<unsigned>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<unsigned>(c - 'A') + 10;
    else
      return std::nullopt;
    value = value * 16 + digit;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80U | (code >> shift & 0x3FU)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0U | code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | code >> 12U));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0U | code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Reads the four digits after \u, and the second half of a surrogate pair; false when they are none.
bool parse_unicode(std::string_view text, std::size_t& at, std::string& out) {
  const auto first = parse_hex4(text.substr(at));
  if (!first || *first == 0) return false;  // a text of PostgreSQL has no zero byte
  at += 4;
  std::uint32_t code = *first;
  if (code >= 0xDC00 && code < 0xE000) return false;
  if (code >= 0xD800 && code < 0xDC00) {
    if (text.substr(at, 2) != "\\u") return false;
    const auto second = parse_hex4(text.substr(at + 2));
    if (!second || *second < 0xDC00 || *second >= 0xE000) return false;
    at += 6;
    code = 0x10000 + ((code - 0xD800) << 10U) + (*second - 0xDC00);
  }
  append_utf8(out, code);
  return true;
}

// The end of the string that starts at `at`, after its closing quote, or npos.
std::size_t string_end(std::string_view text, std::size_t at, std::string& out) {
  if (at >= text.size() || text[at] != '"') return std::string_view::npos;
  for (++at; at < text.size();) {
    const char c = text[at++];
    if (c == '"') return at;
    if (static_cast<unsigned char>(c) < 0x20) return std::string_view::npos;
    if (c != '\\') {
      out.push_back(c);
      continue;
    }
    if (at == text.size()) return std::string_view::npos;
    const char escape = text[at++];
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t known = letters.find(escape);
    if (known != std::string_view::npos)
      out.push_back(meanings[known]);
    else if (escape != 'u' || !parse_unicode(text, at, out))
      return std::string_view::npos;
  }
  return std::string_view::npos;
}

// Checks JSON without recursion: `open_` holds the brackets that are to be closed.
class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  bool object() {
    skip_space();
    if (peek() != '{') return false;
    bool just_opened = false;
    do {
      skip_space();
      if (just_opened && take(open_.back())) {
        open_.pop_back();
        just_opened = false;
      } else {
        if (!open_.empty() && open_.back() == '}' && !key()) return false;
        skip_space();
        just_opened = take('{') || take('[');
        if (just_opened) {
          open_.push_back(text_[at_ - 1] == '{' ? '}' : ']');
          continue;
        }
        if (!scalar()) return false;
      }
      // After a value: the ends of what surrounds it, or a comma.
      skip_space();
      while (!open_.empty() && take(open_.back())) {
        open_.pop_back();
        skip_space();
      }
      if (!open_.empty() && !take(',')) return false;
    } while (!open_.empty());
    return at_ == text_.size();
  }

 private:
  bool key() {
    std::string ignored;
    const std::size_t end = string_end(text_, at_, ignored);
    if (end == std::string_view::npos) return false;
    at_ = end;
    skip_space();
    return take(':');
  }

  bool scalar() {
    std::string ignored;
    if (peek() == '"') {
      at_ = string_end(text_, at_, ignored);
      return at_ != std::string_view::npos;
    }
    for (const std::string_view word : {"true", "false", "null"})
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return true;
      }
    return number();
  }

  bool number() {
    take('-');
    const std::size_t whole = at_;
    if (!digits() || (text_[whole] == '0' && at_ > whole + 1)) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  bool digits() {
    const std::size_t first = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > first;
  }

  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;
};

}  // namespace

std::string json_string(std::string_view text, bool in_comment) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
               (in_comment && means_something_in_comment(c))) {
      append_escaped(out, c);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

std::string json_in_comment(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\' && i + 1 < json.size()) {
      out.push_back(c);
      out.push_back(json[++i]);
    } else if (c == '"') {
      in_string = !in_string;
      out.push_back(c);
    } else if (in_string && means_something_in_comment(c)) {
      append_escaped(out, c);
    } else {
      out.push_back(c);
      // ledger would read [2024...] as a date.
      if (c == '[') out.push_back(' ');
    }
  }
  return out;
}

std::optional<std::string> parse_json_string(std::string_view text) {
  std::string out;
  if (string_end(text, 0, out) != text.size()) return std::nullopt;
  return out;
}

bool is_json_object_text(std::string_view text) { return Checker(text).object(); }

}  // namespace ledgerflow::exchange
