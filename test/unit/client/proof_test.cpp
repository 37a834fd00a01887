// check_proof() of the library against what a server's ledgerflow.ledger_prove() returns.
#include "ledgerflow/proof.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/proof.hpp"
#include "core/sha256.hpp"
#include "server.hpp"

namespace ledgerflow::client {
namespace {

using testing::sql;

class ProofTest : public testing::ServerTest {};

TEST_F(ProofTest, OfTheServer) {
  sql("SELECT ledgerflow.ledger_create('proofs')");
  sql("SELECT ledgerflow.ledger_open_account(code, 'asset', 'EUR', ledger => 'proofs') "
      "FROM unnest(ARRAY['a', 'b']) code");
  sql("SELECT count(ledgerflow.ledger_post('a', 'b', i, description => E'Rückzahlung\\n' || i, "
      "ledger => 'proofs')) FROM generate_series(1, 200) i");
  const std::string first = sql("SELECT root FROM ledgerflow.ledger_seal('proofs')");
  sql("SELECT ledgerflow.ledger_post('a', 'b', 1, ledger => 'proofs')");
  const std::string second = sql("SELECT root FROM ledgerflow.ledger_seal('proofs')");
  for (const char* place : {"0", "63", "64", "130", "199"}) {
    const std::string id =
        sql(std::string("SELECT id FROM proofs.transactions ORDER BY id OFFSET ") + place);
    const std::string proof =
        sql("SELECT ledgerflow.ledger_prove('" + id + "', ledger => 'proofs')");
    const CheckedTransaction checked = check_proof(proof, second);
    ASSERT_TRUE(checked) << checked.why;
    EXPECT_EQ(checked.transaction_id, id);
    EXPECT_EQ(checked.seal, 1);
    EXPECT_EQ(checked.through, 2);
    EXPECT_NE(checked.transaction.find("Rückzahlung\n"), std::string::npos);
    EXPECT_EQ(std::to_string(checked.sealed_at.time_since_epoch() / std::chrono::microseconds(1)),
              sql("SELECT (extract(epoch FROM sealed_at) * 1000000)::bigint FROM proofs.seals "
                  "WHERE seal = 1"));
    EXPECT_FALSE(check_proof(proof, first));
    EXPECT_TRUE(check_proof(
        sql("SELECT ledgerflow.ledger_prove('" + id + "', 1, ledger => 'proofs')"), first));
    // Another amount, and the same length.
    std::string forged = proof;
    forged.replace(forged.find("EUR ") + 4, 1, "9");
    const CheckedTransaction refused = check_proof(forged, second);
    EXPECT_EQ(refused.holds, forged == proof);
    if (forged != proof) {
      EXPECT_EQ(refused.why, "the transaction is not in the seal");
    }
  }
  sql("DROP SCHEMA proofs CASCADE");
}

// PostgreSQL's times reach past the year 2262, where a count of nanoseconds ends.
TEST(Proof, SealedAtAnyTime) {
  PlainSha256 sha256;
  for (const std::int64_t time : {std::int64_t{9'223'372'036'854'776}, INT64_MIN, INT64_MAX}) {
    ledgerflow::Proof proof;
    proof.transaction = std::string(transaction_text_start) + "\nid x\n";
    ledgerflow::Seal seal;
    seal.number = proof.through = 1;
    seal.transactions = 1;
    seal.sealed_at = time;
    seal.tree = leaf_hash(sha256, proof.transaction);
    proof.seal = seal_text(seal);
    proof.root = chained_root(sha256, proof.previous, seal_text_hash(sha256, proof.seal));
    const CheckedTransaction checked = check_proof(format_proof(proof), to_hex(proof.root));
    ASSERT_TRUE(checked) << checked.why;
    EXPECT_EQ(checked.sealed_at.time_since_epoch().count(), time);
  }
}

TEST(Proof, BadInput) {
  const std::string root(64, 'a');
  for (const std::string_view proof :
       {std::string_view(), std::string_view("\n"), std::string_view("ledgerflow-proof 1\n"),
        std::string_view("ledgerflow-proof 2\nthrough 1\n"), std::string_view("\0\0", 2)}) {
    const CheckedTransaction checked = check_proof(proof, root);
    EXPECT_FALSE(checked);
    EXPECT_NE(checked.why, "");
    EXPECT_EQ(checked.transaction_id, "");
  }
  EXPECT_EQ(check_proof("", "").why, "the known root is not 64 hexadecimal digits");
  EXPECT_EQ(check_proof("", std::string(64, 'x')).why,
            "the known root is not 64 hexadecimal digits");
}

}  // namespace
}  // namespace ledgerflow::client
