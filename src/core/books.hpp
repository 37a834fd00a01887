// The locked balances of a call, and what postings and holds do to them.
#pragma once

#include <vector>

#include "core/ledger.hpp"
#include "core/store.hpp"

namespace ledgerflow {

// The balance rows that a call has locked, found by account. Changes can be taken back, so that one
// refused item leaves no trace among others.
class Books {
 public:
  // Locks the accounts in ascending order of id, so that no two calls wait for each other.
  Books(Store& store, std::vector<const Account*> accounts);

  Balance& of(const Account& account);
  const std::vector<Balance>& rows() const { return rows_; }

  // An id that follows the newest transaction on any of the accounts and every id made before.
  TransactionId next_id();
  // The time of the call, read under the locks. Microseconds since 1970.
  std::int64_t now() const { return now_; }

  // Posts the entries of one transaction and fills in their balance_after. Throws Error when a status,
  // a limit (unless they are not to be held) or the range of a total forbids it.
  void post(Journal& journal, std::size_t first_entry, bool hold_limits = true);
  // Adds to what is pending, or takes from it (a negative change), line by line.
  void reserve(Journal& journal, const std::vector<Line>& lines);
  void unreserve(const Account& account, bool debit, Units amount);

  // Everything since the mark, undone by `take_back`.
  std::size_t mark() const { return undo_.size(); }
  void take_back(std::size_t mark);

 private:
  struct Undo {
    Balance* row;
    Balance before;
  };

  Balance& touch(const Account& account, std::size_t first_undo);
  void check_all(Journal& journal, std::size_t first_undo);

  Store& store_;
  std::vector<Balance> rows_;
  std::vector<Undo> undo_;
  std::int64_t now_ = 0;
  std::optional<TransactionId> last_id_;
};

// Raises the refusal, if there is one.
void throw_if(std::optional<Refusal> refusal);

// The accounts that some lines name.
template <typename Items>
std::vector<const Account*> accounts_of(const Items& items) {
  std::vector<const Account*> accounts;
  accounts.reserve(items.size());
  for (const auto& item : items) accounts.push_back(item.account);
  return accounts;
}

// Compares what was stored with a key with what is sent now; throws the conflict.
void compare_fields(std::string_view key, const RequestFields& stored, const RequestFields& sent);

// Claims one key. True when it was used before by the same request, whose result is then in `id`; any
// other request under the key is a conflict.
bool claim_key(Store& store, const std::optional<std::string_view>& key,
               const RequestFields& fields, TransactionId& id);

// A text as it is kept to compare requests by: all of it, and told apart from none.
std::string whole_text(const std::optional<std::string_view>& text);

// The texts of a posting as fields to compare requests by.
void add_texts(Store& store, const Posting& posting, RequestFields& fields);

// Refuses a reference that another transaction (or hold) has.
void check_reference(Store& store, const Posting& posting, bool of_hold);

// Refuses when the account is at another version.
void check_version(const Balance& balance, std::int64_t expected);

// Refuses an effective time in a closed period.
void check_period(Store& store, std::int64_t effective_at);

}  // namespace ledgerflow
