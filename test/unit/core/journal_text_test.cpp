// What journals are made of: dates, times, numbers, tags, JSON.
#include "core/journal_text.hpp"

#include <gtest/gtest.h>

#include "core/rules.hpp"
#include "refused.hpp"

namespace ledgerflow::exchange {
namespace {

using ledgerflow::testing::refused;

std::string date_of(std::string_view text) {
  std::string_view rest = text;
  const auto date = take_date(rest, 7);
  return date ? date_text(*date) + "|" + std::string(rest) : "none";
}

TEST(JournalDates, AreTakenOffTheFront) {
  EXPECT_EQ(date_of("2024-01-31 * x"), "2024-01-31| * x");
  EXPECT_EQ(date_of("2024/1/2=2024/1/3"), "2024-01-02|=2024/1/3");
  EXPECT_EQ(date_of("2024.02.29"), "2024-02-29|");
  EXPECT_EQ(date_of("0001-01-01"), "0001-01-01|");
  for (const char* none :
       {"", "x", "2024", "2024-1", "24-01-01", "2024-01/02", "2024-01-", "20240131", "2024-01-012"})
    EXPECT_EQ(date_of(none), "none") << none;
}

TEST(JournalDates, OutsideTheCalendarAreRefusedWithTheirLine) {
  for (const char* bad : {"2024-13-01", "2024-00-01", "2024-01-32", "2024-01-00", "2023-02-29",
                          "1900-02-29", "0000-01-01"}) {
    const auto refusal = ledgerflow::testing::refusal_of([&] { date_of(bad); });
    ASSERT_TRUE(refusal) << bad;
    EXPECT_EQ(refusal->message, std::string("line 7: not a date of the calendar: ") + bad);
  }
  EXPECT_EQ(date_of("2000-02-29"), "2000-02-29|");
}

TEST(JournalDates, FollowEachOther) {
  EXPECT_EQ(date_text(next_day({2024, 2, 28})), "2024-02-29");
  EXPECT_EQ(date_text(next_day({2023, 2, 28})), "2023-03-01");
  EXPECT_EQ(date_text(next_day({2024, 12, 31})), "2025-01-01");
}

TEST(JournalTimes, AreWhatFormatTimeWrites) {
  for (const std::int64_t micros :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1706697000123456},
        std::int64_t{-62135596800000000}, std::int64_t{253402300799999999}}) {
    const auto parsed = parse_time(format_time(micros));
    ASSERT_TRUE(parsed) << format_time(micros);
    EXPECT_EQ(*parsed, micros);
  }
  EXPECT_EQ(parse_time("2024-01-31T10:30:00.5Z"), 1706697000500000);
  EXPECT_EQ(parse_time("2024-01-31 16:00:00+05:30"), 1706697000000000);
  EXPECT_EQ(parse_time("2024-01-31 05:30:00-05"), 1706697000000000);
  for (const char* bad :
       {"", "2024-01-31", "2024-01-31 10:30", "2024-01-31 10:30:00", "2024-01-31 24:00:00Z",
        "2024-01-31 10:60:00Z", "2024-02-30 10:00:00Z", "2024-01-31 10:30:00.Z",
        "2024-01-31 10:30:00Z ", "2024-01-31 10:30:00.1234567Z", "2024-01-31 10:30:00+99",
        "2024-01-31 10:30:00+"})
    EXPECT_FALSE(parse_time(bad)) << bad;
}

TEST(JournalNumbers, AreExactOrRefused) {
  EXPECT_EQ(format_units(read_decimal("1.50", 1).units, 0), "150");
  EXPECT_EQ(read_decimal("1.50", 1).decimals, 2);
  EXPECT_EQ(format_units(read_decimal("12.", 1).units, 0), "12");
  EXPECT_EQ(format_units(read_decimal(std::string(38, '9'), 1).units, 0), std::string(38, '9'));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("1e3"), std::string("1.2.3"), std::string("x"),
        std::string("1,0"), std::string(39, '9'), "1." + std::string(40, '0'), std::string(" 1")})
    EXPECT_EQ(refused([&] { read_decimal(bad, 1); }), "invalid_journal") << bad;
}

TEST(JournalJson, StringsComeBack) {
  std::string every;
  for (int c = 1; c < 128; ++c) every.push_back(static_cast<char>(c));
  for (const std::string& text :
       {std::string(), every, std::string("Größe 😀"), std::string("\\\"")})
    for (const bool in_comment : {false, true})
      EXPECT_EQ(parse_json_string(json_string(text, in_comment)), text);
  EXPECT_EQ(json_string(every, true).find_first_of(":,;[]@()\n"), std::string::npos);
  EXPECT_EQ(parse_json_string("\"\\u00e9\\ud83d\\ude00\\/\\b\\f\\r\\t\""), "é😀/\b\f\r\t");
  for (const char* bad :
       {"", "x", "\"", "\"x", "x\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u0000\"", "\"\\ud83d\"",
        "\"\\ude00\"", "\"\\ud83dx\"", "\"a\"b", "\"\n\""})
    EXPECT_FALSE(parse_json_string(bad)) << bad;
}

TEST(JournalJson, KnowsObjects) {
  for (const char* good :
       {"{}", " { } ", "{\"a\":1}",
        "{\"a\": [1, -2.5e+3, true, false, null, \"x\", [], {}, [[{\"b\": {}}]]], \"c\": 0}"})
    EXPECT_TRUE(is_json_object_text(good)) << good;
  for (const char* bad : {"",
                          "[]",
                          "1",
                          "{",
                          "}",
                          "{}}",
                          "{}{}",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{,}",
                          "{\"a\":[1,]}",
                          "{\"a\":[}",
                          "{\"a\":01}",
                          "{\"a\":1.}",
                          "{\"a\":+1}",
                          "{\"a\":nul}",
                          "{a:1}",
                          "{\"a\":1 \"b\":2}",
                          "{\"a\":\"\\x\"}",
                          "{\"a\":1]"})
    EXPECT_FALSE(is_json_object_text(bad)) << bad;
  const std::string deep = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_TRUE(is_json_object_text(deep)) << "no recursion";
}

TEST(JournalJson, InCommentsMeansTheSame) {
  const std::string json = R"({"a:b": ["x, y; [1]", 1, {"c": "\\\"@"}], "d": "\u0041"})";
  const std::string shown = json_in_comment(json);
  EXPECT_TRUE(is_json_object_text(shown));
  EXPECT_EQ(
      shown,
      R"({"a\u003ab": [ "x\u002c y\u003b \u005b1\u005d", 1, {"c": "\\\"\u0040"}], "d": "\u0041"})");
}

TEST(JournalTags, HaveAKeyAndAValue) {
  EXPECT_EQ(parse_tag("key: a value")->value, "a value");
  EXPECT_EQ(parse_tag("key: \"a\\nvalue\"")->value, "a\nvalue");
  EXPECT_EQ(parse_tag("key:")->value, "");
  EXPECT_TRUE(parse_tag("key+: \"x\"")->continues);
  EXPECT_EQ(parse_tag("key+: \"x\"")->key, "key");
  for (const char* none : {"", ":", "no tag", "two words: x", ": x"})
    EXPECT_FALSE(parse_tag(none)) << none;
}

}  // namespace
}  // namespace ledgerflow::exchange
