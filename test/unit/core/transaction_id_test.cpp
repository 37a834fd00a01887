// Transaction ids: UUIDv7 by the letter of RFC 9562, exact to the microsecond, always rising.
#include "core/transaction_id.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <set>

#include "randomness.hpp"

namespace ledgerflow {
namespace {

constexpr std::int64_t noon = 1790000000LL * 1000000;        // some time in 2026
constexpr std::int64_t last_micro = (1LL << 48) * 1000 - 1;  // of 48 bits of milliseconds
constexpr std::uint64_t all_bits = ~std::uint64_t{0};

TransactionId make(std::int64_t micros, std::uint64_t bits = 0,
                   const std::optional<TransactionId>& after = std::nullopt) {
  return make_transaction_id(micros, bits, after);
}

TEST(TransactionId, HasTheBitsOfUuidV7) {
  for (const std::uint64_t bits : {std::uint64_t{0}, all_bits, std::uint64_t{0x123456789ABCDEF}}) {
    const TransactionId id = make(noon + 999999, bits);
    EXPECT_EQ(id.bytes[6] >> 4, 7);
    EXPECT_EQ(id.bytes[8] >> 6, 2);
    EXPECT_TRUE(is_uuid_v7(id));
  }
}

TEST(TransactionId, CarriesMillisecondsFirst) {
  const TransactionId id = make(0x0123456789ABLL * 1000 + 500);
  EXPECT_EQ(to_string(id), "01234567-89ab-7800-8000-000000000000");
}

TEST(TransactionId, TellsOtherUuidsApart) {
  TransactionId id = make(noon);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x40);  // version 4
  EXPECT_FALSE(is_uuid_v7(id));
  id = make(noon);
  id.bytes[8] = static_cast<std::uint8_t>(id.bytes[8] | 0xC0);  // variant of Microsoft
  EXPECT_FALSE(is_uuid_v7(id));
  EXPECT_FALSE(is_uuid_v7(TransactionId{}));
}

TEST(TransactionId, IsWrittenInThirtySixCharacters) {
  TransactionId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i)
    id.bytes[i] = static_cast<std::uint8_t>(0x11 * i);
  EXPECT_EQ(to_string(id), "00112233-4455-6677-8899-aabbccddeeff");
}

TEST(TransactionId, GivesBackEveryMicrosecond) {
  for (std::int64_t micro = 0; micro < 2000; ++micro) {
    ASSERT_EQ(time_of(make(noon + micro)), noon + micro);
    ASSERT_EQ(time_of(make(noon + micro, all_bits)), noon + micro);
    ASSERT_EQ(time_of(first_id_at(noon + micro)), noon + micro);
  }
  for (const std::int64_t micro : {std::int64_t{0}, std::int64_t{1}, last_micro})
    EXPECT_EQ(time_of(make(micro, all_bits)), micro);
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  for (int i = 0; i < 10000; ++i) {
    const auto micro = static_cast<std::int64_t>(random.below(last_micro));
    ASSERT_EQ(time_of(make(micro, random.generator())), micro);
  }
}

TEST(TransactionId, BeforeNineteenSeventyIsNineteenSeventy) {
  EXPECT_EQ(time_of(make(-1)), 0);
  EXPECT_EQ(first_id_at(-123456789), first_id_at(0));
}

TEST(TransactionId, FollowsTime) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  for (int i = 0; i < 10000; ++i) {
    const auto a = static_cast<std::int64_t>(random.below(last_micro));
    const auto b = i % 2 == 0 ? a + 1 : static_cast<std::int64_t>(random.below(last_micro));
    if (a == b) continue;
    ASSERT_EQ(make(a, random.generator()) < make(b, random.generator()), a < b);
  }
}

TEST(TransactionId, RisesWhenTheClockStandsStill) {
  TransactionId last = make(noon, all_bits);
  for (int i = 0; i < 10000; ++i) {
    const TransactionId next = make(noon, static_cast<std::uint64_t>(i), last);
    ASSERT_TRUE(last < next);
    ASSERT_TRUE(is_uuid_v7(next));
    last = next;
  }
}

TEST(TransactionId, RisesWhenTheClockStepsBack) {
  const TransactionId last = make(noon, all_bits);
  for (const std::int64_t back :
       std::initializer_list<std::int64_t>{1, 1000, 3600000000, noon, 2 * noon}) {
    const TransactionId next = make(noon - back, 0, last);
    EXPECT_TRUE(last < next);
    // Closely after: the clock catches up as soon as it can.
    EXPECT_TRUE(is_uuid_v7(next));
    EXPECT_LE(time_of(next), noon + 1);
  }
}

TEST(TransactionId, SuccessorsOfOneAreDifferent) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  const TransactionId last = make(noon, all_bits);
  std::set<TransactionId> successors;
  for (int i = 0; i < 10000; ++i)
    EXPECT_TRUE(successors.insert(make(noon - 1, random.generator(), last)).second);
}

TEST(TransactionId, HardlyRunsAheadOfAClockThatStandsStill) {
  testing::Randomness random;
  TransactionId last = make(noon, random.generator());
  for (int i = 0; i < 10000; ++i) last = make(noon, random.generator(), last);
  EXPECT_LT(time_of(last), noon + 100);
}

TEST(TransactionId, CarriesOverVersionAndVariant) {
  // All random bits, then all fraction bits, are ones: the next id has them in the field before.
  TransactionId last = make(noon, all_bits);
  for (std::size_t i = 8; i < 16; ++i) last.bytes[i] = i == 8 ? 0xBF : 0xFF;
  TransactionId next = make(0, 0, last);
  EXPECT_TRUE(last < next);
  EXPECT_TRUE(is_uuid_v7(next));
  EXPECT_EQ(next.bytes[15], 0);

  last.bytes[6] = 0x7F;
  last.bytes[7] = 0xFF;
  next = make(0, 0, last);
  EXPECT_TRUE(last < next);
  EXPECT_TRUE(is_uuid_v7(next));
  EXPECT_EQ(time_of(next) % 1000, 0);
  EXPECT_EQ(time_of(next), time_of(first_id_at(noon)) / 1000 * 1000 + 1000);
}

TEST(TransactionId, IgnoresAnOlderPredecessor) {
  EXPECT_EQ(make(noon, 42, make(noon - 1, all_bits)), make(noon, 42));
}

TEST(TransactionId, FirstIdIsABound) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  for (int i = 0; i < 10000; ++i) {
    const auto micro = static_cast<std::int64_t>(random.below(last_micro - 1)) + 1;
    const TransactionId bound = first_id_at(micro);
    ASSERT_FALSE(make(micro, random.generator()) < bound);
    ASSERT_FALSE(make(micro, 0) < bound);
    ASSERT_TRUE(make(micro - 1, all_bits) < bound);
  }
}

TEST(TransactionId, FirstAfterIsAboveEverythingUntilThen) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  for (int i = 0; i < 10000; ++i) {
    const auto micro = static_cast<std::int64_t>(random.below(last_micro));
    const TransactionId bound = first_id_after(micro);
    ASSERT_TRUE(make(micro, all_bits) < bound);
    ASSERT_FALSE(make(micro + 1) < bound);
  }
}

TEST(TransactionId, BoundsBeyondAllIdsAreBeyondAllIds) {
  for (const std::int64_t late : {last_micro, last_micro + 1, INT64_MAX})
    EXPECT_TRUE(make(last_micro, all_bits) < first_id_after(late));
  EXPECT_TRUE(make(last_micro, all_bits) < first_id_at(INT64_MAX));
  for (const std::int64_t early : {INT64_MIN, std::int64_t{-1}})
    EXPECT_FALSE(make(0) < first_id_after(early));
}

}  // namespace
}  // namespace ledgerflow
