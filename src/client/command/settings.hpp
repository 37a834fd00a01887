// What the command line says about every command.
#pragma once

#include <optional>
#include <string>

namespace ledgerflow::command {

enum class Format : unsigned char { table, json, csv };

struct Settings {
  std::string dsn;                    // libpq's; empty: the environment's
  std::optional<std::string> ledger;  // none: the session's own
  std::optional<std::string> as_of;   // what was posted later is not there
  Format format = Format::table;
  bool asks_password = false;
  bool shows_progress = true;
};

}  // namespace ledgerflow::command
