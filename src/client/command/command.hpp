// Commands: their arguments, what the manual says about them, and what they do.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "output.hpp"
#include "server.hpp"
#include "settings.hpp"
#include "sql.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ledgerflow::command {

class Context;

// What a command does; returns the exit code.
using Action = std::function<int(Context&)>;

// Types of arguments, besides those of pg_catalog: `amount` is a numeric in plain digits; `line` a
// line of a posting, ACCOUNT=AMOUNT, and `own` nothing that a function takes.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(app) {}

  // An argument without a name on the command line. The SQL argument has the name in lower case.
  Command& operand(const char* shown, const char* type, const char* help);
  Command& optional_operand(const char* shown, const char* type, const char* help);
  Command& operands(const char* shown, const char* type, const char* help);  // any number
  // `--expires-in` sets the SQL argument expires_in. Flags may have a short form: "-k,--key".
  Command& option(const char* flags, const char* type, const char* shown, const char* help);
  Command& options(const char* flags, const char* type, const char* shown,
                   const char* help);  // can be repeated
  Command& flag(const char* flags, const char* type, const char* help);

  // About the argument that was added last.
  Command& named(const char* sql_name);  // when the SQL argument is called otherwise
  Command& among(std::vector<std::string> values);
  Command& required();
  Command& excludes(const char* flag);

  // For the manual: paragraphs, and command lines with what they do.
  Command& says(const char* paragraph);
  Command& example(const char* line, const char* says);

  Command& does(Action action);

  // Whether the command has such an argument at all.
  bool has(const std::string& name) const;
  // What was given; nothing when it was not.
  bool given(const std::string& name) const;
  std::optional<std::string> value(const std::string& name) const;
  const std::vector<std::string>& values(const std::string& name) const;
  std::string value_or(const std::string& name, const char* otherwise) const;
  // What functions of the extension take, of what was given. Throws Refused on what is no amount.
  std::vector<NamedValue> sql_arguments() const;

  struct Example {
    std::string line, says;
  };
  CLI::App& app() const { return app_; }
  const std::vector<std::string>& paragraphs() const { return paragraphs_; }
  const std::vector<Example>& examples() const { return examples_; }
  const Action& action() const { return action_; }

 private:
  struct Argument {
    std::string name, type;
    CLI::Option* option;
    std::vector<std::string> values;
  };
  Argument& add(const std::string& flags, const char* type);
  const Argument& argument(const std::string& name) const;

  CLI::App& app_;
  std::deque<Argument> arguments_;  // options point into it
  std::vector<std::string> paragraphs_;
  std::vector<Example> examples_;
  Action action_;
};

// Everything that an action works with.
class Context {
 public:
  Context(const Settings& settings_given, const Command& command_given)
      : settings(settings_given), command(command_given), server(settings_given) {}

  const Settings& settings;
  const Command& command;
  Server server;

  // Adds "extension.function(a => ...)", of the command's arguments and more, and the ledger.
  Sql& call(Sql& sql, const std::string& function, std::vector<NamedValue> more = {});
  // Adds the same of one argument and the ledger.
  Sql& call_with(Sql& sql, const std::string& function, const NamedValue& argument);

  // Writes a statement's rows to standard output; returns how many there were.
  std::size_t write(Shape shape, const Sql& sql);
  // The same of a statement that changes something; written when all of it is known.
  void change(Shape shape, const Sql& sql, Repeat repeat = Repeat::unsafe);
};

class Commands {
 public:
  Commands();
  ~Commands();

  // A command by its words: "account open".
  Command& add(const char* group, const std::string& words, const char* summary);

  // Puts paragraphs and examples under the help of each command.
  void describe();

  // Reads the command line. Throws CLI::ParseError.
  void parse(int argc, char** argv);

  CLI::App& app() { return *app_; }
  const Settings& settings() const { return settings_; }
  const Command* chosen() const { return chosen_; }
  const std::deque<Command>& all() const { return commands_; }

 private:
  void add_settings();

  Settings settings_;
  std::unique_ptr<CLI::App> app_;
  std::deque<Command> commands_;
  const Command* chosen_ = nullptr;
};

// The commands, a file for each family.
void add_administration(Commands& commands);
void add_accounts(Commands& commands);
void add_postings(Commands& commands);
void add_holds(Commands& commands);
void add_reading(Commands& commands);
void add_reports(Commands& commands);
void add_checks(Commands& commands);
void add_proof(Commands& commands);
void add_exchange(Commands& commands);
void add_load(Commands& commands);
void add_bench(Commands& commands);
void add_manual(Commands& commands);

}  // namespace ledgerflow::command
