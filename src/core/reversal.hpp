// Reversals: new transactions that mirror an earlier one, in whole or in part.
#pragma once

#include <optional>
#include <vector>

#include "core/ledger.hpp"
#include "core/store.hpp"

namespace ledgerflow {

struct ReversalRequest {
  TransactionId transaction;
  std::optional<Units>
      amount;               // of a transaction of two lines; neither amount nor lines: what is left
  std::vector<Line> lines;  // as they are to be posted, each against a line of the original
  bool force = false;       // do not hold the limits
  Posting posting;          // its description is the reason
};

// Posts the reversal and returns its id.
TransactionId reverse(Store& store, const ReversalRequest& request);

}  // namespace ledgerflow
