// Idempotency keys that the library makes.
#pragma once

#include <string>

namespace ledgerflow::client {

// A new one: a UUIDv7 as text. In the order of time, so that the index over the keys grows at its
// end; 74 of its bits are random, from the kernel, so that forked processes do not share them.
std::string new_key();

}  // namespace ledgerflow::client
