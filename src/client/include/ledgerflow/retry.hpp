// How often, and for how long, the library tries.
#pragma once

#include <chrono>

namespace ledgerflow::client {

/// When a call loses against another transaction (SQLSTATE 40001, 40P01), or its connection breaks,
/// the library connects anew if need be and repeats it, with a pause that doubles from one attempt to
/// the next and has a random part. It repeats what cannot do harm: reads, and requests under an
/// idempotency key; any other only if it was certainly not carried out. Within a Transaction it
/// repeats nothing: see Transaction::run().
struct RetryPolicy {
  /// Attempts in all; 1 is no retry, and no new connection.
  int attempts = 100;
  /// From the first failure on; then the last error is thrown.
  std::chrono::milliseconds deadline{30'000};
  /// Before the second attempt, at most.
  std::chrono::milliseconds first_pause{20};
  /// Between two attempts, at most.
  std::chrono::milliseconds longest_pause{1'000};

  /// One attempt, and no connection after the first.
  static RetryPolicy none() {
    RetryPolicy policy;
    policy.attempts = 1;
    return policy;
  }
};

}  // namespace ledgerflow::client
