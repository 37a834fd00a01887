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
    {4, &Generator::unfreeze},  {1, &Generator::close},      {4, &Generator::read},
    {4, &Generator::bad_text},  {1, &Generator::tamper},
};

Operation Generator::next() {
  Operation operation;
  operation.number = ++number_;
  session_ = static_cast<int>(below(session_count));
  operation.session = session_;
  const Session& session = sessions_[session_];
  if (session.failed) {
    operation.action = session.depth > 0 && !one_in(4) ? Control::rollback_to_savepoint
                       : one_in(4)                     ? Control::commit_of_failed
                                                       : Control::rollback;
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
        for (auto owner = owners_.begin(); owner != owners_.end();)
          owner = owner->second == operation.session ? owners_.erase(owner) : std::next(owner);
        break;
    }
    return;
  }
  if (session.open) {
    for (const std::string& thing : touched(operation.action)) owners_[thing] = operation.session;
    session.failed = !accepted;
  }
  const Options* options = options_of(operation.action);
  if (options != nullptr && options->key && (accepted || one_in(2)))
    requests_.push_back({operation.action, *options->key});
  if (options != nullptr && options->reference && accepted)
    references_.push_back(*options->reference);
  if (const auto* opened = std::get_if<Open>(&operation.action); opened != nullptr && accepted)
    opened_[*opened->code] = *opened;
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
      const Int room = up ? *bound - account.balance() : account.balance() - *bound;
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
  Options& options = transfer != nullptr ? transfer->options : lines->options;
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
  return written(floor ? account.balance() - slack : account.balance() + slack, account.scale);
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

Action Generator::close() { return Close{any_code()}; }

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
