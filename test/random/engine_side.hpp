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
  Result act(const ReadBalance& read);
  Result act(const Tamper& tamper);
  Result act(Control control);

  Result post_lines(const std::vector<LineText>& lines, const Options& options, bool is_transfer);
  void check_ledger() const;
  const Account& find(const Text& code) const;
  const Account& find_to_change(const Text& code) const;
  void change_freeze(const Text& code, const Text& direction, bool freeze);
  void step_clock();

  MemoryStore store_;
  OpenTransactions open_;
  std::map<std::string, Attributes> attributes_;
  std::map<TransactionId, std::string> made_by_;  // the number of the operation
  std::int64_t now_ = 1790000000LL * 1000000;
  const Operation* operation_ = nullptr;
};

}  // namespace ledgerflow::random_test
