// Values of journals in PostgreSQL's forms. Dates are days of the session's time zone, as everywhere in it.
#pragma once

#include "core/journal_text.hpp"
#include "ext/datums.hpp"

namespace ledgerflow {

// The date of a time; nothing when it lies before year 1 or after year 9999.
struct LocalDay {
  exchange::Date date;
  bool is_start = false;  // the time is the start of the day
};
std::optional<LocalDay> local_day(TimestampTz time);

// The format of this name, or the error that there is none.
exchange::Format format_argument(const std::optional<std::string_view>& name);

// The start of a day, in microseconds since 1970.
std::int64_t start_of_day(const exchange::Date& date);

// The members of a metadata object (a whole jsonb value), in the current memory context; raises.
struct JsonMember {
  const char* key;
  std::size_t key_size;
  const char* value;
  std::size_t value_size;
  bool is_text;
};
struct JsonMembers {
  JsonMember* members;
  std::size_t count;
};
JsonMembers members_of(Jsonb* json);

}  // namespace ledgerflow
