// CSV as it is exported (RFC 4180): one row for each line of a transaction, rows of a transaction together.
#include <algorithm>
#include <unordered_set>

#include "core/journal_text.hpp"

namespace ledgerflow::exchange {

namespace {

struct Field {
  std::string text;
  bool is_quoted = false;

  // Nothing between two commas is no value; "" is an empty one.
  bool is_missing() const { return text.empty() && !is_quoted; }
};

enum Column : unsigned char {
  transaction,
  line,
  date,
  effective_at,
  account,
  type,
  currency,
  debit,
  credit,
  reference,
  description,
  metadata,
  column_count,
};
constexpr std::string_view column_names[column_count] = {
    "transaction", "line",  "date",   "effective_at", "account",     "type",
    "currency",    "debit", "credit", "reference",    "description", "metadata"};
constexpr Column required[] = {transaction, date, account, currency, debit, credit};
// What all rows of a transaction have in common.
constexpr Column of_transaction[] = {date, effective_at, reference, description};

class CsvReader {
 public:
  CsvReader(std::string_view text, File& file) : text_(text), file_(file) {
    if (starts_with(text_, "\xEF\xBB\xBF")) at_ = 3;
  }

  void run() {
    if (!read_row()) refuse_line(1, "the row with the names of the columns is missing");
    read_header();
    while (read_row()) {
      if (row_.size() == 1 && row_[0].is_missing()) continue;  // an empty line
      if (row_.size() != columns_.size())
        refuse_line(row_line_, "the row has " + std::to_string(row_.size()) +
                                   " fields where the first row has " +
                                   std::to_string(columns_.size()));
      read_line();
    }
    file_.lines = line_;
  }

 private:
  // One row, which may be of several lines; false at the end.
  bool read_row() {
    row_.clear();
    row_line_ = line_;
    if (at_ == text_.size()) return false;
    for (;;) {
      row_.push_back(read_field());
      const char c = at_ < text_.size() ? text_[at_] : '\n';
      if (at_ < text_.size()) ++at_;
      if (c == ',') continue;
      if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
      ++line_;
      return true;
    }
  }

  Field read_field() {
    Field field;
    field.is_quoted = at_ < text_.size() && text_[at_] == '"';
    if (!field.is_quoted) {
      while (at_ < text_.size() && !ends_field(text_[at_])) field.text.push_back(text_[at_++]);
      return field;
    }
    for (++at_; at_ < text_.size();) {
      const char c = text_[at_++];
      if (c == '\n') ++line_;
      if (c != '"') {
        field.text.push_back(c);
      } else if (at_ < text_.size() && text_[at_] == '"') {
        field.text.push_back(text_[at_++]);
      } else {
        if (at_ < text_.size() && !ends_field(text_[at_]))
          refuse_line(line_, "a field goes on after its closing quote", field.text);
        return field;
      }
    }
    refuse_line(row_line_, "a field whose quotes do not end");
  }
  static bool ends_field(char c) { return c == ',' || c == '\n' || c == '\r'; }

  void read_header() {
    for (const Field& field : row_) {
      const std::string name = lowered(trimmed(field.text));
      const auto* known = std::find(std::begin(column_names), std::end(column_names), name);
      if (known == std::end(column_names))
        refuse_line(row_line_, "a column that is not known", field.text);
      const auto column = static_cast<Column>(known - column_names);
      if (std::find(columns_.begin(), columns_.end(), column) != columns_.end())
        refuse_line(row_line_, "a column that comes twice", name);
      columns_.push_back(column);
    }
    for (const Column column : required)
      if (std::find(columns_.begin(), columns_.end(), column) == columns_.end())
        refuse_line(row_line_, "a column is missing", column_names[column]);
  }

  void read_line() {
    fields_.assign(column_count, Field());
    for (std::size_t i = 0; i < row_.size(); ++i) fields_[columns_[i]] = std::move(row_[i]);
    const std::string& id = fields_[transaction].text;
    if (id.empty()) refuse_line(row_line_, "the row names no transaction");
    if (file_.transactions.empty() || file_.transactions.back().id != id)
      start_transaction(id);
    else
      check_transaction();
    file_.transactions.back().postings.push_back(read_posting());
  }

  void start_transaction(const std::string& id) {
    if (!ids_.insert(id).second)
      refuse_line(row_line_, "the rows of a transaction do not stand together", id);
    FileTransaction next;
    next.line = row_line_;
    next.id = id;
    std::string_view day = fields_[date].text;
    const auto found = take_date(day, row_line_);
    if (!found || !day.empty()) refuse_line(row_line_, "not a date", fields_[date].text);
    next.date = *found;
    if (!fields_[effective_at].is_missing()) {
      next.effective_at = parse_time(fields_[effective_at].text);
      if (!next.effective_at) refuse_line(row_line_, "not a time", fields_[effective_at].text);
    }
    if (!fields_[reference].is_missing()) next.reference = fields_[reference].text;
    if (!fields_[description].is_missing()) next.description = fields_[description].text;
    if (!fields_[metadata].is_missing()) {
      if (!is_json_object_text(fields_[metadata].text))
        refuse_line(row_line_, "its metadata is not a JSON object", fields_[metadata].text);
      next.metadata.merge(fields_[metadata].text);
    }
    for (const Column column : of_transaction) first_[column] = fields_[column].text;
    file_.transactions.push_back(std::move(next));
  }

  void check_transaction() const {
    for (const Column column : of_transaction)
      if (!fields_[column].is_missing() && fields_[column].text != first_[column])
        refuse_line(
            row_line_,
            "another " + std::string(column_names[column]) + " than in the transaction's first row",
            fields_[column].text);
  }

  FilePosting read_posting() {
    FilePosting posting;
    posting.line = row_line_;
    posting.account = file_.accounts.index(fields_[account].text);
    const bool is_debit = !fields_[debit].is_missing();
    if (is_debit == !fields_[credit].is_missing())
      refuse_line(row_line_, "a row has either a debit or a credit");
    Amount amount;
    amount.number = read_decimal(fields_[is_debit ? debit : credit].text, row_line_);
    if (amount.number.units < 0) refuse_line(row_line_, "a negative debit or credit");
    if (!is_debit) amount.number.units = -amount.number.units;
    amount.commodity = file_.commodities.index(fields_[currency].text);
    posting.amount = amount;
    if (!fields_[type].is_missing() && typed_.insert(posting.account).second) {
      FileAccount declared;
      declared.line = row_line_;
      declared.name = posting.account;
      declared.type = fields_[type].text;
      declared.currencies.push_back(fields_[currency].text);
      file_.declared.push_back(std::move(declared));
    }
    return posting;
  }

  std::string_view text_;
  File& file_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t row_line_ = 1;
  std::vector<Field> row_;
  std::vector<Column> columns_;
  std::vector<Field> fields_;
  std::string first_[column_count];
  std::unordered_set<std::string> ids_;
  std::unordered_set<Index> typed_;
};

}  // namespace

void read_csv(std::string_view text, File& file) { CsvReader(text, file).run(); }

}  // namespace ledgerflow::exchange
