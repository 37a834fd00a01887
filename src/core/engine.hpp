// Posting: from a request to rows in the books, whatever the store.
#pragma once

#include <vector>

#include "core/ledger.hpp"
#include "core/store.hpp"

namespace ledgerflow {

// The balance rows that a call has locked, found by account.
class LockedBalances {
 public:
  // Locks the accounts of the lines in ascending order of id, so that no two calls wait for each other.
  LockedBalances(Store& store, std::vector<const Account*> accounts);

  Balance& of(const Account& account);
  const std::vector<Balance>& rows() const { return rows_; }
  // The newest transaction on any of the accounts: ids that follow it rise on all of them.
  std::optional<TransactionId> newest() const;
  // Numbers the transactions of the call.
  std::size_t next_number() { return ++transactions_; }

 private:
  std::vector<Balance> rows_;
  std::size_t transactions_ = 0;
};

// Posts one transaction: all or nothing. Throws Error when it is refused.
Outcome post(Store& store, const std::vector<Line>& lines, const Posting& posting);

// Takes entries that were inserted by hand into the books: the same checks, account by account, that
// `post` makes. That each transaction balances is for the end of the database transaction to see.
void adopt(Store& store, std::vector<RawEntry> entries);

}  // namespace ledgerflow
