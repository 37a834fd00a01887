// The command ledgerflow.
#include <cstdio>
#include <CLI/CLI.hpp>

#include "command.hpp"
#include "failure.hpp"
#include "interruption.hpp"

namespace {

using namespace ledgerflow::command;

int run(Commands& commands, int argc, char** argv) {
  add_administration(commands);
  add_accounts(commands);
  add_postings(commands);
  add_holds(commands);
  add_reading(commands);
  add_reports(commands);
  add_checks(commands);
  add_proof(commands);
  add_exchange(commands);
  add_load(commands);
  add_bench(commands);
  add_manual(commands);
  try {
    commands.parse(argc, argv);
  } catch (const CLI::ParseError& what) {
    // Help and the version are no errors.
    if (what.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
      return commands.app().exit(what);
    throw UsageError(what.what());
  }
  if (commands.settings().asks_password) ask_password();
  Context context(commands.settings(), *commands.chosen());
  return commands.chosen()->action()(context);
}

}  // namespace

int main(int argc, char** argv) {
  install_signal_handlers();
  Commands commands;
  try {
    return run(commands, argc, argv);
  } catch (const std::exception& error) {
    return report(error, commands.settings().format);
  }
}
