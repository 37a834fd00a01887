// ledger_post_batch: many postings in one call.
#include "ext/arguments.hpp"
#include "ext/heap_store.hpp"

namespace ledgerflow {

namespace {

// A one-dimensional array argument. NULL has no elements.
struct Elements {
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;

  bool has(std::size_t i) const { return values != nullptr && !nulls[i]; }
};

Elements array_argument(FunctionCallInfo fcinfo, int number, const char* name) {
  Elements elements;
  if (PG_ARGISNULL(number)) return elements;
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(number);
  if (ARR_NDIM(array) > 1)
    throw Error(Condition::invalid_argument,
                std::string("argument ") + name + " must be a one-dimensional array");
  std::int16_t length = 0;
  bool by_value = false;
  char align = 0;
  get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
  deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &elements.values,
                    &elements.nulls, &elements.count);
  return elements;
}

std::optional<std::string_view> text_element(const Elements& elements, std::size_t i) {
  if (!elements.has(i)) return std::nullopt;
  return view_of(
      pg_call([&] { return PointerGetDatum(PG_DETOAST_DATUM_PACKED(elements.values[i])); }));
}

struct BatchArguments {
  Elements debit, credit, amount, key, reference, description, effective_at, metadata, linked;
  bool by_id = false;
};

// One item; what cannot be read is its refusal.
void read_item(Ledger& ledger, const BatchArguments& arguments, std::size_t i, Item& item) {
  Posting& posting = item.posting;
  posting.idempotency_key = text_element(arguments.key, i);
  posting.reference = text_element(arguments.reference, i);
  posting.description = text_element(arguments.description, i);
  if (arguments.effective_at.has(i))
    posting.effective_at = checked_time(DatumGetTimestampTz(arguments.effective_at.values[i]));
  if (arguments.metadata.has(i)) {
    posting.metadata = pg_call([&] {
      const Jsonb* json = DatumGetJsonbP(arguments.metadata.values[i]);
      return std::string_view(reinterpret_cast<const char*>(json), VARSIZE(json));
    });
    if (!is_json_object(*posting.metadata))
      throw Error(Condition::invalid_metadata, "metadata must be a JSON object");
  }
  const auto account = [&](const Elements& side) -> const Account& {
    if (!side.has(i)) throw Error(Condition::invalid_account_code, "account must not be NULL");
    if (arguments.by_id) return ledger.find_account(DatumGetInt64(side.values[i]));
    return ledger.find_account(checked_code(text_element(side, i)));
  };
  const Account& debit = account(arguments.debit);
  const Account& credit = account(arguments.credit);
  std::optional<Datum> amount;
  if (arguments.amount.has(i))
    amount = pg_call(
        [&] { return PointerGetDatum(PG_DETOAST_DATUM_PACKED(arguments.amount.values[i])); });
  item.lines = transfer_lines(debit, credit, amount);
}

// All accounts of the batch in one query.
void load_accounts(Ledger& ledger, const BatchArguments& arguments, std::size_t count) {
  std::vector<std::string_view> codes;
  std::vector<std::int64_t> ids;
  for (const Elements* side : {&arguments.debit, &arguments.credit})
    for (std::size_t i = 0; i < count; ++i) {
      if (!side->has(i)) continue;
      if (arguments.by_id) {
        ids.push_back(DatumGetInt64(side->values[i]));
        continue;
      }
      const std::string_view code = *text_element(*side, i);
      if (is_account_code(code)) codes.push_back(code);
    }
  ledger.load_accounts(codes);
  ledger.load_accounts(ids);
}

Mode mode_of(const std::optional<std::string_view>& text) {
  if (text == "atomic") return Mode::atomic;
  if (text == "each") return Mode::each;
  throw Error(Condition::invalid_argument,
              "mode " + (text ? quoted(*text) : std::string("NULL")) + " is unknown", {},
              "Use 'atomic' or 'each'.");
}

std::size_t checked_count(const BatchArguments& arguments) {
  const int count = arguments.debit.count;
  if (count == 0) throw Error(Condition::invalid_argument, "a batch needs at least one item");
  if (static_cast<std::size_t>(count) > max_batch_items)
    throw Error(Condition::too_many_lines, "a batch has too many items",
                "It has " + std::to_string(count) + "; at most " + std::to_string(max_batch_items) +
                    " are allowed.");
  const auto check = [&](const Elements& elements, const char* name, bool optional) {
    if (elements.count == count || (optional && elements.values == nullptr)) return;
    throw Error(Condition::invalid_argument,
                std::string("argument ") + name + " has " + std::to_string(elements.count) +
                    " elements where debit has " + std::to_string(count));
  };
  check(arguments.credit, "credit", false);
  check(arguments.amount, "amount", false);
  check(arguments.key, "idempotency_key", true);
  check(arguments.reference, "reference", true);
  check(arguments.description, "description", true);
  check(arguments.effective_at, "effective_at", true);
  check(arguments.metadata, "metadata", true);
  check(arguments.linked, "linked", true);
  return static_cast<std::size_t>(count);
}

Datum post_batch(FunctionCallInfo fcinfo, bool by_id) {
  return guarded([&] {
    BatchArguments arguments;
    arguments.by_id = by_id;
    arguments.debit = array_argument(fcinfo, 0, "debit");
    arguments.credit = array_argument(fcinfo, 1, "credit");
    arguments.amount = array_argument(fcinfo, 2, "amount");
    arguments.key = array_argument(fcinfo, 3, "idempotency_key");
    const Mode mode = mode_of(text_argument(fcinfo, 4));
    arguments.reference = array_argument(fcinfo, 5, "reference");
    arguments.description = array_argument(fcinfo, 6, "description");
    arguments.effective_at = array_argument(fcinfo, 7, "effective_at");
    arguments.metadata = array_argument(fcinfo, 8, "metadata");
    arguments.linked = array_argument(fcinfo, 9, "linked");
    const std::size_t count = checked_count(arguments);
    if (mode == Mode::atomic && arguments.linked.values != nullptr)
      throw Error(Condition::invalid_argument, "linked items need the mode 'each'", {},
                  "In the mode 'atomic' all items stand or fall together.");

    Call call("ledger_post_batch()", name_argument(fcinfo, 10), Table::transactions, ACL_INSERT);
    if (by_id) call.hide_codes();
    std::vector<Item> items(count);
    call.as_owner([&] {
      const std::unique_ptr<SpiStore> store = choose_store(call);
      load_accounts(call.ledger(), arguments, count);
      for (std::size_t i = 0; i < count; ++i) {
        items[i].linked = arguments.linked.has(i) && DatumGetBool(arguments.linked.values[i]);
        try {
          read_item(call.ledger(), arguments, i, items[i]);
        } catch (const Error& error) {
          items[i].outcome.refusal = error.refusal();
        }
      }
      post_all(*store, items, mode);
      store->finish();
    });
    call.finish();

    pg_call([&] {
      TupleDesc descriptor = nullptr;
      Tuplestorestate* rows = start_result(fcinfo, &descriptor);
      for (std::size_t i = 0; i < count; ++i) {
        const Outcome& outcome = items[i].outcome;
        const char* status = outcome.replayed ? "replayed" : "posted";
        if (outcome.refusal) status = info(outcome.refusal->condition).name;
        Datum values[] = {Int32GetDatum(static_cast<int>(i) + 1), datum_of(outcome.id),
                          CStringGetTextDatum(status)};
        bool nulls[] = {false, outcome.refusal.has_value(), false};
        tuplestore_putvalues(rows, descriptor, values, nulls);
      }
    });
    return Datum{0};
  });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_post_batch);
PGDLLEXPORT Datum ledgerflow_post_batch(PG_FUNCTION_ARGS) { return post_batch(fcinfo, false); }

PG_FUNCTION_INFO_V1(ledgerflow_post_batch_by_id);
PGDLLEXPORT Datum ledgerflow_post_batch_by_id(PG_FUNCTION_ARGS) { return post_batch(fcinfo, true); }

}  // extern "C"

}  // namespace ledgerflow
