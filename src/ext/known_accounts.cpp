// The accounts that a session remembers of a ledger: how they are read the first time, and forgotten.
#include "ext/datums.hpp"
#include "ext/session.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "utils/fmgroids.h"
}

namespace ledgerflow {

namespace {

constexpr int most_columns = 4;

// How rows are found by one of their columns without SQL.
struct Lookup {
  Oid index = InvalidOid;  // unique, over that column alone
  std::int16_t columns[most_columns] = {};
};

struct Column {
  const char* name = nullptr;
  Oid type = InvalidOid;
};
constexpr Column account_columns[] = {
    {"id", INT8OID}, {"code", TEXTOID}, {"type", TEXTOID}, {"currency", TEXTOID}};
constexpr Column currency_columns[] = {{"code", TEXTOID}, {"scale", INT2OID}};
constexpr Column type_columns[] = {{"code", TEXTOID}, {"normal_side", TEXTOID}};
enum AccountColumn { account_id, account_code, account_type, account_currency };
enum NamedColumn { named_code, named_value };  // of currencies and types

}  // namespace

struct AccountLayout {
  bool is_plain = false;  // else SQL reads them
  Lookup by_id, by_code, currencies, types;
};

namespace {

// Rows that SQL would show as they are: to everybody who may read, and none from elsewhere.
bool is_plain(Relation relation) {
  const FormData_pg_class& form = *relation->rd_rel;
  return form.relkind == RELKIND_RELATION && form.relam == HEAP_TABLE_AM_OID &&
         !form.relispartition && !form.relhassubclass && !form.relrowsecurity &&
         relation->rd_rules == nullptr;
}

bool is_usable(Relation index, const FormData_pg_attribute& column) {
  const FormData_pg_index& form = *index->rd_index;
  return index->rd_rel->relam == BTREE_AM_OID && form.indisunique && form.indimmediate &&
         form.indisvalid && !form.indcheckxmin && form.indnkeyatts == 1 &&
         form.indkey.values[0] == column.attnum &&
         index->rd_indcollation[0] == column.attcollation &&
         RelationGetIndexPredicate(index) == NIL;
}

// Finds the columns, and the index over the one that rows are found by. False when SQL has to.
template <std::size_t count>
bool describe(Relation relation, const Column (&columns)[count], int key, Lookup& lookup) {
  static_assert(count <= most_columns);
  const TupleDesc descriptor = RelationGetDescr(relation);
  for (int i = 0; i < descriptor->natts; ++i) {
    const FormData_pg_attribute& attribute = *TupleDescAttr(descriptor, i);
    for (std::size_t column = 0; column < count; ++column)
      if (!attribute.attisdropped && attribute.atttypid == columns[column].type &&
          strcmp(NameStr(attribute.attname), columns[column].name) == 0)
        lookup.columns[column] = attribute.attnum;
  }
  for (std::size_t column = 0; column < count; ++column)
    if (lookup.columns[column] == InvalidAttrNumber) return false;
  List* indexes = RelationGetIndexList(relation);
  ListCell* cell = nullptr;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    if (is_usable(index, *TupleDescAttr(descriptor, lookup.columns[key] - 1)))
      lookup.index = RelationGetRelid(index);
    index_close(index, AccessShareLock);
  }
  list_free(indexes);
  return OidIsValid(lookup.index);
}

AccountLayout read_layout(Relation accounts, Relation currencies, Relation types) {
  AccountLayout layout;
  layout.is_plain = is_plain(accounts) && is_plain(currencies) && is_plain(types) &&
                    describe(accounts, account_columns, account_id, layout.by_id) &&
                    describe(accounts, account_columns, account_code, layout.by_code) &&
                    describe(currencies, currency_columns, named_code, layout.currencies) &&
                    describe(types, type_columns, named_code, layout.types);
  return layout;
}

// A scan of a table by a unique index. Everything here raises; closing is for calls that succeed.
class Finder {
 public:
  void open(Relation relation, const Lookup& lookup) {
    lookup_ = &lookup;
    slot_ = MakeSingleTupleTableSlot(RelationGetDescr(relation), table_slot_callbacks(relation));
    index_ = index_open(lookup.index, AccessShareLock);
    scan_ = index_beginscan(relation, index_, GetActiveSnapshot(), 1, 0);
  }
  bool find(Datum key, RegProcedure equal) {
    ScanKeyData wanted;
    ScanKeyEntryInitialize(&wanted, 0, 1, BTEqualStrategyNumber, InvalidOid,
                           index_->rd_indcollation[0], equal, key);
    index_rescan(scan_, &wanted, 1, nullptr, 0);
    return index_getnext_slot(scan_, ForwardScanDirection, slot_);
  }
  // Of the row that was found last, for as long as it is.
  Datum value(int column) {
    bool is_null = false;
    const Datum value = slot_getattr(slot_, lookup_->columns[column], &is_null);
    if (is_null) raise_damaged("an account of the ledger has a NULL where none may be");
    return value;
  }
  Datum text(int column) { return PointerGetDatum(PG_DETOAST_DATUM_COPY(value(column))); }
  void close() {
    index_endscan(scan_);
    index_close(index_, NoLock);
    ExecDropSingleTupleTableSlot(slot_);
  }

 private:
  const Lookup* lookup_ = nullptr;
  TupleTableSlot* slot_ = nullptr;
  Relation index_ = nullptr;
  IndexScanDesc scan_ = nullptr;
};

#define ACCOUNT_COLUMNS                                                     \
  "SELECT a.id, a.code, a.type, a.currency, c.scale, t.normal_side "        \
  "FROM {ledger}.accounts a "                                               \
  "JOIN {ledger}.currencies c ON c.code OPERATOR(pg_catalog.=) a.currency " \
  "JOIN {ledger}.account_types t ON t.code OPERATOR(pg_catalog.=) a.type "
constexpr const char* accounts_by_code_query =
    ACCOUNT_COLUMNS "WHERE a.code OPERATOR(pg_catalog.=) ANY ($1)";
constexpr const char* accounts_by_id_query =
    ACCOUNT_COLUMNS "WHERE a.id OPERATOR(pg_catalog.=) ANY ($1)";
#undef ACCOUNT_COLUMNS

// The columns of these queries; texts are not toasted.
constexpr int found_columns = 6;
struct FoundAccount {
  Datum values[found_columns];
};

std::unique_ptr<Account> account_of(const FoundAccount& found) {
  auto account = std::make_unique<Account>();
  account->id = DatumGetInt64(found.values[0]);
  account->code = view_of(found.values[1]);
  account->type = view_of(found.values[2]);
  account->currency = view_of(found.values[3]);
  account->scale = scale_of(found.values[4]);
  account->normal_side = view_of(found.values[5]) == "debit" ? Side::debit : Side::credit;
  return account;
}

// The keys that are not known yet, each once.
template <typename Key, typename Known>
std::vector<Key> missing_keys(const std::vector<Key>& keys, const Known& known) {
  std::vector<Key> missing;
  for (const Key& key : keys)
    if (known.count(key) == 0) missing.push_back(key);
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  return missing;
}

[[noreturn]] void refuse_account(const std::string& which, const std::string& ledger) {
  throw Error(Condition::account_not_found, "account " + which + " does not exist",
              "There is none in ledger " + quoted(ledger) + ".");
}

}  // namespace

// The same as the queries in a tenth of their time: most postings of a new session come here.
bool Ledger::read_plain_accounts(AccountKey by, const std::vector<Datum>& keys) {
  std::size_t count = 0;
  AccountLayout layout;
  FoundAccount* const found = pg_call([&]() -> FoundAccount* {
    constexpr Table needed[] = {Table::accounts, Table::currencies, Table::account_types};
    Relation open_tables[std::size(needed)];
    bool allowed = true;
    for (std::size_t i = 0; i < std::size(needed); ++i) {
      open_tables[i] = table_open(relation(needed[i]), AccessShareLock);
      allowed &= pg_class_aclcheck(relation(needed[i]), GetUserId(), ACL_SELECT) == ACLCHECK_OK;
    }
    // Under their locks they stay as they are.
    layout = account_layout_ != nullptr && !stale
                 ? *account_layout_
                 : read_layout(open_tables[0], open_tables[1], open_tables[2]);
    FoundAccount* rows = nullptr;
    if (layout.is_plain && allowed) {
      rows = static_cast<FoundAccount*>(
          MemoryContextAllocHuge(CurrentMemoryContext, keys.size() * sizeof(FoundAccount)));
      // What the database transaction has written before is visible.
      CommandCounterIncrement();
      PushActiveSnapshot(GetTransactionSnapshot());
      Finder accounts, currencies, types;
      accounts.open(open_tables[0], by == AccountKey::code ? layout.by_code : layout.by_id);
      currencies.open(open_tables[1], layout.currencies);
      types.open(open_tables[2], layout.types);
      const RegProcedure equal = by == AccountKey::code ? F_TEXTEQ : F_INT8EQ;
      for (const Datum key : keys) {
        CHECK_FOR_INTERRUPTS();
        if (!accounts.find(key, equal) ||
            !currencies.find(accounts.value(account_currency), F_TEXTEQ) ||
            !types.find(accounts.value(account_type), F_TEXTEQ))
          continue;
        rows[count++] = {{accounts.value(account_id), accounts.text(account_code),
                          accounts.text(account_type), accounts.text(account_currency),
                          currencies.value(named_value), types.text(named_value)}};
      }
      types.close();
      currencies.close();
      accounts.close();
      PopActiveSnapshot();
    }
    for (Relation table : open_tables) table_close(table, NoLock);
    return rows;
  });
  if (!stale && account_layout_ == nullptr)
    account_layout_ = std::make_shared<const AccountLayout>(layout);
  for (std::size_t i = 0; i < count; ++i) remember(account_of(found[i]));
  return found != nullptr;
}

void Ledger::read_accounts(AccountKey by, const std::vector<Datum>& keys) {
  if (keys.empty() || read_plain_accounts(by, keys)) return;
  const Oid type = by == AccountKey::code ? TEXTARRAYOID : INT8ARRAYOID;
  SPIPlanPtr query =
      plan(by == AccountKey::code ? accounts_by_code_query : accounts_by_id_query, 1, &type);
  const Datum parameter =
      pg_call([&] { return array_of(keys, by == AccountKey::code ? TEXTOID : INT8OID); });
  // By their indexes: a plan made while there were few accounts would read them all, for each one that is
  // opened in a transaction of thousands.
  pg_call([&] {
    const int nesting = NewGUCNestLevel();
    (void)set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                            true, 0, false);
    execute(query, SPI_OK_SELECT, &parameter);
    AtEOXact_GUC(true, nesting);
  });
  const TupleDesc row = SPI_tuptable->tupdesc;
  for (std::uint64_t i = 0; i < SPI_processed; ++i) {
    FoundAccount found;
    pg_call([&] {
      for (int column = 0; column < found_columns; ++column) {
        bool is_null = false;
        Datum& value = found.values[column];
        value = SPI_getbinval(SPI_tuptable->vals[i], row, column + 1, &is_null);
        if (is_null) raise_damaged("an account of the ledger has a NULL where none may be");
        if (column >= 1 && column != 4) value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
      }
    });
    remember(account_of(found));
  }
}

void Ledger::load_accounts(const std::vector<std::string_view>& codes) {
  std::vector<Datum> keys;
  for (const std::string_view code : missing_keys(codes, accounts_by_code_))
    keys.push_back(pg_call([&] { return new_text(code); }));
  read_accounts(AccountKey::code, keys);
}

void Ledger::load_accounts(const std::vector<std::int64_t>& ids) {
  std::vector<Datum> keys;
  for (const std::int64_t id : missing_keys(ids, accounts_by_id_))
    keys.push_back(Int64GetDatum(id));
  read_accounts(AccountKey::id, keys);
}

const Account& Ledger::find_account(std::string_view code) {
  auto known = accounts_by_code_.find(code);
  if (known == accounts_by_code_.end()) {
    load_accounts(std::vector<std::string_view>{code});
    known = accounts_by_code_.find(code);
  }
  if (known == accounts_by_code_.end()) refuse_account(quoted(code), name);
  return *known->second;
}

const Account& Ledger::find_account(std::int64_t id) {
  auto known = accounts_by_id_.find(id);
  if (known == accounts_by_id_.end()) {
    load_accounts(std::vector<std::int64_t>{id});
    known = accounts_by_id_.find(id);
  }
  if (known == accounts_by_id_.end()) refuse_account("with id " + std::to_string(id), name);
  return *known->second;
}

void Ledger::forget_unsure_accounts() {
  for (const std::int64_t id : unsure_) {
    const auto account = accounts_by_id_.find(id);
    if (account == accounts_by_id_.end()) continue;
    accounts_by_code_.erase(account->second->code);
    accounts_by_id_.erase(account);
  }
  unsure_.clear();
  rolled_back = false;
}

void Ledger::forget_accounts() {
  accounts_by_code_.clear();
  accounts_by_id_.clear();
  unsure_.clear();
}

}  // namespace ledgerflow
