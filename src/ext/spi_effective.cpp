// What the SPI store writes for balances by effective time.
#include "core/effective.hpp"
#include "ext/spi_rows.hpp"
#include "ext/spi_store.hpp"

extern "C" {
#include "utils/date.h"
}

namespace ledgerflow {

namespace {

constexpr std::int64_t epoch_shift_days = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

// Newest first along the primary key: one probe for each account.
constexpr const char* dated_totals_query =
    "SELECT a.id, (SELECT d.dated_after FROM {ledger}.dated_entries d "
    "WHERE d.account_id OPERATOR(pg_catalog.=) a.id "
    "ORDER BY d.transaction_id DESC, d.line DESC LIMIT 1) FROM pg_catalog.unnest($1) AS a (id)";
constexpr const char* insert_dated_entries_statement =
    "INSERT INTO {ledger}.dated_entries "
    "(account_id, effective_at, transaction_id, line, amount, dated_after) "
    "SELECT * FROM unnest($1, $2, $3, $4, $5, $6)";
constexpr const char* add_effective_days_statement =
    "INSERT INTO {ledger}.effective_days AS d (account_id, day, amount) "
    "SELECT * FROM unnest($1, $2, $3) ON CONFLICT (account_id, day) "
    "DO UPDATE SET amount = d.amount OPERATOR(pg_catalog.+) excluded.amount";

}  // namespace

std::vector<Units> SpiStore::dated_totals(const std::vector<const Account*>& accounts) {
  static constexpr Oid types[] = {INT8ARRAYOID};
  SPIPlanPtr plan = ledger_.plan(dated_totals_query, 1, types);
  std::vector<Datum> ids;
  ids.reserve(accounts.size());
  for (const Account* account : accounts) ids.push_back(Int64GetDatum(account->id));
  std::vector<Units> totals(accounts.size(), 0);
  pg_call([&] {
    const Datum array = array_of(ids, INT8OID);
    execute(plan, SPI_OK_SELECT, &array);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
      const Row row = result_row(i);
      if (DatumGetInt64(row.column(1)) != accounts[i]->id)
        raise_damaged("the dated entries of an account were read out of order");
      if (row.nullable(2)) totals[i] = row.units(2, accounts[i]->scale);
    }
    SPI_freetuptable(SPI_tuptable);
  });
  return totals;
}

void SpiStore::insert_dated_entries(const std::vector<DatedEntry>& entries) {
  constexpr std::size_t columns = 6;
  static constexpr Oid types[] = {INT8ARRAYOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID,
                                  INT2ARRAYOID, NUMERICARRAYOID,     NUMERICARRAYOID};
  SPIPlanPtr plan = ledger_.plan(insert_dated_entries_statement, columns, types);
  std::vector<Datum> cells[columns];
  for (auto& column : cells) column.resize(entries.size());
  pg_call([&] {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const DatedEntry& entry = entries[i];
      cells[0][i] = Int64GetDatum(entry.account->id);
      cells[1][i] = TimestampTzGetDatum(timestamp_of(entry.effective_at));
      cells[2][i] = datum_of(entry.transaction);
      cells[3][i] = Int16GetDatum(static_cast<std::int16_t>(entry.line));
      cells[4][i] = numeric_from_units(entry.amount, entry.account->scale);
      cells[5][i] = numeric_from_units(entry.dated_after, entry.account->scale);
    }
    const Datum arrays[columns] = {
        array_of(cells[0], INT8OID),    array_of(cells[1], TIMESTAMPTZOID),
        array_of(cells[2], UUIDOID),    array_of(cells[3], INT2OID),
        array_of(cells[4], NUMERICOID), array_of(cells[5], NUMERICOID)};
    write_rows(plan, SPI_OK_INSERT, entries.size(), arrays);
  });
}

void SpiStore::add_effective_days(const std::vector<EffectiveDay>& days) {
  constexpr std::size_t columns = 3;
  static constexpr Oid types[] = {INT8ARRAYOID, DATEARRAYOID, NUMERICARRAYOID};
  SPIPlanPtr plan = ledger_.plan(add_effective_days_statement, columns, types);
  std::vector<Datum> cells[columns];
  for (auto& column : cells) column.resize(days.size());
  pg_call([&] {
    for (std::size_t i = 0; i < days.size(); ++i) {
      cells[0][i] = Int64GetDatum(days[i].account->id);
      cells[1][i] = DateADTGetDatum(static_cast<DateADT>(days[i].day - epoch_shift_days));
      cells[2][i] = numeric_from_units(days[i].amount, days[i].account->scale);
    }
    const Datum arrays[columns] = {array_of(cells[0], INT8OID), array_of(cells[1], DATEOID),
                                   array_of(cells[2], NUMERICOID)};
    write_rows(plan, SPI_OK_INSERT, days.size(), arrays);
  });
}

void SpiStore::write_effective(const Journal& journal) {
  static std::uint64_t calls = 0;
  std::vector<DatedEntry> entries = dated_entries(journal);
  if (entries.empty()) return;
  const std::uint64_t call = ++calls;
  run_totals(entries, dated_totals(dated_accounts(entries)));
  const EngineWrites engine_writes;
  insert_dated_entries(entries);
  // A trigger on dated_entries has posted: totals that were read before are not the last ones.
  if (call != calls) pg_call([] { refuse_interference(); });
  add_effective_days(effective_days(entries));
}

}  // namespace ledgerflow
