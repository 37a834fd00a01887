// Statements with their parameters.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ledgerflow::command {

// An argument of an SQL function: a text that is read as a type of pg_catalog.
struct NamedValue {
  std::string name;
  std::string type;
  std::optional<std::string> value;
};

class Sql {
 public:
  Sql() = default;
  explicit Sql(std::string_view text) : text_(text) {}

  // Adds a piece of SQL as it stands.
  Sql& add(std::string_view text) {
    text_ += text;
    return *this;
  }

  // Adds a parameter of this type of pg_catalog.
  Sql& value(std::string_view type, std::optional<std::string> value) {
    parameters_.push_back(std::move(value));
    text_ += "$" + std::to_string(parameters_.size()) + "::pg_catalog." + std::string(type);
    return *this;
  }

  // Adds a call of a function, whose schema stands before it, with named arguments.
  Sql& call(const std::string& function, const std::vector<NamedValue>& arguments) {
    add(function).add("(");
    for (const NamedValue& argument : arguments) {
      if (&argument != &arguments.front()) add(", ");
      // Quoted, for "from" and "to" are words of SQL.
      add("\"").add(argument.name).add("\" => ").value(argument.type, argument.value);
    }
    return add(")");
  }

  // Takes back the parenthesis that closes a call, for another argument.
  Sql& reopen() {
    text_.pop_back();
    return *this;
  }

  const std::string& text() const { return text_; }
  const std::vector<std::optional<std::string>>& parameters() const { return parameters_; }

 private:
  std::string text_;
  std::vector<std::optional<std::string>> parameters_;
};

}  // namespace ledgerflow::command
