#include "key.hpp"

#include <unistd.h>

#include <chrono>

#include "ledgerflow/transaction_id.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

std::string new_key() {
  // RFC 9562: 48 bits of milliseconds, the version, 12 random bits, the variant, 62 random bits.
  TransactionId::Bytes bytes{};
  if (getentropy(bytes.data() + 6, bytes.size() - 6) != 0)
    throw Error({sqlstate::internal_error, "the kernel gives no random numbers", {}, {}}, true);
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  for (int i = 0; i < 6; ++i)
    bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(now >> (40 - 8 * i));
  bytes[6] = static_cast<std::uint8_t>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return TransactionId(bytes).to_string();
}

}  // namespace ledgerflow::client
