// hold, capture, raise, release, holds.
#include "command.hpp"
#include "failure.hpp"
#include "lines.hpp"

namespace ledgerflow::command {

namespace {

constexpr char group[] = "Holds";

int hold(Context& context) {
  const Command& given = context.command;
  if (has_lines(given) ? given.given("debit") : !given.given("amount"))
    throw UsageError("give DEBIT CREDIT AMOUNT, or lines by --debit and --credit");
  return post_request(context, "ledger_hold", "hold");
}

void check_amount_or_lines(const Command& given) {
  if (has_lines(given) && given.given("amount"))
    throw UsageError("give an AMOUNT or lines, not both");
}

int capture(Context& context) {
  check_amount_or_lines(context.command);
  std::vector<NamedValue> more;
  if (context.command.given("keep_rest")) more.push_back({"final", "bool", "false"});
  return post_request(context, "ledger_capture", "transaction_id", std::move(more));
}

// A function that returns nothing: the answer is the hold and what was done to it.
int change_hold(Context& context, const char* function, const char* done) {
  Sql sql("SELECT ");
  sql.value("uuid", context.command.value("hold")).add(" AS hold, ");
  sql.value("text", done).add(" AS done FROM (SELECT ");
  add_request(context, sql, function);
  context.change(Shape::row, sql.add(") AS call"), Repeat::safe);
  return exit_code::success;
}

int raise(Context& context) {
  check_amount_or_lines(context.command);
  if (!has_lines(context.command) && !context.command.given("amount"))
    throw UsageError("give an AMOUNT, or lines by --debit and --credit");
  return change_hold(context, "ledger_raise_hold", "raised");
}

int release(Context& context) { return change_hold(context, "ledger_release", "released"); }

int list(Context& context) {
  Sql sql(
      "SELECT hold, created_at, expires_at, line, account, debit, credit, currency, captured, "
      "released, remaining, reference, description FROM ");
  sql.add(context.server.ledger()).add("open_holds");
  if (const auto account = context.command.value("account"))
    sql.add(" WHERE hold IN (SELECT hold FROM ")
        .add(context.server.ledger())
        .add("open_holds WHERE account OPERATOR(pg_catalog.=) ")
        .value("text", account)
        .add(")");
  context.write(Shape::rows, sql.add(" ORDER BY hold, line"));
  return exit_code::success;
}

Command& with_hold(Command& command) { return command.operand("HOLD", "uuid", "Id of the hold"); }

}  // namespace

void add_holds(Commands& commands) {
  Command& hold_command =
      commands.add(group, "hold", "Reserve a posting that is captured or released later")
          .optional_operand("DEBIT", "text", "Code of the account to debit")
          .optional_operand("CREDIT", "text", "Code of the account to credit")
          .optional_operand("AMOUNT", "amount", "Plain digits in the accounts' currency: 125.00");
  with_remarks(with_lines(hold_command))
      .option("--expires-in", "interval", "INTERVAL", "How long it lasts: '7 days'")
      .option("--expires-at", "timestamptz", "TIME", "When it ends")
      .says("Prints the hold's id. What is reserved counts as used against the accounts' limits.")
      .example("ledgerflow hold customers:bob shops:corner 50.00 --expires-in '7 days'",
               "a card authorisation")
      .does(hold);
  Command& capture_command =
      with_hold(commands.add(group, "capture", "Post what a hold has reserved"))
          .optional_operand("AMOUNT", "amount",
                            "So much of a hold of two lines; default: all that is left");
  with_remarks(with_lines(capture_command), RemarkKind::capture)
      .flag("--keep-rest", "own", "Keep the rest reserved, for a later capture")
      .says(
          "Prints the new transaction's id. What is not captured is given back, unless "
          "--keep-rest says otherwise. A hold of more than two lines is captured in part by "
          "lines, on its own accounts and sides.")
      .does(capture);
  Command& raise_command =
      with_hold(commands.add(group, "raise", "Reserve more on a hold"))
          .optional_operand("AMOUNT", "amount", "So much more on a hold of two lines");
  with_key(with_lines(raise_command)).does(raise);
  with_key(with_hold(commands.add(group, "release", "Give back what is left of a hold"))
               .option("--reason", "text", "TEXT", "Why; kept in the hold's history"))
      .does(release);
  commands.add(group, "holds", "List the holds that are pending")
      .optional_operand("ACCOUNT", "own", "Only holds with a line on this account")
      .does(list);
}

}  // namespace ledgerflow::command
