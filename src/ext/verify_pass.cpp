#include "ext/verification.hpp"

#include "ext/receiver.hpp"
#include "ext/verify_keys.hpp"

extern "C" {
#include "common/hashfn.h"
#include "port/pg_bswap.h"
}

namespace ledgerflow {

namespace {

// Columns are cast to the types that the code takes them for: casts to the type that a column has cost nothing.
#define ID(column) "CAST(" column " AS pg_catalog.uuid)"
#define NUMBER(column) "CAST(" column " AS pg_catalog.int8)"
#define SMALL(column) "CAST(" column " AS pg_catalog.int2)"
#define AMOUNT(column) "CAST(" column " AS pg_catalog.numeric)"
#define TIME(column) "CAST(" column " AS pg_catalog.timestamptz)"
#define ENTRY_COLUMNS                                                                  \
  NUMBER("e.account_id")                                                               \
  ", " ID("e.transaction_id") ", " SMALL("e.line") ", " SMALL("e.stripe") ", " AMOUNT( \
      "e.amount") ", " AMOUNT("e.balance_after")
#define HEADER_COLUMNS ID("t.id") ", " TIME("t.posted_at") ", " TIME("t.effective_at")
#define SINCE                                                      \
  "t.xact_id OPERATOR(pg_catalog.>=) CAST($1 AS pg_catalog.xid8) " \
  "AND t.id OPERATOR(pg_catalog.>=) $2"

// Currencies are numbered from 0 in the order of their codes.
constexpr const char* accounts_query =
    "SELECT " NUMBER("a.id") ", CAST(c.number AS pg_catalog.int8), " SMALL("c.scale") " "
    "FROM {ledger}.accounts a JOIN (SELECT code, scale, "
    "pg_catalog.row_number() OVER (ORDER BY code) OPERATOR(pg_catalog.-) 1 AS number "
    "FROM {ledger}.currencies) c ON c.code OPERATOR(pg_catalog.=) a.currency";
constexpr const char* counts_query =
    "SELECT (SELECT pg_catalog.count(*) FROM {ledger}.accounts), "
    "(SELECT pg_catalog.count(*) FROM {ledger}.currencies)";
constexpr const char* entries_query = "SELECT " ENTRY_COLUMNS " FROM {ledger}.entries e";
constexpr const char* new_entries_query =
    "SELECT " ENTRY_COLUMNS
    " FROM {ledger}.transactions t JOIN {ledger}.entries e "
    "ON e.transaction_id OPERATOR(pg_catalog.=) t.id WHERE " SINCE;
constexpr const char* headers_query = "SELECT " HEADER_COLUMNS " FROM {ledger}.transactions t";
constexpr const char* new_headers_query =
    "SELECT " HEADER_COLUMNS " FROM {ledger}.transactions t WHERE " SINCE;
constexpr const char* balances_query =
    "SELECT " NUMBER("b.account_id") ", " SMALL("b.stripe") ", " NUMBER("b.version") ", "
    ID("b.last_transaction_id") ", " AMOUNT("b.debits_posted") ", " AMOUNT("b.credits_posted") " "
    "FROM {ledger}.account_balances b";
// Of parts of transactions without a line 1: whether there is one elsewhere.
constexpr const char* first_lines_query =
    "SELECT x.id, EXISTS (SELECT FROM {ledger}.entries e "
    "WHERE e.transaction_id OPERATOR(pg_catalog.=) x.id AND e.line OPERATOR(pg_catalog.=) 1) "
    "FROM (SELECT DISTINCT u.id FROM pg_catalog.unnest($1) AS u (id)) x";
// Accounts that had entries before: what stood on them before the first of the new ones.
constexpr const char* before_query =
    "SELECT n.account_id FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), "
    "pg_catalog.unnest($3), pg_catalog.unnest($4)) AS n (account_id, transaction_id, line, "
    "balance) "
    "LEFT JOIN LATERAL (SELECT e.balance_after FROM {ledger}.entries e "
    "WHERE e.account_id OPERATOR(pg_catalog.=) n.account_id "
    "AND e.transaction_id OPERATOR(pg_catalog.<=) n.transaction_id "
    "AND (e.transaction_id OPERATOR(pg_catalog.<) n.transaction_id "
    "OR e.line OPERATOR(pg_catalog.<) n.line) "
    "ORDER BY e.transaction_id DESC, e.line DESC LIMIT 1) p ON true "
    "WHERE coalesce(p.balance_after, 0) OPERATOR(pg_catalog.<>) n.balance";
// Accounts without new entries whose row names a recent transaction: the newest entry must be of it.
constexpr const char* quiet_query =
    "SELECT b.account_id FROM pg_catalog.unnest($1) AS u (id) "
    "JOIN {ledger}.account_balances b ON b.account_id OPERATOR(pg_catalog.=) u.id "
    "LEFT JOIN LATERAL (SELECT e.transaction_id, e.balance_after FROM {ledger}.entries e "
    "WHERE e.account_id OPERATOR(pg_catalog.=) b.account_id "
    "ORDER BY e.account_id DESC, e.transaction_id DESC, e.line DESC LIMIT 1) l ON true "
    "WHERE l.transaction_id OPERATOR(pg_catalog.=) b.last_transaction_id IS NOT TRUE "
    "OR l.balance_after OPERATOR(pg_catalog.=) "
    "(b.debits_posted OPERATOR(pg_catalog.-) b.credits_posted) IS NOT TRUE";
constexpr const char* new_orphans_query =
    "SELECT 1 FROM {ledger}.entries e WHERE e.transaction_id OPERATOR(pg_catalog.>=) $1 "
    "AND NOT EXISTS (SELECT FROM {ledger}.transactions t "
    "WHERE t.id OPERATOR(pg_catalog.=) e.transaction_id)";

// Where an entry stands on its account.
struct Position {
  std::uint64_t high = 0;  // the two halves of the transaction's id
  std::uint64_t low = 0;
  std::int16_t line = 0;

  friend bool operator<(const Position& a, const Position& b) {
    if (a.high != b.high) return a.high < b.high;
    return a.low != b.low ? a.low < b.low : a.line < b.line;
  }
  bool same_transaction(const Position& other) const {
    return high == other.high && low == other.low;
  }
};

Position position_of(Datum id, std::int16_t line) {
  Position position;
  const unsigned char* bytes = DatumGetUUIDP(id)->data;
  memcpy(&position.high, bytes, sizeof position.high);
  memcpy(&position.low, bytes + sizeof position.high, sizeof position.low);
  position.high = pg_ntoh64(position.high);
  position.low = pg_ntoh64(position.low);
  position.line = line;
  return position;
}

TransactionId id_of(const Position& position) {
  const std::uint64_t high = pg_hton64(position.high);
  const std::uint64_t low = pg_hton64(position.low);
  TransactionId id;
  memcpy(id.bytes.data(), &high, sizeof high);
  memcpy(id.bytes.data() + sizeof high, &low, sizeof low);
  return id;
}

// Entries of an account in order, each with the balance that the one before left. As the table is read in
// its physical order, an account has mostly one run, and a new one wherever old space was used again.
struct Run {
  Units after = 0;
  Position last;
  Position first;
  Units before = 0;
};

// What every entry touches stands first: two cache lines. Credits are debits less the balance after the last one.
struct AccountState {
  std::int64_t id = 0;
  std::int64_t entries = 0;
  std::int32_t currency = -1;
  std::int16_t scale = 0;
  bool used = false;
  bool suspect = false;
  bool has_balance = false;
  bool is_quiet = false;    // nothing new, though its row names a recent transaction
  std::int32_t older = -1;  // the run before the newest, in Pass::runs
  Units debits = 0;
  Run run;  // the newest
};
struct OlderRun {
  Run run;
  std::int32_t older;
};

// Arithmetic modulo the prime 2^127 - 1, which no sum of a transaction reaches.
constexpr UnsignedUnits modulus = (static_cast<UnsignedUnits>(1) << 127) - 1;
constexpr UnsignedUnits reduced(UnsignedUnits value) {
  value = (value & modulus) + (value >> 127);
  return value >= modulus ? value - modulus : value;
}
constexpr UnsignedUnits residue(Units value) {
  return value >= 0 ? reduced(static_cast<UnsignedUnits>(value))
                    : modulus - reduced(static_cast<UnsignedUnits>(-value));
}
constexpr UnsignedUnits product(std::uint64_t weight, UnsignedUnits value) {
  const UnsignedUnits low = static_cast<UnsignedUnits>(weight) * static_cast<std::uint64_t>(value);
  const UnsignedUnits high =
      static_cast<UnsignedUnits>(weight) * static_cast<std::uint64_t>(value >> 64);
  // high x 2^64, of which what lies above bit 127 comes back at the bottom
  const UnsignedUnits wrapped =
      (high >> 63) + ((high & ((static_cast<UnsignedUnits>(1) << 63) - 1)) << 64);
  return reduced(reduced(low) + reduced(wrapped));
}

constexpr std::size_t most_loose_parts = 1000000;
constexpr std::uint64_t rows_between_looks = 65536;  // at the clock

constexpr std::size_t slot_hash(std::int64_t id) {
  return static_cast<std::size_t>(static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15U >> 20);
}

// The state of the pass. Its containers have their room before the executor runs, in whose calls nothing may throw.
class Pass {
 public:
  Pass(Ledger& ledger, const std::optional<VerifiedPoint>& since)
      : ledger_(ledger), since_(since), progress_(ledger) {}

  Suspects run();

 private:
  std::size_t read_counts();
  void load_accounts();
  void read_entries();
  void read_headers();
  void compare_balances();
  void resolve_loose_parts();
  void check_sums();
  void check_runs();
  void check_before();
  void check_quiet();
  void check_new_orphans();
  void collect_accounts();
  std::vector<Run> runs_of(const AccountState& account) const;

  AccountState* find(std::int64_t id) {
    for (std::size_t i = slot_hash(id) & mask_;; i = (i + 1) & mask_) {
      if (!states_[i].used) return nullptr;
      if (states_[i].id == id) return &states_[i];
    }
  }
  bool in_this_round(std::int64_t id) const {
    return rounds_ == 1 || slot_hash(id) / 65536 % rounds_ == round_;
  }
  std::uint64_t weight_of(Datum id) const {
    return hash_bytes_extended(DatumGetUUIDP(id)->data, UUID_LEN, key_);
  }
  void suspect_account(std::int64_t id) {
    if (unknown_.size() == unknown_.capacity())
      everything_suspect_ = true;
    else if (unknown_.empty() || unknown_.back() != id)
      unknown_.push_back(id);
  }
  void finish_part();
  void take_entry(const Datum* values, const bool* nulls);
  void follow(AccountState& account, const Position& position, Units amount, Units after);

  template <typename Receive>
  void read(const char* query, Receive&& receive) {
    static constexpr Oid types[] = {TEXTOID, UUIDOID};
    // How much came after the point is not the same from run to run.
    SPIPlanPtr plan = ledger_.plan(query, since_ ? 2 : 0, types,
                                   CURSOR_OPT_PARALLEL_OK | (since_ ? CURSOR_OPT_CUSTOM_PLAN : 0));
    pg_call([&] {
      Datum values[2] = {};
      if (since_) {
        values[0] = CStringGetTextDatum(psprintf(UINT64_FORMAT, since_->horizon));
        values[1] = datum_of(since_->first_id);
      }
      for_each_row(plan, values, nullptr, receive);
    });
  }

  Ledger& ledger_;
  const std::optional<VerifiedPoint>& since_;
  Progress progress_;
  Suspects suspects_;
  std::uint64_t key_ = 0;  // of the weights: nobody who damages rows can know it
  std::uint64_t rounds_ = 1;
  std::uint64_t round_ = 0;
  std::vector<AccountState> states_;
  std::size_t mask_ = 0;
  std::vector<OlderRun> runs_;
  std::vector<Position> loose_;        // parts of transactions without their line 1
  std::vector<std::int64_t> unknown_;  // accounts of entries that are not there
  std::vector<UnsignedUnits> sums_;    // by currency: each amount times its transaction's weight
  std::uint64_t lines_ = 0;            // sum of the weights of lines numbered 1
  std::uint64_t headers_ = 0;          // and of headers
  KnownIds ids_;                       // of transactions, for a full run
  Position previous_;
  bool in_part_ = false;  // the part that was read last, and whether it had a line 1
  bool has_first_line_ = false;
  std::uint64_t weight_ = 0;  // of the transaction that was read last
  bool everything_suspect_ = false;
};

std::size_t Pass::read_counts() {
  SPIPlanPtr plan = ledger_.plan(counts_query, 0, nullptr);
  std::size_t accounts = 0;
  std::size_t currencies = 0;
  auto receive = [&](const Datum* values, const bool*) {
    accounts = static_cast<std::size_t>(DatumGetInt64(values[0]));
    currencies = static_cast<std::size_t>(DatumGetInt64(values[1]));
  };
  pg_call([&] { for_each_row(plan, nullptr, nullptr, receive); });
  sums_.assign(currencies, 0);
  return accounts;
}

void Pass::load_accounts() {
  std::fill(states_.begin(), states_.end(), AccountState());
  runs_.clear();
  SPIPlanPtr plan = ledger_.plan(accounts_query, 0, nullptr);
  std::size_t loaded = 0;
  auto receive = [&](const Datum* values, const bool* nulls) {
    if (nulls[0] || nulls[1] || nulls[2]) return;
    const std::int64_t id = DatumGetInt64(values[0]);
    if (!in_this_round(id)) return;
    // Twice the same id: its index is gone. Its entries are looked at closely.
    if (AccountState* known = find(id)) {
      known->suspect = true;
      return;
    }
    // Ids chosen to fall into one round.
    if (++loaded > states_.size() * 7 / 8) return suspect_account(id);
    std::size_t at = slot_hash(id) & mask_;
    while (states_[at].used) at = (at + 1) & mask_;
    states_[at].used = true;
    states_[at].id = id;
    states_[at].currency = static_cast<std::int32_t>(DatumGetInt64(values[1]));
    states_[at].scale = DatumGetInt16(values[2]);
    if (states_[at].scale < 0 || states_[at].scale > max_scale) {
      states_[at].scale = 0;
      states_[at].suspect = true;
    }
  };
  pg_call([&] { for_each_row(plan, nullptr, nullptr, receive); });
}

bool read_units(Datum numeric, int scale, Units& units) {
  auto* value = reinterpret_cast<struct varlena*>(DatumGetPointer(numeric));
  // Nothing that a ledger writes is long enough to be compressed or stored apart.
  if (VARATT_IS_EXTENDED(value) && !VARATT_IS_SHORT(value)) return false;
  return units_from_numeric(numeric, scale, units) == AmountStatus::ok;
}

void Pass::take_entry(const Datum* values, const bool* nulls) {
  if (++suspects_.entries_read % rows_between_looks == 0)
    progress_.tell("entries", suspects_.entries_read, Table::entries);
  if (nulls[0] || nulls[1] || nulls[2] || nulls[3] || nulls[4] || nulls[5]) {
    suspects_.transactions = true;
    if (!nulls[0]) suspect_account(DatumGetInt64(values[0]));
    return;
  }
  const std::int64_t id = DatumGetInt64(values[0]);
  const Position position = position_of(values[1], DatumGetInt16(values[2]));
  const bool is_part = !in_part_ || !position.same_transaction(previous_);
  if (is_part) {
    finish_part();
    weight_ = weight_of(values[1]);
    previous_ = position;
    in_part_ = true;
    has_first_line_ = false;
  }
  if (position.line == 1) {
    if (round_ == 0) lines_ += weight_;
    has_first_line_ = true;
  }
  if (!in_this_round(id)) return;

  AccountState* account = find(id);
  Units amount = 0;
  Units after = 0;
  if (account == nullptr) {
    suspects_.transactions = true;
    suspect_account(id);
    return;
  }
  if (!read_units(values[4], account->scale, amount) || amount == 0) {
    suspects_.transactions = true;
    account->suspect = true;
    return;
  }
  UnsignedUnits& sum = sums_[static_cast<std::size_t>(account->currency)];
  sum = reduced(sum + product(weight_, residue(amount)));
  ++account->entries;
  if (DatumGetInt16(values[3]) != 0 || !read_units(values[5], account->scale, after) ||
      (amount > 0 && !add_units(account->debits, amount))) {
    account->suspect = true;
    return;
  }
  follow(*account, position, amount, after);
}

// Rows of one transaction that lie together are a part of it; mostly there is but one.
void Pass::finish_part() {
  if (round_ > 0 || !in_part_ || has_first_line_) return;
  if (loose_.size() == loose_.capacity())
    suspects_.transactions = true;
  else
    loose_.push_back(previous_);
}

// Appends an entry to the account's newest run, or begins another one.
void Pass::follow(AccountState& account, const Position& position, Units amount, Units after) {
  Run& run = account.run;
  Units expected = run.after;
  const bool is_next = account.entries > 1 && run.last < position && add_units(expected, amount) &&
                       expected == after;
  if (is_next) {
    run.last = position;
    run.after = after;
    return;
  }
  if (account.entries > 1) {
    if (runs_.size() == runs_.capacity()) {
      account.suspect = true;
      return;
    }
    runs_.push_back({run, account.older});
    account.older = static_cast<std::int32_t>(runs_.size()) - 1;
  }
  Units before = after;
  if (!add_units(before, -amount)) account.suspect = true;
  run = {after, position, position, before};
}

void Pass::read_entries() {
  read(since_ ? new_entries_query : entries_query,
       [this](const Datum* values, const bool* nulls) { take_entry(values, nulls); });
  finish_part();
  in_part_ = false;
}

void Pass::read_headers() {
  read(since_ ? new_headers_query : headers_query, [this](const Datum* values, const bool* nulls) {
    if (++suspects_.transactions_read % rows_between_looks == 0)
      progress_.tell("transactions", suspects_.transactions_read, Table::transactions);
    if (nulls[0] || nulls[1] || nulls[2]) {
      suspects_.transactions = true;
      return;
    }
    headers_ += weight_of(values[0]);
    if (!since_) {
      const Position position = position_of(values[0], 0);
      ids_.add(position.high, position.low);
    }
    const TransactionId id = id_from_datum(values[0]);
    const TimestampTz posted_at = DatumGetTimestampTz(values[1]);
    const TimestampTz effective_at = DatumGetTimestampTz(values[2]);
    if (TIMESTAMP_NOT_FINITE(posted_at) || TIMESTAMP_NOT_FINITE(effective_at) || !is_uuid_v7(id) ||
        timestamp_of(time_of(id)) != posted_at)
      suspects_.transactions = true;
    if (effective_at < posted_at) suspects_.periods = true;
    if (effective_at != posted_at) suspects_.dated = true;
  });
}

// A part without line 1 belongs to one that has it, elsewhere in the table; or it is of a transaction that was
// inserted by hand with other numbers, and counts once.
void Pass::resolve_loose_parts() {
  if (loose_.empty()) return;
  static constexpr Oid types[] = {UUIDARRAYOID};
  SPIPlanPtr plan = ledger_.plan(first_lines_query, 1, types);
  std::vector<pg_uuid_t> ids(loose_.size());
  std::vector<Datum> elements(loose_.size());
  for (std::size_t i = 0; i < loose_.size(); ++i) {
    memcpy(ids[i].data, id_of(loose_[i]).bytes.data(), UUID_LEN);
    elements[i] = UUIDPGetDatum(&ids[i]);
  }
  auto receive = [this](const Datum* values, const bool*) {
    if (!DatumGetBool(values[1])) lines_ += weight_of(values[0]);
  };
  pg_call([&] {
    const Datum array = array_of(elements, UUIDOID);
    for_each_row(plan, &array, nullptr, receive);
  });
}

// Every transaction sums to zero in every currency if these weighted sums do: a sum that is not zero is
// taken times a number that nobody knew.
void Pass::check_sums() {
  if (lines_ != headers_) suspects_.transactions = true;
  for (const UnsignedUnits sum : sums_)
    if (sum != 0) suspects_.transactions = true;
}

// The runs of an account in order.
std::vector<Run> Pass::runs_of(const AccountState& account) const {
  std::vector<Run> runs{account.run};
  for (std::int32_t older = account.older; older >= 0;
       older = runs_[static_cast<std::size_t>(older)].older)
    runs.push_back(runs_[static_cast<std::size_t>(older)].run);
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.first < b.first; });
  return runs;
}

// Runs must not overlap, and each must begin with what the one before has left, the first with nothing. What
// an incremental run sees begins somewhere.
void Pass::check_runs() {
  for (AccountState& account : states_) {
    if (!account.used || account.suspect || account.entries == 0) continue;
    if (account.older >= 0) {
      const std::vector<Run> runs = runs_of(account);
      for (std::size_t i = 1; i < runs.size(); ++i)
        if (!(runs[i - 1].last < runs[i].first) || runs[i - 1].after != runs[i].before)
          account.suspect = true;
      account.run = {runs.back().after, runs.back().last, runs.front().first, runs.front().before};
      account.older = -1;
    }
    if (!since_ && account.run.before != 0) account.suspect = true;
  }
}

void Pass::compare_balances() {
  SPIPlanPtr plan = ledger_.plan(balances_query, 0, nullptr);
  auto receive = [this](const Datum* values, const bool* nulls) {
    if (nulls[0]) return;
    const std::int64_t id = DatumGetInt64(values[0]);
    if (!in_this_round(id)) return;
    AccountState* account = find(id);
    if (account == nullptr) return;  // verify.sql says so
    const bool again = account->has_balance;
    account->has_balance = true;
    if (since_ && account->entries == 0) {
      account->is_quiet = !nulls[3] && !(id_from_datum(values[3]) < since_->first_id);
      return;
    }
    Units debits = 0;
    Units credits = 0;
    const bool readable = !nulls[1] && !nulls[2] && !nulls[4] && !nulls[5] &&
                          DatumGetInt16(values[1]) == 0 &&
                          read_units(values[4], account->scale, debits) &&
                          read_units(values[5], account->scale, credits);
    const bool last_agrees =
        account->entries == 0
            ? nulls[3]
            : !nulls[3] && position_of(values[3], 0).same_transaction(account->run.last);
    const bool totals_agree =
        debits - credits == account->run.after &&
        (since_ || (account->entries == DatumGetInt64(values[2]) && debits == account->debits));
    if (again || !readable || !last_agrees || !totals_agree) account->suspect = true;
  };
  pg_call([&] { for_each_row(plan, nullptr, nullptr, receive); });
  for (AccountState& account : states_)
    if (account.used && account.entries > 0 && !account.has_balance) account.suspect = true;
}

// What an incremental run sees of an account must follow on what was there before.
void Pass::check_before() {
  if (!since_) return;
  static constexpr Oid types[] = {INT8ARRAYOID, UUIDARRAYOID, INT2ARRAYOID, NUMERICARRAYOID};
  SPIPlanPtr plan = ledger_.plan(before_query, 4, types);
  std::vector<AccountState*> touched;
  for (AccountState& account : states_)
    if (account.used && account.entries > 0 && !account.suspect) touched.push_back(&account);
  if (touched.empty()) return;
  const std::size_t count = touched.size();
  std::vector<pg_uuid_t> ids(count);
  std::vector<Datum> arrays[4];
  for (std::vector<Datum>& array : arrays) array.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const AccountState& account = *touched[i];
    memcpy(ids[i].data, id_of(account.run.first).bytes.data(), UUID_LEN);
    arrays[0][i] = Int64GetDatum(account.id);
    arrays[1][i] = UUIDPGetDatum(&ids[i]);
    arrays[2][i] = Int16GetDatum(account.run.first.line);
    arrays[3][i] = pg_call([&] { return numeric_from_units(account.run.before, account.scale); });
  }
  auto receive = [this](const Datum* values, const bool*) {
    if (AccountState* account = find(DatumGetInt64(values[0]))) account->suspect = true;
  };
  pg_call([&] {
    const Datum values[] = {array_of(arrays[0], INT8OID), array_of(arrays[1], UUIDOID),
                            array_of(arrays[2], INT2OID), array_of(arrays[3], NUMERICOID)};
    for_each_row(plan, values, nullptr, receive);
  });
}

void Pass::check_quiet() {
  if (!since_) return;
  std::vector<Datum> ids;
  for (const AccountState& account : states_)
    if (account.used && account.is_quiet) ids.push_back(Int64GetDatum(account.id));
  if (ids.empty()) return;
  static constexpr Oid types[] = {INT8ARRAYOID};
  SPIPlanPtr plan = ledger_.plan(quiet_query, 1, types);
  auto receive = [this](const Datum* values, const bool*) {
    if (AccountState* account = find(DatumGetInt64(values[0]))) account->suspect = true;
  };
  pg_call([&] {
    const Datum array = array_of(ids, INT8OID);
    for_each_row(plan, &array, nullptr, receive);
  });
}

// Entries without a header have no xact_id: they are looked for among the newer ids.
void Pass::check_new_orphans() {
  static constexpr Oid types[] = {UUIDOID};
  SPIPlanPtr plan = ledger_.plan(new_orphans_query, 1, types);
  auto receive = [this](const Datum*, const bool*) { suspects_.transactions = true; };
  pg_call([&] {
    const Datum value = datum_of(since_->first_id);
    for_each_row(plan, &value, nullptr, receive);
  });
}

void Pass::collect_accounts() {
  for (const AccountState& account : states_)
    if (account.used && (account.suspect || everything_suspect_))
      suspects_.accounts.push_back(account.id);
}

Suspects Pass::run() {
  if (!pg_strong_random(&key_, sizeof key_)) pg_call([] { elog(ERROR, "no random numbers"); });
  const std::size_t accounts = read_counts();
  const std::size_t room = static_cast<std::size_t>(maintenance_work_mem) * 1024;
  const std::size_t most = std::max<std::size_t>(room / sizeof(AccountState) / 2, 512);
  rounds_ = accounts / most + 1;  // of reading the entries, each for a part of the accounts
  std::size_t slots = 1024;
  while (slots < accounts / rounds_ * 5 / 4 + accounts % rounds_) slots *= 2;
  if (rounds_ > 1) slots *= 2;  // the rounds are not of one size
  states_.resize(slots);
  mask_ = slots - 1;
  runs_.reserve(std::max<std::size_t>(room / sizeof(OlderRun) / 2, 1024));
  loose_.reserve(
      std::min(most_loose_parts, std::max<std::size_t>(room / sizeof(Position) / 4, 1024)));
  unknown_.reserve(100000);
  for (round_ = 0; round_ < rounds_; ++round_) {
    load_accounts();
    suspects_.entries_read = 0;
    read_entries();
    check_runs();
    compare_balances();
    check_before();
    check_quiet();
    collect_accounts();
  }
  round_ = 0;
  std::vector<AccountState>().swap(states_);
  std::vector<OlderRun>().swap(runs_);
  if (!since_) ids_.reserve();
  read_headers();
  resolve_loose_parts();
  check_sums();
  if (since_)
    check_new_orphans();
  else
    suspects_.keys = are_keys_suspect(ledger_, ids_);
  suspects_.accounts.insert(suspects_.accounts.end(), unknown_.begin(), unknown_.end());
  return std::move(suspects_);
}

}  // namespace

Progress::Progress(const Ledger& ledger)
    : ledger_(ledger), started_(GetCurrentTimestamp()), told_(started_) {}

void Progress::tell(const char* what, std::uint64_t done, Table table) {
  const int interval = progress_interval();
  const TimestampTz now = GetCurrentTimestamp();
  if (interval < 0 || now - told_ < static_cast<std::int64_t>(interval) * 1000) return;
  told_ = now;
  float4 rows = -1;
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(ledger_.relation(table)));
  if (HeapTupleIsValid(tuple)) {
    rows = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->reltuples;
    ReleaseSysCache(tuple);
  }
  ereport(NOTICE,
          (errmsg("verifying ledger \"%s\": " UINT64_FORMAT " of about %.0f %s after %lld s",
                  ledger_.name.c_str(), done, std::max<double>(rows, static_cast<double>(done)),
                  what, static_cast<long long>((now - started_) / USECS_PER_SEC))));
}

Suspects find_suspects(Ledger& ledger, const std::optional<VerifiedPoint>& since) {
  return Pass(ledger, since).run();
}

}  // namespace ledgerflow
