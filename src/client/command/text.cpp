#include "text.hpp"

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cwchar>

namespace ledgerflow::command {

namespace {

struct Character {
  wchar_t code;
  std::size_t size;  // bytes; zero when there is no UTF-8
};

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

Character character_at(std::string_view text, std::size_t at) {
  constexpr unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};  // of so many bytes
  const unsigned lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {static_cast<wchar_t>(lead), 1};
  const std::size_t size = lead >= 0xf8 || lead < 0xc0 ? 0
                           : lead >= 0xf0              ? 4
                           : lead >= 0xe0              ? 3
                                                       : 2;
  if (size == 0) return {0, 0};
  unsigned code = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (!continues(text, at + i)) return {0, 0};
    code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
  }
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < smallest[size] || code > 0x10ffff || is_surrogate) return {0, 0};
  return {static_cast<wchar_t>(code), size};
}

void append_escaped(std::string& out, unsigned char byte) {
  char escape[8];
  std::snprintf(escape, sizeof escape, "\\x%02x", byte);
  out += escape;
}

}  // namespace

std::string printable(std::string_view text, std::size_t* width) {
  // wcwidth needs a UTF-8 locale, whatever the user's own is.
  static const char* const has_locale = std::setlocale(LC_CTYPE, "C.UTF-8");
  std::string out;
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    const int wide = character.size == 0 || character.code < 0x20 ? -1
                     : character.size == 1 || has_locale == nullptr
                         ? (character.code == 0x7f ? -1 : 1)
                         : ::wcwidth(character.code);
    if (wide >= 0) {
      out.append(text, at, character.size);
      columns += static_cast<std::size_t>(wide);
      at += character.size;
      continue;
    }
    const std::size_t before = out.size();
    const std::size_t size = character.size == 0 ? 1 : character.size;
    if (character.code == '\n' && character.size == 1)
      out += "\\n";
    else
      for (std::size_t i = 0; i < size; ++i)
        append_escaped(out, static_cast<unsigned char>(text[at + i]));
    columns += out.size() - before;
    at += size;
  }
  if (width != nullptr) *width = columns;
  return out;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.size == 0) {
      out += "\xef\xbf\xbd";
      ++at;
      continue;
    }
    if (character.code == '"' || character.code == '\\') {
      out += '\\';
      out += text[at];
    } else if (character.code == '\n') {
      out += "\\n";
    } else if (character.code < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(character.code));
      out += escape;
    } else {
      out.append(text, at, character.size);
    }
    at += character.size;
  }
  return out + '"';
}

std::vector<std::string> array_elements(std::string_view array) {
  std::vector<std::string> elements;
  if (array.size() < 2 || array == "{}") return elements;
  array = array.substr(1, array.size() - 2);
  std::string element;
  bool is_quoted = false;
  for (std::size_t at = 0; at < array.size(); ++at) {
    const char c = array[at];
    if (c == '\\' && at + 1 < array.size()) {
      element += array[++at];
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      elements.push_back(std::move(element));
      element.clear();
    } else {
      element += c;
    }
  }
  elements.push_back(std::move(element));
  return elements;
}

std::string joined(const std::vector<std::string>& parts, const char* separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) text += separator;
    text += part;
  }
  return text;
}

std::string wrapped(const std::string& text, std::size_t width) {
  std::string out;
  std::size_t line = 0;  // where it begins in `out`
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (out.size() > line && out.size() - line + 1 + (end - at) > width) {
      out += '\n';
      line = out.size();
    } else if (out.size() > line) {
      out += ' ';
    }
    out.append(text, at, end - at);
    at = end + 1;
  }
  return out;
}

}  // namespace ledgerflow::command
