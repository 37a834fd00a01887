#include "ext/spi_store.hpp"

#include "ext/datums.hpp"

namespace ledgerflow {

namespace {

// Every name is written in full, operators too: what the caller's search_path holds does not matter.
// A plain constant is the identity of its plan.
constexpr const char* lock_query =
    "SELECT account_id, version, last_transaction_id, status, debits_posted, credits_posted, "
    "debits_pending, credits_pending, min_balance, max_balance "
    "FROM {ledger}.account_balances "
    "WHERE account_id OPERATOR(pg_catalog.=) ANY ($1) AND stripe OPERATOR(pg_catalog.=) 0 "
    "ORDER BY account_id FOR NO KEY UPDATE";
constexpr const char* claim_key_statement =
    "INSERT INTO {ledger}.idempotency_keys (key, transaction_id) VALUES ($1, $2) "
    "ON CONFLICT DO NOTHING";
constexpr const char* find_key_query =
    "SELECT transaction_id FROM {ledger}.idempotency_keys WHERE key OPERATOR(pg_catalog.=) $1";
constexpr const char* drop_key_statement =
    "DELETE FROM {ledger}.idempotency_keys WHERE key OPERATOR(pg_catalog.=) $1";
constexpr const char* find_reference_query =
    "SELECT id FROM {ledger}.transactions WHERE reference OPERATOR(pg_catalog.=) $1";
constexpr const char* load_transaction_query =
    "SELECT effective_at, reference, description, metadata FROM {ledger}.transactions "
    "WHERE id OPERATOR(pg_catalog.=) $1";
constexpr const char* load_entries_query =
    "SELECT account_id, amount FROM {ledger}.entries "
    "WHERE transaction_id OPERATOR(pg_catalog.=) $1 ORDER BY line";
constexpr const char* insert_transaction_statement =
    "INSERT INTO {ledger}.transactions (id, posted_at, effective_at, xact_id, created_by, "
    "reference, "
    "description, metadata) VALUES ($1, $2, $3, pg_catalog.pg_current_xact_id(), $4, $5, $6, $7)";
constexpr const char* insert_entries_statement =
    "INSERT INTO {ledger}.entries (account_id, transaction_id, line, amount, balance_after) "
    "SELECT * FROM unnest($1, $2, $3, $4, $5)";
constexpr const char* insert_two_entries_statement =
    "INSERT INTO {ledger}.entries (account_id, transaction_id, line, amount, balance_after) "
    "VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)";
constexpr const char* complete_entry_statement =
    "UPDATE {ledger}.entries SET balance_after = $3, amount = $4 "
    "WHERE transaction_id OPERATOR(pg_catalog.=) $1 AND line OPERATOR(pg_catalog.=) $2";
constexpr const char* update_balance_statement =
    "UPDATE {ledger}.account_balances SET version = $2, last_transaction_id = $3, "
    "debits_posted = $4, credits_posted = $5, debits_pending = $6, credits_pending = $7 "
    "WHERE account_id OPERATOR(pg_catalog.=) $1 AND stripe OPERATOR(pg_catalog.=) 0 "
    "AND version OPERATOR(pg_catalog.=) $8";
constexpr const char* update_rules_statement =
    "UPDATE {ledger}.account_balances SET status = $2, min_balance = $3, max_balance = $4 "
    "WHERE account_id OPERATOR(pg_catalog.=) $1 AND stripe OPERATOR(pg_catalog.=) 0";

constexpr char null_flag(bool is_null) { return is_null ? 'n' : ' '; }

// A statement that must write so many rows. What the engine computed is refused where a user's trigger has
// changed the rows under it (a posting of its own on the same account) or kept some from being written.
void write_rows(SPIPlanPtr plan, int expected, std::uint64_t rows, const Datum* values,
                const char* nulls = nullptr) {
  execute(plan, expected, values, nulls);
  if (SPI_processed == rows) return;
  ereport(ERROR,
          (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
           errmsg("a trigger on the ledger's tables interfered with a posting"),
           errdetail("Rows that the ledger was writing were changed or suppressed by the trigger."),
           errhint("Post on the same accounts only in AFTER triggers on transactions or entries, "
                   "and let every row through.")));
}

// Columns of the current result row; raises, so only inside pg_call.
struct Row {
  HeapTuple tuple;
  TupleDesc descriptor;

  Datum column(int number) const {
    bool is_null = false;
    const Datum value = SPI_getbinval(tuple, descriptor, number, &is_null);
    if (is_null) elog(ERROR, "column %d of a ledger's row is NULL", number);
    return value;
  }
  std::optional<Datum> nullable(int number) const {
    bool is_null = false;
    const Datum value = SPI_getbinval(tuple, descriptor, number, &is_null);
    if (is_null) return std::nullopt;
    return value;
  }
  Units units(int number, int scale) const {
    Units units = 0;
    if (units_from_numeric(PointerGetDatum(PG_DETOAST_DATUM_PACKED(column(number))), scale,
                           units) != AmountStatus::ok)
      elog(ERROR, "a ledger's row holds an amount that no ledger writes");
    return units;
  }
};

Row result_row(std::uint64_t number) { return {SPI_tuptable->vals[number], SPI_tuptable->tupdesc}; }

// A text or jsonb of a row, on its own. Two steps, as a C++ string must not meet a longjmp.
std::optional<std::string> copied_text(const Row& row, int column, bool whole_value) {
  const auto view = pg_call([&]() -> std::optional<std::string_view> {
    const std::optional<Datum> value = row.nullable(column);
    if (!value) return std::nullopt;
    if (!whole_value) return view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(*value)));
    const struct varlena* plain = PG_DETOAST_DATUM(*value);
    return std::string_view(reinterpret_cast<const char*>(plain), VARSIZE(plain));
  });
  if (!view) return std::nullopt;
  return std::string(*view);
}

void fill_balance(const Row& row, Balance& balance) {
  const int scale = balance.account->scale;
  if (DatumGetInt64(row.column(1)) != balance.account->id)
    elog(ERROR, "an account of the ledger has no row in account_balances");
  balance.version = DatumGetInt64(row.column(2));
  balance.found_version = balance.version;
  const std::optional<Datum> last = row.nullable(3);
  if (last) balance.last_transaction = id_from_datum(*last);
  const std::optional<Status> status =
      status_from_string(view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(row.column(4)))));
  if (!status) elog(ERROR, "an account of the ledger has an unknown status");
  balance.status = *status;
  balance.debits_posted = row.units(5, scale);
  balance.credits_posted = row.units(6, scale);
  balance.debits_pending = row.units(7, scale);
  balance.credits_pending = row.units(8, scale);
  if (row.nullable(9)) balance.min_balance = row.units(9, scale);
  if (row.nullable(10)) balance.max_balance = row.units(10, scale);
}

Datum array_of(const std::vector<Datum>& elements, Oid type, int length, bool by_value,
               char align) {
  return PointerGetDatum(construct_array(const_cast<Datum*>(elements.data()),
                                         static_cast<int>(elements.size()), type, length, by_value,
                                         align));
}

// A generator of random numbers for ids: seeded from the operating system once per backend.
std::uint64_t next_random() {
  static std::uint64_t state = 0;
  if (state == 0 && !pg_strong_random(&state, sizeof state))
    elog(ERROR, "could not get random bits");
  // SplitMix64 (Steele, Lea and Flood, 2014).
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

}  // namespace

TransactionId new_transaction_id() {
  return make_transaction_id(unix_micros(GetCurrentTimestamp()),
                             pg_call([] { return next_random(); }), std::nullopt);
}

std::int64_t SpiStore::clock() { return unix_micros(GetCurrentTimestamp()); }

std::uint64_t SpiStore::random() {
  return pg_call([] { return next_random(); });
}

void SpiStore::lock_balances(std::vector<Balance>& balances) {
  static constexpr Oid types[] = {INT8ARRAYOID};
  SPIPlanPtr plan = ledger_.plan(lock_query, 1, types);
  std::vector<Datum> ids;
  ids.reserve(balances.size());
  for (const Balance& balance : balances) ids.push_back(Int64GetDatum(balance.account->id));
  pg_call([&] {
    const Datum array =
        array_of(ids, INT8OID, sizeof(std::int64_t), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
    execute(plan, SPI_OK_SELECT, &array);
    if (SPI_processed != balances.size())
      elog(ERROR, "an account of the ledger has no row in account_balances");
    for (std::uint64_t i = 0; i < SPI_processed; ++i) fill_balance(result_row(i), balances[i]);
    SPI_freetuptable(SPI_tuptable);
  });
}

void SpiStore::claim_keys(std::vector<KeyClaim>& claims) {
  static constexpr Oid types[] = {TEXTOID, UUIDOID};
  SPIPlanPtr claim_plan = ledger_.plan(claim_key_statement, 2, types);
  SPIPlanPtr find_plan = ledger_.plan(find_key_query, 1, types);
  const EngineWrites engine_writes;
  for (KeyClaim& claim : claims) {
    pg_call([&] {
      const Datum values[] = {new_text(claim.key), datum_of(claim.id)};
      execute(claim_plan, SPI_OK_INSERT, values);
      if (SPI_processed == 1) return;
      execute(find_plan, SPI_OK_SELECT, values);
      if (SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("idempotency key was removed by a concurrent transaction"),
                        errhint("Retry the transaction.")));
      claim.taken_by = id_from_datum(result_row(0).column(1));
    });
  }
}

void SpiStore::drop_keys(const std::vector<std::string_view>& keys) {
  static constexpr Oid types[] = {TEXTOID};
  SPIPlanPtr plan = ledger_.plan(drop_key_statement, 1, types);
  const EngineWrites engine_writes;
  for (const std::string_view key : keys)
    pg_call([&] {
      const Datum value = new_text(key);
      execute(plan, SPI_OK_DELETE, &value);
    });
}

void SpiStore::find_references(std::vector<ReferenceUse>& uses) {
  static constexpr Oid types[] = {TEXTOID};
  SPIPlanPtr plan = ledger_.plan(find_reference_query, 1, types);
  for (ReferenceUse& use : uses)
    pg_call([&] {
      const Datum value = new_text(use.reference);
      execute(plan, SPI_OK_SELECT, &value);
      if (SPI_processed > 0) use.taken_by = id_from_datum(result_row(0).column(1));
    });
}

StoredTransaction SpiStore::load(const TransactionId& id) {
  static constexpr Oid types[] = {UUIDOID};
  SPIPlanPtr transaction_plan = ledger_.plan(load_transaction_query, 1, types);
  SPIPlanPtr entries_plan = ledger_.plan(load_entries_query, 1, types);
  const Datum key = datum_of(id);
  StoredTransaction stored;
  stored.id = id;

  pg_call([&] { execute(transaction_plan, SPI_OK_SELECT, &key); });
  if (SPI_processed != 1)
    throw Error(Condition::transaction_not_found,
                "transaction " + to_string(id) + " does not exist");
  const Row header = result_row(0);
  stored.effective_at = unix_micros(pg_call([&] { return DatumGetTimestampTz(header.column(1)); }));
  stored.reference = copied_text(header, 2, false);
  stored.description = copied_text(header, 3, false);
  stored.metadata = copied_text(header, 4, true);

  pg_call([&] { execute(entries_plan, SPI_OK_SELECT, &key); });
  const std::uint64_t count = SPI_processed;
  SPITupleTable* const table = SPI_tuptable;
  stored.entries.resize(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Row row{table->vals[i], table->tupdesc};
    const std::int64_t account_id = pg_call([&] { return DatumGetInt64(row.column(1)); });
    const int scale = account(account_id).scale;
    stored.entries[i] = {account_id, pg_call([&] { return row.units(2, scale); })};
  }
  return stored;
}

bool SpiStore::same_json(std::string_view a, std::string_view b) {
  return pg_call([&] {
    auto* left = reinterpret_cast<Jsonb*>(const_cast<char*>(a.data()));
    auto* right = reinterpret_cast<Jsonb*>(const_cast<char*>(b.data()));
    return compareJsonbContainers(&left->root, &right->root) == 0;
  });
}

std::string SpiStore::show_json(std::string_view json) {
  return pg_call([&] {
    auto* value = reinterpret_cast<Jsonb*>(const_cast<char*>(json.data()));
    return JsonbToCString(nullptr, &value->root, static_cast<int>(json.size()));
  });
}

void SpiStore::insert_transaction(const Journal::Transaction& transaction) {
  static constexpr Oid types[] = {UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID,
                                  TEXTOID, TEXTOID,        JSONBOID};
  SPIPlanPtr plan = ledger_.plan(insert_transaction_statement, 7, types);
  const Posting& posting = *transaction.posting;
  bool duplicate = false;
  try {
    pg_call([&] {
      const Datum values[] = {
          datum_of(transaction.id),
          TimestampTzGetDatum(timestamp_of(transaction.posted_at)),
          TimestampTzGetDatum(timestamp_of(posting.effective_at.value_or(transaction.posted_at))),
          CStringGetTextDatum(GetUserNameFromId(author_, false)),
          posting.reference ? new_text(*posting.reference) : Datum{0},
          posting.description ? new_text(*posting.description) : Datum{0},
          posting.metadata ? PointerGetDatum(posting.metadata->data()) : Datum{0}};
      const char nulls[] = {' ',
                            ' ',
                            ' ',
                            ' ',
                            null_flag(!posting.reference),
                            null_flag(!posting.description),
                            null_flag(!posting.metadata),
                            '\0'};
      write_rows(plan, SPI_OK_INSERT, 1, values, nulls);
    });
  } catch (const PgError& error) {
    // Another session has posted the same reference since it was looked for.
    duplicate = posting.reference && error.data->sqlerrcode == ERRCODE_UNIQUE_VIOLATION;
    if (!duplicate) throw;
  }
  if (duplicate)
    throw Error(Condition::duplicate_reference,
                "reference " + quoted(*posting.reference) + " is used already",
                "It belongs to a transaction that was posted at the same time.");
}

void SpiStore::insert_entries(const std::vector<Journal::Entry>& entries) {
  static constexpr Oid types[] = {INT8OID, UUIDOID, INT2OID, NUMERICOID, NUMERICOID,
                                  INT8OID, UUIDOID, INT2OID, NUMERICOID, NUMERICOID};
  static constexpr Oid array_types[] = {INT8ARRAYOID, UUIDARRAYOID, INT2ARRAYOID, NUMERICARRAYOID,
                                        NUMERICARRAYOID};
  constexpr std::size_t columns = 5;
  const auto values_of = [](const Journal::Entry& entry, Datum* values) {
    values[0] = Int64GetDatum(entry.account->id);
    values[1] = datum_of(entry.transaction);
    values[2] = Int16GetDatum(static_cast<std::int16_t>(entry.line));
    values[3] = numeric_from_units(entry.amount, entry.account->scale);
    values[4] = numeric_from_units(entry.balance_after, entry.account->scale);
  };
  if (entries.size() == 2) {
    SPIPlanPtr plan = ledger_.plan(insert_two_entries_statement, 2 * columns, types);
    pg_call([&] {
      Datum values[2 * columns];
      values_of(entries[0], values);
      values_of(entries[1], values + columns);
      write_rows(plan, SPI_OK_INSERT, 2, values);
    });
    return;
  }
  SPIPlanPtr plan = ledger_.plan(insert_entries_statement, columns, array_types);
  std::vector<Datum> cells[columns];
  for (auto& column : cells) column.resize(entries.size());
  pg_call([&] {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      Datum values[columns];
      values_of(entries[i], values);
      for (std::size_t column = 0; column < columns; ++column) cells[column][i] = values[column];
    }
    const Datum arrays[columns] = {
        array_of(cells[0], INT8OID, sizeof(std::int64_t), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE),
        array_of(cells[1], UUIDOID, UUID_LEN, false, TYPALIGN_CHAR),
        array_of(cells[2], INT2OID, sizeof(std::int16_t), true, TYPALIGN_SHORT),
        array_of(cells[3], NUMERICOID, -1, false, TYPALIGN_INT),
        array_of(cells[4], NUMERICOID, -1, false, TYPALIGN_INT)};
    write_rows(plan, SPI_OK_INSERT, entries.size(), arrays);
  });
}

void SpiStore::update_balances(const std::vector<Balance>& balances) {
  static constexpr Oid types[] = {INT8OID,    INT8OID,    UUIDOID,    NUMERICOID,
                                  NUMERICOID, NUMERICOID, NUMERICOID, INT8OID};
  SPIPlanPtr plan = ledger_.plan(update_balance_statement, 8, types);
  for (const Balance& balance : balances) {
    if (!balance.changed) continue;
    pg_call([&] {
      const int scale = balance.account->scale;
      const Datum values[] = {
          Int64GetDatum(balance.account->id),
          Int64GetDatum(balance.version),
          balance.last_transaction ? datum_of(*balance.last_transaction) : Datum{0},
          numeric_from_units(balance.debits_posted, scale),
          numeric_from_units(balance.credits_posted, scale),
          numeric_from_units(balance.debits_pending, scale),
          numeric_from_units(balance.credits_pending, scale),
          Int64GetDatum(balance.found_version)};
      const char nulls[] = {' ', ' ', null_flag(!balance.last_transaction), ' ', ' ', ' ', ' ',
                            ' ', '\0'};
      write_rows(plan, SPI_OK_UPDATE, 1, values, nulls);
    });
  }
}

void SpiStore::write(const Journal& journal, const std::vector<Balance>& balances) {
  const EngineWrites engine_writes;
  // Balances first: a trigger of the user's on the other tables may post, and must find them up to date.
  update_balances(balances);
  for (const Journal::Transaction& transaction : journal.transactions)
    insert_transaction(transaction);
  insert_entries(journal.entries);
}

void SpiStore::complete(const Journal& journal, const std::vector<Balance>& balances) {
  static constexpr Oid types[] = {UUIDOID, INT2OID, NUMERICOID, NUMERICOID};
  SPIPlanPtr plan = ledger_.plan(complete_entry_statement, 4, types);
  const EngineWrites engine_writes;
  update_balances(balances);
  for (const Journal::Entry& entry : journal.entries)
    pg_call([&] {
      const Datum values[] = {datum_of(entry.transaction),
                              Int16GetDatum(static_cast<std::int16_t>(entry.line)),
                              numeric_from_units(entry.balance_after, entry.account->scale),
                              numeric_from_units(entry.amount, entry.account->scale)};
      write_rows(plan, SPI_OK_UPDATE, 1, values);
    });
}

void SpiStore::write_rules(const Balance& balance) {
  static constexpr Oid types[] = {INT8OID, TEXTOID, NUMERICOID, NUMERICOID};
  SPIPlanPtr plan = ledger_.plan(update_rules_statement, 4, types);
  const EngineWrites engine_writes;
  pg_call([&] {
    const int scale = balance.account->scale;
    const auto limit = [&](const std::optional<Units>& units) {
      return units ? numeric_from_units(*units, scale) : Datum{0};
    };
    const Datum values[] = {Int64GetDatum(balance.account->id),
                            CStringGetTextDatum(to_string(balance.status)),
                            limit(balance.min_balance), limit(balance.max_balance)};
    const char nulls[] = {' ', ' ', null_flag(!balance.min_balance),
                          null_flag(!balance.max_balance), '\0'};
    execute(plan, SPI_OK_UPDATE, values, nulls);
  });
}

}  // namespace ledgerflow
