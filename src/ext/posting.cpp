// ledger_post, in its forms.
#include "ext/datums.hpp"
#include "ext/spi_store.hpp"

namespace ledgerflow {

namespace {

// The arguments that every form of ledger_post takes after its lines, from `first` on.
struct Options {
  Posting posting;
  const char* ledger = nullptr;

  static Options read(FunctionCallInfo fcinfo, int first) {
    Options options;
    Posting& posting = options.posting;
    posting.idempotency_key = text_argument(fcinfo, first);
    posting.reference = text_argument(fcinfo, first + 1);
    posting.description = text_argument(fcinfo, first + 2);
    posting.effective_at = time_argument(fcinfo, first + 3);
    posting.metadata = json_argument(fcinfo, first + 4);
    posting.expected_version = integer_argument(fcinfo, first + 5);
    options.ledger = name_argument(fcinfo, first + 6);
    if (posting.metadata && !is_json_object(*posting.metadata))
      throw Error(Condition::invalid_metadata, "metadata must be a JSON object");
    return options;
  }
};

struct LineArgument {
  std::optional<std::string_view> account;
  std::optional<Datum> amount;
};

std::string_view checked_code(const std::optional<std::string_view>& code) {
  if (!code) throw Error(Condition::invalid_account_code, "account must not be NULL");
  if (!is_account_code(*code))
    throw Error(Condition::invalid_account_code, "invalid account code " + quoted(*code));
  return *code;
}

Datum post_arguments(Options options, const std::vector<LineArgument>& arguments, bool is_signed) {
  Call call("ledger_post()", options.ledger, Table::transactions, ACL_INSERT);
  const Outcome outcome = call.as_owner([&] {
    std::vector<std::string_view> codes;
    codes.reserve(arguments.size());
    for (const LineArgument& argument : arguments) codes.push_back(checked_code(argument.account));
    std::vector<const Account*> accounts;
    accounts.reserve(codes.size());
    call.ledger().find_accounts(codes, accounts);

    std::vector<Line> lines;
    lines.reserve(arguments.size());
    for (std::size_t i = 0; i < arguments.size(); ++i)
      lines.push_back({accounts[i], amount_units(arguments[i].amount, *accounts[i], is_signed)});
    if (!is_signed) lines.back().amount = -lines.back().amount;
    options.posting.line_count = lines.size();
    SpiStore store(call.ledger(), call.caller());
    return post(store, lines, options.posting);
  });
  call.finish();
  return pg_call([&] { return new_uuid(outcome.id); });
}

// Reads an array of ledger_line, a row type of (account text, amount numeric). Raises.
void read_lines(ArrayType* array, std::vector<LineArgument>& lines) {
  if (ARR_NDIM(array) == 0) return;
  if (ARR_NDIM(array) > 1)
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("lines must be a one-dimensional array")));
  Datum* elements = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &nulls,
                    &count);
  if (count == 0) return;
  TupleDesc descriptor = nullptr;
  for (int i = 0; i < count; ++i) {
    if (nulls[i])
      ereport(ERROR,
              (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("line %d must not be NULL", i + 1)));
    HeapTupleHeader row = DatumGetHeapTupleHeader(elements[i]);
    if (descriptor == nullptr)
      descriptor =
          lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    HeapTupleData tuple;
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = row;
    Datum values[2];
    bool missing[2];
    if (descriptor->natts != 2) elog(ERROR, "ledger_line must have two attributes");
    heap_deform_tuple(&tuple, descriptor, values, missing);
    LineArgument& line = lines[static_cast<std::size_t>(i)];
    if (!missing[0]) line.account = view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[0])));
    if (!missing[1]) line.amount = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[1]));
  }
}

// A line of a transaction, its amount with the sign of its side. No account is looked up: the amount is
// held against its currency when it is posted.
Datum make_line(FunctionCallInfo fcinfo, bool debit) {
  return guarded([&]() -> Datum {
    checked_code(text_argument(fcinfo, 0));
    const std::optional<Datum> amount = numeric_argument(fcinfo, 1);
    if (!amount) throw Error(Condition::invalid_amount, "amount must not be NULL");
    const bool positive = pg_call([&] {
      const Datum zero = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
      return !numeric_is_nan(DatumGetNumeric(*amount)) &&
             DatumGetBool(DirectFunctionCall2(numeric_gt, *amount, zero));
    });
    if (!positive)
      throw Error(Condition::invalid_amount, "amount " + numeric_text(*amount) + " is not positive",
                  {}, "Swap ledger_debit and ledger_credit to move money the other way.");
    return pg_call([&] {
      TupleDesc descriptor = nullptr;
      if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "ledger_line is not a row type");
      Datum values[] = {PG_GETARG_DATUM(0),
                        debit ? *amount : DirectFunctionCall1(numeric_uminus, *amount)};
      bool nulls[] = {false, false};
      return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
    });
  });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_post_transfer);
PGDLLEXPORT Datum ledgerflow_post_transfer(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const Options options = Options::read(fcinfo, 3);
    const std::optional<Datum> amount = numeric_argument(fcinfo, 2);
    const LineArgument debit{text_argument(fcinfo, 0), amount};
    const LineArgument credit{text_argument(fcinfo, 1), amount};
    return post_arguments(options, {debit, credit}, false);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_post_lines);
PGDLLEXPORT Datum ledgerflow_post_lines(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const Options options = Options::read(fcinfo, 1);
    ArrayType* array = PG_ARGISNULL(0) ? nullptr : PG_GETARG_ARRAYTYPE_P(0);
    const int count = array == nullptr ? 0 : ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    if (static_cast<std::size_t>(count) > max_lines)
      throw Error(Condition::too_many_lines, "a transaction has too many lines",
                  "It has " + std::to_string(count) + "; at most " + std::to_string(max_lines) +
                      " are allowed.");
    if (count < 2)
      throw Error(Condition::too_few_lines, "a transaction needs at least two lines",
                  "It has " + std::to_string(count) + ".");
    std::vector<LineArgument> lines(static_cast<std::size_t>(count));
    pg_call([&] { read_lines(array, lines); });
    return post_arguments(options, lines, true);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_debit);
PGDLLEXPORT Datum ledgerflow_debit(PG_FUNCTION_ARGS) { return make_line(fcinfo, true); }

PG_FUNCTION_INFO_V1(ledgerflow_credit);
PGDLLEXPORT Datum ledgerflow_credit(PG_FUNCTION_ARGS) { return make_line(fcinfo, false); }

}  // extern "C"

}  // namespace ledgerflow
