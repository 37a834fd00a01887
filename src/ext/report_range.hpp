// What a report counts: a range of effective times and a range of transaction ids. A report by effective
// time leaves the ids open, one by posting time leaves the effective times open: ids carry the time of
// posting. ledgerflow.as_of ends the ids in both.
#pragma once

#include "ext/reading.hpp"

namespace ledgerflow {

struct ReportRange {
  bool by_posting = false;
  TimestampTz since = DT_NOBEGIN;
  TimestampTz until = DT_NOEND;  // exclusive, like until_id
  TransactionId since_id;
  TransactionId until_id;

  // Everything that was posted: account_balances has the sums.
  bool is_endless() const;
};

// The values of a report's query. Nothing here has a destructor: filling it may raise.
struct ReportValues {
  static constexpr int most = 16;
  Datum values[most] = {};
  Oid types[most] = {};
  int count = 0;

  void add(Oid type, Datum value) {
    if (count == most) elog(ERROR, "a report has too many parameters");
    types[count] = type;
    values[count++] = value;
  }
  void add_text(std::string_view text);
  // $1 'posted' or 'effective', $2 since, $3 until, $4 since_id, $5 until_id, $6 true when it is endless.
  void add_range(const ReportRange& range);
};

// Arguments of reports. NULL is an open end, and so are the infinities.
bool by_posting_argument(FunctionCallInfo fcinfo, int number);
TimestampTz moment_argument(FunctionCallInfo fcinfo, int number, TimestampTz when_null);
// From the beginning through the time of argument `at`; `by` is the argument that says which time.
ReportRange range_through_argument(FunctionCallInfo fcinfo, int at, int by);
// From the time of argument `from` to before that of the next one.
ReportRange range_arguments(FunctionCallInfo fcinfo, int from, bool by_posting);
// Codes of this many segments; NULL is all. Codes have fewer segments than bytes.
int depth_argument(FunctionCallInfo fcinfo, int number);
// A code of one or more segments; NULL is the empty text, which is no code.
std::string_view prefix_argument(FunctionCallInfo fcinfo, int number);

// From `from` to before `to`.
ReportRange range_between(TimestampTz from, TimestampTz to, bool by_posting);
// The smallest id of a time; of times beyond all ids the smallest or largest id that could be.
TransactionId id_bound(TimestampTz time);
// A moment later; the infinities stay.
TimestampTz just_after(TimestampTz time);

// Runs a report on the ledger that its last argument names. Reports are planned for the values of each
// call: what is not asked for drops out of the plan.
Datum run_report(FunctionCallInfo fcinfo, const char* query, ReportValues& values);

}  // namespace ledgerflow
