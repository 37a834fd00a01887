// The database, through libpq: a connection for each session.
#pragma once

#include <libpq-fe.h>

#include <map>
#include <memory>

#include "operations.hpp"

namespace ledgerflow::random_test {

// One connection. Results are texts: the first column of the rows, or an SQLSTATE.
class Connection {
 public:
  Connection();

  struct Answer {
    std::string sqlstate;  // empty: it worked
    std::string message;
    std::vector<std::string> values;
  };
  Answer ask(const std::string& sql);
  // For what must work: throws std::runtime_error when it does not.
  std::vector<std::string> must(const std::string& sql);

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// "ok", the name of one of ledgerflow's conditions, or "SQLSTATE xxxxx: message".
std::string condition_of(const Connection::Answer& answer);

// A new ledger with the currencies and account types that the tests use; replaces one that is there.
void create_ledger(Connection& connection);

// What ledger_verify() finds.
std::vector<std::string> findings(Connection& connection);

class Database final : public Books {
 public:
  Database();
  const char* name() const override { return "database"; }
  Result run(const Operation& operation) override;
  std::vector<std::string> state() override;
  std::vector<std::string> verify() { return findings(sessions_[0]); }
  // The message of the last refusal.
  const std::string& message() const { return message_; }

 private:
  std::string id(const std::string& name) const;
  // The name of what has this id; a new one has this name from now on.
  std::string name_of_id(const std::string& id, const std::string& new_name);

  std::vector<Connection> sessions_;
  std::size_t depth_[session_count] = {};
  // Names and ids of transactions and holds.
  std::map<std::string, std::string> names_;
  std::map<std::string, std::string> ids_;
  std::string message_;
};

}  // namespace ledgerflow::random_test
