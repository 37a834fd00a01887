// Functions of released versions that take, return or make something else now, under another name. A database that was
// not updated yet still has them: a symbol that is gone would keep pg_upgrade from working, and one that reads other
// arguments would crash the server.
#include "ext/boundary.hpp"

extern "C" {

#define RETIRED(symbol)                                                                 \
  PG_FUNCTION_INFO_V1(symbol);                                                          \
  PGDLLEXPORT Datum symbol(PG_FUNCTION_ARGS) {                                          \
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),                  \
                    errmsg("this %s() is a function of an older version of ledgerflow", \
                           get_func_name(fcinfo->flinfo->fn_oid)),                      \
                    errhint("Run ALTER EXTENSION ledgerflow UPDATE.")));                \
    return Datum{0};                                                                    \
  }

// 0.1.0
RETIRED(ledgerflow_create)    // made format 1
RETIRED(ledgerflow_upgrade)   // made format 1
RETIRED(ledgerflow_maintain)  // returned a bigint

#undef RETIRED

}  // extern "C"
