// A ledger in plain containers: the store that the engine's tests run on, and one side of the randomised
// test. One thread; several open transactions may share it as long as they touch different accounts.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "core/effective.hpp"
#include "core/store.hpp"

namespace ledgerflow {

class MemoryStore final : public Store {
 public:
  struct Header {
    std::int64_t posted_at = 0;
    std::int64_t effective_at = 0;
    std::optional<std::string> reference;
    std::optional<std::string> description;
    std::optional<std::string> metadata;  // JSON as text: the same when it is the same text
    std::optional<TransactionId> reverses = std::nullopt;
    std::optional<TransactionId> hold = std::nullopt;
  };
  struct Entry {
    std::int64_t account_id = 0;
    Units amount = 0;
    Units balance_after = 0;
  };
  using EntryKey = std::pair<TransactionId, int>;  // transaction and line
  struct HoldRow {
    Hold hold;
    std::optional<std::string> reference;
    std::optional<std::string> description;
    std::optional<std::string> metadata;
  };
  struct KeyRow {
    TransactionId id;  // of the transaction or hold
    RequestFields request;
  };
  struct Change {  // of a transaction's or hold's status
    TransactionId id;
    std::optional<std::string> from;
    std::string to;
    std::optional<std::string> reason;
  };

  using DayKey = std::pair<std::int64_t, std::int64_t>;  // account and day

  // How to take changes back, the last one first.
  using UndoLog = std::vector<std::function<void()>>;

  explicit MemoryStore(std::uint64_t random_seed = 1) : random_state_(random_seed) {}
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // The time that clock() tells until the next call. It may go back.
  void set_clock(std::int64_t unix_micros) { now_ = unix_micros; }

  // Accounts are opened here without checks; the code must be new.
  const Account& open_account(std::string_view code, std::string_view type, Side normal_side,
                              std::string_view currency, int scale);
  const Account* find_account(std::string_view code) const;
  void set_limits(const Account& account, std::optional<Units> min_balance,
                  std::optional<Units> max_balance);
  void set_status(const Account& account, Status status);
  void set_closed_through(std::optional<std::int64_t> unix_micros);

  // A header and entries as somebody inserts them by hand, before the engine adopts the entries.
  void insert_raw(const TransactionId& id, Header header, const std::vector<RawEntry>& entries);

  // Runs the body; when it throws, everything that it did to the store is taken back.
  template <typename Body>
  auto atomically(Body&& body) -> decltype(body()) {
    Attempt attempt(*undo_, undo_ == &own_undo_);
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      attempt.succeeded = true;
    } else {
      auto result = body();
      attempt.succeeded = true;
      return result;
    }
  }

  // Changes are recorded in this log from now on; nullptr: in none that outlives `atomically`.
  void record_into(UndoLog* log) { undo_ = log != nullptr ? log : &own_undo_; }
  // Takes back what the log holds beyond its first `keep` changes.
  static void roll_back(UndoLog& log, std::size_t keep = 0);

  // Everything, for checks.
  const Balance& balance(const Account& account) const { return balances_.at(account.id); }
  const std::map<std::int64_t, Balance>& balances() const { return balances_; }
  const std::map<TransactionId, Header>& transactions() const { return transactions_; }
  const std::map<EntryKey, Entry>& entries() const { return entries_; }
  const std::map<std::string, KeyRow, std::less<>>& keys() const { return keys_; }
  const std::map<TransactionId, HoldRow>& holds() const { return holds_; }
  // By account, in the order of posting.
  const std::map<std::int64_t, std::vector<DatedEntry>>& dated() const { return dated_; }
  const std::map<DayKey, Units>& days() const { return days_; }
  // In the order in which they were recorded.
  const std::map<std::uint64_t, Change>& changes() const { return changes_; }
  std::string dump() const;

  std::int64_t clock() override { return now_; }
  std::uint64_t random() override;
  const Account& account(std::int64_t id) override { return *accounts_.at(id); }
  void lock_balances(std::vector<Balance>& balances) override;
  void claim_keys(std::vector<KeyClaim>& claims) override;
  void drop_keys(const std::vector<std::string_view>& keys) override;
  void find_references(std::vector<ReferenceUse>& uses, bool holds) override;
  std::optional<std::int64_t> closed_through() override { return closed_through_; }
  StoredTransaction load(const TransactionId& id) override;
  std::vector<StoredTransaction::Entry> unreversed(const TransactionId& id) override;
  bool is_reversed(const TransactionId& id) override;
  std::optional<Hold> find_hold(const TransactionId& id) override;
  std::vector<ExpiredLine> expired_lines(const Account& account, std::int64_t now) override;
  std::vector<TransactionId> expired_holds(std::int64_t now, std::size_t most) override;
  bool same_json(std::string_view a, std::string_view b) override { return a == b; }
  std::string show_json(std::string_view json) override { return std::string(json); }
  void insert_hold(const Hold& hold, const Posting& posting) override;
  void update_hold(const Hold& hold) override;
  void write(const Journal& journal, const std::vector<Balance>& balances) override;
  void complete(const Journal& journal, const std::vector<Balance>& balances) override;

 private:
  struct Attempt {
    Attempt(UndoLog& undo_log, bool forget_on_success)
        : log(undo_log), start(undo_log.size()), forget(forget_on_success) {}
    ~Attempt() {
      if (!succeeded)
        roll_back(log, start);
      else if (forget)
        log.resize(start);
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    UndoLog& log;
    std::size_t start;
    bool forget;
    bool succeeded = false;
  };

  void insert_transaction(const TransactionId& id, Header header);
  void insert_entry(const EntryKey& key, const Entry& entry);
  void put_balance(const Balance& balance);
  void put_line(const TransactionId& hold, std::size_t line, const Hold::Line& changed);
  void release_expired(const std::vector<ExpiredLine>& lines);
  void write_effective(const Journal& journal);
  void add_changes(const std::vector<StatusChange>& changes);

  std::map<std::int64_t, std::unique_ptr<Account>> accounts_;
  std::map<std::string, const Account*, std::less<>> codes_;
  std::map<std::int64_t, Balance> balances_;
  std::map<TransactionId, Header> transactions_;
  std::map<EntryKey, Entry> entries_;
  std::map<TransactionId, std::set<TransactionId>> reversals_;  // by what they reverse
  std::map<TransactionId, HoldRow> holds_;
  std::map<std::uint64_t, Change> changes_;
  std::map<std::int64_t, std::vector<DatedEntry>> dated_;
  std::map<DayKey, Units> days_;
  std::map<std::string, KeyRow, std::less<>> keys_;
  std::map<std::string, TransactionId, std::less<>> references_;
  std::map<std::string, TransactionId, std::less<>> hold_references_;
  std::optional<std::int64_t> closed_through_;
  std::uint64_t last_change_ = 0;
  std::int64_t last_account_id_ = 0;
  std::int64_t now_ = 0;
  std::uint64_t random_state_;
  UndoLog own_undo_;
  UndoLog* undo_ = &own_undo_;
};

}  // namespace ledgerflow
