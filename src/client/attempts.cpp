#include "attempts.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace ledgerflow::client {

namespace {

constexpr int doublings = 20;  // more would overflow, and reach every sensible limit before

// Half of a pause is fixed and half of it random, so that clients that lost together do not come
// back together.
std::chrono::microseconds with_jitter(std::chrono::microseconds pause) {
  const auto half = pause.count() / 2;
  if (half <= 0) return pause;
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::microseconds(
      half + std::uniform_int_distribution<std::chrono::microseconds::rep>(0, half)(random));
}

}  // namespace

std::chrono::microseconds pause_after(const RetryPolicy& policy, int failures) {
  const std::chrono::microseconds first = policy.first_pause;
  const std::chrono::microseconds longest = policy.longest_pause;
  const auto factor = std::int64_t{1} << std::clamp(failures - 1, 0, doublings);
  return with_jitter(first > longest / factor ? longest : first * factor);
}

std::optional<std::chrono::microseconds> Attempts::next_pause() {
  const auto now = Clock::now();
  if (failed_++ == 0) first_failure_ = now;
  if (failed_ >= policy_.attempts) return std::nullopt;
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(first_failure_ +
                                                                          policy_.deadline - now);
  if (left.count() <= 0) return std::nullopt;
  return std::min(pause_after(policy_, failed_), left);
}

bool Attempts::pause() {
  const auto pause = next_pause();
  if (pause) std::this_thread::sleep_for(*pause);
  return pause.has_value();
}

}  // namespace ledgerflow::client
