// Loading of the library.
#include "ext/session.hpp"

extern "C" {

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
void _PG_init(void) { ledgerflow::start_session(); }

}  // extern "C"
