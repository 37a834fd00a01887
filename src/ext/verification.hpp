// Verification: what its functions share.
//
// One pass over all entries and headers that proves most of the books with a few machine instructions for
// each row. It tells where something is wrong, not what: that is for SQL statements, which look closely at
// what is suspect. What it finds sound is sound.
#pragma once

#include "ext/datums.hpp"
#include "ext/session.hpp"

namespace ledgerflow {

// What an SQL statement has to look at closely.
struct Suspects {
  std::vector<std::int64_t> accounts;  // entries, balance_after or totals
  bool transactions = false;           // sums, lines, headers
  bool keys = false;                   // of idempotency, in a full run
  bool periods = false;                // something was posted with an earlier effective time
  bool dated = false;                  // something was posted with another effective time
  std::uint64_t transactions_read = 0;
  std::uint64_t entries_read = 0;
};

// From where an incremental verification reads on: rows with this xact_id or a later one. Ids of such rows
// are not smaller than `first_id`.
struct VerifiedPoint {
  std::uint64_t horizon = 0;
  TransactionId first_id;
  TransactionId first_unseen_id;  // of what was posted after the run itself; an estimate
};

// Of the newest run that had no findings on this server; nothing when there is none.
std::optional<VerifiedPoint> verified_point(Ledger& ledger);

// Long runs say how far they are, by a NOTICE every so often: ledgerflow.progress.
class Progress {
 public:
  explicit Progress(const Ledger& ledger);
  // Called inside the executor.
  void tell(const char* what, std::uint64_t done, Table table);

 private:
  const Ledger& ledger_;
  const TimestampTz started_;
  TimestampTz told_;
};

// Looks at the whole ledger, or at what came after a point. Inside an SPI connection, in the active snapshot,
// with the privileges of the current user.
Suspects find_suspects(Ledger& ledger, const std::optional<VerifiedPoint>& since);

}  // namespace ledgerflow
