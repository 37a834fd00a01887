#include "command.hpp"

#include <algorithm>
#include <cctype>
#include <CLI/CLI.hpp>
#include <ledgerflow/amount.hpp>

#include "failure.hpp"
#include "text.hpp"

namespace ledgerflow::command {

namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t longest_name = 63;  // bytes of a name in PostgreSQL

// expires_in for "-e,--expires-in", account for "ACCOUNT".
std::string sql_name(std::string flags) {
  flags.erase(0, flags.rfind("--") == std::string::npos ? 0 : flags.rfind("--") + 2);
  for (char& c : flags)
    c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return flags;
}

// Of words that only stand before others.
const char* about_family(const std::string& name) {
  if (name == "account") return "Open, list, limit, freeze and close accounts";
  if (name == "period") return "Close and reopen periods";
  if (name == "report") return "Trial balance, balance sheet, income statement and others";
  if (name == "seal") return "Seal the books, verify seals, prove transactions";
  return "";
}

CLI::App* subcommand(CLI::App& parent, const std::string& name) {
  for (CLI::App* child : parent.get_subcommands(nullptr))
    if (child->get_name() == name) return child;
  CLI::App* child = parent.add_subcommand(name);
  child->description(about_family(name));
  child->fallthrough();  // --json after the command's own arguments
  return child;
}

}  // namespace

Command::Argument& Command::add(const std::string& flags, const char* type) {
  return arguments_.emplace_back(Argument{sql_name(flags), type, nullptr, {}});
}

Command& Command::operand(const char* shown, const char* type, const char* help) {
  return optional_operand(shown, type, help).required();
}

Command& Command::optional_operand(const char* shown, const char* type, const char* help) {
  return option(shown, type, "", help);
}

Command& Command::operands(const char* shown, const char* type, const char* help) {
  Argument& argument = add(shown, type);
  argument.option = app_.add_option(shown, argument.values, help)->type_name("");
  return *this;
}

Command& Command::option(const char* flags, const char* type, const char* shown, const char* help) {
  Argument& argument = add(flags, type);
  std::vector<std::string>& values = argument.values;
  argument.option = app_.add_option_function<std::string>(
                            flags, [&values](const std::string& value) { values = {value}; }, help)
                        ->type_name(shown);
  return *this;
}

Command& Command::options(const char* flags, const char* type, const char* shown,
                          const char* help) {
  Argument& argument = add(flags, type);
  argument.option = app_.add_option(flags, argument.values, help)
                        ->type_name(shown)
                        ->expected(1)
                        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return *this;
}

Command& Command::flag(const char* flags, const char* type, const char* help) {
  Argument& argument = add(flags, type);
  std::vector<std::string>& values = argument.values;
  argument.option = app_.add_flag_callback(
      flags, [&values] { values = {"true"}; }, help);
  return *this;
}

Command& Command::named(const char* sql_name) {
  arguments_.back().name = sql_name;
  return *this;
}

Command& Command::among(std::vector<std::string> values) {
  arguments_.back().option->check(CLI::IsMember(std::move(values)));
  return *this;
}

Command& Command::required() {
  arguments_.back().option->required();
  return *this;
}

Command& Command::excludes(const char* flag) {
  arguments_.back().option->excludes(flag);
  return *this;
}

Command& Command::says(const char* paragraph) {
  paragraphs_.emplace_back(paragraph);
  return *this;
}

Command& Command::example(const char* line, const char* says) {
  examples_.push_back({line, says});
  return *this;
}

Command& Command::does(Action action) {
  action_ = std::move(action);
  return *this;
}

const Command::Argument& Command::argument(const std::string& name) const {
  for (const Argument& argument : arguments_)
    if (argument.name == name) return argument;
  throw std::logic_error("the command has no argument " + name);
}

bool Command::has(const std::string& name) const {
  return std::any_of(arguments_.begin(), arguments_.end(),
                     [&name](const Argument& argument) { return argument.name == name; });
}

bool Command::given(const std::string& name) const { return !argument(name).values.empty(); }

std::optional<std::string> Command::value(const std::string& name) const {
  const std::vector<std::string>& values = argument(name).values;
  return values.empty() ? std::nullopt : std::optional<std::string>(values.front());
}

const std::vector<std::string>& Command::values(const std::string& name) const {
  return argument(name).values;
}

std::string Command::value_or(const std::string& name, const char* otherwise) const {
  return value(name).value_or(otherwise);
}

std::vector<NamedValue> Command::sql_arguments() const {
  std::vector<NamedValue> found;
  for (const Argument& argument : arguments_) {
    if (argument.values.empty() || argument.type == "own" || argument.type == "line") continue;
    const std::string& value = argument.values.front();
    const bool is_amount = argument.type == "amount";
    if (is_amount) static_cast<void>(client::Amount(value));  // refuses what is none
    found.push_back({argument.name, is_amount ? "numeric" : argument.type, value});
  }
  return found;
}

Sql& Context::call(Sql& sql, const std::string& function, std::vector<NamedValue> more) {
  std::vector<NamedValue> arguments = command.sql_arguments();
  std::move(more.begin(), more.end(), std::back_inserter(arguments));
  if (settings.ledger) arguments.push_back({"ledger", "name", settings.ledger});
  return sql.call(server.extension() + function, arguments);
}

Sql& Context::call_with(Sql& sql, const std::string& function, const NamedValue& argument) {
  std::vector<NamedValue> arguments{argument};
  if (settings.ledger) arguments.push_back({"ledger", "name", settings.ledger});
  return sql.call(server.extension() + function, arguments);
}

std::size_t Context::write(Shape shape, const Sql& sql) {
  const std::unique_ptr<Output> output = make_output(settings.format, shape);
  std::size_t rows = 0;
  server.stream(
      sql, [&output](const std::vector<client::Table::Column>& all) { output->columns(all); },
      [&output, &rows](const client::Table::Row& row) {
        output->row(row);
        ++rows;
      });
  output->end();
  return rows;
}

void Context::change(Shape shape, const Sql& sql, Repeat repeat) {
  const std::unique_ptr<Output> output = make_output(settings.format, shape);
  ledgerflow::command::write(*output, server.query(sql, repeat));
}

Commands::Commands()
    : app_(std::make_unique<CLI::App>(
          "Keeps double-entry books in a PostgreSQL database with the extension ledgerflow.",
          "ledgerflow")) {
  app_->require_subcommand(1);
  app_->set_version_flag("-V,--version", "ledgerflow " LEDGERFLOW_VERSION,
                         "Print the version and exit");
  app_->set_help_flag("-h,--help", "Print help and exit");
  app_->get_formatter()->column_width(34);
  add_settings();
}

Commands::~Commands() = default;

void Commands::add_settings() {
  app_->add_option("-d,--dsn", settings_.dsn,
                   "Where to connect: libpq's connection string, a URI or a database's name")
      ->type_name("DSN");
  app_->add_option_function<std::string>(
          "-l,--ledger",
          [this](const std::string& name) {
            if (name.empty() || name.size() > longest_name)
              throw CLI::ValidationError("--ledger", "a ledger's name has 1 to 63 bytes");
            settings_.ledger = name;
          },
          "The ledger; default: the setting ledgerflow.ledger")
      ->type_name("NAME")
      ->envname("LEDGERFLOW_LEDGER");
  app_->add_option("--as-of", settings_.as_of, "Read the books as they were at this time")
      ->type_name("TIME");
  const auto choose = [this](Format format) {
    if (settings_.format != Format::table && settings_.format != format)
      throw CLI::ValidationError("--json", "cannot be together with --csv");
    settings_.format = format;
  };
  app_->add_flag_callback(
      "--json", [choose] { choose(Format::json); }, "Answer in JSON; amounts are strings, exact");
  app_->add_flag_callback(
      "--csv", [choose] { choose(Format::csv); }, "Answer in CSV with a heading");
  app_->add_flag("-W,--password", settings_.asks_password,
                 "Ask for the password, instead of PGPASSWORD or ~/.pgpass");
  app_->add_flag_callback(
      "--no-progress", [this] { settings_.shows_progress = false; },
      "Draw no progress on standard error");
}

Command& Commands::add(const char* group, const std::string& words, const char* summary) {
  CLI::App* app = app_.get();
  for (std::size_t at = 0; at != std::string::npos;) {
    const std::size_t space = words.find(' ', at);
    const bool is_nested = app != app_.get();
    app = subcommand(*app, words.substr(at, space == std::string::npos ? space : space - at));
    if (!is_nested) app->group(group);
    at = space == std::string::npos ? space : space + 1;
    if (at != std::string::npos) app->require_subcommand(1);
  }
  app->description(summary);
  Command& command = commands_.emplace_back(*app);
  app->final_callback([this, &command] { chosen_ = &command; });
  return command;
}

void Commands::describe() {
  for (const Command& command : commands_) {
    std::string text;
    for (const std::string& paragraph : command.paragraphs())
      text += wrapped(paragraph, help_width) + "\n\n";
    for (const Command::Example& example : command.examples())
      text += "  " + example.line + "\n      " + example.says + "\n\n";
    command.app().footer(text + "Options of every command: see ledgerflow --help\n");
  }
}

void Commands::parse(int argc, char** argv) { app_->parse(argc, argv); }

}  // namespace ledgerflow::command
