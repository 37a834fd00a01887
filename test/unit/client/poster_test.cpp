// The poster: every future is answered, and every posting is there once or not at all.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ledgerflow/ledgerflow.hpp"
#include "proxy.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

using std::chrono::milliseconds;
using testing::Proxy;
using testing::sql;
using Futures = std::vector<std::future<TransactionId>>;

class PosterTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    cash = open("asset", "USD", "0");
    sales = open("income");
  }
  void TearDown() override {
    if (cash.empty()) return;
    EXPECT_EQ(sql("SELECT count(*) FROM ledgerflow.ledger_verify()"), "0");
  }

  static PosterOptions quick() {
    PosterOptions options;
    options.retry.first_pause = milliseconds(1);
    options.retry.longest_pause = milliseconds(20);
    return options;
  }

  std::string count() const {
    return sql("SELECT version FROM ledger.balances WHERE account = '" + cash + "'");
  }
  static bool is_there(const TransactionId& id) {
    return sql("SELECT count(*) FROM ledger.transactions WHERE id = '" + id.to_string() + "'") ==
           "1";
  }
  Futures submit(Poster& poster, int number) {
    Futures futures;
    for (int i = 0; i < number; ++i) futures.push_back(poster.submit(cash, sales, Amount("1.00")));
    return futures;
  }
  static int succeeded(Futures& futures) {
    int number = 0;
    for (auto& future : futures) {
      try {
        future.get();
        ++number;
      } catch (const Error&) {
      }
    }
    return number;
  }

  std::string cash, sales;
};

TEST_F(PosterTest, Posts) {
  Poster poster(testing::test_database());
  const TransactionId id = poster.submit(cash, sales, Amount("2.50")).get();
  EXPECT_TRUE(is_there(id));
  Futures futures = submit(poster, 2500);
  TransactionId last = id;
  for (auto& future : futures) {
    const TransactionId next = future.get();
    EXPECT_GT(next, last);  // in their order
    last = next;
  }
  EXPECT_EQ(count(), "2501");
  poster.flush();
  EXPECT_EQ(poster.pending(), 0u);
}

TEST_F(PosterTest, RefusesOneByOne) {
  Poster poster(testing::test_database());
  const auto euro = open("asset", "EUR");
  const auto frozen = open("asset");
  sql("SELECT ledgerflow.ledger_freeze_account('" + frozen + "')");
  Futures good;
  std::vector<std::pair<Condition, std::future<TransactionId>>> bad;
  for (int round = 0; round < 20; ++round) {
    good.push_back(poster.submit(cash, sales, Amount("1.00")));
    bad.emplace_back(Condition::insufficient_balance,
                     poster.submit(sales, cash, Amount("1000.00")));
    bad.emplace_back(Condition::account_not_found, poster.submit(cash, "no:such", Amount("1")));
    bad.emplace_back(Condition::currency_mismatch, poster.submit(cash, euro, Amount("1")));
    bad.emplace_back(Condition::account_frozen, poster.submit(cash, frozen, Amount("1")));
    bad.emplace_back(Condition::same_account, poster.submit(cash, cash, Amount("1")));
    bad.emplace_back(Condition::invalid_amount, poster.submit(cash, sales, Amount("0.001")));
    bad.emplace_back(Condition::invalid_amount, poster.submit(cash, sales, Amount("-1")));
    bad.emplace_back(Condition::invalid_amount, poster.submit(cash, sales, Amount("0")));
    bad.emplace_back(Condition::invalid_account_code, poster.submit("", sales, Amount("1")));
    PostOptions options;
    options.reference = std::string(256, 'r');
    bad.emplace_back(Condition::invalid_reference,
                     poster.submit(cash, sales, Amount("1"), options));
    options = {};
    options.ledger = "no such ledger";
    bad.emplace_back(Condition::ledger_not_found, poster.submit(cash, sales, Amount("1"), options));
    options = {};
    options.expected_version = 12345;
    bad.emplace_back(Condition::version_conflict, poster.submit(cash, sales, Amount("1"), options));
    bad.emplace_back(
        Condition::unbalanced_transaction,
        poster.submit(Posting({debit(cash, Amount("1")), credit(sales, Amount("2"))})));
    bad.emplace_back(Condition::too_few_lines, poster.submit(Posting(std::vector<Line>())));
  }
  EXPECT_EQ(succeeded(good), 20);
  for (auto& [condition, future] : bad) {
    try {
      future.get();
      ADD_FAILURE() << info(condition).name << " was expected";
    } catch (const Refused& error) {
      EXPECT_EQ(error.condition(), condition) << error.what();
      EXPECT_EQ(error.sqlstate(), info(condition).sqlstate);
      EXPECT_FALSE(error.message().empty());
      EXPECT_FALSE(error.hint().empty());
      if (condition == Condition::insufficient_balance) {
        EXPECT_NE((error.message() + error.detail()).find(cash), std::string::npos);
      }
    }
  }
  EXPECT_EQ(count(), "20");
}

TEST_F(PosterTest, ThrowsByCondition) {
  Poster poster(testing::test_database());
  EXPECT_THROW(poster.submit(sales, cash, Amount("1.00")).get(),
               RefusedFor<Condition::insufficient_balance>);
  Futures futures;
  for (int i = 0; i < 3; ++i) futures.push_back(poster.submit(sales, cash, Amount("1.00")));
  for (auto& future : futures)
    EXPECT_THROW(future.get(), RefusedFor<Condition::insufficient_balance>);
}

// A value that spoils the whole statement fails alone.
TEST_F(PosterTest, KeepsBadValuesFromTheOthers) {
  Poster poster(testing::test_database());
  Futures good = submit(poster, 50);
  PostOptions options;
  options.metadata = "{";
  auto no_json = poster.submit(cash, sales, Amount("1"), options);
  options = {};
  options.description = "\xff\xfe";
  auto no_text = poster.submit(cash, sales, Amount("1"), options);
  options.description = std::string("a\0b", 3);
  auto zero = poster.submit(cash, sales, Amount("1"), options);
  options = {};
  options.effective_at = Timestamp::min();
  auto no_time = poster.submit(cash, sales, Amount("1"), options);
  for (auto& future : submit(poster, 50)) good.push_back(std::move(future));
  const auto state = [](std::future<TransactionId>& future) {
    try {
      future.get();
      return std::string("posted");
    } catch (const Error& error) {
      return error.sqlstate();
    }
  };
  EXPECT_EQ(state(no_json), "22P02");
  EXPECT_EQ(state(no_text), "22021");
  EXPECT_EQ(state(zero), "22021");
  EXPECT_EQ(state(no_time), info(Condition::invalid_effective_at).sqlstate);
  EXPECT_EQ(succeeded(good), 100);
  EXPECT_EQ(count(), "100");
}

TEST_F(PosterTest, PostsWhateverAClientPosts) {
  sql("SELECT ledgerflow.ledger_create('of_posters')");
  for (const char* code : {"a", "b"})
    sql(std::string("SELECT ledgerflow.ledger_open_account('") + code +
        "', 'asset', 'USD', ledger => 'of_posters')");
  Poster poster(testing::test_database());
  Futures futures;
  for (int i = 0; i < 10; ++i) {
    futures.push_back(poster.submit(cash, sales, Amount("1.00")));
    PostOptions there;
    there.ledger = "of_posters";
    futures.push_back(poster.submit("a", "b", Amount("1.00"), there));
    futures.push_back(
        poster.submit(Posting({credit(sales, Amount("2.00")), debit(cash, Amount("2.00"))})));
    futures.push_back(poster.submit(
        Posting({debit(cash, Amount("1")), debit(cash, Amount("2")), credit(sales, Amount("3"))})));
    PostOptions all;
    all.reference = cash + std::to_string(i);
    all.description = "all";
    all.metadata = R"({"i": 1})";
    all.effective_at = Timestamp(std::chrono::seconds(1'600'000'000));
    all.idempotency_key = cash + "key" + std::to_string(i);
    futures.push_back(poster.submit(cash, sales, Amount("0.01"), all));
    futures.push_back(poster.submit(cash, sales, Amount("0.01"), all));
  }
  std::vector<TransactionId> ids;
  for (auto& future : futures) ids.push_back(future.get());
  for (std::size_t i = 0; i < ids.size(); i += 6) EXPECT_EQ(ids[i + 4], ids[i + 5]);
  EXPECT_EQ(sql("SELECT ledgerflow.ledger_balance('" + cash + "')"), "60.10");
  EXPECT_EQ(sql("SELECT ledgerflow.ledger_balance('a', ledger => 'of_posters')"), "10.00");
  EXPECT_EQ(sql("SELECT e.amount FROM ledger.entries e WHERE transaction_id = '" +
                ids[2].to_string() + "' AND line = 1"),
            "-2.00");
}

TEST_F(PosterTest, TakesBadOptionsForWhatTheyAre) {
  PosterOptions options;
  options.batch_size = 0;
  EXPECT_THROW(Poster(testing::test_database(), options), RefusedFor<Condition::invalid_argument>);
  options.batch_size = 100'001;
  EXPECT_THROW(Poster(testing::test_database(), options), RefusedFor<Condition::invalid_argument>);
  EXPECT_THROW(Poster("host=/no/such/directory"), ConnectionError);
}

TEST_F(PosterTest, FlushesAndWaitsForRoom) {
  PosterOptions options = quick();
  options.capacity = 10;
  options.batch_size = 4;
  options.batch_delay = std::chrono::hours(1);
  Poster poster(testing::test_database(), options);
  Futures futures = submit(poster, 101);
  poster.flush();
  EXPECT_EQ(poster.pending(), 0u);
  for (auto& future : futures)
    EXPECT_EQ(future.wait_for(milliseconds(0)), std::future_status::ready);
  EXPECT_EQ(succeeded(futures), 101);
  poster.flush();
}

TEST_F(PosterTest, DrainsWhenDestroyedOrMovedOver) {
  Futures first, second;
  {
    Poster poster(testing::test_database());
    first = submit(poster, 500);
    Poster moved(std::move(poster));
    for (auto& future : submit(moved, 500)) first.push_back(std::move(future));
    EXPECT_THROW(poster.submit(cash, sales, Amount("1")), ConnectionError);
    EXPECT_EQ(poster.pending(), 0u);
    poster.flush();
    poster.close();
    moved = Poster(testing::test_database());
    for (auto& future : first)
      EXPECT_EQ(future.wait_for(milliseconds(0)), std::future_status::ready);
    second = submit(moved, 100);
  }
  EXPECT_EQ(succeeded(first), 1000);
  EXPECT_EQ(succeeded(second), 100);
  EXPECT_EQ(count(), "1100");
}

TEST_F(PosterTest, TakesNothingAfterClosing) {
  Poster poster(testing::test_database());
  Futures futures = submit(poster, 100);
  std::thread other([&] { poster.close(); });
  poster.close();
  other.join();
  EXPECT_EQ(succeeded(futures), 100);
  EXPECT_THROW(poster.submit(cash, sales, Amount("1.00")), ConnectionError);
  EXPECT_THROW(poster.submit(Posting(cash, sales, Amount("1.00"))), ConnectionError);
  poster.flush();
  poster.abandon();
}

TEST_F(PosterTest, AbandonsWhatHasNoAnswer) {
  Client blocker(testing::test_database());
  Transaction transaction(blocker);
  blocker.post(cash, sales, Amount("1.00"));
  PosterOptions options;
  options.batches_in_flight = 1;
  Poster poster(testing::test_database(), options);
  auto in_flight = poster.submit(cash, sales, Amount("1.00"));
  while (sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
             " AND datname = current_database()") != "1")
    std::this_thread::sleep_for(milliseconds(10));
  auto waiting = poster.submit(cash, sales, Amount("1.00"));
  poster.abandon();
  const auto outcome_unknown = [](std::future<TransactionId>& future) {
    try {
      future.get();
    } catch (const ConnectionError& error) {
      return error.outcome_unknown();
    }
    throw std::runtime_error("it was posted");
  };
  EXPECT_TRUE(outcome_unknown(in_flight));
  EXPECT_FALSE(outcome_unknown(waiting));
  EXPECT_EQ(poster.pending(), 0u);
  transaction.rollback();
}

TEST_F(PosterTest, PostsOnceWhereverTheWireBreaks) {
  Proxy proxy;
  Poster poster(proxy.database(), quick());
  int posted = 0;
  Futures futures;
  for (int round = 0; round < 40; ++round) {
    if (round % 2 == 0)
      proxy.cut_after_answer_bytes(round * 37);
    else
      proxy.cut_after_request_bytes(round * 53);
    for (int i = 0; i < 25; ++i, ++posted)
      futures.push_back(poster.submit(cash, sales, Amount("1.00")));
    if (round % 4 == 3) poster.flush();
  }
  EXPECT_EQ(succeeded(futures), posted);
  EXPECT_EQ(count(), std::to_string(posted));
  EXPECT_GT(proxy.connections(), 10);
}

TEST_F(PosterTest, TakesSilenceForALostConnection) {
  Proxy proxy;
  PosterOptions options = quick();
  options.answer_timeout = milliseconds(200);
  Poster poster(proxy.database(), options);
  submit(poster, 1)[0].get();
  proxy.swallow_answers();
  Futures futures = submit(poster, 10);
  poster.flush();
  proxy.swallow_requests();
  for (auto& future : submit(poster, 10)) futures.push_back(std::move(future));
  EXPECT_EQ(succeeded(futures), 20);
  EXPECT_EQ(count(), "21");
}

TEST_F(PosterTest, FailsWhatItCannotPostInTime) {
  Proxy proxy;
  PosterOptions options = quick();
  options.retry.deadline = milliseconds(200);
  Poster poster(proxy.database(), options);
  submit(poster, 1)[0].get();
  proxy.refuse(true);
  proxy.cut();
  Futures futures = submit(poster, 50);
  for (auto& future : futures) EXPECT_THROW(future.get(), ConnectionError);
  poster.flush();
  EXPECT_EQ(poster.pending(), 0u);
  proxy.refuse(false);
  Futures later = submit(poster, 50);
  EXPECT_EQ(succeeded(later), 50);
  EXPECT_EQ(count(), "51");
  // Destroyed while nothing can be reached.
  proxy.refuse(true);
  proxy.cut();
  Futures last = submit(poster, 5);
  { const Poster gone(std::move(poster)); }
  EXPECT_EQ(succeeded(last), 0);
  EXPECT_EQ(count(), "51");
}

TEST_F(PosterTest, TriesOnceWhenToldSo) {
  Proxy proxy;
  PosterOptions options;
  options.retry = RetryPolicy::none();
  Poster poster(proxy.database(), options);
  EXPECT_EQ(sql("SELECT count(*) FROM ledger.idempotency_keys WHERE transaction_id = '" +
                submit(poster, 1)[0].get().to_string() + "'"),
            "0");
  proxy.cut();
  Futures futures = submit(poster, 3);
  for (auto& future : futures) EXPECT_THROW(future.get(), ConnectionError);
  EXPECT_THROW(submit(poster, 1)[0].get(), ConnectionError);
  EXPECT_EQ(count(), "1");
}

TEST_F(PosterTest, RepeatsAfterConflicts) {
  const std::string serializable =
      testing::test_database() + " options='-c default_transaction_isolation=serializable'";
  std::vector<std::thread> threads;
  std::atomic<int> posted{0};
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      Poster poster(serializable, quick());
      Futures futures;
      for (int n = 0; n < 60; ++n) {
        futures.push_back(poster.submit(cash, sales, Amount("1.00")));
        if (n % 5 == 0) std::this_thread::sleep_for(milliseconds(1));
      }
      posted += succeeded(futures);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(posted, 180);
  EXPECT_EQ(count(), "180");
}

TEST_F(PosterTest, ServesManyThreadsWhileItsSessionIsKilled) {
  std::optional<Poster> poster(std::in_place, testing::test_database(), quick());
  std::atomic<int> posted{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 30; ++n) {
        Futures futures = submit(*poster, 10);
        if (n % 10 == 0) poster->flush();
        posted += succeeded(futures);
      }
    });
  std::thread killer([&] {
    while (!done) {
      sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
          " 'ledgerflow' AND datname = current_database()");
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  for (auto& thread : threads) thread.join();
  done = true;
  killer.join();
  poster.reset();
  EXPECT_EQ(posted, 2400);
  EXPECT_EQ(count(), "2400");
}

}  // namespace
}  // namespace ledgerflow::client
