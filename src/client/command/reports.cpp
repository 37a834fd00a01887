// report trial-balance, balance-sheet, income-statement, movements, compare, tree, by-type,
// by-metadata, chart.
#include "command.hpp"
#include "failure.hpp"

namespace ledgerflow::command {

namespace {

constexpr char group[] = "Reports";

// A report is a function of the same arguments. People see some of its columns, programs all.
Action reports(const char* function, const char* shown = "*") {
  return [function, shown](Context& context) {
    Sql sql("SELECT ");
    sql.add(context.settings.format == Format::table ? shown : "*").add(" FROM ");
    context.write(Shape::rows, context.call(sql, function));
    return exit_code::success;
  };
}

// People get the totals too.
int trial_balance(Context& context) {
  if (context.command.given("by") && !context.command.given("at"))
    throw UsageError("--by needs --at");
  Sql sql("WITH report AS MATERIALIZED (SELECT * FROM ");
  context.call(sql, "ledger_trial_balance").add(")");
  if (context.settings.format != Format::table) {
    context.write(Shape::rows, sql.add(" SELECT * FROM report"));
    return exit_code::success;
  }
  sql.add(
      " SELECT account, type, currency, debit, credit, name FROM"
      " (SELECT account, type, currency, debit, credit, name, 0 AS is_total FROM report"
      " UNION ALL SELECT 'total', NULL, currency, pg_catalog.sum(debit), pg_catalog.sum(credit),"
      " NULL, 1 FROM report GROUP BY currency) AS lines ORDER BY is_total, account, currency");
  context.write(Shape::rows, sql);
  return exit_code::success;
}

Command& with_clock(Command& command) {
  return command
      .option("--by", "text", "CLOCK",
              "Which time of a transaction counts: effective, the default, or posted")
      .among({"effective", "posted"});
}

Command& with_time(Command& command) {
  return with_clock(command.option("--at", "timestamptz", "TIME", "As of this time; default: now"));
}

Command& with_range(Command& command) {
  return with_clock(
      command.option("--from", "timestamptz", "TIME", "From this time on; default: the beginning")
          .option("--to", "timestamptz", "TIME", "Before this time; default: now"));
}

Command& with_depth(Command& command) {
  return command.option("--depth", "int4", "N", "No more than so many segments of a code");
}

Command& with_prefix(Command& command) {
  return command.option("--prefix", "text", "PREFIX", "Only this account and those below it");
}

}  // namespace

void add_reports(Commands& commands) {
  with_time(commands.add(group, "report trial-balance",
                         "Every account's balance in its debit or its credit column"))
      .does(trial_balance);
  with_depth(with_time(commands.add(group, "report balance-sheet",
                                    "Assets, liabilities and equity, with totals")))
      .example("ledgerflow report balance-sheet --at 2024-12-31", "at the end of a year")
      .does(reports("ledger_balance_sheet", "currency, label, name, amount"));
  with_depth(with_range(commands.add(group, "report income-statement",
                                     "Income, expenses and net income between two times")))
      .example("ledgerflow report income-statement --from 2024-01-01 --to 2025-01-01", "a year")
      .does(reports("ledger_income_statement", "currency, label, name, amount"));
  with_prefix(with_range(commands.add(group, "report movements",
                                      "Opening balance, debits, credits and closing balance")))
      .does(reports("ledger_movements"));
  with_clock(
      with_prefix(
          commands.add(group, "report compare", "By how much accounts changed in two periods")
              .operand("FROM1", "timestamptz", "The first period: from this time on")
              .operand("TO1", "timestamptz", "... and before this time")
              .operand("FROM2", "timestamptz", "The second period: from this time on")
              .operand("TO2", "timestamptz", "... and before this time")))
      .does(reports("ledger_compare"));
  with_depth(
      with_time(commands.add(group, "report tree", "Balances as a tree of account codes")
                    .optional_operand("PREFIX", "text", "Only this account and those below it")))
      .does(reports("ledger_rollup", "label, currency, own, total"));
  with_time(commands.add(group, "report by-type", "Balances summed by account type"))
      .does(reports("ledger_balances_by_type"));
  with_time(
      commands
          .add(group, "report by-metadata", "Balances summed by a value in the accounts' metadata")
          .operand("KEY", "text", "The key of the value"))
      .does(reports("ledger_balances_by_metadata"));
  with_range(commands.add(group, "report chart", "An account's balance at every step of a range")
                 .operand("ACCOUNT", "text", "Code of the account")
                 .option("--step", "interval", "INTERVAL", "As '1 month'; default: a day"))
      .does(reports("ledger_chart"));
}

}  // namespace ledgerflow::command
