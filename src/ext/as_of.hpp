// The setting ledgerflow.as_of: the posting time up to which functions and views read. What posts ignores it.
#pragma once

#include "ext/pg.hpp"

namespace ledgerflow {

// Registers the setting; called once, from start_session.
void define_as_of();

// Microseconds since 1970; nothing means now: all that is posted.
std::optional<std::int64_t> as_of();

}  // namespace ledgerflow
