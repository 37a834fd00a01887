#include <libpq-fe.h>

#include <new>
#include <utility>

#include "ledgerflow/client.hpp"
#include "raise.hpp"
#include "session.hpp"

namespace ledgerflow::client {

struct Canceller::Handle {
  PGcancel* cancel;
  ~Handle() { PQfreeCancel(cancel); }
};

Canceller::Canceller(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Canceller::~Canceller() = default;
Canceller::Canceller(Canceller&& other) noexcept = default;
Canceller& Canceller::operator=(Canceller&& other) noexcept = default;
bool Canceller::cancel() const noexcept {
  char message[256];
  return handle_ != nullptr && PQcancel(handle_->cancel, message, sizeof message) == 1;
}

Canceller Client::canceller() const {
  return Canceller(
      std::unique_ptr<Canceller::Handle>(new Canceller::Handle{PQgetCancel(native_handle())}));
}

Table Client::query(const std::string& sql,
                    const std::vector<std::optional<std::string>>& parameters) {
  Table table;
  query(
      sql, parameters, [&](const std::vector<Table::Column>& columns) { table.columns = columns; },
      [&](const Table::Row& row) { table.rows.push_back(row); });
  return table;
}

void Client::query(const std::string& sql,
                   const std::vector<std::optional<std::string>>& parameters,
                   const std::function<void(const std::vector<Table::Column>&)>& on_columns,
                   const std::function<void(const Table::Row&)>& on_row) {
  PGconn* const connection = session().connection();
  const bool committing = !in_transaction();
  std::vector<const char*> values;
  for (const auto& value : parameters) values.push_back(value ? value->c_str() : nullptr);
  if (PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) != 1)
    raise_failed(connection, nullptr, false);
  PQsetSingleRowMode(connection);
  struct Drain {
    PGconn* connection;
    ~Drain() {
      while (PGresult* result = PQgetResult(connection)) PQclear(result);
    }
  } const drain{connection};
  bool is_first = true;
  while (const ResultHandle result{PQgetResult(connection)}) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      raise_failed(connection, result.get(), committing);
    const int columns = PQnfields(result.get());
    if (std::exchange(is_first, false)) {
      std::vector<Table::Column> all;
      for (int i = 0; i < columns; ++i)
        all.push_back({PQfname(result.get(), i), PQftype(result.get(), i)});
      on_columns(all);
    }
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      Table::Row cells;
      for (int i = 0; i < columns; ++i) {
        if (PQgetisnull(result.get(), row, i) != 0)
          cells.emplace_back();
        else
          cells.emplace_back(PQgetvalue(result.get(), row, i));
      }
      on_row(cells);
    }
  }
}

std::string Client::ledger_name(std::optional<std::string_view> ledger) {
  if (ledger) return std::string(*ledger);
  return query(
             "SELECT COALESCE(NULLIF(pg_catalog.current_setting('ledgerflow.ledger', true), ''), "
             "'ledger')")
      .rows.at(0)
      .at(0)
      .value();
}

std::string Client::quoted_name(std::string_view name) {
  char* const quoted = PQescapeIdentifier(session().connection(), name.data(), name.size());
  if (quoted == nullptr) throw std::bad_alloc();
  std::string text = quoted;
  PQfreemem(quoted);
  return text;
}

}  // namespace ledgerflow::client
