// Ordinary heap tables, written without SQL: what the executor would do, and nothing that it would not.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// The tables that a posting writes, by the columns that it fills.
enum class HeapTable : unsigned char { account_balances, transactions, entries, idempotency_keys };
inline constexpr std::size_t heap_table_count = 4;
inline constexpr int most_heap_columns = 16;

// Where the ledger's columns are in its tables, or why they cannot be written without SQL.
struct HeapLayout {
  const char* obstacle = nullptr;  // nullptr: they can
  const char* obstacle_table = nullptr;
  // Attribute numbers, in the order of the lists in heap_tables.cpp.
  std::int16_t columns[heap_table_count][most_heap_columns] = {};

  friend bool operator==(const HeapLayout& a, const HeapLayout& b) {
    return a.obstacle == nullptr && b.obstacle == nullptr &&
           memcmp(a.columns, b.columns, sizeof a.columns) == 0;
  }
  const std::int16_t* of(HeapTable table) const { return columns[static_cast<std::size_t>(table)]; }
};

// Looks at the tables: only plain, local, permanent heap tables without foreign triggers, rules or columns
// that need computing are written without SQL. Raises.
HeapLayout read_heap_layout(const Ledger& ledger);

// A table that is open for writing, with its indexes. Opening raises; closing at the end of the call.
struct OpenTable {
  Relation relation = nullptr;
  ResultRelInfo* result = nullptr;

  bool is_open() const { return relation != nullptr; }
  // `may_conflict`: its unique indexes are to be looked at before rows are inserted.
  void open(Oid oid, CmdType operation, bool may_conflict = false);
  void close();

  // A slot for rows of the table.
  TupleTableSlot* make_slot() const;
  // Checks the constraints of a row that is stored in the slot.
  void check(TupleTableSlot* slot, EState* executor) const;
  // Inserts rows and their index entries.
  void insert(TupleTableSlot** slots, int count, EState* executor) const;
  // Replaces the row that was locked.
  void update(ItemPointer row, TupleTableSlot* slot, EState* executor) const;
};

}  // namespace ledgerflow
