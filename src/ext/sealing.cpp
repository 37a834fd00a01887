// ledger_seal(): everything that is visible and in no seal yet goes into the next one. Membership is
// written down id by id: which transactions a seal holds depends on no clock, no counter and no server.
#include "ext/seals.hpp"
#include "ext/spi_rows.hpp"

extern "C" {
#include "access/transam.h"
}

namespace ledgerflow {

namespace {

constexpr const char* horizon_query =
    "SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()), "
    "pg_catalog.inet_client_addr()";
// Every entry counts one version of its account: what is visible, less what is sealed, is to be sealed.
constexpr const char* unsealed_entries_query =
    "SELECT CAST((SELECT coalesce(pg_catalog.sum(version), 0) FROM {ledger}.account_balances) "
    "OPERATOR(pg_catalog.-) (SELECT coalesce(pg_catalog.sum(entries), 0) FROM {ledger}.seals) "
    "AS pg_catalog.int8)";
constexpr const char* late_transactions_query =
    "SELECT t.id, (SELECT pg_catalog.count(*) FROM {ledger}.entries e "
    "WHERE e.transaction_id OPERATOR(pg_catalog.=) t.id) FROM {ledger}.transactions t "
    "WHERE t.id OPERATOR(pg_catalog.>) $1 AND t.id OPERATOR(pg_catalog.<=) $2 "
    "AND NOT EXISTS (SELECT FROM (SELECT pg_catalog.unnest(b.transaction_ids) AS id "
    "FROM {ledger}.seal_blocks b WHERE b.last_transaction_id OPERATOR(pg_catalog.>) $1) s "
    "WHERE s.id OPERATOR(pg_catalog.=) t.id) ORDER BY t.id";
constexpr const char* insert_block_statement =
    "INSERT INTO {ledger}.seal_blocks (seal, block, last_transaction_id, transaction_ids, marks, "
    "root) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr const char* insert_seal_statement =
    "INSERT INTO {ledger}.seals (seal, transactions, entries, late, last_transaction_id, "
    "sealed_at, sealed_by, client_address, server, horizon, next_xact_id, tree, root) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

constexpr Oid late_types[] = {UUIDOID, UUIDOID};
constexpr Oid block_types[] = {INT8OID, INT8OID, UUIDOID, UUIDARRAYOID, BYTEAOID, BYTEAOID};
constexpr Oid seal_types[] = {INT8OID, INT8OID, INT8OID, INT8OID, UUIDOID,  TIMESTAMPTZOID, TEXTOID,
                              INETOID, INT8OID, XID8OID, XID8OID, BYTEAOID, BYTEAOID};

// Latecomers are mostly of the minutes before the last seal: how far back to look, first and then.
constexpr std::int64_t late_windows[] = {3600 * 1000000LL, 24 * 3600 * 1000000LL};

Datum new_bytes(std::string_view bytes) { return new_text(bytes); }

// Gathers leaves into blocks, writes each that is full, and builds the tree over them.
class BlockWriter {
 public:
  BlockWriter(Ledger& ledger, std::int64_t seal)
      : plan_(ledger.plan(insert_block_statement, 6, block_types)), seal_(seal) {}

  void add(const SealedTransaction& transaction) {
    const Digest leaf = leaf_hash(sha256_, transaction.text.get());
    block_.add(leaf);
    ids_.push_back(transaction.id);
    marks_ += bytes_of(leaf).substr(0, leaf_mark_size);
    if (ids_.size() == seal_block_size) write();
  }

  Digest finish() {
    if (!ids_.empty()) write();
    return tree_.root();
  }

  Sha256& sha256() { return sha256_; }

 private:
  void write() {
    const Digest root = block_.root();
    tree_.add(root);
    const TransactionId last = *std::max_element(ids_.begin(), ids_.end());
    const Datum ids = new_id_array(ids_);
    const EngineWrites engine_writes;
    pg_call([&] {
      Datum values[] = {
          Int64GetDatum(seal_), Int64GetDatum(static_cast<std::int64_t>(tree_.size()) - 1),
          datum_of(last),       ids,
          new_bytes(marks_),    new_bytes(bytes_of(root))};
      execute(plan_, SPI_OK_INSERT, values);
      for (const int allocated : {3, 4, 5}) pfree(DatumGetPointer(values[allocated]));
    });
    block_.clear();
    ids_.clear();
    marks_.clear();
  }

  ServerSha256 sha256_;
  SPIPlanPtr plan_;
  std::int64_t seal_;
  MerkleTree tree_{sha256_};
  MerkleTree block_{sha256_};
  std::vector<TransactionId> ids_;
  std::string marks_;
};

// Transactions that became visible after the last seal although their ids are below its last one: those
// of database transactions that took their time. `entries`: how many entries there are to find.
std::vector<TransactionId> find_late(Ledger& ledger, const TransactionId& last,
                                     std::int64_t entries) {
  std::vector<TransactionId> found;
  const auto look = [&](const TransactionId& after) {
    found.clear();
    std::int64_t missing = entries;
    const Datum values[] = {datum_of(after), datum_of(last)};
    RowCursor rows(ledger.plan(late_transactions_query, 2, late_types), values);
    while (rows.next()) {
      found.push_back(id_from_datum(rows.value(0)));
      missing -= DatumGetInt64(rows.value(1));
    }
    return missing == 0;
  };
  const std::int64_t time = time_of(last);
  for (const std::int64_t window : late_windows)
    if (time > window && look(first_id_at(time - window))) return found;
  if (!look(lowest_id))
    pg_call([&] {
      ereport(WARNING,
              (errmsg("entries and balances of ledger \"%s\" disagree", ledger.name.c_str()),
               errhint("See what ledger_verify() and ledger_verify_seal() find.")));
    });
  return found;
}

std::int64_t unsealed_entries(Ledger& ledger) {
  const SingleRow row(ledger, unsealed_entries_query, 0, nullptr, nullptr);
  return DatumGetInt64(row.column(1));
}

void write_seal(Ledger& ledger, const Seal& seal, const TransactionId& last_transaction) {
  SPIPlanPtr plan = ledger.plan(insert_seal_statement, 13, seal_types);
  const EngineWrites engine_writes;
  pg_call([&] {
    Datum address = 0;
    if (seal.client_address)
      address = DirectFunctionCall1(inet_in, CStringGetDatum(seal.client_address->c_str()));
    const Datum values[] = {Int64GetDatum(seal.number),
                            Int64GetDatum(seal.transactions),
                            Int64GetDatum(seal.entries),
                            Int64GetDatum(seal.late),
                            datum_of(last_transaction),
                            TimestampTzGetDatum(timestamp_of(seal.sealed_at)),
                            new_text(seal.sealed_by),
                            address,
                            Int64GetDatum(seal.server.value_or(0)),
                            FullTransactionIdGetDatum(FullTransactionIdFromU64(seal.horizon)),
                            FullTransactionIdGetDatum(FullTransactionIdFromU64(seal.next)),
                            new_bytes(bytes_of(seal.tree)),
                            new_bytes(bytes_of(seal.root))};
    char nulls[] = "             ";
    nulls[7] = null_flag(!seal.client_address.has_value());
    nulls[8] = null_flag(!seal.server.has_value());
    execute(plan, SPI_OK_INSERT, values, nulls);
  });
}

// Seals what the active snapshot shows; nothing when there is nothing new.
std::optional<Seal> make_seal(Ledger& ledger, Oid caller, std::int64_t now,
                              const std::optional<LastSeal>& last) {
  Seal seal;
  seal.number = last ? last->seal.number + 1 : 1;
  seal.sealed_at = now;
  seal.server = sealing_server(ledger);
  {
    const SingleRow row(ledger, horizon_query, 0, nullptr, nullptr);
    seal.horizon = U64FromFullTransactionId(DatumGetFullTransactionId(row.column(1)));
    // Not the snapshot's xmax: later ones may have begun before it as well.
    seal.next = U64FromFullTransactionId(pg_call([] { return ReadNextFullTransactionId(); }));
    const std::optional<Datum> inet = row.nullable(2);
    // As a cast to text writes it.
    const char* address = pg_call([&] {
      return inet ? TextDatumGetCString(DirectFunctionCall1(network_show, *inet)) : nullptr;
    });
    if (address != nullptr) seal.client_address = address;
    const char* name = pg_call([&] { return GetUserNameFromId(caller, false); });
    seal.sealed_by = name;
  }

  BlockWriter blocks(ledger, seal.number);
  TransactionId last_transaction = last ? last->last_transaction : lowest_id;
  const auto add_all = [&](SealedRows& rows) {
    while (const SealedTransaction* transaction = rows.next()) {
      blocks.add(*transaction);
      ++seal.transactions;
      seal.entries += transaction->entries;
      if (last_transaction < transaction->id) last_transaction = transaction->id;
    }
  };
  {
    SealedRows rows(ledger, last_transaction, highest_id());
    add_all(rows);
  }
  if (last) {
    const std::int64_t missing = unsealed_entries(ledger) - seal.entries;
    if (missing != 0) {
      const std::vector<TransactionId> late = find_late(ledger, last->last_transaction, missing);
      seal.late = static_cast<std::int64_t>(late.size());
      if (!late.empty()) {
        SealedRows rows(ledger, late);
        add_all(rows);
      }
    }
  }
  if (seal.transactions == 0) return std::nullopt;

  seal.last_transaction = to_string(last_transaction);
  seal.tree = blocks.finish();
  const std::string sealed_by = seal.sealed_by;
  seal.sealed_by = pg_call([&] { return in_utf8(sealed_by); });
  seal.root = chained_root(blocks.sha256(), last ? last->seal.root : Digest{},
                           seal_text_hash(blocks.sha256(), seal_text(seal)));
  seal.sealed_by = sealed_by;
  write_seal(ledger, seal, last_transaction);
  return seal;
}

// The last seal, under the lock. A snapshot that is older than it cannot seal after it.
std::optional<LastSeal> last_seal_for_update(Ledger& ledger) {
  std::optional<LastSeal> last;
  if (IsolationUsesXactSnapshot()) {
    pg_call([] { PushActiveSnapshot(GetLatestSnapshot()); });
    const std::optional<LastSeal> newest = find_last_seal(ledger);
    pg_call([] { PopActiveSnapshot(); });
    last = find_last_seal(ledger);
    if ((newest ? newest->seal.number : 0) != (last ? last->seal.number : 0))
      pg_call([] {
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("could not serialize access due to concurrent update"),
                        errhint("Another session has sealed the ledger.")));
      });
    return last;
  }
  return find_last_seal(ledger);
}

Datum seal_result(FunctionCallInfo fcinfo, const std::optional<Seal>& seal, bool is_new) {
  const std::string root = seal ? to_hex(seal->root) : std::string();
  return pg_call([&] {
    TupleDesc descriptor = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
      elog(ERROR, "return type must be a row type");
    Datum values[6] = {};
    bool nulls[6] = {true, true, true, true, true, false};
    values[5] = BoolGetDatum(is_new);
    if (seal) {
      values[0] = Int64GetDatum(seal->number);
      values[1] = new_text(root);
      values[2] = Int64GetDatum(seal->transactions);
      values[3] = Int64GetDatum(seal->entries);
      values[4] = TimestampTzGetDatum(timestamp_of(seal->sealed_at));
      for (int i = 0; i < 5; ++i) nulls[i] = false;
    }
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
  });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_seal);
PGDLLEXPORT Datum ledgerflow_seal(PG_FUNCTION_ARGS) {
  return guarded([&] {
    Call call("ledger_seal()", name_argument(fcinfo, 0), Table::account_balances, ACL_UPDATE);
    std::optional<Seal> seal;
    bool is_new = false;
    call.as_owner([&] {
      // Another sealer waits; nobody else does: readers and postings do not lock this table so.
      std::int64_t now = 0;
      pg_call([&] {
        LockRelationOid(call.ledger().relation(Table::seals), ShareRowExclusiveLock);
        // The clock before the snapshot: what is not in it has ids from later on.
        now = unix_micros(GetCurrentTimestamp());
        CommandCounterIncrement();
      });
      call.push_whole_snapshot();
      Ledger& ledger = call.ledger();
      const std::optional<LastSeal> last = last_seal_for_update(ledger);
      seal = make_seal(ledger, call.caller(), now, last);
      is_new = seal.has_value();
      if (!is_new && last) seal = last->seal;
      pg_call([] { PopActiveSnapshot(); });
    });
    call.finish();
    return seal_result(fcinfo, seal, is_new);
  });
}

}  // extern "C"

}  // namespace ledgerflow
