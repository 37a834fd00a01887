// Amounts as text and as numeric's digits: exact or refused, at every scale.
#include "core/amount.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "randomness.hpp"

namespace ledgerflow {
namespace {

const std::string nines(38, '9');

struct Parsed {
  AmountStatus status = AmountStatus::ok;
  Units units = 0;
};

Parsed parse(std::string_view text, int scale) {
  Parsed parsed;
  parsed.status = parse_units(text, scale, parsed.units);
  return parsed;
}

void expect_units(std::string_view text, int scale, Units units) {
  const Parsed parsed = parse(text, scale);
  EXPECT_EQ(parsed.status, AmountStatus::ok) << text << " at scale " << scale;
  EXPECT_EQ(format_units(parsed.units, 0), format_units(units, 0)) << text << " at scale " << scale;
}

TEST(ParseUnits, ReadsPlainDecimals) {
  expect_units("0", 0, 0);
  expect_units("0", 24, 0);
  expect_units("-0", 2, 0);
  expect_units("0.00", 2, 0);
  expect_units("125.00", 2, 12500);
  expect_units("125", 2, 12500);
  expect_units("125.5", 2, 12550);
  expect_units("+7", 0, 7);
  expect_units("-0.01", 2, -1);
  expect_units("0.00000001", 8, 1);
  expect_units("00000000000000000000000000000000000000000000000000001.5", 1, 15);
}

TEST(ParseUnits, ZerosBeyondTheScaleAreNoDecimals) {
  expect_units("1.50", 1, 15);
  expect_units("3.000", 0, 3);
  expect_units("1.5" + std::string(100, '0'), 2, 150);
}

TEST(ParseUnits, TakesThirtyEightDigitsAtEveryScale) {
  for (int scale = 0; scale <= max_scale; ++scale) {
    const std::size_t whole = nines.size() - static_cast<std::size_t>(scale);
    const std::string text = nines.substr(0, whole) + (scale > 0 ? "." + nines.substr(whole) : "");
    expect_units(text, scale, max_units);
    expect_units("-" + text, scale, -max_units);
    const std::string longer = "9" + text;
    EXPECT_EQ(parse(longer, scale).status, AmountStatus::too_large) << longer;
    const std::string next = "1" + std::string(whole, '0');
    EXPECT_EQ(parse(next, scale).status, AmountStatus::too_large) << next;
    EXPECT_EQ(parse("-" + next, scale).status, AmountStatus::too_large) << next;
  }
}

TEST(ParseUnits, RefusesOneDecimalTooMany) {
  for (int scale = 0; scale <= max_scale; ++scale) {
    const std::string text = "0." + std::string(static_cast<std::size_t>(scale), '0');
    EXPECT_EQ(parse(text + "1", scale).status, AmountStatus::too_many_decimals) << scale;
    EXPECT_EQ(parse("-" + text + "01", scale).status, AmountStatus::too_many_decimals) << scale;
    EXPECT_EQ(parse(text + "00000", scale).status, AmountStatus::ok) << scale;
  }
}

TEST(ParseUnits, RefusesWhatIsNoPlainDecimal) {
  const std::vector<std::string> malformed = {"",
                                              "+",
                                              "-",
                                              ".",
                                              "1.",
                                              ".5",
                                              "-.5",
                                              "1e3",
                                              "1E3",
                                              " 1",
                                              "1 ",
                                              "1,000",
                                              "1_0",
                                              "--1",
                                              "+-1",
                                              "1-",
                                              "0x1",
                                              "1.2.3",
                                              "1..2",
                                              "NaN",
                                              "nan",
                                              "Inf",
                                              "inf",
                                              "one",
                                              "1.5x",
                                              "1.x",
                                              "\t1",
                                              "-Infinity",
                                              "\xC2\xA3"
                                              "1",
                                              "1\n",
                                              "\xD9\xA1",
                                              "1.-5",
                                              "#"};
  for (const std::string& text : malformed)
    for (const int scale : {0, 2, 24})
      EXPECT_EQ(parse(text, scale).status, AmountStatus::malformed) << '[' << text << ']';
  EXPECT_EQ(parse(std::string_view("1\0", 2), 0).status, AmountStatus::malformed);
}

TEST(FormatUnits, WritesTheScale) {
  EXPECT_EQ(format_units(0, 0), "0");
  EXPECT_EQ(format_units(0, 2), "0.00");
  EXPECT_EQ(format_units(5, 2), "0.05");
  EXPECT_EQ(format_units(-5, 2), "-0.05");
  EXPECT_EQ(format_units(100, 2), "1.00");
  EXPECT_EQ(format_units(12500, 2), "125.00");
  EXPECT_EQ(format_units(-12345, 0), "-12345");
  EXPECT_EQ(format_units(1, 24), "0.000000000000000000000001");
  EXPECT_EQ(format_units(max_units, 0), nines);
  EXPECT_EQ(format_units(-max_units, 24), "-99999999999999.999999999999999999999999");
}

TEST(FormatUnits, IsReadBackAtEveryScale) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  for (int scale = 0; scale <= max_scale; ++scale)
    for (int i = 0; i < 400; ++i) {
      const Units units = random.units();
      expect_units(format_units(units, scale), scale, units);
    }
}

// What the digits mean, worked out without the codec: a decimal number with `scale` decimals.
std::string meaning(const NumericDigits& number, int scale) {
  const auto group_at = [&](int weight) {
    const int index = number.weight - weight;
    const int group = index >= 0 && index < number.count ? number.digits[index] : 0;
    const std::string text = std::to_string(group);
    return std::string(4 - text.size(), '0') + text;
  };
  std::string whole;
  for (int weight = std::max(number.weight, 0); weight >= 0; --weight) whole += group_at(weight);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  std::string decimals;
  for (int weight = -1; static_cast<int>(decimals.size()) < scale; --weight)
    decimals += group_at(weight);
  decimals.resize(static_cast<std::size_t>(scale));
  return (number.negative ? "-" : "") + whole + (scale > 0 ? "." + decimals : "");
}

void expect_round_trip(Units units, int scale) {
  const NumericDigits number = digits_from_units(units, scale);
  const std::string text = format_units(units, scale);
  EXPECT_EQ(meaning(number, scale), text);
  EXPECT_EQ(number.display_scale, scale);
  ASSERT_GE(number.count, 0);
  ASSERT_LE(number.count, NumericDigits::capacity);
  if (units == 0) {
    EXPECT_EQ(number.count, 0);
    EXPECT_EQ(number.weight, 0);
    EXPECT_FALSE(number.negative);
  } else {
    // The form that numeric keeps: anything else would not be equal to it byte by byte.
    EXPECT_NE(number.digits[0], 0) << text;
    EXPECT_NE(number.digits[number.count - 1], 0) << text;
  }
  for (int i = 0; i < number.count; ++i) {
    EXPECT_GE(number.digits[i], 0);
    EXPECT_LT(number.digits[i], 10000);
  }
  Units back = units + 1;
  EXPECT_EQ(
      units_from_digits(number.negative, number.weight, number.digits, number.count, scale, back),
      AmountStatus::ok)
      << text;
  EXPECT_EQ(format_units(back, scale), text);
}

TEST(NumericDigits, RoundTripAtTheEdges) {
  for (int scale = 0; scale <= max_scale; ++scale) {
    expect_round_trip(0, scale);
    expect_round_trip(max_units, scale);
    expect_round_trip(-max_units, scale);
    for (int exponent = 0; exponent < max_digits; ++exponent)
      for (const Units units : {power_of_ten(exponent), power_of_ten(exponent) - 1,
                                power_of_ten(exponent) + 1, 9 * power_of_ten(exponent)}) {
        expect_round_trip(units, scale);
        expect_round_trip(-units, scale);
      }
  }
}

TEST(NumericDigits, RoundTripAtRandom) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  for (int scale = 0; scale <= max_scale; ++scale)
    for (int i = 0; i < 400; ++i) expect_round_trip(random.units(), scale);
}

Parsed from_digits(int weight, const std::vector<std::int16_t>& digits, int scale,
                   bool negative = false) {
  Parsed parsed;
  parsed.status = units_from_digits(negative, weight, digits.data(),
                                    static_cast<int>(digits.size()), scale, parsed.units);
  return parsed;
}

TEST(NumericDigits, ReadWhatOthersWrite) {
  EXPECT_EQ(from_digits(0, {125}, 2).units, 12500);
  EXPECT_EQ(from_digits(0, {125, 5000}, 2).units, 12550);
  EXPECT_EQ(from_digits(0, {125, 5000}, 2, true).units, -12550);
  EXPECT_EQ(from_digits(-1, {1}, 4).units, 1);
  EXPECT_EQ(from_digits(-2, {1}, 8).units, 1);
  EXPECT_EQ(from_digits(3, {1}, 0).units, 1000000000000);
  EXPECT_EQ(from_digits(0, {}, 2).units, 0);
  EXPECT_EQ(from_digits(0, {}, 2).status, AmountStatus::ok);
  // Not normalised: zeros before and after.
  EXPECT_EQ(from_digits(2, {0, 0, 7}, 0).units, 7);
  EXPECT_EQ(from_digits(0, {7, 0, 0, 0}, 0).units, 7);
  EXPECT_EQ(from_digits(30000, {0, 0}, 2).status, AmountStatus::ok);
  EXPECT_EQ(from_digits(30000, {0, 0}, 2).units, 0);
}

TEST(NumericDigits, RefuseWhatDoesNotFit) {
  EXPECT_EQ(from_digits(-1, {50}, 2).status, AmountStatus::too_many_decimals);    // 0.0050
  EXPECT_EQ(from_digits(-1, {500}, 2).status, AmountStatus::ok);                  // 0.0500
  EXPECT_EQ(from_digits(-1, {5000}, 0).status, AmountStatus::too_many_decimals);  // 0.5
  EXPECT_EQ(from_digits(-7, {1}, 24).status, AmountStatus::too_many_decimals);    // 1e-28
  EXPECT_EQ(from_digits(-6, {1}, 24).status, AmountStatus::ok);                   // 1e-24
  EXPECT_EQ(from_digits(-8192, {1}, 24).status, AmountStatus::too_many_decimals);
  EXPECT_EQ(from_digits(32767, {1}, 0).status, AmountStatus::too_large);
  EXPECT_EQ(from_digits(50, {1}, 2).status, AmountStatus::too_large);   // 1e200
  EXPECT_EQ(from_digits(9, {99}, 0).status, AmountStatus::ok);          // 38 digits
  EXPECT_EQ(from_digits(9, {100}, 0).status, AmountStatus::too_large);  // 39
  EXPECT_EQ(from_digits(9, {99}, 1).status, AmountStatus::too_large);
  EXPECT_EQ(from_digits(10, {1}, 0).status, AmountStatus::too_large);
  EXPECT_EQ(from_digits(0, {10000}, 0).status, AmountStatus::malformed);
  EXPECT_EQ(from_digits(0, {-1}, 0).status, AmountStatus::malformed);
}

TEST(AddUnits, StopsAtThirtyEightDigits) {
  Units total = max_units - 5;
  EXPECT_TRUE(add_units(total, 5));
  EXPECT_FALSE(add_units(total, 1));
  EXPECT_TRUE(total == max_units);
  EXPECT_FALSE(add_units(total, max_units));
  EXPECT_TRUE(total == max_units);
  total = -max_units;
  EXPECT_FALSE(add_units(total, -1));
  EXPECT_FALSE(add_units(total, -max_units));
  EXPECT_TRUE(add_units(total, max_units));
  EXPECT_TRUE(total == 0);
}

TEST(IsPostable, EndsBelowTenToTheThirtiethWholeUnits) {
  for (int scale = 0; scale <= max_scale; ++scale) {
    const bool capped_by_digits = scale + max_whole_digits >= max_digits;
    const Units largest = capped_by_digits ? max_units : power_of_ten(scale + max_whole_digits) - 1;
    EXPECT_FALSE(is_postable(0, scale));
    for (const Units sign : {1, -1}) {
      EXPECT_TRUE(is_postable(sign, scale));
      EXPECT_TRUE(is_postable(sign * largest, scale)) << scale;
      EXPECT_FALSE(is_postable(sign * (largest + 1), scale)) << scale;
    }
  }
}

}  // namespace
}  // namespace ledgerflow
