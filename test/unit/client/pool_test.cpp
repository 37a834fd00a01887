// The pool: connections lent out, given back, replaced.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ledgerflow/ledgerflow.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

using std::chrono::milliseconds;
using testing::query;
using testing::sql;

class PoolTest : public testing::ServerTest {
 protected:
  static PoolOptions of_size(std::size_t size) {
    PoolOptions options;
    options.size = size;
    return options;
  }
};

TEST_F(PoolTest, LendsAndTakesBack) {
  Pool pool(testing::test_database(), of_size(2));
  EXPECT_EQ(pool.idle(), 0u);
  int pid = 0;
  {
    Pool::Lease lease = pool.acquire();
    pid = PQbackendPID(lease->native_handle());
    EXPECT_EQ(pool.lent(), 1u);
  }
  EXPECT_EQ(pool.idle(), 1u);
  EXPECT_EQ(pool.lent(), 0u);
  Pool::Lease same = pool.acquire();
  EXPECT_EQ(PQbackendPID(same->native_handle()), pid);
  Pool::Lease other = pool.acquire();
  EXPECT_NE(PQbackendPID(other->native_handle()), pid);
  try {
    pool.acquire(milliseconds(20));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.sqlstate(), "53300");
  }
  other = std::move(same);  // gives the other one back
  EXPECT_EQ(pool.lent(), 1u);
  EXPECT_EQ(PQbackendPID(other->native_handle()), pid);
  EXPECT_NO_THROW(pool.acquire(milliseconds(0)));
}

TEST_F(PoolTest, WaitsForOneThatComesBack) {
  Pool pool(testing::test_database(), of_size(1));
  std::optional<Pool::Lease> lease = pool.acquire();
  std::thread other([&] { pool.acquire()->new_id(); });
  std::this_thread::sleep_for(milliseconds(50));
  lease.reset();
  other.join();
  EXPECT_EQ(pool.idle(), 1u);
}

TEST_F(PoolTest, ReplacesWhatBroke) {
  Pool pool(testing::test_database(), of_size(1));
  const int pid = PQbackendPID(pool.acquire()->native_handle());
  sql("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 10000)");
  {
    Pool::Lease lease = pool.acquire();  // it broke while it was idle
    EXPECT_NE(PQbackendPID(lease->native_handle()), pid);
    Transaction transaction(*lease);
    lease->new_id();
    transaction.commit();
  }
  EXPECT_EQ(pool.idle(), 1u);
  {
    Pool::Lease lease = pool.acquire();
    query(lease->native_handle(), "BEGIN");
  }
  EXPECT_EQ(pool.idle(), 0u);  // it was left within a transaction
  {
    Pool::Lease lease = pool.acquire();
    Client taken = std::move(*lease);
  }
  EXPECT_EQ(pool.idle(), 0u);
  EXPECT_EQ(pool.lent(), 0u);
  pool.acquire()->new_id();
}

TEST_F(PoolTest, CountsWhatCannotConnect) {
  Pool pool("host=/no/such/directory", of_size(1));
  EXPECT_THROW(pool.acquire(), ConnectionError);
  EXPECT_THROW(pool.acquire(milliseconds(0)), ConnectionError);  // not 53300
  EXPECT_EQ(pool.lent(), 0u);
  EXPECT_THROW(Pool("", of_size(0)), RefusedFor<Condition::invalid_argument>);
}

TEST_F(PoolTest, OutlivesNobody) {
  std::optional<Pool> pool(std::in_place, testing::test_database(), of_size(2));
  std::optional<Pool::Lease> lease = pool->acquire();
  Pool moved = std::move(*pool);
  EXPECT_THROW(pool->acquire(), ConnectionError);
  EXPECT_EQ(moved.lent(), 1u);
  pool.reset();
  { const Pool gone = std::move(moved); }
  (*lease)->new_id();
  lease.reset();
}

TEST_F(PoolTest, ServesManyThreads) {
  const auto cash = open("asset");
  const auto sales = open("income");
  Pool pool(testing::test_database(), of_size(3));
  std::atomic<int> posted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) {
        Pool::Lease lease = pool.acquire();
        lease->post(cash, sales, Amount("1.00"));
        ++posted;
        if ((i + n) % 7 == 0)  // some leave theirs broken behind them
          sql("SELECT pg_terminate_backend(" +
              std::to_string(PQbackendPID(lease->native_handle())) + ")");
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(posted, 160);
  EXPECT_LE(pool.idle(), 3u);
  EXPECT_EQ(pool.acquire()->balance(cash).to_string(), "160.00");
}

}  // namespace
}  // namespace ledgerflow::client
