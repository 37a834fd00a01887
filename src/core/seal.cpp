#include "core/seal.hpp"

#include <charconv>

namespace ledgerflow {

namespace {

constexpr std::string_view seal_prefix("\x02", 1);
constexpr std::string_view chain_prefix("\x03", 1);
constexpr std::string_view null_text = "-";

template <typename Number>
void append_number(std::string& text, Number value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  text.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace

void SealedText::begin(std::string_view first_line) {
  text_.assign(first_line);
  text_ += '\n';
}

void SealedText::open_line(std::string_view name) { text_ += name; }

void SealedText::add_word(std::string_view value) {
  text_ += ' ';
  text_ += value;
}

void SealedText::add_number(std::int64_t value) {
  text_ += ' ';
  append_number(text_, value);
}

void SealedText::add_text(const std::optional<std::string_view>& value) {
  text_ += ' ';
  if (!value) {
    text_ += null_text;
    return;
  }
  append_number(text_, value->size());
  text_ += ':';
  text_ += *value;
}

void SealedText::word(std::string_view name, std::string_view value) {
  open_line(name);
  add_word(value);
  close_line();
}

void SealedText::number(std::string_view name, std::int64_t value) {
  open_line(name);
  add_number(value);
  close_line();
}

void SealedText::text(std::string_view name, const std::optional<std::string_view>& value) {
  open_line(name);
  add_text(value);
  close_line();
}

std::string seal_text(const Seal& seal) {
  SealedText text;
  text.begin("ledgerflow-seal 1");
  text.number("seal", seal.number);
  text.number("transactions", seal.transactions);
  text.number("entries", seal.entries);
  text.number("late", seal.late);
  text.word("last_transaction_id", seal.last_transaction);
  text.number("sealed_at", seal.sealed_at);
  text.text("sealed_by", seal.sealed_by);
  text.text("client_address", seal.client_address);
  text.word("server", seal.server ? std::to_string(*seal.server) : std::string(null_text));
  text.word("horizon", std::to_string(seal.horizon));
  text.word("next", std::to_string(seal.next));
  text.word("tree", to_hex(seal.tree));
  return text.get();
}

Digest seal_text_hash(Sha256& sha256, std::string_view seal_text) {
  return sha256.hash({seal_prefix, seal_text});
}

Digest chained_root(Sha256& sha256, const Digest& previous, const Digest& seal_text_hash) {
  return sha256.hash({chain_prefix, bytes_of(previous), bytes_of(seal_text_hash)});
}

}  // namespace ledgerflow
