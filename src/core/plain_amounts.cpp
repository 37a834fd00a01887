#include "core/plain_amounts.hpp"

namespace ledgerflow::exchange {

namespace {

void skip_space(std::string_view& rest) {
  while (!rest.empty() && is_space(rest[0])) rest.remove_prefix(1);
}

bool take_minus(std::string_view& rest, bool& negative) {
  if (rest.empty() || (rest[0] != '-' && rest[0] != '+')) return false;
  negative = rest[0] == '-';
  rest.remove_prefix(1);
  skip_space(rest);
  return true;
}

constexpr bool is_number_character(char c) { return is_digit(c) || c == '.' || c == ','; }

// Letters, currency signs, anything that is not ASCII: what needs no quotes.
constexpr bool is_bare_commodity(char c) {
  return is_letter(c) || c == '$' || c == '_' || c == '%' ||
         (static_cast<unsigned char>(c) & 0x80U);
}

// Groups of two or three digits, the last one of three.
bool are_groups(std::string_view whole, char group) {
  std::size_t since = 0;
  bool first = true;
  for (const char c : whole) {
    if (c != group) {
      ++since;
      continue;
    }
    if (since == 0 || since > 3 || (!first && since < 2)) return false;
    first = false;
    since = 0;
  }
  return first || since == 3;
}

NumberStyle style_of(std::string_view digits) {
  const std::size_t last = digits.find_last_of(".,");
  if (last == std::string_view::npos) return {};
  const char other = digits[last] == '.' ? ',' : '.';
  if (digits.find(digits[last]) != last) return {other, digits[last]};  // it comes twice: groups
  return {digits[last], digits.find(other) == std::string_view::npos ? '\0' : other};
}

}  // namespace

bool take_commodity(std::string_view& rest, std::string& commodity, std::size_t line) {
  if (rest.empty()) return false;
  if (rest[0] == '"') {
    const std::size_t end = rest.find('"', 1);
    if (end == std::string_view::npos)
      refuse_line(line, "a commodity whose quotes do not end", rest);
    commodity = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    return true;
  }
  std::size_t end = 0;
  while (end < rest.size() && is_bare_commodity(rest[end])) ++end;
  commodity = rest.substr(0, end);
  rest.remove_prefix(end);
  return end > 0;
}

AmountReader::Raw AmountReader::take_raw(std::string_view& rest, std::size_t line) {
  const std::string_view whole = rest;
  Raw raw;
  skip_space(rest);
  bool is_signed = take_minus(rest, raw.negative);
  raw.has_commodity = take_commodity(rest, raw.commodity, line);
  if (raw.has_commodity) {
    skip_space(rest);
    if (!is_signed) take_minus(rest, raw.negative);
  }
  std::size_t end = 0;
  while (end < rest.size() && is_number_character(rest[end])) ++end;
  raw.digits = rest.substr(0, end);
  if (raw.digits.find_first_of("0123456789") == std::string_view::npos)
    refuse_line(line, "not an amount", whole);
  rest.remove_prefix(end);
  if (!raw.has_commodity) {
    std::string_view ahead = rest;
    skip_space(ahead);
    raw.has_commodity = take_commodity(ahead, raw.commodity, line);
    if (raw.has_commodity) rest = ahead;
  }
  if (!rest.empty() && is_number_character(rest[0])) refuse_line(line, "not an amount", whole);
  return raw;
}

Decimal AmountReader::number(const Raw& raw, std::size_t line) const {
  const auto known = styles_.find(raw.commodity);
  const NumberStyle style = known != styles_.end() ? known->second : file_style_;
  const std::size_t point = raw.digits.find(style.point);
  const std::string_view whole = raw.digits.substr(0, point);
  std::string digits;
  for (const char c : whole)
    if (is_digit(c)) digits.push_back(c);
  if (digits.size() != whole.size() && (style.group == '\0' || !are_groups(whole, style.group)))
    refuse_line(line, "a number with separators that are not declared", raw.digits,
                "Declare how the commodity is written, as in: commodity 1,000.00 USD");
  if (digits.empty()) digits = "0";
  if (point != std::string_view::npos) {
    digits.push_back('.');
    digits += raw.digits.substr(point + 1);
  }
  Decimal decimal = read_decimal(digits, line);
  if (raw.negative) decimal.units = -decimal.units;
  return decimal;
}

Amount AmountReader::take(std::string_view& rest, std::size_t line) {
  const Raw raw = take_raw(rest, line);
  Amount amount;
  amount.number = number(raw, line);
  amount.commodity = commodities_.index(raw.has_commodity ? raw.commodity : default_commodity_);
  return amount;
}

FileCommodity AmountReader::declare(std::string_view example, std::size_t line) {
  FileCommodity commodity;
  commodity.line = line;
  std::string_view rest = example;
  std::string name;
  if (take_commodity(rest, name, line) && trimmed(rest).empty()) {
    commodity.name = commodities_.index(name);
    return commodity;
  }
  rest = example;
  const Raw raw = take_raw(rest, line);
  if (!trimmed(rest).empty()) refuse_line(line, "not an amount", example);
  commodity.name = commodities_.index(raw.commodity);
  styles_[raw.commodity] = style_of(raw.digits);
  commodity.decimals = number(raw, line).decimals;
  return commodity;
}

void AmountReader::set_default(std::string_view example, std::size_t line) {
  default_commodity_ = commodities_[declare(example, line).name];
}

}  // namespace ledgerflow::exchange
