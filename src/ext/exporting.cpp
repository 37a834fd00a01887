// ledger_export: a ledger as a journal for other programs. It reads with the caller's own privileges and in
// the caller's snapshot, and keeps no more than the accounts and one transaction in memory.
#include "core/journal_writer.hpp"
#include "ext/journal_values.hpp"
#include "ext/session.hpp"

namespace ledgerflow {

namespace {

using namespace exchange;

constexpr const char* currencies_query =
    "SELECT c.code, c.scale, c.name FROM {ledger}.currencies c WHERE EXISTS (SELECT FROM "
    "{ledger}.accounts a WHERE a.currency OPERATOR(pg_catalog.=) c.code) "
    "ORDER BY c.code COLLATE pg_catalog.\"C\"";
constexpr const char* accounts_query =
    "SELECT a.id, a.code, a.type, a.currency, c.scale, y.normal_side, a.name, a.metadata, "
    "b.debits_posted OPERATOR(pg_catalog.-) b.credits_posted FROM {ledger}.accounts a "
    "JOIN {ledger}.currencies c ON c.code OPERATOR(pg_catalog.=) a.currency "
    "JOIN {ledger}.account_types y ON y.code OPERATOR(pg_catalog.=) a.type "
    "JOIN {ledger}.account_balances b ON b.account_id OPERATOR(pg_catalog.=) a.id "
    "AND b.stripe OPERATOR(pg_catalog.=) 0 ORDER BY a.id";
constexpr const char* entries_query =
    "SELECT t.id, t.effective_at, t.reference, t.description, t.metadata, t.type, t.reverses, "
    "t.hold, e.account_id, e.amount FROM {ledger}.transactions t "
    "JOIN {ledger}.entries e ON e.transaction_id OPERATOR(pg_catalog.=) t.id "
    "WHERE ($1 IS NULL OR t.effective_at OPERATOR(pg_catalog.>=) $1) "
    "AND ($2 IS NULL OR t.effective_at OPERATOR(pg_catalog.<) $2) "
    "ORDER BY t.effective_at, t.id, e.line";

constexpr long rows_per_fetch = 1000;
constexpr int first_year_of_ledger = 1400;

// One row of a query: values by column. Toasted values are fetched.
class Row {
 public:
  Row(HeapTuple tuple, TupleDesc descriptor) : tuple_(tuple), descriptor_(descriptor) {}

  std::optional<Datum> value(int column) const {
    bool is_null = false;
    const Datum found =
        pg_call([&] { return SPI_getbinval(tuple_, descriptor_, column, &is_null); });
    if (is_null) return std::nullopt;
    return found;
  }
  // Of a column that no ledger leaves empty.
  Datum required(int column) const {
    const auto found = value(column);
    if (!found)
      throw Error(Condition::damaged_ledger, "a row of the ledger has a NULL where none may be");
    return *found;
  }
  std::string required_text(int column) const {
    const Datum found = required(column);
    return std::string(
        view_of(pg_call([&] { return PointerGetDatum(PG_DETOAST_DATUM_PACKED(found)); })));
  }
  std::optional<std::string> text(int column) const {
    return value(column) ? std::optional(required_text(column)) : std::nullopt;
  }
  Units units(int column, int scale) const {
    Units units = 0;
    const Datum found = required(column);
    const Datum numeric = pg_call([&] { return PointerGetDatum(PG_DETOAST_DATUM_PACKED(found)); });
    if (units_from_numeric(numeric, scale, units) != AmountStatus::ok)
      throw Error(Condition::balance_out_of_range, "an amount of the ledger cannot be written");
    return units;
  }
  std::vector<ExportField> fields(int column) const {
    std::vector<ExportField> fields;
    const auto found = value(column);
    if (!found) return fields;
    const JsonMembers members = pg_call([&] {
      Jsonb* json = DatumGetJsonbP(*found);
      return JB_ROOT_IS_OBJECT(json) ? members_of(json) : JsonMembers{nullptr, 0};
    });
    for (std::size_t i = 0; i < members.count; ++i) {
      const JsonMember& member = members.members[i];
      fields.push_back({std::string(member.key, member.key_size),
                        std::string(member.value, member.value_size), member.is_text});
    }
    return fields;
  }

 private:
  HeapTuple tuple_;
  TupleDesc descriptor_;
};

// The rows of a query, some at a time. What a row's values need is freed with its batch.
class Rows {
 public:
  Rows(SPIPlanPtr plan, Datum* values, const char* nulls) {
    pg_call([&] {
      memory_ =
          AllocSetContextCreate(CurrentMemoryContext, "ledgerflow export", ALLOCSET_DEFAULT_SIZES);
      portal_ = SPI_cursor_open(nullptr, plan, values, nulls, true);
    });
  }

  // Calls `body` with each row.
  template <typename Body>
  void each(Body&& body) {
    for (;;) {
      pg_call([&] { SPI_cursor_fetch(portal_, true, rows_per_fetch); });
      SPITupleTable* table = SPI_tuptable;
      const std::uint64_t count = SPI_processed;
      if (count == 0) break;
      const MemoryContext caller = MemoryContextSwitchTo(memory_);
      for (std::uint64_t i = 0; i < count; ++i) body(Row(table->vals[i], table->tupdesc));
      MemoryContextSwitchTo(caller);
      pg_call([&] {
        SPI_freetuptable(table);
        MemoryContextReset(memory_);
        CHECK_FOR_INTERRUPTS();
      });
    }
    pg_call([&] { SPI_cursor_close(portal_); });
  }

 private:
  MemoryContext memory_ = nullptr;
  Portal portal_ = nullptr;
};

// The result: one text to a row.
class Result {
 public:
  explicit Result(FunctionCallInfo fcinfo) {
    pg_call([&] { rows_ = start_result(fcinfo, &descriptor_); });
  }

  // Takes the lines.
  void put(TextLines& lines) {
    for (const std::string& line : lines)
      pg_call([&] {
        Datum value = new_text(line);
        bool is_null = false;
        tuplestore_putvalues(rows_, descriptor_, &value, &is_null);
        pfree(DatumGetPointer(value));
      });
    lines.clear();
  }

 private:
  TupleDesc descriptor_ = nullptr;
  Tuplestorestate* rows_ = nullptr;
};

class Export {
 public:
  Export(Call& call, Format format, const std::optional<std::int64_t>& from,
         const std::optional<std::int64_t>& to, Result& result)
      : ledger_(call.ledger()), format_(format), from_(from), to_(to), result_(result) {}

  void run() {
    writer_ = make_writer(format_);
    head_.ledger = ledger_.name;
    head_.time_zone = pg_get_timezone_name(session_timezone);
    read_currencies();
    read_accounts();
    write_transactions();
    finish_transaction();
    begin();
    // Balances are told where the journal has all that leads to them.
    if (from_)
      writer_->end(head_, std::nullopt, lines_);
    else
      writer_->end(head_, last_ ? *last_ : head_.first, lines_);
    result_.put(lines_);
  }

 private:
  void read_currencies() {
    Rows(ledger_.plan(currencies_query, 0, nullptr), nullptr, nullptr).each([&](const Row& row) {
      head_.currencies.push_back({row.required_text(1), scale_of(row.required(2)), row.text(3)});
    });
  }

  void read_accounts() {
    Rows(ledger_.plan(accounts_query, 0, nullptr), nullptr, nullptr).each([&](const Row& row) {
      auto account = std::make_unique<ExportAccount>();
      account->code = row.required_text(2);
      account->type = row.required_text(3);
      account->currency = row.required_text(4);
      account->scale = scale_of(row.required(5));
      account->normal_side = row.required_text(6) == "debit" ? Side::debit : Side::credit;
      account->name = row.text(7);
      account->metadata = row.fields(8);
      // Up to now it is what the ledger says; up to another time, what is exported.
      account->balance = to_ ? 0 : row.units(9, account->scale);
      const auto [place, is_new] =
          accounts_.emplace(DatumGetInt64(row.required(1)), std::move(account));
      if (!is_new)
        throw Error(Condition::damaged_ledger,
                    "account " + quoted(place->second->code) + " is there more than once",
                    "Or its currency, its type or its balance is.");
      head_.accounts.push_back(place->second.get());
    });
  }

  void write_transactions() {
    static constexpr Oid types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
    Datum values[] = {from_ ? TimestampTzGetDatum(timestamp_of(*from_)) : Datum{0},
                      to_ ? TimestampTzGetDatum(timestamp_of(*to_)) : Datum{0}};
    const char nulls[] = {from_ ? ' ' : 'n', to_ ? ' ' : 'n', '\0'};
    Rows(ledger_.plan(entries_query, 2, types), values, nulls).each([&](const Row& row) {
      const TransactionId id = id_from_datum(row.required(1));
      if (!current_ || id != current_id_) {
        finish_transaction();
        start_transaction(id, row);
      }
      const auto known = accounts_.find(DatumGetInt64(row.required(9)));
      if (known == accounts_.end())
        throw Error(Condition::damaged_ledger,
                    "transaction " + to_string(id) + " has an entry of an unknown account");
      ExportAccount& account = *known->second;
      const Units amount = row.units(10, account.scale);
      current_->lines.push_back({&account, amount});
      if (to_ && !add_units(account.balance, amount))
        throw Error(Condition::balance_out_of_range, "a balance has more than 38 digits");
    });
  }

  void start_transaction(const TransactionId& id, const Row& row) {
    current_id_ = id;
    current_.emplace();
    current_->id = to_string(id);
    const TimestampTz time = DatumGetTimestampTz(row.required(2));
    const auto day = local_day(time);
    const bool is_too_early =
        day && format_ == Format::ledger && day->date.year < first_year_of_ledger;
    if (!day || is_too_early)
      throw Error(
          Condition::invalid_effective_at,
          "transaction " + current_->id + " has an effective time for which the format has no date",
          "Years are 0001 to 9999, in ledger's format from 1400 on.");
    current_->date = day->date;
    if (!day->is_start) current_->effective_at = format_time(unix_micros(time));
    current_->reference = row.text(3);
    current_->description = row.text(4);
    current_->metadata = row.fields(5);
    // What an importer cannot restore is kept as metadata.
    if (const auto type = row.text(6)) add_field("type", *type);
    if (const auto reversed = row.value(7))
      add_field("reverses", to_string(id_from_datum(*reversed)));
    if (const auto hold = row.value(8)) add_field("hold", to_string(id_from_datum(*hold)));
  }

  // Unless the transaction's own metadata has the key.
  void add_field(const char* key, const std::string& value) {
    for (const ExportField& field : current_->metadata)
      if (field.key == key) return;
    current_->metadata.push_back({key, value, true});
  }

  void finish_transaction() {
    if (!current_) return;
    if (!last_) head_.first = current_->date;
    last_ = current_->date;
    begin();
    writer_->write(*current_, lines_);
    current_.reset();
    result_.put(lines_);
  }

  // Accounts are declared at the date of the first transaction.
  void begin() {
    if (has_begun_) return;
    has_begun_ = true;
    writer_->begin(head_, lines_);
  }

  Ledger& ledger_;
  Format format_;
  std::optional<std::int64_t> from_;
  std::optional<std::int64_t> to_;
  Result& result_;
  std::unique_ptr<JournalWriter> writer_;
  ExportHead head_ = {{}, {}, {1970, 1, 1}, {}, {}};
  std::unordered_map<std::int64_t, std::unique_ptr<ExportAccount>> accounts_;
  std::optional<ExportTransaction> current_;
  TransactionId current_id_;
  std::optional<Date> last_;
  bool has_begun_ = false;
  TextLines lines_;
};

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_export);
PGDLLEXPORT Datum ledgerflow_export(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto name = text_argument(fcinfo, 0);
    const auto from = time_argument(fcinfo, 1);
    const auto to = time_argument(fcinfo, 2);
    if (from && to && *from > *to)
      throw Error(Condition::invalid_argument, "the time \"from\" is after the time \"to\"");
    Call call(name_argument(fcinfo, 3));
    Result result(fcinfo);
    Export(call, format_argument(name), from, to, result).run();
    call.finish();
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
