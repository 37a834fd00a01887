// What posting, holding, capturing and reversing have in common on the command line.
#pragma once

#include "command.hpp"

namespace ledgerflow::command {

// --debit ACCOUNT=AMOUNT and --credit ACCOUNT=AMOUNT, any number of them.
Command& with_lines(Command& command);
bool has_lines(const Command& given);

// --idempotency-key. A request under a key can be sent again when the connection breaks.
Command& with_key(Command& command);

// What can be said about a posting besides its money: reference, description, effective time,
// metadata, and a key; of a posting that is no capture the expected version too.
enum class RemarkKind : unsigned char { posting, capture };
Command& with_remarks(Command& command, RemarkKind kind = RemarkKind::posting);

// Adds a call of a function, with the lines that were given and with a key: where the caller has none
// one is made, so that the request can be sent again.
void add_request(Context& context, Sql& sql, const std::string& function,
                 std::vector<NamedValue> more = {});

// Adds the same, and runs it: the answer is the id, under this name; with --dry-run the lines of
// what would have been posted.
int post_request(Context& context, const std::string& function, const char* id_name,
                 std::vector<NamedValue> more = {});

}  // namespace ledgerflow::command
