// The answer to a call: values in PostgreSQL's binary format, checked as they are read.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

// Each reader throws Error (08P01) when the value is not of its kind, NULL where it must not be.
class Result {
 public:
  explicit Result(ResultHandle result) : result_(std::move(result)) {}

  int rows() const { return PQntuples(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }

  std::string_view bytes(int row, int column) const;
  std::string text(int row, int column) const { return std::string(bytes(row, column)); }
  TransactionId id(int row, int column) const;
  Amount amount(int row, int column) const;
  Units whole_number(int row, int column) const;  // of a numeric
  std::int64_t bigint(int row, int column) const;
  int integer(int row, int column) const;
  bool boolean(int row, int column) const;
  Timestamp timestamp(int row, int column) const;

  std::vector<std::string> texts(int row, int column) const;  // of a text[]; none for NULL

  std::optional<std::string> optional_text(int row, int column) const;
  std::optional<Amount> optional_amount(int row, int column) const;
  std::optional<TransactionId> optional_id(int row, int column) const;
  std::optional<std::int64_t> optional_bigint(int row, int column) const;
  std::optional<Timestamp> optional_timestamp(int row, int column) const;

 private:
  ResultHandle result_;
};

}  // namespace ledgerflow::client
