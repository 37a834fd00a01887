// Where the engine reads and writes rows. PostgreSQL is one store, memory another; the engine does not
// know which. A store throws what it cannot do; the engine never goes on after that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ledger.hpp"

namespace ledgerflow {

struct KeyClaim {
  std::string_view key;
  TransactionId id;                        // of the transaction or hold that is to get the key
  const RequestFields* request = nullptr;  // nullptr: a plain posting, known by its rows
  // Set by the store when the key was used before, with what was stored then.
  std::optional<TransactionId> taken_by = std::nullopt;
  RequestFields stored = {};
};

struct ReferenceUse {
  std::string_view reference;
  std::optional<TransactionId> taken_by;  // set by the store
};

class Store {
 public:
  virtual ~Store() = default;

  // Microseconds since 1970, and 64 random bits.
  virtual std::int64_t clock() = 0;
  virtual std::uint64_t random() = 0;

  // The account of this id, which a row of the ledger names.
  virtual const Account& account(std::int64_t id) = 0;

  // Locks the rows of these accounts, which are in ascending order without repetition, and fills in
  // the newest version of each.
  virtual void lock_balances(std::vector<Balance>& balances) = 0;

  // Takes the keys for the transactions, in the given (ascending) order, or says which transaction has
  // them. Waits for a concurrent claim of the same key to commit or roll back.
  virtual void claim_keys(std::vector<KeyClaim>& claims) = 0;
  // Gives back keys that this call has claimed.
  virtual void drop_keys(const std::vector<std::string_view>& keys) = 0;

  // Of transactions; of holds when `holds`.
  virtual void find_references(std::vector<ReferenceUse>& uses, bool holds) = 0;

  // The end of the closed periods, exact against a concurrent closing.
  virtual std::optional<std::int64_t> closed_through() = 0;

  virtual StoredTransaction load(const TransactionId& id) = 0;
  // What is left of a transaction after its reversals, and theirs: debits less credits by account.
  virtual std::vector<StoredTransaction::Entry> unreversed(const TransactionId& id) = 0;

  // Whether any transaction names it as the one it reverses.
  virtual bool is_reversed(const TransactionId& id) = 0;

  virtual std::optional<Hold> find_hold(const TransactionId& id) = 0;
  virtual std::vector<ExpiredLine> expired_lines(const Account& account, std::int64_t now) = 0;
  // Holds that are pending and past their expiry, at most so many.
  virtual std::vector<TransactionId> expired_holds(std::int64_t now, std::size_t most) = 0;

  // JSON comes to the engine in the store's own form.
  virtual bool same_json(std::string_view a, std::string_view b) = 0;
  virtual std::string show_json(std::string_view json) = 0;

  virtual void insert_hold(const Hold& hold, const Posting& posting) = 0;
  // Status of a hold, amounts of its changed lines.
  virtual void update_hold(const Hold& hold) = 0;
  // Writes everything of the journal, and the balances that are marked as changed.
  virtual void write(const Journal& journal, const std::vector<Balance>& balances) = 0;
  // The same for entries that are there already and lack only their balance_after.
  virtual void complete(const Journal& journal, const std::vector<Balance>& balances) = 0;
};

}  // namespace ledgerflow
