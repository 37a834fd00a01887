#include "ledgerflow/transaction.hpp"

#include <utility>

#include "channel.hpp"
#include "raise.hpp"

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
  Channel& channel = client.channel();
  if (channel.session()->in_transaction())
    raise_state(sqlstate::active_transaction, "a transaction is open on this client already");
  // A connection that breaks with nothing done yet is replaced.
  channel.attempt(Repeat::yes,
                  [&](Session& session) { return session.execute(begin_sql(isolation)); });
  session_ = channel.session();
  session_->guard(true);
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
  session->guard(false);
  if (session->transaction_status() == PQTRANS_IDLE)
    raise_state(sqlstate::no_active_transaction,
                "the transaction was ended by other SQL on its connection");
  // To COMMIT in a failed transaction the server answers ROLLBACK, and calls that a success.
  const bool committing = session->usable() && session->transaction_status() == PQTRANS_INTRANS;
  if (session->execute("COMMIT", committing) != "COMMIT")
    raise_state(sqlstate::failed_transaction,
                "the transaction was rolled back, because a call in it had failed");
}

void Transaction::rollback() {
  const std::shared_ptr<Session> session = std::move(session_);
  if (session == nullptr)
    raise_state(sqlstate::no_active_transaction, "the transaction is over already");
  session->guard(false);
  if (session->transaction_status() != PQTRANS_IDLE) session->execute("ROLLBACK");
}

void Transaction::repeat(Client& client, Isolation isolation, const std::function<void()>& body) {
  Attempts attempts(client.channel().policy());
  for (;;) {
    try {
      Transaction transaction(client, isolation);
      body();
      transaction.commit();
      return;
    } catch (const TransactionConflict&) {
      if (!attempts.pause()) throw;
    } catch (const ConnectionError& error) {
      if (error.outcome_unknown() || !attempts.pause()) throw;
    }
  }
}

}  // namespace ledgerflow::client
