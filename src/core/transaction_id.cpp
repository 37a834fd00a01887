#include "core/transaction_id.hpp"

#include "core/amount.hpp"

namespace ledgerflow {

namespace {

constexpr int random_width = 62;
constexpr int fraction_width = 12;
constexpr std::uint64_t random_mask = (std::uint64_t{1} << random_width) - 1;
// Small against a step of the fraction, so that ids hardly run ahead of a clock that stands still.
constexpr std::uint64_t step_mask = (std::uint64_t{1} << 56) - 1;
constexpr std::uint64_t fraction_mask = (1U << fraction_width) - 1;
constexpr int fraction_steps = 1 << fraction_width;
constexpr std::int64_t micros_per_milli = 1000;
constexpr std::int64_t last_micro = (std::int64_t{1} << 48) * micros_per_milli - 1;

// The 122 bits that are not version or variant, in order.
UnsignedUnits payload_of(const TransactionId& id) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (int i = 0; i < 8; ++i) {
    high = high << 8 | id.bytes[static_cast<std::size_t>(i)];
    low = low << 8 | id.bytes[static_cast<std::size_t>(i + 8)];
  }
  const std::uint64_t time_and_fraction = (high >> 16) << fraction_width | (high & fraction_mask);
  return static_cast<UnsignedUnits>(time_and_fraction) << random_width | (low & random_mask);
}

TransactionId id_of(UnsignedUnits payload) {
  const auto time_and_fraction = static_cast<std::uint64_t>(payload >> random_width);
  std::uint64_t high = (time_and_fraction >> fraction_width) << 16 | std::uint64_t{7} << 12 |
                       (time_and_fraction & fraction_mask);
  std::uint64_t low =
      std::uint64_t{2} << random_width | (static_cast<std::uint64_t>(payload) & random_mask);
  TransactionId id;
  for (int i = 7; i >= 0; --i) {
    id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(high);
    id.bytes[static_cast<std::size_t>(i + 8)] = static_cast<std::uint8_t>(low);
    high >>= 8;
    low >>= 8;
  }
  return id;
}

UnsignedUnits payload_at(std::int64_t unix_micros, std::uint64_t random_bits) {
  if (unix_micros < 0) unix_micros = 0;
  const auto millis = static_cast<std::uint64_t>(unix_micros / micros_per_milli);
  const auto rest = unix_micros % micros_per_milli;
  // Rounded up, so that rounding down on the way back gives the same microsecond.
  const auto fraction =
      static_cast<std::uint64_t>((rest * fraction_steps + micros_per_milli - 1) / micros_per_milli);
  return static_cast<UnsignedUnits>(millis << fraction_width | fraction) << random_width |
         (random_bits & random_mask);
}

}  // namespace

TransactionId make_transaction_id(std::int64_t unix_micros, std::uint64_t random_bits,
                                  const std::optional<TransactionId>& after) {
  UnsignedUnits payload = payload_at(unix_micros, random_bits);
  if (after) {
    const UnsignedUnits last = payload_of(*after);
    // By a random step: transactions that follow the same one on different accounts stay apart.
    if (payload <= last) payload = last + 1 + (random_bits & step_mask);
  }
  return id_of(payload);
}

std::int64_t time_of(const TransactionId& id) {
  const auto time_and_fraction = static_cast<std::uint64_t>(payload_of(id) >> random_width);
  const auto millis = static_cast<std::int64_t>(time_and_fraction >> fraction_width);
  const auto fraction = static_cast<std::int64_t>(time_and_fraction & fraction_mask);
  return millis * micros_per_milli + fraction * micros_per_milli / fraction_steps;
}

TransactionId first_id_at(std::int64_t unix_micros) {
  TransactionId id;
  if (unix_micros > last_micro)
    id.bytes.fill(0xFF);
  else if (unix_micros > 0)
    id = id_of(payload_at(unix_micros, 0));
  return id;
}

TransactionId first_id_after(std::int64_t unix_micros) {
  return first_id_at(unix_micros > last_micro ? unix_micros : unix_micros + 1);
}

bool is_uuid_v7(const TransactionId& id) { return id.bytes[6] >> 4 == 7 && id.bytes[8] >> 6 == 2; }

std::string to_string(const TransactionId& id) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(hex[id.bytes[i] >> 4]);
    text.push_back(hex[id.bytes[i] & 15]);
  }
  return text;
}

}  // namespace ledgerflow
