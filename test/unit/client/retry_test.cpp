// Calls are repeated when that can do no harm, and a posting is done once however often the wire
// breaks.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "ledgerflow/ledgerflow.hpp"
#include "proxy.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

using std::chrono::milliseconds;
using testing::Proxy;
using testing::query;
using testing::sql;

ClientOptions quick() {
  ClientOptions options;
  options.retry.first_pause = milliseconds(1);
  options.retry.longest_pause = milliseconds(20);
  options.retry.deadline = milliseconds(20'000);
  return options;
}

class RetryTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    cash = open("asset", "USD", "0");
    sales = open("income");
  }

  std::string count() const {
    return sql("SELECT version FROM ledger.balances WHERE account = '" + cash + "'");
  }

  static void kill(const Client& client) {
    sql("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(client.native_handle())) +
        ", 10000)");
  }

  std::string cash, sales;
};

TEST_F(RetryTest, ConnectsAnewForTheNextCall) {
  Client client(testing::test_database(), quick());
  client.post(cash, sales, Amount("1.00"));
  for (int i = 0; i < 5; ++i) {
    kill(client);
    if (i % 2 == 0)
      client.post(cash, sales, Amount("1.00"));
    else
      EXPECT_EQ(client.balance(cash), client.balance(sales));
    EXPECT_TRUE(client.usable());
  }
  // What has no key is run again too, if it certainly was not carried out.
  kill(client);
  client.freeze_account(cash);
  kill(client);
  client.unfreeze_account(cash);
  EXPECT_EQ(count(), "4");
}

TEST_F(RetryTest, MakesKeysWhereItMayRepeat) {
  const auto keys = [&](const TransactionId& id) {
    return sql("SELECT count(*) FROM ledger.idempotency_keys WHERE transaction_id = '" +
               id.to_string() + "'");
  };
  Client client(testing::test_database(), quick());
  EXPECT_EQ(keys(client.post(cash, sales, Amount("1.00"))), "1");
  EXPECT_EQ(keys(client.post({debit(cash, Amount("1")), credit(sales, Amount("1"))})), "1");
  EXPECT_EQ(keys(client.hold(cash, sales, Amount("1.00"))), "1");
  EXPECT_EQ(keys(client.post_batch({BatchItem(cash, sales, Amount("1.00"))})[0].transaction), "1");
  {
    Transaction transaction(client);
    const auto id = client.post(cash, sales, Amount("1.00"));
    transaction.commit();
    EXPECT_EQ(keys(id), "0");
  }
  Client once(testing::test_database(), {RetryPolicy::none(), {}});
  EXPECT_EQ(keys(once.post(cash, sales, Amount("1.00"))), "0");
}

// Wherever in the answer, or the request, the wire breaks.
TEST_F(RetryTest, PostsOnceWhereverTheWireBreaks) {
  Proxy proxy;
  Client client(proxy.database(), quick());
  client.post(cash, sales, Amount("1.00"));
  int posted = 1;
  for (int bytes = 0; bytes < 160; bytes += 7) {
    proxy.cut_after_answer_bytes(bytes);
    client.post(cash, sales, Amount("1.00"));
    EXPECT_EQ(count(), std::to_string(++posted)) << bytes;
    proxy.cut_after_request_bytes(bytes);
    client.post(cash, sales, Amount("1.00"));
    EXPECT_EQ(count(), std::to_string(++posted)) << bytes;
  }
  EXPECT_GT(proxy.connections(), 40);
  EXPECT_EQ(sql("SELECT count(*) FROM ledgerflow.ledger_verify()"), "0");
}

TEST_F(RetryTest, RepeatsHoldsCapturesAndReversalsUnderTheirKeys) {
  Proxy proxy;
  Client client(proxy.database(), quick());
  const auto lossy = [&](auto call) {
    proxy.cut_after_answer_bytes(3);
    return call();
  };
  client.post(cash, sales, Amount("100.00"));
  const auto hold = lossy([&] { return client.hold(sales, cash, Amount("10.00")); });
  lossy([&] {
    client.raise_hold(hold, Amount("5.00"));
    return 0;
  });
  CaptureOptions part;
  part.amount = Amount("4.00");
  part.final = false;
  const auto captured = lossy([&] { return client.capture(hold, part); });
  lossy([&] {
    client.release(hold);
    return 0;
  });
  lossy([&] { return client.reverse(captured); });
  const auto results = lossy([&] {
    return client.post_batch(
        {BatchItem(cash, sales, Amount("1.00")), BatchItem(cash, sales, Amount("2.00"))});
  });
  EXPECT_EQ(results.size(), 2u);
  EXPECT_EQ(client.balance(cash).to_string(), "103.00");
  EXPECT_EQ(client.available(cash).to_string(), "103.00");
  EXPECT_EQ(count(), "5");
}

TEST_F(RetryTest, DoesNotRepeatWhatMayHaveHappenedWithoutAKey) {
  Proxy proxy;
  Client client(proxy.database(), quick());
  client.balance(cash);
  proxy.cut_after_answer_bytes(3);
  try {
    client.freeze_account(cash);
    // The statement is prepared first; the second round is the call itself.
    proxy.cut_after_answer_bytes(3);
    client.freeze_account(cash);
    FAIL();
  } catch (const ConnectionError& error) {
    EXPECT_TRUE(error.outcome_unknown());
  }
  EXPECT_EQ(client.account(cash).status, "frozen");  // it works on
}

TEST_F(RetryTest, GivesUpAtTheDeadline) {
  Proxy proxy;
  ClientOptions options = quick();
  options.retry.deadline = milliseconds(200);
  Client client(proxy.database(), options);
  client.post(cash, sales, Amount("1.00"));
  proxy.refuse(true);
  proxy.cut_after_answer_bytes(10);
  try {
    client.post(cash, sales, Amount("1.00"));
    FAIL();
  } catch (const ConnectionError& error) {
    EXPECT_TRUE(error.outcome_unknown());  // the first attempt may have been carried out
    EXPECT_EQ(error.sqlstate(), "08001");
  }
  try {
    client.post(cash, sales, Amount("1.00"));
    FAIL();
  } catch (const ConnectionError& error) {
    EXPECT_FALSE(error.outcome_unknown());  // nothing was sent at all
  }
  proxy.refuse(false);
  client.post(cash, sales, Amount("1.00"));
  EXPECT_EQ(count(), "3");
}

TEST_F(RetryTest, CountsAttempts) {
  Proxy proxy;
  ClientOptions options = quick();
  options.retry.attempts = 3;
  Client client(proxy.database(), options);
  client.balance(cash);
  proxy.refuse(true);
  proxy.cut();
  EXPECT_THROW(client.balance(cash), ConnectionError);
  proxy.refuse(false);
  EXPECT_EQ(client.balance(cash).to_string(), "0.00");
}

TEST_F(RetryTest, TakesSilenceForALostConnection) {
  Proxy proxy;
  ClientOptions options = quick();
  options.answer_timeout = milliseconds(300);
  Client client(proxy.database(), options);
  client.post(cash, sales, Amount("1.00"));
  proxy.swallow_answers();
  client.post(cash, sales, Amount("1.00"));
  proxy.swallow_requests();
  client.post(cash, sales, Amount("1.00"));
  EXPECT_EQ(count(), "3");
}

// The first attempt lies on the wire while the second is refused: it must not happen afterwards.
TEST_F(RetryTest, LetsNothingHappenAfterTheAnswer) {
  Proxy proxy;
  ClientOptions options = quick();
  options.answer_timeout = milliseconds(300);
  Client client(proxy.database(), options);
  const auto spend = [&] { client.post(sales, cash, Amount("5.00")); };
  EXPECT_THROW(spend(), RefusedFor<Condition::insufficient_balance>);
  proxy.hold_requests(true);
  EXPECT_THROW(spend(), RefusedFor<Condition::insufficient_balance>);
  Client(testing::test_database()).post(cash, sales, Amount("5.00"));
  proxy.hold_requests(false);  // for the connections that there were
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(count(), "1");
}

TEST_F(RetryTest, EndsTheProcessOfALostConnection) {
  Proxy proxy;
  ClientOptions options = quick();
  options.answer_timeout = milliseconds(300);
  Client client(proxy.database(), options);
  client.post(cash, sales, Amount("1.00"));
  Client blocker(testing::test_database());
  Transaction transaction(blocker);
  blocker.post(cash, sales, Amount("1.00"));
  auto waiting = std::async(std::launch::async, [&] { client.post(cash, sales, Amount("1.00")); });
  std::this_thread::sleep_for(milliseconds(1500));
  // However often it was tried: one process at a time waits for the lock.
  EXPECT_EQ(sql("SELECT count(*) <= 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"),
            "t");
  transaction.commit();
  waiting.get();
  EXPECT_EQ(count(), "3");
}

TEST_F(RetryTest, RepeatsAfterConflicts) {
  const std::string serializable =
      testing::test_database() + " options='-c default_transaction_isolation=serializable'";
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      Client client(serializable, quick());
      for (int n = 0; n < 10; ++n) client.post(cash, sales, Amount("1.00"));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count(), "40");
}

TEST_F(RetryTest, LeavesATransactionToTheCaller) {
  Client client(testing::test_database(), quick());
  Transaction transaction(client);
  client.post(cash, sales, Amount("1.00"));
  kill(client);
  EXPECT_THROW(client.post(cash, sales, Amount("1.00")), ConnectionError);
  // A new connection would post outside the transaction.
  EXPECT_THROW(client.post(cash, sales, Amount("1.00")), ConnectionError);
  EXPECT_THROW(transaction.commit(), ConnectionError);
  EXPECT_EQ(count(), "0");
  client.post(cash, sales, Amount("1.00"));
  EXPECT_EQ(count(), "1");

  query(client.native_handle(), "BEGIN");
  kill(client);
  EXPECT_THROW(client.post(cash, sales, Amount("1.00")), ConnectionError);
  client.post(cash, sales, Amount("1.00"));
  EXPECT_EQ(count(), "2");
}

TEST_F(RetryTest, RunsTransactionsAgain) {
  Client client(testing::test_database(), quick());
  int runs = 0;
  const auto id = Transaction::run(client, [&] {
    const auto posted = client.post(cash, sales, Amount("1.00"));
    if (++runs == 1) kill(client);
    client.post(cash, sales, Amount("2.00"));
    return posted;
  });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(sql("SELECT count(*) FROM ledger.transactions WHERE id = '" + id.to_string() + "'"),
            "1");
  EXPECT_EQ(client.balance(cash).to_string(), "3.00");

  // Against a conflict.
  Client other(testing::test_database());
  runs = 0;
  Transaction::run(
      client,
      [&] {
        client.balance(cash);
        if (++runs == 1) other.post(cash, sales, Amount("1.00"));
        client.post(cash, sales, Amount("1.00"));
      },
      Isolation::repeatable_read);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(client.balance(cash).to_string(), "5.00");

  // What the function throws comes out, and nothing is left.
  EXPECT_THROW(Transaction::run(client,
                                [&] {
                                  client.post(cash, sales, Amount("1.00"));
                                  throw std::runtime_error("no");
                                }),
               std::runtime_error);
  EXPECT_THROW(Transaction::run(client, [&] { client.post(sales, cash, Amount("99")); }),
               RefusedFor<Condition::insufficient_balance>);
  EXPECT_FALSE(client.in_transaction());
  EXPECT_EQ(client.balance(cash).to_string(), "5.00");
}

// Two transactions take two pairs of accounts in opposite orders. One of them is told, and runs again.
TEST_F(RetryTest, RunsTransactionsAgainAfterDeadlocks) {
  const auto left = open("asset");
  const auto right = open("asset");
  std::atomic<int> runs{0};
  std::atomic<int> begun{0};
  const auto transfer = [&](bool forth) {
    Client client(testing::test_database(), quick());
    bool is_first = true;
    Transaction::run(client, [&] {
      ++runs;
      client.post(forth ? cash : left, forth ? sales : right, Amount("1.00"));
      // Neither goes on before the other one has its first pair.
      if (is_first) ++begun;
      is_first = false;
      while (begun < 2) std::this_thread::sleep_for(milliseconds(1));
      client.post(forth ? left : cash, forth ? right : sales, Amount("1.00"));
    });
    EXPECT_TRUE(client.usable());
    EXPECT_FALSE(client.in_transaction());
  };
  auto forth = std::async(std::launch::async, [&] { transfer(true); });
  transfer(false);
  forth.get();
  EXPECT_GE(runs, 3);
  EXPECT_EQ(count(), "2");
  EXPECT_EQ(sql("SELECT version FROM ledger.balances WHERE account = '" + left + "'"), "2");
}

TEST_F(RetryTest, LeavesAServerThatHasBecomeReadOnly) {
  // What a session on an old primary sees: the next connection finds the new one.
  Client client(testing::test_database() + " target_session_attrs=read-write", quick());
  const auto old = PQbackendPID(client.native_handle());
  query(client.native_handle(), "SET default_transaction_read_only = on");
  client.post(cash, sales, Amount("1.00"));
  EXPECT_NE(PQbackendPID(client.native_handle()), old);
  // Who did not ask for a primary gets the error.
  Client other(testing::test_database(), quick());
  query(other.native_handle(), "SET default_transaction_read_only = on");
  try {
    other.post(cash, sales, Amount("1.00"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.sqlstate(), "25006");
  }
}

}  // namespace
}  // namespace ledgerflow::client
