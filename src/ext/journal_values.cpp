#include "ext/journal_values.hpp"

namespace ledgerflow {

namespace {

// The first moment of a day of the session's time zone; raises.
TimestampTz day_start(int year, int month, int day) {
  struct pg_tm start = {};
  start.tm_year = year;
  start.tm_mon = month;
  start.tm_mday = day;
  start.tm_isdst = -1;
  int zone = DetermineTimeZoneOffset(&start, session_timezone);
  Timestamp time = 0;
  if (tm2timestamp(&start, 0, &zone, &time) != 0)
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("date out of range")));
  return time;
}

}  // namespace

std::optional<LocalDay> local_day(TimestampTz time) {
  struct pg_tm fields = {};
  bool is_start = false;
  const bool fits = pg_call([&] {
    fsec_t fraction = 0;
    int zone = 0;
    if (timestamp2tm(time, &zone, &fields, &fraction, nullptr, nullptr) != 0) return false;
    if (fields.tm_year < 1 || fields.tm_year > 9999) return false;
    is_start = day_start(fields.tm_year, fields.tm_mon, fields.tm_mday) == time;
    return true;
  });
  if (!fits) return std::nullopt;
  return LocalDay{{fields.tm_year, fields.tm_mon, fields.tm_mday}, is_start};
}

exchange::Format format_argument(const std::optional<std::string_view>& name) {
  const auto format = name ? exchange::format_from_string(*name) : std::nullopt;
  if (!format)
    throw Error(Condition::invalid_argument,
                "format " + (name ? quoted(*name) : std::string("NULL")) + " is unknown", {},
                "Use 'hledger', 'ledger', 'beancount' or 'csv'.");
  return *format;
}

std::int64_t start_of_day(const exchange::Date& date) {
  return unix_micros(pg_call([&] { return day_start(date.year, date.month, date.day); }));
}

JsonMembers members_of(Jsonb* json) {
  JsonMembers found = {nullptr, 0};
  const auto size = static_cast<std::size_t>(JsonContainerSize(&json->root));
  found.members = static_cast<JsonMember*>(palloc((size + 1) * sizeof(JsonMember)));
  JsonbIterator* iterator = JsonbIteratorInit(&json->root);
  JsonbValue value;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE) {
    if (token == WJB_KEY) {
      found.members[found.count].key = value.val.string.val;
      found.members[found.count].key_size = static_cast<std::size_t>(value.val.string.len);
    } else if (token == WJB_VALUE) {
      JsonMember& member = found.members[found.count++];
      member.is_text = value.type == jbvString;
      if (member.is_text) {
        member.value = value.val.string.val;
        member.value_size = static_cast<std::size_t>(value.val.string.len);
      } else if (value.type == jbvBinary) {
        member.value = JsonbToCString(nullptr, value.val.binary.data, value.val.binary.len);
        member.value_size = strlen(member.value);
      } else {
        // A scalar is kept as an array of one: [5].
        Jsonb* scalar = JsonbValueToJsonb(&value);
        member.value = JsonbToCString(nullptr, &scalar->root, VARSIZE(scalar));
        member.value_size = strlen(member.value);
      }
    }
  }
  return found;
}

}  // namespace ledgerflow
