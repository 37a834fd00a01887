// Merkle trees as RFC 6962 and RFC 9162 define them: one digest stands for a list of leaves, and a few
// digests prove that a leaf is in it. The hash function is the caller's, so that the server and the
// client each take it from their own libraries.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ledgerflow {

using Digest = std::array<std::uint8_t, 32>;

inline std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// SHA-256, somebody's.
class Sha256 {
 public:
  virtual Digest hash(std::initializer_list<std::string_view> parts) = 0;

 protected:
  Sha256() = default;
  ~Sha256() = default;
  Sha256(const Sha256&) = default;
  Sha256& operator=(const Sha256&) = default;
};

// Leaves and inner nodes begin with different bytes, so that neither can pass for the other.
Digest leaf_hash(Sha256& sha256, std::string_view leaf);
Digest node_hash(Sha256& sha256, const Digest& left, const Digest& right);

// The root of a list that comes one digest at a time; keeps one digest for each level. The digests may
// be of leaves, or of whole subtrees of one size, a power of two, of which only the last may be smaller.
class MerkleTree {
 public:
  explicit MerkleTree(Sha256& sha256) : sha256_(sha256) {}

  void add(const Digest& digest);
  std::uint64_t size() const { return size_; }
  // Of a tree that is not empty.
  Digest root() const;
  void clear();

 private:
  Sha256& sha256_;
  std::uint64_t size_ = 0;
  std::vector<Digest> subtrees_;  // complete ones, the largest first: the ones of size_ in binary
};

// What leads from the digest at `index` to the root of `digests`: the siblings, from the bottom up.
std::vector<Digest> audit_path(Sha256& sha256, const std::vector<Digest>& digests,
                               std::size_t index);

// The root to which a path leads from a leaf of a tree of `size`, or nothing when a path of this length
// cannot be of that leaf.
std::optional<Digest> root_of_path(Sha256& sha256, const Digest& leaf, std::uint64_t index,
                                   std::uint64_t size, const std::vector<Digest>& path);

// 64 small letters and digits, and back.
std::string to_hex(const Digest& digest);
std::optional<Digest> digest_from_hex(std::string_view hex);

}  // namespace ledgerflow
