// The thread behind a Poster: makes batches of what was submitted, keeps several on the wire, and
// answers the futures.
//
// A posting is in exactly one place: incoming_ (handed over), waiting_ (taken), again_ (to be sent
// again, in batches as before) or in_flight_ (sent, no answer yet). It leaves with its answer.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "attempts.hpp"
#include "ledgerflow/poster.hpp"
#include "session.hpp"

namespace ledgerflow::client {

// Wakes a thread that sleeps in poll().
class WakeUp {
 public:
  WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;
  ~WakeUp();

  void wake() noexcept;
  void clear() noexcept;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

class Poster::Worker {
 public:
  Worker(std::string connection_string, const PosterOptions& options);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  std::future<TransactionId> submit(Posting posting);
  void flush();
  void close();
  void abandon();
  std::size_t pending() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Job {
    Posting posting;
    std::promise<TransactionId> promise;
    Clock::time_point submitted;
    std::uint64_t epoch = 0;       // how many calls of flush() came before it
    bool outcome_unknown = false;  // it was on the wire when a connection broke
  };

  // What travels, and is committed, as one.
  struct Batch {
    std::vector<Job> jobs;  // one, posted by itself, or more, by ledger_post_batch
    int failures = 0;
    Clock::time_point first_failure;
    Clock::time_point not_before;
    ResultHandle answer;  // what the server has said so far
  };

  // The thread.
  void run();
  void work();
  void connect();
  void take_incoming();
  void fill();
  bool is_due(Clock::time_point now) const;
  Batch next_batch();
  void send(Batch batch);
  void sleep() const;
  Clock::time_point next_event() const;
  void receive();
  void take_answer(ResultHandle result);
  void settle(Batch batch, const Result& result);
  void failed(Batch batch, const Error& error, std::exception_ptr exception);
  bool try_later(Batch& batch);
  void lost(const Error& error);
  void expire(const Error& error);
  void abandon_all();
  void fail_all(std::exception_ptr exception);
  bool idle() const { return waiting_.empty() && again_.empty() && in_flight_.empty(); }

  // Takes postings that have their answer out of the count.
  template <typename Jobs>
  void count_out(const Jobs& jobs);

  const std::string connection_string_;
  const PosterOptions options_;

  // Shared with the callers, under the mutex.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> incoming_;
  std::size_t pending_ = 0;
  std::map<std::uint64_t, std::size_t> pending_of_epoch_;
  std::uint64_t epoch_ = 0;
  int flushing_ = 0;
  bool closing_ = false;
  bool abandoned_ = false;
  bool finished_ = false;
  WakeUp wake_up_;

  // The thread's own.
  std::unique_ptr<Session> session_;
  Backend lost_;
  int outage_failures_ = 0;
  Clock::time_point outage_began_;
  Clock::time_point connect_again_;
  std::deque<Job> waiting_;
  std::deque<Batch> again_;
  std::deque<Batch> in_flight_;
  Clock::time_point first_in_flight_since_;
  bool unsent_ = false;  // libpq has bytes that the socket did not take yet
  bool urgent_ = false;  // somebody waits for all of it
  bool closed_ = false;  // nothing more will come

  std::thread thread_;
};

}  // namespace ledgerflow::client
