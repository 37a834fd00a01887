// Checks what ledger_prove() returned, without a database.
#pragma once

#include <string>
#include <string_view>

#include "ledgerflow/export.hpp"
#include "ledgerflow/transaction_id.hpp"

namespace ledgerflow::client {

/// What a proof says. Everything but `holds` and `why` is empty unless it holds.
struct CheckedTransaction {
  bool holds = false;          ///< whether the proof leads to the known root
  std::string why;             ///< why it does not hold
  std::string transaction_id;  ///< of the transaction that is proved
  std::string transaction;     ///< all of it, as a text: docs/seal.md describes its lines
  long long seal = 0;          ///< the seal that holds it
  Timestamp sealed_at;         ///< when that was made
  long long through = 0;       ///< the seal whose root was compared

  /// `holds`.
  explicit operator bool() const { return holds; }
};

/// Whether the transaction of a proof is among what the seal of this root stands for. `known_root`: the 64
/// characters that ledger_seal() returned, from where you have kept them; never from the proof itself.
/// Any input is safe.
LEDGERFLOW_CLIENT_API CheckedTransaction check_proof(std::string_view proof,
                                                     std::string_view known_root);

}  // namespace ledgerflow::client
