// Reading the rows of a statement one by one as the executor makes them, without keeping them.
#pragma once

#include "ext/session.hpp"

extern "C" {
#include "executor/executor.h"
#include "tcop/dest.h"
}

namespace ledgerflow {

// Runs a kept plan that reads, in the active snapshot, and gives each row to `receive`. The plan may be a
// parallel one, as it has no cursor and no limit. `receive` runs inside the executor: it may raise PostgreSQL's
// errors and must not throw. Raises, so only inside pg_call.
template <typename Receive>
void for_each_row(SPIPlanPtr plan, const Datum* values, const char* nulls, Receive& receive) {
  struct Receiver {
    DestReceiver callbacks;
    Receive* receive;
  };
  Receiver receiver = {};
  receiver.callbacks.receiveSlot = [](TupleTableSlot* slot, DestReceiver* self) {
    slot_getallattrs(slot);
    (*reinterpret_cast<Receiver*>(self)->receive)(slot->tts_values, slot->tts_isnull);
    return true;
  };
  receiver.callbacks.rStartup = [](DestReceiver*, int, TupleDesc) {};
  receiver.callbacks.rShutdown = [](DestReceiver*) {};
  receiver.callbacks.rDestroy = [](DestReceiver*) {};
  receiver.callbacks.mydest =
      DestTuplestore;  // anything but none, which would be a utility statement's
  receiver.receive = &receive;

  SPIExecuteOptions options = {};
  const int count = SPI_getargcount(plan);
  if (count > 0) {
    ParamListInfo parameters = makeParamList(count);
    for (int i = 0; i < count; ++i) {
      ParamExternData& parameter = parameters->params[i];
      parameter.value = values[i];
      parameter.isnull = nulls != nullptr && nulls[i] == 'n';
      parameter.pflags = PARAM_FLAG_CONST;
      parameter.ptype = SPI_getargtypeid(plan, i);
    }
    options.params = parameters;
  }
  options.read_only = true;
  options.dest = &receiver.callbacks;
  const int result = SPI_execute_plan_extended(plan, &options);
  if (result != SPI_OK_SELECT)
    elog(ERROR, "unexpected result of a ledger's statement: %s", SPI_result_code_string(result));
}

}  // namespace ledgerflow
