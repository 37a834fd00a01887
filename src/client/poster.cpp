#include "ledgerflow/poster.hpp"

#include <utility>

#include "poster_worker.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

Posting::Posting(std::string debit_account, std::string credit_account, const Amount& amount,
                 PostOptions more)
    : options(std::move(more)) {
  // These refuse an amount that is not positive: with its sign it would be another posting.
  lines.push_back(debit(std::move(debit_account), amount));
  lines.push_back(credit(std::move(credit_account), amount));
}

Posting::Posting(std::vector<Line> all_lines, PostOptions more)
    : lines(std::move(all_lines)), options(std::move(more)) {}

Poster::Poster(const std::string& connection_string, const PosterOptions& options)
    : worker_(std::make_unique<Worker>(connection_string, options)) {}

Poster::~Poster() = default;
Poster::Poster(Poster&& other) noexcept = default;
Poster& Poster::operator=(Poster&& other) noexcept = default;

std::future<TransactionId> Poster::submit(Posting posting) {
  if (worker_ == nullptr)
    throw ConnectionError(
        {sqlstate::connection_does_not_exist, "the poster was moved from", {}, {}}, false);
  return worker_->submit(std::move(posting));
}

std::future<TransactionId> Poster::submit(std::string debit, std::string credit,
                                          const Amount& amount, PostOptions options) {
  std::optional<Posting> posting;
  try {
    posting.emplace(std::move(debit), std::move(credit), amount, std::move(options));
  } catch (const Refused&) {
    std::promise<TransactionId> refused;
    refused.set_exception(std::current_exception());
    return refused.get_future();
  }
  return submit(std::move(*posting));
}

void Poster::flush() {
  if (worker_ != nullptr) worker_->flush();
}
void Poster::close() {
  if (worker_ != nullptr) worker_->close();
}
void Poster::abandon() {
  if (worker_ != nullptr) worker_->abandon();
}
std::size_t Poster::pending() const { return worker_ == nullptr ? 0 : worker_->pending(); }

}  // namespace ledgerflow::client
