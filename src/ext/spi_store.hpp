// The store that works wherever SQL works: plain statements with kept plans, through SPI.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// Lives inside a Call, which connects to SPI and acts as the owner of the ledger.
class SpiStore : public Store {
 public:
  // `author` is recorded as created_by.
  SpiStore(Ledger& ledger, Oid author) : ledger_(ledger), author_(author) {}

  std::int64_t clock() override;
  std::uint64_t random() override;
  const Account& account(std::int64_t id) override { return ledger_.find_account(id); }
  void lock_balances(std::vector<Balance>& balances) override;
  void claim_keys(std::vector<KeyClaim>& claims) override;
  void drop_keys(const std::vector<std::string_view>& keys) override;
  void find_references(std::vector<ReferenceUse>& uses, bool holds) override;
  std::optional<std::int64_t> closed_through() override;
  StoredTransaction load(const TransactionId& id) override;
  std::vector<StoredTransaction::Entry> unreversed(const TransactionId& id) override;
  bool is_reversed(const TransactionId& id) override;
  std::optional<Hold> find_hold(const TransactionId& id) override;
  std::vector<ExpiredLine> expired_lines(const Account& account, std::int64_t now) override;
  std::vector<TransactionId> expired_holds(std::int64_t now, std::size_t most) override;
  bool same_json(std::string_view a, std::string_view b) override;
  std::string show_json(std::string_view json) override;
  void insert_hold(const Hold& hold, const Posting& posting) override;
  void update_hold(const Hold& hold) override;
  void write(const Journal& journal, const std::vector<Balance>& balances) override;
  void complete(const Journal& journal, const std::vector<Balance>& balances) override;

  // Limits and status of a locked balance.
  void write_rules(const Balance& balance);

  // Closes what is open, at the end of a call that succeeded.
  virtual void finish() {}

 protected:
  // Runs what inserts the journal's transactions; another session may have used one of their references
  // since it was looked for.
  template <typename Insert>
  void catch_duplicate_reference(const Journal& journal, Insert&& insert) {
    try {
      insert();
    } catch (const PgError& error) {
      if (error.data->sqlerrcode != ERRCODE_UNIQUE_VIOLATION) throw;
      refuse_duplicate_reference(journal, error);
    }
  }
  // The journal's transactions in the order of their references, so that two batches do not wait for each
  // other.
  static std::vector<const Journal::Transaction*> by_reference(const Journal& journal);
  // Entries of transactions that are effective at another time than they are posted at. After the
  // balances and before what a trigger of the user's may post on.
  void write_effective(const Journal& journal);
  // What few journals have: reservations given back, changes of status.
  void write_rest(const Journal& journal);

  Ledger& ledger_;
  Oid author_;
  // What clock() told last: the time of the ids of this call, and so of all it does. As of a posting's
  // time, what it gave back is not reserved any more.
  std::int64_t clock_ = 0;

 private:
  [[noreturn]] static void refuse_duplicate_reference(const Journal& journal, const PgError& error);
  void insert_transaction(const Journal::Transaction& transaction);
  void insert_entries(const std::vector<Journal::Entry>& entries);
  void update_balances(const std::vector<Balance>& balances);
  void read_request(KeyClaim& claim);
  std::vector<Units> dated_totals(const std::vector<const Account*>& accounts);
  void insert_dated_entries(const std::vector<struct DatedEntry>& entries);
  void add_effective_days(const std::vector<struct EffectiveDay>& days);
  void release_expired(const std::vector<ExpiredLine>& lines, std::int64_t at);
  void insert_changes(const std::vector<StatusChange>& changes);
  std::vector<StoredTransaction::Entry> read_entries(SPIPlanPtr plan, const TransactionId& id);
};

// An id for a transaction that is to be inserted by hand: no account is locked for it.
TransactionId new_transaction_id();

}  // namespace ledgerflow
