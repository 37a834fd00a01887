// The Transaction guard: all of its calls, or none.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "ledgerflow/ledgerflow.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

using testing::query;
using testing::sql;

class TransactionTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    client = std::make_unique<Client>(testing::test_database());
    cash = open("asset", "USD", "0");
    sales = open("income");
  }

  // What another session sees.
  std::string committed() const { return sql("SELECT ledgerflow.ledger_balance('" + cash + "')"); }

  template <typename Call>
  void expect_error(const std::string& sqlstate, Call call) {
    try {
      call();
      ADD_FAILURE() << sqlstate << " was expected";
    } catch (const Error& error) {
      EXPECT_EQ(error.sqlstate(), sqlstate) << error.what();
    }
  }

  std::unique_ptr<Client> client;
  std::string cash, sales;
};

TEST_F(TransactionTest, CommitsAllCalls) {
  Transaction transaction(*client);
  EXPECT_TRUE(client->in_transaction());
  client->post(cash, sales, Amount("1.00"));
  client->post({debit(cash, Amount("2.00")), credit(sales, Amount("2.00"))});
  EXPECT_EQ(client->balance(cash).to_string(), "3.00");
  EXPECT_EQ(committed(), "0.00");
  transaction.commit();
  EXPECT_FALSE(transaction.active());
  EXPECT_FALSE(client->in_transaction());
  EXPECT_EQ(committed(), "3.00");
}

TEST_F(TransactionTest, RollsBackWhenDestroyed) {
  {
    Transaction transaction(*client);
    client->post(cash, sales, Amount("1.00"));
  }
  EXPECT_FALSE(client->in_transaction());
  EXPECT_EQ(client->balance(cash).to_string(), "0.00");

  EXPECT_THROW(
      {
        Transaction transaction(*client);
        client->post(cash, sales, Amount("1.00"));
        client->post(sales, cash, Amount("1.01"));
        transaction.commit();
      },
      RefusedFor<Condition::insufficient_balance>);
  EXPECT_FALSE(client->in_transaction());
  EXPECT_EQ(client->balance(cash).to_string(), "0.00");
}

TEST_F(TransactionTest, RollsBackWhenTold) {
  Transaction transaction(*client);
  client->post(cash, sales, Amount("1.00"));
  transaction.rollback();
  EXPECT_FALSE(transaction.active());
  EXPECT_FALSE(client->in_transaction());
  EXPECT_EQ(client->balance(cash).to_string(), "0.00");
  expect_error("25P01", [&] { transaction.rollback(); });
  expect_error("25P01", [&] { transaction.commit(); });
}

TEST_F(TransactionTest, DoesNotPretendToHaveCommitted) {
  Transaction transaction(*client);
  client->post(cash, sales, Amount("1.00"));
  EXPECT_THROW(client->post(cash, cash, Amount("1.00")), Refused);
  expect_error("25P02", [&] { client->balance(cash); });
  expect_error("25P02", [&] { transaction.commit(); });
  EXPECT_FALSE(transaction.active());
  EXPECT_FALSE(client->in_transaction());
  EXPECT_EQ(client->balance(cash).to_string(), "0.00");
}

TEST_F(TransactionTest, IsOneAtATime) {
  Transaction transaction(*client);
  expect_error("25001", [&] { Transaction inner(*client); });
  client->post(cash, sales, Amount("1.00"));
  transaction.commit();
  EXPECT_EQ(committed(), "1.00");
  Transaction next(*client);
  next.commit();
}

TEST_F(TransactionTest, NoticesOtherSqlThatEndedIt) {
  Transaction transaction(*client);
  client->post(cash, sales, Amount("1.00"));
  query(client->native_handle(), "ROLLBACK");
  expect_error("25P01", [&] { transaction.commit(); });
  Transaction second(*client);
  query(client->native_handle(), "ROLLBACK");
  second.rollback();
}

TEST_F(TransactionTest, IncludesTheCallersOwnSql) {
  sql("CREATE TABLE IF NOT EXISTS orders (id bigint)");
  {
    Transaction transaction(*client);
    query(client->native_handle(), "INSERT INTO orders VALUES (1)");
    client->post(cash, sales, Amount("1.00"));
  }
  EXPECT_EQ(sql("SELECT count(*) FROM orders"), "0");
  Transaction transaction(*client);
  query(client->native_handle(), "INSERT INTO orders VALUES (1)");
  client->post(cash, sales, Amount("1.00"));
  transaction.commit();
  EXPECT_EQ(sql("SELECT count(*) FROM orders"), "1");
}

TEST_F(TransactionTest, SurvivesItsClient) {
  Transaction transaction(*client);
  client->post(cash, sales, Amount("1.00"));
  Client moved(std::move(*client));
  moved.post(cash, sales, Amount("1.00"));
  Transaction taken(std::move(transaction));
  EXPECT_FALSE(transaction.active());  // NOLINT(bugprone-use-after-move)
  { const Client gone(std::move(moved)); }
  taken.commit();
  EXPECT_EQ(committed(), "2.00");

  auto other = std::make_unique<Client>(testing::test_database());
  {
    const Transaction left(*other);
    other->post(cash, sales, Amount("1.00"));
    other.reset();
  }
  EXPECT_EQ(committed(), "2.00");
}

TEST_F(TransactionTest, IsIsolatedAsAsked) {
  const auto level = [&](Isolation isolation) {
    const Transaction transaction(*client, isolation);
    return query(client->native_handle(), "SHOW transaction_isolation").front();
  };
  EXPECT_EQ(level(Isolation::server_default), "read committed");
  EXPECT_EQ(level(Isolation::read_committed), "read committed");
  EXPECT_EQ(level(Isolation::repeatable_read), "repeatable read");
  EXPECT_EQ(level(Isolation::serializable), "serializable");
  EXPECT_EQ(level(Isolation::server_default), "read committed");
}

TEST_F(TransactionTest, TellsSerializationFailures) {
  Client other(testing::test_database());
  Transaction transaction(*client, Isolation::repeatable_read);
  client->balance(cash);
  other.post(cash, sales, Amount("1.00"));
  try {
    client->post(cash, sales, Amount("1.00"));
    FAIL();
  } catch (const SerializationFailure& error) {
    EXPECT_EQ(error.sqlstate(), "40001");
    EXPECT_TRUE(error.connection_usable());
    EXPECT_FALSE(error.condition());
  }
  transaction.rollback();
  client->post(cash, sales, Amount("1.00"));
  EXPECT_EQ(committed(), "2.00");
}

TEST_F(TransactionTest, TellsDeadlocks) {
  Client other(testing::test_database());
  const auto left = open("asset");
  const auto right = open("asset");
  Transaction mine(*client);
  Transaction theirs(other);
  client->post(cash, left, Amount("1.00"));
  other.post(sales, right, Amount("1.00"));
  const auto attempt = [](Client& on, const std::string& debit, const std::string& credit) {
    try {
      on.post(debit, credit, Amount("1.00"));
      return 0;
    } catch (const Deadlock& error) {
      EXPECT_EQ(error.sqlstate(), "40P01");
      EXPECT_TRUE(error.connection_usable());
      return 1;
    }
  };
  auto waiting = std::async(std::launch::async, [&] {
    const int lost = attempt(other, cash, left);
    theirs.rollback();
    return lost;
  });
  const int lost = attempt(*client, sales, right);
  mine.rollback();
  EXPECT_EQ(lost + waiting.get(), 1);
}

}  // namespace
}  // namespace ledgerflow::client
