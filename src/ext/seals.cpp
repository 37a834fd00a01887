#include "ext/seals.hpp"

namespace ledgerflow {

namespace {

#define SEAL_COLUMNS                                                                       \
  "SELECT seal, transactions, entries, late, last_transaction_id, sealed_at, "             \
  "sealed_by, pg_catalog.text(client_address), server, horizon, next_xact_id, tree, root " \
  "FROM {ledger}.seals "
constexpr const char* seals_in_range = SEAL_COLUMNS
    "WHERE seal OPERATOR(pg_catalog.>=) $1 AND seal OPERATOR(pg_catalog.<=) $2 "
    "ORDER BY seal";
constexpr const char* newest_seal = "SELECT pg_catalog.max(seal) FROM {ledger}.seals";
#undef SEAL_COLUMNS
constexpr const char* blocks_of_seal =
    "SELECT block, transaction_ids, marks, root FROM {ledger}.seal_blocks "
    "WHERE seal OPERATOR(pg_catalog.=) $1 ORDER BY block";
constexpr const char* block_of_seal =
    "SELECT block, transaction_ids, marks, root FROM {ledger}.seal_blocks "
    "WHERE seal OPERATOR(pg_catalog.=) $1 AND block OPERATOR(pg_catalog.=) $2";
constexpr const char* subscription_query =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel "
    "WHERE srrelid OPERATOR(pg_catalog.=) $1)";

constexpr Oid range_types[] = {INT8OID, INT8OID};
constexpr Oid seal_types[] = {INT8OID};
constexpr Oid relation_types[] = {OIDOID};

// Columns of SEAL_COLUMNS, from 0.
enum SealColumn {
  seal_number,
  seal_transactions,
  seal_entries,
  seal_late,
  seal_last_transaction,
  seal_sealed_at,
  seal_sealed_by,
  seal_client_address,
  seal_server,
  seal_horizon,
  seal_next,
  seal_tree,
  seal_root
};
enum BlockColumn { block_number, block_ids, block_marks, block_root };

std::string_view plain_view(Datum value) {
  return pg_call([&] { return view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(value))); });
}

}  // namespace

Digest stored_digest(Datum value) {
  Digest digest{};
  const std::string_view bytes = plain_view(value);
  if (bytes.size() == digest.size()) memcpy(digest.data(), bytes.data(), digest.size());
  return digest;
}

SealRows::SealRows(Ledger& ledger, std::int64_t from, std::int64_t to)
    : rows_(ledger.plan(seals_in_range, 2, range_types),
            std::array<Datum, 2>{Int64GetDatum(from), Int64GetDatum(to)}.data()) {}

const Seal* SealRows::next() {
  if (!rows_.next()) return nullptr;
  last_transaction_ = id_from_datum(rows_.value(seal_last_transaction));
  seal_.number = DatumGetInt64(rows_.value(seal_number));
  seal_.transactions = DatumGetInt64(rows_.value(seal_transactions));
  seal_.entries = DatumGetInt64(rows_.value(seal_entries));
  seal_.late = DatumGetInt64(rows_.value(seal_late));
  seal_.last_transaction = to_string(last_transaction_);
  seal_.sealed_at = unix_micros(DatumGetTimestampTz(rows_.value(seal_sealed_at)));
  const std::string_view sealed_by = plain_view(rows_.value(seal_sealed_by));
  seal_.sealed_by = pg_call([&] { return in_utf8(sealed_by); });
  seal_.client_address.reset();
  if (!rows_.is_null(seal_client_address))
    seal_.client_address = plain_view(rows_.value(seal_client_address));
  seal_.server.reset();
  if (!rows_.is_null(seal_server)) seal_.server = DatumGetInt64(rows_.value(seal_server));
  seal_.horizon = U64FromFullTransactionId(DatumGetFullTransactionId(rows_.value(seal_horizon)));
  seal_.next = U64FromFullTransactionId(DatumGetFullTransactionId(rows_.value(seal_next)));
  seal_.tree = stored_digest(rows_.value(seal_tree));
  seal_.root = stored_digest(rows_.value(seal_root));
  return &seal_;
}

SealBlockRows::SealBlockRows(Ledger& ledger, std::int64_t seal)
    : rows_(ledger.plan(blocks_of_seal, 1, seal_types),
            std::array<Datum, 1>{Int64GetDatum(seal)}.data()) {}

SealBlockRows::SealBlockRows(Ledger& ledger, std::int64_t seal, std::int64_t block)
    : rows_(ledger.plan(block_of_seal, 2, range_types),
            std::array<Datum, 2>{Int64GetDatum(seal), Int64GetDatum(block)}.data()) {}

const SealBlock* SealBlockRows::next() {
  if (!rows_.next()) return nullptr;
  block_.number = DatumGetInt64(rows_.value(block_number));
  block_.root = stored_digest(rows_.value(block_root));
  MemoryContextReset(scratch_);
  block_.marks = in_context(scratch_, [&] {
    return view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(rows_.value(block_marks))));
  });
  struct Ids {
    Datum* values;
    bool* nulls;
    int count;
  };
  const Ids ids = in_context(scratch_, [&] {
    Ids found{};
    deconstruct_array(DatumGetArrayTypeP(rows_.value(block_ids)), UUIDOID, UUID_LEN, false,
                      TYPALIGN_CHAR, &found.values, &found.nulls, &found.count);
    return found;
  });
  block_.ids.clear();
  // Only a hand can have put a NULL there: an id that no transaction has takes its place.
  for (int i = 0; i < ids.count; ++i)
    block_.ids.push_back(ids.nulls[i] ? lowest_id : id_from_datum(ids.values[i]));
  return &block_;
}

SingleRow::SingleRow(Ledger& ledger, const char* query, int parameters, const Oid* types,
                     const Datum* values) {
  SPIPlanPtr plan = ledger.plan(query, parameters, types);
  pg_call([&] {
    const int result = SPI_execute_plan(plan, const_cast<Datum*>(values), nullptr, true, 0);
    if (result != SPI_OK_SELECT || SPI_processed != 1)
      elog(ERROR, "a query of a ledger returned %d and " UINT64_FORMAT " rows", result,
           SPI_processed);
    tuple_ = SPI_tuptable->vals[0];
    descriptor_ = SPI_tuptable->tupdesc;
  });
}

std::optional<Datum> SingleRow::nullable(int column) const {
  return pg_call([&]() -> std::optional<Datum> {
    bool is_null = false;
    const Datum value = SPI_getbinval(tuple_, descriptor_, column, &is_null);
    if (is_null) return std::nullopt;
    return value;
  });
}

std::optional<LastSeal> find_last_seal(Ledger& ledger) {
  const SingleRow row(ledger, newest_seal, 0, nullptr, nullptr);
  const std::optional<Datum> number = row.nullable(1);
  if (!number) return std::nullopt;
  SealRows rows(ledger, DatumGetInt64(*number), DatumGetInt64(*number));
  const Seal* seal = rows.next();
  if (seal == nullptr) return std::nullopt;
  LastSeal last{*seal, rows.last_transaction()};
  rows.close();
  return last;
}

std::optional<Seal> find_seal(Ledger& ledger, std::int64_t number) {
  SealRows rows(ledger, number, number);
  const Seal* seal = rows.next();
  if (seal == nullptr) return std::nullopt;
  const Seal found = *seal;
  rows.close();
  return found;
}

bool is_subscriber(Ledger& ledger) {
  const Datum relation = ObjectIdGetDatum(ledger.relation(Table::transactions));
  return DatumGetBool(
      SingleRow(ledger, subscription_query, 1, relation_types, &relation).column(1));
}

std::optional<std::int64_t> sealing_server(Ledger& ledger) {
  if (is_subscriber(ledger)) return std::nullopt;
  return static_cast<std::int64_t>(GetSystemIdentifier());
}

}  // namespace ledgerflow
