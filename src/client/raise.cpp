#include "raise.hpp"

#include <string_view>
#include <utility>

namespace ledgerflow::client {

namespace {

constexpr std::string_view refusal_class = "LF";

std::string field(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? std::string() : std::string(value);
}

[[noreturn]] void throw_refused(Condition condition, ErrorFields fields) {
  switch (condition) {
#define LEDGER_ERROR(name, sqlstate, meaning, remedy) \
  case Condition::name:                               \
    throw RefusedFor<Condition::name>(std::move(fields), true);
#include "ledgerflow/errors.def"
#undef LEDGER_ERROR
  }
  throw Refused(std::move(fields), true);
}

// 57P01, 57P02, 57P03: the server ends the session, has crashed, or is not up.
bool ends_session(std::string_view state) {
  return state.substr(0, 2) == "08" || state == "57P01" || state == "57P02" || state == "57P03";
}

}  // namespace

std::string trimmed(const char* message) {
  std::string_view text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

void raise_refused(Condition condition, std::string message, std::string detail, std::string hint) {
  const ConditionInfo& line = info(condition);
  ErrorFields fields{line.sqlstate, std::move(message), std::move(detail), std::move(hint)};
  if (fields.hint.empty()) fields.hint = line.remedy;
  throw_refused(condition, std::move(fields));
}

void raise_failed(const PGconn* connection, const PGresult* result, bool committing) {
  const bool usable = PQstatus(connection) == CONNECTION_OK;
  ErrorFields fields{field(result, PG_DIAG_SQLSTATE), field(result, PG_DIAG_MESSAGE_PRIMARY),
                     field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT)};
  if (fields.message.empty()) {
    fields.message =
        trimmed(result == nullptr ? PQerrorMessage(connection) : PQresultErrorMessage(result));
    if (fields.message.empty()) fields.message = "the connection failed without a message";
  }
  if (fields.sqlstate.empty())
    fields.sqlstate = usable ? sqlstate::internal_error : sqlstate::connection_failure;

  if (!usable || ends_session(fields.sqlstate))
    throw ConnectionError(std::move(fields), committing);
  if (fields.sqlstate == sqlstate::serialization_failure)
    throw SerializationFailure(std::move(fields), usable);
  if (fields.sqlstate == sqlstate::deadlock_detected) throw Deadlock(std::move(fields), usable);
  if (fields.sqlstate.compare(0, refusal_class.size(), refusal_class) == 0) {
    if (const auto condition = condition_from_sqlstate(fields.sqlstate))
      throw_refused(*condition, std::move(fields));
    throw Refused(std::move(fields), usable);
  }
  throw Error(std::move(fields), usable);
}

void raise_not_connected(const PGconn* connection) {
  const std::string message =
      connection == nullptr ? "out of memory" : trimmed(PQerrorMessage(connection));
  throw ConnectionError({sqlstate::cannot_connect, message, {}, {}}, false);
}

void raise_protocol(std::string message) {
  throw Error({sqlstate::protocol_violation, std::move(message), {}, {}}, true);
}

void raise_outdated(std::string message, bool connection_usable) {
  throw ExtensionOutdated({sqlstate::undefined_function,
                           std::move(message),
                           {},
                           "Install its newer version and run ALTER EXTENSION ledgerflow UPDATE."},
                          connection_usable);
}

}  // namespace ledgerflow::client
