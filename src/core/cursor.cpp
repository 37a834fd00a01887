#include "core/cursor.hpp"

#include <array>

#include "core/errors.hpp"
#include "core/ledger.hpp"

namespace ledgerflow {

namespace {

// Kind and direction, hash of the names, transaction, line, checksum of all that: in hexadecimal.
constexpr std::size_t id_at = 9;
constexpr std::size_t line_at = id_at + 16;
constexpr std::size_t checksum_at = line_at + 2;
constexpr std::size_t size = checksum_at + 8;
using Bytes = std::array<std::uint8_t, size>;

// FNV-1a, 64 bits.
constexpr std::uint64_t hash_start = 0xCBF29CE484222325U;
std::uint64_t hashed(std::uint64_t hash, std::uint8_t byte) {
  return (hash ^ byte) * 0x100000001B3U;
}

std::uint64_t checksum(const Bytes& bytes) {
  std::uint64_t hash = hash_start;
  for (std::size_t i = 0; i < checksum_at; ++i) hash = hashed(hash, bytes[i]);
  return hash;
}

void put(Bytes& bytes, std::size_t at, int width, std::uint64_t value) {
  for (int i = width - 1; i >= 0; --i, value >>= 8)
    bytes[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value);
}

std::uint64_t get(const Bytes& bytes, std::size_t at, int width) {
  std::uint64_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | bytes[at + static_cast<std::size_t>(i)];
  return value;
}

std::uint8_t header_of(const ListScope& scope) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(scope.kind) << 1 |
                                   (scope.newest_first ? 1U : 0U));
}

constexpr std::string_view digits = "0123456789abcdef";

[[noreturn]] void refuse(const char* why) { throw Error(Condition::invalid_cursor, why); }

Bytes bytes_of(std::string_view text) {
  if (text.size() != 2 * size) refuse("the cursor is not one that a page ended with");
  Bytes bytes;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t high = digits.find(text[2 * i]);
    const std::size_t low = digits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos)
      refuse("the cursor is not one that a page ended with");
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return bytes;
}

}  // namespace

std::uint64_t names_hash(std::initializer_list<std::string_view> names) {
  std::uint64_t hash = hash_start;
  for (const std::string_view name : names) {
    for (const char character : name) hash = hashed(hash, static_cast<std::uint8_t>(character));
    hash = hashed(hash, 0);  // no name holds a zero
  }
  return hash;
}

std::string write_cursor(const ListScope& scope, const ListPosition& last) {
  Bytes bytes;
  put(bytes, 0, 1, header_of(scope));
  put(bytes, 1, 8, scope.names);
  for (std::size_t i = 0; i < last.transaction.bytes.size(); ++i)
    bytes[id_at + i] = last.transaction.bytes[i];
  put(bytes, line_at, 2, static_cast<std::uint64_t>(last.line));
  put(bytes, checksum_at, 8, checksum(bytes));
  std::string text;
  text.reserve(2 * size);
  for (const std::uint8_t byte : bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

ListPosition read_cursor(std::string_view text, const ListScope& scope) {
  const Bytes bytes = bytes_of(text);
  if (get(bytes, checksum_at, 8) != checksum(bytes))
    refuse("the cursor is not one that a page ended with");
  const auto header = static_cast<std::uint8_t>(bytes[0]);
  if (header >> 1 != static_cast<unsigned>(scope.kind))
    refuse("the cursor is that of another function");
  if (get(bytes, 1, 8) != scope.names)
    refuse(scope.kind == ListKind::statement ? "the cursor is that of another account or ledger"
                                             : "the cursor is that of another ledger");
  if (header != header_of(scope)) refuse("the cursor is that of a page in the other direction");
  ListPosition position;
  for (std::size_t i = 0; i < position.transaction.bytes.size(); ++i)
    position.transaction.bytes[i] = bytes[id_at + i];
  position.line = static_cast<int>(get(bytes, line_at, 2));
  if (position.line > static_cast<int>(max_lines))
    refuse("the cursor is not one that a page ended with");
  return position;
}

}  // namespace ledgerflow
