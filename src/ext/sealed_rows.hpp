// Transactions with all their lines, read from the tables and written as the text that a seal hashes.
#pragma once

#include "ext/datums.hpp"
#include "ext/session.hpp"

namespace ledgerflow {

inline constexpr TransactionId lowest_id{};
TransactionId highest_id();

// In UTF-8, whatever the database is in: a restore into another encoding does not change it. May raise.
std::string_view in_utf8(std::string_view text);

// A memory context for what is needed as long as one row is, below the current one.
MemoryContext new_scratch();

// Runs `body` with a memory context of its own.
template <typename Body>
auto in_context(MemoryContext context, Body&& body) {
  return pg_call([&] {
    const MemoryContext outer = MemoryContextSwitchTo(context);
    const auto result = body();
    MemoryContextSwitchTo(outer);
    return result;
  });
}

// The rows of a query, fetched by the thousand. Lives within one call.
class RowCursor {
 public:
  RowCursor(SPIPlanPtr plan, const Datum* values);
  RowCursor(const RowCursor&) = delete;
  RowCursor& operator=(const RowCursor&) = delete;

  // False after the last row.
  bool next();
  // Done with, when not all rows were read. After an error, the end of the transaction does it.
  void close();
  // Of the current row. Values live until the next row is asked for.
  bool is_null(int column) const { return nulls_[column]; }
  Datum value(int column) const {
    // Only who has taken a NOT NULL away can have put one there.
    if (nulls_[column])
      throw Error(Condition::damaged_ledger, "a row of the ledger has a NULL where none may be");
    return values_[column];
  }
  // Whether `next` has just fetched, and the fetched rows' values of a bigint column.
  bool fetched() const { return at_ == 1; }
  std::vector<std::int64_t> fetched_bigints(int column) const;

 private:
  static constexpr int most_columns = 16;
  Portal portal_;  // nullptr: closed
  SPITupleTable* rows_ = nullptr;
  std::uint64_t count_ = 0;
  std::uint64_t at_ = 0;  // rows taken of those that were fetched
  Datum values_[most_columns];
  bool nulls_[most_columns];
};

// A uuid[] of these ids, in the current memory context.
Datum new_id_array(const std::vector<TransactionId>& ids);

struct SealedTransaction {
  TransactionId id;
  std::uint64_t xact_id = 0;
  std::int64_t entries = 0;
  SealedText text;
};

// Reads in the order of ids, in the active snapshot, with the current user's privileges.
class SealedRows {
 public:
  // Everything above `after`, up to and with `through`.
  SealedRows(Ledger& ledger, const TransactionId& after, const TransactionId& through);
  // These transactions, as far as there are any.
  SealedRows(Ledger& ledger, const std::vector<TransactionId>& ids);
  ~SealedRows();
  SealedRows(const SealedRows&) = delete;
  SealedRows& operator=(const SealedRows&) = delete;

  // The next transaction, or nullptr. It stays until the next call.
  const SealedTransaction* next();

 private:
  SealedRows(Ledger& ledger, const char* headers, const char* entries,
             const std::array<Datum, 2>& values, int parameters, const Oid* types);
  void write_header();
  void write_line();
  bool next_entry();
  void read_accounts();

  Ledger& ledger_;
  MemoryContext scratch_;  // of one transaction
  RowCursor headers_;
  RowCursor entries_;
  bool has_entry_ = false;
  SealedTransaction transaction_;
  // Code, type and currency as they stand in a line; read anew by each reader.
  std::unordered_map<std::int64_t, std::string> accounts_;
};

}  // namespace ledgerflow
