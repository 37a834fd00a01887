// bench: a load generator over the library.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <deque>
#include <future>
#include <mutex>
#include <random>
#include <thread>
#include <vector>
#include <ledgerflow/poster.hpp>

#include "command.hpp"
#include "failure.hpp"
#include "interruption.hpp"
#include "progress.hpp"

namespace ledgerflow::command {

namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::microseconds;

// A ledger for the time of the measurement; what is posted into another one stays for ever.
class BenchLedger {
 public:
  BenchLedger(client::Client& client, int accounts) : client_(client) {
    std::random_device random;
    name_ = "ledgerflow_bench_" + std::to_string(random());
    const std::string extension = client.quoted_name(client.extension_schema()) + ".";
    client.query("SELECT " + extension + "ledger_create(ledger => $1::pg_catalog.name)", {name_});
    try {
      client.query("SELECT pg_catalog.count(" + extension +
                       "ledger_open_account(code => 'bench:' OPERATOR(pg_catalog.||) i::text,"
                       " type => 'asset', currency => 'USD', ledger => $1::pg_catalog.name))"
                       " FROM pg_catalog.generate_series(0, $2::int4 - 1) AS i",
                   {name_, std::to_string(accounts)});
    } catch (...) {
      drop();
      throw;
    }
  }
  ~BenchLedger() { drop(); }
  BenchLedger(const BenchLedger&) = delete;
  BenchLedger& operator=(const BenchLedger&) = delete;

  const std::string& name() const { return name_; }
  std::uint64_t postings() {
    const client::Table answer = client_.query("SELECT pg_catalog.count(*) FROM " +
                                               client_.quoted_name(name_) + ".transactions");
    return std::stoull(answer.rows.at(0).at(0).value_or("0"));
  }

 private:
  void drop() noexcept {
    try {
      client_.query("SET client_min_messages = warning");
      client_.query("DROP SCHEMA " + client_.quoted_name(name_) + " CASCADE");
    } catch (const std::exception& error) {
      say("the schema " + name_ + " is still there: " + error.what());
    }
  }

  client::Client& client_;
  std::string name_;
};

// What the clients share.
struct Load {
  const Settings& settings;
  std::string ledger;
  unsigned accounts;
  std::size_t
      in_flight;  // postings of a client that wait for their answers; 1: one after the other
  bool with_keys;
  Clock::time_point end;
  std::mutex mutex;
  std::vector<std::uint32_t> latencies;  // microseconds
  std::exception_ptr failure;            // the first
  std::atomic<bool> is_over{false};
};

std::string account(unsigned number) { return "bench:" + std::to_string(number); }

// Random postings between two accounts.
class Postings {
 public:
  Postings(const Load& load, unsigned seed)
      : load_(load),
        seed_(seed),
        random_(seed),
        any_(0, load.accounts - 1),
        step_(1, load.accounts - 1) {
    options_.ledger = load.ledger;
  }

  // Calls post(debit, credit, amount, options).
  template <typename Post>
  auto next(Post&& post) {
    const unsigned debit = any_(random_), credit = (debit + step_(random_)) % load_.accounts;
    if (load_.with_keys)
      options_.idempotency_key = std::to_string(seed_) + "-" + std::to_string(n_++);
    return post(account(debit), account(credit), amount_, options_);
  }

 private:
  const Load& load_;
  const unsigned seed_;
  std::mt19937 random_;
  std::uniform_int_distribution<unsigned> any_, step_;
  const client::Amount amount_{"1.00"};
  client::PostOptions options_;
  std::uint64_t n_ = 0;
};

bool goes_on(const Load& load) {
  return !load.is_over && signal_caught() == 0 && Clock::now() < load.end;
}

void note(std::vector<std::uint32_t>& latencies, Clock::time_point start) {
  latencies.push_back(static_cast<std::uint32_t>(
      std::chrono::duration_cast<Microseconds>(Clock::now() - start).count()));
}

void post_one_by_one(Load& load, Postings& postings, std::vector<std::uint32_t>& latencies) {
  client::ClientOptions once;  // else the library makes keys of its own
  once.retry = client::RetryPolicy::none();
  client::Client client(load.settings.dsn, once);
  while (goes_on(load)) {
    const Clock::time_point start = Clock::now();
    postings.next([&client](auto&&... posting) { return client.post(posting...); });
    note(latencies, start);
  }
}

void post_many_in_flight(Load& load, Postings& postings, std::vector<std::uint32_t>& latencies) {
  client::Poster poster(load.settings.dsn);
  std::deque<std::pair<Clock::time_point, std::future<client::TransactionId>>> waiting;
  while (goes_on(load) || !waiting.empty()) {
    if (goes_on(load) && waiting.size() < load.in_flight) {
      const Clock::time_point start = Clock::now();
      waiting.emplace_back(
          start, postings.next([&poster](auto&&... posting) { return poster.submit(posting...); }));
      continue;
    }
    waiting.front().second.get();
    note(latencies, waiting.front().first);
    waiting.pop_front();
  }
}
void run_client(Load& load, unsigned seed) {
  std::vector<std::uint32_t> latencies;
  std::exception_ptr failure;
  try {
    Postings postings(load, seed);
    if (load.in_flight == 1)
      post_one_by_one(load, postings, latencies);
    else
      post_many_in_flight(load, postings, latencies);
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard<std::mutex> lock(load.mutex);
  load.latencies.insert(load.latencies.end(), latencies.begin(), latencies.end());
  if (failure == nullptr) return;
  load.is_over = true;
  if (load.failure == nullptr) load.failure = failure;
}

std::string decimal(double value) {
  char text[64];
  std::snprintf(text, sizeof text, value < 100 ? "%.3f" : "%.0f", value);
  return text;
}

// In milliseconds; the latencies are sorted.
std::string percentile(const std::vector<std::uint32_t>& latencies, double part) {
  if (latencies.empty()) return "";
  const double rank = std::ceil(part * static_cast<double>(latencies.size()));
  const auto place = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return decimal(latencies[std::min(place, latencies.size() - 1)] / 1000.0);
}

std::string spelled(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

int number(const Command& given, const char* name, int otherwise, int least, int most) {
  if (!given.given(name)) return otherwise;
  const std::string text = *given.value(name);
  const bool is_number = !text.empty() && text.size() <= 9 &&
                         text.find_first_not_of("0123456789") == std::string::npos;
  const int value = is_number ? std::stoi(text) : -1;
  if (value < least || value > most)
    throw UsageError("--" + spelled(name) + " is a number from " + std::to_string(least) + " to " +
                     std::to_string(most) + ", not '" + text + "'");
  return value;
}

int bench(Context& context) {
  const Command& given = context.command;
  const int clients = number(given, "clients", 4, 1, 1000);
  const int seconds = number(given, "seconds", 10, 1, 86'400);
  const int in_flight = number(given, "in_flight", 1, 1, 100'000);
  const int accounts = number(given, "accounts", 1000, 2, 1'000'000);

  BenchLedger ledger(context.server.client(), accounts);
  const Clock::time_point start = Clock::now();
  Load load{context.settings,
            ledger.name(),
            static_cast<unsigned>(accounts),
            static_cast<std::size_t>(in_flight),
            given.given("keys"),
            start + std::chrono::seconds(seconds),
            {},
            {},
            {},
            {}};
  {
    Progress progress("posting", context.settings.shows_progress);
    progress.set_total(static_cast<std::uint64_t>(seconds) * 1000);
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i)
      threads.emplace_back(run_client, std::ref(load), static_cast<unsigned>(i));
    while (!load.is_over && signal_caught() == 0 && Clock::now() < load.end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      progress.set_done(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count()));
    }
    for (std::thread& thread : threads) thread.join();
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  throw_if_interrupted();
  if (load.failure != nullptr) std::rethrow_exception(load.failure);

  std::vector<std::uint32_t>& latencies = load.latencies;
  std::sort(latencies.begin(), latencies.end());
  const std::uint64_t found = ledger.postings();
  client::Table result;
  constexpr unsigned bigint = 20, float8 = 701;
  result.columns = {{"clients", bigint},  {"seconds", float8},
                    {"postings", bigint}, {"postings_per_second", float8},
                    {"p50_ms", float8},   {"p95_ms", float8},
                    {"p99_ms", float8},   {"max_ms", float8},
                    {"in_ledger", bigint}};
  result.rows.push_back(
      {std::to_string(clients), decimal(took.count()), std::to_string(latencies.size()),
       decimal(static_cast<double>(latencies.size()) / took.count()), percentile(latencies, 0.50),
       percentile(latencies, 0.95), percentile(latencies, 0.99), percentile(latencies, 1.0),
       std::to_string(found)});
  write(*make_output(context.settings.format, Shape::row), result);
  return found == latencies.size() ? exit_code::success : exit_code::findings;
}

}  // namespace

void add_bench(Commands& commands) {
  commands.add("Proof", "bench", "Measure how fast the database posts")
      .option("--clients", "own", "N", "Connections that post at the same time; default: 4")
      .option("--seconds", "own", "N", "For how long; default: 10")
      .option("--accounts", "own", "N", "Accounts between which the money moves; default: 1000")
      .option("--in-flight", "own", "N",
              "Postings of each connection that wait for their answers; default: 1")
      .flag("--keys", "own", "With an idempotency key for each posting")
      .says(
          "Posts single transactions between random accounts, one after the other or, through the "
          "library's Poster, many in flight; in a ledger that it creates for "
          "this and drops in the end; your own ledgers are left alone. Prints postings a second "
          "and percentiles of their latency, and how many of them it found in the ledger: all, "
          "or it ends with exit code 4.")
      .does(bench);
}

}  // namespace ledgerflow::command
