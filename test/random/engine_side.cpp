#include "engine_side.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/engine.hpp"
#include "core/holds.hpp"
#include "core/reversal.hpp"
#include "core/rules.hpp"

namespace ledgerflow::random_test {

namespace {

struct CurrencyOf {
  const char* code;
  int scale;
};
constexpr CurrencyOf currencies[] = {{"USD", 2}, {"EUR", 2}, {"JPY", 0}, {"BTC", 8}, {"ATTO", 24}};

struct TypeOf {
  const char* code;
  Side normal_side;
  const char* min_balance;
  const char* max_balance;
};
constexpr TypeOf types[] = {
    {"asset", Side::debit, nullptr, nullptr},   {"liability", Side::credit, nullptr, nullptr},
    {"equity", Side::credit, nullptr, nullptr}, {"income", Side::credit, nullptr, nullptr},
    {"expense", Side::debit, nullptr, nullptr}, {"wallet", Side::credit, "0", "1000"},
    {"gauge", Side::debit, "-50", nullptr}};

template <typename Row, std::size_t count>
const Row& row_of(const Row (&table)[count], const Text& code, Condition missing) {
  for (const Row& row : table)
    if (code && *code == row.code) return row;
  throw Error(missing, "there is no " + code.value_or("NULL"));
}

// Reads a number in both ways that the core has: as text, and as the digits that numeric would keep.
AmountStatus read_units(const std::string& text, int scale, Units& units) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return AmountStatus::not_finite;
  std::string plain = text;
  const std::size_t exponent_at = text.find('e');
  if (exponent_at != std::string::npos) {
    const int exponent = std::stoi(text.substr(exponent_at + 1));
    plain = text.substr(0, exponent_at);
    if (exponent >= 0)
      plain.append(static_cast<std::size_t>(exponent), '0');
    else
      plain = "0." + std::string(static_cast<std::size_t>(-exponent) - plain.size(), '0') + plain;
  }
  const AmountStatus status = parse_units(plain, scale, units);

  const bool negative = plain[0] == '-';
  if (plain[0] == '-' || plain[0] == '+') plain.erase(0, 1);
  std::size_t point = plain.find('.');
  if (point == std::string::npos) point = plain.size();
  std::string whole = plain.substr(0, point);
  std::string decimals = point < plain.size() ? plain.substr(point + 1) : "";
  whole.insert(0, (4 - whole.size() % 4) % 4, '0');
  decimals.append((4 - decimals.size() % 4) % 4, '0');
  std::vector<std::int16_t> digits;
  for (std::size_t at = 0; at < whole.size() + decimals.size(); at += 4)
    digits.push_back(static_cast<std::int16_t>(std::stoi((whole + decimals).substr(at, 4))));
  Units from_digits = 0;
  const AmountStatus digits_status =
      units_from_digits(negative, static_cast<int>(whole.size() / 4) - 1, digits.data(),
                        static_cast<int>(digits.size()), scale, from_digits);
  if ((status == AmountStatus::ok) != (digits_status == AmountStatus::ok) ||
      (status == AmountStatus::ok && units != from_digits))
    throw std::logic_error("text and digits of " + text + " are read differently");
  return status;
}

Units amount_of(const Text& text, const Account& account) {
  if (!text) throw Error(Condition::invalid_amount, "amount must not be NULL");
  Units units = 0;
  const AmountStatus status = read_units(*text, account.scale, units);
  if (status != AmountStatus::ok) refuse_amount(status, *text, account.currency, account.scale);
  check_postable(units, account);
  return units;
}

std::optional<Units> limit_of(const Text& text, const Account& account) {
  if (!text) return std::nullopt;
  Units units = 0;
  if (read_units(*text, account.scale, units) != AmountStatus::ok ||
      units >= power_of_ten(max_digits - 1) || units <= -power_of_ten(max_digits - 1))
    throw Error(Condition::invalid_limits, "not a limit");
  return units;
}

void check_code(const Text& code) {
  if (!code || !is_account_code(*code))
    throw Error(Condition::invalid_account_code, "invalid account code");
}

void check_metadata(const Text& metadata) {
  if (metadata && metadata->front() != '{')
    throw Error(Condition::invalid_metadata, "metadata must be a JSON object");
}

void check_reason(const Text& reason) {
  if (reason && reason->size() > max_text_length)
    throw Error(Condition::invalid_description, "too long");
}

std::optional<std::string_view> view(const Text& text) {
  if (!text) return std::nullopt;
  return *text;
}

}  // namespace

EngineSide::EngineSide(std::uint64_t seed) : store_(seed) {}

Result EngineSide::run(const Operation& operation) {
  operation_ = &operation;
  store_.record_into(&open_.log(operation.session));
  step_clock();
  Result result;
  try {
    result = std::visit([&](const auto& action) { return act(action); }, operation.action);
  } catch (const Error& error) {
    result.condition = info(error.refusal().condition).name;
  } catch (const std::exception& error) {
    result.condition = std::string("exception: ") + error.what();
  }
  open_.after_operation(operation.session);
  return result;
}

// Mostly on, sometimes not at all, now and then back.
void EngineSide::step_clock() {
  const std::uint64_t chance = store_.random();
  if (chance % 50 == 0)
    now_ -= static_cast<std::int64_t>(chance / 50 % 2000000);
  else if (chance % 4 != 0)
    now_ += static_cast<std::int64_t>(chance / 50 % 1000);
  now_ = std::max(now_, earliest_);
  store_.set_clock(now_);
}

void EngineSide::check_ledger() const {
  if (operation_->ledger && *operation_->ledger != "ledger")
    throw Error(Condition::ledger_not_found, "no such ledger");
}

const Account& EngineSide::find(const Text& code) const {
  const Account* account = store_.find_account(*code);
  if (account == nullptr) throw Error(Condition::account_not_found, "no account " + quoted(*code));
  return *account;
}

const Account& EngineSide::find_to_change(const Text& code) const {
  check_ledger();
  if (!code) throw Error(Condition::invalid_account_code, "account must not be NULL");
  return find(code);
}

// --- accounts -------------------------------------------------------------------------------------

Result EngineSide::act(const Open& open) {
  check_ledger();
  check_code(open.code);
  if (!open.type) throw Error(Condition::account_type_not_found, "type must not be NULL");
  if (!open.currency) throw Error(Condition::currency_not_found, "currency must not be NULL");
  check_reason(open.name);
  check_metadata(open.metadata);
  if (open.metadata && open.metadata->size() > max_metadata_length)
    throw Error(Condition::invalid_metadata, "metadata is too long");
  const CurrencyOf& currency = row_of(currencies, open.currency, Condition::currency_not_found);
  const TypeOf& type = row_of(types, open.type, Condition::account_type_not_found);
  const auto chosen = [](const Text& own, const char* of_type) {
    return own || of_type == nullptr ? own : Text(of_type);
  };
  const Text min_balance = chosen(open.min_balance, type.min_balance);
  const Text max_balance = chosen(open.max_balance, type.max_balance);
  const Text metadata = canonical_json(open.metadata);

  if (const Account* known = store_.find_account(*open.code)) {
    const Attributes& attributes = attributes_[*open.code];
    const Balance& balance = store_.balance(*known);
    if (known->type != *open.type || known->currency != *open.currency ||
        attributes.name != open.name || attributes.metadata != metadata ||
        balance.min_balance != limit_of(min_balance, *known) ||
        balance.max_balance != limit_of(max_balance, *known))
      throw Error(Condition::account_exists, "account is open already");
    return {};
  }
  return store_.atomically([&]() -> Result {
    const Account& account = store_.open_account(*open.code, *open.type, type.normal_side,
                                                 *open.currency, currency.scale);
    Balance balance = store_.balance(account);
    balance.min_balance = limit_of(min_balance, account);
    balance.max_balance = limit_of(max_balance, account);
    if (auto refusal = check_new_limits(balance)) throw Error(std::move(*refusal));
    store_.set_limits(account, balance.min_balance, balance.max_balance);
    attributes_[account.code] = {open.name, metadata};
    return {};
  });
}

Result EngineSide::act(const SetLimits& limits) {
  check_ledger();
  if (!limits.account) throw Error(Condition::invalid_account_code, "account must not be NULL");
  check_reason(limits.reason);
  const Account& account = find(limits.account);
  Balance balance = store_.balance(account);
  balance.min_balance = limit_of(limits.min_balance, account);
  balance.max_balance = limit_of(limits.max_balance, account);
  if (auto refusal = check_new_limits(balance)) throw Error(std::move(*refusal));
  store_.set_limits(account, balance.min_balance, balance.max_balance);
  return {};
}

void EngineSide::change_freeze(const Text& code, const Text& direction, bool freeze) {
  if (direction != "both" && direction != "debit" && direction != "credit")
    throw Error(Condition::invalid_argument, "unknown direction");
  const Account& account = find_to_change(code);
  const Status status = store_.balance(account).status;
  if (status == Status::closed) throw Error(Condition::account_closed, "account is closed");
  bool debits = status == Status::frozen || status == Status::debits_frozen;
  bool credits = status == Status::frozen || status == Status::credits_frozen;
  if (direction != "credit") debits = freeze;
  if (direction != "debit") credits = freeze;
  store_.set_status(account, debits    ? credits ? Status::frozen : Status::debits_frozen
                             : credits ? Status::credits_frozen
                                       : Status::open);
}

Result EngineSide::act(const Freeze& freeze) {
  change_freeze(freeze.account, freeze.direction, true);
  return {};
}

Result EngineSide::act(const Unfreeze& unfreeze) {
  change_freeze(unfreeze.account, unfreeze.direction, false);
  return {};
}

Result EngineSide::act(const Close& close) {
  const Account& account = find_to_change(close.account);
  const Balance& balance = store_.balance(account);
  if (net_debit(balance) != 0 || balance.debits_pending != 0 || balance.credits_pending != 0)
    throw Error(Condition::account_not_empty, "account is not empty");
  store_.set_status(account, Status::closed);
  return {};
}

Result EngineSide::act(const ReadBalance& read) {
  const Account& account = find_to_change(read.account);
  const Balance& balance = store_.balance(account);
  return {"ok", format_units(read.available ? available_balance(balance) : posted_balance(balance),
                             account.scale)};
}

// --- postings -------------------------------------------------------------------------------------

Result EngineSide::act(const Transfer& transfer) {
  return post_lines({{transfer.debit, transfer.amount}, {transfer.credit, transfer.amount}},
                    transfer.options, true);
}

Result EngineSide::act(const PostLines& post) {
  if (post.by_helpers)
    for (const LineText& line : post.lines) {
      check_code(line.account);
      Units units = 0;
      const AmountStatus status =
          line.amount ? read_units(*line.amount, max_scale, units) : AmountStatus::malformed;
      const bool infinite = line.amount && line.amount->find("Inf") != std::string::npos;
      if (!line.amount || (status == AmountStatus::not_finite && !infinite) ||
          (status == AmountStatus::ok && units == 0))
        throw Error(Condition::invalid_amount, "amount is not positive");
    }
  return post_lines(post.lines, post.options, false);
}

namespace {

// The options of a request in the engine's form, which points to them.
struct PostingOptions {
  explicit PostingOptions(const Options& options) : metadata(canonical_json(options.metadata)) {
    posting.idempotency_key = view(options.key);
    posting.reference = view(options.reference);
    posting.description = view(options.description);
    posting.metadata = view(metadata);
    posting.effective_at = options.effective_at;
    posting.expected_version = options.expected_version;
  }
  PostingOptions(const PostingOptions&) = delete;
  PostingOptions& operator=(const PostingOptions&) = delete;

  Text metadata;
  Posting posting;
};

void check_options(const Options& options) {
  if (options.effective_at == infinite_time)
    throw Error(Condition::invalid_effective_at, "the time must be finite");
  check_metadata(options.metadata);
}

}  // namespace

std::vector<Line> EngineSide::read_lines(const std::vector<LineText>& texts) const {
  for (const LineText& line : texts) check_code(line.account);
  std::vector<Line> lines;
  for (const LineText& line : texts) {
    const Account& account = find(line.account);
    lines.push_back({&account, amount_of(line.amount, account)});
  }
  return lines;
}

std::vector<Line> EngineSide::read_transfer(const Text& debit, const Text& credit,
                                            const Text& amount) const {
  for (const Text& code : {debit, credit}) find(code);
  std::vector<Line> lines;
  for (const Text& code : {debit, credit}) {
    const Account& account = find(code);
    const Units units = amount_of(amount, account);
    if (units < 0) throw Error(Condition::invalid_amount, "amount is negative");
    lines.push_back({&account, lines.empty() ? units : -units});
  }
  return lines;
}

TransactionId EngineSide::id_of(const Text& name, Condition missing) const {
  if (!name) throw Error(missing, "must not be NULL");
  const auto known = ids_.find(*name);
  return known == ids_.end() ? TransactionId{} : known->second;
}

std::string EngineSide::name_of_id(const TransactionId& id, const std::string& new_name) {
  const auto known = names_.emplace(id, new_name);
  if (known.second) ids_[new_name] = id;
  return known.first->second;
}

Result EngineSide::post_lines(const std::vector<LineText>& texts, const Options& options,
                              bool is_transfer) {
  check_options(options);
  if (texts.size() > max_lines) throw Error(Condition::too_many_lines, "too many lines");
  check_ledger();
  for (const LineText& line : texts) check_code(line.account);
  const std::vector<Line> lines =
      is_transfer ? read_transfer(texts[0].account, texts[1].account, texts[0].amount)
                  : read_lines(texts);
  const PostingOptions request(options);
  const Outcome outcome = store_.atomically([&] { return post(store_, lines, request.posting); });
  return {"ok", name_of_id(outcome.id, name_of(*operation_))};
}

// --- holds, reversals, batches --------------------------------------------------------------------

Result EngineSide::act(const PlaceHold& place) {
  check_options(place.options);
  if (place.expires_at == infinite_time || (place.expires_at && place.expires_in))
    throw Error(Condition::invalid_expiry, "a finite one, and only one");
  check_ledger();
  const PostingOptions options(place.options);
  HoldRequest request;
  request.posting = options.posting;
  if (!place.by_lines)
    for (const LineText& line : place.lines) check_code(line.account);
  request.lines = place.by_lines ? read_lines(place.lines)
                                 : read_transfer(place.lines[0].account, place.lines[1].account,
                                                 place.lines[0].amount);
  constexpr std::int64_t longest = 1000LL * 366 * 86400 * 1000000;
  if (place.expires_in) {
    if (*place.expires_in > longest) throw Error(Condition::invalid_expiry, "too long");
    request.sent_at = now_;
    request.expires_at = now_ + *place.expires_in;
    request.expiry_as_sent = std::to_string(*place.expires_in);
  } else if (place.expires_at) {
    request.expires_at = place.expires_at;
    request.expiry_as_sent = format_time(*place.expires_at);
  }
  const TransactionId id = store_.atomically([&] { return place_hold(store_, request); });
  if (place.expires_in == soon) earliest_ = now_ + soon;
  return {"ok", name_of_id(id, name_of(*operation_))};
}

std::optional<Units> EngineSide::hold_amount(const TransactionId& hold, const Text& amount) {
  if (!amount) return std::nullopt;
  const std::optional<Hold> found = store_.find_hold(hold);
  if (!found) return std::nullopt;
  const Units units = amount_of(amount, *found->lines.at(0).account);
  if (units < 0) throw Error(Condition::invalid_amount, "amount is negative");
  return units;
}

Result EngineSide::act(const Capture& capture) {
  check_options(capture.options);
  check_ledger();
  const PostingOptions options(capture.options);
  CaptureRequest request;
  request.hold = id_of(capture.hold, Condition::hold_not_found);
  request.amount = hold_amount(request.hold, capture.amount);
  request.lines = read_lines(capture.lines);
  request.final = capture.final;
  request.posting = options.posting;
  const TransactionId id = store_.atomically([&] { return capture_hold(store_, request); });
  return {"ok", name_of_id(id, name_of(*operation_))};
}

Result EngineSide::act(const Release& release) {
  check_ledger();
  const TransactionId id = id_of(release.hold, Condition::hold_not_found);
  store_.atomically([&] { release_hold(store_, id, view(release.reason), view(release.key)); });
  return {};
}

Result EngineSide::act(const Raise& raise) {
  check_ledger();
  const TransactionId id = id_of(raise.hold, Condition::hold_not_found);
  const std::optional<Units> amount = hold_amount(id, raise.amount);
  const std::vector<Line> lines = read_lines(raise.lines);
  store_.atomically([&] { raise_hold(store_, id, amount, lines, view(raise.key)); });
  return {};
}

Result EngineSide::act(const Reverse& reverse) {
  check_options(reverse.options);
  if (!reverse.transaction)
    throw Error(Condition::transaction_not_found, "transaction must not be NULL");
  check_ledger();
  const PostingOptions options(reverse.options);
  ReversalRequest request;
  request.transaction = id_of(reverse.transaction, Condition::transaction_not_found);
  request.lines = read_lines(reverse.lines);
  request.posting = options.posting;
  request.force = reverse.force;
  if (reverse.amount) {
    request.amount =
        amount_of(reverse.amount, *store_.load(request.transaction).entries.at(0).account);
    if (*request.amount < 0) throw Error(Condition::invalid_amount, "amount is negative");
  }
  const TransactionId id = store_.atomically([&] { return ledgerflow::reverse(store_, request); });
  return {"ok", name_of_id(id, name_of(*operation_))};
}

Result EngineSide::act(const PostBatch& batch) {
  const auto refuse_if = [](bool bad) {
    if (bad) throw Error(Condition::invalid_argument, "not a batch");
  };
  refuse_if(batch.shape != PostBatch::good || batch.items.empty());
  refuse_if(batch.mode != "atomic" && batch.mode != "each");
  refuse_if(batch.mode == "atomic" && batch.with_linked);
  check_ledger();
  std::vector<std::unique_ptr<PostingOptions>> options;
  std::vector<Item> items(batch.items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const PostBatch::Item& from = batch.items[i];
    options.push_back(std::make_unique<PostingOptions>(from.options));
    items[i].posting = options.back()->posting;
    items[i].linked = batch.with_linked && from.linked;
    try {
      check_options(from.options);
      for (const Text& code : {from.debit, from.credit}) {
        if (batch.by_id && (!code || store_.find_account(*code) == nullptr))
          throw Error(Condition::invalid_account_code, "account must not be NULL");
        check_code(code);
        find(code);
      }
      items[i].lines = read_transfer(from.debit, from.credit, from.amount);
    } catch (const Error& error) {
      items[i].outcome.refusal = error.refusal();
    }
  }
  store_.atomically(
      [&] { post_all(store_, items, batch.mode == "atomic" ? Mode::atomic : Mode::each); });
  Result result;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Outcome& outcome = items[i].outcome;
    result.value += i == 0 ? "" : ", ";
    if (outcome.refusal)
      result.value += info(outcome.refusal->condition).name;
    else
      result.value += (outcome.replayed ? "replayed " : "posted ") +
                      name_of_id(outcome.id, name_of(*operation_, i));
  }
  return result;
}

// --- periods, upkeep ------------------------------------------------------------------------------

Result EngineSide::act(const ClosePeriod& close) {
  if (close.through == infinite_time) throw Error(Condition::invalid_period, "must be finite");
  check_ledger();
  const auto closed = store_.closed_through();
  if (!close.through || *close.through > now_ || (closed && *close.through <= *closed))
    throw Error(Condition::invalid_period, "not a period to close");
  store_.set_closed_through(close.through);
  return {};
}

Result EngineSide::act(const ReopenPeriod& reopen) {
  if (reopen.through == infinite_time) throw Error(Condition::invalid_period, "must be finite");
  check_ledger();
  const auto closed = store_.closed_through();
  if (!closed || (reopen.through && *reopen.through >= *closed))
    throw Error(Condition::invalid_period, "not a period to reopen");
  store_.set_closed_through(reopen.through);
  return {};
}

Result EngineSide::act(const Maintain&) {
  check_ledger();
  constexpr std::size_t most = 10000;
  return {"ok", std::to_string(store_.atomically([&] { return expire_holds(store_, most); }))};
}

Result EngineSide::act(const ReopenAccount& reopen) {
  const Account& account = find_to_change(reopen.account);
  if (store_.balance(account).status != Status::closed)
    throw Error(Condition::account_not_closed, "account is not closed");
  store_.set_status(account, Status::open);
  return {};
}

// --- entries by hand, and other roads -------------------------------------------------------------

Result EngineSide::act(const RawPost& raw) {
  std::vector<RawEntry> entries;
  std::vector<Line> lines;
  for (const LineText& line : raw.lines) {
    const Account& account = find(line.account);
    lines.push_back({&account, amount_of(line.amount, account)});
  }
  // Such an id comes from the clock alone; here too it must follow what was posted before.
  std::optional<TransactionId> newest;
  for (const Line& line : lines) {
    const auto& last = store_.balance(*line.account).last_transaction;
    if (last && (!newest || *newest < *last)) newest = last;
  }
  const TransactionId id = make_transaction_id(store_.clock(), store_.random(), newest);
  for (const Line& line : lines)
    entries.push_back({id, static_cast<int>(entries.size()) + 1, line.account, line.amount});
  store_.atomically([&] {
    store_.insert_raw(id, {time_of(id), time_of(id), {}, {}, {}}, entries);
    adopt(store_, entries);
    if (auto refusal = check_lines(lines.data(), lines.size())) throw Error(std::move(*refusal));
  });
  return {"ok", "raw"};
}

// Not for the engine: the triggers see to it.
Result EngineSide::act(const Tamper&) {
  throw Error(Condition::immutable_ledger, "posted is posted");
}

Result EngineSide::act(Control control) {
  open_.control(operation_->session, control);
  return {};
}

// --- the books ------------------------------------------------------------------------------------

std::vector<std::string> EngineSide::state() {
  std::map<std::string, std::vector<std::string>> by_account;
  for (const auto& [id, balance] : store_.balances()) {
    const Account& account = *balance.account;
    const auto shown = [&](const std::optional<Units>& units) {
      return units ? format_units(*units, account.scale) : std::string("none");
    };
    by_account[account.code].push_back(
        account.code + " " + account.type + " " + account.currency + " " +
        to_string(balance.status) + " version " + std::to_string(balance.version) + " debits " +
        format_units(balance.debits_posted, account.scale) + " credits " +
        format_units(balance.credits_posted, account.scale) + " pending " +
        format_units(balance.debits_pending, account.scale) + " " +
        format_units(balance.credits_pending, account.scale) + " limits " +
        shown(balance.min_balance) + " " + shown(balance.max_balance));
  }
  for (const auto& [key, entry] : store_.entries()) {
    const Account& account = store_.account(entry.account_id);
    auto& lines = by_account[account.code];
    lines.push_back(account.code + " entry " + std::to_string(lines.size()) + " " +
                    format_units(entry.amount, account.scale) + " " +
                    format_units(entry.balance_after, account.scale));
  }
  std::vector<std::string> lines;
  for (auto& [code, of_account] : by_account)
    lines.insert(lines.end(), of_account.begin(), of_account.end());
  std::vector<std::string> named;
  for (const auto& [id, row] : store_.holds()) {
    std::string text;
    for (const Hold::Line& line : row.hold.lines)
      text += (text.empty() ? "" : ", ") + line.account->code + " " +
              format_units(line.amount, line.account->scale) + " " +
              format_units(line.captured, line.account->scale) + " " +
              format_units(line.released, line.account->scale);
    named.push_back(names_.at(id) + " hold " + to_string(row.hold.status) + " " + text);
  }
  std::map<TransactionId, std::string> histories;
  for (const auto& [number, change] : store_.changes())
    histories[change.id] += " " + change.from.value_or("") + ">" + change.to;
  for (const auto& [id, text] : histories) named.push_back(names_.at(id) + " history" + text);
  std::sort(named.begin(), named.end());
  lines.insert(lines.end(), named.begin(), named.end());
  // From what the store keeps for this, as the database does.
  for (const auto& [code, of_account] : by_account)
    for (const std::int64_t time : sampled_times()) {
      const Account& account = find(code);
      Units balance = 0;
      for (const auto& [key, amount] : store_.days())
        if (key.first == account.id && key.second < day_of(time)) balance += amount;
      const auto dated = store_.dated().find(account.id);
      if (dated != store_.dated().end())
        for (const DatedEntry& entry : dated->second)
          if (day_of(entry.effective_at) == day_of(time) && entry.effective_at <= time)
            balance += entry.amount;
      if (account.normal_side == Side::credit) balance = -balance;
      lines.push_back(effective_line(code, time, format_units(balance, account.scale)));
    }
  return lines;
}

}  // namespace ledgerflow::random_test
