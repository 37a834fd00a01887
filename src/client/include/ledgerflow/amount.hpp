// Exact amounts of money.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <type_traits>

#include "ledgerflow/export.hpp"

namespace ledgerflow::client {

/// Minor units (cents, yen, satoshi): amount x 10^scale. At most 38 digits of them are amounts.
__extension__ typedef __int128 Units;

/// Decimals of an amount, at most.
inline constexpr int max_scale = 24;

/// An exact decimal number of at most 38 digits, at most 24 of them after the decimal point, with a
/// sign. The number of decimals (`scale`) is kept and shown, but 1.5 and 1.50 are equal. Nothing
/// rounds, and there is no road from or to binary floating point.
///
/// What is not an amount is refused as RefusedFor<Condition::invalid_amount>, a sum beyond 38 digits
/// as RefusedFor<Condition::balance_out_of_range>.
class LEDGERFLOW_CLIENT_API Amount {
 public:
  /// Zero, without decimals.
  Amount() = default;

  /// A plain decimal number: [+-]digits[.digits], as in "125.00". Its scale is the decimals that are
  /// written. Refused are exponents, separators, spaces, "NaN", ".5", "5." and whatever else is not
  /// that.
  explicit Amount(std::string_view text);

  /// Numbers could mean whole units or minor units, or be rounded already: say which, or write text.
  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  explicit Amount(Number) = delete;
  explicit Amount(std::nullptr_t) = delete;

  /// The same text in a given scale, 0 to 24: "1.5" in scale 2 is 1.50; decimals that the scale has
  /// no room for, other than zeros, are refused.
  static Amount parse(std::string_view text, int scale);

  /// So many minor units of a currency of this scale: 12500 in scale 2 is 125.00.
  static Amount from_minor_units(Units units, int scale);

  /// The minor units in the amount's own scale.
  Units minor_units() const noexcept { return units_; }

  /// The minor units in a given scale; refused when the amount has more decimals, or with too many
  /// digits.
  Units minor_units(int scale) const;

  /// The same as a 64-bit integer; refused when it does not fit.
  std::int64_t minor_units64(int scale) const;

  /// The number of decimals that the amount is written with.
  int scale() const noexcept { return scale_; }

  /// The equal amount in another scale; refused as minor_units(scale) is.
  Amount with_scale(int scale) const;

  /// As in "-125.00": what the constructor takes.
  std::string to_string() const;

  bool is_zero() const noexcept { return units_ == 0; }     ///< Neither of the following.
  bool is_positive() const noexcept { return units_ > 0; }  ///< Above zero.
  bool is_negative() const noexcept { return units_ < 0; }  ///< Below zero.

  /// @name Sums
  /// They have the larger scale of the two and are exact or refused; the target of a refused += or
  /// -= keeps its value.
  /// @{

  /// Adds.
  Amount& operator+=(const Amount& other);
  /// Subtracts.
  Amount& operator-=(const Amount& other);
  /// The same with the other sign.
  Amount operator-() const noexcept;
  /// The sum.
  friend Amount operator+(Amount a, const Amount& b) { return a += b; }
  /// The difference.
  friend Amount operator-(Amount a, const Amount& b) { return a -= b; }
  /// @}

  /// Less than 0, 0, or greater than 0, as this amount is less than, equal to or greater than the
  /// other one.
  int compare(const Amount& other) const noexcept;
  /// Equal; 1.5 and 1.50 are.
  friend bool operator==(const Amount& a, const Amount& b) noexcept { return a.compare(b) == 0; }
  /// Not equal.
  friend bool operator!=(const Amount& a, const Amount& b) noexcept { return a.compare(b) != 0; }
  /// Less.
  friend bool operator<(const Amount& a, const Amount& b) noexcept { return a.compare(b) < 0; }
  /// Less or equal.
  friend bool operator<=(const Amount& a, const Amount& b) noexcept { return a.compare(b) <= 0; }
  /// Greater.
  friend bool operator>(const Amount& a, const Amount& b) noexcept { return a.compare(b) > 0; }
  /// Greater or equal.
  friend bool operator>=(const Amount& a, const Amount& b) noexcept { return a.compare(b) >= 0; }

 private:
  Amount(Units units, int scale) : units_(units), scale_(scale) {}

  Units units_ = 0;
  int scale_ = 0;
};

/// Writes to_string().
LEDGERFLOW_CLIENT_API std::ostream& operator<<(std::ostream& out, const Amount& amount);

}  // namespace ledgerflow::client
