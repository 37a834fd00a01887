// What the functions that read have in common.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// Rows are handed over as they are, so they must be of the types that the function promises; raises.
void check_columns(TupleDesc found, TupleDesc promised, int count);

// Returns the rows of a query on the ledger; `options` as for Ledger::plan.
Datum return_rows(FunctionCallInfo fcinfo, Call& call, const char* query, int parameters,
                  const Oid* types, Datum* values, int options = CURSOR_OPT_GENERIC_PLAN);

}  // namespace ledgerflow
