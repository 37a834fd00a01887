#include "ledgerflow/pool.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "channel.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

struct Pool::State {
  std::string connection_string;
  PoolOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::unique_ptr<Client>> idle;
  std::size_t lent = 0;

  void count_in() {
    const std::lock_guard lock(mutex);
    --lent;
    changed.notify_one();
  }
};

Pool::Pool(std::string connection_string, const PoolOptions& options)
    : state_(std::make_shared<State>()) {
  if (options.size < 1)
    raise_refused(Condition::invalid_argument, "a pool of no connections is not possible");
  state_->connection_string = std::move(connection_string);
  state_->options = options;
}

Pool::~Pool() = default;
Pool::Pool(Pool&& other) noexcept = default;
Pool& Pool::operator=(Pool&& other) noexcept = default;

Pool::Lease Pool::acquire(std::optional<std::chrono::milliseconds> wait) {
  if (state_ == nullptr)
    throw ConnectionError({sqlstate::connection_does_not_exist, "the pool was moved from", {}, {}},
                          false);
  State& state = *state_;
  const auto patience = wait.value_or(state.options.wait);
  std::unique_ptr<Client> client;
  {
    std::unique_lock lock(state.mutex);
    if (!state.changed.wait_for(lock, patience, [&] { return state.lent < state.options.size; }))
      throw Error({sqlstate::too_many_connections,
                   "all " + std::to_string(state.options.size) + " connections are in use",
                   "None became free within " + std::to_string(patience.count()) + " ms.",
                   "Give leases back sooner, or make the pool larger."},
                  true);
    ++state.lent;
    if (!state.idle.empty()) {
      client = std::move(state.idle.back());  // the one that was used last: its caches are warm
      state.idle.pop_back();
    }
  }
  // Neither looking at a connection nor making one keeps other threads waiting.
  try {
    if (client == nullptr || !client->channel().session()->alive()) {
      client.reset();
      client = std::make_unique<Client>(state.connection_string, state.options.client);
    }
  } catch (...) {
    state.count_in();
    throw;
  }
  return {state_, std::move(client)};
}

std::size_t Pool::idle() const {
  if (state_ == nullptr) return 0;
  const std::lock_guard lock(state_->mutex);
  return state_->idle.size();
}

std::size_t Pool::lent() const {
  if (state_ == nullptr) return 0;
  const std::lock_guard lock(state_->mutex);
  return state_->lent;
}

Pool::Lease::Lease(std::shared_ptr<State> state, std::unique_ptr<Client> client)
    : state_(std::move(state)), client_(std::move(client)) {}
Pool::Lease::~Lease() { give_back(); }
Pool::Lease::Lease(Lease&& other) noexcept = default;

Pool::Lease& Pool::Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  state_ = std::move(other.state_);
  client_ = std::move(other.client_);
  return *this;
}

void Pool::Lease::give_back() noexcept {
  if (state_ == nullptr) return;
  const std::shared_ptr<State> state = std::move(state_);
  // One that was moved from, broke, or was left within a transaction is of no use to others.
  if (client_ == nullptr || !client_->usable() || client_->in_transaction()) client_.reset();
  try {
    const std::lock_guard lock(state->mutex);
    if (client_ != nullptr) state->idle.push_back(std::move(client_));
    --state->lent;
    state->changed.notify_one();
  } catch (...) {
    // No memory to keep it: it is closed.
    client_.reset();
    state->count_in();
  }
}

}  // namespace ledgerflow::client
