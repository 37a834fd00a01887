// The naive model: balances as integers, rules written down from the design, nothing of the engine.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "operations.hpp"

namespace ledgerflow::random_test {

__extension__ typedef __int128 Int;

class Model final : public Books {
 public:
  struct Currency {
    int scale = 0;
  };
  struct Type {
    bool debit_normal = false;
    Text min_balance, max_balance;
  };
  struct Account {
    std::string type, currency;
    int scale = 0;
    bool debit_normal = false;
    Text name, metadata;
    std::optional<Int> floor, ceiling;
    bool debits_frozen = false, credits_frozen = false, closed = false;
    Int debits = 0, credits = 0;
    std::int64_t version = 0;

    Int balance() const { return debit_normal ? debits - credits : credits - debits; }
  };

  Model();
  const char* name() const override { return "model"; }
  Result run(const Operation& operation) override;
  std::vector<std::string> state() override;

  // For the generator, which looks before it aims.
  const std::map<std::string, Account>& accounts() const { return accounts_; }
  const std::map<std::string, Currency>& currencies() const { return currencies_; }
  const std::map<std::string, Type>& types() const { return types_; }
  bool has_key(const std::string& key) const { return transactions_.count(key) != 0; }
  static std::string format(Int units, int scale);

 private:
  struct Refused {
    const char* condition;
  };
  using Lines = std::vector<std::pair<std::string, Int>>;
  struct Transaction {
    int number = 0;
    Lines lines;
    Options options;
  };

  Result act(const Open& open);
  Result act(const Transfer& transfer);
  Result act(const PostLines& post);
  Result act(const RawPost& post);
  Result act(const SetLimits& limits);
  Result act(const Freeze& freeze);
  Result act(const Unfreeze& unfreeze);
  Result act(const Close& close);
  Result act(const ReadBalance& read);
  Result act(const Tamper& tamper);
  Result act(Control control);

  Result post(const std::vector<LineText>& lines, const Options& options, bool amount_positive);
  void move(const Lines& lines);
  void check_ledger() const;
  Account& find(const Text& code);
  // The account, to be changed: what it was is recorded.
  Account& changing(const std::string& code);
  template <typename Container>
  void add(Container& container, const typename Container::value_type& value);
  static std::optional<Int> number(const Text& text, int scale);
  static Int amount(const Text& text, int scale);
  static std::optional<Int> limit(const Text& text, int scale);
  static void check_code(const Text& code);
  static void check_metadata(const Text& metadata);
  static void check_lines(const Lines& lines, const std::map<std::string, Account>& accounts);

  std::map<std::string, Currency> currencies_;
  std::map<std::string, Type> types_;
  std::map<std::string, Account> accounts_;
  std::map<std::string, Transaction> transactions_;  // by key
  std::set<std::string> references_;
  std::map<std::string, std::vector<std::pair<Int, Int>>> entries_;  // amount, net debit after it
  OpenTransactions open_;
  const Operation* operation_ = nullptr;
};

}  // namespace ledgerflow::random_test
