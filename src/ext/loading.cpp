// INSERT and COPY into a ledger's postings view: the rows of a statement are gathered and posted together.
#include "ext/arguments.hpp"
#include "ext/heap_store.hpp"

namespace ledgerflow {

namespace {

// Rows that wait for the end of their statement. Statements are told apart by their view and by how deep
// in triggers they run; the rows of one that fails go with its transaction.
struct Gathered {
  Oid view = InvalidOid;
  int depth = 0;
  std::size_t posted = 0;  // rows of the statement that went before
  std::vector<HeapTuple> rows;
  MemoryContext memory = nullptr;
  SubTransactionId subtransaction = InvalidSubTransactionId;

  ~Gathered() {
    if (memory != nullptr) MemoryContextDelete(memory);
  }
};

// Kept for the life of the backend; empty between statements.
std::vector<std::unique_ptr<Gathered>>* gathered = nullptr;

void transaction_ends(XactEvent event, void*) {
  if (gathered == nullptr || gathered->empty()) return;
  // Nothing that was taken is lost: without the trigger at the end of the statement it is not posted.
  if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("rows inserted into a postings view were not posted"),
                    errhint("Its trigger post_statement is missing: run ledger_upgrade().")));
  if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT) gathered->clear();
}

void subtransaction_ends(SubXactEvent event, SubTransactionId ended, SubTransactionId parent,
                         void*) {
  if (gathered == nullptr) return;
  if (event == SUBXACT_EVENT_COMMIT_SUB) {
    for (const auto& rows : *gathered)
      if (rows->subtransaction == ended) rows->subtransaction = parent;
  } else if (event == SUBXACT_EVENT_ABORT_SUB) {
    gathered->erase(std::remove_if(gathered->begin(), gathered->end(),
                                   [&](const auto& rows) { return rows->subtransaction == ended; }),
                    gathered->end());
  }
}

Gathered& rows_of_statement(Oid view) {
  if (gathered == nullptr) {
    gathered = new std::vector<std::unique_ptr<Gathered>>;
    pg_call([] {
      RegisterXactCallback(transaction_ends, nullptr);
      RegisterSubXactCallback(subtransaction_ends, nullptr);
    });
  }
  const int depth = trigger_depth();
  for (const auto& rows : *gathered)
    if (rows->view == view && rows->depth == depth) return *rows;
  auto fresh = std::make_unique<Gathered>();
  fresh->view = view;
  fresh->depth = depth;
  fresh->subtransaction = GetCurrentSubTransactionId();
  fresh->memory = pg_call([] {
    return AllocSetContextCreate(TopTransactionContext, "ledgerflow postings",
                                 ALLOCSET_DEFAULT_SIZES);
  });
  gathered->push_back(std::move(fresh));
  return *gathered->back();
}

// The columns of the view that are taken.
struct Columns {
  int debit, credit, amount, key, reference, description, effective_at, metadata;
};

Columns columns_of(TupleDesc descriptor) {
  return {column_number(descriptor, "debit", TEXTOID),
          column_number(descriptor, "credit", TEXTOID),
          column_number(descriptor, "amount", NUMERICOID),
          column_number(descriptor, "idempotency_key", TEXTOID),
          column_number(descriptor, "reference", TEXTOID),
          column_number(descriptor, "description", TEXTOID),
          column_number(descriptor, "effective_at", TIMESTAMPTZOID),
          column_number(descriptor, "metadata", JSONBOID)};
}

struct Row {
  HeapTuple tuple;
  TupleDesc descriptor;

  // These raise.
  std::optional<Datum> value(int column) const {
    bool is_null = false;
    const Datum datum = heap_getattr(tuple, column, descriptor, &is_null);
    if (is_null) return std::nullopt;
    return datum;
  }
  std::optional<std::string_view> text(int column) const {
    const std::optional<Datum> datum = value(column);
    if (!datum) return std::nullopt;
    return view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(*datum)));
  }
};

struct RowTexts {
  std::optional<std::string_view> debit, credit;
  std::optional<Datum> amount;
  Posting posting;
  std::optional<TimestampTz> effective_at;
};

RowTexts read_row(const Row& row, const Columns& columns) {
  RowTexts texts;
  texts.debit = row.text(columns.debit);
  texts.credit = row.text(columns.credit);
  const std::optional<Datum> amount = row.value(columns.amount);
  if (amount) texts.amount = PointerGetDatum(PG_DETOAST_DATUM_PACKED(*amount));
  texts.posting.idempotency_key = row.text(columns.key);
  texts.posting.reference = row.text(columns.reference);
  texts.posting.description = row.text(columns.description);
  const std::optional<Datum> time = row.value(columns.effective_at);
  if (time) texts.effective_at = DatumGetTimestampTz(*time);
  const std::optional<Datum> metadata = row.value(columns.metadata);
  if (metadata) {
    const Jsonb* json = DatumGetJsonbP(*metadata);
    texts.posting.metadata = std::string_view(reinterpret_cast<const char*>(json), VARSIZE(json));
  }
  return texts;
}

void fill_item(Ledger& ledger, const RowTexts& texts, Item& item) {
  item.posting = texts.posting;
  if (texts.effective_at) item.posting.effective_at = checked_time(*texts.effective_at);
  if (item.posting.metadata && !is_json_object(*item.posting.metadata))
    throw Error(Condition::invalid_metadata, "metadata must be a JSON object");
  const Account& debit = ledger.find_account(checked_code(texts.debit));
  const Account& credit = ledger.find_account(checked_code(texts.credit));
  item.lines = transfer_lines(debit, credit, texts.amount);
}

// Posts what has been gathered, in one atomic batch.
void post_rows(const TriggerData* trigger, Gathered& gathered_rows) {
  Call call("INSERT INTO postings", RelationGetNamespace(trigger->tg_relation), Table::transactions,
            ACL_INSERT);
  const TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);
  const std::vector<HeapTuple> rows = std::move(gathered_rows.rows);
  gathered_rows.rows.clear();
  std::vector<Item> items(rows.size());
  call.as_owner([&] {
    const std::unique_ptr<SpiStore> store = choose_store(call);
    const Columns columns = pg_call([&] { return columns_of(descriptor); });
    std::vector<RowTexts> texts(rows.size());
    std::vector<std::string_view> codes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      texts[i] = pg_call([&] { return read_row({rows[i], descriptor}, columns); });
      for (const auto& code : {texts[i].debit, texts[i].credit})
        if (code && is_account_code(*code)) codes.push_back(*code);
    }
    call.ledger().load_accounts(codes);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      try {
        fill_item(call.ledger(), texts[i], items[i]);
      } catch (const Error& error) {
        items[i].outcome.refusal = error.refusal();
      }
    }
    post_all(*store, items, Mode::atomic, {"row", gathered_rows.posted + 1, true});
    store->finish();
  });
  call.finish();
  gathered_rows.posted += rows.size();
  pg_call([&] { MemoryContextReset(gathered_rows.memory); });
}

void take_row(const TriggerData* trigger) {
  Gathered& rows = rows_of_statement(RelationGetRelid(trigger->tg_relation));
  rows.rows.push_back(pg_call([&] {
    const MemoryContext caller = MemoryContextSwitchTo(rows.memory);
    HeapTuple copy = heap_copytuple(trigger->tg_trigtuple);
    MemoryContextSwitchTo(caller);
    return copy;
  }));
  if (rows.rows.size() >= max_batch_items) post_rows(trigger, rows);
}

void end_statement(const TriggerData* trigger) {
  Gathered& rows = rows_of_statement(RelationGetRelid(trigger->tg_relation));
  if (!rows.rows.empty()) post_rows(trigger, rows);
  gathered->erase(std::find_if(gathered->begin(), gathered->end(),
                               [&](const auto& known) { return known.get() == &rows; }));
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_post_rows);
PGDLLEXPORT Datum ledgerflow_post_rows(PG_FUNCTION_ARGS) {
  if (!CALLED_AS_TRIGGER(fcinfo))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("this function can only be called as a trigger of a ledger's view")));
  const auto* trigger = reinterpret_cast<const TriggerData*>(fcinfo->context);
  return guarded([&] {
    if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
      throw Error(Condition::invalid_argument, "this trigger is for INSERT only");
    if (TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event)) {
      end_statement(trigger);
      return PointerGetDatum(nullptr);
    }
    take_row(trigger);
    return PointerGetDatum(trigger->tg_trigtuple);
  });
}

}  // extern "C"

}  // namespace ledgerflow
