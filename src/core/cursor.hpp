// Cursors: where a page of a list ended, as a text that the caller sends back for the next page.
//
// A text carries what it belongs to and a checksum, so that one which was cut short, made up, or taken
// from another list is refused instead of skipping lines. It keeps no secret: whoever may read a list may
// start anywhere in it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/transaction_id.hpp"

namespace ledgerflow {

enum class ListKind : unsigned char { statement = 1, transactions = 2 };

// What a cursor is good for.
struct ListScope {
  ListKind kind = ListKind::statement;
  bool newest_first = false;
  std::uint64_t names = 0;  // of ledger and account: see names_hash
};

// A line of the list.
struct ListPosition {
  TransactionId transaction;
  int line = 0;
};

std::uint64_t names_hash(std::initializer_list<std::string_view> names);

std::string write_cursor(const ListScope& scope, const ListPosition& last);

// The position in a cursor of this very list; throws invalid_cursor for anything else.
ListPosition read_cursor(std::string_view text, const ListScope& scope);

}  // namespace ledgerflow
