#include "ledgerflow/proof.hpp"

#include "core/proof.hpp"
#include "core/sha256.hpp"

namespace ledgerflow::client {

CheckedTransaction check_proof(std::string_view proof, std::string_view known_root) {
  CheckedTransaction result;
  const std::optional<Digest> root = digest_from_hex(known_root);
  if (!root) {
    result.why = "the known root is not 64 hexadecimal digits";
    return result;
  }
  PlainSha256 sha256;
  CheckedProof checked = ledgerflow::check_proof(sha256, proof, *root);
  result.holds = checked.holds;
  result.why = std::move(checked.why);
  if (!checked.holds) return result;
  result.transaction_id = std::move(checked.transaction_id);
  result.transaction = std::move(checked.transaction);
  result.seal = checked.seal;
  result.sealed_at = Timestamp(std::chrono::microseconds(checked.sealed_at));
  result.through = checked.through;
  return result;
}

}  // namespace ledgerflow::client
