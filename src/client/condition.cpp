#include "ledgerflow/condition.hpp"

#include <cstdlib>

namespace ledgerflow::client {

namespace {

constexpr ConditionInfo table[] = {
#define LEDGER_ERROR(name, sqlstate, meaning, remedy) \
  {Condition::name, #name, sqlstate, meaning, remedy},
#include "ledgerflow/errors.def"
#undef LEDGER_ERROR
};

}  // namespace

const ConditionInfo& info(Condition condition) noexcept {
  for (const ConditionInfo& line : table)
    if (line.condition == condition) return line;
  std::abort();  // no value of the enumeration
}

std::optional<Condition> condition_from_sqlstate(std::string_view sqlstate) noexcept {
  for (const ConditionInfo& line : table)
    if (sqlstate == line.sqlstate) return line.condition;
  return std::nullopt;
}

std::optional<Condition> condition_from_name(std::string_view name) noexcept {
  for (const ConditionInfo& line : table)
    if (name == line.name) return line.condition;
  return std::nullopt;
}

}  // namespace ledgerflow::client
