// Client: any SQL, as text.
#include "calls.hpp"
#include "raise.hpp"

namespace ledgerflow::client {

namespace {

constexpr int text_format = 0;

struct TextParameters {
  std::vector<const char*> values;

  explicit TextParameters(const std::vector<std::optional<std::string>>& given) {
    if (given.size() > most)
      throw Error({sqlstate::program_limit_exceeded,
                   "a statement has more than " + std::to_string(most) + " parameters",
                   {},
                   {}},
                  true);
    for (const auto& value : given) {
      // libpq takes texts up to their first zero byte: nothing is cut off in silence.
      if (value && value->find('\0') != std::string::npos)
        throw Error({sqlstate::character_not_in_repertoire, "a text has a zero byte in it", {}, {}},
                    true);
      values.push_back(value ? value->c_str() : nullptr);
    }
  }

  static constexpr std::size_t most = 65535;  // of the protocol
};

int send(Session& session, const std::string& sql, const TextParameters& parameters) {
  return PQsendQueryParams(session.connection(), sql.c_str(),
                           static_cast<int>(parameters.values.size()), nullptr,
                           parameters.values.data(), nullptr, nullptr, text_format);
}

std::vector<Table::Column> columns_in(const PGresult* result) {
  std::vector<Table::Column> columns;
  for (int i = 0; i < PQnfields(result); ++i)
    columns.push_back({PQfname(result, i), PQftype(result, i)});
  return columns;
}

Table::Row row_in(const PGresult* result, int row) {
  Table::Row values;
  values.reserve(static_cast<std::size_t>(PQnfields(result)));
  for (int i = 0; i < PQnfields(result); ++i) {
    if (PQgetisnull(result, row, i) != 0)
      values.emplace_back();
    else
      values.emplace_back(std::in_place, PQgetvalue(result, row, i),
                          static_cast<std::size_t>(PQgetlength(result, row, i)));
  }
  return values;
}

// Throws when the answer is no rows.
void check_answer(Session& session, const PGresult* result, bool committing) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COPY_OUT)
    throw Error({sqlstate::feature_not_supported,
                 "COPY TO STDOUT is not possible here",
                 {},
                 "Ask for the rows with a query."},
                true);
  if (status != PGRES_TUPLES_OK && status != PGRES_SINGLE_TUPLE && status != PGRES_COMMAND_OK)
    session.fail(result, committing);
}

// Ends the statement under way and takes what is left of its answer.
class StopUnlessDone {
 public:
  explicit StopUnlessDone(Session& session) : session_(session) {}
  StopUnlessDone(const StopUnlessDone&) = delete;
  StopUnlessDone& operator=(const StopUnlessDone&) = delete;
  ~StopUnlessDone() {
    if (done_) return;
    if (PGcancel* const cancel = PQgetCancel(session_.connection())) {
      char message[256];
      PQcancel(cancel, message, sizeof message);
      PQfreeCancel(cancel);
    }
    try {
      session_.receive(1);
    } catch (...) {
      session_.abandon();
    }
  }
  void done() { done_ = true; }

 private:
  Session& session_;
  bool done_ = false;
};

}  // namespace

Table Client::query(const std::string& sql,
                    const std::vector<std::optional<std::string>>& parameters) {
  const TextParameters sent(parameters);
  return channel().attempt(Repeat::no, [&](Session& session) {
    const bool committing = !session.in_transaction();
    const ResultHandle result = session.receive(send(session, sql, sent));
    check_answer(session, result.get(), committing);
    Table table;
    table.columns = columns_in(result.get());
    for (int row = 0; row < PQntuples(result.get()); ++row)
      table.rows.push_back(row_in(result.get(), row));
    return table;
  });
}

void Client::query(const std::string& sql,
                   const std::vector<std::optional<std::string>>& parameters,
                   const std::function<void(const std::vector<Table::Column>&)>& on_columns,
                   const std::function<void(const Table::Row&)>& on_row) {
  const TextParameters sent(parameters);
  bool begun = false;
  // Rows that were handed out cannot be taken back: from the first one on nothing is repeated.
  const auto pass_on = [&](Session& session) {
    const bool committing = !session.in_transaction();
    if (send(session, sql, sent) == 0) session.fail(nullptr, committing);
    PQsetSingleRowMode(session.connection());
    StopUnlessDone stop(session);
    while (ResultHandle result = session.receive_next()) {
      const ExecStatusType status = PQresultStatus(result.get());
      if (status == PGRES_FATAL_ERROR) {
        stop.done();
        session.receive(1);
      }
      check_answer(session, result.get(), committing);
      if (!begun) {
        begun = true;
        if (on_columns) on_columns(columns_in(result.get()));
      }
      if (status == PGRES_SINGLE_TUPLE && on_row) on_row(row_in(result.get(), 0));
    }
    stop.done();
  };
  pass_on(*channel().attempt(Repeat::yes, [&](Session&) { return channel().connected(); }));
}

Table Client::call(std::string_view function, const std::vector<Argument>& arguments) {
  std::string sql = "SELECT * FROM {ext}." + quoted_name(function) + "(";
  std::vector<std::optional<std::string>> values;
  for (const Argument& argument : arguments) {
    values.push_back(argument.value);
    if (values.size() > 1) sql += ", ";
    sql += quoted_name(argument.name) + " => $" + std::to_string(values.size());
  }
  return query(sql_for_schema(sql + ")", channel().session()->quoted_schema()), values);
}

std::string Client::quoted_name(std::string_view name) {
  return quote_identifier(channel().session()->connection(), std::string(name));
}

struct Canceller::Handle {
  PGcancel* cancel = nullptr;

  explicit Handle(PGcancel* from) : cancel(from) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { PQfreeCancel(cancel); }
};

Canceller::Canceller(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Canceller::~Canceller() = default;
Canceller::Canceller(Canceller&& other) noexcept = default;
Canceller& Canceller::operator=(Canceller&& other) noexcept = default;

bool Canceller::cancel() const noexcept {
  char message[256];
  return handle_ != nullptr && handle_->cancel != nullptr &&
         PQcancel(handle_->cancel, message, sizeof message) != 0;
}

Canceller Client::canceller() const {
  return Canceller(
      std::make_unique<Canceller::Handle>(PQgetCancel(channel().session()->connection())));
}

}  // namespace ledgerflow::client
