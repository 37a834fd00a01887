#include "ext/ledger_columns.hpp"

#include "ext/datums.hpp"

extern "C" {
#include "catalog/pg_attribute.h"
#include "utils/catcache.h"
}

namespace ledgerflow {

namespace {

struct Column {
  Table table;
  const char* name;
  Oid type;
};
constexpr Column columns[] = {
    {Table::settings, "singleton", BOOLOID},
    {Table::settings, "format_version", INT4OID},
    {Table::settings, "idempotency_retention", INTERVALOID},
    {Table::settings, "closed_through", TIMESTAMPTZOID},
    {Table::currencies, "code", TEXTOID},
    {Table::currencies, "scale", INT2OID},
    {Table::currencies, "name", TEXTOID},
    {Table::account_types, "code", TEXTOID},
    {Table::account_types, "normal_side", TEXTOID},
    {Table::account_types, "min_balance", NUMERICOID},
    {Table::account_types, "max_balance", NUMERICOID},
    {Table::account_types, "metadata_schema", JSONBOID},
    {Table::account_types, "description", TEXTOID},
    {Table::accounts, "id", INT8OID},
    {Table::accounts, "code", TEXTOID},
    {Table::accounts, "type", TEXTOID},
    {Table::accounts, "currency", TEXTOID},
    {Table::accounts, "name", TEXTOID},
    {Table::accounts, "metadata", JSONBOID},
    {Table::accounts, "created_at", TIMESTAMPTZOID},
    {Table::account_balances, "account_id", INT8OID},
    {Table::account_balances, "version", INT8OID},
    {Table::account_balances, "last_transaction_id", UUIDOID},
    {Table::account_balances, "stripe", INT2OID},
    {Table::account_balances, "status", TEXTOID},
    {Table::account_balances, "debits_posted", NUMERICOID},
    {Table::account_balances, "credits_posted", NUMERICOID},
    {Table::account_balances, "debits_pending", NUMERICOID},
    {Table::account_balances, "credits_pending", NUMERICOID},
    {Table::account_balances, "min_balance", NUMERICOID},
    {Table::account_balances, "max_balance", NUMERICOID},
    {Table::transactions, "id", UUIDOID},
    {Table::transactions, "posted_at", TIMESTAMPTZOID},
    {Table::transactions, "effective_at", TIMESTAMPTZOID},
    {Table::transactions, "xact_id", XID8OID},
    {Table::transactions, "created_by", TEXTOID},
    {Table::transactions, "type", TEXTOID},
    {Table::transactions, "reference", TEXTOID},
    {Table::transactions, "description", TEXTOID},
    {Table::transactions, "reverses", UUIDOID},
    {Table::transactions, "hold", UUIDOID},
    {Table::transactions, "metadata", JSONBOID},
    {Table::entries, "account_id", INT8OID},
    {Table::entries, "transaction_id", UUIDOID},
    {Table::entries, "line", INT2OID},
    {Table::entries, "stripe", INT2OID},
    {Table::entries, "amount", NUMERICOID},
    {Table::entries, "balance_after", NUMERICOID},
    {Table::holds, "id", UUIDOID},
    {Table::holds, "created_at", TIMESTAMPTZOID},
    {Table::holds, "expires_at", TIMESTAMPTZOID},
    {Table::holds, "effective_at", TIMESTAMPTZOID},
    {Table::holds, "xact_id", XID8OID},
    {Table::holds, "created_by", TEXTOID},
    {Table::holds, "status", TEXTOID},
    {Table::holds, "reference", TEXTOID},
    {Table::holds, "description", TEXTOID},
    {Table::holds, "metadata", JSONBOID},
    {Table::hold_lines, "account_id", INT8OID},
    {Table::hold_lines, "hold_id", UUIDOID},
    {Table::hold_lines, "line", INT2OID},
    {Table::hold_lines, "stripe", INT2OID},
    {Table::hold_lines, "amount", NUMERICOID},
    {Table::hold_lines, "captured", NUMERICOID},
    {Table::hold_lines, "released", NUMERICOID},
    {Table::hold_lines, "is_open", BOOLOID},
    {Table::hold_lines, "settled_at", TIMESTAMPTZOID},
    {Table::hold_lines, "raises", JSONBOID},
    {Table::idempotency_keys, "key", TEXTOID},
    {Table::idempotency_keys, "transaction_id", UUIDOID},
    {Table::idempotency_keys, "created_at", TIMESTAMPTZOID},
    {Table::idempotency_keys, "request", JSONBOID},
    {Table::transaction_history, "id", INT8OID},
    {Table::transaction_history, "transaction_id", UUIDOID},
    {Table::transaction_history, "changed_at", TIMESTAMPTZOID},
    {Table::transaction_history, "changed_by", TEXTOID},
    {Table::transaction_history, "from_status", TEXTOID},
    {Table::transaction_history, "to_status", TEXTOID},
    {Table::transaction_history, "reason", TEXTOID},
    {Table::transaction_history, "client_address", INETOID},
    {Table::transaction_history, "application", TEXTOID},
    {Table::account_history, "id", INT8OID},
    {Table::account_history, "account_id", INT8OID},
    {Table::account_history, "changed_at", TIMESTAMPTZOID},
    {Table::account_history, "changed_by", TEXTOID},
    {Table::account_history, "change", TEXTOID},
    {Table::account_history, "from_value", TEXTOID},
    {Table::account_history, "to_value", TEXTOID},
    {Table::account_history, "reason", TEXTOID},
    {Table::account_history, "client_address", INETOID},
    {Table::account_history, "application", TEXTOID},
    {Table::period_history, "id", INT8OID},
    {Table::period_history, "changed_at", TIMESTAMPTZOID},
    {Table::period_history, "changed_by", TEXTOID},
    {Table::period_history, "from_closed_through", TIMESTAMPTZOID},
    {Table::period_history, "to_closed_through", TIMESTAMPTZOID},
    {Table::period_history, "reason", TEXTOID},
    {Table::period_history, "client_address", INETOID},
    {Table::period_history, "application", TEXTOID},
    {Table::dated_entries, "account_id", INT8OID},
    {Table::dated_entries, "effective_at", TIMESTAMPTZOID},
    {Table::dated_entries, "transaction_id", UUIDOID},
    {Table::dated_entries, "line", INT2OID},
    {Table::dated_entries, "amount", NUMERICOID},
    {Table::dated_entries, "dated_after", NUMERICOID},
    {Table::effective_days, "account_id", INT8OID},
    {Table::effective_days, "day", DATEOID},
    {Table::effective_days, "amount", NUMERICOID},
    {Table::verifications, "id", INT8OID},
    {Table::verifications, "verified_at", TIMESTAMPTZOID},
    {Table::verifications, "verified_by", TEXTOID},
    {Table::verifications, "mode", TEXTOID},
    {Table::verifications, "findings", INT8OID},
    {Table::verifications, "transactions", INT8OID},
    {Table::verifications, "entries", INT8OID},
    {Table::verifications, "duration", INTERVALOID},
    {Table::verifications, "horizon", XID8OID},
    {Table::verifications, "xact_id", XID8OID},
    {Table::verifications, "origin", TEXTOID},
    {Table::seals, "seal", INT8OID},
    {Table::seals, "transactions", INT8OID},
    {Table::seals, "entries", INT8OID},
    {Table::seals, "late", INT8OID},
    {Table::seals, "last_transaction_id", UUIDOID},
    {Table::seals, "sealed_at", TIMESTAMPTZOID},
    {Table::seals, "sealed_by", TEXTOID},
    {Table::seals, "client_address", INETOID},
    {Table::seals, "server", INT8OID},
    {Table::seals, "horizon", XID8OID},
    {Table::seals, "next_xact_id", XID8OID},
    {Table::seals, "tree", BYTEAOID},
    {Table::seals, "root", BYTEAOID},
    {Table::seal_blocks, "seal", INT8OID},
    {Table::seal_blocks, "block", INT8OID},
    {Table::seal_blocks, "last_transaction_id", UUIDOID},
    {Table::seal_blocks, "transaction_ids", UUIDARRAYOID},
    {Table::seal_blocks, "marks", BYTEAOID},
    {Table::seal_blocks, "root", BYTEAOID},
};

// One look at the catalog for each table; raises.
const Column* first_missing(const Ledger& ledger) {
  const Column* wanted = std::begin(columns);
  while (wanted != std::end(columns)) {
    const Table table = wanted->table;
    const Oid relation = ledger.relation(table);
    CatCList* attributes = SearchSysCacheList1(ATTNUM, ObjectIdGetDatum(relation));
    const Column* missing = nullptr;
    for (; missing == nullptr && wanted != std::end(columns) && wanted->table == table; ++wanted) {
      missing = wanted;
      for (int i = 0; i < attributes->n_members && missing != nullptr; ++i) {
        const auto* attribute =
            reinterpret_cast<Form_pg_attribute>(GETSTRUCT(&attributes->members[i]->tuple));
        if (!attribute->attisdropped && reads_as(attribute->atttypid, wanted->type) &&
            strcmp(NameStr(attribute->attname), wanted->name) == 0)
          missing = nullptr;
      }
    }
    ReleaseSysCacheList(attributes);
    if (missing != nullptr) return missing;
  }
  return nullptr;
}

}  // namespace

void check_columns(const Ledger& ledger) {
  struct Missing {
    const char* table = nullptr;
    const char* column = nullptr;
    const char* type = nullptr;
  };
  const Missing missing = pg_call([&]() -> Missing {
    const Column* column = first_missing(ledger);
    if (column == nullptr) return {};
    return {table_name(column->table), column->name, format_type_be(column->type)};
  });
  if (missing.table != nullptr)
    throw Error(Condition::ledger_not_found,
                "schema " + quoted(ledger.name) + " is not a ledger, or is damaged",
                std::string("Its table \"") + missing.table + "\" has no column \"" +
                    missing.column + "\" of type " + missing.type + ".");
}

}  // namespace ledgerflow
