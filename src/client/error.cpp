#include "ledgerflow/error.hpp"

#include <utility>

namespace ledgerflow::client {

struct Error::State {
  ErrorFields fields;
  std::optional<Condition> condition;
  bool connection_usable;
  std::string what;
};

namespace {

std::string describe(const ErrorFields& fields, std::optional<Condition> condition) {
  std::string text = fields.sqlstate;
  if (condition) text.append(" ").append(info(*condition).name);
  text.append(": ").append(fields.message);
  if (!fields.detail.empty()) text.append("\nDETAIL: ").append(fields.detail);
  if (!fields.hint.empty()) text.append("\nHINT: ").append(fields.hint);
  return text;
}

}  // namespace

Error::Error(ErrorFields fields, bool connection_usable) {
  const auto condition = condition_from_sqlstate(fields.sqlstate);
  std::string what = describe(fields, condition);
  state_ = std::make_shared<const State>(
      State{std::move(fields), condition, connection_usable, std::move(what)});
}

const char* Error::what() const noexcept { return state_->what.c_str(); }
const std::string& Error::sqlstate() const noexcept { return state_->fields.sqlstate; }
const std::string& Error::message() const noexcept { return state_->fields.message; }
const std::string& Error::detail() const noexcept { return state_->fields.detail; }
const std::string& Error::hint() const noexcept { return state_->fields.hint; }
std::optional<Condition> Error::condition() const noexcept { return state_->condition; }
bool Error::connection_usable() const noexcept { return state_->connection_usable; }

ConnectionError::ConnectionError(ErrorFields fields, bool outcome_unknown)
    : Error(std::move(fields), false), outcome_unknown_(outcome_unknown) {}

// Out of line, so that each class has its one vtable and type information in the library.
Error::~Error() = default;
Refused::~Refused() = default;
ConnectionError::~ConnectionError() = default;
ExtensionMissing::~ExtensionMissing() = default;
ExtensionOutdated::~ExtensionOutdated() = default;
TransactionConflict::~TransactionConflict() = default;
SerializationFailure::~SerializationFailure() = default;
Deadlock::~Deadlock() = default;

}  // namespace ledgerflow::client
