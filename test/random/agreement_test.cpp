// The same random operations on the naive model, on the engine in memory and on the database: the same
// acceptances, the same refusals by name, the same books.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "database.hpp"
#include "engine_side.hpp"
#include "generator.hpp"
#include "model.hpp"
#include "settings.hpp"

namespace ledgerflow::random_test {
namespace {

constexpr int default_operations = 8000;
constexpr std::size_t shown_operations = 40;
constexpr std::size_t shown_length = 600;

class History {
 public:
  void add(const Operation& operation, const std::string& sql, const Result& result) {
    lines_.push_back("/* " + std::to_string(operation.number) + ", session " +
                     std::to_string(operation.session) + ": " + result.condition + " " +
                     result.value + " */ " + sql);
  }

  // The last operations, for the report; all of them go to a file.
  std::string tell() const {
    std::ostringstream text;
    const std::size_t first =
        lines_.size() > shown_operations ? lines_.size() - shown_operations : 0;
    text << "LEDGERFLOW_SEED=" << seed << " LEDGERFLOW_OPERATIONS=" << lines_.size()
         << " has it again. The last operations, with what the model says:\n";
    for (std::size_t i = first; i < lines_.size(); ++i)
      text << lines_[i].substr(0, shown_length) << "\n";
    if (const char* path = std::getenv("LEDGERFLOW_HISTORY")) {
      std::ofstream file(path);
      for (const std::string& line : lines_) file << line << "\n";
      text << "All of them: " << path << "\n";
    }
    return text.str();
  }

 private:
  std::vector<std::string> lines_;
};

// The first lines in which two books differ.
std::string difference(Books& a, Books& b) {
  const std::vector<std::string> left = a.state();
  const std::vector<std::string> right = b.state();
  std::string text;
  int shown = 0;
  for (std::size_t i = 0; i < std::max(left.size(), right.size()) && shown < 10; ++i) {
    const std::string l = i < left.size() ? left[i] : "nothing";
    const std::string r = i < right.size() ? right[i] : "nothing";
    if (l == r) continue;
    text += std::string(a.name()) + ": " + l + "\n" + b.name() + ": " + r + "\n";
    ++shown;
  }
  return text;
}

TEST(Random, ModelEngineAndDatabaseAgree) {
  Model model;
  EngineSide engine(seed);
  Database database;
  Generator generator(seed, model);
  History history;
  OpenTransactions depths;  // only for writing SQL down
  std::map<std::string, int> outcomes;

  const auto agree_on = [&](const Operation& operation) {
    const std::string sql = to_sql(operation, depths.depth(operation.session),
                                   [](const std::string& name) { return ":'id_" + name + "'"; });
    if (const Control* control = std::get_if<Control>(&operation.action))
      depths.control(operation.session, *control);
    const Result expected = model.run(operation);
    history.add(operation, sql, expected);
    const Result of_engine = engine.run(operation);
    const Result of_database = database.run(operation);
    generator.note(operation, expected);
    const bool replayed = !expected.value.empty() && options_of(operation.action) != nullptr &&
                          expected.value != name_of(operation);
    ++outcomes[replayed ? "replayed" : expected.condition];
    if (std::holds_alternative<PostBatch>(operation.action)) {
      std::istringstream items(expected.value);
      for (std::string item; std::getline(items >> std::ws, item, ',');)
        ++outcomes["item " + item.substr(0, item.find(' '))];
    }
    if (of_engine == expected && of_database == expected) return true;
    ADD_FAILURE() << "operation " << operation.number << "\nmodel:    " << expected.condition << " "
                  << expected.value << "\nengine:   " << of_engine.condition << " "
                  << of_engine.value << "\ndatabase: " << of_database.condition << " "
                  << of_database.value << "\n"
                  << database.message() << history.tell();
    return false;
  };

  const int operations = number_setting("LEDGERFLOW_OPERATIONS", default_operations);
  for (int i = 0; i < operations; ++i)
    if (!agree_on(generator.next())) return;
  for (const Operation& operation : generator.finish())
    if (!agree_on(operation)) return;

  EXPECT_EQ(difference(model, engine), "") << history.tell();
  EXPECT_EQ(difference(model, database), "") << history.tell();
  for (const std::string& finding : database.verify())
    ADD_FAILURE() << "ledger_verify(): " << finding << "\n" << history.tell();

  std::cout << operations << " operations:";
  for (const auto& [condition, count] : outcomes) std::cout << " " << condition << " " << count;
  std::cout << std::endl;
}

}  // namespace
}  // namespace ledgerflow::random_test
