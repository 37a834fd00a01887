// Connections for many threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "ledgerflow/client.hpp"
#include "ledgerflow/export.hpp"

namespace ledgerflow::client {

/// How a Pool works.
struct PoolOptions {
  /// Connections at a time, at most.
  std::size_t size = 10;
  /// How long acquire() waits for one when all are in use.
  std::chrono::milliseconds wait{30'000};
  /// Of its clients.
  ClientOptions client;
};

/// Clients that are kept connected and lent out, one to a thread at a time. Connections are made when
/// they are needed, and replaced when they broke. All functions may be called by any threads at the
/// same time. Leases may outlive the pool.
class LEDGERFLOW_CLIENT_API Pool {
  struct State;

 public:
  /// A client on loan: it goes back with the destructor. One whose connection broke, or that was left
  /// within a transaction, is closed instead.
  class LEDGERFLOW_CLIENT_API Lease {
   public:
    ~Lease();
    Lease(Lease&& other) noexcept;             ///< The other one is empty.
    Lease& operator=(Lease&& other) noexcept;  ///< Gives its client back first.
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Client& operator*() const noexcept { return *client_; }        ///< The client.
    Client* operator->() const noexcept { return client_.get(); }  ///< The client.

   private:
    friend class Pool;
    Lease(std::shared_ptr<State> state, std::unique_ptr<Client> client);
    void give_back() noexcept;
    std::shared_ptr<State> state_;
    std::unique_ptr<Client> client_;
  };

  /// A pool of clients of this connection string. Connects to nothing yet.
  explicit Pool(std::string connection_string = {}, const PoolOptions& options = {});
  ~Pool();
  Pool(Pool&& other) noexcept;             ///< The other one cannot be used any more.
  Pool& operator=(Pool&& other) noexcept;  ///< The other one cannot be used any more.
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// A client; waits for one as long as the options say, or as told, and then throws Error (SQLSTATE
  /// 53300). Throws what Client's constructor throws when a connection has to be made and cannot.
  Lease acquire(std::optional<std::chrono::milliseconds> wait = std::nullopt);

  /// Connections that are open and not lent out.
  std::size_t idle() const;

  /// Clients that are lent out.
  std::size_t lent() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace ledgerflow::client
