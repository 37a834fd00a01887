// What the fuzzing programs share. Each asserts more than that nothing crashes: what it found untrue it
// says, and aborts, so that libFuzzer keeps the input.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ledgerflow::fuzz {

// Bytes as choices, numbers and texts.
using Source = FuzzedDataProvider;

inline void expect(bool holds, const char* what, std::string_view about = {}) {
  if (holds) return;
  std::fprintf(stderr, "NOT SO: %s\n%.*s\n", what, static_cast<int>(about.size()), about.data());
  std::abort();
}

inline std::string text(Source& source, std::size_t longest = 40) {
  return source.ConsumeRandomLengthString(longest);
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// UTF-8 without zero bytes, as every text of a database is.
inline bool is_database_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) {
      return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
    };
    const unsigned lead = byte(0);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0 || (lead >= 0x80 && lead < 0xC2) || lead > 0xF4) return false;
    for (std::size_t i = 1; i < size; ++i)
      if ((byte(i) & 0xC0U) != 0x80U) return false;
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
        (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F))
      return false;
    at += size;
  }
  return true;
}

}  // namespace ledgerflow::fuzz
