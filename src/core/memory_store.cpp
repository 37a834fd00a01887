#include "core/memory_store.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/rules.hpp"

namespace ledgerflow {

namespace {

// The engine asked for what cannot be: a fault of the program, not a refusal.
[[noreturn]] void broken(const std::string& what) {
  throw std::logic_error("memory store: " + what);
}

std::optional<std::string> copied(const std::optional<std::string_view>& text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

std::string shown(const std::optional<std::string>& text) { return text ? quoted(*text) : "none"; }
std::string shown(const std::optional<TransactionId>& id) { return id ? to_string(*id) : "none"; }

}  // namespace

const Account& MemoryStore::open_account(std::string_view code, std::string_view type,
                                         Side normal_side, std::string_view currency, int scale) {
  if (codes_.find(code) != codes_.end()) broken("account " + quoted(code) + " is there already");
  auto account = std::make_unique<Account>();
  account->id = ++last_account_id_;
  account->scale = scale;
  account->normal_side = normal_side;
  account->code = code;
  account->type = type;
  account->currency = currency;
  const Account& opened = *account;
  codes_.emplace(opened.code, &opened);
  balances_[opened.id].account = &opened;
  accounts_.emplace(opened.id, std::move(account));
  undo_->push_back([this, id = opened.id] {
    codes_.erase(accounts_.at(id)->code);
    balances_.erase(id);
    accounts_.erase(id);
  });
  return opened;
}

const Account* MemoryStore::find_account(std::string_view code) const {
  const auto found = codes_.find(code);
  return found == codes_.end() ? nullptr : found->second;
}

void MemoryStore::set_limits(const Account& account, std::optional<Units> min_balance,
                             std::optional<Units> max_balance) {
  Balance changed = balance(account);
  changed.min_balance = min_balance;
  changed.max_balance = max_balance;
  put_balance(changed);
}

void MemoryStore::set_status(const Account& account, Status status) {
  Balance changed = balance(account);
  changed.status = status;
  put_balance(changed);
}

void MemoryStore::set_closed_through(std::optional<std::int64_t> unix_micros) {
  undo_->push_back([this, before = closed_through_] { closed_through_ = before; });
  closed_through_ = unix_micros;
}

void MemoryStore::insert_raw(const TransactionId& id, Header header,
                             const std::vector<RawEntry>& entries) {
  insert_transaction(id, std::move(header));
  for (const RawEntry& entry : entries)
    insert_entry({entry.transaction, entry.line}, {entry.account->id, entry.amount, 0});
}

void MemoryStore::roll_back(UndoLog& log, std::size_t keep) {
  for (; log.size() > keep; log.pop_back()) log.back()();
}

std::string MemoryStore::dump() const {
  std::string text;
  for (const auto& [id, balance] : balances_) {
    const Account& account = *balance.account;
    const auto limit = [&](const std::optional<Units>& units) {
      return units ? format_units(*units, account.scale) : std::string("none");
    };
    text += "account " + std::to_string(id) + " " + account.code + " " + account.type + " " +
            account.currency + " " + to_string(balance.status) + " version " +
            std::to_string(balance.version) + " last " +
            (balance.last_transaction ? to_string(*balance.last_transaction) : "none") +
            " posted " + format_units(balance.debits_posted, account.scale) + " " +
            format_units(balance.credits_posted, account.scale) + " pending " +
            format_units(balance.debits_pending, account.scale) + " " +
            format_units(balance.credits_pending, account.scale) + " limits " +
            limit(balance.min_balance) + " " + limit(balance.max_balance) + "\n";
  }
  for (const auto& [id, header] : transactions_)
    text += "transaction " + to_string(id) + " " + format_time(header.posted_at) + " " +
            format_time(header.effective_at) + " " + shown(header.reference) + " " +
            shown(header.description) + " " + shown(header.metadata) + " reverses " +
            shown(header.reverses) + " hold " + shown(header.hold) + "\n";
  for (const auto& [key, entry] : entries_)
    text += "entry " + to_string(key.first) + " " + std::to_string(key.second) + " " +
            std::to_string(entry.account_id) + " " + format_units(entry.amount, 0) + " " +
            format_units(entry.balance_after, 0) + "\n";
  for (const auto& [id, row] : holds_) {
    text += "hold " + to_string(id) + " " + to_string(row.hold.status) + " expires " +
            (row.hold.expires_at ? format_time(*row.hold.expires_at) : "never") + " effective " +
            (row.hold.effective_at ? format_time(*row.hold.effective_at) : "none") + " " +
            shown(row.reference) + " " + shown(row.description) + " " + shown(row.metadata) + "\n";
    for (const Hold::Line& line : row.hold.lines)
      text += "  " + line.account->code + " " + format_units(line.amount, 0) + " captured " +
              format_units(line.captured, 0) + " released " + format_units(line.released, 0) + "\n";
  }
  for (const auto& [number, change] : changes_)
    text += "change " + to_string(change.id) + " " + change.from.value_or("none") + " to " +
            change.to + " " + shown(change.reason) + "\n";
  for (const auto& [key, row] : keys_) {
    text += "key " + quoted(key) + " " + to_string(row.id);
    for (const auto& [field, value] : row.request) text += ", " + field + " " + value;
    text += "\n";
  }
  for (const auto& [reference, id] : references_)
    text += "reference " + quoted(reference) + " " + to_string(id) + "\n";
  for (const auto& [reference, id] : hold_references_)
    text += "hold's reference " + quoted(reference) + " " + to_string(id) + "\n";
  text += "closed through " + (closed_through_ ? format_time(*closed_through_) : "none") + "\n";
  return text;
}

std::uint64_t MemoryStore::random() {
  // SplitMix64 (Steele, Lea and Flood, 2014).
  random_state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = random_state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

void MemoryStore::lock_balances(std::vector<Balance>& balances) {
  std::int64_t last = 0;
  for (Balance& balance : balances) {
    if (balance.account->id <= last) broken("accounts are locked out of order");
    last = balance.account->id;
    balance = balances_.at(last);
    balance.found_version = balance.version;
  }
}

void MemoryStore::claim_keys(std::vector<KeyClaim>& claims) {
  for (KeyClaim& claim : claims) {
    const KeyRow row{claim.id, claim.request != nullptr ? *claim.request : RequestFields{}};
    const auto [place, is_new] = keys_.emplace(std::string(claim.key), row);
    if (is_new) {
      undo_->push_back([this, key = place->first] { keys_.erase(key); });
    } else {
      claim.taken_by = place->second.id;
      claim.stored = place->second.request;
    }
  }
}

void MemoryStore::drop_keys(const std::vector<std::string_view>& keys) {
  for (const std::string_view key : keys) {
    const auto place = keys_.find(key);
    if (place == keys_.end()) broken("key " + quoted(key) + " was not claimed");
    undo_->push_back([this, row = *place] { keys_.insert(row); });
    keys_.erase(place);
  }
}

void MemoryStore::find_references(std::vector<ReferenceUse>& uses, bool holds) {
  const auto& references = holds ? hold_references_ : references_;
  for (ReferenceUse& use : uses) {
    const auto found = references.find(use.reference);
    if (found != references.end()) use.taken_by = found->second;
  }
}

StoredTransaction MemoryStore::load(const TransactionId& id) {
  const auto found = transactions_.find(id);
  if (found == transactions_.end())
    throw Error(Condition::transaction_not_found,
                "transaction " + to_string(id) + " does not exist");
  const Header& header = found->second;
  StoredTransaction stored{
      id, header.effective_at, header.reference, header.description, header.metadata,
      {}, header.reverses};
  for (auto entry = entries_.lower_bound({id, 0});
       entry != entries_.end() && entry->first.first == id; ++entry)
    stored.entries.push_back({&account(entry->second.account_id), entry->second.amount});
  return stored;
}

std::vector<StoredTransaction::Entry> MemoryStore::unreversed(const TransactionId& id) {
  std::map<std::int64_t, Units> left;
  std::vector<TransactionId> tree{id};
  while (!tree.empty()) {
    const TransactionId next = tree.back();
    tree.pop_back();
    for (auto entry = entries_.lower_bound({next, 0});
         entry != entries_.end() && entry->first.first == next; ++entry)
      left[entry->second.account_id] += entry->second.amount;
    const auto reversals = reversals_.find(next);
    if (reversals != reversals_.end())
      tree.insert(tree.end(), reversals->second.begin(), reversals->second.end());
  }
  std::vector<StoredTransaction::Entry> entries;
  for (const auto& [account_id, amount] : left) entries.push_back({&account(account_id), amount});
  return entries;
}

bool MemoryStore::is_reversed(const TransactionId& id) {
  const auto reversals = reversals_.find(id);
  return reversals != reversals_.end() && !reversals->second.empty();
}

std::optional<Hold> MemoryStore::find_hold(const TransactionId& id) {
  const auto found = holds_.find(id);
  if (found == holds_.end()) return std::nullopt;
  return found->second.hold;
}

std::vector<ExpiredLine> MemoryStore::expired_lines(const Account& account, std::int64_t now) {
  std::vector<ExpiredLine> expired;
  for (const auto& [id, row] : holds_) {
    if (!row.hold.expires_at || *row.hold.expires_at > now) continue;
    for (std::size_t i = 0; i < row.hold.lines.size(); ++i) {
      const Hold::Line& line = row.hold.lines[i];
      if (line.account == &account && line.left() > 0)
        expired.push_back({id, static_cast<int>(i) + 1, account.scale, line.amount, line.left()});
    }
  }
  return expired;
}

std::vector<TransactionId> MemoryStore::expired_holds(std::int64_t now, std::size_t most) {
  std::vector<std::pair<std::int64_t, TransactionId>> expired;
  for (const auto& [id, row] : holds_)
    if (row.hold.status == HoldStatus::pending && row.hold.expires_at &&
        *row.hold.expires_at <= now)
      expired.emplace_back(*row.hold.expires_at, id);
  std::sort(expired.begin(), expired.end());
  std::vector<TransactionId> ids;
  for (const auto& [expires_at, id] : expired)
    if (ids.size() < most) ids.push_back(id);
  return ids;
}

void MemoryStore::insert_hold(const Hold& hold, const Posting& posting) {
  if (posting.reference) {
    if (!hold_references_.emplace(*posting.reference, hold.id).second)
      broken("reference " + quoted(*posting.reference) + " is used by two holds");
    undo_->push_back(
        [this, reference = std::string(*posting.reference)] { hold_references_.erase(reference); });
  }
  if (!holds_
           .emplace(hold.id, HoldRow{hold, copied(posting.reference), copied(posting.description),
                                     copied(posting.metadata)})
           .second)
    broken("hold " + to_string(hold.id) + " is there already");
  undo_->push_back([this, id = hold.id] { holds_.erase(id); });
}

void MemoryStore::update_hold(const Hold& hold) {
  Hold& row = holds_.at(hold.id).hold;
  undo_->push_back(
      [this, id = hold.id, before = row.status] { holds_.at(id).hold.status = before; });
  row.status = hold.status;
  for (std::size_t i = 0; i < hold.lines.size(); ++i)
    if (hold.lines[i].changed) put_line(hold.id, i, hold.lines[i]);
}

// Line by line: open transactions may give back different lines of one hold.
void MemoryStore::put_line(const TransactionId& hold, std::size_t line, const Hold::Line& changed) {
  Hold::Line& row = holds_.at(hold).hold.lines.at(line);
  undo_->push_back(
      [this, hold, line, before = row] { holds_.at(hold).hold.lines.at(line) = before; });
  row = changed;
  row.changed = false;
}

void MemoryStore::release_expired(const std::vector<ExpiredLine>& lines) {
  for (const ExpiredLine& expired : lines) {
    const auto number = static_cast<std::size_t>(expired.line - 1);
    Hold::Line line = holds_.at(expired.hold).hold.lines.at(number);
    line.released += expired.left;
    put_line(expired.hold, number, line);
  }
}

void MemoryStore::add_changes(const std::vector<StatusChange>& changes) {
  for (const StatusChange& change : changes) {
    const std::uint64_t number = ++last_change_;
    changes_.emplace(number, Change{change.id,
                                    change.from != nullptr ? std::optional<std::string>(change.from)
                                                           : std::nullopt,
                                    change.to, change.reason});
    undo_->push_back([this, number] { changes_.erase(number); });
  }
}

void MemoryStore::write(const Journal& journal, const std::vector<Balance>& balances) {
  for (const Journal::Transaction& transaction : journal.transactions) {
    const Posting& posting = *transaction.posting;
    insert_transaction(transaction.id,
                       {transaction.posted_at, posting.effective_at.value_or(transaction.posted_at),
                        copied(posting.reference), copied(posting.description),
                        copied(posting.metadata), transaction.reverses, transaction.hold});
  }
  for (const Journal::Entry& entry : journal.entries)
    insert_entry({entry.transaction, entry.line},
                 {entry.account->id, entry.amount, entry.balance_after});
  for (const Balance& balance : balances)
    if (balance.changed) put_balance(balance);
  write_effective(journal);
  release_expired(journal.expired);
  add_changes(journal.changes);
}

void MemoryStore::complete(const Journal& journal, const std::vector<Balance>& balances) {
  for (const Journal::Entry& completed : journal.entries) {
    Entry& entry = entries_.at({completed.transaction, completed.line});
    undo_->push_back([&entry, before = entry] { entry = before; });
    entry.balance_after = completed.balance_after;
  }
  for (const Balance& balance : balances)
    if (balance.changed) put_balance(balance);
  write_effective(journal);
  release_expired(journal.expired);
}

void MemoryStore::write_effective(const Journal& journal) {
  std::vector<DatedEntry> entries = dated_entries(journal);
  std::vector<Units> before;
  for (const Account* account : dated_accounts(entries)) {
    const auto& known = dated_[account->id];
    before.push_back(known.empty() ? 0 : known.back().dated_after);
  }
  run_totals(entries, before);
  for (const DatedEntry& entry : entries) {
    dated_[entry.account->id].push_back(entry);
    undo_->push_back([this, id = entry.account->id] { dated_[id].pop_back(); });
  }
  for (const EffectiveDay& day : effective_days(entries)) {
    const DayKey key{day.account->id, day.day};
    days_[key] += day.amount;
    undo_->push_back([this, key, amount = day.amount] { days_[key] -= amount; });
  }
}

void MemoryStore::insert_transaction(const TransactionId& id, Header header) {
  if (header.reference && !references_.emplace(*header.reference, id).second)
    broken("reference " + quoted(*header.reference) + " is used twice");
  if (header.reference)
    undo_->push_back([this, reference = *header.reference] { references_.erase(reference); });
  if (header.reverses) {
    reversals_[*header.reverses].insert(id);
    undo_->push_back([this, reversed = *header.reverses, id] { reversals_[reversed].erase(id); });
  }
  if (!transactions_.emplace(id, std::move(header)).second)
    broken("transaction " + to_string(id) + " is there already");
  undo_->push_back([this, id] { transactions_.erase(id); });
}

void MemoryStore::insert_entry(const EntryKey& key, const Entry& entry) {
  if (!entries_.emplace(key, entry).second)
    broken("line " + std::to_string(key.second) + " of transaction " + to_string(key.first) +
           " is there already");
  undo_->push_back([this, key] { entries_.erase(key); });
}

void MemoryStore::put_balance(const Balance& balance) {
  Balance& row = balances_.at(balance.account->id);
  undo_->push_back([&row, before = row] { row = before; });
  row = balance;
  row.changed = false;
  row.undo = 0;
}

}  // namespace ledgerflow
