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
#include "ledgerflow/exchange.hpp"
#include "ledgerflow/export.hpp"
#include "ledgerflow/history.hpp"
#include "ledgerflow/pages.hpp"
#include "ledgerflow/posting.hpp"
#include "ledgerflow/report.hpp"
#include "ledgerflow/retry.hpp"
#include "ledgerflow/table.hpp"
#include "ledgerflow/transaction_id.hpp"
#include "ledgerflow/upkeep.hpp"

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

  /// The account's balance with all that was posted, or is effective, until a time.
  Amount balance_at(std::string_view account, Timestamp at,
                    std::optional<std::string_view> ledger = std::nullopt, By by = By::posted);

  /// An account's lines with the balance after each, page after page.
  Pages<StatementLine> statement(std::string_view account, const StatementOptions& options = {});

  /// The transactions that match a filter, newest first, page after page.
  Pages<FoundTransaction> find_transactions(const TransactionFilter& filter = {});

  /// Every account's balance in its debit or its credit column, by code.
  std::vector<TrialBalanceLine> trial_balance(
      std::optional<std::string_view> ledger = std::nullopt);

  /// The same at a time.
  std::vector<TrialBalanceLine> trial_balance(const ReportOptions& options);

  /// Balances as a tree of codes.
  std::vector<RollupLine> rollup(const ReportOptions& options = {});

  /// Balances summed by account type.
  std::vector<GroupBalance> balances_by_type(const ReportOptions& options = {});

  /// Balances summed by the value that the accounts' metadata has under a key.
  std::vector<GroupBalance> balances_by_metadata(std::string_view key,
                                                 const ReportOptions& options = {});

  /// Assets, liabilities and equity at a time, with totals.
  std::vector<FinancialLine> balance_sheet(const ReportOptions& options = {});

  /// Income and expenses of a range of time, with totals.
  std::vector<FinancialLine> income_statement(const RangeOptions& options = {});

  /// Opening balance, debits, credits and closing balance of every account in a range of time.
  std::vector<Movement> movements(const RangeOptions& options = {});

  /// By how much accounts changed in each of two ranges.
  std::vector<Comparison> compare(const TimeRange& first, const TimeRange& second,
                                  const CompareOptions& options = {});

  /// The balance of an account at every step of a range of time.
  std::vector<ChartPoint> chart(std::string_view account, const ChartOptions& options = {});
  /// @}

  /// @name Upkeep
  /// @{

  /// Settles expired holds and deletes old idempotency keys; to be called now and then.
  Maintenance maintain(std::optional<std::string_view> ledger = std::nullopt);

  /// Proves the books; nothing is found when all is well. Reads the whole ledger.
  std::vector<Finding> verify(std::optional<std::string_view> ledger = std::nullopt);

  /// The same for what is new since the last run without findings, or for everything; on record.
  std::vector<Finding> verify_incremental(bool from_start = false,
                                          std::optional<std::string_view> ledger = std::nullopt);

  /// Derives the balances of one account or of all from the entries; returns what was changed.
  /// `balance_after`, for the owner, mends that column of the entries too.
  std::vector<RebuiltValue> rebuild_balances(std::optional<std::string_view> account = std::nullopt,
                                             bool balance_after = false,
                                             std::optional<std::string_view> ledger = std::nullopt);

  /// Derives what balances by effective time rest on from the entries; returns what was wrong.
  std::vector<Finding> rebuild_effective(std::optional<std::string_view> ledger = std::nullopt);

  /// The ledger at a glance; cheap enough for every few seconds.
  Health health(std::optional<std::string_view> ledger = std::nullopt);

  /// Seals what was posted since the last seal. Keep the root outside the database.
  Seal seal(std::optional<std::string_view> ledger = std::nullopt);

  /// Holds what was sealed against the books; nothing is found when all is well.
  std::vector<SealFinding> verify_seal(const SealCheckOptions& options = {});

  /// The proof that a transaction is in a seal, or in the newest; check_proof() checks it.
  std::string prove(const TransactionId& transaction,
                    std::optional<std::int64_t> seal = std::nullopt,
                    std::optional<std::string_view> ledger = std::nullopt);

  /// Every reason for which the extension refuses.
  std::vector<ErrorDescription> errors();
  /// @}

  /// @name Export and import
  /// @{

  /// Writes the ledger as a journal of another program, line by line as they arrive.
  void export_journal(const ExportOptions& options,
                      const std::function<void(const std::string&)>& on_line);

  /// Posts a journal of another program: all of it or nothing. It is repeated after a lost connection
  /// only with a `key_prefix`, under which each of its transactions is posted once.
  Imported import_journal(std::string_view journal, const ImportOptions& options = {});
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
