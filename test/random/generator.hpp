// Chooses what to do next: mostly what should work, much at the very limits, and bad input of all kinds.
#pragma once

#include <random>
#include <set>

#include "model.hpp"

namespace ledgerflow::random_test {

// Sessions take turns, but their transactions overlap. What an open transaction has touched (accounts,
// keys, references) is left to it until it ends: so nobody waits and every outcome is determined.
class Generator {
 public:
  Generator(std::uint64_t seed, const Model& model) : random_(seed), model_(model) {}

  Operation next();
  // What came of the operation.
  void note(const Operation& operation, const Result& result);
  // The operations that end what is still open.
  std::vector<Operation> finish();

 private:
  struct Session {
    bool open = false;
    bool failed = false;       // refused within a transaction: it must be rolled back
    bool has_settled = false;  // holds past their expiry: others still find them pending
    std::size_t depth = 0;
  };
  struct Request {  // a posting with a key, to be sent again
    Action action;
  };
  struct Choice {
    int weight;
    Action (Generator::*make)();
  };
  static const Choice choices[];

  Action control();
  Action open();
  Action reopen();
  Action transfer();
  Action lines();
  Action raw();
  Action retry();
  Action set_limits();
  Action freeze();
  Action unfreeze();
  Action close();
  Action reopen_account();
  Action hold();
  Action capture();
  Action release();
  Action raise();
  Action reverse();
  Action batch();
  Action maintain();
  Action period();
  Action read();
  Action tamper();
  Action bad_text();
  Action many_lines();

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <typename Container>
  const auto& any_of(const Container& container) {
    return *std::next(std::begin(container),
                      static_cast<std::ptrdiff_t>(below(std::size(container))));
  }

  bool is_free(const std::string& thing) const;
  // An account that this session may touch, of this currency if it is given.
  std::string account(const std::string& currency = "");
  Text any_code();  // now and then a bad one
  std::string currency();
  Int units(const std::string& debit, const std::string& credit);
  Text written(Int units, int scale);
  Text spoiled(const Text& amount, int scale);
  Text limit(const std::string& code, bool floor);
  bool others_are_closed() const;
  void alter(Action& action);
  PostBatch::Item batch_item();
  // A hold that this session may touch; now and then none at all. Mostly one that is pending.
  Text held();
  // Around so much.
  Int around(Int units);
  // A debit and a credit of one currency, each of its amount's sign and at most so large.
  std::vector<LineText> balanced_pair(const std::map<std::string, Int>& debits,
                                      const std::map<std::string, Int>& credits, bool grow);
  Options options(const std::string& first_account);
  std::vector<LineText> balanced_lines();
  std::vector<std::string> touched(const Action& action) const;

  std::mt19937_64 random_;
  const Model& model_;
  int number_ = 0;
  int session_ = 0;
  int names_ = 0;
  Session sessions_[session_count];
  bool period_is_due_ = false;  // as soon as all transactions have ended
  int alone_ = -1;  // the session whose transaction has changed a period: all others would wait
  std::vector<std::string> hold_names_, transaction_names_, reversal_names_;
  std::map<std::string, int> owners_;  // of accounts, keys and references, by open transaction
  std::vector<Request> requests_;
  std::vector<std::string> references_;
  std::map<std::string, Open> opened_;
};

}  // namespace ledgerflow::random_test
