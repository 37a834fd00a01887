// Many sessions at once: whatever their luck, the books must be in order afterwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "database.hpp"
#include "settings.hpp"

namespace ledgerflow::random_test {
namespace {

constexpr int thread_count = 6;
constexpr int account_count = 8;
constexpr int key_count = 60;
constexpr int default_operations = 2400;  // of all threads together

constexpr const char* deadlock = "40P01";

const std::set<std::string> expected_refusals = {
    "insufficient_balance", "limit_exceeded",       "account_frozen",   "version_conflict",
    "duplicate_reference",  "idempotency_conflict", "hold_not_pending", "hold_expired",
    "hold_amount_exceeded", "already_reversed",     "period_closed",    "invalid_period"};

std::string account_code(std::uint64_t number) { return "account:" + std::to_string(number); }

// The acknowledgements of all sessions.
class Journal {
 public:
  void acknowledge(const std::string& key, const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ids_.insert(id);
    if (!key.empty()) keys_[key].insert(id);
  }
  void acknowledge_hold(const std::string& key, const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    holds_.push_back(id);
    if (!key.empty()) keys_[key].insert(id);
  }
  // Something that was acknowledged, by whoever; empty when there is nothing yet.
  std::string any_hold(std::uint64_t chance) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (holds_.empty()) return "";
    return holds_[holds_.size() - 1 - chance % std::min<std::size_t>(holds_.size(), 12)];
  }
  std::string any_transaction(std::uint64_t chance) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ids_.empty()) return "";
    // Ids of about the same time are next to each other.
    return *std::prev(ids_.end(), static_cast<std::ptrdiff_t>(
                                      1 + chance % std::min<std::size_t>(ids_.size(), 20)));
  }
  void fail(const std::string& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    failures_.push_back(what);
  }
  void count(const std::string& outcome) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++outcomes_[outcome];
  }

  const std::set<std::string>& ids() const { return ids_; }
  const std::vector<std::string>& holds() const { return holds_; }
  const std::map<std::string, std::set<std::string>>& keys() const { return keys_; }
  const std::vector<std::string>& failures() const { return failures_; }
  const std::map<std::string, int>& outcomes() const { return outcomes_; }

 private:
  std::mutex mutex_;
  std::set<std::string> ids_;
  std::vector<std::string> holds_;
  std::map<std::string, std::set<std::string>> keys_;
  std::vector<std::string> failures_;
  std::map<std::string, int> outcomes_;
};

class Poster {
 public:
  Poster(std::uint64_t poster_seed, bool with_transactions, Journal& journal)
      : random_(poster_seed), with_transactions_(with_transactions), journal_(journal) {
    connection_.must("SET deadlock_timeout = '20ms'");
  }

  void work(int operations) {
    try {
      for (int i = 0; i < operations; ++i) step();
    } catch (const std::exception& error) {
      journal_.fail(error.what());
    }
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  void step() {
    const std::uint64_t chance = below(16);
    if (chance == 0) {
      freeze_for_a_moment();
    } else if (chance <= 2 && with_transactions_) {
      transaction();
    } else {
      const Statement statement = request();
      const Connection::Answer answer = connection_.ask(statement.sql);
      if (judge(answer)) acknowledge(statement, answer.values);
    }
  }

  enum class Makes { nothing, transaction, hold, batch };
  struct Statement {
    std::string sql;
    std::string key;
    Makes makes = Makes::transaction;
  };

  void acknowledge(const Statement& statement, const std::vector<std::string>& values) {
    switch (statement.makes) {
      case Makes::nothing:
        return;
      case Makes::transaction:
        return journal_.acknowledge(statement.key, values.at(0));
      case Makes::hold:
        return journal_.acknowledge_hold(statement.key, values.at(0));
      case Makes::batch:
        for (const std::string& id : values)
          if (!id.empty()) journal_.acknowledge("", id);
    }
  }

  Statement request() {
    switch (below(12)) {
      case 0:
      case 1:
        return hold();
      case 2:
      case 3:
        return on_hold();
      case 4:
        return reversal();
      case 5:
        return batch();
      case 6:
        if (below(8) == 0) return period();
        if (below(3) == 0)
          return {"SELECT holds_expired FROM ledger_maintain()", "", Makes::nothing};
        [[fallthrough]];
      default:
        return posting();
    }
  }

  // A debit and a credit account in a call's arguments.
  std::string two_accounts() {
    const std::uint64_t from = below(account_count);
    const std::uint64_t to = (from + 1 + below(account_count - 1)) % account_count;
    return "'" + account_code(from) + "', '" + account_code(to) + "'";
  }

  Statement hold() {
    static const char* const expiries[] = {"", "", ", expires_in => '1 hour'",
                                           ", expires_in => '2 milliseconds'"};
    Statement statement;
    statement.makes = Makes::hold;
    if (below(2) == 0) statement.key = "own hold " + std::to_string(random_());
    statement.sql = "SELECT ledger_hold(" + two_accounts() + ", " + std::to_string(below(40) + 1) +
                    expiries[below(4)] +
                    (statement.key.empty() ? "" : ", idempotency_key => '" + statement.key + "'") +
                    ")";
    return statement;
  }

  // Sessions race for the same holds: the newest ones.
  Statement on_hold() {
    const std::string id = journal_.any_hold(random_());
    if (id.empty()) return hold();
    const std::string amount = std::to_string(below(30) + 1);
    switch (below(8)) {
      case 0:
        return {"SELECT ledger_release('" + id + "')", "", Makes::nothing};
      case 1:
        return {"SELECT ledger_raise_hold('" + id + "', " + amount + ")", "", Makes::nothing};
      case 2:
        return {"SELECT ledger_capture('" + id + "')", ""};
      case 3: {
        // Whoever comes second is answered from the first.
        const std::string key = "capture " + id;
        return {"SELECT ledger_capture('" + id + "', 5, false, idempotency_key => '" + key + "')",
                key};
      }
      default:
        return {"SELECT ledger_capture('" + id + "', " + amount + ", " +
                    (below(2) == 0 ? "true" : "false") + ")",
                ""};
    }
  }

  Statement reversal() {
    const std::string id = journal_.any_transaction(random_());
    if (id.empty()) return posting();
    if (below(2) == 0) return {"SELECT ledger_reverse('" + id + "')", ""};
    const std::string key = "reversal " + id;
    return {"SELECT ledger_reverse('" + id + "', amount => 1, idempotency_key => '" + key + "')",
            key};
  }

  Statement batch() {
    std::string debits, credits, amounts, linked;
    const std::uint64_t count = below(6) + 1;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string comma = i == 0 ? "" : ", ";
      const std::string accounts = two_accounts();
      debits += comma + accounts.substr(0, accounts.find(','));
      credits += comma + accounts.substr(accounts.find(' ') + 1);
      amounts += comma + std::to_string(below(40) + 1);
      linked += comma + (i + 1 < count && below(3) == 0 ? "true" : "false");
    }
    const std::string arrays =
        "ARRAY[" + debits + "], ARRAY[" + credits + "], ARRAY[" + amounts + "]::numeric[], ";
    return {"SELECT transaction_id FROM ledger_post_batch(" + arrays +
                (below(3) == 0 ? "mode => 'atomic'"
                               : "mode => 'each', linked => ARRAY[" + linked + "]") +
                ")",
            "", Makes::batch};
  }

  Statement period() {
    return {below(3) == 0 ? "SELECT ledger_reopen_period()"
                          : "SELECT ledger_close_period(now() - interval '1 day')",
            "", Makes::nothing};
  }

  Statement posting() {
    Statement statement;
    std::uint64_t from = below(account_count);
    std::uint64_t to = (from + 1 + below(account_count - 1)) % account_count;
    std::uint64_t amount = below(40) + 1;
    std::string options;
    if (below(3) == 0) {
      // The key decides what is asked for, so that whoever has it asks for the same.
      const std::uint64_t number = below(key_count);
      statement.key = "shared " + std::to_string(number);
      from = number % account_count;
      to = (from + 1 + number % (account_count - 1)) % account_count;
      amount = number + 1;
      if (below(20) == 0) ++amount;  // or for something else
    } else if (below(2) == 0) {
      statement.key = "own " + std::to_string(random_());
    }
    if (!statement.key.empty()) options += ", idempotency_key => '" + statement.key + "'";
    if (below(8) == 0) options += ", reference => 'reference " + std::to_string(below(100)) + "'";
    if (statement.key.rfind("shared", 0) == 0)
      options = ", idempotency_key => '" + statement.key + "'";
    if (below(30) == 0) options += ", expected_version => " + std::to_string(below(50));
    // Before the end of a period that may be closed.
    if (statement.key.empty() && below(8) == 0)
      options += ", effective_at => now() - interval '" + std::to_string(below(3)) + " days'";
    const std::string debit = account_code(from);
    const std::string credit = account_code(to);
    const std::string text = std::to_string(amount);
    if (below(3) != 0) {
      statement.sql =
          "SELECT ledger_post('" + debit + "', '" + credit + "', " + text + options + ")";
    } else {
      // The same request in the form of lines, with the accounts in whatever order.
      statement.sql = "SELECT ledger_post(ARRAY[ledger_debit('" + debit + "', " + text +
                      "), ledger_credit('" + credit + "', " + text + ")]" + options + ")";
    }
    return statement;
  }

  // Several postings in one transaction; sometimes taken back. Two of these can deadlock.
  void transaction() {
    connection_.must("BEGIN");
    std::vector<std::pair<Statement, std::vector<std::string>>> done;
    for (std::uint64_t count = below(3) + 1; count > 0; --count) {
      connection_.must("SAVEPOINT before");
      const Statement statement = request();
      const Connection::Answer answer = connection_.ask(statement.sql);
      if (answer.sqlstate == deadlock) {
        judge(answer);
        connection_.must("ROLLBACK");
        return;
      }
      if (judge(answer)) {
        if (below(5) == 0)
          connection_.must("ROLLBACK TO SAVEPOINT before");
        else
          done.emplace_back(statement, answer.values);
      } else {
        connection_.must("ROLLBACK TO SAVEPOINT before");
      }
    }
    if (below(4) == 0) {
      connection_.must("ROLLBACK");
      return;
    }
    connection_.must("COMMIT");
    for (const auto& [statement, values] : done) acknowledge(statement, values);
  }

  void freeze_for_a_moment() {
    const std::string code = account_code(below(account_count));
    const char* direction = below(2) == 0 ? "debit" : "credit";
    const std::string arguments = "account('" + code + "', '" + direction + "')";
    if (judge(connection_.ask("SELECT ledger_freeze_" + arguments)))
      while (!judge(connection_.ask("SELECT ledger_unfreeze_" + arguments)) && with_transactions_) {
      }
  }

  bool judge(const Connection::Answer& answer) {
    const std::string condition = condition_of(answer);
    if (with_transactions_ && answer.sqlstate == deadlock) {
      journal_.count("deadlock");
      return false;
    }
    journal_.count(condition);
    if (condition == "ok") return true;
    if (expected_refusals.count(condition) == 0) journal_.fail(condition);
    return false;
  }

  std::mt19937_64 random_;
  bool with_transactions_;
  Journal& journal_;
  Connection connection_;
};

// Whatever single calls come together, none is the victim of a deadlock. Transactions that post several
// times can deadlock, among themselves and with single calls: one of them is told to try again.
void work_together(bool with_transactions) {
  Connection connection;
  create_ledger(connection);
  for (std::uint64_t i = 0; i < account_count; ++i)
    connection.must("SELECT ledger_open_account('" + account_code(i) + "', '" +
                    (i % 2 == 0 ? "asset" : "liability") + "', 'USD', min_balance => " +
                    (i % 4 == 3 ? "-100" : "0") + (i == 0 ? ", max_balance => 500" : "") + ")");
  // Something to move: debit-normal and credit-normal accounts grow together.
  for (std::uint64_t i = 0; i + 1 < account_count; i += 2)
    connection.must("SELECT ledger_post('" + account_code(i) + "', '" + account_code(i + 1) +
                    "', 300)");

  Journal journal;
  std::vector<std::unique_ptr<Poster>> posters;
  for (std::uint64_t i = 0; i < thread_count; ++i)
    posters.push_back(
        std::make_unique<Poster>(seed * thread_count + i, with_transactions, journal));
  const int operations =
      number_setting("LEDGERFLOW_CONCURRENT_OPERATIONS", default_operations) / thread_count;
  std::vector<std::thread> threads;
  for (const auto& poster : posters)
    threads.emplace_back([&, worker = poster.get()] { worker->work(operations); });
  for (std::thread& thread : threads) thread.join();

  for (const std::string& failure : journal.failures()) ADD_FAILURE() << failure;
  for (const std::string& finding : findings(connection)) ADD_FAILURE() << finding;

  // Conservation, and floors at every step, not only at the end.
  EXPECT_EQ(connection.must("SELECT sum(amount) FROM ledger.entries"),
            std::vector<std::string>{"0.00"});
  EXPECT_EQ(connection.must("SELECT sum(debit) - sum(credit) FROM ledger_trial_balance()"),
            std::vector<std::string>{"0.00"});
  EXPECT_EQ(connection.must(R"(
      SELECT concat(account, ' ', balance_after)
        FROM ledger.journal j JOIN ledger.balances b USING (account)
       WHERE j.balance_after < b.min_balance OR j.balance_after > b.max_balance)"),
            std::vector<std::string>{});

  // What was acknowledged is there, each key once, and there is nothing else.
  for (const auto& [key, ids] : journal.keys())
    EXPECT_EQ(ids.size(), 1U) << "key " << key << " was answered with different transactions";
  std::set<std::string> stored;
  for (const std::string& id : connection.must("SELECT id FROM ledger.transactions"))
    stored.insert(id);
  for (const std::string& id : journal.ids())
    EXPECT_EQ(stored.count(id), 1U) << "acknowledged transaction " << id << " is not there";
  EXPECT_EQ(stored.size(), journal.ids().size() + account_count / 2);
  const std::set<std::string> holds(journal.holds().begin(), journal.holds().end());
  std::set<std::string> stored_holds;
  for (const std::string& id : connection.must("SELECT id FROM ledger.holds"))
    stored_holds.insert(id);
  EXPECT_EQ(stored_holds, holds);
  // What is reserved counts as well, and is what the holds say when all that have expired are settled.
  EXPECT_EQ(connection.must("SELECT account FROM ledger.balances WHERE available < min_balance"),
            std::vector<std::string>{});
  connection.must("SELECT ledger_maintain()");
  connection.must(
      "SELECT ledger_release(hold) FROM (SELECT DISTINCT hold FROM ledger.open_holds) h");
  EXPECT_EQ(connection.must("SELECT account FROM ledger.balances "
                            "WHERE debits_pending <> 0 OR credits_pending <> 0"),
            std::vector<std::string>{});
  for (const std::string& finding : findings(connection)) ADD_FAILURE() << finding;
  // Balances at any time are sums over the entries.
  EXPECT_EQ(connection.must(R"(
      SELECT concat_ws(' ', a.code, m.at, b.by)
        FROM ledger.accounts a
       CROSS JOIN (VALUES ('posted'), ('effective')) AS b (by)
       CROSS JOIN (SELECT now() - i * interval '5 hours' AS at FROM generate_series(0, 16) i
                   UNION SELECT posted_at FROM ledger.transactions TABLESAMPLE BERNOULLI (1) REPEATABLE (1)) m
       WHERE ledger_balance_at(a.code, m.at, b.by) <> (
             SELECT coalesce(sum(e.amount), 0) * CASE y.normal_side WHEN 'debit' THEN 1 ELSE -1 END
               FROM ledger.account_types y
               LEFT JOIN (ledger.entries e JOIN ledger.transactions t ON t.id = e.transaction_id)
                 ON e.account_id = a.id
                AND CASE b.by WHEN 'posted' THEN t.posted_at ELSE t.effective_at END <= m.at
              WHERE y.code = a.type GROUP BY y.normal_side))"),
            std::vector<std::string>{});
  std::map<std::string, std::string> keys;
  for (const std::string& row :
       connection.must("SELECT concat(key, '=', transaction_id) FROM ledger.idempotency_keys"))
    keys[row.substr(0, row.find('='))] = row.substr(row.find('=') + 1);
  EXPECT_EQ(keys.size(), journal.keys().size());
  for (const auto& [key, ids] : journal.keys()) EXPECT_EQ(keys[key], *ids.begin()) << key;

  std::cout << operations * thread_count << " operations of " << thread_count << " sessions:";
  for (const auto& [outcome, count] : journal.outcomes())
    std::cout << " " << outcome << " " << count;
  std::cout << std::endl;
}

TEST(Random, ConcurrentCallsLeaveTheBooksInOrder) { work_together(false); }

TEST(Random, ConcurrentTransactionsLeaveTheBooksInOrder) { work_together(true); }

}  // namespace
}  // namespace ledgerflow::random_test
