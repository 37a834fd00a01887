#include "core/books.hpp"

#include <algorithm>

#include "core/rules.hpp"

namespace ledgerflow {

void throw_if(std::optional<Refusal> refusal) {
  if (refusal) throw Error(std::move(*refusal));
}

Books::Books(Store& store, std::vector<const Account*> accounts) : store_(store) {
  std::sort(accounts.begin(), accounts.end(),
            [](const Account* a, const Account* b) { return a->id < b->id; });
  accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
  rows_.resize(accounts.size());
  for (std::size_t i = 0; i < accounts.size(); ++i) rows_[i].account = accounts[i];
  store.lock_balances(rows_);
  // Read under the locks: the order of ids is the order of posting on every account.
  now_ = store.clock();
  for (const Balance& row : rows_)
    if (row.last_transaction && (!last_id_ || *last_id_ < *row.last_transaction))
      last_id_ = row.last_transaction;
}

Balance& Books::of(const Account& account) {
  return *std::lower_bound(
      rows_.begin(), rows_.end(), account.id,
      [](const Balance& balance, std::int64_t id) { return balance.account->id < id; });
}

TransactionId Books::next_id() {
  last_id_ = make_transaction_id(now_, store_.random(), last_id_);
  return *last_id_;
}

// Keeps each row as it was, once for every step that starts at `first_undo`.
Balance& Books::touch(const Account& account, std::size_t first_undo) {
  Balance& row = of(account);
  if (row.undo == 0 || row.undo <= first_undo || row.undo > undo_.size() ||
      undo_[row.undo - 1].row != &row) {
    undo_.push_back({&row, row});
    row.undo = undo_.size();
  }
  row.changed = true;
  return row;
}

void Books::take_back(std::size_t mark) {
  while (undo_.size() > mark) {
    *undo_.back().row = undo_.back().before;
    undo_.pop_back();
  }
}

void Books::unreserve(const Account& account, bool debit, Units amount) {
  Balance& row = touch(account, undo_.size());
  (debit ? row.debits_pending : row.credits_pending) -= amount;
}

namespace {

void give_back(Balance& row, const ExpiredLine& expired) {
  (expired.amount > 0 ? row.debits_pending : row.credits_pending) -= expired.left;
  row.changed = true;
}

}  // namespace

// Limits hold for what the whole step leaves behind, not for its lines on the way. What is reserved by
// holds past their expiry does not stand in the way: it is given back first.
void Books::check_all(Journal& journal, std::size_t first_undo) {
  const std::size_t end = undo_.size();
  for (std::size_t i = first_undo; i < end; ++i) {
    Balance& row = *undo_[i].row;
    std::optional<Refusal> refusal = check_limits(undo_[i].before, row);
    if (!refusal) continue;
    if (row.debits_pending != 0 || row.credits_pending != 0) {
      for (const ExpiredLine& expired : store_.expired_lines(*row.account, now_)) {
        const auto known = std::find_if(
            journal.expired.begin(), journal.expired.end(),
            [&](const ExpiredLine& e) { return e.hold == expired.hold && e.line == expired.line; });
        if (known != journal.expired.end()) continue;
        give_back(row, expired);
        // The row had this room before as well, whatever is taken back later.
        for (Undo& undo : undo_)
          if (undo.row == &row) give_back(undo.before, expired);
        journal.expired.push_back(expired);
      }
      refusal = check_limits(undo_[i].before, row);
    }
    throw_if(std::move(refusal));
  }
}

void Books::post(Journal& journal, std::size_t first_entry, bool hold_limits) {
  const std::size_t first_undo = undo_.size();
  for (std::size_t i = first_entry; i < journal.entries.size(); ++i) {
    Journal::Entry& entry = journal.entries[i];
    throw_if(check_status(of(*entry.account), entry.amount > 0));
    Balance& row = touch(*entry.account, first_undo);
    row.last_transaction = entry.transaction;
    if (!apply_amount(row, entry.amount))
      throw Error(Condition::balance_out_of_range,
                  "a total of account " + quoted(entry.account->code) + " would be too large");
    entry.balance_after = net_debit(row);
  }
  if (hold_limits) check_all(journal, first_undo);
}

void Books::reserve(Journal& journal, const std::vector<Line>& lines) {
  const std::size_t first_undo = undo_.size();
  for (const Line& line : lines) {
    throw_if(check_status(of(*line.account), line.amount > 0));
    Balance& row = touch(*line.account, first_undo);
    if (!reserve_amount(row, line.amount))
      throw Error(Condition::balance_out_of_range,
                  "a total of account " + quoted(line.account->code) + " would be too large");
  }
  check_all(journal, first_undo);
}

void compare_fields(std::string_view key, const RequestFields& stored, const RequestFields& sent) {
  const auto conflict = [&](const std::string& field, const std::string& had,
                            const std::string& is) {
    throw Error(Condition::idempotency_conflict,
                "idempotency key " + quoted(key) + " was used for a different request: " + field +
                    " differs",
                "Stored " + field + ": " + shortened(had) + "; sent: " + shortened(is) + ".");
  };
  const auto value_of = [](const RequestFields& fields, const std::string& name) {
    for (const auto& [field, value] : fields)
      if (field == name) return value;
    return std::string(name == "operation" ? "post" : "none");
  };
  if (value_of(stored, "operation") != value_of(sent, "operation"))
    conflict("operation", value_of(stored, "operation"), value_of(sent, "operation"));
  for (const auto& [field, value] : sent)
    if (value_of(stored, field) != value) conflict(field, value_of(stored, field), value);
}

bool claim_key(Store& store, const std::optional<std::string_view>& key,
               const RequestFields& fields, TransactionId& id) {
  if (!key) return false;
  std::vector<KeyClaim> claims{{*key, id, fields.empty() ? nullptr : &fields}};
  store.claim_keys(claims);
  if (!claims[0].taken_by) return false;
  compare_fields(*key, claims[0].stored, fields);
  id = *claims[0].taken_by;
  return true;
}

std::string whole_text(const std::optional<std::string_view>& text) {
  return text ? "\"" + std::string(*text) + "\"" : "none";
}

void add_texts(Store& store, const Posting& posting, RequestFields& fields) {
  fields.emplace_back("reference", whole_text(posting.reference));
  fields.emplace_back("description", whole_text(posting.description));
  fields.emplace_back("effective_at",
                      posting.effective_at ? format_time(*posting.effective_at) : "none");
  fields.emplace_back("metadata", posting.metadata ? store.show_json(*posting.metadata) : "none");
}

void check_reference(Store& store, const Posting& posting, bool of_hold) {
  if (!posting.reference) return;
  std::vector<ReferenceUse> uses{{*posting.reference, std::nullopt}};
  store.find_references(uses, of_hold);
  if (uses[0].taken_by)
    throw Error(Condition::duplicate_reference,
                "reference " + quoted(*posting.reference) + " is used already",
                std::string("It belongs to ") + (of_hold ? "hold " : "transaction ") +
                    to_string(*uses[0].taken_by) + ".");
}

void check_version(const Balance& balance, std::int64_t expected) {
  if (balance.version == expected) return;
  throw Error(Condition::version_conflict,
              "account " + quoted(balance.account->code) + " is not at the expected version",
              "Version " + std::to_string(balance.version) + ", expected " +
                  std::to_string(expected) + ".");
}

void check_period(Store& store, std::int64_t effective_at) {
  const std::optional<std::int64_t> closed = store.closed_through();
  if (closed && effective_at <= *closed)
    throw Error(Condition::period_closed,
                "effective time " + format_time(effective_at) + " lies in a closed period",
                "The books are closed through " + format_time(*closed) + ".");
}

}  // namespace ledgerflow
