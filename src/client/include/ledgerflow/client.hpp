// The connection to a ledger, and transactions on it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/error.hpp"
#include "ledgerflow/export.hpp"
#include "ledgerflow/posting.hpp"
#include "ledgerflow/table.hpp"
#include "ledgerflow/transaction_id.hpp"

struct pg_conn;  // libpq's PGconn

namespace ledgerflow::client {

class Canceller;
class Session;

// One connection to a database with ledgerflow in it. Closes with its destructor; moves, does not
// copy; used by one thread at a time.
//
// Every call is a transaction of its own, unless a Transaction is active on the client. All of them
// throw Refused when the ledger refuses, TransactionConflict when the call lost against another
// transaction, ConnectionError when the connection is gone, and Error for anything else that the
// server reports.
class LEDGERFLOW_CLIENT_API Client {
 public:
  // Connects by a libpq connection string, `host=db1 dbname=books` or `postgresql://db1/books`;
  // whatever it leaves out comes from the environment (PGHOST, PGUSER, PGSERVICE ...). Throws
  // ConnectionError, or ExtensionMissing when the database does not have ledgerflow.
  explicit Client(const std::string& connection_string = {});
  ~Client();
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Debits one account and credits another by a positive amount of their currency; returns the id
  // of the transaction, of the first one when the idempotency key has been used for the same
  // request.
  TransactionId post(std::string_view debit, std::string_view credit, const Amount& amount,
                     const PostOptions& options = {});

  // Posts 2 to 10,000 lines that sum to zero in every currency, as one transaction.
  TransactionId post(const std::vector<Line>& lines, const PostOptions& options = {});

  // Moves money from a source to a destination: debits the source, credits the destination.
  TransactionId post_transfer(std::string_view source, std::string_view destination,
                              const Amount& amount, const PostOptions& options = {});

  // The account's posted balance, in its normal sign and its currency's scale.
  Amount balance(std::string_view account, std::optional<std::string_view> ledger = std::nullopt);

  // What can be spent of it: the posted balance less what is reserved against it.
  Amount available(std::string_view account, std::optional<std::string_view> ledger = std::nullopt);

  // Whether the connection is open, as far as is known without asking the server.
  bool usable() const noexcept;

  // Whether a transaction is open on the connection, by a Transaction or by the caller's own SQL.
  bool in_transaction() const noexcept;

  // The version of the extension in the database, and the schema that it is in; as of connecting.
  const std::string& extension_version() const;
  const std::string& extension_schema() const;

  // Runs a statement with parameters ($1, $2 ...) and returns its rows as text.
  Table query(const std::string& sql,
              const std::vector<std::optional<std::string>>& parameters = {});

  // The same, row by row as they arrive. The columns come once, before the first row.
  void query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters,
             const std::function<void(const std::vector<Table::Column>&)>& on_columns,
             const std::function<void(const Table::Row&)>& on_row);

  // The name of a ledger's schema: the ledger given, or the session's own.
  std::string ledger_name(std::optional<std::string_view> ledger = std::nullopt);

  // A name as SQL writes it: in double quotes if need be.
  std::string quoted_name(std::string_view name);

  // Something that ends the call that this client is in, from a signal handler.
  Canceller canceller() const;

  // libpq's connection, for the caller's own SQL beside the ledger's (in a Transaction, say). It
  // stays the client's; null after a move.
  pg_conn* native_handle() const noexcept;

 private:
  friend class Transaction;
  Session& session() const;

  std::shared_ptr<Session> session_;
};

// Ends the call that a client is in: it throws Error with SQLSTATE 57014.
class LEDGERFLOW_CLIENT_API Canceller {
 public:
  ~Canceller();
  Canceller(Canceller&& other) noexcept;
  Canceller& operator=(Canceller&& other) noexcept;
  bool cancel() const noexcept;

 private:
  friend class Client;
  struct Handle;
  explicit Canceller(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

// How a Transaction is isolated from others; server_default is the session's
// default_transaction_isolation.
enum class Isolation : unsigned char {
  server_default,
  read_committed,
  repeatable_read,
  serializable
};

// A database transaction around several calls: all of them happen, or none. Begins with its
// constructor, rolls back with its destructor unless it was committed. One at a time on a client;
// it stays valid when the client is moved or destroyed.
//
//   Transaction transaction(client);
//   client.post(...);
//   client.post(...);
//   transaction.commit();
class LEDGERFLOW_CLIENT_API Transaction {
 public:
  // Begins. Throws Error (SQLSTATE 25001) when a transaction is open already.
  explicit Transaction(Client& client, Isolation isolation = Isolation::server_default);
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Commits. Throws when nothing was committed: what the server says, or Error (SQLSTATE 25P02)
  // when a call in the transaction had failed; and a ConnectionError with outcome_unknown() when
  // the connection broke meanwhile. The transaction is over in every case.
  void commit();

  // Rolls back now. Throws ConnectionError when the connection is gone, which rolls back as well.
  void rollback();

  // Whether it was neither committed nor rolled back through this guard yet.
  bool active() const noexcept { return session_ != nullptr; }

 private:
  std::shared_ptr<Session> session_;
};

}  // namespace ledgerflow::client
