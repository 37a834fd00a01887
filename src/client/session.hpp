// One libpq connection and what is known about it: the layer between the typed calls and the wire.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "result.hpp"
#include "statement.hpp"
#include "wire.hpp"

namespace ledgerflow::client {

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using ConnectionHandle = std::unique_ptr<PGconn, FinishConnection>;

// A server process, told apart from later ones with its number; pid 0 when it is not known (behind a
// pooler, say).
struct Backend {
  int pid = 0;
  std::int64_t started = 0;  // microseconds since 1970
};

class Session {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // Connects and finds the extension. Where a connection broke before, `predecessor` is the process
  // at its other end: it is made sure that it is gone, so that nothing that was sent to it can still
  // happen.
  Session(const std::string& connection_string, Milliseconds answer_timeout,
          const Backend& predecessor = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs a call, preparing it when it is the first of its kind. Always an answer of the statement's
  // columns.
  Result run(const Statement& statement, const Parameters& parameters);

  // Runs SQL that is not worth preparing, with parameters of these types.
  Result run(const std::string& sql, const std::vector<unsigned>& types,
             const Parameters& parameters, int columns);

  // Prepares it, if that was not done yet.
  void prepare(const Statement& statement);

  // Runs a command without parameters; `committing` when it may commit something. Returns its tag,
  // as in "COMMIT".
  std::string execute(const char* sql, bool committing = false);

  // Takes what a request that was just sent (`sent`: libpq's word for it) answers; its last result.
  ResultHandle receive(int sent);

  // The next result of it; nothing when there is no more.
  ResultHandle receive_next();

  // Throws what the server or libpq says of a request that failed.
  [[noreturn]] void fail(const PGresult* result, bool committing);

  // Looks whether the server has closed the connection while nobody listened.
  bool alive();

  // Waits until there is something to read, as long as an answer may take; else the connection counts
  // as lost.
  void wait_readable(std::chrono::steady_clock::time_point since);

  // Closes the connection, from this side.
  void abandon() { broken_ = true; }

  bool usable() const { return !broken_ && PQstatus(connection_.get()) == CONNECTION_OK; }
  bool in_transaction() const;
  // While a Transaction is on it, a broken session is not replaced: calls that belong to the
  // transaction would run outside it.
  void guard(bool guarded) { guarded_ = guarded; }
  bool guarded() const { return guarded_; }

  PGTransactionStatusType transaction_status() const {
    return PQtransactionStatus(connection_.get());
  }
  PGconn* connection() const { return connection_.get(); }
  const Backend& backend() const { return backend_; }
  const std::string& extension_version() const { return extension_version_; }
  const std::string& extension_schema() const { return extension_schema_; }
  const std::string& quoted_schema() const { return quoted_schema_; }

 private:
  void look_around();
  void end(const Backend& predecessor);
  ResultHandle query(const std::string& sql);

  ConnectionHandle connection_;
  Milliseconds answer_timeout_;
  bool broken_ = false;
  bool guarded_ = false;
  bool wants_primary_ = false;
  Backend backend_;
  std::string extension_schema_;
  std::string extension_version_;
  std::string quoted_schema_;
  std::vector<const Statement*> prepared_;
};

// A name in double quotes.
std::string quote_identifier(PGconn* connection, const std::string& name);

}  // namespace ledgerflow::client
