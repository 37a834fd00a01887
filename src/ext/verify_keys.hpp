// Whether every idempotency key names a transaction or hold that is there.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// The ids of all transactions and holds, in order. They mostly come in order, and so do the lookups: each begins
// where the one before has ended.
class KnownIds {
 public:
  // As many as fit into maintenance_work_mem; with more than that nothing is known.
  void reserve();
  void add(std::uint64_t high, std::uint64_t low) {
    if (ids_.size() == ids_.capacity())
      full_ = true;
    else
      ids_.push_back({high, low});
  }
  void sort();
  bool contains(std::uint64_t high, std::uint64_t low);
  bool is_full() const { return full_; }

 private:
  using Id = std::pair<std::uint64_t, std::uint64_t>;
  std::vector<Id> ids_;
  std::size_t last_ = 0;
  bool full_ = false;
};

// True when a key names nothing, or when there are too many ids to tell. `ids` holds those of the transactions.
bool are_keys_suspect(Ledger& ledger, KnownIds& ids);

}  // namespace ledgerflow
