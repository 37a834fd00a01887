// The rules one by one, without a store.
#include "core/rules.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "refused.hpp"

namespace ledgerflow {
namespace {

using testing::name_of;
using testing::refused;

constexpr const char* accepted = "accepted";

Account make_account(std::int64_t id, Side side, const char* currency = "USD", int scale = 2) {
  Account account;
  account.id = id;
  account.scale = scale;
  account.normal_side = side;
  account.code = "account:" + std::to_string(id);
  account.type = side == Side::debit ? "asset" : "liability";
  account.currency = currency;
  return account;
}

// --- codes and texts ------------------------------------------------------------------------------

TEST(AccountCode, SegmentsJoinedByColons) {
  for (const char* code : {"a", "0", "assets", "assets:bank:checking", "A-Z_a.z@0+9/x", "a:b", "-",
                           "user:42@example.com", "1:2:3:4:5:6:7:8:9:0"})
    EXPECT_TRUE(is_account_code(code)) << code;
  for (const char* code :
       {"",     ":",           "a:",       ":a",    "a::b",  "a b", " a",  "a ",
        "a\tb", "a\nb",        "a'b",      "a\"b",  "a;b",   "a,b", "a*b", "a\\b",
        "a%b",  "caf\xC3\xA9", "\xD0\xB0", "a\x7F", "a\xFF", "(a)", "a=b", "a#b"})
    EXPECT_FALSE(is_account_code(code)) << code;
  EXPECT_FALSE(is_account_code(std::string_view("a\0b", 3)));
}

TEST(AccountCode, OneToTwoHundredFiftyFiveBytes) {
  EXPECT_TRUE(is_account_code(std::string(255, 'a')));
  EXPECT_FALSE(is_account_code(std::string(256, 'a')));
  EXPECT_FALSE(is_account_code(std::string(10000, 'a')));
}

TEST(Status, NamesAreReadBack) {
  for (const Status status : {Status::open, Status::debits_frozen, Status::credits_frozen,
                              Status::frozen, Status::closed})
    EXPECT_EQ(status_from_string(to_string(status)), status);
  EXPECT_FALSE(status_from_string(""));
  EXPECT_FALSE(status_from_string("OPEN"));
}

TEST(Quoted, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(ledgerflow::quoted(""), "\"\"");
  EXPECT_EQ(ledgerflow::quoted("abc"), "\"abc\"");
  EXPECT_EQ(ledgerflow::quoted(std::string(100, 'x')), "\"" + std::string(100, 'x') + "\"");
  EXPECT_EQ(ledgerflow::quoted(std::string(101, 'x')), "\"" + std::string(100, 'x') + "...\"");
  const std::string euro = "\xE2\x82\xAC";
  EXPECT_EQ(ledgerflow::quoted(std::string(99, 'x') + euro), "\"" + std::string(99, 'x') + "...\"");
  EXPECT_EQ(ledgerflow::quoted(std::string(97, 'x') + euro),
            "\"" + std::string(97, 'x') + euro + "\"");
  // Not UTF-8 at all: cut somewhere, without running off the front.
  EXPECT_EQ(ledgerflow::quoted(std::string(200, '\x80')), "\"...\"");
}

TEST(FormatTime, KnowsTheCalendar) {
  constexpr std::int64_t second = 1000000;
  EXPECT_EQ(format_time(0), "1970-01-01 00:00:00.000000+00");
  EXPECT_EQ(format_time(-1), "1969-12-31 23:59:59.999999+00");
  EXPECT_EQ(format_time(951782400 * second), "2000-02-29 00:00:00.000000+00");
  EXPECT_EQ(format_time(4107542400 * second - 1), "2100-02-28 23:59:59.999999+00");
  EXPECT_EQ(format_time(4107542400 * second), "2100-03-01 00:00:00.000000+00");
  EXPECT_EQ(format_time(1795262400 * second + 123456), "2026-11-21 12:00:00.123456+00");
  EXPECT_EQ(format_time(-62135596800 * second), "0001-01-01 00:00:00.000000+00");
}

TEST(Money, HasDecimalsAndCurrency) {
  EXPECT_EQ(money(12500, make_account(1, Side::debit)), "125.00 USD");
  EXPECT_EQ(money(-7, make_account(1, Side::debit, "JPY", 0)), "-7 JPY");
}

std::string texts(const char* field, std::size_t size) {
  const std::string text(size, 'x');
  Posting posting;
  const std::string which = field;
  (which == "key"           ? posting.idempotency_key
   : which == "reference"   ? posting.reference
   : which == "description" ? posting.description
                            : posting.metadata) = text;
  return refused([&] { check_texts(posting); });
}

TEST(Texts, LengthsAreInBytes) {
  EXPECT_EQ(refused([] { check_texts(Posting{}); }), accepted);
  EXPECT_EQ(texts("key", 0), "invalid_idempotency_key");
  EXPECT_EQ(texts("key", 1), accepted);
  EXPECT_EQ(texts("key", 255), accepted);
  EXPECT_EQ(texts("key", 256), "invalid_idempotency_key");
  EXPECT_EQ(texts("reference", 0), "invalid_reference");
  EXPECT_EQ(texts("reference", 1), accepted);
  EXPECT_EQ(texts("reference", 255), accepted);
  EXPECT_EQ(texts("reference", 256), "invalid_reference");
  EXPECT_EQ(texts("description", 0), accepted);
  EXPECT_EQ(texts("description", 10000), accepted);
  EXPECT_EQ(texts("description", 10001), "invalid_description");
  EXPECT_EQ(texts("metadata", 64 * 1024), accepted);
  EXPECT_EQ(texts("metadata", 64 * 1024 + 1), "invalid_metadata");
}

TEST(Amounts, RefusalsNameTheAmount) {
  const auto message = [](AmountStatus status) {
    const auto refusal = testing::refusal_of([&] { refuse_amount(status, "12.345", "USD", 2); });
    EXPECT_EQ(name_of(refusal), "invalid_amount");
    return refusal ? refusal->message : "";
  };
  for (const AmountStatus status : {AmountStatus::malformed, AmountStatus::not_finite,
                                    AmountStatus::too_many_decimals, AmountStatus::too_large})
    EXPECT_NE(message(status).find("12.345"), std::string::npos);
  const Account account = make_account(1, Side::debit);
  EXPECT_EQ(refused([&] { check_postable(0, account); }), "invalid_amount");
  EXPECT_EQ(refused([&] { check_postable(1, account); }), accepted);
  EXPECT_EQ(refused([&] { check_postable(-1, account); }), accepted);
  EXPECT_EQ(refused([&] { check_postable(power_of_ten(32) - 1, account); }), accepted);
  EXPECT_EQ(refused([&] { check_postable(power_of_ten(32), account); }), "invalid_amount");
  EXPECT_EQ(refused([&] { check_postable(-power_of_ten(32), account); }), "invalid_amount");
}

// --- lines ----------------------------------------------------------------------------------------

class LinesTest : public ::testing::Test {
 protected:
  const Account cash = make_account(1, Side::debit);
  const Account sales = make_account(2, Side::credit);
  const Account fees = make_account(3, Side::credit);
  const Account euros = make_account(4, Side::debit, "EUR");
  const Account more_euros = make_account(5, Side::credit, "EUR");
  const Account yen = make_account(6, Side::debit, "JPY", 0);

  static std::string check(const std::vector<Line>& lines) {
    return name_of(check_lines(lines.data(), lines.size()));
  }
};

TEST_F(LinesTest, TwoToTenThousand) {
  EXPECT_EQ(check({}), "too_few_lines");
  EXPECT_EQ(check({{&cash, 100}}), "too_few_lines");
  EXPECT_EQ(check({{&cash, 100}, {&sales, -100}}), accepted);
  std::vector<Line> lines(max_lines, Line{&cash, 1});
  lines.back() = {&sales, -static_cast<Units>(max_lines - 1)};
  EXPECT_EQ(check(lines), accepted);
  lines.back().amount -= 1;
  lines.push_back({&cash, 1});
  EXPECT_EQ(check(lines), "too_many_lines");
}

TEST_F(LinesTest, NeedTwoAccounts) {
  EXPECT_EQ(check({{&cash, 100}, {&cash, -100}}), "same_account");
  EXPECT_EQ(check({{&cash, 100}, {&cash, -50}, {&cash, -50}}), "same_account");
  // Also when it does not balance: the accounts come first.
  EXPECT_EQ(check({{&cash, 100}, {&cash, -1}}), "same_account");
  EXPECT_EQ(check({{&cash, 100}, {&cash, -50}, {&sales, -50}}), accepted);
  // Another object for the same account is no other account.
  const Account copy = cash;
  EXPECT_EQ(check({{&cash, 100}, {&copy, -100}}), "same_account");
}

TEST_F(LinesTest, BalanceInEveryCurrency) {
  EXPECT_EQ(check({{&cash, 100}, {&sales, -99}}), "unbalanced_transaction");
  EXPECT_EQ(check({{&cash, 100}, {&sales, 100}}), "unbalanced_transaction");
  EXPECT_EQ(check({{&cash, 100}, {&sales, -99}, {&fees, -1}}), accepted);
  EXPECT_EQ(check({{&cash, 100}, {&sales, -99}, {&fees, -2}}), "unbalanced_transaction");
  EXPECT_EQ(check({{&cash, 100}, {&sales, -100}, {&euros, 90}, {&more_euros, -90}}), accepted);
  EXPECT_EQ(check({{&cash, 100}, {&sales, -100}, {&euros, 90}, {&more_euros, -89}}),
            "unbalanced_transaction");
  // Both short on the same side: nothing is set against anything.
  EXPECT_EQ(check({{&cash, 100}, {&sales, -99}, {&euros, 90}, {&more_euros, -89}}),
            "unbalanced_transaction");
}

TEST_F(LinesTest, CurrenciesAreNotSetAgainstEachOther) {
  EXPECT_EQ(check({{&cash, 100}, {&more_euros, -100}}), "currency_mismatch");
  EXPECT_EQ(check({{&cash, 100}, {&more_euros, -90}}), "currency_mismatch");
  EXPECT_EQ(check({{&cash, 100}, {&yen, -50}, {&more_euros, -50}}), "currency_mismatch");
}

TEST_F(LinesTest, RefusalTellsTheDifference) {
  const Line lines[] = {{&cash, 12550}, {&sales, -12500}};
  const auto refusal = check_lines(lines, 2);
  ASSERT_TRUE(refusal);
  EXPECT_NE(refusal->message.find("USD"), std::string::npos);
  EXPECT_NE(refusal->detail.find("0.50"), std::string::npos);
}

TEST_F(LinesTest, SumsStayWithinThirtyEightDigits) {
  EXPECT_EQ(check({{&cash, max_units}, {&sales, -max_units}}), accepted);
  EXPECT_EQ(check({{&cash, max_units}, {&cash, 1}, {&sales, -max_units}, {&sales, -1}}),
            "balance_out_of_range");
  EXPECT_EQ(check({{&cash, max_units}, {&sales, -max_units}, {&cash, 1}, {&sales, -1}}), accepted);
  EXPECT_EQ(check({{&cash, -max_units}, {&cash, -max_units}, {&sales, max_units}}),
            "balance_out_of_range");
}

// --- status ---------------------------------------------------------------------------------------

TEST(CheckStatus, BlocksItsDirections) {
  const Account account = make_account(1, Side::credit);
  const struct {
    Status status;
    const char* debit;
    const char* credit;
  } table[] = {
      {Status::open, accepted, accepted},
      {Status::debits_frozen, "account_frozen", accepted},
      {Status::credits_frozen, accepted, "account_frozen"},
      {Status::frozen, "account_frozen", "account_frozen"},
      {Status::closed, "account_closed", "account_closed"},
  };
  for (const auto& row : table) {
    Balance balance;
    balance.account = &account;
    balance.status = row.status;
    EXPECT_EQ(name_of(check_status(balance, true)), row.debit) << to_string(row.status);
    EXPECT_EQ(name_of(check_status(balance, false)), row.credit) << to_string(row.status);
  }
}

// --- totals ---------------------------------------------------------------------------------------

TEST(ApplyAmount, KeepsTotalsApart) {
  const Account account = make_account(1, Side::credit);
  Balance balance;
  balance.account = &account;
  EXPECT_TRUE(apply_amount(balance, 100));
  EXPECT_TRUE(apply_amount(balance, -30));
  EXPECT_TRUE(apply_amount(balance, 7));
  EXPECT_TRUE(balance.debits_posted == 107);
  EXPECT_TRUE(balance.credits_posted == 30);
  EXPECT_EQ(balance.version, 3);
  EXPECT_TRUE(balance.changed);
  EXPECT_TRUE(net_debit(balance) == 77);
  EXPECT_TRUE(posted_balance(balance) == -77);
}

TEST(ApplyAmount, RefusesMoreThanThirtyEightDigitsAndChangesNothing) {
  const Account account = make_account(1, Side::debit);
  for (const Units sign : {1, -1}) {
    Balance balance;
    balance.account = &account;
    EXPECT_TRUE(apply_amount(balance, sign * (max_units - 10)));
    balance.changed = false;
    EXPECT_FALSE(apply_amount(balance, sign * 11));
    EXPECT_FALSE(balance.changed);
    EXPECT_EQ(balance.version, 1);
    EXPECT_TRUE(sign * net_debit(balance) == max_units - 10);
    // What is pending takes room as well.
    (sign > 0 ? balance.debits_pending : balance.credits_pending) = 4;
    EXPECT_FALSE(apply_amount(balance, sign * 7));
    EXPECT_TRUE(apply_amount(balance, sign * 6));
    // The other side has room of its own.
    EXPECT_TRUE(apply_amount(balance, -sign * max_units));
    EXPECT_FALSE(apply_amount(balance, -sign));
  }
}

// --- limits ---------------------------------------------------------------------------------------

// Every case is in the normal sign, and holds on accounts of both sides.
class LimitsTest : public ::testing::TestWithParam<Side> {
 protected:
  const Account account = make_account(1, GetParam());

  // An account with this balance.
  Balance at(Units balance, std::optional<Units> floor, std::optional<Units> ceiling) const {
    Balance row;
    row.account = &account;
    row.min_balance = floor;
    row.max_balance = ceiling;
    const Units net = GetParam() == Side::debit ? balance : -balance;
    (net > 0 ? row.debits_posted : row.credits_posted) = net > 0 ? net : -net;
    return row;
  }
  Units& outgoing(Balance& row) const {
    return GetParam() == Side::debit ? row.credits_pending : row.debits_pending;
  }
  Units& incoming(Balance& row) const {
    return GetParam() == Side::debit ? row.debits_pending : row.credits_pending;
  }
  // Moves the balance up (positive) or down.
  std::string move(const Balance& before, Units change) const {
    Balance after = before;
    EXPECT_TRUE(apply_amount(after, GetParam() == Side::debit ? change : -change));
    return name_of(check_limits(before, after));
  }
};

TEST_P(LimitsTest, NoLimitsAllowEverything) {
  EXPECT_EQ(move(at(0, {}, {}), -max_units), accepted);
  EXPECT_EQ(move(at(0, {}, {}), max_units), accepted);
}

TEST_P(LimitsTest, FloorHoldsByOneMinorUnit) {
  const Balance row = at(1000, 0, {});
  EXPECT_EQ(move(row, -1000), accepted);
  EXPECT_EQ(move(row, -1001), "insufficient_balance");
  EXPECT_EQ(move(row, 1), accepted);
  const Balance credit = at(-500, -700, {});
  EXPECT_EQ(move(credit, -200), accepted);
  EXPECT_EQ(move(credit, -201), "insufficient_balance");
  const Balance positive = at(500, 300, {});
  EXPECT_EQ(move(positive, -200), accepted);
  EXPECT_EQ(move(positive, -201), "insufficient_balance");
}

TEST_P(LimitsTest, CeilingHoldsByOneMinorUnit) {
  const Balance row = at(1000, {}, 1500);
  EXPECT_EQ(move(row, 500), accepted);
  EXPECT_EQ(move(row, 501), "limit_exceeded");
  EXPECT_EQ(move(row, -1), accepted);
  const Balance negative = at(-1000, {}, -100);
  EXPECT_EQ(move(negative, 900), accepted);
  EXPECT_EQ(move(negative, 901), "limit_exceeded");
}

TEST_P(LimitsTest, WhatIsReservedCountsAsGone) {
  Balance row = at(1000, 0, {});
  outgoing(row) = 400;
  EXPECT_EQ(move(row, -600), accepted);
  EXPECT_EQ(move(row, -601), "insufficient_balance");
  // What is coming does not help.
  incoming(row) = 5000;
  EXPECT_EQ(move(row, -600), accepted);
  EXPECT_EQ(move(row, -601), "insufficient_balance");
}

TEST_P(LimitsTest, WhatIsToComeTakesRoomUnderACeiling) {
  Balance row = at(1000, {}, 1500);
  incoming(row) = 300;
  EXPECT_EQ(move(row, 200), accepted);
  EXPECT_EQ(move(row, 201), "limit_exceeded");
  outgoing(row) = 900;
  EXPECT_EQ(move(row, 201), "limit_exceeded");
}

TEST_P(LimitsTest, TowardsABrokenLimitIsAllowed) {
  const Balance below = at(-100, 0, {});
  EXPECT_EQ(move(below, 1), accepted);
  EXPECT_EQ(move(below, 100), accepted);
  EXPECT_EQ(move(below, -1), "insufficient_balance");
  const Balance above = at(100, {}, 50);
  EXPECT_EQ(move(above, -1), accepted);
  EXPECT_EQ(move(above, 1), "limit_exceeded");
}

TEST_P(LimitsTest, FromOneLimitBeyondTheOther) {
  EXPECT_EQ(move(at(0, 0, 100), 101), "limit_exceeded");
  EXPECT_EQ(move(at(100, 0, 100), -101), "insufficient_balance");
  EXPECT_EQ(move(at(100, 100, 100), 1), "limit_exceeded");
  EXPECT_EQ(move(at(100, 100, 100), -1), "insufficient_balance");
}

TEST_P(LimitsTest, HugeBalancesDoNotOverflow) {
  const Units limit = power_of_ten(37) - 1;
  EXPECT_EQ(move(at(max_units, -limit, {}), -max_units), accepted);
  EXPECT_EQ(move(at(0, -limit, {}), -max_units), "insufficient_balance");
  EXPECT_EQ(move(at(0, {}, limit), max_units), "limit_exceeded");
}

TEST_P(LimitsTest, RefusalTellsWhatWouldHavePassed) {
  Balance before = at(12000, 500, {});
  outgoing(before) = 1500;
  Balance after = before;
  ASSERT_TRUE(apply_amount(after, GetParam() == Side::debit ? -12500 : 12500));
  const auto refusal = check_limits(before, after);
  ASSERT_TRUE(refusal);
  EXPECT_NE(refusal->message.find(account.code), std::string::npos);
  for (const char* figure : {"120.00 USD", "15.00 USD", "5.00 USD", "125.00 USD", "100.00 USD"})
    EXPECT_NE(refusal->detail.find(figure), std::string::npos) << figure << refusal->detail;
}

TEST_P(LimitsTest, NewLimitsMustHoldAlready) {
  const auto set = [](const Balance& row) { return name_of(check_new_limits(row)); };
  EXPECT_EQ(set(at(100, {}, {})), accepted);
  EXPECT_EQ(set(at(100, 100, 100)), accepted);
  EXPECT_EQ(set(at(100, 101, {})), "insufficient_balance");
  EXPECT_EQ(set(at(100, {}, 99)), "limit_exceeded");
  EXPECT_EQ(set(at(100, 101, 100)), "invalid_limits");
  EXPECT_EQ(set(at(-100, -100, {})), accepted);
  EXPECT_EQ(set(at(-100, -99, {})), "insufficient_balance");
  Balance reserved = at(100, 50, {});
  outgoing(reserved) = 50;
  EXPECT_EQ(set(reserved), accepted);
  outgoing(reserved) = 51;
  EXPECT_EQ(set(reserved), "insufficient_balance");
  Balance coming = at(100, {}, 150);
  incoming(coming) = 50;
  EXPECT_EQ(set(coming), accepted);
  incoming(coming) = 51;
  EXPECT_EQ(set(coming), "limit_exceeded");
}

INSTANTIATE_TEST_SUITE_P(BothSides, LimitsTest, ::testing::Values(Side::debit, Side::credit),
                         [](const auto& side) {
                           return side.param == Side::debit ? "DebitNormal" : "CreditNormal";
                         });

}  // namespace
}  // namespace ledgerflow
