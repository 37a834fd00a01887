// verify.
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
  Sql sql("SELECT * FROM ");
  context.call(sql, "ledger_verify");
  return find(context, "verifying", sql, "all is well");
}

}  // namespace

void add_checks(Commands& commands) {
  commands.add(group, "verify", "Prove the books: re-derive everything and compare")
      .says("Lists what is found wrong, and then ends with exit code 4.")
      .does(verify);
}

}  // namespace ledgerflow::command
