// Account codes, cursors, ids of transactions, dates and times: what is accepted follows the rules as they
// are written down, is written as it was read, and keeps its order.
#include <algorithm>

#include "core/cursor.hpp"
#include "core/effective.hpp"
#include "core/journal_text.hpp"
#include "core/rules.hpp"
#include "fuzz.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::fuzz {
namespace {

constexpr std::int64_t second = 1000000;

// The rule as docs/reference.md has it.
bool is_code(const std::string& code) {
  const std::string characters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.@+/:";
  return !code.empty() && code.size() <= 255 &&
         code.find_first_not_of(characters) == std::string::npos && code.front() != ':' &&
         code.back() != ':' && code.find("::") == std::string::npos;
}

void codes(Source& source) {
  std::string code = text(source, 300);
  if (source.ConsumeBool()) code.resize(source.ConsumeIntegralInRange<std::size_t>(0, 260), 'a');
  expect(is_account_code(code) == is_code(code), "a code is one by its rule", code);
  const std::string shown = shortened(code);
  expect(shown.size() <= 103, "messages stay short");
  expect(shown == code || shown.substr(0, shown.size() - 3) == code.substr(0, shown.size() - 3),
         "a shortened text is its beginning", code);
  if (is_database_text(code)) expect(is_database_text(shown), "no character is cut", code);
  if (const auto status = status_from_string(code)) expect(to_string(*status) == code, "statuses");
  if (const auto status = hold_status_from_string(code))
    expect(to_string(*status) == code, "statuses");
}

TransactionId any_id(Source& source) {
  TransactionId id;
  for (std::uint8_t& byte : id.bytes) byte = source.ConsumeIntegral<std::uint8_t>();
  return id;
}

// A time that an id can carry, with room after it.
std::int64_t id_time(Source& source) {
  return source.ConsumeIntegralInRange<std::int64_t>(0, (std::int64_t{1} << 47) * 1000);
}

void ids(Source& source) {
  const std::int64_t time = id_time(source);
  const TransactionId id =
      make_transaction_id(time, source.ConsumeIntegral<std::uint64_t>(), std::nullopt);
  expect(is_uuid_v7(id) && time_of(id) == time, "an id carries its time to the microsecond");
  expect(!(id < first_id_at(time)) && id < first_id_after(time), "an id lies within its time");
  const TransactionId next =
      make_transaction_id(id_time(source), source.ConsumeIntegral<std::uint64_t>(), id);
  expect(is_uuid_v7(next) && id < next && time_of(next) >= time, "ids rise");

  const std::int64_t any = source.ConsumeIntegral<std::int64_t>();
  expect(!(first_id_after(any) < first_id_at(any)), "bounds are in order");
  const std::string shown = to_string(id);
  const auto read = client::TransactionId::from_string(shown);
  expect(read && read->bytes() == id.bytes && read->to_string() == shown, "the client reads it");
  expect(read->posted_at().time_since_epoch().count() == time, "and the time in it");

  std::string other = shown;
  other[source.ConsumeIntegralInRange<std::size_t>(0, other.size() - 1)] =
      source.ConsumeIntegral<char>();
  if (const auto changed = client::TransactionId::from_string(other)) {
    std::transform(other.begin(), other.end(), other.begin(), exchange::lower);
    expect(changed->to_string() == other, "an id has one text, in either case", other);
  }
  const TransactionId foreign = any_id(source);
  static_cast<void>(time_of(foreign));
}

void cursors(Source& source) {
  const auto scope = [&] {
    ListScope chosen;
    chosen.kind = source.ConsumeBool() ? ListKind::statement : ListKind::transactions;
    chosen.newest_first = source.ConsumeBool();
    chosen.names = names_hash({source.PickValueInArray({"ledger", "l"}), text(source, 8)});
    return chosen;
  };
  const ListScope own = scope();
  const ListScope other = scope();
  const bool same =
      own.kind == other.kind && own.newest_first == other.newest_first && own.names == other.names;
  const ListPosition last{any_id(source), source.ConsumeIntegralInRange(0, 10000)};
  const std::string cursor = write_cursor(own, last);
  try {
    const ListPosition found = read_cursor(cursor, other);
    expect(same, "a cursor is that of its list");
    expect(found.transaction == last.transaction && found.line == last.line, "it tells its place");
  } catch (const Error& error) {
    expect(error.refusal().condition == Condition::invalid_cursor && !same,
           "its own list takes it");
  }
  std::string changed = cursor;
  if (source.ConsumeBool()) {
    changed = source.ConsumeRemainingBytesAsString();
  } else {
    for (int i = source.ConsumeIntegralInRange(1, 4); i > 0; --i)
      changed[source.ConsumeIntegralInRange<std::size_t>(0, changed.size() - 1)] =
          source.ConsumeIntegral<char>();
  }
  try {
    const ListPosition found = read_cursor(changed, own);
    expect(write_cursor(own, found) == changed && changed == cursor, "no cursor is made up",
           changed);
  } catch (const Error& error) {
    expect(error.refusal().condition == Condition::invalid_cursor, "it is refused as a cursor");
  }
}

void times(Source& source) {
  constexpr std::int64_t year_1 = -62135596800 * second;
  constexpr std::int64_t year_10000 = 253402300800 * second;
  const std::int64_t any = source.ConsumeIntegral<std::int64_t>();
  const std::string far = format_time(any);
  expect(far.size() < 50, "the longest time", far);
  const std::int64_t day = day_of(any);
  expect(any / second / 86400 - day <= 1 && any / second / 86400 >= day, "days before 1970 too");

  const std::int64_t time = source.ConsumeIntegralInRange(year_1, year_10000 - 1);
  const std::string shown = format_time(time);
  expect(exchange::parse_time(shown) == time, "a time is read as it is written", shown);
  std::string_view rest = shown;
  const auto date = exchange::take_date(rest, 1);
  expect(date && rest.substr(0, 1) == " ", "its date is one", shown);
  const std::string next_noon = exchange::date_text(exchange::next_day(*date)) + " 12:00:00Z";
  if (const auto noon = exchange::parse_time(next_noon))
    expect(day_of(*noon) == day_of(time) + 1, "the next day is the next", next_noon);
  else
    expect(date->year == 9999 && date->month == 12 && date->day == 31, "only the last has none");

  const std::string written = source.ConsumeRemainingBytesAsString();
  if (const auto read = exchange::parse_time(written))
    if (*read >= year_1 && *read < year_10000)
      expect(exchange::parse_time(format_time(*read)) == *read, "a time is one time", written);
  try {
    std::string_view after = written;
    if (const auto read = exchange::take_date(after, 1)) {
      const std::string again = exchange::date_text(*read);
      std::string_view whole = again;
      expect(exchange::take_date(whole, 1) && whole.empty() && after.size() < written.size(),
             "a date is a date", written);
    }
  } catch (const Error& error) {
    expect(error.refusal().condition == Condition::invalid_journal, "a day that is not there");
  }
}

}  // namespace
}  // namespace ledgerflow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ledgerflow::fuzz;
  Source source(data, size);
  switch (source.ConsumeIntegralInRange(0, 3)) {
    case 0:
      codes(source);
      break;
    case 1:
      ids(source);
      break;
    case 2:
      cursors(source);
      break;
    default:
      times(source);
  }
  return 0;
}
