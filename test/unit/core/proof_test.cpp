// Proofs: made, written, read and checked; and no damaged one holds.
#include "core/proof.hpp"

#include <gtest/gtest.h>

#include "openssl_sha256.hpp"
#include "randomness.hpp"

namespace ledgerflow {
namespace {

OpensslSha256 sha256;

std::string transaction_text(std::size_t number) {
  SealedText text;
  text.begin(transaction_text_start);
  text.word("id", "id-" + std::to_string(number));
  text.text("description", "two\nlines, \xE2\x82\xAC and\ntree 0");
  text.text("reference", std::nullopt);
  text.open_line("line");
  text.add_number(1);
  text.add_text("assets:bank");
  text.add_word("125.00");
  text.close_line();
  return text.get();
}

struct Sealed {
  std::string proof;
  Digest root{};
};

// A chain of seals of `count` transactions each; the proof of one transaction of one seal to the last.
Sealed sealed(std::size_t count, std::size_t index, std::int64_t seal_number, std::int64_t seals) {
  std::vector<Digest> leaves;
  MerkleTree tree(sha256);
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_hash(sha256, transaction_text(i)));
    tree.add(leaves.back());
  }
  Proof proof;
  Digest root{};
  for (std::int64_t number = 1; number <= seals; ++number) {
    Seal seal;
    seal.number = number;
    seal.transactions = static_cast<std::int64_t>(count);
    seal.sealed_at = 1763736685123456 + number;
    seal.sealed_by = "me\ntree of mine";
    seal.last_transaction = "id-" + std::to_string(count - 1);
    seal.tree = tree.root();
    const std::string text = seal_text(seal);
    if (number == seal_number) {
      proof.previous = root;
      proof.seal = text;
    } else if (number > seal_number) {
      proof.later.push_back(seal_text_hash(sha256, text));
    }
    root = chained_root(sha256, root, seal_text_hash(sha256, text));
  }
  proof.transaction = transaction_text(index);
  proof.index = index;
  proof.path = audit_path(sha256, leaves, index);
  proof.through = seals;
  proof.root = root;
  return {format_proof(proof), root};
}

TEST(SealText, NoTwoRowsAreTheSame) {
  SealedText one;
  SealedText other;
  one.begin("t");
  other.begin("t");
  one.text("a", "x\nb 1:y");
  one.text("b", std::nullopt);
  other.text("a", "x");
  other.text("b", "y");
  EXPECT_NE(one.get(), other.get());
  one.begin("t");
  one.text("a", "-");
  other.begin("t");
  other.text("a", std::nullopt);
  EXPECT_EQ(one.get(), "t\na 1:-\n");
  EXPECT_EQ(other.get(), "t\na -\n");
  one.begin("t");
  one.text("a", "");
  EXPECT_EQ(one.get(), "t\na 0:\n");
}

TEST(Proof, Holds) {
  for (const std::size_t count : {1, 2, 3, 64, 65, 200})
    for (const std::int64_t seals : {1, 2, 5})
      for (std::int64_t number = 1; number <= seals; ++number) {
        const std::size_t index = count * 2 / 3;
        const Sealed proof = sealed(count, index, number, seals);
        const CheckedProof checked = check_proof(sha256, proof.proof, proof.root);
        ASSERT_TRUE(checked.holds) << checked.why;
        EXPECT_EQ(checked.transaction, transaction_text(index));
        EXPECT_EQ(checked.transaction_id, "id-" + std::to_string(index));
        EXPECT_EQ(checked.seal, number);
        EXPECT_EQ(checked.through, seals);
        EXPECT_EQ(checked.sealed_at, 1763736685123456 + number);
      }
}

TEST(Proof, OfAnotherRoot) {
  const Sealed proof = sealed(10, 3, 2, 4);
  Digest other = proof.root;
  other[31] ^= 1;
  const CheckedProof checked = check_proof(sha256, proof.proof, other);
  EXPECT_FALSE(checked.holds);
  EXPECT_EQ(checked.why, "the proof is for another root");
  EXPECT_EQ(checked.transaction, "");
}

TEST(Proof, EveryFlippedBitFails) {
  const Sealed proof = sealed(10, 3, 2, 3);
  for (std::size_t bit = 0; bit < proof.proof.size() * 8; ++bit) {
    std::string damaged = proof.proof;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const CheckedProof checked = check_proof(sha256, damaged, proof.root);
    ASSERT_FALSE(checked.holds) << "bit " << bit << "\n" << damaged;
    ASSERT_NE(checked.why, "");
  }
}

TEST(Proof, CutAnywhereFails) {
  const Sealed proof = sealed(10, 3, 2, 3);
  for (std::size_t size = 0; size < proof.proof.size(); ++size) {
    ASSERT_FALSE(check_proof(sha256, proof.proof.substr(0, size), proof.root).holds) << size;
    ASSERT_FALSE(
        check_proof(sha256, proof.proof.substr(proof.proof.size() - size), proof.root).holds);
  }
  EXPECT_FALSE(check_proof(sha256, proof.proof + "\n", proof.root).holds);
}

TEST(Proof, NumbersThatAreTooLarge) {
  for (const char* name : {"through", "index", "path", "later", "seal", "transaction"})
    for (const char* number : {"-1", "99999999999999999999", "18446744073709551615", "01", "+1", "",
                               "9223372036854775807"}) {
      std::string text = sealed(10, 3, 2, 3).proof;
      const Digest root = sealed(10, 3, 2, 3).root;
      const std::size_t at = text.find(std::string("\n") + name + " ") + 1;
      text.replace(at, text.find('\n', at) - at, std::string(name) + " " + number);
      ASSERT_FALSE(check_proof(sha256, text, root).holds) << name << " " << number;
    }
}

TEST(Proof, AnyInputIsSafe) {
  testing::Randomness random;
  SCOPED_TRACE(random.note());
  const std::string whole = sealed(10, 3, 2, 3).proof;
  const Digest root = sealed(10, 3, 2, 3).root;
  for (int round = 0; round < 20000; ++round) {
    std::string text = whole;
    for (std::uint64_t change = random.below(8) + 1; change > 0; --change) {
      const std::size_t at = random.below(text.size());
      switch (random.below(3)) {
        case 0:
          text[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          text.erase(at, random.below(40) + 1);
          break;
        default:
          text.insert(at, whole.substr(random.below(whole.size()), random.below(40)));
      }
      if (text.empty()) text = "x";
    }
    if (text == whole) continue;
    ASSERT_FALSE(check_proof(sha256, text, root).holds) << text;
  }
}

}  // namespace
}  // namespace ledgerflow
