#include "ledgerflow/amount.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <type_traits>

#include "ledgerflow/error.hpp"

namespace ledgerflow::client {
namespace {

using InvalidAmount = RefusedFor<Condition::invalid_amount>;
using OutOfRange = RefusedFor<Condition::balance_out_of_range>;

const std::string nines38(38, '9');

TEST(Amount, ComesFromPlainDecimalText) {
  EXPECT_EQ(Amount("125.00").to_string(), "125.00");
  EXPECT_EQ(Amount("125.00").scale(), 2);
  EXPECT_TRUE(Amount("125.00").minor_units() == 12500);
  EXPECT_EQ(Amount("125").to_string(), "125");
  EXPECT_EQ(Amount("+7.5").to_string(), "7.5");
  EXPECT_EQ(Amount("-0.05").to_string(), "-0.05");
  EXPECT_EQ(Amount("-0.00").to_string(), "0.00");
  EXPECT_EQ(Amount("007").to_string(), "7");
  EXPECT_EQ(Amount().to_string(), "0");
  EXPECT_EQ(Amount(nines38).to_string(), nines38);
  EXPECT_EQ(Amount("-" + nines38).to_string(), "-" + nines38);
  EXPECT_EQ(Amount("0.000000000000000000000001").to_string(), "0.000000000000000000000001");
  EXPECT_EQ(Amount("1." + std::string(1000, '0')).scale(), max_scale);
}

TEST(Amount, RefusesOtherText) {
  for (const std::string text :
       {"1e3",  "1E3",  "1,000.00", "",      " ",   " 5 ", "5 ",    " 5",  "0x10", ".5",
        "5.",   ".",    "-",        "+",     "+-5", "--5", "1.2.3", "NaN", "nan",  "Infinity",
        "-inf", "five", "1_000",    "1'000", "$5",  "5\n", "٣",     "½",   "1.-5"}) {
    try {
      const Amount amount(text);
      ADD_FAILURE() << "'" << text << "' was accepted as " << amount;
    } catch (const InvalidAmount& error) {
      EXPECT_EQ(error.sqlstate(), "LF001");
      EXPECT_EQ(error.condition(), Condition::invalid_amount);
      EXPECT_NE(error.message().find('"' + text + '"'), std::string::npos) << error.what();
      EXPECT_EQ(error.detail(), "It is not a plain decimal number.");
      EXPECT_FALSE(error.hint().empty());
      EXPECT_TRUE(error.connection_usable());
    }
  }
  EXPECT_THROW(Amount(std::string_view("5\0", 2)), InvalidAmount);
}

TEST(Amount, RefusesWhatDoesNotFit) {
  EXPECT_THROW(Amount("1" + std::string(38, '0')), InvalidAmount);
  EXPECT_THROW(Amount(nines38 + ".0"), InvalidAmount);
  EXPECT_THROW(Amount(std::string(1000000, '9')), InvalidAmount);
  EXPECT_THROW(Amount("0.0000000000000000000000001"), InvalidAmount);  // 25 decimals
}

TEST(Amount, ShowsLongTextsShortened) {
  try {
    Amount amount(std::string(100000, 'x'));
    FAIL();
  } catch (const InvalidAmount& error) {
    EXPECT_LT(error.message().size(), 100U);
  }
}

TEST(Amount, ParsesInAScale) {
  EXPECT_EQ(Amount::parse("1.5", 2).to_string(), "1.50");
  EXPECT_EQ(Amount::parse("1.500", 2).to_string(), "1.50");
  EXPECT_EQ(Amount::parse("3", 0).to_string(), "3");
  EXPECT_THROW(Amount::parse("1.005", 2), InvalidAmount);
  EXPECT_THROW(Amount::parse("0.5", 0), InvalidAmount);
  EXPECT_THROW(Amount::parse(nines38, 1), InvalidAmount);
  EXPECT_THROW(Amount::parse("1", -1), RefusedFor<Condition::invalid_argument>);
  EXPECT_THROW(Amount::parse("1", 25), RefusedFor<Condition::invalid_argument>);
}

TEST(Amount, ConvertsToAndFromMinorUnits) {
  EXPECT_EQ(Amount::from_minor_units(12500, 2).to_string(), "125.00");
  EXPECT_EQ(Amount::from_minor_units(-1, 8).to_string(), "-0.00000001");
  EXPECT_EQ(Amount::from_minor_units(std::numeric_limits<std::int64_t>::min(), 0).to_string(),
            "-9223372036854775808");
  EXPECT_EQ(Amount("125").minor_units64(2), 12500);
  EXPECT_EQ(Amount("125.000").minor_units64(2), 12500);
  EXPECT_EQ(Amount("-125.01").minor_units64(2), -12501);
  EXPECT_THROW(Amount("125.001").minor_units64(2), InvalidAmount);
  EXPECT_EQ(Amount("92233720368547758.07").minor_units64(2),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_THROW(Amount("92233720368547758.08").minor_units64(2), InvalidAmount);
  EXPECT_EQ(Amount("-92233720368547758.08").minor_units64(2),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_THROW(Amount("-92233720368547758.09").minor_units64(2), InvalidAmount);
  EXPECT_THROW(Amount(nines38).minor_units(1), InvalidAmount);
  EXPECT_THROW(Amount("1").minor_units(25), RefusedFor<Condition::invalid_argument>);

  const Units most = Amount(nines38).minor_units();
  EXPECT_EQ(Amount::from_minor_units(most, 24).to_string(),
            nines38.substr(0, 14) + "." + nines38.substr(0, 24));
  EXPECT_THROW(Amount::from_minor_units(most + 1, 0), InvalidAmount);
  EXPECT_THROW(Amount::from_minor_units(-most - 1, 0), InvalidAmount);
}

TEST(Amount, ChangesScaleExactly) {
  EXPECT_EQ(Amount("1.5").with_scale(4).to_string(), "1.5000");
  EXPECT_EQ(Amount("1.50").with_scale(1).to_string(), "1.5");
  EXPECT_THROW(Amount("1.55").with_scale(1), InvalidAmount);
}

TEST(Amount, ComparesByValue) {
  EXPECT_EQ(Amount("1.5"), Amount("1.50"));
  EXPECT_NE(Amount("1.5"), Amount("1.51"));
  EXPECT_LT(Amount("-1.5"), Amount("-1.49"));
  EXPECT_LT(Amount("-0.01"), Amount("0"));
  EXPECT_LT(Amount("-0.01"), Amount("0.000000001"));
  EXPECT_GT(Amount("2"), Amount("1.999999999999999999999999"));
  EXPECT_LE(Amount("2"), Amount("2.0"));
  EXPECT_GE(Amount("2"), Amount("2.0"));
  // Neither of these has room for the other's scale.
  EXPECT_GT(Amount(nines38), Amount("0.999999999999999999999999"));
  EXPECT_LT(Amount("-" + nines38), Amount("0.000000000000000000000001"));
  EXPECT_TRUE(Amount("0.00").is_zero());
  EXPECT_TRUE(Amount("0.01").is_positive());
  EXPECT_TRUE(Amount("-0.01").is_negative());
}

TEST(Amount, AddsExactlyOrRefuses) {
  EXPECT_EQ((Amount("0.1") + Amount("0.2")).to_string(), "0.3");
  EXPECT_EQ((Amount("1") + Amount("0.25")).to_string(), "1.25");
  EXPECT_EQ((Amount("1.00") - Amount("2.5")).to_string(), "-1.50");
  EXPECT_EQ((-Amount("3.00")).to_string(), "-3.00");

  Amount most(nines38);
  EXPECT_THROW(most += Amount("1"), OutOfRange);
  EXPECT_THROW(most += Amount("0.1"), OutOfRange);
  EXPECT_THROW(most -= Amount("-1"), OutOfRange);
  EXPECT_EQ(most.to_string(), nines38);
  EXPECT_TRUE((most - most).is_zero());
  most += most - most;
  const Amount same = most;
  most -= same;
  EXPECT_TRUE(most.is_zero());
}

TEST(Amount, AgreesWithIntegers) {
  const unsigned seed = std::random_device{}();
  RecordProperty("seed", static_cast<int>(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> units(-1'000'000'000'000, 1'000'000'000'000);
  std::uniform_int_distribution<int> scale(0, 6);
  for (int i = 0; i < 20000; ++i) {
    const int common = 6;
    const auto a = Amount::from_minor_units(units(random), scale(random));
    const auto b = Amount::from_minor_units(units(random), scale(random));
    ASSERT_EQ(Amount(a.to_string()), a);
    ASSERT_EQ(Amount(a.to_string()).scale(), a.scale());
    const Units wide_a = a.minor_units(common);
    const Units wide_b = b.minor_units(common);
    ASSERT_EQ(a < b, wide_a < wide_b) << a << " " << b;
    ASSERT_EQ(a == b, wide_a == wide_b) << a << " " << b;
    ASSERT_TRUE((a + b).minor_units(common) == wide_a + wide_b) << a << " " << b;
    ASSERT_TRUE((a - b).minor_units(common) == wide_a - wide_b) << a << " " << b;
  }
}

TEST(Amount, WritesToStreams) {
  std::ostringstream out;
  out << Amount("-1.50");
  EXPECT_EQ(out.str(), "-1.50");
}

// No road from floating point, nor from integers that do not say their unit.
static_assert(!std::is_constructible_v<Amount, double>);
static_assert(!std::is_constructible_v<Amount, float>);
static_assert(!std::is_constructible_v<Amount, int>);
static_assert(!std::is_constructible_v<Amount, std::nullptr_t>);
static_assert(!std::is_convertible_v<const char*, Amount>);
static_assert(std::is_trivially_copyable_v<Amount>);

}  // namespace
}  // namespace ledgerflow::client
