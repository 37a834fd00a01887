// SHA-256 as the server has it: OpenSSL behind PostgreSQL's own interface.
#pragma once

#include "ext/boundary.hpp"

namespace ledgerflow {

class ServerSha256 final : public Sha256 {
 public:
  ServerSha256();
  ~ServerSha256();
  ServerSha256(const ServerSha256&) = delete;
  ServerSha256& operator=(const ServerSha256&) = delete;

  Digest hash(std::initializer_list<std::string_view> parts) override;

 private:
#if PG_VERSION_NUM >= 140000
  pg_cryptohash_ctx* context_ = nullptr;
#endif
};

}  // namespace ledgerflow
