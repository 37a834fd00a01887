// What a seal hashes, byte by byte: docs/seal.md is the specification. Texts of lines `name value`;
// whatever a user chose is written with its length before it, so that no two rows have the same text.
#pragma once

#include "core/merkle.hpp"

namespace ledgerflow {

// Leaves of a seal come in blocks of this many: a power of two.
inline constexpr std::size_t seal_block_size = 64;
// Of every leaf's hash so much is kept beside its id, to tell which one was changed.
inline constexpr std::size_t leaf_mark_size = 4;

// Builds one of these texts.
class SealedText {
 public:
  // Starts anew.
  void begin(std::string_view first_line);
  // What has one way to be written: numbers, ids, digests.
  void word(std::string_view name, std::string_view value);
  void number(std::string_view name, std::int64_t value);
  // What a user chose, or `-` for NULL.
  void text(std::string_view name, const std::optional<std::string_view>& value);

  // For a line of several values.
  void open_line(std::string_view name);
  void add_word(std::string_view value);
  void add_number(std::int64_t value);
  void add_text(const std::optional<std::string_view>& value);
  void close_line() { text_ += '\n'; }

  const std::string& get() const { return text_; }

 private:
  std::string text_;
};

inline constexpr std::string_view transaction_text_start = "ledgerflow-transaction 1";

// One seal as it stands in the table `seals`.
struct Seal {
  std::int64_t number = 0;
  std::int64_t transactions = 0;
  std::int64_t entries = 0;
  std::int64_t late = 0;         // of the transactions; these come last
  std::string last_transaction;  // the greatest id that is sealed
  std::int64_t sealed_at = 0;    // microseconds since 1970
  std::string sealed_by;
  std::optional<std::string> client_address;
  std::optional<std::int64_t> server;
  std::uint64_t horizon = 0;  // database transactions below it had ended
  std::uint64_t next = 0;     // those from here on had not begun
  Digest tree{};
  Digest root{};
};

std::string seal_text(const Seal& seal);

Digest seal_text_hash(Sha256& sha256, std::string_view seal_text);

// The root of a seal stands for the seal before it and for its own text. Before the first: all zeros.
Digest chained_root(Sha256& sha256, const Digest& previous, const Digest& seal_text_hash);

}  // namespace ledgerflow
