#include "failure.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ledgerflow/error.hpp>

#include "text.hpp"

namespace ledgerflow::command {

namespace {

struct Failure {
  int code;
  client::ErrorFields fields;  // without a SQLSTATE when it is no server's or ledger's
  std::string condition;
};

// Class 22 is what PostgreSQL says of a time, id or JSON that it cannot read.
int code_of(const client::Error& error) {
  if (dynamic_cast<const client::Refused*>(&error) != nullptr) return exit_code::refused;
  return error.sqlstate().compare(0, 2, "22") == 0 ? exit_code::usage : exit_code::server;
}

std::string hint_of(const client::Error& error) {
  if (!error.hint().empty()) return error.hint();
  const auto* connection = dynamic_cast<const client::ConnectionError*>(&error);
  if (connection != nullptr && connection->outcome_unknown())
    return "Nobody knows whether it was done. Look, or repeat it under the same idempotency key.";
  if (error.sqlstate() == "42883")
    return "The ledgerflow in the database may be older than this command: ALTER EXTENSION "
           "ledgerflow UPDATE.";
  return {};
}

Failure failure_of(const std::exception& error) {
  if (const auto* known = dynamic_cast<const client::Error*>(&error)) {
    const auto condition = known->condition();
    return {code_of(*known),
            {known->sqlstate(), known->message(), known->detail(), hint_of(*known)},
            condition ? client::info(*condition).name : ""};
  }
  const client::ErrorFields fields{{}, error.what(), {}, {}};
  if (const auto* interrupted = dynamic_cast<const Interrupted*>(&error))
    return {exit_code::signal + interrupted->signal(), fields, {}};
  if (dynamic_cast<const UsageError*>(&error) != nullptr)
    return {exit_code::usage, {{}, error.what(), {}, "See ledgerflow help COMMAND."}, {}};
  if (dynamic_cast<const FileError*>(&error) != nullptr) return {exit_code::file, fields, {}};
  return {exit_code::server, fields, {}};
}

std::string as_json(const Failure& failure) {
  const client::ErrorFields& fields = failure.fields;
  std::string text = "{\"error\": {\"message\": " + json_string(fields.message);
  const auto add = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text.append(", \"").append(name).append("\": ").append(json_string(value));
  };
  add("sqlstate", fields.sqlstate);
  add("condition", failure.condition);
  add("detail", fields.detail);
  add("hint", fields.hint);
  return text + ", \"exit_code\": " + std::to_string(failure.code) + "}}\n";
}

std::string as_lines(const Failure& failure) {
  const client::ErrorFields& fields = failure.fields;
  std::string text = "ledgerflow: " + printable(fields.message) + "\n";
  const auto add = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text.append(name).append(printable(value)).append("\n");
  };
  add("  detail:   ", fields.detail);
  add("  hint:     ", fields.hint);
  add("  SQLSTATE: ",
      failure.condition.empty() ? fields.sqlstate : fields.sqlstate + " " + failure.condition);
  return text;
}

}  // namespace

FileError::FileError(const std::string& does, const std::string& file)
    : std::runtime_error("cannot " + does + " " + file + ": " + std::strerror(errno)) {}

Interrupted::Interrupted(int signal)
    : std::runtime_error(signal == SIGINT ? "cancelled: nothing of the statement was done"
                                          : "terminated: nothing of the statement was done"),
      signal_(signal) {}

int report(const std::exception& error, Format format) {
  const Failure failure = failure_of(error);
  const std::string text = format == Format::json ? as_json(failure) : as_lines(failure);
  std::fputs(text.c_str(), stderr);
  return failure.code;
}

}  // namespace ledgerflow::command
