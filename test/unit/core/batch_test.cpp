// Many postings in one call: what stands and falls together, and what each item sees of the others.
#include "core/rules.hpp"
#include "ledger_test.hpp"
#include "randomness.hpp"

namespace ledgerflow {
namespace {

using testing::noon;
using testing::second;

class BatchTest : public testing::LedgerTest {
 protected:
  std::vector<Item> items;

  Item& add(const Account& debit, const Account& credit, Units amount, bool linked = false) {
    Item& item = items.emplace_back();
    item.lines = pair(debit, credit, amount);
    item.linked = linked;
    return item;
  }
  Item& add_keyed(const char* key, const Account& debit, const Account& credit, Units amount) {
    Item& item = add(debit, credit, amount);
    item.posting.idempotency_key = key;
    return item;
  }
  Item& add_named(const char* reference, const Account& debit, const Account& credit,
                  Units amount) {
    Item& item = add(debit, credit, amount);
    item.posting.reference = reference;
    return item;
  }

  // Posts the items, each for itself; what came of them, one word each.
  std::string run() {
    store.atomically([&] { post_all(store, items, Mode::each); });
    std::string text;
    for (const Item& item : items) {
      const Outcome& outcome = item.outcome;
      text += text.empty() ? "" : " ";
      text += outcome.refusal    ? info(outcome.refusal->condition).name
              : outcome.replayed ? "replayed"
                                 : "posted";
    }
    return text;
  }
  // The same, which must not have changed anything.
  std::string run_without_trace() {
    const std::string before = store.dump();
    std::string text = run();
    EXPECT_EQ(store.dump(), before);
    return text;
  }
  std::optional<Refusal> run_atomic() {
    return refusal_without_trace([&] { post_all(store, items, Mode::atomic); });
  }
};

// --- all or nothing -------------------------------------------------------------------------------

TEST_F(BatchTest, AtomicPostsAllInOrder) {
  for (int i = 1; i <= 20; ++i) add(cash, i % 2 == 0 ? sales : fees, i);
  EXPECT_FALSE(run_atomic());
  EXPECT_EQ(of(cash).version, 20);
  EXPECT_TRUE(posted_balance(of(cash)) == 210);
  for (std::size_t i = 1; i < items.size(); ++i)
    EXPECT_TRUE(items[i - 1].outcome.id < items[i].outcome.id);
  EXPECT_TRUE(store.entries().at({items[4].outcome.id, 1}).balance_after == 15);
}

TEST_F(BatchTest, AtomicNamesTheFirstBadItem) {
  store.set_limits(cash, 0, std::nullopt);
  add(cash, sales, 10);
  add(sales, cash, 11);
  add(cash, cash, 1);
  auto refusal = run_atomic();
  EXPECT_EQ(testing::name_of(refusal), "same_account");
  EXPECT_EQ(refusal->message.substr(0, 8), "item 3: ");
  items[2].lines = pair(cash, sales, 1);
  items[2].outcome = {};
  refusal = run_atomic();
  EXPECT_EQ(testing::name_of(refusal), "insufficient_balance");
  EXPECT_EQ(refusal->message.substr(0, 8), "item 2: ");
}

TEST_F(BatchTest, AnItemAloneHasNoNumber) {
  add(cash, cash, 1);
  EXPECT_EQ(run_atomic()->message.find("item"), std::string::npos);
}

TEST_F(BatchTest, AnItemThatCouldNotBeReadIsRefused) {
  add(cash, sales, 10);
  items.emplace_back().outcome.refusal =
      Refusal{Condition::account_not_found, "no account", {}, {}};
  const auto refusal = run_atomic();
  EXPECT_EQ(testing::name_of(refusal), "account_not_found");
  EXPECT_EQ(refusal->message, "item 2: no account");
  EXPECT_EQ(run(), "posted account_not_found");
}

TEST_F(BatchTest, AtomicGivesItsKeysBack) {
  add_keyed("a", cash, sales, 10);
  add_keyed("b", cash, cash, 10);
  EXPECT_EQ(testing::name_of(run_atomic()), "same_account");
  EXPECT_TRUE(store.keys().empty());
}

// --- each for itself ------------------------------------------------------------------------------

TEST_F(BatchTest, EachStandsAlone) {
  store.set_limits(cash, 0, 100);
  add(cash, sales, 60);
  add(cash, sales, 60);
  add(cash, sales, 40);
  add(fees, cash, 101);
  add(fees, cash, 100);
  add(cash, sales, 0);
  items.back().lines = {{&cash, 5}, {&sales, -4}};
  EXPECT_EQ(run(),
            "posted limit_exceeded posted insufficient_balance posted unbalanced_transaction");
  EXPECT_TRUE(posted_balance(of(cash)) == 0);
  EXPECT_EQ(of(cash).version, 3);
}

TEST_F(BatchTest, ItemsSeeThoseBeforeThem) {
  store.set_limits(cash, 0, std::nullopt);
  add(fees, cash, 1);
  add(cash, sales, 1);
  add(fees, cash, 1);
  add(cash, sales, 1).posting.expected_version = 2;
  add(cash, sales, 1).posting.expected_version = 2;
  EXPECT_EQ(run(), "insufficient_balance posted posted posted version_conflict");
}

TEST_F(BatchTest, AllRefusedLeavesNoTrace) {
  store.set_limits(cash, 0, std::nullopt);
  store.set_status(sales, Status::frozen);
  add_keyed("a", fees, cash, 1).posting.reference = "A";
  add_keyed("b", cash, sales, 1).posting.reference = "B";
  add(coins, mint, max_units).lines.push_back({&coins, 1});
  add_keyed("", cash, fees, 1);
  EXPECT_EQ(run_without_trace(),
            "insufficient_balance account_frozen unbalanced_transaction invalid_idempotency_key");
}

TEST_F(BatchTest, TotalsStayWithinThirtyEightDigits) {
  add(coins, mint, max_units);
  add(coins, mint, 1);
  add(mint, coins, max_units);
  add(mint, coins, 1);
  EXPECT_EQ(run(), "posted balance_out_of_range posted balance_out_of_range");
}

TEST_F(BatchTest, ManyItems) {
  store.set_limits(cash, std::nullopt, 5000);
  for (int i = 0; i < 20000; ++i) add(cash, sales, 1);
  store.atomically([&] { post_all(store, items, Mode::each); });
  EXPECT_EQ(of(cash).version, 5000);
  EXPECT_TRUE(items[5000].outcome.refusal);
}

// --- keys and references in one batch -------------------------------------------------------------

TEST_F(BatchTest, TheSameKeyIsAnsweredFromTheFirst) {
  add_keyed("k", cash, sales, 10);
  add_keyed("k", cash, sales, 10);
  add_keyed("k", cash, sales, 11);
  add_keyed("l", cash, sales, 10);
  EXPECT_EQ(run(), "posted replayed idempotency_conflict posted");
  EXPECT_EQ(items[1].outcome.id, items[0].outcome.id);
  EXPECT_EQ(of(cash).version, 2);
  EXPECT_EQ(store.keys().size(), 2U);
}

TEST_F(BatchTest, TheSameKeyOfEarlierCalls) {
  Posting posting;
  posting.idempotency_key = "k";
  const TransactionId first = transfer(cash, sales, 10, posting).id;
  add_keyed("k", cash, sales, 10);
  add_keyed("k", cash, sales, 10);
  EXPECT_EQ(run_without_trace(), "replayed replayed");
  EXPECT_EQ(items[0].outcome.id, first);
  EXPECT_EQ(items[1].outcome.id, first);
  items.clear();
  add_keyed("k", cash, sales, 11);
  EXPECT_EQ(run_without_trace(), "idempotency_conflict");
  EXPECT_EQ(testing::name_of(run_atomic()), "idempotency_conflict");
}

TEST_F(BatchTest, ARefusedItemLeavesItsKeyFree) {
  store.set_limits(cash, std::nullopt, 5);
  add_keyed("k", cash, sales, 10);
  add_keyed("l", cash, sales, 5);
  EXPECT_EQ(run(), "limit_exceeded posted");
  EXPECT_EQ(store.keys().count("k"), 0U);
  items.clear();
  store.set_limits(cash, std::nullopt, std::nullopt);
  add_keyed("k", cash, sales, 10);
  EXPECT_EQ(run(), "posted");
}

TEST_F(BatchTest, ARepeatedKeySharesTheRefusal) {
  store.set_limits(cash, std::nullopt, 5);
  add_keyed("k", cash, sales, 10);
  add_keyed("k", cash, sales, 10);
  EXPECT_EQ(run_without_trace(), "limit_exceeded limit_exceeded");
}

TEST_F(BatchTest, KeysOfOtherOperationsConflict) {
  store.atomically([&] {
    const RequestFields fields = {{"operation", "hold"}};
    std::vector<KeyClaim> claims{{"k", transfer(cash, sales, 1).id, &fields}};
    store.claim_keys(claims);
  });
  add_keyed("k", cash, sales, 1);
  const auto refusal = run_atomic();
  EXPECT_EQ(testing::name_of(refusal), "idempotency_conflict");
  EXPECT_NE(refusal->message.find("operation differs"), std::string::npos) << refusal->message;
}

TEST_F(BatchTest, TheSameReferenceIsUsedOnce) {
  add_named("R", cash, sales, 10);
  add_named("R", cash, sales, 10);
  add_named("S", cash, sales, 10);
  EXPECT_EQ(run(), "posted duplicate_reference posted");
  items.clear();
  add_named("S", cash, sales, 10);
  EXPECT_EQ(run_without_trace(), "duplicate_reference");
  EXPECT_EQ(testing::name_of(run_atomic()), "duplicate_reference");
}

TEST_F(BatchTest, ARefusedItemLeavesItsReferenceFree) {
  store.set_limits(cash, std::nullopt, 5);
  add_named("R", cash, sales, 10);
  add_named("R", cash, sales, 5);
  EXPECT_EQ(run(), "limit_exceeded posted");
}

// --- chains ---------------------------------------------------------------------------------------

TEST_F(BatchTest, AChainStandsTogether) {
  add(cash, sales, 10, true);
  add(cash, sales, 20, true);
  add(cash, sales, 30);
  EXPECT_EQ(run(), "posted posted posted");
}

TEST_F(BatchTest, AChainFallsTogether) {
  store.set_limits(cash, 0, 100);
  add(cash, sales, 1);
  add(cash, sales, 50, true);
  add(cash, sales, 50, true);
  add(cash, sales, 1);
  add(cash, sales, 99);
  EXPECT_EQ(run(), "posted linked_failed limit_exceeded linked_failed posted");
  EXPECT_TRUE(posted_balance(of(cash)) == 100);
  EXPECT_EQ(of(cash).version, 2);
}

TEST_F(BatchTest, TheFirstRefusedIsTheCulprit) {
  add(cash, sales, 1, true);
  add(cash, cash, 1, true);
  add(fees, fees, 1, true);
  add(cash, sales, 1);
  add(cash, sales, 1);
  EXPECT_EQ(run(), "linked_failed same_account linked_failed linked_failed posted");
}

TEST_F(BatchTest, TwoChainsStandAlone) {
  store.set_limits(cash, 0, std::nullopt);
  add(fees, cash, 1, true);
  add(cash, sales, 1);
  add(cash, sales, 1, true);
  add(fees, cash, 1);
  EXPECT_EQ(run(), "insufficient_balance linked_failed posted posted");
}

TEST_F(BatchTest, ItemsOfAChainSeeEachOther) {
  store.set_limits(cash, 0, std::nullopt);
  add(cash, sales, 10, true);
  add(fees, cash, 10, true);
  add(fees, cash, 1);
  EXPECT_EQ(run_without_trace(), "linked_failed linked_failed insufficient_balance");
}

TEST_F(BatchTest, AnOpenChainIsRefused) {
  add(cash, sales, 1);
  add(cash, sales, 1, true);
  add(cash, sales, 1, true);
  EXPECT_EQ(run(), "posted linked_failed chain_open");
  EXPECT_EQ(of(cash).version, 1);
  items.clear();
  add(cash, sales, 1, true);
  EXPECT_EQ(run_without_trace(), "chain_open");
}

TEST_F(BatchTest, AFailedChainLeavesNoTrace) {
  store.set_limits(cash, 0, std::nullopt);
  Item& first = add_keyed("a", cash, sales, 10);
  first.linked = true;
  first.posting.reference = "A";
  add_keyed("b", sales, fees, 5).linked = true;
  add(fees, cash, 11);
  EXPECT_EQ(run_without_trace(), "linked_failed linked_failed insufficient_balance");
  // Its keys and references are free, also for what comes later in the batch.
  items.clear();
  Item& again = add_named("A", cash, sales, 10);
  again.linked = true;
  add(cash, cash, 1);
  add_named("A", cash, sales, 7);
  EXPECT_EQ(run(), "linked_failed same_account posted");
}

TEST_F(BatchTest, AReplayedItemFallsWithItsChain) {
  Posting posting;
  posting.idempotency_key = "k";
  transfer(cash, sales, 10, posting);
  add_keyed("k", cash, sales, 10).linked = true;
  add(cash, cash, 1);
  add_keyed("k", cash, sales, 10);
  EXPECT_EQ(run_without_trace(), "linked_failed same_account linked_failed");
  EXPECT_EQ(store.keys().size(), 1U);
}

// --- periods --------------------------------------------------------------------------------------

TEST_F(BatchTest, ItemsInClosedPeriods) {
  store.set_closed_through(noon - second);
  add(cash, sales, 1).posting.effective_at = noon - second;
  add(cash, sales, 1).posting.effective_at = noon - second + 1;
  add(cash, sales, 1);
  EXPECT_EQ(run(), "period_closed posted posted");
}

// --- at random: a batch does what its items would do one by one -----------------------------------

TEST_F(BatchTest, AsIfOneByOne) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  MemoryStore other{7};
  for (const auto& [id, row] : store.balances()) {
    const Account& account = *row.account;
    other.open_account(account.code, account.type, account.normal_side, account.currency,
                       account.scale);
  }
  const Account* accounts[] = {&cash, &sales, &fees};
  const auto limit = [&](const Account& account, std::optional<Units> min,
                         std::optional<Units> max) {
    store.set_limits(account, min, max);
    other.set_limits(other.account(account.id), min, max);
  };
  limit(cash, 0, 300);
  limit(sales, -50, std::nullopt);
  for (int round = 0; round < 200; ++round) {
    items.clear();
    const int count = random.between(1, 12);
    for (int i = 0; i < count; ++i) {
      const std::size_t debit = random.below(3);
      Item& item = add(*accounts[debit], *accounts[(debit + 1 + random.below(2)) % 3],
                       random.between(1, 120), random.below(4) == 0);
      if (random.below(20) == 0) item.lines[1].account = item.lines[0].account;
    }
    run();
    // Chain by chain, each in one attempt.
    for (std::size_t first = 0; first < items.size();) {
      std::size_t last = first;
      while (items[last].linked && last + 1 < items.size()) ++last;
      std::string culprit;
      std::size_t at = first;
      try {
        other.atomically([&] {
          if (items[last].linked) {
            at = last;
            throw Error(Condition::chain_open, "open");
          }
          for (; at <= last; ++at) {
            std::vector<Line> lines;
            for (const Line& line : items[at].lines)
              lines.push_back({&other.account(line.account->id), line.amount});
            Posting posting;
            posting.line_count = lines.size();
            ledgerflow::post(other, lines, posting);
          }
        });
      } catch (const Error& error) {
        culprit = info(error.refusal().condition).name;
      }
      for (std::size_t i = first; i <= last; ++i) {
        std::string expected = "accepted";
        if (!culprit.empty()) expected = i == at ? culprit : "linked_failed";
        // An open chain is refused before its items are looked at, but not what is wrong by itself.
        if (items[last].linked && i == last &&
            items[i].lines[0].account == items[i].lines[1].account)
          expected = "same_account";
        ASSERT_EQ(testing::name_of(items[i].outcome.refusal), expected) << i;
      }
      first = last + 1;
    }
    for (const Account* account : accounts) {
      const Balance& mine = of(*account);
      const Balance& theirs = other.balance(*account);
      ASSERT_TRUE(mine.debits_posted == theirs.debits_posted &&
                  mine.credits_posted == theirs.credits_posted && mine.version == theirs.version);
    }
  }
}

}  // namespace
}  // namespace ledgerflow
