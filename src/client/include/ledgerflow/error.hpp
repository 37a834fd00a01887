// The exceptions of the client library.
//
//   Error                         anything that went wrong
//   +- Refused                    the ledger, or the library itself, refused the request: class LF
//   |  +- RefusedFor<Condition>   ... on this one condition
//   +- ConnectionError            no connection, or lost
//   +- ExtensionMissing           the database has no ledgerflow
//   |  +- ExtensionOutdated       ... or one that is older than this library needs
//   +- TransactionConflict        lost against another transaction; running it again may succeed
//      +- SerializationFailure    SQLSTATE 40001
//      +- Deadlock                SQLSTATE 40P01
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "ledgerflow/condition.hpp"
#include "ledgerflow/export.hpp"

namespace ledgerflow::client {

/// What the server, or the library in its place, says about an error.
struct ErrorFields {
  std::string sqlstate;  ///< five characters
  std::string message;   ///< what happened; names the account or object
  std::string detail;  ///< figures; empty when there are none, or the role may not read the ledger
  std::string hint;    ///< what to do; may be empty
};

/// Base of all exceptions that the library throws, out of memory (std::bad_alloc) aside.
class LEDGERFLOW_CLIENT_API Error : public std::exception {
 public:
  /// With what the server says, and whether the connection can be used on.
  Error(ErrorFields fields, bool connection_usable);
  Error(const Error&) noexcept = default;             ///< Copies share what they say.
  Error& operator=(const Error&) noexcept = default;  ///< Copies share what they say.
  ~Error() override;

  /// SQLSTATE, condition, message, detail and hint as one text, for logs.
  const char* what() const noexcept override;

  const std::string& sqlstate() const noexcept;  ///< five characters
  const std::string& message() const noexcept;   ///< what happened
  const std::string& detail() const noexcept;    ///< figures; may be empty
  const std::string& hint() const noexcept;      ///< what to do; may be empty

  /// The ledger's condition; nothing for other errors, and for conditions newer than the library.
  std::optional<Condition> condition() const noexcept;

  /// Whether the connection is still there. (In a Transaction that has seen an error, only to roll it
  /// back.) True for errors that were found before anything was sent.
  bool connection_usable() const noexcept;

 private:
  struct State;
  std::shared_ptr<const State> state_;  // shared, so that copying cannot throw
};

/// The ledger refused the request and nothing was changed: SQLSTATE class LF.
class LEDGERFLOW_CLIENT_API Refused : public Error {
 public:
  using Error::Error;
  ~Refused() override;
};

/// Refused on one condition: catch (const RefusedFor<Condition::insufficient_balance>& e).
template <Condition>
class LEDGERFLOW_CLIENT_API RefusedFor : public Refused {
 public:
  using Refused::Refused;
};

/// The server cannot be reached, turned the connection down, or the connection broke.
class LEDGERFLOW_CLIENT_API ConnectionError : public Error {
 public:
  /// With what is known of the outcome.
  ConnectionError(ErrorFields fields, bool outcome_unknown);
  ~ConnectionError() override;

  /// True when a request was on its way, outside a Transaction or committing one: it may have been
  /// carried out or not. Repeating it under the same idempotency key finds out, and posts at most
  /// once.
  bool outcome_unknown() const noexcept { return outcome_unknown_; }

 private:
  bool outcome_unknown_;
};

/// The database has no extension ledgerflow.
class LEDGERFLOW_CLIENT_API ExtensionMissing : public Error {
 public:
  using Error::Error;
  ~ExtensionMissing() override;
};

/// The database's ledgerflow is older than this library needs.
class LEDGERFLOW_CLIENT_API ExtensionOutdated : public ExtensionMissing {
 public:
  using ExtensionMissing::ExtensionMissing;
  ~ExtensionOutdated() override;
};

/// The transaction was rolled back in favour of another one. Run all of it again.
class LEDGERFLOW_CLIENT_API TransactionConflict : public Error {
 public:
  using Error::Error;
  ~TransactionConflict() override;
};

/// SQLSTATE 40001: REPEATABLE READ or SERIALIZABLE could not be kept.
class LEDGERFLOW_CLIENT_API SerializationFailure : public TransactionConflict {
 public:
  using TransactionConflict::TransactionConflict;
  ~SerializationFailure() override;
};

/// SQLSTATE 40P01: two transactions waited for each other.
class LEDGERFLOW_CLIENT_API Deadlock : public TransactionConflict {
 public:
  using TransactionConflict::TransactionConflict;
  ~Deadlock() override;
};

}  // namespace ledgerflow::client
