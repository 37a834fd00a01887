// The tables `seals` and `seal_blocks`, read; and the way from a list of transactions to a tree.
#pragma once

#include "ext/sealed_rows.hpp"
#include "ext/server_sha256.hpp"

namespace ledgerflow {

// Seals in the order of their numbers, between these (both included), in the active snapshot.
class SealRows {
 public:
  SealRows(Ledger& ledger, std::int64_t from, std::int64_t to);
  // The next seal, or nullptr. It stays until the next call.
  const Seal* next();
  const TransactionId& last_transaction() const { return last_transaction_; }
  void close() { rows_.close(); }

 private:
  RowCursor rows_;
  Seal seal_;
  TransactionId last_transaction_;
};

struct SealBlock {
  std::int64_t number = 0;
  std::vector<TransactionId> ids;
  std::string marks;  // leaf_mark_size bytes for each
  Digest root{};
};

// The blocks of a seal, in order; or one of them.
class SealBlockRows {
 public:
  SealBlockRows(Ledger& ledger, std::int64_t seal);
  SealBlockRows(Ledger& ledger, std::int64_t seal, std::int64_t block);
  ~SealBlockRows() { MemoryContextDelete(scratch_); }
  SealBlockRows(const SealBlockRows&) = delete;
  SealBlockRows& operator=(const SealBlockRows&) = delete;

  // The next block, or nullptr. It stays until the next call.
  const SealBlock* next();
  void close() { rows_.close(); }

 private:
  RowCursor rows_;
  MemoryContext scratch_ = new_scratch();
  SealBlock block_;
};

// A seal as it stands in the active snapshot, with its last transaction.
struct LastSeal {
  Seal seal;
  TransactionId last_transaction;
};
std::optional<LastSeal> find_last_seal(Ledger& ledger);
std::optional<Seal> find_seal(Ledger& ledger, std::int64_t number);

// True where a subscription writes the ledger's transactions: their xact_id counts on another server.
bool is_subscriber(Ledger& ledger);
// The server as it stands in a seal; nothing for a subscriber.
std::optional<std::int64_t> sealing_server(Ledger& ledger);

// A digest as a table holds it; one of another length, which only a hand can have put there, becomes one
// that agrees with none.
Digest stored_digest(Datum value);

// The one row of a query, in the active snapshot. Columns count from 1.
class SingleRow {
 public:
  SingleRow(Ledger& ledger, const char* query, int parameters, const Oid* types,
            const Datum* values);
  std::optional<Datum> nullable(int column) const;
  Datum column(int column) const { return nullable(column).value(); }

 private:
  HeapTuple tuple_ = nullptr;
  TupleDesc descriptor_ = nullptr;
};

}  // namespace ledgerflow
