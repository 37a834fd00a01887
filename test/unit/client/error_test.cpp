#include "ledgerflow/error.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <type_traits>

#include "core/errors.hpp"

namespace ledgerflow::client {
namespace {

TEST(Condition, HasTheLinesOfTheCoresTable) {
  std::set<Condition> seen;
  for (const auto& line : ledgerflow::condition_table) {
    const auto condition = condition_from_sqlstate(line.sqlstate);
    ASSERT_TRUE(condition) << line.sqlstate;
    EXPECT_TRUE(seen.insert(*condition).second) << line.sqlstate;
    const ConditionInfo& mine = info(*condition);
    EXPECT_EQ(mine.condition, *condition);
    EXPECT_STREQ(mine.name, line.name);
    EXPECT_STREQ(mine.sqlstate, line.sqlstate);
    EXPECT_STREQ(mine.meaning, line.meaning);
    EXPECT_STREQ(mine.remedy, line.remedy);
    EXPECT_EQ("LF" + std::string(3 - std::to_string(static_cast<int>(*condition)).size(), '0') +
                  std::to_string(static_cast<int>(*condition)),
              line.sqlstate);
  }
}

TEST(Condition, IsNotFoundForOtherSqlstates) {
  for (const char* other : {"", "LF", "LF000", "LF999", "lf001", "23505", "LF0011"})
    EXPECT_FALSE(condition_from_sqlstate(other)) << other;
}

TEST(Error, ShowsEverythingInWhat) {
  const Error error({"LF040", "the message", "the detail", "the hint"}, true);
  EXPECT_STREQ(error.what(),
               "LF040 insufficient_balance: the message\nDETAIL: the detail\nHINT: the hint");
  EXPECT_EQ(error.condition(), Condition::insufficient_balance);
  const Error bare({"22012", "division by zero", {}, {}}, false);
  EXPECT_STREQ(bare.what(), "22012: division by zero");
  EXPECT_FALSE(bare.condition());
  EXPECT_FALSE(bare.connection_usable());
}

TEST(Error, KeepsItsContentsInCopies) {
  Error copy({"XX000", "another", {}, {}}, false);
  {
    const Error error({"LF040", "the message", "the detail", "the hint"}, true);
    copy = error;
  }
  EXPECT_EQ(copy.sqlstate(), "LF040");
  EXPECT_EQ(copy.message(), "the message");
  EXPECT_EQ(copy.detail(), "the detail");
  EXPECT_EQ(copy.hint(), "the hint");
  EXPECT_TRUE(copy.connection_usable());
}

TEST(Error, IsCaughtByItsCondition) {
  const auto raise = [] {
    throw RefusedFor<Condition::account_frozen>({"LF043", "frozen", {}, {}}, true);
  };
  EXPECT_THROW(raise(), RefusedFor<Condition::account_frozen>);
  EXPECT_THROW(raise(), Refused);
  EXPECT_THROW(raise(), Error);
  EXPECT_THROW(raise(), std::exception);
  static_assert(!std::is_base_of_v<RefusedFor<Condition::account_closed>,
                                   RefusedFor<Condition::account_frozen>>);
  static_assert(std::is_nothrow_copy_constructible_v<RefusedFor<Condition::account_frozen>>);
  static_assert(std::is_nothrow_copy_constructible_v<ConnectionError>);
}

}  // namespace
}  // namespace ledgerflow::client
