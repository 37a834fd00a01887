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

// The columns that a posting fills, in the order in which HeapLayout has them. Any other column must be
// one that may stay NULL.
constexpr const char* column_names[heap_table_count][most_heap_columns] = {
    {"account_id", "version", "last_transaction_id", "stripe", "status", "debits_posted",
     "credits_posted", "debits_pending", "credits_pending", "min_balance", "max_balance"},
    {"id", "posted_at", "effective_at", "xact_id", "created_by", "reference", "description",
     "metadata", "reverses", "hold", "type"},
    {"account_id", "transaction_id", "line", "stripe", "amount", "balance_after"},
    {"key", "transaction_id", "created_at", "request"},
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
const char* find_columns(Relation relation, HeapTable table, std::int16_t* columns) {
  const TupleDesc descriptor = RelationGetDescr(relation);
  const char* const* names = column_names[static_cast<std::size_t>(table)];
  for (int i = 0; i < most_heap_columns && names[i] != nullptr; ++i) columns[i] = InvalidAttrNumber;
  for (int i = 0; i < descriptor->natts; ++i) {
    const FormData_pg_attribute& attribute = *TupleDescAttr(descriptor, i);
    if (attribute.attisdropped) continue;
    bool known = false;
    for (int name = 0; name < most_heap_columns && names[name] != nullptr; ++name) {
      if (strcmp(NameStr(attribute.attname), names[name]) != 0) continue;
      columns[name] = attribute.attnum;
      known = true;
    }
    if (!known && table != HeapTable::account_balances &&
        (attribute.atthasdef || attribute.attnotnull || attribute.attidentity != '\0' ||
         get_typtype(attribute.atttypid) == TYPTYPE_DOMAIN))
      return "has a column that needs a value";
  }
  for (int i = 0; i < most_heap_columns && names[i] != nullptr; ++i)
    if (columns[i] == InvalidAttrNumber) return "lacks a column";
  return nullptr;
}

// The balance of an account is found through the primary key (account_id, stripe).
const char* check_primary_key(Relation relation, const std::int16_t* columns) {
  const Oid key = RelationGetPrimaryKeyIndex(relation);
  if (!OidIsValid(key)) return "has no primary key";
  Relation index = index_open(key, AccessShareLock);
  const Form_pg_index form = index->rd_index;
  const bool usual = form->indnkeyatts == 2 && form->indkey.values[0] == columns[0] &&
                     form->indkey.values[1] == columns[3];
  index_close(index, AccessShareLock);
  return usual ? nullptr : "has another primary key";
}

}  // namespace

HeapLayout read_heap_layout(const Ledger& ledger) {
  HeapLayout layout;
  for (std::size_t i = 0; i < heap_table_count; ++i) {
    const auto table = static_cast<HeapTable>(i);
    Relation relation = table_open(ledger.relation(tables[i]), AccessShareLock);
    const char* obstacle = find_obstacle(relation, table);
    if (obstacle == nullptr) obstacle = find_columns(relation, table, layout.columns[i]);
    if (obstacle == nullptr && table == HeapTable::account_balances)
      obstacle = check_primary_key(relation, layout.columns[i]);
    table_close(relation, AccessShareLock);
    if (obstacle == nullptr) continue;
    layout.obstacle = obstacle;
    layout.obstacle_table = table_name(tables[i]);
    break;
  }
  return layout;
}

void OpenTable::open(Oid oid, CmdType operation, bool may_conflict) {
  relation = table_open(oid, RowExclusiveLock);
  result = makeNode(ResultRelInfo);
  InitResultRelInfo(result, relation, 0, nullptr, 0);
  CheckValidResultRel(result, operation);
  ExecOpenIndices(result, may_conflict);
}

void OpenTable::close() {
  if (!is_open()) return;
  ExecCloseIndices(result);
  table_close(relation, NoLock);
  relation = nullptr;
}

TupleTableSlot* OpenTable::make_slot() const {
  return MakeSingleTupleTableSlot(RelationGetDescr(relation), table_slot_callbacks(relation));
}

void OpenTable::check(TupleTableSlot* slot, EState* executor) const {
  slot->tts_tableOid = RelationGetRelid(relation);
  if (RelationGetDescr(relation)->constr != nullptr) ExecConstraints(result, slot, executor);
}

void OpenTable::insert(TupleTableSlot** slots, int count, EState* executor) const {
  const CommandId command = GetCurrentCommandId(true);
  if (count == 1)
    table_tuple_insert(relation, slots[0], command, 0, nullptr);
  else
    table_multi_insert(relation, slots, count, command, 0, nullptr);
  if (result->ri_NumIndices == 0) return;
  for (int i = 0; i < count; ++i) {
    ExecInsertIndexTuples(result, slots[i], executor, false, false, nullptr, NIL);
    ResetPerTupleExprContext(executor);
  }
}

void OpenTable::update(ItemPointer row, TupleTableSlot* slot, EState* executor) const {
#if PG_VERSION_NUM >= 160000
  TU_UpdateIndexes changed = TU_None;
  simple_table_tuple_update(relation, row, slot, GetActiveSnapshot(), &changed);
  if (changed != TU_None)
    ExecInsertIndexTuples(result, slot, executor, true, false, nullptr, NIL,
                          changed == TU_Summarizing);
#else
  bool changed = false;
  simple_table_tuple_update(relation, row, slot, GetActiveSnapshot(), &changed);
  if (changed) ExecInsertIndexTuples(result, slot, executor, true, false, nullptr, NIL);
#endif
}

}  // namespace ledgerflow
