// The conditions on which the ledger refuses a request, from the same table as the extension's.
#pragma once

#include <optional>
#include <string_view>

#include "ledgerflow/export.hpp"

namespace ledgerflow::client {

namespace internal {

/// The number in a SQLSTATE of class LF: 40 for LF040.
constexpr unsigned short condition_number(const char (&sqlstate)[6]) {
  return static_cast<unsigned short>((sqlstate[2] - '0') * 100 + (sqlstate[3] - '0') * 10 +
                                     (sqlstate[4] - '0'));
}

}  // namespace internal

/// Why a request was refused; one enumerator for each line of errors.def. The values come from the
/// SQLSTATEs, so that they stay when lines are added.
enum class Condition : unsigned short {
#define LEDGER_ERROR(name, sqlstate, meaning, remedy) name = internal::condition_number(sqlstate),
#include "ledgerflow/errors.def"
#undef LEDGER_ERROR
};

/// What is to be known about a condition. A released name or SQLSTATE never changes its meaning.
struct ConditionInfo {
  Condition condition;   ///< the condition itself
  const char* name;      ///< as in `insufficient_balance`
  const char* sqlstate;  ///< five characters, class LF
  const char* meaning;   ///< one sentence
  const char* remedy;    ///< what to do about it
};

/// The table's line of a condition. The value must be an enumerator.
LEDGERFLOW_CLIENT_API const ConditionInfo& info(Condition condition) noexcept;

/// The condition of a SQLSTATE; nothing when this version of the library does not know it as one.
LEDGERFLOW_CLIENT_API std::optional<Condition> condition_from_sqlstate(
    std::string_view sqlstate) noexcept;

/// The condition of a name, as in `insufficient_balance`; nothing when there is none.
LEDGERFLOW_CLIENT_API std::optional<Condition> condition_from_name(std::string_view name) noexcept;

}  // namespace ledgerflow::client
