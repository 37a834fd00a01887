#include "ext/session.hpp"

#include "ext/as_of.hpp"
#include "ext/datums.hpp"
#include "ext/heap_tables.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "utils/fmgroids.h"
}

namespace ledgerflow {

namespace {

constexpr const char* table_names[table_count] = {"settings",
                                                  "currencies",
                                                  "account_types",
                                                  "accounts",
                                                  "account_balances",
                                                  "transactions",
                                                  "entries",
                                                  "idempotency_keys",
                                                  "transaction_history",
                                                  "account_history",
                                                  "holds",
                                                  "hold_lines",
                                                  "period_history",
                                                  "dated_entries",
                                                  "effective_days",
                                                  "verifications",
                                                  "seals",
                                                  "seal_blocks"};
// That a session keeps, of all its ledgers: an account takes some 300 bytes, the plans of a ledger 400 kB.
constexpr std::size_t most_accounts = 100000;
constexpr std::size_t most_ledgers = 100;

using Ledgers = std::unordered_map<Oid, LedgerPtr>;
// Made at the first use and kept for the life of the backend.
Ledgers* ledgers = nullptr;

char* ledger_setting = nullptr;
int store_setting_value = static_cast<int>(StoreSetting::automatic);
constexpr config_enum_entry store_settings[] = {
    {"auto", static_cast<int>(StoreSetting::automatic), false},
    {"heap", static_cast<int>(StoreSetting::heap), false},
    {"spi", static_cast<int>(StoreSetting::spi), false},
    {nullptr, 0, false}};
int progress_setting = 10000;
int engine_depth = -1;  // trigger depth at which the engine writes; -1: it does not

std::uint64_t changes = 0;  // that the session has heard of, to whatever relation or schema

void table_changed(Datum, Oid relation) {
  ++changes;
  if (ledgers == nullptr) return;
  for (auto& [schema, ledger] : *ledgers)
    for (const Oid known : ledger->relations)
      if (relation == InvalidOid || relation == known) ledger->stale = true;
}

// A schema, or the extension's, was renamed, dropped or given away.
void schema_changed(Datum, int, uint32) {
  ++changes;
  if (ledgers == nullptr) return;
  for (auto& [schema, ledger] : *ledgers) ledger->stale = true;
}

Oid kept_schema = InvalidOid;  // whose tables this transaction has locked and found whole
bool accounts_unsure = false;  // some ledger has read accounts in this transaction

// Nothing is freed here: a call that is under way may use it.
void transaction_ended(XactEvent event, void*) {
  // A prepared transaction may still be rolled back.
  const bool aborted = event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT ||
                       event == XACT_EVENT_PREPARE;
  if (aborted) engine_depth = -1;
  kept_schema = InvalidOid;
  if (!accounts_unsure || (!aborted && event != XACT_EVENT_COMMIT)) return;
  accounts_unsure = false;
  for (auto& [schema, ledger] : *ledgers) {
    if (aborted)
      ledger->rolled_back = true;
    else if (!ledger->rolled_back)
      ledger->keep_accounts();
  }
}

void subtransaction_ended(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  if (event != SUBXACT_EVENT_ABORT_SUB) return;
  kept_schema = InvalidOid;  // its locks may be gone
  if (!accounts_unsure) return;
  for (auto& [schema, ledger] : *ledgers) ledger->rolled_back = true;
}

bool is_superuser(Oid user) {
  return pg_call([&] { return superuser_arg(user); });
}

[[noreturn]] void refuse_ledger(const std::string& name, const std::string& detail) {
  throw Error(Condition::ledger_not_found, "ledger " + quoted(name) + " does not exist", detail);
}

// Finds some of the tables, and their common owner.
void read_tables(Ledger& ledger, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    char kind = 0;
    Oid owner = InvalidOid;
    const Oid relation = pg_call([&] {
      const Oid found = get_relname_relid(table_names[i], ledger.schema);
      if (!OidIsValid(found)) return InvalidOid;
      HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(found));
      if (!HeapTupleIsValid(tuple)) return InvalidOid;
      kind = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relkind;
      owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
      ReleaseSysCache(tuple);
      return found;
    });
    if (!OidIsValid(relation) || (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE))
      refuse_ledger(ledger.name,
                    std::string("Its schema has no table \"") + table_names[i] + "\".");
    if (i == 0) ledger.owner = owner;
    if (owner != ledger.owner)
      refuse_ledger(ledger.name, std::string("Its table \"") + table_names[i] +
                                     "\" has another owner than \"" + table_names[0] + "\".");
    ledger.relations[i] = relation;
  }
}

void read_format(Ledger& ledger) {
  const AsOwner as_owner(ledger);
  const std::string query = "SELECT format_version FROM " + ledger.prefix + ".settings";
  pg_call([&] {
    // Not read-only, so that a ledger which the same statement has created is seen.
    if (SPI_execute(query.c_str(), false, 1) != SPI_OK_SELECT || SPI_processed != 1) return;
    bool is_null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    if (!is_null && SPI_gettypeid(SPI_tuptable->tupdesc, 1) == INT4OID)
      ledger.format = DatumGetInt32(value);
  });
}

[[noreturn]] void refuse_format(const Ledger& ledger) {
  throw Error(Condition::ledger_format_mismatch,
              "ledger " + quoted(ledger.name) + " has another format version",
              "It has " + std::to_string(ledger.format) + "; this extension works with " +
                  std::to_string(format_version) + ".");
}

std::shared_ptr<Ledger> found_ledger(Oid schema) {
  struct Name {
    const char* plain;
    const char* quoted;
  };
  const Name name = pg_call([&] {
    char* plain = get_namespace_name(schema);
    return Name{plain, plain == nullptr ? nullptr : quote_identifier(plain)};
  });
  if (name.plain == nullptr) refuse_ledger("", "Its schema was dropped.");
  auto ledger = std::make_shared<Ledger>(schema, name.plain, name.quoted);
  read_tables(*ledger, 0, first_table_count);
  read_format(*ledger);
  return ledger;
}

// Makes room for another ledger: those that were dropped go, and then the one that was not used for the
// longest time. Those that calls are using stay.
void forget_ledgers() {
  auto oldest = ledgers->end();
  for (auto it = ledgers->begin(); it != ledgers->end();) {
    const bool idle = it->second.use_count() == 1;
    const bool dropped = idle && it->second->stale && pg_call([&] {
                           return !SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(it->first));
                         });
    if (dropped) {
      it = ledgers->erase(it);
      continue;
    }
    if (idle && (oldest == ledgers->end() || it->second->last_call < oldest->second->last_call))
      oldest = it;
    ++it;
  }
  if (ledgers->size() >= most_ledgers && oldest != ledgers->end()) ledgers->erase(oldest);
}

void trim_accounts() {
  std::size_t kept = 0;
  for (const auto& [schema, ledger] : *ledgers) kept += ledger->accounts();
  if (kept <= most_accounts) return;
  for (const auto& [schema, ledger] : *ledgers)
    if (ledger.use_count() == 1) ledger->forget_accounts();
}

}  // namespace

LedgerPtr remembered_ledger(Oid schema) {
  if (ledgers == nullptr) ledgers = new Ledgers;
  static std::uint64_t calls = 0;
  trim_accounts();
  if (const auto known = ledgers->find(schema); known != ledgers->end()) {
    known->second->last_call = ++calls;
    if (!known->second->stale && !known->second->rolled_back) return known->second;
  }

  const std::uint64_t heard = changes;
  const std::shared_ptr<Ledger> fresh = found_ledger(schema);
  if (fresh->format != format_version) refuse_format(*fresh);
  read_tables(*fresh, first_table_count, table_count);
  fresh->checked_at = heard;
  fresh->shape = check_shape(*fresh);

  // Mostly nothing has changed (a table was analyzed, say): then plans and accounts are good still.
  // Looked up again: what was read may have run a policy of the user's, that uses ledgers.
  const auto known = ledgers->find(schema);
  if (known != ledgers->end()) {
    Ledger& old = *known->second;
    const bool in_use = known->second.use_count() > 1;
    if (old.name == fresh->name && old.owner == fresh->owner && old.shape == fresh->shape &&
        std::equal(old.relations, old.relations + table_count, fresh->relations) &&
        !(in_use && old.rolled_back)) {
      old.stale = false;
      old.checked_at = fresh->checked_at;
      old.forget_layouts();
      if (old.rolled_back) old.forget_unsure_accounts();
      return known->second;
    }
  }
  if (known == ledgers->end()) forget_ledgers();
  fresh->last_call = ++calls;
  (*ledgers)[schema] = fresh;
  return fresh;
}

namespace {

// The schema of this name; NULL means the setting ledgerflow.ledger. Checks that the caller may use it.
Oid find_schema(const char* name) {
  // What was revoked is gone, within a transaction too.
  pg_call([] { AcceptInvalidationMessages(); });
  if (name == nullptr) name = ledger_setting != nullptr ? ledger_setting : "";
  const std::string wanted(name);
  if (wanted.empty()) refuse_ledger(wanted, "ledgerflow.ledger is empty.");
  if (wanted.size() >= NAMEDATALEN) refuse_ledger(wanted, "The name is too long.");
  const Oid schema = pg_call([&] { return get_namespace_oid(name, true); });
  if (!OidIsValid(schema)) refuse_ledger(wanted, "There is no schema of this name.");
  pg_call([&] {
#if PG_VERSION_NUM >= 160000
    const AclResult result = object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_USAGE);
#else
    const AclResult result = pg_namespace_aclcheck(schema, GetUserId(), ACL_USAGE);
#endif
    if (result != ACLCHECK_OK) aclcheck_error(result, OBJECT_SCHEMA, name);
  });
  return schema;
}

// Checks besides that it is a ledger, and of this format.
LedgerPtr open_ledger(const char* name) { return remembered_ledger(find_schema(name)); }

void require(const Ledger& ledger, Table table, AclMode privilege) {
  pg_call([&] {
    const AclResult result = pg_class_aclcheck(ledger.relation(table), GetUserId(), privilege);
    if (result != ACLCHECK_OK)
      aclcheck_error(result, OBJECT_TABLE, table_names[static_cast<std::size_t>(table)]);
  });
}

// Whether the table has other files than the active snapshot knows of.
bool was_rewritten(Oid relation) {
  const auto file_of = [](HeapTuple tuple) {
    return reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relfilenode;
  };
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) return true;
  const Oid file = file_of(tuple);
  ReleaseSysCache(tuple);
  Relation classes = table_open(RelationRelationId, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
  SysScanDesc scan =
      systable_beginscan(classes, ClassOidIndexId, true, GetActiveSnapshot(), 1, &key);
  tuple = systable_getnext(scan);
  const bool changed = !HeapTupleIsValid(tuple) || file_of(tuple) != file;
  systable_endscan(scan);
  table_close(classes, AccessShareLock);
  return changed;
}

// Whether figures of the ledger may be shown to this user.
bool may_read(const Ledger& ledger, Oid user) {
  return pg_call([&] {
    return pg_class_aclcheck(ledger.relation(Table::account_balances), user, ACL_SELECT) ==
               ACLCHECK_OK &&
           pg_class_aclcheck(ledger.relation(Table::transactions), user, ACL_SELECT) == ACLCHECK_OK;
  });
}

}  // namespace

void refuse_changed_tables() {
  ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                  errmsg("a table of the ledger was altered at the same time"),
                  errhint("Retry the transaction.")));
  pg_unreachable();
}

void refuse_missing_balance() {
  if (IsolationUsesXactSnapshot()) refuse_changed_tables();
  raise_damaged("an account of the ledger has no row in account_balances");
}

LedgerPtr ledger_to_upgrade(const char* name) {
  const Oid schema = find_schema(name);
  // One after the other: both would read the settings and then lock them.
  pg_call([&] { LockDatabaseObject(NamespaceRelationId, schema, 0, ShareUpdateExclusiveLock); });
  LedgerPtr ledger = found_ledger(schema);
  if (ledger->format < 1 || ledger->format > format_version) refuse_format(*ledger);
  return ledger;
}

bool is_exposed(const Ledger& ledger, Oid user) {
  return user != ledger.owner && is_superuser(user) && !is_superuser(ledger.owner);
}

int trigger_depth() { return DatumGetInt32(pg_trigger_depth(nullptr)); }

const char* table_name(Table table) { return table_names[static_cast<std::size_t>(table)]; }

int progress_interval() { return progress_setting; }

StoreSetting store_setting() { return static_cast<StoreSetting>(store_setting_value); }

namespace {

// Values that were set before the library was there: in the middle of a parallel query PostgreSQL would not take them
// over. It only warns, and goes on with the defaults, which are another ledger and the present.
void refuse_late_load() {
  if (!IsInParallelMode()) return;
  for (const char* name :
       {"ledgerflow.as_of", "ledgerflow.ledger", "ledgerflow.store", "ledgerflow.progress"}) {
    const char* value = GetConfigOption(name, true, false);
    if (value != nullptr && *value != '\0')
      ereport(
          ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("parameter \"%s\" cannot be taken over in the middle of a parallel query", name),
           errdetail("It was set before the library ledgerflow was loaded."),
           errhint("Call a function of ledgerflow before, or add $libdir/ledgerflow to "
                   "session_preload_libraries.")));
  }
}

}  // namespace

void start_session() {
  refuse_late_load();
  define_as_of();  // first: it may refuse
  DefineCustomStringVariable("ledgerflow.ledger", "Ledger that functions use when they name none.",
                             nullptr, &ledger_setting, "ledger", PGC_USERSET, 0, nullptr, nullptr,
                             nullptr);
  DefineCustomEnumVariable(
      "ledgerflow.store", "How postings are written.",
      "heap: straight to the tables; spi: by SQL statements; auto: heap wherever "
      "the ledger's tables are ordinary ones.",
      &store_setting_value, static_cast<int>(StoreSetting::automatic), store_settings, PGC_USERSET,
      0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("ledgerflow.progress",
                          "How often long verifications say how far they are, as a NOTICE.",
                          "0: at every step; -1: never.", &progress_setting, 10000, -1, INT_MAX,
                          PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
#if PG_VERSION_NUM >= 150000
  MarkGUCPrefixReserved("ledgerflow");
#else
  EmitWarningsOnPlaceholders("ledgerflow");
#endif
  CacheRegisterRelcacheCallback(table_changed, 0);
  CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, 0);
  RegisterXactCallback(transaction_ended, nullptr);
  RegisterSubXactCallback(subtransaction_ended, nullptr);
}

std::string extension_schema(FunctionCallInfo fcinfo) {
  return pg_call([&] {
    return quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
  });
}

EngineWrites::EngineWrites() : outer_(engine_depth) { engine_depth = trigger_depth(); }
EngineWrites::~EngineWrites() { engine_depth = outer_; }

bool engine_writes(bool in_trigger) {
  return engine_depth >= 0 && engine_depth + (in_trigger ? 1 : 0) == trigger_depth();
}

void execute(SPIPlanPtr plan, int expected, const Datum* values, const char* nulls) {
  // A statement that reads in a read-only way would not see what the ones before it wrote.
  const int result = SPI_execute_plan(plan, const_cast<Datum*>(values), nulls, false, 0);
  if (result == SPI_OK_REWRITTEN)
    raise_damaged("a rule on a table of the ledger does something else instead");
  if (result != expected)
    elog(ERROR, "unexpected result of a ledger's statement: %s", SPI_result_code_string(result));
}

Call::Call(const char* ledger_name) : caller_(GetUserId()) {
  pg_call([] { SPI_connect(); });
  ledger_ = open_ledger(ledger_name);
  protect();
}

Call::Call(const char* function, const char* ledger_name, Table table, AclMode privilege)
    : Call(
          function, [&] { return open_ledger(ledger_name); }, table, privilege) {}

Call::Call(const char* function, Oid schema, Table table, AclMode privilege)
    : Call(
          function, [&] { return remembered_ledger(schema); }, table, privilege) {}

template <typename Open>
Call::Call(const char* function, const Open& open, Table table, AclMode privilege)
    : caller_(GetUserId()) {
  pg_call([&] {
    PreventCommandIfReadOnly(function);
    PreventCommandIfParallelMode(function);
    SPI_connect();
  });
  ledger_ = open();
  require(*ledger_, table, privilege);
  if (IsolationUsesXactSnapshot()) keep_tables();
  protect();
}

Call::Call(Oid schema) : caller_(GetUserId()) {
  pg_call([] { SPI_connect(); });
  ledger_ = remembered_ledger(schema);
  if (IsolationUsesXactSnapshot()) keep_tables();
}

const Account& Call::account_to_read(const std::optional<std::string_view>& code) {
  if (!code) throw Error(Condition::invalid_account_code, "account must not be NULL");
  require(*ledger_, Table::accounts, ACL_SELECT);
  return ledger_->find_account(*code);
}

void Call::lock_tables(std::initializer_list<Table> tables) {
  pg_call([&] {
    for (const Table table : tables) LockRelationOid(ledger_->relation(table), RowExclusiveLock);
  });
  if (ledger_->stale) ledger_ = remembered_ledger(ledger_->schema);
}

void Call::keep_tables() {
  if (kept_schema == ledger_->schema) return;
  pg_call([&] {
    for (const Oid relation : ledger_->relations) LockRelationOid(relation, AccessShareLock);
  });
  if (ledger_->stale) ledger_ = remembered_ledger(ledger_->schema);
  if (!IsolationUsesXactSnapshot()) return;
  pg_call([&] {
    for (const Oid relation : ledger_->relations)
      if (was_rewritten(relation)) refuse_changed_tables();
  });
  kept_schema = ledger_->schema;
}

void Call::push_whole_snapshot() {
  keep_tables();
  pg_call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
}

// A superuser reads a ledger of somebody else's with the rights of its owner.
void Call::protect() {
  if (is_exposed(*ledger_, caller_)) protection_.emplace(*ledger_);
}

void Call::finish() {
  protection_.reset();
  pg_call([] { SPI_finish(); });
}

void Call::throw_refusal(Refusal refusal) {
  // Class LF, from 020 on: conditions that depend on what is in the ledger.
  const ConditionInfo& condition = info(refusal.condition);
  if (std::string_view(condition.sqlstate) >= "LF020" && !may_read(*ledger_, caller_)) {
    refusal.detail.clear();
    if (hides_codes_) refusal.message = replaced(condition.name, "_", " ");
  }
  throw Error(std::move(refusal));
}

// PostgreSQL shows the row that breaks a constraint to who may read it, and takes the owner for the reader.
void Call::hide_row(const PgError& error) const {
  if (ERRCODE_TO_CATEGORY(error.data->sqlerrcode) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION &&
      error.data->detail != nullptr && !may_read(*ledger_, caller_))
    error.data->detail = nullptr;
}

std::string replaced(std::string text, std::string_view placeholder, std::string_view value) {
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + value.size()))
    text.replace(at, placeholder.size(), value);
  return text;
}

SPIPlanPtr Ledger::plan(const char* text, int parameters, const Oid* types, int cursor_options) {
  const auto known = plans_.find(text);
  if (known != plans_.end()) return known->second;
  const std::string statement = replaced(text, "{ledger}", prefix);
  if ((cursor_options & CURSOR_OPT_CUSTOM_PLAN) == 0) cursor_options |= CURSOR_OPT_GENERIC_PLAN;
  SPIPlanPtr made = pg_call([&] {
    SPIPlanPtr prepared =
        SPI_prepare_cursor(statement.c_str(), parameters, const_cast<Oid*>(types), cursor_options);
    if (prepared == nullptr)
      elog(ERROR, "could not prepare a ledger's statement: %s", SPI_result_code_string(SPI_result));
    // If somebody changes a type before it runs, it ends in an error.
    ListCell* source = nullptr;
    foreach (source, SPI_plan_get_plan_sources(prepared))
      static_cast<CachedPlanSource*>(lfirst(source))->fixed_result = true;
    return prepared;
  });
  // Its tables are locked now: what they look like stays so.
  if (checked_at != changes) {
    checked_at = changes;
    check_shape(*this);
  }
  pg_call([&] { SPI_keepplan(made); });
  plans_.emplace(text, made);
  return made;
}

const HeapLayout& Ledger::heap_layout() {
  if (heap_layout_ == nullptr) {
    HeapLayout layout;
    pg_call([&] { layout = read_heap_layout(*this); });
    heap_layout_ = std::make_shared<const HeapLayout>(layout);
  }
  return *heap_layout_;
}

Ledger::~Ledger() {
  for (auto& [text, kept] : plans_) SPI_freeplan(kept);
}

void Ledger::remember(std::unique_ptr<Account> account) {
  if (accounts_by_id_.count(account->id) != 0) return;
  accounts_unsure = true;
  unsure_.push_back(account->id);
  accounts_by_code_[account->code] = account.get();
  accounts_by_id_[account->id] = std::move(account);
}

}  // namespace ledgerflow
