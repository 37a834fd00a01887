// Whether the books are right, and what keeps them so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// Something that `ledger_verify()` found wrong.
struct Finding {
  std::string check_name;               ///< which check
  std::optional<std::string> object;    ///< what it looked at
  std::optional<std::string> expected;  ///< what should be there
  std::optional<std::string> found;     ///< what is there
};

/// What `ledger_rebuild_balances()` has changed.
struct RebuiltValue {
  std::string account;             ///< the account's code
  std::string item;                ///< which value of it
  std::optional<std::string> was;  ///< before
  std::optional<std::string> now;  ///< after
};

/// What `ledger_maintain()` has done.
struct Maintenance {
  std::int64_t keys_deleted = 0;   ///< idempotency keys past their retention
  std::int64_t holds_expired = 0;  ///< holds past their expiry
};

/// A ledger at a glance, for monitoring. Estimates are PostgreSQL's statistics.
struct Health {
  std::string ledger;                                      ///< its name
  Timestamp checked_at;                                    ///< when this was read
  int format_version = 0;                                  ///< of its tables
  std::string store;                                       ///< `heap` or `spi`: how postings write
  std::optional<std::string> store_obstacle;               ///< why not `heap`
  std::optional<std::int64_t> accounts_estimate;           ///< number of accounts
  std::optional<std::int64_t> transactions_estimate;       ///< number of transactions
  std::optional<std::int64_t> entries_estimate;            ///< number of entries
  std::optional<Timestamp> last_posted_at;                 ///< newest transaction
  std::optional<Timestamp> closed_through;                 ///< end of the closed periods
  std::optional<Timestamp> last_verified_at;               ///< last run that was recorded
  std::optional<std::string> last_verification_mode;       ///< `full` or `incremental`
  std::optional<std::int64_t> last_verification_findings;  ///< what that run found
  std::optional<Timestamp> last_full_verified_at;          ///< last full run that was recorded
  std::optional<std::int64_t> unverified_transactions;     ///< posted since then
  std::optional<std::int64_t> holds_expired;               ///< past their expiry and not settled
  std::optional<Timestamp> oldest_hold_expired_at;         ///< since when
  std::optional<std::int64_t> keys_to_expire_estimate;  ///< idempotency keys past their retention
  std::optional<std::int64_t> keys_estimate;            ///< idempotency keys
  std::optional<std::int64_t> guards_disabled;          ///< triggers of ours that are off
  std::optional<Timestamp> oldest_transaction_started_at;  ///< what holds back the horizon
  std::optional<std::int64_t> horizon_lag;                 ///< transactions that it holds back
};

/// A seal: the root stands for everything that was posted until then.
struct Seal {
  std::int64_t number = 0;        ///< of the seal, from 1
  std::string root;               ///< 64 hexadecimal characters, to be kept outside
  std::int64_t transactions = 0;  ///< that it added
  std::int64_t entries = 0;       ///< that it added
  Timestamp sealed_at;            ///< when it was made
  bool is_new = false;            ///< made by this call; else there was nothing new
};

/// Which seals to hold against the books.
struct SealCheckOptions {
  std::optional<std::int64_t> from_seal;  ///< the first; nothing: from the beginning
  std::optional<std::int64_t> to_seal;    ///< the last; nothing: the newest
  std::optional<std::string> known_root;  ///< root of the last, as it was kept outside
  std::optional<std::string> ledger;      ///< as in PostOptions
};

/// A difference between what was sealed and what is there.
struct SealFinding {
  std::optional<std::int64_t> seal;     ///< its number
  std::string object;                   ///< what differs
  std::optional<std::string> expected;  ///< what was sealed
  std::optional<std::string> found;     ///< what is there
};

/// A reason for which the extension refuses.
struct ErrorDescription {
  std::string sqlstate;             ///< `LF040`
  std::string condition_name;       ///< `insufficient_balance`
  std::string meaning;              ///< in a sentence
  std::optional<std::string> hint;  ///< what to do
};

}  // namespace ledgerflow::client
