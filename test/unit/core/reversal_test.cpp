// Reversals over the store in memory.
#include "core/reversal.hpp"

#include "hold_steps.hpp"

namespace ledgerflow {
namespace {

using testing::name_of;
using testing::noon;
using testing::second;

class ReversalTest : public testing::HoldSteps {
 protected:
  static ReversalRequest of_transaction(const TransactionId& id,
                                        std::optional<Units> amount = std::nullopt,
                                        const std::vector<Line>& lines = {}) {
    ReversalRequest request;
    request.transaction = id;
    request.amount = amount;
    request.lines = lines;
    return request;
  }
  TransactionId back(const TransactionId& id, std::optional<Units> amount = std::nullopt,
                     const std::vector<Line>& lines = {}) {
    return reverse(of_transaction(id, amount, lines));
  }
  std::string refused_back(const TransactionId& id, std::optional<Units> amount = std::nullopt,
                           const std::vector<Line>& lines = {}) {
    return refused_by([&] { back(id, amount, lines); });
  }
};

TEST_F(ReversalTest, MirrorsTheWhole) {
  const TransactionId id = post({{&cash, 100}, {&sales, -70}, {&fees, -30}}).id;
  const TransactionId reversal = back(id);
  EXPECT_TRUE(posted(cash, 0) && posted(sales, 0) && posted(fees, 0));
  EXPECT_EQ(store.transactions().at(reversal).reverses, id);
  EXPECT_TRUE(store.entries().at({reversal, 2}).amount == 70);
  EXPECT_EQ(history(id), "posted>reversed");
  EXPECT_EQ(refused_back(id), "already_reversed");
}

TEST_F(ReversalTest, InParts) {
  const TransactionId id = transfer(cash, sales, 100).id;
  back(id, 30);
  EXPECT_TRUE(posted(cash, 70));
  EXPECT_EQ(history(id), "posted>partly_reversed");
  EXPECT_EQ(refused_back(id, 71), "already_reversed");
  EXPECT_EQ(refused_back(id, 0), "invalid_amount");
  EXPECT_EQ(refused_back(id, -1), "invalid_amount");
  back(id, 30);
  back(id);  // what is left
  EXPECT_TRUE(posted(cash, 0));
  EXPECT_EQ(history(id),
            "posted>partly_reversed partly_reversed>partly_reversed partly_reversed>reversed");
  EXPECT_EQ(refused_back(id, 1), "already_reversed");
  EXPECT_EQ(refused_back(id), "already_reversed");
}

TEST_F(ReversalTest, ByLines) {
  const TransactionId id = post({{&cash, 100}, {&sales, -70}, {&fees, -30}}).id;
  EXPECT_EQ(refused_back(id, 10), "invalid_argument");
  EXPECT_EQ(refused_back(id, 10, pair(sales, cash, 10)), "invalid_argument");
  EXPECT_EQ(refused_back(id, {}, pair(cash, sales, 10)), "reversal_mismatch");
  EXPECT_EQ(refused_back(id, {}, pair(euros, trading, 10)), "reversal_mismatch");
  EXPECT_EQ(refused_back(id, {}, {{&sales, 10}, {&cash, -9}}), "unbalanced_transaction");
  EXPECT_EQ(refused_back(id, {}, {{&sales, 10}}), "too_few_lines");
  EXPECT_EQ(refused_back(id, {}, pair(fees, cash, 31)), "already_reversed");
  back(id, {}, pair(fees, cash, 30));
  EXPECT_EQ(refused_back(id, {}, pair(fees, cash, 1)), "already_reversed");
  back(id);
  EXPECT_TRUE(posted(cash, 0) && posted(sales, 0) && posted(fees, 0));
}

TEST_F(ReversalTest, LinesThatAreTooLargeTogether) {
  const TransactionId id = transfer(coins, mint, 1).id;
  const Units large = max_units / 10 * 9;
  EXPECT_EQ(
      refused_back(id, {}, {{&mint, large}, {&coins, -large}, {&mint, large}, {&coins, -large}}),
      "balance_out_of_range");
}

// One account on both sides: line by line, unless something was taken back already.
TEST_F(ReversalTest, BothSidesOfOneAccount) {
  const TransactionId id = post({{&cash, 100}, {&sales, -60}, {&cash, -40}}).id;
  const TransactionId whole = back(id);
  EXPECT_TRUE(store.entries().at({whole, 1}).amount == -100);
  EXPECT_TRUE(store.entries().at({whole, 3}).amount == 40);
  EXPECT_EQ(refused_back(id), "already_reversed");

  const TransactionId other = post({{&cash, 100}, {&sales, -60}, {&cash, -40}}).id;
  back(other, {}, pair(sales, cash, 25));
  EXPECT_EQ(refused_back(other, {}, pair(sales, cash, 36)), "already_reversed");
  const TransactionId rest = back(other);
  EXPECT_TRUE(store.entries().at({rest, 1}).amount == -35);
  EXPECT_EQ(store.entries().count({rest, 3}), 0U);
  EXPECT_TRUE(posted(cash, 0) && posted(sales, 0));
}

TEST_F(ReversalTest, WhatCancelsOutIsReversedOnce) {
  const TransactionId id = post({{&cash, 5}, {&sales, -5}, {&cash, -5}, {&sales, 5}}).id;
  back(id);
  EXPECT_EQ(history(id), "posted>reversed");
  EXPECT_EQ(refused_back(id), "already_reversed");
}

TEST_F(ReversalTest, OfAReversal) {
  const TransactionId id = transfer(cash, sales, 100).id;
  const TransactionId reversal = back(id);
  const TransactionId restored = back(reversal);
  EXPECT_TRUE(posted(cash, 100));
  EXPECT_EQ(history(id), "posted>reversed reversed>posted");
  EXPECT_EQ(history(reversal), "posted>reversed");
  EXPECT_EQ(refused_back(reversal), "already_reversed");
  // The original is whole again, and can be reversed again.
  const TransactionId again = back(id);
  EXPECT_TRUE(posted(cash, 0));
  EXPECT_EQ(refused_back(id), "already_reversed");
  // Taking back what restored it would take it below nothing.
  EXPECT_EQ(refused_back(restored), "already_reversed");
  back(again, 40);
  EXPECT_EQ(refused_back(restored, 41), "already_reversed");
  back(restored, 40);
  EXPECT_TRUE(posted(cash, 0));
  EXPECT_EQ(refused_back(restored, 1), "already_reversed");
  EXPECT_EQ(refused_back(id, 1), "already_reversed");
}

TEST_F(ReversalTest, OfPartsOfReversals) {
  const TransactionId id = transfer(cash, sales, 100).id;
  const TransactionId a = back(id, 60);
  const TransactionId b = back(id, 40);
  EXPECT_EQ(refused_back(id, 1), "already_reversed");
  const TransactionId c = back(a, 30);  // 30 of the original are there again
  EXPECT_TRUE(posted(cash, 30));
  EXPECT_EQ(refused_back(id, 31), "already_reversed");
  back(c, 10);
  EXPECT_TRUE(posted(cash, 20));
  EXPECT_EQ(refused_back(a, 41), "already_reversed");
  back(a, 40);
  back(b);
  EXPECT_TRUE(posted(cash, 100));
  EXPECT_EQ(history(id).substr(history(id).rfind(' ') + 1), "partly_reversed>posted");
  // What is left of the original never exceeds the whole.
  EXPECT_EQ(refused_back(a), "already_reversed");
}

TEST_F(ReversalTest, OfACapture) {
  const TransactionId transaction = capture(hold(cash, sales, 100), 60, false);
  back(transaction, 10);
  back(transaction);
  EXPECT_TRUE(posted(cash, 0) && pending(cash, 40, 0));
}

TEST_F(ReversalTest, OfWhatIsNotThere) {
  const TransactionId held = hold(cash, sales, 100);
  EXPECT_EQ(refused_back(held), "transaction_not_found");
  EXPECT_EQ(refused_back(TransactionId{}), "transaction_not_found");
}

TEST_F(ReversalTest, LimitsAreHeldUnlessForced) {
  store.set_limits(cash, 0, std::nullopt);
  const TransactionId id = transfer(cash, sales, 100).id;
  transfer(fees, cash, 60);
  EXPECT_EQ(refused_back(id), "insufficient_balance");
  EXPECT_EQ(refused_back(id, 41), "insufficient_balance");
  back(id, 40);
  ReversalRequest request = of_transaction(id);
  request.force = true;
  const TransactionId forced = reverse(request);
  EXPECT_TRUE(posted(cash, -60));
  EXPECT_EQ(history(forced), ">forced");
  // Closer to the floor is allowed, further away is not.
  transfer(cash, sales, 10);
  EXPECT_EQ(refused(fees, cash, 1), "insufficient_balance");
}

TEST_F(ReversalTest, StatusAndRangeAreHeldEvenWhenForced) {
  const TransactionId id = transfer(coins, mint, max_units).id;
  transfer(mint, coins, 1);
  ReversalRequest request = of_transaction(id);
  request.force = true;
  EXPECT_EQ(refused_by([&] { reverse(request); }), "balance_out_of_range");
  request.amount = 7;
  store.set_status(coins, Status::credits_frozen);
  EXPECT_EQ(refused_by([&] { reverse(request); }), "account_frozen");
  store.set_status(coins, Status::closed);
  EXPECT_EQ(refused_by([&] { reverse(request); }), "account_closed");
}

TEST_F(ReversalTest, PeriodsAndReferences) {
  const TransactionId id = transfer(cash, sales, 100).id;
  store.set_closed_through(noon);
  ReversalRequest request = of_transaction(id, 10);
  request.posting.effective_at = noon;
  request.posting.reference = "R";
  request.posting.description = "wrong";
  EXPECT_EQ(refused_by([&] { reverse(request); }), "period_closed");
  request.posting.effective_at = noon + 1;
  const StoredTransaction stored = store.load(reverse(request));
  EXPECT_EQ(stored.description, "wrong");
  EXPECT_EQ(stored.reverses, id);
  EXPECT_EQ(refused_by([&] { reverse(request); }), "duplicate_reference");
  back(id, 10);  // now
}

TEST_F(ReversalTest, TheSameRequestGetsTheSameAnswer) {
  const TransactionId id = transfer(cash, sales, 100).id;
  ReversalRequest request = of_transaction(id, 60);
  request.posting.idempotency_key = "k";
  const TransactionId reversal = reverse(request);
  const std::string before = store.dump();
  store.set_clock(noon + second);
  EXPECT_EQ(reverse(request), reversal);
  EXPECT_EQ(store.dump(), before);
  const auto conflict = [&] {
    const auto refusal = refusal_without_trace([&] { reverse(request); });
    EXPECT_EQ(name_of(refusal), "idempotency_conflict");
    const std::size_t start = refusal->message.rfind(": ") + 2;
    return refusal->message.substr(start, refusal->message.rfind(" differs") - start);
  };
  request.amount = 40;
  EXPECT_EQ(conflict(), "amount");
  request.amount = 60;
  request.force = true;
  EXPECT_EQ(conflict(), "force");
  request.force = false;
  request.posting.description = "why";
  EXPECT_EQ(conflict(), "description");
  request.posting.description.reset();
  request.lines = pair(sales, cash, 60);
  EXPECT_EQ(conflict(), "lines");
  request.lines.clear();
  request.transaction = transfer(cash, sales, 100).id;
  EXPECT_EQ(conflict(), "transaction");
}

TEST_F(ReversalTest, TakesTheRoomOfAnExpiredHold) {
  store.set_limits(cash, 0, std::nullopt);
  const TransactionId id = transfer(cash, sales, 100).id;
  hold(fees, cash, 60, noon + second);
  EXPECT_EQ(refused_back(id), "insufficient_balance");
  store.set_clock(noon + second);
  back(id);
  EXPECT_TRUE(pending(cash, 0, 0) && posted(cash, 0));
}

}  // namespace
}  // namespace ledgerflow
