// What the tables of a ledger must look like before a value of theirs is taken for what it should be. A schema
// with tables of the right names can be made by anybody.
#include "ext/session.hpp"

extern "C" {
#include "catalog/pg_namespace.h"
#include "common/hashfn.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
}

namespace ledgerflow {

namespace {

constexpr const char* tables_script =
#include "ext/ledger_tables.sql"
#include "ext/ledger_tables_2.sql"
    ;

struct Column {
  std::string name;
  Oid type;
};
using Columns = std::vector<Column>;

struct ParsedColumn {
  const char* table;
  const char* name;
  Oid type;
};

List* parsed_script() {
#if PG_VERSION_NUM >= 140000
  return raw_parser(tables_script, RAW_PARSE_DEFAULT);
#else
  return raw_parser(tables_script);
#endif
}

// The columns in the script that makes the tables; raises.
ParsedColumn* parsed_columns(int& count) {
  constexpr int most_columns = 500;
  auto* columns = static_cast<ParsedColumn*>(palloc(most_columns * sizeof(ParsedColumn)));
  count = 0;
  ListCell* statement = nullptr;
  foreach (statement, parsed_script()) {
    auto* const create = reinterpret_cast<CreateStmt*>(lfirst_node(RawStmt, statement)->stmt);
    if (!IsA(create, CreateStmt)) continue;
    ListCell* element = nullptr;
    foreach (element, create->tableElts) {
      auto* const column = static_cast<ColumnDef*>(lfirst(element));
      if (!IsA(column, ColumnDef)) continue;
      // The last part of the name: all are the server's own types, whatever the search_path holds.
      const char* type = strVal(llast(column->typeName->names));
      Oid oid = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(type),
                                ObjectIdGetDatum(PG_CATALOG_NAMESPACE));
      if (column->typeName->arrayBounds != NIL) oid = get_array_type(oid);
      if (!OidIsValid(oid) || count == most_columns) elog(ERROR, "unexpected type \"%s\"", type);
      columns[count++] = {create->relation->relname, column->colname, oid};
    }
  }
  return columns;
}

// By table; made once in a backend.
const std::vector<Columns>& expected_columns() {
  static std::vector<Columns> expected;
  if (!expected.empty()) return expected;
  int count = 0;
  const ParsedColumn* const parsed = pg_call([&] { return parsed_columns(count); });
  std::vector<Columns> found(table_count);
  for (int i = 0; i < count; ++i)
    for (std::size_t table = 0; table < table_count; ++table)
      if (table_name(static_cast<Table>(table)) == std::string_view(parsed[i].table))
        found[table].push_back({parsed[i].name, parsed[i].type});
  expected = std::move(found);
  return expected;
}

}  // namespace

std::uint64_t check_shape(const Ledger& ledger) {
  const std::vector<Columns>& expected = expected_columns();
  std::uint64_t hash = 0;
  for (std::size_t table = 0; table < table_count; ++table)
    for (const Column& column : expected[table]) {
      Oid type = InvalidOid;
      const bool fits = pg_call([&] {
        HeapTuple tuple = SearchSysCacheAttName(ledger.relations[table], column.name.c_str());
        if (!HeapTupleIsValid(tuple)) return false;
        const auto* attribute = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple));
        type = attribute->atttypid;
        for (const std::uint64_t part :
             {static_cast<std::uint64_t>(type), static_cast<std::uint64_t>(attribute->atttypmod),
              static_cast<std::uint64_t>(attribute->attcollation)})
          hash = hash_combine64(hash, part);
        ReleaseSysCache(tuple);
        return IsBinaryCoercible(type, column.type);
      });
      if (fits) continue;
      const char* wanted = pg_call([&] { return format_type_be(column.type); });
      throw Error(Condition::ledger_not_found, "ledger " + quoted(ledger.name) + " does not exist",
                  std::string("Its table \"") + table_name(static_cast<Table>(table)) +
                      "\" has no column \"" + column.name + "\" of type " + wanted + ".");
    }
  return hash;
}

}  // namespace ledgerflow
