#include "ext/server_sha256.hpp"

namespace ledgerflow {

namespace {

const std::uint8_t* bytes_of(std::string_view part) {
  return reinterpret_cast<const std::uint8_t*>(part.data());
}

}  // namespace

#if PG_VERSION_NUM >= 140000

ServerSha256::ServerSha256() : context_(pg_call([] { return pg_cryptohash_create(PG_SHA256); })) {}

ServerSha256::~ServerSha256() { pg_cryptohash_free(context_); }

// None of these raises.
Digest ServerSha256::hash(std::initializer_list<std::string_view> parts) {
  Digest digest;
  bool done = pg_cryptohash_init(context_) == 0;
  for (const std::string_view part : parts)
    done = done && pg_cryptohash_update(context_, bytes_of(part), part.size()) == 0;
  if (!done || pg_cryptohash_final(context_, digest.data(), digest.size()) != 0)
    throw std::runtime_error("the server could not compute a SHA-256 hash");
  return digest;
}

#else

ServerSha256::ServerSha256() = default;
ServerSha256::~ServerSha256() = default;

Digest ServerSha256::hash(std::initializer_list<std::string_view> parts) {
  Digest digest;
  pg_sha256_ctx context;
  pg_sha256_init(&context);
  for (const std::string_view part : parts) pg_sha256_update(&context, bytes_of(part), part.size());
  pg_sha256_final(&context, digest.data());
  return digest;
}

#endif

}  // namespace ledgerflow
