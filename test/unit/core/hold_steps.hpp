// Holds and reversals as tests ask for them: each call all or nothing, like a call of the SQL function.
#pragma once

#include "core/holds.hpp"
#include "core/reversal.hpp"
#include "ledger_test.hpp"

namespace ledgerflow::testing {

class HoldSteps : public LedgerTest {
 protected:
  TransactionId hold(const HoldRequest& request) {
    return store.atomically([&] { return place_hold(store, request); });
  }
  TransactionId hold(const std::vector<Line>& lines,
                     std::optional<std::int64_t> expires_at = std::nullopt) {
    HoldRequest request;
    request.lines = lines;
    request.expires_at = expires_at;
    return hold(request);
  }
  TransactionId hold(const Account& debit, const Account& credit, Units amount,
                     std::optional<std::int64_t> expires_at = std::nullopt) {
    return hold(pair(debit, credit, amount), expires_at);
  }
  static CaptureRequest part(const TransactionId& id, std::optional<Units> amount = std::nullopt,
                             bool final = true, const std::vector<Line>& lines = {}) {
    CaptureRequest request;
    request.hold = id;
    request.amount = amount;
    request.final = final;
    request.lines = lines;
    return request;
  }
  TransactionId capture(const CaptureRequest& request) {
    return store.atomically([&] { return capture_hold(store, request); });
  }
  TransactionId capture(const TransactionId& id, std::optional<Units> amount = std::nullopt,
                        bool final = true) {
    return capture(part(id, amount, final));
  }
  void release(const TransactionId& id, std::optional<std::string_view> reason = std::nullopt,
               std::optional<std::string_view> key = std::nullopt) {
    store.atomically([&] { release_hold(store, id, reason, key); });
  }
  void raise(const TransactionId& id, std::optional<Units> amount,
             const std::vector<Line>& lines = {},
             std::optional<std::string_view> key = std::nullopt) {
    store.atomically([&] { raise_hold(store, id, amount, lines, key); });
  }
  std::size_t expire(std::size_t most = 1000) {
    return store.atomically([&] { return expire_holds(store, most); });
  }
  TransactionId reverse(const ReversalRequest& request) {
    return store.atomically([&] { return ledgerflow::reverse(store, request); });
  }

  std::string status(const TransactionId& id) const {
    return to_string(store.holds().at(id).hold.status);
  }
  // "from>to" of every change of a transaction or hold.
  std::string history(const TransactionId& id) const {
    std::string text;
    for (const auto& [number, change] : store.changes())
      if (change.id == id)
        text += (text.empty() ? "" : " ") + change.from.value_or("") + ">" + change.to;
    return text;
  }
  bool pending(const Account& account, Units debits, Units credits) const {
    return of(account).debits_pending == debits && of(account).credits_pending == credits;
  }
  bool posted(const Account& account, Units balance) const {
    return posted_balance(of(account)) == balance;
  }
};

}  // namespace ledgerflow::testing
