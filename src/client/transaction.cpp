#include <utility>

#include "ledgerflow/client.hpp"
#include "raise.hpp"
#include "session.hpp"

namespace ledgerflow::client {

namespace {

const char* begin_sql(Isolation isolation) {
  switch (isolation) {
    case Isolation::server_default:
      return "BEGIN";
    case Isolation::read_committed:
      return "BEGIN ISOLATION LEVEL READ COMMITTED";
    case Isolation::repeatable_read:
      return "BEGIN ISOLATION LEVEL REPEATABLE READ";
    case Isolation::serializable:
      return "BEGIN ISOLATION LEVEL SERIALIZABLE";
  }
  return "BEGIN";
}

[[noreturn]] void raise_state(const char* sqlstate, const char* message) {
  throw Error({sqlstate, message, {}, {}}, true);
}

}  // namespace

Transaction::Transaction(Client& client, Isolation isolation) {
  Session& session = client.session();
  if (client.in_transaction())
    raise_state(sqlstate::active_transaction, "a transaction is open on this client already");
  session.execute(begin_sql(isolation));
  session_ = client.session_;
}

Transaction::Transaction(Transaction&& other) noexcept = default;

Transaction::~Transaction() {
  try {
    if (active()) rollback();
  } catch (...) {
    // The connection is gone, and the transaction with it.
  }
}

void Transaction::commit() {
  const std::shared_ptr<Session> session = std::move(session_);
  if (session == nullptr)
    raise_state(sqlstate::no_active_transaction, "the transaction is over already");
  if (session->transaction_status() == PQTRANS_IDLE)
    raise_state(sqlstate::no_active_transaction,
                "the transaction was ended by other SQL on its connection");
  // To COMMIT in a failed transaction the server answers ROLLBACK, and calls that a success.
  if (session->execute("COMMIT", true) != "COMMIT")
    raise_state(sqlstate::failed_transaction,
                "the transaction was rolled back, because a call in it had failed");
}

void Transaction::rollback() {
  const std::shared_ptr<Session> session = std::move(session_);
  if (session == nullptr)
    raise_state(sqlstate::no_active_transaction, "the transaction is over already");
  if (session->transaction_status() != PQTRANS_IDLE) session->execute("ROLLBACK");
}

}  // namespace ledgerflow::client
