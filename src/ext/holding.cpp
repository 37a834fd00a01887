// ledger_hold, ledger_capture, ledger_release, ledger_raise_hold.
#include "ext/arguments.hpp"
#include "ext/heap_store.hpp"

namespace ledgerflow {

namespace {

struct Expiry {
  std::optional<std::int64_t> at;
  const Interval* in = nullptr;
};

Expiry expiry_arguments(FunctionCallInfo fcinfo, int interval, int time) {
  Expiry expiry;
  if (!PG_ARGISNULL(time)) {
    const TimestampTz at = PG_GETARG_TIMESTAMPTZ(time);
    if (TIMESTAMP_NOT_FINITE(at) || at > latest_time)
      throw Error(Condition::invalid_expiry, "expires_at must be a finite time");
    expiry.at = unix_micros(at);
  }
  if (!PG_ARGISNULL(interval)) expiry.in = PG_GETARG_INTERVAL_P(interval);
  if (expiry.at && expiry.in != nullptr)
    throw Error(Condition::invalid_expiry, "give expires_in or expires_at, not both");
  return expiry;
}

// Sets when the hold expires, and the expiry as it was sent, to compare requests by.
void set_expiry(const Expiry& expiry, HoldRequest& request) {
  if (expiry.at) {
    request.expires_at = expiry.at;
    request.expiry_as_sent = format_time(*expiry.at);
  }
  if (expiry.in == nullptr) return;
  // No field beyond a thousand years: what they add up to is then a time.
  constexpr std::int64_t most_months = 12 * 1000;
  constexpr std::int64_t most_days = 366 * 1000;
  constexpr std::int64_t most_micros = most_days * USECS_PER_DAY;
  const auto within = [](std::int64_t field, std::int64_t most) {
    return field <= most && field >= -most;
  };
  if (!within(expiry.in->month, most_months) || !within(expiry.in->day, most_days) ||
      !within(expiry.in->time, most_micros))
    throw Error(Condition::invalid_expiry, "expires_in is too long");
  const TimestampTz now = GetCurrentTimestamp();
  request.sent_at = unix_micros(now);
  const TimestampTz until = pg_call([&] {
    return DatumGetTimestampTz(DirectFunctionCall2(
        timestamptz_pl_interval, TimestampTzGetDatum(now), IntervalPGetDatum(expiry.in)));
  });
  if (TIMESTAMP_NOT_FINITE(until) || until > latest_time)
    throw Error(Condition::invalid_expiry, "expires_in is too long");
  request.expires_at = unix_micros(until);
  request.expiry_as_sent = std::to_string(expiry.in->month) + " months " +
                           std::to_string(expiry.in->day) + " days " +
                           std::to_string(expiry.in->time) + " microseconds";
}

TransactionId required_hold(const std::optional<TransactionId>& id) {
  if (!id) throw Error(Condition::hold_not_found, "hold must not be NULL");
  return *id;
}

// An amount of a hold, in the currency of its first line. That there is a hold is for the caller to see.
std::optional<Units> hold_amount(Store& store, const TransactionId& id,
                                 const std::optional<Datum>& amount) {
  if (!amount) return std::nullopt;
  const std::optional<Hold> hold = store.find_hold(id);
  if (!hold) return std::nullopt;
  return amount_units(amount, *hold->lines.at(0).account, false);
}

// A hold of a debit and a credit of one amount.
Datum hold_transfer(FunctionCallInfo fcinfo, const std::optional<Datum>& amount) {
  const auto debit = text_argument(fcinfo, 0);
  const auto credit = text_argument(fcinfo, 1);
  const Posting posting = posting_arguments(fcinfo, 3);
  const Expiry expiry = expiry_arguments(fcinfo, 9, 10);
  const TransactionId id = run_request(
      "ledger_hold()", name_argument(fcinfo, 11), Names::codes, [&](Ledger& ledger, Store& store) {
        HoldRequest request;
        request.posting = posting;
        request.lines = transfer_lines(ledger, debit, credit, amount);
        set_expiry(expiry, request);
        return place_hold(store, request);
      });
  return pg_call([&] { return new_uuid(id); });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_hold_transfer);
PGDLLEXPORT Datum ledgerflow_hold_transfer(PG_FUNCTION_ARGS) {
  return guarded([&] { return hold_transfer(fcinfo, numeric_argument(fcinfo, 2)); });
}

// For arguments without a type, which would fit the form with lines as well.
PG_FUNCTION_INFO_V1(ledgerflow_hold_transfer_text);
PGDLLEXPORT Datum ledgerflow_hold_transfer_text(PG_FUNCTION_ARGS) {
  return guarded([&] { return hold_transfer(fcinfo, numeric_from_text_argument(fcinfo, 2)); });
}

PG_FUNCTION_INFO_V1(ledgerflow_hold_lines);
PGDLLEXPORT Datum ledgerflow_hold_lines(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const Posting posting = posting_arguments(fcinfo, 1);
    const Expiry expiry = expiry_arguments(fcinfo, 7, 8);
    const std::vector<LineArgument> lines = line_arguments(fcinfo, 0);
    const TransactionId id = run_request("ledger_hold()", name_argument(fcinfo, 9), Names::codes,
                                         [&](Ledger& ledger, Store& store) {
                                           HoldRequest request;
                                           request.posting = posting;
                                           request.lines = resolved_lines(ledger, lines);
                                           set_expiry(expiry, request);
                                           return place_hold(store, request);
                                         });
    return pg_call([&] { return new_uuid(id); });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_capture);
PGDLLEXPORT Datum ledgerflow_capture(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto hold = id_argument(fcinfo, 0);
    const auto amount = numeric_argument(fcinfo, 1);
    const bool final = PG_ARGISNULL(2) || PG_GETARG_BOOL(2);
    Posting posting;
    posting.idempotency_key = text_argument(fcinfo, 3);
    posting.reference = text_argument(fcinfo, 5);
    posting.description = text_argument(fcinfo, 6);
    posting.effective_at = time_argument(fcinfo, 7);
    posting.metadata = metadata_argument(fcinfo, 8);
    const std::vector<LineArgument> lines = line_arguments(fcinfo, 4);
    const TransactionId id = run_request("ledger_capture()", name_argument(fcinfo, 9), Names::ids,
                                         [&](Ledger& ledger, Store& store) {
                                           CaptureRequest request;
                                           request.hold = required_hold(hold);
                                           request.amount =
                                               hold_amount(store, request.hold, amount);
                                           request.lines = resolved_lines(ledger, lines);
                                           request.final = final;
                                           request.posting = posting;
                                           return capture_hold(store, request);
                                         });
    return pg_call([&] { return new_uuid(id); });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_release);
PGDLLEXPORT Datum ledgerflow_release(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto hold = id_argument(fcinfo, 0);
    const auto reason = text_argument(fcinfo, 1);
    const auto key = text_argument(fcinfo, 2);
    run_request("ledger_release()", name_argument(fcinfo, 3), Names::ids,
                [&](Ledger&, Store& store) {
                  release_hold(store, required_hold(hold), reason, key);
                  return 0;
                });
    return Datum{0};
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_raise_hold);
PGDLLEXPORT Datum ledgerflow_raise_hold(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto hold = id_argument(fcinfo, 0);
    const auto amount = numeric_argument(fcinfo, 1);
    const auto key = text_argument(fcinfo, 3);
    const std::vector<LineArgument> lines = line_arguments(fcinfo, 2);
    run_request("ledger_raise_hold()", name_argument(fcinfo, 4), Names::ids,
                [&](Ledger& ledger, Store& store) {
                  const TransactionId id = required_hold(hold);
                  raise_hold(store, id, hold_amount(store, id, amount),
                             resolved_lines(ledger, lines), key);
                  return 0;
                });
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
