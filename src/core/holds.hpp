// Holds: reserving money, posting what was reserved, giving it back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ledger.hpp"
#include "core/store.hpp"

namespace ledgerflow {

struct HoldRequest {
  Posting posting;
  std::vector<Line> lines;
  std::optional<std::int64_t> expires_at;  // microseconds since 1970
  std::string expiry_as_sent = "none";     // told apart when the request is repeated
  // When the request came, if the expiry counts from then: what it waits does not shorten the hold.
  std::optional<std::int64_t> sent_at;
};

struct CaptureRequest {
  TransactionId hold;
  std::optional<Units>
      amount;  // of a hold of two lines; neither amount nor lines: all that is left
  std::vector<Line> lines;
  bool final = true;  // what is left is given back
  Posting posting;    // texts, effective time and key of the captured part
};

// Checks of a hold's expiry: in the future, at most 100 years.
void check_expiry(std::int64_t expires_at, std::int64_t now);

// Places a hold and returns its id.
TransactionId place_hold(Store& store, const HoldRequest& request);

// Posts what was reserved, in whole or in part, and returns the id of the new transaction.
TransactionId capture_hold(Store& store, const CaptureRequest& request);

// Gives back what is left of a hold.
void release_hold(Store& store, const TransactionId& id, std::optional<std::string_view> reason,
                  std::optional<std::string_view> key);

// Reserves more: by an amount on a hold of two lines, or by lines.
void raise_hold(Store& store, const TransactionId& id, std::optional<Units> amount,
                std::vector<Line> lines, std::optional<std::string_view> key);

// Gives back what holds past their expiry have reserved; returns how many.
std::size_t expire_holds(Store& store, std::size_t most);

// Lines in one text, to compare requests by.
std::string show_lines(const std::vector<Line>& lines);

}  // namespace ledgerflow
