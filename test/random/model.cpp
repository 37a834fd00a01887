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
  const std::size_t start = open_.log(operation.session).size();
  try {
    result = std::visit([&](const auto& action) { return act(action); }, operation.action);
  } catch (const Refused& refused) {
    take_back(start);
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
  if (floor && account.available() < *floor) throw Refused{"insufficient_balance"};
  if (ceiling && account.committed() > *ceiling) throw Refused{"limit_exceeded"};
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
  if (!find(close.account).is_empty()) throw Refused{"account_not_empty"};
  Account& account = changing(*close.account);
  account.closed = true;
  account.debits_frozen = account.credits_frozen = false;
  return {};
}

Result Model::act(const ReadBalance& read) {
  check_ledger();
  if (!read.account) throw Refused{"invalid_account_code"};
  const Account& account = find(read.account);
  return {"ok", format(read.available ? account.available() : account.balance(), account.scale)};
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

// As the functions read their arguments, before they look at the ledger.
void Model::check_options(const Options& options) {
  if (options.effective_at == infinite_time) throw Refused{"invalid_effective_at"};
  check_metadata(options.metadata);
}

void Model::check_texts(const Options& options) {
  if (options.key && (options.key->empty() || options.key->size() > 255))
    throw Refused{"invalid_idempotency_key"};
  if (options.reference && (options.reference->empty() || options.reference->size() > 255))
    throw Refused{"invalid_reference"};
  if (options.description && options.description->size() > 10000)
    throw Refused{"invalid_description"};
  if (options.metadata && options.metadata->size() > 65536) throw Refused{"invalid_metadata"};
}

void Model::check_period(const std::optional<std::int64_t>& effective_at) const {
  if (effective_at && closed_through_ && *effective_at <= *closed_through_)
    throw Refused{"period_closed"};
}

Model::Lines Model::read_lines(const std::vector<LineText>& texts) {
  for (const LineText& line : texts) check_code(line.account);
  Lines lines;
  for (const LineText& line : texts)
    lines.emplace_back(*line.account, amount(line.amount, find(line.account).scale));
  return lines;
}

Model::Lines Model::read_transfer(const Text& debit, const Text& credit, const Text& text) {
  for (const Text& code : {debit, credit}) find(code);
  Lines lines;
  for (const Text& code : {debit, credit}) {
    const Int units = amount(text, find(code).scale);
    if (units < 0) throw Refused{"invalid_amount"};
    lines.emplace_back(*code, lines.empty() ? units : -units);
  }
  return lines;
}

// --- requests with a key --------------------------------------------------------------------------

std::string Model::content_of(const Lines& lines) {
  std::string text;
  for (const auto& [code, units] : lines) text += code + " " + format(units, 0) + ", ";
  return text + "| ";
}

std::string Model::content_of(const Options& options) {
  const auto shown = [](const Text& text) { return text ? "'" + *text + "' " : "none "; };
  return shown(options.reference) + shown(options.description) +
         shown(canonical_json(options.metadata)) +
         (options.effective_at ? std::to_string(*options.effective_at) : "none");
}

bool Model::is_known(const Text& key, const std::string& content, std::string& made) const {
  const auto known = key ? requests_.find(*key) : requests_.end();
  if (known == requests_.end()) return false;
  if (known->second.content != content) throw Refused{"idempotency_conflict"};
  made = known->second.made;
  return true;
}

void Model::keep_key(const Text& key, const std::string& content, const std::string& made) {
  if (key) add(requests_, {*key, {content, made}});
}

Result Model::post(const std::vector<LineText>& texts, const Options& options, bool is_transfer) {
  check_options(options);
  if (texts.size() > 10000) throw Refused{"too_many_lines"};
  check_ledger();
  if (is_transfer)
    for (const LineText& line : texts) check_code(line.account);
  const Lines lines = is_transfer
                          ? read_transfer(texts[0].account, texts[1].account, texts[0].amount)
                          : read_lines(texts);
  check_texts(options);
  check_lines(lines, accounts_);
  const std::string content = "post " + content_of(lines) + content_of(options);
  std::string made = name_of(*operation_);
  if (is_known(options.key, content, made)) return {"ok", made};
  post_new(lines, options, made);
  keep_key(options.key, content, made);
  return {"ok", made};
}

void Model::post_new(const Lines& lines, const Options& options, const std::string& name) {
  check_period(options.effective_at);
  if (options.reference && references_.count(*options.reference) != 0)
    throw Refused{"duplicate_reference"};
  if (options.expected_version && accounts_.at(lines[0].first).version != *options.expected_version)
    throw Refused{"version_conflict"};
  move(lines);
  enter(lines, name, options.effective_at);
  if (options.reference) add(references_, *options.reference);
}

Result Model::act(const RawPost& post) {
  Lines lines;
  for (const LineText& line : post.lines)
    lines.emplace_back(*line.account, amount(line.amount, find(line.account).scale));
  move(lines);
  check_lines(lines, accounts_);  // at the end, and all is taken back
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

void Model::take_back(std::size_t start) {
  UndoLog& log = open_.log(operation_->session);
  for (; log.size() > start; log.pop_back()) log.back()();
}

void Model::move(const Lines& lines, bool reserve, bool hold_limits) {
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
    Int& posted = units > 0 ? account.debits : account.credits;
    Int& pending = units > 0 ? account.pending_debits : account.pending_credits;
    Int& total = reserve ? pending : posted;
    const Int size = units > 0 ? units : -units;
    Int together = posted;
    if (!add_to(together, pending) || !add_to(together, size))
      throw Refused{"balance_out_of_range"};
    total += size;
    if (reserve) continue;
    ++account.version;
    balances_after.push_back(account.debits - account.credits);
  }
  const auto refusal = [](const Account& before, const Account& now) -> const char* {
    if (now.floor && now.available() < *now.floor && now.available() < before.available())
      return "insufficient_balance";
    if (now.ceiling && now.committed() > *now.ceiling && now.committed() > before.committed())
      return "limit_exceeded";
    return nullptr;
  };
  for (const std::string& code : order) {
    Account& account = after[code];
    if (!hold_limits || refusal(accounts_.at(code), account) == nullptr) continue;
    // What is reserved past its time does not stand in the way.
    const Account before = accounts_.at(code);
    give_back_expired(code);
    account.pending_debits += accounts_.at(code).pending_debits - before.pending_debits;
    account.pending_credits += accounts_.at(code).pending_credits - before.pending_credits;
    if (const char* condition = refusal(accounts_.at(code), account)) throw Refused{condition};
  }
  for (const std::string& code : order) changing(code) = after[code];
  if (reserve) return;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto& entries = entries_[lines[i].first];
    entries.emplace_back(lines[i].second, balances_after[i]);
    open_.log(operation_->session).push_back([&entries] { entries.pop_back(); });
  }
}

void Model::enter(const Lines& lines, const std::string& name,
                  const std::optional<std::int64_t>& effective_at, const std::string& reverses) {
  add(transactions_, {name, {lines, reverses, effective_at}});
}

void Model::note_change(const std::string& name, const std::string& from, const std::string& to) {
  history_[name].push_back(from + ">" + to);
  open_.log(operation_->session).push_back([this, name] { history_[name].pop_back(); });
}

// --- holds ----------------------------------------------------------------------------------------

Model::Hold& Model::held(const Text& hold) {
  const auto found = hold ? holds_.find(*hold) : holds_.end();
  if (found == holds_.end()) throw Refused{"hold_not_found"};
  return found->second;
}

void Model::unreserve(const std::string& hold, std::size_t line, Int amount) {
  const HoldLine& held_line = holds_.at(hold).lines[line];
  Account& account = changing(held_line.account);
  (held_line.amount > 0 ? account.pending_debits : account.pending_credits) -= amount;
  open_.log(operation_->session).push_back([this, hold, line, before = held_line] {
    holds_.at(hold).lines[line] = before;
  });
}

void Model::give_back(const std::string& hold, std::size_t line) {
  const Int left = holds_.at(hold).lines[line].left();
  if (left == 0) return;
  unreserve(hold, line, left);
  holds_.at(hold).lines[line].released += left;
}

void Model::give_back_expired(const std::string& account) {
  for (const auto& [name, hold] : holds_)
    for (std::size_t i = 0; i < hold.lines.size(); ++i)
      if (hold.is_over && hold.lines[i].account == account && hold.lines[i].left() > 0) {
        give_back(name, i);
        given_back_.emplace_back(name, i);
      }
}

void Model::change_status(const std::string& hold, const std::string& status) {
  std::string& is = holds_.at(hold).status;
  note_change(hold, is, status);
  open_.log(operation_->session).push_back([this, hold, before = is] {
    holds_.at(hold).status = before;
  });
  is = status;
}

Result Model::act(const PlaceHold& place) {
  check_options(place.options);
  if (place.expires_at == infinite_time || (place.expires_at && place.expires_in))
    throw Refused{"invalid_expiry"};
  check_ledger();
  Lines lines;
  if (place.by_lines) {
    lines = read_lines(place.lines);
  } else {
    for (const LineText& line : place.lines) check_code(line.account);
    lines = read_transfer(place.lines[0].account, place.lines[1].account, place.lines[0].amount);
  }
  // Times that count from now are a moment, some hours, or centuries.
  constexpr std::int64_t century = 100LL * 365 * 86400 * 1000000;
  if (place.expires_in && *place.expires_in > 10 * century) throw Refused{"invalid_expiry"};
  check_texts(place.options);
  check_lines(lines, accounts_);
  const auto shown = [](const std::optional<std::int64_t>& time) {
    return time ? std::to_string(*time) : std::string("none");
  };
  const std::string content = "hold " + content_of(lines) + shown(place.expires_in) + " " +
                              shown(place.expires_at) + " " + content_of(place.options);
  std::string made = name_of(*operation_);
  if (is_known(place.options.key, content, made)) return {"ok", made};
  // The year 2026 has begun when this runs, and 2100 is within a century.
  constexpr std::int64_t begun = 1767225600LL * 1000000;
  constexpr std::int64_t latest = 4102444800LL * 1000000;
  if (place.expires_in && (*place.expires_in <= 0 || *place.expires_in > century))
    throw Refused{"invalid_expiry"};
  if (place.expires_at && (*place.expires_at < begun || *place.expires_at > latest))
    throw Refused{"invalid_expiry"};
  check_period(place.options.effective_at);
  if (place.options.reference && hold_references_.count(*place.options.reference) != 0)
    throw Refused{"duplicate_reference"};
  if (place.options.expected_version &&
      accounts_.at(lines[0].first).version != *place.options.expected_version)
    throw Refused{"version_conflict"};
  move(lines, true);
  Hold hold;
  for (const auto& [code, units] : lines) hold.lines.push_back({code, units});
  hold.is_over = place.expires_in == soon;
  hold.effective_at = place.options.effective_at;
  add(holds_, {made, hold});
  note_change(made, "", "pending");
  if (place.options.reference) add(hold_references_, *place.options.reference);
  keep_key(place.options.key, content, made);
  return {"ok", made};
}

void Model::check_pending(const Hold& hold) {
  if (hold.status == "expired") throw Refused{"hold_expired"};
  if (hold.status != "pending") throw Refused{"hold_not_pending"};
  if (hold.is_over) throw Refused{"hold_expired"};
}

// What falls on each line of the hold.
std::vector<Int> Model::divided(const Hold& hold, const std::optional<Int>& amount,
                                const Lines& lines) {
  if (amount && !lines.empty()) throw Refused{"invalid_argument"};
  if (amount) {
    if (hold.lines.size() != 2) throw Refused{"invalid_argument"};
    return {*amount, *amount};
  }
  check_lines(lines, accounts_);
  std::vector<Int> parts(hold.lines.size(), 0);
  for (const auto& [code, units] : lines) {
    Int rest = units > 0 ? units : -units;
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < hold.lines.size() && rest > 0; ++i) {
      const HoldLine& line = hold.lines[i];
      if (line.account != code || (line.amount > 0) != (units > 0)) continue;
      last = i;
      const Int room = line.left() - parts[i];
      const Int taken = rest < room ? rest : room;
      if (taken <= 0) continue;
      parts[i] += taken;
      rest -= taken;
    }
    if (!last) throw Refused{"reversal_mismatch"};
    if (!add_to(parts[*last], rest)) throw Refused{"balance_out_of_range"};
  }
  return parts;
}

Result Model::act(const Capture& capture) {
  check_options(capture.options);
  check_ledger();
  if (!capture.hold) throw Refused{"hold_not_found"};
  std::optional<Int> units;
  const auto known = holds_.find(*capture.hold);
  if (capture.amount && known != holds_.end()) {
    units = amount(capture.amount, accounts_.at(known->second.lines[0].account).scale);
    if (*units < 0) throw Refused{"invalid_amount"};
  }
  const Lines lines = read_lines(capture.lines);
  check_texts(capture.options);
  Hold& hold = held(capture.hold);
  const std::string content = "capture " + *capture.hold + " " +
                              (units ? format(*units, 0) : "none") + " " + content_of(lines) +
                              (capture.final ? "final " : "") + content_of(capture.options);
  std::string made = name_of(*operation_);
  if (is_known(capture.options.key, content, made)) return {"ok", made};
  check_pending(hold);
  std::vector<Int> parts;
  if (units || !lines.empty())
    parts = divided(hold, units, lines);
  else
    for (const HoldLine& line : hold.lines) parts.push_back(line.left());
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i] > hold.lines[i].left()) throw Refused{"hold_amount_exceeded"};
  check_period(capture.options.effective_at ? capture.options.effective_at : hold.effective_at);
  if (capture.options.reference && references_.count(*capture.options.reference) != 0)
    throw Refused{"duplicate_reference"};
  Lines posted;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == 0) continue;
    unreserve(*capture.hold, i, parts[i]);
    hold.lines[i].captured += parts[i];
    posted.emplace_back(hold.lines[i].account, hold.lines[i].amount > 0 ? parts[i] : -parts[i]);
  }
  if (capture.final)
    for (std::size_t i = 0; i < hold.lines.size(); ++i) give_back(*capture.hold, i);
  move(posted, false, false);
  enter(posted, made,
        capture.options.effective_at ? capture.options.effective_at : hold.effective_at);
  const bool done = std::all_of(hold.lines.begin(), hold.lines.end(),
                                [](const HoldLine& line) { return line.left() == 0; });
  change_status(*capture.hold, done ? "captured" : "pending");
  if (capture.options.reference) add(references_, *capture.options.reference);
  keep_key(capture.options.key, content, made);
  return {"ok", made};
}

Result Model::act(const Release& release) {
  check_ledger();
  if (!release.hold) throw Refused{"hold_not_found"};
  Options texts;
  texts.key = release.key;
  texts.description = release.reason;
  check_texts(texts);
  const Hold& hold = held(release.hold);
  const std::string content = "release " + *release.hold + " " + content_of(texts);
  std::string made = *release.hold;
  if (is_known(release.key, content, made)) return {};
  if (hold.status == "expired") throw Refused{"hold_expired"};
  if (hold.status != "pending") throw Refused{"hold_not_pending"};
  for (std::size_t i = 0; i < hold.lines.size(); ++i) give_back(*release.hold, i);
  change_status(*release.hold, "released");
  keep_key(release.key, content, made);
  return {};
}

Result Model::act(const Raise& raise) {
  check_ledger();
  if (!raise.hold) throw Refused{"hold_not_found"};
  std::optional<Int> units;
  const auto known = holds_.find(*raise.hold);
  if (raise.amount && known != holds_.end()) {
    units = amount(raise.amount, accounts_.at(known->second.lines[0].account).scale);
    if (*units < 0) throw Refused{"invalid_amount"};
  }
  const Lines lines = read_lines(raise.lines);
  Options texts;
  texts.key = raise.key;
  check_texts(texts);
  Hold& hold = held(raise.hold);
  const std::string content =
      "raise " + *raise.hold + " " + (units ? format(*units, 0) : "none") + " " + content_of(lines);
  std::string made = *raise.hold;
  if (is_known(raise.key, content, made)) return {};
  check_pending(hold);
  const std::vector<Int> parts = divided(hold, units, lines);
  Lines added;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == 0) continue;
    HoldLine& line = hold.lines[i];
    added.emplace_back(line.account, line.amount > 0 ? parts[i] : -parts[i]);
    open_.log(operation_->session).push_back([this, name = *raise.hold, i, before = line] {
      holds_.at(name).lines[i] = before;
    });
    if (!add_to(line.amount, added.back().second)) throw Refused{"balance_out_of_range"};
  }
  move(added, true);
  change_status(*raise.hold, "pending");
  keep_key(raise.key, content, made);
  return {};
}

Result Model::act(const Maintain&) {
  check_ledger();
  int expired = 0;
  for (auto& [name, hold] : holds_) {
    if (hold.status != "pending" || !hold.is_over) continue;
    for (std::size_t i = 0; i < hold.lines.size(); ++i) give_back(name, i);
    change_status(name, "expired");
    ++expired;
  }
  return {"ok", std::to_string(expired)};
}

// --- reversals ------------------------------------------------------------------------------------

namespace {

std::map<std::string, Int> sums_of(const std::vector<std::pair<std::string, Int>>& lines) {
  std::map<std::string, Int> sums;
  for (const auto& [code, units] : lines) sums[code] += units;
  return sums;
}

bool all_zero(const std::map<std::string, Int>& sums) {
  return std::all_of(sums.begin(), sums.end(), [](const auto& sum) { return sum.second == 0; });
}

}  // namespace

std::map<std::string, Int> Model::left_of(const std::string& transaction) const {
  std::map<std::string, Int> left = sums_of(transactions_.at(transaction).lines);
  for (const auto& [name, other] : transactions_)
    if (other.reverses == transaction)
      for (const auto& [code, units] : left_of(name)) left[code] += units;
  return left;
}

std::string Model::status_of(const std::map<std::string, Int>& left,
                             const std::map<std::string, Int>& whole) {
  return all_zero(left) ? "reversed" : left == whole ? "posted" : "partly_reversed";
}

Result Model::act(const Reverse& reverse) {
  check_options(reverse.options);
  if (!reverse.transaction) throw Refused{"transaction_not_found"};
  check_ledger();
  const Lines asked = read_lines(reverse.lines);
  const std::string& of = *reverse.transaction;
  const auto found = transactions_.find(of);
  std::optional<Int> units;
  if (reverse.amount) {
    if (found == transactions_.end()) throw Refused{"transaction_not_found"};
    units = amount(reverse.amount, accounts_.at(found->second.lines[0].first).scale);
    if (*units < 0) throw Refused{"invalid_amount"};
  }
  check_texts(reverse.options);
  if (found == transactions_.end()) throw Refused{"transaction_not_found"};
  const Transaction original = found->second;
  const std::string content = "reverse " + of + " " + (units ? format(*units, 0) : "none") + " " +
                              content_of(asked) + (reverse.force ? "force " : "") +
                              content_of(reverse.options);
  std::string made = name_of(*operation_);
  if (is_known(reverse.options.key, content, made)) return {"ok", made};

  const std::map<std::string, Int> whole = sums_of(original.lines);
  const std::map<std::string, Int> left = left_of(of);
  const bool is_reversed =
      std::any_of(transactions_.begin(), transactions_.end(),
                  [&](const auto& other) { return other.second.reverses == of; });
  if (all_zero(left) && is_reversed) throw Refused{"already_reversed"};
  Lines lines;
  if (!asked.empty()) {
    if (units) throw Refused{"invalid_argument"};
    lines = asked;
  } else if (units) {
    if (original.lines.size() != 2) throw Refused{"invalid_argument"};
    for (const auto& [code, had] : original.lines)
      lines.emplace_back(code, had > 0 ? -*units : *units);
  } else if (left == whole) {
    for (const auto& [code, had] : original.lines) lines.emplace_back(code, -had);
  } else {
    std::set<std::string> seen;
    for (const auto& [code, had] : original.lines)
      if (left.at(code) != 0 && seen.insert(code).second) lines.emplace_back(code, -left.at(code));
  }
  check_lines(lines, accounts_);
  std::map<std::string, Int> taken;
  for (const auto& [code, given] : lines)
    if (!add_to(taken[code], given)) throw Refused{"balance_out_of_range"};
  for (const auto& [code, given] : lines) {
    if (left.count(code) == 0) throw Refused{"reversal_mismatch"};
    const Int rest = left.at(code);
    const Int part = taken.at(code);
    // The caller's own lines must not cancel out.
    const Int direction = asked.empty() ? part : given;
    if (direction == 0) continue;
    if ((rest > 0 && direction > 0) || (rest < 0 && direction < 0))
      throw Refused{"reversal_mismatch"};
    if (rest == 0 || (part < 0 ? -part : part) > (rest < 0 ? -rest : rest))
      throw Refused{"already_reversed"};
  }
  check_period(reverse.options.effective_at);
  if (reverse.options.reference && references_.count(*reverse.options.reference) != 0)
    throw Refused{"duplicate_reference"};

  // The originals of the original, with what is left of them before and after.
  std::vector<std::pair<std::string, std::map<std::string, Int>>> above;
  for (std::string name = original.reverses; !name.empty(); name = transactions_.at(name).reverses)
    above.emplace_back(name, left_of(name));
  move(lines, false, !reverse.force);
  enter(lines, made, reverse.options.effective_at, of);
  note_change(of, all_zero(whole) ? "posted" : status_of(left, whole),
              status_of(left_of(of), whole));
  for (const auto& [name, before] : above) {
    const std::map<std::string, Int> full = sums_of(transactions_.at(name).lines);
    const std::map<std::string, Int> after = left_of(name);
    for (const auto& [code, rest] : after) {
      const Int all = full.at(code);
      if (taken.count(code) != 0 && (all >= 0 ? rest < 0 || rest > all : rest > 0 || rest < all))
        throw Refused{"already_reversed"};
    }
    if (status_of(before, full) != status_of(after, full))
      note_change(name, status_of(before, full), status_of(after, full));
  }
  if (reverse.force) note_change(made, "", "forced");
  if (reverse.options.reference) add(references_, *reverse.options.reference);
  keep_key(reverse.options.key, content, made);
  return {"ok", made};
}

// --- batches --------------------------------------------------------------------------------------

Result Model::act(const PostBatch& batch) {
  const std::size_t count = batch.items.size();
  if (batch.shape == PostBatch::two_dimensions) throw Refused{"invalid_argument"};
  if (batch.mode != "atomic" && batch.mode != "each") throw Refused{"invalid_argument"};
  if (count == 0 || batch.shape == PostBatch::too_few_amounts) throw Refused{"invalid_argument"};
  const bool atomic = batch.mode == "atomic";
  if (atomic && batch.with_linked) throw Refused{"invalid_argument"};
  check_ledger();

  struct Outcome {
    const char* refused = nullptr;
    Lines lines;
    std::string content;
    std::string made;
    bool replayed = false;
    std::optional<std::size_t> first;  // the item that has the same key
  };
  std::vector<Outcome> outcomes(count);
  const auto attempt = [&](std::size_t i, auto&& step) {
    if (outcomes[i].refused != nullptr) return;
    try {
      step();
    } catch (const Refused& refused) {
      if (atomic) throw;
      outcomes[i].refused = refused.condition;
    }
  };

  for (std::size_t i = 0; i < count; ++i)
    attempt(i, [&] {
      const PostBatch::Item& item = batch.items[i];
      check_options(item.options);
      for (const Text& code : {item.debit, item.credit}) {
        if (batch.by_id && (!code || accounts_.count(*code) == 0))
          throw Refused{"invalid_account_code"};
        check_code(code);
        find(code);
      }
      outcomes[i].lines = read_transfer(item.debit, item.credit, item.amount);
      check_texts(item.options);
      check_lines(outcomes[i].lines, accounts_);
      outcomes[i].content = "post " + content_of(outcomes[i].lines) + content_of(item.options);
      outcomes[i].made = name_of(*operation_, i);
    });

  std::map<std::string, std::size_t> first_of;
  for (std::size_t i = 0; i < count; ++i)
    if (outcomes[i].refused == nullptr && batch.items[i].options.key) {
      const auto place = first_of.emplace(*batch.items[i].options.key, i);
      if (!place.second) outcomes[i].first = place.first->second;
    }
  for (const auto& [key, i] : first_of)
    attempt(i, [&, item = i] {
      Outcome& outcome = outcomes[item];
      outcome.replayed = is_known(batch.items[item].options.key, outcome.content, outcome.made);
    });

  for (std::size_t start = 0; start < count;) {
    std::size_t end = start;
    while (batch.with_linked && batch.items[end].linked && end + 1 < count) ++end;
    const std::size_t mark = open_.log(operation_->session).size();
    given_back_.clear();
    std::optional<std::size_t> culprit;
    if (batch.with_linked && batch.items[end].linked) {
      culprit = end;
      if (outcomes[end].refused == nullptr) outcomes[end].refused = "chain_open";
    }
    for (std::size_t i = start; i <= end && !culprit; ++i) {
      attempt(i, [&] {
        Outcome& outcome = outcomes[i];
        if (outcome.replayed) return;
        if (!outcome.first) return post_new(outcome.lines, batch.items[i].options, outcome.made);
        const Outcome& first = outcomes[*outcome.first];
        if (first.content != outcome.content) throw Refused{"idempotency_conflict"};
        if (first.refused != nullptr) throw Refused{first.refused};
        outcome.made = first.made;
        outcome.replayed = true;
      });
      if (outcomes[i].refused != nullptr) culprit = i;
    }
    if (culprit) {
      take_back(mark);
      for (std::size_t i = start; i <= end; ++i)
        if (i != *culprit) outcomes[i].refused = "linked_failed";
      const auto again = given_back_;
      for (const auto& [hold, line] : again) give_back(hold, line);
    }
    start = end + 1;
  }

  Result result;
  for (std::size_t i = 0; i < count; ++i) {
    const Outcome& outcome = outcomes[i];
    result.value += i == 0 ? "" : ", ";
    if (outcome.refused != nullptr) {
      result.value += outcome.refused;
      continue;
    }
    result.value += (outcome.replayed ? "replayed " : "posted ") + outcome.made;
    if (!outcome.replayed) keep_key(batch.items[i].options.key, outcome.content, outcome.made);
  }
  return result;
}

// --- periods --------------------------------------------------------------------------------------

Result Model::act(const ClosePeriod& close) {
  constexpr std::int64_t begun = 1767225600LL * 1000000;  // nothing later has passed for sure
  if (close.through == infinite_time) throw Refused{"invalid_period"};
  check_ledger();
  if (!close.through || *close.through > begun ||
      (closed_through_ && *close.through <= *closed_through_))
    throw Refused{"invalid_period"};
  open_.log(operation_->session).push_back([this, before = closed_through_] {
    closed_through_ = before;
  });
  closed_through_ = close.through;
  return {};
}

Result Model::act(const ReopenPeriod& reopen) {
  if (reopen.through == infinite_time) throw Refused{"invalid_period"};
  check_ledger();
  if (!closed_through_ || (reopen.through && *reopen.through >= *closed_through_))
    throw Refused{"invalid_period"};
  open_.log(operation_->session).push_back([this, before = closed_through_] {
    closed_through_ = before;
  });
  closed_through_ = reopen.through;
  return {};
}

Result Model::act(const ReopenAccount& reopen) {
  check_ledger();
  if (!reopen.account) throw Refused{"invalid_account_code"};
  if (!find(reopen.account).closed) throw Refused{"account_not_closed"};
  changing(*reopen.account).closed = false;
  return {};
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
    const auto shown = [scale = account.scale](const std::optional<Int>& units) {
      return units ? format(*units, scale) : std::string("none");
    };
    const char* status = account.closed                                    ? "closed"
                         : account.debits_frozen && account.credits_frozen ? "frozen"
                         : account.debits_frozen                           ? "debits_frozen"
                         : account.credits_frozen                          ? "credits_frozen"
                                                                           : "open";
    lines.push_back(code + " " + account.type + " " + account.currency + " " + status +
                    " version " + std::to_string(account.version) + " debits " +
                    format(account.debits, account.scale) + " credits " +
                    format(account.credits, account.scale) + " pending " +
                    format(account.pending_debits, account.scale) + " " +
                    format(account.pending_credits, account.scale) + " limits " +
                    shown(account.floor) + " " + shown(account.ceiling));
    int number = 0;
    for (const auto& [units, after] : entries_[code])
      lines.push_back(code + " entry " + std::to_string(++number) + " " +
                      format(units, account.scale) + " " + format(after, account.scale));
  }
  std::vector<std::string> named;
  for (const auto& [name, hold] : holds_) {
    std::string text;
    for (const HoldLine& line : hold.lines) {
      const int scale = accounts_.at(line.account).scale;
      text += (text.empty() ? "" : ", ") + line.account + " " + format(line.amount, scale) + " " +
              format(line.captured, scale) + " " + format(line.released, scale);
    }
    named.push_back(name + " hold " + hold.status + " " + text);
  }
  for (const auto& [name, changes] : history_) {
    std::string text;
    for (const std::string& change : changes) text += " " + change;
    if (!text.empty()) named.push_back(name + " history" + text);
  }
  std::sort(named.begin(), named.end());
  lines.insert(lines.end(), named.begin(), named.end());
  for (const auto& [code, account] : accounts_)
    for (const std::int64_t time : sampled_times()) {
      Int balance = 0;
      for (const auto& [name, transaction] : transactions_)
        if (transaction.effective_at && *transaction.effective_at <= time)
          for (const auto& [of, amount] : transaction.lines)
            if (of == code) balance += account.debit_normal ? amount : -amount;
      lines.push_back(effective_line(code, time, format(balance, account.scale)));
    }
  return lines;
}

}  // namespace ledgerflow::random_test
