// ledger_statement: the lines of an account, page by page.
#include "ext/pages.hpp"
#include "ext/session.hpp"
#include "ext/spi_rows.hpp"

namespace ledgerflow {

namespace {

// The lines of a page, in one stretch of the index (account, transaction). The order names the account, and no
// condition makes it a constant: so only that index has this order. Else the planner may walk through the
// primary key, past the entries of all other accounts. The operators are those of pg_catalog: the functions
// set their search_path.
#define PAGE_QUERY(direction, beyond)                                                   \
  "SELECT transaction_id, line, CASE WHEN amount > 0 THEN amount END, "                 \
  "CASE WHEN amount < 0 THEN -amount END, "                                             \
  "CASE WHEN $7 THEN balance_after ELSE -balance_after END "                            \
  "FROM {ledger}.entries WHERE ROW(account_id, transaction_id) >= ROW($1, $2) "         \
  "AND ROW(account_id, transaction_id) <= ROW($1, $3) AND transaction_id < $8 "         \
  "AND ROW(transaction_id, line) " beyond " ROW($4, $5) ORDER BY account_id " direction \
  ", transaction_id " direction ", line " direction " LIMIT $6"
constexpr const char* oldest_first_query = PAGE_QUERY("ASC", ">");
constexpr const char* newest_first_query = PAGE_QUERY("DESC", "<");
#undef PAGE_QUERY

// The transactions of a page: each once, in the page's order.
constexpr const char* transactions_query =
    "SELECT t.posted_at, t.effective_at, t.reference, t.description, t.metadata "
    "FROM unnest($1) WITH ORDINALITY AS p (id, number) "
    "LEFT JOIN {ledger}.transactions t ON t.id = p.id ORDER BY p.number";

// The accounts of their first other lines.
constexpr const char* counter_accounts_query =
    "SELECT p.number, o.account_id FROM unnest($1) WITH ORDINALITY AS p (id, number) "
    "CROSS JOIN LATERAL (SELECT e.account_id, e.line FROM {ledger}.entries e "
    "WHERE e.transaction_id = p.id AND e.account_id <> $2 ORDER BY e.line LIMIT 100) o "
    "ORDER BY p.number, o.line";

struct Request {
  IdRange range;
  std::optional<ListPosition> after;
  int limit = 0;
  bool newest_first = true;
};

struct Rows {
  SPITupleTable* table = nullptr;
  std::uint64_t count = 0;
};

Rows read_rows(SPIPlanPtr plan, const Datum* values) {
  return pg_call([&] {
    if (SPI_execute_plan(plan, const_cast<Datum*>(values), nullptr, true, 0) != SPI_OK_SELECT)
      elog(ERROR, "could not read a statement");
    return Rows{SPI_tuptable, SPI_processed};
  });
}

Rows read_page(Ledger& ledger, const Account& account, const Request& request) {
  static constexpr Oid types[] = {INT8OID, UUIDOID, UUIDOID, UUIDOID,
                                  INT2OID, INT8OID, BOOLOID, UUIDOID};
  ListPosition after;
  if (request.newest_first) after.transaction = first_id_at(INT64_MAX);
  if (request.after) after = *request.after;
  TransactionId lowest = request.range.first;
  TransactionId highest = request.range.end;
  if (request.newest_first)
    highest = std::min(highest, after.transaction);
  else
    lowest = std::max(lowest, after.transaction);
  SPIPlanPtr plan =
      ledger.plan(request.newest_first ? newest_first_query : oldest_first_query, 8, types);
  const Datum values[] = {Int64GetDatum(account.id),
                          datum_of(lowest),
                          datum_of(highest),
                          datum_of(after.transaction),
                          Int16GetDatum(static_cast<std::int16_t>(after.line)),
                          Int64GetDatum(request.limit),
                          BoolGetDatum(account.normal_side == Side::debit),
                          datum_of(request.range.end)};
  return read_rows(plan, values);
}

// Its lines' ids, without repetitions: lines of one transaction stand together.
std::vector<TransactionId> transactions_of(const Rows& page) {
  std::vector<TransactionId> ids;
  for (std::uint64_t i = 0; i < page.count; ++i) {
    const TransactionId id = pg_call([&] {
      return id_from_datum(Row{page.table->vals[i], page.table->tupdesc}.column(1));
    });
    if (ids.empty() || ids.back() != id) ids.push_back(id);
  }
  return ids;
}

Datum array_of_ids(const std::vector<TransactionId>& ids) {
  std::vector<Datum> elements;
  elements.reserve(ids.size());
  for (const TransactionId& id : ids) elements.push_back(datum_of(id));
  return pg_call([&] { return array_of(elements, UUIDOID); });
}

// For each transaction the codes of its other accounts, as an array of text.
std::vector<Datum> read_counter_accounts(Ledger& ledger, Datum ids, std::size_t count,
                                         const Account& account) {
  static constexpr Oid types[] = {UUIDARRAYOID, INT8OID};
  const Datum values[] = {ids, Int64GetDatum(account.id)};
  const Rows lines = read_rows(ledger.plan(counter_accounts_query, 2, types), values);
  std::vector<std::pair<std::size_t, std::int64_t>> others;  // transaction, account
  others.reserve(lines.count);
  pg_call([&] {
    for (std::uint64_t i = 0; i < lines.count; ++i) {
      const Row row{lines.table->vals[i], lines.table->tupdesc};
      others.emplace_back(static_cast<std::size_t>(DatumGetInt64(row.column(1))) - 1,
                          DatumGetInt64(row.column(2)));
    }
  });
  std::vector<std::int64_t> accounts;
  for (const auto& [transaction, other] : others) accounts.push_back(other);
  std::sort(accounts.begin(), accounts.end());
  accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
  ledger.load_accounts(accounts);

  std::vector<Datum> arrays;
  arrays.reserve(count);
  std::size_t next = 0;
  std::vector<std::int64_t> seen;
  std::vector<Datum> codes;
  for (std::size_t transaction = 0; transaction < count; ++transaction) {
    seen.clear();
    codes.clear();
    for (; next < others.size() && others[next].first == transaction; ++next) {
      const std::int64_t other = others[next].second;
      if (std::find(seen.begin(), seen.end(), other) != seen.end()) continue;
      seen.push_back(other);
      const std::string_view code = ledger.find_account(other).code;
      codes.push_back(pg_call([&] { return new_text(code); }));
    }
    arrays.push_back(pg_call([&] { return array_of(codes, TEXTOID); }));
  }
  return arrays;
}

// Columns of the result, and where each comes from.
enum Column {
  posted_at,
  effective_at,
  transaction_id,
  line,
  reference,
  description,
  counter_accounts,
  debit,
  credit,
  balance,
  metadata,
  cursor,
  column_count
};

void return_page(FunctionCallInfo fcinfo, const ListScope& scope, const Rows& page,
                 const Rows& transactions, const std::vector<Datum>& counters) {
  TupleDesc descriptor = nullptr;
  Tuplestorestate* rows = pg_call([&] { return start_result(fcinfo, &descriptor); });
  ListPosition last;
  std::uint64_t next = 0;  // transaction
  for (std::uint64_t i = 0; i < page.count; ++i) {
    Datum values[column_count];
    bool nulls[column_count];
    const ListPosition position = pg_call([&] {
      const auto take = [&](const Rows& from, std::uint64_t row, int number, Column column) {
        values[column] =
            SPI_getbinval(from.table->vals[row], from.table->tupdesc, number, &nulls[column]);
      };
      take(page, i, 1, transaction_id);
      take(page, i, 2, line);
      take(page, i, 3, debit);
      take(page, i, 4, credit);
      take(page, i, 5, balance);
      const ListPosition here{id_from_datum(values[transaction_id]), DatumGetInt16(values[line])};
      values[line] = Int32GetDatum(here.line);
      if (next == 0 || here.transaction != last.transaction) ++next;
      const std::uint64_t row = next - 1;
      take(transactions, row, 1, posted_at);
      take(transactions, row, 2, effective_at);
      take(transactions, row, 3, reference);
      take(transactions, row, 4, description);
      take(transactions, row, 5, metadata);
      values[counter_accounts] = counters[row];
      nulls[counter_accounts] = false;
      return here;
    });
    last = position;
    put_row(rows, descriptor, scope, position, values, nulls);
  }
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_statement);
PGDLLEXPORT Datum ledgerflow_statement(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto code = text_argument(fcinfo, 0);
    const auto after = text_argument(fcinfo, 3);
    Request request;
    request.range = posted_range_arguments(fcinfo, 1, 2, "from", "to");
    request.limit = limit_argument(fcinfo, 4);
    request.newest_first = PG_ARGISNULL(5) || PG_GETARG_BOOL(5);
    Call call(name_argument(fcinfo, 6));
    const Account& account = call.account_to_read(code);
    Ledger& ledger = call.ledger();
    const ListScope scope{ListKind::statement, request.newest_first,
                          names_hash({ledger.name, account.code})};
    request.after = after_argument(after, scope);
    const Rows page = read_page(ledger, account, request);
    const std::vector<TransactionId> ids = transactions_of(page);
    const Datum array = array_of_ids(ids);
    static constexpr Oid types[] = {UUIDARRAYOID};
    const Rows transactions = read_rows(ledger.plan(transactions_query, 1, types), &array);
    return_page(fcinfo, scope, page, transactions,
                read_counter_accounts(ledger, array, ids.size(), account));
    call.finish();
    return Datum{0};
  });
}

}  // extern "C"

}  // namespace ledgerflow
