// Client: batches.
#include "batches.hpp"

#include "calls.hpp"
#include "key.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

namespace {

#define BATCH_SQL                                                                    \
  "SELECT item, transaction_id, status FROM {ext}.ledger_post_batch(debit => $3, "   \
  "credit => $4, amount => $5, idempotency_key => $6, mode => $2, reference => $7, " \
  "description => $8, effective_at => $9, metadata => $10::pg_catalog.jsonb[], "     \
  "linked => $11, ledger => $1)"

// One argument of all items. Where no item has a value, the whole column is left out.
template <typename Item, typename Value, typename Add>
void add_column(Parameters& parameters, const std::vector<Item>& items, unsigned element_type,
                std::optional<Value> BatchItemOptions::*member, Add add) {
  bool any = false;
  for (const Item& item : items) any = any || (item.*member).has_value();
  if (!any) return parameters.add_null();
  Array column(element_type, items.size());
  for (const Item& item : items) {
    if (const auto& value = item.*member)
      add(column, *value);
    else
      column.add_null();
  }
  parameters.add_array(std::move(column));
}

void add_account(Array& column, const std::string& code) { column.add_text(code); }
void add_account(Array& column, std::int64_t id) { column.add_bigint(id); }

template <typename Item>
void add_items(Parameters& parameters, const std::vector<Item>& items,
               const std::optional<std::string>& ledger, BatchMode mode, unsigned account_type) {
  const auto text = [](Array& column, const std::string& value) { column.add_text(value); };
  Array debits(account_type, items.size());
  Array credits(account_type, items.size());
  Array amounts(type::numeric, items.size());
  bool any_linked = false;
  for (const Item& item : items) {
    add_account(debits, item.debit);
    add_account(credits, item.credit);
    amounts.add_numeric(item.amount);
    any_linked = any_linked || item.linked;
  }
  parameters.add_text(ledger);
  parameters.add_text(mode == BatchMode::each ? "each" : "atomic");
  parameters.add_array(std::move(debits));
  parameters.add_array(std::move(credits));
  parameters.add_array(std::move(amounts));
  add_column(parameters, items, type::text, &BatchItemOptions::idempotency_key, text);
  add_column(parameters, items, type::text, &BatchItemOptions::reference, text);
  add_column(parameters, items, type::text, &BatchItemOptions::description, text);
  add_column(parameters, items, type::timestamptz, &BatchItemOptions::effective_at,
             [](Array& column, Timestamp value) { column.add_timestamp(value); });
  add_column(parameters, items, type::text, &BatchItemOptions::metadata, text);
  if (!any_linked) return parameters.add_null();
  Array linked(type::boolean, items.size());
  for (const Item& item : items) linked.add_boolean(item.linked);
  parameters.add_array(std::move(linked));
}

// Where the call can be repeated, every item needs a key.
template <typename Item>
std::vector<BatchResult> post_items(Channel& channel, const Statement& statement,
                                    const std::vector<Item>& given, const BatchOptions& options) {
  const bool make_keys = channel.makes_keys();
  std::vector<Item> keyed;
  bool complete = true;
  for (const Item& item : given) complete = complete && item.idempotency_key.has_value();
  if (!complete && make_keys) {
    keyed = given;
    for (Item& item : keyed)
      if (!item.idempotency_key) item.idempotency_key = new_key();
  }
  const std::vector<Item>& items = keyed.empty() ? given : keyed;
  Parameters parameters;
  add_batch(parameters, items, options.ledger, options.mode);
  const Repeat repeat = complete || make_keys ? Repeat::yes : Repeat::no;
  return batch_results(channel.run(statement, parameters, repeat), items.size());
}

BatchResult batch_result(const Result& result, int row) {
  if (result.integer(row, 0) != row + 1) raise_protocol("the items of a batch are out of order");
  BatchResult item;
  item.status_text = result.text(row, 2);
  if (result.is_null(row, 1)) {
    item.status = BatchResult::Status::refused;
    item.condition = condition_from_name(item.status_text);
    return item;
  }
  item.transaction = result.id(row, 1);
  item.status =
      item.status_text == "replayed" ? BatchResult::Status::replayed : BatchResult::Status::posted;
  return item;
}

}  // namespace

const Statement post_batch_sql{
    "ledgerflow_post_batch",
    BATCH_SQL,
    {type::name, type::text, type::text_array, type::text_array, type::numeric_array,
     type::text_array, type::text_array, type::text_array, type::timestamptz_array,
     type::text_array, type::boolean_array},
    3};

const Statement post_batch_by_id_sql{
    "ledgerflow_post_batch_by_id",
    BATCH_SQL,
    {type::name, type::text, type::bigint_array, type::bigint_array, type::numeric_array,
     type::text_array, type::text_array, type::text_array, type::timestamptz_array,
     type::text_array, type::boolean_array},
    3};

void add_batch(Parameters& parameters, const std::vector<BatchItem>& items,
               const std::optional<std::string>& ledger, BatchMode mode) {
  add_items(parameters, items, ledger, mode, type::text);
}

void add_batch(Parameters& parameters, const std::vector<BatchItemById>& items,
               const std::optional<std::string>& ledger, BatchMode mode) {
  add_items(parameters, items, ledger, mode, type::bigint);
}

std::vector<BatchResult> batch_results(const Result& result, std::size_t sent) {
  if (static_cast<std::size_t>(result.rows()) != sent)
    raise_protocol("a batch of " + std::to_string(sent) + " items was answered with " +
                   std::to_string(result.rows()));
  return rows_of(result, batch_result);
}

std::vector<BatchResult> Client::post_batch(const std::vector<BatchItem>& items,
                                            const BatchOptions& options) {
  return post_items(channel(), post_batch_sql, items, options);
}

std::vector<BatchResult> Client::post_batch(const std::vector<BatchItemById>& items,
                                            const BatchOptions& options) {
  return post_items(channel(), post_batch_by_id_sql, items, options);
}

}  // namespace ledgerflow::client
