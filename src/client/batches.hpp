// The parameters and answers of ledger_post_batch, for Client and Poster.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ledgerflow/batch.hpp"
#include "result.hpp"
#include "statement.hpp"
#include "wire.hpp"

namespace ledgerflow::client {

extern const Statement post_batch_sql;
extern const Statement post_batch_by_id_sql;

// The ledger, $1, and the mode, $2, come before the columns.
void add_batch(Parameters& parameters, const std::vector<BatchItem>& items,
               const std::optional<std::string>& ledger, BatchMode mode);
void add_batch(Parameters& parameters, const std::vector<BatchItemById>& items,
               const std::optional<std::string>& ledger, BatchMode mode);

// What came of the items, which must be as many as were sent.
std::vector<BatchResult> batch_results(const Result& result, std::size_t sent);

}  // namespace ledgerflow::client
