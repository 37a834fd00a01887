// Client: statements, searches, and balances at a time.
#include "calls.hpp"

namespace ledgerflow::client {

namespace {

constexpr Statement balance_at_sql{
    "ledgerflow_balance_at",
    "SELECT {ext}.ledger_balance_at(account => $1, at => $2, by => $3, ledger => $4)",
    {type::text, type::timestamptz, type::text, type::name}};

constexpr Statement statement_sql{
    "ledgerflow_statement",
    "SELECT posted_at, effective_at, transaction_id, line, reference, description, "
    "counter_accounts, debit, credit, balance, metadata::pg_catalog.text, cursor"
    " FROM {ext}.ledger_statement(account => $1, \"from\" => $2, \"to\" => $3, after => $4, "
    "\"limit\" => $5, newest_first => $6, ledger => $7)",
    {type::text, type::timestamptz, type::timestamptz, type::text, type::integer, type::boolean,
     type::name},
    12};

constexpr Statement find_sql{
    "ledgerflow_find_transactions",
    "SELECT transaction_id, posted_at, effective_at, type, reference, description, amount, "
    "currency, accounts, status, reverses, hold, metadata::pg_catalog.text, created_by, cursor"
    " FROM {ext}.ledger_find_transactions(posted_from => $1, posted_to => $2, "
    "effective_from => $3, effective_to => $4, account => $5, status => $6, reference => $7, "
    "reference_prefix => $8, min_amount => $9, max_amount => $10, "
    "metadata => $11::pg_catalog.jsonb, type => $12, created_by => $13, after => $14, "
    "\"limit\" => $15, ledger => $16)",
    {type::timestamptz, type::timestamptz, type::timestamptz, type::timestamptz, type::text,
     type::text, type::text, type::text, type::numeric, type::numeric, type::text, type::text,
     type::text, type::text, type::integer, type::name},
    15};

StatementLine statement_line(const Result& result, int row) {
  StatementLine line;
  line.posted_at = result.timestamp(row, 0);
  line.effective_at = result.timestamp(row, 1);
  line.transaction = result.id(row, 2);
  line.line = result.integer(row, 3);
  line.reference = result.optional_text(row, 4);
  line.description = result.optional_text(row, 5);
  line.counter_accounts = result.texts(row, 6);
  line.debit = result.optional_amount(row, 7);
  line.credit = result.optional_amount(row, 8);
  line.balance = result.amount(row, 9);
  line.metadata = result.optional_text(row, 10);
  line.cursor = result.text(row, 11);
  return line;
}

Page<StatementLine> statement_page(Channel& channel, const std::string& account,
                                   const StatementOptions& options,
                                   const std::optional<std::string>& cursor) {
  Parameters parameters;
  parameters.add_text(std::string_view(account));
  parameters.add_timestamp(options.from);
  parameters.add_timestamp(options.to);
  parameters.add_text(cursor ? cursor : options.after);
  parameters.add_integer(options.page_size);
  parameters.add_boolean(options.newest_first);
  parameters.add_text(options.ledger);
  const Result result = channel.run(statement_sql, parameters, Repeat::yes);
  Page<StatementLine> page{rows_of(result, statement_line), {}};
  // A page that is shorter than its limit is the last one.
  if (result.rows() == options.page_size) page.next = page.items.back().cursor;
  return page;
}

FoundTransaction found_transaction(const Result& result, int row) {
  FoundTransaction found;
  found.id = result.id(row, 0);
  found.posted_at = result.timestamp(row, 1);
  found.effective_at = result.timestamp(row, 2);
  found.type = result.optional_text(row, 3);
  found.reference = result.optional_text(row, 4);
  found.description = result.optional_text(row, 5);
  found.amount = result.optional_amount(row, 6);
  found.currency = result.optional_text(row, 7);
  found.accounts = result.texts(row, 8);
  found.status = result.text(row, 9);
  found.reverses = result.optional_id(row, 10);
  found.hold = result.optional_id(row, 11);
  found.metadata = result.optional_text(row, 12);
  found.created_by = result.text(row, 13);
  found.cursor = result.text(row, 14);
  return found;
}

Page<FoundTransaction> search_page(Channel& channel, const TransactionFilter& filter,
                                   const std::optional<std::string>& cursor) {
  Parameters parameters;
  parameters.add_timestamp(filter.posted_from);
  parameters.add_timestamp(filter.posted_to);
  parameters.add_timestamp(filter.effective_from);
  parameters.add_timestamp(filter.effective_to);
  parameters.add_text(filter.account);
  parameters.add_text(filter.status);
  parameters.add_text(filter.reference);
  parameters.add_text(filter.reference_prefix);
  parameters.add_numeric(filter.min_amount);
  parameters.add_numeric(filter.max_amount);
  parameters.add_text(filter.metadata);
  parameters.add_text(filter.type);
  parameters.add_text(filter.created_by);
  parameters.add_text(cursor ? cursor : filter.after);
  parameters.add_integer(filter.page_size);
  parameters.add_text(filter.ledger);
  const Result result = channel.run(find_sql, parameters, Repeat::yes);
  Page<FoundTransaction> page{rows_of(result, found_transaction), {}};
  if (result.rows() == filter.page_size) page.next = page.items.back().cursor;
  return page;
}

}  // namespace

Amount Client::balance_at(std::string_view account, Timestamp at,
                          std::optional<std::string_view> ledger, By by) {
  Parameters parameters;
  parameters.add_text(account);
  parameters.add_timestamp(at);
  parameters.add_text(name_of(by));
  parameters.add_text(ledger);
  return channel().run(balance_at_sql, parameters, Repeat::yes).amount(0, 0);
}

Pages<StatementLine> Client::statement(std::string_view account, const StatementOptions& options) {
  // The range follows the channel, not the client, which may be moved.
  return Pages<StatementLine>([on = &channel(), account = std::string(account),
                               options](const std::optional<std::string>& cursor) {
    return statement_page(*on, account, options, cursor);
  });
}

Pages<FoundTransaction> Client::find_transactions(const TransactionFilter& filter) {
  return Pages<FoundTransaction>(
      [on = &channel(), filter](const std::optional<std::string>& cursor) {
        return search_page(*on, filter, cursor);
      });
}

}  // namespace ledgerflow::client
