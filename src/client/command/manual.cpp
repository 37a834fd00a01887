// help, and what is made of the commands' own descriptions: manual page, docs/command.md, completion.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <CLI/CLI.hpp>

#include "command.hpp"
#include "failure.hpp"
#include "text.hpp"

namespace ledgerflow::command {

namespace {

// An option or operand as the manual shows it.
struct Described {
  std::string flags, value, help;
};

std::string words_of(const CLI::App& app) {
  std::string words = app.get_name();
  for (const CLI::App* parent = app.get_parent(); parent != nullptr; parent = parent->get_parent())
    words = parent->get_name() + " " + words;
  return words;
}

std::vector<Described> options_of(const CLI::App& app, bool is_operand) {
  std::vector<Described> found;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() != is_operand) continue;
    std::string flags = option->get_name(is_operand, true), value = option->get_type_name();
    // A list of values stands behind the name, as in SIDE:{debit,credit}.
    const std::size_t list = value.find(":{");
    std::string help = option->get_description();
    if (list != std::string::npos) {
      help +=
          ": " +
          joined(CLI::detail::split(value.substr(list + 2, value.size() - list - 3), ','), ", ");
      value.erase(list);
    }
    for (std::size_t at = flags.find(','); at != std::string::npos; at = flags.find(',', at + 2))
      flags.replace(at, 1, ", ");
    found.push_back({flags, value, help});
  }
  return found;
}

std::string usage_of(const CLI::App& app) {
  std::string usage = words_of(app);
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    if (option->get_name() == "--help") continue;
    usage += " [OPTION]...";
    break;
  }
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true, true);
    const std::string many = option->get_items_expected_max() > 1 ? "..." : "";
    usage += option->get_required() ? " " + name + many : " [" + name + "]" + many;
  }
  return usage;
}

constexpr const char* exit_codes[][2] = {
    {"0", "done"},
    {"1", "the ledger refused it, and nothing was changed; SQLSTATE class LF"},
    {"2", "the command line, or a value on it, is not right"},
    {"3", "no connection, or any other error of the server"},
    {"4", "the books are not in order: verify and its like found something"},
    {"5", "a file cannot be read or written"},
    {"130", "cancelled by Ctrl-C: nothing of it was done (143: by SIGTERM)"}};

constexpr const char* environment[][2] = {
    {"PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGSERVICE ...",
     "where to connect, as for every program that uses libpq; ~/.pgpass is read too"},
    {"PGTZ", "the time zone in which times are read and shown"},
    {"LEDGERFLOW_LEDGER", "the ledger, where --ledger names none"},
    {"NO_COLOR", "no decoration, if set; there is none outside a terminal anyway"}};

// --- docs/command.md ---------------------------------------------------------

void write_markdown(const Commands& commands) {
  const auto table = [](const std::vector<Described>& rows) {
    std::string text;
    for (const Described& row : rows) {
      std::string help = row.help;
      for (std::size_t at = help.find('|'); at != std::string::npos; at = help.find('|', at + 2))
        help.insert(at, "\\");
      text +=
          "| `" + row.flags + (row.value.empty() ? "" : " " + row.value) + "` | " + help + " |\n";
    }
    return text;
  };
  std::string text;
  for (const Command& command : commands.all()) {
    const CLI::App& app = command.app();
    if (app.get_group().empty()) continue;
    text += "\n## " + words_of(app) + "\n\n" + app.get_description() + ".\n\n```text\n" +
            usage_of(app) + "\n```\n";
    const std::string rows = table(options_of(app, true)) + table(options_of(app, false));
    text += "\n| argument | meaning |\n|---|---|\n" + rows;
    for (const std::string& paragraph : command.paragraphs()) text += "\n" + paragraph + "\n";
    for (const Command::Example& example : command.examples())
      text += "\n```sh\n" + example.line + "   # " + example.says + "\n```\n";
  }
  std::fputs(text.c_str(), stdout);
}

// --- ledgerflow(1) -----------------------------------------------------------

std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string("\\&") + c;
    else
      out += c;
  }
  return out;
}

std::string roff_options(const std::vector<Described>& rows) {
  std::string text;
  for (const Described& row : rows)
    text += ".TP\n\\fB" + roff(row.flags) + "\\fR" +
            (row.value.empty() ? "" : " \\fI" + roff(row.value) + "\\fR") + "\n" + roff(row.help) +
            ".\n";
  return text;
}

// Of the build; builds that are to be the same every time say which.
std::string today() {
  const char* const epoch = std::getenv("SOURCE_DATE_EPOCH");
  const std::time_t now = epoch == nullptr ? std::time(nullptr) : std::atoll(epoch);
  std::tm parts{};
  char date[32];
  const std::size_t size = std::strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &parts));
  return {date, size};
}

void write_man(Commands& commands) {
  std::string text =
      ".TH LEDGERFLOW 1 \"" + today() +
      "\" \"ledgerflow " LEDGERFLOW_VERSION
      "\" \"ledgerflow\"\n"
      ".SH NAME\nledgerflow \\- double\\-entry books in PostgreSQL\n"
      ".SH SYNOPSIS\n.B ledgerflow\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n"
      ".SH DESCRIPTION\n" +
      roff(commands.app().get_description()) + "\n.PP\n" +
      roff(
          "Results are tables for people, or with --json and --csv for programs. In JSON amounts "
          "are strings, and so exact. Commands that make one thing print its id and nothing else. "
          "Errors are on standard error, with what the ledger says: message, detail, hint and "
          "SQLSTATE.") +
      "\n.SH OPTIONS\n" + roff_options(options_of(commands.app(), false)) + ".SH COMMANDS\n";
  for (const Command& command : commands.all()) {
    const CLI::App& app = command.app();
    if (app.get_group().empty()) continue;
    text += ".SS " + roff(words_of(app)) + "\n" + roff(app.get_description()) + ".\n.PP\n" +
            roff(usage_of(app)) + "\n" + roff_options(options_of(app, true)) +
            roff_options(options_of(app, false));
    for (const std::string& paragraph : command.paragraphs())
      text += ".PP\n" + roff(paragraph) + "\n";
    for (const Command::Example& example : command.examples())
      text += ".PP\n" + roff(example.says) + ":\n.PP\n.RS 4\n.nf\n" + roff(example.line) +
              "\n.fi\n.RE\n";
  }
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : exit_codes)
    text += ".TP\n.B " + std::string(code) + "\n" + roff(meaning) + ".\n";
  text += ".SH ENVIRONMENT\n";
  for (const auto& [name, meaning] : environment)
    text += ".TP\n.B " + roff(name) + "\n" + roff(meaning) + ".\n";
  text += ".SH SEE ALSO\n.BR psql (1)\n";
  std::fputs(text.c_str(), stdout);
}

// --- completion for bash -------------------------------------------------------

std::string choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t list = type.find(":{");
  if (list != std::string::npos)
    return joined(CLI::detail::split(type.substr(list + 2, type.size() - list - 3), ','), " ");
  return type == "FILE" || option.get_name(true, true) == "FILE" ? "@file" : "";
}

void complete(const CLI::App& app, std::string& text) {
  const std::string words = words_of(app);
  std::string next;
  for (const CLI::App* child : app.get_subcommands(nullptr)) {
    if (child->get_group().empty()) continue;
    next += child->get_name() + " ";
    complete(*child, text);
  }
  std::string options;
  for (const CLI::Option* option : app.get_options()) {
    const std::string values = choices(*option);
    if (option->get_positional()) {
      next += values.empty() ? "" : values + " ";
      continue;
    }
    for (const std::string& flag : CLI::detail::split(option->get_name(false, true), ',')) {
      options += flag + " ";
      // An option without a value is followed by anything.
      if (option->get_items_expected_max() > 0)
        text += "    [\"" + words + " " + flag + "\"]=\"" + (values.empty() ? "@none" : values) +
                "\"\n";
    }
  }
  text +=
      "    [\"" + words + "\"]=\"" + next + "\"\n    [\"" + words + " -\"]=\"" + options + "\"\n";
}

void write_completion(Commands& commands) {
  std::string text =
      "# bash completion for ledgerflow(1)\n\n"
      "# By the words of a command: what may come next; with \" -\" behind them its options, with "
      "\" OPTION\"\n"
      "# the option's values. @file is a file, @none what nobody can guess.\n"
      "declare -gA _ledgerflow_next=(\n";
  complete(commands.app(), text);
  text += R"()

_ledgerflow() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=ledgerflow word i
    for ((i = 1; i < COMP_CWORD; ++i)); do
        word=${COMP_WORDS[i]}
        [[ $word == -* || -z ${_ledgerflow_next["$command $word"]+known} ]] || command+=" $word"
    done
    COMPREPLY=()
    local values=${_ledgerflow_next["$command $previous"]-${_ledgerflow_next["ledgerflow $previous"]-}}
    [[ $previous == -* && -n $values ]] || values=${_ledgerflow_next["$command"]}
    [[ $current != -* ]] || values="${_ledgerflow_next["$command -"]} ${_ledgerflow_next["ledgerflow -"]}"
    case " $values" in
        *" @none"*) return ;;
        *" @file"*) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current") ;;
    esac
}
complete -o filenames -F _ledgerflow ledgerflow
)";
  std::fputs(text.c_str(), stdout);
}

int help(Commands& commands, const Command& given) {
  CLI::App* app = &commands.app();
  for (const std::string& word : given.values("command")) {
    const std::vector<CLI::App*> children = app->get_subcommands(nullptr);
    const auto child =
        std::find_if(children.begin(), children.end(),
                     [&word](const CLI::App* each) { return each->get_name() == word; });
    if (child == children.end()) throw UsageError("there is no command '" + word + "'");
    app = *child;
  }
  // app->help() would be that of the command "help", which was parsed.
  const std::string text =
      app->get_formatter()->make_help(app, words_of(*app), CLI::AppFormatMode::Normal);
  std::fputs(text.c_str(), stdout);
  flush(stdout, "standard output");
  return exit_code::success;
}

}  // namespace

void add_manual(Commands& commands) {
  commands.add("Help", "help", "Print help, on a command if one is named")
      .operands("COMMAND", "own", "The words of a command")
      .does([&commands](Context& context) { return help(commands, context.command); });
  // For the build; without a group it is not listed.
  commands.add("", "generate", "Print a file that is made of the commands' descriptions")
      .operand("WHAT", "own", "Which")
      .among({"man", "markdown", "completion"})
      .does([&commands](Context& context) {
        const std::string what = *context.command.value("what");
        if (what == "man") write_man(commands);
        if (what == "markdown") write_markdown(commands);
        if (what == "completion") write_completion(commands);
        flush(stdout, "standard output");
        return exit_code::success;
      });
  commands.describe();
}

}  // namespace ledgerflow::command
