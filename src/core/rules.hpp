// The rules of double entry, account by account and line by line. No store, no database.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/ledger.hpp"

namespace ledgerflow {

// An account code: 1 to 255 bytes; segments of ASCII letters, digits and _ - . @ + / joined by ':'.
// Only ASCII: two codes that look alike are alike.
bool is_account_code(std::string_view code);

// A text of the caller cut short for a message; the same in quotes.
std::string shortened(std::string_view text);
std::string quoted(std::string_view text);

// "2026-11-21 12:00:00.000000+00"
std::string format_time(std::int64_t unix_micros);

// "125.00 USD"
std::string money(Units units, const Account& account);

// The right error for an amount that could not be read, or is not one that can be posted.
[[noreturn]] void refuse_amount(AmountStatus status, std::string_view text,
                                std::string_view currency, int scale);
void check_postable(Units units, const Account& account);

// Key, reference, texts: their lengths.
void check_texts(const Posting& posting);

// The lines of one transaction by themselves: how many, two accounts at least, zero sum per currency.
std::optional<Refusal> check_lines(const Line* lines, std::size_t count);

// Whether the account takes a line in this direction at all (frozen, closed).
std::optional<Refusal> check_status(const Balance& balance, bool debit);

// The same for what is pending.
[[nodiscard]] bool reserve_amount(Balance& balance, Units amount);

// Adds a line to the account's totals; false when a total leaves 38 digits.
[[nodiscard]] bool apply_amount(Balance& balance, Units amount);

// Whether an account that went from `before` to `after` stays within its limits. A change that takes it
// closer to a limit that is broken already is allowed.
std::optional<Refusal> check_limits(const Balance& before, const Balance& after);

// Whether limits can be given to an account that stands where it stands.
std::optional<Refusal> check_new_limits(const Balance& balance);

// The first field in which a request differs from what was stored under its key.
std::optional<Refusal> compare_with_stored(const Posting& posting, const Line* lines,
                                           const StoredTransaction& stored, class Store& store);

}  // namespace ledgerflow
