#include "ext/arguments.hpp"

namespace ledgerflow {

namespace {

// Reads the elements of an array of ledger_line, a row type of (account text, amount numeric); raises.
void read_lines(ArrayType* array, std::vector<LineArgument>& lines) {
  if (ARR_NDIM(array) > 1)
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("lines must be a one-dimensional array")));
  Datum* elements = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &nulls,
                    &count);
  TupleDesc descriptor = nullptr;
  for (int i = 0; i < count; ++i) {
    if (nulls[i])
      ereport(ERROR,
              (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("line %d must not be NULL", i + 1)));
    HeapTupleHeader row = DatumGetHeapTupleHeader(elements[i]);
    if (descriptor == nullptr)
      descriptor =
          lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    if (descriptor->natts != 2) elog(ERROR, "ledger_line must have two attributes");
    HeapTupleData tuple;
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = row;
    Datum values[2];
    bool missing[2];
    heap_deform_tuple(&tuple, descriptor, values, missing);
    LineArgument& line = lines[static_cast<std::size_t>(i)];
    if (!missing[0]) line.account = view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[0])));
    if (!missing[1]) line.amount = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[1]));
  }
}

}  // namespace

Posting posting_arguments(FunctionCallInfo fcinfo, int first) {
  Posting posting;
  posting.idempotency_key = text_argument(fcinfo, first);
  posting.reference = text_argument(fcinfo, first + 1);
  posting.description = text_argument(fcinfo, first + 2);
  posting.effective_at = time_argument(fcinfo, first + 3);
  posting.metadata = metadata_argument(fcinfo, first + 4);
  posting.expected_version = integer_argument(fcinfo, first + 5);
  return posting;
}

std::optional<std::string_view> metadata_argument(FunctionCallInfo fcinfo, int number) {
  const std::optional<std::string_view> metadata = json_argument(fcinfo, number);
  if (metadata && !is_json_object(*metadata))
    throw Error(Condition::invalid_metadata, "metadata must be a JSON object");
  return metadata;
}

std::vector<LineArgument> line_arguments(FunctionCallInfo fcinfo, int number) {
  ArrayType* array =
      PG_ARGISNULL(number) ? nullptr : pg_call([&] { return PG_GETARG_ARRAYTYPE_P(number); });
  if (array == nullptr) return {};
  const auto count = static_cast<std::size_t>(
      pg_call([&] { return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)); }));
  if (count > max_lines)
    throw Error(Condition::too_many_lines, "a transaction has too many lines",
                "It has " + std::to_string(count) + "; at most " + std::to_string(max_lines) +
                    " are allowed.");
  std::vector<LineArgument> lines(count);
  if (count > 0) pg_call([&] { read_lines(array, lines); });
  return lines;
}

std::string_view checked_code(const std::optional<std::string_view>& code) {
  if (!code) throw Error(Condition::invalid_account_code, "account must not be NULL");
  if (!is_account_code(*code))
    throw Error(Condition::invalid_account_code, "invalid account code " + quoted(*code));
  return *code;
}

std::vector<Line> transfer_lines(const Account& debit, const Account& credit,
                                 const std::optional<Datum>& amount) {
  const Units debited = amount_units(amount, debit, false);
  return {{&debit, debited}, {&credit, -amount_units(amount, credit, false)}};
}

std::vector<Line> transfer_lines(Ledger& ledger, const std::optional<std::string_view>& debit,
                                 const std::optional<std::string_view>& credit,
                                 const std::optional<Datum>& amount) {
  const std::vector<std::string_view> codes = {checked_code(debit), checked_code(credit)};
  ledger.load_accounts(codes);
  const Account& debited = ledger.find_account(codes[0]);
  const Account& credited = ledger.find_account(codes[1]);
  return transfer_lines(debited, credited, amount);
}

std::vector<Line> resolved_lines(Ledger& ledger, const std::vector<LineArgument>& arguments) {
  std::vector<std::string_view> codes;
  codes.reserve(arguments.size());
  for (const LineArgument& argument : arguments) codes.push_back(checked_code(argument.account));
  ledger.load_accounts(codes);
  std::vector<Line> lines;
  lines.reserve(arguments.size());
  for (const LineArgument& argument : arguments) {
    const Account& account = ledger.find_account(*argument.account);
    lines.push_back({&account, amount_units(argument.amount, account, true)});
  }
  return lines;
}

}  // namespace ledgerflow
