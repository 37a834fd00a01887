#include "ledgerflow/client.hpp"

#include <utility>

#include "raise.hpp"
#include "session.hpp"

namespace ledgerflow::client {

namespace {

void add_ledger(Parameters& parameters, std::optional<std::string_view> ledger) {
  if (ledger)
    parameters.add_text(*ledger);
  else
    parameters.add_null();
}

// Before a posting's own arguments, in the order of the statements.
void add_options(Parameters& parameters, const PostOptions& options) {
  parameters.add_text(options.idempotency_key);
  parameters.add_text(options.reference);
  parameters.add_text(options.description);
  parameters.add_timestamp(options.effective_at);
  parameters.add_text(options.metadata);
  parameters.add_bigint(options.expected_version);
  parameters.add_text(options.ledger);
}

TransactionId post_pair(Session& session, Call call, std::string_view debit,
                        std::string_view credit, const Amount& amount, const PostOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  parameters.add_text(debit);
  parameters.add_text(credit);
  parameters.add_numeric(amount);
  return session.call_for_id(call, parameters);
}

Amount read_amount(Session& session, Call call, std::string_view account,
                   std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(account);
  add_ledger(parameters, ledger);
  return session.call_for_amount(call, parameters);
}

[[noreturn]] void raise_no_connection() {
  throw ConnectionError({sqlstate::connection_does_not_exist,
                         "the client has no connection: it was moved from",
                         {},
                         {}},
                        false);
}

}  // namespace

Client::Client(const std::string& connection_string)
    : session_(std::make_shared<Session>(connection_string)) {}

Client::~Client() = default;
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;

Session& Client::session() const {
  if (session_ == nullptr) raise_no_connection();
  return *session_;
}

TransactionId Client::post(std::string_view debit, std::string_view credit, const Amount& amount,
                           const PostOptions& options) {
  return post_pair(session(), Call::post, debit, credit, amount, options);
}

TransactionId Client::post(const std::vector<Line>& lines, const PostOptions& options) {
  Parameters parameters;
  add_options(parameters, options);
  parameters.add_accounts(lines);
  parameters.add_amounts(lines);
  return session().call_for_id(Call::post_lines, parameters);
}

TransactionId Client::post_transfer(std::string_view source, std::string_view destination,
                                    const Amount& amount, const PostOptions& options) {
  return post_pair(session(), Call::post_transfer, source, destination, amount, options);
}

Amount Client::balance(std::string_view account, std::optional<std::string_view> ledger) {
  return read_amount(session(), Call::balance, account, ledger);
}

Amount Client::available(std::string_view account, std::optional<std::string_view> ledger) {
  return read_amount(session(), Call::available, account, ledger);
}

bool Client::usable() const noexcept { return session_ != nullptr && session_->usable(); }

bool Client::in_transaction() const noexcept {
  if (session_ == nullptr) return false;
  const PGTransactionStatusType status = session_->transaction_status();
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

const std::string& Client::extension_version() const { return session().extension_version(); }
const std::string& Client::extension_schema() const { return session().extension_schema(); }

pg_conn* Client::native_handle() const noexcept {
  return session_ == nullptr ? nullptr : session_->connection();
}

}  // namespace ledgerflow::client
