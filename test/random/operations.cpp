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

void add_options(std::vector<std::string>& arguments, const Options& options) {
  const auto add = [&](const char* name, const std::string& value) {
    arguments.push_back(std::string(name) + " => " + value);
  };
  if (options.key) add("idempotency_key", literal(options.key));
  if (options.reference) add("reference", literal(options.reference));
  if (options.description) add("description", literal(options.description));
  if (options.effective_at)
    add("effective_at", *options.effective_at == infinite_time
                            ? "'infinity'"
                            : "timestamptz 'epoch' + interval '" +
                                  std::to_string(*options.effective_at) + " microseconds'");
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

struct Writer {
  const Text& ledger;
  std::size_t depth;

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
                           : "ROW(l.account, l.amount)::ledger_line";
    std::vector<std::string> arguments = {post.lines.empty()
                                              ? "'{}'::ledger_line[]"
                                              : std::string("ARRAY(SELECT ") + line + " FROM " +
                                                    values(post.lines) + " ORDER BY l.line)"};
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

std::string to_sql(const Operation& operation, std::size_t depth) {
  return std::visit(Writer{operation.ledger, depth}, operation.action) + ";";
}

const Options* options_of(const Action& action) {
  if (const auto* transfer = std::get_if<Transfer>(&action)) return &transfer->options;
  if (const auto* lines = std::get_if<PostLines>(&action)) return &lines->options;
  return nullptr;
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

}  // namespace ledgerflow::random_test
