// libFuzzer over the readers of journals: any bytes end in a plan or in an Error, never in anything else.
// The first byte chooses the format. See `make -C test fuzz`.
#include <cstdint>

#include "core/errors.hpp"
#include "core/import_plan.hpp"

using namespace ledgerflow;
using namespace ledgerflow::exchange;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto format = static_cast<Format>(data[0] % 4);
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    File file = read_file(format, text);
    Known known;
    known.scales = {{"USD", 2}, {"EUR", 2}, {"BTC", 8}, {"JPY", 0}};
    known.currencies = {{"$", "USD"}};
    Planner planner(file, known);
    planner.candidate_codes();
    planner.plan({{"assets:bank", "USD"}, {"Assets:Bank", "EUR"}});
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
