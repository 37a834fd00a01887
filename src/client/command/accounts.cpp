// account open, list, show, limits, freeze, unfreeze, close, reopen, history.
#include <utility>

#include "command.hpp"
#include "failure.hpp"

namespace ledgerflow::command {

namespace {

constexpr char group[] = "Accounts";

constexpr char listed[] =
    "account, type, currency, balance, available, status, min_balance, max_balance, name";

int open_account(Context& context) {
  Sql sql("SELECT ");
  context.call(sql, "ledger_open_account").add(" AS account_id");
  context.change(Shape::value, sql, Repeat::safe);  // the same call again changes nothing
  return exit_code::success;
}

int list_accounts(Context& context) {
  const Command& given = context.command;
  Sql sql;
  sql.add("SELECT ").add(listed).add(" FROM ").add(context.server.ledger()).add("balances");
  const char* connective = " WHERE ";
  if (const auto prefix = given.value("prefix")) {
    sql.add(connective).add("(account OPERATOR(pg_catalog.=) ").value("text", prefix);
    sql.add(" OR pg_catalog.starts_with(account, ").value("text", *prefix + ":").add("))");
    connective = " AND ";
  }
  for (const char* const column : {"type", "currency", "status"}) {
    if (!given.given(column)) continue;
    sql.add(connective).add(column).add(" OPERATOR(pg_catalog.=) ");
    sql.value("text", given.value(column));
    connective = " AND ";
  }
  context.write(Shape::rows, sql.add(" ORDER BY account"));
  return exit_code::success;
}

// Refuses an account that is not there, with the ledger's own words.
void require_account(Context& context) {
  Sql sql("SELECT ");
  context.server.query(context.call_with(sql, "ledger_balance",
                                         {"account", "text", context.command.value("account")}));
}

int show(Context& context, const char* columns) {
  require_account(context);
  Sql sql("SELECT ");
  sql.add(columns).add(" FROM ").add(context.server.ledger()).add("balances");
  sql.add(" WHERE account OPERATOR(pg_catalog.=) ").value("text", context.command.value("account"));
  context.write(Shape::row, sql);
  return exit_code::success;
}

int show_account(Context& context) { return show(context, "*"); }

// A limit of the command line: "none" is NULL.
NamedValue limit(const Command& given, const char* name) {
  const std::string text = *given.value(name);
  if (text == "none") return {name, "numeric", std::nullopt};
  static_cast<void>(client::Amount(text));
  return {name, "numeric", text};
}

int account_limits(Context& context) {
  constexpr char limits[] = "account, currency, min_balance, max_balance";
  const Command& given = context.command;
  if (!given.given("min_balance") && !given.given("max_balance")) return show(context, limits);
  if (!given.given("min_balance") || !given.given("max_balance"))
    throw UsageError("give both --min-balance and --max-balance; 'none' is no limit");
  const NamedValue floor = limit(given, "min_balance"), ceiling = limit(given, "max_balance");
  Sql sql("SELECT ");
  context.server.query(context.call(sql, "ledger_set_limits", {floor, ceiling}), Repeat::unsafe);
  return show(context, limits);
}

// A function that returns nothing: the answer is the account and what was done to it.
Action changes(const char* function, const char* done) {
  return [function, done](Context& context) {
    Sql sql("SELECT ");
    sql.value("text", context.command.value("account")).add(" AS account, ");
    sql.value("text", done).add(" AS done FROM (SELECT ");
    context.call(sql, function).add(") AS call");
    context.change(Shape::row, sql);
    return exit_code::success;
  };
}

int account_history(Context& context) {
  require_account(context);
  Sql sql("SELECT h.changed_at, h.changed_by, h.change, h.from_value, h.to_value, h.reason FROM ");
  sql.add(context.server.ledger()).add("account_history AS h JOIN ");
  sql.add(context.server.ledger()).add("accounts AS a ON a.id OPERATOR(pg_catalog.=) h.account_id");
  sql.add(" WHERE a.code OPERATOR(pg_catalog.=) ")
      .value("text", context.command.value("account"))
      .add(" ORDER BY h.id");
  context.write(Shape::rows, sql);
  return exit_code::success;
}

Command& with_account(Command& command) {
  return command.operand("ACCOUNT", "text", "Code of the account");
}

Command& with_reason(Command& command) {
  return command.option("--reason", "text", "TEXT", "Why; kept in the account's history");
}

void add_freeze(Commands& commands, const char* words, const char* summary, const char* function,
                const char* done) {
  Command& command = with_account(commands.add(group, words, summary));
  command.option("--direction", "text", "SIDE", "Postings on this side: debit, credit or both")
      .among({"debit", "credit", "both"});
  with_reason(command).does(changes(function, done));
}

}  // namespace

void add_accounts(Commands& commands) {
  commands.add(group, "account open", "Open an account")
      .operand("CODE", "text", "Its code, as assets:bank:checking; unique in the ledger")
      .operand("TYPE", "text", "asset, liability, equity, income, expense, or your own")
      .operand("CURRENCY", "text", "USD, EUR, or your own")
      .option("--name", "text", "TEXT", "For people")
      .option("--min-balance", "amount", "AMOUNT", "The floor, in the account's normal sign")
      .option("--max-balance", "amount", "AMOUNT", "The ceiling, in the account's normal sign")
      .option("--metadata", "jsonb", "JSON", "A JSON object")
      .says(
          "Prints the account's id. The same command again prints the same id and changes "
          "nothing; with another type, currency, name, limit or metadata it is refused. Limits "
          "that are not given are those of the account type.")
      .example("ledgerflow account open customers:alice liability USD --min-balance 0",
               "a customer who cannot spend more than there is")
      .does(open_account);
  commands.add(group, "account list", "List accounts with their balances")
      .optional_operand("PREFIX", "own", "Only this account and those below it: assets:bank")
      .option("--type", "own", "TYPE", "Only accounts of this type")
      .option("--currency", "own", "CURRENCY", "Only accounts of this currency")
      .option("--status", "own", "STATUS", "Only accounts of this status: open, frozen, closed ...")
      .does(list_accounts);
  with_account(commands.add(group, "account show", "Show everything about an account"))
      .does(show_account);
  with_reason(
      with_account(commands.add(group, "account limits", "Show or set the limits of an account"))
          .option("--min-balance", "own", "AMOUNT", "The floor; 'none' for none")
          .option("--max-balance", "own", "AMOUNT", "The ceiling; 'none' for none"))
      .says(
          "Without options it shows the limits. To set them give both: a limit that is left out "
          "would be taken away without a word.")
      .example("ledgerflow account limits customers:bob --min-balance -100 --max-balance none",
               "a credit line of 100")
      .does(account_limits);
  add_freeze(commands, "account freeze", "Refuse postings to an account", "ledger_freeze_account",
             "frozen");
  add_freeze(commands, "account unfreeze", "Take a freeze back", "ledger_unfreeze_account",
             "unfrozen");
  with_reason(with_account(commands.add(group, "account close",
                                        "Close an account that is empty and has nothing pending")))
      .does(changes("ledger_close_account", "closed"));
  with_reason(with_account(commands.add(group, "account reopen", "Open a closed account again")))
      .does(changes("ledger_reopen_account", "reopened"));
  with_account(
      commands.add(group, "account history", "List changes of an account's status and limits"))
      .does(account_history);
}

}  // namespace ledgerflow::command
