// JSON of journals, and what the command `ledgerflow` shows. Our JSON is read as its grammar says and comes
// back from being written; nothing that reaches a terminal steers it; arrays are taken apart as PostgreSQL
// puts them together.
#include "client/command/text.hpp"
#include "core/journal_json.hpp"
#include "fuzz.hpp"
#include "json.hpp"

namespace ledgerflow::fuzz {
namespace {

void json(const std::string& text) {
  const bool is_object = Json::members(text).has_value();
  expect(exchange::is_json_object_text(text) == is_object, "an object is one by the grammar", text);
  expect(exchange::parse_json_string(text) == Json::string(text), "and a string", text);
  if (is_object)
    expect(Json::canonical(exchange::json_in_comment(text)) == Json::canonical(text),
           "in a comment it means the same", text);
  if (text.find('\0') != std::string::npos) return;
  for (const bool in_comment : {false, true}) {
    const std::string written = exchange::json_string(text, in_comment);
    expect(exchange::parse_json_string(written) == text && Json::string(written) == text,
           "a text comes back", written);
    if (in_comment)
      expect(written.find_first_of(":,;[]@()\n\r") == std::string::npos,
             "nothing in it means anything in a comment", written);
  }
}

void shown(const std::string& text) {
  std::size_t width = 0;
  const std::string visible = command::printable(text, &width);
  expect(is_database_text(visible), "what is shown is UTF-8", visible);
  bool is_ascii = true;
  for (const char c : visible) {
    const auto byte = static_cast<unsigned char>(c);
    expect(byte >= 0x20 && byte != 0x7F, "nothing steers a terminal", visible);
    is_ascii = is_ascii && byte < 0x80;
  }
  // C1 control characters are U+0080 to U+009F.
  for (std::size_t at = visible.find('\xC2'); at != std::string::npos;
       at = visible.find('\xC2', at + 1))
    expect(static_cast<unsigned char>(visible[at + 1]) >= 0xA0, "nor in UTF-8", visible);
  if (is_ascii) expect(width == visible.size(), "its width", visible);
  expect(command::printable(visible) == visible, "what is visible stays as it is", visible);

  if (text.find('\0') != std::string::npos) return;
  const auto content = Json::string(command::json_string(text));
  expect(content && is_database_text(*content), "any bytes make a string of JSON", text);
  if (is_database_text(text)) expect(*content == text, "a text comes back", text);
}

// As array_out writes it.
void arrays(Source& source) {
  std::vector<std::string> elements;
  std::string array = "{";
  while (source.remaining_bytes() > 0 && elements.size() < 10) {
    const std::string element = text(source, 12);
    bool quotes =
        element.empty() || (element.size() == 4 && strcasecmp(element.c_str(), "null") == 0);
    std::string escaped;
    for (const char c : element) {
      quotes = quotes || std::string_view("{},\"\\ \t\n\r\v\f").find(c) != std::string_view::npos;
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
    array += (elements.empty() ? "" : ",") + (quotes ? "\"" + escaped + "\"" : escaped);
    elements.push_back(element);
  }
  array += "}";
  expect(command::array_elements(array) == elements, "an array has its elements", array);
}

void wrapped(Source& source) {
  const std::size_t width = source.ConsumeIntegralInRange<std::size_t>(0, 40);
  const std::string words = source.ConsumeRemainingBytesAsString();
  const std::string lines = command::wrapped(words, width);
  std::string joined = lines, spaced = words;
  for (std::string* one : {&joined, &spaced})
    for (char& c : *one) c = c == '\n' ? ' ' : c;
  if (!words.empty() && words.front() != ' ' && words.back() != ' ' &&
      words.find("  ") == std::string::npos)
    expect(joined == spaced, "wrapping loses no word", lines);
  static_cast<void>(command::array_elements(words));
}

}  // namespace
}  // namespace ledgerflow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ledgerflow::fuzz;
  if (size == 0) return 0;
  const std::string text(text_of(data + 1, size - 1));
  Source source(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      json(text);
      break;
    case 1:
      shown(text);
      break;
    case 2:
      arrays(source);
      break;
    default:
      wrapped(source);
  }
  return 0;
}
