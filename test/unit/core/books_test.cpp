// What postings, holds and reversals have in common: keys of requests, references, versions, periods, and
// the balances of a call with changes that are taken back.
#include "core/books.hpp"

#include "ledger_test.hpp"

namespace ledgerflow {
namespace {

using testing::noon;
using testing::second;

class BooksTest : public testing::LedgerTest {
 protected:
  // The field that the conflict names.
  static std::string conflict(const RequestFields& stored, const RequestFields& sent) {
    const auto refusal = testing::refusal_of([&] { compare_fields("k", stored, sent); });
    if (!refusal) return "none";
    EXPECT_EQ(testing::name_of(refusal), "idempotency_conflict");
    const std::size_t start = refusal->message.rfind(": ") + 2;
    return refusal->message.substr(start, refusal->message.rfind(" differs") - start) + "; " +
           refusal->detail;
  }
};

TEST_F(BooksTest, TheSameFieldsAreTheSameRequest) {
  EXPECT_EQ(conflict({}, {}), "none");
  EXPECT_EQ(conflict({{"operation", "hold"}, {"a", "1"}}, {{"operation", "hold"}, {"a", "1"}}),
            "none");
  // Whatever the order in which the store gives them back.
  EXPECT_EQ(conflict({{"a", "1"}, {"operation", "hold"}}, {{"operation", "hold"}, {"a", "1"}}),
            "none");
}

TEST_F(BooksTest, TheFirstFieldThatDiffersIsNamed) {
  EXPECT_EQ(conflict({{"operation", "hold"}, {"a", "1"}, {"b", "2"}},
                     {{"operation", "hold"}, {"a", "3"}, {"b", "4"}}),
            "a; Stored a: 1; sent: 3.");
  EXPECT_EQ(conflict({{"operation", "hold"}}, {{"operation", "hold"}, {"a", "3"}}),
            "a; Stored a: none; sent: 3.");
}

TEST_F(BooksTest, OperationsComeFirst) {
  EXPECT_EQ(conflict({{"operation", "hold"}, {"a", "1"}}, {{"operation", "capture"}, {"a", "2"}}),
            "operation; Stored operation: hold; sent: capture.");
  // A plain posting has no fields.
  EXPECT_EQ(conflict({}, {{"operation", "release"}}),
            "operation; Stored operation: post; sent: release.");
  EXPECT_EQ(conflict({{"operation", "release"}}, {}),
            "operation; Stored operation: release; sent: post.");
}

TEST_F(BooksTest, TextsAreComparedToTheirEnds) {
  const std::string start(200, 'x');
  Posting a;
  Posting b;
  const std::string first = start + "1";
  const std::string other = start + "2";
  a.description = first;
  b.description = other;
  RequestFields stored;
  RequestFields sent;
  add_texts(store, a, stored);
  add_texts(store, b, sent);
  EXPECT_EQ(conflict(stored, sent).substr(0, 11), "description");
  b.description = first;
  b.reference = "none";
  sent.clear();
  add_texts(store, b, sent);
  EXPECT_EQ(conflict(stored, sent), "reference; Stored reference: none; sent: \"none\".");
}

TEST_F(BooksTest, AKeyIsClaimedOnce) {
  const TransactionId id = transfer(cash, sales, 1).id;
  const RequestFields fields = {{"operation", "hold"}, {"a", "1"}};
  TransactionId result = id;
  EXPECT_FALSE(claim_key(store, std::nullopt, fields, result));
  EXPECT_FALSE(claim_key(store, "k", fields, result));
  EXPECT_EQ(result, id);
  result = transfer(cash, sales, 1).id;
  EXPECT_TRUE(claim_key(store, "k", fields, result));
  EXPECT_EQ(result, id);
  EXPECT_EQ(refused_by([&] {
              claim_key(store, "k", {{"operation", "hold"}, {"a", "2"}}, result);
            }),
            "idempotency_conflict");
  EXPECT_EQ(refused_by([&] { claim_key(store, "k", {}, result); }), "idempotency_conflict");
}

TEST_F(BooksTest, ReferencesOfTransactionsAndHoldsAreApart) {
  Posting posting;
  posting.reference = "R";
  transfer(cash, sales, 1, posting);
  EXPECT_EQ(refused_by([&] { check_reference(store, posting, false); }), "duplicate_reference");
  EXPECT_EQ(refused_by([&] { check_reference(store, posting, true); }), "accepted");
}

TEST_F(BooksTest, PeriodsEndWithTheirLastMicrosecond) {
  EXPECT_EQ(refused_by([&] { check_period(store, 0); }), "accepted");
  store.set_closed_through(noon);
  EXPECT_EQ(refused_by([&] { check_period(store, noon - 1); }), "period_closed");
  EXPECT_EQ(refused_by([&] { check_period(store, noon); }), "period_closed");
  EXPECT_EQ(refused_by([&] { check_period(store, noon + 1); }), "accepted");
  store.set_closed_through(std::nullopt);
  EXPECT_EQ(refused_by([&] { check_period(store, noon); }), "accepted");
}

TEST_F(BooksTest, PostingsOfNowAreNeverInAClosedPeriod) {
  store.set_closed_through(noon + 1000 * second);  // as after a step back of the clock
  transfer(cash, sales, 1);
  Posting posting;
  posting.effective_at = noon + 1000 * second;
  EXPECT_EQ(refused(cash, sales, 1, posting), "period_closed");
  posting.effective_at = noon + 1000 * second + 1;
  transfer(cash, sales, 1, posting);
}

TEST_F(BooksTest, AClosingIsTakenBackWithItsTransaction) {
  store.set_closed_through(noon);
  const auto refusal = testing::refusal_of([&] {
    store.atomically([&] {
      store.set_closed_through(noon + 1);
      throw Error(Condition::invalid_period, "no");
    });
  });
  EXPECT_TRUE(refusal);
  EXPECT_EQ(store.closed_through(), noon);
}

TEST_F(BooksTest, ChangesAreTakenBackToTheMark) {
  transfer(cash, sales, 10);
  Books books(store, {&cash, &sales, &fees});
  Journal journal;
  const auto enter = [&](const Account& debit, const Account& credit, Units amount) {
    const std::size_t first = journal.entries.size();
    const TransactionId id = books.next_id();
    journal.entries.push_back({id, 1, &debit, amount, 0});
    journal.entries.push_back({id, 2, &credit, -amount, 0});
    books.post(journal, first);
  };
  const std::size_t start = books.mark();
  enter(cash, sales, 1);
  const std::size_t middle = books.mark();
  enter(cash, sales, 2);
  books.reserve(journal, pair(cash, fees, 4));
  enter(fees, cash, 8);
  EXPECT_TRUE(net_debit(books.of(cash)) == 5);
  EXPECT_TRUE(books.of(cash).debits_pending == 4);
  books.unreserve(cash, true, 3);
  EXPECT_TRUE(books.of(cash).debits_pending == 1);
  books.take_back(middle);
  EXPECT_TRUE(net_debit(books.of(cash)) == 11);
  EXPECT_TRUE(books.of(cash).debits_pending == 0);
  EXPECT_TRUE(net_debit(books.of(fees)) == 0);
  EXPECT_EQ(books.of(cash).version, 2);
  EXPECT_FALSE(books.of(fees).changed);
  enter(fees, cash, 1);
  books.take_back(start);
  EXPECT_TRUE(net_debit(books.of(cash)) == 10);
  EXPECT_EQ(books.of(cash).version, 1);
  for (const Balance& row : books.rows()) EXPECT_FALSE(row.changed);
}

}  // namespace
}  // namespace ledgerflow
