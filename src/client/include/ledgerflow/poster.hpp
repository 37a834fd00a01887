// Many postings in flight on one connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/error.hpp"
#include "ledgerflow/export.hpp"
#include "ledgerflow/posting.hpp"
#include "ledgerflow/retry.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// A request to post, for a Poster.
struct LEDGERFLOW_CLIENT_API Posting {
  std::vector<Line> lines;  ///< 2 to 10,000, in sum zero per currency
  PostOptions options;      ///< what else is said about it

  Posting() = default;
  /// Debits one account and credits another.
  Posting(std::string debit_account, std::string credit_account, const Amount& amount,
          PostOptions more = {});
  /// Any number of lines.
  explicit Posting(std::vector<Line> all_lines, PostOptions more = {});
};

/// How a Poster works.
struct PosterOptions {
  /// A batch is sent when it has so many postings, 1 to 100,000 ...
  std::size_t batch_size = 1000;
  /// ... or when its first one has waited so long. When nothing is under way, a posting is sent at
  /// once.
  std::chrono::microseconds batch_delay{2'000};
  /// Batches under way at a time.
  std::size_t batches_in_flight = 4;
  /// Postings that wait or are under way, at most: submit() then waits for room.
  std::size_t capacity = 100'000;
  /// For how long, and how often, postings are sent again after a lost connection or a conflict.
  RetryPolicy retry;
  /// How long to wait for the answer to a batch before the connection counts as lost; zero: for
  /// ever.
  std::chrono::milliseconds answer_timeout{30'000};
};

/// Posts in the background over one connection of its own: postings that come close together travel,
/// and are committed, together, several such batches at a time. Each still stands alone: one that is
/// refused leaves the others be. All functions may be called by any threads at the same time (except
/// for moves and the destructor).
///
/// Every future is answered: with the transaction's id once it is committed, or with the exception
/// that Client::post() would have thrown. When the connection breaks, the poster connects anew and
/// sends what has no answer again under the same idempotency keys (it makes one where the caller gave
/// none), so that each is posted once. After RetryPolicy::deadline without success a posting fails
/// with ConnectionError; outcome_unknown() then tells whether it had been on its way.
///
/// Postings of one thread are sent in the order of submit() and take effect in that order, unless
/// one of them fails.
class LEDGERFLOW_CLIENT_API Poster {
 public:
  /// Connects, as Client does, and begins.
  explicit Poster(const std::string& connection_string = {}, const PosterOptions& options = {});
  /// Does what close() does: no future is left without an answer. Call abandon() before to be quick.
  ~Poster();
  Poster(Poster&& other) noexcept;  ///< Postings under way go on; the other one is closed.
  Poster& operator=(Poster&& other) noexcept;  ///< Closes this one first, as the destructor does.
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;

  /// Hands over a posting. Waits while `capacity` postings are under way. Throws ConnectionError
  /// (SQLSTATE 08003) after close() or abandon(); what is wrong with the posting itself arrives
  /// through the future.
  std::future<TransactionId> submit(Posting posting);

  /// Debits one account and credits another.
  std::future<TransactionId> submit(std::string debit, std::string credit, const Amount& amount,
                                    PostOptions options = {});

  /// Waits until everything that was submitted before has its answer; it is sent without delay.
  void flush();

  /// Takes no more postings, and waits until everything has its answer. That ends: after a lost
  /// connection a posting is tried no longer than RetryPolicy says.
  void close();

  /// Takes no more postings and ends the connection. What waits fails with ConnectionError; so does
  /// what is under way, with outcome_unknown(). (It may still have to wait for a connection attempt to
  /// end: connect_timeout, 10 seconds when the connection string does not say.)
  void abandon();

  /// Postings that have no answer yet; for a moment also those whose future was just answered.
  std::size_t pending() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace ledgerflow::client
