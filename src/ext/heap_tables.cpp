#include "ext/heap_tables.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "rewrite/prs2lock.h"
}

namespace ledgerflow {

namespace {

// The columns that a posting fills, in the order in which HeapLayout has them, and whether it leaves them
// NULL at times. Any other column must be one that may stay NULL.
struct Column {
  const char* name;
  Oid type;
  bool is_optional = false;
};
constexpr Column columns_of[heap_table_count][most_heap_columns] = {
    {{"account_id", INT8OID},
     {"version", INT8OID},
     {"last_transaction_id", UUIDOID, true},
     {"stripe", INT2OID},
     {"status", TEXTOID},
     {"debits_posted", NUMERICOID},
     {"credits_posted", NUMERICOID},
     {"debits_pending", NUMERICOID},
     {"credits_pending", NUMERICOID},
     {"min_balance", NUMERICOID, true},
     {"max_balance", NUMERICOID, true}},
    {{"id", UUIDOID},
     {"posted_at", TIMESTAMPTZOID},
     {"effective_at", TIMESTAMPTZOID},
     {"xact_id", XID8OID},
     {"created_by", TEXTOID},
     {"reference", TEXTOID, true},
     {"description", TEXTOID, true},
     {"metadata", JSONBOID, true},
     {"reverses", UUIDOID, true},
     {"hold", UUIDOID, true},
     {"type", TEXTOID, true}},
    {{"account_id", INT8OID},
     {"transaction_id", UUIDOID},
     {"line", INT2OID},
     {"stripe", INT2OID},
     {"amount", NUMERICOID},
     {"balance_after", NUMERICOID}},
    {{"key", TEXTOID},
     {"transaction_id", UUIDOID},
     {"created_at", TIMESTAMPTZOID},
     {"request", JSONBOID, true}},
};
constexpr Table tables[heap_table_count] = {Table::account_balances, Table::transactions,
                                            Table::entries, Table::idempotency_keys};

// A C function of ours. Nobody but a superuser can make another one under such a name.
bool is_own_function(Oid function) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(tuple)) return false;
  bool is_null = false;
  const Datum symbol = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);
  constexpr std::string_view prefix = "ledgerflow_";
  const bool own = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang == ClanguageId &&
                   !is_null &&
                   strncmp(TextDatumGetCString(symbol), prefix.data(), prefix.size()) == 0;
  ReleaseSysCache(tuple);
  return own;
}

// Our own triggers do nothing while the ledger writes; those of others have to fire.
bool has_foreign_trigger(const TriggerDesc* triggers, std::int16_t event) {
  if (triggers == nullptr) return false;
  for (int i = 0; i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if ((trigger.tgtype & event) == 0 || trigger.tgenabled == TRIGGER_DISABLED) continue;
    if (!is_own_function(trigger.tgfoid)) return true;
  }
  return false;
}

const char* find_obstacle(Relation relation, HeapTable table) {
  const FormData_pg_class& form = *relation->rd_rel;
  const bool updated = table == HeapTable::account_balances;
  if (form.relkind != RELKIND_RELATION) return "is not an ordinary table";
  if (form.relam != HEAP_TABLE_AM_OID) return "has another access method than heap";
  if (form.relpersistence != RELPERSISTENCE_PERMANENT) return "is not permanent";
  if (form.relispartition || relation->rd_rel->relhassubclass)
    return "is part of an inheritance tree";
  if (relation->rd_rules != nullptr) return "has rules";
  if (has_foreign_trigger(relation->trigdesc, updated ? TRIGGER_TYPE_UPDATE : TRIGGER_TYPE_INSERT))
    return "has triggers that are not the ledger's own";
  const TupleDesc descriptor = RelationGetDescr(relation);
  if (descriptor->constr != nullptr && descriptor->constr->has_generated_stored)
    return "has generated columns";
  return nullptr;
}

// Attribute numbers of the columns that a posting fills; what is left must need no value.
const char* find_columns(Relation relation, HeapTable table, HeapTableLayout& layout) {
  const TupleDesc descriptor = RelationGetDescr(relation);
  const Column* const known = columns_of[static_cast<std::size_t>(table)];
  for (int i = 0; i < descriptor->natts; ++i) {
    const FormData_pg_attribute& attribute = *TupleDescAttr(descriptor, i);
    if (attribute.attisdropped) continue;
    bool is_known = false;
    for (int column = 0; column < most_heap_columns && known[column].name != nullptr; ++column) {
      if (strcmp(NameStr(attribute.attname), known[column].name) != 0) continue;
      if (attribute.atttypid != known[column].type || attribute.atttypmod != -1)
        return "has a column of another type";
      if (attribute.attnotnull && known[column].is_optional) layout.needs_executor = 1;
      layout.columns[column] = attribute.attnum;
      is_known = true;
    }
    if (!is_known && table != HeapTable::account_balances &&
        (attribute.atthasdef || attribute.attnotnull || attribute.attidentity != '\0' ||
         get_typtype(attribute.atttypid) == TYPTYPE_DOMAIN))
      return "has a column that needs a value";
  }
  for (int column = 0; column < most_heap_columns && known[column].name != nullptr; ++column)
    if (layout.columns[column] == InvalidAttrNumber) return "lacks a column";
  if (descriptor->constr != nullptr && descriptor->constr->num_check > 0) layout.needs_executor = 1;
  return nullptr;
}

// The column of `column IS NOT NULL`, if the predicate is just that.
std::int16_t required_column(List* predicate) {
  if (list_length(predicate) != 1) return InvalidAttrNumber;
  const auto* test = static_cast<NullTest*>(linitial(predicate));
  if (!IsA(test, NullTest) || test->nulltesttype != IS_NOT_NULL || test->argisrow ||
      !IsA(test->arg, Var))
    return InvalidAttrNumber;
  return reinterpret_cast<const Var*>(test->arg)->varattno;
}

// False when its entries are the executor's business.
bool describe_index(Relation relation, Relation index, HeapIndex& description) {
  const FormData_pg_index& form = *index->rd_index;
  if (index->rd_rel->relam != BTREE_AM_OID || form.indisexclusion || !form.indimmediate ||
      form.indnatts > most_index_columns || RelationGetIndexExpressions(index) != NIL)
    return false;
  description.oid = RelationGetRelid(index);
  description.column_count = form.indnatts;
  for (int i = 0; i < form.indnatts; ++i) {
    if (form.indkey.values[i] <= 0) return false;
    description.columns[i] = form.indkey.values[i];
  }
  List* predicate = RelationGetIndexPredicate(index);
  description.required = required_column(predicate);
  if (predicate != NIL && description.required <= 0) return false;
  description.is_unique = form.indisunique ? 1 : 0;
  description.is_by_number =
      TupleDescAttr(RelationGetDescr(relation), form.indkey.values[0] - 1)->atttypid == INT8OID ? 1
                                                                                                : 0;
  return true;
}

void find_indexes(Relation relation, HeapTableLayout& layout) {
  List* indexes = RelationGetIndexList(relation);
  ListCell* cell = nullptr;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    // One that is being built takes rows only when it says so, and the ledger hears of it.
    if (index->rd_index->indisready) {
      if (layout.index_count == most_heap_indexes ||
          !describe_index(relation, index, layout.indexes[layout.index_count]))
        layout.needs_executor = 1;
      else
        ++layout.index_count;
    }
    index_close(index, AccessShareLock);
  }
  list_free(indexes);
}

bool is_primary_key(Relation relation, std::initializer_list<std::int16_t> columns) {
  const Oid key = RelationGetPrimaryKeyIndex(relation);
  if (!OidIsValid(key)) return false;
  Relation index = index_open(key, AccessShareLock);
  const Form_pg_index form = index->rd_index;
  bool usual = form->indnkeyatts == static_cast<int>(columns.size());
  for (std::size_t i = 0; usual && i < columns.size(); ++i)
    usual = form->indkey.values[i] == columns.begin()[i];
  index_close(index, AccessShareLock);
  return usual;
}

// Balances and keys are found through their primary keys.
const char* check_primary_key(Relation relation, HeapTable table, const std::int16_t* columns) {
  const bool usual = table == HeapTable::account_balances
                         ? is_primary_key(relation, {columns[0], columns[3]})
                     : table == HeapTable::idempotency_keys ? is_primary_key(relation, {columns[0]})
                                                            : true;
  return usual ? nullptr : "has another primary key";
}

}  // namespace

HeapLayout read_heap_layout(const Ledger& ledger) {
  HeapLayout layout;
  for (std::size_t i = 0; i < heap_table_count; ++i) {
    const auto table = static_cast<HeapTable>(i);
    Relation relation = table_open(ledger.relation(tables[i]), AccessShareLock);
    const char* obstacle = find_obstacle(relation, table);
    if (obstacle == nullptr) obstacle = find_columns(relation, table, layout.tables[i]);
    if (obstacle == nullptr)
      obstacle = check_primary_key(relation, table, layout.tables[i].columns);
    if (obstacle == nullptr) find_indexes(relation, layout.tables[i]);
    table_close(relation, AccessShareLock);
    if (obstacle == nullptr) continue;
    layout.obstacle = obstacle;
    layout.obstacle_table = table_name(tables[i]);
    break;
  }
  return layout;
}

void OpenTable::open(Oid oid, const HeapTableLayout& layout, CmdType operation) {
  relation = table_open(oid, RowExclusiveLock);
  layout_ = &layout;
  CheckCmdReplicaIdentity(relation, operation);
  if (layout.needs_executor == 0) return;
  executor_ = CreateExecutorState();
  result_ = makeNode(ResultRelInfo);
  InitResultRelInfo(result_, relation, 0, nullptr, 0);
  ExecOpenIndices(result_, false);
}

void OpenTable::close() {
  if (!is_open()) return;
  for (Relation& index : indexes_) {
    if (index != nullptr) index_close(index, NoLock);
    index = nullptr;
  }
  if (primary_key_ != nullptr) index_close(primary_key_, NoLock);
  primary_key_ = nullptr;
  if (executor_ != nullptr) {
    ExecCloseIndices(result_);
    FreeExecutorState(executor_);
    executor_ = nullptr;
  }
  table_close(relation, NoLock);
  relation = nullptr;
}

Relation OpenTable::index(int number) {
  Relation& index = indexes_[number];
  if (index == nullptr) index = index_open(layout_->indexes[number].oid, RowExclusiveLock);
  return index;
}

Relation OpenTable::primary_key() {
  const Oid key = RelationGetPrimaryKeyIndex(relation);
  for (int i = 0; i < layout_->index_count; ++i)
    if (layout_->indexes[i].oid == key) return index(i);
  if (primary_key_ == nullptr) primary_key_ = index_open(key, RowExclusiveLock);
  return primary_key_;
}

TupleTableSlot* OpenTable::make_slot() const {
  return MakeSingleTupleTableSlot(RelationGetDescr(relation), table_slot_callbacks(relation));
}

TupleTableSlot** OpenTable::make_slots(std::size_t count) const {
  // The server keeps a list of who uses a table's own description; with many users it gets slow.
  const TupleDesc descriptor =
      count > 8 ? CreateTupleDescCopy(RelationGetDescr(relation)) : RelationGetDescr(relation);
  auto** slots = static_cast<TupleTableSlot**>(palloc(count * sizeof(TupleTableSlot*)));
  for (std::size_t i = 0; i < count; ++i)
    slots[i] = MakeSingleTupleTableSlot(descriptor, table_slot_callbacks(relation));
  return slots;
}

void OpenTable::drop_slots(TupleTableSlot** slots, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) ExecDropSingleTupleTableSlot(slots[i]);
  pfree(slots);
}

void OpenTable::check(TupleTableSlot* slot) const {
  slot->tts_tableOid = RelationGetRelid(relation);
  if (executor_ != nullptr && RelationGetDescr(relation)->constr != nullptr)
    ExecConstraints(result_, slot, executor_);
}

void OpenTable::insert_into_index(int number, TupleTableSlot** slots, int count) {
  const HeapIndex& description = layout_->indexes[number];
  struct Place {
    std::int64_t key;
    int row;
  };
  Place* order = nullptr;
  if (description.is_by_number != 0 && count > 2) {
    order = static_cast<Place*>(palloc(static_cast<std::size_t>(count) * sizeof(Place)));
    for (int i = 0; i < count; ++i) {
      bool is_null = false;
      order[i] = {DatumGetInt64(slot_getattr(slots[i], description.columns[0], &is_null)), i};
    }
    std::sort(order, order + count, [](const Place& a, const Place& b) {
      return a.key != b.key ? a.key < b.key : a.row < b.row;
    });
  }
  for (int i = 0; i < count; ++i) {
    TupleTableSlot* slot = slots[order == nullptr ? i : order[i].row];
    if (description.required != 0 && slot_attisnull(slot, description.required)) continue;
    Datum values[most_index_columns];
    bool nulls[most_index_columns];
    for (int column = 0; column < description.column_count; ++column)
      values[column] = slot_getattr(slot, description.columns[column], &nulls[column]);
    index_insert(index(number), values, nulls, &slot->tts_tid, relation,
                 description.is_unique != 0 ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false,
                 index_info_);
  }
  if (order != nullptr) pfree(order);
}

void OpenTable::insert(TupleTableSlot** slots, int count) {
  const CommandId command = GetCurrentCommandId(true);
  if (count == 1)
    table_tuple_insert(relation, slots[0], command, 0, nullptr);
  else
    table_multi_insert(relation, slots, count, command, 0, nullptr);
  if (executor_ == nullptr) {
    // B-trees ask nothing of it.
    if (index_info_ == nullptr) index_info_ = makeNode(IndexInfo);
    for (int i = 0; i < layout_->index_count; ++i) insert_into_index(i, slots, count);
    return;
  }
  if (result_->ri_NumIndices == 0) return;
  for (int i = 0; i < count; ++i) {
    ExecInsertIndexTuples(result_, slots[i], executor_, false, false, nullptr, NIL);
    ResetPerTupleExprContext(executor_);
  }
}

void OpenTable::update(ItemPointer row, TupleTableSlot* slot) {
#if PG_VERSION_NUM >= 160000
  TU_UpdateIndexes changed = TU_None;
  simple_table_tuple_update(relation, row, slot, GetActiveSnapshot(), &changed);
  const bool is_summarizing = changed == TU_Summarizing;
  const bool any = changed != TU_None;
#else
  bool any = false;
  simple_table_tuple_update(relation, row, slot, GetActiveSnapshot(), &any);
#endif
  if (!any) return;
  if (executor_ == nullptr) {
    if (index_info_ == nullptr) index_info_ = makeNode(IndexInfo);
    for (int i = 0; i < layout_->index_count; ++i) insert_into_index(i, &slot, 1);
    return;
  }
#if PG_VERSION_NUM >= 160000
  ExecInsertIndexTuples(result_, slot, executor_, true, false, nullptr, NIL, is_summarizing);
#else
  ExecInsertIndexTuples(result_, slot, executor_, true, false, nullptr, NIL);
#endif
}

}  // namespace ledgerflow
