// A program as users write it, built against the installed files alone: uses something of every header.
#include <ledgerflow/ledgerflow.hpp>

#include <iostream>

namespace lf = ledgerflow::client;

int main() {
  try {
    if (lf::Amount("1.50") + lf::Amount::from_minor_units(50, 2) != lf::Amount("2")) return 1;
    lf::Pool pool("", {});
    lf::Pool::Lease lease = pool.acquire();
    const std::string cash = "consumer:cash";
    const std::string sales = "consumer:sales";
    lease->open_account(cash, "asset", "USD");
    lease->open_account(sales, "income", "USD");
    const lf::TransactionId id =
        lf::Transaction::run(*lease, [&] { return lease->post(cash, sales, lf::Amount("2.00")); });
    lf::Poster poster;
    const lf::TransactionId other = poster.submit(cash, sales, lf::Amount("3.00")).get();
    try {
      lease->post(cash, cash, lf::Amount("1"));
      return 1;
    } catch (const lf::RefusedFor<lf::Condition::same_account>& refused) {
      if (refused.sqlstate() != "LF003") return 1;
    }
    for (const lf::Account& account : lease->accounts("consumer:"))
      std::cout << account.code << " " << account.balance << "\n";
    return id < other ? 0 : 1;
  } catch (const lf::Error& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
