#include "session.hpp"

#include <poll.h>

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

#include "connect.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int binary_format = 1;
constexpr char oldest_extension[] = "0.2.0";  // that has every function that the library calls

// How long a process whose connection broke is waited for: it may be in the middle of a commit.
constexpr std::chrono::milliseconds longest_farewell{5'000};
constexpr std::chrono::milliseconds farewell_step{20};

constexpr char look_around_sql[] =
    "SELECT n.nspname, e.extversion, pg_catalog.pg_backend_pid(),"
    " (SELECT (EXTRACT(epoch FROM a.backend_start) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8"
    "  FROM pg_catalog.pg_stat_activity a"
    "  WHERE a.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())"
    " FROM pg_catalog.pg_extension e"
    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
    " WHERE e.extname OPERATOR(pg_catalog.=) 'ledgerflow'";

struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};

bool readable(PGconn* connection, int timeout_ms) {
  pollfd socket{PQsocket(connection), POLLIN, 0};
  return poll(&socket, 1, timeout_ms) > 0;
}

// What a COPY would wait for: the caller has no way to give or take it.
void end_copy(PGconn* connection, ExecStatusType status) {
  if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH)
    PQputCopyEnd(connection, "COPY FROM STDIN is not possible here");
  if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
    char* row = nullptr;
    while (PQgetCopyData(connection, &row, 0) > 0) PQfreemem(row);
  }
}

}  // namespace

std::string quote_identifier(PGconn* connection, const std::string& name) {
  const std::unique_ptr<char, FreeMemory> quoted(
      PQescapeIdentifier(connection, name.data(), name.size()));
  if (quoted == nullptr)
    throw Error(
        {sqlstate::character_not_in_repertoire, trimmed(PQerrorMessage(connection)), {}, {}}, true);
  return quoted.get();
}

Session::Session(const std::string& connection_string, Milliseconds answer_timeout,
                 const Backend& predecessor)
    : connection_(connect(connection_string)), answer_timeout_(answer_timeout) {
  wants_primary_ = wants_primary(connection_.get());
  end(predecessor);
  look_around();
}

void Session::look_around() {
  PGconn* const connection = connection_.get();
  const ResultHandle result = query(look_around_sql);
  if (PQntuples(result.get()) == 0)
    throw ExtensionMissing(
        {sqlstate::undefined_object,
         std::string("database \"") + PQdb(connection) + "\" does not have ledgerflow",
         {},
         "Run CREATE EXTENSION ledgerflow in it."},
        false);
  extension_schema_ = PQgetvalue(result.get(), 0, 0);
  extension_version_ = PQgetvalue(result.get(), 0, 1);
  quoted_schema_ = quote_identifier(connection, extension_schema_);
  if (compare_versions(extension_version_, oldest_extension) < 0)
    raise_outdated("database \"" + std::string(PQdb(connection)) + "\" has ledgerflow " +
                       extension_version_ + ", this library needs " + oldest_extension +
                       " or later",
                   false);
  // Behind a pooler the process is shared, and not ours to end.
  const int pid = std::atoi(PQgetvalue(result.get(), 0, 2));
  if (pid == PQbackendPID(connection) && PQgetisnull(result.get(), 0, 3) == 0)
    backend_ = {pid, std::atoll(PQgetvalue(result.get(), 0, 3))};
}

void Session::end(const Backend& predecessor) {
  if (predecessor.pid == 0) return;
  const std::string there =
      " FROM pg_catalog.pg_stat_activity a WHERE a.pid OPERATOR(pg_catalog.=) " +
      std::to_string(predecessor.pid) +
      " AND (EXTRACT(epoch FROM a.backend_start) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8"
      " OPERATOR(pg_catalog.=) " +
      std::to_string(predecessor.started);
  try {
    query("SELECT pg_catalog.pg_terminate_backend(a.pid)" + there);
    const auto until = Clock::now() + longest_farewell;
    while (PQntuples(query("SELECT 1" + there).get()) > 0 && Clock::now() < until)
      std::this_thread::sleep_for(farewell_step);
  } catch (const ConnectionError&) {
    throw;
  } catch (const Error&) {
    // The role may not end it (any more). It is not needed for what comes next.
  }
}

ResultHandle Session::query(const std::string& sql) {
  ResultHandle result = receive(PQsendQuery(connection_.get(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) fail(result.get(), false);
  return result;
}

void Session::prepare(const Statement& what) {
  if (std::find(prepared_.begin(), prepared_.end(), &what) != prepared_.end()) return;
  const ResultHandle result = receive(
      PQsendPrepare(connection_.get(), what.name, sql_for_schema(what.sql, quoted_schema_).c_str(),
                    parameter_count(what), what.types.data()));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
    const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    if (state != nullptr && std::string_view(state) == sqlstate::undefined_function)
      raise_outdated("ledgerflow " + extension_version_ +
                         " in the database does not have what this call needs: " +
                         PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY),
                     true);
    fail(result.get(), false);
  }
  prepared_.push_back(&what);
}

Result Session::run(const Statement& statement, const Parameters& parameters) {
  const bool committing = !in_transaction();
  prepare(statement);
  ResultHandle result = receive(PQsendQueryPrepared(
      connection_.get(), statement.name, parameters.count(), parameters.values(),
      parameters.lengths(), parameters.formats(), binary_format));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) fail(result.get(), committing);
  if (PQnfields(result.get()) != statement.columns)
    raise_protocol(std::string(statement.name) + " returned " +
                   std::to_string(PQnfields(result.get())) + " columns");
  return Result(std::move(result));
}

std::string Session::execute(const char* sql, bool committing) {
  const ResultHandle result = receive(PQsendQuery(connection_.get(), sql));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail(result.get(), committing);
  return PQcmdStatus(result.get());
}

Result Session::run(const std::string& sql, const std::vector<unsigned>& types,
                    const Parameters& parameters, int columns) {
  const bool committing = !in_transaction();
  ResultHandle result = receive(PQsendQueryParams(
      connection_.get(), sql.c_str(), parameters.count(), types.data(), parameters.values(),
      parameters.lengths(), parameters.formats(), binary_format));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) fail(result.get(), committing);
  if (PQnfields(result.get()) != columns) raise_protocol("the answer has other columns");
  return Result(std::move(result));
}

ResultHandle Session::receive(int sent) {
  ResultHandle last;
  if (sent == 0) return last;
  while (ResultHandle next = receive_next()) {
    // An error is the answer, whatever libpq has to add when the connection is gone; and so is a COPY
    // that nobody takes.
    const ExecStatusType status = PQresultStatus(last.get());
    if (last == nullptr || (status != PGRES_FATAL_ERROR && status != PGRES_COPY_OUT))
      last = std::move(next);
  }
  return last;
}

ResultHandle Session::receive_next() {
  PGconn* const connection = connection_.get();
  const auto since = Clock::now();
  while (answer_timeout_.count() > 0 && PQisBusy(connection) != 0) {
    wait_readable(since);
    if (PQconsumeInput(connection) == 0) break;
  }
  ResultHandle next(PQgetResult(connection));
  end_copy(connection, PQresultStatus(next.get()));
  return next;
}

void Session::wait_readable(Clock::time_point since) {
  const auto left =
      std::chrono::duration_cast<Milliseconds>(since + answer_timeout_ - Clock::now());
  if (left.count() > 0 && readable(connection_.get(), static_cast<int>(std::min<std::int64_t>(
                                                          left.count() + 1, 3'600'000))))
    return;
  if (Clock::now() < since + answer_timeout_) return;
  abandon();
  throw ConnectionError(
      {sqlstate::connection_failure,
       "the server did not answer within " + std::to_string(answer_timeout_.count()) + " ms",
       {},
       {}},
      !in_transaction());
}

void Session::fail(const PGresult* result, bool committing) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (wants_primary_ && state != nullptr &&
      std::string_view(state) == sqlstate::read_only_transaction && !in_transaction()) {
    abandon();  // another server is the primary by now
    throw ConnectionError({state,
                           PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
                           "The server has become a standby.",
                           {}},
                          false);
  }
  try {
    raise_failed(connection_.get(), result, committing);
  } catch (const ConnectionError&) {
    abandon();
    throw;
  }
}

bool Session::alive() {
  while (usable() && readable(connection_.get(), 0))
    if (PQconsumeInput(connection_.get()) == 0 || PQstatus(connection_.get()) != CONNECTION_OK)
      abandon();
  return usable();
}

bool Session::in_transaction() const {
  if (guarded_) return true;
  const PGTransactionStatusType status = transaction_status();
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

}  // namespace ledgerflow::client
