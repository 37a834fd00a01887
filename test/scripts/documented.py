#!/usr/bin/env python3
"""The documentation against the extension: signatures, tables, views, settings and errors of docs/reference.md, the
conditions that it names, links between the pages, and every SQL example of the README and the reference.

Run by scripts/test.sh with libpq pointed at a server. After a change of errors.def,
    test/scripts/documented.py --errors
prints the table of errors for the reference.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "documented"
PAGES = ["README.md", "CHANGELOG.md", "docs/reference.md", "docs/operations.md", "docs/internals.md", "docs/client.md", "docs/seal.md", "docs/command.md", "docs/reliability.md"]

failures = []


def fail(text):
    failures.append(text)
    print("FAILED:", text)


def psql(arguments, script=""):
    command = ["psql", "-X", "-d", DATABASE] + arguments
    return subprocess.run(command, input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def query(sql):
    answer = psql(["-v", "ON_ERROR_STOP=1", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-c", sql])
    if answer.returncode != 0:
        sys.exit(f"{sql}\n{answer.stdout}")
    return [row.split("\x1f") for row in answer.stdout.rstrip("\n").split("\x1e") if row]


def new_database():
    options = dict(stdout=subprocess.DEVNULL, check=True, env=dict(os.environ, PGOPTIONS="-c client_min_messages=warning"))
    for sql in (f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}"):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql], **options)


# --- what the extension has -----------------------------------------------------------------------


class Function(NamedTuple):
    name: str
    arguments: list
    signature: str


def functions(ask=query):
    """Every function of the extension, with a signature as the reference writes it."""
    rows = ask("""
        SELECT p.oid, p.proname, p.proretset, pg_get_function_result(p.oid), a.name, a.mode,
               format_type(a.type, NULL), pg_get_function_arg_default(p.oid, a.number::int)
          FROM pg_extension e
          JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
          JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
          LEFT JOIN LATERAL unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames,
                                   coalesce(p.proargmodes::text[], array_fill('i'::text, ARRAY[p.pronargs::int])))
               WITH ORDINALITY AS a (type, name, mode, number) ON a.type IS NOT NULL
         WHERE e.extname = 'ledgerflow' ORDER BY p.proname, p.oid, a.number""")
    found = {}
    for oid, name, is_set, result, argument, mode, kind, default in rows:
        entry = found.setdefault(oid, (name, is_set, result, [], []))
        if not argument:
            continue
        text = f"{argument} {kind.replace('timestamp with time zone', 'timestamptz')}"
        if default:
            text += " DEFAULT " + re.sub(r"::[\w ]+(\[\])?$", "", default)
        entry[3 if mode == "i" else 4].append(text)
    listed = []
    for name, is_set, result, given, returned in found.values():
        if returned:
            result = ("TABLE " if is_set == "t" else "") + "(" + ", ".join(returned) + ")"
        names = [text.split()[0] for text in given + returned]
        listed.append(Function(name, names, f"{name}({', '.join(given)}) → {result}"))
    return listed


def errors_table(ask=query):
    rows = ask("SELECT sqlstate, condition_name, meaning, hint FROM ledger_errors() ORDER BY sqlstate")
    lines = ["| SQLSTATE | condition | meaning | what to do |", "|---|---|---|---|"]
    lines += [f"| {state} | {name} | {meaning} | {hint} |" for state, name, meaning, hint in rows]
    return "\n".join(lines)


# --- what the pages say ---------------------------------------------------------------------------


def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text):
    """(language, content, the line it starts at, whether it follows the block before it without other text)"""
    found, end = [], -1
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        follows = end >= 0 and text[end : match.start()].strip() == ""
        found.append((match[1], match[2], text.count("\n", 0, match.start()) + 1, follows))
        end = match.end()
    return found


def headings(text):
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return re.findall(r"^#+ (.*)$", text, re.M)


def section(text, heading):
    match = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^#{{2,3}} |\Z)", text, re.M | re.S)
    return match[1] if match else None


def squeezed(text):
    return re.sub(r"\s+", " ", text).strip()


def check_functions(reference):
    signatures = squeezed(" ".join(content for language, content, _, _ in blocks(reference) if language == "text"))
    listed = functions()
    if not listed:
        fail("the extension has no functions?")
    for function in listed:
        if function.signature not in signatures:
            fail(f"docs/reference.md lacks the signature {function.signature}")
        elif function.name.startswith("ledger_guard") or function.signature.endswith("→ trigger"):
            continue
        elif section(reference, function.name) is None and function.name != "ledger_is_raw_write":
            fail(f"docs/reference.md has no section {function.name}")
    names = {function.name for function in listed}
    for name in set(re.findall(r"^(\w+)\(.*", signatures.replace(") ", ")\n"), re.M)):
        if name.startswith("ledger_") and name not in names:
            fail(f"docs/reference.md documents {name}, which is not there")
    # Names in the prose of all pages.
    for name in PAGES:
        for called in set(re.findall(r"`(ledger_\w+)(?:\(\))?`", page(name))):
            if called not in names | {"ledger_line", "ledger_only"}:
                fail(f"{name} names the function {called}, which is not there")


def check_relations(reference):
    relations = query("""
        SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0
           AND NOT a.attisdropped ORDER BY 1, a.attnum""")
    for relation, column in relations:
        text = section(reference, relation)
        if text is None:
            fail(f"docs/reference.md has no section {relation}")
        elif f"`{column}`" not in text and not (relation == "holds" and column in ("id", "created_at")):
            fail(f"docs/reference.md, {relation}: column {column} is missing")


def check_settings(reference):
    for (name,) in query("SELECT name FROM pg_settings WHERE name LIKE 'ledgerflow.%'"):
        if f"| `{name}` |" not in reference:
            fail(f"docs/reference.md does not have the setting {name}")


def check_errors(reference):
    if errors_table() not in reference:
        fail("the table of errors in docs/reference.md is not that of ledger_errors(): see --errors")
    conditions = {name for name, in query("SELECT condition_name FROM ledger_errors()")}
    text = re.sub(r"```.*?```", "", reference, flags=re.S)
    for paragraph in re.findall(r"Errors(?: of the call)?: (.*?)(?:\n\n|\Z)", text, re.S):
        for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", re.sub(r"`[^`]*`|\([^)]*\)", "", paragraph)):
            if word not in conditions:
                fail(f"docs/reference.md names the condition {word}, which is not there")
    for state in set(re.findall(r"\bLF\d{3}\b", "".join(page(name) for name in PAGES))):
        if f"| {state} |" not in reference:
            fail(f"the pages name the SQLSTATE {state}, which is not there")


def check_verify(reference):
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "src/ext").glob("verify*.sql")))
    checks = set(re.findall(r"^SELECT '(\w+)'|^ {4}\('(\w+)', ", source, re.M))
    for name in {first or second for first, second in checks}:
        if f"`{name}`" not in (section(reference, "ledger_verify") or ""):
            fail(f"docs/reference.md, ledger_verify: the check {name} is missing")


def check_links():
    def anchors(text):
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings(text)}

    for name in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page(name)):
            if re.match(r"https?://", target):
                continue
            file, _, anchor = target.partition("#")
            path = (ROOT / name).parent / file if file else ROOT / name
            if not path.exists():
                fail(f"{name} links to {target}, which is not there")
            elif anchor and anchor not in anchors(path.read_text(encoding="utf-8")):
                fail(f"{name} links to {target}, which is no heading there")


# --- examples -------------------------------------------------------------------------------------


def lines_of(text):
    return [line.rstrip() for line in text.rstrip().splitlines() if line.strip()]


def check_readme():
    """Each block by itself, as a reader would paste it; a block of text after it is its answer."""
    text = page("README.md")
    start = text.index("## First steps")
    found = blocks(text[start : text.index("\n## ", start + 1)])
    examples = 0
    for i, (language, content, _, _) in enumerate(found):
        if language != "sql":
            continue
        examples += 1
        answer = psql(["-q"], content).stdout
        if i + 1 < len(found) and found[i + 1][0] == "text" and found[i + 1][3]:
            shown = found[i + 1][1]
            if lines_of(answer) != lines_of(shown):
                fail(f"README.md shows\n{shown}\nfor\n{content}\nbut it is\n{answer}")
        elif "ERROR" in answer:
            fail(f"README.md, first steps:\n{content}\n{answer}")
    if examples < 5:
        fail(f"README.md has only {examples} examples in its first steps")


def check_reference_examples(reference):
    """All blocks in one session; `-- refused: LF040` behind a statement says that it is to fail, and how."""
    new_database()
    found = [(content, line) for language, content, line, _ in blocks(reference) if language == "sql"]
    script = "CREATE EXTENSION ledgerflow;\n"
    for content, line in found:
        script += f"\\echo @@{line}\n{content}\nROLLBACK;\n"
    answer = psql(["-q", "-v", "VERBOSITY=verbose"], script).stdout
    answers = dict((int(part.split("\n", 1)[0]), part) for part in answer.split("@@")[1:])
    for content, line in found:
        expected = re.findall(r"-- refused: (\w{5})", content)
        raised = re.findall(r"^ERROR:  (\w{5}):", answers.get(line, ""), re.M)
        if expected != raised or line not in answers:
            fail(f"docs/reference.md, example at line {line}: refused {raised}, not {expected}\n{answers.get(line, '')}")
    if len(found) < 20:
        fail(f"docs/reference.md has only {len(found)} examples")
    findings = query("SELECT * FROM ledger_verify()")
    if findings:
        fail(f"ledger_verify() after the examples: {findings}")


def check_client():
    """What docs/client.md says: every function is one of the client library. Lines it makes itself."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/client").glob("*.cpp"))
    there = set(re.findall(r"\{ext\}\.(\w+)\(", sources)) | {"ledger_debit", "ledger_credit", "ledger_is_raw_write"}
    for name in sorted({f.name for f in functions() if not f.signature.endswith("→ trigger")} - there):
        fail(f"{name}() has no call in the client library")


def main():
    new_database()
    if sys.argv[1:] == ["--errors"]:
        psql(["-c", "CREATE EXTENSION ledgerflow"])
        print(errors_table())
        return
    reference = page("docs/reference.md")
    check_readme()
    check_functions(reference)
    check_relations(reference)
    check_settings(reference)
    check_errors(reference)
    check_verify(reference)
    check_links()
    check_client()
    check_reference_examples(reference)
    if failures:
        sys.exit(f"{len(failures)} of the documentation's claims do not hold")
    print(f"{len(functions())} functions and all examples as documented")


if __name__ == "__main__":
    main()
