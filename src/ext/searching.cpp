// ledger_find_transactions: transactions that match, newest first, page by page.
#include "ext/arguments.hpp"
#include "ext/as_of.hpp"
#include "ext/pages.hpp"
#include "ext/reading.hpp"
#include "ext/spi_rows.hpp"

namespace ledgerflow {

namespace {

// Of transaction t: what is left of it after its reversals and theirs, up to the time of reading.
#define STATUS                                                                  \
  "CASE WHEN NOT EXISTS (SELECT FROM {ledger}.transactions r "                  \
  "WHERE r.reverses = t.id AND r.id < $3) THEN 'posted' ELSE ("                 \
  "WITH RECURSIVE tree (id) AS (SELECT t.id UNION ALL SELECT r.id FROM tree "   \
  "JOIN {ledger}.transactions r ON r.reverses = tree.id AND r.id < $3) "        \
  "SELECT CASE WHEN bool_and(s.rest = 0) THEN 'reversed' "                      \
  "WHEN bool_and(s.rest = s.whole) THEN 'posted' ELSE 'partly_reversed' END "   \
  "FROM (SELECT sum(e.amount) AS rest, "                                        \
  "coalesce(sum(e.amount) FILTER (WHERE e.transaction_id = t.id), 0) AS whole " \
  "FROM tree JOIN {ledger}.entries e ON e.transaction_id = tree.id GROUP BY e.account_id) s) END"

// Its debits, by currency.
#define DEBITS                                                          \
  "SELECT a.currency, sum(e.amount) AS amount FROM {ledger}.entries e " \
  "JOIN {ledger}.accounts a ON a.id = e.account_id "                    \
  "WHERE e.transaction_id = t.id AND e.amount > 0 GROUP BY a.currency"

// {filters} are those that the caller gives, {limit} the length of a page. What costs more than its header
// is read for the rows of the page only.
constexpr const char* search_query =
    "SELECT t.id, t.posted_at, t.effective_at, t.type, t.reference, t.description, "
    "s.amount, s.currency, "
    "ARRAY(SELECT a.code FROM (SELECT o.account_id, min(o.line) AS line FROM "
    "(SELECT e.account_id, e.line FROM {ledger}.entries e WHERE e.transaction_id = t.id "
    "ORDER BY e.line LIMIT 100) o GROUP BY o.account_id) f "
    "JOIN {ledger}.accounts a ON a.id = f.account_id ORDER BY f.line), " STATUS
    ", t.reverses, t.hold, t.metadata, t.created_by "
    "FROM (SELECT * FROM {ledger}.transactions t WHERE t.id >= $1 AND t.id < $2{filters} "
    "ORDER BY t.id DESC LIMIT {limit}) t "
    "CROSS JOIN LATERAL (SELECT CASE WHEN count(*) = 1 THEN min(d.amount) END AS amount, "
    "CASE WHEN count(*) = 1 THEN min(d.currency) END AS currency FROM (" DEBITS
    ") d) s ORDER BY t.id DESC";
constexpr int column_count = 15;  // with the cursor

// The statement of one search, and its parameters: $1 and $2 are the range of ids, $3 is the first id that
// is too late to be seen.
class Search {
 public:
  explicit Search(const IdRange& range)
      : range_(range), too_late_(first_id_after(as_of().value_or(INT64_MAX))) {
    add(UUIDOID, datum_of(range_.first));
    add(UUIDOID, datum_of(range_.end));
    add(UUIDOID, datum_of(too_late_));
  }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  // `condition` has a $ where the number of the parameter goes.
  void filter(const char* condition, Oid type, Datum value) {
    add(type, value);
    filters_ += " AND ";
    filters_ += replaced(condition, "$#", "$" + std::to_string(types_.size()));
  }
  void filter(const char* condition) {
    filters_ += " AND ";
    filters_ += condition;
  }
  void text_filter(const char* condition, const std::optional<std::string_view>& text) {
    if (text) filter(condition, TEXTOID, pg_call([&] { return new_text(*text); }));
  }

  // Planned anew each time, for what is asked.
  void run(const Ledger& ledger, int limit) {
    std::string statement = replaced(search_query, "{filters}", filters_);
    statement = replaced(std::move(statement), "{limit}", std::to_string(limit));
    statement = replaced(std::move(statement), "{ledger}", ledger.prefix);
    pg_call([&] {
      if (SPI_execute_with_args(statement.c_str(), static_cast<int>(types_.size()), types_.data(),
                                values_.data(), nullptr, true, 0) != SPI_OK_SELECT)
        elog(ERROR, "could not search transactions");
    });
  }

 private:
  void add(Oid type, Datum value) {
    types_.push_back(type);
    values_.push_back(value);
  }

  const IdRange range_;
  const TransactionId too_late_;
  std::vector<Oid> types_;
  std::vector<Datum> values_;
  std::string filters_;
};

void add_status(Search& search, const std::optional<std::string_view>& status) {
  if (!status) return;
  if (*status != "posted" && *status != "partly_reversed" && *status != "reversed")
    throw Error(Condition::invalid_argument, "status " + quoted(*status) + " is unknown", {},
                "Use 'posted', 'partly_reversed' or 'reversed'.");
  if (*status != "posted")
    search.filter(
        "t.id IN (SELECT r.reverses FROM {ledger}.transactions r WHERE r.reverses IS NOT NULL)");
  search.text_filter("(" STATUS ") = $#", status);
}

// An end of the range of amounts; nothing when it is not given.
std::optional<Datum> amount_bound(FunctionCallInfo fcinfo, int number, const char* name) {
  const std::optional<Datum> amount = numeric_argument(fcinfo, number);
  if (!amount) return std::nullopt;
  const Numeric value = DatumGetNumeric(*amount);
  if (numeric_is_nan(value) || numeric_is_inf(value))
    throw Error(Condition::invalid_amount, std::string(name) + " is not a finite number", {},
                "Leave it out for no bound.");
  return amount;
}

void add_amounts(Search& search, const std::optional<Datum>& least,
                 const std::optional<Datum>& most) {
  if (least && most &&
      pg_call([&] { return DatumGetBool(DirectFunctionCall2(numeric_gt, *least, *most)); }))
    throw Error(Condition::invalid_argument, "max_amount is below min_amount");
  // In one of its currencies the transaction must lie between both.
  if (least && most) {
    search.filter("EXISTS (SELECT FROM (" DEBITS ") d WHERE d.amount >= $#", NUMERICOID, *least);
    search.filter("d.amount <= $#)", NUMERICOID, *most);
  } else if (least) {
    search.filter("EXISTS (SELECT FROM (" DEBITS ") d WHERE d.amount >= $#)", NUMERICOID, *least);
  } else if (most) {
    search.filter("EXISTS (SELECT FROM (" DEBITS ") d WHERE d.amount <= $#)", NUMERICOID, *most);
  }
}

void add_time(Search& search, const char* condition, FunctionCallInfo fcinfo, int number) {
  if (!PG_ARGISNULL(number)) search.filter(condition, TIMESTAMPTZOID, PG_GETARG_DATUM(number));
}

void return_page(FunctionCallInfo fcinfo, const ListScope& scope) {
  SPITupleTable* const found = SPI_tuptable;
  const std::uint64_t count = SPI_processed;
  TupleDesc descriptor = nullptr;
  Tuplestorestate* rows = pg_call([&] {
    Tuplestorestate* const started = start_result(fcinfo, &descriptor);
    check_columns(found->tupdesc, descriptor, column_count - 1);  // the last one is the cursor
    return started;
  });
  for (std::uint64_t i = 0; i < count; ++i) {
    Datum values[column_count];
    bool nulls[column_count];
    const ListPosition position = pg_call([&] {
      heap_deform_tuple(found->vals[i], found->tupdesc, values, nulls);
      return ListPosition{id_from_datum(values[0]), 0};
    });
    put_row(rows, descriptor, scope, position, values, nulls);
  }
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_find_transactions);
PGDLLEXPORT Datum ledgerflow_find_transactions(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto account = text_argument(fcinfo, 4);
    const auto status = text_argument(fcinfo, 5);
    const auto least = amount_bound(fcinfo, 8, "min_amount");
    const auto most = amount_bound(fcinfo, 9, "max_amount");
    const auto metadata = json_argument(fcinfo, 10);
    if (metadata && !is_json_object(*metadata))
      throw Error(Condition::invalid_metadata, "metadata must be a JSON object");
    const auto after = text_argument(fcinfo, 13);
    const int limit = limit_argument(fcinfo, 14);
    const IdRange range = posted_range_arguments(fcinfo, 0, 1, "posted_from", "posted_to");
    check_range(bound_argument(fcinfo, 2), bound_argument(fcinfo, 3), "effective_from",
                "effective_to");

    Call call(name_argument(fcinfo, 15));
    Ledger& ledger = call.ledger();
    const ListScope scope{ListKind::transactions, true, names_hash({ledger.name})};
    const auto position = after_argument(after, scope);
    Search search(range);
    if (position) search.filter("t.id < $#", UUIDOID, datum_of(position->transaction));
    add_time(search, "t.effective_at >= $#", fcinfo, 2);
    add_time(search, "t.effective_at < $#", fcinfo, 3);
    if (account)
      search.filter(
          "t.id IN (SELECT e.transaction_id FROM {ledger}.entries e WHERE e.account_id = $# "
          "AND e.transaction_id >= $1 AND e.transaction_id < $2)",
          INT8OID, Int64GetDatum(call.account_to_read(account).id));
    search.text_filter("t.reference = $#", text_argument(fcinfo, 6));
    search.text_filter("t.reference ^@ $#", text_argument(fcinfo, 7));
    search.text_filter("t.type = $#", text_argument(fcinfo, 11));
    search.text_filter("t.created_by = $#", text_argument(fcinfo, 12));
    if (metadata) search.filter("t.metadata @> $#", JSONBOID, PointerGetDatum(metadata->data()));
    add_status(search, status);
    add_amounts(search, least, most);
    search.run(ledger, limit);
    return_page(fcinfo, scope);
    call.finish();
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
