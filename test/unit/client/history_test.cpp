// Statements and searches as ranges, and balances at a time.
#include <gtest/gtest.h>

#include <chrono>
#include <iterator>
#include <string>
#include <vector>

#include "ledgerflow/ledgerflow.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

class HistoryTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    client.emplace(testing::test_database());
    cash = open("asset");
    sales = open("income");
    for (int i = 1; i <= 25; ++i) {
      PostOptions options;
      options.reference = "history " + cash + " " + std::to_string(i);
      options.description = "posting " + std::to_string(i);
      options.metadata = R"({"n": )" + std::to_string(i) + "}";
      ids.push_back(client->post(cash, sales, Amount("1.00"), options));
    }
  }

  std::optional<Client> client;
  std::string cash, sales;
  std::vector<TransactionId> ids;
};

TEST_F(HistoryTest, ShowsStatementsByPages) {
  for (const int page_size : {1, 7, 24, 25, 26, 10'000}) {
    StatementOptions options;
    options.page_size = page_size;
    options.newest_first = false;
    std::size_t at = 0;
    for (const StatementLine& line : client->statement(cash, options)) {
      ASSERT_LT(at, ids.size());
      EXPECT_EQ(line.transaction, ids[at]);
      EXPECT_EQ(line.posted_at, ids[at].posted_at());
      EXPECT_EQ(line.line, 1);
      EXPECT_EQ(line.debit, Amount("1"));
      EXPECT_FALSE(line.credit);
      EXPECT_EQ(line.counter_accounts, std::vector<std::string>{sales});
      ++at;
      EXPECT_EQ(line.balance.to_string(), std::to_string(at) + ".00");
      EXPECT_EQ(line.description, "posting " + std::to_string(at));
      EXPECT_EQ(line.metadata, R"({"n": )" + std::to_string(at) + "}");
    }
    EXPECT_EQ(at, ids.size()) << page_size;
  }
}

TEST_F(HistoryTest, ContinuesBehindACursor) {
  auto lines = client->statement(cash);
  auto line = lines.begin();
  EXPECT_EQ(line->transaction, ids.back());
  std::advance(line, 4);
  StatementOptions options;
  options.after = line->cursor;
  EXPECT_EQ(client->statement(cash, options).begin()->transaction, ids[19]);
  options.newest_first = false;
  auto other_way = client->statement(cash, options);
  EXPECT_THROW(other_way.begin(), Refused);
  options = {};
  options.from = ids[10].posted_at();
  options.to = ids[20].posted_at();
  auto within = client->statement(cash, options);
  EXPECT_EQ(std::distance(within.begin(), within.end()), 10);
  options.page_size = 0;
  auto none = client->statement(cash, options);
  EXPECT_THROW(none.begin(), RefusedFor<Condition::invalid_argument>);
  auto missing = client->statement("no:such");
  EXPECT_THROW(missing.begin(), RefusedFor<Condition::account_not_found>);
}

TEST_F(HistoryTest, FindsTransactions) {
  client->reverse(ids[3]);
  TransactionFilter filter;
  filter.reference_prefix = "history " + cash + " ";
  filter.page_size = 4;
  auto all = client->find_transactions(filter);
  EXPECT_EQ(std::distance(all.begin(), all.end()), 25);

  filter.status = "reversed";
  auto reversed = client->find_transactions(filter);
  const FoundTransaction found = *reversed.begin();
  EXPECT_EQ(found.id, ids[3]);
  EXPECT_EQ(found.posted_at, ids[3].posted_at());
  EXPECT_EQ(found.amount, Amount("1.00"));
  EXPECT_EQ(found.currency, "USD");
  EXPECT_EQ(found.accounts, (std::vector<std::string>{cash, sales}));
  EXPECT_EQ(found.status, "reversed");
  EXPECT_EQ(found.reference, "history " + cash + " 4");
  EXPECT_FALSE(found.reverses);
  EXPECT_FALSE(found.hold);
  EXPECT_FALSE(found.created_by.empty());

  filter = {};
  filter.account = cash;
  filter.metadata = R"({"n": 7})";
  filter.min_amount = Amount("0.5");
  filter.max_amount = Amount("1");
  auto one = client->find_transactions(filter);
  EXPECT_EQ(one.begin()->id, ids[6]);
}

TEST_F(HistoryTest, KnowsBalancesAtATime) {
  EXPECT_EQ(client->balance_at(cash, ids[9].posted_at()).to_string(), "10.00");
  EXPECT_EQ(client->balance_at(sales, to_timestamp(std::chrono::system_clock::now())).to_string(),
            "25.00");
}

}  // namespace
}  // namespace ledgerflow::client
