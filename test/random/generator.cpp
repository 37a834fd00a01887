#include "generator.hpp"

#include <algorithm>

namespace ledgerflow::random_test {

namespace {

const char* const bad_codes[] = {
    "",    ":", "a::b", "a b", "a'b", "a\"b", "caf\xC3\xA9", "a:", ":a", "a;b", "\xF0\x9F\x92\xB0",
    "a\\b"};
const char* const bad_amounts[] = {"0",
                                   "0.00",
                                   "-5",
                                   "-0.01",
                                   "NaN",
                                   "1e30",
                                   "1e200",
                                   "1e-30",
                                   "Infinity",
                                   "-Infinity",
                                   "0.0000000000000000000000001",
                                   "-0"};
const char* const good_metadata[] = {"{}", R"({"a": 1})", R"({"a":1})",
                                     R"({"b": [1, 2], "c": null})"};
const char* const bad_metadata[] = {"[1]", "1", R"("text")", "null", "true"};
const char* const type_names[] = {"asset",   "liability", "equity", "income",
                                  "expense", "wallet",    "gauge"};
const char* const directions[] = {"both", "debit", "credit"};
constexpr std::int64_t some_time = 1760000000LL * 1000000;

}  // namespace

// What is done how often. Each makes the action of one operation.
const Generator::Choice Generator::choices[] = {
    {14, &Generator::control},  {3, &Generator::open},       {2, &Generator::reopen},
    {30, &Generator::transfer}, {14, &Generator::lines},     {6, &Generator::raw},
    {10, &Generator::retry},    {6, &Generator::set_limits}, {2, &Generator::freeze},
    {4, &Generator::unfreeze},  {2, &Generator::close},      {4, &Generator::read},
    {4, &Generator::bad_text},  {1, &Generator::tamper},     {2, &Generator::reopen_account},
    {16, &Generator::hold},     {16, &Generator::capture},   {4, &Generator::release},
    {4, &Generator::raise},     {16, &Generator::reverse},   {10, &Generator::batch},
    {2, &Generator::maintain},  {2, &Generator::period},
};

Operation Generator::next() {
  Operation operation;
  operation.number = ++number_;
  session_ = static_cast<int>(below(session_count));
  if (period_is_due_)
    for (int i = 0; i < session_count; ++i)
      if (sessions_[i].open) session_ = i;
  if (alone_ >= 0) session_ = alone_;
  operation.session = session_;
  const Session& session = sessions_[session_];
  if (session.failed) {
    operation.action = session.depth > 0 && !one_in(4) ? Control::rollback_to_savepoint
                       : one_in(4)                     ? Control::commit_of_failed
                                                       : Control::rollback;
    return operation;
  }
  if (period_is_due_ && session.open) {
    operation.action = one_in(3) ? Control::rollback : Control::commit;
    return operation;
  }
  if (period_is_due_) {
    period_is_due_ = false;
    operation.action = one_in(3) ? Action(Control::begin) : period();
    if (std::holds_alternative<Control>(operation.action)) alone_ = session_;
    return operation;
  }
  if (model_.accounts().size() < 16 && !session.open) {
    operation.action = open();
    return operation;
  }
  if (one_in(400)) {
    operation.action = many_lines();
    return operation;
  }
  int total = 0;
  for (const Choice& choice : choices) total += choice.weight;
  auto left = static_cast<int>(below(static_cast<std::uint64_t>(total)));
  const Choice* choice = choices;
  for (; left >= choice->weight; ++choice) left -= choice->weight;
  operation.action = (this->*choice->make)();
  const bool raw = std::holds_alternative<RawPost>(operation.action);
  if (one_in(80) && !raw && !std::holds_alternative<Control>(operation.action))
    operation.ledger = one_in(3) ? "public" : one_in(2) ? "" : "no such ledger";
  else if (one_in(40))
    operation.ledger = "ledger";
  return operation;
}

void Generator::note(const Operation& operation, const Result& result) {
  Session& session = sessions_[operation.session];
  const bool accepted = result.condition == "ok";
  if (const Control* control = std::get_if<Control>(&operation.action)) {
    switch (*control) {
      case Control::begin:
        session.open = true;
        break;
      case Control::savepoint:
        ++session.depth;
        break;
      case Control::release_savepoint:
        --session.depth;
        break;
      case Control::rollback_to_savepoint:
        session.failed = false;
        break;
      case Control::commit:
      case Control::commit_of_failed:
      case Control::rollback:
        session = Session{};
        if (alone_ == operation.session) alone_ = -1;
        for (auto owner = owners_.begin(); owner != owners_.end();)
          owner = owner->second == operation.session ? owners_.erase(owner) : std::next(owner);
        break;
    }
    return;
  }
  if (session.open) {
    for (const std::string& thing : touched(operation.action)) owners_[thing] = operation.session;
    session.failed = !accepted;
    if (std::holds_alternative<Release>(operation.action) ||
        std::holds_alternative<Maintain>(operation.action))
      session.has_settled = true;
  }
  const Action& action = operation.action;
  const Options* options = options_of(action);
  bool has_key = options != nullptr && options->key;
  if (const auto* release = std::get_if<Release>(&action)) has_key = release->key.has_value();
  if (const auto* raise = std::get_if<Raise>(&action)) has_key = raise->key.has_value();
  if (const auto* batch = std::get_if<PostBatch>(&action))
    for (const PostBatch::Item& item : batch->items) has_key = has_key || item.options.key;
  if (has_key && (accepted || one_in(2))) requests_.push_back({action});
  if (!accepted) return;
  if (options != nullptr && options->reference) references_.push_back(*options->reference);
  const std::string name = name_of(operation);
  if (std::holds_alternative<PlaceHold>(action) && result.value == name)
    hold_names_.push_back(name);
  else if (options != nullptr && result.value == name)
    transaction_names_.push_back(name);
  if (const auto* reverse = std::get_if<Reverse>(&action)) {
    reversal_names_.push_back(*reverse->transaction);
    if (result.value == name) reversal_names_.push_back(name);
  }
  if (std::holds_alternative<PostBatch>(action)) transaction_names_.push_back(name + ".1");
  if (const auto* opened = std::get_if<Open>(&action)) opened_[*opened->code] = *opened;
}

std::vector<Operation> Generator::finish() {
  std::vector<Operation> operations;
  for (int i = 0; i < session_count; ++i)
    if (sessions_[i].open)
      operations.push_back(
          {++number_,
           i,
           {},
           sessions_[i].failed || one_in(2) ? Control::rollback : Control::commit});
  return operations;
}

// --- choosing -------------------------------------------------------------------------------------

std::vector<std::string> Generator::touched(const Action& action) const {
  std::vector<std::string> things;
  const auto add = [&](const char* kind, const Text& text) {
    if (text) things.push_back(kind + *text);
  };
  const auto add_options = [&](const Options& options) {
    add("key ", options.key);
    add("reference ", options.reference);
  };
  if (const auto* open = std::get_if<Open>(&action)) add("", open->code);
  if (const auto* transfer = std::get_if<Transfer>(&action)) {
    add("", transfer->debit);
    add("", transfer->credit);
    add_options(transfer->options);
  }
  if (const auto* lines = std::get_if<PostLines>(&action)) {
    for (const LineText& line : lines->lines) add("", line.account);
    add_options(lines->options);
  }
  if (const auto* raw = std::get_if<RawPost>(&action))
    for (const LineText& line : raw->lines) add("", line.account);
  if (const auto* limits = std::get_if<SetLimits>(&action)) add("", limits->account);
  if (const auto* freeze = std::get_if<Freeze>(&action)) add("", freeze->account);
  if (const auto* unfreeze = std::get_if<Unfreeze>(&action)) add("", unfreeze->account);
  if (const auto* close = std::get_if<Close>(&action)) add("", close->account);
  if (const auto* tamper = std::get_if<Tamper>(&action)) add("", tamper->account);
  if (const auto* reopen = std::get_if<ReopenAccount>(&action)) add("", reopen->account);
  const auto add_lines = [&](const std::vector<LineText>& lines) {
    for (const LineText& line : lines) add("", line.account);
  };
  const auto add_hold = [&](const Text& name) {
    const auto known = name ? model_.holds().find(*name) : model_.holds().end();
    if (known == model_.holds().end()) return;
    for (const Model::HoldLine& line : known->second.lines) add("", line.account);
  };
  if (const auto* hold = std::get_if<PlaceHold>(&action)) {
    add_lines(hold->lines);
    add_options(hold->options);
  }
  if (const auto* capture = std::get_if<Capture>(&action)) {
    add_hold(capture->hold);
    add_lines(capture->lines);
    add_options(capture->options);
  }
  if (const auto* release = std::get_if<Release>(&action)) {
    add_hold(release->hold);
    add("key ", release->key);
  }
  if (const auto* raise = std::get_if<Raise>(&action)) {
    add_hold(raise->hold);
    add_lines(raise->lines);
    add("key ", raise->key);
  }
  if (const auto* reverse = std::get_if<Reverse>(&action)) {
    add_lines(reverse->lines);
    add_options(reverse->options);
    const auto& all = model_.transactions();
    for (auto known = reverse->transaction ? all.find(*reverse->transaction) : all.end();
         known != all.end(); known = all.find(known->second.reverses))
      for (const auto& [code, units] : known->second.lines) add("", code);
  }
  if (const auto* batch = std::get_if<PostBatch>(&action))
    for (const PostBatch::Item& item : batch->items) {
      add("", item.debit);
      add("", item.credit);
      add_options(item.options);
    }
  if (const auto* maintain = std::get_if<Maintain>(&action))
    for (const std::string& code : maintain->accounts) add("", code);
  return things;
}

bool Generator::is_free(const std::string& thing) const {
  const auto owner = owners_.find(thing);
  return owner == owners_.end() || owner->second == session_;
}

std::string Generator::account(const std::string& currency) {
  std::vector<const std::string*> candidates;
  for (const auto& [code, account] : model_.accounts())
    if ((currency.empty() || account.currency == currency) && is_free(code) &&
        (!account.closed || one_in(10)))
      candidates.push_back(&code);
  return candidates.empty() ? "no:such:account" : *any_of(candidates);
}

Text Generator::any_code() {
  if (!one_in(25)) return account();
  switch (below(4)) {
    case 0:
      return std::nullopt;
    case 1:
      return "no:such:account";
    case 2:
      return std::string(one_in(2) ? 256 : 10000, 'a');
    default:
      return any_of(bad_codes);
  }
}

std::string Generator::currency() {
  static const char* const wanted[] = {"USD", "USD", "USD", "USD", "EUR",
                                       "EUR", "JPY", "BTC", "ATTO"};
  return any_of(wanted);
}

// Around what the accounts' limits leave, or just some amount.
Int Generator::units(const std::string& debit, const std::string& credit) {
  const auto& accounts = model_.accounts();
  if (one_in(3))
    for (const std::string& code : {debit, credit}) {
      const auto found = accounts.find(code);
      if (found == accounts.end()) continue;
      const Model::Account& account = found->second;
      const bool up = account.debit_normal == (code == debit);
      const std::optional<Int>& bound = up ? account.ceiling : account.floor;
      if (!bound) continue;
      const Int room = up ? *bound - account.committed() : account.available() - *bound;
      const Int around = room + static_cast<Int>(below(3)) - 1;
      if (around > 0) return around;
    }
  Int value = static_cast<Int>(below(one_in(4) ? 1000000 : 2000)) + 1;
  if (one_in(60)) {  // up to the largest there is
    const auto found = accounts.find(debit);
    const int scale = found == accounts.end() ? 0 : found->second.scale;
    value = 1;
    for (int i = std::min(30 + scale, 38); i > 0; --i) value *= 10;
    value -= one_in(2) ? 1 : 0;
  }
  return value;
}

// The same number in one of its spellings.
Text Generator::written(Int units, int scale) {
  std::string text = Model::format(units, scale);
  if (scale > 0 && one_in(4))
    while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  if (one_in(10)) text += text.find('.') == std::string::npos ? ".000" : "00000";
  if (one_in(10) && units >= 0) text.insert(0, "+00");
  return text;
}

Text Generator::spoiled(const Text& amount, int scale) {
  if (!one_in(15)) return amount;
  if (one_in(6)) return std::nullopt;
  if (one_in(4)) return Model::format(1, scale + 1);  // one decimal too many
  return any_of(bad_amounts);
}

Options Generator::options(const std::string& first_account) {
  Options options;
  if (one_in(3)) options.key = "key " + std::to_string(++names_);
  if (one_in(6)) options.reference = "reference " + std::to_string(++names_);
  if (one_in(30) && !references_.empty()) {
    const std::string& used = any_of(references_);
    if (is_free("reference " + used)) options.reference = used;
  }
  if (one_in(5)) options.description = one_in(5) ? "" : "it's a \"description\"";
  if (one_in(6)) options.effective_at = some_time + static_cast<std::int64_t>(below(1000000000000));
  if (one_in(6)) options.metadata = any_of(good_metadata);
  if (one_in(8)) {
    const auto found = model_.accounts().find(first_account);
    options.expected_version = found == model_.accounts().end() ? 0 : found->second.version;
    if (one_in(3)) *options.expected_version += one_in(2) ? 1 : -1;
  }
  return options;
}

// --- actions --------------------------------------------------------------------------------------

Action Generator::control() {
  const Session& session = sessions_[session_];
  if (!session.open) return Control::begin;
  switch (below(6)) {
    case 0:
    case 1:
      return session.depth < 4 ? Control::savepoint : Control::release_savepoint;
    case 2:
      return session.depth > 0 ? Control::rollback_to_savepoint : Control::savepoint;
    case 3:
      return session.depth > 0 ? Control::release_savepoint : Control::commit;
    case 4:
      return Control::rollback;
    default:
      return Control::commit;
  }
}

Action Generator::open() {
  Open open;
  open.code = "account:" + std::to_string(++names_);
  open.type = any_of(type_names);
  open.currency = currency();
  const int scale = model_.currencies().at(*open.currency).scale;
  if (one_in(4)) open.name = "Account " + *open.code;
  if (one_in(4)) open.metadata = any_of(good_metadata);
  if (one_in(4)) open.min_balance = written(-static_cast<Int>(below(5000)), scale);
  if (one_in(4)) open.max_balance = written(static_cast<Int>(below(50000)), scale);
  switch (below(40)) {
    case 0:
      open.type = one_in(2) ? Text("no such type") : std::nullopt;
      break;
    case 1:
      open.currency = one_in(2) ? Text("XXZ") : std::nullopt;
      break;
    case 2:
      open.min_balance = one_in(2) ? "NaN" : "1e40";
      break;
    case 3:
      open.max_balance = one_in(2) ? Model::format(1, scale + 1) : "-1";
      break;
    case 4:
      open.min_balance = "1";  // above the balance of a new account
      break;
    case 5:
      open.metadata = any_of(bad_metadata);
      break;
    case 6:
      open.code = one_in(3) ? Text(std::nullopt) : Text(any_of(bad_codes));
      break;
    case 7:
      open.min_balance = "5";
      open.max_balance = "4";
      break;
    case 8:
      open.name = std::string(10000 + below(2), 'n');
      break;
    default:
      break;
  }
  return open;
}

// The same again, or with another attribute.
Action Generator::reopen() {
  std::vector<const Open*> candidates;
  for (const auto& [code, opened] : opened_)
    if (is_free(code)) candidates.push_back(&opened);
  if (candidates.empty()) return open();
  Open again = *any_of(candidates);
  switch (below(10)) {
    case 0:
      again.type = any_of(type_names);
      break;
    case 1:
      again.currency = currency();
      break;
    case 2:
      again.name = again.name ? Text(std::nullopt) : Text("another");
      break;
    case 3:
      again.min_balance = "-7";
      break;
    case 4:
      again.max_balance = again.max_balance ? Text(std::nullopt) : Text("123456789");
      break;
    case 5:
      again.metadata = R"({"other": true})";
      break;
    default:
      break;
  }
  return again;
}

Action Generator::transfer() {
  const std::string of = currency();
  Transfer transfer;
  transfer.debit = account(of);
  transfer.credit = one_in(40) ? account() : account(of);
  if (transfer.debit == transfer.credit && !one_in(10)) transfer.credit = account(of);
  const int scale = model_.currencies().at(of).scale;
  transfer.amount = spoiled(written(units(*transfer.debit, *transfer.credit), scale), scale);
  transfer.options = options(*transfer.debit);
  transfer.by_other_name = one_in(4);
  if (one_in(30)) transfer.debit = any_code();
  if (one_in(30)) transfer.credit = any_code();
  return transfer;
}

std::vector<LineText> Generator::balanced_lines() {
  std::vector<LineText> lines;
  for (std::uint64_t currencies = one_in(3) ? 2 : 1; currencies > 0; --currencies) {
    const std::string of = currency();
    const int scale = model_.currencies().at(of).scale;
    Int sum = 0;
    for (std::uint64_t count = below(4) + 1; count > 0; --count) {
      const std::string code = account(of);
      Int amount = units(code, code);
      if (one_in(2)) amount = -amount;
      if (sum > Int{1} << 120 || sum < -(Int{1} << 120) || sum + amount == 0) continue;
      sum += amount;
      lines.push_back({code, written(amount, scale)});
    }
    if (sum != 0) lines.push_back({account(of), written(-sum, scale)});
  }
  switch (below(25)) {
    case 0:
      if (!lines.empty()) lines.pop_back();
      break;
    case 1:
      if (!lines.empty()) lines.back().amount = "1";
      break;
    case 2:
      lines.resize(std::min<std::size_t>(lines.size(), 1));
      break;
    case 3:
      for (LineText& line : lines) line.account = lines[0].account;
      break;
    case 4:
      if (one_in(3)) lines.clear();
      break;
    default:
      break;
  }
  return lines;
}

Action Generator::lines() {
  PostLines post;
  post.lines = balanced_lines();
  post.options = options(post.lines.empty() ? "" : post.lines[0].account.value_or(""));
  post.by_helpers = one_in(3);
  for (LineText& line : post.lines) {
    if (one_in(40)) line.account = any_code();
    if (one_in(5)) line.amount = spoiled(line.amount, 8);
  }
  return post;
}

Action Generator::raw() {
  RawPost post;
  post.lines = balanced_lines();
  for (const LineText& line : post.lines)
    if (model_.accounts().count(*line.account) == 0) return lines();
  if (one_in(12) && !post.lines.empty()) {
    static const char* const amounts[] = {"0", "NaN", "Infinity", "1e30", "1e-30"};
    post.lines.back().amount = any_of(amounts);
  }
  return post;
}

// An earlier request again: the very same, or altered in one place.
Action Generator::retry() {
  if (requests_.empty()) return transfer();
  Action action = any_of(requests_).action;
  for (const std::string& thing : touched(action))
    if (!is_free(thing)) return transfer();
  auto* transfer = std::get_if<Transfer>(&action);
  auto* lines = std::get_if<PostLines>(&action);
  Options* const of_action = options_of(action);
  if (of_action == nullptr || (transfer == nullptr && lines == nullptr && one_in(3))) {
    if (!one_in(3)) alter(action);
    return action;
  }
  Options& options = *of_action;
  switch (below(14)) {
    case 0:
      options.reference =
          options.reference ? Text(std::nullopt) : Text("reference " + std::to_string(++names_));
      break;
    case 1:
      options.description = options.description ? Text(std::nullopt) : Text("");
      break;
    case 2:
      options.metadata = any_of(good_metadata);
      break;
    case 3:
      options.effective_at = options.effective_at ? std::optional<std::int64_t>() : some_time - 1;
      break;
    case 4:
      if (transfer != nullptr) transfer->amount = "7";
      break;
    case 5:
      if (transfer != nullptr) std::swap(transfer->debit, transfer->credit);
      if (lines != nullptr) std::reverse(lines->lines.begin(), lines->lines.end());
      break;
    case 6:
      if (transfer != nullptr) transfer->credit = account();
      break;
    case 7:
      if (!std::holds_alternative<Capture>(action) && !std::holds_alternative<Reverse>(action))
        options.expected_version = 0;
      break;
    case 8:
      if (transfer != nullptr && transfer->amount && transfer->amount->front() >= '0' &&
          transfer->amount->front() <= '9')  // the same in the form of lines
        return PostLines{
            {{transfer->debit, transfer->amount}, {transfer->credit, "-" + *transfer->amount}},
            options,
            false};
      break;
    default:
      break;
  }
  return action;
}

Text Generator::limit(const std::string& code, bool floor) {
  const auto found = model_.accounts().find(code);
  if (found == model_.accounts().end() || one_in(2)) return std::nullopt;
  const Model::Account& account = found->second;
  if (one_in(20)) return one_in(2) ? Text("NaN") : Text(Model::format(1, account.scale + 1));
  const Int slack = one_in(3) ? static_cast<Int>(below(3)) - 1 : static_cast<Int>(below(3000));
  return written(floor ? account.available() - slack : account.committed() + slack, account.scale);
}

Action Generator::set_limits() {
  SetLimits limits;
  limits.account = any_code();
  limits.min_balance = limit(limits.account.value_or(""), true);
  limits.max_balance = limit(limits.account.value_or(""), false);
  if (one_in(20)) limits.reason = std::string(10000 + below(2), 'r');
  return limits;
}

Action Generator::freeze() {
  return Freeze{any_code(), one_in(15) ? Text("sideways") : Text(any_of(directions))};
}

Action Generator::unfreeze() {
  std::vector<std::string> frozen;
  for (const auto& [code, account] : model_.accounts())
    if ((account.debits_frozen || account.credits_frozen) && is_free(code)) frozen.push_back(code);
  return Unfreeze{frozen.empty() || one_in(4) ? any_code() : Text(any_of(frozen)),
                  one_in(15) ? Text(std::nullopt) : Text(any_of(directions))};
}

Action Generator::close() {
  std::vector<std::string> empty;
  for (const auto& [code, account] : model_.accounts())
    if (account.is_empty() && is_free(code)) empty.push_back(code);
  return Close{empty.empty() || one_in(3) ? any_code() : Text(any_of(empty))};
}

Action Generator::reopen_account() {
  std::vector<std::string> closed;
  for (const auto& [code, account] : model_.accounts())
    if (account.closed && is_free(code)) closed.push_back(code);
  return ReopenAccount{closed.empty() || one_in(4) ? any_code() : Text(any_of(closed))};
}

// --- holds ----------------------------------------------------------------------------------------

Int Generator::around(Int units) {
  if (one_in(3)) return units + static_cast<Int>(below(3)) - 1;
  return units > 1 ? static_cast<Int>(below(
                         static_cast<std::uint64_t>(units < 1000000000 ? units : 1000000000))) +
                         1
                   : units;
}

Action Generator::hold() {
  PlaceHold hold;
  if (one_in(3)) {
    auto posting = std::get<PostLines>(lines());
    hold.lines = posting.lines;
    hold.options = posting.options;
    hold.by_lines = true;
  } else {
    const auto posting = std::get<Transfer>(transfer());
    hold.lines = {{posting.debit, posting.amount}, {posting.credit, posting.amount}};
    hold.options = posting.options;
  }
  constexpr std::int64_t hour = 3600LL * 1000000;
  constexpr std::int64_t year = 365 * 24 * hour;
  switch (below(12)) {
    case 0:
    case 1:
    case 2:
      hold.expires_in = soon;
      break;
    case 3:
      hold.expires_in = static_cast<std::int64_t>(below(1000) + 1) * hour;
      break;
    case 4:
      hold.expires_at = 4102444800LL * 1000000 - static_cast<std::int64_t>(below(1000)) * hour;
      break;
    case 5: {
      static constexpr std::int64_t bad[] = {0, -1, -hour, 101 * year, 300 * year, 2000 * year};
      if (one_in(2)) hold.expires_in = any_of(bad);
      break;
    }
    case 6: {
      static constexpr std::int64_t bad[] = {0, some_time, 300 * year, infinite_time};
      if (one_in(2)) hold.expires_at = any_of(bad);
      break;
    }
    case 7:
      if (one_in(4)) {
        hold.expires_in = hour;
        hold.expires_at = 4102444800LL * 1000000;
      }
      break;
    default:
      break;
  }
  return hold;
}

Text Generator::held() {
  if (one_in(25)) return one_in(2) ? Text(std::nullopt) : Text("no such hold");
  if (one_in(40) && !transaction_names_.empty()) return any_of(transaction_names_);
  const bool settled = one_in(8);  // or past its expiry
  std::vector<const std::string*> candidates;
  for (const std::string& name : hold_names_) {
    const auto known = model_.holds().find(name);
    if (known == model_.holds().end()) {
      if (one_in(30)) candidates.push_back(&name);  // rolled back
      continue;
    }
    const Model::Hold& hold = known->second;
    if ((hold.status != "pending" || hold.is_over) != settled) continue;
    const bool free = std::all_of(hold.lines.begin(), hold.lines.end(),
                                  [&](const auto& line) { return is_free(line.account); });
    if (free) candidates.push_back(&name);
  }
  return candidates.empty() ? Text("no such hold") : Text(*any_of(candidates));
}

std::vector<LineText> Generator::balanced_pair(const std::map<std::string, Int>& debits,
                                               const std::map<std::string, Int>& credits,
                                               bool grow) {
  if (debits.empty() || credits.empty()) return {};
  const auto& [debit, most] = any_of(debits);
  const Model::Account& account = model_.accounts().at(debit);
  for (const auto& [credit, other] : credits) {
    if (model_.accounts().at(credit).currency != account.currency || credit == debit) continue;
    const Int units = grow ? static_cast<Int>(below(2000)) + 1 : around(std::min(most, other));
    return {{debit, written(units, account.scale)}, {credit, written(-units, account.scale)}};
  }
  return {};
}

Action Generator::capture() {
  Capture capture;
  capture.hold = held();
  capture.final = one_in(2);
  const auto known = capture.hold ? model_.holds().find(*capture.hold) : model_.holds().end();
  std::string first;
  if (known != model_.holds().end()) {
    const Model::Hold& hold = known->second;
    first = hold.lines[0].account;
    const int scale = model_.accounts().at(first).scale;
    if (hold.lines.size() == 2 ? !one_in(3) : one_in(10))
      capture.amount = spoiled(written(around(hold.lines[0].left()), scale), scale);
    std::map<std::string, Int> debits, credits;
    for (const Model::HoldLine& line : hold.lines)
      (line.amount > 0 ? debits : credits)[line.account] += line.left();
    if (hold.lines.size() == 2 ? one_in(12) : !one_in(3))
      capture.lines = balanced_pair(debits, credits, false);
    if (one_in(15) && !hold.lines.empty()) {  // lines of others
      const std::string of = model_.accounts().at(first).currency;
      capture.lines.push_back({account(of), "1"});
      capture.lines.push_back({account(of), "-1"});
    }
  }
  capture.options = options(first);
  capture.options.expected_version.reset();
  return capture;
}

Action Generator::release() {
  Release release;
  release.hold = held();
  if (one_in(3)) release.reason = one_in(8) ? std::string(10000 + below(2), 'r') : "changed";
  if (one_in(2)) release.key = "key " + std::to_string(++names_);
  return release;
}

Action Generator::raise() {
  Raise raise;
  raise.hold = held();
  const auto known = raise.hold ? model_.holds().find(*raise.hold) : model_.holds().end();
  if (known != model_.holds().end()) {
    const Model::Hold& hold = known->second;
    const int scale = model_.accounts().at(hold.lines[0].account).scale;
    const std::string debit = hold.lines[0].account;
    if (hold.lines.size() == 2 ? !one_in(5) : one_in(10))
      raise.amount = spoiled(written(units(debit, hold.lines[1].account), scale), scale);
    std::map<std::string, Int> debits, credits;
    for (const Model::HoldLine& line : hold.lines)
      (line.amount > 0 ? debits : credits)[line.account] += line.left();
    if (hold.lines.size() == 2 ? one_in(5) : !one_in(5))
      raise.lines = balanced_pair(debits, credits, true);
  }
  if (one_in(2)) raise.key = "key " + std::to_string(++names_);
  return raise;
}

// --- reversals ------------------------------------------------------------------------------------

Action Generator::reverse() {
  Reverse reverse;
  const auto& all = model_.transactions();
  std::vector<const std::string*> candidates;
  const std::vector<std::string>& names =
      one_in(2) && !reversal_names_.empty() ? reversal_names_ : transaction_names_;
  for (std::size_t tries = 0; tries < 20 && !names.empty(); ++tries) {
    const std::string& name =
        one_in(4) ? any_of(names)
                  : names[names.size() - 1 - below(std::min<std::size_t>(names.size(), 30))];
    Reverse attempt;
    attempt.transaction = name;
    const std::vector<std::string> things = touched(attempt);
    const auto known = all.find(name);
    if (known == all.end() ? one_in(10)
                           : known->second.lines.size() < 100 &&
                                 std::all_of(things.begin(), things.end(),
                                             [&](const auto& thing) { return is_free(thing); }))
      candidates.push_back(&name);
  }
  reverse.transaction = candidates.empty() ? Text("no such transaction") : *any_of(candidates);
  if (one_in(40))
    reverse.transaction =
        one_in(2) || hold_names_.empty() ? Text(std::nullopt) : Text(hold_names_.back());
  const auto known = reverse.transaction ? all.find(*reverse.transaction) : all.end();
  if (known != all.end()) {
    const Model::Transaction& transaction = known->second;
    std::map<std::string, Int> debits, credits;  // of the reversal
    for (const auto& [code, units] : model_.left_of(*reverse.transaction)) {
      if (units < 0) debits[code] = -units;
      if (units > 0) credits[code] = units;
    }
    const std::string first = transaction.lines[0].first;
    const int scale = model_.accounts().at(first).scale;
    if (transaction.lines.size() == 2 ? one_in(2) : one_in(20)) {
      const Int left = debits.empty() ? 1 : debits.begin()->second;
      reverse.amount = spoiled(written(around(left), scale), scale);
    }
    if (transaction.lines.size() == 2 ? one_in(10) : one_in(2))
      reverse.lines =
          one_in(8) ? balanced_pair(credits, debits, false) : balanced_pair(debits, credits, false);
    if (one_in(30)) {
      const std::string of = model_.accounts().at(first).currency;
      reverse.lines = {{account(of), "1"}, {account(of), "-1"}};
    }
    if (!reverse.lines.empty() && one_in(8)) {  // lines that cancel out
      const Text code = transaction.lines[below(transaction.lines.size())].first;
      reverse.lines.push_back({code, "1"});
      reverse.lines.push_back({code, "-1"});
    }
  }
  reverse.options = options("");
  reverse.options.expected_version.reset();
  reverse.force = one_in(20);
  return reverse;
}

// --- batches, periods, upkeep ---------------------------------------------------------------------

PostBatch::Item Generator::batch_item() {
  Transfer one = std::get<Transfer>(one_in(30) ? bad_text() : transfer());
  one.options.expected_version.reset();
  return {one.debit, one.credit, one.amount, one.options, one_in(3)};
}

Action Generator::batch() {
  PostBatch batch;
  const std::uint64_t count = one_in(20) ? 60 : below(8) + 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    PostBatch::Item item = batch_item();
    if (!batch.items.empty() && one_in(8)) {  // an earlier one again, or its key or reference
      const PostBatch::Item earlier = any_of(batch.items);
      if (one_in(2)) item = earlier;
      item.options.key = earlier.options.key;
      if (one_in(3)) item.options.reference = earlier.options.reference;
    }
    batch.items.push_back(item);
  }
  batch.mode = one_in(3) ? "atomic" : "each";
  if (batch.mode == "atomic" && count > 3) batch.items.resize(2 + below(2));
  batch.with_linked = batch.mode == "each" ? one_in(2) : one_in(20);
  if (batch.with_linked && !one_in(6)) batch.items.back().linked = false;
  batch.by_id = one_in(4);
  switch (below(60)) {
    case 0:
      batch.items.clear();
      break;
    case 1:
      batch.mode = one_in(2) ? Text("sideways") : Text(std::nullopt);
      break;
    case 2:
      batch.shape = PostBatch::too_few_amounts;
      break;
    case 3:
      batch.shape = PostBatch::two_dimensions;
      break;
    default:
      break;
  }
  return batch;
}

// An earlier request in some other way.
void Generator::alter(Action& action) {
  const Text other = std::to_string(below(50) + 1);
  if (auto* hold = std::get_if<PlaceHold>(&action)) {
    if (one_in(2))
      hold->expires_in = hold->expires_in ? std::optional<std::int64_t>() : soon;
    else if (!hold->lines.empty())
      hold->lines[0].amount = other;
  }
  if (auto* capture = std::get_if<Capture>(&action)) {
    if (one_in(2))
      capture->final = !capture->final;
    else
      capture->amount = other;
  }
  if (auto* release = std::get_if<Release>(&action)) release->reason = other;
  if (auto* raise = std::get_if<Raise>(&action)) raise->amount = other;
  if (auto* reverse = std::get_if<Reverse>(&action)) {
    if (one_in(2))
      reverse->force = !reverse->force;
    else
      reverse->amount = other;
  }
  if (auto* batch = std::get_if<PostBatch>(&action)) {
    if (batch->items.empty()) return;
    PostBatch::Item& item = batch->items[below(batch->items.size())];
    if (one_in(2))
      item.amount = other;
    else
      item.options.description = other;
  }
}

Action Generator::maintain() {
  for (int i = 0; i < session_count; ++i)
    if (i != session_ && sessions_[i].has_settled) return hold();
  Maintain maintain;
  std::set<std::string> accounts;
  for (const auto& [name, hold] : model_.holds())
    if (hold.status == "pending" && hold.is_over)
      for (const Model::HoldLine& line : hold.lines) accounts.insert(line.account);
  for (const std::string& code : accounts)
    if (!is_free(code)) return hold();
  maintain.accounts.assign(accounts.begin(), accounts.end());
  return maintain;
}

bool Generator::others_are_closed() const {
  for (int i = 0; i < session_count; ++i)
    if (i != session_ && sessions_[i].open) return false;
  return true;
}

// Changing a period waits for all transactions that have posted, and all others wait for it.
Action Generator::period() {
  if (!others_are_closed()) {
    period_is_due_ = true;
    return transfer();
  }
  if (sessions_[session_].open) alone_ = session_;
  std::optional<std::int64_t> through =
      some_time + static_cast<std::int64_t>(below(1000000000000)) / (one_in(2) ? 4 : 1);
  if (one_in(3) && model_.closed_through())
    through = *model_.closed_through() + static_cast<std::int64_t>(below(3)) - 1;
  if (one_in(20)) through = one_in(2) ? infinite_time : 7258118400LL * 1000000;
  if (one_in(2)) {
    if (one_in(3)) through.reset();
    return ReopenPeriod{through};
  }
  if (one_in(20)) through.reset();
  return ClosePeriod{through};
}

Action Generator::read() { return ReadBalance{any_code(), one_in(2)}; }

Action Generator::tamper() {
  const std::string code = account();
  const auto found = model_.accounts().find(code);
  if (found == model_.accounts().end() || found->second.version == 0) return transfer();
  return Tamper{code, static_cast<Tamper::What>(below(5))};
}

// A posting that is good but for one of its texts.
Action Generator::bad_text() {
  Action action = transfer();
  Options& options = std::get<Transfer>(action).options;
  switch (below(8)) {
    case 0:
      options.key = "";
      break;
    case 1:
      options.key = std::string(255 + below(2), static_cast<char>('a' + below(26)));
      if (!is_free("key " + *options.key)) options.key.reset();
      break;
    case 2:
      options.reference = "";
      break;
    case 3:
      options.reference = std::string(256, 'r');
      break;
    case 4:
      options.description = std::string(10000 + below(2), 'd');
      break;
    case 5:
      options.metadata = any_of(bad_metadata);
      break;
    case 6:
      options.metadata = R"({"large": ")" + std::string(70000, 'm') + "\"}";
      break;
    default:
      options.effective_at = infinite_time;
      break;
  }
  return action;
}

// As many lines as there may be, or one more.
Action Generator::many_lines() {
  const std::string of = currency();
  const std::string debit = account(of);
  const std::string credit = account(of);
  PostLines post;
  const std::size_t pairs = 5000;
  for (std::size_t i = 0; i < pairs; ++i) {
    post.lines.push_back({debit, "1"});
    post.lines.push_back({credit, "-1"});
  }
  if (one_in(2)) post.lines.push_back({debit, "1"});
  return post;
}

}  // namespace ledgerflow::random_test
