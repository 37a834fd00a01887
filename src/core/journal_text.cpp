#include "core/journal_text.hpp"

#include <algorithm>
#include <cstdio>

#include "core/rules.hpp"

namespace ledgerflow::exchange {

namespace {

constexpr std::string_view format_names[] = {"hledger", "ledger", "beancount", "csv"};

constexpr bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_of_month(int year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool is_date(const Date& date) {
  return date.year >= 1 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
         date.day <= days_of_month(date.year, date.month);
}

// Days since 1970 of a date of the Gregorian calendar.
std::int64_t day_number(const Date& date) {
  const std::int64_t years = date.year - 1;
  std::int64_t days = years * 365 + years / 4 - years / 100 + years / 400;
  for (int month = 1; month < date.month; ++month) days += days_of_month(date.year, month);
  constexpr std::int64_t days_to_1970 = 719162;
  return days + date.day - 1 - days_to_1970;
}

// Up to `most` digits off the front; -1 when there is none.
int take_number(std::string_view& rest, std::size_t most) {
  int value = 0;
  std::size_t count = 0;
  while (count < most && count < rest.size() && is_digit(rest[count]))
    value = value * 10 + (rest[count++] - '0');
  rest.remove_prefix(count);
  return count == 0 ? -1 : value;
}

bool take_char(std::string_view& rest, char c) {
  if (rest.empty() || rest[0] != c) return false;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<Format> format_from_string(std::string_view text) {
  for (std::size_t i = 0; i < std::size(format_names); ++i)
    if (text == format_names[i]) return static_cast<Format>(i);
  return std::nullopt;
}

Index Names::index(std::string_view name) {
  const auto [entry, is_new] =
      indexes_.try_emplace(std::string(name), static_cast<Index>(names_.size()));
  if (is_new) names_.push_back(&entry->first);
  return entry->second;
}

std::optional<Index> Names::find(std::string_view name) const {
  const auto known = indexes_.find(std::string(name));
  if (known == indexes_.end()) return std::nullopt;
  return known->second;
}

void Members::add_text(std::string_view key, std::string_view value) {
  add_json(key, json_string(value));
}

void Members::add_json(std::string_view key, std::string_view json) {
  if (!text_.empty()) text_ += ", ";
  text_ += json_string(key);
  text_ += ": ";
  text_ += json;
}

void Members::merge(std::string_view object) {
  object = trimmed(object);
  const std::string_view members = trimmed(object.substr(1, object.size() - 2));
  if (members.empty()) return;
  if (!text_.empty()) text_ += ", ";
  text_ += members;
}

void refuse_line(std::size_t line, const std::string& why, std::string_view found,
                 std::string hint) {
  std::string message = "line " + std::to_string(line) + ": " + why;
  if (!found.empty()) message += ": " + shortened(found);
  throw Error(Condition::invalid_journal, std::move(message), {}, std::move(hint));
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return is_space(c) || c == '\n' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_word(std::string_view& rest) {
  std::size_t end = 0;
  while (end < rest.size() && !is_space(rest[end])) ++end;
  const std::string_view word = rest.substr(0, end);
  while (end < rest.size() && is_space(rest[end])) ++end;
  rest.remove_prefix(end);
  return word;
}

std::optional<Date> take_date(std::string_view& rest, std::size_t line) {
  std::string_view ahead = rest;
  Date date;
  date.year = take_number(ahead, 4);
  const char separator = ahead.empty() ? '\0' : ahead[0];
  if (rest.size() - ahead.size() != 4 || (separator != '-' && separator != '/' && separator != '.'))
    return std::nullopt;
  ahead.remove_prefix(1);
  date.month = take_number(ahead, 2);
  if (date.month < 0 || !take_char(ahead, separator)) return std::nullopt;
  date.day = take_number(ahead, 2);
  if (date.day < 0 || (!ahead.empty() && is_digit(ahead[0]))) return std::nullopt;
  if (!is_date(date))
    refuse_line(line, "not a date of the calendar", rest.substr(0, rest.size() - ahead.size()));
  rest = ahead;
  return date;
}

std::string date_text(const Date& date) {
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", date.year, date.month, date.day);
  return text;
}

Date next_day(Date date) {
  if (++date.day <= days_of_month(date.year, date.month)) return date;
  date.day = 1;
  if (++date.month <= 12) return date;
  return {date.year + 1, 1, 1};
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  constexpr std::int64_t micros_per_second = 1000000;
  Date date;
  date.year = take_number(text, 4);
  if (!take_char(text, '-')) return std::nullopt;
  date.month = take_number(text, 2);
  if (!take_char(text, '-')) return std::nullopt;
  date.day = take_number(text, 2);
  if (!is_date(date) || (!take_char(text, ' ') && !take_char(text, 'T'))) return std::nullopt;
  const int hour = take_number(text, 2);
  if (!take_char(text, ':')) return std::nullopt;
  const int minute = take_number(text, 2);
  if (!take_char(text, ':')) return std::nullopt;
  const int second = take_number(text, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
    return std::nullopt;
  int micros = 0;
  if (take_char(text, '.')) {
    const std::size_t before = text.size();
    micros = take_number(text, 6);
    if (micros < 0) return std::nullopt;
    for (std::size_t given = before - text.size(); given < 6; ++given) micros *= 10;
  }
  std::int64_t offset = 0;
  if (!take_char(text, 'Z')) {
    const bool west = take_char(text, '-');
    if (!west && !take_char(text, '+')) return std::nullopt;
    const int hours = take_number(text, 2);
    const int minutes = take_char(text, ':') ? take_number(text, 2) : 0;
    if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59) return std::nullopt;
    offset = (hours * 60 + minutes) * 60;
    if (west) offset = -offset;
  }
  if (!text.empty()) return std::nullopt;
  const std::int64_t seconds =
      day_number(date) * 86400 + hour * 3600 + minute * 60 + second - offset;
  return seconds * micros_per_second + micros;
}

Decimal read_decimal(std::string_view digits, std::size_t line) {
  Decimal decimal;
  const std::size_t point = digits.find('.');
  if (point != std::string_view::npos)
    decimal.decimals = static_cast<int>(std::min<std::size_t>(digits.size() - point - 1, 1000));
  // "10." is what hledger writes for a whole number.
  const std::string_view number =
      point + 1 == digits.size() ? digits.substr(0, point) : std::string_view(digits);
  switch (parse_units(number, decimal.decimals, decimal.units)) {
    case AmountStatus::ok:
      return decimal;
    case AmountStatus::too_large:
      refuse_line(line, "a number of more than 38 digits", digits);
    default:
      refuse_line(line, "not a plain decimal number", digits);
  }
}

std::optional<Tag> parse_tag(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  Tag tag;
  tag.key = text.substr(0, colon);
  if (tag.key.find_first_of(" \t,;\"{") != std::string::npos) return std::nullopt;
  tag.continues = tag.key.size() > 1 && tag.key.back() == '+';
  if (tag.continues) tag.key.pop_back();
  const std::string_view value = trimmed(text.substr(colon + 1));
  const auto quoted_value = parse_json_string(value);
  tag.value = quoted_value ? *quoted_value : std::string(value);
  return tag;
}

void Tags::add(Tag tag) {
  if (tag.continues && !tags_.empty() && tags_.back().key == tag.key)
    tags_.back().value += tag.value;
  else
    tags_.push_back(std::move(tag));
}

void Tags::merge_object(Members& metadata, const std::string& object, std::size_t line) {
  if (!is_json_object_text(object)) refuse_line(line, "its metadata is not a JSON object", object);
  metadata.merge(object);
}

void Tags::give(bool exported, FileTransaction& transaction) const {
  give(exported, transaction.line, transaction.metadata,
       [&](const std::string& key, const std::string& value) {
         if (key == "id") {
           transaction.id = value;
         } else if (key == "reference") {
           transaction.reference = value;
         } else if (key == "description") {
           transaction.description = value;
         } else if (key == "effective_at") {
           transaction.effective_at = parse_time(value);
           if (!transaction.effective_at)
             refuse_line(transaction.line, "its effective_at is not a time", value,
                         "A time is written as in 2024-01-31 10:30:00.5+00.");
         } else {
           return false;
         }
         return true;
       });
}

void Tags::give(bool exported, FileAccount& account) const {
  give(exported, account.line, account.metadata,
       [&](const std::string& key, const std::string& value) {
         if (key == "code")
           account.code = value;
         else if (key == "account_type")
           account.type = value;
         else if (key == "currency")
           account.currencies.push_back(value);
         else if (key == "name")
           account.title = value;
         else
           return key == "type";  // hledger's own
         return true;
       });
}

void Tags::give(bool exported, FileCommodity& commodity) const {
  if (!exported) {
    for (const Tag& tag : tags_)
      if (tag.key == "name") commodity.title = tag.value;
    return;
  }
  Members ignored;  // a currency has no metadata
  give(exported, commodity.line, ignored, [&](const std::string& key, const std::string& value) {
    if (key == "code") {
      commodity.code = value;
    } else if (key == "scale") {
      Units scale = 0;
      if (parse_units(value, 0, scale) != AmountStatus::ok || scale < 0 || scale > max_scale)
        refuse_line(commodity.line, "its scale is not a number from 0 to 24", value);
      commodity.decimals = static_cast<int>(scale);
    } else if (key == "name") {
      commodity.title = value;
    } else {
      return false;
    }
    return true;
  });
}

Lines::Lines(std::string_view text) : rest_(text) {
  if (starts_with(rest_, "\xEF\xBB\xBF")) rest_.remove_prefix(3);  // a byte order mark
}

bool Lines::next() {
  if (ended_ || (rest_.empty() && number_ > 0)) return false;
  const std::size_t end = rest_.find('\n');
  line_ = rest_.substr(0, end);
  ended_ = end == std::string_view::npos;
  if (!ended_) rest_.remove_prefix(end + 1);
  if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
  ++number_;
  return true;
}

File read_file(Format format, std::string_view text) {
  File file;
  file.format = format;
  if (format == Format::csv)
    read_csv(text, file);
  else if (format == Format::beancount)
    read_beancount(text, file);
  else
    read_plain_text(text, file);
  return file;
}

}  // namespace ledgerflow::exchange
