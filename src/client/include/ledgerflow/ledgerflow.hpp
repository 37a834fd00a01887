// The C++ client of ledgerflow, all of it. The guide is docs/client.md.
#pragma once

#include "ledgerflow/account.hpp"
#include "ledgerflow/amount.hpp"
#include "ledgerflow/batch.hpp"
#include "ledgerflow/client.hpp"
#include "ledgerflow/condition.hpp"
#include "ledgerflow/error.hpp"
#include "ledgerflow/history.hpp"
#include "ledgerflow/pages.hpp"
#include "ledgerflow/pool.hpp"
#include "ledgerflow/poster.hpp"
#include "ledgerflow/posting.hpp"
#include "ledgerflow/report.hpp"
#include "ledgerflow/retry.hpp"
#include "ledgerflow/table.hpp"
#include "ledgerflow/transaction.hpp"
#include "ledgerflow/transaction_id.hpp"
