// The C++ client of ledgerflow, all of it. The guide is docs/client.md.
#pragma once

#include "ledgerflow/amount.hpp"
#include "ledgerflow/client.hpp"
#include "ledgerflow/condition.hpp"
#include "ledgerflow/error.hpp"
#include "ledgerflow/posting.hpp"
#include "ledgerflow/proof.hpp"
#include "ledgerflow/transaction_id.hpp"
