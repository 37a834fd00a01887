#include "connect.hpp"

#include <cstdlib>
#include <string_view>

#include "raise.hpp"

namespace ledgerflow::client {

namespace {

constexpr int expand_connection_string = 1;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

}  // namespace

ConnectionHandle connect(const std::string& connection_string) {
  // Later keywords win: before the connection string stand defaults, with which a host that does not
  // answer is noticed in half a minute, after it what is not for the caller to say.
  const char* const timeout = std::getenv("PGCONNECT_TIMEOUT");
  const char* const keywords[] = {
      "connect_timeout",  "keepalives_idle",           "keepalives_interval",
      "keepalives_count", "tcp_user_timeout",          "dbname",
      "client_encoding",  "fallback_application_name", nullptr};
  const char* const values[] = {
      timeout != nullptr ? timeout : "10", "15",   "5",          "3",    "30000",
      connection_string.c_str(),           "UTF8", "ledgerflow", nullptr};
  ConnectionHandle connection(PQconnectdbParams(keywords, values, expand_connection_string));
  if (PQstatus(connection.get()) != CONNECTION_OK) raise_not_connected(connection.get());
  // A library does not write to its program's standard error.
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  return connection;
}

bool wants_primary(PGconn* connection) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfo(connection));
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (std::string_view(option->keyword) != "target_session_attrs" || option->val == nullptr)
      continue;
    const std::string_view wanted = option->val;
    return wanted == "read-write" || wanted == "primary";
  }
  return false;
}

int compare_versions(const std::string& a, const std::string& b) {
  const char* left = a.c_str();
  const char* right = b.c_str();
  while (*left != '\0' || *right != '\0') {
    char* left_end = nullptr;
    char* right_end = nullptr;
    const unsigned long left_number = std::strtoul(left, &left_end, 10);
    const unsigned long right_number = std::strtoul(right, &right_end, 10);
    if (left_number != right_number) return left_number < right_number ? -1 : 1;
    left = *left_end == '.' ? left_end + 1 : "";
    right = *right_end == '.' ? right_end + 1 : "";
  }
  return 0;
}

}  // namespace ledgerflow::client
