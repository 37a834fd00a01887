#include "core/journal_writer.hpp"

#include "core/journal_text.hpp"

namespace ledgerflow::exchange {

namespace {

class CsvWriter : public JournalWriter {
 public:
  void begin(const ExportHead&, TextLines& out) override {
    out.emplace_back(
        "transaction,line,date,effective_at,account,type,currency,debit,credit,reference,"
        "description,metadata");
  }

  void write(const ExportTransaction& transaction, TextLines& out) override {
    std::vector<const ExportField*> fields;
    for (const ExportField& field : transaction.metadata) fields.push_back(&field);
    std::size_t number = 0;
    for (const ExportLine& line : transaction.lines) {
      const ExportAccount& account = *line.account;
      const bool is_debit = line.amount > 0;
      const std::string amount = format_units(is_debit ? line.amount : -line.amount, account.scale);
      std::string row = transaction.id + "," + std::to_string(++number) + "," +
                        date_text(transaction.date) + "," + transaction.effective_at.value_or("") +
                        "," + account.code + "," + account.type + "," + account.currency + "," +
                        (is_debit ? amount : "") + "," + (is_debit ? "" : amount) + "," +
                        quoted_field(transaction.reference) + "," +
                        quoted_field(transaction.description) + ",";
      // Once is enough of what can be large.
      if (number == 1 && !fields.empty()) row += quoted_field(object_text(fields));
      out.push_back(std::move(row));
    }
  }

  void end(const ExportHead&, const std::optional<Date>&, TextLines&) override {}

 private:
  // An empty text is in quotes, so that it is not taken for none.
  static std::string quoted_field(const std::optional<std::string>& text) {
    if (!text) return {};
    if (!text->empty() && text->find_first_of(",\"\r\n") == std::string::npos &&
        !is_space(text->front()) && !is_space(text->back()))
      return *text;
    std::string out = "\"";
    for (const char c : *text) {
      if (c == '"') out.push_back('"');
      out.push_back(c);
    }
    return out + "\"";
  }
};

}  // namespace

std::unique_ptr<JournalWriter> make_csv_writer() { return std::make_unique<CsvWriter>(); }

std::unique_ptr<JournalWriter> make_writer(Format format) {
  if (format == Format::csv) return make_csv_writer();
  if (format == Format::beancount) return make_beancount_writer();
  return make_plain_writer(format);
}

std::string object_text(const std::vector<const ExportField*>& fields) {
  std::string text;
  for (const ExportField* field : fields) {
    if (!text.empty()) text += ", ";
    text += json_string(field->key) + ": " +
            (field->is_text ? json_string(field->value) : field->value);
  }
  return "{" + text + "}";
}

}  // namespace ledgerflow::exchange
