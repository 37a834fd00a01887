// What a session remembers of the ledgers that it uses: relations, owner, kept plans, accounts. And the
// two scopes in which the engine works: as the owner of the ledger, and with the guards told to let it by.
#pragma once

#include <memory>

#include "ext/boundary.hpp"

namespace ledgerflow {

enum class Table : unsigned char {
  settings,
  currencies,
  account_types,
  accounts,
  account_balances,
  transactions,
  entries,
  idempotency_keys,
  transaction_history,
  account_history,
  holds,
  hold_lines,
  period_history,
  dated_entries,
  effective_days,
  verifications,
  seals,
  seal_blocks,
};
inline constexpr std::size_t table_count = 18;
inline constexpr std::size_t first_table_count =
    10;  // those of the first version: every ledger has them
inline constexpr int format_version = 2;

const char* table_name(Table table);

// The text with every occurrence of the placeholder replaced: statements name their ledger `{ledger}`.
std::string replaced(std::string text, std::string_view placeholder, std::string_view value);

// How postings write: ledgerflow.store.
enum class StoreSetting : int { automatic, heap, spi };
StoreSetting store_setting();

// Milliseconds between two messages of a long run: ledgerflow.progress; -1 is none.
int progress_interval();

struct HeapLayout;
struct AccountLayout;

class Ledger {
 public:
  Ledger(Oid schema_oid, std::string plain_name, std::string quoted_name)
      : schema(schema_oid), name(std::move(plain_name)), prefix(std::move(quoted_name)) {}
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  const Oid schema;
  const std::string name;
  const std::string prefix;  // the quoted name, for statements
  Oid owner = InvalidOid;
  int format = 0;
  Oid relations[table_count] = {};
  bool stale = false;            // its tables may have changed: look again at the next call
  std::uint64_t shape = 0;       // what check_shape found
  std::uint64_t checked_at = 0;  // and how many changes the session had heard of when it looked
  std::uint64_t last_call = 0;   // of the session's, that used it

  Oid relation(Table table) const { return relations[static_cast<std::size_t>(table)]; }

  // Reads the accounts of these codes or ids, as far as there are any, in one go. As the current user,
  // inside an SPI connection.
  void load_accounts(const std::vector<std::string_view>& codes);
  void load_accounts(const std::vector<std::int64_t>& ids);
  // One account, or the error that there is none. It stays good as long as the caller keeps the ledger.
  const Account& find_account(std::string_view code);
  const Account& find_account(std::int64_t id);

  // A kept plan of this statement. The text is a constant, known by its address; `{ledger}` in it stands
  // for the quoted schema. Planned once, unless the options ask for a plan of its own for each run.
  SPIPlanPtr plan(const char* text, int parameters, const Oid* types, int cursor_options = 0);

  // Whether and how its tables can be written without SQL.
  const HeapLayout& heap_layout();
  // The tables have changed; while nothing is being read.
  void forget_layouts() {
    heap_layout_.reset();
    account_layout_.reset();
  }

  // Accounts that were read in a transaction may have been made in it: they are forgotten when it, or a
  // part of it, rolls back. Only while no call uses the ledger.
  void keep_accounts() { unsure_.clear(); }
  void forget_unsure_accounts();
  void forget_accounts();
  std::size_t accounts() const { return accounts_by_id_.size(); }
  bool rolled_back = false;

 private:
  enum class AccountKey { id, code };
  void read_accounts(AccountKey by, const std::vector<Datum>& keys);
  // False when it takes SQL.
  bool read_plain_accounts(AccountKey by, const std::vector<Datum>& keys);
  void remember(std::unique_ptr<Account> account);

  std::unordered_map<std::string_view, const Account*> accounts_by_code_;
  std::unordered_map<std::int64_t, std::unique_ptr<Account>> accounts_by_id_;
  std::vector<std::int64_t> unsure_;
  std::unordered_map<const char*, SPIPlanPtr> plans_;
  std::shared_ptr<const HeapLayout> heap_layout_;
  std::shared_ptr<const AccountLayout> account_layout_;
};

// Refuses a ledger whose columns are not of the types that its values are taken for; a hash of what they are.
std::uint64_t check_shape(const Ledger& ledger);

// A call keeps the ledger that it works on, whatever invalidations come in the meantime.
using LedgerPtr = std::shared_ptr<Ledger>;

// The ledger of this name, of this format or an older one: as far as the first version's tables, and not
// remembered. For ledger_upgrade(), inside an SPI connection.
LedgerPtr ledger_to_upgrade(const char* name);
// The ledger of this schema, read anew if anything about it has changed.
LedgerPtr remembered_ledger(Oid schema);

// Registers settings and callbacks; called once, from _PG_init.
void start_session();

// The quoted schema of the extension, to which the called function belongs.
std::string extension_schema(FunctionCallInfo fcinfo);

// Whether this user is a superuser and the owner of the ledger is none: then the owner may have put code in
// the ledger's way (a trigger, a view, an index) that waits for more rights than the owner has.
bool is_exposed(const Ledger& ledger, Oid user);

// Acts as the owner of the ledger, the way the checks of foreign keys do: the caller needs the capability
// to post and no privilege on balances or entries. For a superuser who might be waited for it is as in
// VACUUM and REINDEX: nothing that the owner's code does in the session outlasts it.
class AsOwner {
 public:
  explicit AsOwner(const Ledger& ledger) {
    GetUserIdAndSecContext(&caller_, &context_);
    int context = context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS;
    if (is_exposed(ledger, caller_)) {
      context |= SECURITY_RESTRICTED_OPERATION;
      settings_ = NewGUCNestLevel();
    }
    SetUserIdAndSecContext(ledger.owner, context);
  }
  ~AsOwner() {
    if (settings_ != 0) AtEOXact_GUC(false, settings_);
    SetUserIdAndSecContext(caller_, context_);
  }
  AsOwner(const AsOwner&) = delete;
  AsOwner& operator=(const AsOwner&) = delete;

 private:
  Oid caller_ = InvalidOid;
  int context_ = 0;
  int settings_ = 0;  // nesting level of those that go with it; 0: none
};

// While it lives, the guards on the tables know that the engine writes, and only for its own statements:
// not for those of a user's trigger that such a statement fires.
class EngineWrites {
 public:
  EngineWrites();
  ~EngineWrites();
  EngineWrites(const EngineWrites&) = delete;
  EngineWrites& operator=(const EngineWrites&) = delete;

 private:
  int outer_;
};

// How many trigger functions are being called, one inside the other.
int trigger_depth();

// 40001. Raises.
[[noreturn]] void refuse_changed_tables();
// An account has no row of totals: to an old snapshot because ALTER TABLE has written the table anew. Raises.
[[noreturn]] void refuse_missing_balance();

// Asked by a trigger function (`in_trigger`), or by the WHEN condition of a trigger.
bool engine_writes(bool in_trigger);

// Runs a kept plan. `nulls` as in SPI; the expected result code is checked.
void execute(SPIPlanPtr plan, int expected, const Datum* values, const char* nulls = nullptr);

// What a request names accounts by.
enum class Names { codes, ids };

// One call of an SQL function on a ledger: an SPI connection and the ledger itself.
class Call {
 public:
  // A call that reads, with the caller's own privileges.
  explicit Call(const char* ledger_name);
  // A call that writes: refused in a read-only transaction, on a standby, and to a caller who lacks the
  // privilege on the table.
  Call(const char* function, const char* ledger_name, Table table, AclMode privilege);
  // The same for the ledger of a schema, whose view a trigger was fired for.
  Call(const char* function, Oid schema, Table table, AclMode privilege);
  // A trigger of one of the ledger's tables.
  explicit Call(Oid schema);

  Ledger& ledger() { return *ledger_; }
  Oid caller() const { return caller_; }

  // The caller names accounts by what they are part of, or by id: refusals tell their codes to readers only.
  void hide_codes() { hides_codes_ = true; }

  // Runs `body` as the owner of the ledger. Refusals keep their figures only for callers who may read.
  template <typename Body>
  auto as_owner(Body&& body) -> decltype(body()) {
    std::optional<Refusal> refusal;
    {
      const AsOwner owner(*ledger_);
      try {
        return body();
      } catch (const Error& error) {
        refusal = error.refusal();
      } catch (const PgError& error) {
        hide_row(error);
        throw;
      }
    }
    throw_refusal(std::move(*refusal));
  }

  // The account of this code, for a caller who may read accounts: that the session remembers it must not
  // show it to others.
  const Account& account_to_read(const std::optional<std::string_view>& code);

  // Locks tables for writing; afterwards the ledger is known as they are now.
  void lock_tables(std::initializer_list<Table> tables);

  // Makes a snapshot active in which every table of the ledger can be read whole, whoever alters them: to one
  // from before, a table that ALTER TABLE has written anew is empty. Where the transaction has one snapshot
  // from beginning to end, it is refused if that happened since. Up to the caller to pop.
  void push_whole_snapshot();

  // Closes the SPI connection; after an error PostgreSQL does.
  void finish();

 private:
  template <typename Open>
  Call(const char* function, const Open& open, Table table, AclMode privilege);

  void keep_tables();
  [[noreturn]] void throw_refusal(Refusal refusal);
  void hide_row(const PgError& error) const;
  void protect();

  LedgerPtr ledger_;
  Oid caller_ = InvalidOid;
  bool hides_codes_ = false;
  std::optional<AsOwner> protection_;  // of a superuser, for the whole call
};

}  // namespace ledgerflow
