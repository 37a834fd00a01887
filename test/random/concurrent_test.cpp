// Many sessions at once: whatever their luck, the books must be in order afterwards.
#include <gtest/gtest.h>

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
constexpr int default_operations = 1200;  // of all threads together

constexpr const char* deadlock = "40P01";

const std::set<std::string> expected_refusals = {"insufficient_balance", "limit_exceeded",
                                                 "account_frozen",       "version_conflict",
                                                 "duplicate_reference",  "idempotency_conflict"};

std::string account_code(std::uint64_t number) { return "account:" + std::to_string(number); }

// The acknowledgements of all sessions.
class Journal {
 public:
  void acknowledge(const std::string& key, const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ids_.insert(id);
    if (!key.empty()) keys_[key].insert(id);
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
  const std::map<std::string, std::set<std::string>>& keys() const { return keys_; }
  const std::vector<std::string>& failures() const { return failures_; }
  const std::map<std::string, int>& outcomes() const { return outcomes_; }

 private:
  std::mutex mutex_;
  std::set<std::string> ids_;
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
      const Statement statement = posting();
      const Connection::Answer answer = connection_.ask(statement.sql);
      if (judge(answer)) journal_.acknowledge(statement.key, answer.values.at(0));
    }
  }

  struct Statement {
    std::string sql;
    std::string key;
  };

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
    std::vector<std::pair<std::string, std::string>> posted;
    for (std::uint64_t count = below(3) + 1; count > 0; --count) {
      connection_.must("SAVEPOINT before");
      const Statement statement = posting();
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
          posted.emplace_back(statement.key, answer.values.at(0));
      } else {
        connection_.must("ROLLBACK TO SAVEPOINT before");
      }
    }
    if (below(4) == 0) {
      connection_.must("ROLLBACK");
      return;
    }
    connection_.must("COMMIT");
    for (const auto& [key, id] : posted) journal_.acknowledge(key, id);
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
