// Money as integers: 128-bit counts of a currency's minor units, and their forms as text and as the
// base-10000 digits of PostgreSQL's numeric. Exact or refused: nothing here rounds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ledgerflow {

__extension__ typedef __int128 Units;  // minor units: amount x 10^scale
__extension__ typedef unsigned __int128 UnsignedUnits;

inline constexpr int max_digits = 38;        // of any amount, balance or total, in minor units
inline constexpr int max_whole_digits = 30;  // of one amount before the decimal point
inline constexpr int max_scale = 24;         // of a currency

constexpr Units power_of_ten(int exponent) {
  Units value = 1;
  for (; exponent > 0; --exponent) value *= 10;
  return value;
}

// The largest magnitude that the ledger keeps: 38 nines.
inline constexpr Units max_units = power_of_ten(max_digits) - 1;

// Adds to `total`; false, and `total` unchanged, when the sum would leave 38 digits.
[[nodiscard]] inline bool add_units(Units& total, Units amount) {
  Units sum;
  if (__builtin_add_overflow(total, amount, &sum) || sum > max_units || sum < -max_units)
    return false;
  total = sum;
  return true;
}

enum class AmountStatus {
  ok,
  malformed,          // not a plain decimal number
  not_finite,         // NaN or an infinity
  too_many_decimals,  // more decimals than the scale, other than zeros
  too_large,          // more than 38 digits in minor units
};

// A plain decimal number ([+-]digits[.digits], no exponent, no spaces, no separators) in units of the scale.
AmountStatus parse_units(std::string_view text, int scale, Units& units);

// Units as a decimal number with exactly `scale` decimals: 12500 at scale 2 is "125.00".
std::string format_units(Units units, int scale);

// A number as PostgreSQL's numeric keeps it and sends it in binary: base-10000 digits, most significant
// first, the first one worth 10000^weight. (Source: PostgreSQL's src/backend/utils/adt/numeric.c.)
struct NumericDigits {
  static constexpr int capacity = 12;  // of 38 decimal digits at any scale, with room for alignment
  bool negative = false;
  int weight = 0;
  int display_scale = 0;
  int count = 0;
  std::int16_t digits[capacity] = {};
};

// Reads `count` base-10000 digits, which may be any number of them, in units of the scale.
AmountStatus units_from_digits(bool negative, int weight, const std::int16_t* digits, int count,
                               int scale, Units& units);

// Writes units with neither leading nor trailing zero digits, as numeric wants them.
NumericDigits digits_from_units(Units units, int scale);

// True when a single amount (of either sign) is within what a posting may move: not zero, below 10^30
// whole units. The cap on whole units leaves balances of 38 digits room for any real number of postings
// and stops slips of the keyboard such as 1e30.
constexpr bool is_postable(Units units, int scale) {
  if (units == 0) return false;
  const Units magnitude = units < 0 ? -units : units;
  return scale + max_whole_digits >= max_digits
             ? magnitude <= max_units
             : magnitude < power_of_ten(scale + max_whole_digits);
}

}  // namespace ledgerflow
