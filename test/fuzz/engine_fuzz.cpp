// The engine as a machine: bytes choose operations of every kind, good and bad, on the store in memory and on
// the naive model of test/random. Both say the same of each operation and have the same books in the end (so
// that a refusal leaves no trace); after each, every currency adds up to nothing and limits are kept.
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "fuzz.hpp"
#include "random/engine_side.hpp"
#include "random/model.hpp"

namespace ledgerflow::fuzz {
namespace {

using namespace random_test;

constexpr int most_operations = 60;
constexpr const char* codes[] = {"cash", "sales",  "wallet", "gauge", "yen",
                                 "tax",  "little", "mint",   "new",   "a::b"};
constexpr const char* types[] = {"asset",  "income", "wallet", "gauge", "asset",
                                 "equity", "asset",  "equity", "asset", "asset"};
constexpr const char* currencies[] = {"USD", "USD",  "USD",  "USD", "JPY",
                                      "JPY", "ATTO", "ATTO", "USD", "USD"};
constexpr int opened = 8;

class Machine {
 public:
  Machine(const std::uint8_t* data, std::size_t size)
      : source_(data, size), engine_(source_.ConsumeIntegral<std::uint16_t>()) {
    for (int i = 0; i < opened; ++i) run(Open{codes[i], types[i], currencies[i], {}, {}, {}, {}});
  }

  void run() {
    while (source_.remaining_bytes() > 0 && number_ < most_operations) run(action());
    if (in_transaction_)
      run(source_.ConsumeBool() && !failed_ ? Control::commit : Control::rollback);
    const std::vector<std::string> expected = model_.state();
    const std::vector<std::string> found = engine_.state();
    for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i)
      check(i < expected.size() && i < found.size() && expected[i] == found[i],
            "model and engine have the same books", [&] {
              return "model:  " + (i < expected.size() ? expected[i] : "nothing") +
                     "\nengine: " + (i < found.size() ? found[i] : "nothing");
            });
  }

 private:
  void run(const Action& action) {
    const Operation operation{++number_, 0, std::nullopt, action};
    const Result expected = model_.run(operation);
    const Result found = engine_.run(operation);
    history_.emplace_back(operation, depth_, expected);
    check(expected == found, "model and engine answer alike",
          [&] { return "engine: " + found.condition + " " + found.value; });
    if (expected.condition == "ok") note(operation, expected);
    if (const Control* control = std::get_if<Control>(&action)) note(*control);
    failed_ = failed_ || (in_transaction_ && expected.condition != "ok");
    check_books();
  }

  void note(const Operation& operation, const Result& result) {
    const Action& action = operation.action;
    if (std::holds_alternative<PlaceHold>(action)) names_.push_back(result.value);
    if (options_of(action) != nullptr) names_.push_back(result.value);
    if (const auto* batch = std::get_if<PostBatch>(&action))
      for (std::size_t i = 0; i < batch->items.size(); ++i) names_.push_back(name_of(operation, i));
    // The limits of accounts that a forced reversal has touched are no longer kept.
    if (const auto* reverse = std::get_if<Reverse>(&action))
      if (reverse->force)
        for (const auto& line : model_.transactions().at(result.value).lines)
          forced_.insert(line.first);
  }

  void note(Control control) {
    if (control == Control::savepoint) ++depth_;
    if (control == Control::release_savepoint) --depth_;
    if (control == Control::rollback_to_savepoint) failed_ = false;
    if (control == Control::begin) in_transaction_ = true;
    if (control == Control::commit || control == Control::rollback) {
      in_transaction_ = failed_ = false;
      depth_ = 0;
    }
  }

  struct Done {
    Done(Operation operation_done, std::size_t depth_before, Result result_found)
        : operation(std::move(operation_done)),
          depth(depth_before),
          result(std::move(result_found)) {}
    Operation operation;
    std::size_t depth;
    Result result;
  };

  // Says what was done, as SQL, when it does not hold.
  template <typename About>
  void check(bool holds, const char* what, About&& about) const {
    if (holds) return;
    std::string history;
    for (const Done& done : history_)
      history += std::to_string(done.operation.number) + ": " +
                 to_sql(done.operation, done.depth, [](const std::string& name) { return name; }) +
                 " -- " + done.result.condition + " " + done.result.value + "\n";
    expect(false, what, history + about());
  }
  void check(bool holds, const char* what) const {
    check(holds, what, [] { return std::string(); });
  }

  void check_books() const {
    std::map<std::string, Units> sums;
    for (const auto& [id, balance] : engine_.store().balances()) {
      const Account& account = *balance.account;
      check(add_units(sums[account.currency], net_debit(balance)), "sums fit");
      check(balance.debits_pending >= 0 && balance.credits_pending >= 0, "pending");
      if (forced_.count(account.code) != 0) continue;
      check(!balance.min_balance || available_balance(balance) >= *balance.min_balance,
            "a floor is kept");
      check(!balance.max_balance || committed_balance(balance) <= *balance.max_balance,
            "a ceiling is kept");
    }
    for (const auto& [currency, sum] : sums) check(sum == 0, "a currency adds up");
  }

  int below(int limit) { return source_.ConsumeIntegralInRange(0, limit - 1); }
  bool one_in(int n) { return below(n) == 0; }

  Text code() { return one_in(40) ? Text() : Text(codes[below(one_in(10) ? 10 : opened)]); }

  std::string amount() {
    static constexpr const char* bad[] = {"0",
                                          "0.00",
                                          "0.001",
                                          "0.000000000000000000000001",
                                          "99999999999999999999999999999999999999",
                                          "99999999999999.999999999999999999999999",
                                          "999999999999999999999999999999.99",
                                          "999999999999999999999999999999",
                                          "1000000000000000000000000000000",
                                          "600000000000000000000000000000",
                                          "NaN"};
    if (one_in(6)) return source_.PickValueInArray(bad);
    return std::to_string(1 + below(one_in(3) ? 2000 : 100)) + (one_in(4) ? ".5" : "");
  }
  // What would take the account to one of its limits, or one unit off it.
  std::string amount(const Text& of) {
    const auto known = of ? model_.accounts().find(*of) : model_.accounts().end();
    if (known == model_.accounts().end() || !one_in(3)) return amount();
    const Model::Account& account = known->second;
    Int room = account.floor ? account.available() - *account.floor : account.available();
    if (account.ceiling && one_in(2)) room = *account.ceiling - account.committed();
    return Model::format(room + below(3) - 1, account.scale);
  }
  Text some_amount() { return one_in(3) ? Text() : Text(amount()); }

  std::optional<std::int64_t> time() {
    if (one_in(20)) return infinite_time;
    const auto times = sampled_times();
    return times[static_cast<std::size_t>(below(static_cast<int>(times.size())))] + below(3) - 1;
  }

  Options options() {
    Options options;
    if (one_in(3)) options.key = "key " + std::to_string(below(6));
    if (one_in(5)) options.reference = "reference " + std::to_string(below(8));
    if (one_in(8)) options.description = one_in(8) ? std::string(10001, 'd') : "words";
    if (one_in(4)) options.effective_at = time();
    if (one_in(8)) options.metadata = one_in(4) ? "[1]" : R"({"a": 1})";
    return options;
  }

  // Pairs that balance, and sometimes do not.
  std::vector<LineText> lines(int most = 4) {
    std::vector<LineText> lines;
    for (int pairs = below(most); pairs >= 0; --pairs) {
      const Text debit = code();
      const std::string of = amount(debit);
      lines.push_back({debit, of});
      lines.push_back({code(), of[0] == '-' ? of.substr(1) : "-" + of});
    }
    if (one_in(8)) lines.pop_back();
    if (one_in(8) && !lines.empty()) lines.push_back(lines.front());
    return lines;
  }
  std::vector<LineText> some_lines() { return one_in(3) ? lines() : std::vector<LineText>(); }

  Text name() {
    if (one_in(30) || names_.empty()) return one_in(2) ? Text() : Text("nobody's");
    const int size = static_cast<int>(names_.size());
    return names_[static_cast<std::size_t>(size - 1 - below(one_in(2) ? size : std::min(size, 4)))];
  }

  PlaceHold hold() {
    PlaceHold hold;
    hold.by_lines = one_in(3);
    const Text debit = code();
    const std::string of = amount(debit);
    hold.lines = hold.by_lines ? lines() : std::vector<LineText>{{debit, of}, {code(), of}};
    hold.options = options();
    constexpr std::int64_t year = 365LL * 86400 * 1000000;
    static constexpr std::int64_t spans[] = {soon, soon, soon, 0, -1, year, 101 * year};
    if (one_in(2)) hold.expires_in = source_.PickValueInArray(spans);
    if (one_in(10)) hold.expires_at = one_in(3) ? infinite_time : 2 * 60 * year;
    return hold;
  }

  PostBatch batch() {
    PostBatch batch;
    for (int items = below(6); items > 0; --items) {
      PostBatch::Item item{code(), code(), amount(), options(), one_in(3)};
      item.options.expected_version.reset();
      batch.items.push_back(item);
    }
    batch.mode = one_in(30) ? Text() : Text(one_in(2) ? "atomic" : "each");
    batch.with_linked = one_in(batch.mode == "each" ? 2 : 20);
    batch.by_id = one_in(5);
    return batch;
  }

  Control control() {
    if (!in_transaction_) return Control::begin;
    if (failed_) return depth_ > 0 ? Control::rollback_to_savepoint : Control::rollback;
    if (depth_ > 0 && one_in(2))
      return one_in(2) ? Control::rollback_to_savepoint : Control::release_savepoint;
    return one_in(3) ? Control::savepoint : one_in(2) ? Control::commit : Control::rollback;
  }

  Action action() {
    if (failed_) return control();  // nothing else works in a failed transaction
    switch (below(20)) {
      case 0:
      case 1:
      case 2: {
        const Text debit = code(), credit = code();
        Transfer transfer{debit, credit, amount(one_in(2) ? debit : credit), options(), one_in(5)};
        if (one_in(10)) transfer.options.expected_version = below(4);
        return transfer;
      }
      case 3:
      case 4:
        return PostLines{lines(), options(), one_in(4)};
      case 5: {
        RawPost raw{lines()};
        for (LineText& line : raw.lines) line.account = line.account.value_or("cash");
        return raw;
      }
      case 6:
      case 7:
      case 8:
        return hold();
      case 9:
      case 10:
        return Capture{name(), some_amount(), source_.ConsumeBool(), some_lines(), options()};
      case 11:
        return Release{name(), {}, one_in(3) ? Text("key " + std::to_string(below(6))) : Text()};
      case 12:
        return Raise{name(), some_amount(), some_lines(),
                     one_in(3) ? Text("key " + std::to_string(below(6))) : Text()};
      case 13:
      case 14:
        return Reverse{name(), some_amount(), some_lines(), options(), one_in(10)};
      case 15:
        return batch();
      case 16: {
        const bool has_floor = one_in(2);
        return SetLimits{code(), has_floor ? Text("-" + amount()) : Text(), some_amount(), {}};
      }
      case 17:
        switch (below(6)) {
          case 0:
            return Freeze{code(), source_.PickValueInArray({"both", "debit", "credit", "up"})};
          case 1:
            return Unfreeze{code(), source_.PickValueInArray({"both", "debit", "credit"})};
          case 2:
            return Close{code()};
          case 3:
            return ReopenAccount{code()};
          case 4:
            return ReadBalance{code(), one_in(2)};
          default: {
            const int i = below(10);
            return Open{codes[i], types[below(10)], currencies[i], {}, some_amount(), {}, {}};
          }
        }
      case 18:
        if (one_in(2)) return Maintain{};
        return one_in(2) ? Action(ClosePeriod{time()}) : Action(ReopenPeriod{time()});
      default:
        return control();
    }
  }

  Source source_;
  Model model_;
  EngineSide engine_;
  int number_ = 0;
  std::size_t depth_ = 0;
  bool in_transaction_ = false;
  bool failed_ = false;
  std::vector<std::string> names_;
  std::set<std::string> forced_;
  std::vector<Done> history_;
};

}  // namespace
}  // namespace ledgerflow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ledgerflow::fuzz::Machine(data, size).run();
  return 0;
}
