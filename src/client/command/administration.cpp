// init, grant, revoke, maintain, upgrade, period close, period reopen, errors.
#include <libpq-fe.h>

#include <memory>

#include "command.hpp"
#include "failure.hpp"

namespace ledgerflow::command {

namespace {

constexpr char group[] = "Ledgers";

// A client needs the extension; the database to create it in is reached without one.
void create_extension(const Settings& settings) {
  const char* const keywords[] = {"dbname", "fallback_application_name", "client_encoding",
                                  nullptr};
  const char* const values[] = {settings.dsn.c_str(), "ledgerflow", "UTF8", nullptr};
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(
      PQconnectdbParams(keywords, values, 1), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK)
    throw client::ConnectionError({"08001", PQerrorMessage(connection.get()), {}, {}}, false);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQexec(connection.get(), "CREATE EXTENSION ledgerflow"), PQclear);
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
  const auto field = [&result](int code) {
    const char* const value = PQresultErrorField(result.get(), code);
    return value == nullptr ? std::string() : std::string(value);
  };
  throw client::Error({field(PG_DIAG_SQLSTATE), field(PG_DIAG_MESSAGE_PRIMARY),
                       field(PG_DIAG_MESSAGE_DETAIL), field(PG_DIAG_MESSAGE_HINT)},
                      true);
}

int init(Context& context) {
  try {
    context.server.client();
  } catch (const client::ExtensionMissing&) {
    create_extension(context.settings);
  }
  const std::string name =
      context.settings.ledger ? *context.settings.ledger : context.server.client().ledger_name();
  Sql sql("SELECT ");
  sql.call(context.server.extension() + "ledger_create", {{"ledger", "name", name}});
  try {
    context.change(Shape::value, sql.add(" AS ledger"));
  } catch (const client::RefusedFor<client::Condition::ledger_exists>&) {
    if (!context.command.given("if_missing")) throw;
    context.server.ledger();  // a schema that is none is refused here
    Sql answer("SELECT ");
    context.write(Shape::value, answer.value("name", name).add(" AS ledger"));
  }
  return exit_code::success;
}

// A function whose answer is a row of its own.
Action answers(const char* function) {
  return [function](Context& context) {
    Sql sql("SELECT * FROM ");
    context.change(Shape::row, context.call(sql, function));
    return exit_code::success;
  };
}

// A function that returns nothing: the answer is an argument and what was done.
Action changes(const char* function, const char* argument, const char* done) {
  return [function, argument, done](Context& context) {
    Sql sql("SELECT ");
    sql.value("text", context.command.value(argument)).add(" AS ").add(argument).add(", ");
    sql.value("text", done).add(" AS done FROM (SELECT ");
    context.change(Shape::row, context.call(sql, function).add(") AS call"));
    return exit_code::success;
  };
}

int errors(Context& context) {
  Sql sql("SELECT * FROM ");
  sql.call(context.server.extension() + "ledger_errors", {}).add(" ORDER BY sqlstate");
  context.write(Shape::rows, sql);
  return exit_code::success;
}

}  // namespace

void add_administration(Commands& commands) {
  commands.add(group, "init", "Create a ledger, and the extension if the database has none")
      .flag("--if-missing", "own", "Be content when the ledger is there already")
      .says(
          "Prints the ledger's name. Creating the extension takes a superuser; creating a ledger "
          "the privilege CREATE on the database.")
      .example("ledgerflow -d books init", "the ledger \"ledger\" in the database books")
      .does(init);
  commands.add(group, "grant", "Grant a role what a level needs")
      .operand("ROLE", "name", "The role")
      .operand("LEVEL", "text", "reader, poster, operator or admin; each includes the ones before")
      .among({"reader", "poster", "operator", "admin"})
      .does(changes("ledger_grant", "role", "granted"));
  commands.add(group, "revoke", "Take back whatever was granted to a role")
      .operand("ROLE", "name", "The role")
      .does(changes("ledger_revoke", "role", "revoked"));
  commands.add(group, "maintain", "Settle expired holds, delete old idempotency keys")
      .says("Prints how many of each. To be run now and then, by cron say.")
      .does(answers("ledger_maintain"));
  commands.add(group, "upgrade", "Bring a ledger to the table format of the installed extension")
      .says("Prints the format. To be run as the ledger's owner.")
      .does([](Context& context) {
        Sql sql("SELECT ");
        context.change(Shape::value, context.call(sql, "ledger_upgrade").add(" AS format"));
        return exit_code::success;
      });
  commands.add(group, "period close", "Refuse postings that count at a time or before it")
      .operand("THROUGH", "timestamptz", "The time, which has passed")
      .option("--reason", "text", "TEXT", "Why; kept in the ledger's history")
      .does(changes("ledger_close_period", "through", "closed"));
  commands.add(group, "period reopen", "Move the end of the closed periods back")
      .optional_operand("THROUGH", "timestamptz", "Where they end now; default: nowhere")
      .option("--reason", "text", "TEXT", "Why; kept in the ledger's history")
      .does(changes("ledger_reopen_period", "through", "reopened"));
  commands.add(group, "errors", "List the conditions on which the ledger refuses a request")
      .does(errors);
}

}  // namespace ledgerflow::command
