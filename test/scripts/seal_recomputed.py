#!/usr/bin/env python3
"""Seals and proofs computed anew from docs/seal.md alone: with hashlib, from what plain SQL returns. Run by
scripts/test.sh with libpq pointed at a server; with arguments it is the checker that docs/seal.md shows:
    seal_recomputed.py PROOF ROOT
"""

import hashlib
import json
import os
import subprocess
import sys

DATABASE = "seal_recomputed"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def tree_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01", tree_root(leaves[:split]), tree_root(leaves[split:]))


# --- a proof ----------------------------------------------------------------------------------------


def check_proof(proof, known_root):
    """The transaction's text, or None when the proof does not hold."""
    rest = proof

    def line(name):
        nonlocal rest
        first, rest = rest.split(b"\n", 1)
        assert first.startswith(name), first
        return first[len(name):]

    def hashes(name):
        return [bytes.fromhex(line(b"").decode()) for _ in range(int(line(name)))]

    def text(name):
        nonlocal rest
        size = int(line(name))
        found, rest = rest[:size], rest[size:]
        return found

    line(b"ledgerflow-proof 1")
    line(b"through ")
    line(b"root ")
    index, path = int(line(b"index ")), hashes(b"path ")
    root, later = bytes.fromhex(line(b"previous ").decode()), hashes(b"later ")
    seal, transaction = text(b"seal "), text(b"transaction ")
    assert rest == b""

    size = int(seal.split(b"\n")[2].removeprefix(b"transactions "))
    node, last, joined = index, size - 1, sha256(b"\x00", transaction)
    for sibling in path:
        if node & 1 or node == last:
            joined = sha256(b"\x01", sibling, joined)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            joined = sha256(b"\x01", joined, sibling)
        node, last = node >> 1, last >> 1
    if index >= size or last != 0 or not seal.endswith(b"\ntree %s\n" % joined.hex().encode()):
        return None
    for text_hash in [sha256(b"\x02", seal)] + later:
        root = sha256(b"\x03", root, text_hash)
    return transaction if root.hex() == known_root else None


# --- the tables -------------------------------------------------------------------------------------


def rows(sql):
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", DATABASE, "-c", f"SELECT row_to_json(r) FROM ({sql}) r"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=dict(os.environ, PGCLIENTENCODING="UTF8"))
    return [json.loads(line) for line in answer.stdout.decode().splitlines()]


def chosen(value):  # what a user chose: its length in bytes goes before it
    return "-" if value is None else f"{len(value.encode())}:{value}"


MICROS = "CASE WHEN isfinite({0}) THEN (extract(epoch FROM {0}) * 1000000)::bigint::text ELSE {0}::text END AS {0}"


def transaction_texts():
    lines = {}
    for row in rows("""SELECT e.transaction_id, e.line, e.account_id, e.stripe, a.code, a.type, a.currency,
                              e.amount::text, e.balance_after::text
                         FROM ledger.entries e LEFT JOIN ledger.accounts a ON a.id = e.account_id
                        ORDER BY e.transaction_id, e.line"""):
        account = " ".join(chosen(row[name]) for name in ("code", "type", "currency"))
        lines.setdefault(row["transaction_id"], []).append(
            f"line {row['line']} {row['account_id']} {row['stripe']} {account} {row['amount']} {row['balance_after']}\n")
    texts = {}
    for row in rows(f"""SELECT id, {MICROS.format("posted_at")}, {MICROS.format("effective_at")}, xact_id::text,
                               created_by, type, reference, description, reverses, hold, metadata::text
                          FROM ledger.transactions"""):
        texts[row["id"]] = (
            f"ledgerflow-transaction 1\nid {row['id']}\nposted_at {row['posted_at']}\n"
            f"effective_at {row['effective_at']}\nxact_id {row['xact_id']}\n"
            + "".join(f"{name} {chosen(row[name])}\n" for name in ("created_by", "type", "reference", "description"))
            + "".join(f"{name} {row[name] or '-'}\n" for name in ("reverses", "hold"))
            + f"metadata {chosen(row['metadata'])}\n" + "".join(lines.get(row["id"], []))).encode()
    return texts


def recompute():
    """The roots of all seals, each from the rows alone."""
    texts = transaction_texts()
    members = {}
    for row in rows("SELECT seal, transaction_ids FROM ledger.seal_blocks ORDER BY seal, block"):
        members.setdefault(row["seal"], []).extend(row["transaction_ids"])
    root, roots = bytes(32), []
    for seal in rows(f"""SELECT seal, transactions, entries, late, last_transaction_id, {MICROS.format("sealed_at")},
                                sealed_by, client_address::text, server, horizon::text, next_xact_id::text
                           FROM ledger.seals ORDER BY seal"""):
        tree = tree_root([sha256(b"\x00", texts[id]) for id in members[seal["seal"]]])
        text = "ledgerflow-seal 1\n" + "".join(
            f"{name} {seal[name]}\n"
            for name in ("seal", "transactions", "entries", "late", "last_transaction_id", "sealed_at"))
        text += f"sealed_by {chosen(seal['sealed_by'])}\nclient_address {chosen(seal['client_address'])}\n"
        text += f"server {seal['server'] if seal['server'] is not None else '-'}\n"
        text += f"horizon {seal['horizon']}\nnext {seal['next_xact_id']}\ntree {tree.hex()}\n"
        root = sha256(b"\x03", root, sha256(b"\x02", text.encode()))
        roots.append(root.hex())
    return roots


# --- the test ---------------------------------------------------------------------------------------


def sql(text, database=DATABASE):
    answer = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database], input=text.encode(), stdout=subprocess.PIPE,
                            check=True, env=dict(os.environ, PGCLIENTENCODING="UTF8", PGOPTIONS="-c client_min_messages=warning"))
    return answer.stdout.decode()


def make_books(encoding):
    sql(f"DROP DATABASE IF EXISTS {DATABASE}", "postgres")
    sql(f"CREATE DATABASE {DATABASE} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0", "postgres")
    sql(r"""
        CREATE EXTENSION ledgerflow; SELECT ledger_create();
        SELECT ledger_open_account('assets:' || c, 'asset', c), ledger_open_account('equity:' || c, 'equity', c)
          FROM unnest(ARRAY['USD', 'JPY', 'BHD']) c;
        INSERT INTO ledger.currencies VALUES ('A18', 18);
        SELECT ledger_open_account('wei:1', 'asset', 'A18'), ledger_open_account('wei:2', 'equity', 'A18');
        SELECT ledger_post('assets:USD', 'equity:USD', i + 0.05, 'k' || i, 'r' || i, E'Zeile 1\nline 2 9 0 - -: Größe ' || i,
                           '2020-02-29 12:34:56.000001+00'::timestamptz + i * interval '1 day',
                           jsonb_build_object('i', i, 'ü', 1.50, 'x', jsonb_build_array(null, true, 'a"b'))) FROM generate_series(1, 130) i;
        SELECT ledger_seal();
        SELECT ledger_post('wei:1', 'wei:2', 12345678901234567.123456789012345678);
        SELECT ledger_post('assets:JPY', 'equity:JPY', 12345, effective_at => '4713-01-01 BC');
        SELECT ledger_post('assets:JPY', 'equity:JPY', 1, effective_at => '9999-12-31 23:59:59.999999+00', description => '');
        SELECT ledger_post(ARRAY[ledger_debit('assets:USD', 1), ledger_debit('assets:BHD', 0.001), ledger_credit('equity:USD', 1), ledger_credit('equity:BHD', 0.001)]);
        SELECT ledger_seal();
        SELECT ledger_reverse(id, 'wrong') FROM ledger.transactions WHERE reference = 'r7';
        SELECT ledger_capture(ledger_hold('assets:USD', 'equity:USD', 9), 4);
        WITH t AS (INSERT INTO ledger.transactions (type, reference) VALUES ('by hand', 'raw') RETURNING id)
        INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
        SELECT t.id, l, a.id, m FROM t, (VALUES (1, 'assets:USD', 1.5), (2, 'equity:USD', -1.5)) v (l, c, m) JOIN ledger.accounts a ON a.code = c;
        SELECT ledger_seal();
        """)


def test(encoding):
    make_books(encoding)
    roots = [row["root"] for row in rows("SELECT encode(root, 'hex') AS root FROM ledger.seals ORDER BY seal")]
    assert len(roots) == 3, roots
    assert recompute() == roots, (recompute(), roots)
    texts = transaction_texts()
    proofs = rows("SELECT id, ledger_prove(id) AS proof FROM ledger.transactions")
    assert len(proofs) == 137, len(proofs)
    for row in proofs:
        proof = row["proof"].encode()
        assert check_proof(proof, roots[-1]) == texts[row["id"]], proof.decode()
        assert check_proof(proof, roots[0]) is None
        forged = proof.replace(b"id " + row["id"].encode(), b"id 00000000" + row["id"].encode()[8:])
        assert forged != proof and check_proof(forged, roots[-1]) is None
    assert not rows("SELECT * FROM ledger_verify_seal()")
    sql("SET session_replication_role = replica; UPDATE ledger.entries SET amount = amount * 2 WHERE line = 1 AND transaction_id = (SELECT max(id::text)::uuid FROM ledger.transactions)")
    changed = recompute()
    assert changed[:2] == roots[:2] and changed[2] != roots[2]
    return len(proofs)


def main():
    if len(sys.argv) == 3:
        with open(sys.argv[1], "rb") as file:
            transaction = check_proof(file.read(), sys.argv[2])
        if transaction is None:
            sys.exit("the proof does not hold")
        sys.stdout.buffer.write(transaction)
        return
    proofs = sum(test(encoding) for encoding in ("UTF8", "LATIN1"))
    sql(f"DROP DATABASE {DATABASE}", "postgres")
    print(f"6 seals and {proofs} proofs recomputed from the specification")


if __name__ == "__main__":
    main()
