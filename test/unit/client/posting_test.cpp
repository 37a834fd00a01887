#include "ledgerflow/posting.hpp"

#include <gtest/gtest.h>

#include <string>

#include "ledgerflow/error.hpp"

namespace ledgerflow::client {
namespace {

TEST(Line, DebitsArePositiveAndCreditsNegative) {
  const Line debited = debit("assets:cash", Amount("12.50"));
  EXPECT_EQ(debited.account, "assets:cash");
  EXPECT_EQ(debited.amount.to_string(), "12.50");
  const Line credited = credit("income:sales", Amount("12.50"));
  EXPECT_EQ(credited.account, "income:sales");
  EXPECT_EQ(credited.amount.to_string(), "-12.50");
}

TEST(Line, RefusesAmountsThatAreNotPositive) {
  for (const char* amount : {"0", "0.00", "-1"}) {
    EXPECT_THROW(debit("assets:cash", Amount(amount)), RefusedFor<Condition::invalid_amount>);
    EXPECT_THROW(credit("assets:cash", Amount(amount)), RefusedFor<Condition::invalid_amount>);
  }
  try {
    debit("assets:cash", Amount("-1"));
    FAIL();
  } catch (const Refused& error) {
    EXPECT_NE(error.message().find("\"assets:cash\""), std::string::npos);
    EXPECT_NE(error.message().find("-1"), std::string::npos);
  }
}

}  // namespace
}  // namespace ledgerflow::client
