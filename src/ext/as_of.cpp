#include "ext/as_of.hpp"

#include "ext/datums.hpp"

namespace ledgerflow {

namespace {

constexpr const char* setting_name = "ledgerflow.as_of";

// The beginning of the year 1: times before it, when nothing was posted either, are taken as it. A text of theirs would
// have letters (BC), and those must not be read in a parallel worker: while settings are handed to it, PostgreSQL has
// freed the names of time zones, which it looks letters up in (RestoreGUCState()).
constexpr TimestampTz earliest_time = timestamp_of(INT64_C(-62135596800) * USECS_PER_SEC);

char* setting = nullptr;
std::optional<std::int64_t> current;

// Reads a time the way timestamptz does, but raises nothing: hooks of settings may not.
bool parse_time(const char* text, TimestampTz& time) {
  char buffer[MAXDATELEN + MAXDATEFIELDS];
  char* fields[MAXDATEFIELDS];
  int types[MAXDATEFIELDS];
  int count = 0;
  if (ParseDateTime(text, buffer, sizeof buffer, fields, types, MAXDATEFIELDS, &count) != 0)
    return false;
  int type = 0;
  struct pg_tm parts;
  fsec_t fraction = 0;
  int zone = 0;
#if PG_VERSION_NUM >= 160000
  DateTimeErrorExtra extra;
  if (DecodeDateTime(fields, types, count, &type, &parts, &fraction, &zone, &extra) != 0)
    return false;
#else
  if (DecodeDateTime(fields, types, count, &type, &parts, &fraction, &zone) != 0) return false;
#endif
  // Infinities are other types: '' is the way to read everything.
  if (type != DTK_DATE || tm2timestamp(&parts, fraction, &zone, &time) != 0) return false;
  if (!IS_VALID_TIMESTAMP(time) || time > latest_time) return false;
  time = std::max(time, earliest_time);
  return true;
}

// PostgreSQL frees what a hook returns: with malloc's partner up to version 15, with its own later.
void* setting_memory(std::size_t size) {
#if PG_VERSION_NUM >= 160000
  return guc_malloc(LOG, size);
#else
  return malloc(size);
#endif
}
void free_setting_memory(void* memory) {
#if PG_VERSION_NUM >= 160000
  guc_free(memory);
#else
  free(memory);
#endif
}

// Keeps the time in one form, in UTC: views read the text, and what it says must not change with DateStyle
// or TimeZone, nor 'yesterday' with the day.
bool check(char** value, void** parsed, GucSource) {
  if (*value == nullptr || **value == '\0') return true;
  TimestampTz time = 0;
  struct pg_tm parts;
  fsec_t fraction = 0;
  if (!parse_time(*value, time) ||
      timestamp2tm(time, nullptr, &parts, &fraction, nullptr, nullptr) != 0) {
    GUC_check_errdetail("It is the posting time up to which to read: a finite date and time.");
    GUC_check_errhint("Set it to '' to read everything.");
    return false;
  }
  parts.tm_isdst = 0;  // or the zone is left out
  char text[MAXDATELEN + 1];
  EncodeDateTime(&parts, fraction, true, 0, nullptr, USE_ISO_DATES, text);
  auto* copy = static_cast<char*>(setting_memory(strlen(text) + 1));
  auto* micros = static_cast<std::int64_t*>(setting_memory(sizeof(std::int64_t)));
  if (copy == nullptr || micros == nullptr) {
    if (copy != nullptr) free_setting_memory(copy);
    if (micros != nullptr) free_setting_memory(micros);
    return false;
  }
  strcpy(copy, text);
  *micros = unix_micros(time);
  free_setting_memory(*value);
  *value = copy;
  *parsed = micros;
  return true;
}

void assign(const char*, void* parsed) {
  current = std::nullopt;
  if (parsed != nullptr) current = *static_cast<const std::int64_t*>(parsed);
}

}  // namespace

void define_as_of() {
  // Set before the library was there, and no time: PostgreSQL would warn, forget it, and read the present.
  const char* before = GetConfigOption(setting_name, true, false);
  TimestampTz time = 0;
  if (before != nullptr && *before != '\0' && !parse_time(before, time) &&
      !process_shared_preload_libraries_in_progress)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("invalid value for parameter \"%s\": \"%s\"", setting_name, before),
                    errhint("Set it to a finite date and time, or to '' to read everything.")));
  DefineCustomStringVariable(setting_name, "Posting time up to which functions and views read.",
                             "Empty: everything that is posted. Postings ignore it.", &setting, "",
                             PGC_USERSET, 0, check, assign, nullptr);
}

std::optional<std::int64_t> as_of() { return current; }

}  // namespace ledgerflow
