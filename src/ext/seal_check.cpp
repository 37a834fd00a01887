// ledger_verify_seal(): what the tables hold, hashed anew and held against the seals.
#include "ext/seals.hpp"

namespace ledgerflow {

namespace {

// Which of these transactions are in no seal.
constexpr const char* unsealed_of_query =
    "SELECT i.id, t.xact_id FROM pg_catalog.unnest($1) i (id) "
    "JOIN {ledger}.transactions t ON t.id OPERATOR(pg_catalog.=) i.id "
    "WHERE NOT EXISTS (SELECT FROM {ledger}.seal_blocks b "
    "WHERE b.last_transaction_id OPERATOR(pg_catalog.>=) i.id "
    "AND i.id OPERATOR(pg_catalog.=) ANY (b.transaction_ids)) ORDER BY i.id";
constexpr const char* unsealed_old_query =
    "SELECT id, xact_id FROM {ledger}.transactions WHERE id OPERATOR(pg_catalog.>) $1 "
    "AND xact_id OPERATOR(pg_catalog.<) $2 ORDER BY id";
constexpr const char* orphan_blocks_query =
    "SELECT DISTINCT b.seal FROM {ledger}.seal_blocks b WHERE NOT EXISTS "
    "(SELECT FROM {ledger}.seals s WHERE s.seal OPERATOR(pg_catalog.=) b.seal) ORDER BY b.seal";
constexpr const char* root_query =
    "SELECT EXISTS (SELECT FROM {ledger}.seals WHERE root OPERATOR(pg_catalog.=) $1)";

constexpr Oid ids_types[] = {UUIDARRAYOID};
constexpr Oid old_types[] = {UUIDOID, XID8OID};
constexpr Oid root_types[] = {BYTEAOID};

constexpr std::size_t most_findings = 100;  // told one by one for each seal
// Rows inserted by hand may bear an id that a client made a minute before.
constexpr std::int64_t clock_tolerance = 60 * 1000000LL;

struct Finding {
  std::string object, expected, found;
};

// Rows of the result: findings of one seal at a time, no more of them than anybody will read.
class Findings {
 public:
  explicit Findings(FunctionCallInfo fcinfo) {
    pg_call([&] { rows_ = start_result(fcinfo, &descriptor_); });
  }

  void add(std::int64_t seal, const Finding& finding) {
    pg_call([&] {
      Datum values[] = {Int64GetDatum(seal), new_text(finding.object), new_text(finding.expected),
                        new_text(finding.found)};
      bool nulls[] = {false, false, false, false};
      tuplestore_putvalues(rows_, descriptor_, values, nulls);
    });
  }

  void add_all(std::int64_t seal, const std::vector<Finding>& findings, std::size_t count) {
    for (const Finding& finding : findings) add(seal, finding);
    if (count > findings.size())
      add(seal, {"more transactions", "as they were sealed",
                 std::to_string(count - findings.size()) + " more differ"});
  }

 private:
  Tuplestorestate* rows_ = nullptr;
  TupleDesc descriptor_ = nullptr;
};

std::string seal_name(std::int64_t number) { return "seal " + std::to_string(number); }
std::string transaction_name(const TransactionId& id) { return "transaction " + to_string(id); }

// Why a transaction cannot have been posted in the ordinary way after this seal: its database transaction
// had ended before, or had not begun when its id claims to have been made. Nothing: it can.
std::optional<std::string> not_after(const Seal& seal, const TransactionId& id,
                                     std::uint64_t xact_id) {
  if (xact_id < seal.horizon)
    return "its xact_id " + std::to_string(xact_id) + " had ended before " +
           seal_name(seal.number) + ", where it is not";
  if (xact_id >= seal.next && time_of(id) < seal.sealed_at - clock_tolerance)
    return "its xact_id " + std::to_string(xact_id) + " began after " + seal_name(seal.number) +
           ", its id says " + format_time(time_of(id));
  return std::nullopt;
}

// What is in no seal: it may be new, or have become visible too late for the last seal, and nothing else.
class Unsealed {
 public:
  Unsealed(Ledger& ledger, const std::optional<LastSeal>& last, Findings& findings)
      : ledger_(ledger), last_(last), findings_(findings) {
    can_tell_ = last && last->seal.server && sealing_server(ledger) == last->seal.server;
  }

  // A transaction that a seal does not list although its id is among that seal's.
  void add(const TransactionId& id) {
    if (!can_tell_) return;
    ids_.push_back(id);
    if (ids_.size() == ids_per_query) look();
  }

  void finish() {
    if (!can_tell_) return;
    look();
    const Datum values[] = {
        datum_of(last_->last_transaction),
        FullTransactionIdGetDatum(FullTransactionIdFromU64(last_->seal.horizon))};
    RowCursor rows(ledger_.plan(unsealed_old_query, 2, old_types), values);
    report(rows);
    findings_.add_all(last_->seal.number, found_, count_);
  }

 private:
  static constexpr std::size_t ids_per_query = 10000;

  void look() {
    if (ids_.empty()) return;
    const Datum ids = new_id_array(ids_);
    RowCursor rows(ledger_.plan(unsealed_of_query, 1, ids_types), &ids);
    report(rows);
    ids_.clear();
    pg_call([&] { pfree(DatumGetPointer(ids)); });
  }

  void report(RowCursor& rows) {
    while (rows.next()) {
      const TransactionId id = id_from_datum(rows.value(0));
      const auto why = not_after(
          last_->seal, id, U64FromFullTransactionId(DatumGetFullTransactionId(rows.value(1))));
      if (!why) continue;
      ++count_;
      if (found_.size() < most_findings)
        found_.push_back({transaction_name(id), "in a seal, or posted after this one", *why});
    }
  }

  Ledger& ledger_;
  const std::optional<LastSeal>& last_;
  Findings& findings_;
  bool can_tell_ = false;
  std::vector<TransactionId> ids_;
  std::size_t count_ = 0;
  std::vector<Finding> found_;
};

// The transactions that a seal has listed, one after the other, whatever somebody has made of the list.
class ListedTransactions {
 public:
  ListedTransactions(Ledger& ledger, const Seal& seal)
      : blocks_(ledger, seal.number),
        transactions_(seal.transactions),
        in_range_(seal.transactions - seal.late) {
    read_block();
  }

  bool at_end() const { return block_ == nullptr; }
  const TransactionId& id() const { return block_->ids[at_]; }
  std::string_view mark() const {
    const std::size_t from = std::min(at_ * leaf_mark_size, block_->marks.size());
    return std::string_view(block_->marks).substr(from, leaf_mark_size);
  }

  void next() {
    const TransactionId before = id();
    ++taken_;
    if (++at_ == block_->ids.size()) read_block();
    // In the order of ids, and the latecomers once more from the front.
    if (!at_end() && taken_ != in_range_) is_sound_ = is_sound_ && before < id();
  }

  // Read to the end: whether it is such a list as a seal makes, and the roots that its blocks bear.
  bool sound() const { return is_sound_ && taken_ == transactions_; }
  const std::vector<Digest>& roots() const { return roots_; }

 private:
  void read_block() {
    at_ = 0;
    while ((block_ = blocks_.next()) != nullptr) {
      is_sound_ = is_sound_ && !block_->ids.empty() &&
                  block_->number == static_cast<std::int64_t>(roots_.size()) &&
                  block_->marks.size() == block_->ids.size() * leaf_mark_size;
      roots_.push_back(block_->root);
      if (!block_->ids.empty()) return;
    }
  }

  SealBlockRows blocks_;
  const std::int64_t transactions_;
  const std::int64_t in_range_;
  const SealBlock* block_ = nullptr;
  std::size_t at_ = 0;
  std::int64_t taken_ = 0;
  bool is_sound_ = true;
  std::vector<Digest> roots_;
};

// One seal against the rows.
class SealCheck {
 public:
  SealCheck(Ledger& ledger, Sha256& sha256, const Seal& seal, const std::optional<Seal>& before,
            const TransactionId& after, const TransactionId& through)
      : ledger_(ledger),
        seal_(seal),
        before_(before && before->server && before->server == seal.server ? &*before : nullptr),
        after_(after),
        through_(through),
        listed_(ledger, seal),
        block_(sha256),
        tree_(sha256),
        sha256_(sha256) {}

  // Rows of the seal's range that it does not list go to `unsealed`.
  void run(Findings& findings, Unsealed& unsealed) {
    check_range(unsealed);
    check_late();
    if (block_.size() > 0) close_block();
    const bool is_whole = transactions_ == seal_.transactions && entries_ == seal_.entries &&
                          tree_.size() > 0 && tree_.root() == seal_.tree;
    findings.add_all(seal_.number, forgeries_, forgery_count_);
    // Of a list that is none, nobody can say which transactions it means.
    const bool is_listed = listed_.sound();
    if (!is_listed || (is_whole && (difference_count_ > 0 || listed_.roots() != roots_)))
      findings.add(seal_.number,
                   {"seal_blocks", "what was hashed", "rows were edited, added or removed"});
    if (is_whole || !is_listed) return;
    findings.add_all(seal_.number, differences_, difference_count_);
    if (difference_count_ == 0)
      findings.add(
          seal_.number,
          {"tree",
           to_hex(seal_.tree) + " over " + std::to_string(seal_.transactions) + " transactions",
           (tree_.size() > 0 ? to_hex(tree_.root()) : std::string("nothing")) + " over " +
               std::to_string(transactions_)});
  }

 private:
  // First come those above everything that was sealed before, in the order of their ids.
  void check_range(Unsealed& unsealed) {
    SealedRows rows(ledger_, after_, through_);
    const SealedTransaction* row = rows.next();
    const std::int64_t in_range = seal_.transactions - seal_.late;
    std::int64_t taken = 0;
    while (taken < in_range && !listed_.at_end()) {
      if (row == nullptr || listed_.id() < row->id) {
        missing(listed_.id());
        listed_.next();
        ++taken;
      } else if (row->id == listed_.id()) {
        compare(*row);
        listed_.next();
        ++taken;
        row = rows.next();
      } else {
        unsealed.add(row->id);
        row = rows.next();
      }
    }
    for (; row != nullptr; row = rows.next()) unsealed.add(row->id);
  }

  // Then the latecomers, looked up by their ids.
  void check_late() {
    while (!listed_.at_end()) {
      std::vector<TransactionId> ids;
      std::unordered_map<std::string, std::string> marks;
      for (; !listed_.at_end() && ids.size() < 1000; listed_.next()) {
        ids.push_back(listed_.id());
        marks[to_string(listed_.id())] = listed_.mark();
      }
      SealedRows rows(ledger_, ids);
      while (const SealedTransaction* row = rows.next()) {
        const auto listed = marks.find(to_string(row->id));
        if (listed == marks.end()) continue;
        compare(*row, listed->second);
        marks.erase(listed);
      }
      for (const TransactionId& id : ids)
        if (marks.count(to_string(id)) != 0) missing(id);
    }
  }

  void compare(const SealedTransaction& row) { compare(row, listed_.mark()); }

  void compare(const SealedTransaction& row, std::string_view mark) {
    const Digest leaf = leaf_hash(sha256_, row.text.get());
    if (bytes_of(leaf).substr(0, leaf_mark_size) != mark)
      differs({transaction_name(row.id), "as it was sealed", "changed"});
    if (before_ != nullptr) {
      if (const auto why = not_after(*before_, row.id, row.xact_id)) {
        ++forgery_count_;
        if (forgeries_.size() < most_findings)
          forgeries_.push_back(
              {transaction_name(row.id), "posted as its id and xact_id say", *why});
      }
    }
    block_.add(leaf);
    if (block_.size() == seal_block_size) close_block();
    ++transactions_;
    entries_ += row.entries;
  }

  void missing(const TransactionId& id) {
    differs({transaction_name(id), "as it was sealed", "removed"});
  }

  void differs(Finding finding) {
    ++difference_count_;
    if (differences_.size() < most_findings) differences_.push_back(std::move(finding));
  }

  void close_block() {
    roots_.push_back(block_.root());
    tree_.add(roots_.back());
    block_.clear();
  }

  Ledger& ledger_;
  const Seal& seal_;
  const Seal* before_;  // nullptr: it cannot tell
  const TransactionId after_;
  const TransactionId through_;
  ListedTransactions listed_;
  MerkleTree block_;
  MerkleTree tree_;
  Sha256& sha256_;
  std::vector<Digest> roots_;
  std::int64_t transactions_ = 0;
  std::int64_t entries_ = 0;
  std::size_t difference_count_ = 0;
  std::vector<Finding> differences_;
  std::size_t forgery_count_ = 0;
  std::vector<Finding> forgeries_;
};

void check_known_root(Ledger& ledger, const Digest& known, Findings& findings,
                      std::int64_t newest) {
  const Datum root = pg_call([&] { return new_text(bytes_of(known)); });
  const SingleRow row(ledger, root_query, 1, root_types, &root);
  if (!DatumGetBool(row.column(1)))
    findings.add(newest, {"known_root", to_hex(known), "no seal has this root"});
}

void report_gap(std::int64_t from, std::int64_t to, Findings& findings) {
  if (from < to) findings.add(from, {seal_name(from), "a row in seals", "none"});
  if (from + 1 < to)
    findings.add(to - 1, {"seals to " + std::to_string(to - 1), "rows in seals", "none"});
}

// Seals `from` to `to`, both if given. The seal before `from` is taken as it stands.
void check_seals(Ledger& ledger, std::optional<std::int64_t> from, std::optional<std::int64_t> to,
                 Findings& findings) {
  ServerSha256 sha256;
  const std::optional<LastSeal> last = find_last_seal(ledger);
  Unsealed unsealed(ledger, last, findings);
  std::optional<Seal> before;
  TransactionId after = lowest_id;
  if (from && *from > 1) {
    SealRows rows(ledger, *from - 1, *from - 1);
    if (const Seal* seal = rows.next()) {
      before = *seal;
      after = rows.last_transaction();
    }
    rows.close();
  }
  std::int64_t expected = from.value_or(1);
  SealRows rows(ledger, from.value_or(INT64_MIN), to.value_or(INT64_MAX));
  while (const Seal* seal = rows.next()) {
    if (seal->number < expected) {
      findings.add(seal->number, {seal_name(seal->number), "none", "a row in seals"});
      continue;
    }
    if (expected < seal->number) before.reset();
    report_gap(expected, seal->number, findings);
    if (before || seal->number == 1) {
      const Digest root = chained_root(sha256, before ? before->root : Digest{},
                                       seal_text_hash(sha256, seal_text(*seal)));
      if (root != seal->root)
        findings.add(seal->number, {seal_name(seal->number), "root " + to_hex(root),
                                    "root " + to_hex(seal->root)});
    }
    const TransactionId through = rows.last_transaction();
    SealCheck(ledger, sha256, *seal, before, after, through).run(findings, unsealed);
    before = *seal;
    if (after < through) after = through;
    expected = seal->number + 1;
  }
  if (to) report_gap(expected, *to + 1, findings);
  unsealed.finish();
}

void check_orphan_blocks(Ledger& ledger, Findings& findings) {
  RowCursor rows(ledger.plan(orphan_blocks_query, 0, nullptr), nullptr);
  while (rows.next()) {
    const std::int64_t number = DatumGetInt64(rows.value(0));
    findings.add(number, {seal_name(number), "a row in seals", "only rows in seal_blocks"});
  }
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_verify_seal);
PGDLLEXPORT Datum ledgerflow_verify_seal(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const std::optional<std::int64_t> from = integer_argument(fcinfo, 0);
    const std::optional<std::int64_t> to = integer_argument(fcinfo, 1);
    const auto known = text_argument(fcinfo, 2);
    Call call(name_argument(fcinfo, 3));
    if ((from && *from < 1) || (to && (*to < from.value_or(1) || *to == INT64_MAX)))
      throw Error(Condition::invalid_argument,
                  "there are no seals from " + std::to_string(from.value_or(1)) + " to " +
                      std::to_string(to.value_or(0)),
                  {}, "Seals are numbered from 1.");
    std::optional<Digest> root;
    if (known) {
      root = digest_from_hex(*known);
      if (!root)
        throw Error(Condition::invalid_argument, "known_root is not the root of a seal", {},
                    "Give the 64 characters that ledger_seal() returned.");
    }
    call.push_whole_snapshot();
    Ledger& ledger = call.ledger();
    Findings findings(fcinfo);
    check_seals(ledger, from, to, findings);
    if (!from && !to) check_orphan_blocks(ledger, findings);
    if (root) {
      const std::optional<LastSeal> last = find_last_seal(ledger);
      check_known_root(ledger, *root, findings, last ? last->seal.number : 0);
    }
    pg_call([] { PopActiveSnapshot(); });
    call.finish();
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
