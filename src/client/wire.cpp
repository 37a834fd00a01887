#include "wire.hpp"

#include <algorithm>
#include <utility>

#include "core/amount.hpp"
#include "raise.hpp"
#include "types.hpp"

namespace ledgerflow::client {

namespace {

constexpr int binary_format = 1;
constexpr std::size_t longest_value =
    (std::size_t{1} << 30) - 1;  // PostgreSQL's limit for one value

// 2000-01-01, from which PostgreSQL counts, in microseconds since 1970.
constexpr std::int64_t postgres_epoch = 946'684'800'000'000;

// Source: PostgreSQL's numeric_send and numeric_recv, src/backend/utils/adt/numeric.c.
constexpr std::size_t numeric_header_size = 8;
constexpr unsigned numeric_positive = 0x0000;
constexpr unsigned numeric_negative = 0x4000;

template <typename Integer>
void append_integer(std::string& bytes, Integer value) {
  for (int shift = static_cast<int>(sizeof(Integer)) * 8 - 8; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xff));
}

int int16_at(std::string_view bytes, std::size_t at) {
  const auto high = static_cast<unsigned char>(bytes[at]);
  const auto low = static_cast<unsigned char>(bytes[at + 1]);
  return static_cast<std::int16_t>(high << 8 | low);
}

void append_numeric(std::string& bytes, const Amount& amount) {
  const NumericDigits number = digits_from_units(amount.minor_units(), amount.scale());
  append_integer(bytes, static_cast<std::int16_t>(number.count));
  append_integer(bytes, static_cast<std::int16_t>(number.weight));
  append_integer(bytes,
                 static_cast<std::uint16_t>(number.negative ? numeric_negative : numeric_positive));
  append_integer(bytes, static_cast<std::int16_t>(number.display_scale));
  for (int i = 0; i < number.count; ++i) append_integer(bytes, number.digits[i]);
}

void append_array_header(std::string& bytes, unsigned element_type, std::size_t size) {
  append_integer(bytes, std::int32_t{size > 0 ? 1 : 0});  // dimensions
  append_integer(bytes, std::int32_t{0});                 // no NULLs
  append_integer(bytes, element_type);
  if (size == 0) return;
  append_integer(bytes, static_cast<std::int32_t>(size));
  append_integer(bytes, std::int32_t{1});  // lower bound
}

}  // namespace

void Parameters::add(const char* data, std::size_t size) {
  if (size > longest_value)
    throw Error({sqlstate::program_limit_exceeded, "a value is larger than 1 GB", {}, {}}, true);
  values_[count_] = data;
  lengths_[count_] = static_cast<int>(size);
  formats_[count_] = binary_format;
  ++count_;
}

void Parameters::add_owned(std::string bytes) {
  std::string& kept = owned_[count_];
  kept = std::move(bytes);
  add(kept.data(), kept.size());
}

void Parameters::add_null() { add(nullptr, 0); }

void Parameters::add_text(std::string_view text) {
  // An empty view may have no data, which libpq would take for NULL.
  add(text.empty() ? "" : text.data(), text.size());
}

void Parameters::add_text(const std::optional<std::string>& text) {
  if (text)
    add_text(std::string_view(*text));
  else
    add_null();
}

void Parameters::add_bigint(std::optional<std::int64_t> value) {
  if (!value) return add_null();
  std::string bytes;
  append_integer(bytes, *value);
  add_owned(std::move(bytes));
}

void Parameters::add_timestamp(std::optional<Timestamp> time) {
  if (!time) return add_null();
  std::int64_t micros = 0;
  if (__builtin_sub_overflow(std::int64_t{time->time_since_epoch().count()}, postgres_epoch,
                             &micros))
    raise_refused(Condition::invalid_effective_at, "the time is out of PostgreSQL's range");
  add_bigint(micros);
}

void Parameters::add_numeric(const Amount& amount) {
  std::string bytes;
  append_numeric(bytes, amount);
  add_owned(std::move(bytes));
}

void Parameters::add_accounts(const std::vector<Line>& lines) {
  std::string bytes;
  append_array_header(bytes, type::text, lines.size());
  for (const Line& line : lines) {
    append_integer(bytes, static_cast<std::int32_t>(std::min(line.account.size(), longest_value)));
    bytes.append(line.account, 0, longest_value);
  }
  add_owned(std::move(bytes));
}

void Parameters::add_amounts(const std::vector<Line>& lines) {
  std::string bytes;
  append_array_header(bytes, type::numeric, lines.size());
  std::string number;
  for (const Line& line : lines) {
    number.clear();
    append_numeric(number, line.amount);
    append_integer(bytes, static_cast<std::int32_t>(number.size()));
    bytes.append(number);
  }
  add_owned(std::move(bytes));
}

std::optional<TransactionId> decode_uuid(std::string_view bytes) {
  TransactionId::Bytes raw;
  if (bytes.size() != raw.size()) return std::nullopt;
  std::transform(bytes.begin(), bytes.end(), raw.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  return TransactionId(raw);
}

std::optional<Amount> decode_numeric(std::string_view bytes) {
  if (bytes.size() < numeric_header_size) return std::nullopt;
  const int count = int16_at(bytes, 0);
  const int weight = int16_at(bytes, 2);
  const auto sign = static_cast<unsigned>(int16_at(bytes, 4)) & 0xffff;
  const int scale = std::min(int16_at(bytes, 6), max_scale);
  if (sign != numeric_positive && sign != numeric_negative) return std::nullopt;
  if (count < 0 || scale < 0) return std::nullopt;
  if (bytes.size() != numeric_header_size + 2 * static_cast<std::size_t>(count))
    return std::nullopt;

  std::vector<std::int16_t> digits;
  for (std::size_t at = numeric_header_size; at < bytes.size(); at += 2)
    digits.push_back(static_cast<std::int16_t>(int16_at(bytes, at)));
  Units units = 0;
  if (units_from_digits(sign == numeric_negative, weight, digits.data(), count, scale, units) !=
      AmountStatus::ok)
    return std::nullopt;
  return Amount::from_minor_units(units, scale);
}

}  // namespace ledgerflow::client
