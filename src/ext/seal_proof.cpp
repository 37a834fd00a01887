// ledger_prove(): what it takes to show without the database that a transaction was sealed.
#include "core/proof.hpp"
#include "ext/seals.hpp"

namespace ledgerflow {

namespace {

constexpr const char* exists_query =
    "SELECT EXISTS (SELECT FROM {ledger}.transactions WHERE id OPERATOR(pg_catalog.=) $1)";
// Mostly the first block of this order.
constexpr const char* find_block_query =
    "SELECT seal, block, transaction_ids FROM {ledger}.seal_blocks "
    "WHERE last_transaction_id OPERATOR(pg_catalog.>=) $1 "
    "AND $1 OPERATOR(pg_catalog.=) ANY (transaction_ids) ORDER BY last_transaction_id LIMIT 1";
constexpr const char* block_roots_query =
    "SELECT root FROM {ledger}.seal_blocks WHERE seal OPERATOR(pg_catalog.=) $1 ORDER BY block";
constexpr Oid id_types[] = {UUIDOID};
constexpr Oid seal_types[] = {INT8OID};

[[noreturn]] void refuse_mismatch(const TransactionId& id, const std::string& why) {
  throw Error(Condition::seal_mismatch,
              "transaction " + to_string(id) + " cannot be proved as it stands", why);
}

struct Place {
  std::int64_t seal = 0;
  std::int64_t block = 0;
  std::size_t index = 0;  // in the block
  std::vector<TransactionId> ids;
};

Place find_place(Ledger& ledger, const TransactionId& id) {
  const Datum key = datum_of(id);
  RowCursor rows(ledger.plan(find_block_query, 1, id_types), &key);
  Place place;
  if (!rows.next()) {
    const SingleRow row(ledger, exists_query, 1, id_types, &key);
    if (DatumGetBool(row.column(1)))
      throw Error(Condition::transaction_not_sealed,
                  "transaction " + to_string(id) + " is not sealed yet");
    throw Error(Condition::transaction_not_found,
                "transaction " + to_string(id) + " does not exist",
                "There is none in ledger " + quoted(ledger.name) + ".");
  }
  place.seal = DatumGetInt64(rows.value(0));
  place.block = DatumGetInt64(rows.value(1));
  rows.close();
  SealBlockRows blocks(ledger, place.seal, place.block);
  const SealBlock* block = blocks.next();
  if (block == nullptr) refuse_mismatch(id, "Its row of seal_blocks is not there.");
  place.ids = block->ids;
  blocks.close();
  place.index = static_cast<std::size_t>(std::find(place.ids.begin(), place.ids.end(), id) -
                                         place.ids.begin());
  if (place.index == place.ids.size())
    refuse_mismatch(id, "Another row of seal_blocks has the number of its block.");
  return place;
}

// The leaf of the transaction, and its way up to the root of its block.
void prove_in_block(Ledger& ledger, Sha256& sha256, const TransactionId& id, const Place& place,
                    Proof& proof) {
  std::unordered_map<std::string, Digest> leaves;
  SealedRows rows(ledger, place.ids);
  while (const SealedTransaction* row = rows.next()) {
    leaves[to_string(row->id)] = leaf_hash(sha256, row->text.get());
    if (row->id == id) proof.transaction = row->text.get();
  }
  std::vector<Digest> in_order;
  for (const TransactionId& member : place.ids) {
    const auto leaf = leaves.find(to_string(member));
    if (leaf == leaves.end())
      refuse_mismatch(id, "Transaction " + to_string(member) + ", sealed beside it, is gone.");
    in_order.push_back(leaf->second);
  }
  proof.path = audit_path(sha256, in_order, place.index);
}

// From the root of the block to the root of the seal's tree.
void prove_in_tree(Ledger& ledger, Sha256& sha256, const TransactionId& id, const Place& place,
                   Proof& proof) {
  std::vector<Digest> roots;
  const Datum number = Int64GetDatum(place.seal);
  RowCursor rows(ledger.plan(block_roots_query, 1, seal_types), &number);
  while (rows.next()) roots.push_back(stored_digest(rows.value(0)));
  if (place.block < 0 || static_cast<std::size_t>(place.block) >= roots.size())
    refuse_mismatch(id, "Rows of seal_blocks are missing.");
  const auto block = static_cast<std::size_t>(place.block);
  for (const Digest& digest : audit_path(sha256, roots, block)) proof.path.push_back(digest);
  proof.index = block * seal_block_size + place.index;
}

// From the transaction's seal to the one whose root is to be compared; nothing: to the newest.
void prove_in_chain(Ledger& ledger, Sha256& sha256, const TransactionId& id, std::int64_t number,
                    std::optional<std::int64_t> through, Proof& proof) {
  if (number > 1) {
    const std::optional<Seal> before = find_seal(ledger, number - 1);
    if (!before) refuse_mismatch(id, "Seal " + std::to_string(number - 1) + " is not there.");
    proof.previous = before->root;
  }
  SealRows seals(ledger, number, through.value_or(INT64_MAX));
  std::int64_t expected = number;
  while (const Seal* seal = seals.next()) {
    if (seal->number != expected) break;
    const std::string text = seal_text(*seal);
    if (seal->number == number)
      proof.seal = text;
    else
      proof.later.push_back(seal_text_hash(sha256, text));
    proof.root = seal->root;
    proof.through = expected++;
  }
  seals.close();
  if (expected == number) refuse_mismatch(id, "Seal " + std::to_string(number) + " is not there.");
  if (through && proof.through != *through)
    throw Error(Condition::seal_not_found, "seal " + std::to_string(*through) + " does not exist",
                "The last one is seal " + std::to_string(proof.through) + ".");
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(ledgerflow_prove);
PGDLLEXPORT Datum ledgerflow_prove(PG_FUNCTION_ARGS) {
  return guarded([&] {
    const std::optional<TransactionId> id = id_argument(fcinfo, 0);
    const std::optional<std::int64_t> through = integer_argument(fcinfo, 1);
    Call call(name_argument(fcinfo, 2));
    if (!id) throw Error(Condition::transaction_not_found, "transaction must not be NULL");
    Ledger& ledger = call.ledger();
    ServerSha256 sha256;
    const Place place = find_place(ledger, *id);
    if (through && *through < place.seal)
      throw Error(Condition::seal_not_found,
                  "transaction " + to_string(*id) + " is not in seal " + std::to_string(*through) +
                      " or before",
                  "It is in seal " + std::to_string(place.seal) + ".");
    Proof proof;
    prove_in_block(ledger, sha256, *id, place, proof);
    prove_in_tree(ledger, sha256, *id, place, proof);
    prove_in_chain(ledger, sha256, *id, place.seal, through, proof);
    const std::string text = format_proof(proof);
    // No proof leaves that does not hold.
    const CheckedProof checked = check_proof(sha256, text, proof.root);
    if (!checked.holds) refuse_mismatch(*id, "The proof would not hold: " + checked.why + ".");
    call.finish();
    return pg_call([&] {
      const char* converted = pg_any_to_server(text.data(), static_cast<int>(text.size()), PG_UTF8);
      return converted == text.data() ? new_text(text) : CStringGetTextDatum(converted);
    });
  });
}

}  // extern "C"

}  // namespace ledgerflow
