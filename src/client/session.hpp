// One libpq connection and what is known about it: the layer between the typed calls and the wire.
#pragma once

#include <libpq-fe.h>

#include <array>
#include <memory>
#include <string>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/transaction_id.hpp"
#include "statements.hpp"
#include "wire.hpp"

namespace ledgerflow::client {

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ConnectionHandle = std::unique_ptr<PGconn, FinishConnection>;
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

class Session {
 public:
  // Connects and finds the extension.
  explicit Session(const std::string& connection_string);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs a call, preparing it when it is the first of its kind, and reads its one value.
  TransactionId call_for_id(Call call, const Parameters& parameters);
  Amount call_for_amount(Call call, const Parameters& parameters);

  // Runs a command without parameters; `committing` when it may commit something. Returns its tag,
  // as in "COMMIT".
  std::string execute(const char* sql, bool committing = false);

  PGTransactionStatusType transaction_status() const {
    return PQtransactionStatus(connection_.get());
  }
  bool usable() const { return PQstatus(connection_.get()) == CONNECTION_OK; }
  PGconn* connection() const { return connection_.get(); }
  const std::string& extension_version() const { return extension_version_; }
  const std::string& extension_schema() const { return extension_schema_; }

 private:
  void find_extension();
  void prepare(Call call);
  ResultHandle run(Call call, const Parameters& parameters);

  ConnectionHandle connection_;
  std::string extension_schema_;
  std::string extension_version_;
  std::string quoted_schema_;
  std::array<bool, call_count> prepared_{};
};

}  // namespace ledgerflow::client
