// Entries that are effective at another time than they are posted at: which, in which order, and their sums.
#include "core/effective.hpp"

#include <gtest/gtest.h>

#include "core/holds.hpp"
#include "core/reversal.hpp"
#include "ledger_test.hpp"

namespace ledgerflow {
namespace {

using testing::noon;
using testing::second;

constexpr std::int64_t micros_per_day = 86400 * second;

TEST(DayOf, CountsDownBefore1970) {
  EXPECT_EQ(day_of(0), 0);
  EXPECT_EQ(day_of(micros_per_day - 1), 0);
  EXPECT_EQ(day_of(micros_per_day), 1);
  EXPECT_EQ(day_of(-1), -1);
  EXPECT_EQ(day_of(-micros_per_day), -1);
  EXPECT_EQ(day_of(-micros_per_day - 1), -2);
  EXPECT_EQ(day_of(INT64_MAX), INT64_MAX / micros_per_day);
  EXPECT_EQ(day_of(INT64_MIN), INT64_MIN / micros_per_day - 1);
}

class EffectiveTest : public testing::LedgerTest {
 protected:
  static Posting effective(std::int64_t at) {
    Posting posting;
    posting.effective_at = at;
    return posting;
  }

  // What is kept of an account: "day -1: 5; day 0: 7 (after it 12)", days from noon's.
  std::string kept(const Account& account) const {
    std::string text;
    const auto dated = store.dated().find(account.id);
    if (dated == store.dated().end()) return text;
    for (const DatedEntry& entry : dated->second)
      text += (text.empty() ? "" : "; ") + std::string("day ") +
              std::to_string(day_of(entry.effective_at) - day_of(noon)) + ": " +
              format_units(entry.amount, 0) + " after it " + format_units(entry.dated_after, 0);
    return text;
  }
  Units on_day(const Account& account, std::int64_t day) const {
    const auto found = store.days().find({account.id, day_of(noon) + day});
    return found == store.days().end() ? 0 : found->second;
  }
};

TEST_F(EffectiveTest, AnOrdinaryPostingKeepsNothing) {
  transfer(cash, sales, 5);
  transfer(cash, sales, 5, effective(noon + 1));  // the next id carries this very time, or later
  store.set_clock(noon + 5 * second);
  transfer(cash, sales, 5, effective(noon + 5 * second));
  EXPECT_EQ(store.transactions().rbegin()->second.posted_at, noon + 5 * second);
  EXPECT_TRUE(on_day(cash, 1) == 0);
  EXPECT_EQ(kept(fees), "");
}

TEST_F(EffectiveTest, EntriesRunInTheOrderOfPosting) {
  transfer(cash, sales, 5, effective(noon + micros_per_day));
  transfer(cash, sales, 7, effective(noon - 2 * micros_per_day));
  transfer(sales, cash, 1, effective(noon + micros_per_day));
  transfer(cash, sales, 100);
  EXPECT_EQ(kept(cash), "day 1: 5 after it 5; day -2: 7 after it 12; day 1: -1 after it 11");
  EXPECT_EQ(kept(sales), "day 1: -5 after it -5; day -2: -7 after it -12; day 1: 1 after it -11");
  EXPECT_TRUE(on_day(cash, 1) == 4 && on_day(cash, -2) == 7 && on_day(cash, 0) == 0);
}

TEST_F(EffectiveTest, LinesOfOneAccountStandOneByOne) {
  post({{&cash, 10}, {&sales, -4}, {&cash, -1}, {&sales, -5}, {&euros, 3}, {&trading, -3}},
       effective(noon - micros_per_day));
  EXPECT_EQ(kept(cash), "day -1: 10 after it 10; day -1: -1 after it 9");
  EXPECT_EQ(kept(sales), "day -1: -4 after it -4; day -1: -5 after it -9");
  EXPECT_EQ(kept(euros), "day -1: 3 after it 3");
}

TEST_F(EffectiveTest, ItemsOfABatchThatAreRefusedLeaveNothing) {
  store.set_limits(cash, std::nullopt, 100);
  std::vector<Item> items(5);
  const Units amounts[] = {10, 1000, 20, 40, 1000};
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].lines = pair(cash, sales, amounts[i]);
    items[i].posting = effective(noon - static_cast<std::int64_t>(i + 1) * micros_per_day);
  }
  items[2].posting.effective_at.reset();
  items[3].linked = true;
  store.atomically([&] { post_all(store, items, Mode::each); });
  EXPECT_TRUE(items[1].outcome.refusal && items[3].outcome.refusal && items[4].outcome.refusal);
  EXPECT_EQ(kept(cash), "day -1: 10 after it 10");
  EXPECT_TRUE(on_day(cash, -4) == 0);
}

TEST_F(EffectiveTest, WhatIsTakenBackLeavesNothing) {
  transfer(cash, sales, 5, effective(noon - micros_per_day));
  MemoryStore::UndoLog log;
  store.record_into(&log);
  transfer(cash, sales, 6, effective(noon - micros_per_day));
  MemoryStore::roll_back(log);
  store.record_into(nullptr);
  EXPECT_EQ(kept(cash), "day -1: 5 after it 5");
  EXPECT_TRUE(on_day(cash, -1) == 5);
}

TEST_F(EffectiveTest, CapturesAndReversalsAreDatedByThemselves) {
  HoldRequest hold;
  hold.lines = pair(cash, sales, 8);
  hold.posting = effective(noon - 3 * micros_per_day);
  CaptureRequest capture;
  capture.hold = store.atomically([&] { return place_hold(store, hold); });
  EXPECT_EQ(kept(cash), "");  // a hold moves nothing
  capture.amount = 3;
  capture.final = false;
  store.atomically([&] { capture_hold(store, capture); });
  capture.posting = effective(noon - 2 * micros_per_day);
  const TransactionId captured = store.atomically([&] { return capture_hold(store, capture); });
  ReversalRequest reversal;
  reversal.transaction = captured;
  reversal.amount = 1;
  store.atomically([&] { reverse(store, reversal); });  // effective when it is posted
  reversal.posting = effective(noon - micros_per_day);
  store.atomically([&] { reverse(store, reversal); });
  EXPECT_EQ(kept(cash), "day -3: 3 after it 3; day -2: 3 after it 6; day -1: -1 after it 5");
}

TEST_F(EffectiveTest, EntriesByHandAreDatedByTheirHeader) {
  transfer(cash, sales, 5, effective(noon - micros_per_day));
  const TransactionId id = make_transaction_id(noon + second, 1, std::nullopt);
  const TransactionId plain = make_transaction_id(noon + 2 * second, 1, std::nullopt);
  const std::int64_t at = noon - 4 * micros_per_day;
  // The engine sorts; the first line of a transaction tells its time.
  const std::vector<RawEntry> entries = {{id, 1, &cash, 2, at},
                                         {plain, 1, &cash, 9, noon + 2 * second},
                                         {id, 2, &sales, -2},
                                         {plain, 2, &sales, -9}};
  store.atomically([&] {
    store.insert_raw(id, {noon + second, at, {}, {}, {}}, {entries[0], entries[2]});
    store.insert_raw(plain, {noon + 2 * second, noon + 2 * second, {}, {}, {}},
                     {entries[1], entries[3]});
    adopt(store, entries);
  });
  EXPECT_EQ(kept(cash), "day -1: 5 after it 5; day -4: 2 after it 7");
}

}  // namespace
}  // namespace ledgerflow
