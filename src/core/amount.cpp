#include "core/amount.hpp"

#include <algorithm>

namespace ledgerflow {

namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr int digit_base = 10000;
constexpr int digit_decimals = 4;

// Appends one decimal digit; false beyond 38 digits.
bool push_decimal(Units& magnitude, int digit) {
  if (magnitude > (max_units - digit) / 10) return false;
  magnitude = magnitude * 10 + digit;
  return true;
}

}  // namespace

AmountStatus parse_units(std::string_view text, int scale, Units& units) {
  std::size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) ++at;

  Units magnitude = 0;
  std::size_t digits = 0;
  bool fits = true;
  for (; at < text.size() && is_digit(text[at]); ++at, ++digits)
    fits = fits && push_decimal(magnitude, text[at] - '0');

  int decimals = 0;
  bool exact = true;
  if (at < text.size() && text[at] == '.' && digits > 0) {
    const std::size_t first = ++at;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      if (decimals < scale) {
        ++decimals;
        fits = fits && push_decimal(magnitude, text[at] - '0');
      } else {
        exact = exact && text[at] == '0';
      }
    }
    if (at == first) return AmountStatus::malformed;
  }
  if (at != text.size() || digits == 0) return AmountStatus::malformed;
  if (!exact) return AmountStatus::too_many_decimals;
  for (; decimals < scale; ++decimals) fits = fits && push_decimal(magnitude, 0);
  if (!fits) return AmountStatus::too_large;
  units = negative ? -magnitude : magnitude;
  return AmountStatus::ok;
}

std::string format_units(Units units, int scale) {
  std::string text;
  auto magnitude = static_cast<UnsignedUnits>(units < 0 ? -units : units);
  int written = 0;
  do {
    if (written == scale && written > 0) text.push_back('.');
    text.push_back(static_cast<char>('0' + static_cast<int>(magnitude % 10)));
    magnitude /= 10;
    ++written;
  } while (magnitude > 0 || written <= scale);
  if (units < 0) text.push_back('-');
  std::reverse(text.begin(), text.end());
  return text;
}

namespace {

// Most amounts have at most four base-10000 digits: their value fits into a machine word. False where the
// number needs the longer way.
bool units_from_few_digits(bool negative, int weight, const std::int16_t* digits, int count,
                           int scale, Units& units) {
  constexpr int few = 4;
  constexpr std::int64_t powers[] = {1, 10, 100, 1000};
  constexpr int most_zeros = max_digits - few * digit_decimals;
  if (count > few || weight < -few || weight > few) return false;
  std::int64_t value = 0;
  for (int i = 0; i < count; ++i) {
    if (digits[i] < 0 || digits[i] >= digit_base) return false;
    value = value * digit_base + digits[i];
  }
  const int zeros = (weight - count + 1) * digit_decimals + scale;
  if (zeros > most_zeros || zeros <= -digit_decimals) return false;
  Units magnitude = value;
  if (zeros >= 0) {
    magnitude =
        zeros < digit_decimals ? magnitude * powers[zeros] : magnitude * power_of_ten(zeros);
  } else {
    if (value % powers[-zeros] != 0) return false;
    magnitude = value / powers[-zeros];
  }
  units = negative ? -magnitude : magnitude;
  return true;
}

}  // namespace

AmountStatus units_from_digits(bool negative, int weight, const std::int16_t* digits, int count,
                               int scale, Units& units) {
  if (units_from_few_digits(negative, weight, digits, count, scale, units)) return AmountStatus::ok;
  Units magnitude = 0;
  int first = 0;
  while (first < count && digits[first] == 0) ++first;
  if (first < count && (weight - first + 1) * digit_decimals > max_digits + digit_decimals)
    return AmountStatus::too_large;

  // Decimal position of the digit's last decimal, counted from the decimal point: 0 is the ones.
  for (int i = first; i < count; ++i) {
    const int lowest = (weight - i) * digit_decimals;
    int group = digits[i];
    if (group < 0 || group >= digit_base) return AmountStatus::malformed;
    for (int place = digit_base / 10, position = lowest + digit_decimals - 1; place > 0;
         place /= 10, --position) {
      const int decimal = group / place % 10;
      if (position < -scale) {
        if (decimal != 0) return AmountStatus::too_many_decimals;
      } else if (!push_decimal(magnitude, decimal)) {
        return AmountStatus::too_large;
      }
    }
  }
  // Zeros between the last stored digit and the last decimal of the scale.
  if (magnitude != 0) {
    for (int position = (weight - count + 1) * digit_decimals; position > -scale; --position)
      if (!push_decimal(magnitude, 0)) return AmountStatus::too_large;
  }
  units = negative ? -magnitude : magnitude;
  return AmountStatus::ok;
}

NumericDigits digits_from_units(Units units, int scale) {
  NumericDigits result;
  result.display_scale = scale;
  result.negative = units < 0;
  auto magnitude = static_cast<UnsignedUnits>(units < 0 ? -units : units);
  if (magnitude == 0) return result;

  // Shift so that groups of four decimals align with the decimal point. The shifted value can need
  // 41 decimal digits, so the lowest group is taken off before the rest is shifted.
  const int shift = (digit_decimals - scale % digit_decimals) % digit_decimals;
  const int fraction_groups = (scale + digit_decimals - 1) / digit_decimals;
  const auto low_base = static_cast<unsigned>(power_of_ten(digit_decimals - shift));
  const auto multiplier = static_cast<unsigned>(power_of_ten(shift));

  std::int16_t reversed[NumericDigits::capacity];
  int count = 0;
  reversed[count++] =
      static_cast<std::int16_t>(static_cast<unsigned>(magnitude % low_base) * multiplier);
  magnitude /= low_base;
  for (; magnitude > 0; magnitude /= digit_base)
    reversed[count++] = static_cast<std::int16_t>(magnitude % digit_base);

  result.weight = count - 1 - fraction_groups;
  int last = 0;
  while (last < count && reversed[last] == 0) ++last;  // trailing zeros
  for (int i = count - 1; i >= last; --i) {
    if (result.count == 0 && reversed[i] == 0) {  // leading zeros
      --result.weight;
      continue;
    }
    result.digits[result.count++] = reversed[i];
  }
  return result;
}

}  // namespace ledgerflow
