// What the functions that return a list page by page have in common.
#pragma once

#include "core/cursor.hpp"
#include "ext/datums.hpp"

namespace ledgerflow {

// Ids of the transactions to read: from the first, up to and without the second.
struct IdRange {
  TransactionId first;
  TransactionId end;
};

// Arguments `from` (inclusive) and `to` (exclusive), NULL for no bound, and not beyond ledgerflow.as_of.
// Refuses a range that ends before it begins.
IdRange posted_range_arguments(FunctionCallInfo fcinfo, int from, int to, const char* from_name,
                               const char* to_name);
void check_range(const std::optional<std::int64_t>& from, const std::optional<std::int64_t>& to,
                 const char* from_name, const char* to_name);

// A time as a bound; nothing for NULL.
std::optional<std::int64_t> bound_argument(FunctionCallInfo fcinfo, int number);

// How many rows a page has.
int limit_argument(FunctionCallInfo fcinfo, int number);

// The position behind which the page begins; nothing for the first page.
std::optional<ListPosition> after_argument(const std::optional<std::string_view>& text,
                                           const ListScope& scope);

// Adds a row to the result, its cursor behind the other values. `values` and `nulls` have room for it.
void put_row(Tuplestorestate* rows, TupleDesc descriptor, const ListScope& scope,
             const ListPosition& position, Datum* values, bool* nulls);

}  // namespace ledgerflow
