#include "core/reversal.hpp"

#include <algorithm>
#include <map>

#include "core/books.hpp"
#include "core/holds.hpp"
#include "core/rules.hpp"

namespace ledgerflow {

namespace {

using Remainder = std::map<const Account*, Units>;

// What the transaction still does to each account, after its reversals and theirs.
Remainder remainder_of(Store& store, const TransactionId& id) {
  Remainder left;
  for (const StoredTransaction::Entry& entry : store.unreversed(id))
    left[entry.account] += entry.amount;
  return left;
}

Units magnitude(Units amount) { return amount > 0 ? amount : -amount; }

// The lines to post: the mirror of what is left, or the part that was asked for.
std::vector<Line> mirrored(const StoredTransaction& original, const Remainder& left,
                           const ReversalRequest& request) {
  std::vector<Line> lines;
  if (!request.lines.empty()) {
    if (request.amount)
      throw Error(Condition::invalid_argument, "give an amount or lines, not both");
    return request.lines;
  }
  if (request.amount) {
    if (original.entries.size() != 2)
      throw Error(Condition::invalid_argument,
                  "transaction " + to_string(original.id) + " has " +
                      std::to_string(original.entries.size()) +
                      " lines: an amount does not tell how to divide it",
                  {}, "Give the lines.");
    for (const auto& entry : original.entries)
      lines.push_back({entry.account, entry.amount > 0 ? -*request.amount : *request.amount});
    return lines;
  }
  // Nothing reversed yet: line by line, also where one account stands on both sides.
  Remainder whole;
  for (const auto& entry : original.entries) whole[entry.account] += entry.amount;
  if (left == whole) {
    for (const auto& entry : original.entries) lines.push_back({entry.account, -entry.amount});
    return lines;
  }
  for (const auto& entry : original.entries) {
    const auto rest = left.find(entry.account);
    const bool known = std::any_of(lines.begin(), lines.end(),
                                   [&](const Line& line) { return line.account == entry.account; });
    if (rest != left.end() && rest->second != 0 && !known)
      lines.push_back({entry.account, -rest->second});
  }
  return lines;
}

// Every account's part of the reversal lies between nothing and what is left of the original.
void check_remainder(const StoredTransaction& original, const Remainder& left,
                     const std::vector<Line>& lines) {
  Remainder taken;
  for (const Line& line : lines) taken[line.account] += line.amount;
  for (const auto& [account, amount] : taken) {
    if (left.find(account) == left.end())
      throw Error(Condition::reversal_mismatch, "transaction " + to_string(original.id) +
                                                    " has no line of account " +
                                                    quoted(account->code));
    const Units rest = left.at(account);
    if (amount == 0) continue;
    if (rest != 0 && (rest > 0) == (amount > 0))
      throw Error(Condition::reversal_mismatch,
                  "a line on account " + quoted(account->code) + " repeats transaction " +
                      to_string(original.id) + " instead of reversing it");
    if (magnitude(amount) > magnitude(rest))
      throw Error(Condition::already_reversed,
                  "more would be reversed than is left of transaction " + to_string(original.id),
                  "Left on account " + quoted(account->code) + ": " +
                      money(magnitude(rest), *account) + ", to be reversed " +
                      money(magnitude(amount), *account) + ".");
  }
}

}  // namespace

TransactionId reverse(Store& store, const ReversalRequest& request) {
  check_texts(request.posting);
  const StoredTransaction original = store.load(request.transaction);
  std::vector<const Account*> accounts = accounts_of(original.entries);
  for (const Account* account : accounts_of(request.lines)) accounts.push_back(account);
  Books books(store, std::move(accounts));
  const Posting& posting = request.posting;
  TransactionId id = books.next_id();
  RequestFields fields = {
      {"operation", "reverse"},
      {"transaction", to_string(request.transaction)},
      {"amount",
       request.amount ? money(*request.amount, *original.entries.front().account) : "none"},
      {"lines", show_lines(request.lines)},
      {"force", request.force ? "true" : "false"}};
  add_texts(store, posting, fields);
  if (claim_key(store, posting.idempotency_key, fields, id)) return id;

  // Read under the locks: another reversal of the same money has to take them too.
  const Remainder left = remainder_of(store, request.transaction);
  if (std::all_of(left.begin(), left.end(), [](const auto& entry) { return entry.second == 0; }) &&
      store.is_reversed(request.transaction))
    throw Error(Condition::already_reversed,
                "transaction " + to_string(request.transaction) + " is reversed already");
  if (request.amount && *request.amount <= 0)
    throw Error(Condition::invalid_amount, "amount must be positive");
  const std::vector<Line> lines = mirrored(original, left, request);
  throw_if(check_lines(lines.data(), lines.size()));
  check_remainder(original, left, lines);
  if (posting.effective_at) check_period(store, *posting.effective_at);
  check_reference(store, posting, false);

  Journal journal;
  int number = 0;
  Remainder after = left;
  for (const Line& line : lines) {
    journal.entries.push_back({id, ++number, line.account, line.amount, 0});
    after[line.account] += line.amount;
  }
  books.post(journal, 0, !request.force);
  journal.transactions.push_back({id, time_of(id), &posting, request.transaction, std::nullopt});
  const bool whole =
      std::all_of(after.begin(), after.end(), [](const auto& entry) { return entry.second == 0; });
  journal.changes.push_back({request.transaction, "posted", whole ? "reversed" : "partly_reversed",
                             "by transaction " + to_string(id)});
  if (request.force)
    journal.changes.push_back({id, nullptr, "forced", "limits of the accounts were not held"});
  store.write(journal, books.rows());
  return id;
}

}  // namespace ledgerflow
