// What the randomised test does to a ledger: one struct for each kind of operation. The generator makes
// them, to_sql() writes them down, and each of the books (model, engine, database) runs them. A new kind is a
// struct here, a row in the generator's table, and an act() on each of the books.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ledgerflow::random_test {

using Text =
    std::optional<std::string>;  // none is NULL; amounts too are text, as a user writes them

inline constexpr std::int64_t infinite_time = INT64_MAX;
inline constexpr int session_count = 4;

struct Options {  // of a posting
  Text key;
  Text reference;
  Text description;
  std::optional<std::int64_t> effective_at;  // microseconds since 1970, or infinite_time
  Text metadata;
  std::optional<std::int64_t> expected_version;
};

struct LineText {
  Text account;
  Text amount;  // debit positive
};

struct Open {
  Text code, type, currency, name, min_balance, max_balance, metadata;
};
struct Transfer {
  Text debit, credit, amount;
  Options options;
  bool by_other_name = false;  // post_transfer()
};
struct PostLines {
  std::vector<LineText> lines;
  Options options;
  bool by_helpers = false;  // lines made by ledger_debit() and ledger_credit()
};
struct RawPost {  // rows inserted by hand
  std::vector<LineText> lines;
};
struct SetLimits {
  Text account, min_balance, max_balance, reason;
};
struct Freeze {
  Text account, direction;
};
struct Unfreeze {
  Text account, direction;
};
struct Close {
  Text account;
};
struct ReadBalance {
  Text account;
  bool available = false;
};
// A change by hand to what is posted, or to what it rests on. The account has entries.
struct Tamper {
  enum What { balance, entries_changed, entries_removed, account_renamed, account_removed };
  std::string account;
  What what = balance;
};
// Transaction control: always accepted where the generator puts it.
enum class Control {
  begin,
  commit,
  commit_of_failed,  // which rolls back
  rollback,
  savepoint,
  rollback_to_savepoint,
  release_savepoint
};

using Action = std::variant<Open, Transfer, PostLines, RawPost, SetLimits, Freeze, Unfreeze, Close,
                            ReadBalance, Tamper, Control>;

struct Operation {
  int number = 0;
  int session = 0;
  Text ledger;  // none: the default
  Action action;
};

// What came of an operation, as far as the sides must agree.
struct Result {
  std::string condition = "ok";
  std::string value;  // of a posting, the number of the operation that made the transaction

  friend bool operator==(const Result& a, const Result& b) {
    return a.condition == b.condition && a.value == b.value;
  }
};

// `depth` is the number of savepoints that the session has before the operation.
std::string to_sql(const Operation& operation, std::size_t depth);

// The options of a posting; nullptr when the action has none.
const Options* options_of(const Action& action);

// JSON that means the same becomes the same text; enough for the generator's texts.
Text canonical_json(const Text& json);

class Books {
 public:
  virtual ~Books() = default;
  virtual const char* name() const = 0;
  virtual Result run(const Operation& operation) = 0;
  // Every account and every entry, one line each, in order.
  virtual std::vector<std::string> state() = 0;
};

// How to take changes back, the last one first.
using UndoLog = std::vector<std::function<void()>>;

// The transactions of the sessions, for sides that keep their books in memory.
class OpenTransactions {
 public:
  // Where a session's changes are to be recorded.
  UndoLog& log(int session) { return sessions_[session].log; }
  bool is_open(int session) const { return sessions_[session].open; }
  std::size_t depth(int session) const { return sessions_[session].savepoints.size(); }
  void control(int session, Control control);
  // An operation outside of a transaction is over: nothing takes it back.
  void after_operation(int session) {
    if (!sessions_[session].open) sessions_[session].log.clear();
  }

 private:
  struct Session {
    bool open = false;
    UndoLog log;
    std::vector<std::size_t> savepoints;
  };
  Session sessions_[session_count];
};

}  // namespace ledgerflow::random_test
