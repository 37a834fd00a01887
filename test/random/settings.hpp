// What the caller may choose: LEDGERFLOW_SEED (or the program's first argument), LEDGERFLOW_OPERATIONS,
// and LEDGERFLOW_HISTORY, a file for all that was done when something went wrong.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace ledgerflow::random_test {

extern std::uint64_t seed;

inline int number_setting(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::atoi(value) : otherwise;
}

}  // namespace ledgerflow::random_test
