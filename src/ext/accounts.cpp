// Accounts: opening, limits, freezing, closing.
#include "ext/accounts.hpp"

#include "ext/spi_rows.hpp"
#include "ext/spi_store.hpp"

namespace ledgerflow {

namespace {

constexpr const char* find_currency_query =
    "SELECT scale FROM {ledger}.currencies WHERE code OPERATOR(pg_catalog.=) $1";
constexpr const char* find_type_query =
    "SELECT min_balance, max_balance FROM {ledger}.account_types "
    "WHERE code OPERATOR(pg_catalog.=) $1";
constexpr const char* insert_account_statement =
    "INSERT INTO {ledger}.accounts (code, type, currency, name, metadata) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (code) DO NOTHING";
constexpr const char* insert_balance_statement =
    "INSERT INTO {ledger}.account_balances (account_id, debits_posted, credits_posted, "
    "debits_pending, credits_pending, min_balance, max_balance) VALUES ($1, $2, $2, $2, $2, $3, "
    "$4)";
constexpr const char* find_attributes_query =
    "SELECT a.name, a.metadata, b.min_balance, b.max_balance FROM {ledger}.accounts a "
    "JOIN {ledger}.account_balances b ON b.account_id OPERATOR(pg_catalog.=) a.id "
    "AND b.stripe OPERATOR(pg_catalog.=) 0 WHERE a.id OPERATOR(pg_catalog.=) $1";
constexpr const char* insert_history_statement =
    "INSERT INTO {ledger}.account_history (account_id, changed_by, change, from_value, to_value, "
    "reason) VALUES ($1, $2, $3, $4, $5, $6)";

// One row of a look-up, its values copied into the call's memory; false when there is none.
bool look_up(Ledger& ledger, const char* query, Oid type, Datum parameter, int columns,
             std::optional<Datum>* values) {
  SPIPlanPtr plan = ledger.plan(query, 1, &type);
  return pg_call([&] {
    execute(plan, SPI_OK_SELECT, &parameter);
    if (SPI_processed == 0) return false;
    for (int column = 0; column < columns; ++column) {
      bool is_null = false;
      const Datum value =
          SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column + 1, &is_null);
      values[column] = std::nullopt;
      if (is_null) continue;
      const auto* attribute = TupleDescAttr(SPI_tuptable->tupdesc, column);
      values[column] = attribute->attlen == -1 ? PointerGetDatum(PG_DETOAST_DATUM(value)) : value;
    }
    return true;
  });
}

std::optional<Units> limit_of(const std::optional<Datum>& numeric, const char* which,
                              const Account& account) {
  if (!numeric) return std::nullopt;
  return limit_units(*numeric, which, account);
}

Limits limits_of_type(Ledger& ledger, std::string_view type) {
  const Datum parameter = pg_call([&] { return new_text(type); });
  std::optional<Datum> values[2];
  if (!look_up(ledger, find_type_query, TEXTOID, parameter, 2, values))
    throw Error(Condition::account_type_not_found,
                "account type " + quoted(type) + " does not exist",
                "There is none in ledger " + quoted(ledger.name) + ".");
  return {values[0], values[1]};
}

void insert_balance(Ledger& ledger, const Account& account, const Limits& limits) {
  Balance balance;
  balance.account = &account;
  balance.min_balance = limit_of(limits.min_balance, "min_balance", account);
  balance.max_balance = limit_of(limits.max_balance, "max_balance", account);
  // A new account must keep its limits like any other.
  if (auto refusal = check_new_limits(balance)) throw Error(std::move(*refusal));
  static constexpr Oid types[] = {INT8OID, NUMERICOID, NUMERICOID, NUMERICOID};
  SPIPlanPtr plan = ledger.plan(insert_balance_statement, 4, types);
  const EngineWrites engine_writes;
  pg_call([&] {
    const auto limit = [&](const std::optional<Units>& units) {
      return units ? numeric_from_units(*units, account.scale) : Datum{0};
    };
    const Datum values[] = {Int64GetDatum(account.id), numeric_from_units(0, account.scale),
                            limit(balance.min_balance), limit(balance.max_balance)};
    const char nulls[] = {' ', ' ', null_flag(!balance.min_balance),
                          null_flag(!balance.max_balance), '\0'};
    execute(plan, SPI_OK_INSERT, values, nulls);
  });
}

// Inserts the account unless its code is there; true when it was inserted.
bool insert_account(Ledger& ledger, const OpenRequest& request) {
  static constexpr Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID};
  SPIPlanPtr plan = ledger.plan(insert_account_statement, 5, types);
  const EngineWrites engine_writes;
  return pg_call([&] {
    const Datum values[] = {
        new_text(*request.code), new_text(*request.type), new_text(*request.currency),
        request.name ? new_text(*request.name) : Datum{0},
        request.metadata ? PointerGetDatum(request.metadata->data()) : Datum{0}};
    const char nulls[] = {' ', ' ', ' ', null_flag(!request.name), null_flag(!request.metadata),
                          '\0'};
    execute(plan, SPI_OK_INSERT, values, nulls);
    return SPI_processed == 1;
  });
}

// The first attribute in which the request differs from the account that is open.
void compare_with_open(Ledger& ledger, SpiStore& store, const Account& account,
                       const OpenRequest& request, const Limits& wanted) {
  const auto refuse = [&](const char* field, const std::string& has, const std::string& sent) {
    throw Error(Condition::account_exists,
                "account " + quoted(account.code) + " is open already with another " + field,
                std::string("It has ") + field + " " + has + "; sent: " + sent + ".");
  };
  if (account.type != *request.type) refuse("type", quoted(account.type), quoted(*request.type));
  if (account.currency != *request.currency)
    refuse("currency", quoted(account.currency), quoted(*request.currency));

  std::optional<Datum> values[4];
  if (!look_up(ledger, find_attributes_query, INT8OID, Int64GetDatum(account.id), 4, values))
    throw Error(Condition::account_not_found,
                "account " + quoted(account.code) + " does not exist");
  const auto text_or_none = [](const auto& text) {
    return text ? quoted(*text) : std::string("none");
  };
  std::optional<std::string_view> name;
  if (values[0]) name = view_of(*values[0]);
  if (name != request.name) refuse("name", text_or_none(name), text_or_none(request.name));

  std::optional<std::string_view> metadata;
  if (values[1])
    metadata = std::string_view(DatumGetPointer(*values[1]), VARSIZE(DatumGetPointer(*values[1])));
  const auto json_or_none = [&](const auto& json) {
    return json ? store.show_json(*json) : std::string("none");
  };
  if (metadata.has_value() != request.metadata.has_value() ||
      (metadata && !store.same_json(*metadata, *request.metadata)))
    refuse("metadata", json_or_none(metadata), json_or_none(request.metadata));

  const auto compare_limit = [&](const char* field, const std::optional<Datum>& has,
                                 const std::optional<Datum>& sent) {
    const std::optional<Units> stored = limit_of(has, field, account);
    const std::optional<Units> given = limit_of(sent, field, account);
    const auto shown = [&](const std::optional<Units>& units) {
      return units ? money(*units, account) : std::string("none");
    };
    if (stored != given) refuse(field, shown(stored), shown(given));
  };
  compare_limit("min_balance", values[2], wanted.min_balance);
  compare_limit("max_balance", values[3], wanted.max_balance);
}

void write_history(Call& call, const Account& account, const char* change, const std::string& from,
                   const std::string& to, const std::optional<std::string_view>& reason) {
  static constexpr Oid types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
  SPIPlanPtr plan = call.ledger().plan(insert_history_statement, 6, types);
  const EngineWrites engine_writes;
  pg_call([&] {
    const Datum values[] = {Int64GetDatum(account.id),
                            CStringGetTextDatum(GetUserNameFromId(call.caller(), false)),
                            CStringGetTextDatum(change),
                            new_text(from),
                            new_text(to),
                            reason ? new_text(*reason) : Datum{0}};
    const char nulls[] = {' ', ' ', ' ', ' ', ' ', null_flag(!reason), '\0'};
    execute(plan, SPI_OK_INSERT, values, nulls);
  });
}

// Locks an account's balance row, lets `change` alter its rules and records what became of them.
template <typename Change>
Datum change_account(const char* function, const std::optional<std::string_view>& code,
                     const std::optional<std::string_view>& reason, const char* ledger_name,
                     Change&& change) {
  Call call(function, ledger_name, Table::account_balances, ACL_UPDATE);
  call.as_owner([&] {
    if (!code) throw Error(Condition::invalid_account_code, "account must not be NULL");
    if (reason && reason->size() > max_text_length)
      throw Error(Condition::invalid_description, "reason is too long");
    const Account& account = call.ledger().find_account(*code);
    SpiStore store(call.ledger(), call.caller());
    std::vector<Balance> balances(1);
    balances[0].account = &account;
    store.lock_balances(balances);
    const Balance before = balances[0];
    Balance& after = balances[0];
    change(account, after);

    const auto limit = [&](const std::optional<Units>& units) {
      return units ? money(*units, account) : std::string("none");
    };
    const auto record = [&](const char* what, const std::string& from, const std::string& to) {
      if (from != to) write_history(call, account, what, from, to, reason);
      return from != to;
    };
    bool changed = record("status", to_string(before.status), to_string(after.status));
    changed = record("min_balance", limit(before.min_balance), limit(after.min_balance)) || changed;
    changed = record("max_balance", limit(before.max_balance), limit(after.max_balance)) || changed;
    if (changed) store.write_rules(after);
  });
  call.finish();
  return Datum{0};
}

void refuse_closed(const Account& account, const Balance& balance) {
  if (balance.status == Status::closed)
    throw Error(Condition::account_closed, "account " + quoted(account.code) + " is closed");
}

constexpr bool blocks_debits(Status status) {
  return status == Status::debits_frozen || status == Status::frozen;
}
constexpr bool blocks_credits(Status status) {
  return status == Status::credits_frozen || status == Status::frozen;
}
constexpr Status frozen_status(bool debits, bool credits) {
  if (debits && credits) return Status::frozen;
  if (debits) return Status::debits_frozen;
  return credits ? Status::credits_frozen : Status::open;
}

struct Direction {
  bool debits;
  bool credits;
};

Direction direction_of(const std::optional<std::string_view>& text) {
  if (text == "both") return {true, true};
  if (text == "debit") return {true, false};
  if (text == "credit") return {false, true};
  throw Error(Condition::invalid_argument,
              "direction " + (text ? quoted(*text) : std::string("NULL")) + " is unknown", {},
              "Use 'both', 'debit' or 'credit'.");
}

}  // namespace

void check_open_request(const OpenRequest& request) {
  if (!request.code) throw Error(Condition::invalid_account_code, "account code must not be NULL");
  if (!is_account_code(*request.code))
    throw Error(Condition::invalid_account_code, "invalid account code " + quoted(*request.code));
  if (!request.type)
    throw Error(Condition::account_type_not_found, "account type must not be NULL");
  if (!request.currency) throw Error(Condition::currency_not_found, "currency must not be NULL");
  if (request.name && request.name->size() > max_text_length)
    throw Error(Condition::invalid_description, "name is too long");
  if (request.metadata) check_account_metadata(*request.metadata);
}

std::int64_t open_account(Call& call, const OpenRequest& request) {
  Ledger& ledger = call.ledger();
  const Datum currency = pg_call([&] { return new_text(*request.currency); });
  std::optional<Datum> scale;
  if (!look_up(ledger, find_currency_query, TEXTOID, currency, 1, &scale))
    throw Error(Condition::currency_not_found,
                "currency " + quoted(*request.currency) + " does not exist",
                "There is none in ledger " + quoted(ledger.name) + ".");
  Limits limits = limits_of_type(ledger, *request.type);
  if (request.limits.min_balance) limits.min_balance = request.limits.min_balance;
  if (request.limits.max_balance) limits.max_balance = request.limits.max_balance;

  const bool inserted = insert_account(ledger, request);
  const Account& account = ledger.find_account(*request.code);
  SpiStore store(ledger, call.caller());
  if (inserted)
    insert_balance(ledger, account, limits);
  else
    compare_with_open(ledger, store, account, request, limits);
  return account.id;
}

void check_account_metadata(std::string_view json) {
  if (!is_json_object(json))
    throw Error(Condition::invalid_metadata, "metadata must be a JSON object");
  if (json.size() > max_metadata_length)
    throw Error(Condition::invalid_metadata, "metadata is too long");
}

void insert_balance_of_type(Ledger& ledger, const Account& account) {
  insert_balance(ledger, account, limits_of_type(ledger, account.type));
}

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_open_account);
PGDLLEXPORT Datum ledgerflow_open_account(PG_FUNCTION_ARGS) {
  return guarded([&] {
    OpenRequest request;
    request.code = text_argument(fcinfo, 0);
    request.type = text_argument(fcinfo, 1);
    request.currency = text_argument(fcinfo, 2);
    request.name = text_argument(fcinfo, 3);
    request.limits.min_balance = numeric_argument(fcinfo, 4);
    request.limits.max_balance = numeric_argument(fcinfo, 5);
    request.metadata = json_argument(fcinfo, 6);
    Call call("ledger_open_account()", name_argument(fcinfo, 7), Table::accounts, ACL_INSERT);
    check_open_request(request);
    const std::int64_t id = call.as_owner([&] { return open_account(call, request); });
    call.finish();
    return Int64GetDatum(id);
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_set_limits);
PGDLLEXPORT Datum ledgerflow_set_limits(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto code = text_argument(fcinfo, 0);
    const auto min_balance = numeric_argument(fcinfo, 1);
    const auto max_balance = numeric_argument(fcinfo, 2);
    const auto reason = text_argument(fcinfo, 3);
    return change_account("ledger_set_limits()", code, reason, name_argument(fcinfo, 4),
                          [&](const Account& account, Balance& balance) {
                            balance.min_balance = limit_of(min_balance, "min_balance", account);
                            balance.max_balance = limit_of(max_balance, "max_balance", account);
                            if (auto refusal = check_new_limits(balance))
                              throw Error(std::move(*refusal));
                          });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_freeze_account);
PGDLLEXPORT Datum ledgerflow_freeze_account(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto code = text_argument(fcinfo, 0);
    const Direction direction = direction_of(text_argument(fcinfo, 1));
    const auto reason = text_argument(fcinfo, 2);
    return change_account("ledger_freeze_account()", code, reason, name_argument(fcinfo, 3),
                          [&](const Account& account, Balance& balance) {
                            refuse_closed(account, balance);
                            balance.status =
                                frozen_status(blocks_debits(balance.status) || direction.debits,
                                              blocks_credits(balance.status) || direction.credits);
                          });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_unfreeze_account);
PGDLLEXPORT Datum ledgerflow_unfreeze_account(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto code = text_argument(fcinfo, 0);
    const Direction direction = direction_of(text_argument(fcinfo, 1));
    const auto reason = text_argument(fcinfo, 2);
    return change_account("ledger_unfreeze_account()", code, reason, name_argument(fcinfo, 3),
                          [&](const Account& account, Balance& balance) {
                            refuse_closed(account, balance);
                            balance.status =
                                frozen_status(blocks_debits(balance.status) && !direction.debits,
                                              blocks_credits(balance.status) && !direction.credits);
                          });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_close_account);
PGDLLEXPORT Datum ledgerflow_close_account(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto code = text_argument(fcinfo, 0);
    const auto reason = text_argument(fcinfo, 1);
    return change_account(
        "ledger_close_account()", code, reason, name_argument(fcinfo, 2),
        [&](const Account& account, Balance& balance) {
          if (net_debit(balance) != 0 || balance.debits_pending != 0 ||
              balance.credits_pending != 0)
            throw Error(Condition::account_not_empty,
                        "account " + quoted(account.code) + " is not empty",
                        "Balance " + money(posted_balance(balance), account) + ", pending debits " +
                            money(balance.debits_pending, account) + ", pending credits " +
                            money(balance.credits_pending, account) + ".");
          balance.status = Status::closed;
        });
  });
}

PG_FUNCTION_INFO_V1(ledgerflow_reopen_account);
PGDLLEXPORT Datum ledgerflow_reopen_account(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto code = text_argument(fcinfo, 0);
    const auto reason = text_argument(fcinfo, 1);
    return change_account("ledger_reopen_account()", code, reason, name_argument(fcinfo, 2),
                          [&](const Account& account, Balance& balance) {
                            if (balance.status != Status::closed)
                              throw Error(
                                  Condition::account_not_closed,
                                  "account " + quoted(account.code) + " is not closed",
                                  std::string("Its status is ") + to_string(balance.status) + ".");
                            balance.status = Status::open;
                          });
  });
}

}  // extern "C"

}  // namespace ledgerflow
