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

// What a transaction did to each account.
Remainder whole_of(const StoredTransaction& transaction) {
  Remainder whole;
  for (const auto& entry : transaction.entries) whole[entry.account] += entry.amount;
  return whole;
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
  if (left == whole_of(original)) {
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

bool is_zero(const Remainder& remainder) {
  return std::all_of(remainder.begin(), remainder.end(),
                     [](const auto& entry) { return entry.second == 0; });
}

const char* status_of(const Remainder& left, const Remainder& whole) {
  if (is_zero(left)) return "reversed";
  return left == whole ? "posted" : "partly_reversed";
}

Remainder sums_of(const std::vector<Line>& lines) {
  Remainder sums;
  for (const Line& line : lines)
    if (!add_units(sums[line.account], line.amount))
      throw Error(
          Condition::balance_out_of_range,
          "the sum of the lines on account " + quoted(line.account->code) + " is too large");
  return sums;
}

[[noreturn]] void refuse_excess(const StoredTransaction& transaction, const Account& account,
                                Units left, Units amount) {
  throw Error(Condition::already_reversed,
              "more would be reversed than is left of transaction " + to_string(transaction.id),
              "Left on account " + quoted(account.code) + ": " + money(magnitude(left), account) +
                  ", to be reversed " + money(magnitude(amount), account) + ".");
}

// Every account's part of the reversal lies between nothing and what is left of the original.
void check_remainder(const StoredTransaction& original, const Remainder& left,
                     const std::vector<Line>& lines, bool own_lines) {
  const Remainder taken = sums_of(lines);
  for (const Line& line : lines) {
    const Account& account = *line.account;
    const auto known = left.find(&account);
    if (known == left.end())
      throw Error(Condition::reversal_mismatch, "transaction " + to_string(original.id) +
                                                    " has no line of account " +
                                                    quoted(account.code));
    const Units rest = known->second;
    const Units amount = taken.at(&account);
    // Lines of the caller's own must not cancel out: that would inflate what was turned over.
    const Units direction = own_lines ? line.amount : amount;
    if (direction == 0) continue;
    if (rest != 0 && (rest > 0) == (direction > 0))
      throw Error(Condition::reversal_mismatch,
                  "a line on account " + quoted(account.code) + " repeats transaction " +
                      to_string(original.id) + " instead of reversing it");
    if (rest == 0 || magnitude(amount) > magnitude(rest))
      refuse_excess(original, account, rest, direction);
  }
}

// A transaction that the original reverses, directly or not. The reversal of what restored it counts
// against it: what is left of it must stay between nothing and the whole.
struct Ancestor {
  StoredTransaction transaction;
  Remainder left = {};
};

std::vector<Ancestor> ancestors_of(Store& store, const StoredTransaction& original) {
  std::vector<Ancestor> ancestors;
  for (std::optional<TransactionId> id = original.reverses; id;
       id = ancestors.back().transaction.reverses)
    ancestors.push_back({store.load(*id)});
  return ancestors;
}

void reverse_in(Ancestor& ancestor, const std::vector<Line>& lines, const TransactionId& reversal,
                Journal& journal) {
  const StoredTransaction& transaction = ancestor.transaction;
  const Remainder whole = whole_of(transaction);
  const Remainder taken = sums_of(lines);
  Remainder after = ancestor.left;
  for (const auto& [account, amount] : taken) after[account] += amount;
  for (const Line& line : lines) {
    const Units rest = after[line.account];
    const bool turned = rest != 0 && (rest > 0) != (whole.at(line.account) > 0);
    if (turned || magnitude(rest) > magnitude(whole.at(line.account)))
      refuse_excess(transaction, *line.account, ancestor.left.at(line.account),
                    taken.at(line.account));
  }
  const std::string from = status_of(ancestor.left, whole);
  const char* to = status_of(after, whole);
  if (from == to) return;
  journal.changes.push_back({transaction.id, status_of(ancestor.left, whole), to,
                             "by transaction " + to_string(reversal)});
}

}  // namespace

TransactionId reverse(Store& store, const ReversalRequest& request) {
  check_texts(request.posting);
  const StoredTransaction original = store.load(request.transaction);
  std::vector<Ancestor> ancestors = ancestors_of(store, original);
  std::vector<const Account*> accounts = accounts_of(original.entries);
  for (const Ancestor& ancestor : ancestors)
    for (const Account* account : accounts_of(ancestor.transaction.entries))
      accounts.push_back(account);
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
  for (Ancestor& ancestor : ancestors) ancestor.left = remainder_of(store, ancestor.transaction.id);
  if (is_zero(left) && store.is_reversed(request.transaction))
    throw Error(Condition::already_reversed,
                "transaction " + to_string(request.transaction) + " is reversed already");
  if (request.amount && *request.amount <= 0)
    throw Error(Condition::invalid_amount, "amount must be positive");
  const std::vector<Line> lines = mirrored(original, left, request);
  throw_if(check_lines(lines.data(), lines.size()));
  check_remainder(original, left, lines, !request.lines.empty());
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
  if (posting.effective_at) journal.date(id, *posting.effective_at);
  const Remainder whole = whole_of(original);
  // One whose lines cancel out on every account leaves nothing either way.
  journal.changes.push_back({request.transaction,
                             is_zero(whole) ? "posted" : status_of(left, whole),
                             status_of(after, whole), "by transaction " + to_string(id)});
  for (Ancestor& ancestor : ancestors) reverse_in(ancestor, lines, id, journal);
  if (request.force)
    journal.changes.push_back({id, nullptr, "forced", "limits of the accounts were not held"});
  store.write(journal, books.rows());
  return id;
}

}  // namespace ledgerflow
