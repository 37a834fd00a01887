// SHA-256, Merkle trees and proofs. Digests are OpenSSL's; roots are those of RFC 6962's recursive definition;
// a true proof holds, and one that was changed anywhere never does for the root that is known.
#include <openssl/sha.h>

#include <algorithm>
#include <vector>

#include "core/proof.hpp"
#include "core/sha256.hpp"
#include "fuzz.hpp"
#include "ledgerflow/proof.hpp"

namespace ledgerflow::fuzz {
namespace {

PlainSha256 sha256;

Digest openssl(const std::string& bytes) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

std::string string_of(const Digest& digest) { return std::string(bytes_of(digest)); }

void hashes(Source& source) {
  const std::string first = source.ConsumeRandomLengthString(300);
  const std::string second = source.ConsumeRandomLengthString(300);
  const std::string third(source.ConsumeIntegralInRange<std::size_t>(0, 5000), 'x');
  expect(sha256.hash({first, second, third}) == openssl(first + second + third),
         "the digest of parts is that of the whole");
  const Digest digest = openssl(first);
  expect(digest_from_hex(to_hex(digest)) == digest, "a digest comes back from its digits");
  if (const auto read = digest_from_hex(second)) expect(to_hex(*read) == second, "and only so");
}

// RFC 6962, section 2.1.
Digest root_of(const std::vector<Digest>& leaves, std::size_t first, std::size_t count) {
  if (count == 1) return leaves[first];
  std::size_t split = 1;
  while (split * 2 < count) split *= 2;
  return openssl("\x01" + string_of(root_of(leaves, first, split)) +
                 string_of(root_of(leaves, first + split, count - split)));
}

// The root that a path says, from the top down; nothing when it is too short or too long.
std::optional<Digest> root_by_path(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                                   const Digest* path, std::size_t count) {
  if (size == 1) return count == 0 ? std::optional<Digest>(leaf) : std::nullopt;
  if (count == 0) return std::nullopt;
  std::uint64_t split = 1;
  while (split < size - split) split *= 2;
  const bool is_left = index < split;
  const auto below = root_by_path(leaf, is_left ? index : index - split,
                                  is_left ? split : size - split, path, count - 1);
  if (!below) return std::nullopt;
  const Digest& sibling = path[count - 1];
  return openssl("\x01" + string_of(is_left ? *below : sibling) +
                 string_of(is_left ? sibling : *below));
}

void trees(Source& source) {
  const auto count = source.ConsumeIntegralInRange<std::size_t>(1, 80);
  std::vector<Digest> leaves;
  MerkleTree tree(sha256);
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_hash(sha256, std::to_string(i)));
    tree.add(leaves.back());
  }
  expect(leaves[0] == openssl(std::string(1, '\0') + "0"), "leaves have their prefix");
  const Digest root = root_of(leaves, 0, count);
  expect(tree.root() == root && tree.size() == count, "the root is that of the definition");
  const auto index = source.ConsumeIntegralInRange<std::size_t>(0, count - 1);
  std::vector<Digest> path = audit_path(sha256, leaves, index);
  expect(root_of_path(sha256, leaves[index], index, count, path) == root, "a path leads to it");

  // Any path of any tree.
  const Digest leaf = leaves[source.ConsumeIntegralInRange<std::size_t>(0, count - 1)];
  std::uint64_t size = source.ConsumeIntegralInRange<std::uint64_t>(1, count + 2);
  if (source.ConsumeBool())
    size = std::max<std::uint64_t>(1, source.ConsumeIntegral<std::uint64_t>());
  const auto place = source.ConsumeIntegralInRange<std::uint64_t>(0, size - 1);
  path.resize(source.ConsumeIntegralInRange<std::size_t>(0, 66), openssl("sibling"));
  const auto found = root_of_path(sha256, leaf, place, size, path);
  expect(found == root_by_path(leaf, place, size, path.data(), path.size()), "both ways up agree");
  expect(!root_of_path(sha256, leaf, size, size, path), "beyond the tree there is no leaf");
  if (found == root)
    expect(leaf == leaves[index] && size == count && place == index, "a root has no second path");
}

std::string transaction_text(Source& source, std::size_t number) {
  SealedText sealed;
  sealed.begin(transaction_text_start);
  sealed.word("id", "id-" + std::to_string(number));
  sealed.text("description", source.ConsumeRandomLengthString(30));
  return sealed.get();
}

struct Sealed {
  std::string proof;
  Digest root;
  Seal seal;
  std::string transaction, transaction_id;
};

Sealed sealed(Source& source) {
  const auto count = source.ConsumeIntegralInRange<std::size_t>(1, 20);
  const auto index = source.ConsumeIntegralInRange<std::size_t>(0, count - 1);
  const auto seals = source.ConsumeIntegralInRange<std::int64_t>(1, 4);
  const auto own = source.ConsumeIntegralInRange<std::int64_t>(1, seals);
  Sealed made;
  made.transaction_id = "id-" + std::to_string(index);
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = i == index ? transaction_text(source, i) : std::to_string(i);
    if (i == index) made.transaction = text;
    leaves.push_back(leaf_hash(sha256, text));
  }
  Proof proof;
  for (std::int64_t number = 1; number <= seals; ++number) {
    Seal seal;
    seal.number = number;
    seal.transactions = static_cast<std::int64_t>(count);
    seal.last_transaction = "id";
    seal.sealed_at = source.ConsumeIntegral<std::int64_t>();
    seal.sealed_by = source.ConsumeRandomLengthString(12);
    if (source.ConsumeBool()) seal.client_address = source.ConsumeRandomLengthString(8);
    if (source.ConsumeBool()) seal.server = source.ConsumeIntegral<std::int64_t>();
    seal.tree = root_of(leaves, 0, count);
    const std::string text = seal_text(seal);
    if (number == own) {
      proof.previous = made.root;
      proof.seal = text;
      made.seal = seal;
    } else if (number > own) {
      proof.later.push_back(seal_text_hash(sha256, text));
    }
    made.root = number == 1 ? chained_root(sha256, Digest{}, seal_text_hash(sha256, text))
                            : chained_root(sha256, made.root, seal_text_hash(sha256, text));
    if (number == 1 && own == 1) proof.previous = Digest{};
  }
  proof.transaction = made.transaction;
  proof.index = index;
  proof.path = audit_path(sha256, leaves, index);
  proof.through = seals;
  proof.root = made.root;
  made.proof = format_proof(proof);
  return made;
}

// Cuts, repeats, digits and bytes; and fields of the proof replaced as a whole.
void change(Source& source, std::string& proof) {
  for (int changes = source.ConsumeIntegralInRange(1, 6); changes > 0; --changes) {
    const auto at = source.ConsumeIntegralInRange<std::size_t>(0, proof.size());
    const auto length = source.ConsumeIntegralInRange<std::size_t>(0, 70);
    switch (source.ConsumeIntegralInRange(0, 5)) {
      case 0:
        proof.erase(at, length);
        break;
      case 1:
        proof.insert(at, source.ConsumeRandomLengthString(40));
        break;
      case 2:
        proof.insert(
            at, proof.substr(source.ConsumeIntegralInRange<std::size_t>(0, proof.size()), length));
        break;
      case 3:
        if (at < proof.size()) proof[at] = source.ConsumeIntegral<char>();
        break;
      case 4: {  // another number
        static constexpr const char* names[] = {
            "through ", "index ", "path ", "later ", "seal ", "transaction ", "transactions "};
        const std::size_t found = proof.find(source.PickValueInArray(names));
        const std::size_t digits = proof.find(' ', std::min(found, proof.size()));
        if (digits == std::string::npos) break;
        const std::size_t end = std::min(proof.find('\n', digits), proof.size());
        proof.replace(digits + 1, end - digits - 1,
                      std::to_string(source.ConsumeIntegral<std::int64_t>()));
        break;
      }
      default: {  // two lines change places
        const std::size_t line = proof.find('\n', at);
        const std::size_t end = line == std::string::npos ? line : proof.find('\n', line + 1);
        if (end != std::string::npos)
          std::rotate(proof.begin() + static_cast<std::ptrdiff_t>(std::min(at, line)),
                      proof.begin() + static_cast<std::ptrdiff_t>(line) + 1,
                      proof.begin() + static_cast<std::ptrdiff_t>(end) + 1);
      }
    }
  }
}

void proofs(Source& source) {
  const Sealed made = sealed(source);
  const CheckedProof checked = check_proof(sha256, made.proof, made.root);
  expect(checked.holds && checked.transaction == made.transaction &&
             checked.transaction_id == made.transaction_id && checked.seal == made.seal.number &&
             checked.sealed_at == made.seal.sealed_at,
         "a true proof holds and says what was sealed", checked.why);
  const client::CheckedTransaction seen = client::check_proof(made.proof, to_hex(made.root));
  expect(seen.holds && seen.transaction == made.transaction, "the client sees the same");

  Digest other = made.root;
  other[source.ConsumeIntegralInRange<std::size_t>(0, 31)] ^=
      source.ConsumeIntegralInRange<std::uint8_t>(1, 255);
  expect(!check_proof(sha256, made.proof, other).holds, "another root has another proof");

  std::string changed = made.proof;
  change(source, changed);
  const CheckedProof result = check_proof(sha256, changed, made.root);
  expect(result.holds == (changed == made.proof), "what was changed does not hold", changed);
  expect(result.holds || (!result.why.empty() && result.transaction.empty()), "and it is said why");
  std::string why;
  if (const auto read = parse_proof(changed, why))
    expect(format_proof(*read) == changed, "a proof has one text", changed);
}

}  // namespace
}  // namespace ledgerflow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ledgerflow::fuzz;
  Source source(data, size);
  switch (source.ConsumeIntegralInRange(0, 4)) {
    case 0:
      hashes(source);
      break;
    case 1:
      trees(source);
      break;
    case 2: {
      std::string why;
      const std::string bytes = source.ConsumeRemainingBytesAsString();
      if (const auto read = ledgerflow::parse_proof(bytes, why))
        expect(ledgerflow::format_proof(*read) == bytes, "a proof has one text", bytes);
      static_cast<void>(ledgerflow::check_proof(sha256, bytes, {}));
      break;
    }
    default:
      proofs(source);
  }
  return 0;
}
