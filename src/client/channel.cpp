#include "channel.hpp"

#include "key.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

Channel::Channel(std::string connection_string, const ClientOptions& options)
    : connection_string_(std::move(connection_string)),
      options_(options),
      session_(std::make_shared<Session>(connection_string_, options_.answer_timeout)) {}

std::optional<std::string> Channel::key_for(const std::optional<std::string>& given) const {
  if (given || !makes_keys()) return given;
  return new_key();
}

const std::shared_ptr<Session>& Channel::connected() {
  // Calls that belong to a transaction must not run outside it: it fails as a whole.
  if (session_->in_transaction() || session_->alive()) return session_;
  if (session_->backend().pid != 0) lost_ = session_->backend();
  if (!repeats()) {
    throw ConnectionError({sqlstate::connection_does_not_exist,
                           "the connection is gone, and the client is not to make another one",
                           {},
                           {}},
                          false);
  }
  session_ = std::make_shared<Session>(connection_string_, options_.answer_timeout, lost_);
  lost_ = {};
  return session_;
}

void throw_with_outcome_unknown(const Error& error) {
  throw ConnectionError({error.sqlstate(), error.message(), error.detail(), error.hint()}, true);
}

}  // namespace ledgerflow::client
