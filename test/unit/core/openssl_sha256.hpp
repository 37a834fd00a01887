// SHA-256 for the tests of what is hashed with it.
#pragma once

#include <openssl/sha.h>

#include "core/merkle.hpp"

namespace ledgerflow {

class OpensslSha256 final : public Sha256 {
 public:
  Digest hash(std::initializer_list<std::string_view> parts) override {
    std::string whole;
    for (const std::string_view part : parts) whole += part;
    Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(whole.data()), whole.size(), digest.data());
    return digest;
  }
};

}  // namespace ledgerflow
