// The border between C++ and PostgreSQL. Two kinds of error cross it, each in its own way:
//
// - PostgreSQL raises with longjmp, which skips destructors. `pg_call` turns that into a C++ exception,
//   so every call into PostgreSQL with C++ objects alive goes through it.
// - A C++ exception that leaves a function kills the backend. `guarded` catches everything and raises it
//   the PostgreSQL way, outside of the catch block, with SQLSTATE, detail and hint intact.
#pragma once

#include "ext/pg.hpp"

namespace ledgerflow {

// An error of PostgreSQL on its way to the edge. It is only carried, never swallowed: going on after one
// would need a subtransaction.
struct PgError {
  ErrorData* data;
};

// Runs `body`, which may call PostgreSQL; throws PgError when PostgreSQL raises. The body itself must own
// nothing with a destructor and return nothing with one.
template <typename Body>
auto pg_call(Body&& body) -> decltype(body()) {
  static_assert(std::is_trivially_destructible_v<std::remove_reference_t<decltype(body)>>,
                "what the body captures by value must not need a destructor");
  // Restores on every way out, a C++ exception from the body included.
  struct Restore {
    sigjmp_buf* exception_stack = PG_exception_stack;
    ErrorContextCallback* context_stack = error_context_stack;
    ~Restore() {
      PG_exception_stack = exception_stack;
      error_context_stack = context_stack;
    }
  } restore;
  const MemoryContext context = CurrentMemoryContext;
  sigjmp_buf landing;
  if (sigsetjmp(landing, 0) != 0) {
    PG_exception_stack = restore.exception_stack;
    error_context_stack = restore.context_stack;
    MemoryContextSwitchTo(context);
    ErrorData* data = CopyErrorData();
    FlushErrorState();
    throw PgError{data};
  }
  PG_exception_stack = &landing;
  return body();
}

// The SQLSTATE of a condition, packed as errcode() wants it.
int sqlstate_of(const ConditionInfo& condition) noexcept;

// What is left of an exception outside of its catch block: memory of PostgreSQL only.
struct Failure {
  ErrorData* postgres = nullptr;
  int sqlstate = 0;
  const char* message = nullptr;
  const char* detail = nullptr;
  const char* hint = nullptr;
};

Failure failure_of(const Refusal& refusal) noexcept;
Failure failure_of(const std::exception& exception) noexcept;
Failure out_of_memory() noexcept;
[[noreturn]] void raise(const Failure& failure);

// Runs the body of an SQL-callable function.
template <typename Body>
Datum guarded(Body&& body) {
  Failure failure;
  try {
    return body();
  } catch (const PgError& error) {
    failure.postgres = error.data;
  } catch (const Error& error) {
    failure = failure_of(error.refusal());
  } catch (const std::bad_alloc&) {
    failure = out_of_memory();
  } catch (const std::exception& exception) {
    failure = failure_of(exception);
  } catch (...) {
    failure = failure_of(std::exception());
  }
  raise(failure);
}

}  // namespace ledgerflow
