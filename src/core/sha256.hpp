// SHA-256 (FIPS 180-4) in plain C++: for who checks a proof and has no database, and so needs no library
// but this one. The server hashes with its own (server_sha256.hpp); this is not in the extension.
#pragma once

#include "core/merkle.hpp"

namespace ledgerflow {

class PlainSha256 final : public Sha256 {
 public:
  Digest hash(std::initializer_list<std::string_view> parts) override;

 private:
  static constexpr std::size_t block_size = 64;

  void add(std::string_view part);
  void add_block(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_{};
  std::array<std::uint8_t, block_size> block_{};
  std::uint64_t size_ = 0;  // bytes so far
};

}  // namespace ledgerflow
