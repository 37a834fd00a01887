// What the client reads from and writes to a server: values of the binary protocol, and errors. Whatever
// bytes come are a value or none; what is written is what PostgreSQL's receive functions read, here read by
// other code than the library's; every error keeps all its fields and becomes the exception of its SQLSTATE.
#include <limits>
#include <vector>

#include "client/connect.hpp"
#include "client/raise.hpp"
#include "client/types.hpp"
#include "client/wire.hpp"
#include "core/amount.hpp"
#include "fuzz.hpp"

namespace {

// An answer of libpq's, without a server: the functions below stand in front of libpq's own.
struct Answer {
  bool connected = true;
  std::string sqlstate, message, detail, hint, whole;
} answer;

const char* nonempty(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

extern "C" {
ConnStatusType PQstatus(const PGconn*) { return answer.connected ? CONNECTION_OK : CONNECTION_BAD; }
char* PQresultErrorField(const PGresult*, int code) {
  const char* field = code == PG_DIAG_SQLSTATE          ? nonempty(answer.sqlstate)
                      : code == PG_DIAG_MESSAGE_PRIMARY ? nonempty(answer.message)
                      : code == PG_DIAG_MESSAGE_DETAIL  ? nonempty(answer.detail)
                      : code == PG_DIAG_MESSAGE_HINT    ? nonempty(answer.hint)
                                                        : nullptr;
  return const_cast<char*>(field);
}
char* PQresultErrorMessage(const PGresult*) { return answer.whole.data(); }
char* PQerrorMessage(const PGconn*) { return answer.whole.data(); }
}

namespace ledgerflow::fuzz {
namespace {

using namespace client;

// Takes numbers in network order off the front, as pq_getmsgint does.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  std::int64_t integer(std::size_t size) {
    const std::string_view bytes = take(size);
    std::int64_t value = 0;
    for (const char byte : bytes) value = value * 256 + static_cast<unsigned char>(byte);
    const std::int64_t end = std::int64_t{1} << (8 * size);
    return value < end / 2 ? value : value - end;
  }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) is_short_ = true;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  bool is_short() const { return is_short_; }
  bool is_over() const { return rest_.empty() && !is_short_; }

 private:
  std::string_view rest_;
  bool is_short_ = false;  // more was asked for than there is
};

// array_recv: the elements, or nothing for NULL.
std::vector<std::optional<std::string>> received_array(std::string_view bytes, unsigned type) {
  Message message(bytes);
  const std::int64_t dimensions = message.integer(4);
  const std::int64_t flags = message.integer(4);
  expect(dimensions <= 1 && (flags == 0 || flags == 1), "an array's head");
  expect(message.integer(4) == type, "an array's type");
  std::vector<std::optional<std::string>> elements;
  if (dimensions == 1) {
    elements.resize(static_cast<std::size_t>(message.integer(4)));
    expect(message.integer(4) == 1, "an array begins at 1");
  }
  for (auto& element : elements) {
    const std::int64_t size = message.integer(4);
    if (size >= 0) element = message.take(static_cast<std::size_t>(size));
  }
  expect(message.is_over(), "nothing follows an array");
  return elements;
}

// The texts of an array as array_recv finds them; nothing when it would not.
std::optional<std::vector<std::string>> received_texts(std::string_view bytes) {
  Message message(bytes);
  const std::int64_t dimensions = message.integer(4);
  if (message.is_short() || dimensions < 0 || dimensions > 1) return std::nullopt;
  std::vector<std::string> texts;
  if (dimensions == 0) return texts;
  message.take(8);  // flags and type
  const std::int64_t count = message.integer(4);
  message.take(4);  // lower bound
  for (std::int64_t i = 0; i < count && !message.is_short(); ++i) {
    const std::int64_t size = message.integer(4);
    if (size < 0) return std::nullopt;
    texts.emplace_back(message.take(static_cast<std::size_t>(size)));
  }
  if (message.is_short() || count < 0) return std::nullopt;
  return texts;
}

// numeric_recv, then numeric_out.
std::string received_numeric(std::string_view bytes) {
  Message message(bytes);
  const std::int64_t count = message.integer(2);
  const std::int64_t weight = message.integer(2);
  const std::int64_t sign = message.integer(2);
  const std::int64_t scale = message.integer(2);
  expect(sign == 0 || sign == 0x4000, "a number has a sign");
  std::string whole, decimals;
  for (std::int64_t i = weight + 1; i < 0; ++i) decimals += "0000";
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t digit = message.integer(2);
    expect(digit >= 0 && digit < 10000, "digits are below 10000");
    const std::string group = std::to_string(10000 + digit).substr(1);
    (i <= weight ? whole : decimals) += group;
  }
  for (std::int64_t i = count; i <= weight; ++i) whole += "0000";
  expect(message.is_over(), "nothing follows a number");
  whole.erase(0, whole.find_first_not_of('0'));
  decimals.resize(static_cast<std::size_t>(scale), '0');
  return (sign != 0 ? "-" : "") + (whole.empty() ? "0" : whole) +
         (decimals.empty() ? "" : "." + decimals);
}

Amount any_amount(Source& source) {
  client::Units units = source.ConsumeIntegral<std::int64_t>();
  if (source.ConsumeBool()) units *= source.ConsumeIntegral<std::int64_t>();
  return Amount::from_minor_units(units % (ledgerflow::max_units + 1),
                                  source.ConsumeIntegralInRange(0, client::max_scale));
}

std::string_view value_of(const Parameters& parameters, int i) {
  expect(parameters.formats()[i] == 1 && parameters.values()[i] != nullptr, "all is binary");
  return {parameters.values()[i], static_cast<std::size_t>(parameters.lengths()[i])};
}

void send_lines(Source& source) {
  const std::size_t cut = source.ConsumeIntegral<std::uint16_t>();
  std::vector<client::Line> lines;
  while (source.remaining_bytes() > 0 && lines.size() < 20)
    lines.push_back({text(source), any_amount(source)});
  Parameters parameters;
  parameters.add_lines(lines);
  expect(parameters.count() == 2, "two arrays");
  const auto accounts = received_array(value_of(parameters, 0), type::text);
  const auto amounts = received_array(value_of(parameters, 1), type::numeric);
  expect(accounts.size() == lines.size() && amounts.size() == lines.size(), "every line is sent");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    expect(accounts[i] == lines[i].account, "an account is sent as it is", lines[i].account);
    expect(received_numeric(*amounts[i]) == lines[i].amount.to_string(), "and an amount",
           lines[i].amount.to_string());
    texts.push_back(lines[i].account);
  }
  expect(decode_texts(value_of(parameters, 0)) == texts, "texts come back as they went");
  std::string changed(value_of(parameters, 0));
  changed.resize(cut % (changed.size() + 1));
  if (changed.size() > 20) changed[20 + cut / 7 % (changed.size() - 20)] ^= 5;
  expect(decode_texts(changed) == received_texts(changed), "a part of an array is none");
}

void send_values(Source& source) {
  Parameters parameters;
  const Amount amount = any_amount(source);
  parameters.add_numeric(amount);
  const auto read = decode_numeric(value_of(parameters, 0));
  expect(read && *read == amount && read->scale() == amount.scale(), "amounts come back");
  const auto number = source.ConsumeIntegral<std::int64_t>();
  parameters.add_bigint(number);
  expect(decode_bigint(value_of(parameters, 1)) == number, "numbers come back");
  const Timestamp time{std::chrono::microseconds(source.ConsumeIntegral<std::int64_t>())};
  try {
    parameters.add_timestamp(time);
    expect(decode_timestamp(value_of(parameters, 2)) == time, "times come back");
  } catch (const RefusedFor<client::Condition::invalid_effective_at>&) {
    expect(time.time_since_epoch().count() < std::numeric_limits<std::int64_t>::min() / 2,
           "only times that PostgreSQL cannot keep are refused");
  }
}

// Any bytes: a value that comes back when it is sent, or none.
void receive(const std::string& bytes) {
  if (const auto id = decode_uuid(bytes)) {
    Parameters again;
    again.add_id(*id);
    expect(value_of(again, 0) == bytes, "ids come back");
    expect(client::TransactionId::from_string(id->to_string()) == id, "as texts too");
  }
  if (const auto amount = decode_numeric(bytes)) {
    Parameters again;
    again.add_numeric(*amount);
    expect(received_numeric(value_of(again, 0)) == amount->to_string(), "amounts come back");
    expect(decode_numeric(value_of(again, 0)) == amount, "amounts come back");
  }
  expect(decode_texts(bytes) == received_texts(bytes), "texts are read as the server writes them");
  if (const auto texts = decode_texts(bytes)) {
    Array array(type::text, texts->size());
    for (const std::string& one : *texts) array.add_text(one);
    expect(decode_texts(array.take()) == texts, "texts come back");
  }
  expect(decode_bigint(bytes).has_value() == (bytes.size() == 8), "numbers have their size");
  expect(decode_integer(bytes).has_value() == (bytes.size() == 4), "numbers have their size");
  if (const auto time = decode_timestamp(bytes)) {
    Parameters again;
    again.add_timestamp(*time);
    expect(value_of(again, 0) == bytes, "times come back");
  }
}

template <typename Kind>
bool is(const client::Error& error) {
  return dynamic_cast<const Kind*>(&error) != nullptr;
}

void fail(Source& source) {
  static constexpr const char* states[] = {"40001", "40P01", "57P01", "57P03", "57014",
                                           "08006", "LF040", "LF047", "LF999", "XX000"};
  const auto line = [&] {
    std::string words = text(source);
    return words.substr(0, words.find('\0'));
  };
  answer = {source.ConsumeIntegralInRange(0, 4) != 0,
            source.ConsumeBool() ? source.PickValueInArray(states) : line().substr(0, 5),
            line(),
            line(),
            line(),
            line()};
  const bool committing = source.ConsumeBool();
  const std::string& state = answer.sqlstate;
  try {
    raise_failed(nullptr, nullptr, committing);
  } catch (const client::Error& error) {
    const bool is_over =
        !answer.connected || state.substr(0, 2) == "08" ||
        (state.substr(0, 4) == "57P0" && state >= "57P01" && state <= "57P03" && state.size() == 5);
    expect(is<ConnectionError>(error) == is_over, "a lost connection is told", state);
    if (const auto* lost = dynamic_cast<const ConnectionError*>(&error))
      expect(lost->outcome_unknown() == committing, "and what may have come of the request");
    else
      expect(error.connection_usable(), "the others leave it");
    expect(is<SerializationFailure>(error) == (!is_over && state == "40001"), "conflicts", state);
    expect(is<Deadlock>(error) == (!is_over && state == "40P01"), "deadlocks", state);
    expect(is<Refused>(error) == (!is_over && state.substr(0, 2) == "LF"), "refusals", state);
    expect(is<RefusedFor<client::Condition::insufficient_balance>>(error) ==
               (!is_over && state == "LF040"),
           "each by its condition", state);
    expect(error.condition() == condition_from_sqlstate(state), "its condition", state);
    expect(state.empty() ? error.sqlstate().size() == 5 : error.sqlstate() == state, "its state");
    expect(answer.message.empty() ? !error.message().empty() : error.message() == answer.message,
           "its message", answer.message);
    expect(error.detail() == answer.detail && error.hint() == answer.hint, "detail and hint");
    expect(std::string_view(error.what()).find(error.message()) != std::string_view::npos,
           "all of it in one text", error.what());
    return;
  }
  expect(false, "a failure is thrown");
}

void versions(Source& source) {
  const auto version = [&] {
    std::string words = text(source, 12);
    return words.substr(0, words.find('\0'));
  };
  const std::string a = version(), b = version(), c = version();
  expect(compare_versions(a, b) == -compare_versions(b, a), "versions have an order", a);
  expect(compare_versions(a, a) == 0, "a version is itself", a);
  if (compare_versions(a, b) <= 0 && compare_versions(b, c) <= 0)
    expect(compare_versions(a, c) <= 0, "versions have one order", a + " " + b + " " + c);
}

}  // namespace
}  // namespace ledgerflow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ledgerflow::fuzz;
  Source source(data, size);
  switch (source.ConsumeIntegralInRange(0, 5)) {
    case 0:
      send_lines(source);
      break;
    case 1:
      send_values(source);
      break;
    case 2:
      fail(source);
      break;
    case 3:
      versions(source);
      break;
    default:
      receive(source.ConsumeRemainingBytesAsString());
  }
  return 0;
}
