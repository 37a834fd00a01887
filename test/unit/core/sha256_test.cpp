// The SHA-256 of the client: NIST's examples, and OpenSSL's for every length and every way to cut it.
#include "core/sha256.hpp"

#include <gtest/gtest.h>

#include "openssl_sha256.hpp"

namespace ledgerflow {
namespace {

TEST(Sha256, NistExamples) {
  PlainSha256 sha256;
  EXPECT_EQ(to_hex(sha256.hash({""})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256.hash({"abc"})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256.hash({"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"})),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha256.hash({std::string(1000000, 'a')})),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, AsOpenssl) {
  PlainSha256 ours;
  OpensslSha256 theirs;
  std::string text;
  for (std::size_t size = 0; size < 400; ++size) {
    ASSERT_EQ(ours.hash({text}), theirs.hash({text})) << size;
    for (const std::size_t cut : {size / 3, size / 2, std::min<std::size_t>(size, 64)}) {
      const std::string_view whole = text;
      ASSERT_EQ(ours.hash({whole.substr(0, cut), "", whole.substr(cut)}), theirs.hash({text}));
    }
    text += static_cast<char>(size * 37 + 11);
  }
}

}  // namespace
}  // namespace ledgerflow
