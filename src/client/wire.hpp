// Values as PostgreSQL's binary protocol has them. Binary because it is exact: lengths are
// explicit, so a text may hold any byte (the server refuses what is no UTF-8), and nothing is
// quoted or parsed twice.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/posting.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

// A one-dimensional array.
class Array {
 public:
  Array(unsigned element_type, std::size_t size);

  // The elements, in order: as many as `size` says.
  void add_null();
  void add_text(std::string_view text);
  void add_bigint(std::int64_t value);
  void add_boolean(bool value);
  void add_timestamp(Timestamp time);
  void add_numeric(const Amount& amount);

  std::string take() { return std::move(bytes_); }

 private:
  void add(std::string_view bytes);

  std::string bytes_;
};

// The arguments of one call. Texts are referred to, not copied: they must outlive the call.
class Parameters {
 public:
  static constexpr std::size_t capacity = 16;

  Parameters() = default;
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  void add_null();
  void add_text(std::string_view text);
  void add_text(std::optional<std::string_view> text);
  void add_text(const std::optional<std::string>& text);
  void add_text(const char* text) { add_text(std::string_view(text)); }
  void add_boolean(bool value);
  void add_bigint(std::int64_t value);
  void add_bigint(std::optional<std::int64_t> value);
  void add_integer(std::optional<std::int32_t> value);
  void add_timestamp(std::optional<Timestamp> time);
  void add_interval(std::optional<std::chrono::microseconds> interval);
  void add_numeric(const Amount& amount);
  void add_numeric(const std::optional<Amount>& amount);
  void add_id(const TransactionId& id);
  void add_array(Array array) { add_owned(array.take()); }
  void add_lines(const std::vector<Line>& lines);           // two: text[], numeric[]
  void add_optional_lines(const std::vector<Line>& lines);  // both NULL when there are none

  int count() const { return static_cast<int>(count_); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  void add(const char* data, std::size_t size);
  void add_owned(std::string bytes);

  std::size_t count_ = 0;
  std::array<const char*, capacity> values_{};
  std::array<int, capacity> lengths_{};
  std::array<int, capacity> formats_{};
  std::array<std::string, capacity> owned_;
};

// Values out of an answer; nothing when the bytes are not one (NaN, infinity), or too large.
std::optional<TransactionId> decode_uuid(std::string_view bytes);
std::optional<Amount> decode_numeric(std::string_view bytes);
std::optional<std::int64_t> decode_bigint(std::string_view bytes);
std::optional<std::int32_t> decode_integer(std::string_view bytes);
std::optional<Timestamp> decode_timestamp(std::string_view bytes);
std::optional<std::vector<std::string>> decode_texts(std::string_view bytes);  // of a text[]

}  // namespace ledgerflow::client
