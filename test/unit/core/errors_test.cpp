// The table of conditions: what is released is a contract.
#include "core/errors.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

namespace ledgerflow {
namespace {

TEST(Errors, NamesAndSqlstatesAreUnique) {
  std::set<std::string> names;
  std::set<std::string> sqlstates;
  for (const ConditionInfo& condition : condition_table) {
    EXPECT_TRUE(names.insert(condition.name).second) << condition.name;
    EXPECT_TRUE(sqlstates.insert(condition.sqlstate).second) << condition.sqlstate;
  }
  EXPECT_EQ(names.size(), condition_count);
}

TEST(Errors, SqlstatesAreOfClassLF) {
  for (const ConditionInfo& condition : condition_table) {
    const std::string sqlstate = condition.sqlstate;
    ASSERT_EQ(sqlstate.size(), 5U) << condition.name;
    EXPECT_EQ(sqlstate.substr(0, 2), "LF") << condition.name;
    for (const char c : sqlstate.substr(2))
      EXPECT_TRUE(std::isdigit(static_cast<unsigned char>(c))) << condition.name;
    EXPECT_NE(sqlstate, "LF000") << "000 means the whole class";
  }
}

TEST(Errors, NamesAreIdentifiers) {
  for (const ConditionInfo& condition : condition_table) {
    const std::string name = condition.name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
  }
}

TEST(Errors, TextsAreSentences) {
  for (const ConditionInfo& condition : condition_table)
    for (const std::string text : {condition.meaning, condition.remedy}) {
      ASSERT_FALSE(text.empty()) << condition.name;
      EXPECT_TRUE(std::isupper(static_cast<unsigned char>(text.front()))) << text;
      EXPECT_EQ(text.back(), '.') << text;
    }
}

TEST(Errors, AreFoundBySqlstate) {
  for (std::size_t i = 0; i < condition_count; ++i) {
    const auto found = condition_from_sqlstate(condition_table[i].sqlstate);
    ASSERT_TRUE(found);
    EXPECT_EQ(static_cast<std::size_t>(*found), i);
    EXPECT_STREQ(info(*found).name, condition_table[i].name);
  }
  EXPECT_FALSE(condition_from_sqlstate("LF000"));
  EXPECT_FALSE(condition_from_sqlstate("23505"));
  EXPECT_FALSE(condition_from_sqlstate(""));
}

TEST(Errors, ThoseOfTheDesignAreThere) {
  std::set<std::string> names;
  for (const ConditionInfo& condition : condition_table) names.insert(condition.name);
  for (const char* name : {"invalid_amount",         "same_account",         "account_not_found",
                           "account_frozen",         "account_closed",       "currency_mismatch",
                           "unbalanced_transaction", "insufficient_balance", "limit_exceeded",
                           "idempotency_conflict",   "version_conflict",     "hold_not_found",
                           "hold_not_pending",       "hold_expired",         "hold_amount_exceeded",
                           "already_reversed",       "immutable_ledger",     "period_closed",
                           "ledger_not_found",       "too_many_lines"})
    EXPECT_EQ(names.count(name), 1U) << name;
}

TEST(Errors, AnExceptionCarriesTheRefusal) {
  const Error error(Condition::account_closed, "account \"a\" is closed", "detail", "hint");
  EXPECT_STREQ(error.what(), "account \"a\" is closed");
  EXPECT_EQ(error.refusal().condition, Condition::account_closed);
  EXPECT_EQ(error.refusal().detail, "detail");
  EXPECT_EQ(error.refusal().hint, "hint");
}

}  // namespace
}  // namespace ledgerflow
