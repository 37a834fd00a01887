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
// A hold that expires this soon (microseconds) has expired for whatever comes next; any other expiry is
// years away.
inline constexpr std::int64_t soon = 1000;

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
struct ReopenAccount {
  Text account;
};
// Holds and transactions are named by the operation that made them: "12", or "12.3" for the third item of a
// batch. None is NULL; a name that nobody has stands for an id that nobody has.
struct PlaceHold {
  std::vector<LineText>
      lines;  // or, not `by_lines`, a debit and a credit of the first one's amount
  bool by_lines = false;
  Options options;
  std::optional<std::int64_t> expires_in;  // microseconds
  std::optional<std::int64_t> expires_at;  // microseconds since 1970, or infinite_time
};
struct Capture {
  Text hold, amount;
  bool final = true;
  std::vector<LineText> lines;
  Options options;
};
struct Release {
  Text hold, reason, key;
};
struct Raise {
  Text hold, amount;
  std::vector<LineText> lines;
  Text key;
};
struct Reverse {
  Text transaction, amount;
  std::vector<LineText> lines;
  Options options;  // its description is the reason
  bool force = false;
};
struct PostBatch {
  struct Item {
    Text debit, credit, amount;
    Options options;
    bool linked = false;
  };
  enum Shape { good, too_few_amounts, two_dimensions };
  std::vector<Item> items;
  Text mode;
  bool with_linked = false;
  bool by_id = false;
  Shape shape = good;
};
struct ClosePeriod {
  std::optional<std::int64_t> through;
};
struct ReopenPeriod {
  std::optional<std::int64_t> through;
};
struct Maintain {
  std::vector<std::string> accounts;  // that it will lock
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
                            ReopenAccount, PlaceHold, Capture, Release, Raise, Reverse, PostBatch,
                            ClosePeriod, ReopenPeriod, Maintain, ReadBalance, Tamper, Control>;

struct Operation {
  int number = 0;
  int session = 0;
  Text ledger;  // none: the default
  Action action;
};

// What came of an operation, as far as the sides must agree.
struct Result {
  std::string condition = "ok";
  // Of what makes a transaction or hold, its name; of a batch, what came of each item.
  std::string value;

  friend bool operator==(const Result& a, const Result& b) {
    return a.condition == b.condition && a.value == b.value;
  }
};

// How the id of a transaction or hold is written.
using IdWriter = std::function<std::string(const std::string& name)>;

// `depth` is the number of savepoints that the session has before the operation.
std::string to_sql(const Operation& operation, std::size_t depth, const IdWriter& id);

// The options of what makes one transaction or hold; nullptr when the action does not.
Options* options_of(Action& action);
const Options* options_of(const Action& action);

// The name of what an operation makes, or of what an item of its batch makes.
std::string name_of(const Operation& operation);
std::string name_of(const Operation& operation, std::size_t item);

// JSON that means the same becomes the same text; enough for the generator's texts.
Text canonical_json(const Text& json);

// Times before anything is posted, among those that operations name: only what is effective at another
// time than it is posted counts there.
std::vector<std::int64_t> sampled_times();
std::string effective_line(const std::string& account, std::int64_t time,
                           const std::string& balance);

class Books {
 public:
  virtual ~Books() = default;
  virtual const char* name() const = 0;
  virtual Result run(const Operation& operation) = 0;
  // Every account, entry, hold and history of a status, one line each, in order; then the balances of every
  // account by effective time, at `sampled_times`.
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
