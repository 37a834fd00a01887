// As much of JSON as journals need: strings in and out, and whether a text is an object.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ledgerflow::exchange {

// A string of JSON, in quotes. `in_comment` also escapes what hledger and ledger would read in a comment.
std::string json_string(std::string_view text, bool in_comment = false);

// JSON text, its strings escaped in the same way.
std::string json_in_comment(std::string_view json);

// The content of a JSON string; nothing when it is none.
std::optional<std::string> parse_json_string(std::string_view text);

bool is_json_object_text(std::string_view text);

}  // namespace ledgerflow::exchange
