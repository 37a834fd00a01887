// Transaction ids: UUIDv7 (RFC 9562) whose order is the order of posting.
//
// 48 bits of milliseconds, 12 bits of the fraction of the millisecond (RFC 9562, section 6.2, method 3),
// 62 random bits. The microsecond that went in can be read out again exactly.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace ledgerflow {

struct TransactionId {
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const TransactionId& a, const TransactionId& b) {
    return a.bytes == b.bytes;
  }
  friend bool operator!=(const TransactionId& a, const TransactionId& b) { return !(a == b); }
  friend bool operator<(const TransactionId& a, const TransactionId& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) < 0;
  }
};

// An id of this time (microseconds since 1970) and these random bits, but above `after`: when the clock
// stood still or stepped back, an id shortly after it.
TransactionId make_transaction_id(std::int64_t unix_micros, std::uint64_t random_bits,
                                  const std::optional<TransactionId>& after);

// The time that an id carries, in microseconds since 1970.
std::int64_t time_of(const TransactionId& id);

// The smallest id of this time: a bound for "everything posted at or after". Times that no id can carry
// end in the smallest and largest uuid.
TransactionId first_id_at(std::int64_t unix_micros);

// The smallest id of a later time: everything posted until then lies below it.
TransactionId first_id_after(std::int64_t unix_micros);

// True for version 7 of variant 10.
bool is_uuid_v7(const TransactionId& id);

// The usual 36 characters.
std::string to_string(const TransactionId& id);

}  // namespace ledgerflow
