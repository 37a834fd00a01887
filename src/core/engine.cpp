#include "core/engine.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/books.hpp"
#include "core/rules.hpp"

namespace ledgerflow {

namespace {

// Posts a list of items in one pass of locks, keys and writes.
class Batch {
 public:
  Batch(Store& store, std::vector<Item>& items, Mode mode, Numbering numbering)
      : store_(store), items_(items), mode_(mode), numbering_(numbering) {}

  void run() {
    for (Item& item : items_) {
      item.posting.line_count = item.lines.size();
      attempt(item, [&] { check_request(item); });
    }
    Books books(store_, accounts());
    for (Item& item : items_) item.outcome.id = books.next_id();
    claim_keys();
    find_references();
    for (std::size_t first = 0; first < items_.size();) first = run_chain(books, first);
    drop_unused_keys();
    store_.write(journal_, books.rows());
  }

 private:
  // Runs a step of an item that has not been refused yet, and keeps the refusal with it.
  template <typename Step>
  void attempt(Item& item, Step&& step) {
    if (item.outcome.refusal) {
      if (mode_ == Mode::atomic) refuse_all(item);
      return;
    }
    try {
      step();
    } catch (const Error& error) {
      item.outcome.refusal = error.refusal();
    }
    if (item.outcome.refusal && mode_ == Mode::atomic) refuse_all(item);
  }

  [[noreturn]] void refuse_all(const Item& item) {
    Refusal refusal = *item.outcome.refusal;
    if (items_.size() > 1 || numbering_.even_one) {
      const std::size_t place = numbering_.first + static_cast<std::size_t>(&item - items_.data());
      const std::size_t number = item.number != 0 ? item.number : place;
      refusal.message =
          std::string(numbering_.noun) + " " + std::to_string(number) + ": " + refusal.message;
    }
    throw Error(std::move(refusal));
  }

  static void check_request(const Item& item) {
    check_texts(item.posting);
    throw_if(check_lines(item.lines.data(), item.lines.size()));
  }

  std::vector<const Account*> accounts() const {
    std::vector<const Account*> accounts;
    for (const Item& item : items_)
      if (!item.outcome.refusal)
        for (const Line& line : item.lines) accounts.push_back(line.account);
    return accounts;
  }

  // Keys are claimed in their order, so that two batches do not wait for each other. An item that repeats
  // the key of an earlier one in the batch is answered from that one.
  void claim_keys() {
    std::vector<Item*> keyed;
    for (Item& item : items_)
      if (!item.outcome.refusal && item.posting.idempotency_key) keyed.push_back(&item);
    if (keyed.empty()) return;
    std::stable_sort(keyed.begin(), keyed.end(), [](const Item* a, const Item* b) {
      return *a->posting.idempotency_key < *b->posting.idempotency_key;
    });
    std::vector<KeyClaim> claims;
    std::vector<Item*> claimants;
    for (Item* item : keyed) {
      if (!claims.empty() && claims.back().key == *item->posting.idempotency_key) {
        repeated_.emplace(item, claimants.back());
        continue;
      }
      claims.push_back({*item->posting.idempotency_key, item->outcome.id});
      claimants.push_back(item);
    }
    store_.claim_keys(claims);
    for (std::size_t i = 0; i < claims.size(); ++i) {
      Item& item = *claimants[i];
      if (!claims[i].taken_by) {
        claimed_.push_back(&item);
        continue;
      }
      attempt(item, [&] {
        compare_fields(claims[i].key, claims[i].stored, {});
        throw_if(compare_with_stored(item.posting, item.lines.data(),
                                     store_.load(*claims[i].taken_by), store_));
        item.outcome.id = *claims[i].taken_by;
        item.outcome.replayed = true;
      });
    }
  }

  // The request that stands first under the key, as if it had been read back from the books.
  void answer_repeated(Item& item, const Item& first) {
    StoredTransaction stored;
    stored.id = first.outcome.id;
    stored.effective_at = first.posting.effective_at;
    stored.reference = first.posting.reference;
    stored.description = first.posting.description;
    stored.metadata = first.posting.metadata;
    for (const Line& line : first.lines) stored.entries.push_back({line.account, line.amount});
    throw_if(compare_with_stored(item.posting, item.lines.data(), stored, store_));
    throw_if(first.outcome.refusal);
    item.outcome.id = first.outcome.id;
    item.outcome.replayed = true;
  }

  void find_references() {
    std::vector<ReferenceUse> uses;
    for (const Item& item : items_)
      if (!item.outcome.refusal && !item.outcome.replayed && item.posting.reference)
        uses.push_back({*item.posting.reference, std::nullopt});
    if (uses.empty()) return;
    store_.find_references(uses, false);
    for (const ReferenceUse& use : uses)
      if (use.taken_by) references_.emplace(use.reference, *use.taken_by);
  }

  // Runs the item at `first` with all that is linked to it; returns where the next one starts.
  std::size_t run_chain(Books& books, std::size_t first) {
    std::size_t last = first;
    while (items_[last].linked && last + 1 < items_.size()) ++last;
    const bool open_end = items_[last].linked;
    if (open_end && !items_[last].outcome.refusal)
      items_[last].outcome.refusal = Refusal{
          Condition::chain_open, "the last item of the batch is linked to a next one", {}, {}};

    const std::size_t mark = books.mark();
    const std::size_t transactions = journal_.transactions.size();
    const std::size_t entries = journal_.entries.size();
    const std::size_t dated = journal_.dated.size();
    // The end that is missing is found before anything is posted.
    Item* culprit = open_end ? &items_[last] : nullptr;
    for (std::size_t i = first; i <= last && culprit == nullptr; ++i) {
      attempt(items_[i], [&] { post_item(books, items_[i]); });
      if (items_[i].outcome.refusal) culprit = &items_[i];
    }
    if (culprit == nullptr) return last + 1;

    books.take_back(mark);
    for (std::size_t i = transactions; i < journal_.transactions.size(); ++i)
      if (journal_.transactions[i].posting->reference)
        references_.erase(*journal_.transactions[i].posting->reference);
    journal_.transactions.resize(transactions);
    journal_.entries.resize(entries);
    journal_.dated.resize(dated);
    for (std::size_t i = first; i <= last; ++i)
      if (&items_[i] != culprit)
        items_[i].outcome.refusal =
            Refusal{Condition::linked_failed, "another item of the chain was refused", {}, {}};
    return last + 1;
  }

  void post_item(Books& books, Item& item) {
    if (item.outcome.replayed) return;
    const auto repeated = repeated_.find(&item);
    if (repeated != repeated_.end()) return answer_repeated(item, *repeated->second);
    const Posting& posting = item.posting;
    if (posting.effective_at) check_period(store_, *posting.effective_at);
    if (posting.reference) {
      const auto taken = references_.find(*posting.reference);
      if (taken != references_.end())
        throw Error(Condition::duplicate_reference,
                    "reference " + quoted(*posting.reference) + " is used already",
                    "It belongs to transaction " + to_string(taken->second) + ".");
    }
    if (posting.expected_version)
      check_version(books.of(*item.lines[0].account), *posting.expected_version);

    const std::size_t mark = books.mark();
    const std::size_t first_entry = journal_.entries.size();
    int number = 0;
    for (const Line& line : item.lines)
      journal_.entries.push_back({item.outcome.id, ++number, line.account, line.amount, 0});
    try {
      books.post(journal_, first_entry);
    } catch (const Error&) {
      books.take_back(mark);
      journal_.entries.resize(first_entry);
      throw;
    }
    journal_.transactions.push_back({item.outcome.id, time_of(item.outcome.id), &posting, {}, {}});
    if (posting.effective_at) journal_.date(item.outcome.id, *posting.effective_at);
    if (posting.reference) references_.emplace(*posting.reference, item.outcome.id);
  }

  void drop_unused_keys() {
    std::vector<std::string_view> unused;
    for (const Item* item : claimed_)
      if (item->outcome.refusal) unused.push_back(*item->posting.idempotency_key);
    if (!unused.empty()) store_.drop_keys(unused);
  }

  Store& store_;
  std::vector<Item>& items_;
  Mode mode_;
  Numbering numbering_;
  Journal journal_;
  std::vector<const Item*> claimed_;
  std::map<const Item*, const Item*> repeated_;
  std::map<std::string_view, TransactionId> references_;
};

}  // namespace

void post_all(Store& store, std::vector<Item>& items, Mode mode, Numbering numbering) {
  Batch(store, items, mode, numbering).run();
}

Outcome post(Store& store, std::vector<Line> lines, const Posting& posting) {
  std::vector<Item> items(1);
  items[0].posting = posting;
  items[0].lines = std::move(lines);
  post_all(store, items, Mode::atomic);
  return items[0].outcome;
}

void adopt(Store& store, std::vector<RawEntry> entries) {
  if (entries.empty()) return;  // a statement of no rows
  std::sort(entries.begin(), entries.end(), [](const RawEntry& a, const RawEntry& b) {
    return a.transaction != b.transaction ? a.transaction < b.transaction : a.line < b.line;
  });
  Books books(store, accounts_of(entries));
  Journal journal;
  journal.entries.reserve(entries.size());
  for (std::size_t first = 0; first < entries.size(); first = journal.entries.size()) {
    const TransactionId id = entries[first].transaction;
    if (entries[first].effective_at) journal.date(id, *entries[first].effective_at);
    for (std::size_t i = first; i < entries.size() && entries[i].transaction == id; ++i) {
      const RawEntry& entry = entries[i];
      const Balance& balance = books.of(*entry.account);
      if (balance.last_transaction && id < *balance.last_transaction)
        throw Error(Condition::transaction_out_of_order,
                    "transaction " + to_string(id) + " does not follow the last one of account " +
                        quoted(entry.account->code),
                    "The last one is " + to_string(*balance.last_transaction) + ".");
      journal.entries.push_back({id, entry.line, entry.account, entry.amount, 0});
    }
    books.post(journal, first);
  }
  store.complete(journal, books.rows());
}

}  // namespace ledgerflow
