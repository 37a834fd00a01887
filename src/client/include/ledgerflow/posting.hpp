// What postings, holds, captures and reversals are made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/export.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// One line of a transaction.
struct Line {
  std::string account;  ///< the account's code
  Amount amount;        ///< debit positive, credit negative
};

/// A line that debits the account by a positive amount; any other amount is refused as
/// RefusedFor<Condition::invalid_amount>.
LEDGERFLOW_CLIENT_API Line debit(std::string account, const Amount& amount);

/// A line that credits the account by a positive amount; any other amount is refused as
/// RefusedFor<Condition::invalid_amount>.
LEDGERFLOW_CLIENT_API Line credit(std::string account, const Amount& amount);

/// What may be said about a posting besides its money. Texts are UTF-8.
struct PostOptions {
  /// The caller's name for this request, 1 to 255 bytes: repeating the request under the same key
  /// returns the first result and posts nothing; another request under it is refused
  /// (idempotency_conflict). When it is not given, a Client that may retry makes one.
  std::optional<std::string> idempotency_key;
  /// Unique in its ledger, 1 to 255 bytes; an order's or invoice's number, say.
  std::optional<std::string> reference;
  /// For people; at most 10,000 bytes.
  std::optional<std::string> description;
  /// When it counts for the books; the time of posting when not given.
  std::optional<Timestamp> effective_at;
  /// A JSON object as text, at most 64 KiB.
  std::optional<std::string> metadata;
  /// Refuse (version_conflict) unless the debited account, or that of the first line, is at this
  /// version.
  std::optional<std::int64_t> expected_version;
  /// Which ledger; the session's setting `ledgerflow.ledger` when not given, which defaults to
  /// `ledger`.
  std::optional<std::string> ledger;
};

/// The same of a hold, and when it ends; of the two expiries at most one. Without them it lasts until
/// it is captured or released.
struct HoldOptions : PostOptions {
  /// From now on.
  std::optional<std::chrono::microseconds> expires_in;
  /// At this time.
  std::optional<Timestamp> expires_at;
};

/// What of a hold is captured, and how. Without amount and lines, all that is left.
struct CaptureOptions {
  /// Of a hold of two lines.
  std::optional<Amount> amount;
  /// Of a longer hold: on its accounts and sides, in sum zero.
  std::vector<Line> lines;
  /// Whether what is left is given back; else it stays reserved for a later capture.
  bool final = true;
  std::optional<std::string> idempotency_key;  ///< as in PostOptions
  std::optional<std::string> reference;        ///< as in PostOptions
  std::optional<std::string> description;      ///< as in PostOptions
  std::optional<Timestamp> effective_at;       ///< that of the hold when not given
  std::optional<std::string> metadata;         ///< as in PostOptions
  std::optional<std::string> ledger;           ///< as in PostOptions
};

/// Of raising or releasing a hold.
struct HoldChangeOptions {
  std::optional<std::string> reason;           ///< of a release; kept in the ledger's history
  std::optional<std::string> idempotency_key;  ///< as in PostOptions
  std::optional<std::string> ledger;           ///< as in PostOptions
};

/// What of a transaction is reversed, and how. Without amount and lines, all that is left.
struct ReverseOptions {
  /// Why: the description of the new transaction.
  std::optional<std::string> reason;
  /// Of a transaction of two lines.
  std::optional<Amount> amount;
  /// On the original's accounts, on the opposite sides, in sum zero.
  std::vector<Line> lines;
  std::optional<std::string> idempotency_key;  ///< as in PostOptions
  std::optional<std::string> reference;        ///< as in PostOptions
  std::optional<Timestamp> effective_at;       ///< as in PostOptions
  std::optional<std::string> metadata;         ///< as in PostOptions
  /// Sets the accounts' limits aside (not their freezes); takes an operator and is recorded.
  bool force = false;
  std::optional<std::string> ledger;  ///< as in PostOptions
};

}  // namespace ledgerflow::client
