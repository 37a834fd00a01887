// A ledger in memory with a few accounts, and what must be true of its books after every test.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/engine.hpp"
#include "core/memory_store.hpp"
#include "refused.hpp"

namespace ledgerflow::testing {

constexpr std::int64_t second = 1000000;
constexpr std::int64_t noon = 1790000000LL * second;

class LedgerTest : public ::testing::Test {
 protected:
  MemoryStore store{7};
  const Account& cash = store.open_account("cash", "asset", Side::debit, "USD", 2);
  const Account& sales = store.open_account("sales", "income", Side::credit, "USD", 2);
  const Account& fees = store.open_account("fees", "expense", Side::debit, "USD", 2);
  const Account& euros = store.open_account("euros", "asset", Side::debit, "EUR", 2);
  const Account& trading = store.open_account("trading", "equity", Side::credit, "EUR", 2);
  const Account& coins = store.open_account("coins", "asset", Side::debit, "COIN", 0);
  const Account& mint = store.open_account("mint", "equity", Side::credit, "COIN", 0);

  void SetUp() override { store.set_clock(noon); }
  void TearDown() override {
    if (sound_at_end) expect_sound();
  }
  bool sound_at_end = true;

  static std::vector<Line> pair(const Account& debit, const Account& credit, Units amount) {
    return {{&debit, amount}, {&credit, -amount}};
  }

  Outcome post(const std::vector<Line>& lines, Posting posting = {}) {
    posting.line_count = lines.size();
    return store.atomically([&] { return ledgerflow::post(store, lines, posting); });
  }
  Outcome transfer(const Account& debit, const Account& credit, Units amount,
                   const Posting& posting = {}) {
    return post(pair(debit, credit, amount), posting);
  }

  // Runs the body; the refusal that it throws, which must not have changed anything.
  template <typename Body>
  std::optional<Refusal> refusal_without_trace(Body&& body) {
    const std::string before = store.dump();
    const auto refusal = refusal_of([&] { store.atomically(body); });
    if (refusal) {
      EXPECT_EQ(store.dump(), before);
    }
    return refusal;
  }
  template <typename Body>
  std::string refused_by(Body&& body) {
    return name_of(refusal_without_trace(body));
  }

  // Posts; the name of the condition.
  std::string refused(const std::vector<Line>& lines, const Posting& posting = {}) {
    return refused_by([&] { post(lines, posting); });
  }
  std::string refused(const Account& debit, const Account& credit, Units amount,
                      const Posting& posting = {}) {
    return refused(pair(debit, credit, amount), posting);
  }

  const Balance& of(const Account& account) const { return store.balance(account); }

  // Every balance is what the entries and the lines of holds say, in the order of ids; each version counts
  // the entries; what a hold's lines have captured was posted.
  void expect_sound() const;

 private:
  void expect_sound_balances() const;
  void expect_sound_transactions() const;
  void expect_sound_holds() const;
  void expect_sound_effective() const;
};

inline void LedgerTest::expect_sound() const {
  expect_sound_balances();
  expect_sound_transactions();
  expect_sound_holds();
  expect_sound_effective();
}

inline void LedgerTest::expect_sound_balances() const {
  const auto add = [](Balance& balance, bool pending, Units amount) {
    Units& total = amount > 0 ? (pending ? balance.debits_pending : balance.debits_posted)
                              : (pending ? balance.credits_pending : balance.credits_posted);
    ASSERT_TRUE(add_units(total, amount > 0 ? amount : -amount));
  };
  std::map<std::int64_t, Balance> derived;
  for (const auto& [key, entry] : store.entries()) {
    Balance& balance = derived[entry.account_id];
    add(balance, false, entry.amount);
    ++balance.version;
    EXPECT_TRUE(net_debit(balance) == entry.balance_after);
    balance.last_transaction = key.first;
  }
  for (const auto& [id, row] : store.holds())
    for (const Hold::Line& line : row.hold.lines)
      add(derived[line.account->id], true, line.amount > 0 ? line.left() : -line.left());
  for (const auto& [id, row] : store.balances()) {
    const Balance& expected = derived[id];
    const std::string& code = row.account->code;
    EXPECT_TRUE(row.debits_posted == expected.debits_posted) << code;
    EXPECT_TRUE(row.credits_posted == expected.credits_posted) << code;
    EXPECT_TRUE(row.debits_pending == expected.debits_pending) << code;
    EXPECT_TRUE(row.credits_pending == expected.credits_pending) << code;
    EXPECT_EQ(row.version, expected.version) << code;
    EXPECT_EQ(row.last_transaction, expected.last_transaction) << code;
    // Posted and pending together have at most 38 digits.
    Units debits = row.debits_posted;
    Units credits = row.credits_posted;
    EXPECT_TRUE(add_units(debits, row.debits_pending) && add_units(credits, row.credits_pending))
        << code;
  }
}

inline void LedgerTest::expect_sound_transactions() const {
  std::map<TransactionId, std::map<std::string, Units>> sums;
  for (const auto& [key, entry] : store.entries())
    sums[key.first][store.balances().at(entry.account_id).account->currency] += entry.amount;
  for (const auto& [id, header] : store.transactions()) {
    EXPECT_EQ(time_of(id), header.posted_at);
    EXPECT_EQ(sums.count(id), 1U);
    if (header.reverses) {
      EXPECT_EQ(store.transactions().count(*header.reverses), 1U);
    }
    if (header.hold) {
      EXPECT_EQ(store.holds().count(*header.hold), 1U);
    }
  }
  for (const auto& [id, currencies] : sums) {
    EXPECT_EQ(store.transactions().count(id), 1U);
    for (const auto& [currency, sum] : currencies) EXPECT_TRUE(sum == 0) << currency;
  }
  for (const auto& [key, row] : store.keys())
    EXPECT_EQ(store.transactions().count(row.id) + store.holds().count(row.id), 1U) << key;
}

inline void LedgerTest::expect_sound_holds() const {
  std::map<std::pair<TransactionId, std::int64_t>, std::pair<Units, Units>> captured;
  for (const auto& [key, entry] : store.entries()) {
    const auto& hold = store.transactions().at(key.first).hold;
    if (!hold) continue;
    auto& [debits, credits] = captured[{*hold, entry.account_id}];
    (entry.amount > 0 ? debits : credits) += entry.amount > 0 ? entry.amount : -entry.amount;
  }
  for (const auto& [id, row] : store.holds()) {
    for (const Hold::Line& line : row.hold.lines) {
      EXPECT_TRUE(line.captured >= 0 && line.released >= 0 && line.left() >= 0) << to_string(id);
      if (row.hold.status != HoldStatus::pending) {
        EXPECT_TRUE(line.left() == 0) << to_string(id);
      }
      auto& [debits, credits] = captured[{id, line.account->id}];
      (line.amount > 0 ? debits : credits) -= line.captured;
    }
  }
  for (const auto& [key, rest] : captured)
    EXPECT_TRUE(rest.first == 0 && rest.second == 0) << to_string(key.first);
}

// What is kept for balances by effective time, against entries and headers.
inline void LedgerTest::expect_sound_effective() const {
  std::map<std::int64_t, std::string> wanted;
  std::map<std::int64_t, Units> totals;
  std::map<MemoryStore::DayKey, Units> days;
  const auto show = [](const TransactionId& id, int line, std::int64_t effective_at, Units amount,
                       Units dated_after) {
    return to_string(id) + " " + std::to_string(line) + " " + std::to_string(effective_at) + " " +
           format_units(amount, 0) + " " + format_units(dated_after, 0) + "\n";
  };
  for (const auto& [key, entry] : store.entries()) {
    const auto header = store.transactions().find(key.first);
    if (header == store.transactions().end() ||
        header->second.effective_at == header->second.posted_at)
      continue;
    const std::int64_t at = header->second.effective_at;
    Units& total = totals[entry.account_id];
    total += entry.amount;
    days[{entry.account_id, day_of(at)}] += entry.amount;
    wanted[entry.account_id] += show(key.first, key.second, at, entry.amount, total);
  }
  for (const auto& [account, entries] : store.dated()) {
    std::string found;
    for (const DatedEntry& entry : entries)
      found +=
          show(entry.transaction, entry.line, entry.effective_at, entry.amount, entry.dated_after);
    EXPECT_EQ(found, wanted[account]) << "dated entries of account " << account;
    wanted.erase(account);
  }
  EXPECT_TRUE(wanted.empty()) << "dated entries that are not kept";
  for (const auto& [key, amount] : store.days())
    EXPECT_EQ(format_units(amount, 0), format_units(days[key], 0))
        << "day " << key.second << " of account " << key.first;
  EXPECT_LE(days.size(), store.days().size()) << "days that are not kept";
}

}  // namespace ledgerflow::testing
