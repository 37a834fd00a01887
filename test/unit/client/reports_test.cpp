// Reports, upkeep, seals, and journals out of one ledger and into another.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "ledgerflow/ledgerflow.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

constexpr std::chrono::hours day{24};

Timestamp time_of(int days_since_2024) {
  return Timestamp(std::chrono::seconds(1'704'067'200)) + days_since_2024 * day;
}

// A ledger of its own for each test, with three postings in January and one in February of 2024.
class ReportsTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    client.emplace(testing::test_database());
    static int number = 0;
    ledger = client->create_ledger("reports_" + std::to_string(++number));
    const auto open_in = [&](const char* code, const char* type, const char* branch) {
      AccountOptions options;
      options.ledger = ledger;
      options.metadata = std::string(R"({"branch": ")") + branch + "\"}";
      client->open_account(code, type, "USD", options);
    };
    open_in("assets:bank", "asset", "north");
    open_in("assets:cash", "asset", "south");
    open_in("income:sales", "income", "north");
    open_in("expenses:rent", "expense", "north");
    post("assets:bank", "income:sales", "100.00", 0);
    post("assets:cash", "income:sales", "40.00", 1);
    post("expenses:rent", "assets:bank", "30.00", 20);
    last = post("assets:bank", "income:sales", "7.00", 40);
  }

  void TearDown() override {
    if (!ledger.empty())
      testing::sql("SET client_min_messages = warning; DROP SCHEMA " + ledger + " CASCADE");
  }

  TransactionId post(const char* debit, const char* credit, const char* amount, int days) {
    PostOptions options;
    options.effective_at = time_of(days) + std::chrono::hours(12);
    options.ledger = ledger;
    return client->post(debit, credit, Amount(amount), options);
  }

  std::optional<Client> client;
  std::string ledger;
  TransactionId last;
};

TEST_F(ReportsTest, TrialBalanceAtATime) {
  ReportOptions options;
  options.ledger = ledger;
  options.at = time_of(31);
  std::map<std::string, TrialBalanceLine> lines;
  for (auto& line : client->trial_balance(options)) lines.emplace(line.account, line);
  EXPECT_EQ(lines.at("assets:bank").debit.to_string(), "70.00");
  EXPECT_EQ(lines.at("income:sales").credit.to_string(), "140.00");
  EXPECT_EQ(lines.at("assets:bank").credits_posted.to_string(), "30.00");
  options.by = By::posted;  // everything was posted after that time
  for (const auto& line : client->trial_balance(options)) EXPECT_EQ(line.debit, Amount("0.00"));
}

TEST_F(ReportsTest, BalancesInTreesAndGroups) {
  ReportOptions options;
  options.ledger = ledger;
  options.prefix = "assets";
  const auto tree = client->rollup(options);
  ASSERT_EQ(tree.size(), 3u);
  EXPECT_EQ(tree[0].account, "assets");
  EXPECT_EQ(tree[0].accounts, 2);
  EXPECT_FALSE(tree[0].own);
  EXPECT_EQ(tree[0].total.to_string(), "117.00");
  EXPECT_EQ(tree[0].normal_side, "debit");
  EXPECT_EQ(tree[1].account, "assets:bank");
  EXPECT_EQ(tree[1].own, Amount("77.00"));
  options.depth = 1;
  EXPECT_EQ(client->rollup(options).size(), 1u);

  options = {};
  options.ledger = ledger;
  options.at = time_of(10);
  std::map<std::string, GroupBalance> types;
  for (auto& group : client->balances_by_type(options)) types.emplace(group.group.value(), group);
  EXPECT_EQ(types.at("asset").balance.to_string(), "140.00");
  EXPECT_EQ(types.at("asset").accounts, 2);
  EXPECT_EQ(types.at("asset").currency, "USD");

  std::map<std::string, GroupBalance> branches;
  for (auto& group : client->balances_by_metadata("branch", options))
    branches.emplace(group.group.value(), group);
  EXPECT_EQ(branches.at("south").balance.to_string(), "40.00");
  EXPECT_FALSE(branches.at("north").normal_side);  // of accounts of both sides
  EXPECT_FALSE(client->balances_by_metadata("nothing", options).at(0).group);
}

TEST_F(ReportsTest, BalanceSheetAndIncomeStatement) {
  ReportOptions at;
  at.ledger = ledger;
  const auto sheet = client->balance_sheet(at);
  const auto total = std::find_if(sheet.begin(), sheet.end(), [](const FinancialLine& line) {
    return line.kind == "total" && line.side == "debit";
  });
  ASSERT_NE(total, sheet.end());
  EXPECT_EQ(total->amount.to_string(), "117.00");

  RangeOptions january;
  january.ledger = ledger;
  january.from = time_of(0);
  january.to = time_of(31);
  const auto statement = client->income_statement(january);
  ASSERT_FALSE(statement.empty());
  EXPECT_EQ(statement.back().kind, "net");
  EXPECT_EQ(statement.back().amount.to_string(), "110.00");
  EXPECT_FALSE(statement.back().side);
  january.depth = 0;
  EXPECT_THROW(client->income_statement(january), RefusedFor<Condition::invalid_argument>);
}

TEST_F(ReportsTest, MovementsComparisonAndChart) {
  RangeOptions options;
  options.ledger = ledger;
  options.from = time_of(10);
  options.to = time_of(60);
  options.prefix = "assets:bank";
  const auto movements = client->movements(options);
  ASSERT_EQ(movements.size(), 1u);
  EXPECT_EQ(movements[0].opening.to_string(), "100.00");
  EXPECT_EQ(movements[0].debits.to_string(), "7.00");
  EXPECT_EQ(movements[0].credits.to_string(), "30.00");
  EXPECT_EQ(movements[0].closing.to_string(), "77.00");

  CompareOptions sales;
  sales.ledger = ledger;
  sales.prefix = "income";
  const auto compared =
      client->compare({time_of(0), time_of(31)}, {time_of(31), time_of(60)}, sales);
  ASSERT_EQ(compared.size(), 1u);
  EXPECT_EQ(compared[0].first.to_string(), "140.00");
  EXPECT_EQ(compared[0].second.to_string(), "7.00");
  EXPECT_EQ(compared[0].difference.to_string(), "-133.00");
  EXPECT_EQ(compared[0].percent, Amount("-95"));

  ChartOptions chart;
  chart.ledger = ledger;
  chart.from = time_of(0);
  chart.to = time_of(3);
  const auto points = client->chart("assets:cash", chart);
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[1].at, time_of(1));
  EXPECT_EQ(points[1].balance, Amount("0.00"));
  EXPECT_EQ(points[2].debits.to_string(), "40.00");
  EXPECT_EQ(points[3].balance.to_string(), "40.00");
  chart.step = "no interval";
  EXPECT_THROW(client->chart("assets:cash", chart), Error);
}

TEST_F(ReportsTest, BalanceByBothTimes) {
  EXPECT_EQ(client->balance_at("assets:bank", time_of(10), ledger, By::effective).to_string(),
            "100.00");
  EXPECT_EQ(client->balance_at("assets:bank", time_of(10), ledger).to_string(), "0.00");
}

TEST_F(ReportsTest, Upkeep) {
  EXPECT_TRUE(client->verify_incremental(false, ledger).empty());
  EXPECT_TRUE(client->rebuild_effective(ledger).empty());
  EXPECT_TRUE(client->rebuild_balances(std::nullopt, false, ledger).empty());
  const Health health = client->health(ledger);
  EXPECT_EQ(health.ledger, ledger);
  EXPECT_EQ(health.store, "heap");
  EXPECT_EQ(health.last_posted_at, last.posted_at());
  EXPECT_EQ(health.last_verification_mode, "full");
  EXPECT_EQ(health.last_verification_findings, 0);
  EXPECT_EQ(health.guards_disabled, 0);
  EXPECT_FALSE(health.closed_through);

  client->query("SET session_replication_role = replica");
  client->query("UPDATE " + ledger +
                ".account_balances SET debits_posted = 1 WHERE account_id = 1");
  client->query("RESET session_replication_role");
  EXPECT_FALSE(client->verify_incremental(true, ledger).empty());
  const auto changes = client->rebuild_balances("assets:bank", false, ledger);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes[0].account, "assets:bank");
  EXPECT_TRUE(client->verify(ledger).empty());

  const auto errors = client->errors();
  EXPECT_TRUE(std::any_of(errors.begin(), errors.end(), [](const ErrorDescription& error) {
    return error.sqlstate == "LF040" && error.condition_name == "insufficient_balance";
  }));
}

TEST_F(ReportsTest, SealsAndProofs) {
  const Seal first = client->seal(ledger);
  EXPECT_EQ(first.number, 1);
  EXPECT_EQ(first.transactions, 4);
  EXPECT_EQ(first.entries, 8);
  EXPECT_TRUE(first.is_new);
  EXPECT_FALSE(client->seal(ledger).is_new);
  SealCheckOptions check;
  check.ledger = ledger;
  check.known_root = first.root;
  EXPECT_TRUE(client->verify_seal(check).empty());
  check.known_root = std::string(64, '0');
  EXPECT_FALSE(client->verify_seal(check).empty());

  const std::string proof = client->prove(last, std::nullopt, ledger);
  EXPECT_TRUE(check_proof(proof, first.root));
  EXPECT_FALSE(check_proof(proof, std::string(64, '0')));
}

TEST_F(ReportsTest, JournalsGoFromOneLedgerToAnother) {
  ExportOptions all;
  all.ledger = ledger;
  std::string journal;
  client->export_journal(all, [&](const std::string& line) { journal += line + "\n"; });
  EXPECT_NE(journal.find("assets:bank"), std::string::npos);

  ExportOptions part = all;
  part.from = time_of(30);
  std::string february;
  client->export_journal(part, [&](const std::string& line) { february += line + "\n"; });
  EXPECT_NE(february.find("7.00"), std::string::npos);
  EXPECT_EQ(february.find("40.00"), std::string::npos);

  const std::string copy = client->create_ledger(ledger + "_copy");
  ImportOptions into;
  into.ledger = copy;
  into.key_prefix = "from ";
  const Imported imported = client->import_journal(journal, into);
  EXPECT_EQ(imported.transactions, 4);
  EXPECT_EQ(imported.entries, 8);
  EXPECT_EQ(client->import_journal(journal, into).replayed, 4);
  EXPECT_EQ(client->balance("assets:bank", copy), client->balance("assets:bank", ledger));
  EXPECT_THROW(client->import_journal("2024-01-01 one-sided\n  a  1 USD", into), Refused);
  testing::sql("SET client_min_messages = warning; DROP SCHEMA " + copy + " CASCADE");
}

}  // namespace
}  // namespace ledgerflow::client
