// The client library's contestant: posts between random accounts over one connection for a while, and
// prints how many postings there were, how many a second after the warm-up, and the median and the
// 99th percentile of their times in ms.
//   post sync|poster SECONDS WARMUP ACCOUNTS
#include <ledgerflow/ledgerflow.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <future>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace lf = ledgerflow::client;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

namespace {

constexpr std::size_t in_flight = 8'000;  // futures that the poster's caller holds at a time

// What a posting is made of, as pgbench's script chooses it.
class Requests {
 public:
  explicit Requests(long accounts) : accounts_(accounts) {}

  struct Request {
    std::string debit, credit;
    lf::Amount amount;
    lf::PostOptions options;
  };

  Request next() {
    const long source = pick(1, accounts_);
    const long destination = 1 + (source - 1 + pick(1, accounts_ - 1)) % accounts_;
    Request request{"customer:" + std::to_string(source),
                    "customer:" + std::to_string(destination),
                    lf::Amount::from_minor_units(pick(1, 10'000'000), 2),
                    {}};
    request.options.idempotency_key = std::to_string(pick(1, 9'223'372'036'854'775'807));
    return request;
  }

 private:
  long pick(long from, long to) { return std::uniform_int_distribution<long>(from, to)(random_); }

  long accounts_;
  std::mt19937_64 random_{std::random_device{}()};
};

struct Done {
  Clock::time_point at;
  double ms;
};

std::vector<Done> one_at_a_time(Requests& requests, Clock::time_point end) {
  lf::Client client;
  std::vector<Done> done;
  for (auto begin = Clock::now(); begin < end;) {
    const auto request = requests.next();
    begin = Clock::now();
    client.post(request.debit, request.credit, request.amount, request.options);
    const auto now = Clock::now();
    done.push_back({now, Seconds(now - begin).count() * 1e3});
  }
  return done;
}

std::vector<Done> through_poster(Requests& requests, Clock::time_point end) {
  lf::PosterOptions options;
  if (const char* size = std::getenv("POSTER_BATCH"))
    options.batch_size = std::strtoul(size, nullptr, 10);
  if (const char* flights = std::getenv("POSTER_IN_FLIGHT"))
    options.batches_in_flight = std::strtoul(flights, nullptr, 10);
  lf::Poster poster({}, options);
  std::vector<Done> done;
  std::deque<std::pair<Clock::time_point, std::future<lf::TransactionId>>> waiting;
  const auto take = [&] {
    waiting.front().second.get();
    const auto now = Clock::now();
    done.push_back({now, Seconds(now - waiting.front().first).count() * 1e3});
    waiting.pop_front();
  };
  while (Clock::now() < end) {
    auto request = requests.next();
    waiting.emplace_back(Clock::now(),
                         poster.submit(std::move(request.debit), std::move(request.credit),
                                       request.amount, std::move(request.options)));
    while (waiting.size() >= in_flight) take();
  }
  while (!waiting.empty()) take();
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "post sync|poster SECONDS WARMUP ACCOUNTS\n";
    return 2;
  }
  const std::string mode = argv[1];
  const Seconds seconds(std::atof(argv[2]));
  const Seconds warmup(std::atof(argv[3]));
  try {
    Requests requests(std::atol(argv[4]));
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::duration_cast<Clock::duration>(seconds);
    const auto opened = begin + std::chrono::duration_cast<Clock::duration>(warmup);
    const std::vector<Done> done =
        mode == "sync" ? one_at_a_time(requests, end) : through_poster(requests, end);
    std::vector<double> counted;
    for (const Done& one : done)
      if (one.at > opened && one.at <= end) counted.push_back(one.ms);
    if (counted.empty()) {
      std::cerr << "nothing was posted after the warm-up\n";
      return 1;
    }
    std::sort(counted.begin(), counted.end());
    std::printf("%zu %.1f %.4f %.4f\n", done.size(),
                static_cast<double>(counted.size()) / (seconds - warmup).count(),
                counted[counted.size() / 2], counted[counted.size() * 99 / 100]);
    return 0;
  } catch (const lf::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
