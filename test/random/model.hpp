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
    Int pending_debits = 0, pending_credits = 0;
    std::int64_t version = 0;

    Int balance() const { return debit_normal ? debits - credits : credits - debits; }
    // What may go: less what is reserved to go. What may come: more what is reserved to come.
    Int available() const { return balance() - (debit_normal ? pending_credits : pending_debits); }
    Int committed() const { return balance() + (debit_normal ? pending_debits : pending_credits); }
    bool is_empty() const { return balance() == 0 && pending_debits == 0 && pending_credits == 0; }
  };
  struct HoldLine {
    std::string account;
    Int amount = 0;  // debit positive
    Int captured = 0, released = 0;

    Int left() const { return (amount < 0 ? -amount : amount) - captured - released; }
  };
  struct Hold {
    std::vector<HoldLine> lines;
    std::string status = "pending";
    bool is_over = false;  // past its expiry from the next operation on
    std::optional<std::int64_t> effective_at;
  };
  using Lines = std::vector<std::pair<std::string, Int>>;
  struct Transaction {
    Lines lines;
    std::string reverses;                      // empty: none
    std::optional<std::int64_t> effective_at;  // as it was named
  };

  Model();
  const char* name() const override { return "model"; }
  Result run(const Operation& operation) override;
  std::vector<std::string> state() override;

  // For the generator, which looks before it aims.
  const std::map<std::string, Account>& accounts() const { return accounts_; }
  const std::map<std::string, Currency>& currencies() const { return currencies_; }
  const std::map<std::string, Type>& types() const { return types_; }
  bool has_key(const std::string& key) const { return requests_.count(key) != 0; }
  const std::map<std::string, Hold>& holds() const { return holds_; }
  const std::map<std::string, Transaction>& transactions() const { return transactions_; }
  // What a transaction still does to each account after its reversals, and theirs.
  std::map<std::string, Int> left_of(const std::string& transaction) const;
  const std::optional<std::int64_t>& closed_through() const { return closed_through_; }
  static std::string format(Int units, int scale);

 private:
  struct Refused {
    const char* condition;
  };
  struct Request {  // that had a key
    std::string content;
    std::string made;  // the name of what it made
  };

  Result act(const Open& open);
  Result act(const Transfer& transfer);
  Result act(const PostLines& post);
  Result act(const RawPost& post);
  Result act(const SetLimits& limits);
  Result act(const Freeze& freeze);
  Result act(const Unfreeze& unfreeze);
  Result act(const Close& close);
  Result act(const ReopenAccount& reopen);
  Result act(const PlaceHold& place);
  Result act(const Capture& capture);
  Result act(const Release& release);
  Result act(const Raise& raise);
  Result act(const Reverse& reverse);
  Result act(const PostBatch& batch);
  Result act(const ClosePeriod& close);
  Result act(const ReopenPeriod& reopen);
  Result act(const Maintain& maintain);
  Result act(const ReadBalance& read);
  Result act(const Tamper& tamper);
  Result act(Control control);

  Result post(const std::vector<LineText>& lines, const Options& options, bool is_transfer);
  void post_new(const Lines& lines, const Options& options, const std::string& name);
  // Debits and credits the accounts, or reserves that they will be.
  void move(const Lines& lines, bool reserve = false, bool hold_limits = true);
  void enter(const Lines& lines, const std::string& name,
             const std::optional<std::int64_t>& effective_at, const std::string& reverses = "");
  // Takes from what is pending.
  void unreserve(const std::string& hold, std::size_t line, Int amount);
  void give_back(const std::string& hold, std::size_t line);
  void give_back_expired(const std::string& account);
  void change_status(const std::string& hold, const std::string& status);
  void note_change(const std::string& name, const std::string& from, const std::string& to);
  void take_back(std::size_t start);
  Lines read_lines(const std::vector<LineText>& lines);
  Lines read_transfer(const Text& debit, const Text& credit, const Text& amount);
  Hold& held(const Text& hold);
  static void check_pending(const Hold& hold);
  std::vector<Int> divided(const Hold& hold, const std::optional<Int>& amount, const Lines& lines);
  // True when the key was used by the same request: then `made` is what it made.
  bool is_known(const Text& key, const std::string& content, std::string& made) const;
  void keep_key(const Text& key, const std::string& content, const std::string& made);
  void check_period(const std::optional<std::int64_t>& effective_at) const;
  static void check_options(const Options& options);
  static void check_texts(const Options& options);
  static std::string content_of(const Lines& lines);
  static std::string content_of(const Options& options);
  static std::string status_of(const std::map<std::string, Int>& left,
                               const std::map<std::string, Int>& whole);
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
  std::map<std::string, Transaction> transactions_;  // by name
  std::map<std::string, Hold> holds_;                // by name
  std::map<std::string, Request> requests_;          // by key
  std::map<std::string, std::vector<std::string>> history_;
  std::set<std::string> references_, hold_references_;
  std::optional<std::int64_t> closed_through_;
  // Lines given back since a batch last looked: they stay so whatever it refuses.
  std::vector<std::pair<std::string, std::size_t>> given_back_;
  std::map<std::string, std::vector<std::pair<Int, Int>>> entries_;  // amount, net debit after it
  OpenTransactions open_;
  const Operation* operation_ = nullptr;
};

}  // namespace ledgerflow::random_test
