#include "ext/sealed_rows.hpp"

namespace ledgerflow {

namespace {

constexpr const char* headers_in_range =
    "SELECT id, posted_at, effective_at, xact_id, created_by, type, reference, description, "
    "reverses, hold, metadata FROM {ledger}.transactions "
    "WHERE id OPERATOR(pg_catalog.>) $1 AND id OPERATOR(pg_catalog.<=) $2 ORDER BY id";
constexpr const char* entries_in_range =
    "SELECT transaction_id, line, account_id, stripe, amount, balance_after "
    "FROM {ledger}.entries WHERE transaction_id OPERATOR(pg_catalog.>) $1 "
    "AND transaction_id OPERATOR(pg_catalog.<=) $2 ORDER BY transaction_id, line";
constexpr const char* headers_of_ids =
    "SELECT id, posted_at, effective_at, xact_id, created_by, type, reference, description, "
    "reverses, hold, metadata FROM {ledger}.transactions "
    "WHERE id OPERATOR(pg_catalog.=) ANY ($1) ORDER BY id";
constexpr const char* entries_of_ids =
    "SELECT transaction_id, line, account_id, stripe, amount, balance_after "
    "FROM {ledger}.entries WHERE transaction_id OPERATOR(pg_catalog.=) ANY ($1) "
    "ORDER BY transaction_id, line";
constexpr const char* accounts_of_ids =
    "SELECT id, code, type, currency FROM {ledger}.accounts "
    "WHERE id OPERATOR(pg_catalog.=) ANY ($1)";

constexpr Oid range_types[] = {UUIDOID, UUIDOID};
constexpr Oid ids_types[] = {UUIDARRAYOID};
constexpr Oid account_types[] = {INT8ARRAYOID};

// Columns of these queries, from 0.
enum HeaderColumn {
  header_id,
  header_posted_at,
  header_effective_at,
  header_xact_id,
  header_created_by,
  header_type,
  header_reference,
  header_description,
  header_reverses,
  header_hold,
  header_metadata
};
enum EntryColumn {
  entry_transaction,
  entry_line,
  entry_account,
  entry_stripe,
  entry_amount,
  entry_balance_after
};

constexpr long rows_per_fetch = 1000;
constexpr std::size_t most_accounts = 100000;  // kept by a reader

std::string_view text_of(Datum value) {
  return in_utf8(view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(value))));
}

std::string time_word(TimestampTz time) {
  if (TIMESTAMP_IS_NOBEGIN(time)) return "-infinity";
  if (TIMESTAMP_IS_NOEND(time)) return "infinity";
  if (time > latest_time)  // fits only without a sign
    return std::to_string(static_cast<std::uint64_t>(time) +
                          static_cast<std::uint64_t>(epoch_shift));
  return std::to_string(unix_micros(time));
}

}  // namespace

std::string_view in_utf8(std::string_view text) {
  const int encoding = GetDatabaseEncoding();
  if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII) return text;
  const char* converted = pg_server_to_any(text.data(), static_cast<int>(text.size()), PG_UTF8);
  return converted == text.data() ? text : std::string_view(converted);
}

MemoryContext new_scratch() {
  return pg_call([] {
    return AllocSetContextCreate(CurrentMemoryContext, "ledgerflow seal", ALLOCSET_DEFAULT_SIZES);
  });
}

TransactionId highest_id() {
  TransactionId id;
  id.bytes.fill(0xFF);
  return id;
}

RowCursor::RowCursor(SPIPlanPtr plan, const Datum* values)
    : portal_(pg_call([&] {
        return SPI_cursor_open(nullptr, plan, const_cast<Datum*>(values), nullptr, true);
      })) {}

bool RowCursor::next() {
  if (at_ == count_) {
    if (portal_ == nullptr) return false;
    pg_call([&] {
      if (rows_ != nullptr) SPI_freetuptable(rows_);
      SPI_cursor_fetch(portal_, true, rows_per_fetch);
      CHECK_FOR_INTERRUPTS();
      rows_ = SPI_tuptable;
      if (rows_->tupdesc->natts > most_columns) elog(ERROR, "a cursor has too many columns");
    });
    count_ = SPI_processed;
    at_ = 0;
    if (count_ == 0) {
      close();
      return false;
    }
  }
  pg_call([&] { heap_deform_tuple(rows_->vals[at_++], rows_->tupdesc, values_, nulls_); });
  return true;
}

void RowCursor::close() {
  if (portal_ == nullptr) return;
  pg_call([&] {
    if (rows_ != nullptr) SPI_freetuptable(rows_);
    SPI_cursor_close(portal_);
  });
  rows_ = nullptr;
  portal_ = nullptr;
  at_ = count_ = 0;
}

std::vector<std::int64_t> RowCursor::fetched_bigints(int column) const {
  std::vector<std::int64_t> found(count_);
  pg_call([&] {
    for (std::uint64_t i = 0; i < count_; ++i) {
      bool is_null = false;
      found[i] = DatumGetInt64(SPI_getbinval(rows_->vals[i], rows_->tupdesc, column + 1, &is_null));
    }
  });
  return found;
}

Datum new_id_array(const std::vector<TransactionId>& ids) {
  std::vector<Datum> elements(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) elements[i] = datum_of(ids[i]);
  return pg_call([&] { return array_of(elements, UUIDOID); });
}

SealedRows::SealedRows(Ledger& ledger, const char* headers, const char* entries,
                       const std::array<Datum, 2>& values, int parameters, const Oid* types)
    : ledger_(ledger),
      scratch_(new_scratch()),
      headers_(ledger.plan(headers, parameters, types), values.data()),
      entries_(ledger.plan(entries, parameters, types), values.data()) {
  has_entry_ = next_entry();
}

SealedRows::SealedRows(Ledger& ledger, const TransactionId& after, const TransactionId& through)
    : SealedRows(ledger, headers_in_range, entries_in_range, {datum_of(after), datum_of(through)},
                 2, range_types) {}

SealedRows::SealedRows(Ledger& ledger, const std::vector<TransactionId>& ids)
    : SealedRows(ledger, headers_of_ids, entries_of_ids, {new_id_array(ids), 0}, 1, ids_types) {}

SealedRows::~SealedRows() { MemoryContextDelete(scratch_); }

const SealedTransaction* SealedRows::next() {
  if (!headers_.next()) {
    entries_.close();
    return nullptr;
  }
  MemoryContextReset(scratch_);
  transaction_.id = id_from_datum(headers_.value(header_id));
  transaction_.xact_id =
      U64FromFullTransactionId(DatumGetFullTransactionId(headers_.value(header_xact_id)));
  transaction_.entries = 0;
  write_header();
  while (has_entry_) {
    const TransactionId owner = id_from_datum(entries_.value(entry_transaction));
    if (transaction_.id < owner) break;
    if (owner == transaction_.id) {
      write_line();
      ++transaction_.entries;
    }  // else it has no header, which ledger_verify() finds
    has_entry_ = next_entry();
  }
  return &transaction_;
}

void SealedRows::write_header() {
  SealedText& text = transaction_.text;
  const auto optional_text = [&](int column) -> std::optional<std::string_view> {
    if (headers_.is_null(column)) return std::nullopt;
    return in_context(scratch_, [&] { return text_of(headers_.value(column)); });
  };
  const auto optional_id = [&](int column) {
    return headers_.is_null(column) ? std::string("-")
                                    : to_string(id_from_datum(headers_.value(column)));
  };
  text.begin(transaction_text_start);
  text.word("id", to_string(transaction_.id));
  text.word("posted_at", time_word(DatumGetTimestampTz(headers_.value(header_posted_at))));
  text.word("effective_at", time_word(DatumGetTimestampTz(headers_.value(header_effective_at))));
  text.word("xact_id", std::to_string(transaction_.xact_id));
  text.text("created_by", optional_text(header_created_by));
  text.text("type", optional_text(header_type));
  text.text("reference", optional_text(header_reference));
  text.text("description", optional_text(header_description));
  text.word("reverses", optional_id(header_reverses));
  text.word("hold", optional_id(header_hold));
  std::optional<std::string_view> metadata;
  if (!headers_.is_null(header_metadata))
    metadata = in_context(scratch_, [&] {
      Jsonb* json = DatumGetJsonbP(headers_.value(header_metadata));
      return in_utf8(JsonbToCString(nullptr, &json->root, VARSIZE(json)));
    });
  text.text("metadata", metadata);
}

void SealedRows::write_line() {
  SealedText& text = transaction_.text;
  const auto number = [&](int column) {
    return in_context(scratch_, [&] {
      return std::string_view(
          DatumGetCString(DirectFunctionCall1(numeric_out, entries_.value(column))));
    });
  };
  const std::int64_t account = DatumGetInt64(entries_.value(entry_account));
  text.open_line("line");
  text.add_number(DatumGetInt16(entries_.value(entry_line)));
  text.add_number(account);
  text.add_number(DatumGetInt16(entries_.value(entry_stripe)));
  const auto known = accounts_.find(account);
  text.add_word(known == accounts_.end() ? std::string_view("- - -") : known->second);
  text.add_word(number(entry_amount));
  text.add_word(number(entry_balance_after));
  text.close_line();
}

bool SealedRows::next_entry() {
  if (!entries_.next()) return false;
  if (entries_.fetched()) read_accounts();
  return true;
}

// The accounts of the entries that were just fetched.
void SealedRows::read_accounts() {
  if (accounts_.size() > most_accounts) accounts_.clear();
  std::vector<Datum> missing;
  std::set<std::int64_t> asked;
  for (const std::int64_t id : entries_.fetched_bigints(entry_account))
    if (accounts_.find(id) == accounts_.end() && asked.insert(id).second)
      missing.push_back(Int64GetDatum(id));
  if (missing.empty()) return;
  const Datum ids = in_context(scratch_, [&] { return array_of(missing, INT8OID); });
  RowCursor rows(ledger_.plan(accounts_of_ids, 1, account_types), &ids);
  while (rows.next()) {
    std::string line;
    SealedText text;
    for (int column = 1; column <= 3; ++column) {
      const std::string_view value =
          in_context(scratch_, [&] { return text_of(rows.value(column)); });
      text.add_text(value);
    }
    line = text.get().substr(1);  // the space before the first
    accounts_.emplace(DatumGetInt64(rows.value(0)), std::move(line));
  }
}

}  // namespace ledgerflow
