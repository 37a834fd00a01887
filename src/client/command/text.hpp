// Texts for terminals and for JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ledgerflow::command {

// The text with control characters and bytes that are no UTF-8 made visible (\n, \x1b), so that what
// somebody has written into a description does not steer the terminal of who reads it. Tells the
// columns that it takes.
std::string printable(std::string_view text, std::size_t* width = nullptr);

// A JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

// The elements of a one-dimensional array as PostgreSQL writes it: {a,"b c"}.
std::vector<std::string> array_elements(std::string_view array);

// The parts with a separator between them.
std::string joined(const std::vector<std::string>& parts, const char* separator);

// The text in lines of at most so many bytes, broken at spaces.
std::string wrapped(const std::string& text, std::size_t width);

}  // namespace ledgerflow::command
