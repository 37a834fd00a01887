// Ordinary heap tables, written without SQL: what the executor would do, and nothing that it would not.
#pragma once

#include "ext/session.hpp"

namespace ledgerflow {

// The tables that a posting writes, by the columns that it fills.
enum class HeapTable : unsigned char { account_balances, transactions, entries, idempotency_keys };
inline constexpr std::size_t heap_table_count = 4;
inline constexpr int most_heap_columns = 16;
inline constexpr int most_heap_indexes = 12;
inline constexpr int most_index_columns = 4;

// An index that takes rows without the executor: a B-tree over columns, of all rows or of those that have
// one of the columns.
struct HeapIndex {
  Oid oid;
  std::int16_t column_count;
  std::int16_t columns[most_index_columns];
  std::int16_t required;  // rows with NULL in this column are left out; 0: none is
  std::int16_t is_unique;
  std::int16_t is_by_number;  // its first column is a bigint: many rows go in faster in its order
};

struct HeapTableLayout {
  std::int16_t columns[most_heap_columns];  // attribute numbers, in the order of heap_tables.cpp
  std::int16_t needs_executor;  // it has constraints or indexes that are the executor's business
  std::int16_t index_count;
  HeapIndex indexes[most_heap_indexes];
};

// Where the ledger's columns are in its tables, or why they cannot be written without SQL.
struct HeapLayout {
  const char* obstacle = nullptr;  // nullptr: they can
  const char* obstacle_table = nullptr;
  HeapTableLayout tables[heap_table_count] = {};

  const HeapTableLayout& of(HeapTable table) const {
    return tables[static_cast<std::size_t>(table)];
  }
};

// Looks at the tables: only plain, local, permanent heap tables without foreign triggers, rules or columns
// that need computing are written without SQL. Raises.
HeapLayout read_heap_layout(const Ledger& ledger);

// A table that is open for writing. Everything here raises; closing is for calls that succeed.
class OpenTable {
 public:
  Relation relation = nullptr;

  bool is_open() const { return relation != nullptr; }
  // The layout must live as long as the table is open, and stay what it is.
  void open(Oid oid, const HeapTableLayout& layout, CmdType operation);
  void close();

  // The primary key's index.
  Relation primary_key();
  // A slot for rows of the table.
  TupleTableSlot* make_slot() const;
  // Several, for rows that are made from nothing.
  TupleTableSlot** make_slots(std::size_t count) const;
  static void drop_slots(TupleTableSlot** slots, std::size_t count);
  // Checks the constraints of a row that is stored in the slot.
  void check(TupleTableSlot* slot) const;
  // Inserts rows and their index entries.
  void insert(TupleTableSlot** slots, int count);
  // Replaces the row that was locked.
  void update(ItemPointer row, TupleTableSlot* slot);

 private:
  Relation index(int number);
  void insert_into_index(int number, TupleTableSlot** slots, int count);

  const HeapTableLayout* layout_ = nullptr;
  Relation indexes_[most_heap_indexes] = {};  // opened when they are needed
  Relation primary_key_ = nullptr;            // if it is none of them
  IndexInfo* index_info_ = nullptr;
  // Where the layout says so:
  ResultRelInfo* result_ = nullptr;
  EState* executor_ = nullptr;
};

}  // namespace ledgerflow
