// Opening accounts: shared by ledger_open_account and by the trigger for rows inserted by hand.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// Refuses metadata (a whole jsonb value) that is not an object or is too large.
void check_account_metadata(std::string_view json);

// The row of account_balances of a new account, with the limits of its account type.
void insert_balance_of_type(Ledger& ledger, const Account& account);

}  // namespace ledgerflow
