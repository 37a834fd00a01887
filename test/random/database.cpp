#include "database.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "core/errors.hpp"

namespace ledgerflow::random_test {

Connection::Connection() : connection_(PQconnectdb(""), &PQfinish) {
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  // A session that waits for another one would wait for ever: they take turns.
  must("SET client_min_messages = error; SET lock_timeout = '10s'");
}

Connection::Answer Connection::ask(const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()),
                                                             &PQclear);
  Answer answer;
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    const char* sqlstate = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    answer.sqlstate = sqlstate != nullptr ? sqlstate : "none";
    answer.message = PQerrorMessage(connection_.get());
    return answer;
  }
  for (int row = 0; row < PQntuples(result.get()); ++row)
    answer.values.emplace_back(PQgetvalue(result.get(), row, 0));
  return answer;
}

std::vector<std::string> Connection::must(const std::string& sql) {
  Answer answer = ask(sql);
  if (!answer.sqlstate.empty()) throw std::runtime_error(sql + "\n" + answer.message);
  return std::move(answer.values);
}

std::string condition_of(const Connection::Answer& answer) {
  if (answer.sqlstate.empty()) return "ok";
  const auto condition = condition_from_sqlstate(answer.sqlstate);
  return condition ? info(*condition).name : "SQLSTATE " + answer.sqlstate + ": " + answer.message;
}

void create_ledger(Connection& connection) {
  connection.must("DROP SCHEMA IF EXISTS ledger CASCADE");
  connection.must("SELECT ledger_create()");
  connection.must("INSERT INTO ledger.currencies (code, scale) VALUES ('BTC', 8), ('ATTO', 24)");
  connection.must(
      "INSERT INTO ledger.account_types (code, normal_side, min_balance, max_balance) "
      "VALUES ('wallet', 'credit', 0, 1000), ('gauge', 'debit', -50, NULL)");
}

std::vector<std::string> findings(Connection& connection) {
  return connection.must(
      "SELECT concat_ws(' | ', check_name, object, expected, found) FROM ledger_verify()");
}

Database::Database() {
  for (int i = 0; i < session_count; ++i) sessions_.emplace_back();
  create_ledger(sessions_[0]);
}

std::string Database::id(const std::string& name) const {
  const auto known = ids_.find(name);
  return "'" + (known != ids_.end() ? known->second : "01234567-89ab-7cde-8f01-23456789abcd") + "'";
}

std::string Database::name_of_id(const std::string& id, const std::string& new_name) {
  const auto known = names_.emplace(id, new_name);
  if (known.second) ids_[new_name] = id;
  return known.first->second;
}

Result Database::run(const Operation& operation) {
  std::size_t& depth = depth_[operation.session];
  const Connection::Answer answer = sessions_[static_cast<std::size_t>(operation.session)].ask(
      to_sql(operation, depth, [this](const std::string& name) { return id(name); }));
  message_ = answer.message;
  Result result;
  result.condition = condition_of(answer);
  if (!answer.sqlstate.empty()) return result;

  if (const Control* control = std::get_if<Control>(&operation.action)) {
    if (*control == Control::savepoint) ++depth;
    if (*control == Control::release_savepoint) --depth;
    if (*control == Control::commit || *control == Control::commit_of_failed ||
        *control == Control::rollback)
      depth = 0;
  } else if (options_of(operation.action) != nullptr) {
    // The first answer with an id is the one that made it.
    result.value = name_of_id(answer.values.at(0), name_of(operation));
    const auto* hold = std::get_if<PlaceHold>(&operation.action);
    if (hold != nullptr && hold->expires_in == soon)
      std::this_thread::sleep_for(std::chrono::microseconds(2 * soon));
  } else if (std::holds_alternative<PostBatch>(operation.action)) {
    for (std::size_t i = 0; i < answer.values.size(); ++i) {
      std::string outcome = answer.values[i];
      const std::size_t space = outcome.find(' ');
      if (space != std::string::npos)
        outcome = outcome.substr(0, space + 1) +
                  name_of_id(outcome.substr(space + 1), name_of(operation, i));
      result.value += (i == 0 ? "" : ", ") + outcome;
    }
  } else if (!std::holds_alternative<Open>(operation.action) && !answer.values.empty()) {
    result.value = answer.values[0];
  }
  return result;
}

std::vector<std::string> Database::state() {
  std::vector<std::string> lines = sessions_[0].must(R"(
      SELECT line FROM (
        SELECT a.code, 0 AS number,
               concat(a.code, ' ', a.type, ' ', a.currency, ' ', b.status, ' version ', b.version,
                      ' debits ', b.debits_posted, ' credits ', b.credits_posted,
                      ' pending ', b.debits_pending, ' ', b.credits_pending,
                      ' limits ', coalesce(b.min_balance::text, 'none'), ' ',
                      coalesce(b.max_balance::text, 'none')) AS line
          FROM ledger.accounts a JOIN ledger.account_balances b ON b.account_id = a.id
        UNION ALL
        SELECT code, number, concat(code, ' entry ', number, ' ', amount, ' ', balance_after)
          FROM (SELECT a.code, e.amount, e.balance_after,
                       row_number() OVER (PARTITION BY a.code ORDER BY e.transaction_id, e.line) AS number
                  FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id) e
      ) lines ORDER BY code COLLATE "C", number)");
  // What has an id gets its name, and the order of these lines.
  std::vector<std::string> named = sessions_[0].must(R"(
      SELECT concat(h.id, ' hold ', h.status, ' ', string_agg(
                 concat_ws(' ', a.code, l.amount, l.captured, l.released), ', ' ORDER BY l.line))
        FROM ledger.holds h JOIN ledger.hold_lines l ON l.hold_id = h.id
        JOIN ledger.accounts a ON a.id = l.account_id GROUP BY h.id
      UNION ALL
      SELECT concat(transaction_id, ' history ',
                    string_agg(concat(from_status, '>', to_status), ' ' ORDER BY id))
        FROM ledger.transaction_history GROUP BY transaction_id)");
  constexpr std::size_t id_length = 36;
  for (std::string& line : named)
    line = name_of_id(line.substr(0, id_length), "an unknown id") + line.substr(id_length);
  std::sort(named.begin(), named.end());
  lines.insert(lines.end(), named.begin(), named.end());
  for (const std::string& code :
       sessions_[0].must("SELECT code FROM ledger.accounts ORDER BY code COLLATE \"C\""))
    for (const std::int64_t time : sampled_times())
      lines.push_back(
          effective_line(code, time,
                         sessions_[0].must("SELECT ledger_balance_at('" + code +
                                           "', timestamptz 'epoch' + interval '1 microsecond' * " +
                                           std::to_string(time) + ", 'effective')")[0]));
  return lines;
}

}  // namespace ledgerflow::random_test
