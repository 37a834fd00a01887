#include "ext/verify_keys.hpp"

#include "ext/datums.hpp"
#include "ext/receiver.hpp"

extern "C" {
#include "port/pg_bswap.h"
}

namespace ledgerflow {

namespace {

constexpr const char* holds_query = "SELECT CAST(h.id AS pg_catalog.uuid) FROM {ledger}.holds h";
constexpr const char* keys_query =
    "SELECT CAST(k.transaction_id AS pg_catalog.uuid) FROM {ledger}.idempotency_keys k";

// The halves of an id, as numbers of the same order.
std::pair<std::uint64_t, std::uint64_t> halves_of(Datum id) {
  std::uint64_t halves[2];
  memcpy(halves, DatumGetUUIDP(id)->data, sizeof halves);
  return {pg_ntoh64(halves[0]), pg_ntoh64(halves[1])};
}

}  // namespace

void KnownIds::reserve() {
  ids_.reserve(static_cast<std::size_t>(maintenance_work_mem) * 1024 / sizeof(Id));
}

void KnownIds::sort() {
  if (!std::is_sorted(ids_.begin(), ids_.end())) std::sort(ids_.begin(), ids_.end());
}

bool KnownIds::contains(std::uint64_t high, std::uint64_t low) {
  const Id wanted{high, low};
  // Ever wider steps from the last place, until the wanted one must lie between.
  std::size_t first = last_;
  std::size_t end = last_;
  for (std::size_t step = 1; first > 0 && !(ids_[first - 1] < wanted); step *= 2)
    first -= std::min(step, first);
  for (std::size_t step = 1; end < ids_.size() && ids_[end] < wanted; step *= 2)
    end += std::min(step, ids_.size() - end);
  const auto begin = ids_.begin();
  const auto at = std::lower_bound(begin + static_cast<std::ptrdiff_t>(first),
                                   begin + static_cast<std::ptrdiff_t>(end), wanted);
  last_ = static_cast<std::size_t>(at - begin);
  return at != ids_.end() && *at == wanted;
}

bool are_keys_suspect(Ledger& ledger, KnownIds& ids) {
  SPIPlanPtr holds_plan = ledger.plan(holds_query, 0, nullptr);
  SPIPlanPtr keys_plan = ledger.plan(keys_query, 0, nullptr);
  bool suspect = false;
  auto take_hold = [&](const Datum* values, const bool* nulls) {
    if (nulls[0]) return;
    const auto [high, low] = halves_of(values[0]);
    ids.add(high, low);
  };
  auto look_up = [&](const Datum* values, const bool* nulls) {
    if (suspect) return;
    const auto [high, low] =
        nulls[0] ? std::pair<std::uint64_t, std::uint64_t>() : halves_of(values[0]);
    suspect = !ids.contains(high, low);
  };
  pg_call([&] { for_each_row(holds_plan, nullptr, nullptr, take_hold); });
  if (ids.is_full()) return true;
  ids.sort();
  pg_call([&] { for_each_row(keys_plan, nullptr, nullptr, look_up); });
  return suspect;
}

}  // namespace ledgerflow
