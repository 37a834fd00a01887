// The connection to a ledger: every call of the extension.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledgerflow/account.hpp"
#include "ledgerflow/amount.hpp"
#include "ledgerflow/batch.hpp"
#include "ledgerflow/error.hpp"
#include "ledgerflow/export.hpp"
#include "ledgerflow/history.hpp"
#include "ledgerflow/pages.hpp"
#include "ledgerflow/posting.hpp"
#include "ledgerflow/report.hpp"
#include "ledgerflow/retry.hpp"
#include "ledgerflow/table.hpp"
#include "ledgerflow/transaction_id.hpp"

struct pg_conn;  // libpq's PGconn

namespace ledgerflow::client {

class Canceller;
class Channel;
class Session;

/// How a Client works.
struct ClientOptions {
  /// When and how calls are repeated.
  RetryPolicy retry;
  /// How long to wait for an answer before the connection counts as lost; zero: for ever. (A host
  /// that is gone is noticed in half a minute without it, by TCP's own means.)
  std::chrono::milliseconds answer_timeout{0};
};

/// One connection to a database with ledgerflow in it. Closes with its destructor; moves, does not
/// copy; used by one thread at a time.
///
/// Every call is a transaction of its own, unless a Transaction is active on the client. All of them
/// throw Refused when the ledger refuses, TransactionConflict when the call lost against another
/// transaction, ConnectionError when the connection is gone, and Error for anything else that the
/// server reports. Before the last two it is repeated, as the RetryPolicy says.
///
/// Where a call takes a ledger, nothing means the session's setting `ledgerflow.ledger`, which
/// defaults to `ledger`.
class LEDGERFLOW_CLIENT_API Client {
 public:
  /// Connects by a libpq connection string, `host=db1 dbname=books` or `postgresql://db1/books`;
  /// whatever it leaves out comes from the environment (PGHOST, PGUSER, PGSERVICE ...). Tries once:
  /// throws ConnectionError, ExtensionMissing when the database does not have ledgerflow, or
  /// ExtensionOutdated when it has one that is too old for this library.
  explicit Client(const std::string& connection_string = {}, const ClientOptions& options = {});
  ~Client();
  Client(Client&& other) noexcept;             ///< The other one is left without a connection.
  Client& operator=(Client&& other) noexcept;  ///< The other one is left without a connection.
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// @name Posting
  /// @{

  /// Debits one account and credits another by a positive amount of their currency; returns the id
  /// of the transaction, of the first one when the idempotency key has been used for the same
  /// request.
  TransactionId post(std::string_view debit, std::string_view credit, const Amount& amount,
                     const PostOptions& options = {});

  /// Posts 2 to 10,000 lines that sum to zero in every currency, as one transaction.
  TransactionId post(const std::vector<Line>& lines, const PostOptions& options = {});

  /// Moves money from a source to a destination: debits the source, credits the destination.
  TransactionId post_transfer(std::string_view source, std::string_view destination,
                              const Amount& amount, const PostOptions& options = {});

  /// Posts 1 to 100,000 transactions of two lines in one pass; returns what came of each item, in
  /// order.
  std::vector<BatchResult> post_batch(const std::vector<BatchItem>& items,
                                      const BatchOptions& options = {});

  /// The same by account ids.
  std::vector<BatchResult> post_batch(const std::vector<BatchItemById>& items,
                                      const BatchOptions& options = {});

  /// Posts a transaction that mirrors an earlier one, in whole or in part; returns its id.
  TransactionId reverse(const TransactionId& transaction, const ReverseOptions& options = {});

  /// A transaction id for rows that are to be inserted by the caller's own SQL.
  TransactionId new_id();
  /// @}

  /// @name Holds
  /// @{

  /// Reserves a posting of two lines; returns the hold's id.
  TransactionId hold(std::string_view debit, std::string_view credit, const Amount& amount,
                     const HoldOptions& options = {});

  /// Reserves a posting of 2 to 10,000 lines.
  TransactionId hold(const std::vector<Line>& lines, const HoldOptions& options = {});

  /// Posts what a hold has reserved, or a part of it; returns the new transaction's id.
  TransactionId capture(const TransactionId& hold, const CaptureOptions& options = {});

  /// Reserves more on a pending hold of two lines.
  void raise_hold(const TransactionId& hold, const Amount& amount,
                  const HoldChangeOptions& options = {});

  /// Reserves more on a pending hold, by lines of its accounts.
  void raise_hold(const TransactionId& hold, const std::vector<Line>& lines,
                  const HoldChangeOptions& options = {});

  /// Gives back what is left of a pending hold.
  void release(const TransactionId& hold, const HoldChangeOptions& options = {});
  /// @}

  /// @name Accounts
  /// @{

  /// Opens an account, and returns its id; the same call again returns the same id.
  std::int64_t open_account(std::string_view code, std::string_view type, std::string_view currency,
                            const AccountOptions& options = {});

  /// Sets both limits of an account; one that is not given is none.
  void set_limits(std::string_view account, const Limits& limits,
                  const ChangeOptions& options = {});

  /// Refuses postings to an account from now on.
  void freeze_account(std::string_view account, Direction direction = Direction::both,
                      const ChangeOptions& options = {});

  /// Takes a freeze back, in one direction or both.
  void unfreeze_account(std::string_view account, Direction direction = Direction::both,
                        const ChangeOptions& options = {});

  /// Closes an account on which nothing is left or pending.
  void close_account(std::string_view account, const ChangeOptions& options = {});

  /// Opens a closed account again.
  void reopen_account(std::string_view account, const ChangeOptions& options = {});

  /// An account and where it stands, all read at one moment; throws
  /// RefusedFor<Condition::account_not_found>.
  Account account(std::string_view code, std::optional<std::string_view> ledger = std::nullopt);

  /// All accounts whose code begins with a prefix, by code, fetched so many at a time.
  Pages<Account> accounts(std::string_view prefix = {},
                          std::optional<std::string_view> ledger = std::nullopt,
                          int page_size = 1000);

  /// The account's posted balance, in its normal sign and its currency's scale.
  Amount balance(std::string_view account, std::optional<std::string_view> ledger = std::nullopt);

  /// What can be spent of it: the posted balance less what is reserved against it.
  Amount available(std::string_view account, std::optional<std::string_view> ledger = std::nullopt);
  /// @}

  /// @name Ledgers and periods
  /// @{

  /// Creates a ledger: a schema with its tables; returns its name.
  std::string create_ledger(std::string_view name = "ledger");

  /// Brings a ledger to the table format of the installed extension; returns the format.
  int upgrade_ledger(std::optional<std::string_view> ledger = std::nullopt);

  /// Grants a role what a level (`reader`, `poster`, `operator`, `admin`) needs.
  void grant(std::string_view role, std::string_view level,
             std::optional<std::string_view> ledger = std::nullopt);

  /// Takes back whatever was granted to a role.
  void revoke(std::string_view role, std::optional<std::string_view> ledger = std::nullopt);

  /// Upkeep, to be called now and then: settles expired holds, deletes old idempotency keys.
  Maintenance maintain(std::optional<std::string_view> ledger = std::nullopt);

  /// Refuses postings that count at this time or before, from now on.
  void close_period(Timestamp through, const ChangeOptions& options = {});

  /// Moves the end of the closed periods back to an earlier time; nothing opens all.
  void reopen_period(std::optional<Timestamp> through = std::nullopt,
                     const ChangeOptions& options = {});

  /// The amount in minor units of a currency of the ledger: 125.00 USD is 12500.
  Units to_minor(const Amount& amount, std::string_view currency,
                 std::optional<std::string_view> ledger = std::nullopt);

  /// The amount of so many minor units of a currency of the ledger.
  Amount from_minor(Units units, std::string_view currency,
                    std::optional<std::string_view> ledger = std::nullopt);
  /// @}

  /// @name Reports
  /// @{

  /// The account's posted balance with all that was posted until a time.
  Amount balance_at(std::string_view account, Timestamp at,
                    std::optional<std::string_view> ledger = std::nullopt);

  /// An account's lines with the balance after each, page after page.
  Pages<StatementLine> statement(std::string_view account, const StatementOptions& options = {});

  /// The transactions that match a filter, newest first, page after page.
  Pages<FoundTransaction> find_transactions(const TransactionFilter& filter = {});

  /// Every account's balance in its debit or its credit column, by code.
  std::vector<TrialBalanceLine> trial_balance(
      std::optional<std::string_view> ledger = std::nullopt);

  /// Proves the books; nothing is found when all is well. Reads the whole ledger.
  std::vector<Finding> verify(std::optional<std::string_view> ledger = std::nullopt);
  /// @}

  /// @name Other SQL
  /// @{

  /// Runs a statement with parameters ($1, $2 ...; types as the server infers them) and returns its
  /// rows as text. Not repeated when the connection breaks while it runs.
  Table query(const std::string& sql,
              const std::vector<std::optional<std::string>>& parameters = {});

  /// The same, row by row as they arrive, for results that are too large to keep. The columns come
  /// once, before the first row.
  void query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters,
             const std::function<void(const std::vector<Table::Column>&)>& on_columns,
             const std::function<void(const Table::Row&)>& on_row);

  /// Calls one of the extension's functions by name, with named arguments, and returns its rows as
  /// text: what `SELECT * FROM function(name => value, ...)` gives.
  Table call(std::string_view function, const std::vector<Argument>& arguments = {});

  /// The name of a ledger's schema: the ledger given, or the session's own.
  std::string ledger_name(std::optional<std::string_view> ledger = std::nullopt);

  /// A name as SQL writes it: in double quotes if need be.
  std::string quoted_name(std::string_view name);

  /// Something that ends the call that this client is in, from another thread or a signal handler.
  /// It is of the connection as it is now.
  Canceller canceller() const;

  /// libpq's connection, for the caller's own SQL beside the ledger's (in a Transaction, say). It
  /// stays the client's and ends with a retry that connects anew; null after a move.
  pg_conn* native_handle() const noexcept;
  /// @}

  /// Whether the connection is open, as far as is known without asking the server. A client that may
  /// retry connects anew with its next call.
  bool usable() const noexcept;

  /// Whether a transaction is open on the connection, by a Transaction or by the caller's own SQL.
  bool in_transaction() const noexcept;

  /// The version of the extension in the database; as of connecting.
  const std::string& extension_version() const;

  /// The schema that the extension is in; as of connecting.
  const std::string& extension_schema() const;

 private:
  friend class Transaction;
  friend class Pool;
  Channel& channel() const;

  std::unique_ptr<Channel> channel_;
};

/// Ends the call that a client is in: it throws Error with SQLSTATE 57014 and nothing of it happened
/// (unless it had ended just before).
class LEDGERFLOW_CLIENT_API Canceller {
 public:
  ~Canceller();
  Canceller(Canceller&& other) noexcept;             ///< The other one cancels nothing.
  Canceller& operator=(Canceller&& other) noexcept;  ///< The other one cancels nothing.

  /// Asks the server to end the call; false when it could not be asked. Safe in any thread and in
  /// signal handlers.
  bool cancel() const noexcept;

 private:
  friend class Client;
  struct Handle;
  explicit Canceller(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

}  // namespace ledgerflow::client
