/* What the allocator of this process has handed out, memory contexts included: the resident size would
   also tell how it is scattered. */
#include "postgres.h"

#include <malloc.h>

#include "fmgr.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(soak_heap);
PG_FUNCTION_INFO_V1(soak_heap_free);

Datum soak_heap(PG_FUNCTION_ARGS)
{
	struct mallinfo2 info = mallinfo2();

	PG_RETURN_INT64((int64) (info.uordblks + info.hblkhd));
}

/* What was given back to it and is still the process's: between pieces that are in use, it can't be returned. */
Datum soak_heap_free(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) mallinfo2().fordblks);
}
