// The proof that a transaction is in a seal: a text that can be kept and checked without a database.
// docs/seal.md is its specification.
#pragma once

#include "core/seal.hpp"

namespace ledgerflow {

struct Proof {
  std::string transaction;    // its text, as it was hashed
  std::uint64_t index = 0;    // of its leaf in the seal's tree
  std::vector<Digest> path;   // from its leaf to the tree's root
  std::string seal;           // the seal's text
  Digest previous{};          // root of the seal before
  std::vector<Digest> later;  // hashes of the texts of the seals after it, as far as the proof goes
  std::int64_t through = 0;   // number of the last of these
  Digest root{};              // and its root
};

std::string format_proof(const Proof& proof);

// Nothing when it is no proof. `why` says what is wrong with it. Any input is safe.
std::optional<Proof> parse_proof(std::string_view text, std::string& why);

// What a proof says, after it was checked.
struct CheckedProof {
  bool holds = false;
  std::string why;          // it does not
  std::string transaction;  // the transaction's text: see docs/seal.md
  std::string transaction_id;
  std::int64_t seal = 0;       // the seal that holds it,
  std::int64_t sealed_at = 0;  // and its time, in microseconds since 1970
  std::int64_t through = 0;    // the seal whose root was compared
};

// Checks a proof against a root that the caller has kept.
CheckedProof check_proof(Sha256& sha256, std::string_view text, const Digest& root);

}  // namespace ledgerflow
