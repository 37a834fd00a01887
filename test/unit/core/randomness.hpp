// Random numbers for tests that say how to have the same ones again: LEDGERFLOW_SEED, or a new seed that
// is shown when a test fails.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "core/amount.hpp"

namespace ledgerflow::testing {

class Randomness {
 public:
  Randomness() : seed(chosen_seed()), generator(seed) {}

  std::string note() const { return "LEDGERFLOW_SEED=" + std::to_string(seed); }

  std::uint64_t below(std::uint64_t limit) { return generator() % limit; }
  int between(int low, int high) {
    return low + static_cast<int>(below(static_cast<std::uint64_t>(high - low) + 1));
  }

  // Of a random number of digits up to 38, and either sign.
  Units units() {
    Units value = 0;
    for (int digits = between(0, max_digits); digits > 0; --digits)
      value = value * 10 + between(0, 9);
    return below(2) == 0 ? value : -value;
  }

  const std::uint64_t seed;
  std::mt19937_64 generator;

 private:
  static std::uint64_t chosen_seed() {
    const char* given = std::getenv("LEDGERFLOW_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }
};

}  // namespace ledgerflow::testing
