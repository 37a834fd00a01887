// ledger_post, ledger_reverse, and the lines that they take.
#include "ext/arguments.hpp"
#include "ext/heap_store.hpp"

namespace ledgerflow {

namespace {

// Runs a request that ends with the id of a transaction.
template <typename Request>
Datum post_request(const char* function, const char* ledger, Names names, Request&& request) {
  const TransactionId id = run_request(function, ledger, names, request);
  return pg_call([&] { return new_uuid(id); });
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

// A debit and a credit of one amount.
Datum post_transfer(FunctionCallInfo fcinfo, const std::optional<Datum>& amount) {
  const auto debit = text_argument(fcinfo, 0);
  const auto credit = text_argument(fcinfo, 1);
  const Posting posting = posting_arguments(fcinfo, 3);
  return post_request(
      "ledger_post()", name_argument(fcinfo, 9), Names::codes, [&](Ledger& ledger, Store& store) {
        return post(store, transfer_lines(ledger, debit, credit, amount), posting).id;
      });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_post_transfer);
PGDLLEXPORT Datum ledgerflow_post_transfer(PG_FUNCTION_ARGS) {
  return guarded([&] { return post_transfer(fcinfo, numeric_argument(fcinfo, 2)); });
}

// For arguments without a type, which would fit the form with lines as well.
PG_FUNCTION_INFO_V1(ledgerflow_post_transfer_text);
PGDLLEXPORT Datum ledgerflow_post_transfer_text(PG_FUNCTION_ARGS) {
  return guarded([&] { return post_transfer(fcinfo, numeric_from_text_argument(fcinfo, 2)); });
}

PG_FUNCTION_INFO_V1(ledgerflow_post_lines);
PGDLLEXPORT Datum ledgerflow_post_lines(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const Posting posting = posting_arguments(fcinfo, 1);
    const std::vector<LineArgument> lines = line_arguments(fcinfo, 0);
    return post_request("ledger_post()", name_argument(fcinfo, 7), Names::codes,
                        [&](Ledger& ledger, Store& store) {
                          return post(store, resolved_lines(ledger, lines), posting).id;
                        });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_reverse);
PGDLLEXPORT Datum ledgerflow_reverse(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto transaction = id_argument(fcinfo, 0);
    const auto amount = numeric_argument(fcinfo, 2);
    Posting posting;
    posting.description = text_argument(fcinfo, 1);
    posting.idempotency_key = text_argument(fcinfo, 3);
    posting.reference = text_argument(fcinfo, 5);
    posting.effective_at = time_argument(fcinfo, 6);
    posting.metadata = metadata_argument(fcinfo, 7);
    const bool force = !PG_ARGISNULL(8) && PG_GETARG_BOOL(8);
    const char* ledger_name = name_argument(fcinfo, 9);
    const std::vector<LineArgument> lines = line_arguments(fcinfo, 4);
    if (!transaction) throw Error(Condition::transaction_not_found, "transaction must not be NULL");
    // Setting limits aside takes the right to change them.
    if (force) {
      Call check("ledger_reverse()", ledger_name, Table::account_balances, ACL_UPDATE);
      check.finish();
    }
    return post_request(
        "ledger_reverse()", ledger_name, Names::ids, [&](Ledger& ledger, Store& store) {
          ReversalRequest request;
          request.transaction = *transaction;
          request.posting = posting;
          request.force = force;
          request.lines = resolved_lines(ledger, lines);
          if (amount)
            request.amount =
                amount_units(amount, *store.load(*transaction).entries.at(0).account, false);
          return reverse(store, request);
        });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_debit);
PGDLLEXPORT Datum ledgerflow_debit(PG_FUNCTION_ARGS) { return make_line(fcinfo, true); }

PG_FUNCTION_INFO_V1(ledgerflow_credit);
PGDLLEXPORT Datum ledgerflow_credit(PG_FUNCTION_ARGS) { return make_line(fcinfo, false); }

}  // extern "C"

}  // namespace ledgerflow
