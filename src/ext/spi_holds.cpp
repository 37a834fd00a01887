// The part of the SPI store that holds need: their rows, and the history of statuses.
#include "ext/spi_rows.hpp"
#include "ext/spi_store.hpp"

namespace ledgerflow {

namespace {

constexpr const char* find_hold_query =
    "SELECT status, expires_at, effective_at FROM {ledger}.holds WHERE id OPERATOR(pg_catalog.=) "
    "$1";
constexpr const char* find_hold_lines_query =
    "SELECT account_id, amount, captured, released FROM {ledger}.hold_lines "
    "WHERE hold_id OPERATOR(pg_catalog.=) $1 ORDER BY line";
constexpr const char* expired_lines_query =
    "SELECT l.hold_id, l.line, l.amount, l.captured, l.released FROM {ledger}.hold_lines l "
    "JOIN {ledger}.holds h ON h.id OPERATOR(pg_catalog.=) l.hold_id "
    "WHERE l.account_id OPERATOR(pg_catalog.=) $1 AND l.settled_at IS NULL "
    "AND h.expires_at OPERATOR(pg_catalog.<=) $2 ORDER BY l.hold_id, l.line";
constexpr const char* expired_holds_query =
    "SELECT id FROM {ledger}.holds WHERE status OPERATOR(pg_catalog.=) 'pending' "
    "AND expires_at OPERATOR(pg_catalog.<=) $1 ORDER BY expires_at LIMIT $2";
constexpr const char* insert_hold_statement =
    "INSERT INTO {ledger}.holds (id, created_at, expires_at, effective_at, xact_id, created_by, "
    "status, "
    "reference, description, metadata) "
    "VALUES ($1, $2, $3, $4, pg_catalog.pg_current_xact_id(), $5, $6, $7, $8, $9)";
constexpr const char* insert_hold_line_statement =
    "INSERT INTO {ledger}.hold_lines (account_id, hold_id, line, amount, captured, released) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr const char* update_hold_statement =
    "UPDATE {ledger}.holds SET status = $2 WHERE id OPERATOR(pg_catalog.=) $1";
constexpr const char* update_hold_line_statement =
    "UPDATE {ledger}.hold_lines SET amount = $3, captured = $4, released = $5, is_open = $6, "
    "settled_at = CASE WHEN $6 THEN NULL ELSE COALESCE(settled_at, $7) END, "
    "raises = CASE WHEN amount OPERATOR(pg_catalog.=) $3 THEN raises "
    "ELSE COALESCE(raises, '[]') OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object("
    "'at', $7, "
    "'by', pg_catalog.abs($3 OPERATOR(pg_catalog.-) amount)) END "
    "WHERE hold_id OPERATOR(pg_catalog.=) $1 AND line OPERATOR(pg_catalog.=) $2";
constexpr const char* release_line_statement =
    "UPDATE {ledger}.hold_lines SET released = released OPERATOR(pg_catalog.+) $3, is_open = "
    "false, "
    "settled_at = $4 "
    "WHERE hold_id OPERATOR(pg_catalog.=) $1 AND line OPERATOR(pg_catalog.=) $2";
constexpr const char* insert_change_statement =
    "INSERT INTO {ledger}.transaction_history (transaction_id, changed_by, from_status, to_status, "
    "reason, changed_at) "
    "VALUES ($1, $2, $3, $4, $5, $6)";

}  // namespace

std::optional<Hold> SpiStore::find_hold(const TransactionId& id) {
  static constexpr Oid types[] = {UUIDOID};
  SPIPlanPtr hold_plan = ledger_.plan(find_hold_query, 1, types);
  SPIPlanPtr lines_plan = ledger_.plan(find_hold_lines_query, 1, types);
  const Datum key = datum_of(id);
  Hold hold;
  hold.id = id;
  const bool found = pg_call([&] {
    execute(hold_plan, SPI_OK_SELECT, &key);
    if (SPI_processed == 0) return false;
    const Row row = result_row(0);
    const auto status =
        hold_status_from_string(view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(row.column(1)))));
    if (!status) raise_damaged("a hold of the ledger has an unknown status");
    hold.status = *status;
    const std::optional<Datum> expires_at = row.nullable(2);
    if (expires_at) hold.expires_at = unix_micros(DatumGetTimestampTz(*expires_at));
    const std::optional<Datum> effective_at = row.nullable(3);
    if (effective_at) hold.effective_at = unix_micros(DatumGetTimestampTz(*effective_at));
    return true;
  });
  if (!found) return std::nullopt;
  pg_call([&] { execute(lines_plan, SPI_OK_SELECT, &key); });
  const std::uint64_t count = SPI_processed;
  SPITupleTable* const table = SPI_tuptable;
  hold.lines.resize(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Row row{table->vals[i], table->tupdesc};
    Hold::Line& line = hold.lines[i];
    line.account = &account(pg_call([&] { return DatumGetInt64(row.column(1)); }));
    pg_call([&] {
      line.amount = row.units(2, line.account->scale);
      line.captured = row.units(3, line.account->scale);
      line.released = row.units(4, line.account->scale);
    });
  }
  return hold;
}

std::vector<ExpiredLine> SpiStore::expired_lines(const Account& account, std::int64_t now) {
  static constexpr Oid types[] = {INT8OID, TIMESTAMPTZOID};
  SPIPlanPtr plan = ledger_.plan(expired_lines_query, 2, types);
  std::vector<ExpiredLine> lines;
  pg_call([&] {
    const Datum values[] = {Int64GetDatum(account.id), TimestampTzGetDatum(timestamp_of(now))};
    execute(plan, SPI_OK_SELECT, values);
    lines.resize(SPI_processed);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
      const Row row = result_row(i);
      lines[i].hold = id_from_datum(row.column(1));
      lines[i].line = DatumGetInt16(row.column(2));
      lines[i].scale = account.scale;
      lines[i].amount = row.units(3, account.scale);
      lines[i].left = (lines[i].amount > 0 ? lines[i].amount : -lines[i].amount) -
                      row.units(4, account.scale) - row.units(5, account.scale);
    }
  });
  return lines;
}

std::vector<TransactionId> SpiStore::expired_holds(std::int64_t now, std::size_t most) {
  static constexpr Oid types[] = {TIMESTAMPTZOID, INT8OID};
  SPIPlanPtr plan = ledger_.plan(expired_holds_query, 2, types);
  std::vector<TransactionId> ids;
  pg_call([&] {
    const Datum values[] = {TimestampTzGetDatum(timestamp_of(now)),
                            Int64GetDatum(static_cast<std::int64_t>(most))};
    execute(plan, SPI_OK_SELECT, values);
    ids.resize(SPI_processed);
    for (std::uint64_t i = 0; i < SPI_processed; ++i)
      ids[i] = id_from_datum(result_row(i).column(1));
  });
  return ids;
}

void SpiStore::insert_hold(const Hold& hold, const Posting& posting) {
  static constexpr Oid types[] = {UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID,
                                  TEXTOID, TEXTOID,        TEXTOID,        JSONBOID};
  static constexpr Oid line_types[] = {INT8OID,    UUIDOID,    INT2OID,
                                       NUMERICOID, NUMERICOID, NUMERICOID};
  SPIPlanPtr plan = ledger_.plan(insert_hold_statement, 9, types);
  SPIPlanPtr line_plan = ledger_.plan(insert_hold_line_statement, 6, line_types);
  const EngineWrites engine_writes;
  pg_call([&] {
    const auto time = [](const std::optional<std::int64_t>& micros) {
      return micros ? TimestampTzGetDatum(timestamp_of(*micros)) : Datum{0};
    };
    const auto optional_text = [](const std::optional<std::string_view>& text) {
      return text ? new_text(*text) : Datum{0};
    };
    const Datum values[] = {
        datum_of(hold.id),
        TimestampTzGetDatum(timestamp_of(time_of(hold.id))),
        time(hold.expires_at),
        time(hold.effective_at),
        CStringGetTextDatum(GetUserNameFromId(author_, false)),
        CStringGetTextDatum(to_string(hold.status)),
        optional_text(posting.reference),
        optional_text(posting.description),
        posting.metadata ? PointerGetDatum(posting.metadata->data()) : Datum{0}};
    const char nulls[] = {' ',
                          ' ',
                          null_flag(!hold.expires_at),
                          null_flag(!hold.effective_at),
                          ' ',
                          ' ',
                          null_flag(!posting.reference),
                          null_flag(!posting.description),
                          null_flag(!posting.metadata),
                          '\0'};
    execute(plan, SPI_OK_INSERT, values, nulls);
    for (std::size_t i = 0; i < hold.lines.size(); ++i) {
      const Hold::Line& line = hold.lines[i];
      const int scale = line.account->scale;
      const Datum line_values[] = {Int64GetDatum(line.account->id),
                                   datum_of(hold.id),
                                   Int16GetDatum(static_cast<std::int16_t>(i + 1)),
                                   numeric_from_units(line.amount, scale),
                                   numeric_from_units(line.captured, scale),
                                   numeric_from_units(line.released, scale)};
      execute(line_plan, SPI_OK_INSERT, line_values);
    }
  });
}

void SpiStore::update_hold(const Hold& hold) {
  static constexpr Oid types[] = {UUIDOID, TEXTOID};
  static constexpr Oid line_types[] = {UUIDOID,    INT2OID, NUMERICOID,    NUMERICOID,
                                       NUMERICOID, BOOLOID, TIMESTAMPTZOID};
  SPIPlanPtr plan = ledger_.plan(update_hold_statement, 2, types);
  SPIPlanPtr line_plan = ledger_.plan(update_hold_line_statement, 7, line_types);
  const EngineWrites engine_writes;
  pg_call([&] {
    const Datum values[] = {datum_of(hold.id), CStringGetTextDatum(to_string(hold.status))};
    execute(plan, SPI_OK_UPDATE, values);
    for (std::size_t i = 0; i < hold.lines.size(); ++i) {
      const Hold::Line& line = hold.lines[i];
      if (!line.changed) continue;
      const int scale = line.account->scale;
      const Datum line_values[] = {datum_of(hold.id),
                                   Int16GetDatum(static_cast<std::int16_t>(i + 1)),
                                   numeric_from_units(line.amount, scale),
                                   numeric_from_units(line.captured, scale),
                                   numeric_from_units(line.released, scale),
                                   BoolGetDatum(line.left() > 0),
                                   TimestampTzGetDatum(timestamp_of(clock_))};
      execute(line_plan, SPI_OK_UPDATE, line_values);
    }
  });
}

void SpiStore::release_expired(const std::vector<ExpiredLine>& lines, std::int64_t at) {
  if (lines.empty()) return;
  static constexpr Oid types[] = {UUIDOID, INT2OID, NUMERICOID, TIMESTAMPTZOID};
  SPIPlanPtr plan = ledger_.plan(release_line_statement, 4, types);
  for (const ExpiredLine& line : lines)
    pg_call([&] {
      const Datum values[] = {
          datum_of(line.hold), Int16GetDatum(static_cast<std::int16_t>(line.line)),
          numeric_from_units(line.left, line.scale), TimestampTzGetDatum(timestamp_of(at))};
      execute(plan, SPI_OK_UPDATE, values);
    });
}

void SpiStore::insert_changes(const std::vector<StatusChange>& changes) {
  if (changes.empty()) return;
  static constexpr Oid types[] = {UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
  SPIPlanPtr plan = ledger_.plan(insert_change_statement, 6, types);
  for (const StatusChange& change : changes)
    pg_call([&] {
      const Datum values[] = {datum_of(change.id),
                              CStringGetTextDatum(GetUserNameFromId(author_, false)),
                              change.from != nullptr ? CStringGetTextDatum(change.from) : Datum{0},
                              CStringGetTextDatum(change.to),
                              change.reason ? new_text(*change.reason) : Datum{0},
                              TimestampTzGetDatum(timestamp_of(clock_))};
      const char nulls[] = {
          ' ', ' ', null_flag(change.from == nullptr), ' ', null_flag(!change.reason), ' ', '\0'};
      execute(plan, SPI_OK_INSERT, values, nulls);
    });
}

}  // namespace ledgerflow
