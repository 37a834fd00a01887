#include "ext/datums.hpp"

namespace ledgerflow {

namespace {

// The stored form of numeric (PostgreSQL's src/backend/utils/adt/numeric.c): a 16-bit header whose two
// top bits tell short form, long form or a special value; the long form has a 16-bit weight after it.
constexpr unsigned sign_mask = 0xC000;
constexpr unsigned negative_long = 0x4000;
constexpr unsigned short_form = 0x8000;
constexpr unsigned special_value = 0xC000;
constexpr unsigned short_negative = 0x2000;
constexpr int short_scale_shift = 7;
constexpr unsigned short_weight_sign = 0x0040;
constexpr unsigned short_weight_mask = 0x003F;
constexpr int digits_per_call = 512;

std::uint16_t read16(const char* at) {
  std::uint16_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

[[noreturn]] void refuse_limit(const char* which, const Account& account, const char* why,
                               const std::string& value) {
  throw Error(Condition::invalid_limits,
              std::string(which) + " " + value + " of account " + quoted(account.code) + " " + why,
              account.currency + " has " + std::to_string(account.scale) + " decimals.");
}

}  // namespace

void raise_damaged(const char* what) {
  const ConditionInfo& condition = info(Condition::damaged_ledger);
  ereport(ERROR, (errcode(sqlstate_of(condition)), errmsg_internal("%s", what),
                  errhint("%s", condition.remedy)));
  pg_unreachable();
}

void check_time(TimestampTz time) {
  if (TIMESTAMP_NOT_FINITE(time))
    throw Error(Condition::invalid_effective_at, "the time must be finite");
  if (time > latest_time) throw Error(Condition::invalid_effective_at, "the time is too far ahead");
}

int scale_of(Datum smallint) {
  const int scale = DatumGetInt16(smallint);
  if (scale < 0 || scale > max_scale)
    throw Error(Condition::damaged_ledger,
                "a currency of the ledger has a scale of " + std::to_string(scale));
  return scale;
}

AmountStatus units_from_numeric(Datum numeric, int scale, Units& units) {
  const char* data = VARDATA_ANY(DatumGetPointer(numeric));
  const std::size_t size = VARSIZE_ANY_EXHDR(DatumGetPointer(numeric));
  const unsigned header = read16(data);
  std::size_t header_size = sizeof(std::uint16_t);
  bool negative = false;
  int weight = 0;
  if ((header & sign_mask) == special_value) return AmountStatus::not_finite;
  if ((header & sign_mask) == short_form) {
    negative = (header & short_negative) != 0;
    weight = static_cast<int>(header & short_weight_mask);
    if ((header & short_weight_sign) != 0) weight -= short_weight_sign;
  } else {
    negative = (header & sign_mask) == negative_long;
    weight = static_cast<std::int16_t>(read16(data + header_size));
    header_size += sizeof(std::uint16_t);
  }
  const std::size_t count = (size - header_size) / sizeof(std::int16_t);
  // Digits past this many are decimals far beyond any scale, or the number is far too large.
  std::int16_t digits[digits_per_call];
  const auto taken = static_cast<int>(count < digits_per_call ? count : digits_per_call);
  memcpy(digits, data + header_size, static_cast<std::size_t>(taken) * sizeof(std::int16_t));
  const AmountStatus status = units_from_digits(negative, weight, digits, taken, scale, units);
  // The last digit of a numeric is never zero.
  if (status == AmountStatus::ok && count > digits_per_call) return AmountStatus::too_many_decimals;
  return status;
}

Datum numeric_from_units(Units units, int scale) {
  const NumericDigits number = digits_from_units(units, scale);
  const std::size_t digits_size = static_cast<std::size_t>(number.count) * sizeof(std::int16_t);
  const std::size_t size = VARHDRSZ + sizeof(std::uint16_t) + digits_size;
  auto* value = static_cast<char*>(palloc(size));
  SET_VARSIZE(value, size);
  const auto header =
      static_cast<std::uint16_t>(short_form | (number.negative ? short_negative : 0U) |
                                 static_cast<unsigned>(number.display_scale) << short_scale_shift |
                                 (number.weight < 0 ? short_weight_sign : 0U) |
                                 (static_cast<unsigned>(number.weight) & short_weight_mask));
  memcpy(VARDATA(value), &header, sizeof header);
  memcpy(VARDATA(value) + sizeof header, number.digits, digits_size);
  return PointerGetDatum(value);
}

std::string numeric_text(Datum numeric) {
  return pg_call([&] { return DatumGetCString(DirectFunctionCall1(numeric_out, numeric)); });
}

Datum new_uuid(const TransactionId& id) {
  auto* uuid = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
  memcpy(uuid->data, id.bytes.data(), UUID_LEN);
  return UUIDPGetDatum(uuid);
}

Datum new_text(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

int column_number(TupleDesc descriptor, const char* name, Oid type) {
  const int number = SPI_fnumber(descriptor, name);
  if (number <= 0 ||
      (OidIsValid(type) && !IsBinaryCoercible(SPI_gettypeid(descriptor, number), type)))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    OidIsValid(type) ? errmsg("the table has no column \"%s\" of type %s", name,
                                              format_type_be(type))
                                     : errmsg("the table has no column \"%s\"", name),
                    errhint("Functions of ledgerflow's triggers are for the tables of a ledger.")));
  return number;
}

std::optional<std::string_view> text_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  return view_of(PointerGetDatum(PG_GETARG_TEXT_PP(number)));
}

std::optional<std::string_view> json_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  const Jsonb* json = PG_GETARG_JSONB_P(number);
  return std::string_view(reinterpret_cast<const char*>(json), VARSIZE(json));
}

std::int64_t checked_time(TimestampTz time) {
  check_time(time);
  return unix_micros(time);
}

std::optional<std::int64_t> time_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  return checked_time(PG_GETARG_TIMESTAMPTZ(number));
}

std::optional<std::int64_t> integer_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  return PG_GETARG_INT64(number);
}

std::optional<TransactionId> id_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  return id_from_datum(PG_GETARG_DATUM(number));
}

std::optional<Datum> numeric_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  return PointerGetDatum(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(number)));
}

std::optional<Datum> numeric_from_text_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  char* digits = TextDatumGetCString(PG_GETARG_DATUM(number));
  return DirectFunctionCall3(numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid),
                             Int32GetDatum(-1));
}

const char* name_argument(FunctionCallInfo fcinfo, int number) {
  return PG_ARGISNULL(number) ? nullptr : NameStr(*PG_GETARG_NAME(number));
}

bool is_json_object(std::string_view json) {
  return JB_ROOT_IS_OBJECT(reinterpret_cast<const Jsonb*>(json.data()));
}

Units limit_units(Datum numeric, const char* which, const Account& account) {
  Units units = 0;
  switch (units_from_numeric(numeric, account.scale, units)) {
    case AmountStatus::ok:
      break;
    case AmountStatus::too_many_decimals:
      refuse_limit(which, account, "has too many decimals", numeric_text(numeric));
    case AmountStatus::not_finite:
      refuse_limit(which, account, "is not a finite number", numeric_text(numeric));
    default:
      refuse_limit(which, account, "is too large", "");
  }
  // Room for the difference of a balance and a limit within 128 bits.
  if (units >= power_of_ten(max_digits - 1) || units <= -power_of_ten(max_digits - 1))
    refuse_limit(which, account, "is too large", format_units(units, account.scale));
  return units;
}

Units amount_units(std::optional<Datum> numeric, const Account& account, bool is_signed) {
  if (!numeric) throw Error(Condition::invalid_amount, "amount must not be NULL");
  Units units = 0;
  const AmountStatus status = units_from_numeric(*numeric, account.scale, units);
  if (status == AmountStatus::too_large)
    throw Error(Condition::invalid_amount, "amount is too large for " + account.currency);
  if (status != AmountStatus::ok)
    refuse_amount(status, numeric_text(*numeric), account.currency, account.scale);
  check_postable(units, account);
  if (units < 0 && !is_signed)
    throw Error(Condition::invalid_amount,
                "amount " + format_units(units, account.scale) + " is negative", {},
                "Swap debit and credit to move money the other way.");
  return units;
}

Datum array_of(const Datum* elements, std::size_t count, Oid type) {
  std::int16_t length = 0;
  bool by_value = false;
  char align = 0;
  get_typlenbyvalalign(type, &length, &by_value, &align);
  return PointerGetDatum(construct_array(const_cast<Datum*>(elements), static_cast<int>(count),
                                         type, length, by_value, align));
}

Tuplestorestate* start_result(FunctionCallInfo fcinfo, TupleDesc* descriptor) {
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (result == nullptr || !IsA(result, ReturnSetInfo) ||
      (result->allowedModes & SFRM_Materialize) == 0)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("set-valued function called in context that cannot accept a set")));
  const MemoryContext caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
  Oid type = InvalidOid;
  switch (get_call_result_type(fcinfo, &type, descriptor)) {
    case TYPEFUNC_COMPOSITE:
      *descriptor = CreateTupleDescCopy(*descriptor);
      break;
    case TYPEFUNC_SCALAR:
      *descriptor = CreateTemplateTupleDesc(1);
      TupleDescInitEntry(*descriptor, 1, "value", type, -1, 0);
      break;
    default:
      elog(ERROR, "the result is neither rows nor values");
  }
  Tuplestorestate* rows =
      tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
  result->returnMode = SFRM_Materialize;
  result->setResult = rows;
  result->setDesc = *descriptor;
  MemoryContextSwitchTo(caller);
  return rows;
}

}  // namespace ledgerflow
