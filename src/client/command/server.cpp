#include "server.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "failure.hpp"
#include "interruption.hpp"
#include "progress.hpp"
#include "text.hpp"

namespace ledgerflow::command {

namespace {

using client::Table;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds repeat_deadline(30'000), first_pause(50), longest_pause(1'000);
constexpr char query_canceled[] = "57014";

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ClearResult>;

std::string field(const PGresult* result, int code) {
  const char* const value = PQresultErrorField(result, code);
  return value == nullptr ? std::string() : value;
}

void on_notice(void*, const PGresult* result) {
  say(field(result, PG_DIAG_SEVERITY) + ": " + printable(field(result, PG_DIAG_MESSAGE_PRIMARY)));
}

[[noreturn]] void raise_failed(PGconn* connection, const PGresult* result) {
  const client::ErrorFields fields{
      field(result, PG_DIAG_SQLSTATE), field(result, PG_DIAG_MESSAGE_PRIMARY),
      field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT)};
  if (PQstatus(connection) != CONNECTION_OK)
    throw client::ConnectionError({"08006", PQerrorMessage(connection), {}, {}}, true);
  if (fields.sqlstate.compare(0, 2, "LF") == 0) throw client::Refused(fields, true);
  throw client::Error(fields, true);
}

}  // namespace

client::Client& Server::client() {
  if (!client_) connect();
  return *client_;
}

void Server::connect() {
  // Repeating is done here: a new connection has to be set up like the first, and Ctrl-C ends it.
  client::ClientOptions options;
  options.retry = client::RetryPolicy::none();
  client_.emplace(settings_.dsn, options);
  PQsetNoticeReceiver(client_->native_handle(), on_notice, nullptr);
  // What a server or role has set decides no format of ours.
  client_->query(
      "SELECT pg_catalog.set_config('datestyle', 'ISO', false),"
      " pg_catalog.set_config('intervalstyle', 'postgres', false)");
  if (settings_.as_of)
    client_->query("SELECT pg_catalog.set_config('ledgerflow.as_of', $1, false)",
                   {settings_.as_of});
}

std::string Server::extension() { return client().quoted_name(client().extension_schema()) + "."; }

std::string Server::ledger() {
  if (!ledger_.empty()) return ledger_;
  const std::string name = settings_.ledger ? *settings_.ledger : client().ledger_name();
  Sql check("SELECT ");
  check.call(extension() + "ledger_to_minor",
             {{"amount", "numeric", "0"}, {"currency", "text", "USD"}, {"ledger", "name", name}});
  try {
    query(check);
  } catch (const client::RefusedFor<client::Condition::currency_not_found>&) {
    // A ledger without dollars.
  }
  return ledger_ = client().quoted_name(name) + ".";
}

// A statement that a signal has cancelled ends the command.
template <typename Body>
auto Server::cancellable(Body&& body) {
  const Cancellable guard(client());
  try {
    return body();
  } catch (const client::Error& error) {
    if (signal_caught() != 0 && error.sqlstate() == query_canceled) throw_if_interrupted();
    throw;
  }
}

Table Server::query(const Sql& sql, Repeat repeat) {
  client();
  const Clock::time_point deadline = Clock::now() + repeat_deadline;
  for (milliseconds pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
    try {
      if (!client_->usable()) connect();
      return cancellable([&] { return client_->query(sql.text(), sql.parameters()); });
    } catch (const client::TransactionConflict&) {
      if (Clock::now() >= deadline || client_->in_transaction()) throw;
    } catch (const client::ConnectionError&) {
      if (repeat == Repeat::unsafe || Clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(pause);
    throw_if_interrupted();
  }
}

void Server::stream(const Sql& sql, const OnColumns& on_columns, const OnRow& on_row) {
  client();
  cancellable([&] { client_->query(sql.text(), sql.parameters(), on_columns, on_row); });
}

std::uint64_t Server::copy_in(const std::string& sql,
                              const std::function<std::string_view()>& source) {
  PGconn* const connection = client().native_handle();
  return cancellable([&] {
    Result result(PQexec(connection, sql.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COPY_IN) raise_failed(connection, result.get());
    std::string_view piece;
    const char* failure = nullptr;
    do {
      try {
        piece = source();
      } catch (...) {
        PQputCopyEnd(connection, "the input could not be read");
        while (Result(PQgetResult(connection))) {
        }
        throw;
      }
      if (signal_caught() != 0) failure = "cancelled";
    } while (failure == nullptr && !piece.empty() &&
             PQputCopyData(connection, piece.data(), static_cast<int>(piece.size())) == 1);
    PQputCopyEnd(connection, failure);
    result.reset(PQgetResult(connection));
    while (Result(PQgetResult(connection))) {
    }
    throw_if_interrupted();
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) raise_failed(connection, result.get());
    return std::uint64_t{std::strtoull(PQcmdTuples(result.get()), nullptr, 10)};
  });
}

void ask_password() {
  const char* const password = ::getpass("Password: ");
  if (password == nullptr) throw FileError("read a password from", "the terminal");
  setenv("PGPASSWORD", password, 1);
}

}  // namespace ledgerflow::command
