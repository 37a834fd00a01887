// Entries that count in the books at another time than they are posted at. Most postings name no time of
// their own and write nothing of this.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ledger.hpp"

namespace ledgerflow {

struct DatedEntry {
  const Account* account = nullptr;
  std::int64_t effective_at = 0;  // microseconds since 1970
  TransactionId transaction;
  int line = 0;
  Units amount = 0;
  Units dated_after =
      0;  // all dated entries of the account up to this one, in the order of posting
};

// What the dated entries of an account come to that are effective on one day.
struct EffectiveDay {
  const Account* account = nullptr;
  std::int64_t day = 0;  // days since 1970, UTC
  Units amount = 0;
};

// The day of a time, also before 1970.
std::int64_t day_of(std::int64_t unix_micros);

// The dated entries of a journal: by account, and in the order of posting on each. Their dated_after
// is still to be filled in.
std::vector<DatedEntry> dated_entries(const Journal& journal);

// Each account of such a list once.
std::vector<const Account*> dated_accounts(const std::vector<DatedEntry>& entries);

// Fills in dated_after. `before` has what stood there for each account, in the order of dated_accounts.
void run_totals(std::vector<DatedEntry>& entries, const std::vector<Units>& before);

// The sums of the list by account and day, in that order.
std::vector<EffectiveDay> effective_days(const std::vector<DatedEntry>& entries);

}  // namespace ledgerflow
