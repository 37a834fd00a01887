#include "model.hpp"

#include <algorithm>

namespace ledgerflow::random_test {

namespace {

Int ten_to(int exponent) {
  Int value = 1;
  while (exponent-- > 0) value *= 10;
  return value;
}

// At most 38 digits.
bool add_to(Int& total, Int value) {
  return !__builtin_add_overflow(total, value, &total) && total < ten_to(38) && total > -ten_to(38);
}

}  // namespace

Model::Model() {
  currencies_ = {{"USD", {2}}, {"EUR", {2}}, {"JPY", {0}}, {"BTC", {8}}, {"ATTO", {24}}};
  types_ = {{"asset", {true, {}, {}}},   {"liability", {false, {}, {}}},
            {"equity", {false, {}, {}}}, {"income", {false, {}, {}}},
            {"expense", {true, {}, {}}}, {"wallet", {false, "0", "1000"}},
            {"gauge", {true, "-50", {}}}};
}

Result Model::run(const Operation& operation) {
  operation_ = &operation;
  Result result;
  try {
    result = std::visit([&](const auto& action) { return act(action); }, operation.action);
  } catch (const Refused& refused) {
    result.condition = refused.condition;
  }
  open_.after_operation(operation.session);
  return result;
}

// --- numbers --------------------------------------------------------------------------------------

// In minor units; none when it is no plain number, has too many decimals or more than 38 digits. (With an
// exponent the generator writes only numbers that are far too large or too small.)
std::optional<Int> Model::number(const Text& text, int scale) {
  if (!text || text->find_first_not_of("+-.0123456789") != std::string::npos) return std::nullopt;
  std::string digits = *text;
  const bool negative = digits[0] == '-';
  if (digits[0] == '-' || digits[0] == '+') digits.erase(0, 1);
  std::size_t decimals = 0;
  const std::size_t point = digits.find('.');
  if (point != std::string::npos) {
    while (digits.back() == '0') digits.pop_back();
    decimals = digits.size() - point - 1;
    digits.erase(point, 1);
  }
  if (decimals > static_cast<std::size_t>(scale)) return std::nullopt;
  digits.append(static_cast<std::size_t>(scale) - decimals, '0');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > 38) return std::nullopt;
  Int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return negative ? -value : value;
}

std::string Model::format(Int units, int scale) {
  std::string digits;
  for (Int rest = units < 0 ? -units : units; rest > 0; rest /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  const auto decimals = static_cast<std::size_t>(scale);
  if (digits.size() < decimals + 1) digits.insert(0, decimals + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - decimals, ".");
  return (units < 0 ? "-" : "") + digits;
}

Int Model::amount(const Text& text, int scale) {
  const std::optional<Int> units = number(text, scale);
  // Below 10^30 whole units.
  if (!units || *units == 0 ||
      (scale < 8 && (*units >= ten_to(30 + scale) || *units <= -ten_to(30 + scale))))
    throw Refused{"invalid_amount"};
  return *units;
}

std::optional<Int> Model::limit(const Text& text, int scale) {
  if (!text) return std::nullopt;
  const std::optional<Int> units = number(text, scale);
  if (!units || *units >= ten_to(37) || *units <= -ten_to(37)) throw Refused{"invalid_limits"};
  return units;
}

// --- arguments ------------------------------------------------------------------------------------

void Model::check_ledger() const {
  if (operation_->ledger && *operation_->ledger != "ledger") throw Refused{"ledger_not_found"};
}

void Model::check_code(const Text& code) {
  const auto refuse_if = [](bool bad) {
    if (bad) throw Refused{"invalid_account_code"};
  };
  refuse_if(!code || code->empty() || code->size() > 255);
  refuse_if(code->front() == ':' || code->back() == ':' || code->find("::") != std::string::npos);
  for (const char c : *code)
    refuse_if(std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.@+/:")
                  .find(c) == std::string::npos);
}

void Model::check_metadata(const Text& metadata) {
  if (metadata && (*metadata)[0] != '{') throw Refused{"invalid_metadata"};
}

Model::Account& Model::find(const Text& code) {
  const auto found = accounts_.find(*code);
  if (found == accounts_.end()) throw Refused{"account_not_found"};
  return found->second;
}

Model::Account& Model::changing(const std::string& code) {
  Account& account = accounts_.at(code);
  open_.log(operation_->session).push_back([this, code, before = account] {
    accounts_.at(code) = before;
  });
  return account;
}

template <typename Container>
void Model::add(Container& container, const typename Container::value_type& value) {
  const auto place = container.insert(value).first;
  open_.log(operation_->session).push_back([&container, place] { container.erase(place); });
}

// --- accounts -------------------------------------------------------------------------------------

Result Model::act(const Open& open) {
  check_ledger();
  check_code(open.code);
  if (!open.type) throw Refused{"account_type_not_found"};
  if (!open.currency) throw Refused{"currency_not_found"};
  if (open.name && open.name->size() > 10000) throw Refused{"invalid_description"};
  check_metadata(open.metadata);
  if (open.metadata && open.metadata->size() > 65536) throw Refused{"invalid_metadata"};
  if (currencies_.count(*open.currency) == 0) throw Refused{"currency_not_found"};
  if (types_.count(*open.type) == 0) throw Refused{"account_type_not_found"};

  const Type& type = types_.at(*open.type);
  const Text min_balance = open.min_balance ? open.min_balance : type.min_balance;
  const Text max_balance = open.max_balance ? open.max_balance : type.max_balance;
  const auto known = accounts_.find(*open.code);
  if (known != accounts_.end()) {
    const Account& account = known->second;
    if (account.type != *open.type || account.currency != *open.currency ||
        account.name != open.name || account.metadata != canonical_json(open.metadata) ||
        account.floor != limit(min_balance, account.scale) ||
        account.ceiling != limit(max_balance, account.scale))
      throw Refused{"account_exists"};
    return {};
  }
  Account account;
  account.type = *open.type;
  account.currency = *open.currency;
  account.scale = currencies_.at(account.currency).scale;
  account.debit_normal = type.debit_normal;
  account.name = open.name;
  account.metadata = canonical_json(open.metadata);
  account.floor = limit(min_balance, account.scale);
  account.ceiling = limit(max_balance, account.scale);
  if (account.floor && account.ceiling && *account.floor > *account.ceiling)
    throw Refused{"invalid_limits"};
  if (account.floor && *account.floor > 0) throw Refused{"insufficient_balance"};
  if (account.ceiling && *account.ceiling < 0) throw Refused{"limit_exceeded"};
  add(accounts_, {*open.code, account});
  return {};
}

Result Model::act(const SetLimits& limits) {
  check_ledger();
  if (!limits.account) throw Refused{"invalid_account_code"};
  if (limits.reason && limits.reason->size() > 10000) throw Refused{"invalid_description"};
  const Account& account = find(limits.account);
  const std::optional<Int> floor = limit(limits.min_balance, account.scale);
  const std::optional<Int> ceiling = limit(limits.max_balance, account.scale);
  if (floor && ceiling && *floor > *ceiling) throw Refused{"invalid_limits"};
  if (floor && account.balance() < *floor) throw Refused{"insufficient_balance"};
  if (ceiling && account.balance() > *ceiling) throw Refused{"limit_exceeded"};
  Account& changed = changing(*limits.account);
  changed.floor = floor;
  changed.ceiling = ceiling;
  return {};
}

namespace {

bool names_side(const Text& direction, const char* side) {
  return direction && (*direction == side || *direction == "both");
}

}  // namespace

Result Model::act(const Freeze& freeze) {
  const bool debits = names_side(freeze.direction, "debit");
  const bool credits = names_side(freeze.direction, "credit");
  if (!debits && !credits) throw Refused{"invalid_argument"};
  check_ledger();
  if (!freeze.account) throw Refused{"invalid_account_code"};
  if (find(freeze.account).closed) throw Refused{"account_closed"};
  Account& account = changing(*freeze.account);
  account.debits_frozen |= debits;
  account.credits_frozen |= credits;
  return {};
}

Result Model::act(const Unfreeze& unfreeze) {
  const bool debits = names_side(unfreeze.direction, "debit");
  const bool credits = names_side(unfreeze.direction, "credit");
  if (!debits && !credits) throw Refused{"invalid_argument"};
  check_ledger();
  if (!unfreeze.account) throw Refused{"invalid_account_code"};
  if (find(unfreeze.account).closed) throw Refused{"account_closed"};
  Account& account = changing(*unfreeze.account);
  account.debits_frozen &= !debits;
  account.credits_frozen &= !credits;
  return {};
}

Result Model::act(const Close& close) {
  check_ledger();
  if (!close.account) throw Refused{"invalid_account_code"};
  if (find(close.account).balance() != 0) throw Refused{"account_not_empty"};
  Account& account = changing(*close.account);
  account.closed = true;
  account.debits_frozen = account.credits_frozen = false;
  return {};
}

Result Model::act(const ReadBalance& read) {
  check_ledger();
  if (!read.account) throw Refused{"invalid_account_code"};
  const Account& account = find(read.account);
  return {"ok", format(account.balance(), account.scale)};
}

// --- postings -------------------------------------------------------------------------------------

Result Model::act(const Transfer& transfer) {
  return post({{transfer.debit, transfer.amount}, {transfer.credit, transfer.amount}},
              transfer.options, true);
}

Result Model::act(const PostLines& post) {
  if (post.by_helpers)
    for (const LineText& line : post.lines) {
      check_code(line.account);
      const Text& amount = line.amount;
      // Neither a debit nor a credit of nothing; how many decimals is seen when the currency is.
      if (!amount || *amount == "NaN" || amount->find_first_of("123456789I") == std::string::npos)
        throw Refused{"invalid_amount"};
    }
  return this->post(post.lines, post.options, false);
}

Result Model::post(const std::vector<LineText>& texts, const Options& options, bool is_transfer) {
  if (options.effective_at == infinite_time) throw Refused{"invalid_effective_at"};
  check_metadata(options.metadata);
  if (texts.size() > 10000) throw Refused{"too_many_lines"};
  if (texts.size() < 2) throw Refused{"too_few_lines"};
  check_ledger();
  for (const LineText& line : texts) check_code(line.account);
  for (const LineText& line : texts) find(line.account);
  Lines lines;
  for (const LineText& line : texts) {
    const Int units = amount(line.amount, find(line.account).scale);
    if (is_transfer && units < 0) throw Refused{"invalid_amount"};
    lines.emplace_back(*line.account, is_transfer && !lines.empty() ? -units : units);
  }
  if (options.key && (options.key->empty() || options.key->size() > 255))
    throw Refused{"invalid_idempotency_key"};
  if (options.reference && (options.reference->empty() || options.reference->size() > 255))
    throw Refused{"invalid_reference"};
  if (options.description && options.description->size() > 10000)
    throw Refused{"invalid_description"};
  if (options.metadata && options.metadata->size() > 65536) throw Refused{"invalid_metadata"};
  check_lines(lines, accounts_);

  if (options.key && has_key(*options.key)) {
    const Transaction& stored = transactions_.at(*options.key);
    const Options& had = stored.options;
    if (stored.lines != lines || had.reference != options.reference ||
        had.description != options.description || had.effective_at != options.effective_at ||
        canonical_json(had.metadata) != canonical_json(options.metadata))
      throw Refused{"idempotency_conflict"};
    return {"ok", std::to_string(stored.number)};
  }
  if (options.reference && references_.count(*options.reference) != 0)
    throw Refused{"duplicate_reference"};
  if (options.expected_version && accounts_.at(lines[0].first).version != *options.expected_version)
    throw Refused{"version_conflict"};
  move(lines);
  if (options.key) add(transactions_, {*options.key, {operation_->number, lines, options}});
  if (options.reference) add(references_, *options.reference);
  return {"ok", std::to_string(operation_->number)};
}

Result Model::act(const RawPost& post) {
  Lines lines;
  for (const LineText& line : post.lines)
    lines.emplace_back(*line.account, amount(line.amount, find(line.account).scale));
  const std::size_t start = open_.log(operation_->session).size();
  move(lines);
  try {
    check_lines(lines, accounts_);  // at the end, and all is taken back
  } catch (const Refused&) {
    UndoLog& log = open_.log(operation_->session);
    for (; log.size() > start; log.pop_back()) log.back()();
    throw;
  }
  return {"ok", "raw"};
}

void Model::check_lines(const Lines& lines, const std::map<std::string, Account>& accounts) {
  if (lines.size() < 2) throw Refused{"too_few_lines"};
  if (std::all_of(lines.begin(), lines.end(),
                  [&](const auto& line) { return line.first == lines[0].first; }))
    throw Refused{"same_account"};
  std::map<std::string, Int> sums;
  for (const auto& [code, units] : lines) {
    if (!add_to(sums[accounts.at(code).currency], units)) throw Refused{"balance_out_of_range"};
  }
  const auto some = [&](bool positive) {
    return std::any_of(sums.begin(), sums.end(),
                       [&](const auto& sum) { return positive ? sum.second > 0 : sum.second < 0; });
  };
  if (some(true) && some(false)) throw Refused{"currency_mismatch"};
  if (some(true) || some(false)) throw Refused{"unbalanced_transaction"};
}

void Model::move(const Lines& lines) {
  std::map<std::string, Account> after;
  std::vector<std::string> order;
  std::vector<Int> balances_after;
  for (const auto& [code, units] : lines) {
    if (after.count(code) == 0) {
      after[code] = accounts_.at(code);
      order.push_back(code);
    }
    Account& account = after[code];
    if (account.closed) throw Refused{"account_closed"};
    if (units > 0 ? account.debits_frozen : account.credits_frozen) throw Refused{"account_frozen"};
    Int& total = units > 0 ? account.debits : account.credits;
    if (!add_to(total, units > 0 ? units : -units)) throw Refused{"balance_out_of_range"};
    ++account.version;
    balances_after.push_back(account.debits - account.credits);
  }
  for (const std::string& code : order) {
    const Account& account = after[code];
    const Int before = accounts_.at(code).balance();
    if (account.floor && account.balance() < *account.floor && account.balance() < before)
      throw Refused{"insufficient_balance"};
    if (account.ceiling && account.balance() > *account.ceiling && account.balance() > before)
      throw Refused{"limit_exceeded"};
  }
  for (const std::string& code : order) changing(code) = after[code];
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto& entries = entries_[lines[i].first];
    entries.emplace_back(lines[i].second, balances_after[i]);
    open_.log(operation_->session).push_back([&entries] { entries.pop_back(); });
  }
}

Result Model::act(const Tamper&) { throw Refused{"immutable_ledger"}; }

Result Model::act(Control control) {
  open_.control(operation_->session, control);
  return {};
}

// --- the books ------------------------------------------------------------------------------------

std::vector<std::string> Model::state() {
  std::vector<std::string> lines;
  for (const auto& [code, account] : accounts_) {
    const auto shown = [&](const std::optional<Int>& units) {
      return units ? format(*units, account.scale) : std::string("none");
    };
    const char* status = account.closed                                    ? "closed"
                         : account.debits_frozen && account.credits_frozen ? "frozen"
                         : account.debits_frozen                           ? "debits_frozen"
                         : account.credits_frozen                          ? "credits_frozen"
                                                                           : "open";
    lines.push_back(code + " " + account.type + " " + account.currency + " " + status +
                    " version " + std::to_string(account.version) + " debits " +
                    format(account.debits, account.scale) + " credits " +
                    format(account.credits, account.scale) + " limits " + shown(account.floor) +
                    " " + shown(account.ceiling));
    int number = 0;
    for (const auto& [units, after] : entries_[code])
      lines.push_back(code + " entry " + std::to_string(++number) + " " +
                      format(units, account.scale) + " " + format(after, account.scale));
  }
  return lines;
}

}  // namespace ledgerflow::random_test
