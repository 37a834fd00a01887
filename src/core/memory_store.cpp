#include "core/memory_store.hpp"

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
            shown(header.description) + " " + shown(header.metadata) + "\n";
  for (const auto& [key, entry] : entries_)
    text += "entry " + to_string(key.first) + " " + std::to_string(key.second) + " " +
            std::to_string(entry.account_id) + " " + format_units(entry.amount, 0) + " " +
            format_units(entry.balance_after, 0) + "\n";
  for (const auto& [key, id] : keys_) text += "key " + quoted(key) + " " + to_string(id) + "\n";
  for (const auto& [reference, id] : references_)
    text += "reference " + quoted(reference) + " " + to_string(id) + "\n";
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
  }
}

void MemoryStore::claim_keys(std::vector<KeyClaim>& claims) {
  for (KeyClaim& claim : claims) {
    const auto [place, is_new] = keys_.emplace(std::string(claim.key), claim.id);
    if (is_new)
      undo_->push_back([this, key = place->first] { keys_.erase(key); });
    else
      claim.taken_by = place->second;
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

void MemoryStore::find_references(std::vector<ReferenceUse>& uses) {
  for (ReferenceUse& use : uses) {
    const auto found = references_.find(use.reference);
    if (found != references_.end()) use.taken_by = found->second;
  }
}

StoredTransaction MemoryStore::load(const TransactionId& id) {
  const auto found = transactions_.find(id);
  if (found == transactions_.end())
    throw Error(Condition::transaction_not_found,
                "transaction " + to_string(id) + " does not exist");
  const Header& header = found->second;
  StoredTransaction stored{
      id, header.effective_at, header.reference, header.description, header.metadata, {}};
  for (auto entry = entries_.lower_bound({id, 0});
       entry != entries_.end() && entry->first.first == id; ++entry)
    stored.entries.push_back({entry->second.account_id, entry->second.amount});
  return stored;
}

void MemoryStore::write(const Journal& journal, const std::vector<Balance>& balances) {
  for (const Journal::Transaction& transaction : journal.transactions) {
    const Posting& posting = *transaction.posting;
    insert_transaction(
        transaction.id,
        {transaction.posted_at, posting.effective_at.value_or(transaction.posted_at),
         copied(posting.reference), copied(posting.description), copied(posting.metadata)});
  }
  for (const Journal::Entry& entry : journal.entries)
    insert_entry({entry.transaction, entry.line},
                 {entry.account->id, entry.amount, entry.balance_after});
  for (const Balance& balance : balances)
    if (balance.changed) put_balance(balance);
}

void MemoryStore::complete(const Journal& journal, const std::vector<Balance>& balances) {
  for (const Journal::Entry& completed : journal.entries) {
    Entry& entry = entries_.at({completed.transaction, completed.line});
    undo_->push_back([&entry, before = entry] { entry = before; });
    entry.balance_after = completed.balance_after;
  }
  for (const Balance& balance : balances)
    if (balance.changed) put_balance(balance);
}

void MemoryStore::insert_transaction(const TransactionId& id, Header header) {
  if (header.reference && !references_.emplace(*header.reference, id).second)
    broken("reference " + quoted(*header.reference) + " is used twice");
  if (header.reference)
    undo_->push_back([this, reference = *header.reference] { references_.erase(reference); });
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
  row.touched_by = 0;
}

}  // namespace ledgerflow
