#include "core/import_plan.hpp"

#include <algorithm>

#include "core/journal_text.hpp"
#include "core/rules.hpp"

namespace ledgerflow::exchange {

namespace {

constexpr std::string_view standard_types[] = {"asset", "liability", "equity", "income", "expense"};

bool is_currency_code(std::string_view code) {
  constexpr std::size_t longest = 32;
  return !code.empty() && code.size() <= longest &&
         std::all_of(code.begin(), code.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

// A sum that stays within 38 digits.
void add(Units& total, Units units, std::size_t line) {
  if (!add_units(total, units)) refuse_line(line, "a sum of more than 38 digits");
}

Units magnitude(Units units) { return units < 0 ? -units : units; }

[[noreturn]] void refuse_amount_of(Condition condition, std::size_t line, const std::string& why,
                                   std::string hint = {}) {
  throw Error(condition, "line " + std::to_string(line) + ": " + why, {}, std::move(hint));
}

}  // namespace

// The lines of one transaction, and what is left of it in each commodity.
class Planner::Balancer {
 public:
  Balancer(Planner& planner, const FileTransaction& transaction)
      : planner_(planner), transaction_(transaction) {}

  Draft balance() {
    const FilePosting* elided = nullptr;
    for (posting_ = 0; posting_ < transaction_.postings.size(); ++posting_) {
      const FilePosting& posting = transaction_.postings[posting_];
      if (posting.amount) {
        add_posting(posting);
      } else if (elided == nullptr) {
        elided = &posting;
      } else {
        refuse_line(posting.line, "a second posting without an amount",
                    planner_.file_.accounts[posting.account]);
      }
    }
    for (Left& left : left_) {
      if (left.units == 0) continue;
      if (elided != nullptr)
        fill_in(*elided, left);
      else
        settle(left);
    }
    draft_.source = &transaction_;
    // What fills up a posting without an amount stands where that posting stands.
    std::stable_sort(draft_.pieces.begin(), draft_.pieces.end(),
                     [](const Piece& a, const Piece& b) { return a.posting < b.posting; });
    return std::move(draft_);
  }

 private:
  struct Left {
    Index commodity;
    Units units = 0;
    Units tolerance = 0;
  };

  Left& left_in(Index commodity) {
    for (Left& left : left_)
      if (left.commodity == commodity) return left;
    left_.push_back({commodity});
    return left_.back();
  }

  void add_piece(Index account, Index commodity, Units units, std::size_t line) {
    if (units != 0)
      draft_.pieces.push_back({planner_.pair(account, commodity, line), units, posting_});
  }

  void add_posting(const FilePosting& posting) {
    const Amount& amount = *posting.amount;
    const Units units = planner_.units_of(amount.number, amount.commodity, posting.line);
    add_piece(posting.account, amount.commodity, units, posting.line);
    Left& left = left_in(amount.commodity);
    // Half of the last digit that is written, where amounts are computed from prices.
    const int finer = planner_.commodity(amount.commodity).scale - amount.number.decimals;
    if (finer > 0) left.tolerance = std::max<Units>(left.tolerance, 5 * power_of_ten(finer - 1));
    if (!posting.price) return add(left.units, units, posting.line);

    // One commodity becomes another: it goes through a pair of trading accounts.
    const Price& price = *posting.price;
    if (price.amount.commodity == amount.commodity)
      refuse_line(posting.line, "a price in the commodity itself");
    const Units worth = planner_.worth_of(amount, price, posting.line);
    const Index trading = planner_.file_.accounts.index(
        planner_.own_account("Trading") + ":" + planner_.file_.commodities[amount.commodity]);
    add_piece(trading, amount.commodity, -units, posting.line);
    add_piece(trading, price.amount.commodity, worth, posting.line);
    Left& paid = left_in(price.amount.commodity);
    add(paid.units, worth, posting.line);
    ++conversions_;
  }

  void fill_in(const FilePosting& elided, Left& left) {
    posting_ = static_cast<std::size_t>(&elided - transaction_.postings.data());
    add_piece(elided.account, left.commodity, -left.units, elided.line);
  }

  // What prices leave behind is booked; anything else does not balance.
  void settle(const Left& left) {
    const Commodity& commodity = planner_.commodity(left.commodity);
    if (conversions_ == 0 || magnitude(left.units) > std::max(left.tolerance, conversions_))
      refuse_amount_of(
          Condition::unbalanced_transaction, transaction_.line,
          "debits and credits differ by " + format_units(magnitude(left.units), commodity.scale) +
              " " + commodity.code,
          left_.size() > 1 ? "Write what one commodity is worth in the other: 10 EUR @@ 12 USD"
                           : "");
    posting_ = transaction_.postings.size();
    add_piece(planner_.file_.accounts.index(planner_.own_account("Rounding")), left.commodity,
              -left.units, transaction_.line);
  }

  Planner& planner_;
  const FileTransaction& transaction_;
  Draft draft_;
  std::vector<Left> left_;
  std::size_t posting_ = 0;
  Units conversions_ = 0;
};

Planner::Planner(File& file, const Known& known) : file_(file), known_(known) {
  for (const FileAccount& account : file_.declared) declared_[account.name] = &account;
  for (const FileCommodity& declared : file_.declared_commodities)
    commodity(declared.name).declared = &declared;
  merge_commodities();
  for (const FileTransaction& transaction : file_.transactions)
    for (const FilePosting& posting : transaction.postings) {
      if (posting.amount) note(*posting.amount, true, posting.line);
      if (posting.price) note(posting.price->amount, false, posting.line);
    }
  for (Index i = 0; i < commodities_.size(); ++i)
    if (commodities_[i].line != 0) settle_commodity(i);
  drafts_.reserve(file_.transactions.size());
  for (const FileTransaction& transaction : file_.transactions) {
    Draft draft = Balancer(*this, transaction).balance();
    drafts_.push_back(std::move(draft));
  }
  add_idle_accounts();
}

Planner::Commodity& Planner::commodity(Index index) {
  if (commodities_.size() <= index) commodities_.resize(index + 1);
  return commodities_[index];
}

void Planner::note(const Amount& amount, bool counts_decimals, std::size_t line) {
  Commodity& noted = commodity(amount.commodity);
  if (noted.line == 0) noted.line = line;
  if (counts_decimals) noted.decimals = std::max(noted.decimals, amount.number.decimals);
}

std::string Planner::currency_code_of(Index index) {
  const std::string& name = file_.commodities[index];
  const auto given = known_.currencies.find(name);
  if (given != known_.currencies.end()) return given->second;
  const FileCommodity* declared = commodity(index).declared;
  return declared != nullptr && !declared->code.empty() ? declared->code : name;
}

// $ and USD, where the caller says that $ is USD, are one.
void Planner::merge_commodities() {
  std::vector<Index> merged;
  for (Index i = 0; i < file_.commodities.size(); ++i)
    merged.push_back(by_code_.try_emplace(currency_code_of(i), i).first->second);
  const auto merge = [&](Amount& amount) { amount.commodity = merged[amount.commodity]; };
  for (FileTransaction& transaction : file_.transactions)
    for (FilePosting& posting : transaction.postings) {
      if (posting.amount) merge(*posting.amount);
      if (posting.price) merge(posting.price->amount);
      if (posting.assertion) merge(posting.assertion->amount);
    }
  for (DayAssertion& day : file_.assertions) merge(day.assertion.amount);
}

// Its code, and as many decimals as the ledger has for it, or as the file needs.
void Planner::settle_commodity(Index index) {
  Commodity& settled = commodity(index);
  const std::string& name = file_.commodities[index];
  settled.code = currency_code_of(index);
  if (!is_currency_code(settled.code))
    refuse_line(settled.line,
                name.empty() ? std::string("an amount without a commodity")
                             : "commodity " + quoted(name) + " is no currency's code",
                {},
                "Say which currency it is in the argument commodities, as in {" +
                    json_string(name) + ": \"USD\"}.");
  const auto known = known_.scales.find(settled.code);
  if (known != known_.scales.end()) {
    settled.scale = known->second;
    return;
  }
  settled.scale = settled.decimals;
  if (settled.declared != nullptr)
    settled.scale = std::max(settled.scale, settled.declared->decimals);
  if (settled.scale > max_scale)
    refuse_amount_of(Condition::invalid_amount, settled.line,
                     "an amount of " + settled.code + " has more than 24 decimals");
}

Index Planner::pair(Index account, Index commodity, std::size_t line) {
  const std::uint64_t key = static_cast<std::uint64_t>(account) << 32U | commodity;
  const auto [known, is_new] = pair_indexes_.try_emplace(key, static_cast<Index>(pairs_.size()));
  if (is_new) pairs_.push_back({account, commodity, line});
  return known->second;
}

Units Planner::units_of(const Decimal& number, Index index, std::size_t line) {
  const Commodity& unit = commodity(index);
  const int shift = unit.scale - number.decimals;
  Units units = number.units;
  if (units == 0) return 0;
  if (shift < 0) {
    const bool fits = -shift < max_digits && units % power_of_ten(-shift) == 0;
    if (!fits)
      refuse_amount_of(Condition::invalid_amount, line,
                       "amount " + format_units(units, number.decimals) +
                           " has too many decimals for " + unit.code + ", which has " +
                           std::to_string(unit.scale));
    return units / power_of_ten(-shift);
  }
  if (__builtin_mul_overflow(units, power_of_ten(shift), &units) || magnitude(units) > max_units)
    refuse_amount_of(Condition::invalid_amount, line,
                     "an amount of " + unit.code + " is too large");
  return units;
}

// The amount at its price, in whole units of the price's currency: half a unit goes to the even one.
Units Planner::worth_of(const Amount& amount, const Price& price, std::size_t line) {
  if (price.amount.number.units < 0) refuse_line(line, "a negative price");
  const Index paid = price.amount.commodity;
  if (price.total) {
    const Units total = units_of(price.amount.number, paid, line);
    return amount.number.units < 0 ? -total : total;
  }
  Units product = 0;
  if (__builtin_mul_overflow(amount.number.units, price.amount.number.units, &product) ||
      magnitude(product) > max_units)
    refuse_line(line, "an amount times its price has more than 38 digits");
  const int drop = amount.number.decimals + price.amount.number.decimals - commodity(paid).scale;
  if (drop <= 0) return units_of({product, commodity(paid).scale + drop}, paid, line);
  if (drop > max_digits) return 0;
  const Units divisor = power_of_ten(drop);
  const Units whole = product / divisor;
  const Units rest = magnitude(product % divisor);
  const bool up = rest > divisor - rest || (rest == divisor - rest && whole % 2 != 0);
  return up ? whole + (product < 0 ? -1 : 1) : whole;
}

std::string Planner::own_account(std::string_view name) const {
  if (file_.format == Format::beancount) return file_.roots[2] + ":" + std::string(name);
  return "equity:" + lowered(name);
}

// Accounts that are declared and not used are opened in the currencies that they name.
void Planner::add_idle_accounts() {
  std::vector<bool> is_used(file_.accounts.size());
  for (const Pair& used : pairs_) is_used[used.account] = true;
  for (const FileAccount& account : file_.declared) {
    if (is_used[account.name]) continue;
    std::vector<std::string> currencies = account.currencies;
    if (currencies.empty() && !file_.default_currency.empty())
      currencies.push_back(file_.default_currency);
    for (const std::string& name : currencies) {
      // By its code, where the file has another name for it.
      const Index own = file_.commodities.index(name);
      const Index index = by_code_.try_emplace(currency_code_of(own), own).first->second;
      if (commodity(index).line == 0) commodity(index).line = account.line;
      if (commodity(index).scale < 0) settle_commodity(index);
      pair(account.name, index, account.line);
    }
  }
}

// The account's code: the caller's, the file's, or its name with underscores for spaces.
std::string Planner::code_of(Index account, std::size_t line) const {
  const std::string& name = file_.accounts[account];
  const auto given = known_.codes.find(name);
  const auto declared = declared_.find(account);
  std::string code = name;
  if (given != known_.codes.end())
    code = given->second;
  else if (declared != declared_.end() && !declared->second->code.empty())
    code = declared->second->code;
  else
    std::replace(code.begin(), code.end(), ' ', '_');
  if (!is_account_code(code))
    throw Error(
        Condition::invalid_account_code,
        "line " + std::to_string(line) + ": " + quoted(code) + " cannot be an account's code", {},
        "Codes are of ASCII letters, digits and _ - . @ + /; name another in the argument "
        "accounts, as in {" +
            json_string(shortened(name)) + ": \"assets:bank\"}.");
  return code;
}

// An account of the file that holds several commodities becomes one for each, NAME:COMMODITY.
std::string Planner::code_of(const Pair& pair, bool is_only,
                             const std::unordered_map<std::string, std::string>& existing) const {
  const std::string& currency = commodities_[pair.commodity].code;
  std::string code = code_of(pair.account, pair.line);
  const std::string own_code = code + ":" + currency;
  const auto open = existing.find(code);
  if (open != existing.end() && open->second == currency) return code;
  const auto own = existing.find(own_code);
  if (own == existing.end() && open == existing.end() && is_only) return code;
  if (own != existing.end() && own->second != currency)
    throw Error(Condition::currency_mismatch, "line " + std::to_string(pair.line) + ": account " +
                                                  quoted(own_code) + " is not in " + currency);
  if (!is_account_code(own_code))
    throw Error(Condition::invalid_account_code, "line " + std::to_string(pair.line) + ": " +
                                                     quoted(own_code) +
                                                     " cannot be an account's code");
  return own_code;
}

std::vector<std::string> Planner::candidate_codes() const {
  std::vector<std::string> codes;
  for (const Pair& pair : pairs_) {
    codes.push_back(code_of(pair.account, pair.line));
    codes.push_back(codes.back() + ":" + commodities_[pair.commodity].code);
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

std::string Planner::type_of(Index account, std::size_t line) const {
  const auto declared = declared_.find(account);
  if (declared != declared_.end() && !declared->second->type.empty()) return declared->second->type;
  const std::string& name = file_.accounts[account];
  const std::string_view root = std::string_view(name).substr(0, name.find(':'));
  if (file_.format == Format::beancount)
    for (std::size_t i = 0; i < std::size(standard_types); ++i)
      if (root == file_.roots[i]) return std::string(standard_types[i]);
  struct Word {
    std::string_view root;
    std::string_view type;
  };
  constexpr Word words[] = {{"asset", "asset"},          {"liability", "liability"},
                            {"liabilitie", "liability"}, {"debt", "liability"},
                            {"equity", "equity"},        {"income", "income"},
                            {"revenue", "income"},       {"expense", "expense"}};
  std::string word = lowered(root);
  if (!word.empty() && word.back() == 's') word.pop_back();
  for (const Word& known : words)
    if (word == known.root) return std::string(known.type);
  throw Error(
      Condition::account_type_not_found,
      "line " + std::to_string(line) + ": the type of account " + quoted(name) + " is not known",
      {},
      "Open the account first, or let its name begin with assets, liabilities, equity, income or "
      "expenses.");
}

Plan Planner::plan(const std::unordered_map<std::string, std::string>& existing) {
  Plan plan;
  for (const Commodity& settled : commodities_) {
    PlannedCurrency currency;
    currency.line = settled.line;
    currency.code = settled.code;
    currency.scale = settled.scale;
    currency.is_new = settled.line != 0 && known_.scales.count(settled.code) == 0;
    if (settled.declared != nullptr) currency.title = settled.declared->title;
    plan.currencies.push_back(std::move(currency));
  }
  std::vector<int> commodities_of(file_.accounts.size());
  for (const Pair& pair : pairs_) ++commodities_of[pair.account];
  std::unordered_map<std::string, Index> codes;
  for (Index i = 0; i < pairs_.size(); ++i) {
    const Pair& pair = pairs_[i];
    PlannedAccount account;
    account.line = pair.line;
    account.currency = pair.commodity;
    account.code = code_of(pair, commodities_of[pair.account] == 1, existing);
    const auto [other, is_first] = codes.try_emplace(account.code, i);
    if (!is_first)
      refuse_line(pair.line, "accounts " + quoted(file_.accounts[pairs_[other->second].account]) +
                                 " and " + quoted(file_.accounts[pair.account]) +
                                 " would both be " + quoted(account.code));
    account.is_new = existing.count(account.code) == 0;
    const auto declared = declared_.find(pair.account);
    if (declared != declared_.end()) account.declared = declared->second;
    if (account.is_new) account.type = type_of(pair.account, pair.line);
    if (account.declared != nullptr) account.title = account.declared->title;
    const std::string& name = file_.accounts[pair.account];
    if (!account.title && !file_.exported && name.find(' ') != std::string::npos)
      account.title = name;
    plan.accounts.push_back(std::move(account));
  }
  check_assertions(plan);
  for (Draft& draft : drafts_) {
    if (draft.pieces.empty()) continue;
    PlannedTransaction transaction;
    transaction.source = draft.source;
    for (const Piece& piece : draft.pieces) transaction.lines.push_back({piece.pair, piece.units});
    draft.pieces = {};
    plan.transactions.push_back(std::move(transaction));
  }
  return plan;
}

// Follows the file's balances: hledger and beancount by date, ledger as it is written.
void Planner::check_assertions(Plan& plan) {
  std::vector<std::size_t> order(drafts_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (file_.format != Format::ledger)
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return drafts_[a].source->date < drafts_[b].source->date;
    });
  std::stable_sort(file_.assertions.begin(), file_.assertions.end(),
                   [](const DayAssertion& a, const DayAssertion& b) { return a.date < b.date; });
  std::vector<Index> by_name(file_.accounts.size());
  for (Index i = 0; i < by_name.size(); ++i) by_name[i] = i;
  std::sort(by_name.begin(), by_name.end(),
            [&](Index a, Index b) { return file_.accounts[a] < file_.accounts[b]; });

  std::vector<Units> balances(pairs_.size());
  std::size_t next_day = 0;
  const auto check = [&](const Assertion& assertion) {
    check_assertion(assertion, balances, by_name);
    ++plan.assertions;
  };
  for (const std::size_t i : order) {
    const Draft& draft = drafts_[i];
    // Assertions of a day hold at its start.
    for (; next_day < file_.assertions.size() &&
           !(draft.source->date < file_.assertions[next_day].date);
         ++next_day)
      check(file_.assertions[next_day].assertion);
    const std::vector<FilePosting>& postings = draft.source->postings;
    auto piece = draft.pieces.begin();
    for (std::size_t p = 0; p <= postings.size(); ++p) {
      for (; piece != draft.pieces.end() && piece->posting == p; ++piece)
        add(balances[piece->pair], piece->units, draft.source->line);
      if (p < postings.size() && postings[p].assertion) check(*postings[p].assertion);
    }
  }
  for (; next_day < file_.assertions.size(); ++next_day)
    check(file_.assertions[next_day].assertion);
}

void Planner::check_assertion(const Assertion& assertion, const std::vector<Units>& balances,
                              const std::vector<Index>& by_name) {
  const Index index = assertion.amount.commodity;
  Units found = 0;
  const auto add_balance = [&](Index account) {
    const auto known = pair_indexes_.find(static_cast<std::uint64_t>(account) << 32U | index);
    if (known != pair_indexes_.end()) add(found, balances[known->second], assertion.line);
  };
  add_balance(assertion.account);
  const std::string& name = file_.accounts[assertion.account];
  if (assertion.with_subaccounts) {
    const std::string prefix = name + ":";
    for (auto at = std::lower_bound(
             by_name.begin(), by_name.end(), prefix,
             [&](Index a, const std::string&text) { return file_.accounts[a] < text; });
         at != by_name.end() && starts_with(file_.accounts[*at], prefix); ++at)
      add_balance(*at);
  }
  Commodity& unit = commodity(index);
  const bool is_used = unit.scale >= 0;  // else nothing was posted in it
  const Units stated = is_used ? units_of(assertion.amount.number, index, assertion.line)
                               : assertion.amount.number.units;
  const Decimal& tolerance = assertion.tolerance;
  const bool has_tolerance = is_used && tolerance.units != 0 && tolerance.decimals <= unit.scale;
  const Units allowed = has_tolerance ? units_of(tolerance, index, assertion.line) : 0;
  if (magnitude(found - stated) <= allowed) return;
  const int scale = is_used ? unit.scale : assertion.amount.number.decimals;
  refuse_line(assertion.line, "account " + quoted(name) + " has " + format_units(found, scale) +
                                  " " + file_.commodities[index] +
                                  ", where the journal says that it has " +
                                  format_units(stated, scale));
}

}  // namespace ledgerflow::exchange
