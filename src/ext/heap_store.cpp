#include "ext/heap_store.hpp"

#include "ext/datums.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
}

namespace ledgerflow {

namespace {

// How many rows go to the table in one call, and into an index in its order.
constexpr std::size_t rows_per_insert = 16384;

// Positions in the lists of heap_tables.cpp.
enum BalanceColumn {
  balance_account,
  balance_version,
  balance_last_transaction,
  balance_stripe,
  balance_status,
  balance_debits_posted,
  balance_credits_posted,
  balance_debits_pending,
  balance_credits_pending,
  balance_min,
  balance_max
};
enum TransactionColumn {
  transaction_id,
  transaction_posted_at,
  transaction_effective_at,
  transaction_xact_id,
  transaction_created_by,
  transaction_reference,
  transaction_description,
  transaction_metadata,
  transaction_reverses,
  transaction_hold
};
enum EntryColumn {
  entry_account,
  entry_transaction,
  entry_line,
  entry_stripe,
  entry_amount,
  entry_balance_after
};
enum KeyColumn { key_key, key_transaction, key_created_at, key_request };

// Fills a row by column.
struct RowWriter {
  TupleTableSlot* slot;
  const std::int16_t* columns;

  RowWriter(TupleTableSlot* row, const std::int16_t* layout) : slot(row), columns(layout) {
    ExecClearTuple(slot);
    const auto count = static_cast<std::size_t>(slot->tts_tupleDescriptor->natts);
    memset(slot->tts_isnull, true, count * sizeof(bool));
    memset(slot->tts_values, 0, count * sizeof(Datum));
  }
  void set(int column, Datum value) const {
    slot->tts_values[columns[column] - 1] = value;
    slot->tts_isnull[columns[column] - 1] = false;
  }
  void finish() const { ExecStoreVirtualTuple(slot); }
};

Units units_of(TupleTableSlot* slot, int attribute, int scale) {
  Units units = 0;
  if (units_from_numeric(PointerGetDatum(PG_DETOAST_DATUM_PACKED(slot->tts_values[attribute - 1])),
                         scale, units) != AmountStatus::ok)
    raise_damaged("a ledger's row holds an amount that no ledger writes");
  return units;
}

// A key turned up between the look and the insertion. One item is answered; of several, a retry finds out
// which one it was.
[[noreturn]] void refuse_raced_key(const std::vector<KeyClaim>& claims) {
  if (claims.size() == 1)
    throw Error(Condition::idempotency_conflict,
                "idempotency key " + quoted(claims[0].key) +
                    " was used for a different request at the same time");
  pg_call([] {
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("an idempotency key of the batch was used at the same time"),
                    errhint("Retry the transaction.")));
  });
  pg_unreachable();
}

[[noreturn]] void refuse_concurrent_update() {
  ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                  errmsg("could not serialize access due to concurrent update")));
  pg_unreachable();
}

}  // namespace

// The row where the session has found it before, if it is there still. This spares the descent into the
// index, and the clean-up of the page that reading through an index tries each time: it is left until the
// page has little room, since each version that goes makes room for one update.
bool HeapStore::find_remembered_row(const Account& account, BlockNumber blocks, ItemPointer row) {
  static_assert(sizeof *row <= sizeof account.place);
  memcpy(row, &account.place, sizeof *row);
  if (!ItemPointerIsValid(row)) return false;
  const BlockNumber block = ItemPointerGetBlockNumber(row);
  if (block >= blocks) return false;
  const Buffer buffer = ReadBuffer(balances_.relation, block);
  Page page = BufferGetPage(buffer);
  const bool is_full = (reinterpret_cast<PageHeader>(page)->pd_flags & PD_PAGE_FULL) != 0;
  if (is_full || PageGetHeapFreeSpace(page) < BLCKSZ / 4)
    heap_page_prune_opt(balances_.relation, buffer);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  HeapTupleData tuple;
  bool found = heap_hot_search_buffer(row, balances_.relation, buffer, GetActiveSnapshot(), &tuple,
                                      nullptr, true);
  if (found) {
    const std::int16_t* columns = layout_.of(HeapTable::account_balances).columns;
    const TupleDesc descriptor = RelationGetDescr(balances_.relation);
    bool is_null = false;
    found = DatumGetInt64(heap_getattr(&tuple, columns[balance_account], descriptor, &is_null)) ==
                account.id &&
            DatumGetInt16(heap_getattr(&tuple, columns[balance_stripe], descriptor, &is_null)) == 0;
  }
  UnlockReleaseBuffer(buffer);
  return found;
}

void HeapStore::find_row(const Account& account, TupleTableSlot* slot, ItemPointer row) {
  if (balance_scan_ == nullptr)
    balance_scan_ =
        index_beginscan(balances_.relation, balances_.primary_key(), GetActiveSnapshot(), 2, 0);
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(account.id));
  ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(0));
  index_rescan(balance_scan_, keys, 2, nullptr, 0);
  for (;;) {
    const ItemPointer found = index_getnext_tid(balance_scan_, ForwardScanDirection);
    if (found == nullptr) refuse_missing_balance();
    // What the index points to stays where it is while the row is updated within its page.
    memcpy(&account.place, found, sizeof *found);
    if (index_fetch_heap(balance_scan_, slot)) break;
  }
  *row = slot->tts_tid;
}

void HeapStore::lock_row(Balance& balance, std::size_t number, ItemPointer row,
                         TupleTableSlot* slot) {
  const std::int16_t* columns = layout_.of(HeapTable::account_balances).columns;
  // The newest version in READ COMMITTED; otherwise the one that the snapshot shows, or an error.
  const bool newest = !IsolationUsesXactSnapshot();
  TM_FailureData failure;
  const TM_Result result = table_tuple_lock(
      balances_.relation, row, GetActiveSnapshot(), slot, GetCurrentCommandId(false),
      LockTupleNoKeyExclusive, LockWaitBlock,
      static_cast<uint8>(newest ? TUPLE_LOCK_FLAG_FIND_LAST_VERSION : 0), &failure);
  if (result != TM_Ok) {
    if (!newest && (result == TM_Updated || result == TM_Deleted)) refuse_concurrent_update();
    elog(ERROR, "could not lock the balance of an account: %d", static_cast<int>(result));
  }
  slot_getallattrs(slot);
  const auto is_null = [&](int column) { return slot->tts_isnull[columns[column] - 1]; };
  const auto value = [&](int column) { return slot->tts_values[columns[column] - 1]; };
  // Only who has taken a NOT NULL away can have put one there.
  for (const int column : {balance_account, balance_version, balance_status, balance_debits_posted,
                           balance_credits_posted, balance_debits_pending, balance_credits_pending})
    if (is_null(column)) raise_damaged("the balance of an account has a NULL where none may be");
  const int scale = balance.account->scale;
  if (DatumGetInt64(value(balance_account)) != balance.account->id)
    raise_damaged("the balance of an account has become another's");
  balance.version = DatumGetInt64(value(balance_version));
  if (!is_null(balance_last_transaction))
    balance.last_transaction = id_from_datum(value(balance_last_transaction));
  const std::optional<Status> status =
      status_from_string(view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(value(balance_status)))));
  if (!status) raise_damaged("an account of the ledger has an unknown status");
  balance.status = *status;
  balance.debits_posted = units_of(slot, columns[balance_debits_posted], scale);
  balance.credits_posted = units_of(slot, columns[balance_credits_posted], scale);
  balance.debits_pending = units_of(slot, columns[balance_debits_pending], scale);
  balance.credits_pending = units_of(slot, columns[balance_credits_pending], scale);
  if (!is_null(balance_min)) balance.min_balance = units_of(slot, columns[balance_min], scale);
  if (!is_null(balance_max)) balance.max_balance = units_of(slot, columns[balance_max], scale);
  locked_[number] = ExecCopySlotHeapTuple(slot);
  locked_[number]->t_self = slot->tts_tid;
}

void HeapStore::lock_rows(std::vector<Balance>& balances) {
  if (!balances_.is_open())
    balances_.open(ledger_.relation(Table::account_balances),
                   layout_.of(HeapTable::account_balances), CMD_UPDATE);
  const BlockNumber blocks = RelationGetNumberOfBlocks(balances_.relation);
  TupleTableSlot* slot = balances_.make_slot();
  for (std::size_t i = 0; i < balances.size(); ++i) {
    ItemPointerData row;
    const Account& account = *balances[i].account;
    if (!find_remembered_row(account, blocks, &row)) find_row(account, slot, &row);
    lock_row(balances[i], i, &row, slot);
  }
  if (balance_scan_ != nullptr) index_endscan(balance_scan_);
  balance_scan_ = nullptr;
  ExecDropSingleTupleTableSlot(slot);
}

void HeapStore::lock_balances(std::vector<Balance>& balances) {
  locked_.resize(balances.size());
  pg_call([&] {
    // What came before in the database transaction is visible from here on, and in READ COMMITTED what
    // others have committed.
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    lock_rows(balances);
    LockRelationOid(ledger_.relation(Table::transactions), RowExclusiveLock);
    if (ledger_.stale) {
      layout_ = read_heap_layout(ledger_);
      if (layout_.obstacle != nullptr) refuse_changed_tables();
    }
    PopActiveSnapshot();
  });
}

// A key that nobody has is taken at once. Sessions that repeat one request are here one after the other:
// they have the locks of its accounts. So a key that turns up between the look and the insertion belongs
// to a different request.
void HeapStore::insert_key(const KeyClaim& claim, TupleTableSlot* slot) {
  const RowWriter row(slot, layout_.of(HeapTable::idempotency_keys).columns);
  row.set(key_key, new_text(claim.key));
  row.set(key_transaction, datum_of(claim.id));
  row.set(key_created_at, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
  row.finish();
  keys_.check(slot);
  keys_.insert(&slot, 1);
}

void HeapStore::claim_keys(std::vector<KeyClaim>& claims) {
  // Requests that are kept with their key, and keys that are taken, go through SQL.
  std::vector<KeyClaim> rest;
  std::vector<std::size_t> rest_numbers;
  std::vector<bool> taken(claims.size(), false);
  try {
    pg_call([&] {
      if (!keys_.is_open())
        keys_.open(ledger_.relation(Table::idempotency_keys),
                   layout_.of(HeapTable::idempotency_keys), CMD_INSERT);
      TupleTableSlot* slot = keys_.make_slot();
      Relation index = keys_.primary_key();
      // Whatever stands in the index under the key, dead or alive, is for SQL to look at.
      IndexScanDesc scan = index_beginscan(keys_.relation, index, SnapshotAny, 1, 0);
      for (std::size_t i = 0; i < claims.size(); ++i) {
        if (claims[i].request != nullptr) continue;
        ScanKeyData key;
        ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid,
                               index->rd_indcollation[0], F_TEXTEQ, new_text(claims[i].key));
        index_rescan(scan, &key, 1, nullptr, 0);
        if (index_getnext_tid(scan, ForwardScanDirection) != nullptr) continue;
        insert_key(claims[i], slot);
        taken[i] = true;
      }
      index_endscan(scan);
      ExecDropSingleTupleTableSlot(slot);
    });
  } catch (const PgError& error) {
    if (error.data->sqlerrcode != ERRCODE_UNIQUE_VIOLATION) throw;
    refuse_raced_key(claims);
  }
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (taken[i]) continue;
    rest.push_back(claims[i]);
    rest_numbers.push_back(i);
  }
  if (rest.empty()) return;
  SpiStore::claim_keys(rest);
  for (std::size_t i = 0; i < rest.size(); ++i) claims[rest_numbers[i]] = rest[i];
}

void HeapStore::insert_transactions(const std::vector<const Journal::Transaction*>& transactions) {
  OpenTable table;
  table.open(ledger_.relation(Table::transactions), layout_.of(HeapTable::transactions),
             CMD_INSERT);
  const Datum xact_id = FullTransactionIdGetDatum(GetTopFullTransactionId());
  const Datum author = CStringGetTextDatum(GetUserNameFromId(author_, false));
  const std::size_t chunk = std::min(transactions.size(), rows_per_insert);
  TupleTableSlot** slots = table.make_slots(chunk);
  for (std::size_t first = 0; first < transactions.size(); first += chunk) {
    const std::size_t count = std::min(chunk, transactions.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      const Journal::Transaction& transaction = *transactions[first + i];
      const Posting& posting = *transaction.posting;
      const RowWriter row(slots[i], layout_.of(HeapTable::transactions).columns);
      row.set(transaction_id, datum_of(transaction.id));
      row.set(transaction_posted_at, TimestampTzGetDatum(timestamp_of(transaction.posted_at)));
      row.set(
          transaction_effective_at,
          TimestampTzGetDatum(timestamp_of(posting.effective_at.value_or(transaction.posted_at))));
      row.set(transaction_xact_id, xact_id);
      row.set(transaction_created_by, author);
      if (posting.reference) row.set(transaction_reference, new_text(*posting.reference));
      if (posting.description) row.set(transaction_description, new_text(*posting.description));
      if (posting.metadata)
        row.set(transaction_metadata, PointerGetDatum(posting.metadata->data()));
      if (transaction.reverses) row.set(transaction_reverses, datum_of(*transaction.reverses));
      if (transaction.hold) row.set(transaction_hold, datum_of(*transaction.hold));
      row.finish();
      table.check(slots[i]);
    }
    table.insert(slots, static_cast<int>(count));
  }
  OpenTable::drop_slots(slots, chunk);
  table.close();
}

void HeapStore::insert_entries(const std::vector<Journal::Entry>& entries) {
  OpenTable table;
  table.open(ledger_.relation(Table::entries), layout_.of(HeapTable::entries), CMD_INSERT);
  const std::size_t chunk = std::min(entries.size(), rows_per_insert);
  TupleTableSlot** slots = table.make_slots(chunk);
  for (std::size_t first = 0; first < entries.size(); first += chunk) {
    const std::size_t count = std::min(chunk, entries.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      const Journal::Entry& entry = entries[first + i];
      const RowWriter row(slots[i], layout_.of(HeapTable::entries).columns);
      row.set(entry_account, Int64GetDatum(entry.account->id));
      row.set(entry_transaction, datum_of(entry.transaction));
      row.set(entry_line, Int16GetDatum(static_cast<std::int16_t>(entry.line)));
      row.set(entry_stripe, Int16GetDatum(0));
      row.set(entry_amount, numeric_from_units(entry.amount, entry.account->scale));
      row.set(entry_balance_after, numeric_from_units(entry.balance_after, entry.account->scale));
      row.finish();
      table.check(slots[i]);
    }
    table.insert(slots, static_cast<int>(count));
  }
  OpenTable::drop_slots(slots, chunk);
  table.close();
}

void HeapStore::update_rows(const std::vector<Balance>& balances) {
  const std::int16_t* columns = layout_.of(HeapTable::account_balances).columns;
  TupleTableSlot* slot =
      MakeSingleTupleTableSlot(RelationGetDescr(balances_.relation), &TTSOpsHeapTuple);
  for (std::size_t i = 0; i < balances.size(); ++i) {
    const Balance& balance = balances[i];
    if (!balance.changed) continue;
    const int scale = balance.account->scale;
    int numbers[] = {columns[balance_version],        columns[balance_last_transaction],
                     columns[balance_debits_posted],  columns[balance_credits_posted],
                     columns[balance_debits_pending], columns[balance_credits_pending]};
    Datum values[] = {Int64GetDatum(balance.version),
                      balance.last_transaction ? datum_of(*balance.last_transaction) : Datum{0},
                      numeric_from_units(balance.debits_posted, scale),
                      numeric_from_units(balance.credits_posted, scale),
                      numeric_from_units(balance.debits_pending, scale),
                      numeric_from_units(balance.credits_pending, scale)};
    bool nulls[] = {false, !balance.last_transaction, false, false, false, false};
    HeapTuple row = heap_modify_tuple_by_cols(locked_[i], RelationGetDescr(balances_.relation), 6,
                                              numbers, values, nulls);
    ExecStoreHeapTuple(row, slot, false);
    balances_.check(slot);
    balances_.update(&locked_[i]->t_self, slot);
  }
  ExecDropSingleTupleTableSlot(slot);
}

void HeapStore::write(const Journal& journal, const std::vector<Balance>& balances) {
  if (!journal.transactions.empty()) {
    const std::vector<const Journal::Transaction*> transactions = by_reference(journal);
    catch_duplicate_reference(journal,
                              [&] { pg_call([&] { insert_transactions(transactions); }); });
  }
  pg_call([&] {
    if (!journal.entries.empty()) insert_entries(journal.entries);
    update_rows(balances);
    CommandCounterIncrement();
  });
  if (!journal.dated.empty()) write_effective(journal);
  write_rest(journal);
}

void HeapStore::finish() {
  pg_call([&] {
    balances_.close();
    keys_.close();
  });
}

std::unique_ptr<SpiStore> choose_store(Call& call) {
  // Under their locks the tables stay as they are found now: of this format, too. Transactions is locked after
  // the rows, as a closing of a period expects.
  call.lock_tables({Table::account_balances, Table::entries, Table::idempotency_keys});
  const StoreSetting wanted = store_setting();
  if (wanted != StoreSetting::spi) {
    const HeapLayout& layout = call.ledger().heap_layout();
    if (layout.obstacle == nullptr)
      return std::make_unique<HeapStore>(call.ledger(), call.caller(), layout);
    if (wanted == StoreSetting::heap)
      throw Error(Condition::invalid_argument,
                  std::string("ledgerflow.store is heap, but table \"") + layout.obstacle_table +
                      "\" " + layout.obstacle,
                  {}, "Set ledgerflow.store to auto or spi.");
  }
  return std::make_unique<SpiStore>(call.ledger(), call.caller());
}

}  // namespace ledgerflow
