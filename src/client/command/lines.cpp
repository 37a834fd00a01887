#include "lines.hpp"

#include <random>
#include <ledgerflow/posting.hpp>
#include <ledgerflow/transaction.hpp>

#include "failure.hpp"
#include "progress.hpp"

namespace ledgerflow::command {

namespace {

std::string new_key() {
  constexpr char digits[] = "0123456789abcdef";
  std::random_device random;
  std::string key = "ledgerflow-";
  for (int i = 0; i < 32; ++i) key += digits[random() & 15U];
  return key;
}

// "ACCOUNT=AMOUNT": a code has no '='.
void add_line(Context& context, Sql& sql, const char* function, const std::string& line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string::npos)
    throw UsageError("a line is written ACCOUNT=AMOUNT, not '" + line + "'");
  const std::string amount = line.substr(equals + 1);
  static_cast<void>(client::Amount(amount));  // refuses what is none
  sql.call(context.server.extension() + function,
           {{"account", "text", line.substr(0, equals)}, {"amount", "numeric", amount}});
}

void add_lines(Context& context, Sql& sql) {
  const char* separator = "lines => ARRAY[";
  for (const char* const side : {"debit", "credit"}) {
    for (const std::string& line : context.command.values(std::string(side) + "_line")) {
      sql.add(separator);
      add_line(context, sql, (std::string("ledger_") + side).c_str(), line);
      separator = ", ";
    }
  }
  sql.add("]");
}

Sql journal_of(Context& context, const std::optional<std::string>& transaction) {
  Sql sql("SELECT line, account, debit, credit, currency, balance_after FROM ");
  sql.add(context.server.ledger()).add("journal WHERE transaction_id OPERATOR(pg_catalog.=) ");
  return sql.value("uuid", transaction).add(" ORDER BY line");
}

}  // namespace

Command& with_lines(Command& command) {
  return command.options("--debit", "line", "ACCOUNT=AMOUNT", "Debit this account; can be repeated")
      .named("debit_line")
      .options("--credit", "line", "ACCOUNT=AMOUNT", "Credit this account; can be repeated")
      .named("credit_line");
}

bool has_lines(const Command& given) {
  return given.has("debit_line") && (given.given("debit_line") || given.given("credit_line"));
}

Command& with_key(Command& command) {
  return command.option("-k,--idempotency-key", "text", "KEY",
                        "Your name for this request: repeated under the same key it is not done "
                        "again, and answers as the first time");
}

Command& with_remarks(Command& command, RemarkKind kind) {
  with_key(command)
      .option("-r,--reference", "text", "TEXT", "Unique in the ledger; an invoice's number, say")
      .option("-m,--description", "text", "TEXT", "For people")
      .option("--effective-at", "timestamptz", "TIME",
              "When it counts in the books; default: the time of posting")
      .option("--metadata", "jsonb", "JSON", "A JSON object");
  if (kind == RemarkKind::posting)
    command.option("--expected-version", "int8", "N",
                   "Refuse unless the debited account, or that of the first line, is at this "
                   "version");
  return command;
}

void add_request(Context& context, Sql& sql, const std::string& function,
                 std::vector<NamedValue> more) {
  if (!context.command.given("idempotency_key"))
    more.push_back({"idempotency_key", "text", new_key()});
  context.call(sql, function, std::move(more));
  if (!has_lines(context.command)) return;
  // Into the parentheses of the call.
  sql.reopen().add(", ");
  add_lines(context, sql);
  sql.add(")");
}

int post_request(Context& context, const std::string& function, const char* id_name,
                 std::vector<NamedValue> more) {
  const auto request = [&] {
    Sql sql("SELECT ");
    add_request(context, sql, function, more);
    return sql.add(" AS ").add(id_name);
  };
  if (!context.command.has("dry_run") || !context.command.given("dry_run")) {
    context.change(Shape::value, request(), Repeat::safe);
    return exit_code::success;
  }
  context.server.client();
  const client::Transaction transaction(context.server.client());
  const client::Table posted = context.server.query(request(), Repeat::unsafe);
  context.write(Shape::rows, journal_of(context, posted.rows.at(0).at(0)));
  say("dry run: nothing was posted");
  return exit_code::success;
}

}  // namespace ledgerflow::command
