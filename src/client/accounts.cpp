// Client: accounts.
#include "calls.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

namespace {

constexpr Statement open_account_sql{
    "ledgerflow_open_account",
    "SELECT {ext}.ledger_open_account(code => $1, type => $2, currency => $3, name => $4, "
    "min_balance => $5, max_balance => $6, metadata => $7::pg_catalog.jsonb, ledger => $8)",
    {type::text, type::text, type::text, type::text, type::numeric, type::numeric, type::text,
     type::name}};

constexpr Statement set_limits_sql{
    "ledgerflow_set_limits",
    "SELECT {ext}.ledger_set_limits(account => $1, min_balance => $2, max_balance => $3, "
    "reason => $4, ledger => $5)",
    {type::text, type::numeric, type::numeric, type::text, type::name}};

constexpr Statement freeze_sql{"ledgerflow_freeze_account",
                               "SELECT {ext}.ledger_freeze_account(account => $1, direction => $2, "
                               "reason => $3, ledger => $4)",
                               {type::text, type::text, type::text, type::name}};

constexpr Statement unfreeze_sql{
    "ledgerflow_unfreeze_account",
    "SELECT {ext}.ledger_unfreeze_account(account => $1, direction => $2, reason => $3, "
    "ledger => $4)",
    {type::text, type::text, type::text, type::name}};

constexpr Statement close_sql{
    "ledgerflow_close_account",
    "SELECT {ext}.ledger_close_account(account => $1, reason => $2, ledger => $3)",
    {type::text, type::text, type::name}};

constexpr Statement reopen_sql{
    "ledgerflow_reopen_account",
    "SELECT {ext}.ledger_reopen_account(account => $1, reason => $2, ledger => $3)",
    {type::text, type::text, type::name}};

constexpr Statement balance_sql{"ledgerflow_balance",
                                "SELECT {ext}.ledger_balance(account => $1, ledger => $2)",
                                {type::text, type::name}};

constexpr Statement available_sql{"ledgerflow_available",
                                  "SELECT {ext}.ledger_available(account => $1, ledger => $2)",
                                  {type::text, type::name}};

constexpr int account_columns = 18;
constexpr char select_accounts[] =
    "SELECT account, type, currency, name, normal_side, balance, available, debits_posted, "
    "credits_posted, debits_pending, credits_pending, min_balance, max_balance, status::text, "
    "version, last_transaction_id, metadata::text, created_at FROM ";

const char* word(Direction direction) {
  switch (direction) {
    case Direction::debit:
      return "debit";
    case Direction::credit:
      return "credit";
    case Direction::both:
      break;
  }
  return "both";
}

void change(Channel& channel, const Statement& statement, std::string_view account,
            const ChangeOptions& options) {
  Parameters parameters;
  parameters.add_text(account);
  parameters.add_text(options.reason);
  parameters.add_text(options.ledger);
  channel.run(statement, parameters, Repeat::no);
}

void change(Channel& channel, const Statement& statement, std::string_view account,
            Direction direction, const ChangeOptions& options) {
  Parameters parameters;
  parameters.add_text(account);
  parameters.add_text(word(direction));
  parameters.add_text(options.reason);
  parameters.add_text(options.ledger);
  channel.run(statement, parameters, Repeat::no);
}

Amount read_amount(Channel& channel, const Statement& statement, std::string_view account,
                   std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(account);
  parameters.add_text(ledger);
  return channel.run(statement, parameters, Repeat::yes).amount(0, 0);
}

Account account_in(const Result& result, int row) {
  Account account;
  account.code = result.text(row, 0);
  account.type = result.text(row, 1);
  account.currency = result.text(row, 2);
  account.name = result.optional_text(row, 3);
  account.normal_side = result.text(row, 4);
  account.balance = result.amount(row, 5);
  account.available = result.amount(row, 6);
  account.debits_posted = result.amount(row, 7);
  account.credits_posted = result.amount(row, 8);
  account.debits_pending = result.amount(row, 9);
  account.credits_pending = result.amount(row, 10);
  account.min_balance = result.optional_amount(row, 11);
  account.max_balance = result.optional_amount(row, 12);
  account.status = result.text(row, 13);
  account.version = result.bigint(row, 14);
  account.last_transaction = result.optional_id(row, 15);
  account.metadata = result.optional_text(row, 16);
  account.created_at = result.timestamp(row, 17);
  return account;
}

// The ledger's own view has it all in one snapshot; `where` belongs to a view whose place is known only
// now, so the statement is not kept.
Result read_accounts(Channel& channel, const std::string& ledger, const std::string& where,
                     const std::vector<unsigned>& types, const Parameters& parameters) {
  try {
    return channel.attempt(Repeat::yes, [&](Session& session) {
      const std::string view = quote_identifier(session.connection(), ledger) + ".balances";
      return session.run(select_accounts + view + where, types, parameters, account_columns);
    });
  } catch (const Error& error) {
    if (error.sqlstate() != sqlstate::undefined_table) throw;
    raise_refused(Condition::ledger_not_found, "there is no ledger \"" + ledger + "\"");
  }
}

}  // namespace

std::int64_t Client::open_account(std::string_view code, std::string_view type,
                                  std::string_view currency, const AccountOptions& options) {
  Parameters parameters;
  parameters.add_text(code);
  parameters.add_text(type);
  parameters.add_text(currency);
  parameters.add_text(options.name);
  parameters.add_numeric(options.min_balance);
  parameters.add_numeric(options.max_balance);
  parameters.add_text(options.metadata);
  parameters.add_text(options.ledger);
  return channel().run(open_account_sql, parameters, Repeat::yes).bigint(0, 0);
}

void Client::set_limits(std::string_view account, const Limits& limits,
                        const ChangeOptions& options) {
  Parameters parameters;
  parameters.add_text(account);
  parameters.add_numeric(limits.min_balance);
  parameters.add_numeric(limits.max_balance);
  parameters.add_text(options.reason);
  parameters.add_text(options.ledger);
  channel().run(set_limits_sql, parameters, Repeat::no);
}

void Client::freeze_account(std::string_view account, Direction direction,
                            const ChangeOptions& options) {
  change(channel(), freeze_sql, account, direction, options);
}

void Client::unfreeze_account(std::string_view account, Direction direction,
                              const ChangeOptions& options) {
  change(channel(), unfreeze_sql, account, direction, options);
}

void Client::close_account(std::string_view account, const ChangeOptions& options) {
  change(channel(), close_sql, account, options);
}

void Client::reopen_account(std::string_view account, const ChangeOptions& options) {
  change(channel(), reopen_sql, account, options);
}

Amount Client::balance(std::string_view account, std::optional<std::string_view> ledger) {
  return read_amount(channel(), balance_sql, account, ledger);
}

Amount Client::available(std::string_view account, std::optional<std::string_view> ledger) {
  return read_amount(channel(), available_sql, account, ledger);
}

Account Client::account(std::string_view code, std::optional<std::string_view> ledger) {
  Parameters parameters;
  parameters.add_text(code);
  const std::string name = ledger_name(ledger);
  const Result result = read_accounts(channel(), name, " WHERE account OPERATOR(pg_catalog.=) $1",
                                      {type::text}, parameters);
  if (result.rows() == 0)
    raise_refused(Condition::account_not_found, "account \"" + std::string(code) +
                                                    "\" does not exist in ledger \"" + name + "\"");
  return account_in(result, 0);
}

Pages<Account> Client::accounts(std::string_view prefix, std::optional<std::string_view> ledger,
                                int page_size) {
  if (page_size < 1)
    raise_refused(Condition::invalid_argument,
                  "a page of " + std::to_string(page_size) + " accounts is not possible");
  // The range follows the channel, not the client, which may be moved.
  Channel* const on = &channel();
  return Pages<Account>([on, name = ledger_name(ledger), prefix = std::string(prefix),
                         page_size](const std::optional<std::string>& after) {
    Parameters parameters;
    parameters.add_text(std::string_view(prefix));
    parameters.add_integer(page_size);
    std::vector<unsigned> types{type::text, type::integer};
    std::string where = " WHERE pg_catalog.starts_with(account, $1)";
    if (after) {
      parameters.add_text(after);
      types.push_back(type::text);
      where += " AND account OPERATOR(pg_catalog.>) $3";
    }
    const Result result =
        read_accounts(*on, name, where + " ORDER BY account LIMIT $2", types, parameters);
    Page<Account> page{rows_of(result, account_in), {}};
    if (result.rows() == page_size) page.next = page.items.back().code;
    return page;
  });
}

}  // namespace ledgerflow::client
