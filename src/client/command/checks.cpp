// verify, rebuild, health, seal create, seal verify, seal prove.
#include "command.hpp"
#include "failure.hpp"
#include "progress.hpp"

namespace ledgerflow::command {

namespace {

constexpr char group[] = "Proof";

// Rows of a function are findings; none means that all is well.
int find(Context& context, const char* label, const Sql& sql, const char* all_well) {
  std::size_t found = 0;
  {
    const Progress progress(label, context.settings.shows_progress);
    const client::Table findings = context.server.query(sql);
    found = findings.rows.size();
    if (found > 0 || context.settings.format != Format::table)
      write(*make_output(context.settings.format, Shape::rows), findings);
  }
  if (found > 0) return exit_code::findings;
  if (context.settings.format == Format::table)
    write_bytes(stdout, "standard output", std::string(all_well) + "\n");
  flush(stdout, "standard output");
  return exit_code::success;
}

int verify(Context& context) {
  const bool is_incremental = context.command.given("incremental");
  if (context.command.given("from_start") && !is_incremental)
    throw UsageError("--from-start needs --incremental");
  Sql sql("SELECT * FROM ");
  context.call(sql, is_incremental ? "ledger_verify_incremental" : "ledger_verify");
  return find(context, "verifying", sql, "all is well");
}

int verify_seal(Context& context) {
  Sql sql("SELECT * FROM ");
  context.call(sql, "ledger_verify_seal");
  return find(context, "verifying seals", sql, "what was sealed is as it was");
}

int rebuild(Context& context) {
  const Progress progress("rebuilding", context.settings.shows_progress);
  Sql sql("SELECT * FROM ");
  context.change(Shape::rows, context.call(sql, "ledger_rebuild_balances"));
  return exit_code::success;
}

int health(Context& context) {
  Sql sql("SELECT * FROM ");
  context.write(Shape::row, context.call(sql, "ledger_health"));
  return exit_code::success;
}

int seal(Context& context) {
  const Progress progress("sealing", context.settings.shows_progress);
  Sql sql("SELECT * FROM ");
  context.change(Shape::row, context.call(sql, "ledger_seal"));
  return exit_code::success;
}

// The proof goes into a file as it is, for those who check it.
int prove(Context& context) {
  Sql sql("SELECT ");
  context.call(sql, "ledger_prove").add(" AS proof");
  if (context.settings.format != Format::table) {
    context.write(Shape::value, sql);
    return exit_code::success;
  }
  std::string proof = context.server.query(sql).rows.at(0).at(0).value_or("");
  if (!proof.empty() && proof.back() != '\n') proof += '\n';
  write_bytes(stdout, "standard output", proof);
  flush(stdout, "standard output");
  return exit_code::success;
}

}  // namespace

void add_checks(Commands& commands) {
  commands.add(group, "verify", "Prove the books: re-derive everything and compare")
      .flag("--incremental", "own",
            "Only what was posted since the last such run without findings; records the run")
      .flag("--from-start", "bool", "With --incremental: everything, and record it")
      .says("Lists what is found wrong, and then ends with exit code 4.")
      .example("ledgerflow verify --json || mail -s 'the books' root", "every night")
      .does(verify);
  commands.add(group, "rebuild", "Derive the balances anew from the entries")
      .optional_operand("ACCOUNT", "text", "Only this account; default: all")
      .flag("--balance-after", "bool",
            "Mend the balance after each entry too; takes the ledger's owner")
      .says("Lists what it has changed; nothing, if the balances were right.")
      .does(rebuild);
  commands.add(group, "health", "Show in one row what is to be watched")
      .says(
          "When the books were last verified, what waits for upkeep, and how much there is: "
          "estimates, and cheap.")
      .does(health);
  commands.add(group, "seal create", "Seal what was posted since the last seal")
      .says(
          "Prints the root, to be kept outside the database: against it seal verify and seal "
          "prove find whatever is changed afterwards.")
      .does(seal);
  commands.add(group, "seal verify", "Hold what was sealed against what is there")
      .option("--from-seal", "int8", "N", "From this seal on; default: the first")
      .option("--to-seal", "int8", "N", "To this seal; default: the newest")
      .option("--known-root", "text", "ROOT", "The root that was kept outside")
      .says("Lists what is found wrong, and then ends with exit code 4.")
      .does(verify_seal);
  commands.add(group, "seal prove", "Print the proof that a transaction was sealed")
      .operand("TRANSACTION", "uuid", "Id of the transaction")
      .option("--seal", "int8", "N", "Against the root of this seal; default: the newest")
      .does(prove);
}

}  // namespace ledgerflow::command
