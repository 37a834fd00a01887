// The columns of a ledger's tables and their types.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// Refuses a schema whose tables are called like a ledger's and have other columns: anybody can make one, and a
// value that is read as one of another type can end the backend.
void check_columns(const Ledger& ledger);

}  // namespace ledgerflow
