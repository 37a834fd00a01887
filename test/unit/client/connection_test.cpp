// Connections that cannot be made, or break.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "ledgerflow/ledgerflow.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

using testing::query;
using testing::sql;

void expect_no_connection(const std::string& connection_string) {
  try {
    const Client client(connection_string);
    ADD_FAILURE() << "connected to " << connection_string;
  } catch (const ConnectionError& error) {
    EXPECT_EQ(error.sqlstate(), "08001");
    EXPECT_FALSE(error.message().empty());
    EXPECT_FALSE(error.connection_usable());
    EXPECT_FALSE(error.outcome_unknown());
  }
}

TEST(Connection, SaysThatThereIsNoServer) {
  expect_no_connection("host=127.0.0.1 port=1 connect_timeout=5");
  expect_no_connection("host=/no/such/directory");
  expect_no_connection("postgresql://nobody@[::1]:1/nothing?connect_timeout=5");
}

TEST(Connection, RefusesBadConnectionStrings) {
  expect_no_connection("no_such_keyword=1");
  expect_no_connection("host='unterminated");
  expect_no_connection("postgresql://%zz");
}

// A client that tries once, and shows what went wrong.
Client once() { return Client(testing::test_database(), {RetryPolicy::none(), {}}); }

class ConnectionTest : public testing::ServerTest {
 protected:
  // Ends the client's session as an administrator would. It is over when the process is gone: that leaves
  // pg_stat_activity before its end of the connection is closed.
  static void terminate(const Client& client) {
    const int pid = PQbackendPID(client.native_handle());
    EXPECT_EQ(sql("SELECT pg_terminate_backend(" + std::to_string(pid) + ")"), "t");
    for (int i = 0; i < 3000; ++i) {
      if (kill(pid, 0) != 0 && errno == ESRCH) return;
      usleep(10000);
    }
    ADD_FAILURE() << "the session did not end";
  }
};

TEST_F(ConnectionTest, SaysWhatTheServerTurnedDown) {
  expect_no_connection("dbname=no_such_database");
  expect_no_connection("user=no_such_role_" + std::to_string(getpid()));
}

TEST_F(ConnectionTest, SaysThatTheExtensionIsMissing) {
  const std::string name = "client_test_bare_" + std::to_string(getpid());
  sql("CREATE DATABASE " + name);
  try {
    const Client client(testing::database_named(name));
    ADD_FAILURE();
  } catch (const ExtensionMissing& error) {
    EXPECT_EQ(error.sqlstate(), "42704");
    EXPECT_NE(error.message().find(name), std::string::npos);
    EXPECT_EQ(error.hint(), "Run CREATE EXTENSION ledgerflow in it.");
  }
  sql("DROP DATABASE " + name);
}

TEST_F(ConnectionTest, FindsTheExtensionInAnySchema) {
  const std::string name = "client_test_schema_" + std::to_string(getpid());
  sql("CREATE DATABASE " + name);
  const std::string database = testing::database_named(name);
  testing::sql_in(database, R"(CREATE SCHEMA "Odd ""schema"" {ext}")");
  testing::sql_in(database, R"(CREATE EXTENSION ledgerflow SCHEMA "Odd ""schema"" {ext}")");
  const auto call = [&](const std::string& what) {
    testing::sql_in(database, R"(SELECT "Odd ""schema"" {ext}".)" + what);
  };
  call("ledger_create()");
  call("ledger_open_account('a', 'asset', 'USD')");
  call("ledger_open_account('b', 'asset', 'USD')");
  {
    Client client(database);
    EXPECT_EQ(client.extension_schema(), R"(Odd "schema" {ext})");
    client.post("a", "b", Amount("1.00"));
    client.post({debit("a", Amount("1.00")), credit("b", Amount("1.00"))});
    client.post_transfer("a", "b", Amount("1.00"));
    EXPECT_EQ(client.balance("a").to_string(), "3.00");
    EXPECT_EQ(client.available("a").to_string(), "3.00");
  }
  sql("DROP DATABASE " + name);
}

TEST_F(ConnectionTest, TellsThatItBroke) {
  Client client = once();
  const auto cash = open("asset");
  const auto sales = open("income");
  client.post(cash, sales, Amount("1.00"));
  terminate(client);
  try {
    client.post(cash, sales, Amount("1.00"));
    FAIL();
  } catch (const ConnectionError& error) {
    EXPECT_FALSE(error.message().empty());
    EXPECT_FALSE(error.connection_usable());
    EXPECT_FALSE(error.outcome_unknown());  // it was seen before anything was sent
  }
  EXPECT_FALSE(client.usable());
  EXPECT_FALSE(client.in_transaction());
  try {
    client.post(cash, sales, Amount("1.00"));
    FAIL();
  } catch (const ConnectionError& error) {
    EXPECT_FALSE(error.outcome_unknown());  // nothing was sent any more
  }
  client = once();
  EXPECT_EQ(client.balance(cash).to_string(), "1.00");
}

TEST_F(ConnectionTest, KnowsThatABrokenTransactionDidNothing) {
  Client client = once();
  const auto cash = open("asset");
  const auto sales = open("income");
  Transaction transaction(client);
  client.post(cash, sales, Amount("1.00"));
  terminate(client);
  try {
    client.post(cash, sales, Amount("1.00"));
    FAIL();
  } catch (const ConnectionError& error) {
    EXPECT_FALSE(error.outcome_unknown());
  }
  EXPECT_THROW(transaction.commit(), ConnectionError);
  EXPECT_FALSE(transaction.active());
  EXPECT_THROW(Transaction{client}, ConnectionError);
  EXPECT_EQ(Client(testing::test_database()).balance(cash).to_string(), "0.00");
}

TEST_F(ConnectionTest, DoesNotKnowABrokenCommit) {
  Client client = once();
  const auto cash = open("asset");
  const auto sales = open("income");
  Transaction transaction(client);
  client.post(cash, sales, Amount("1.00"));
  terminate(client);
  try {
    transaction.commit();
    FAIL();
  } catch (const ConnectionError& error) {
    EXPECT_TRUE(error.outcome_unknown());
  }
}

}  // namespace
}  // namespace ledgerflow::client
