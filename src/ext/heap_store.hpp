// The store that reads and writes a ledger's rows through the table access method, without SQL. For what a
// plain posting does; everything else it leaves to the SPI store.
#pragma once

#include "ext/heap_tables.hpp"
#include "ext/spi_store.hpp"

namespace ledgerflow {

class HeapStore final : public SpiStore {
 public:
  HeapStore(Ledger& ledger, Oid author, const HeapLayout& layout)
      : SpiStore(ledger, author), layout_(layout) {}
  ~HeapStore() override = default;

  void lock_balances(std::vector<Balance>& balances) override;
  void claim_keys(std::vector<KeyClaim>& claims) override;
  void write(const Journal& journal, const std::vector<Balance>& balances) override;
  void finish() override;

 private:
  void lock_rows(std::vector<Balance>& balances);
  bool find_remembered_row(const Account& account, BlockNumber blocks, ItemPointer row);
  void find_row(const Account& account, TupleTableSlot* slot, ItemPointer row);
  void lock_row(Balance& balance, std::size_t number, ItemPointer row, TupleTableSlot* slot);
  void insert_key(const KeyClaim& claim, TupleTableSlot* slot);
  void insert_transactions(const std::vector<const Journal::Transaction*>& transactions);
  void insert_entries(const std::vector<Journal::Entry>& entries);
  void update_rows(const std::vector<Balance>& balances);

  HeapLayout layout_;
  OpenTable balances_;
  OpenTable keys_;
  struct IndexScanDescData* balance_scan_ = nullptr;
  std::vector<HeapTuple> locked_;  // as they are locked, in the order of the balances
};

// The store that a posting on this ledger uses, as ledgerflow.store has it.
std::unique_ptr<SpiStore> choose_store(Call& call);

// Runs request(ledger, store) as the owner of the ledger, for a caller who may post.
template <typename Request>
auto run_request(const char* function, const char* ledger, Names names, Request&& request) {
  Call call(function, ledger, Table::transactions, ACL_INSERT);
  if (names == Names::ids) call.hide_codes();
  const auto result = call.as_owner([&] {
    const std::unique_ptr<SpiStore> store = choose_store(call);
    const auto answer = request(call.ledger(), *store);
    store->finish();
    return answer;
  });
  call.finish();
  return result;
}

}  // namespace ledgerflow
