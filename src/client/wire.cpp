#include "wire.hpp"

#include <algorithm>
#include <limits>
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

// Microseconds since PostgreSQL's epoch.
std::int64_t server_time(Timestamp time) {
  std::int64_t micros = 0;
  if (__builtin_sub_overflow(std::int64_t{time.time_since_epoch().count()}, postgres_epoch,
                             &micros))
    raise_refused(Condition::invalid_effective_at, "the time is out of PostgreSQL's range");
  return micros;
}

template <typename Integer>
std::optional<Integer> integer_in(std::string_view bytes) {
  if (bytes.size() != sizeof(Integer)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<Integer>(value);
}

}  // namespace

Array::Array(unsigned element_type, std::size_t size) {
  append_integer(bytes_, std::int32_t{size > 0 ? 1 : 0});  // dimensions
  append_integer(bytes_, std::int32_t{1});                 // there may be NULLs
  append_integer(bytes_, element_type);
  if (size == 0) return;
  append_integer(bytes_, static_cast<std::int32_t>(std::min(size, longest_value)));
  append_integer(bytes_, std::int32_t{1});  // lower bound
}

void Array::add(std::string_view bytes) {
  bytes = bytes.substr(0, longest_value);  // as a whole it is too large anyway, and refused
  append_integer(bytes_, static_cast<std::int32_t>(bytes.size()));
  bytes_.append(bytes);
}

void Array::add_null() { append_integer(bytes_, std::int32_t{-1}); }
void Array::add_text(std::string_view text) { add(text); }

void Array::add_bigint(std::int64_t value) {
  std::string bytes;
  append_integer(bytes, value);
  add(bytes);
}

void Array::add_boolean(bool value) {
  add(value ? std::string_view("\1", 1) : std::string_view("\0", 1));
}
void Array::add_timestamp(Timestamp time) { add_bigint(server_time(time)); }

void Array::add_numeric(const Amount& amount) {
  std::string bytes;
  append_numeric(bytes, amount);
  add(bytes);
}

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

void Parameters::add_text(std::optional<std::string_view> text) {
  if (text)
    add_text(*text);
  else
    add_null();
}

void Parameters::add_text(const std::optional<std::string>& text) {
  if (text)
    add_text(std::string_view(*text));
  else
    add_null();
}

void Parameters::add_boolean(bool value) { add_text(std::string_view(value ? "\1" : "\0", 1)); }

void Parameters::add_bigint(std::int64_t value) {
  std::string bytes;
  append_integer(bytes, value);
  add_owned(std::move(bytes));
}

void Parameters::add_bigint(std::optional<std::int64_t> value) {
  if (value)
    add_bigint(*value);
  else
    add_null();
}

void Parameters::add_integer(std::optional<std::int32_t> value) {
  if (!value) return add_null();
  std::string bytes;
  append_integer(bytes, *value);
  add_owned(std::move(bytes));
}

void Parameters::add_timestamp(std::optional<Timestamp> time) {
  if (time)
    add_bigint(server_time(*time));
  else
    add_null();
}

void Parameters::add_interval(std::optional<std::chrono::microseconds> interval) {
  if (!interval) return add_null();
  std::string bytes;
  append_integer(bytes, std::int64_t{interval->count()});
  append_integer(bytes, std::int32_t{0});  // days
  append_integer(bytes, std::int32_t{0});  // months
  add_owned(std::move(bytes));
}

void Parameters::add_numeric(const Amount& amount) {
  std::string bytes;
  append_numeric(bytes, amount);
  add_owned(std::move(bytes));
}

void Parameters::add_numeric(const std::optional<Amount>& amount) {
  if (amount)
    add_numeric(*amount);
  else
    add_null();
}

void Parameters::add_id(const TransactionId& id) {
  add_owned(std::string(id.bytes().begin(), id.bytes().end()));
}

void Parameters::add_lines(const std::vector<Line>& lines) {
  Array accounts(type::text, lines.size());
  Array amounts(type::numeric, lines.size());
  for (const Line& line : lines) {
    accounts.add_text(line.account);
    amounts.add_numeric(line.amount);
  }
  add_array(std::move(accounts));
  add_array(std::move(amounts));
}

void Parameters::add_optional_lines(const std::vector<Line>& lines) {
  if (!lines.empty()) return add_lines(lines);
  add_null();
  add_null();
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

std::optional<std::int64_t> decode_bigint(std::string_view bytes) {
  return integer_in<std::int64_t>(bytes);
}
std::optional<std::int32_t> decode_integer(std::string_view bytes) {
  return integer_in<std::int32_t>(bytes);
}

std::optional<Timestamp> decode_timestamp(std::string_view bytes) {
  const auto micros = decode_bigint(bytes);
  std::int64_t since_1970 = 0;
  // The infinities are the ends of the range, and the later one overflows.
  if (!micros || *micros == std::numeric_limits<std::int64_t>::min() ||
      __builtin_add_overflow(*micros, postgres_epoch, &since_1970))
    return std::nullopt;
  return Timestamp(std::chrono::microseconds(since_1970));
}

std::optional<std::vector<std::string>> decode_texts(std::string_view bytes) {
  std::size_t at = 0;
  const auto next_integer = [&]() -> std::optional<std::int32_t> {
    const auto value = decode_integer(bytes.substr(std::min(at, bytes.size()), 4));
    at += 4;
    return value;
  };
  const auto dimensions = next_integer();
  at += 8;  // whether there are NULLs; the elements' type
  if (dimensions == 0) return std::vector<std::string>();
  const auto size = next_integer();
  at += 4;  // lower bound
  if (dimensions != 1 || !size || *size < 0) return std::nullopt;
  std::vector<std::string> texts;
  for (std::int32_t i = 0; i < *size; ++i) {
    const auto length = next_integer();
    if (!length || *length < 0 || bytes.size() - at < static_cast<std::size_t>(*length))
      return std::nullopt;
    texts.emplace_back(bytes.substr(at, static_cast<std::size_t>(*length)));
    at += static_cast<std::size_t>(*length);
  }
  return texts;
}

}  // namespace ledgerflow::client
