// ledger_import: a journal of another program, posted as a whole.
#include "core/import_plan.hpp"
#include "ext/accounts.hpp"
#include "ext/heap_store.hpp"
#include "ext/journal_values.hpp"
#include "ext/spi_rows.hpp"

namespace ledgerflow {

namespace {

using namespace exchange;

constexpr const char* scales_query = "SELECT code, scale FROM {ledger}.currencies";
constexpr const char* existing_query =
    "SELECT code, currency FROM {ledger}.accounts WHERE code OPERATOR(pg_catalog.=) ANY ($1)";
constexpr const char* insert_currency_statement =
    "INSERT INTO {ledger}.currencies (code, scale, name) VALUES ($1, $2, $3)";

// Enough to make the fixed costs of a batch small, little enough to keep its memory small.
constexpr std::size_t lines_of_batch = 20000;

struct Request {
  std::string_view journal;
  Format format = Format::hledger;
  std::optional<std::string_view> key_prefix;
  bool open_accounts = true;
  bool add_currencies = true;
  Known known;
};

struct Counts {
  std::int64_t transactions = 0;
  std::int64_t replayed = 0;
  std::int64_t entries = 0;
  std::int64_t accounts = 0;
  std::int64_t currencies = 0;
  std::int64_t balances = 0;
};

// An argument like {"Bank": "assets:bank"}.
void read_names(FunctionCallInfo fcinfo, int number, const char* argument,
                std::unordered_map<std::string, std::string>& names) {
  if (PG_ARGISNULL(number)) return;
  const JsonMembers members = pg_call([&] {
    Jsonb* json = PG_GETARG_JSONB_P(number);
    return JB_ROOT_IS_OBJECT(json) ? members_of(json) : JsonMembers{nullptr, 0};
  });
  if (members.members == nullptr)
    throw Error(Condition::invalid_argument,
                std::string("argument ") + argument + " must be a JSON object");
  for (std::size_t i = 0; i < members.count; ++i) {
    const JsonMember& member = members.members[i];
    const std::string key(member.key, member.key_size);
    if (!member.is_text)
      throw Error(Condition::invalid_argument,
                  std::string("argument ") + argument + " has no text for " + quoted(key));
    names[key] = std::string(member.value, member.value_size);
  }
}

// Runs a step for a line of the journal; a refusal then names the line.
template <typename Step>
auto at_line(std::size_t line, Step&& step) -> decltype(step()) {
  try {
    return step();
  } catch (const Error& error) {
    Refusal refusal = error.refusal();
    refusal.message = "line " + std::to_string(line) + ": " + refusal.message;
    throw Error(std::move(refusal));
  }
}

void show_line(void* line) {
  errcontext("line %zu of the journal", *static_cast<const std::size_t*>(line));
}

// A whole jsonb value of this text.
std::string_view json_value(const std::string& text, std::size_t line) {
  return pg_call([&] {
    ErrorContextCallback context;
    context.callback = show_line;
    context.arg = &line;
    context.previous = error_context_stack;
    error_context_stack = &context;
    const Datum json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text.c_str()));
    return std::string_view(DatumGetPointer(json), VARSIZE(DatumGetPointer(json)));
  });
}

// Hexadecimal digits of a text's SHA-256, the first half: enough to tell transactions apart.
std::string digest_of(const std::string& text) {
  constexpr std::size_t bytes = 16;
  const char* digest = pg_call([&] {
    const Datum hash = DirectFunctionCall1(sha256_bytea, new_text(text));
    return VARDATA_ANY(DatumGetPointer(hash));
  });
  std::string digits;
  for (std::size_t i = 0; i < bytes; ++i) {
    constexpr char hex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(digest[i]);
    digits.push_back(hex[byte >> 4U]);
    digits.push_back(hex[byte & 15U]);
  }
  return digits;
}

class Import {
 public:
  Import(Call& call, Request& request) : call_(call), ledger_(call.ledger()), request_(request) {}

  Counts run(const char* ledger_name) {
    call_.as_owner([&] { make_plan(); });
    check_privileges(ledger_name);
    call_.as_owner([&] {
      add_currencies();
      open_accounts();
      post();
    });
    counts_.balances = static_cast<std::int64_t>(plan_.assertions);
    return counts_;
  }

 private:
  void make_plan() {
    file_ = read_file(request_.format, request_.journal);
    read_pairs(scales_query, nullptr, [&](const std::string& code, Datum scale) {
      request_.known.scales[code] = scale_of(scale);
    });
    Planner planner(file_, request_.known);
    std::unordered_map<std::string, std::string> existing;
    const std::vector<std::string> codes = planner.candidate_codes();
    const Datum parameter = pg_call([&] {
      auto* values = static_cast<Datum*>(palloc((codes.size() + 1) * sizeof(Datum)));
      for (std::size_t i = 0; i < codes.size(); ++i) values[i] = new_text(codes[i]);
      return array_of(values, codes.size(), TEXTOID);
    });
    read_pairs(existing_query, &parameter, [&](const std::string& code, Datum currency) {
      existing[code] = std::string(view_of(currency));
    });
    plan_ = planner.plan(existing);
  }

  // The rows of a query for a text and another value.
  template <typename Take>
  void read_pairs(const char* query, const Datum* parameter, Take&& take) {
    static constexpr Oid types[] = {TEXTARRAYOID};
    SPIPlanPtr plan = ledger_.plan(query, parameter != nullptr ? 1 : 0, types);
    pg_call([&] { execute(plan, SPI_OK_SELECT, parameter); });
    SPITupleTable* table = SPI_tuptable;
    const std::uint64_t count = SPI_processed;
    for (std::uint64_t i = 0; i < count; ++i) {
      Datum values[2];
      pg_call([&] {
        for (int column = 0; column < 2; ++column) {
          bool is_null = false;
          values[column] = SPI_getbinval(table->vals[i], table->tupdesc, column + 1, &is_null);
          if (is_null) raise_damaged("a code of the ledger is NULL");
          if (TupleDescAttr(table->tupdesc, column)->attlen == -1)
            values[column] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[column]));
        }
      });
      take(std::string(view_of(values[0])), values[1]);
    }
  }

  // Opening accounts and adding currencies take what they take by themselves.
  void check_privileges(const char* ledger_name) {
    for (const PlannedCurrency& currency : plan_.currencies) {
      if (!currency.is_new) continue;
      if (!request_.add_currencies)
        throw Error(Condition::currency_not_found, "line " + std::to_string(currency.line) +
                                                       ": currency " + quoted(currency.code) +
                                                       " does not exist");
      counts_.currencies += 1;
    }
    for (const PlannedAccount& account : plan_.accounts) {
      if (!account.is_new) continue;
      if (!request_.open_accounts)
        throw Error(Condition::account_not_found, "line " + std::to_string(account.line) +
                                                      ": account " + quoted(account.code) +
                                                      " does not exist");
      counts_.accounts += 1;
    }
    if (counts_.currencies > 0)
      Call("ledger_import()", ledger_name, Table::currencies, ACL_INSERT).finish();
    if (counts_.accounts > 0)
      Call("ledger_import()", ledger_name, Table::accounts, ACL_INSERT).finish();
  }

  void add_currencies() {
    static constexpr Oid types[] = {TEXTOID, INT2OID, TEXTOID};
    SPIPlanPtr plan = ledger_.plan(insert_currency_statement, 3, types);
    for (const PlannedCurrency& currency : plan_.currencies) {
      if (!currency.is_new) continue;
      pg_call([&] {
        const Datum values[] = {new_text(currency.code),
                                Int16GetDatum(static_cast<std::int16_t>(currency.scale)),
                                currency.title ? new_text(*currency.title) : Datum{0}};
        const char nulls[] = {' ', ' ', null_flag(!currency.title), '\0'};
        execute(plan, SPI_OK_INSERT, values, nulls);
      });
    }
  }

  void open_accounts() {
    std::vector<std::string_view> codes;
    for (const PlannedAccount& account : plan_.accounts) {
      codes.push_back(account.code);
      if (account.is_new) at_line(account.line, [&] { open(account); });
    }
    ledger_.load_accounts(codes);
    for (const std::string_view code : codes) accounts_.push_back(&ledger_.find_account(code));
  }

  void open(const PlannedAccount& account) {
    OpenRequest open;
    open.code = account.code;
    open.type = account.type;
    open.currency = plan_.currencies[account.currency].code;
    if (account.title) open.name = *account.title;
    if (account.declared != nullptr && !account.declared->metadata.empty())
      open.metadata = json_value(account.declared->metadata.object(), account.declared->line);
    check_open_request(open);
    open_account(call_, open);
  }

  void post() {
    const MemoryContext memory = pg_call([] {
      return AllocSetContextCreate(CurrentMemoryContext, "ledgerflow import",
                                   ALLOCSET_DEFAULT_SIZES);
    });
    for (std::size_t first = 0; first < plan_.transactions.size();) {
      std::size_t last = first;
      for (std::size_t lines = 0; last < plan_.transactions.size() && lines < lines_of_batch;
           ++last)
        lines += plan_.transactions[last].lines.size();
      const MemoryContext caller = MemoryContextSwitchTo(memory);
      post_batch(first, last);
      MemoryContextSwitchTo(caller);
      pg_call([&] {
        MemoryContextReset(memory);
        CHECK_FOR_INTERRUPTS();
      });
      first = last;
    }
  }

  // A store keeps things in the memory of its batch, so each batch has its own.
  void post_batch(std::size_t first, std::size_t last) {
    const std::unique_ptr<SpiStore> store = choose_store(call_);
    std::vector<Item> items(last - first);
    std::vector<std::string> keys(last - first);
    for (std::size_t i = first; i < last; ++i) {
      const PlannedTransaction& planned = plan_.transactions[i];
      const FileTransaction& source = *planned.source;
      Item& item = items[i - first];
      item.number = source.line;
      item.posting.effective_at =
          source.effective_at ? *source.effective_at : start_of(source.date);
      if (source.reference) item.posting.reference = *source.reference;
      if (source.description) item.posting.description = *source.description;
      if (!source.metadata.empty())
        item.posting.metadata = json_value(source.metadata.object(), source.line);
      for (const PlannedLine& line : planned.lines) {
        const Account& account = *accounts_[line.account];
        at_line(source.line, [&] { check_postable(line.amount, account); });
        item.lines.push_back({&account, line.amount});
      }
      if (request_.key_prefix) {
        keys[i - first] = key_of(planned, item);
        item.posting.idempotency_key = keys[i - first];
      }
    }
    post_all(*store, items, Mode::atomic, {"line", 1, true});
    store->finish();
    for (const Item& item : items) {
      if (item.outcome.replayed) {
        counts_.replayed += 1;
        continue;
      }
      counts_.transactions += 1;
      counts_.entries += static_cast<std::int64_t>(item.lines.size());
    }
  }

  std::int64_t start_of(const Date& date) {
    if (!last_day_ || date < *last_day_ || *last_day_ < date) {
      last_day_ = date;
      last_start_ = start_of_day(date);
    }
    return last_start_;
  }

  // By the id that the transaction had, or by all that it is; what occurs again gets a number.
  std::string key_of(const PlannedTransaction& planned, const Item& item) {
    const std::string prefix(*request_.key_prefix);
    const FileTransaction& source = *planned.source;
    if (!source.id.empty()) return prefix + source.id;
    std::string content = std::to_string(*item.posting.effective_at);
    const auto add = [&](std::string_view part) {
      content += "\n" + std::to_string(part.size()) + " ";
      content += part;
    };
    add(source.reference.value_or(""));
    add(source.description.value_or(""));
    add(source.metadata.object());
    for (const Line& line : item.lines)
      add(line.account->code + " " + format_units(line.amount, line.account->scale));
    const std::string digest = digest_of(content);
    const std::size_t occurrence = ++occurrences_[digest];
    return prefix + digest + (occurrence > 1 ? "-" + std::to_string(occurrence) : "");
  }

  Call& call_;
  Ledger& ledger_;
  Request& request_;
  File file_;
  Plan plan_;
  std::vector<const Account*> accounts_;
  std::unordered_map<std::string, std::size_t> occurrences_;
  std::optional<Date> last_day_;
  std::int64_t last_start_ = 0;
  Counts counts_;
};

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_import);
PGDLLEXPORT Datum ledgerflow_import(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const auto journal = text_argument(fcinfo, 0);
    const auto format = text_argument(fcinfo, 1);
    const auto key_prefix = text_argument(fcinfo, 2);
    const char* ledger_name = name_argument(fcinfo, 7);
    Request request;
    request.key_prefix = key_prefix;
    request.open_accounts = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
    request.add_currencies = PG_ARGISNULL(4) || PG_GETARG_BOOL(4);
    read_names(fcinfo, 5, "accounts", request.known.codes);
    read_names(fcinfo, 6, "commodities", request.known.currencies);
    if (!journal) throw Error(Condition::invalid_argument, "journal must not be NULL");
    request.journal = *journal;
    request.format = format_argument(format);
    Call call("ledger_import()", ledger_name, Table::transactions, ACL_INSERT);
    const Counts counts = Import(call, request).run(ledger_name);
    call.finish();
    return pg_call([&] {
      TupleDesc descriptor = nullptr;
      if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
      Datum values[] = {Int64GetDatum(counts.transactions), Int64GetDatum(counts.replayed),
                        Int64GetDatum(counts.entries),      Int64GetDatum(counts.accounts),
                        Int64GetDatum(counts.currencies),   Int64GetDatum(counts.balances)};
      bool nulls[] = {false, false, false, false, false, false};
      return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
    });
  });
}

}  // extern "C"

}  // namespace ledgerflow
