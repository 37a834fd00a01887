// What a posting is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/export.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

// One line of a transaction.
struct Line {
  std::string account;  // the account's code
  Amount amount;        // debit positive, credit negative
};

// A line that debits, or credits, the account by a positive amount; any other amount is refused as
// RefusedFor<Condition::invalid_amount>.
LEDGERFLOW_CLIENT_API Line debit(std::string account, const Amount& amount);
LEDGERFLOW_CLIENT_API Line credit(std::string account, const Amount& amount);

// What may be said about a posting besides its money. Texts are UTF-8.
struct PostOptions {
  // The caller's name for this request, 1 to 255 bytes: repeating the request under the same key
  // returns the first result and posts nothing; another request under it is refused
  // (idempotency_conflict).
  std::optional<std::string> idempotency_key;
  // Unique in its ledger, 1 to 255 bytes; an order's or invoice's number, say.
  std::optional<std::string> reference;
  // For people; at most 10,000 bytes.
  std::optional<std::string> description;
  // When it counts for the books; the time of posting when not given.
  std::optional<Timestamp> effective_at;
  // A JSON object as text, at most 64 KiB.
  std::optional<std::string> metadata;
  // Refuse (version_conflict) unless the debited account, or that of the first line, is at this
  // version.
  std::optional<std::int64_t> expected_version;
  // Which ledger; the session's setting `ledgerflow.ledger` when not given, which defaults to
  // `ledger`.
  std::optional<std::string> ledger;
};

}  // namespace ledgerflow::client
