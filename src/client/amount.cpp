#include "ledgerflow/amount.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <ostream>

#include "core/amount.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

static_assert(max_scale == ledgerflow::max_scale);

namespace {

constexpr std::size_t longest_quoted = 64;  // of a text in a message

std::string quoted(std::string_view text) {
  std::string result = "\"";
  result.append(text.substr(0, longest_quoted));
  result.append(text.size() > longest_quoted ? "...\"" : "\"");
  return result;
}

void check_scale(int scale) {
  if (scale < 0 || scale > max_scale)
    raise_refused(Condition::invalid_argument,
                  "scale " + std::to_string(scale) + " is not possible", {},
                  "Use 0 to " + std::to_string(max_scale) + " decimals.");
}

// The amount that `text` is said to be, when it is none.
[[noreturn]] void refuse_text(std::string_view text, int scale, AmountStatus status) {
  const std::string message = "invalid amount " + quoted(text);
  switch (status) {
    case AmountStatus::too_many_decimals:
      raise_refused(Condition::invalid_amount, message,
                    "It has more than " + std::to_string(scale) + " decimals.");
    case AmountStatus::too_large:
      raise_refused(Condition::invalid_amount, message,
                    "It has more than " + std::to_string(max_digits) + " digits in scale " +
                        std::to_string(scale) + ".");
    case AmountStatus::ok:
    case AmountStatus::malformed:
    case AmountStatus::not_finite:
      break;
  }
  raise_refused(Condition::invalid_amount, message, "It is not a plain decimal number.",
                "Write digits, and a decimal point with digits after it if need be, as in 125.00.");
}

Units parsed(std::string_view text, int scale) {
  Units units = 0;
  const AmountStatus status = parse_units(text, scale, units);
  if (status != AmountStatus::ok) refuse_text(text, scale, status);
  return units;
}

// The units in a scale that is not smaller; false beyond 38 digits.
bool widen(Units& units, int from_scale, int to_scale) {
  Units wide;
  if (__builtin_mul_overflow(units, power_of_ten(to_scale - from_scale), &wide)) return false;
  if (wide > max_units || wide < -max_units) return false;
  units = wide;
  return true;
}

}  // namespace

Amount::Amount(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::size_t decimals = point == std::string_view::npos ? 0 : text.size() - point - 1;
  scale_ = static_cast<int>(std::min<std::size_t>(decimals, max_scale));
  units_ = parsed(text, scale_);
}

Amount Amount::parse(std::string_view text, int scale) {
  check_scale(scale);
  return {parsed(text, scale), scale};
}

Amount Amount::from_minor_units(Units units, int scale) {
  check_scale(scale);
  if (units > max_units || units < -max_units)
    raise_refused(
        Condition::invalid_amount,
        "an amount has more than " + std::to_string(max_digits) + " digits in minor units");
  return {units, scale};
}

Units Amount::minor_units(int scale) const {
  check_scale(scale);
  Units units = units_;
  if (scale >= scale_) {
    if (!widen(units, scale_, scale)) refuse_text(to_string(), scale, AmountStatus::too_large);
    return units;
  }
  const Units divisor = power_of_ten(scale_ - scale);
  if (units % divisor != 0) refuse_text(to_string(), scale, AmountStatus::too_many_decimals);
  return units / divisor;
}

std::int64_t Amount::minor_units64(int scale) const {
  const Units units = minor_units(scale);
  if (units > std::numeric_limits<std::int64_t>::max() ||
      units < std::numeric_limits<std::int64_t>::min())
    raise_refused(Condition::invalid_amount, "invalid amount " + quoted(to_string()),
                  "In scale " + std::to_string(scale) + " its minor units do not fit 64 bits.");
  return static_cast<std::int64_t>(units);
}

Amount Amount::with_scale(int scale) const { return {minor_units(scale), scale}; }

std::string Amount::to_string() const { return format_units(units_, scale_); }

Amount& Amount::operator+=(const Amount& other) {
  const int scale = std::max(scale_, other.scale_);
  Units total = units_;
  Units addend = other.units_;
  if (!widen(total, scale_, scale) || !widen(addend, other.scale_, scale) ||
      !add_units(total, addend))
    raise_refused(Condition::balance_out_of_range, "the sum of " + to_string() + " and " +
                                                       other.to_string() + " has more than " +
                                                       std::to_string(max_digits) + " digits");
  units_ = total;
  scale_ = scale;
  return *this;
}

Amount& Amount::operator-=(const Amount& other) { return *this += -other; }

Amount Amount::operator-() const noexcept { return {-units_, scale_}; }

int Amount::compare(const Amount& other) const noexcept {
  // Whole units first, then the decimals in a common scale: as one number they might not fit.
  const auto sign = [](Units a, Units b) { return a < b ? -1 : a > b ? 1 : 0; };
  const Units unit = power_of_ten(scale_);
  const Units other_unit = power_of_ten(other.scale_);
  const int whole = sign(units_ / unit, other.units_ / other_unit);
  if (whole != 0) return whole;
  return sign(units_ % unit * power_of_ten(max_scale - scale_),
              other.units_ % other_unit * power_of_ten(max_scale - other.scale_));
}

std::ostream& operator<<(std::ostream& out, const Amount& amount) {
  return out << amount.to_string();
}

}  // namespace ledgerflow::client
