// A database of its own on the server that PGHOST and its like point to, for the tests that need
// one.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <string>
#include <vector>

#include "ledgerflow/ledgerflow.hpp"

namespace ledgerflow::client::testing {

// Whether the environment names a server. Without one the tests that need it are skipped.
bool has_server();

// The connection string of the tests' database, or of another one.
std::string database_named(const std::string& name);
std::string test_database();

// Runs SQL on a connection; the first column of its rows, NULL as "NULL". Failures fail the test.
std::vector<std::string> query(PGconn* connection, const std::string& sql);

// Runs SQL in the tests' database on a connection of its own; the first row's value, or "".
std::string sql(const std::string& text);
std::string sql_in(const std::string& database, const std::string& text);

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override;

  // An account code that no other test uses, opened as an account of this type.
  std::string open(const std::string& type, const std::string& currency = "USD",
                   const std::string& min_balance = "NULL");
};

}  // namespace ledgerflow::client::testing
