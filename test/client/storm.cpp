// Posts from eight threads while somebody kills the server, and writes down what each posting was
// told: test/scripts/client_storm.sh holds that against the ledger.
//   storm SECONDS FILE      lines `key yes|no|unknown id|sqlstate`
//   storm connect           prints what comes of one connection: "ok", or SQLSTATE and message
#include <ledgerflow/ledgerflow.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <fstream>
#include <future>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lf = ledgerflow::client;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int poster_threads = 4;
constexpr int client_threads = 4;
constexpr std::size_t in_flight = 50;  // of a thread at the poster
constexpr std::chrono::minutes longest_answer{2};

std::mutex mutex;
std::ofstream journal;
std::atomic<int> hanging{0};

void write_down(const std::string& key, const std::string& word, const std::string& what) {
  const std::lock_guard lock(mutex);
  journal << key << ' ' << word << ' ' << what << '\n';
}

// What `get` gives or throws, as a line.
template <typename Get>
void settle(const std::string& key, Get get) {
  try {
    write_down(key, "yes", get().to_string());
  } catch (const lf::ConnectionError& error) {
    write_down(key, error.outcome_unknown() ? "unknown" : "no", error.sqlstate());
  } catch (const lf::Error& error) {
    write_down(key, "no", error.sqlstate());
  }
}

struct Request {
  std::string key, debit, credit;
  lf::Amount amount;
};

// Most can be posted; one in eight asks for more than there is.
Request request(int thread, int number) {
  const bool too_much = number % 8 == 0;
  return {"t" + std::to_string(thread) + "-" + std::to_string(number),
          too_much ? "wallet" : "a" + std::to_string(number % 4),
          too_much ? "a0" : "b" + std::to_string((number + thread) % 3),
          lf::Amount::from_minor_units(too_much ? 100'000'000 : 1 + number % 100, 2)};
}

lf::PostOptions under(const std::string& key) {
  lf::PostOptions options;
  options.idempotency_key = key;
  return options;
}

void post_through(lf::Poster& poster, int thread, Clock::time_point end) {
  std::deque<std::pair<std::string, std::future<lf::TransactionId>>> waiting;
  const auto take = [&] {
    auto [key, future] = std::move(waiting.front());
    waiting.pop_front();
    if (future.wait_for(longest_answer) != std::future_status::ready) {
      ++hanging;
      return;
    }
    settle(key, [&future = future] { return future.get(); });
  };
  for (int number = 0; Clock::now() < end; ++number) {
    const Request next = request(thread, number);
    waiting.emplace_back(next.key,
                         poster.submit(next.debit, next.credit, next.amount, under(next.key)));
    if (waiting.size() >= in_flight) take();
  }
  while (!waiting.empty()) take();
}

void post_from(lf::Pool& pool, int thread, Clock::time_point end) {
  for (int number = 0; Clock::now() < end; ++number) {
    const Request next = request(thread, number);
    settle(next.key, [&] {
      return pool.acquire()->post(next.debit, next.credit, next.amount, under(next.key));
    });
  }
}

int connect() {
  try {
    const lf::Client client;
    std::cout << "ok\n";
  } catch (const lf::Error& error) {
    std::cout << error.sqlstate() << " " << error.message() << "\n";
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "connect") return connect();
  if (argc != 3) {
    std::cerr << "storm SECONDS FILE, or storm connect\n";
    return 2;
  }
  journal.open(argv[2]);
  const auto end = Clock::now() + std::chrono::seconds(std::stol(argv[1]));
  lf::PosterOptions options;
  options.batch_size = 100;
  std::vector<std::thread> threads;
  {
    lf::Poster poster({}, options);
    lf::Pool pool({}, {});
    for (int i = 0; i < poster_threads; ++i)
      threads.emplace_back([&poster, i, end] { post_through(poster, i, end); });
    for (int i = 0; i < client_threads; ++i)
      threads.emplace_back([&pool, i, end] { post_from(pool, poster_threads + i, end); });
    for (auto& thread : threads) thread.join();
  }
  std::cout << hanging << " hanging\n";
  return 0;
}
