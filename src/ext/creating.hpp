#pragma once

#include "ext/boundary.hpp"

namespace ledgerflow {

// Runs statements that return nothing, one after the other, as the current user.
void run_script(const std::string& script);

}  // namespace ledgerflow
