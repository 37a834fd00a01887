// What the functions that read have in common.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// Returns the rows of a query on the ledger; `options` as for Ledger::plan.
Datum return_rows(FunctionCallInfo fcinfo, Call& call, const char* query, int parameters,
                  const Oid* types, Datum* values, int options = CURSOR_OPT_GENERIC_PLAN);

}  // namespace ledgerflow
