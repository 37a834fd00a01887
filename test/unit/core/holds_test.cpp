// Holds over the store in memory.
#include "core/holds.hpp"

#include "core/rules.hpp"
#include "hold_steps.hpp"

namespace ledgerflow {
namespace {

using testing::name_of;
using testing::noon;
using testing::second;

constexpr std::int64_t year = 365 * 86400 * second;

using HoldTest = testing::HoldSteps;

// --- placing --------------------------------------------------------------------------------------

TEST_F(HoldTest, ReservesAndMovesNothing) {
  const TransactionId id = hold(cash, sales, 100);
  EXPECT_TRUE(is_uuid_v7(id));
  EXPECT_TRUE(pending(cash, 100, 0));
  EXPECT_TRUE(pending(sales, 0, 100));
  EXPECT_TRUE(posted(cash, 0));
  EXPECT_EQ(of(cash).version, 0);
  EXPECT_FALSE(of(cash).last_transaction);
  EXPECT_TRUE(store.transactions().empty());
  EXPECT_EQ(status(id), "pending");
  EXPECT_EQ(history(id), ">pending");
}

TEST_F(HoldTest, OfManyLinesAndCurrencies) {
  const TransactionId id = hold({{&cash, 100},
                                 {&sales, -70},
                                 {&fees, -30},
                                 {&euros, 5},
                                 {&trading, -5},
                                 {&cash, 1},
                                 {&fees, -1}});
  EXPECT_TRUE(pending(cash, 101, 0));
  EXPECT_TRUE(pending(fees, 0, 31));
  EXPECT_TRUE(pending(trading, 0, 5));
  EXPECT_EQ(store.holds().at(id).hold.lines.size(), 7U);
}

TEST_F(HoldTest, TheChecksOfAPosting) {
  const auto refused_hold = [&](const std::vector<Line>& lines) {
    return refused_by([&] { hold(lines); });
  };
  EXPECT_EQ(refused_hold({}), "too_few_lines");
  EXPECT_EQ(refused_hold({{&cash, 1}}), "too_few_lines");
  EXPECT_EQ(refused_hold(std::vector<Line>(max_lines + 1, {&cash, 1})), "too_many_lines");
  EXPECT_EQ(refused_hold(pair(cash, cash, 1)), "same_account");
  EXPECT_EQ(refused_hold({{&cash, 2}, {&sales, -1}}), "unbalanced_transaction");
  EXPECT_EQ(refused_hold({{&cash, 1}, {&trading, -1}}), "currency_mismatch");
  store.set_status(cash, Status::debits_frozen);
  EXPECT_EQ(refused_hold(pair(cash, sales, 1)), "account_frozen");
  EXPECT_EQ(refused_hold(pair(sales, cash, 1)), "accepted");
  store.set_status(fees, Status::closed);
  EXPECT_EQ(refused_hold(pair(fees, sales, 1)), "account_closed");
  HoldRequest request;
  request.lines = pair(euros, trading, 1);
  request.posting.expected_version = 1;
  EXPECT_EQ(refused_by([&] { hold(request); }), "version_conflict");
  request.posting.expected_version = 0;
  request.posting.reference = "";
  EXPECT_EQ(refused_by([&] { hold(request); }), "invalid_reference");
  request.posting.reference = "R";
  hold(request);
  EXPECT_EQ(refused_by([&] { hold(request); }), "duplicate_reference");
  // Transactions have their own references.
  transfer(euros, trading, 1, request.posting);
}

TEST_F(HoldTest, ExpiriesLieAhead) {
  const auto refused_until = [&](std::int64_t expires_at) {
    return refused_by([&] { hold(cash, sales, 1, expires_at); });
  };
  EXPECT_EQ(refused_until(noon - 1), "invalid_expiry");
  EXPECT_EQ(refused_until(noon), "invalid_expiry");
  EXPECT_EQ(refused_until(noon + 1), "accepted");
  EXPECT_EQ(refused_until(noon + 100 * year), "accepted");
  EXPECT_EQ(refused_until(noon + 101 * year), "invalid_expiry");
  EXPECT_EQ(refused_until(noon + 300 * year), "invalid_expiry");
  EXPECT_EQ(refused_until(INT64_MIN), "invalid_expiry");
}

TEST_F(HoldTest, WaitingDoesNotShortenAHold) {
  HoldRequest request;
  request.lines = pair(cash, sales, 1);
  request.sent_at = noon - 60 * second;
  request.expires_at = noon - 59 * second;
  const TransactionId id = hold(request);
  EXPECT_EQ(store.holds().at(id).hold.expires_at, noon + second);
  // Not one that was over when it was asked for.
  request.expires_at = noon - 60 * second;
  EXPECT_EQ(refused_by([&] { hold(request); }), "invalid_expiry");
  // A clock that stepped back does not shorten it either.
  request.sent_at = noon + 60 * second;
  request.expires_at = noon + 61 * second;
  EXPECT_EQ(store.holds().at(hold(request)).hold.expires_at, noon + 61 * second);
}

// --- capturing ------------------------------------------------------------------------------------

TEST_F(HoldTest, CapturesTheWhole) {
  const TransactionId id = hold(cash, sales, 100);
  const TransactionId transaction = capture(id);
  EXPECT_EQ(status(id), "captured");
  EXPECT_EQ(history(id), ">pending pending>captured");
  EXPECT_TRUE(pending(cash, 0, 0) && pending(sales, 0, 0));
  EXPECT_TRUE(posted(cash, 100) && posted(sales, 100));
  EXPECT_EQ(of(cash).version, 1);
  EXPECT_EQ(store.transactions().at(transaction).hold, id);
  EXPECT_TRUE(store.entries().at({transaction, 1}).amount == 100);
}

TEST_F(HoldTest, CapturesInParts) {
  const TransactionId id = hold(cash, sales, 100);
  capture(id, 30, false);
  EXPECT_EQ(status(id), "pending");
  EXPECT_TRUE(pending(cash, 70, 0) && posted(cash, 30));
  EXPECT_EQ(refused_by([&] { capture(id, 71, false); }), "hold_amount_exceeded");
  capture(id, 20, false);
  capture(id, 50, false);
  EXPECT_EQ(status(id), "captured");
  EXPECT_EQ(history(id), ">pending pending>pending pending>pending pending>captured");
  EXPECT_TRUE(pending(cash, 0, 0) && posted(cash, 100));
  EXPECT_EQ(refused_by([&] { capture(id, 1, false); }), "hold_not_pending");
  EXPECT_EQ(refused_by([&] { capture(id); }), "hold_not_pending");
}

TEST_F(HoldTest, AFinalCaptureGivesTheRestBack) {
  const TransactionId id = hold(cash, sales, 100);
  capture(id, 30, false);
  capture(id, 20);
  EXPECT_EQ(status(id), "captured");
  EXPECT_TRUE(pending(cash, 0, 0) && posted(cash, 50));
  const Hold::Line& line = store.holds().at(id).hold.lines[0];
  EXPECT_TRUE(line.captured == 50 && line.released == 50 && line.left() == 0);
}

TEST_F(HoldTest, CapturesByLines) {
  const TransactionId id = hold({{&cash, 100}, {&sales, -60}, {&fees, -40}});
  EXPECT_EQ(refused_by([&] { capture(id, 10, false); }), "invalid_argument");
  EXPECT_EQ(refused_by([&] { capture(part(id, 10, false, pair(cash, sales, 10))); }),
            "invalid_argument");
  capture(part(id, {}, false, {{&cash, 30}, {&sales, -10}, {&fees, -20}}));
  EXPECT_TRUE(pending(cash, 70, 0) && pending(sales, 0, 50) && pending(fees, 0, 20));
  EXPECT_EQ(refused_by([&] { capture(part(id, {}, false, pair(cash, fees, 21))); }),
            "hold_amount_exceeded");
  EXPECT_EQ(refused_by([&] { capture(part(id, {}, false, pair(fees, sales, 1))); }),
            "reversal_mismatch");
  EXPECT_EQ(refused_by([&] { capture(part(id, {}, false, pair(euros, trading, 1))); }),
            "reversal_mismatch");
  EXPECT_EQ(refused_by([&] {
              capture(part(id, {}, false, {{&cash, 5}, {&sales, -4}}));
            }),
            "unbalanced_transaction");
  capture(part(id, {}, true, pair(cash, fees, 20)));
  EXPECT_TRUE(pending(cash, 0, 0) && pending(sales, 0, 0) && pending(fees, 0, 0));
  EXPECT_TRUE(posted(cash, 50) && posted(sales, 10) && posted(fees, -40));
}

TEST_F(HoldTest, LinesOfOneAccountFillUpInOrder) {
  const TransactionId id = hold({{&cash, 10}, {&cash, 20}, {&sales, -25}, {&cash, -5}});
  capture(part(id, {}, false, {{&cash, 15}, {&sales, -15}}));
  const auto captured = [&](std::size_t line) {
    return store.holds().at(id).hold.lines[line].captured;
  };
  EXPECT_TRUE(captured(0) == 10 && captured(1) == 5 && captured(2) == 15 && captured(3) == 0);
  EXPECT_EQ(refused_by([&] {
              capture(part(id, {}, false, {{&cash, 16}, {&sales, -10}, {&cash, -6}}));
            }),
            "hold_amount_exceeded");
  capture(id);
  EXPECT_EQ(status(id), "captured");
  EXPECT_TRUE(posted(cash, 25) && posted(sales, 25));
}

// Parts of one account that add up to more than any number holds are refused, not wrapped around.
TEST_F(HoldTest, LinesThatAreTooLargeTogether) {
  const Units large = max_units / 10 * 9;
  const std::vector<Line> lines = {{&coins, large}, {&mint, -large}, {&coins, large},
                                   {&mint, -large}, {&coins, large}, {&mint, -large}};
  const TransactionId id = hold(coins, mint, 1);
  EXPECT_EQ(refused_by([&] { capture(part(id, {}, false, lines)); }), "balance_out_of_range");
  EXPECT_EQ(refused_by([&] { raise(id, {}, lines); }), "balance_out_of_range");
  EXPECT_TRUE(pending(coins, 1, 0) && posted(coins, 0));
}

TEST_F(HoldTest, WhatIsCapturedHasItsOwnTexts) {
  HoldRequest request;
  request.lines = pair(cash, sales, 100);
  request.posting.reference = "R";
  request.posting.effective_at = noon - second;
  const TransactionId id = hold(request);
  CaptureRequest first = part(id, 10, false);
  first.posting.reference = "R";
  first.posting.description = "D";
  const StoredTransaction stored = store.load(capture(first));
  EXPECT_EQ(stored.reference, "R");
  EXPECT_EQ(stored.description, "D");
  EXPECT_EQ(stored.effective_at, noon - second);  // of the hold
  EXPECT_EQ(refused_by([&] { capture(first); }), "duplicate_reference");
  CaptureRequest next = part(id, 10, false);
  next.posting.effective_at = noon - 2 * second;
  EXPECT_EQ(store.load(capture(next)).effective_at, noon - 2 * second);
  next.posting.description = std::string_view();
  const std::string too_long(max_text_length + 1, 'd');
  next.posting.description = too_long;
  EXPECT_EQ(refused_by([&] { capture(next); }), "invalid_description");
}

TEST_F(HoldTest, CapturesInClosedPeriods) {
  HoldRequest request;
  request.lines = pair(cash, sales, 100);
  request.posting.effective_at = noon - 10 * second;
  const TransactionId id = hold(request);
  store.set_closed_through(noon - 10 * second);
  EXPECT_EQ(refused_by([&] { hold(request); }), "period_closed");
  EXPECT_EQ(refused_by([&] { capture(id); }), "period_closed");
  CaptureRequest later = part(id);
  later.posting.effective_at = noon - 9 * second;
  capture(later);
}

TEST_F(HoldTest, FreezingBlocksCaptures) {
  const TransactionId id = hold(cash, sales, 100);
  store.set_status(cash, Status::debits_frozen);
  EXPECT_EQ(refused_by([&] { capture(id, 1, false); }), "account_frozen");
  EXPECT_EQ(refused_by([&] { raise(id, 1); }), "account_frozen");
  release(id);  // giving back moves nothing
  EXPECT_EQ(status(id), "released");
}

TEST_F(HoldTest, OfWhatIsNotThere) {
  const TransactionId nothing = transfer(cash, sales, 1).id;
  EXPECT_EQ(refused_by([&] { capture(nothing); }), "hold_not_found");
  EXPECT_EQ(refused_by([&] { release(nothing); }), "hold_not_found");
  EXPECT_EQ(refused_by([&] { raise(nothing, 1); }), "hold_not_found");
}

TEST_F(HoldTest, AmountsArePositive) {
  const TransactionId id = hold(cash, sales, 100);
  EXPECT_EQ(refused_by([&] { capture(id, 0, false); }), "invalid_amount");
  EXPECT_EQ(refused_by([&] { capture(id, -1, false); }), "invalid_amount");
  EXPECT_EQ(refused_by([&] { raise(id, 0); }), "invalid_amount");
  EXPECT_EQ(refused_by([&] { raise(id, -1); }), "invalid_amount");
  EXPECT_EQ(refused_by([&] { raise(id, std::nullopt); }), "too_few_lines");
}

// --- raising and releasing ------------------------------------------------------------------------

TEST_F(HoldTest, Raises) {
  store.set_limits(sales, std::nullopt, 150);
  const TransactionId id = hold(cash, sales, 100);
  raise(id, 50);
  EXPECT_TRUE(pending(cash, 150, 0) && pending(sales, 0, 150));
  EXPECT_EQ(refused_by([&] { raise(id, 1); }), "limit_exceeded");
  EXPECT_EQ(history(id), ">pending pending>pending");
  capture(id, 150, false);
  EXPECT_EQ(status(id), "captured");
  EXPECT_EQ(refused_by([&] { raise(id, 1); }), "hold_not_pending");
}

TEST_F(HoldTest, RaisesByLines) {
  const TransactionId id = hold({{&cash, 100}, {&sales, -60}, {&fees, -40}});
  EXPECT_EQ(refused_by([&] { raise(id, 1); }), "invalid_argument");
  EXPECT_EQ(refused_by([&] { raise(id, {}, pair(euros, trading, 1)); }), "reversal_mismatch");
  raise(id, {}, pair(cash, fees, 5));
  EXPECT_TRUE(pending(cash, 105, 0) && pending(sales, 0, 60) && pending(fees, 0, 45));
  capture(id);
  EXPECT_TRUE(posted(cash, 105));
}

TEST_F(HoldTest, Releases) {
  const TransactionId id = hold(cash, sales, 100);
  capture(id, 30, false);
  release(id, "not needed");
  EXPECT_EQ(status(id), "released");
  EXPECT_TRUE(pending(cash, 0, 0) && posted(cash, 30));
  EXPECT_EQ(store.changes().rbegin()->second.reason, "not needed");
  EXPECT_EQ(refused_by([&] { release(id); }), "hold_not_pending");
  EXPECT_EQ(refused_by([&] { capture(id); }), "hold_not_pending");
  EXPECT_EQ(refused_by([&] { raise(id, 1); }), "hold_not_pending");
}

// --- limits ---------------------------------------------------------------------------------------

TEST_F(HoldTest, WhatIsReservedCountsAgainstTheFloor) {
  store.set_limits(cash, 0, std::nullopt);
  transfer(cash, sales, 100);
  hold(fees, cash, 60);
  EXPECT_TRUE(available_balance(of(cash)) == 40);
  EXPECT_EQ(refused(fees, cash, 41), "insufficient_balance");
  EXPECT_EQ(refused_by([&] { hold(fees, cash, 41); }), "insufficient_balance");
  const TransactionId id = hold(fees, cash, 40);
  EXPECT_EQ(refused(fees, cash, 1), "insufficient_balance");
  capture(id);
  EXPECT_TRUE(posted(cash, 60));
  EXPECT_TRUE(available_balance(of(cash)) == 0);
}

TEST_F(HoldTest, WhatIsComingDoesNotHelp) {
  store.set_limits(cash, 0, std::nullopt);
  hold(cash, sales, 100);
  EXPECT_TRUE(available_balance(of(cash)) == 0);
  EXPECT_EQ(refused(fees, cash, 1), "insufficient_balance");
  // But it counts against a ceiling.
  store.set_limits(cash, 0, 120);
  EXPECT_EQ(refused(cash, sales, 21), "limit_exceeded");
  transfer(cash, sales, 20);
  EXPECT_EQ(refused_by([&] { hold(cash, sales, 1); }), "limit_exceeded");
}

TEST_F(HoldTest, NothingBreaksALimitLater) {
  store.set_limits(cash, 0, 100);
  transfer(cash, sales, 100);
  const TransactionId going = hold(fees, cash, 100);
  // Room that only a hold would make is none.
  EXPECT_EQ(refused(cash, sales, 1), "limit_exceeded");
  release(going);
  const TransactionId again = hold(fees, cash, 100);
  capture(again);
  const TransactionId coming = hold(cash, sales, 100);
  EXPECT_EQ(refused(cash, sales, 1), "limit_exceeded");
  capture(coming);
  EXPECT_TRUE(posted(cash, 100));
}

TEST_F(HoldTest, ACaptureIsNotHeldAgainstLimitsThatCameLater) {
  transfer(cash, sales, 100);
  const TransactionId id = hold(fees, cash, 60);
  store.set_limits(cash, 40, 40);
  capture(id);
  EXPECT_TRUE(posted(cash, 40));
}

TEST_F(HoldTest, LimitsAreSetWithWhatIsPending) {
  transfer(cash, sales, 100);
  hold(fees, cash, 60);
  hold(cash, sales, 7);
  Balance row = of(cash);
  row.min_balance = 41;
  EXPECT_EQ(name_of(check_new_limits(row)), "insufficient_balance");
  row.min_balance = 40;
  EXPECT_EQ(name_of(check_new_limits(row)), "accepted");
  row.max_balance = 106;
  EXPECT_EQ(name_of(check_new_limits(row)), "limit_exceeded");
  row.max_balance = 107;
  EXPECT_EQ(name_of(check_new_limits(row)), "accepted");
}

TEST_F(HoldTest, TheRefusalTellsWhatIsReserved) {
  store.set_limits(cash, 0, std::nullopt);
  transfer(cash, sales, 100);
  hold(fees, cash, 60);
  const auto refusal = refusal_without_trace([&] { transfer(fees, cash, 41); });
  ASSERT_TRUE(refusal);
  EXPECT_NE(refusal->detail.find("reserved 0.60 USD"), std::string::npos) << refusal->detail;
  EXPECT_NE(refusal->detail.find("at most 0.40 USD"), std::string::npos) << refusal->detail;
}

TEST_F(HoldTest, PostedAndPendingStayWithinThirtyEightDigits) {
  const TransactionId id = hold(coins, mint, max_units);
  EXPECT_EQ(refused(coins, mint, 1), "balance_out_of_range");
  EXPECT_EQ(refused_by([&] { hold(coins, mint, 1); }), "balance_out_of_range");
  EXPECT_EQ(refused_by([&] { raise(id, 1); }), "balance_out_of_range");
  // The other side has its own totals.
  const TransactionId other = hold(mint, coins, max_units);
  EXPECT_TRUE(pending(coins, max_units, max_units));
  // Limits are held with totals that are full on both sides.
  store.set_limits(coins, -max_units / 100, max_units / 100);
  EXPECT_EQ(refused(mint, coins, 1), "balance_out_of_range");
  capture(id, max_units, false);
  capture(other);
  EXPECT_TRUE(posted(coins, 0));
  EXPECT_EQ(refused(coins, mint, 1), "balance_out_of_range");
}

TEST_F(HoldTest, FullPendingTotalsOnBothSidesAgainstALimit) {
  const Units rest = max_units - 10;
  hold(coins, mint, rest);
  hold(mint, coins, rest);
  store.set_limits(coins, 0, std::nullopt);
  EXPECT_EQ(refused(mint, coins, 1), "insufficient_balance");
  store.set_limits(coins, std::nullopt, 0);
  EXPECT_EQ(refused(coins, mint, 1), "limit_exceeded");
}

// --- expiry ---------------------------------------------------------------------------------------

TEST_F(HoldTest, ExpiresByTheClock) {
  const TransactionId id = hold(cash, sales, 100, noon + second);
  store.set_clock(noon + second - 1);
  capture(id, 10, false);
  store.set_clock(noon + second);
  EXPECT_EQ(refused_by([&] { capture(id, 10, false); }), "hold_expired");
  EXPECT_EQ(refused_by([&] { raise(id, 10); }), "hold_expired");
  EXPECT_EQ(status(id), "pending");  // no worker has run yet
  EXPECT_EQ(expire(), 1U);
  EXPECT_EQ(status(id), "expired");
  EXPECT_EQ(history(id), ">pending pending>pending pending>expired");
  EXPECT_TRUE(pending(cash, 0, 0) && posted(cash, 10));
  EXPECT_EQ(refused_by([&] { capture(id, 10, false); }), "hold_expired");
  EXPECT_EQ(refused_by([&] { release(id); }), "hold_expired");
  EXPECT_EQ(expire(), 0U);
}

TEST_F(HoldTest, AnExpiredHoldCanBeReleased) {
  const TransactionId id = hold(cash, sales, 100, noon + second);
  store.set_clock(noon + 2 * second);
  release(id);
  EXPECT_EQ(status(id), "released");
  EXPECT_EQ(expire(), 0U);
}

TEST_F(HoldTest, TheOldestExpireFirst) {
  const TransactionId late = hold(cash, sales, 1, noon + 3);
  const TransactionId early = hold(cash, sales, 2, noon + 1);
  const TransactionId middle = hold(fees, sales, 4, noon + 2);
  const TransactionId never = hold(cash, sales, 8);
  const TransactionId ahead = hold(cash, sales, 16, noon + second);
  const TransactionId done = hold(cash, sales, 32, noon + 1);
  capture(done);
  store.set_clock(noon + 10);
  EXPECT_EQ(expire(2), 2U);
  EXPECT_EQ(status(early) + status(middle) + status(late), "expiredexpiredpending");
  EXPECT_EQ(expire(2), 1U);
  EXPECT_EQ(status(late) + status(never) + status(ahead), "expiredpendingpending");
  EXPECT_TRUE(pending(cash, 24, 0));
}

TEST_F(HoldTest, APostingTakesTheRoomOfAnExpiredHold) {
  store.set_limits(cash, 0, std::nullopt);
  transfer(cash, sales, 100);
  const TransactionId id = hold(fees, cash, 60, noon + second);
  const TransactionId lasting = hold(fees, cash, 10);
  store.set_clock(noon + second);
  // It does not need the room.
  transfer(fees, cash, 30);
  EXPECT_TRUE(pending(cash, 0, 70));
  EXPECT_EQ(refused(fees, cash, 61), "insufficient_balance");
  EXPECT_TRUE(pending(cash, 0, 70));
  transfer(fees, cash, 60);
  EXPECT_TRUE(pending(cash, 0, 10) && posted(cash, 10));
  // Its other line waits for maintenance.
  EXPECT_TRUE(pending(fees, 70, 0));
  EXPECT_EQ(status(id), "pending");
  // From then on it has expired, wherever the clock goes.
  store.set_clock(noon);
  EXPECT_EQ(refused_by([&] { capture(id); }), "hold_expired");
  EXPECT_EQ(refused_by([&] { raise(id, 1); }), "hold_expired");
  store.set_clock(noon + second);
  EXPECT_EQ(expire(), 1U);
  EXPECT_EQ(status(id), "expired");
  EXPECT_EQ(status(lasting), "pending");
  EXPECT_TRUE(pending(fees, 10, 0));
}

TEST_F(HoldTest, ACeilingToo) {
  store.set_limits(cash, std::nullopt, 100);
  hold(cash, sales, 60, noon + second);
  hold(cash, sales, 40, noon + second);
  EXPECT_EQ(refused(cash, sales, 1), "limit_exceeded");
  store.set_clock(noon + second);
  transfer(cash, sales, 100);
  EXPECT_TRUE(pending(cash, 0, 0) && posted(cash, 100));
}

TEST_F(HoldTest, AHoldAndARaiseTakeTheRoomToo) {
  store.set_limits(cash, std::nullopt, 100);
  hold(cash, sales, 60, noon + second);
  store.set_clock(noon + second);
  const TransactionId id = hold(cash, sales, 70);
  EXPECT_TRUE(pending(cash, 70, 0));
  hold(cash, sales, 30, noon + 2 * second);
  store.set_clock(noon + 2 * second);
  raise(id, 30);
  EXPECT_TRUE(pending(cash, 100, 0));
}

TEST_F(HoldTest, InABatchTheRoomStaysGivenBack) {
  store.set_limits(cash, 0, std::nullopt);
  transfer(cash, sales, 100);
  const TransactionId id = hold(fees, cash, 60, noon + second);
  store.set_clock(noon + second);
  std::vector<Item> items(5);
  const auto set = [&](std::size_t i, std::vector<Line> lines, bool linked = false) {
    items[i].lines = std::move(lines);
    items[i].linked = linked;
  };
  set(0, pair(fees, cash, 101));       // refused, also with the room
  set(1, pair(fees, cash, 80), true);  // takes the room, and falls with its chain
  set(2, pair(fees, cash, 21));
  set(3, pair(fees, cash, 70));  // finds the room
  set(4, pair(fees, cash, 31));
  store.atomically([&] { post_all(store, items, Mode::each); });
  const char* const expected[] = {"insufficient_balance", "linked_failed", "insufficient_balance",
                                  "accepted", "insufficient_balance"};
  for (std::size_t i = 0; i < items.size(); ++i)
    EXPECT_EQ(name_of(items[i].outcome.refusal), expected[i]) << i;
  EXPECT_TRUE(pending(cash, 0, 0) && posted(cash, 30));
  EXPECT_TRUE(store.holds().at(id).hold.lines[1].released == 60);
  EXPECT_EQ(status(id), "pending");
  EXPECT_EQ(expire(), 1U);
}

TEST_F(HoldTest, AnAtomicBatchGivesNothingBackWhenItFails) {
  store.set_limits(cash, 0, std::nullopt);
  transfer(cash, sales, 100);
  hold(fees, cash, 60, noon + second);
  store.set_clock(noon + second);
  std::vector<Item> items(2);
  items[0].lines = pair(fees, cash, 80);
  items[1].lines = pair(fees, cash, 21);
  EXPECT_EQ(refused_by([&] { post_all(store, items, Mode::atomic); }), "insufficient_balance");
  EXPECT_TRUE(pending(cash, 0, 60));
}

TEST_F(HoldTest, ARawEntryTakesTheRoomToo) {
  store.set_limits(cash, std::nullopt, 100);
  hold(cash, sales, 60, noon + second);
  store.set_clock(noon + second);
  const TransactionId id = make_transaction_id(noon + second, 1, std::nullopt);
  store.atomically([&] {
    const std::vector<RawEntry> entries = {{id, 1, &cash, 100}, {id, 2, &sales, -100}};
    store.insert_raw(id, {noon + second, noon + second, {}, {}, {}}, entries);
    adopt(store, entries);
  });
  EXPECT_TRUE(pending(cash, 0, 0) && posted(cash, 100));
}

// --- the same request again -----------------------------------------------------------------------

class HoldKeyTest : public testing::HoldSteps {
 protected:
  HoldRequest request;

  void SetUp() override {
    testing::HoldSteps::SetUp();
    request.lines = pair(cash, sales, 100);
    request.posting.idempotency_key = "k";
    request.posting.reference = "R";
    request.expires_at = noon + second;
    request.expiry_as_sent = "1 second";
  }
  // The field that the conflict names.
  template <typename Body>
  std::string conflict(Body&& body) {
    const auto refusal = refusal_without_trace(body);
    if (name_of(refusal) != "idempotency_conflict") return name_of(refusal);
    const std::size_t start = refusal->message.rfind(": ") + 2;
    return refusal->message.substr(start, refusal->message.rfind(" differs") - start);
  }
};

TEST_F(HoldKeyTest, OfAHold) {
  const TransactionId id = hold(request);
  const std::string before = store.dump();
  EXPECT_EQ(hold(request), id);
  store.set_clock(noon + 5 * second);  // the answer stays the same after it has expired
  EXPECT_EQ(hold(request), id);
  EXPECT_EQ(store.dump(), before);
  const auto conflict_with = [&](const HoldRequest& other) {
    return conflict([&] { hold(other); });
  };
  HoldRequest other = request;
  other.lines = pair(cash, sales, 101);
  EXPECT_EQ(conflict_with(other), "amount");
  other.lines = pair(fees, sales, 100);
  EXPECT_EQ(conflict_with(other), "debit account");
  other.lines = pair(cash, fees, 100);
  EXPECT_EQ(conflict_with(other), "credit account");
  other.lines = {{&cash, -100}, {&sales, 100}};
  EXPECT_EQ(conflict_with(other), "lines");
  other = request;
  other.expiry_as_sent = "2 seconds";
  EXPECT_EQ(conflict_with(other), "expiry");
  other = request;
  other.posting.reference = "S";
  EXPECT_EQ(conflict_with(other), "reference");
  other = request;
  other.posting.metadata = "{}";
  EXPECT_EQ(conflict_with(other), "metadata");
  other = request;
  other.posting.effective_at = noon;
  EXPECT_EQ(conflict_with(other), "effective_at");
  Posting posting;
  posting.idempotency_key = "k";
  EXPECT_EQ(conflict([&] { transfer(cash, sales, 100, posting); }), "operation");
  EXPECT_EQ(conflict([&] { release(id, {}, "k"); }), "operation");
}

TEST_F(HoldKeyTest, OfAPostingAskedAsAHold) {
  Posting posting;
  posting.idempotency_key = "k";
  transfer(cash, sales, 100, posting);
  EXPECT_EQ(conflict([&] { hold(request); }), "operation");
}

TEST_F(HoldKeyTest, OfACapture) {
  const TransactionId id = hold(request);
  CaptureRequest capture_request = part(id, 10, false);
  capture_request.posting.idempotency_key = "c";
  const TransactionId first = capture(capture_request);
  const std::string before = store.dump();
  EXPECT_EQ(capture(capture_request), first);
  EXPECT_EQ(store.dump(), before);
  capture_request.amount = 11;
  EXPECT_EQ(conflict([&] { capture(capture_request); }), "amount");
  capture_request.amount.reset();
  EXPECT_EQ(conflict([&] { capture(capture_request); }), "amount");
  capture_request.amount = 10;
  capture_request.final = true;
  EXPECT_EQ(conflict([&] { capture(capture_request); }), "final");
  capture_request.final = false;
  capture_request.hold = hold(fees, sales, 10);
  EXPECT_EQ(conflict([&] { capture(capture_request); }), "hold");
  capture_request.hold = id;
  capture(id);
  // Also when the hold is over.
  EXPECT_EQ(capture(capture_request), first);
}

TEST_F(HoldKeyTest, OfAReleaseAndARaise) {
  const TransactionId id = hold(request);
  raise(id, 5, {}, "r");
  raise(id, 5, {}, "r");
  EXPECT_TRUE(pending(cash, 105, 0));
  EXPECT_EQ(conflict([&] { raise(id, 6, {}, "r"); }), "amount");
  EXPECT_EQ(conflict([&] { release(id, {}, "r"); }), "operation");
  const std::string reason = std::string(150, 'x');
  const std::string longer = reason + "y";
  release(id, reason, "l");
  release(id, reason, "l");
  EXPECT_EQ(conflict([&] { release(id, longer, "l"); }), "reason");
  EXPECT_EQ(conflict([&] { release(id, {}, "l"); }), "reason");
  EXPECT_EQ(conflict([&] { release(id); }), "hold_not_pending");
}

TEST_F(HoldKeyTest, ARefusedRequestLeavesTheKeyFree) {
  store.set_limits(cash, std::nullopt, 50);
  EXPECT_EQ(conflict([&] { hold(request); }), "limit_exceeded");
  EXPECT_TRUE(store.keys().empty());
  request.lines = pair(cash, sales, 50);
  const TransactionId id = hold(request);
  CaptureRequest too_much = part(id, 51, false);
  too_much.posting.idempotency_key = "c";
  EXPECT_EQ(conflict([&] { capture(too_much); }), "hold_amount_exceeded");
  too_much.amount = 50;
  capture(too_much);
}

}  // namespace
}  // namespace ledgerflow
