// The conditions of errors.def as C++: what a refusal is, and the exception that carries one.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ledgerflow {

// One enumerator for each line of errors.def, in its order.
enum class Condition : unsigned char {
#define LEDGER_ERROR(name, sqlstate, meaning, remedy) name,
#include "core/errors.def"
#undef LEDGER_ERROR
};

struct ConditionInfo {
  const char* name;      // stable, as in `insufficient_balance`
  const char* sqlstate;  // five characters, class LF
  const char* meaning;
  const char* remedy;  // the default HINT
};

inline constexpr ConditionInfo condition_table[] = {
#define LEDGER_ERROR(name, sqlstate, meaning, remedy) {#name, sqlstate, meaning, remedy},
#include "core/errors.def"
#undef LEDGER_ERROR
};

inline constexpr std::size_t condition_count = sizeof(condition_table) / sizeof(condition_table[0]);

constexpr const ConditionInfo& info(Condition condition) {
  return condition_table[static_cast<std::size_t>(condition)];
}

// The condition of a SQLSTATE, or nothing when it is not one of ours.
inline std::optional<Condition> condition_from_sqlstate(std::string_view sqlstate) {
  for (std::size_t i = 0; i < condition_count; ++i)
    if (sqlstate == condition_table[i].sqlstate) return static_cast<Condition>(i);
  return std::nullopt;
}

// Why a request was refused. `message` names the thing; figures stand in `detail` only, because the
// extension shows them just to those who may read the ledger.
struct Refusal {
  Condition condition;
  std::string message;
  std::string detail;
  std::string hint;  // empty: the remedy of the condition
};

class Error : public std::exception {
 public:
  explicit Error(Refusal refusal) : refusal_(std::move(refusal)) {}
  Error(Condition condition, std::string message, std::string detail = {}, std::string hint = {})
      : refusal_{condition, std::move(message), std::move(detail), std::move(hint)} {}

  const char* what() const noexcept override { return refusal_.message.c_str(); }
  const Refusal& refusal() const noexcept { return refusal_; }

 private:
  Refusal refusal_;
};

}  // namespace ledgerflow
