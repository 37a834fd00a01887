// Random operations of every kind over the store in memory: whatever comes of them, the books are sound
// after each, and what was refused has left no trace.
#include <algorithm>
#include <set>

#include "core/rules.hpp"
#include "hold_steps.hpp"
#include "randomness.hpp"

namespace ledgerflow {
namespace {

using testing::name_of;
using testing::noon;
using testing::second;

class PropertyTest : public testing::HoldSteps {
 protected:
  testing::Randomness random;
  std::vector<const Account*> accounts = {&cash, &sales, &fees, &euros, &trading};
  std::vector<TransactionId> holds;
  std::set<const Account*> forced;  // an operator has set their limits aside
  std::map<std::string, int> outcomes;
  std::int64_t now = noon;
  int names = 0;
  std::string key;
  std::string reference;

  std::vector<Line> lines() {
    std::vector<Line> chosen;
    Units left[2] = {0, 0};
    for (int count = random.between(1, 4); count > 0; --count) {
      const Account* account = accounts[random.below(accounts.size())];
      const Units amount = random.between(1, 300) * (random.below(2) == 0 ? 1 : -1);
      chosen.push_back({account, amount});
      left[account->currency == "USD" ? 0 : 1] += amount;
    }
    if (left[0] != 0) chosen.push_back({random.below(2) == 0 ? &fees : &cash, -left[0]});
    if (left[1] != 0) chosen.push_back({random.below(2) == 0 ? &euros : &trading, -left[1]});
    if (random.below(30) == 0) chosen.pop_back();
    return chosen;
  }

  Posting texts() {
    Posting posting;
    if (random.below(4) == 0) {
      // New, or used before: then mostly a conflict.
      key = "key " + std::to_string(random.below(5) == 0 ? random.below(100) : ++names);
      posting.idempotency_key = key;
    }
    if (random.below(8) == 0) {
      reference = "reference " + std::to_string(random.below(200));
      posting.reference = reference;
    }
    if (random.below(6) == 0) posting.effective_at = noon + random.between(-1000, 1000);
    return posting;
  }

  std::optional<TransactionId> any_hold() {
    if (holds.empty()) return std::nullopt;
    const std::size_t recent = std::min<std::size_t>(holds.size(), 12);
    return holds[holds.size() - 1 - random.below(random.below(4) == 0 ? holds.size() : recent)];
  }
  TransactionId any_transaction() {
    const auto& all = store.transactions();
    if (all.empty()) return TransactionId{};
    return std::next(all.begin(), static_cast<std::ptrdiff_t>(random.below(all.size())))->first;
  }
  // Some of the lines of a hold or transaction, on the given side.
  static std::vector<Line> scaled(const std::vector<Line>& from, Units numerator, Units divisor) {
    std::vector<Line> part;
    for (const Line& line : from) part.push_back({line.account, line.amount * numerator / divisor});
    return part;
  }

  std::string step();
  void batch();
  void expect_limits();
};

void PropertyTest::batch() {
  const bool atomic = random.below(2) == 0;
  const int count = random.between(1, 8);
  std::vector<std::string> names_of_items;
  std::vector<Item> items(static_cast<std::size_t>(count));
  names_of_items.reserve(2 * items.size());
  for (Item& item : items) {
    item.lines = lines();
    item.posting = texts();
    if (item.posting.idempotency_key) {
      names_of_items.push_back(key);
      item.posting.idempotency_key = names_of_items.back();
    }
    if (item.posting.reference) {
      names_of_items.push_back(reference);
      item.posting.reference = names_of_items.back();
    }
    item.linked = !atomic && random.below(3) == 0;
  }
  post_all(store, items, atomic ? Mode::atomic : Mode::each);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Outcome& outcome = items[i].outcome;
    ++outcomes[std::string("item ") + name_of(outcome.refusal)];
    if (!outcome.refusal) {
      EXPECT_EQ(store.transactions().count(outcome.id) + store.holds().count(outcome.id), 1U);
    } else if (!outcome.replayed) {
      EXPECT_EQ(store.transactions().count(outcome.id), 0U);
    }
  }
}

// One operation; its name.
std::string PropertyTest::step() {
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2: {
      std::vector<Line> chosen = lines();
      const Posting posting = texts();
      ledgerflow::post(store, std::move(chosen), posting);
      return "post";
    }
    case 3:
    case 4:
    case 5: {
      HoldRequest request;
      request.lines = lines();
      request.posting = texts();
      if (random.below(2) == 0)
        request.expires_at = now + random.between(-1, 30) * (random.below(2) == 0 ? 1 : second);
      request.expiry_as_sent = "some time";
      holds.push_back(place_hold(store, request));
      return "hold";
    }
    case 6:
    case 7:
    case 8: {
      const auto id = any_hold();
      if (!id) return "nothing";
      CaptureRequest request = part(*id, std::nullopt, random.below(3) == 0);
      const auto& row = store.holds().find(*id);
      if (row != store.holds().end() && random.below(3) != 0) {
        std::vector<Line> all;
        for (const Hold::Line& line : row->second.hold.lines)
          all.push_back({line.account, line.amount});
        if (all.size() == 2)
          request.amount = random.between(1, 300);
        else
          request.lines = scaled(all, 1, random.between(1, 3));
      }
      request.posting = texts();
      capture_hold(store, request);
      return "capture";
    }
    case 9: {
      const auto id = any_hold();
      if (!id) return "nothing";
      const Posting posting = texts();
      release_hold(store, *id, std::nullopt, posting.idempotency_key);
      return "release";
    }
    case 10: {
      const auto id = any_hold();
      if (!id) return "nothing";
      const auto& row = store.holds().find(*id);
      std::vector<Line> more;
      if (row != store.holds().end() && row->second.hold.lines.size() > 2)
        for (const Hold::Line& line : row->second.hold.lines)
          more.push_back({line.account, line.amount});
      const Posting posting = texts();
      raise_hold(store, *id,
                 more.empty() ? std::optional<Units>(random.between(1, 200)) : std::nullopt, more,
                 posting.idempotency_key);
      return "raise";
    }
    case 11:
    case 12: {
      ReversalRequest request;
      request.transaction = any_transaction();
      const StoredTransaction stored = store.load(request.transaction);
      if (stored.entries.size() == 2 && random.below(2) == 0)
        request.amount = random.between(1, 300);
      request.force = random.below(25) == 0;
      request.posting = texts();
      const TransactionId id = ledgerflow::reverse(store, request);
      if (request.force)
        for (const auto& entry : store.load(id).entries) forced.insert(entry.account);
      return "reverse";
    }
    case 13:
      expire_holds(store, random.below(2) == 0 ? 2 : 1000);
      return "expire";
    case 14:
      batch();
      return "batch";
    default: {
      if (random.below(4) == 0) {
        store.set_closed_through(noon + random.between(-1500, 0));
        return "close period";
      }
      const Account& account = *accounts[random.below(accounts.size())];
      Balance row = of(account);
      if (random.below(2) == 0) {
        static const Status statuses[] = {Status::open, Status::open, Status::open,
                                          Status::debits_frozen, Status::credits_frozen};
        store.set_status(account, statuses[random.below(5)]);
        return "status";
      }
      row.min_balance = row.max_balance = std::nullopt;
      if (random.below(2) == 0) row.min_balance = available_balance(row) - random.between(-20, 500);
      if (random.below(2) == 0) row.max_balance = committed_balance(row) + random.between(-20, 500);
      if (auto refusal = check_new_limits(row)) throw Error(std::move(*refusal));
      store.set_limits(account, row.min_balance, row.max_balance);
      forced.erase(&account);
      return "limits";
    }
  }
}

void PropertyTest::expect_limits() {
  for (const auto& [id, row] : store.balances()) {
    if (forced.count(row.account) != 0) continue;
    if (row.min_balance) {
      EXPECT_TRUE(available_balance(row) >= *row.min_balance) << row.account->code;
    }
    if (row.max_balance) {
      EXPECT_TRUE(committed_balance(row) <= *row.max_balance) << row.account->code;
    }
  }
}

TEST_F(PropertyTest, TheBooksAreSoundAfterEveryOperation) {
  SCOPED_TRACE(random.note());
  constexpr int operations = 3000;
  for (int i = 0; i < operations && !HasFailure(); ++i) {
    now += random.between(-2, 20) * (random.below(4) == 0 ? second : 1);
    store.set_clock(now);
    const std::string before = store.dump();
    std::string done;
    const std::size_t known_holds = holds.size();
    const auto refusal = testing::refusal_of([&] { store.atomically([&] { done = step(); }); });
    if (refusal) {
      holds.resize(known_holds);
      ASSERT_EQ(store.dump(), before) << name_of(refusal);
    }
    ++outcomes[refusal ? name_of(refusal) : done];
    expect_sound();
    expect_limits();
  }
  // Every kind of thing has happened.
  for (const char* name : {"post",
                           "hold",
                           "capture",
                           "release",
                           "raise",
                           "reverse",
                           "batch",
                           "item accepted",
                           "item linked_failed",
                           "item chain_open",
                           "insufficient_balance",
                           "limit_exceeded",
                           "hold_expired",
                           "hold_not_pending",
                           "hold_amount_exceeded",
                           "already_reversed",
                           "idempotency_conflict",
                           "duplicate_reference",
                           "period_closed",
                           "account_frozen"})
    EXPECT_GT(outcomes[name], 0) << name;
}

}  // namespace
}  // namespace ledgerflow
