#include "ledgerflow/transaction_id.hpp"

#include <ostream>

namespace ledgerflow::client {

namespace {

constexpr std::size_t text_size = 36;
constexpr char hex_digits[] = "0123456789abcdef";

constexpr bool has_hyphen_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

// The value of a hexadecimal digit; -1 for anything else.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<TransactionId> TransactionId::from_string(std::string_view text) noexcept {
  if (text.size() != text_size) return std::nullopt;
  TransactionId id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes_.size(); ++i) {
    if (has_hyphen_before(i) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at++]);
    const int low = hex_value(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes_[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

std::string TransactionId::to_string() const {
  std::string text;
  text.reserve(text_size);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (has_hyphen_before(i)) text.push_back('-');
    text.push_back(hex_digits[bytes_[i] >> 4]);
    text.push_back(hex_digits[bytes_[i] & 15]);
  }
  return text;
}

Timestamp TransactionId::posted_at() const noexcept {
  // RFC 9562: 48 bits of milliseconds, the version, 12 bits of the fraction of the millisecond.
  constexpr int fraction_steps = 4096;
  std::int64_t millis = 0;
  for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | bytes_[i];
  const int fraction = (bytes_[6] & 15) << 8 | bytes_[7];
  return Timestamp(std::chrono::milliseconds(millis) +
                   std::chrono::microseconds(fraction * 1000 / fraction_steps));
}

std::ostream& operator<<(std::ostream& out, const TransactionId& id) {
  return out << id.to_string();
}

}  // namespace ledgerflow::client
