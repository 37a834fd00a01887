#include "session.hpp"

#include <new>
#include <utility>

#include "raise.hpp"

namespace ledgerflow::client {

namespace {

constexpr int binary_format = 1;
constexpr int expand_connection_string = 1;

constexpr char find_extension_sql[] =
    "SELECT n.nspname, e.extversion FROM pg_catalog.pg_extension e"
    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
    " WHERE e.extname OPERATOR(pg_catalog.=) 'ledgerflow'";

ConnectionHandle connect(const std::string& connection_string) {
  // Later keywords win over what the connection string says.
  const char* const keywords[] = {"dbname", "fallback_application_name", "client_encoding",
                                  nullptr};
  const char* const values[] = {connection_string.c_str(), "ledgerflow", "UTF8", nullptr};
  ConnectionHandle connection(PQconnectdbParams(keywords, values, expand_connection_string));
  if (PQstatus(connection.get()) != CONNECTION_OK) raise_not_connected(connection.get());
  // A library does not write to its program's standard error.
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  return connection;
}

struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};

std::string quote_identifier(PGconn* connection, const std::string& name) {
  const std::unique_ptr<char, FreeMemory> quoted(
      PQescapeIdentifier(connection, name.data(), name.size()));
  if (quoted == nullptr) throw std::bad_alloc();
  return quoted.get();
}

std::string_view value(const PGresult* result) {
  return {PQgetvalue(result, 0, 0), static_cast<std::size_t>(PQgetlength(result, 0, 0))};
}

}  // namespace

Session::Session(const std::string& connection_string) : connection_(connect(connection_string)) {
  find_extension();
}

void Session::find_extension() {
  PGconn* const connection = connection_.get();
  const ResultHandle result(PQexec(connection, find_extension_sql));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
    raise_failed(connection, result.get(), false);
  if (PQntuples(result.get()) == 0)
    throw ExtensionMissing(
        {sqlstate::undefined_object,
         std::string("database \"") + PQdb(connection) + "\" does not have ledgerflow",
         {},
         "Run CREATE EXTENSION ledgerflow in it."},
        false);
  extension_schema_ = PQgetvalue(result.get(), 0, 0);
  extension_version_ = PQgetvalue(result.get(), 0, 1);
  quoted_schema_ = quote_identifier(connection, extension_schema_);
}

void Session::prepare(Call call) {
  bool& prepared = prepared_[static_cast<std::size_t>(call)];
  if (prepared) return;
  const Statement& what = statement(call);
  const ResultHandle result(PQprepare(connection_.get(), what.name,
                                      sql_for_schema(what, quoted_schema_).c_str(),
                                      parameter_count(what), what.types.data()));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK)
    raise_failed(connection_.get(), result.get(), false);
  prepared = true;
}

ResultHandle Session::run(Call call, const Parameters& parameters) {
  prepare(call);
  PGconn* const connection = connection_.get();
  const bool committing = transaction_status() == PQTRANS_IDLE;
  ResultHandle result(PQexecPrepared(connection, statement(call).name, parameters.count(),
                                     parameters.values(), parameters.lengths(),
                                     parameters.formats(), binary_format));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
    raise_failed(connection, result.get(), committing);
  if (PQntuples(result.get()) != 1 || PQnfields(result.get()) != 1)
    raise_unexpected(connection, std::string(statement(call).name) + " did not return one value");
  return result;
}

TransactionId Session::call_for_id(Call call, const Parameters& parameters) {
  const ResultHandle result = run(call, parameters);
  const auto id = decode_uuid(value(result.get()));
  if (!id)
    raise_unexpected(connection_.get(),
                     std::string(statement(call).name) + " did not return a uuid");
  return *id;
}

Amount Session::call_for_amount(Call call, const Parameters& parameters) {
  const ResultHandle result = run(call, parameters);
  const auto amount = decode_numeric(value(result.get()));
  if (!amount)
    raise_unexpected(connection_.get(),
                     std::string(statement(call).name) + " did not return an amount");
  return *amount;
}

std::string Session::execute(const char* sql, bool committing) {
  const ResultHandle result(PQexec(connection_.get(), sql));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK)
    raise_failed(connection_.get(), result.get(), committing);
  return PQcmdStatus(result.get());
}

}  // namespace ledgerflow::client
