#include "ledgerflow/posting.hpp"

#include <utility>

#include "raise.hpp"

namespace ledgerflow::client {

namespace {

Line line(std::string account, const Amount& amount, bool is_debit) {
  if (!amount.is_positive())
    raise_refused(Condition::invalid_amount,
                  "invalid amount " + amount.to_string() + " of account \"" + account + "\"",
                  "debit() and credit() take a positive amount; they put the sign to it.");
  return {std::move(account), is_debit ? amount : -amount};
}

}  // namespace

Line debit(std::string account, const Amount& amount) {
  return line(std::move(account), amount, true);
}
Line credit(std::string account, const Amount& amount) {
  return line(std::move(account), amount, false);
}

}  // namespace ledgerflow::client
