#include "poster_worker.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include "batches.hpp"
#include "calls.hpp"
#include "key.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

namespace {

constexpr std::size_t largest_batch = 100'000;  // of ledger_post_batch
constexpr int binary_format = 1;

// Whether it can travel in a ledger_post_batch: two lines, the debit first, and nothing that a batch
// has no argument for.
bool fits_batch(const Posting& posting) {
  const std::vector<Line>& lines = posting.lines;
  return lines.size() == 2 && lines[0].amount.is_positive() &&
         lines[0].amount == -lines[1].amount && !posting.options.expected_version;
}

BatchItem item_of(const Posting& posting) {
  BatchItem item(posting.lines[0].account, posting.lines[1].account, posting.lines[0].amount);
  item.idempotency_key = posting.options.idempotency_key;
  item.reference = posting.options.reference;
  item.description = posting.options.description;
  item.effective_at = posting.options.effective_at;
  item.metadata = posting.options.metadata;
  return item;
}

// What a batch says of a refused item is the condition's name; the rest is known here.
std::exception_ptr refusal_of(const Posting& posting, const BatchResult& result) {
  const Line& debit = posting.lines[0];
  const std::string detail = "Debit \"" + debit.account + "\", credit \"" +
                             posting.lines[1].account + "\", amount " + debit.amount.to_string() +
                             ".";
  try {
    if (result.condition) raise_refused(*result.condition, info(*result.condition).meaning, detail);
    raise_protocol("a posting was answered with \"" + result.status_text + "\"");
  } catch (...) {
    return std::current_exception();
  }
}

[[noreturn]] void raise_lost(std::string message) {
  throw ConnectionError({sqlstate::connection_failure, std::move(message), {}, {}}, true);
}

}  // namespace

WakeUp::WakeUp() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0)
    throw Error({sqlstate::insufficient_resources, "no file descriptor is left", {}, {}}, true);
}
WakeUp::~WakeUp() { ::close(descriptor_); }

void WakeUp::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(descriptor_, &one, sizeof one);
}
void WakeUp::clear() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = read(descriptor_, &count, sizeof count);
}

// --- the callers' side ---------------------------------------------------------------------------

Poster::Worker::Worker(std::string connection_string, const PosterOptions& options)
    : connection_string_(std::move(connection_string)), options_(options) {
  if (options_.batch_size < 1 || options_.batch_size > largest_batch || options_.capacity < 1 ||
      options_.batches_in_flight < 1)
    raise_refused(Condition::invalid_argument, "a poster with these options is not possible",
                  "batch_size is 1 to 100000, capacity and batches_in_flight are at least 1.");
  connect();
  // The program's signals are not for this thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Poster::Worker::~Worker() {
  close();
  thread_.join();
}

std::future<TransactionId> Poster::Worker::submit(Posting posting) {
  Job job;
  job.posting = std::move(posting);
  if (!job.posting.options.idempotency_key && options_.retry.attempts > 1)
    job.posting.options.idempotency_key = new_key();
  std::future<TransactionId> future = job.promise.get_future();

  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || pending_ < options_.capacity; });
  if (closing_)
    throw ConnectionError({sqlstate::connection_does_not_exist, "the poster is closed", {}, {}},
                          false);
  job.submitted = Clock::now();
  job.epoch = epoch_;
  ++pending_of_epoch_[epoch_];
  ++pending_;
  incoming_.push_back(std::move(job));
  // The thread knows of the others, or will look before it sleeps.
  const bool news = incoming_.size() == 1 || incoming_.size() == options_.batch_size;
  lock.unlock();
  if (news) wake_up_.wake();
  return future;
}

void Poster::Worker::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t last = epoch_++;
  ++flushing_;
  wake_up_.wake();
  changed_.wait(
      lock, [&] { return pending_of_epoch_.empty() || pending_of_epoch_.begin()->first > last; });
  --flushing_;
}

void Poster::Worker::close() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  changed_.notify_all();
  wake_up_.wake();
  changed_.wait(lock, [this] { return finished_; });
}

void Poster::Worker::abandon() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  abandoned_ = true;
  changed_.notify_all();
  wake_up_.wake();
  changed_.wait(lock, [this] { return finished_; });
}

std::size_t Poster::Worker::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

// --- the thread ----------------------------------------------------------------------------------

void Poster::Worker::run() {
  try {
    work();
  } catch (...) {
    fail_all(std::current_exception());  // out of memory, say
  }
  session_.reset();
  const std::lock_guard lock(mutex_);
  pending_ = 0;
  pending_of_epoch_.clear();
  closing_ = true;
  finished_ = true;
  changed_.notify_all();
}

void Poster::Worker::work() {
  for (;;) {
    sleep();
    take_incoming();
    {
      const std::lock_guard lock(mutex_);
      if (abandoned_) break;
    }
    if (idle() && closed_) return;
    try {
      if (session_ == nullptr && !idle() && Clock::now() >= connect_again_) connect();
      if (session_ == nullptr) continue;
      fill();
      receive();
    } catch (const ConnectionError& error) {
      lost(error);
    } catch (const ExtensionMissing& error) {
      lost(error);
    }
  }
  abandon_all();
}

void Poster::Worker::connect() {
  if (outage_failures_ > 0 && options_.retry.attempts <= 1)
    throw ConnectionError({sqlstate::connection_does_not_exist,
                           "the connection is gone, and the poster is not to make another one",
                           {},
                           {}},
                          false);
  auto session = std::make_unique<Session>(connection_string_, options_.answer_timeout, lost_);
  session->prepare(post_batch_sql);
  session->prepare(post_lines_sql);
  if (PQsetnonblocking(session->connection(), 1) != 0 ||
      PQenterPipelineMode(session->connection()) != 1)
    session->fail(nullptr, false);
  session_ = std::move(session);
  lost_ = {};
  unsent_ = false;
}

void Poster::Worker::take_incoming() {
  wake_up_.clear();
  const std::lock_guard lock(mutex_);
  closed_ = closing_;
  urgent_ = closing_ || flushing_ > 0;
  if (waiting_.empty())
    waiting_.swap(incoming_);
  else
    std::move(incoming_.begin(), incoming_.end(), std::back_inserter(waiting_));
  incoming_.clear();
}

// --- sending -------------------------------------------------------------------------------------

void Poster::Worker::fill() {
  while (in_flight_.size() < options_.batches_in_flight) {
    const auto now = Clock::now();
    if (!again_.empty()) {
      if (again_.front().not_before > now) return;  // what came later waits: the order stays
      Batch batch = std::move(again_.front());
      again_.pop_front();
      send(std::move(batch));
    } else if (is_due(now)) {
      send(next_batch());
    } else {
      return;
    }
  }
}

bool Poster::Worker::is_due(Clock::time_point now) const {
  if (waiting_.empty()) return false;
  return urgent_ || in_flight_.empty() || waiting_.size() >= options_.batch_size ||
         waiting_.front().submitted + options_.batch_delay <= now;
}

// As many of those that wait as may travel together.
Poster::Worker::Batch Poster::Worker::next_batch() {
  Batch batch;
  const std::size_t most = std::min(options_.batch_size, waiting_.size());
  batch.jobs.reserve(most);
  const auto may_join = [&](const Posting& next) {
    const Posting& first = batch.jobs.front().posting;
    return fits_batch(first) && fits_batch(next) && next.options.ledger == first.options.ledger;
  };
  do {
    batch.jobs.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  } while (batch.jobs.size() < most && may_join(waiting_.front().posting));
  return batch;
}

void Poster::Worker::send(Batch batch) {
  const bool alone = batch.jobs.size() == 1;
  const Statement& statement = alone ? post_lines_sql : post_batch_sql;
  const PostOptions& options = batch.jobs.front().posting.options;
  Parameters parameters;
  try {
    if (alone) {
      add_posting(parameters, batch.jobs.front().posting.lines, options.idempotency_key, options);
    } else {
      std::vector<BatchItem> items;
      items.reserve(batch.jobs.size());
      for (const Job& job : batch.jobs) items.push_back(item_of(job.posting));
      add_batch(parameters, items, options.ledger, BatchMode::each);
    }
  } catch (const Error& error) {  // a value that cannot be sent
    return failed(std::move(batch), error, std::current_exception());
  }
  if (in_flight_.empty()) first_in_flight_since_ = Clock::now();
  // The texts that the parameters refer to stay where they are: in the jobs' own memory.
  in_flight_.push_back(std::move(batch));
  PGconn* const connection = session_->connection();
  if (PQsendQueryPrepared(connection, statement.name, parameters.count(), parameters.values(),
                          parameters.lengths(), parameters.formats(), binary_format) == 0 ||
      PQpipelineSync(connection) == 0)
    session_->fail(nullptr, true);
  unsent_ = true;
}

void Poster::Worker::sleep() const {
  pollfd descriptors[2] = {{wake_up_.descriptor(), POLLIN, 0}, {-1, 0, 0}};
  if (session_ != nullptr)
    descriptors[1] = {PQsocket(session_->connection()),
                      static_cast<short>(POLLIN | (unsent_ ? POLLOUT : 0)), 0};
  const auto until = next_event();
  int timeout_ms = -1;
  if (until != Clock::time_point::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
  }
  poll(descriptors, 2, timeout_ms);
}

// When there is something to do though nothing arrives.
Poster::Worker::Clock::time_point Poster::Worker::next_event() const {
  const auto now = Clock::now();
  if (idle()) return closed_ ? now : Clock::time_point::max();
  if (session_ == nullptr) return connect_again_;
  auto next = Clock::time_point::max();
  if (!in_flight_.empty() && options_.answer_timeout.count() > 0)
    next = first_in_flight_since_ + options_.answer_timeout;
  if (in_flight_.size() >= options_.batches_in_flight) return next;
  if (!again_.empty()) return std::min(next, again_.front().not_before);
  if (is_due(now)) return now;
  if (!waiting_.empty()) next = std::min(next, waiting_.front().submitted + options_.batch_delay);
  return next;
}

// --- answers -------------------------------------------------------------------------------------

void Poster::Worker::receive() {
  PGconn* const connection = session_->connection();
  if (unsent_) {
    const int flushed = PQflush(connection);
    if (flushed < 0) session_->fail(nullptr, true);
    unsent_ = flushed > 0;
  }
  if (PQconsumeInput(connection) == 0) session_->fail(nullptr, !in_flight_.empty());
  bool ended = false;
  while (!in_flight_.empty() && PQisBusy(connection) == 0) {
    ResultHandle result(PQgetResult(connection));
    if (PQstatus(connection) != CONNECTION_OK) session_->fail(result.get(), true);
    if (result == nullptr) {  // the end of one statement's results; not of two
      if (ended) raise_lost("the server's answers are out of step");
      ended = true;
      continue;
    }
    ended = false;
    take_answer(std::move(result));
  }
  if (!in_flight_.empty() && options_.answer_timeout.count() > 0 &&
      first_in_flight_since_ + options_.answer_timeout <= Clock::now())
    raise_lost("the server did not answer within " +
               std::to_string(options_.answer_timeout.count()) + " ms");
}

// A result of the first batch in flight. It holds only once the end of its transaction has come,
// which is that of the pipeline's sync: the commit can still fail.
void Poster::Worker::take_answer(ResultHandle result) {
  ResultHandle& answer = in_flight_.front().answer;
  if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
    if (answer == nullptr || PQresultStatus(answer.get()) == PGRES_TUPLES_OK)
      answer = std::move(result);
    return;
  }
  std::exception_ptr exception;
  try {
    if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) session_->fail(answer.get(), true);
  } catch (const ConnectionError&) {
    throw;
  } catch (const Error& error) {
    Batch batch = std::move(in_flight_.front());
    in_flight_.pop_front();
    first_in_flight_since_ = Clock::now();
    return failed(std::move(batch), error, std::current_exception());
  }
  Batch batch = std::move(in_flight_.front());
  in_flight_.pop_front();
  first_in_flight_since_ = Clock::now();
  outage_failures_ = 0;
  ResultHandle rows = std::move(batch.answer);
  settle(std::move(batch), Result(std::move(rows)));
}

void Poster::Worker::settle(Batch batch, const Result& result) {
  if (batch.jobs.size() == 1) {
    batch.jobs.front().promise.set_value(result.id(0, 0));
  } else {
    const std::vector<BatchResult> items = batch_results(result, batch.jobs.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      Job& job = batch.jobs[i];
      if (items[i].status == BatchResult::Status::refused)
        job.promise.set_exception(refusal_of(job.posting, items[i]));
      else
        job.promise.set_value(items[i].transaction);
    }
  }
  count_out(batch.jobs);
}

// The batch was rolled back as a whole.
void Poster::Worker::failed(Batch batch, const Error& error, std::exception_ptr exception) {
  batch.answer.reset();
  if (dynamic_cast<const TransactionConflict*>(&error) != nullptr && try_later(batch)) {
    again_.push_front(std::move(batch));
    return;
  }
  if (batch.jobs.size() > 1) {
    // One of them has spoilt it for the others (a text that is no UTF-8, say). By itself, each gets
    // what it deserves.
    for (auto job = batch.jobs.rbegin(); job != batch.jobs.rend(); ++job) {
      Batch single;
      single.jobs.push_back(std::move(*job));
      again_.push_front(std::move(single));
    }
    return;
  }
  batch.jobs.front().promise.set_exception(std::move(exception));
  count_out(batch.jobs);
}

bool Poster::Worker::try_later(Batch& batch) {
  const auto now = Clock::now();
  if (batch.failures++ == 0) batch.first_failure = now;
  if (batch.failures >= options_.retry.attempts ||
      batch.first_failure + options_.retry.deadline <= now)
    return false;
  batch.not_before = now + pause_after(options_.retry, batch.failures);
  return true;
}

// --- bad luck ------------------------------------------------------------------------------------

void Poster::Worker::lost(const Error& error) {
  const auto now = Clock::now();
  if (session_ != nullptr && session_->backend().pid != 0) lost_ = session_->backend();
  session_.reset();
  if (outage_failures_++ == 0) outage_began_ = now;
  // The first new attempt is made at once.
  connect_again_ =
      outage_failures_ == 1 ? now : now + pause_after(options_.retry, outage_failures_ - 1);
  for (auto batch = in_flight_.rbegin(); batch != in_flight_.rend(); ++batch) {
    batch->answer.reset();
    for (Job& job : batch->jobs) job.outcome_unknown = true;
    again_.push_front(std::move(*batch));
  }
  in_flight_.clear();
  expire(error);
}

// Fails what has been tried for long enough.
void Poster::Worker::expire(const Error& error) {
  const auto now = Clock::now();
  const bool all = options_.retry.attempts <= 1 || outage_failures_ >= options_.retry.attempts;
  std::vector<Job> expired;
  const auto sort_out = [&](auto& jobs) {
    const auto rest = std::stable_partition(jobs.begin(), jobs.end(), [&](const Job& job) {
      return !all && std::max(outage_began_, job.submitted) + options_.retry.deadline > now;
    });
    std::move(rest, jobs.end(), std::back_inserter(expired));
    jobs.erase(rest, jobs.end());
  };
  for (Batch& batch : again_) sort_out(batch.jobs);
  again_.erase(std::remove_if(again_.begin(), again_.end(),
                              [](const Batch& batch) { return batch.jobs.empty(); }),
               again_.end());
  sort_out(waiting_);
  for (Job& job : expired)
    job.promise.set_exception(std::make_exception_ptr(ConnectionError(
        {error.sqlstate(), error.message(), error.detail(), error.hint()}, job.outcome_unknown)));
  count_out(expired);
}

void Poster::Worker::abandon_all() {
  const auto fail = [](auto& jobs, bool in_flight) {
    for (Job& job : jobs)
      job.promise.set_exception(std::make_exception_ptr(
          ConnectionError({sqlstate::connection_failure, "the poster was abandoned", {}, {}},
                          in_flight || job.outcome_unknown)));
  };
  for (Batch& batch : in_flight_) fail(batch.jobs, true);
  for (Batch& batch : again_) fail(batch.jobs, false);
  fail(waiting_, false);
}

// The thread ends, but no future is left without an answer.
void Poster::Worker::fail_all(std::exception_ptr exception) {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (Job& job : incoming_) job.promise.set_exception(exception);
    incoming_.clear();
  }
  for (auto* batches : {&in_flight_, &again_})
    for (Batch& batch : *batches)
      for (Job& job : batch.jobs) job.promise.set_exception(exception);
  for (Job& job : waiting_) job.promise.set_exception(exception);
}

template <typename Jobs>
void Poster::Worker::count_out(const Jobs& jobs) {
  const std::lock_guard lock(mutex_);
  for (const Job& job : jobs) {
    const auto of_epoch = pending_of_epoch_.find(job.epoch);
    if (--of_epoch->second == 0) pending_of_epoch_.erase(of_epoch);
  }
  pending_ -= jobs.size();
  changed_.notify_all();
}

}  // namespace ledgerflow::client
