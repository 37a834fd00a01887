// Counts the attempts at a call: how long to pause before the next one, if there is one.
#pragma once

#include <chrono>
#include <optional>

#include "ledgerflow/retry.hpp"

namespace ledgerflow::client {

// The pause after so many failures.
std::chrono::microseconds pause_after(const RetryPolicy& policy, int failures);

class Attempts {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Attempts(const RetryPolicy& policy) : policy_(policy) {}

  // An attempt has failed: the pause before the next one, or nothing when that was the last.
  std::optional<std::chrono::microseconds> next_pause();

  // Waits that long; false when that was the last attempt.
  bool pause();

 private:
  const RetryPolicy& policy_;
  int failed_ = 0;
  Clock::time_point first_failure_;
};

}  // namespace ledgerflow::client
