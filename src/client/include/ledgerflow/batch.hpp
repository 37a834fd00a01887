// Many postings in one call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/condition.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// What a batch item may say besides accounts and amount; as in PostOptions.
struct BatchItemOptions {
  std::optional<std::string> idempotency_key;  ///< as in PostOptions
  std::optional<std::string> reference;        ///< as in PostOptions
  std::optional<std::string> description;      ///< as in PostOptions
  std::optional<Timestamp> effective_at;       ///< as in PostOptions
  std::optional<std::string> metadata;         ///< as in PostOptions
  /// Stands or falls together with the next item (BatchMode::each only).
  bool linked = false;
};

/// A posting of two lines, by the accounts' codes.
struct BatchItem : BatchItemOptions {
  std::string debit;   ///< code of the account that is debited
  std::string credit;  ///< code of the account that is credited
  Amount amount;       ///< positive

  BatchItem() = default;
  /// With nothing but the money.
  BatchItem(std::string debit_account, std::string credit_account, const Amount& money)
      : debit(std::move(debit_account)), credit(std::move(credit_account)), amount(money) {}
};

/// A posting of two lines, by the accounts' ids, which saves the server a look-up.
struct BatchItemById : BatchItemOptions {
  std::int64_t debit = 0;   ///< id of the account that is debited
  std::int64_t credit = 0;  ///< id of the account that is credited
  Amount amount;            ///< positive

  BatchItemById() = default;
  /// With nothing but the money.
  BatchItemById(std::int64_t debit_account, std::int64_t credit_account, const Amount& money)
      : debit(debit_account), credit(credit_account), amount(money) {}
};

/// What a refused item does to the others.
enum class BatchMode : unsigned char {
  atomic,  ///< all items or none: the first bad one is the error of the call
  each     ///< every item, or chain of linked ones, stands alone
};

/// What may be said about a batch as a whole.
struct BatchOptions {
  BatchMode mode = BatchMode::atomic;  ///< what a refused item does
  std::optional<std::string> ledger;   ///< as in PostOptions
};

/// What came of an item.
struct BatchResult {
  /// What happened to it.
  enum class Status : unsigned char {
    posted,    ///< now
    replayed,  ///< before, under the same key
    refused    ///< not at all (BatchMode::each only)
  };
  Status status = Status::posted;      ///< what happened to it
  TransactionId transaction;           ///< its transaction; nil when refused
  std::optional<Condition> condition;  ///< why, when refused on a condition that the library knows
  std::string status_text;             ///< as the server says it: `posted`, or a condition's name
};

}  // namespace ledgerflow::client
