// Posting and reading through the client, against a real server.
#include "ledgerflow/ledgerflow.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "server.hpp"

namespace ledgerflow::client {
namespace {

using testing::query;
using testing::sql;

class ClientTest : public testing::ServerTest {
 protected:
  // A column of a transaction's header, as text.
  static std::string header(const TransactionId& id, const std::string& expression) {
    return sql("SELECT " + expression + " FROM ledger.transactions WHERE id = '" + id.to_string() +
               "'");
  }
};

TEST_F(ClientTest, PostsAndReadsBalances) {
  Client client(testing::test_database());
  const auto cash = open("asset");
  const auto sales = open("income");
  const auto before = to_timestamp(std::chrono::system_clock::now());

  const TransactionId id = client.post(cash, sales, Amount("125.00"));

  EXPECT_EQ(client.balance(cash).to_string(), "125.00");
  EXPECT_EQ(client.balance(sales).to_string(), "125.00");
  EXPECT_EQ(client.available(cash).to_string(), "125.00");
  EXPECT_EQ(id.bytes()[6] >> 4, 7);
  EXPECT_EQ(header(id, "count(*)"), "1");
  EXPECT_EQ(header(id, "(extract(epoch FROM posted_at) * 1000000)::bigint"),
            std::to_string(id.posted_at().time_since_epoch().count()));
  EXPECT_LT(std::chrono::abs(id.posted_at() - before), std::chrono::minutes(10));

  EXPECT_GT(client.post(cash, sales, Amount("0.01")), id);
  EXPECT_EQ(client.balance(cash).to_string(), "125.01");
}

TEST_F(ClientTest, KnowsItsExtension) {
  const Client client(testing::test_database());
  EXPECT_EQ(client.extension_schema(), "ledgerflow");
  EXPECT_EQ(client.extension_version(),
            sql("SELECT extversion FROM pg_extension WHERE extname = 'ledgerflow'"));
  EXPECT_TRUE(client.usable());
  EXPECT_FALSE(client.in_transaction());
}

TEST_F(ClientTest, PostsLines) {
  Client client(testing::test_database());
  const auto cash = open("asset");
  const auto fees = open("expense");
  const auto sales = open("income");

  const auto id = client.post({debit(cash, Amount("97.10")), debit(fees, Amount("2.90")),
                               credit(sales, Amount("60")), credit(sales, Amount("40.00"))});

  EXPECT_EQ(client.balance(cash), Amount("97.10"));
  EXPECT_EQ(client.balance(fees), Amount("2.90"));
  EXPECT_EQ(client.balance(sales), Amount("100"));
  const std::vector<std::string> entries =
      query(client.native_handle(),
            "SELECT a.code || ' ' || e.amount FROM ledger.entries e"
            " JOIN ledger.accounts a ON a.id = e.account_id WHERE e.transaction_id = '" +
                id.to_string() + "' ORDER BY e.line");
  EXPECT_EQ(entries, (std::vector<std::string>{cash + " 97.10", fees + " 2.90", sales + " -60.00",
                                               sales + " -40.00"}));
}

TEST_F(ClientTest, PostsLinesInSeveralCurrencies) {
  Client client(testing::test_database());
  const auto dollars = open("asset");
  const auto yen = open("asset", "JPY");
  const auto dollar_trading = open("equity");
  const auto yen_trading = open("equity", "JPY");

  client.post({credit(dollars, Amount("10.00")), debit(dollar_trading, Amount("10.00")),
               debit(yen, Amount("1500")), credit(yen_trading, Amount("1500"))});

  EXPECT_EQ(client.balance(dollars).to_string(), "-10.00");
  EXPECT_EQ(client.balance(yen).to_string(), "1500");
}

TEST_F(ClientTest, PostsManyLines) {
  Client client(testing::test_database());
  const auto cash = open("asset");
  const auto sales = open("income");
  std::vector<Line> lines(9999, debit(cash, Amount("0.01")));
  lines.push_back(credit(sales, Amount("99.99")));
  client.post(lines);
  EXPECT_EQ(client.balance(cash).to_string(), "99.99");
  lines.push_back(lines.front());
  EXPECT_THROW(client.post(lines), RefusedFor<Condition::too_many_lines>);
}

TEST_F(ClientTest, Transfers) {
  Client client(testing::test_database());
  const auto source = open("asset");
  const auto destination = open("asset");
  client.post_transfer(source, destination, Amount("5.00"));
  // The source is debited, the destination credited.
  EXPECT_EQ(client.balance(source).to_string(), "5.00");
  EXPECT_EQ(client.balance(destination).to_string(), "-5.00");
}

TEST_F(ClientTest, CarriesAmountsExactly) {
  Client client(testing::test_database());
  for (const auto& [currency, amount] : std::vector<std::pair<std::string, std::string>>{
           {"USD", "0.01"},
           {"USD", "10000.00"},
           {"USD", "999999999999999999999999999999.99"},
           {"JPY", "1"},
           {"JPY", "10000"},
           {"JPY", "123456789012345678901234567890"},
           {"BHD", "0.001"},
           {"BHD", "100020003.004"},
           {"ETH", "0.000000000000000001"},
           {"ETH", "1000.000000000000000001"},
           {"ETH", "99999999999999999999.999999999999999999"}}) {
    const auto left = open("asset", currency);
    const auto right = open("asset", currency);
    client.post(left, right, Amount(amount));
    EXPECT_EQ(client.balance(left).to_string(), amount);
    EXPECT_EQ(client.balance(right).to_string(), "-" + amount);
    EXPECT_EQ(sql("SELECT ledgerflow.ledger_balance('" + left + "')"), amount);
    client.post({debit(right, Amount(amount)), credit(left, Amount(amount))});
    EXPECT_TRUE(client.balance(left).is_zero());
  }
}

TEST_F(ClientTest, SendsTheOptions) {
  Client client(testing::test_database());
  const auto cash = open("asset");
  const auto sales = open("income");
  const std::string text = "O'Neil \\ \"x\" {a,b} $1 \n ε ₿ 🙂";

  PostOptions options;
  options.idempotency_key = "key " + text;
  options.reference = "reference " + text;
  options.description = text;
  options.effective_at = Timestamp(std::chrono::microseconds(1'577'836'799'999'999));
  options.metadata = R"({"order": 42, "note": "it's"})";
  options.expected_version = 0;
  options.ledger = "ledger";
  const auto id = client.post(cash, sales, Amount("1.00"), options);

  const std::string tag = "$tag$";
  EXPECT_EQ(header(id, "reference"), *options.reference);
  EXPECT_EQ(header(id, "description"), text);
  EXPECT_EQ(header(id, "effective_at AT TIME ZONE 'UTC'"), "2019-12-31 23:59:59.999999");
  EXPECT_EQ(header(id, "metadata = '{\"order\": 42, \"note\": \"it''s\"}'"), "t");
  EXPECT_EQ(sql("SELECT transaction_id FROM ledger.idempotency_keys WHERE key = " + tag +
                *options.idempotency_key + tag),
            id.to_string());

  PostOptions later;
  later.effective_at = Timestamp(std::chrono::microseconds(-1));
  later.description = "";
  const auto old = client.post({debit(cash, Amount("1")), credit(sales, Amount("1"))}, later);
  EXPECT_EQ(header(old, "effective_at AT TIME ZONE 'UTC'"), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(header(old, "reference IS NULL AND metadata IS NULL"), "t");
}

TEST_F(ClientTest, PostsOnceUnderOneKey) {
  Client client(testing::test_database());
  const auto cash = open("asset");
  const auto sales = open("income");
  PostOptions options;
  options.idempotency_key = "once";

  const auto id = client.post(cash, sales, Amount("3.00"), options);
  EXPECT_EQ(client.post(cash, sales, Amount("3.00"), options), id);
  EXPECT_EQ(Client(testing::test_database()).post(cash, sales, Amount("3.00"), options), id);
  EXPECT_EQ(client.balance(cash).to_string(), "3.00");

  try {
    client.post(cash, sales, Amount("4.00"), options);
    FAIL();
  } catch (const RefusedFor<Condition::idempotency_conflict>& error) {
    EXPECT_EQ(error.sqlstate(), "LF047");
    EXPECT_NE((error.message() + error.detail()).find("amount"), std::string::npos) << error.what();
  }
  EXPECT_EQ(client.balance(cash).to_string(), "3.00");
}

TEST_F(ClientTest, WorksInAnotherLedger) {
  sql("SELECT ledgerflow.ledger_create('Second \"books\"')");
  const auto account = [](const char* code) {
    sql(std::string("SELECT ledgerflow.ledger_open_account('") + code +
        "', 'asset', 'USD', ledger => 'Second \"books\"')");
  };
  account("only:here");
  account("and:here");
  Client client(testing::test_database());
  PostOptions options;
  options.ledger = "Second \"books\"";
  client.post("only:here", "and:here", Amount("1.00"), options);
  client.post({debit("only:here", Amount("1")), credit("and:here", Amount("1"))}, options);
  client.post_transfer("only:here", "and:here", Amount("1.00"), options);
  EXPECT_EQ(client.balance("only:here", options.ledger).to_string(), "3.00");
  EXPECT_EQ(client.available("only:here", "Second \"books\"").to_string(), "3.00");
  EXPECT_THROW(client.balance("only:here"), RefusedFor<Condition::account_not_found>);
}

TEST_F(ClientTest, DoesNotDependOnTheSearchPath) {
  const auto cash = open("asset");
  const auto sales = open("income");
  Client client(testing::test_database() + " options='-c search_path='");
  client.post(cash, sales, Amount("1.00"));
  client.post({debit(cash, Amount("1.00")), credit(sales, Amount("1.00"))});
  EXPECT_EQ(client.balance(cash).to_string(), "2.00");
}

TEST_F(ClientTest, SpeaksUtf8WhateverTheEnvironmentSays) {
  const auto cash = open("asset");
  const auto sales = open("income");
  Client client(testing::test_database() + " client_encoding=LATIN1");
  PostOptions options;
  options.description = "Müller";
  EXPECT_EQ(header(client.post(cash, sales, Amount("1.00"), options), "char_length(description)"),
            "6");
}

TEST_F(ClientTest, Moves) {
  Client first(testing::test_database());
  const auto cash = open("asset");
  const auto sales = open("income");
  first.post(cash, sales, Amount("1.00"));
  Client second(std::move(first));
  second.post(cash, sales, Amount("1.00"));
  first = Client(testing::test_database());
  first.post(cash, sales, Amount("1.00"));
  first = std::move(second);
  EXPECT_EQ(first.balance(cash).to_string(), "3.00");

  EXPECT_FALSE(second.usable());  // NOLINT(bugprone-use-after-move): what it does is what is tested
  EXPECT_FALSE(second.in_transaction());
  EXPECT_EQ(second.native_handle(), nullptr);
  try {
    second.post(cash, sales, Amount("1.00"));
    FAIL();
  } catch (const ConnectionError& error) {
    EXPECT_EQ(error.sqlstate(), "08003");
    EXPECT_FALSE(error.outcome_unknown());
  }
  EXPECT_THROW(second.post(std::vector<Line>()), ConnectionError);
  EXPECT_THROW(second.balance(cash), ConnectionError);
  EXPECT_THROW(second.extension_version(), ConnectionError);
  EXPECT_THROW(Transaction{second}, ConnectionError);
}

}  // namespace
}  // namespace ledgerflow::client
