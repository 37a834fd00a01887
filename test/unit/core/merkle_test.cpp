// The tree of RFC 6962: its known roots, every shape up to 40 leaves by its recursive definition, and
// every proof, whole and damaged.
#include "core/merkle.hpp"

#include <gtest/gtest.h>

#include "openssl_sha256.hpp"

namespace ledgerflow {
namespace {

OpensslSha256 sha256;

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::vector<Digest> leaves(std::size_t count) {
  std::vector<Digest> found;
  for (std::size_t i = 0; i < count; ++i)
    found.push_back(leaf_hash(sha256, "leaf " + std::to_string(i)));
  return found;
}

// RFC 6962, section 2.1, word for word.
Digest defined_root(const Digest* first, std::size_t count) {
  if (count == 1) return first[0];
  std::size_t k = 1;
  while (k * 2 < count) k *= 2;
  return node_hash(sha256, defined_root(first, k), defined_root(first + k, count - k));
}

std::vector<Digest> defined_path(const Digest* first, std::size_t count, std::size_t index) {
  if (count == 1) return {};
  std::size_t k = 1;
  while (k * 2 < count) k *= 2;
  std::vector<Digest> path;
  if (index < k) {
    path = defined_path(first, k, index);
    path.push_back(defined_root(first + k, count - k));
  } else {
    path = defined_path(first + k, count - k, index - k);
    path.push_back(defined_root(first, k));
  }
  return path;
}

Digest root_of(const std::vector<Digest>& digests) {
  MerkleTree tree(sha256);
  for (const Digest& digest : digests) tree.add(digest);
  EXPECT_EQ(tree.size(), digests.size());
  return tree.root();
}

TEST(Merkle, KnownRoots) {
  const char* inputs[] = {"",
                          "00",
                          "10",
                          "2021",
                          "3031",
                          "40414243",
                          "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"};
  const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  MerkleTree tree(sha256);
  for (int i = 0; i < 8; ++i) {
    tree.add(leaf_hash(sha256, from_hex(inputs[i])));
    EXPECT_EQ(to_hex(tree.root()), roots[i]) << i + 1 << " leaves";
  }
}

TEST(Merkle, EveryShape) {
  for (std::size_t count = 1; count <= 40; ++count) {
    const std::vector<Digest> all = leaves(count);
    EXPECT_EQ(root_of(all), defined_root(all.data(), count)) << count;
  }
}

TEST(Merkle, BlocksMakeTheSameTree) {
  for (const std::size_t block : {2, 4, 8, 64})
    for (std::size_t count = 1; count <= 200; ++count) {
      const std::vector<Digest> all = leaves(count);
      std::vector<Digest> roots;
      for (std::size_t at = 0; at < count; at += block)
        roots.push_back(
            root_of({all.begin() + static_cast<std::ptrdiff_t>(at),
                     all.begin() + static_cast<std::ptrdiff_t>(std::min(at + block, count))}));
      ASSERT_EQ(root_of(roots), root_of(all)) << count << " in blocks of " << block;
      // And a path in a block, then over the blocks, is a path in the whole.
      const std::size_t index = count * 2 / 3;
      const std::size_t first = index / block * block;
      std::vector<Digest> path =
          audit_path(sha256,
                     {all.begin() + static_cast<std::ptrdiff_t>(first),
                      all.begin() + static_cast<std::ptrdiff_t>(std::min(first + block, count))},
                     index - first);
      for (const Digest& digest : audit_path(sha256, roots, index / block)) path.push_back(digest);
      ASSERT_EQ(path, defined_path(all.data(), count, index));
    }
}

TEST(Merkle, EveryPathLeadsToTheRoot) {
  for (std::size_t count = 1; count <= 40; ++count) {
    const std::vector<Digest> all = leaves(count);
    const Digest root = root_of(all);
    for (std::size_t index = 0; index < count; ++index) {
      const std::vector<Digest> path = audit_path(sha256, all, index);
      ASSERT_EQ(path, defined_path(all.data(), count, index));
      ASSERT_EQ(root_of_path(sha256, all[index], index, count, path), root);
      // No other place: of the same tree, or outside of it.
      for (std::size_t other = 0; other <= count + 1; ++other)
        if (other != index) {
          ASSERT_NE(root_of_path(sha256, all[index], other, count, path), root)
              << index << " as " << other << " of " << count;
        }
      // No longer and no shorter path.
      std::vector<Digest> longer = path;
      longer.push_back(root);
      ASSERT_NE(root_of_path(sha256, all[index], index, count, longer), root);
      if (!path.empty()) {
        ASSERT_NE(root_of_path(sha256, all[index], index, count, {path.begin(), path.end() - 1}),
                  root);
      }
    }
  }
}

TEST(Merkle, EveryFlippedBitFails) {
  for (const std::size_t count : {1, 2, 3, 7, 8, 13, 40}) {
    const std::vector<Digest> all = leaves(count);
    const Digest root = root_of(all);
    for (std::size_t index = 0; index < count; ++index) {
      const std::vector<Digest> path = audit_path(sha256, all, index);
      for (std::size_t bit = 0; bit < 256; ++bit) {
        const auto mask = static_cast<std::uint8_t>(1 << bit % 8);
        Digest leaf = all[index];
        leaf[bit / 8] ^= mask;
        ASSERT_NE(root_of_path(sha256, leaf, index, count, path), root);
        for (std::size_t step = 0; step < path.size(); ++step) {
          std::vector<Digest> damaged = path;
          damaged[step][bit / 8] ^= mask;
          ASSERT_NE(root_of_path(sha256, all[index], index, count, damaged), root);
        }
      }
    }
  }
}

TEST(Merkle, Hex) {
  const Digest digest = leaf_hash(sha256, "x");
  EXPECT_EQ(digest_from_hex(to_hex(digest)), digest);
  EXPECT_FALSE(digest_from_hex(""));
  EXPECT_FALSE(digest_from_hex(to_hex(digest).substr(1)));
  EXPECT_FALSE(digest_from_hex(to_hex(digest) + "0"));
  EXPECT_FALSE(digest_from_hex("g" + to_hex(digest).substr(1)));
  EXPECT_FALSE(digest_from_hex("A" + to_hex(digest).substr(1)));
}

}  // namespace
}  // namespace ledgerflow
