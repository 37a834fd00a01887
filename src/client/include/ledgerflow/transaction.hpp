// Database transactions around several calls.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "ledgerflow/client.hpp"
#include "ledgerflow/export.hpp"

namespace ledgerflow::client {

/// How a Transaction is isolated from others.
enum class Isolation : unsigned char {
  server_default,   ///< the session's default_transaction_isolation
  read_committed,   ///< every statement sees what was committed before it
  repeatable_read,  ///< all of it sees what was committed before its first statement
  serializable      ///< as if transactions ran one after the other
};

/// A database transaction around several calls: all of them happen, or none. Begins with its
/// constructor, rolls back with its destructor unless it was committed. One at a time on a client;
/// it stays valid when the client is moved or destroyed.
///
///     Transaction transaction(client);
///     client.post(...);
///     client.post(...);
///     transaction.commit();
///
/// Nothing is repeated within it: errors go to the caller. run() repeats all of it.
class LEDGERFLOW_CLIENT_API Transaction {
 public:
  /// Begins. Throws Error (SQLSTATE 25001) when a transaction is open already.
  explicit Transaction(Client& client, Isolation isolation = Isolation::server_default);
  ~Transaction();
  Transaction(Transaction&& other) noexcept;  ///< The other one is over.
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Commits. Throws when nothing was committed: what the server says, or Error (SQLSTATE 25P02)
  /// when a call in the transaction had failed; and a ConnectionError with outcome_unknown() when
  /// the connection broke meanwhile. The transaction is over in every case.
  void commit();

  /// Rolls back now. Throws ConnectionError when the connection is gone, which rolls back as well.
  void rollback();

  /// Whether it was neither committed nor rolled back through this guard yet.
  bool active() const noexcept { return session_ != nullptr; }

  /// Runs a function within a transaction, commits, and returns what the function returned. When the
  /// transaction loses against another one, or its connection breaks before COMMIT was sent, all of
  /// it is run again, as the client's RetryPolicy says: the function should do nothing besides that
  /// cannot be done twice. What else it throws rolls back and is thrown on. When the connection
  /// breaks while COMMIT is on its way, nobody can know: ConnectionError with outcome_unknown().
  template <typename Function>
  static std::invoke_result_t<Function&> run(Client& client, Function&& function,
                                             Isolation isolation = Isolation::server_default) {
    using Result = std::invoke_result_t<Function&>;
    if constexpr (std::is_void_v<Result>) {
      repeat(client, isolation, [&] { function(); });
    } else {
      std::optional<Result> result;
      repeat(client, isolation, [&] { result.emplace(function()); });
      return std::move(*result);
    }
  }

 private:
  static void repeat(Client& client, Isolation isolation, const std::function<void()>& body);

  std::shared_ptr<Session> session_;
};

}  // namespace ledgerflow::client
