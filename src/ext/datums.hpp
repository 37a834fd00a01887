// Values between PostgreSQL's forms and the engine's.
#pragma once

#include "ext/boundary.hpp"

namespace ledgerflow {

// Raises damaged_ledger: what no ledger writes was found in its tables.
[[noreturn]] void raise_damaged(const char* what);

// Microseconds between 1970 (the engine) and 2000 (PostgreSQL).
inline constexpr std::int64_t epoch_shift =
    (static_cast<std::int64_t>(POSTGRES_EPOCH_JDATE) - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

// The last time that both forms can hold.
inline constexpr TimestampTz latest_time = INT64_MAX - epoch_shift;

constexpr std::int64_t unix_micros(TimestampTz time) { return time + epoch_shift; }
constexpr TimestampTz timestamp_of(std::int64_t unix_micros) { return unix_micros - epoch_shift; }
// Refuses infinities, and the last 30 years of PostgreSQL's times, which are none of Unix.
void check_time(TimestampTz time);

// A time as a bound for reading: infinities, and what only PostgreSQL can hold, are the ends of time.
inline std::int64_t saturated_micros(TimestampTz time) {
  if (TIMESTAMP_IS_NOBEGIN(time)) return INT64_MIN;
  if (TIMESTAMP_IS_NOEND(time) || time > latest_time) return INT64_MAX;
  return unix_micros(time);
}

// A currency's scale; refuses what is none.
int scale_of(Datum smallint);
// Reads a numeric, short header or not, without copying it. Toasted values must be detoasted first.
AmountStatus units_from_numeric(Datum numeric, int scale, Units& units);
// A new numeric with exactly `scale` decimals, in the current memory context.
Datum numeric_from_units(Units units, int scale);
std::string numeric_text(Datum numeric);

inline TransactionId id_from_datum(Datum uuid) {
  // Not even a column of a primary key is sure not to be NULL: an owner can drop the key.
  if (DatumGetPointer(uuid) == nullptr)
    throw Error(Condition::damaged_ledger, "a row of the ledger has no id");
  TransactionId id;
  memcpy(id.bytes.data(), DatumGetUUIDP(uuid)->data, UUID_LEN);
  return id;
}
// The id must outlive the datum.
inline Datum datum_of(const TransactionId& id) { return PointerGetDatum(id.bytes.data()); }
Datum new_uuid(const TransactionId& id);

// A view of a text that must be detoasted and outlive the view.
inline std::string_view view_of(Datum text_datum) {
  const auto* value = reinterpret_cast<const text*>(DatumGetPointer(text_datum));
  return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}
Datum new_text(std::string_view text);
// A new array of one dimension; raises.
Datum array_of(const Datum* elements, std::size_t count, Oid type);
inline Datum array_of(const std::vector<Datum>& elements, Oid type) {
  return array_of(elements.data(), elements.size(), type);
}

// The number of a column of a user's table; raises when there is none of this type (InvalidOid: of any).
int column_number(TupleDesc descriptor, const char* name, Oid type);

// The arguments of a function call: NULL is nothing, toasted values are fetched. These may raise, so
// they are called while nothing with a destructor is alive, or inside pg_call.
std::optional<std::string_view> text_argument(FunctionCallInfo fcinfo, int number);
std::optional<std::string_view> json_argument(FunctionCallInfo fcinfo, int number);
// An effective time in microseconds since 1970; refuses infinity and what is too far ahead.
std::int64_t checked_time(TimestampTz time);
std::optional<std::int64_t> time_argument(FunctionCallInfo fcinfo, int number);
std::optional<std::int64_t> integer_argument(FunctionCallInfo fcinfo, int number);
std::optional<TransactionId> id_argument(FunctionCallInfo fcinfo, int number);
std::optional<Datum> numeric_argument(FunctionCallInfo fcinfo, int number);
// A numeric that comes as text.
std::optional<Datum> numeric_from_text_argument(FunctionCallInfo fcinfo, int number);
const char* name_argument(FunctionCallInfo fcinfo, int number);

// Starts a materialized result of a set-returning function; raises.
Tuplestorestate* start_result(FunctionCallInfo fcinfo, TupleDesc* descriptor);

// True when the JSON (a whole jsonb value) is an object.
bool is_json_object(std::string_view json);

// A limit in units of the account's currency; refuses what is not one.
Units limit_units(Datum numeric, const char* which, const Account& account);

// An amount of a posting in units of the account's currency; refuses what is not one. Positive amounts
// only, unless the amount is signed (debit positive, credit negative).
Units amount_units(std::optional<Datum> numeric, const Account& account, bool is_signed);

}  // namespace ledgerflow
