#include "core/merkle.hpp"

namespace ledgerflow {

namespace {

constexpr std::string_view leaf_prefix("\x00", 1);
constexpr std::string_view node_prefix("\x01", 1);
constexpr std::string_view hex_digits = "0123456789abcdef";

// The largest power of two below `count`, which is at least 2.
std::size_t split_of(std::size_t count) {
  std::size_t split = 1;
  while (split < count - split) split *= 2;
  return split;
}

Digest root_of(Sha256& sha256, const Digest* digests, std::size_t count) {
  MerkleTree tree(sha256);
  for (std::size_t i = 0; i < count; ++i) tree.add(digests[i]);
  return tree.root();
}

}  // namespace

Digest leaf_hash(Sha256& sha256, std::string_view leaf) { return sha256.hash({leaf_prefix, leaf}); }

Digest node_hash(Sha256& sha256, const Digest& left, const Digest& right) {
  return sha256.hash({node_prefix, bytes_of(left), bytes_of(right)});
}

void MerkleTree::add(const Digest& digest) {
  Digest joined = digest;
  // Two complete subtrees of one size make one of the next, like the carry of an addition.
  for (std::uint64_t rest = size_; (rest & 1) != 0; rest >>= 1) {
    joined = node_hash(sha256_, subtrees_.back(), joined);
    subtrees_.pop_back();
  }
  subtrees_.push_back(joined);
  ++size_;
}

Digest MerkleTree::root() const {
  Digest joined = subtrees_.back();
  for (std::size_t i = subtrees_.size() - 1; i > 0; --i)
    joined = node_hash(sha256_, subtrees_[i - 1], joined);
  return joined;
}

void MerkleTree::clear() {
  size_ = 0;
  subtrees_.clear();
}

std::vector<Digest> audit_path(Sha256& sha256, const std::vector<Digest>& digests,
                               std::size_t index) {
  std::vector<Digest> path;
  const Digest* first = digests.data();
  std::size_t count = digests.size();
  // From the top down; the other half is the sibling.
  while (count > 1) {
    const std::size_t split = split_of(count);
    if (index < split) {
      path.push_back(root_of(sha256, first + split, count - split));
      count = split;
    } else {
      path.push_back(root_of(sha256, first, split));
      first += split;
      index -= split;
      count -= split;
    }
  }
  return {path.rbegin(), path.rend()};
}

// RFC 9162, section 2.1.3.2.
std::optional<Digest> root_of_path(Sha256& sha256, const Digest& leaf, std::uint64_t index,
                                   std::uint64_t size, const std::vector<Digest>& path) {
  if (index >= size) return std::nullopt;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Digest joined = leaf;
  for (const Digest& sibling : path) {
    if (last == 0) return std::nullopt;
    if ((node & 1) != 0 || node == last) {
      joined = node_hash(sha256, sibling, joined);
      // A last node without a sibling on this level stands for itself on the next ones.
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      joined = node_hash(sha256, joined, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::nullopt;
  return joined;
}

std::string to_hex(const Digest& digest) {
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    hex += hex_digits[byte >> 4];
    hex += hex_digits[byte & 15];
  }
  return hex;
}

std::optional<Digest> digest_from_hex(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const std::size_t high = hex_digits.find(hex[2 * i]);
    const std::size_t low = hex_digits.find(hex[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

}  // namespace ledgerflow
