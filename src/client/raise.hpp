// The one place where the library's exceptions are thrown.
#pragma once

#include <libpq-fe.h>

#include <string>

#include "ledgerflow/error.hpp"

namespace ledgerflow::client {

// SQLSTATEs that the library recognises or, for what libpq reports without one, supplies.
namespace sqlstate {
constexpr char cannot_connect[] = "08001";
constexpr char connection_does_not_exist[] = "08003";
constexpr char connection_failure[] = "08006";
constexpr char protocol_violation[] = "08P01";
constexpr char feature_not_supported[] = "0A000";
constexpr char character_not_in_repertoire[] = "22021";
constexpr char active_transaction[] = "25001";
constexpr char read_only_transaction[] = "25006";
constexpr char no_active_transaction[] = "25P01";
constexpr char failed_transaction[] = "25P02";
constexpr char serialization_failure[] = "40001";
constexpr char deadlock_detected[] = "40P01";
constexpr char undefined_table[] = "42P01";
constexpr char undefined_object[] = "42704";
constexpr char undefined_function[] = "42883";
constexpr char insufficient_resources[] = "53000";
constexpr char too_many_connections[] = "53300";
constexpr char program_limit_exceeded[] = "54000";
constexpr char internal_error[] = "XX000";
}  // namespace sqlstate

// A request that the library refuses itself, as the ledger would; without a hint, the condition's
// remedy.
[[noreturn]] void raise_refused(Condition condition, std::string message, std::string detail = {},
                                std::string hint = {});

// The failure of a request that was sent on this connection. `result` may be null; `committing`
// says that the request would have committed something.
[[noreturn]] void raise_failed(const PGconn* connection, const PGresult* result, bool committing);

// A connection that could not be made.
[[noreturn]] void raise_not_connected(const PGconn* connection);

// An answer that the server should not have given.
[[noreturn]] void raise_protocol(std::string message);

// An extension that is older than the library needs.
[[noreturn]] void raise_outdated(std::string message, bool connection_usable);

// libpq's message without the line breaks and severities around it.
std::string trimmed(const char* message);

}  // namespace ledgerflow::client
