// From a journal's file to postings in a ledger: which accounts and currencies they need, exact lines that
// balance in every currency, and whether the balances that the file states are right.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/journal_file.hpp"

namespace ledgerflow::exchange {

// What is known outside of the file.
struct Known {
  std::unordered_map<std::string, int> scales;         // of the ledger's currencies
  std::unordered_map<std::string, std::string> codes;  // the caller's code for an account's name
  std::unordered_map<std::string, std::string> currencies;  // and for a commodity's
};

struct PlannedCurrency {
  std::size_t line = 0;  // where it first occurs
  std::string code;
  int scale = 0;
  std::optional<std::string> title;
  bool is_new = false;
};

struct PlannedAccount {
  std::size_t line = 0;
  std::string code;
  Index currency = 0;  // of the plan's currencies, which are numbered like the file's commodities
  bool is_new = false;
  const FileAccount* declared = nullptr;
  std::string type;  // of a new one
  std::optional<std::string> title;
};

struct PlannedLine {
  Index account = 0;
  Units amount = 0;
};

struct PlannedTransaction {
  const FileTransaction* source = nullptr;
  std::vector<PlannedLine> lines;
};

struct Plan {
  std::vector<PlannedCurrency> currencies;
  std::vector<PlannedAccount> accounts;
  std::vector<PlannedTransaction> transactions;
  std::size_t assertions = 0;
};

class Planner {
 public:
  // Balances every transaction; throws Error with the line that cannot be kept.
  Planner(File& file, const Known& known);

  // The codes by which accounts of the file could be known in the ledger.
  std::vector<std::string> candidate_codes() const;

  // `existing` tells the currency of those of them that are open.
  Plan plan(const std::unordered_map<std::string, std::string>& existing);

 private:
  struct Commodity {
    std::size_t line = 0;  // of its first amount; 0: it has none
    std::string code;
    int scale = -1;  // not known yet
    int decimals = 0;
    const FileCommodity* declared = nullptr;
  };
  // A part of a transaction: one line of the ledger, if it is not zero.
  struct Piece {
    Index pair = 0;  // of account and commodity
    Units units = 0;
    std::size_t posting = 0;
  };
  struct Pair {
    Index account = 0;
    Index commodity = 0;
    std::size_t line = 0;
  };
  struct Draft {
    const FileTransaction* source = nullptr;
    std::vector<Piece> pieces;
  };
  class Balancer;

  void note(const Amount& amount, bool counts_decimals, std::size_t line);
  void merge_commodities();
  std::string currency_code_of(Index commodity);
  void settle_commodity(Index commodity);
  Commodity& commodity(Index index);
  Index pair(Index account, Index commodity, std::size_t line);
  Units units_of(const Decimal& number, Index commodity, std::size_t line);
  Units worth_of(const Amount& amount, const Price& price, std::size_t line);

  std::string code_of(Index account, std::size_t line) const;
  std::string code_of(const Pair& pair, bool is_only,
                      const std::unordered_map<std::string, std::string>& existing) const;
  std::string type_of(Index account, std::size_t line) const;
  void add_idle_accounts();
  void check_assertions(Plan& plan);
  void check_assertion(const Assertion& assertion, const std::vector<Units>& balances,
                       const std::vector<Index>& by_name);
  std::string own_account(std::string_view name) const;

  File& file_;
  const Known& known_;
  std::vector<Commodity> commodities_;
  std::unordered_map<std::string, Index> by_code_;  // of commodities with one code the first
  std::unordered_map<Index, const FileAccount*> declared_;
  std::vector<Pair> pairs_;
  std::unordered_map<std::uint64_t, Index> pair_indexes_;
  std::vector<Draft> drafts_;
};

}  // namespace ledgerflow::exchange
