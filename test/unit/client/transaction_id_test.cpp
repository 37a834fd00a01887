#include "ledgerflow/transaction_id.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <unordered_set>

#include "core/transaction_id.hpp"

namespace ledgerflow::client {
namespace {

constexpr char text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";  // RFC 9562, appendix A.6

TEST(TransactionId, ComesFromText) {
  const auto id = TransactionId::from_string(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->bytes()[0], 0x01);
  EXPECT_EQ(id->bytes()[15], 0x8f);
  EXPECT_EQ(id->to_string(), text);
  EXPECT_EQ(TransactionId::from_string("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), id);
  EXPECT_EQ(TransactionId().to_string(), "00000000-0000-0000-0000-000000000000");
}

TEST(TransactionId, RefusesOtherText) {
  for (const char* other :
       {"", "017f22e2", "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2-79b0-7cc3-98c4_dc0c0c07398f", "017f22e279b0--7cc3-98c4-dc0c0c07398f",
        " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f"})
    EXPECT_FALSE(TransactionId::from_string(other)) << other;
}

TEST(TransactionId, CarriesItsTime) {
  // The RFC's example is of 2022-02-22 19:22:22 UTC; its 0xcc3 are read as 3267/4096 of a
  // millisecond.
  const auto posted = TransactionId::from_string(text)->posted_at();
  EXPECT_EQ(posted.time_since_epoch().count(), 1645557742000000 + 3267 * 1000 / 4096);
}

TEST(TransactionId, ReadsBackTheLedgersMicroseconds) {
  for (std::int64_t micros = 1'700'000'000'000'000; micros < 1'700'000'000'003'000; ++micros) {
    const ledgerflow::TransactionId made = make_transaction_id(micros, 42, std::nullopt);
    const TransactionId id(made.bytes);
    ASSERT_EQ(id.posted_at().time_since_epoch().count(), micros);
    ASSERT_EQ(id.to_string(), ledgerflow::to_string(made));
  }
}

TEST(TransactionId, OrdersByItsBytes) {
  const auto low = *TransactionId::from_string("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  const auto high = *TransactionId::from_string("017f22e2-79b0-7cc3-98c4-dc0c0c073990");
  EXPECT_LT(low, high);
  EXPECT_LE(low, low);
  EXPECT_GT(high, low);
  EXPECT_GE(high, high);
  EXPECT_NE(low, high);
  const std::unordered_set<TransactionId> set{low, high, low};
  EXPECT_EQ(set.size(), 2U);
  std::ostringstream out;
  out << low;
  EXPECT_EQ(out.str(), text);
}

}  // namespace
}  // namespace ledgerflow::client
