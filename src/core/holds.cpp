#include "core/holds.hpp"

#include <algorithm>

#include "core/books.hpp"
#include "core/engine.hpp"
#include "core/rules.hpp"

namespace ledgerflow {

namespace {

constexpr std::int64_t micros_per_day = 86400LL * 1000000;
constexpr std::int64_t longest_hold = 36525 * micros_per_day;  // 100 years

Units magnitude(Units amount) { return amount > 0 ? amount : -amount; }

Hold found_hold(Store& store, const TransactionId& id) {
  std::optional<Hold> hold = store.find_hold(id);
  if (!hold) throw Error(Condition::hold_not_found, "hold " + to_string(id) + " does not exist");
  return std::move(*hold);
}

void check_pending(const Hold& hold, std::int64_t now, bool past_expiry_counts) {
  const std::string name = "hold " + to_string(hold.id);
  if (hold.status == HoldStatus::expired)
    throw Error(Condition::hold_expired, name + " has expired");
  if (hold.status != HoldStatus::pending)
    throw Error(Condition::hold_not_pending, name + " is " + to_string(hold.status) + " already");
  if (past_expiry_counts && hold.expires_at && *hold.expires_at <= now)
    throw Error(Condition::hold_expired, name + " has expired",
                "It was good until " + format_time(*hold.expires_at) + ".");
  // A posting that needed the room has taken back a line of it: it had expired then.
  for (const Hold::Line& line : hold.lines)
    if (line.released > 0) throw Error(Condition::hold_expired, name + " has expired");
}

// What is to be captured or added, line by line: by an amount on two lines, or by lines of its own.
std::vector<Units> spread(const Hold& hold, const std::optional<Units>& amount,
                          const std::vector<Line>& lines) {
  std::vector<Units> parts(hold.lines.size(), 0);
  if (amount && !lines.empty())
    throw Error(Condition::invalid_argument, "give an amount or lines, not both");
  if (amount) {
    if (hold.lines.size() != 2)
      throw Error(Condition::invalid_argument,
                  "hold " + to_string(hold.id) + " has " + std::to_string(hold.lines.size()) +
                      " lines: an amount does not tell how to divide it",
                  {}, "Give the lines.");
    if (*amount <= 0) throw Error(Condition::invalid_amount, "amount must be positive");
    parts.assign(2, *amount);
    return parts;
  }
  throw_if(check_lines(lines.data(), lines.size()));
  for (const Line& line : lines) {
    // Several lines of one account on one side: filled up in their order, the last takes the rest.
    Units rest = magnitude(line.amount);
    std::size_t last = hold.lines.size();
    for (std::size_t i = 0; i < hold.lines.size() && rest > 0; ++i) {
      const Hold::Line& held = hold.lines[i];
      if (held.account->id != line.account->id || (held.amount > 0) != (line.amount > 0)) continue;
      const Units taken = std::min(rest, std::max<Units>(held.left() - parts[i], 0));
      parts[i] += taken;
      rest -= taken;
      last = i;
    }
    if (last == hold.lines.size())
      throw Error(Condition::reversal_mismatch, "hold " + to_string(hold.id) + " has no " +
                                                    (line.amount > 0 ? "debit" : "credit") +
                                                    " of account " + quoted(line.account->code));
    if (!add_units(parts[last], rest))
      throw Error(
          Condition::balance_out_of_range,
          "the sum of the lines on account " + quoted(line.account->code) + " is too large");
  }
  return parts;
}

// Takes an amount of a line out of what is pending on its account.
void take(Books& books, Hold::Line& line, Units amount) {
  if (amount == 0) return;
  books.unreserve(*line.account, line.amount > 0, amount);
  line.changed = true;
}

void release_rest(Books& books, Hold& hold) {
  for (Hold::Line& line : hold.lines) {
    const Units left = line.left();
    take(books, line, left);
    line.released += left;
  }
}

bool nothing_left(const Hold& hold) {
  return std::all_of(hold.lines.begin(), hold.lines.end(),
                     [](const Hold::Line& line) { return line.left() == 0; });
}

// A hold with the locks of its accounts; read again under them.
struct LockedHold {
  LockedHold(Store& store, const TransactionId& id, std::vector<const Account*> more = {})
      : hold(found_hold(store, id)), books(store, with(accounts_of(hold.lines), std::move(more))) {
    hold = found_hold(store, id);
  }

  static std::vector<const Account*> with(std::vector<const Account*> accounts,
                                          std::vector<const Account*> more) {
    accounts.insert(accounts.end(), more.begin(), more.end());
    return accounts;
  }

  Hold hold;
  Books books;
};

void record(Journal& journal, const Hold& hold, HoldStatus from,
            std::optional<std::string> reason) {
  journal.changes.push_back({hold.id, to_string(from), to_string(hold.status), std::move(reason)});
}

std::string show_amount(const std::optional<Units>& amount, const Hold& hold) {
  return amount ? money(*amount, *hold.lines.front().account) : "none";
}

}  // namespace

std::string show_lines(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines)
    text +=
        (text.empty() ? "" : ", ") + line.account->code + " " + money(line.amount, *line.account);
  return text.empty() ? "none" : text;
}

void check_expiry(std::int64_t expires_at, std::int64_t now) {
  if (expires_at <= now)
    throw Error(Condition::invalid_expiry,
                "expiry " + format_time(expires_at) + " is not in the future");
  if (expires_at - now > longest_hold)
    throw Error(Condition::invalid_expiry,
                "expiry " + format_time(expires_at) + " is more than 100 years ahead");
}

TransactionId place_hold(Store& store, const HoldRequest& request) {
  const Posting& posting = request.posting;
  check_texts(posting);
  throw_if(check_lines(request.lines.data(), request.lines.size()));
  Books books(store, accounts_of(request.lines));
  Hold hold;
  hold.id = books.next_id();
  RequestFields fields = {{"operation", "hold"}, {"expiry", request.expiry_as_sent}};
  const bool transfer =
      request.lines.size() == 2 && request.lines[0].amount > 0 && request.lines[1].amount < 0;
  if (transfer) {
    fields.emplace_back("debit account", request.lines[0].account->code);
    fields.emplace_back("credit account", request.lines[1].account->code);
    fields.emplace_back("amount", money(request.lines[0].amount, *request.lines[0].account));
  } else {
    fields.emplace_back("lines", show_lines(request.lines));
  }
  add_texts(store, posting, fields);
  if (claim_key(store, posting.idempotency_key, fields, hold.id)) return hold.id;
  hold.expires_at = request.expires_at;
  if (hold.expires_at && request.sent_at && *hold.expires_at > *request.sent_at)
    *hold.expires_at += std::max<std::int64_t>(books.now() - *request.sent_at, 0);
  if (hold.expires_at) check_expiry(*hold.expires_at, books.now());
  if (posting.effective_at) check_period(store, *posting.effective_at);
  check_reference(store, posting, true);
  if (posting.expected_version)
    check_version(books.of(*request.lines[0].account), *posting.expected_version);
  Journal journal;
  books.reserve(journal, request.lines);
  hold.effective_at = posting.effective_at;
  for (const Line& line : request.lines)
    hold.lines.push_back({line.account, line.amount, 0, 0, false});
  journal.changes.push_back({hold.id, nullptr, to_string(HoldStatus::pending), std::nullopt});
  store.insert_hold(hold, posting);
  store.write(journal, books.rows());
  return hold.id;
}

TransactionId capture_hold(Store& store, const CaptureRequest& request) {
  check_texts(request.posting);
  LockedHold locked(store, request.hold);
  Hold& hold = locked.hold;
  Books& books = locked.books;
  Posting posting = request.posting;
  TransactionId id = books.next_id();
  RequestFields fields = {{"operation", "capture"},
                          {"hold", to_string(request.hold)},
                          {"amount", show_amount(request.amount, hold)},
                          {"lines", show_lines(request.lines)},
                          {"final", request.final ? "true" : "false"}};
  add_texts(store, posting, fields);
  if (claim_key(store, posting.idempotency_key, fields, id)) return id;

  check_pending(hold, books.now(), true);
  std::vector<Units> parts;
  if (request.amount || !request.lines.empty())
    parts = spread(hold, request.amount, request.lines);
  else
    for (const Hold::Line& line : hold.lines) parts.push_back(line.left());
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i] > hold.lines[i].left())
      throw Error(Condition::hold_amount_exceeded,
                  "more would be captured than is left of hold " + to_string(hold.id),
                  "Left " + money(hold.lines[i].left(), *hold.lines[i].account) + " on account " +
                      quoted(hold.lines[i].account->code) + ", to be captured " +
                      money(parts[i], *hold.lines[i].account) + ".");

  if (!posting.effective_at) posting.effective_at = hold.effective_at;
  if (posting.effective_at) check_period(store, *posting.effective_at);
  check_reference(store, posting, false);

  Journal journal;
  int number = 0;
  std::string captured;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Hold::Line& line = hold.lines[i];
    if (parts[i] == 0) continue;
    take(books, line, parts[i]);
    line.captured += parts[i];
    journal.entries.push_back(
        {id, ++number, line.account, line.amount > 0 ? parts[i] : -parts[i], 0});
    if (captured.empty()) captured = money(parts[i], *line.account);
  }
  if (request.final) release_rest(books, hold);
  // What was reserved was held against the limits then: capturing it breaks none.
  books.post(journal, 0, false);
  journal.transactions.push_back({id, time_of(id), &posting, std::nullopt, hold.id});
  if (posting.effective_at) journal.date(id, *posting.effective_at);
  hold.status = nothing_left(hold) ? HoldStatus::captured : HoldStatus::pending;
  record(journal, hold, HoldStatus::pending,
         "captured " + captured + " in transaction " + to_string(id));
  store.update_hold(hold);
  store.write(journal, books.rows());
  return id;
}

void release_hold(Store& store, const TransactionId& id, std::optional<std::string_view> reason,
                  std::optional<std::string_view> key) {
  Posting texts;
  texts.idempotency_key = key;
  texts.description = reason;
  check_texts(texts);
  LockedHold locked(store, id);
  TransactionId result = id;
  if (claim_key(store, key,
                {{"operation", "release"}, {"hold", to_string(id)}, {"reason", whole_text(reason)}},
                result))
    return;
  Hold& hold = locked.hold;
  if (hold.status != HoldStatus::pending) check_pending(hold, locked.books.now(), false);
  Journal journal;
  release_rest(locked.books, hold);
  hold.status = HoldStatus::released;
  record(journal, hold, HoldStatus::pending,
         reason ? std::optional<std::string>(std::string(*reason)) : std::nullopt);
  store.update_hold(hold);
  store.write(journal, locked.books.rows());
}

void raise_hold(Store& store, const TransactionId& id, std::optional<Units> amount,
                std::vector<Line> lines, std::optional<std::string_view> key) {
  Posting texts;
  texts.idempotency_key = key;
  check_texts(texts);
  LockedHold locked(store, id, accounts_of(lines));
  Hold& hold = locked.hold;
  TransactionId result = id;
  if (claim_key(store, key,
                {{"operation", "raise"},
                 {"hold", to_string(id)},
                 {"amount", show_amount(amount, hold)},
                 {"lines", show_lines(lines)}},
                result))
    return;
  check_pending(hold, locked.books.now(), true);
  const std::vector<Units> parts = spread(hold, amount, lines);
  std::vector<Line> added;
  std::string raised;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Hold::Line& line = hold.lines[i];
    if (parts[i] == 0) continue;
    const Units part = line.amount > 0 ? parts[i] : -parts[i];
    added.push_back({line.account, part});
    if (!add_units(line.amount, part))
      throw Error(Condition::balance_out_of_range, "hold " + to_string(id) + " would be too large");
    line.changed = true;
    if (raised.empty()) raised = money(parts[i], *line.account);
  }
  Journal journal;
  locked.books.reserve(journal, added);
  record(journal, hold, HoldStatus::pending, "raised by " + raised);
  store.update_hold(hold);
  store.write(journal, locked.books.rows());
}

std::size_t expire_holds(Store& store, std::size_t most) {
  const std::vector<TransactionId> ids = store.expired_holds(store.clock(), most);
  std::vector<const Account*> accounts;
  for (const TransactionId& id : ids)
    for (const Account* account : accounts_of(found_hold(store, id).lines))
      accounts.push_back(account);
  if (accounts.empty()) return 0;
  Books books(store, std::move(accounts));
  Journal journal;
  for (const TransactionId& id : ids) {
    Hold hold = found_hold(store, id);
    // Captured or released by somebody else in the meantime.
    if (hold.status != HoldStatus::pending || !hold.expires_at || *hold.expires_at > books.now())
      continue;
    release_rest(books, hold);
    hold.status = HoldStatus::expired;
    record(journal, hold, HoldStatus::pending, std::nullopt);
    store.update_hold(hold);
  }
  store.write(journal, books.rows());
  return journal.changes.size();
}

}  // namespace ledgerflow
