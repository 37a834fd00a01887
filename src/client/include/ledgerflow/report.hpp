// Rows of the ledger's reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledgerflow/amount.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// Which time of a transaction a report goes by.
enum class By : unsigned char {
  effective,  ///< when it counts for the books
  posted      ///< when it was posted
};

/// Of a report at a time.
struct ReportOptions {
  std::optional<Timestamp> at;        ///< with everything until then; nothing: everything
  std::optional<std::string> prefix;  ///< only this account and those under it; where it applies
  std::optional<int> depth;           ///< levels of accounts to show, from 1; where it applies
  By by = By::effective;              ///< which time `at` is
  std::optional<std::string> ledger;  ///< as in PostOptions
};

/// Of a report of a range of time.
struct RangeOptions {
  std::optional<Timestamp> from;      ///< from this time on; nothing: the beginning
  std::optional<Timestamp> to;        ///< before this time; nothing: the end
  std::optional<std::string> prefix;  ///< only this account and those under it; where it applies
  std::optional<int> depth;           ///< levels of accounts to show, from 1; where it applies
  By by = By::effective;              ///< which time the range is of
  std::optional<std::string> ledger;  ///< as in PostOptions
};

/// A range of time; an end that is not given is open.
struct TimeRange {
  std::optional<Timestamp> from;  ///< from this time on
  std::optional<Timestamp> to;    ///< before this time
};

/// Of a comparison of two ranges of time.
struct CompareOptions {
  std::optional<std::string> prefix;  ///< only this account and those under it
  By by = By::effective;              ///< which time the ranges are of
  std::optional<std::string> ledger;  ///< as in PostOptions
};

/// Of the chart of an account's balance.
struct ChartOptions {
  std::optional<Timestamp> from;      ///< its first point; nothing: the day of the first entry
  std::optional<Timestamp> to;        ///< until this time; nothing: now
  std::string step = "1 day";         ///< an interval as PostgreSQL reads it: `1 month`
  By by = By::effective;              ///< which time the points are of
  std::optional<std::string> ledger;  ///< as in PostOptions
};

/// One account of the trial balance.
struct TrialBalanceLine {
  std::string account;              ///< its code
  std::string type;                 ///< its type
  std::string currency;             ///< its currency
  Amount debit;                     ///< the balance, when it is one of debit; else zero
  Amount credit;                    ///< the balance, when it is one of credit; else zero
  std::optional<std::string> name;  ///< for people
  Amount debits_posted;             ///< sum of all debits
  Amount credits_posted;            ///< sum of all credits
};

/// A code of the tree of accounts, in one currency.
struct RollupLine {
  int level = 0;                           ///< its place in the tree, from 0 at its root
  std::string account;                     ///< the code
  std::string label;                       ///< its last segment, indented by level
  std::string currency;                    ///< the currency
  std::int64_t accounts = 0;               ///< how many accounts it sums
  std::optional<std::string> normal_side;  ///< theirs; nothing when they differ
  std::optional<Amount> own;               ///< of the account itself, if there is one of this code
  Amount total;                            ///< with all accounts under it
};

/// Balances summed by something that accounts have in common, in one currency.
struct GroupBalance {
  std::optional<std::string> group;  ///< the type, or the value of the metadata, if it has one
  std::string currency;              ///< the currency
  std::int64_t accounts = 0;         ///< how many accounts it sums
  std::optional<std::string> normal_side;  ///< theirs; nothing when they differ
  Amount balance;                          ///< their sum
};

/// A line of a balance sheet or an income statement.
struct FinancialLine {
  std::string currency;                ///< the currency
  std::optional<std::string> side;     ///< of a balance sheet: `debit` or `credit`
  std::optional<std::string> section;  ///< the account type; nothing for a total over sections
  std::string kind;                    ///< `account`, `subtotal`, `total` ... : docs/reference.md
  std::string label;                   ///< for people
  std::optional<std::string> account;  ///< the code; nothing for totals
  std::optional<std::string> name;     ///< the account's, for people
  Amount amount;                       ///< of the line
};

/// What moved on an account in a range of time.
struct Movement {
  std::string account;              ///< its code
  std::string type;                 ///< its type
  std::string currency;             ///< its currency
  Amount opening;                   ///< balance before, in the normal sign
  Amount debits;                    ///< sum of debits
  Amount credits;                   ///< sum of credits
  Amount closing;                   ///< balance after
  std::optional<std::string> name;  ///< for people
};

/// By how much an account changed in each of two ranges.
struct Comparison {
  std::string account;              ///< its code
  std::string type;                 ///< its type
  std::string currency;             ///< its currency
  Amount first;                     ///< in the first range, in the normal sign
  Amount second;                    ///< in the second range
  Amount difference;                ///< second less first
  std::optional<Amount> percent;    ///< of the first; nothing where that is zero
  std::optional<std::string> name;  ///< for people
};

/// A point of a chart.
struct ChartPoint {
  Timestamp at;    ///< the time
  Amount debits;   ///< since the point before
  Amount credits;  ///< since the point before
  Amount balance;  ///< at the time, in the normal sign
};

}  // namespace ledgerflow::client
