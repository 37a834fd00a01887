#include "ext/boundary.hpp"

namespace ledgerflow {

namespace {

// A copy in the current memory context, or nullptr: never raises, as it runs inside a catch block.
const char* copied(std::string_view text) noexcept {
  auto* copy = static_cast<char*>(
      MemoryContextAllocExtended(CurrentMemoryContext, text.size() + 1, MCXT_ALLOC_NO_OOM));
  if (copy == nullptr) return nullptr;
  memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

}  // namespace

int sqlstate_of(const ConditionInfo& condition) noexcept {
  const char* state = condition.sqlstate;
  return MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]);
}

Failure failure_of(const Refusal& refusal) noexcept {
  const ConditionInfo& condition = info(refusal.condition);
  Failure failure;
  failure.sqlstate = sqlstate_of(condition);
  failure.message = copied(refusal.message);
  failure.detail = refusal.detail.empty() ? nullptr : copied(refusal.detail);
  failure.hint = refusal.hint.empty() ? condition.remedy : copied(refusal.hint);
  return failure;
}

Failure failure_of(const std::exception& exception) noexcept {
  Failure failure;
  failure.sqlstate = ERRCODE_INTERNAL_ERROR;
  failure.message = copied(exception.what());
  return failure;
}

Failure out_of_memory() noexcept {
  Failure failure;
  failure.sqlstate = ERRCODE_OUT_OF_MEMORY;
  failure.message = "out of memory";
  return failure;
}

void raise(const Failure& failure) {
  if (failure.postgres != nullptr) ReThrowError(failure.postgres);
  ereport(ERROR,
          (errcode(failure.sqlstate),
           errmsg_internal("%s", failure.message != nullptr ? failure.message : "out of memory"),
           failure.detail != nullptr ? errdetail_internal("%s", failure.detail) : 0,
           failure.hint != nullptr ? errhint("%s", failure.hint) : 0));
  pg_unreachable();
}

}  // namespace ledgerflow
