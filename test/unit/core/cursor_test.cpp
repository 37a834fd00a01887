// Cursors: good for the list that they came from, refused by every other, and never a crash.
#include "core/cursor.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "randomness.hpp"

namespace ledgerflow {
namespace {

constexpr std::int64_t noon = 1790000000LL * 1000000;

ListScope statement_of(std::string_view account, bool newest_first = false) {
  return {ListKind::statement, newest_first, names_hash({"ledger", account})};
}

ListPosition position(int line) { return {first_id_at(noon), line}; }

// "done", or the message of the refusal.
std::string verdict(std::string_view text, const ListScope& scope) {
  try {
    read_cursor(text, scope);
    return "done";
  } catch (const Error& error) {
    EXPECT_EQ(error.refusal().condition, Condition::invalid_cursor);
    return error.what();
  }
}

constexpr const char* nonsense = "the cursor is not one that a page ended with";

TEST(Cursor, ComesBackAsItWas) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  for (int i = 0; i < 10000; ++i) {
    const ListScope scope{i % 2 == 0 ? ListKind::statement : ListKind::transactions, i % 3 == 0,
                          random.generator()};
    const auto micros = static_cast<std::int64_t>(random.below(noon));
    const ListPosition before{make_transaction_id(micros, random.generator(), std::nullopt),
                              static_cast<int>(random.below(10001))};
    const ListPosition after = read_cursor(write_cursor(scope, before), scope);
    ASSERT_EQ(after.transaction, before.transaction);
    ASSERT_EQ(after.line, before.line);
  }
}

TEST(Cursor, BelongsToOneList) {
  const ListScope scope = statement_of("a");
  const std::string text = write_cursor(scope, position(7));
  EXPECT_EQ(verdict(text, scope), "done");
  EXPECT_EQ(verdict(text, statement_of("b")), "the cursor is that of another account or ledger");
  EXPECT_EQ(verdict(text, statement_of("a", true)),
            "the cursor is that of a page in the other direction");
  ListScope search = scope;
  search.kind = ListKind::transactions;
  EXPECT_EQ(verdict(text, search), "the cursor is that of another function");
  ListScope other = search;
  ++other.names;
  EXPECT_EQ(verdict(write_cursor(search, position(0)), other),
            "the cursor is that of another ledger");
}

TEST(Cursor, NamesDoNotRunIntoEachOther) {
  EXPECT_NE(names_hash({"ab", "c"}), names_hash({"a", "bc"}));
  EXPECT_NE(names_hash({"ab"}), names_hash({"ab", ""}));
}

TEST(Cursor, IsRefusedWhenItWasCutOrChanged) {
  const ListScope scope = statement_of("a");
  const std::string text = write_cursor(scope, position(7));
  for (std::size_t length = 0; length < text.size(); ++length)
    ASSERT_EQ(verdict(std::string_view(text).substr(0, length), scope), nonsense);
  EXPECT_EQ(verdict(text + "00", scope), nonsense);
  for (std::size_t i = 0; i < text.size(); ++i)
    for (const char character : std::string_view("0123456789abcdefABCG-\0\xff", 23)) {
      std::string changed = text;
      if (changed[i] == character) continue;
      changed[i] = character;
      ASSERT_EQ(verdict(changed, scope), nonsense) << i;
    }
}

TEST(Cursor, IsRefusedWhenItWasMadeUp) {
  const ListScope scope = statement_of("a");
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  const std::size_t length = write_cursor(scope, position(7)).size();
  for (int i = 0; i < 10000; ++i) {
    std::string text;
    const bool hexadecimal = i % 2 == 0;
    const std::size_t size = i % 3 == 0 ? random.below(200) : length;
    while (text.size() < size)
      text.push_back(hexadecimal ? "0123456789abcdef"[random.below(16)]
                                 : static_cast<char>(random.below(256)));
    ASSERT_EQ(verdict(text, scope), nonsense);
  }
}

}  // namespace
}  // namespace ledgerflow
