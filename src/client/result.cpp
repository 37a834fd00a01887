#include "result.hpp"

#include <utility>

#include "raise.hpp"
#include "wire.hpp"

namespace ledgerflow::client {

namespace {

template <typename Value>
Value expected(std::optional<Value> value, const char* kind) {
  if (!value) raise_protocol(std::string("the server's answer has no ") + kind);
  return std::move(*value);
}

}  // namespace

std::string_view Result::bytes(int row, int column) const {
  if (is_null(row, column))
    raise_protocol("the server's answer has a NULL that it should not have");
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

TransactionId Result::id(int row, int column) const {
  return expected(decode_uuid(bytes(row, column)), "uuid");
}
Amount Result::amount(int row, int column) const {
  return expected(decode_numeric(bytes(row, column)), "amount");
}
Units Result::whole_number(int row, int column) const { return amount(row, column).minor_units(0); }
std::int64_t Result::bigint(int row, int column) const {
  return expected(decode_bigint(bytes(row, column)), "bigint");
}
int Result::integer(int row, int column) const {
  return expected(decode_integer(bytes(row, column)), "integer");
}
bool Result::boolean(int row, int column) const { return bytes(row, column) == "\1"; }
Timestamp Result::timestamp(int row, int column) const {
  return expected(decode_timestamp(bytes(row, column)), "timestamp");
}

std::vector<std::string> Result::texts(int row, int column) const {
  if (is_null(row, column)) return {};
  return expected(decode_texts(bytes(row, column)), "array of texts");
}

std::optional<std::string> Result::optional_text(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return text(row, column);
}
std::optional<Amount> Result::optional_amount(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return amount(row, column);
}
std::optional<TransactionId> Result::optional_id(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return id(row, column);
}
std::optional<std::int64_t> Result::optional_bigint(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return bigint(row, column);
}
std::optional<Timestamp> Result::optional_timestamp(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return timestamp(row, column);
}

}  // namespace ledgerflow::client
