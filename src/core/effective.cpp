#include "core/effective.hpp"

#include <algorithm>
#include <map>

namespace ledgerflow {

namespace {

constexpr std::int64_t micros_per_day = 86400LL * 1000000;

}  // namespace

std::int64_t day_of(std::int64_t unix_micros) {
  return unix_micros / micros_per_day - (unix_micros % micros_per_day < 0 ? 1 : 0);
}

std::vector<DatedEntry> dated_entries(const Journal& journal) {
  std::vector<DatedEntry> entries;
  // Both lists are in the order of their transactions.
  auto dated = journal.dated.begin();
  for (const Journal::Entry& entry : journal.entries) {
    while (dated != journal.dated.end() && dated->id < entry.transaction) ++dated;
    if (dated == journal.dated.end()) break;
    if (dated->id == entry.transaction)
      entries.push_back(
          {entry.account, dated->effective_at, entry.transaction, entry.line, entry.amount, 0});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const DatedEntry& a, const DatedEntry& b) {
    return a.account->id < b.account->id;
  });
  return entries;
}

std::vector<const Account*> dated_accounts(const std::vector<DatedEntry>& entries) {
  std::vector<const Account*> accounts;
  for (const DatedEntry& entry : entries)
    if (accounts.empty() || accounts.back() != entry.account) accounts.push_back(entry.account);
  return accounts;
}

void run_totals(std::vector<DatedEntry>& entries, const std::vector<Units>& before) {
  const Account* account = nullptr;
  auto next = before.begin();
  Units total = 0;
  for (DatedEntry& entry : entries) {
    if (entry.account != account) total = *next++;
    account = entry.account;
    total += entry.amount;
    entry.dated_after = total;
  }
}

// A sum of some entries is never larger than the debits or the credits of the account.
std::vector<EffectiveDay> effective_days(const std::vector<DatedEntry>& entries) {
  std::map<std::pair<std::int64_t, std::int64_t>, EffectiveDay> days;
  for (const DatedEntry& entry : entries) {
    const std::int64_t day = day_of(entry.effective_at);
    EffectiveDay& sum = days[{entry.account->id, day}];
    sum.account = entry.account;
    sum.day = day;
    sum.amount += entry.amount;
  }
  std::vector<EffectiveDay> list;
  list.reserve(days.size());
  for (const auto& [key, sum] : days) list.push_back(sum);
  return list;
}

}  // namespace ledgerflow
