// The engine over the store in memory: what posting leaves in the books, and what a refusal does not.
#include "core/engine.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/books.hpp"
#include "ledger_test.hpp"
#include "randomness.hpp"

namespace ledgerflow {
namespace {

using testing::name_of;
using testing::refusal_of;

using testing::noon;
using testing::second;

using EngineTest = testing::LedgerTest;

// --- what is posted -------------------------------------------------------------------------------

TEST_F(EngineTest, PostsTwoLines) {
  const Outcome outcome = transfer(cash, sales, 12500);
  EXPECT_FALSE(outcome.replayed);
  EXPECT_FALSE(outcome.refusal);
  ASSERT_EQ(store.transactions().size(), 1U);
  EXPECT_EQ(store.transactions().begin()->first, outcome.id);
  EXPECT_EQ(store.transactions().begin()->second.posted_at, noon);
  EXPECT_EQ(store.transactions().begin()->second.effective_at, noon);
  EXPECT_TRUE(posted_balance(of(cash)) == 12500);
  EXPECT_TRUE(posted_balance(of(sales)) == 12500);
  const MemoryStore::Entry& debit = store.entries().at({outcome.id, 1});
  const MemoryStore::Entry& credit = store.entries().at({outcome.id, 2});
  EXPECT_EQ(debit.account_id, cash.id);
  EXPECT_TRUE(debit.amount == 12500 && debit.balance_after == 12500);
  EXPECT_EQ(credit.account_id, sales.id);
  EXPECT_TRUE(credit.amount == -12500 && credit.balance_after == -12500);
  expect_sound();
}

TEST_F(EngineTest, KeepsTheWholeHeader) {
  Posting posting;
  posting.reference = "R-1";
  posting.description = "a sale";
  posting.metadata = R"({"a": 1})";
  posting.effective_at = noon - 86400 * second;
  const Outcome outcome = transfer(cash, sales, 1, posting);
  const StoredTransaction stored = store.load(outcome.id);
  EXPECT_EQ(stored.reference, "R-1");
  EXPECT_EQ(stored.description, "a sale");
  EXPECT_EQ(stored.metadata, R"({"a": 1})");
  EXPECT_EQ(stored.effective_at, noon - 86400 * second);
  EXPECT_EQ(store.transactions().at(outcome.id).posted_at, noon);
}

TEST_F(EngineTest, PostsManyLinesAndCurrencies) {
  const Outcome outcome = post({{&cash, 100},
                                {&sales, -70},
                                {&cash, -30},
                                {&euros, 50},
                                {&trading, -50},
                                {&cash, 20},
                                {&sales, -20}});
  EXPECT_EQ(of(cash).version, 3);
  EXPECT_EQ(of(sales).version, 2);
  EXPECT_EQ(of(euros).version, 1);
  EXPECT_EQ(of(fees).version, 0);
  // Each line has the balance after it, also of an account that comes again.
  EXPECT_TRUE(store.entries().at({outcome.id, 1}).balance_after == 100);
  EXPECT_TRUE(store.entries().at({outcome.id, 3}).balance_after == 70);
  EXPECT_TRUE(store.entries().at({outcome.id, 6}).balance_after == 90);
  EXPECT_TRUE(of(cash).debits_posted == 120);
  EXPECT_TRUE(of(cash).credits_posted == 30);
  expect_sound();
}

TEST_F(EngineTest, PostsTenThousandLines) {
  std::vector<Line> lines(max_lines, Line{&cash, 1});
  for (std::size_t i = 1; i < lines.size(); i += 2) lines[i] = {&sales, -1};
  post(lines);
  EXPECT_EQ(of(cash).version, 5000);
  EXPECT_EQ(store.entries().size(), max_lines);
  expect_sound();
  lines.push_back({&cash, 1});
  EXPECT_EQ(refused(lines), "too_many_lines");
}

TEST_F(EngineTest, VersionsHaveNoGaps) {
  for (int i = 1; i <= 50; ++i) {
    transfer(cash, sales, i);
    EXPECT_EQ(refused(cash, cash, 1), "same_account");
    EXPECT_EQ(of(cash).version, i);
    EXPECT_EQ(of(sales).version, i);
  }
  expect_sound();
}

// --- ids ------------------------------------------------------------------------------------------

TEST_F(EngineTest, IdsRiseOnEveryAccountWhateverTheClockDoes) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  const Account* accounts[] = {&cash, &sales, &fees};
  std::map<std::int64_t, TransactionId> last;
  std::int64_t now = noon;
  for (int i = 0; i < 2000; ++i) {
    now += random.between(-5, 4) * (random.below(10) == 0 ? second : 1);
    store.set_clock(now);
    const Account& debit = *accounts[random.below(3)];
    const Account& credit = *accounts[random.below(3)];
    if (&debit == &credit) continue;
    const TransactionId id = transfer(debit, credit, 1).id;
    for (const Account* account : {&debit, &credit}) {
      const auto before = last.find(account->id);
      if (before != last.end()) {
        ASSERT_TRUE(before->second < id);
      }
      last[account->id] = id;
      ASSERT_EQ(of(*account).last_transaction, id);
    }
    ASSERT_TRUE(is_uuid_v7(id));
  }
  expect_sound();
}

// Two transactions that follow the same one on different accounts are two transactions.
TEST_F(EngineTest, IdsAreUniqueWhenTheClockStepsBack) {
  post({{&cash, 1}, {&sales, -1}, {&euros, 1}, {&trading, -1}});
  store.set_clock(noon - second);
  const TransactionId dollars = transfer(cash, sales, 1).id;
  const TransactionId others = transfer(euros, trading, 1).id;
  EXPECT_NE(dollars, others);
  expect_sound();
}

TEST_F(EngineTest, TimeOfPostingIsTheTimeOfTheId) {
  transfer(cash, sales, 1);
  store.set_clock(noon - 3600 * second);
  const Outcome late = transfer(cash, fees, 1);
  // An hour back, but not before the last one.
  EXPECT_GE(store.transactions().at(late.id).posted_at, noon);
  const Outcome elsewhere = transfer(euros, trading, 1);
  EXPECT_EQ(store.transactions().at(elsewhere.id).posted_at, noon - 3600 * second);
  expect_sound();
}

// --- limits, status, totals, versions -------------------------------------------------------------

TEST_F(EngineTest, FloorHoldsForWhatTheTransactionLeaves) {
  store.set_limits(cash, 0, std::nullopt);
  transfer(cash, sales, 100);
  EXPECT_EQ(refused(fees, cash, 101), "insufficient_balance");
  // Below on the way, but not in the end.
  post({{&cash, -150}, {&fees, 150}, {&cash, 50}, {&sales, -50}});
  EXPECT_TRUE(posted_balance(of(cash)) == 0);
  EXPECT_EQ(refused(fees, cash, 1), "insufficient_balance");
  expect_sound();
}

TEST_F(EngineTest, CeilingOfACreditNormalAccount) {
  store.set_limits(sales, std::nullopt, 100);
  transfer(cash, sales, 100);
  EXPECT_EQ(refused(cash, sales, 1), "limit_exceeded");
  transfer(sales, cash, 1);
  transfer(cash, sales, 1);
  store.set_limits(sales, 100, std::nullopt);
  EXPECT_EQ(refused(sales, cash, 1), "insufficient_balance");
  expect_sound();
}

TEST_F(EngineTest, OneRefusedLineRefusesAll) {
  store.set_limits(fees, std::nullopt, 10);
  EXPECT_EQ(refused({{&cash, -11}, {&sales, 5}, {&sales, -5}, {&fees, 11}}), "limit_exceeded");
  store.set_status(sales, Status::credits_frozen);
  EXPECT_EQ(refused({{&cash, -10}, {&sales, 5}, {&sales, -5}, {&fees, 10}}), "account_frozen");
}

TEST_F(EngineTest, StatusBlocksDirections) {
  transfer(cash, sales, 100);
  store.set_status(cash, Status::debits_frozen);
  EXPECT_EQ(refused(cash, sales, 1), "account_frozen");
  transfer(sales, cash, 1);
  store.set_status(cash, Status::credits_frozen);
  EXPECT_EQ(refused(sales, cash, 1), "account_frozen");
  transfer(cash, sales, 1);
  store.set_status(cash, Status::frozen);
  EXPECT_EQ(refused(cash, sales, 1), "account_frozen");
  EXPECT_EQ(refused(sales, cash, 1), "account_frozen");
  store.set_status(cash, Status::closed);
  EXPECT_EQ(refused(cash, sales, 1), "account_closed");
  EXPECT_EQ(refused(sales, cash, 1), "account_closed");
  expect_sound();
}

TEST_F(EngineTest, TotalsStayWithinThirtyEightDigits) {
  transfer(coins, mint, max_units);
  EXPECT_EQ(refused(coins, mint, 1), "balance_out_of_range");
  transfer(mint, coins, max_units);
  // The balance is zero, the totals are full.
  EXPECT_TRUE(posted_balance(of(coins)) == 0);
  EXPECT_EQ(refused(coins, mint, 1), "balance_out_of_range");
  EXPECT_EQ(refused(mint, coins, 1), "balance_out_of_range");
  expect_sound();
}

TEST_F(EngineTest, ExpectedVersionIsOfTheFirstLine) {
  Posting posting;
  posting.expected_version = 0;
  transfer(cash, sales, 1, posting);
  EXPECT_EQ(refused(cash, sales, 1, posting), "version_conflict");
  posting.expected_version = 1;
  transfer(cash, sales, 1, posting);
  posting.expected_version = 3;
  EXPECT_EQ(refused(cash, sales, 1, posting), "version_conflict");
  posting.expected_version = -1;
  EXPECT_EQ(refused(cash, sales, 1, posting), "version_conflict");
  posting.expected_version = 0;
  transfer(fees, sales, 1, posting);
  expect_sound();
}

// --- idempotency ----------------------------------------------------------------------------------

class IdempotencyTest : public EngineTest {
 protected:
  static Posting full() {
    Posting posting;
    posting.idempotency_key = "key";
    posting.reference = "R";
    posting.description = "D";
    posting.metadata = "{}";
    posting.effective_at = noon - second;
    return posting;
  }

  // The field that the conflict names, with the stored and the sent value.
  void expect_conflict(const std::vector<Line>& lines, const Posting& posting, const char* field,
                       const char* stored, const char* sent) {
    const std::string before = store.dump();
    const auto refusal = refusal_of([&] { post(lines, posting); });
    ASSERT_TRUE(refusal) << field;
    EXPECT_EQ(name_of(refusal), "idempotency_conflict");
    EXPECT_NE(refusal->message.find(std::string(field) + " differs"), std::string::npos)
        << refusal->message;
    EXPECT_NE(refusal->detail.find(stored), std::string::npos) << refusal->detail;
    EXPECT_NE(refusal->detail.find(sent), std::string::npos) << refusal->detail;
    EXPECT_EQ(store.dump(), before);
  }
};

TEST_F(IdempotencyTest, TheSameRequestGetsTheSameAnswer) {
  const Outcome first = transfer(cash, sales, 100, full());
  const std::string before = store.dump();
  store.set_clock(noon + 3600 * second);
  const Outcome again = transfer(cash, sales, 100, full());
  EXPECT_EQ(again.id, first.id);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(store.dump(), before);
}

TEST_F(IdempotencyTest, WithoutAnEffectiveTimeToo) {
  Posting posting;
  posting.idempotency_key = "key";
  const Outcome first = transfer(cash, sales, 100, posting);
  store.set_clock(noon + 3600 * second);
  EXPECT_EQ(transfer(cash, sales, 100, posting).id, first.id);
}

TEST_F(IdempotencyTest, AReplayAsksNothingOfTheAccounts) {
  Posting posting = full();
  posting.expected_version = 0;
  const Outcome first = transfer(cash, sales, 100, posting);
  store.set_limits(cash, 100, 100);
  store.set_status(sales, Status::closed);
  EXPECT_EQ(transfer(cash, sales, 100, posting).id, first.id);
  posting.expected_version = 99;
  EXPECT_EQ(transfer(cash, sales, 100, posting).id, first.id);
}

TEST_F(IdempotencyTest, ARefusedRequestLeavesTheKeyFree) {
  store.set_limits(cash, std::nullopt, 50);
  EXPECT_EQ(refused(cash, sales, 100, full()), "limit_exceeded");
  EXPECT_TRUE(store.keys().empty());
  EXPECT_FALSE(transfer(cash, sales, 50, full()).replayed);
}

TEST_F(IdempotencyTest, ConflictsNameTheField) {
  const std::vector<Line> lines = {{&cash, 100}, {&sales, -100}};
  post(lines, full());
  expect_conflict({{&cash, 101}, {&sales, -101}}, full(), "amount", "1.00 USD", "1.01 USD");
  expect_conflict({{&fees, 100}, {&sales, -100}}, full(), "debit account", "\"cash\"", "\"fees\"");
  expect_conflict({{&cash, 100}, {&fees, -100}}, full(), "credit account", "\"sales\"", "\"fees\"");
  expect_conflict({{&cash, -100}, {&sales, 100}}, full(), "amount", "1.00 USD", "-1.00 USD");
  expect_conflict({{&cash, 100}, {&sales, -50}, {&fees, -50}}, full(), "number of lines", "2", "3");

  Posting posting = full();
  posting.reference = "S";
  expect_conflict(lines, posting, "reference", "\"R\"", "\"S\"");
  posting.reference.reset();
  expect_conflict(lines, posting, "reference", "\"R\"", "none");
  posting = full();
  posting.description = "E";
  expect_conflict(lines, posting, "description", "\"D\"", "\"E\"");
  posting.description.reset();
  expect_conflict(lines, posting, "description", "\"D\"", "none");
  posting = full();
  posting.metadata = R"({"b": 2})";
  expect_conflict(lines, posting, "metadata", "{}", R"({"b": 2})");
  posting.metadata.reset();
  expect_conflict(lines, posting, "metadata", "{}", "none");
  posting = full();
  posting.effective_at = noon;
  expect_conflict(lines, posting, "effective_at", "19.000000+00", "20.000000+00");
  posting.effective_at.reset();
  expect_conflict(lines, posting, "effective_at", "19.000000+00", "none");
}

TEST_F(IdempotencyTest, ConflictsOfLinesNameTheLine) {
  const std::vector<Line> lines = {{&cash, 100}, {&sales, -70}, {&fees, -30}};
  post(lines, full());
  expect_conflict({{&cash, 100}, {&sales, -60}, {&fees, -40}}, full(), "line 2 amount", "-0.70 USD",
                  "-0.60 USD");
  expect_conflict({{&cash, 100}, {&fees, -70}, {&sales, -30}}, full(), "line 2 account",
                  "\"sales\"", "\"fees\"");
}

TEST_F(IdempotencyTest, NoneIsNotEmpty) {
  Posting posting;
  posting.idempotency_key = "key";
  const std::vector<Line> lines = {{&cash, 100}, {&sales, -100}};
  post(lines, posting);
  posting.description = "";
  expect_conflict(lines, posting, "description", "none", "\"\"");
}

TEST_F(IdempotencyTest, KeysAreOfTheWholeRequest) {
  Posting posting;
  posting.idempotency_key = "a";
  const Outcome a = transfer(cash, sales, 100, posting);
  posting.idempotency_key = "A";
  const Outcome b = transfer(cash, sales, 100, posting);
  EXPECT_NE(a.id, b.id);
  EXPECT_EQ(store.keys().size(), 2U);
}

TEST_F(IdempotencyTest, BadRequestsAreRefusedBeforeTheKeyIsLookedUp) {
  transfer(cash, sales, 100, full());
  EXPECT_EQ(refused({{&cash, 100}, {&sales, -99}}, full()), "unbalanced_transaction");
  EXPECT_EQ(refused(cash, cash, 100, full()), "same_account");
}

// --- references -----------------------------------------------------------------------------------

TEST_F(EngineTest, ReferencesAreUnique) {
  Posting posting;
  posting.reference = "R";
  transfer(cash, sales, 100, posting);
  EXPECT_EQ(refused(cash, sales, 100, posting), "duplicate_reference");
  EXPECT_EQ(refused(euros, trading, 7, posting), "duplicate_reference");
  posting.idempotency_key = "new";
  EXPECT_EQ(refused(cash, sales, 100, posting), "duplicate_reference");
  EXPECT_TRUE(store.keys().empty());
  posting.reference = "r";
  transfer(cash, sales, 100, posting);
  EXPECT_EQ(store.transactions().size(), 2U);
}

// --- entries inserted by hand ---------------------------------------------------------------------

class AdoptTest : public EngineTest {
 protected:
  static TransactionId id_at(std::int64_t micros) {
    return make_transaction_id(micros, 1, std::nullopt);
  }

  // Inserts and adopts in one go, as one INSERT statement does.
  void adopt(const std::vector<RawEntry>& entries) {
    store.atomically([&] {
      std::map<TransactionId, std::vector<RawEntry>> by_transaction;
      for (const RawEntry& entry : entries) by_transaction[entry.transaction].push_back(entry);
      for (const auto& [id, lines] : by_transaction) {
        const std::int64_t posted_at = time_of(id);
        store.insert_raw(id, {posted_at, posted_at, {}, {}, {}}, lines);
      }
      ledgerflow::adopt(store, entries);
    });
  }
  std::string adoption_refused(const std::vector<RawEntry>& entries) {
    const std::string before = store.dump();
    const auto refusal = refusal_of([&] { adopt(entries); });
    if (refusal) {
      EXPECT_EQ(store.dump(), before);
    }
    return name_of(refusal);
  }
};

TEST_F(AdoptTest, EntriesReachTheBalances) {
  const TransactionId id = id_at(noon);
  adopt({{id, 1, &cash, 100}, {id, 2, &sales, -100}});
  EXPECT_TRUE(posted_balance(of(cash)) == 100);
  EXPECT_TRUE(posted_balance(of(sales)) == 100);
  EXPECT_EQ(of(cash).version, 1);
  EXPECT_EQ(of(cash).last_transaction, id);
  expect_sound();
}

TEST_F(AdoptTest, InWhateverOrderTheyCome) {
  const TransactionId a = id_at(noon);
  const TransactionId b = id_at(noon + 1);
  const TransactionId c = id_at(noon + 2);
  adopt({{c, 2, &sales, -4},
         {b, 2, &sales, -2},
         {a, 2, &sales, -1},
         {c, 1, &cash, 4},
         {a, 1, &cash, 1},
         {b, 1, &cash, 2}});
  EXPECT_TRUE(store.entries().at({a, 1}).balance_after == 1);
  EXPECT_TRUE(store.entries().at({b, 1}).balance_after == 3);
  EXPECT_TRUE(store.entries().at({c, 1}).balance_after == 7);
  EXPECT_TRUE(store.entries().at({c, 2}).balance_after == -7);
  EXPECT_EQ(of(cash).last_transaction, c);
  EXPECT_EQ(of(cash).version, 3);
  expect_sound();
}

TEST_F(AdoptTest, RandomOrderMakesNoDifference) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  const Account* accounts[] = {&cash, &sales, &fees};
  std::vector<RawEntry> entries;
  for (int i = 0; i < 300; ++i) {
    const TransactionId id = id_at(noon + i);
    const Units amount = random.between(1, 1000);
    const std::size_t first = random.below(3);
    entries.push_back({id, 1, accounts[first], amount});
    entries.push_back({id, 2, accounts[(first + 1) % 3], -amount});
  }
  std::shuffle(entries.begin(), entries.end(), random.generator);
  adopt(entries);
  expect_sound();
}

TEST_F(AdoptTest, ATransactionMayComeInParts) {
  sound_at_end = false;  // parts are missing
  const TransactionId id = id_at(noon);
  store.insert_raw(id, {noon, noon, {}, {}, {}}, {{id, 1, &cash, 100}});
  ledgerflow::adopt(store, {{id, 1, &cash, 100}});
  store.insert_raw(id_at(noon + 1), {noon + 1, noon + 1, {}, {}, {}}, {});
  EXPECT_EQ(of(cash).version, 1);
}

TEST_F(AdoptTest, AnIdMustFollowTheLastOfItsAccounts) {
  const TransactionId posted = transfer(cash, sales, 100).id;
  const TransactionId before = id_at(noon - 1);
  EXPECT_EQ(adoption_refused({{before, 1, &cash, 1}, {before, 2, &sales, -1}}),
            "transaction_out_of_order");
  EXPECT_EQ(adoption_refused({{before, 1, &fees, 1}, {before, 2, &sales, -1}}),
            "transaction_out_of_order");
  // Other accounts have their own order.
  adopt({{before, 1, &euros, 1}, {before, 2, &trading, -1}});
  const TransactionId after = make_transaction_id(noon - second, 0, posted);
  adopt({{after, 1, &cash, 1}, {after, 2, &sales, -1}});
  expect_sound();
}

TEST_F(AdoptTest, TheSameChecksAsPosting) {
  const TransactionId id = id_at(noon);
  store.set_limits(cash, std::nullopt, 99);
  EXPECT_EQ(adoption_refused({{id, 1, &cash, 100}, {id, 2, &sales, -100}}), "limit_exceeded");
  adopt({{id, 1, &cash, 99}, {id, 2, &sales, -99}});
  store.set_limits(cash, 0, std::nullopt);
  const TransactionId next = id_at(noon + 1);
  EXPECT_EQ(adoption_refused({{next, 1, &cash, -100}, {next, 2, &sales, 100}}),
            "insufficient_balance");
  store.set_status(sales, Status::debits_frozen);
  EXPECT_EQ(adoption_refused({{next, 1, &cash, -1}, {next, 2, &sales, 1}}), "account_frozen");
  store.set_status(sales, Status::closed);
  EXPECT_EQ(adoption_refused({{next, 1, &cash, 1}, {next, 2, &sales, -1}}), "account_closed");
  transfer(coins, mint, max_units);
  const TransactionId last = id_at(noon + 2);
  EXPECT_EQ(adoption_refused({{last, 1, &coins, 1}, {last, 2, &mint, -1}}), "balance_out_of_range");
  expect_sound();
}

TEST_F(AdoptTest, LimitsHoldTransactionByTransaction) {
  store.set_limits(cash, 0, std::nullopt);
  const TransactionId a = id_at(noon);
  const TransactionId b = id_at(noon + 1);
  // Back at zero in the end, but below after the first.
  EXPECT_EQ(adoption_refused(
                {{a, 1, &cash, -1}, {a, 2, &sales, 1}, {b, 1, &cash, 1}, {b, 2, &sales, -1}}),
            "insufficient_balance");
  adopt({{a, 1, &cash, 1}, {a, 2, &sales, -1}, {b, 1, &cash, -1}, {b, 2, &sales, 1}});
  expect_sound();
}

TEST_F(AdoptTest, NothingIsNothing) {
  const std::string before = store.dump();
  adopt({});
  EXPECT_EQ(store.dump(), before);
}

// --- the locked rows ------------------------------------------------------------------------------

TEST_F(EngineTest, LocksEachAccountOnceInOrder) {
  Books books(store, {&fees, &cash, &fees, &sales, &cash});
  ASSERT_EQ(books.rows().size(), 3U);
  EXPECT_EQ(books.rows()[0].account, &cash);
  EXPECT_EQ(books.rows()[1].account, &sales);
  EXPECT_EQ(books.rows()[2].account, &fees);
  EXPECT_EQ(books.of(fees).account, &fees);
  EXPECT_EQ(time_of(books.next_id()), noon);
}

// --- at random ------------------------------------------------------------------------------------

TEST_F(EngineTest, StaysSoundAtRandom) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  const Account* accounts[] = {&cash, &sales, &fees, &euros, &trading};
  store.set_limits(cash, 0, 5000);
  store.set_limits(sales, -2000, std::nullopt);
  for (int i = 0; i < 600; ++i) {
    store.set_clock(noon + random.between(-1000, 1000));
    std::vector<Line> lines;
    Units left[2] = {0, 0};
    for (int line = random.between(2, 6); line > 0; --line) {
      const Account* account = accounts[random.below(5)];
      const Units amount = random.between(1, 2000) * (random.below(2) == 0 ? 1 : -1);
      lines.push_back({account, amount});
      left[account->currency == "USD" ? 0 : 1] += amount;
    }
    if (left[0] != 0) lines.push_back({&fees, -left[0]});
    if (left[1] != 0 && random.below(20) != 0) lines.push_back({&trading, -left[1]});
    refused(lines);
  }
  EXPECT_GT(store.transactions().size(), 100U);
  expect_sound();
}

}  // namespace
}  // namespace ledgerflow
