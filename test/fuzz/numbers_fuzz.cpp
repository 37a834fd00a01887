// Amounts: as text, as the base-10000 digits of numeric, and the client's. What is read is what a decimal
// written down digit by digit says, whatever is read can be written and read again, and sums are exact.
#include "core/amount.hpp"

#include <vector>

#include "fuzz.hpp"
#include "ledgerflow/amount.hpp"
#include "ledgerflow/error.hpp"

namespace ledgerflow::fuzz {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The number in minor units as a string of digits with its sign, found without arithmetic.
AmountStatus slowly_read(std::string_view text, int scale, std::string& units) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  std::string whole(text.substr(0, point));
  std::string decimals(point == std::string_view::npos ? "" : text.substr(point + 1));
  if (whole.empty() || (point != std::string_view::npos && decimals.empty()))
    return AmountStatus::malformed;
  for (const char c : whole + decimals)
    if (!is_digit(c)) return AmountStatus::malformed;
  while (decimals.size() > static_cast<std::size_t>(scale)) {
    if (decimals.back() != '0') return AmountStatus::too_many_decimals;
    decimals.pop_back();
  }
  decimals.resize(static_cast<std::size_t>(scale), '0');
  units = whole + decimals;
  units.erase(0, std::min(units.find_first_not_of('0'), units.size() - 1));
  if (units.size() > static_cast<std::size_t>(max_digits)) return AmountStatus::too_large;
  if (negative && units != "0") units.insert(0, "-");
  return AmountStatus::ok;
}

void read_text(const std::string& text, int scale) {
  Units units = 7;
  const AmountStatus status = parse_units(text, scale, units);
  std::string digits;
  expect(status == slowly_read(text, scale, digits), "a text is read as it should be", text);
  if (status != AmountStatus::ok) return expect(units == 7, "what is refused changes nothing");
  expect(format_units(units, 0) == digits, "a text has the value that it shows", text);
  Units again = 0;
  const std::string shown = format_units(units, scale);
  expect(parse_units(shown, scale, again) == AmountStatus::ok && again == units,
         "what is written is read again", shown);
  expect(is_postable(units, scale) ==
             (units != 0 && digits.size() - (units < 0 ? 1 : 0) <=
                                static_cast<std::size_t>(scale + max_whole_digits)),
         "only amounts below 10^30 are posted", shown);

  const NumericDigits numeric = digits_from_units(units, scale);
  expect(numeric.display_scale == scale && numeric.negative == (units < 0), "sign and scale");
  expect(numeric.count == 0 ? units == 0 && numeric.weight == 0
                            : numeric.digits[0] != 0 && numeric.digits[numeric.count - 1] != 0,
         "numeric's digits have no zeros around them", shown);
  expect(units_from_digits(numeric.negative, numeric.weight, numeric.digits, numeric.count, scale,
                           again) == AmountStatus::ok &&
             again == units,
         "numeric's digits are read again", shown);
}

// Any digits that numeric could have, and any that it could not.
void read_digits(Source& source, int scale) {
  const bool negative = source.ConsumeBool();
  const int weight = source.ConsumeIntegralInRange(-12, 12);
  std::vector<std::int16_t> digits(source.ConsumeIntegralInRange<std::size_t>(0, 16));
  bool is_numeric = true;
  for (std::int16_t& digit : digits) {
    switch (source.ConsumeIntegralInRange(0, 9)) {
      case 0:
        digit = source.ConsumeIntegral<std::int16_t>();
        break;
      case 1:
      case 2:
      case 3:
        digit = 0;
        break;
      case 4:
        digit = 9999;
        break;
      default:
        digit = source.ConsumeIntegralInRange<std::int16_t>(0, 9999);
    }
    is_numeric = is_numeric && digit >= 0 && digit < 10000;
  }
  Units units = 0;
  const AmountStatus status = units_from_digits(negative, weight, digits.data(),
                                                static_cast<int>(digits.size()), scale, units);
  if (!is_numeric) return expect(status != AmountStatus::ok, "digits are below 10000");
  std::string whole = "0", decimals = "0";
  for (int place = weight + 1; place < 0; ++place) decimals += "0000";
  for (int i = 0; i < static_cast<int>(digits.size()); ++i) {
    std::string group = std::to_string(digits[static_cast<std::size_t>(i)]);
    group.insert(0, 4 - group.size(), '0');
    (i <= weight ? whole : decimals) += group;
  }
  for (int place = static_cast<int>(digits.size()); place <= weight; ++place) whole += "0000";
  const std::string text = (negative ? "-" : "") + whole + "." + decimals.substr(1) + "0";
  std::string shown;
  const AmountStatus expected = slowly_read(text, scale, shown);
  expect((status == AmountStatus::ok) == (expected == AmountStatus::ok),
         "digits are an amount where their text is one", text);
  if (status == AmountStatus::ok)
    expect(format_units(units, 0) == shown, "digits have the value of their text", text);
}

Units units_of(Source& source) {
  Units units = source.ConsumeIntegral<std::int64_t>();
  if (source.ConsumeBool()) units *= source.ConsumeIntegral<std::int64_t>();
  return units;
}

void add(Source& source) {
  using client::Amount;
  const auto amount = [&] {
    return Amount::from_minor_units(units_of(source) % (max_units + 1),
                                    source.ConsumeIntegralInRange(0, static_cast<int>(max_scale)));
  };
  const Amount a = amount();
  const Amount b = amount();
  expect(a.compare(b) == -b.compare(a) && (-a).compare(-b) == b.compare(a), "order is an order");
  expect(a == Amount(a.to_string()) && Amount(a.to_string()).scale() == a.scale(),
         "an amount is its text", a.to_string());
  try {
    const Amount sum = a + b;
    expect(sum.scale() == std::max(a.scale(), b.scale()), "a sum has the larger scale");
    expect((sum > a) == b.is_positive() && (sum < b) == a.is_negative(), "sums rise and fall");
    expect(sum == b + a && sum - b == a && sum - a == b, "sums are exact", sum.to_string());
  } catch (const client::RefusedFor<client::Condition::balance_out_of_range>&) {
    // Only what has more than 38 digits in the larger scale.
    const int scale = std::max(a.scale(), b.scale());
    Units left = 0, right = 0;
    const bool fits = parse_units(a.to_string(), scale, left) == AmountStatus::ok &&
                      parse_units(b.to_string(), scale, right) == AmountStatus::ok &&
                      add_units(left, right);
    expect(!fits, "sums of 38 digits are not refused", a.to_string());
  }
  const int scale = source.ConsumeIntegralInRange(-1, max_scale + 1);
  Units units = 0;
  const bool possible = scale >= 0 && scale <= max_scale &&
                        parse_units(a.to_string(), scale, units) == AmountStatus::ok;
  try {
    expect(a.with_scale(scale).minor_units() == units && possible, "scales change exactly");
    expect(a.with_scale(scale) == a, "the scale is not the value");
    expect(a.minor_units64(scale) == units, "64 bits hold it");
  } catch (const client::Refused&) {
    expect(!possible || units != static_cast<std::int64_t>(units), "only what is exact");
  }
}

}  // namespace
}  // namespace ledgerflow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ledgerflow::fuzz;
  Source source(data, size);
  const int scale = source.ConsumeIntegralInRange(0, ledgerflow::max_scale);
  switch (source.ConsumeIntegralInRange(0, 3)) {
    case 0:
      read_text(source.ConsumeRemainingBytesAsString(), scale);
      break;
    case 1:
      read_text(ledgerflow::format_units(units_of(source), source.ConsumeIntegralInRange(0, 30)),
                scale);
      break;
    case 2:
      read_digits(source, scale);
      break;
    default:
      add(source);
  }
  return 0;
}
