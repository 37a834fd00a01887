// post, transfer, reverse, show.
#include "command.hpp"
#include "failure.hpp"
#include "lines.hpp"

namespace ledgerflow::command {

namespace {

constexpr char group[] = "Postings";

Command& with_dry_run(Command& command) {
  return command.flag("-n,--dry-run", "own",
                      "Post, show the lines and the balances after them, and roll back");
}

int post(Context& context) {
  const Command& given = context.command;
  if (has_lines(given) ? given.given("debit") : !given.given("amount"))
    throw UsageError("give DEBIT CREDIT AMOUNT, or lines by --debit and --credit");
  return post_request(context, "ledger_post", "transaction_id");
}

int transfer(Context& context) { return post_request(context, "post_transfer", "transaction_id"); }

int reverse(Context& context) {
  if (has_lines(context.command) && context.command.given("amount"))
    throw UsageError("give an AMOUNT or lines, not both");
  return post_request(context, "ledger_reverse", "transaction_id");
}

int show(Context& context) {
  const std::string journal = context.server.ledger() + "journal";
  const auto select = [&](const char* columns) {
    Sql sql;
    return sql.add("SELECT ")
        .add(columns)
        .add(" FROM ")
        .add(journal)
        .add(" WHERE transaction_id OPERATOR(pg_catalog.=) ")
        .value("uuid", context.command.value("transaction"))
        .add(" ORDER BY line");
  };
  constexpr char header[] =
      "transaction_id, posted_at, effective_at, reference, description, created_by, reverses, "
      "hold, metadata";
  constexpr char lines[] = "line, account, debit, credit, currency, balance_after";
  const client::Table found =
      context.server.query(select((std::string(header) + ", " + lines).c_str()));
  if (found.rows.empty()) {
    const client::ConditionInfo& condition = client::info(client::Condition::transaction_not_found);
    throw client::RefusedFor<client::Condition::transaction_not_found>(
        {condition.sqlstate,
         "transaction " + *context.command.value("transaction") + " not found",
         {},
         "What a hold reserves is no transaction yet: see ledgerflow holds."},
        true);
  }
  if (context.settings.format != Format::table) {
    write(*make_output(context.settings.format, Shape::rows), found);
    return exit_code::success;
  }
  // For people once what is true of all lines, then the lines.
  constexpr std::ptrdiff_t header_columns = 9;
  client::Table head, body;
  head.columns.assign(found.columns.begin(), found.columns.begin() + header_columns);
  body.columns.assign(found.columns.begin() + header_columns, found.columns.end());
  const client::Table::Row& first = found.rows.front();
  head.rows.emplace_back(first.begin(), first.begin() + header_columns);
  for (const client::Table::Row& row : found.rows)
    body.rows.emplace_back(row.begin() + header_columns, row.end());
  write(*make_output(Format::table, Shape::row), head);
  write_bytes(stdout, "standard output", "\n");
  write(*make_output(Format::table, Shape::rows), body);
  return exit_code::success;
}

}  // namespace

void add_postings(Commands& commands) {
  Command& post_command =
      commands.add(group, "post", "Post a transaction")
          .optional_operand("DEBIT", "text", "Code of the account to debit")
          .optional_operand("CREDIT", "text", "Code of the account to credit")
          .optional_operand("AMOUNT", "amount", "Plain digits in the accounts' currency: 125.00");
  with_dry_run(with_remarks(with_lines(post_command)))
      .says(
          "Prints the transaction's id. Amounts are written in plain digits, as 1250.00: no "
          "separators, no exponents; what is none is refused before anything is sent.")
      .says(
          "With lines, all debits come first and then all credits, each in the order given; in "
          "every currency they must be equal.")
      .says(
          "When the connection breaks, the command connects again and repeats the request under "
          "its idempotency key, so that it is posted once; without a key it makes one.")
      .example("ledgerflow post assets:bank customers:alice 100.00 -k deposit-1",
               "two accounts, safe to repeat")
      .example(
          "ledgerflow post --debit customers:alice=25 --credit shops:corner=24.50 "
          "--credit income:fees=0.50",
          "three lines")
      .does(post);
  Command& transfer_command =
      commands.add(group, "transfer", "Move money from a source to a destination")
          .operand("SOURCE", "text", "Code of the account to debit")
          .operand("DESTINATION", "text", "Code of the account to credit")
          .operand("AMOUNT", "amount", "Plain digits in the accounts' currency: 125.00");
  with_dry_run(with_remarks(transfer_command))
      .says(
          "The same as post, in the words of a transfer: debits the source, credits the "
          "destination.")
      .does(transfer);
  Command& reverse_command =
      commands.add(group, "reverse", "Mirror an earlier transaction, in whole or in part")
          .operand("TRANSACTION", "uuid", "Id of the transaction")
          .optional_operand("AMOUNT", "amount",
                            "So much of a transaction of two lines; default: all that is left");
  with_lines(reverse_command)
      .option("--reason", "text", "TEXT", "Why: the description of the new transaction");
  with_key(reverse_command)
      .option("-r,--reference", "text", "TEXT", "Unique in the ledger")
      .option("--effective-at", "timestamptz", "TIME", "When it counts in the books")
      .option("--metadata", "jsonb", "JSON", "A JSON object")
      .flag("--force", "bool",
            "Set the accounts' limits aside; takes an operator, and is recorded");
  with_dry_run(reverse_command)
      .says(
          "Prints the new transaction's id. Of a transaction of more than two lines a part is "
          "reversed by lines, on the opposite sides.")
      .does(reverse);
  commands.add(group, "show", "Show a transaction and its lines")
      .operand("TRANSACTION", "own", "Id of the transaction")
      .does(show);
}

}  // namespace ledgerflow::command
