// Journals of other programs: out of the ledger and into it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// What to export.
struct ExportOptions {
  std::string format = "hledger";     ///< `hledger`, `ledger`, `beancount` or `csv`
  std::optional<Timestamp> from;      ///< effective from this time on
  std::optional<Timestamp> to;        ///< effective before this time
  std::optional<std::string> ledger;  ///< as in PostOptions
};

/// How to import.
struct ImportOptions {
  std::string format = "hledger";          ///< `hledger`, `ledger`, `beancount` or `csv`
  std::optional<std::string> key_prefix;   ///< of the idempotency keys
  bool open_accounts = true;               ///< those that are not there yet
  bool add_currencies = true;              ///< those that are not there yet
  std::optional<std::string> accounts;     ///< JSON object: codes for the journal's accounts
  std::optional<std::string> commodities;  ///< JSON object: currencies for its commodities
  std::optional<std::string> ledger;       ///< as in PostOptions
};

/// What an import has done.
struct Imported {
  std::int64_t transactions = 0;      ///< posted
  std::int64_t replayed = 0;          ///< there already, from an earlier import
  std::int64_t entries = 0;           ///< posted
  std::int64_t accounts_opened = 0;   ///< new accounts
  std::int64_t currencies_added = 0;  ///< new currencies
  std::int64_t balances_checked = 0;  ///< assertions of the journal that held
};

}  // namespace ledgerflow::client
