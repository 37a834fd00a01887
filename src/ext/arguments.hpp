// The arguments that the functions which post have in common.
#pragma once

#include "ext/datums.hpp"
#include "ext/session.hpp"

namespace ledgerflow {

// One line as it was sent: nothing of it is checked yet.
struct LineArgument {
  std::optional<std::string_view> account;
  std::optional<Datum> amount;
};

// Key, reference, description, effective_at, metadata, expected_version: arguments `first` to first + 5
// of every form of ledger_post. Call it while nothing with a destructor is alive.
Posting posting_arguments(FunctionCallInfo fcinfo, int first);

// Metadata, refused when it is not an object.
std::optional<std::string_view> metadata_argument(FunctionCallInfo fcinfo, int number);

// An array of ledger_line; NULL is no lines. Refuses more than a transaction can have.
std::vector<LineArgument> line_arguments(FunctionCallInfo fcinfo, int number);

// A code that could be an account's, or the error that it is none.
std::string_view checked_code(const std::optional<std::string_view>& code);

// The lines of a posting: a debit and a credit of one positive amount, or signed amounts.
std::vector<Line> transfer_lines(const Account& debit, const Account& credit,
                                 const std::optional<Datum>& amount);
std::vector<Line> transfer_lines(Ledger& ledger, const std::optional<std::string_view>& debit,
                                 const std::optional<std::string_view>& credit,
                                 const std::optional<Datum>& amount);
std::vector<Line> resolved_lines(Ledger& ledger, const std::vector<LineArgument>& arguments);

}  // namespace ledgerflow
