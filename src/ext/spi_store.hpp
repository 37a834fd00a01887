// The store that works wherever SQL works: plain statements with kept plans, through SPI.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// Lives inside a Call, which connects to SPI and acts as the owner of the ledger.
class SpiStore final : public Store {
 public:
  // `author` is recorded as created_by.
  SpiStore(Ledger& ledger, Oid author) : ledger_(ledger), author_(author) {}

  std::int64_t clock() override;
  std::uint64_t random() override;
  const Account& account(std::int64_t id) override { return ledger_.find_account(id); }
  void lock_balances(std::vector<Balance>& balances) override;
  void claim_keys(std::vector<KeyClaim>& claims) override;
  void drop_keys(const std::vector<std::string_view>& keys) override;
  void find_references(std::vector<ReferenceUse>& uses) override;
  StoredTransaction load(const TransactionId& id) override;
  bool same_json(std::string_view a, std::string_view b) override;
  std::string show_json(std::string_view json) override;
  void write(const Journal& journal, const std::vector<Balance>& balances) override;
  void complete(const Journal& journal, const std::vector<Balance>& balances) override;

  // Limits and status of a locked balance.
  void write_rules(const Balance& balance);

 private:
  void insert_transaction(const Journal::Transaction& transaction);
  void insert_entries(const std::vector<Journal::Entry>& entries);
  void update_balances(const std::vector<Balance>& balances);

  Ledger& ledger_;
  Oid author_;
};

// An id for a transaction that is to be inserted by hand: no account is locked for it.
TransactionId new_transaction_id();

}  // namespace ledgerflow
