// What tests ask of a refusal.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/errors.hpp"

namespace ledgerflow::testing {

// The name of the condition, or "accepted".
inline std::string name_of(const std::optional<Refusal>& refusal) {
  return refusal ? info(refusal->condition).name : "accepted";
}

// Runs the body; the refusal that it throws.
template <typename Body>
std::optional<Refusal> refusal_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_FALSE(error.refusal().message.empty());
    return error.refusal();
  }
  return std::nullopt;
}

template <typename Body>
std::string refused(Body&& body) {
  return name_of(refusal_of(body));
}

}  // namespace ledgerflow::testing
