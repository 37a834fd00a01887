// The randomised test. Needs a server with the extension in the database: PGHOST, PGDATABASE and their like.
//   random_test [SEED] [GoogleTest's options]
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "settings.hpp"

namespace ledgerflow::random_test {

std::uint64_t seed = 0;

}  // namespace ledgerflow::random_test

int main(int argc, char** argv) {
  using ledgerflow::random_test::seed;
  ::testing::InitGoogleTest(&argc, argv);
  const char* given = argc > 1 ? argv[1] : std::getenv("LEDGERFLOW_SEED");
  seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "LEDGERFLOW_SEED=" << seed << std::endl;
  return RUN_ALL_TESTS();
}
