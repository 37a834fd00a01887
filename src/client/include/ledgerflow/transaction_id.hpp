// The ids that the ledger gives its transactions, and points in time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "ledgerflow/export.hpp"

namespace ledgerflow::client {

/// A point in time as PostgreSQL keeps it: microseconds, UTC.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// The time in a Timestamp, without what the clock has beyond microseconds.
inline Timestamp to_timestamp(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::microseconds>(time);
}

/// A transaction's id: a UUID, version 7. On each account ids rise in the order of posting.
class LEDGERFLOW_CLIENT_API TransactionId {
 public:
  /// In network order.
  using Bytes = std::array<std::uint8_t, 16>;

  /// The nil UUID, which is no transaction's id.
  constexpr TransactionId() = default;

  /// From the 16 bytes in network order.
  explicit constexpr TransactionId(const Bytes& bytes) : bytes_(bytes) {}

  /// From the usual text of 36 characters, in either case; nothing when the text is anything else.
  static std::optional<TransactionId> from_string(std::string_view text) noexcept;

  /// 36 characters, lower case.
  std::string to_string() const;

  /// The 16 bytes in network order.
  constexpr const Bytes& bytes() const noexcept { return bytes_; }

  /// When the transaction was posted: the time that the id carries, to the microsecond. (When the
  /// server's clock stepped back, the time of the account's transaction before it.)
  Timestamp posted_at() const noexcept;

  /// The same id.
  friend bool operator==(const TransactionId& a, const TransactionId& b) noexcept {
    return a.bytes_ == b.bytes_;
  }
  /// Another id.
  friend bool operator!=(const TransactionId& a, const TransactionId& b) noexcept {
    return a.bytes_ != b.bytes_;
  }
  /// Posted before, on one account.
  friend bool operator<(const TransactionId& a, const TransactionId& b) noexcept {
    return a.bytes_ < b.bytes_;
  }
  /// Not posted after, on one account.
  friend bool operator<=(const TransactionId& a, const TransactionId& b) noexcept {
    return a.bytes_ <= b.bytes_;
  }
  /// Posted after, on one account.
  friend bool operator>(const TransactionId& a, const TransactionId& b) noexcept {
    return a.bytes_ > b.bytes_;
  }
  /// Not posted before, on one account.
  friend bool operator>=(const TransactionId& a, const TransactionId& b) noexcept {
    return a.bytes_ >= b.bytes_;
  }

 private:
  Bytes bytes_{};
};

/// Writes to_string().
LEDGERFLOW_CLIENT_API std::ostream& operator<<(std::ostream& out, const TransactionId& id);

}  // namespace ledgerflow::client

// Transaction ids as keys of unordered containers.
#ifndef DOXYGEN
template <>
struct std::hash<ledgerflow::client::TransactionId> {
  std::size_t operator()(const ledgerflow::client::TransactionId& id) const noexcept {
    std::size_t result = 0;  // the last eight bytes are random but for two bits
    for (std::size_t i = 8; i < 16; ++i) result = result << 8 | id.bytes()[i];
    return result;
  }
};
#endif
