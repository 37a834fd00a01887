// Opening accounts: shared by ledger_open_account, ledger_import and the trigger for rows inserted by hand.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

struct Limits {
  std::optional<Datum> min_balance;
  std::optional<Datum> max_balance;
};

struct OpenRequest {
  std::optional<std::string_view> code, type, currency, name, metadata;
  Limits limits;
};

// What can be said of a request without looking at the ledger.
void check_open_request(const OpenRequest& request);

// Opens the account and returns its id, or that of the same one which is open. As the ledger's owner.
std::int64_t open_account(Call& call, const OpenRequest& request);

// Refuses metadata (a whole jsonb value) that is not an object or is too large.
void check_account_metadata(std::string_view json);

// The row of account_balances of a new account, with the limits of its account type.
void insert_balance_of_type(Ledger& ledger, const Account& account);

}  // namespace ledgerflow
