// Reading and writing rows through SPI: what the parts of the SPI store share.
#pragma once

#include "ext/datums.hpp"
#include "ext/session.hpp"

namespace ledgerflow {

constexpr char null_flag(bool is_null) { return is_null ? 'n' : ' '; }

// What the engine computed is refused where a user's trigger has changed the rows under it (a posting of
// its own on the same account) or kept some from being written. Raises.
[[noreturn]] inline void refuse_interference() {
  ereport(ERROR,
          (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
           errmsg("a trigger on the ledger's tables interfered with a posting"),
           errdetail("Rows that the ledger was writing were changed or suppressed by the trigger."),
           errhint("Post on the same accounts only in AFTER triggers on transactions or entries, "
                   "and let every row through.")));
  pg_unreachable();
}

// A statement that must write so many rows.
inline void write_rows(SPIPlanPtr plan, int expected, std::uint64_t rows, const Datum* values,
                       const char* nulls = nullptr) {
  execute(plan, expected, values, nulls);
  if (SPI_processed != rows) refuse_interference();
}

// Columns of the current result row; raises, so only inside pg_call.
struct Row {
  HeapTuple tuple;
  TupleDesc descriptor;

  Datum column(int number) const {
    bool is_null = false;
    const Datum value = SPI_getbinval(tuple, descriptor, number, &is_null);
    if (is_null) raise_damaged(psprintf("column %d of a ledger's row is NULL", number));
    return value;
  }
  std::optional<Datum> nullable(int number) const {
    bool is_null = false;
    const Datum value = SPI_getbinval(tuple, descriptor, number, &is_null);
    if (is_null) return std::nullopt;
    return value;
  }
  Units units(int number, int scale) const {
    Units units = 0;
    if (units_from_numeric(PointerGetDatum(PG_DETOAST_DATUM_PACKED(column(number))), scale,
                           units) != AmountStatus::ok)
      raise_damaged("a ledger's row holds an amount that no ledger writes");
    return units;
  }
};

inline Row result_row(std::uint64_t number) {
  return {SPI_tuptable->vals[number], SPI_tuptable->tupdesc};
}

// A text or jsonb of a row, on its own. Two steps, as a C++ string must not meet a longjmp.
inline std::optional<std::string> copied_text(const Row& row, int column, bool whole_value) {
  const auto view = pg_call([&]() -> std::optional<std::string_view> {
    const std::optional<Datum> value = row.nullable(column);
    if (!value) return std::nullopt;
    if (!whole_value) return view_of(PointerGetDatum(PG_DETOAST_DATUM_PACKED(*value)));
    const struct varlena* plain = PG_DETOAST_DATUM(*value);
    return std::string_view(reinterpret_cast<const char*>(plain), VARSIZE(plain));
  });
  if (!view) return std::nullopt;
  return std::string(*view);
}

}  // namespace ledgerflow
