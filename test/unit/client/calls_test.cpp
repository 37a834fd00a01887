// Every call that is not a plain posting, against a real server.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "ledgerflow/ledgerflow.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

using testing::query;
using testing::sql;

class CallsTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    client.emplace(testing::test_database());
    cash = open("asset", "USD", "0");
    fees = open("expense");
    sales = open("income");
    client->post(cash, sales, Amount("100.00"));
  }

  std::string available() { return client->available(cash).to_string(); }
  std::string balance() { return client->balance(cash).to_string(); }

  std::optional<Client> client;
  std::string cash, fees, sales;
};

TEST_F(CallsTest, HoldsAndCaptures) {
  HoldOptions options;
  options.expires_in = std::chrono::hours(24 * 7);
  options.reference = "hold of " + cash;
  const auto hold = client->hold(fees, cash, Amount("40.00"), options);
  EXPECT_EQ(available(), "60.00");
  EXPECT_EQ(sql("SELECT expires_at - created_at BETWEEN '6 days 23 hours' AND '7 days 1 hour'"
                " FROM ledger.holds WHERE id = '" +
                hold.to_string() + "'"),
            "t");

  client->raise_hold(hold, Amount("10.00"));
  EXPECT_EQ(available(), "50.00");
  CaptureOptions part;
  part.amount = Amount("20.00");
  part.final = false;
  part.reference = "capture of " + cash;
  part.description = "a part";
  part.metadata = R"({"part": 1})";
  const auto captured = client->capture(hold, part);
  EXPECT_EQ(sql("SELECT hold || ' ' || description || ' ' || (metadata->>'part')"
                " FROM ledger.transactions WHERE id = '" +
                captured.to_string() + "'"),
            hold.to_string() + " a part 1");
  EXPECT_EQ(balance(), "80.00");
  client->capture(hold);
  EXPECT_EQ(balance(), "50.00");
  EXPECT_THROW(client->capture(hold), RefusedFor<Condition::hold_not_pending>);
  EXPECT_THROW(client->release(hold), RefusedFor<Condition::hold_not_pending>);
  EXPECT_THROW(client->capture(TransactionId()), RefusedFor<Condition::hold_not_found>);

  const auto second = client->hold(fees, cash, Amount("40.00"));
  HoldChangeOptions reason;
  reason.reason = "not needed";
  client->release(second, reason);
  EXPECT_EQ(available(), "50.00");
  EXPECT_EQ(sql("SELECT reason FROM ledger.transaction_history WHERE transaction_id = '" +
                second.to_string() + "' AND to_status = 'released'"),
            "not needed");
}

TEST_F(CallsTest, HoldsLines) {
  HoldOptions options;
  options.expires_at = to_timestamp(std::chrono::system_clock::now() + std::chrono::hours(1));
  const auto third = open("expense");
  const std::vector<Line> lines{debit(fees, Amount("3")), debit(third, Amount("7")),
                                credit(cash, Amount("10.00"))};
  const auto hold = client->hold(lines, options);
  EXPECT_EQ(available(), "90.00");
  client->raise_hold(hold, {debit(fees, Amount("1")), credit(cash, Amount("1"))});
  EXPECT_EQ(available(), "89.00");
  CaptureOptions part;
  part.lines = {debit(third, Amount("7")), credit(cash, Amount("7"))};
  client->capture(hold, part);
  EXPECT_EQ(balance(), "93.00");
  EXPECT_EQ(available(), "93.00");
  EXPECT_THROW(client->hold(std::vector<Line>()), RefusedFor<Condition::too_few_lines>);
  EXPECT_THROW(client->raise_hold(hold, std::vector<Line>()), Error);
  options.expires_in = std::chrono::hours(1);
  EXPECT_THROW(client->hold(lines, options), Error);  // either of the two
  options.expires_at.reset();
  options.expires_in = std::chrono::microseconds(-1);
  EXPECT_THROW(client->hold(lines, options), RefusedFor<Condition::invalid_expiry>);
}

TEST_F(CallsTest, Reverses) {
  const auto id = client->post(fees, cash, Amount("30.00"));
  ReverseOptions part;
  part.amount = Amount("10.00");
  part.reason = "a part of it";
  part.metadata = "{}";
  const auto reversal = client->reverse(id, part);
  EXPECT_EQ(sql("SELECT reverses || ' ' || description FROM ledger.transactions WHERE id = '" +
                reversal.to_string() + "'"),
            id.to_string() + " a part of it");
  ReverseOptions lines;
  lines.lines = {debit(cash, Amount("5")), credit(fees, Amount("5"))};
  client->reverse(id, lines);
  client->reverse(id);
  EXPECT_EQ(balance(), "100.00");
  EXPECT_THROW(client->reverse(id), RefusedFor<Condition::already_reversed>);
  EXPECT_THROW(client->reverse(TransactionId()), RefusedFor<Condition::transaction_not_found>);

  // What limits forbid, force allows.
  const auto deposit = client->post(cash, sales, Amount("5.00"));
  client->post(fees, cash, Amount("104.00"));
  EXPECT_THROW(client->reverse(deposit), RefusedFor<Condition::insufficient_balance>);
  ReverseOptions force;
  force.force = true;
  client->reverse(deposit, force);
  EXPECT_EQ(balance(), "-4.00");
}

TEST_F(CallsTest, PostsBatches) {
  std::vector<BatchItem> items{BatchItem(cash, sales, Amount("1.00")),
                               BatchItem(fees, cash, Amount("1000.00")),
                               BatchItem(fees, cash, Amount("2.00"))};
  EXPECT_THROW(client->post_batch(items), RefusedFor<Condition::insufficient_balance>);
  EXPECT_EQ(balance(), "100.00");

  items[0].idempotency_key = "batch of " + cash;
  items[0].reference = "reference of " + cash;
  items[0].description = "O'Neil {\"}\\,NULL";
  items[2].metadata = R"({"a": "b"})";
  items[2].effective_at = Timestamp(std::chrono::microseconds(1'577'836'799'999'999));
  const auto results = client->post_batch(items, {BatchMode::each, {}});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].status, BatchResult::Status::posted);
  EXPECT_EQ(results[1].status, BatchResult::Status::refused);
  EXPECT_EQ(results[1].condition, Condition::insufficient_balance);
  EXPECT_EQ(results[1].status_text, "insufficient_balance");
  EXPECT_EQ(results[1].transaction, TransactionId());
  EXPECT_EQ(results[2].status, BatchResult::Status::posted);
  EXPECT_EQ(balance(), "99.00");
  EXPECT_EQ(sql("SELECT description FROM ledger.transactions WHERE reference = 'reference of " +
                cash + "'"),
            *items[0].description);
  EXPECT_EQ(sql("SELECT (effective_at AT TIME ZONE 'UTC')::text || (metadata->>'a') FROM"
                " ledger.transactions WHERE id = '" +
                results[2].transaction.to_string() + "'"),
            "2019-12-31 23:59:59.999999b");

  const auto again = client->post_batch({items[0]}, {BatchMode::each, "ledger"});
  EXPECT_EQ(again[0].status, BatchResult::Status::replayed);
  EXPECT_EQ(again[0].transaction, results[0].transaction);

  items[0] = BatchItem(cash, sales, Amount("1.00"));
  items[0].linked = true;
  const auto linked = client->post_batch({items[0], items[1]}, {BatchMode::each, {}});
  EXPECT_EQ(linked[0].condition, Condition::linked_failed);
  EXPECT_THROW(client->post_batch(std::vector<BatchItem>()),
               RefusedFor<Condition::invalid_argument>);
}

TEST_F(CallsTest, PostsBatchesById) {
  const auto one = client->open_account("by:id:" + cash, "asset", "USD");
  const auto two = client->open_account("by:id:" + sales, "income", "USD");
  const auto results = client->post_batch(
      {BatchItemById(one, two, Amount("1.00")), BatchItemById(one, two, Amount("2.00"))});
  EXPECT_EQ(results.size(), 2u);
  EXPECT_LT(results[0].transaction, results[1].transaction);
  EXPECT_EQ(client->balance("by:id:" + cash).to_string(), "3.00");
  EXPECT_THROW(client->post_batch({BatchItemById(one, -1, Amount("1.00"))}),
               RefusedFor<Condition::account_not_found>);
}

TEST_F(CallsTest, OpensAccounts) {
  AccountOptions options;
  options.name = "Wallet of Zoë";
  options.min_balance = Amount("-50");
  options.max_balance = Amount("1000.5");
  options.metadata = R"({"customer": 7})";
  const std::string code = "opened:" + cash;
  const auto id = client->open_account(code, "liability", "USD", options);
  EXPECT_EQ(client->open_account(code, "liability", "USD", options), id);
  EXPECT_THROW(client->open_account(code, "asset", "USD"), RefusedFor<Condition::account_exists>);
  client->post(cash, code, Amount("7.00"));
  const auto hold = client->hold(code, cash, Amount("2.00"));

  const Account account = client->account(code);
  EXPECT_EQ(account.code, code);
  EXPECT_EQ(account.type, "liability");
  EXPECT_EQ(account.currency, "USD");
  EXPECT_EQ(account.name, options.name);
  EXPECT_EQ(account.normal_side, "credit");
  EXPECT_EQ(account.balance.to_string(), "7.00");
  EXPECT_EQ(account.available.to_string(), "5.00");
  EXPECT_EQ(account.debits_posted.to_string(), "0.00");
  EXPECT_EQ(account.credits_posted.to_string(), "7.00");
  EXPECT_EQ(account.debits_pending.to_string(), "2.00");
  EXPECT_TRUE(account.credits_pending.is_zero());
  EXPECT_EQ(account.min_balance, Amount("-50"));
  EXPECT_EQ(account.max_balance, Amount("1000.50"));
  EXPECT_EQ(account.status, "open");
  EXPECT_EQ(account.version, 1);
  EXPECT_TRUE(account.last_transaction.has_value());
  EXPECT_EQ(account.metadata, R"({"customer": 7})");
  EXPECT_LT(std::chrono::abs(account.created_at - hold.posted_at()), std::chrono::minutes(10));
  EXPECT_THROW(client->account("no:such"), RefusedFor<Condition::account_not_found>);
  EXPECT_THROW(client->account(code, "no such ledger"), RefusedFor<Condition::ledger_not_found>);
}

TEST_F(CallsTest, ChangesAccounts) {
  ChangeOptions why;
  why.reason = "a reason";
  client->set_limits(cash, {Amount("10"), Amount("100.00")}, why);
  EXPECT_EQ(client->account(cash).max_balance, Amount("100"));
  EXPECT_THROW(client->post(cash, sales, Amount("1")), RefusedFor<Condition::limit_exceeded>);
  client->set_limits(cash, {});
  EXPECT_FALSE(client->account(cash).min_balance);
  EXPECT_EQ(sql("SELECT DISTINCT reason FROM ledger.account_history WHERE reason IS NOT NULL"
                " AND account_id = (SELECT id FROM ledger.accounts WHERE code = '" +
                cash + "')"),
            "a reason");

  client->freeze_account(cash, Direction::debit);
  EXPECT_THROW(client->post(cash, sales, Amount("1")), RefusedFor<Condition::account_frozen>);
  client->post(fees, cash, Amount("1"));
  client->freeze_account(cash, Direction::credit);
  EXPECT_EQ(client->account(cash).status, "frozen");
  client->unfreeze_account(cash);
  client->post(fees, cash, Amount("99"));

  client->close_account(cash, why);
  EXPECT_THROW(client->post(cash, sales, Amount("1")), RefusedFor<Condition::account_closed>);
  client->reopen_account(cash);
  EXPECT_THROW(client->reopen_account(cash), RefusedFor<Condition::account_not_closed>);
  EXPECT_THROW(client->close_account(sales), RefusedFor<Condition::account_not_empty>);
}

TEST_F(CallsTest, ListsAccountsByPages) {
  const std::string prefix = "list:" + cash + ":";
  for (int i = 10; i < 35; ++i) client->open_account(prefix + std::to_string(i), "asset", "JPY");
  for (const int page_size : {1, 7, 24, 25, 26, 1000}) {
    int number = 10;
    for (const Account& account : client->accounts(prefix, std::nullopt, page_size))
      EXPECT_EQ(account.code, prefix + std::to_string(number++));
    EXPECT_EQ(number, 35) << page_size;
  }
  auto none = client->accounts(prefix + "x");
  EXPECT_EQ(none.begin(), none.end());
  auto some = client->accounts(prefix, "ledger", 2);
  Client moved = std::move(*client);  // the range goes on
  EXPECT_EQ(std::distance(some.begin(), some.end()), 25);
  client.emplace(std::move(moved));
  EXPECT_THROW(client->accounts(prefix, std::nullopt, 0), RefusedFor<Condition::invalid_argument>);
  auto missing = client->accounts("", "no such ledger");
  EXPECT_THROW(missing.begin(), RefusedFor<Condition::ledger_not_found>);
}

TEST_F(CallsTest, RunsLedgers) {
  const std::string name = "Books \"2\"";
  EXPECT_EQ(client->create_ledger(name), name);
  EXPECT_THROW(client->create_ledger(name), RefusedFor<Condition::ledger_exists>);
  EXPECT_EQ(client->upgrade_ledger(name), 2);
  EXPECT_EQ(client->ledger_name(), "ledger");
  EXPECT_EQ(client->ledger_name(name), name);
  query(client->native_handle(), "CREATE ROLE \"" + cash + "\"");
  client->grant(cash, "poster", name);
  EXPECT_THROW(client->grant(cash, "king", name), RefusedFor<Condition::invalid_argument>);
  client->revoke(cash, name);
  query(client->native_handle(), "DROP ROLE \"" + cash + "\"");

  query(client->native_handle(),
        "UPDATE \"Books \"\"2\"\"\".settings SET idempotency_retention = '1 microsecond'");
  AccountOptions here;
  here.ledger = name;
  client->open_account("a", "asset", "USD", here);
  client->open_account("b", "asset", "USD", here);
  PostOptions keyed;
  keyed.ledger = name;
  keyed.idempotency_key = "k";
  client->post("a", "b", Amount("1"), keyed);
  HoldOptions hold;
  hold.ledger = name;
  hold.expires_in = std::chrono::microseconds(1);
  client->hold("a", "b", Amount("1"), hold);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Maintenance done = client->maintain(name);
  EXPECT_GE(done.keys_deleted, 1);
  EXPECT_EQ(done.holds_expired, 1);

  const auto lines = client->trial_balance(name);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].account, "a");
  EXPECT_EQ(lines[0].debit.to_string(), "1.00");
  EXPECT_TRUE(lines[0].credit.is_zero());
  EXPECT_EQ(lines[1].credit.to_string(), "1.00");
  EXPECT_FALSE(lines[1].name);
  EXPECT_TRUE(client->verify(name).empty());
  query(client->native_handle(), "ALTER TABLE \"Books \"\"2\"\"\".entries DISABLE TRIGGER USER");
  const auto findings = client->verify(name);
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].check_name, "guard_missing");
  EXPECT_THROW(client->verify("nowhere"), RefusedFor<Condition::ledger_not_found>);
}

TEST_F(CallsTest, ClosesPeriods) {
  const std::string name = "periods";
  client->create_ledger(name);
  ChangeOptions why;
  why.ledger = name;
  why.reason = "year end";
  const Timestamp end(std::chrono::microseconds(1'703'980'799'999'999));
  client->close_period(end, why);
  EXPECT_THROW(client->close_period(end, why), RefusedFor<Condition::invalid_period>);
  EXPECT_EQ(sql("SELECT closed_through AT TIME ZONE 'UTC' FROM periods.settings"),
            "2023-12-30 23:59:59.999999");
  client->reopen_period(end - std::chrono::hours(24), why);
  client->reopen_period(std::nullopt, why);
  EXPECT_EQ(sql("SELECT closed_through IS NULL FROM periods.settings"), "t");
}

TEST_F(CallsTest, ConvertsMinorUnits) {
  EXPECT_EQ(static_cast<long>(client->to_minor(Amount("125"), "USD")), 12500);
  EXPECT_THROW(client->to_minor(Amount("1.5"), "JPY"), RefusedFor<Condition::invalid_amount>);
  EXPECT_THROW(client->to_minor(Amount("1"), "no such"), RefusedFor<Condition::currency_not_found>);
  EXPECT_EQ(client->from_minor(12500, "USD").to_string(), "125.00");
  EXPECT_EQ(client->from_minor(7, "JPY").to_string(), "7");
  EXPECT_EQ(client->new_id().bytes()[6] >> 4, 7);
}

TEST_F(CallsTest, RunsOtherSql) {
  const Table table = client->query("SELECT $1::int + 1 AS a, $2 AS b, NULL AS c", {"41", "x'y"});
  ASSERT_EQ(table.columns.size(), 3u);
  EXPECT_EQ(table.columns[0].name, "a");
  EXPECT_EQ(table.columns[0].type, 23u);
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0][0], "42");
  EXPECT_EQ(table.rows[0][1], "x'y");
  EXPECT_FALSE(table.rows[0][2]);
  EXPECT_TRUE(client->query("SET work_mem = '4MB'").columns.empty());

  const Table balance = client->call("ledger_balance", {{"account", cash}, {"ledger", {}}});
  EXPECT_EQ(balance.rows.at(0).at(0), "100.00");
  EXPECT_GT(client->call("ledger_errors").rows.size(), 30u);
  EXPECT_THROW(client->call("no_such_function"), Error);
  EXPECT_THROW(client->query("SELECT 1; SELECT 2"), Error);
  EXPECT_THROW(client->query("SELECT $1", {std::string("a\0b", 3)}), Error);
  EXPECT_THROW(client->query("COPY (SELECT 1) TO STDOUT"), Error);
  EXPECT_THROW(client->query("COPY ledger.postings FROM STDIN"), Error);
  EXPECT_EQ(client->quoted_name("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(balance.rows.at(0).at(0), "100.00");
  EXPECT_EQ(this->balance(), "100.00");
}

TEST_F(CallsTest, PassesRowsOnAsTheyCome) {
  std::vector<std::string> names;
  long sum = 0;
  client->query(
      "SELECT n, 'x' AS t FROM generate_series(1, $1::int) n", {"50000"},
      [&](const std::vector<Table::Column>& columns) {
        for (const auto& column : columns) names.push_back(column.name);
      },
      [&](const Table::Row& row) { sum += std::stol(*row[0]); });
  EXPECT_EQ(names, (std::vector<std::string>{"n", "t"}));
  EXPECT_EQ(sum, 1'250'025'000);
  // Who has seen enough ends it.
  int seen = 0;
  EXPECT_THROW(client->query("SELECT generate_series(1, 1000000000)", {}, nullptr,
                             [&](const Table::Row&) {
                               if (++seen == 10) throw std::runtime_error("enough");
                             }),
               std::runtime_error);
  EXPECT_EQ(balance(), "100.00");
  int columns = 0;
  client->query(
      "SELECT 1 WHERE false", {}, [&](const auto&) { ++columns; }, nullptr);
  EXPECT_EQ(columns, 1);
  EXPECT_THROW(
      client->query("SELECT 1 / (5 - n) FROM generate_series(1, 9) n", {}, nullptr, nullptr),
      Error);
  EXPECT_EQ(balance(), "100.00");
}

TEST_F(CallsTest, CancelsACall) {
  const Canceller canceller = client->canceller();
  auto cancelling = std::async(std::launch::async, [&] {
    for (int i = 0; i < 500; ++i) {
      if (sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1")
        return canceller.cancel();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  });
  try {
    client->query("SELECT pg_sleep(60)");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.sqlstate(), "57014");
    EXPECT_TRUE(error.connection_usable());
  }
  EXPECT_TRUE(cancelling.get());
  EXPECT_EQ(balance(), "100.00");
}

TEST_F(CallsTest, WantsAnExtensionThatIsNotTooOld) {
  const std::string name = "client_test_old_" + std::to_string(getpid());
  sql("CREATE DATABASE " + name);
  const std::string database = testing::database_named(name);
  testing::sql_in(database, "CREATE EXTENSION ledgerflow");
  testing::sql_in(database,
                  "UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'ledgerflow'");
  try {
    const Client old(database);
    FAIL();
  } catch (const ExtensionOutdated& error) {
    EXPECT_NE(error.message().find("0.0.9"), std::string::npos);
    EXPECT_NE(error.hint().find("ALTER EXTENSION"), std::string::npos);
  }
  // One function less than this library knows.
  testing::sql_in(database,
                  "UPDATE pg_extension SET extversion = '0.2.0' WHERE extname = 'ledgerflow'");
  testing::sql_in(
      database,
      "ALTER EXTENSION ledgerflow DROP FUNCTION ledger_new_id(); DROP FUNCTION ledger_new_id()");
  {
    Client old(database);
    EXPECT_THROW(old.new_id(), ExtensionOutdated);
    // No ledger was made yet.
    EXPECT_THROW(old.balance("a"), RefusedFor<Condition::ledger_not_found>);
    EXPECT_THROW(old.post("a", "b", Amount("1")), RefusedFor<Condition::ledger_not_found>);
  }
  sql("DROP DATABASE " + name);
}

}  // namespace
}  // namespace ledgerflow::client
