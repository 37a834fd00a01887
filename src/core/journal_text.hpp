// What the readers and writers of journals share: dates, numbers, JSON, tags, and how a line is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/errors.hpp"
#include "core/journal_file.hpp"
#include "core/journal_json.hpp"

namespace ledgerflow::exchange {

[[noreturn]] void refuse_line(std::size_t line, const std::string& why, std::string_view found = {},
                              std::string hint = {});

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

bool starts_with(std::string_view text, std::string_view prefix);
std::string lowered(std::string_view text);
std::string_view trimmed(std::string_view text);
// The text up to the next white space, which is taken off `rest` with the space after it.
std::string_view take_word(std::string_view& rest);

// 2024-01-31, 2024/1/31 or 2024.01.31, taken off the front of `rest`; nothing when there is no date. A date
// that is not in the calendar is refused.
std::optional<Date> take_date(std::string_view& rest, std::size_t line);

std::string date_text(const Date& date);
Date next_day(Date date);

// "2024-01-31 10:30:00.5+00" as microseconds since 1970.
std::optional<std::int64_t> parse_time(std::string_view text);

// Digits with a decimal point and nothing else; refused when it is longer than the ledger's numbers.
Decimal read_decimal(std::string_view digits, std::size_t line);

// A tag `key: value`, as an exported file has it; a value in quotes is a JSON string, and key+ continues it.
struct Tag {
  std::string key;
  std::string value;
  bool continues = false;
};
// The key of a tag at the start of the text and its value, or nothing.
std::optional<Tag> parse_tag(std::string_view text);

// Iterates over the lines of a text, without their ends.
class Lines {
 public:
  explicit Lines(std::string_view text);
  bool next();
  std::string_view text() const { return line_; }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
  bool ended_ = false;
};

// The tags of one transaction, account or commodity, in their order.
class Tags {
 public:
  void add(Tag tag);
  void clear() { tags_.clear(); }
  // Gives every tag to `field`, which says whether it is one of ours (only in an exported file); the others
  // become metadata.
  template <typename Field>
  void give(bool exported, std::size_t line, Members& metadata, Field&& field) const {
    for (const Tag& tag : tags_) {
      if (exported && tag.key == "metadata")
        merge_object(metadata, tag.value, line);
      else if (!exported || !field(tag.key, tag.value))
        metadata.add_text(tag.key, tag.value);
    }
  }
  // The same for what is described.
  void give(bool exported, FileTransaction& transaction) const;
  void give(bool exported, FileAccount& account) const;
  void give(bool exported, FileCommodity& commodity) const;

 private:
  static void merge_object(Members& metadata, const std::string& object, std::size_t line);

  std::vector<Tag> tags_;
};

}  // namespace ledgerflow::exchange
