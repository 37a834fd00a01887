// balance, statement, find.
#include <algorithm>
#include <utility>

#include "command.hpp"
#include "failure.hpp"
#include "progress.hpp"

namespace ledgerflow::command {

namespace {

constexpr char group[] = "Reading";
constexpr char page_size[] = "1000";  // when all pages are wanted

// A text[] of these elements.
std::string array_of(const std::vector<std::string>& elements) {
  std::string array = "{";
  for (const std::string& element : elements) {
    array += array.size() == 1 ? "\"" : ",\"";
    for (const char c : element) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  return array + "}";
}

int balance(Context& context) {
  const Command& given = context.command;
  const bool is_past = given.given("at");
  if (given.given("by") && !is_past) throw UsageError("--by needs --at");
  const std::string balances = context.server.ledger() + "balances";
  Sql sql("SELECT b.account, b.currency, ");
  sql.add(is_past ? "known.balance" : "known.balance, b.available, b.status, b.name");
  if (given.values("account").empty() && !is_past) {
    sql.add(" FROM ").add(balances).add(" AS b, LATERAL (SELECT b.balance) AS known");
    context.write(Shape::rows, sql.add(" ORDER BY b.account"));
    return exit_code::success;
  }
  if (given.values("account").empty()) {
    sql.add(" FROM (SELECT account, pg_catalog.row_number() OVER (ORDER BY account) FROM ");
    sql.add(balances).add(")");
  } else {
    sql.add(" FROM pg_catalog.unnest(");
    sql.value("text[]", array_of(given.values("account"))).add(") WITH ORDINALITY");
  }
  sql.add(" AS wanted (account, place) CROSS JOIN LATERAL (SELECT ")
      .add(context.server.extension());
  sql.add(is_past ? "ledger_balance_at(" : "ledger_balance(").add("account => wanted.account");
  if (is_past) sql.add(", at => ").value("timestamptz", given.value("at"));
  if (is_past && given.given("by")) sql.add(", by => ").value("text", given.value("by"));
  if (context.settings.ledger) sql.add(", ledger => ").value("name", context.settings.ledger);
  // An outer join, so that the function is asked for every account, and refuses what is none.
  sql.add(") AS balance) AS known LEFT JOIN ").add(balances);
  sql.add(" AS b ON b.account OPERATOR(pg_catalog.=) wanted.account ORDER BY wanted.place");
  context.write(Shape::rows, sql);
  return exit_code::success;
}

// One page of a function that gives pages, or all of them one after the other. Tables show some of
// the columns; programs get all.
int write_pages(Context& context, const char* function, const std::vector<std::string>& shown,
                const std::vector<NamedValue>& more = {}) {
  const Command& given = context.command;
  const bool wants_all = given.given("all");
  const std::string limit = wants_all ? page_size : given.value_or("limit", "100");
  std::optional<std::string> after = given.value("after");
  const std::unique_ptr<Output> output = make_output(context.settings.format, Shape::rows);
  std::vector<std::size_t> places;  // of the columns shown
  for (bool is_first = true;; is_first = false) {
    Sql sql("SELECT * FROM ");
    std::vector<NamedValue> arguments = more;
    arguments.push_back({"after", "text", after});
    arguments.push_back({"limit", "int4", limit});
    context.call(sql, function, std::move(arguments));
    client::Table page = context.server.query(sql);
    if (is_first) {
      std::vector<client::Table::Column> columns;
      for (std::size_t i = 0; i < page.columns.size(); ++i) {
        const std::string& name = page.columns[i].name;
        if (context.settings.format == Format::table &&
            std::find(shown.begin(), shown.end(), name) == shown.end())
          continue;
        places.push_back(i);
        columns.push_back(page.columns[i]);
      }
      output->columns(columns);
    }
    for (const client::Table::Row& row : page.rows) {
      client::Table::Row cells;
      for (const std::size_t place : places) cells.push_back(row[place]);
      output->row(cells);
    }
    const bool is_full = std::to_string(page.rows.size()) == limit;
    if (is_full) after = page.rows.back().back();  // the cursor
    if (is_full && wants_all) continue;
    output->end();
    if (is_full && context.settings.format == Format::table)
      say("there may be more: --after '" + after.value_or("") + "', or --all");
    return exit_code::success;
  }
}

int statement(Context& context) {
  std::vector<NamedValue> more;
  if (context.command.given("oldest_first")) more.push_back({"newest_first", "bool", "false"});
  return write_pages(
      context, "ledger_statement",
      {"posted_at", "debit", "credit", "balance", "counter_accounts", "reference", "description"},
      more);
}

int find(Context& context) {
  return write_pages(context, "ledger_find_transactions",
                     {"transaction_id", "posted_at", "amount", "currency", "accounts", "status",
                      "reference", "description"});
}

Command& with_pages(Command& command) {
  return command.option("--limit", "own", "N", "How many at most; default: 100")
      .option("--after", "own", "CURSOR", "Go on behind the line with this cursor")
      .flag("--all", "own", "All of them, page after page")
      .excludes("--limit");
}

}  // namespace

void add_reading(Commands& commands) {
  commands.add(group, "balance", "Show balances")
      .operands("ACCOUNT", "own", "Codes of accounts; default: all")
      .option("--at", "own", "TIME", "As it was at this time")
      .option("--by", "own", "CLOCK", "Which time of a transaction counts: posted or effective")
      .among({"posted", "effective"})
      .example("ledgerflow balance assets:bank --at 2024-12-31 --csv", "for a spreadsheet")
      .does(balance);
  with_pages(commands.add(group, "statement", "List an account's lines with the balance after each")
                 .operand("ACCOUNT", "text", "Code of the account")
                 .option("--from", "timestamptz", "TIME", "Posted at this time or later")
                 .option("--to", "timestamptz", "TIME", "Posted before this time"))
      .flag("--oldest-first", "own", "From the beginning on; else the newest come first")
      .says(
          "JSON and CSV have all columns, the cursor of each line among them; --after goes on "
          "behind it, and neither skips nor repeats a line while others post.")
      .does(statement);
  with_pages(
      commands.add(group, "find", "Search transactions")
          .option("--account", "text", "ACCOUNT", "With a line on this account")
          .option("--status", "text", "STATUS", "posted, partly_reversed or reversed")
          .option("--reference", "text", "TEXT", "With exactly this reference")
          .option("--reference-prefix", "text", "TEXT", "With a reference that begins so")
          .option("--posted-from", "timestamptz", "TIME", "Posted at this time or later")
          .option("--posted-to", "timestamptz", "TIME", "Posted before this time")
          .option("--effective-from", "timestamptz", "TIME", "Effective at this time or later")
          .option("--effective-to", "timestamptz", "TIME", "Effective before this time")
          .option("--min-amount", "amount", "AMOUNT", "Of at least this amount")
          .option("--max-amount", "amount", "AMOUNT", "Of at most this amount")
          .option("--metadata", "jsonb", "JSON", "With metadata that contain this object")
          .option("--type", "text", "TYPE", "Of this type")
          .option("--created-by", "text", "ROLE", "Posted by this role"))
      .says("The newest come first. What is given must hold all together.")
      .does(find);
}

}  // namespace ledgerflow::command
