// Posting: from requests to rows in the books, whatever the store.
#pragma once

#include <vector>

#include "core/ledger.hpp"
#include "core/store.hpp"

namespace ledgerflow {

// One transaction of a call: the posting, its lines, and what came of it.
struct Item {
  Posting posting;
  std::vector<Line> lines;
  bool linked = false;     // stands or falls with the next item
  std::size_t number = 0;  // by which a refusal names it; 0: its place in the batch
  Outcome outcome;         // may hold a refusal already: the request could not even be read
};

enum class Mode : unsigned char {
  atomic,  // all or nothing: the first refusal is thrown, with the number of its item
  each,    // every item, or chain of linked items, stands alone
};

// How a refusal names an item of an atomic batch: "item 3", "row 100003"; an only item needs no number.
struct Numbering {
  const char* noun = "item";
  std::size_t first = 1;
  bool even_one = false;
};

// Posts the items in their order; each sees the effect of those before it.
void post_all(Store& store, std::vector<Item>& items, Mode mode, Numbering numbering = {});

// Posts one transaction: all or nothing. Throws Error when it is refused.
Outcome post(Store& store, std::vector<Line> lines, const Posting& posting);

// Takes entries that were inserted by hand into the books: the same checks, account by account, that
// `post` makes. That each transaction balances is for the end of the database transaction to see.
void adopt(Store& store, std::vector<RawEntry> entries);

}  // namespace ledgerflow
