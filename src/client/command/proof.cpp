// seal check: a proof, without a database.
#include <chrono>
#include <ctime>
#include <ledgerflow/proof.hpp>

#include "command.hpp"
#include "failure.hpp"
#include "input.hpp"

namespace ledgerflow::command {

namespace {

std::string utc(client::Timestamp time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  char text[32];
  const std::size_t size =
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S+00", gmtime_r(&seconds, &parts));
  return {text, size};
}

int check(Context& context) {
  Input input(context.command.value_or("file", "-"));
  std::string proof;
  for (std::string_view piece = input.piece(); !piece.empty(); piece = input.piece())
    proof += piece;
  const client::CheckedTransaction found =
      client::check_proof(proof, *context.command.value("known_root"));

  constexpr unsigned boolean = 16, bigint = 20, text = 25, timestamp_tz = 1184;
  client::Table answer;
  answer.columns = {
      {"holds", boolean},          {"why", text},       {"transaction_id", text}, {"seal", bigint},
      {"sealed_at", timestamp_tz}, {"through", bigint}, {"transaction", text}};
  if (found)
    answer.rows.push_back({"t", std::nullopt, found.transaction_id, std::to_string(found.seal),
                           utc(found.sealed_at), std::to_string(found.through), found.transaction});
  else
    answer.rows.push_back({"f", found.why, {}, {}, {}, {}, {}});
  write(*make_output(context.settings.format, Shape::row), answer);
  return found ? exit_code::success : exit_code::findings;
}

}  // namespace

void add_proof(Commands& commands) {
  commands.add("Proof", "seal check", "Check a proof, without a database")
      .optional_operand("FILE", "own", "The proof; '-', the default, is standard input")
      .option("--known-root", "own", "ROOT",
              "The root that was kept outside; never one from the proof itself")
      .required()
      .says(
          "Prints the transaction as it was sealed. A proof that does not hold ends with exit "
          "code 4.")
      .example("ledgerflow seal check proof.txt --known-root \"$(cat root.txt)\"",
               "what an auditor does")
      .does(check);
}

}  // namespace ledgerflow::command
