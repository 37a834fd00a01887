// The database: statements run, cancelled by signals, and repeated where that is safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <ledgerflow/client.hpp>

#include "output.hpp"
#include "settings.hpp"
#include "sql.hpp"

namespace ledgerflow::command {

// Whether a statement may be sent again after its connection broke: reading, or a request under an
// idempotency key.
enum class Repeat : unsigned char { safe, unsafe };

class Server {
 public:
  explicit Server(const Settings& settings) : settings_(settings) {}

  // The connection; the first call makes it.
  client::Client& client();

  // The extension's schema with a dot, and the ledger's, as SQL writes them. Refuses what is no
  // ledger, with its own words.
  std::string extension();
  std::string ledger();

  // All rows of a statement.
  client::Table query(const Sql& sql, Repeat repeat = Repeat::safe);

  // The rows of a statement as they come. Not repeated.
  using OnRow = std::function<void(const client::Table::Row&)>;
  using OnColumns = std::function<void(const std::vector<client::Table::Column>&)>;
  void stream(const Sql& sql, const OnColumns& on_columns, const OnRow& on_row);

  // Sends data to a COPY FROM STDIN; `source` gives the next piece, the empty one at the end. Returns
  // the number of rows.
  std::uint64_t copy_in(const std::string& sql, const std::function<std::string_view()>& source);

 private:
  void connect();
  template <typename Body>
  auto cancellable(Body&& body);

  const Settings& settings_;
  std::optional<client::Client> client_;
  std::string ledger_;  // once it is known
};

// Asks for the password on the terminal; libpq then finds it in the environment.
void ask_password();

}  // namespace ledgerflow::command
