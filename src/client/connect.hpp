// Making connections.
#pragma once

#include <string>

#include "session.hpp"

namespace ledgerflow::client {

// Connects, once; throws ConnectionError.
ConnectionHandle connect(const std::string& connection_string);

// Whether the connection string (or the environment) asks for a server that can be written to: then
// one that has become a standby is not the right one any more.
bool wants_primary(PGconn* connection);

// Compares versions such as 0.1.0 by their numbers: less than 0, 0 or greater than 0.
int compare_versions(const std::string& a, const std::string& b);

}  // namespace ledgerflow::client
