// Amounts as hledger and ledger write them: $-1,000.00, 10 "AAPL 2024", EUR 5. How a number is written is
// declared by commodity, or it is plain: digits and a decimal point.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "core/journal_text.hpp"

namespace ledgerflow::exchange {

struct NumberStyle {
  char point = '.';
  char group = '\0';
};

class AmountReader {
 public:
  explicit AmountReader(Names& commodities) : commodities_(commodities) {}

  // Takes an amount off the front of `rest`.
  Amount take(std::string_view& rest, std::size_t line);

  // Learns the style of a commodity from an example, "1,000.00 USD"; returns the commodity's decimals.
  FileCommodity declare(std::string_view example, std::size_t line);
  // The commodity of amounts that name none.
  void set_default(std::string_view example, std::size_t line);
  void set_point(char point) { file_style_ = {point, point == '.' ? ',' : '.'}; }

 private:
  struct Raw {
    bool negative = false;
    bool has_commodity = false;
    std::string commodity;
    std::string_view digits;
  };

  static Raw take_raw(std::string_view& rest, std::size_t line);
  Decimal number(const Raw& raw, std::size_t line) const;

  Names& commodities_;
  std::unordered_map<std::string, NumberStyle> styles_;
  NumberStyle file_style_;
  std::string default_commodity_;
};

// A commodity's name off the front of `rest`, in quotes or bare; false when there is none.
bool take_commodity(std::string_view& rest, std::string& commodity, std::size_t line);

}  // namespace ledgerflow::exchange
