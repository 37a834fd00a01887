// Accounts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// What may be said when an account is opened.
struct AccountOptions {
  std::optional<std::string> name;    ///< for people
  std::optional<Amount> min_balance;  ///< floor in the normal sign; that of the type when not given
  std::optional<Amount> max_balance;  ///< ceiling; that of the type when not given
  std::optional<std::string> metadata;  ///< a JSON object as text
  std::optional<std::string> ledger;    ///< as in PostOptions
};

/// Limits of an account's balance in its normal sign; nothing: none.
struct Limits {
  std::optional<Amount> min_balance;  ///< the floor
  std::optional<Amount> max_balance;  ///< the ceiling
};

/// Which postings a freeze refuses.
enum class Direction : unsigned char {
  both,   ///< all
  debit,  ///< those that debit the account
  credit  ///< those that credit it
};

/// Of changes that are kept in the ledger's history: why, and in which ledger.
struct ChangeOptions {
  std::optional<std::string> reason;  ///< for the history
  std::optional<std::string> ledger;  ///< as in PostOptions
};

/// An account and where it stands: a row of the ledger's view `balances`.
struct Account {
  std::string code;                               ///< unique in its ledger
  std::string type;                               ///< `asset`, `liability` ...
  std::string currency;                           ///< `USD`
  std::optional<std::string> name;                ///< for people
  std::string normal_side;                        ///< `debit` or `credit`
  Amount balance;                                 ///< posted, in the normal sign
  Amount available;                               ///< less what is reserved
  Amount debits_posted;                           ///< sum of all debits
  Amount credits_posted;                          ///< sum of all credits
  Amount debits_pending;                          ///< reserved by holds
  Amount credits_pending;                         ///< reserved by holds
  std::optional<Amount> min_balance;              ///< the floor; nothing: none
  std::optional<Amount> max_balance;              ///< the ceiling; nothing: none
  std::string status;                             ///< `open`, `frozen`, `closed` ...
  std::int64_t version = 0;                       ///< number of its entries
  std::optional<TransactionId> last_transaction;  ///< the newest on it
  std::optional<std::string> metadata;            ///< a JSON object as text
  Timestamp created_at;                           ///< when it was opened
};

}  // namespace ledgerflow::client
