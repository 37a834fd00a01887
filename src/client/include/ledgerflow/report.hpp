// Rows of what the ledger reports about itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledgerflow/amount.hpp"

namespace ledgerflow::client {

/// One account of the trial balance.
struct TrialBalanceLine {
  std::string account;              ///< its code
  std::string type;                 ///< its type
  std::string currency;             ///< its currency
  Amount debit;                     ///< the balance, when it is one of debit; else zero
  Amount credit;                    ///< the balance, when it is one of credit; else zero
  std::optional<std::string> name;  ///< for people
  Amount debits_posted;             ///< sum of all debits
  Amount credits_posted;            ///< sum of all credits
};

/// Something that `ledger_verify()` found wrong.
struct Finding {
  std::string check_name;               ///< which check
  std::optional<std::string> object;    ///< what it looked at
  std::optional<std::string> expected;  ///< what should be there
  std::optional<std::string> found;     ///< what is there
};

/// What `ledger_maintain()` has done.
struct Maintenance {
  std::int64_t keys_deleted = 0;   ///< idempotency keys past their retention
  std::int64_t holds_expired = 0;  ///< holds past their expiry
};

}  // namespace ledgerflow::client
