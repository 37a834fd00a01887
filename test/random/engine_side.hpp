// The engine over the store in memory, called the way the SQL functions call it.
#pragma once

#include "core/memory_store.hpp"
#include "operations.hpp"

namespace ledgerflow::random_test {

class EngineSide final : public Books {
 public:
  explicit EngineSide(std::uint64_t seed);
  const char* name() const override { return "engine"; }
  Result run(const Operation& operation) override;
  std::vector<std::string> state() override;
  const MemoryStore& store() const { return store_; }

 private:
  struct Attributes {  // of an account, that the engine has no use for
    Text name, metadata;
  };

  Result act(const Open& open);
  Result act(const Transfer& transfer);
  Result act(const PostLines& lines);
  Result act(const RawPost& raw);
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

  Result post_lines(const std::vector<LineText>& lines, const Options& options, bool is_transfer);
  std::vector<Line> read_lines(const std::vector<LineText>& texts) const;
  std::vector<Line> read_transfer(const Text& debit, const Text& credit, const Text& amount) const;
  // The amount of a request on a hold, in the currency of its first line.
  std::optional<Units> hold_amount(const TransactionId& hold, const Text& amount);
  TransactionId id_of(const Text& name, Condition missing) const;
  // The name of what has this id; a new one has this name from now on.
  std::string name_of_id(const TransactionId& id, const std::string& new_name);
  void check_ledger() const;
  const Account& find(const Text& code) const;
  const Account& find_to_change(const Text& code) const;
  void change_freeze(const Text& code, const Text& direction, bool freeze);
  void step_clock();

  MemoryStore store_;
  OpenTransactions open_;
  std::map<std::string, Attributes> attributes_;
  // Names and ids of transactions and holds.
  std::map<TransactionId, std::string> names_;
  std::map<std::string, TransactionId> ids_;
  std::int64_t now_ = 1790000000LL * 1000000;
  std::int64_t earliest_ = 0;  // the clock goes back no further: a hold has expired
  const Operation* operation_ = nullptr;
};

}  // namespace ledgerflow::random_test
