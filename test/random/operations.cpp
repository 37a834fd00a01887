#include "operations.hpp"

namespace ledgerflow::random_test {

namespace {

std::string literal(const Text& text) {
  if (!text) return "NULL";
  std::string result = "'";
  for (const char c : *text) {
    if (c == '\'') result.push_back(c);
    result.push_back(c);
  }
  return result + "'";
}

std::string typed(const Text& text, const char* type) { return literal(text) + "::" + type; }

std::string call(const std::string& function, const std::vector<std::string>& arguments,
                 const Text& ledger) {
  std::string sql = "SELECT " + function + "(";
  for (const std::string& argument : arguments) sql += argument + ", ";
  return ledger ? sql + "ledger => " + literal(ledger) + ")" : sql.substr(0, sql.size() - 2) + ")";
}

std::string time(const std::optional<std::int64_t>& micros) {
  if (!micros) return "NULL";
  if (*micros == infinite_time) return "timestamptz 'infinity'";
  return "timestamptz 'epoch' + interval '" + std::to_string(*micros) + " microseconds'";
}

// "ARRAY[...]::type", its elements made from the items.
template <typename Items, typename Element>
std::string array(const Items& items, const char* type, Element&& element) {
  std::string sql;
  for (const auto& item : items) sql += (sql.empty() ? "" : ", ") + element(item);
  return "ARRAY[" + sql + "]::" + type + "[]";
}

void add_options(std::vector<std::string>& arguments, const Options& options) {
  const auto add = [&](const char* name, const std::string& value) {
    arguments.push_back(std::string(name) + " => " + value);
  };
  if (options.key) add("idempotency_key", literal(options.key));
  if (options.reference) add("reference", literal(options.reference));
  if (options.description) add("description", literal(options.description));
  if (options.effective_at) add("effective_at", time(options.effective_at));
  if (options.metadata) add("metadata", literal(options.metadata));
  if (options.expected_version) add("expected_version", std::to_string(*options.expected_version));
}

std::string values(const std::vector<LineText>& lines) {
  if (lines.empty()) return "(SELECT 0, '', 0.0 WHERE false) AS l (line, account, amount)";
  std::string sql = "(VALUES ";
  for (std::size_t i = 0; i < lines.size(); ++i)
    sql += (i == 0 ? "(" : ", (") + std::to_string(i + 1) + ", " + typed(lines[i].account, "text") +
           ", " + typed(lines[i].amount, "numeric") + ")";
  return sql + ") AS l (line, account, amount)";
}

std::string line_array(const std::vector<LineText>& lines, const char* line) {
  return lines.empty()
             ? "'{}'::ledger_line[]"
             : std::string("ARRAY(SELECT ") + line + " FROM " + values(lines) + " ORDER BY l.line)";
}
constexpr const char* plain_line = "ROW(l.account, l.amount)::ledger_line";

struct Writer {
  const Text& ledger;
  std::size_t depth;
  const IdWriter& id;

  std::string uuid(const Text& name) const { return name ? id(*name) + "::uuid" : "NULL"; }

  std::string operator()(const Open& open) const {
    return call("ledger_open_account",
                {literal(open.code), literal(open.type), literal(open.currency), literal(open.name),
                 typed(open.min_balance, "numeric"), typed(open.max_balance, "numeric"),
                 typed(open.metadata, "jsonb")},
                ledger);
  }
  std::string operator()(const Transfer& transfer) const {
    std::vector<std::string> arguments = {literal(transfer.debit), literal(transfer.credit),
                                          typed(transfer.amount, "numeric")};
    add_options(arguments, transfer.options);
    return call(transfer.by_other_name ? "post_transfer" : "ledger_post", arguments, ledger);
  }
  std::string operator()(const PostLines& post) const {
    const char* line = post.by_helpers
                           ? "CASE WHEN l.amount > 0 THEN ledger_debit(l.account, l.amount) "
                             "ELSE ledger_credit(l.account, -l.amount) END"
                           : plain_line;
    std::vector<std::string> arguments = {line_array(post.lines, line)};
    add_options(arguments, post.options);
    return call("ledger_post", arguments, ledger);
  }
  std::string operator()(const RawPost& post) const {
    return "WITH header AS (INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id) "
           "INSERT INTO ledger.entries (transaction_id, line, account_id, amount) "
           "SELECT h.id, l.line, (SELECT a.id FROM ledger.accounts a WHERE a.code = l.account), "
           "l.amount FROM header h, " +
           values(post.lines) +
           "; SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; SELECT 'raw'";
  }
  std::string operator()(const SetLimits& limits) const {
    return call("ledger_set_limits",
                {literal(limits.account), typed(limits.min_balance, "numeric"),
                 typed(limits.max_balance, "numeric"), literal(limits.reason)},
                ledger);
  }
  std::string operator()(const Freeze& freeze) const {
    return call("ledger_freeze_account", {literal(freeze.account), literal(freeze.direction)},
                ledger);
  }
  std::string operator()(const Unfreeze& unfreeze) const {
    return call("ledger_unfreeze_account", {literal(unfreeze.account), literal(unfreeze.direction)},
                ledger);
  }
  std::string operator()(const Close& close) const {
    return call("ledger_close_account", {literal(close.account)}, ledger);
  }
  std::string operator()(const ReopenAccount& reopen) const {
    return call("ledger_reopen_account", {literal(reopen.account)}, ledger);
  }
  std::string operator()(const PlaceHold& hold) const {
    std::vector<std::string> arguments;
    if (hold.by_lines)
      arguments = {line_array(hold.lines, plain_line)};
    else
      arguments = {literal(hold.lines.at(0).account), literal(hold.lines.at(1).account),
                   typed(hold.lines[0].amount, "numeric")};
    add_options(arguments, hold.options);
    if (hold.expires_in)
      arguments.push_back("expires_in => interval '" + std::to_string(*hold.expires_in) +
                          " microseconds'");
    if (hold.expires_at) arguments.push_back("expires_at => " + time(hold.expires_at));
    return call("ledger_hold", arguments, ledger);
  }
  std::string operator()(const Capture& capture) const {
    std::vector<std::string> arguments = {uuid(capture.hold), typed(capture.amount, "numeric"),
                                          capture.final ? "true" : "false"};
    if (!capture.lines.empty())
      arguments.push_back("lines => " + line_array(capture.lines, plain_line));
    add_options(arguments, capture.options);
    return call("ledger_capture", arguments, ledger);
  }
  std::string operator()(const Release& release) const {
    return call("ledger_release",
                {uuid(release.hold), literal(release.reason), literal(release.key)}, ledger);
  }
  std::string operator()(const Raise& raise) const {
    return call("ledger_raise_hold",
                {uuid(raise.hold), typed(raise.amount, "numeric"),
                 line_array(raise.lines, plain_line), literal(raise.key)},
                ledger);
  }
  std::string operator()(const Reverse& reverse) const {
    const Options& options = reverse.options;
    std::vector<std::string> arguments = {uuid(reverse.transaction), literal(options.description),
                                          typed(reverse.amount, "numeric")};
    if (!reverse.lines.empty())
      arguments.push_back("lines => " + line_array(reverse.lines, plain_line));
    Options others = options;
    others.description.reset();
    add_options(arguments, others);
    if (reverse.force) arguments.push_back("force => true");
    return call("ledger_reverse", arguments, ledger);
  }
  std::string operator()(const PostBatch& batch) const {
    using Item = PostBatch::Item;
    const auto accounts = [&](auto&& code) {
      const std::string codes = array(batch.items, "text", code);
      if (!batch.by_id) return codes;
      return "ARRAY(SELECT (SELECT a.id FROM ledger.accounts a WHERE a.code = u.code) FROM "
             "unnest(" +
             codes + ") WITH ORDINALITY AS u (code, n) ORDER BY u.n)";
    };
    std::vector<Item> amounts = batch.items;
    if (batch.shape == PostBatch::too_few_amounts && !amounts.empty()) amounts.pop_back();
    std::string amount =
        array(amounts, "numeric", [](const Item& item) { return literal(item.amount); });
    if (batch.shape == PostBatch::two_dimensions) amount = "ARRAY[[1, 2], [3, 4]]::numeric[]";
    std::vector<std::string> arguments = {
        accounts([](const Item& item) { return literal(item.debit); }),
        accounts([](const Item& item) { return literal(item.credit); }), amount};
    const auto add = [&](const char* name, const char* type, auto&& element) {
      arguments.push_back(std::string(name) + " => " + array(batch.items, type, element));
    };
    const auto any = [&](auto&& has) {
      for (const Item& item : batch.items)
        if (has(item.options)) return true;
      return false;
    };
    if (any([](const Options& options) { return options.key.has_value(); }))
      add("idempotency_key", "text", [](const Item& item) { return literal(item.options.key); });
    arguments.push_back("mode => " + literal(batch.mode));
    if (any([](const Options& options) { return options.reference.has_value(); }))
      add("reference", "text", [](const Item& item) { return literal(item.options.reference); });
    if (any([](const Options& options) { return options.description.has_value(); }))
      add("description", "text",
          [](const Item& item) { return literal(item.options.description); });
    if (any([](const Options& options) { return options.effective_at.has_value(); }))
      add("effective_at", "timestamptz",
          [](const Item& item) { return time(item.options.effective_at); });
    if (any([](const Options& options) { return options.metadata.has_value(); }))
      add("metadata", "jsonb", [](const Item& item) { return literal(item.options.metadata); });
    if (batch.with_linked)
      add("linked", "boolean",
          [](const Item& item) { return std::string(item.linked ? "true" : "false"); });
    return "SELECT concat_ws(' ', b.status, b.transaction_id) FROM " +
           call("ledger_post_batch", arguments, ledger).substr(7) + " AS b ORDER BY b.item";
  }
  std::string operator()(const ClosePeriod& close) const {
    return call("ledger_close_period", {time(close.through)}, ledger);
  }
  std::string operator()(const ReopenPeriod& reopen) const {
    return call("ledger_reopen_period", {time(reopen.through)}, ledger);
  }
  std::string operator()(const Maintain&) const {
    return "SELECT holds_expired FROM ledger_maintain(" +
           (ledger ? "ledger => " + literal(ledger) : std::string()) + ")";
  }
  std::string operator()(const ReadBalance& read) const {
    return call(read.available ? "ledger_available" : "ledger_balance", {literal(read.account)},
                ledger);
  }
  std::string operator()(const Tamper& tamper) const {
    const std::string of_account =
        " WHERE account_id = (SELECT id FROM ledger.accounts WHERE code = " +
        literal(tamper.account) + ")";
    const std::string of_code = " WHERE code = " + literal(tamper.account);
    switch (tamper.what) {
      case Tamper::balance:
        return "UPDATE ledger.account_balances SET debits_posted = debits_posted + 1" + of_account;
      case Tamper::entries_changed:
        return "UPDATE ledger.entries SET amount = amount * 2" + of_account;
      case Tamper::entries_removed:
        return "DELETE FROM ledger.entries" + of_account;
      case Tamper::account_renamed:
        return "UPDATE ledger.accounts SET code = 'renamed'" + of_code;
      case Tamper::account_removed:
        return "DELETE FROM ledger.accounts" + of_code;
    }
    return "";
  }
  std::string operator()(Control control) const {
    switch (control) {
      case Control::begin:
        return "BEGIN";
      case Control::commit:
      case Control::commit_of_failed:
        return "COMMIT";
      case Control::rollback:
        return "ROLLBACK";
      case Control::savepoint:
        return "SAVEPOINT s" + std::to_string(depth + 1);
      case Control::rollback_to_savepoint:
        return "ROLLBACK TO SAVEPOINT s" + std::to_string(depth);
      case Control::release_savepoint:
        return "RELEASE SAVEPOINT s" + std::to_string(depth);
    }
    return "";
  }
};

}  // namespace

std::string to_sql(const Operation& operation, std::size_t depth, const IdWriter& id) {
  return std::visit(Writer{operation.ledger, depth, id}, operation.action) + ";";
}

Options* options_of(Action& action) {
  if (auto* transfer = std::get_if<Transfer>(&action)) return &transfer->options;
  if (auto* lines = std::get_if<PostLines>(&action)) return &lines->options;
  if (auto* hold = std::get_if<PlaceHold>(&action)) return &hold->options;
  if (auto* capture = std::get_if<Capture>(&action)) return &capture->options;
  if (auto* reverse = std::get_if<Reverse>(&action)) return &reverse->options;
  return nullptr;
}
const Options* options_of(const Action& action) { return options_of(const_cast<Action&>(action)); }

std::string name_of(const Operation& operation) { return std::to_string(operation.number); }
std::string name_of(const Operation& operation, std::size_t item) {
  return name_of(operation) + "." + std::to_string(item + 1);
}

Text canonical_json(const Text& json) {
  if (!json) return std::nullopt;
  std::string text;
  for (const char c : *json)
    if (c != ' ') text.push_back(c);
  return text;
}

void OpenTransactions::control(int session, Control control) {
  Session& state = sessions_[session];
  const auto take_back = [&](std::size_t keep) {
    for (; state.log.size() > keep; state.log.pop_back()) state.log.back()();
  };
  switch (control) {
    case Control::begin:
      state.open = true;
      return;
    case Control::commit_of_failed:
    case Control::rollback:
      take_back(0);
      [[fallthrough]];
    case Control::commit:
      state.log.clear();
      state.savepoints.clear();
      state.open = false;
      return;
    case Control::savepoint:
      state.savepoints.push_back(state.log.size());
      return;
    case Control::rollback_to_savepoint:
      take_back(state.savepoints.back());
      return;
    case Control::release_savepoint:
      state.savepoints.pop_back();
      return;
  }
}

std::vector<std::int64_t> sampled_times() {
  // Ends of days in UTC, and times within; from 2025-10-08 to 2025-10-21.
  constexpr std::int64_t second = 1000000;
  constexpr std::int64_t midnight = 1759881600 * second;
  std::vector<std::int64_t> times;
  for (std::int64_t hour = 0; hour < 14 * 24; hour += 8)
    times.push_back(midnight + hour * 3600 * second - hour % 24 * 1001);
  return times;
}

std::string effective_line(const std::string& account, std::int64_t time,
                           const std::string& balance) {
  return account + " effective at " + std::to_string(time) + " " + balance;
}

}  // namespace ledgerflow::random_test
