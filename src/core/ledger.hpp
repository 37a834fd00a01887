// What a ledger is made of, as the engine sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/amount.hpp"
#include "core/errors.hpp"
#include "core/transaction_id.hpp"

namespace ledgerflow {

// Limits on everything that a caller sends. Lengths are in bytes.
inline constexpr std::size_t max_lines = 10000;
inline constexpr std::size_t max_batch_items = 100000;
inline constexpr std::size_t max_code_length = 255;
inline constexpr std::size_t max_key_length = 255;
inline constexpr std::size_t max_reference_length = 255;
inline constexpr std::size_t max_text_length = 10000;
inline constexpr std::size_t max_metadata_length = 64 * 1024;

enum class Side : unsigned char { debit, credit };

enum class Status : unsigned char { open, debits_frozen, credits_frozen, frozen, closed };

const char* to_string(Status status);
std::optional<Status> status_from_string(std::string_view text);

// What never changes about an account; kept in the session's cache.
struct Account {
  std::int64_t id = 0;
  int scale = 0;
  Side normal_side = Side::debit;
  std::string code;
  std::string type;
  std::string currency;
  // Where a store has last found its balance; a hint of the store's own.
  mutable std::uint64_t place = 0;
};

// The row of an account that a posting locks.
struct Balance {
  const Account* account = nullptr;
  std::int64_t version = 0;
  std::int64_t found_version = 0;  // as the lock found it
  std::optional<TransactionId> last_transaction;
  Status status = Status::open;
  Units debits_posted = 0;
  Units credits_posted = 0;
  Units debits_pending = 0;
  Units credits_pending = 0;
  std::optional<Units> min_balance;  // in the normal sign
  std::optional<Units> max_balance;
  bool changed = false;
  std::size_t undo = 0;  // where the call keeps it as it was: see Books
};

// Debits less credits: the sign in which entries are kept.
inline Units net_debit(const Balance& balance) {
  return balance.debits_posted - balance.credits_posted;
}

// The figures that people see: in the account's normal sign.
Units posted_balance(const Balance& balance);
// Posted less what is reserved against it; what is coming does not count.
Units available_balance(const Balance& balance);
// Posted and what is reserved to come: what a ceiling is held against.
Units committed_balance(const Balance& balance);

struct Line {
  const Account* account = nullptr;
  Units amount = 0;  // debit positive, credit negative
};

// An entry that was inserted by hand. The first line of a transaction tells its effective time.
struct RawEntry {
  TransactionId transaction;
  int line = 0;
  const Account* account = nullptr;
  Units amount = 0;
  std::optional<std::int64_t> effective_at = std::nullopt;  // of its transaction
};

// One transaction that a caller asks for, but for its lines, of which there are `line_count`.
struct Posting {
  std::size_t line_count = 0;
  std::optional<std::string_view> idempotency_key;
  std::optional<std::string_view> reference;
  std::optional<std::string_view> description;
  std::optional<std::string_view> metadata;      // in the store's own form of JSON
  std::optional<std::int64_t> effective_at;      // microseconds since 1970
  std::optional<std::int64_t> expected_version;  // of the first line's account
};

// The names and values of a request that its result alone does not tell: kept with its idempotency key.
// The first is always the operation; a plain posting has none.
using RequestFields = std::vector<std::pair<std::string, std::string>>;

// A transaction or hold as it stands in the books.
struct StoredTransaction {
  struct Entry {
    const Account* account = nullptr;
    Units amount = 0;
  };
  TransactionId id;
  std::optional<std::int64_t> effective_at;
  std::optional<std::string> reference;
  std::optional<std::string> description;
  std::optional<std::string> metadata;
  std::vector<Entry> entries;
  std::optional<TransactionId> reverses;
};

enum class HoldStatus : unsigned char { pending, captured, released, expired };

const char* to_string(HoldStatus status);
std::optional<HoldStatus> hold_status_from_string(std::string_view text);

// A reservation: each line stands in its account's pending debits or credits with what is left of it.
struct Hold {
  struct Line {
    const Account* account = nullptr;
    Units amount = 0;    // debit positive, credit negative
    Units captured = 0;  // magnitudes: what was posted, and what was given back
    Units released = 0;
    bool changed = false;

    Units left() const { return (amount > 0 ? amount : -amount) - captured - released; }
  };
  TransactionId id;
  HoldStatus status = HoldStatus::pending;
  std::optional<std::int64_t> expires_at;    // microseconds since 1970
  std::optional<std::int64_t> effective_at;  // of its captures, unless they name their own
  std::vector<Line> lines;
};

// A line of a hold that is past its expiry, found on an account that needs the room.
struct ExpiredLine {
  TransactionId hold;
  int line = 0;
  int scale = 0;  // of its account's currency
  Units amount = 0;
  Units left = 0;
};

// A change of status of a transaction or hold.
struct StatusChange {
  TransactionId id;
  const char* from = nullptr;  // nullptr: it is new
  const char* to = nullptr;
  std::optional<std::string> reason;
};

// What a call adds to the books: headers, entries in the order of their transactions, changed balances.
struct Journal {
  struct Transaction {
    TransactionId id;
    std::int64_t posted_at = 0;
    const Posting* posting = nullptr;
    std::optional<TransactionId> reverses;
    std::optional<TransactionId> hold;
  };
  struct Entry {
    TransactionId transaction;
    int line = 0;
    const Account* account = nullptr;
    Units amount = 0;
    Units balance_after = 0;
  };
  // A transaction that is effective at another time than it is posted at.
  struct Dated {
    TransactionId id;
    std::int64_t effective_at = 0;
  };

  void date(const TransactionId& id, std::int64_t effective_at) {
    if (effective_at != time_of(id)) dated.push_back({id, effective_at});
  }

  std::vector<Transaction> transactions;
  std::vector<Entry> entries;
  std::vector<Dated> dated;
  std::vector<ExpiredLine> expired;
  std::vector<StatusChange> changes;
};

// What came of one posting.
struct Outcome {
  TransactionId id;
  bool replayed = false;  // answered from what an earlier request with the same key did
  std::optional<Refusal> refusal;
};

}  // namespace ledgerflow
