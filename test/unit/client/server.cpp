#include "server.hpp"

#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace ledgerflow::client::testing {

namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

std::string quoted(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  return text + "'";
}

std::string test_database_name() { return "client_test_" + std::to_string(getpid()); }

// The database that is there already: what PGDATABASE says, or `postgres`.
std::string maintenance_database() {
  return database_named(std::getenv("PGDATABASE") != nullptr ? std::getenv("PGDATABASE")
                                                             : "postgres");
}

class Database : public ::testing::Environment {
 public:
  void SetUp() override {
    if (!has_server()) return;
    sql_in(maintenance_database(), "CREATE DATABASE " + test_database_name());
    sql("CREATE SCHEMA ledgerflow");
    sql("CREATE EXTENSION ledgerflow SCHEMA ledgerflow");
    sql("SELECT ledgerflow.ledger_create()");
    sql("INSERT INTO ledger.currencies (code, scale) VALUES ('ETH', 18)");
  }

  void TearDown() override {
    if (has_server())
      sql_in(maintenance_database(),
             "DROP DATABASE IF EXISTS " + test_database_name() + " WITH (FORCE)");
  }
};

// GoogleTest owns it, and calls it before the first test and after the last.
[[maybe_unused]] const ::testing::Environment* const registered =
    ::testing::AddGlobalTestEnvironment(new Database);

}  // namespace

bool has_server() { return std::getenv("PGHOST") != nullptr; }

std::string database_named(const std::string& name) { return "dbname=" + quoted(name); }
std::string test_database() { return database_named(test_database_name()); }

std::vector<std::string> query(PGconn* connection, const std::string& sql) {
  const Result result(PQexec(connection, sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    ADD_FAILURE() << sql << "\n" << PQerrorMessage(connection);
  std::vector<std::string> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row)
    rows.emplace_back(PQgetisnull(result.get(), row, 0) != 0 ? "NULL"
                                                             : PQgetvalue(result.get(), row, 0));
  return rows;
}

std::string sql_in(const std::string& database, const std::string& text) {
  const Connection connection(
      PQconnectdb((database + " options='-c client_min_messages=warning'").c_str()), &PQfinish);
  const auto rows = query(connection.get(), text);
  return rows.empty() ? "" : rows.front();
}

std::string sql(const std::string& text) { return sql_in(test_database(), text); }

void ServerTest::SetUp() {
  if (!has_server()) GTEST_SKIP() << "PGHOST is not set: no server to test with";
}

std::string ServerTest::open(const std::string& type, const std::string& currency,
                             const std::string& min_balance) {
  static int opened = 0;
  const std::string code = "test:" + type + ":" + std::to_string(++opened);
  sql("SELECT ledgerflow.ledger_open_account(code => '" + code + "', type => '" + type +
      "', currency => '" + currency + "', min_balance => " + min_balance + ")");
  return code;
}

}  // namespace ledgerflow::client::testing
