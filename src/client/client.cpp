// Client: the connection. Its calls are in a file for each family: postings.cpp, holds.cpp,
// batches.cpp, accounts.cpp, ledgers.cpp, reports.cpp, queries.cpp.
#include "ledgerflow/client.hpp"

#include "channel.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

namespace {

[[noreturn]] void raise_no_connection() {
  throw ConnectionError({sqlstate::connection_does_not_exist,
                         "the client has no connection: it was moved from",
                         {},
                         {}},
                        false);
}

}  // namespace

Client::Client(const std::string& connection_string, const ClientOptions& options)
    : channel_(std::make_unique<Channel>(connection_string, options)) {}

Client::~Client() = default;
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;

Channel& Client::channel() const {
  if (channel_ == nullptr) raise_no_connection();
  return *channel_;
}

bool Client::usable() const noexcept {
  return channel_ != nullptr && channel_->session()->usable();
}

bool Client::in_transaction() const noexcept {
  return channel_ != nullptr && channel_->session()->usable() &&
         channel_->session()->in_transaction();
}

const std::string& Client::extension_version() const {
  return channel().session()->extension_version();
}
const std::string& Client::extension_schema() const {
  return channel().session()->extension_schema();
}

pg_conn* Client::native_handle() const noexcept {
  return channel_ == nullptr ? nullptr : channel_->session()->connection();
}

}  // namespace ledgerflow::client
