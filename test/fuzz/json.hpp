// JSON read by its grammar (RFC 8259), a function for each rule, to compare our own with. As everywhere in
// ledgerflow a string holds no \u0000, and every surrogate has its other half.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ledgerflow::fuzz {

class Json {
 public:
  using Members = std::vector<std::pair<std::string, std::string>>;

  // The same text for what means the same: without white space, strings as they are. Nothing if it is none.
  static std::optional<std::string> canonical(std::string_view text) {
    Json json(text);
    std::string out = json.value();
    if (!json.at_end()) return std::nullopt;
    return out;
  }
  // The content of a string.
  static std::optional<std::string> string(std::string_view text) {
    Json json(text);
    std::string out;
    if (json.peek() != '"' || !json.string_into(out) || json.at_ != text.size())
      return std::nullopt;
    return out;
  }
  // The members of an object, their values as they are written; of equal keys the last one.
  static std::optional<Members> members(std::string_view text) {
    Json json(text);
    json.space();
    Members found;
    if (json.peek() != '{') return std::nullopt;
    json.object(&found);
    if (!json.at_end()) return std::nullopt;
    return found;
  }

 private:
  explicit Json(std::string_view text) : text_(text) {}

  bool at_end() {
    space();
    return good_ && at_ == text_.size();
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    const bool is_there = at_ < text_.size() && text_[at_] == c;
    if (is_there) ++at_;
    return is_there;
  }
  void need(bool holds) { good_ = good_ && holds; }
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) < 4) ++at_;
  }

  std::string value() {
    space();
    std::string out;
    if (!good_) return out;
    if (peek() == '{') return object(nullptr);
    if (peek() == '[') return array();
    if (peek() == '"') {
      std::string content;
      need(string_into(content));
      return "\"" + std::to_string(content.size()) + ":" + content;
    }
    for (const std::string_view word : {"true", "false", "null"})
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return std::string(word);
      }
    return number();
  }

  std::string object(Members* members) {
    std::string out = "{";
    take('{');
    space();
    if (take('}')) return out + "}";
    do {
      space();
      std::string key;
      need(peek() == '"' && string_into(key));
      space();
      need(take(':'));
      space();
      const std::size_t first = at_;
      out += std::to_string(key.size()) + ":" + key + "=" + value() + ",";
      if (members != nullptr && good_) {
        for (auto member = members->begin(); member != members->end(); ++member)
          if (member->first == key) {
            members->erase(member);
            break;
          }
        members->emplace_back(key, text_.substr(first, at_ - first));
      }
      space();
    } while (good_ && take(','));
    need(take('}'));
    return out + "}";
  }

  std::string array() {
    std::string out = "[";
    take('[');
    space();
    if (take(']')) return out + "]";
    do {
      out += value() + ",";
      space();
    } while (good_ && take(','));
    need(take(']'));
    return out + "]";
  }

  std::string number() {
    const std::size_t first = at_;
    const auto digits = [&] {
      const std::size_t before = at_;
      while (peek() >= '0' && peek() <= '9') ++at_;
      need(at_ > before);
    };
    take('-');
    if (!take('0')) digits();
    if (take('.')) digits();
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      digits();
    }
    return std::string(text_.substr(first, at_ - first));
  }

  int hex4() {
    int code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const std::size_t digit =
          std::string_view("0123456789abcdef")
              .find(peek() >= 'A' && peek() <= 'F' ? static_cast<char>(peek() - 'A' + 'a')
                                                   : peek());
      if (digit > 15 || at_ >= text_.size()) return -1;
      code = code * 16 + static_cast<int>(digit);
    }
    return code;
  }

  bool string_into(std::string& out) {
    take('"');
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
        continue;
      }
      const char escape = peek();
      ++at_;
      if (escape == 'b')
        out += '\b';
      else if (escape == 'f')
        out += '\f';
      else if (escape == 'n')
        out += '\n';
      else if (escape == 'r')
        out += '\r';
      else if (escape == 't')
        out += '\t';
      else if (escape == '"' || escape == '\\' || escape == '/')
        out += escape;
      else if (escape != 'u' || !unicode_into(out))
        return false;
    }
    return false;
  }

  bool unicode_into(std::string& out) {
    int code = hex4();
    if (code <= 0 || (code >= 0xDC00 && code < 0xE000)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      if (!take('\\') || !take('u')) return false;
      const int low = hex4();
      if (low < 0xDC00 || low >= 0xE000) return false;
      code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
    }
    const int size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static constexpr int leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(leads[size] | code >> (6 * (size - 1)));
    for (int i = size - 2; i >= 0; --i) out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool good_ = true;
};

}  // namespace ledgerflow::fuzz
