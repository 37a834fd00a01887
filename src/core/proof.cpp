#include "core/proof.hpp"

#include <charconv>

namespace ledgerflow {

namespace {

constexpr std::string_view first_line = "ledgerflow-proof 1";
constexpr std::size_t longest_path = 64;  // of a tree whose size is a 64-bit number

void append(std::string& text, std::string_view name, const std::string& value) {
  text += name;
  text += ' ';
  text += value;
  text += '\n';
}

void append(std::string& text, std::string_view name, const std::vector<Digest>& digests) {
  append(text, name, std::to_string(digests.size()));
  for (const Digest& digest : digests) text += to_hex(digest) + '\n';
}

// Reads a text from the front; after something unexpected everything fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view why() const { return why_; }
  bool failed() const { return !why_.empty(); }

  std::string_view line() {
    const std::size_t end = rest_.find('\n');
    if (failed() || end == std::string_view::npos)
      return fail("it ends too early"), std::string_view();
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return found;
  }

  // The value of a line `name value`.
  std::string_view value(std::string_view name) {
    const std::string_view found = line();
    if (found.size() <= name.size() || found.substr(0, name.size()) != name ||
        found[name.size()] != ' ')
      return fail(name), std::string_view();
    return found.substr(name.size() + 1);
  }

  template <typename Number>
  Number number(std::string_view name) {
    const std::string_view digits = value(name);
    Number number{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    // One way to write each number.
    if (failed() || error != std::errc() || end != digits.data() + digits.size() ||
        digits != std::to_string(number))
      fail(name);
    return failed() ? Number{} : number;
  }

  Digest digest(std::string_view name) { return digest_of(value(name), name); }

  std::vector<Digest> digests(std::string_view name, std::size_t most) {
    const auto count = number<std::uint64_t>(name);
    std::vector<Digest> found;
    if (count > most) fail(name);
    for (std::uint64_t i = 0; i < count && !failed(); ++i) found.push_back(digest_of(line(), name));
    return found;
  }

  // A text with its length before it: `name length`, and so many bytes.
  std::string bytes(std::string_view name) {
    const auto size = number<std::uint64_t>(name);
    if (size > rest_.size()) fail(name);
    if (failed()) return {};
    const std::string_view found = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(found.size());
    return std::string(found);
  }

  void fail(std::string_view why) {
    if (why_.empty()) why_ = why;
  }

 private:
  Digest digest_of(std::string_view hex, std::string_view name) {
    const std::optional<Digest> digest = digest_from_hex(hex);
    if (!digest) fail(name);
    return digest.value_or(Digest{});
  }

  std::string_view rest_;
  std::string_view why_;
};

}  // namespace

std::string format_proof(const Proof& proof) {
  std::string text(first_line);
  text += '\n';
  append(text, "through", std::to_string(proof.through));
  append(text, "root", to_hex(proof.root));
  append(text, "index", std::to_string(proof.index));
  append(text, "path", proof.path);
  append(text, "previous", to_hex(proof.previous));
  append(text, "later", proof.later);
  append(text, "seal", std::to_string(proof.seal.size()));
  text += proof.seal;
  append(text, "transaction", std::to_string(proof.transaction.size()));
  text += proof.transaction;
  return text;
}

std::optional<Proof> parse_proof(std::string_view text, std::string& why) {
  Reader reader(text);
  Proof proof;
  if (reader.line() != first_line) {
    why = "it does not begin as a proof of ledgerflow";
    return std::nullopt;
  }
  proof.through = reader.number<std::int64_t>("through");
  proof.root = reader.digest("root");
  proof.index = reader.number<std::uint64_t>("index");
  proof.path = reader.digests("path", longest_path);
  proof.previous = reader.digest("previous");
  proof.later = reader.digests("later", text.size());
  proof.seal = reader.bytes("seal");
  proof.transaction = reader.bytes("transaction");
  if (!reader.failed() && !reader.at_end()) reader.fail("something follows it");
  if (reader.failed()) {
    why = "it is damaged: " + std::string(reader.why());
    return std::nullopt;
  }
  return proof;
}

CheckedProof check_proof(Sha256& sha256, std::string_view text, const Digest& root) {
  CheckedProof result;
  const auto refuse = [&](const char* why) {
    result = CheckedProof{};
    result.why = why;
    return result;
  };
  const std::optional<Proof> proof = parse_proof(text, result.why);
  if (!proof) return result;

  // What the seal says of itself.
  Reader seal(proof->seal);
  if (seal.line() != "ledgerflow-seal 1") return refuse("its seal is none");
  result.seal = seal.number<std::int64_t>("seal");
  const auto size = seal.number<std::uint64_t>("transactions");
  (void)seal.number<std::int64_t>("entries");
  (void)seal.number<std::int64_t>("late");
  (void)seal.value("last_transaction_id");
  result.sealed_at = seal.number<std::int64_t>("sealed_at");
  // The tree stands in the last line.
  const std::size_t tree_at = proof->seal.rfind("\ntree ");
  Reader last(tree_at == std::string::npos ? std::string_view()
                                           : std::string_view(proof->seal).substr(tree_at + 1));
  const Digest tree = last.digest("tree");
  if (seal.failed() || last.failed() || !last.at_end()) return refuse("its seal is damaged");

  Reader transaction(proof->transaction);
  if (transaction.line() != transaction_text_start) return refuse("its transaction is none");
  result.transaction_id = transaction.value("id");
  if (transaction.failed()) return refuse("its transaction is damaged");

  if (root_of_path(sha256, leaf_hash(sha256, proof->transaction), proof->index, size,
                   proof->path) != tree)
    return refuse("the transaction is not in the seal");
  Digest chained = chained_root(sha256, proof->previous, seal_text_hash(sha256, proof->seal));
  for (const Digest& later : proof->later) chained = chained_root(sha256, chained, later);
  if (chained != proof->root) return refuse("the seal does not lead to the root of the proof");
  if (result.seal < 1 || proof->through < result.seal ||
      static_cast<std::uint64_t>(proof->through - result.seal) != proof->later.size())
    return refuse("the numbers of its seals do not fit");
  if (chained != root) return refuse("the proof is for another root");
  result.holds = true;
  result.transaction = proof->transaction;
  result.through = proof->through;
  return result;
}

}  // namespace ledgerflow
