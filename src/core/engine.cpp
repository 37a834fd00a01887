#include "core/engine.hpp"

#include <algorithm>

#include "core/rules.hpp"

namespace ledgerflow {

namespace {

void throw_if(std::optional<Refusal> refusal) {
  if (refusal) throw Error(std::move(*refusal));
}

// The request that was first sent under this key is answered from the books, any other is a conflict.
Outcome answer_from_books(Store& store, const Posting& posting, const Line* lines,
                          const TransactionId& id) {
  throw_if(compare_with_stored(posting, lines, store.load(id), store));
  Outcome outcome;
  outcome.id = id;
  outcome.replayed = true;
  return outcome;
}

// Applies the entries of one transaction to the locked balances. Limits hold for what the whole
// transaction leaves behind, not for the steps on the way.
void apply(LockedBalances& balances, Journal::Entry* entries, std::size_t count) {
  const std::size_t number = balances.next_number();
  // Each account as the transaction found it.
  std::vector<std::pair<const Balance*, Balance>> found;
  found.reserve(count);
  for (Journal::Entry* entry = entries; entry != entries + count; ++entry) {
    Balance& balance = balances.of(*entry->account);
    throw_if(check_status(balance, entry->amount > 0));
    if (balance.touched_by != number) found.emplace_back(&balance, balance);
    balance.touched_by = number;
    balance.last_transaction = entry->transaction;
    if (!apply_amount(balance, entry->amount))
      throw Error(Condition::balance_out_of_range,
                  "a total of account " + quoted(entry->account->code) + " would be too large");
    entry->balance_after = net_debit(balance);
  }
  for (const auto& [now, before] : found) throw_if(check_limits(before, *now));
}

void check_version(const Balance& balance, std::int64_t expected) {
  if (balance.version == expected) return;
  throw Error(Condition::version_conflict,
              "account " + quoted(balance.account->code) + " is not at the expected version",
              "Version " + std::to_string(balance.version) + ", expected " +
                  std::to_string(expected) + ".");
}

template <typename Items>
std::vector<const Account*> accounts_of(const Items& items) {
  std::vector<const Account*> accounts;
  accounts.reserve(items.size());
  for (const auto& item : items) accounts.push_back(item.account);
  return accounts;
}

}  // namespace

LockedBalances::LockedBalances(Store& store, std::vector<const Account*> accounts) {
  std::sort(accounts.begin(), accounts.end(),
            [](const Account* a, const Account* b) { return a->id < b->id; });
  accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
  rows_.resize(accounts.size());
  for (std::size_t i = 0; i < accounts.size(); ++i) rows_[i].account = accounts[i];
  store.lock_balances(rows_);
}

Balance& LockedBalances::of(const Account& account) {
  return *std::lower_bound(
      rows_.begin(), rows_.end(), account.id,
      [](const Balance& balance, std::int64_t id) { return balance.account->id < id; });
}

std::optional<TransactionId> LockedBalances::newest() const {
  std::optional<TransactionId> newest;
  for (const Balance& balance : rows_)
    if (balance.last_transaction && (!newest || *newest < *balance.last_transaction))
      newest = balance.last_transaction;
  return newest;
}

Outcome post(Store& store, const std::vector<Line>& lines, const Posting& posting) {
  check_texts(posting);
  throw_if(check_lines(lines.data(), posting.line_count));

  LockedBalances balances(store, accounts_of(lines));
  // Made under the locks: the order of ids is the order of posting on every account.
  const TransactionId id = make_transaction_id(store.clock(), store.random(), balances.newest());

  if (posting.idempotency_key) {
    std::vector<KeyClaim> claims{{*posting.idempotency_key, id, std::nullopt}};
    store.claim_keys(claims);
    if (claims[0].taken_by)
      return answer_from_books(store, posting, lines.data(), *claims[0].taken_by);
  }
  if (posting.reference) {
    std::vector<ReferenceUse> uses{{*posting.reference, std::nullopt}};
    store.find_references(uses);
    if (uses[0].taken_by)
      throw Error(Condition::duplicate_reference,
                  "reference " + quoted(*posting.reference) + " is used already",
                  "It belongs to transaction " + to_string(*uses[0].taken_by) + ".");
  }

  if (posting.expected_version)
    check_version(balances.of(*lines[0].account), *posting.expected_version);
  Journal journal;
  journal.transactions.push_back({id, time_of(id), &posting});
  journal.entries.reserve(lines.size());
  for (const Line& line : lines)
    journal.entries.push_back(
        {id, static_cast<int>(journal.entries.size()) + 1, line.account, line.amount, 0});
  apply(balances, journal.entries.data(), journal.entries.size());
  store.write(journal, balances.rows());
  Outcome outcome;
  outcome.id = id;
  return outcome;
}

void adopt(Store& store, std::vector<RawEntry> entries) {
  std::sort(entries.begin(), entries.end(), [](const RawEntry& a, const RawEntry& b) {
    return a.transaction != b.transaction ? a.transaction < b.transaction : a.line < b.line;
  });
  LockedBalances balances(store, accounts_of(entries));
  Journal journal;
  journal.entries.reserve(entries.size());
  for (const RawEntry& entry : entries)
    journal.entries.push_back({entry.transaction, entry.line, entry.account, entry.amount, 0});

  for (std::size_t first = 0; first < entries.size();) {
    const TransactionId id = entries[first].transaction;
    std::size_t count = 0;
    for (; first + count < entries.size() && entries[first + count].transaction == id; ++count) {
      const Balance& balance = balances.of(*entries[first + count].account);
      if (balance.last_transaction && id < *balance.last_transaction)
        throw Error(Condition::transaction_out_of_order,
                    "transaction " + to_string(id) + " does not follow the last one of account " +
                        quoted(balance.account->code),
                    "The last one is " + to_string(*balance.last_transaction) + ".");
    }
    apply(balances, journal.entries.data() + first, count);
    first += count;
  }
  store.complete(journal, balances.rows());
}

}  // namespace ledgerflow
