// What happened: statements of accounts, and searches.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// Which lines of an account a statement shows.
struct StatementOptions {
  std::optional<Timestamp> from;      ///< posted at this time or later
  std::optional<Timestamp> to;        ///< posted before this time
  bool newest_first = true;           ///< or the oldest
  int page_size = 1000;               ///< lines that are fetched at a time, 1 to 10,000
  std::optional<std::string> after;   ///< the cursor of a line: continues behind it
  std::optional<std::string> ledger;  ///< as in PostOptions
};

/// A line of an account's statement.
struct StatementLine {
  Timestamp posted_at;                        ///< when it was posted
  Timestamp effective_at;                     ///< when it counts for the books
  TransactionId transaction;                  ///< the transaction that it belongs to
  int line = 0;                               ///< its place there, from 1
  std::optional<std::string> reference;       ///< the transaction's
  std::optional<std::string> description;     ///< the transaction's
  std::vector<std::string> counter_accounts;  ///< the other accounts of the transaction
  std::optional<Amount> debit;                ///< when it debits the account
  std::optional<Amount> credit;               ///< when it credits the account
  Amount balance;                             ///< after it, in the account's normal sign
  std::optional<std::string> metadata;        ///< the transaction's, a JSON object as text
  std::string cursor;                         ///< where the statement can be continued
};

/// What a transaction must be like to be found; what is not given does not matter.
struct TransactionFilter {
  std::optional<Timestamp> posted_from;         ///< posted at this time or later
  std::optional<Timestamp> posted_to;           ///< posted before this time
  std::optional<Timestamp> effective_from;      ///< counts from this time or later
  std::optional<Timestamp> effective_to;        ///< counts from before this time
  std::optional<std::string> account;           ///< has a line on it
  std::optional<std::string> status;            ///< `posted`, `partly_reversed` or `reversed`
  std::optional<std::string> reference;         ///< exactly this
  std::optional<std::string> reference_prefix;  ///< begins with this
  std::optional<Amount> min_amount;             ///< of its debits in one currency
  std::optional<Amount> max_amount;             ///< of its debits in one currency
  std::optional<std::string> metadata;          ///< contains this JSON object
  std::optional<std::string> type;              ///< exactly this
  std::optional<std::string> created_by;        ///< the role that posted it
  int page_size = 1000;                         ///< fetched at a time, 1 to 10,000
  std::optional<std::string> after;             ///< the cursor of one found: continues behind it
  std::optional<std::string> ledger;            ///< as in PostOptions
};

/// A transaction that was found.
struct FoundTransaction {
  TransactionId id;                        ///< its id
  Timestamp posted_at;                     ///< when it was posted
  Timestamp effective_at;                  ///< when it counts for the books
  std::optional<std::string> type;         ///< its type
  std::optional<std::string> reference;    ///< its reference
  std::optional<std::string> description;  ///< its description
  std::optional<Amount> amount;            ///< sum of its debits; nothing with several currencies
  std::optional<std::string> currency;     ///< its currency; nothing with several
  std::vector<std::string> accounts;       ///< those of its lines
  std::string status;                      ///< `posted`, `partly_reversed` or `reversed`
  std::optional<TransactionId> reverses;   ///< the transaction that it reverses
  std::optional<TransactionId> hold;       ///< the hold that it captures
  std::optional<std::string> metadata;     ///< a JSON object as text
  std::string created_by;                  ///< the role that posted it
  std::string cursor;                      ///< where the search can be continued
};

}  // namespace ledgerflow::client
