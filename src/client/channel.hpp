// Runs a client's calls on its session: repeats what may be repeated, and replaces a session that
// broke.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "attempts.hpp"
#include "ledgerflow/client.hpp"
#include "ledgerflow/error.hpp"
#include "session.hpp"

namespace ledgerflow::client {

// Whether a call may be repeated when nobody can know whether it was carried out.
enum class Repeat : bool { no, yes };

class Channel {
 public:
  Channel(std::string connection_string, const ClientOptions& options);

  Result run(const Statement& statement, const Parameters& parameters, Repeat repeat) {
    return attempt(repeat, [&](Session& session) { return session.run(statement, parameters); });
  }

  // The caller's idempotency key, or one of the library's where a call can be repeated under it.
  std::optional<std::string> key_for(const std::optional<std::string>& given) const;

  // Whether the library makes keys where the caller gave none.
  bool makes_keys() const { return repeats() && !session_->in_transaction(); }

  // A session that is open: the one there is, or a new one in place of one that broke.
  const std::shared_ptr<Session>& connected();

  const std::shared_ptr<Session>& session() const { return session_; }
  const RetryPolicy& policy() const { return options_.retry; }
  bool repeats() const { return options_.retry.attempts > 1; }

  // Runs `call(session)`, as often as it takes.
  template <typename Call>
  std::invoke_result_t<Call&, Session&> attempt(Repeat repeat, Call&& call);

 private:
  std::string connection_string_;
  ClientOptions options_;
  std::shared_ptr<Session> session_;
  Backend lost_;  // the process behind the session that broke last
};

// The same error, when an attempt before has left the outcome open.
[[noreturn]] void throw_with_outcome_unknown(const Error& error);

template <typename Call>
std::invoke_result_t<Call&, Session&> Channel::attempt(Repeat repeat, Call&& call) {
  Attempts attempts(options_.retry);
  bool unknown = false;  // an attempt may have been carried out
  for (;;) {
    const bool alone = !session_->in_transaction();
    try {
      return call(*connected());
    } catch (const TransactionConflict&) {
      if (!alone || !repeats() || !attempts.pause()) throw;
    } catch (const ConnectionError& error) {
      unknown = unknown || error.outcome_unknown();
      const bool may_repeat = alone && repeats() && (!unknown || repeat == Repeat::yes);
      if (!may_repeat || !attempts.pause()) {
        if (unknown && !error.outcome_unknown()) throw_with_outcome_unknown(error);
        throw;
      }
    }
  }
}

}  // namespace ledgerflow::client
