#include "ext/spi_store.hpp"

#include "ext/spi_rows.hpp"

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
constexpr const char* claim_key_with_request_statement =
    "INSERT INTO {ledger}.idempotency_keys (key, transaction_id, request) "
    "VALUES ($1, $2, pg_catalog.jsonb_object($3, $4)) ON CONFLICT DO NOTHING";
constexpr const char* find_request_query =
    "SELECT r.key, r.value FROM {ledger}.idempotency_keys k, "
    "pg_catalog.jsonb_each_text(k.request) AS r WHERE k.key OPERATOR(pg_catalog.=) $1";
constexpr const char* find_key_query =
    "SELECT transaction_id FROM {ledger}.idempotency_keys WHERE key OPERATOR(pg_catalog.=) $1";
constexpr const char* drop_key_statement =
    "DELETE FROM {ledger}.idempotency_keys WHERE key OPERATOR(pg_catalog.=) $1";
constexpr const char* find_reference_query =
    "SELECT id FROM {ledger}.transactions WHERE reference OPERATOR(pg_catalog.=) $1";
constexpr const char* find_hold_reference_query =
    "SELECT id FROM {ledger}.holds WHERE reference OPERATOR(pg_catalog.=) $1";
constexpr const char* closed_through_query = "SELECT closed_through FROM {ledger}.settings";
constexpr const char* closed_through_locking_query =
    "SELECT closed_through FROM {ledger}.settings FOR SHARE";
// The transaction and everything that reverses it, directly or not.
constexpr const char* unreversed_query =
    "WITH RECURSIVE tree (id) AS (SELECT $1 UNION ALL "
    "SELECT t.id FROM tree JOIN {ledger}.transactions t ON t.reverses OPERATOR(pg_catalog.=) "
    "tree.id) "
    "SELECT e.account_id, pg_catalog.sum(e.amount) FROM tree "
    "JOIN {ledger}.entries e ON e.transaction_id OPERATOR(pg_catalog.=) tree.id "
    "GROUP BY e.account_id ORDER BY e.account_id";
constexpr const char* is_reversed_query =
    "SELECT 1 FROM {ledger}.transactions WHERE reverses OPERATOR(pg_catalog.=) $1 LIMIT 1";
constexpr const char* load_transaction_query =
    "SELECT effective_at, reference, description, metadata, reverses FROM {ledger}.transactions "
    "WHERE id OPERATOR(pg_catalog.=) $1";
constexpr const char* load_entries_query =
    "SELECT account_id, amount FROM {ledger}.entries "
    "WHERE transaction_id OPERATOR(pg_catalog.=) $1 ORDER BY line";
constexpr const char* insert_transaction_statement =
    "INSERT INTO {ledger}.transactions (id, posted_at, effective_at, xact_id, created_by, "
    "reference, description, metadata, reverses, hold) "
    "VALUES ($1, $2, $3, pg_catalog.pg_current_xact_id(), $4, $5, $6, $7, $8, $9)";
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

void fill_balance(const Row& row, Balance& balance) {
  const int scale = balance.account->scale;
  if (DatumGetInt64(row.column(1)) != balance.account->id) refuse_missing_balance();
  balance.version = DatumGetInt64(row.column(2));
  balance.found_version = balance.version;
  const std::optional<Datum> last = row.nullable(3);
  if (last) balance.last_transaction = id_from_datum(*last);
  const std::optional<Status> status =
      status_from_string(view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(row.column(4)))));
  if (!status) raise_damaged("an account of the ledger has an unknown status");
  balance.status = *status;
  balance.debits_posted = row.units(5, scale);
  balance.credits_posted = row.units(6, scale);
  balance.debits_pending = row.units(7, scale);
  balance.credits_pending = row.units(8, scale);
  if (row.nullable(9)) balance.min_balance = row.units(9, scale);
  if (row.nullable(10)) balance.max_balance = row.units(10, scale);
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

std::int64_t SpiStore::clock() { return clock_ = unix_micros(GetCurrentTimestamp()); }

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
    const Datum array = array_of(ids, INT8OID);
    execute(plan, SPI_OK_SELECT, &array);
    if (SPI_processed != balances.size()) refuse_missing_balance();
    for (std::uint64_t i = 0; i < SPI_processed; ++i) fill_balance(result_row(i), balances[i]);
    SPI_freetuptable(SPI_tuptable);
    // Before the clock is read: no period that ends later is closed until this is posted.
    LockRelationOid(ledger_.relation(Table::transactions), RowExclusiveLock);
  });
}

void SpiStore::claim_keys(std::vector<KeyClaim>& claims) {
  static constexpr Oid types[] = {TEXTOID, UUIDOID, TEXTARRAYOID, TEXTARRAYOID};
  SPIPlanPtr find_plan = ledger_.plan(find_key_query, 1, types);
  const EngineWrites engine_writes;
  for (KeyClaim& claim : claims) {
    SPIPlanPtr claim_plan = claim.request == nullptr
                                ? ledger_.plan(claim_key_statement, 2, types)
                                : ledger_.plan(claim_key_with_request_statement, 4, types);
    std::vector<Datum> names;
    std::vector<Datum> fields;
    if (claim.request != nullptr) {
      names.resize(claim.request->size());
      fields.resize(claim.request->size());
    }
    pg_call([&] {
      for (std::size_t i = 0; i < names.size(); ++i) {
        names[i] = new_text((*claim.request)[i].first);
        fields[i] = new_text((*claim.request)[i].second);
      }
      Datum values[] = {new_text(claim.key), datum_of(claim.id), Datum{0}, Datum{0}};
      if (!names.empty()) {
        values[2] = array_of(names, TEXTOID);
        values[3] = array_of(fields, TEXTOID);
      }
      execute(claim_plan, SPI_OK_INSERT, values);
      if (SPI_processed == 1) return;
      execute(find_plan, SPI_OK_SELECT, values);
      if (SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("idempotency key was removed by a concurrent transaction"),
                        errhint("Retry the transaction.")));
      claim.taken_by = id_from_datum(result_row(0).column(1));
    });
    if (claim.taken_by) read_request(claim);
  }
}

void SpiStore::read_request(KeyClaim& claim) {
  static constexpr Oid types[] = {TEXTOID};
  SPIPlanPtr plan = ledger_.plan(find_request_query, 1, types);
  pg_call([&] {
    const Datum value = new_text(claim.key);
    execute(plan, SPI_OK_SELECT, &value);
  });
  const std::uint64_t count = SPI_processed;
  SPITupleTable* const table = SPI_tuptable;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Row row{table->vals[i], table->tupdesc};
    claim.stored.emplace_back(copied_text(row, 1, false).value_or(""),
                              copied_text(row, 2, false).value_or(""));
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

void SpiStore::find_references(std::vector<ReferenceUse>& uses, bool holds) {
  static constexpr Oid types[] = {TEXTOID};
  SPIPlanPtr plan =
      ledger_.plan(holds ? find_hold_reference_query : find_reference_query, 1, types);
  for (ReferenceUse& use : uses)
    pg_call([&] {
      const Datum value = new_text(use.reference);
      execute(plan, SPI_OK_SELECT, &value);
      if (SPI_processed > 0) use.taken_by = id_from_datum(result_row(0).column(1));
    });
}

// A closing waits for the postings that are under way (they hold this lock on transactions), and they read
// what it left after they have it. A snapshot from before is caught by locking the row as well.
std::optional<std::int64_t> SpiStore::closed_through() {
  SPIPlanPtr plan = ledger_.plan(
      IsolationUsesXactSnapshot() ? closed_through_locking_query : closed_through_query, 0,
      nullptr);
  return pg_call([&]() -> std::optional<std::int64_t> {
    LockRelationOid(ledger_.relation(Table::transactions), RowExclusiveLock);
    execute(plan, SPI_OK_SELECT, nullptr);
    if (SPI_processed != 1) raise_damaged("the ledger's settings have no row");
    const std::optional<Datum> time = result_row(0).nullable(1);
    if (!time) return std::nullopt;
    return unix_micros(DatumGetTimestampTz(*time));
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
  const std::optional<Datum> reverses = pg_call([&] { return header.nullable(5); });
  if (reverses) stored.reverses = id_from_datum(*reverses);

  stored.entries = read_entries(entries_plan, id);
  return stored;
}

std::vector<StoredTransaction::Entry> SpiStore::read_entries(SPIPlanPtr plan,
                                                             const TransactionId& id) {
  const Datum key = datum_of(id);
  pg_call([&] { execute(plan, SPI_OK_SELECT, &key); });
  const std::uint64_t count = SPI_processed;
  SPITupleTable* const table = SPI_tuptable;
  std::vector<StoredTransaction::Entry> entries(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Row row{table->vals[i], table->tupdesc};
    entries[i].account = &account(pg_call([&] { return DatumGetInt64(row.column(1)); }));
    entries[i].amount = pg_call([&] { return row.units(2, entries[i].account->scale); });
  }
  return entries;
}

std::vector<StoredTransaction::Entry> SpiStore::unreversed(const TransactionId& id) {
  static constexpr Oid types[] = {UUIDOID};
  return read_entries(ledger_.plan(unreversed_query, 1, types), id);
}

bool SpiStore::is_reversed(const TransactionId& id) {
  static constexpr Oid types[] = {UUIDOID};
  SPIPlanPtr plan = ledger_.plan(is_reversed_query, 1, types);
  return pg_call([&] {
    const Datum key = datum_of(id);
    execute(plan, SPI_OK_SELECT, &key);
    return SPI_processed > 0;
  });
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
  static constexpr Oid types[] = {UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
                                  TEXTOID, JSONBOID,       UUIDOID,        UUIDOID};
  SPIPlanPtr plan = ledger_.plan(insert_transaction_statement, 9, types);
  const Posting& posting = *transaction.posting;
  pg_call([&] {
    const Datum values[] = {
        datum_of(transaction.id),
        TimestampTzGetDatum(timestamp_of(transaction.posted_at)),
        TimestampTzGetDatum(timestamp_of(posting.effective_at.value_or(transaction.posted_at))),
        CStringGetTextDatum(GetUserNameFromId(author_, false)),
        posting.reference ? new_text(*posting.reference) : Datum{0},
        posting.description ? new_text(*posting.description) : Datum{0},
        posting.metadata ? PointerGetDatum(posting.metadata->data()) : Datum{0},
        transaction.reverses ? datum_of(*transaction.reverses) : Datum{0},
        transaction.hold ? datum_of(*transaction.hold) : Datum{0}};
    const char nulls[] = {' ',
                          ' ',
                          ' ',
                          ' ',
                          null_flag(!posting.reference),
                          null_flag(!posting.description),
                          null_flag(!posting.metadata),
                          null_flag(!transaction.reverses),
                          null_flag(!transaction.hold),
                          '\0'};
    write_rows(plan, SPI_OK_INSERT, 1, values, nulls);
  });
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
    const Datum arrays[columns] = {array_of(cells[0], INT8OID), array_of(cells[1], UUIDOID),
                                   array_of(cells[2], INT2OID), array_of(cells[3], NUMERICOID),
                                   array_of(cells[4], NUMERICOID)};
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
  if (!journal.dated.empty()) write_effective(journal);
  for (const Journal::Transaction* transaction : by_reference(journal))
    catch_duplicate_reference(journal, [&] { insert_transaction(*transaction); });
  if (!journal.entries.empty()) insert_entries(journal.entries);
  write_rest(journal);
}

std::vector<const Journal::Transaction*> SpiStore::by_reference(const Journal& journal) {
  std::vector<const Journal::Transaction*> transactions;
  transactions.reserve(journal.transactions.size());
  bool any = false;
  for (const Journal::Transaction& transaction : journal.transactions) {
    transactions.push_back(&transaction);
    any = any || transaction.posting->reference;
  }
  if (any && transactions.size() > 1)
    std::stable_sort(transactions.begin(), transactions.end(), [](const auto* a, const auto* b) {
      return a->posting->reference < b->posting->reference;
    });
  return transactions;
}

void SpiStore::write_rest(const Journal& journal) {
  if (journal.expired.empty() && journal.changes.empty()) return;
  const EngineWrites engine_writes;
  release_expired(journal.expired, clock_);
  insert_changes(journal.changes);
}

void SpiStore::refuse_duplicate_reference(const Journal& journal, const PgError& error) {
  std::string reference;
  for (const Journal::Transaction& transaction : journal.transactions)
    if (transaction.posting->reference && reference.empty())
      reference = *transaction.posting->reference;
  if (reference.empty()) throw error;
  throw Error(Condition::duplicate_reference,
              journal.transactions.size() == 1
                  ? "reference " + quoted(reference) + " is used already"
                  : "a reference of the batch is used already",
              "It belongs to a transaction that was posted at the same time.");
}

void SpiStore::complete(const Journal& journal, const std::vector<Balance>& balances) {
  static constexpr Oid types[] = {UUIDOID, INT2OID, NUMERICOID, NUMERICOID};
  SPIPlanPtr plan = ledger_.plan(complete_entry_statement, 4, types);
  const EngineWrites engine_writes;
  update_balances(balances);
  if (!journal.dated.empty()) write_effective(journal);
  for (const Journal::Entry& entry : journal.entries)
    pg_call([&] {
      const Datum values[] = {datum_of(entry.transaction),
                              Int16GetDatum(static_cast<std::int16_t>(entry.line)),
                              numeric_from_units(entry.balance_after, entry.account->scale),
                              numeric_from_units(entry.amount, entry.account->scale)};
      write_rows(plan, SPI_OK_UPDATE, 1, values);
    });
  // The ids of these entries are older than the call.
  release_expired(journal.expired, std::min(clock_, time_of(journal.entries.front().transaction)));
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
