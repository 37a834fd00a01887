// What the server refuses arrives as the right exception, with all that it says, and the client
// works on.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledgerflow/ledgerflow.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

using testing::sql;

class RefusalTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    client = std::make_unique<Client>(testing::test_database());
    cash = open("asset", "USD", "0");
    sales = open("income");
    client->post(cash, sales, Amount("10.00"));
  }

  void TearDown() override {
    if (client == nullptr) return;
    EXPECT_TRUE(client->usable());
    EXPECT_EQ(client->balance(cash).to_string(), "10.00");
    EXPECT_EQ(sql("SELECT count(*) FROM ledgerflow.ledger_verify()"), "0");
  }

  template <Condition condition, typename Call>
  void expect_refused(Call call) {
    try {
      call();
      ADD_FAILURE() << info(condition).name << " was expected";
    } catch (const RefusedFor<condition>& error) {
      EXPECT_EQ(error.condition(), condition);
      EXPECT_EQ(error.sqlstate(), info(condition).sqlstate);
      EXPECT_FALSE(error.message().empty());
      EXPECT_FALSE(error.hint().empty());
      EXPECT_TRUE(error.connection_usable());
    } catch (const Error& error) {
      ADD_FAILURE() << info(condition).name << " was expected, not " << error.what();
    }
  }

  template <typename Call>
  void expect_error(const std::string& sqlstate, Call call) {
    try {
      call();
      ADD_FAILURE() << sqlstate << " was expected";
    } catch (const Refused& error) {
      ADD_FAILURE() << sqlstate << " was expected, not " << error.what();
    } catch (const Error& error) {
      EXPECT_EQ(error.sqlstate(), sqlstate) << error.what();
      EXPECT_FALSE(error.condition());
      EXPECT_TRUE(error.connection_usable());
    }
  }

  std::unique_ptr<Client> client;
  std::string cash, sales;
};

TEST_F(RefusalTest, CarriesTheServersWords) {
  try {
    client->post(sales, cash, Amount("10.01"));
    FAIL();
  } catch (const RefusedFor<Condition::insufficient_balance>& error) {
    EXPECT_EQ(error.sqlstate(), "LF040");
    EXPECT_EQ(error.condition(), Condition::insufficient_balance);
    EXPECT_NE(error.message().find(cash), std::string::npos) << error.what();
    EXPECT_NE(error.detail().find("10.0"), std::string::npos) << error.what();
    EXPECT_FALSE(error.hint().empty());
    EXPECT_TRUE(error.connection_usable());
    EXPECT_NE(std::string(error.what()).find("insufficient_balance"), std::string::npos);
  }
}

TEST_F(RefusalTest, Amounts) {
  for (const char* amount : {"0", "0.00", "-1", "0.001", "1000000000000000000000000000000",
                             "99999999999999999999999999999999999999"})
    expect_refused<Condition::invalid_amount>([&] { client->post(cash, sales, Amount(amount)); });
}

TEST_F(RefusalTest, Accounts) {
  expect_refused<Condition::same_account>([&] { client->post(cash, cash, Amount("1.00")); });
  expect_refused<Condition::account_not_found>(
      [&] { client->post(cash, "no:such", Amount("1.00")); });
  expect_refused<Condition::account_not_found>([&] { client->balance("no:such"); });
  expect_refused<Condition::account_not_found>([&] { client->available("no:such"); });
  for (const std::string& code :
       {std::string(), std::string("'; DROP SCHEMA ledger CASCADE; --"), std::string(10000, 'x')}) {
    expect_refused<Condition::invalid_account_code>(
        [&] { client->post(cash, code, Amount("1.00")); });
    expect_refused<Condition::invalid_account_code>(
        [&] { client->post_transfer(code, sales, Amount("1.00")); });
    expect_refused<Condition::invalid_account_code>([&] {
      client->post({Line{code, Amount("1.00")}, credit(sales, Amount("1.00"))});
    });
  }
  expect_refused<Condition::invalid_account_code>(
      [&] { client->post(cash, std::string_view(), Amount("1.00")); });
  const auto yen = open("asset", "JPY");
  expect_refused<Condition::currency_mismatch>([&] { client->post(cash, yen, Amount("1")); });
}

TEST_F(RefusalTest, Lines) {
  expect_refused<Condition::too_few_lines>([&] { client->post(std::vector<Line>()); });
  expect_refused<Condition::too_few_lines>([&] { client->post({debit(cash, Amount("1.00"))}); });
  expect_refused<Condition::unbalanced_transaction>([&] {
    client->post({debit(cash, Amount("1.00")), credit(sales, Amount("1.01"))});
  });
  expect_refused<Condition::invalid_amount>([&] {
    client->post(
        {debit(cash, Amount("1.00")), credit(sales, Amount("1.00")), Line{sales, Amount()}});
  });
}

TEST_F(RefusalTest, Options) {
  const auto with = [&](auto set) {
    return [this, set] {
      PostOptions options;
      set(options);
      client->post(cash, sales, Amount("1.00"), options);
    };
  };
  expect_refused<Condition::invalid_idempotency_key>(with([](auto& o) { o.idempotency_key = ""; }));
  expect_refused<Condition::invalid_idempotency_key>(
      with([](auto& o) { o.idempotency_key = std::string(256, 'k'); }));
  expect_refused<Condition::invalid_reference>(with([](auto& o) { o.reference = ""; }));
  expect_refused<Condition::invalid_reference>(
      with([](auto& o) { o.reference = std::string(256, 'r'); }));
  expect_refused<Condition::invalid_description>(
      with([](auto& o) { o.description = std::string(10001, 'd'); }));
  expect_refused<Condition::invalid_metadata>(with([](auto& o) { o.metadata = "[1]"; }));
  expect_refused<Condition::version_conflict>(with([](auto& o) { o.expected_version = 7; }));
  expect_refused<Condition::ledger_not_found>(with([](auto& o) { o.ledger = "no such ledger"; }));
  expect_refused<Condition::invalid_effective_at>(
      with([](auto& o) { o.effective_at = Timestamp::min(); }));
  expect_refused<Condition::invalid_effective_at>(with([](auto& o) {
    o.effective_at = Timestamp(std::chrono::microseconds(INT64_MIN + 946'684'800'000'000));
  }));
  expect_error("22P02", with([](auto& o) { o.metadata = "{"; }));
  // Before PostgreSQL's first day, in 4714 BC.
  expect_error("22008", with([](auto& o) {
                 o.effective_at = Timestamp(std::chrono::hours(-24 * 365 * 8000));
               }));
  // Longer than any name in PostgreSQL: nothing is cut off in silence.
  expect_error("42622", with([](auto& o) { o.ledger = std::string(64, 'l'); }));
}

TEST_F(RefusalTest, ReferenceThatIsTaken) {
  PostOptions options;
  options.reference = "taken";
  const auto other = open("asset");
  client->post(other, sales, Amount("1.00"), options);
  expect_refused<Condition::duplicate_reference>(
      [&] { client->post(other, sales, Amount("1.00"), options); });
}

TEST_F(RefusalTest, FrozenAccount) {
  const auto account = open("asset");
  sql("SELECT ledgerflow.ledger_freeze_account('" + account + "')");
  expect_refused<Condition::account_frozen>([&] { client->post(account, sales, Amount("1.00")); });
}

TEST_F(RefusalTest, TextsThatAreNoText) {
  const std::string with_zero("test:\0cash", 10);
  expect_error("22021", [&] { client->post(with_zero, sales, Amount("1.00")); });
  expect_error("22021", [&] {
    client->post({debit(with_zero, Amount("1")), credit(sales, Amount("1"))});
  });
  expect_error("22021", [&] { client->balance("\xff\xfe"); });
  PostOptions options;
  options.description = std::string("a\0b", 3);
  expect_error("22021", [&] { client->post(cash, sales, Amount("1.00"), options); });
}

}  // namespace
}  // namespace ledgerflow::client
