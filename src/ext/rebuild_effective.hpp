#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// Makes dated_entries and effective_days anew for the accounts for which they are wrong, as the current
// user, inside an SPI connection and while nobody posts. The wrong rows become the result of the function
// that is called, if there is one.
void rebuild_effective(Ledger& ledger, FunctionCallInfo fcinfo = nullptr);

}  // namespace ledgerflow
