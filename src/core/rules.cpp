#include "core/rules.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

#include "core/store.hpp"

namespace ledgerflow {

namespace {

constexpr const char* hold_status_names[] = {"pending", "captured", "released", "expired"};
constexpr const char* status_names[] = {"open", "debits_frozen", "credits_frozen", "frozen",
                                        "closed"};

bool is_code_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '@' || c == '+' || c == '/';
}

void check_length(std::optional<std::string_view> text, std::size_t smallest, std::size_t largest,
                  Condition condition, const char* what) {
  if (!text || (text->size() >= smallest && text->size() <= largest)) return;
  throw Error(
      condition,
      text->empty() ? std::string(what) + " must not be empty" : std::string(what) + " is too long",
      "It has " + std::to_string(text->size()) + " bytes; " + std::to_string(smallest) + " to " +
          std::to_string(largest) + " are allowed.");
}

// Why a balance may go no further in one direction.
Refusal limit_refusal(const Balance& before, const Balance& after, bool floor) {
  const Account& account = *after.account;
  const Units was = floor ? available_balance(before) : committed_balance(before);
  const Units is = floor ? available_balance(after) : committed_balance(after);
  const Units limit = floor ? *after.min_balance : *after.max_balance;
  const Units reserved = floor ? posted_balance(before) - was : was - posted_balance(before);
  const Units room = std::max<Units>(floor ? was - limit : limit - was, 0);
  return {floor ? Condition::insufficient_balance : Condition::limit_exceeded,
          (floor ? "insufficient balance on account " : "limit exceeded on account ") +
              quoted(account.code),
          "Balance " + money(posted_balance(before), account) + ", reserved " +
              money(reserved, account) + (floor ? ", floor " : ", ceiling ") +
              money(limit, account) + "; the posting moves " +
              money(floor ? was - is : is - was, account) + ", and at most " +
              money(room, account) + " would have passed.",
          {}};
}

}  // namespace

const char* to_string(Status status) { return status_names[static_cast<std::size_t>(status)]; }

std::optional<Status> status_from_string(std::string_view text) {
  for (std::size_t i = 0; i < std::size(status_names); ++i)
    if (text == status_names[i]) return static_cast<Status>(i);
  return std::nullopt;
}

const char* to_string(HoldStatus status) {
  return hold_status_names[static_cast<std::size_t>(status)];
}

std::optional<HoldStatus> hold_status_from_string(std::string_view text) {
  for (std::size_t i = 0; i < std::size(hold_status_names); ++i)
    if (text == hold_status_names[i]) return static_cast<HoldStatus>(i);
  return std::nullopt;
}

Units posted_balance(const Balance& balance) {
  return balance.account->normal_side == Side::debit ? net_debit(balance) : -net_debit(balance);
}

Units available_balance(const Balance& balance) {
  return posted_balance(balance) - (balance.account->normal_side == Side::debit
                                        ? balance.credits_pending
                                        : balance.debits_pending);
}

Units committed_balance(const Balance& balance) {
  return posted_balance(balance) + (balance.account->normal_side == Side::debit
                                        ? balance.debits_pending
                                        : balance.credits_pending);
}

bool is_account_code(std::string_view code) {
  if (code.empty() || code.size() > max_code_length) return false;
  bool in_segment = false;
  for (const char c : code) {
    if (c == ':') {
      if (!in_segment) return false;
      in_segment = false;
    } else {
      if (!is_code_character(c)) return false;
      in_segment = true;
    }
  }
  return in_segment;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t shown = 100;
  if (text.size() <= shown) return std::string(text);
  std::size_t end = shown;
  // Never cut inside a UTF-8 sequence.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string quoted(std::string_view text) { return "\"" + shortened(text) + "\""; }

std::string format_time(std::int64_t unix_micros) {
  constexpr std::int64_t micros_per_second = 1000000;
  constexpr std::int64_t seconds_per_day = 86400;
  std::int64_t seconds = unix_micros / micros_per_second;
  std::int64_t micros = unix_micros % micros_per_second;
  if (micros < 0) {
    micros += micros_per_second;
    --seconds;
  }
  std::int64_t days = seconds / seconds_per_day;
  std::int64_t second_of_day = seconds % seconds_per_day;
  if (second_of_day < 0) {
    second_of_day += seconds_per_day;
    --days;
  }
  // Days to a civil date in the proleptic Gregorian calendar, by eras of 400 years from March 1.
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  char text[64];
  std::snprintf(text, sizeof text, "%04lld-%02lld-%02lld %02lld:%02lld:%02lld.%06lld+00",
                static_cast<long long>(year), static_cast<long long>(month),
                static_cast<long long>(day), static_cast<long long>(second_of_day / 3600),
                static_cast<long long>(second_of_day / 60 % 60),
                static_cast<long long>(second_of_day % 60), static_cast<long long>(micros));
  return text;
}

std::string money(Units units, const Account& account) {
  return format_units(units, account.scale) + " " + account.currency;
}

void refuse_amount(AmountStatus status, std::string_view text, std::string_view currency,
                   int scale) {
  const std::string amount(text.substr(0, 80));
  const std::string unit(currency);
  switch (status) {
    case AmountStatus::too_many_decimals:
      throw Error(Condition::invalid_amount,
                  "amount " + amount + " has too many decimals for " + unit,
                  unit + " has " + std::to_string(scale) + " decimals; amounts are never rounded.");
    case AmountStatus::not_finite:
      throw Error(Condition::invalid_amount, "amount " + amount + " is not a finite number");
    case AmountStatus::too_large:
      throw Error(Condition::invalid_amount, "amount " + amount + " " + unit + " is too large");
    default:
      throw Error(Condition::invalid_amount, "amount " + amount + " is not a number");
  }
}

void check_postable(Units units, const Account& account) {
  if (units == 0) throw Error(Condition::invalid_amount, "amount must not be zero");
  if (!is_postable(units, account.scale))
    refuse_amount(AmountStatus::too_large, format_units(units, account.scale), account.currency,
                  account.scale);
}

void check_texts(const Posting& posting) {
  check_length(posting.idempotency_key, 1, max_key_length, Condition::invalid_idempotency_key,
               "idempotency key");
  check_length(posting.reference, 1, max_reference_length, Condition::invalid_reference,
               "reference");
  check_length(posting.description, 0, max_text_length, Condition::invalid_description,
               "description");
  check_length(posting.metadata, 0, max_metadata_length, Condition::invalid_metadata, "metadata");
}

std::optional<Refusal> check_lines(const Line* lines, std::size_t count) {
  if (count < 2)
    return Refusal{Condition::too_few_lines,
                   "a transaction needs at least two lines",
                   "It has " + std::to_string(count) + ".",
                   {}};
  if (count > max_lines)
    return Refusal{Condition::too_many_lines,
                   "a transaction has too many lines",
                   "It has " + std::to_string(count) + "; at most " + std::to_string(max_lines) +
                       " are allowed.",
                   {}};
  const Line& first = lines[0];
  if (std::all_of(lines, lines + count,
                  [&](const Line& line) { return line.account->id == first.account->id; }))
    return Refusal{Condition::same_account,
                   "debit and credit are the same account " + quoted(first.account->code),
                   {},
                   {}};

  if (count == 2 && first.account->currency == lines[1].account->currency &&
      first.amount == -lines[1].amount)
    return std::nullopt;

  struct Sum {
    Units units = 0;
    const Account* account = nullptr;
  };
  std::map<std::string_view, Sum> sums;
  for (std::size_t i = 0; i < count; ++i) {
    Sum& sum = sums[lines[i].account->currency];
    sum.account = lines[i].account;
    if (!add_units(sum.units, lines[i].amount))
      return Refusal{
          Condition::balance_out_of_range, "the sum of a transaction's lines is too large", {}, {}};
  }
  const Sum* worst = nullptr;
  bool debit_left = false;
  bool credit_left = false;
  for (const auto& entry : sums) {
    if (entry.second.units == 0) continue;
    if (worst == nullptr) worst = &entry.second;
    (entry.second.units > 0 ? debit_left : credit_left) = true;
  }
  if (worst == nullptr) return std::nullopt;
  const std::string currency = worst->account->currency;
  const std::string difference = "In " + currency + " debits less credits is " +
                                 format_units(worst->units, worst->account->scale) + ".";
  if (debit_left && credit_left)
    return Refusal{Condition::currency_mismatch,
                   "amounts of different currencies cannot balance each other",
                   difference,
                   {}};
  return Refusal{Condition::unbalanced_transaction,
                 "transaction does not balance in " + currency,
                 difference,
                 {}};
}

std::optional<Refusal> check_status(const Balance& balance, bool debit) {
  if (balance.status == Status::open) return std::nullopt;
  const std::string name = "account " + quoted(balance.account->code);
  switch (balance.status) {
    case Status::open:
      return std::nullopt;
    case Status::closed:
      return Refusal{Condition::account_closed, name + " is closed", {}, {}};
    case Status::debits_frozen:
      if (!debit) return std::nullopt;
      break;
    case Status::credits_frozen:
      if (debit) return std::nullopt;
      break;
    case Status::frozen:
      break;
  }
  return Refusal{Condition::account_frozen,
                 name + " is frozen",
                 std::string("Its status is ") + to_string(balance.status) + "; the posting " +
                     (debit ? "debits" : "credits") + " it.",
                 {}};
}

bool apply_amount(Balance& balance, Units amount) {
  // Posted and pending together stay within 38 digits, so that no difference of totals overflows.
  Units& posted = amount > 0 ? balance.debits_posted : balance.credits_posted;
  Units total = amount > 0 ? balance.debits_pending : balance.credits_pending;
  const Units magnitude = amount > 0 ? amount : -amount;
  if (!add_units(total, posted) || !add_units(total, magnitude)) return false;
  posted += magnitude;
  ++balance.version;
  balance.changed = true;
  return true;
}

bool reserve_amount(Balance& balance, Units amount) {
  Units& pending = amount > 0 ? balance.debits_pending : balance.credits_pending;
  Units total = amount > 0 ? balance.debits_posted : balance.credits_posted;
  const Units magnitude = amount > 0 ? amount : -amount;
  if (!add_units(total, pending) || !add_units(total, magnitude)) return false;
  pending += magnitude;
  return true;
}

std::optional<Refusal> check_limits(const Balance& before, const Balance& after) {
  if (after.min_balance && available_balance(after) < *after.min_balance &&
      available_balance(after) < available_balance(before))
    return limit_refusal(before, after, true);
  if (after.max_balance && committed_balance(after) > *after.max_balance &&
      committed_balance(after) > committed_balance(before))
    return limit_refusal(before, after, false);
  return std::nullopt;
}

std::optional<Refusal> check_new_limits(const Balance& balance) {
  const Account& account = *balance.account;
  if (balance.min_balance && balance.max_balance && *balance.min_balance > *balance.max_balance)
    return Refusal{Condition::invalid_limits,
                   "min_balance is above max_balance",
                   "min_balance " + money(*balance.min_balance, account) + ", max_balance " +
                       money(*balance.max_balance, account) + ".",
                   {}};
  const Units available = available_balance(balance);
  const Units committed = committed_balance(balance);
  if (balance.min_balance && available < *balance.min_balance)
    return Refusal{Condition::insufficient_balance,
                   "account " + quoted(account.code) + " is below the new min_balance already",
                   "Available " + money(available, account) + ", new floor " +
                       money(*balance.min_balance, account) + ".",
                   "Set a floor that the account keeps, or move money first."};
  if (balance.max_balance && committed > *balance.max_balance)
    return Refusal{Condition::limit_exceeded,
                   "account " + quoted(account.code) + " is above the new max_balance already",
                   "Balance with what is pending " + money(committed, account) + ", new ceiling " +
                       money(*balance.max_balance, account) + ".",
                   "Set a ceiling that the account keeps, or move money first."};
  return std::nullopt;
}

std::optional<Refusal> compare_with_stored(const Posting& posting, const Line* lines,
                                           const StoredTransaction& stored, Store& store) {
  const auto conflict = [&](const std::string& field, const std::string& had,
                            const std::string& sent) {
    return Refusal{Condition::idempotency_conflict,
                   "idempotency key " + quoted(*posting.idempotency_key) +
                       " was used for a different request: " + field + " differs",
                   "Stored " + field + ": " + had + "; sent: " + sent + ".",
                   {}};
  };
  const auto shown = [](const auto& text) { return text ? quoted(*text) : std::string("none"); };

  if (posting.line_count != stored.entries.size())
    return conflict("number of lines", std::to_string(stored.entries.size()),
                    std::to_string(posting.line_count));
  const bool transfer = posting.line_count == 2 && lines[0].amount > 0 && lines[1].amount < 0;
  for (std::size_t i = 0; i < posting.line_count; ++i) {
    const auto& entry = stored.entries[i];
    const std::string line = "line " + std::to_string(i + 1) + " ";
    if (entry.account->id != lines[i].account->id)
      return conflict(transfer ? (i == 0 ? "debit account" : "credit account") : line + "account",
                      quoted(entry.account->code), quoted(lines[i].account->code));
    if (entry.amount != lines[i].amount)
      return conflict(transfer ? "amount" : line + "amount", money(entry.amount, *lines[i].account),
                      money(lines[i].amount, *lines[i].account));
  }
  if (posting.reference != stored.reference)
    return conflict("reference", shown(stored.reference), shown(posting.reference));
  if (posting.description != stored.description)
    return conflict("description", shown(stored.description), shown(posting.description));
  // A request that named no effective time was given the time of posting.
  if (posting.effective_at.value_or(time_of(stored.id)) !=
      stored.effective_at.value_or(time_of(stored.id)))
    return conflict("effective_at",
                    stored.effective_at ? format_time(*stored.effective_at) : "none",
                    posting.effective_at ? format_time(*posting.effective_at) : "none");
  if (posting.metadata.has_value() != stored.metadata.has_value() ||
      (posting.metadata && !store.same_json(*posting.metadata, *stored.metadata)))
    return conflict("metadata", stored.metadata ? store.show_json(*stored.metadata) : "none",
                    posting.metadata ? store.show_json(*posting.metadata) : "none");
  return std::nullopt;
}

}  // namespace ledgerflow
