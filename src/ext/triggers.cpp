// The guards on a ledger's tables: what makes a raw INSERT end with the guarantees of ledger_post, and
// refuses to change what was posted.
#include "core/books.hpp"
#include "ext/accounts.hpp"
#include "ext/datums.hpp"
#include "ext/spi_store.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace ledgerflow {

namespace {

// Ids that a client made shortly before by its own clock.
constexpr std::int64_t clock_tolerance = 60 * 1000000LL;

// Anybody can put our trigger functions on tables of their own: what they read is asked for first.
void require_kind(const TriggerData* trigger, bool is_right) {
  if (!is_right)
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("trigger %s is not of the kind that its function is made for",
                           trigger->tg_trigger->tgname)));
}

bool is_insert_of_row(const TriggerData* trigger) {
  return TRIGGER_FIRED_BY_INSERT(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event);
}

TriggerData* trigger_data(FunctionCallInfo fcinfo) {
  if (!CALLED_AS_TRIGGER(fcinfo))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("this function can only be called as a trigger of a ledger's table")));
  return reinterpret_cast<TriggerData*>(fcinfo->context);
}

// A trigger function of ours on some other table must not get at the ledger beside it.
void check_table(const TriggerData* trigger, const Ledger& ledger, Table table) {
  if (RelationGetRelid(trigger->tg_relation) == ledger.relation(table)) return;
  throw Error(Condition::invalid_argument,
              std::string("trigger ") + trigger->tg_trigger->tgname +
                  " is not on the table of a ledger that it is made for");
}

Datum unchanged(const TriggerData* trigger) {
  if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event)) return PointerGetDatum(nullptr);
  return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
                                                                    : trigger->tg_trigtuple);
}

const char* operation_name(const TriggerData* trigger) {
  if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) return "INSERT into";
  if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) return "UPDATE";
  if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event)) return "DELETE from";
  return "TRUNCATE";
}

// A column of a row by name; raises when there is none of this type (InvalidOid: of any).
struct Field {
  int number;
  Datum value;
  bool is_null;
};

Field field(const TriggerData* trigger, HeapTuple row, const char* name, Oid type) {
  const TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);
  Field result{column_number(descriptor, name, type), 0, true};
  result.value = heap_getattr(row, result.number, descriptor, &result.is_null);
  return result;
}

bool same_column(const TriggerData* trigger, const char* name) {
  const Field before = field(trigger, trigger->tg_trigtuple, name, InvalidOid);
  const Field after = field(trigger, trigger->tg_newtuple, name, InvalidOid);
  if (before.is_null || after.is_null) return before.is_null == after.is_null;
  const auto* attribute = TupleDescAttr(RelationGetDescr(trigger->tg_relation), before.number - 1);
  TypeCacheEntry* type = lookup_type_cache(attribute->atttypid, TYPECACHE_EQ_OPR_FINFO);
  if (!OidIsValid(type->eq_opr_finfo.fn_oid))
    return datum_image_eq(before.value, after.value, attribute->attbyval, attribute->attlen);
  return DatumGetBool(
      FunctionCall2Coll(&type->eq_opr_finfo, attribute->attcollation, before.value, after.value));
}

// The columns that are named in the trigger's arguments and are not to change: the first that does.
const char* changed_column(const TriggerData* trigger) {
  const Trigger* definition = trigger->tg_trigger;
  for (int i = 0; i < definition->tgnargs; ++i)
    if (!same_column(trigger, definition->tgargs[i])) return definition->tgargs[i];
  return nullptr;
}

// The headers that were inserted by hand in this database transaction: only these take entries by hand.
struct RawHeader {
  Oid schema;
  TransactionId id;

  friend bool operator<(const RawHeader& a, const RawHeader& b) {
    return a.schema != b.schema ? a.schema < b.schema : a.id < b.id;
  }
};
std::set<RawHeader>* raw_headers = nullptr;  // kept for the life of the backend

void forget_raw_headers(XactEvent event, void*) {
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
    raw_headers->clear();
}

void remember_raw_header(const RawHeader& header) {
  if (raw_headers == nullptr) {
    auto headers = std::make_unique<std::set<RawHeader>>();
    pg_call([] { RegisterXactCallback(forget_raw_headers, nullptr); });
    raw_headers = headers.release();
  }
  raw_headers->insert(header);
}

// Refuses entries of a transaction that was posted otherwise, and entries out of the order of their lines,
// which would not follow the balances of the lines before them. Returns the transaction's effective time.
std::int64_t check_header(Ledger& ledger, const TransactionId& id, int first_line,
                          std::uint64_t count) {
  static constexpr const char* query =
      "SELECT (SELECT pg_catalog.count(*) FROM {ledger}.entries e "
      "WHERE e.transaction_id OPERATOR(pg_catalog.=) t.id AND e.line OPERATOR(pg_catalog.>=) $2), "
      "t.effective_at FROM {ledger}.transactions t WHERE t.id OPERATOR(pg_catalog.=) $1";
  static constexpr Oid types[] = {UUIDOID, INT2OID};
  SPIPlanPtr plan = ledger.plan(query, 2, types);
  bool found = false;
  std::uint64_t entries = 0;
  TimestampTz effective_at = 0;
  pg_call([&] {
    const Datum values[] = {datum_of(id), Int16GetDatum(static_cast<std::int16_t>(first_line))};
    execute(plan, SPI_OK_SELECT, values);
    found = SPI_processed == 1;
    if (!found) return;
    bool is_null = false;
    entries = static_cast<std::uint64_t>(
        DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null)));
    effective_at = DatumGetTimestampTz(
        SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &is_null));
  });
  if (!found)
    throw Error(Condition::transaction_not_found,
                "transaction " + to_string(id) + " does not exist", {},
                "Insert the row of transactions first.");
  if (raw_headers == nullptr || raw_headers->count({ledger.schema, id}) == 0)
    throw Error(Condition::immutable_ledger,
                "transaction " + to_string(id) + " is posted: it takes no more entries");
  if (entries != count)
    throw Error(
        Condition::transaction_out_of_order,
        "entries of transaction " + to_string(id) + " are not inserted in order of their lines");
  return checked_time(effective_at);
}

struct NewEntry {
  TransactionId transaction;
  std::int64_t account_id;
  int line;
  int stripe;
  std::optional<Datum> amount;
};

// Copies the rows of the transition table out of it; raises.
std::size_t read_new_entries(const TriggerData* trigger, std::vector<NewEntry>& rows) {
  const TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);
  const int transaction = column_number(descriptor, "transaction_id", UUIDOID);
  const int account = column_number(descriptor, "account_id", INT8OID);
  const int line = column_number(descriptor, "line", INT2OID);
  const int stripe = column_number(descriptor, "stripe", INT2OID);
  const int amount = column_number(descriptor, "amount", NUMERICOID);
  TupleTableSlot* slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
  bool is_null = false;  // only where an owner has dropped what forbids it
  while (tuplestore_gettupleslot(trigger->tg_newtable, true, false, slot)) {
    NewEntry row;
    row.transaction = id_from_datum(slot_getattr(slot, transaction, &is_null));
    row.account_id = DatumGetInt64(slot_getattr(slot, account, &is_null));
    row.line = DatumGetInt16(slot_getattr(slot, line, &is_null));
    row.stripe = DatumGetInt16(slot_getattr(slot, stripe, &is_null));
    const Datum value = slot_getattr(slot, amount, &is_null);
    if (!is_null) row.amount = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
    rows.push_back(row);
  }
  ExecDropSingleTupleTableSlot(slot);
  return rows.size();
}

void adopt_entries(const TriggerData* trigger) {
  Call call(RelationGetNamespace(trigger->tg_relation));
  check_table(trigger, call.ledger(), Table::entries);
  call.hide_codes();
  std::vector<NewEntry> rows;
  pg_call([&] { read_new_entries(trigger, rows); });
  call.as_owner([&] {
    std::vector<RawEntry> entries;
    entries.reserve(rows.size());
    for (const NewEntry& row : rows) {
      if (row.stripe != 0)
        throw Error(Condition::invalid_argument, "entries inserted by hand go to stripe 0");
      if (row.line < 1) throw Error(Condition::invalid_argument, "lines are numbered from 1");
      const Account& account = call.ledger().find_account(row.account_id);
      entries.push_back(
          {row.transaction, row.line, &account, amount_units(row.amount, account, true)});
    }
    std::sort(entries.begin(), entries.end(), [](const RawEntry& a, const RawEntry& b) {
      return a.transaction != b.transaction ? a.transaction < b.transaction : a.line < b.line;
    });
    for (std::size_t first = 0, next = 0; first < entries.size(); first = next) {
      while (next < entries.size() && entries[next].transaction == entries[first].transaction)
        ++next;
      entries[first].effective_at = check_header(call.ledger(), entries[first].transaction,
                                                 entries[first].line, next - first);
    }
    SpiStore store(call.ledger(), call.caller());
    adopt(store, entries);
  });
  call.finish();
}

// The last transaction that was found balanced, and when: its other rows need no second look.
struct Checked {
  Oid schema = InvalidOid;
  TransactionId id;
  std::uint64_t xact = 0;
  CommandId command = 0;
};

void check_balanced(const TriggerData* trigger) {
  static Checked checked;
  Call call(RelationGetNamespace(trigger->tg_relation));
  const bool is_header =
      RelationGetRelid(trigger->tg_relation) == call.ledger().relation(Table::transactions);
  if (!is_header) check_table(trigger, call.ledger(), Table::entries);
  const TransactionId id = pg_call([&] {
    return id_from_datum(
        field(trigger, trigger->tg_trigtuple, is_header ? "id" : "transaction_id", UUIDOID).value);
  });
  const std::uint64_t xact =
      pg_call([] { return U64FromFullTransactionId(GetTopFullTransactionIdIfAny()); });
  const CommandId command = GetCurrentCommandId(false);
  if (checked.schema == call.ledger().schema && checked.id == id && checked.command == command &&
      checked.xact == xact) {
    call.finish();
    return;
  }
  call.as_owner([&] {
    SpiStore store(call.ledger(), call.caller());
    const StoredTransaction stored = store.load(id);
    std::vector<Line> lines;
    lines.reserve(stored.entries.size());
    for (const auto& entry : stored.entries) lines.push_back({entry.account, entry.amount});
    std::optional<Refusal> refusal = check_lines(lines.data(), lines.size());
    if (!refusal) return;
    refusal->message = "transaction " + to_string(id) + ": " + refusal->message;
    throw Error(std::move(*refusal));
  });
  checked.schema = call.ledger().schema;
  checked.id = id;
  checked.xact = xact;
  checked.command = command;
  call.finish();
}

// Completes and checks the header of a transaction that was inserted by hand.
HeapTuple complete_header(const TriggerData* trigger) {
  struct Columns {
    Field id, posted_at, effective_at, xact_id, created_by, reference, description, reverses, hold,
        metadata;
  };
  HeapTuple row = trigger->tg_trigtuple;
  const Columns columns = pg_call([&] {
    return Columns{field(trigger, row, "id", UUIDOID),
                   field(trigger, row, "posted_at", TIMESTAMPTZOID),
                   field(trigger, row, "effective_at", TIMESTAMPTZOID),
                   field(trigger, row, "xact_id", XID8OID),
                   field(trigger, row, "created_by", TEXTOID),
                   field(trigger, row, "reference", TEXTOID),
                   field(trigger, row, "description", TEXTOID),
                   field(trigger, row, "reverses", UUIDOID),
                   field(trigger, row, "hold", UUIDOID),
                   field(trigger, row, "metadata", JSONBOID)};
  });
  const std::int64_t now = unix_micros(GetCurrentTimestamp());
  TransactionId id;
  if (columns.id.is_null) {
    id = new_transaction_id();
  } else {
    id = id_from_datum(columns.id.value);
    if (!is_uuid_v7(id))
      throw Error(Condition::invalid_transaction_id,
                  "transaction id " + to_string(id) + " is not a UUIDv7");
    if (time_of(id) > now + clock_tolerance)
      throw Error(Condition::invalid_transaction_id,
                  "transaction id " + to_string(id) + " lies in the future");
  }
  if (!columns.reverses.is_null || !columns.hold.is_null)
    throw Error(Condition::invalid_argument,
                "reverses and hold of a transaction are set by ledgerflow's functions only");
  Posting texts;
  pg_call([&] {
    if (!columns.reference.is_null)
      texts.reference = view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(columns.reference.value)));
    if (!columns.description.is_null)
      texts.description =
          view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(columns.description.value)));
    if (!columns.metadata.is_null) {
      const Jsonb* json = DatumGetJsonbP(columns.metadata.value);
      texts.metadata = std::string_view(reinterpret_cast<const char*>(json), VARSIZE(json));
    }
  });
  check_texts(texts);
  if (texts.metadata && !is_json_object(*texts.metadata))
    throw Error(Condition::invalid_metadata, "metadata must be a JSON object");
  if (!columns.effective_at.is_null) check_time(DatumGetTimestampTz(columns.effective_at.value));
  {
    Call call(RelationGetNamespace(trigger->tg_relation));
    call.as_owner([&] {
      SpiStore store(call.ledger(), call.caller());
      check_period(store, columns.effective_at.is_null
                              ? time_of(id)
                              : unix_micros(DatumGetTimestampTz(columns.effective_at.value)));
    });
    call.finish();
  }

  remember_raw_header({RelationGetNamespace(trigger->tg_relation), id});
  return pg_call([&] {
    const TimestampTz posted_at = timestamp_of(time_of(id));
    int numbers[] = {columns.id.number, columns.posted_at.number, columns.effective_at.number,
                     columns.xact_id.number, columns.created_by.number};
    Datum values[] = {
        new_uuid(id), TimestampTzGetDatum(posted_at),
        columns.effective_at.is_null ? TimestampTzGetDatum(posted_at) : columns.effective_at.value,
        FullTransactionIdGetDatum(GetTopFullTransactionId()),
        CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))};
    bool nulls[] = {false, false, false, false, false};
    return heap_modify_tuple_by_cols(row, RelationGetDescr(trigger->tg_relation), 5, numbers,
                                     values, nulls);
  });
}

}  // namespace

extern "C" {

// WHEN condition: false for the engine's own statements, so that they queue no trigger events.
PG_FUNCTION_INFO_V1(ledgerflow_raw_write);
PGDLLEXPORT Datum ledgerflow_raw_write(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_BOOL(!engine_writes(false));
}

PG_FUNCTION_INFO_V1(ledgerflow_enforce_double_entry);
PGDLLEXPORT Datum ledgerflow_enforce_double_entry(PG_FUNCTION_ARGS) {
  const TriggerData* trigger = trigger_data(fcinfo);
  require_kind(trigger, TRIGGER_FIRED_AFTER(trigger->tg_event) && is_insert_of_row(trigger));
  return guarded([&] {
    check_balanced(trigger);
    return PointerGetDatum(nullptr);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_adjust_account_balance);
PGDLLEXPORT Datum ledgerflow_adjust_account_balance(PG_FUNCTION_ARGS) {
  const TriggerData* trigger = trigger_data(fcinfo);
  return guarded([&] {
    if (trigger->tg_newtable == nullptr || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
        !TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
      throw Error(Condition::invalid_argument,
                  "adjust_account_balance needs AFTER INSERT with a transition table");
    if (!engine_writes(true)) adopt_entries(trigger);
    return PointerGetDatum(nullptr);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_guard);
PGDLLEXPORT Datum ledgerflow_guard(PG_FUNCTION_ARGS) {
  const TriggerData* trigger = trigger_data(fcinfo);
  require_kind(trigger, trigger->tg_trigger->tgnargs == 0 ||
                            !TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ||
                            TRIGGER_FIRED_FOR_ROW(trigger->tg_event));
  return guarded([&] {
    if (engine_writes(true)) return unchanged(trigger);
    std::string column;
    if (trigger->tg_trigger->tgnargs > 0 && TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) {
      const char* changed = pg_call([&] { return changed_column(trigger); });
      if (changed == nullptr) return unchanged(trigger);
      column = std::string(" column ") + changed + " of";
    }
    throw Error(
        Condition::immutable_ledger,
        std::string("cannot ") + operation_name(trigger) + column + " ledger table " +
            quoted(RelationGetRelationName(trigger->tg_relation)),
        {},
        TRIGGER_FIRED_BY_INSERT(trigger->tg_event)
            ? "Its rows are written by ledgerflow's functions. To restore a dump of the data "
              "alone, use pg_restore --disable-triggers."
            : "");
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_guard_transaction);
PGDLLEXPORT Datum ledgerflow_guard_transaction(PG_FUNCTION_ARGS) {
  const TriggerData* trigger = trigger_data(fcinfo);
  require_kind(trigger, TRIGGER_FIRED_BEFORE(trigger->tg_event) && is_insert_of_row(trigger));
  return guarded([&] {
    if (engine_writes(true)) return unchanged(trigger);
    return PointerGetDatum(complete_header(trigger));
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_guard_account);
PGDLLEXPORT Datum ledgerflow_guard_account(PG_FUNCTION_ARGS) {
  const TriggerData* trigger = trigger_data(fcinfo);
  require_kind(trigger, is_insert_of_row(trigger));
  return guarded([&] {
    if (engine_writes(true)) return unchanged(trigger);
    struct Columns {
      Field id, code, metadata;
    };
    const Columns columns = pg_call([&] {
      Columns found{field(trigger, trigger->tg_trigtuple, "id", INT8OID),
                    field(trigger, trigger->tg_trigtuple, "code", TEXTOID),
                    field(trigger, trigger->tg_trigtuple, "metadata", JSONBOID)};
      if (!found.code.is_null)
        found.code.value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(found.code.value));
      if (!found.metadata.is_null)
        found.metadata.value = PointerGetDatum(PG_DETOAST_DATUM(found.metadata.value));
      return found;
    });
    if (TRIGGER_FIRED_BEFORE(trigger->tg_event)) {
      if (columns.code.is_null || !is_account_code(view_of(columns.code.value)))
        throw Error(Condition::invalid_account_code,
                    columns.code.is_null
                        ? "account code must not be NULL"
                        : "invalid account code " + quoted(view_of(columns.code.value)));
      if (!columns.metadata.is_null) {
        const auto* json = reinterpret_cast<const Jsonb*>(DatumGetPointer(columns.metadata.value));
        check_account_metadata({reinterpret_cast<const char*>(json), VARSIZE(json)});
      }
      return unchanged(trigger);
    }
    Call call(RelationGetNamespace(trigger->tg_relation));
    check_table(trigger, call.ledger(), Table::accounts);
    call.as_owner([&] {
      const Account& account = call.ledger().find_account(DatumGetInt64(columns.id.value));
      insert_balance_of_type(call.ledger(), account);
    });
    call.finish();
    return PointerGetDatum(nullptr);
  });
}

}  // extern "C"

}  // namespace ledgerflow
