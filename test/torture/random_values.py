"""Random SQL expressions of any type, from values that have broken programs before; for calls.py."""

import re

LEDGERS = ["ledger", "second", "own things", "Ünïcode \"quoted\"; " + "ü" * 21]
NO_LEDGERS = ["pg_catalog", "public", "information_schema", "pg_temp", "nothing", "", "hurt", "x" * 63, "ä" * 31, "LEDGER", "ledger;--"]

HOSTILE = [
    "", " ", "'", "''", '"', "\\", "\\x", "$$", "%s %n %d", "\n", "\r\n", "\t", "\x01", "\x7f", "\u00a0", "\u202e", "\ufeff", "\U0001f4b8", "e\u0301",
    "NULL", "null", "NaN", "Infinity", "-0", "1e400", "0x10", "{}", "[]", "{{", "}}", "()", "(,)", "a:b", ":", "::", "a:", ":a", "a::b", "a" * 255,
    "a" * 256, "x" * 10000, "x" * 10001, "ü" * 128, ":".join("a" * 128), "'; DROP SCHEMA ledger CASCADE; --", "../../etc/passwd", "public.accounts",
    "pg_catalog.now()", "\\u0000", "\\000", "now", "epoch", "all", "true", "-1", "9223372036854775808", "0" * 300, "\u0661\u0662\u0663",
]
NUMBERS = [
    "0", "-0.0", "1", "-1", "0.01", "0.001", "2.50", "10", "100", "1e3", "123456789.99", "0.1e-23", "1e-24", "1e29", "1e30", "9.99e29", "1e37", "1e38",
    "-1e38", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999.99", "340282366920938463463374607431768211456", "170141183460469231731687303715884105727",
    "170141183460469231731687303715884105728", "18446744073709551616", "9223372036854775807", "-9223372036854775808", "NaN", "Infinity", "-Infinity",
    "1e131071", "-1e131071", "1e-16383", "0e-16383", "1.5e-16000", "1" + "0" * 5000 + ".5", "0." + "0" * 16000 + "1", "0." + "9" * 16383, "1.00000000000000000000000000000000000000000",
]
TIMES = [
    "infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00", "0001-01-01 00:00:00+00",
    "1970-01-01 00:00:00+00", "1582-10-15 00:00:00+00", "1999-12-31 23:59:59.999999+00", "2000-01-01 00:00:00+00", "2000-02-29 12:00:00+14", "2024-01-01", "2024-06-30 23:59:59-12",
    "2024-12-31", "2025-03-30 02:30:00 Europe/Berlin", "10889-08-02 05:31:50.655+00", "10889-08-02 05:31:50.656+00", "10895-01-01", "5000-01-01", "9999-12-31", "60000-01-01",
]
TIME_EXPRESSIONS = ["now()", "clock_timestamp()", "now() - interval '1 day'", "now() + interval '1 hour'", "now() - interval '1 microsecond'", "date_trunc('month', now())", "now() + interval '99 years'"]
INTERVALS = [
    "0", "1 microsecond", "-1 second", "1 ms", "1 day", "1 month", "1 year -12 months", "-1 day 25:00:00", "100 years", "99 years 364 days", "178000000 years", "-178000000 years",
    "2147483647 months", "-2147483648 days", "2147483647 days 2147483647:59:59.999999", "30 days", "1000 years", "1 mon -30 days", "-1 mon +31 days",
]
INTEGERS = {
    "smallint": ["0", "1", "-1", "2", "32767", "-32768"],
    "integer": ["0", "1", "-1", "2", "3", "5", "100", "1000", "100000", "2147483647", "-2147483648"],
    "bigint": ["0", "1", "-1", "2", "3", "4", "5", "10", "100", "2147483648", "9223372036854775807", "-9223372036854775808"],
    "oid": ["0", "1", "1259", "16384", "4294967295", "'pg_class'::regclass::oid"], "xid8": ["'0'::xid8", "'18446744073709551615'::xid8", "pg_current_xact_id_if_assigned()"],
    "double precision": ["0", "'NaN'", "'Infinity'", "1e308", "5e-324"], "real": ["0", "'NaN'", "1e38"],
}
UUIDS = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-7000-8000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff",
         "018f0000-0000-7000-8000-000000000001", "018f0000-0000-4000-8000-000000000001"]
JSON = [
    "{}", "[]", "null", "true", '""', "1e1000", "-0", '{"a": null}', '{"": ""}', '{"channel": "wire"}', '{"a": {"b": [1, 2, {"c": "\\\\u0000"}]}}', '{"a\\u0001": "\\ud83d\\udcb8"}', '{"a": 1, "a": 2}',
    '{"Assets:Bank": "assets:bank"}', '{"$": "USD", "EUR": "EUR"}', '{"$": 1}', '[{"account": "assets:bank"}]', '{"a": "' + "x" * 70000 + '"}', '{"a": "' + "x" * 65000 + '"}',
]
JSON_EXPRESSIONS = [
    "(repeat('[', 3000) || repeat(']', 3000))::jsonb", "(repeat('{\"a\":', 2000) || '1' || repeat('}', 2000))::jsonb", "(SELECT jsonb_object_agg(i, i) FROM generate_series(1, 3000) i)",
    "to_jsonb(repeat('ü', 40000))", "jsonb_build_object('n', 'NaN'::numeric)", "jsonb_build_object('n', 1e131071)",
]
# What an argument of this name means to our functions, now or one day; used most of the time, anything else in between.
WORDS = {
    "type": ["asset", "liability", "equity", "income", "expense", "wallet"], "currency": ["USD", "EUR", "JPY", "BTC", "XAU", "W24"], "mode": ["atomic", "each"],
    "format": ["hledger", "beancount", "ledger", "csv", "json"], "by": ["effective", "posted"], "direction": ["both", "debit", "credit"],
    "level": ["reader", "poster", "operator", "admin"], "role": ["reader", "poster", "operator", "admin", "stranger", "nobody", "public", "postgres"],
    "status": ["pending", "captured", "released", "expired", "posted", "reversed", "partly_reversed", "open"], "prefix": ["assets", "assets:", "liabilities:alice", "a"],
    "key": ["channel", "a", ""], "reference": ["ref-1", "ref-2"], "idempotency_key": ["key-1", "key-2", "key-3"], "key_prefix": ["p1", "p2"], "created_by": ["postgres", "poster"],
}
ACCOUNTS = ("account", "debit", "credit", "source", "destination", "code")
# Arguments that are mostly left out, as they ask for what is seldom so.
RARE = ("expected_version", "effective_at", "known_root", "from_seal", "to_seal", "seal", "created_by", "min_amount", "max_amount", "reference", "after", "status", "accounts", "commodities", "linked",
        "through", "effective_from", "effective_to", "posted_from", "posted_to", "force", "min_balance", "max_balance", "lines")
JOURNALS = [
    "2024-01-01 Opening\n    assets:bank   10.00 USD\n    equity:opening  -10.00 USD\n",
    "2024-02-30 * (code) Payee | note ; a:b\n  assets:bank  $1,000.00\n  expenses:food\n",
    "commodity $1,000.00\naccount assets:bank\nP 2024-01-01 EUR $1.10\n2024/1/2=2024/1/3 ! x\n  assets:bank  1 EUR @ $1.10 = 5 EUR\n  expenses:food\n",
    '2024-01-01 open Assets:Bank USD\n2024-01-01 open Equity:Opening\n2024-01-02 * "Payee" "Text" #tag ^link\n  key: "value"\n  Assets:Bank  10.00 USD {1.10 EUR} @@ 11 EUR\n  Equity:Opening\n2024-01-03 balance Assets:Bank 10.00 USD\n',
    "date,debit,credit,amount,currency,reference,description\n2024-01-01,assets:bank,income:fees,10.00,USD,r1,\"a \"\"b\"\"\nc\"\n",
    "~ monthly\n  a  1\n  b\n\n= ^assets\n  (x)  *1\n\ninclude /etc/passwd\nend comment\n", "2024-01-01 x\n  a  1" + "0" * 50 + " USD\n  b\n", "; " + "x" * 100000, "\x00".replace("\x00", "\\0"),
    "2024-01-01 x\n" + "  assets:bank  1 USD\n" * 500 + "  equity:opening  -500 USD\n", "comment\n" * 200,
]


def quoted(text):
    """A literal that means the same whatever standard_conforming_strings says."""
    text = text.replace("\x00", "")
    if "\\" in text:
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


def identifier(name):
    return '"' + name.replace('"', '""') + '"'


class Values:
    """Draws expressions; remembers what calls returned, by the name of the column."""

    def __init__(self, random, types):
        self.random, self.types = random, types  # types: of the server, as calls.read_types() has them
        self.seen, self.large, self.odd, self.length = {}, False, 0.3, 2
        self.accounts = ["assets:bank", "liabilities:alice", "liabilities:bob", "income:fees", "equity:opening", "expenses:food", "exchange:usd", "exchange:eur", "limited:a", "tiny:24"]

    def remember(self, name, value):
        if isinstance(value, str) and value and "\x00" not in value and len(value) < 200000:
            pool = self.seen.setdefault(name, [])
            if value not in pool:
                pool.append(value)
            if len(pool) > 40:
                pool.pop(self.random.randrange(40))

    def chance(self, share):
        return self.random.random() < share

    def mutated(self, text):
        """An output of ours with a small change: what a forger or a bad line would send."""
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randrange(len(text) + 1)
            text = self.random.choice([
                lambda: text[:at], lambda: text[at:], lambda: text[:at] + text[at + 1:], lambda: text + text[:at], lambda: text[:at] + self.random.choice(HOSTILE)[:300] + text[at:],
                lambda: text[:at] + chr(self.random.choice([48, 57, 65, 97, 102, 34, 45, 61, 0x7f, 0xe9])) + text[at + 1:]])()
            if not text:
                break
        return text[:300000]

    def call(self):
        """Before each call: how much of it shall be odd, and of what length its arrays are."""
        self.odd, self.length = self.random.choice([0.0, 0.03, 0.1, 0.4]), self.random.choice([1, 2, 2, 3, 8, 40])

    def a_text(self, name):
        name = {"after": "cursor", "known_root": "root", "account_code": "account"}.get(name, name)
        if name == "journal":
            text = self.random.choice(JOURNALS + self.seen.get("ledger_export", []) * 2)
            return self.mutated(text) if self.chance(self.odd + 0.2) else text
        if not self.chance(self.odd):
            if name in WORDS:
                return self.random.choice(WORDS[name])
            if name in ACCOUNTS and self.chance(0.9):
                return self.random.choice(self.accounts)
            if name in self.seen:
                return self.random.choice(self.seen[name])
            return self.random.choice(["x", "some text", "ü", "a:b"])
        draw = self.random.random()
        if draw < 0.4:
            return self.mutated(self.random.choice(self.seen[self.random.choice(sorted(self.seen))] if self.seen else HOSTILE))
        if draw < 0.6 and self.seen:
            return self.random.choice(self.seen[self.random.choice(sorted(self.seen))])
        return self.random.choice(HOSTILE if draw < 0.9 else NUMBERS + TIMES)

    def a_ledger(self):
        return self.random.choice(NO_LEDGERS if self.chance(self.odd / 2) else LEDGERS)

    def an_array(self, element, name):
        shape = self.random.random() if self.chance(self.odd) else 1
        if shape < 0.2:
            return f"'{{}}'::{element}[]"
        if shape < 0.4:
            return f"array_fill({self.an_expression(element, name)}, ARRAY[2, 2])"
        if shape < 0.6:
            return f"array_fill({self.an_expression(element, name)}, ARRAY[3], ARRAY[{self.random.choice([-5, 0, 2, 2147483640])}])"
        if shape < 0.65:
            self.large = True
            return f"array_fill({self.an_expression(element, name)}, ARRAY[{self.random.choice([9999, 10001, 100001])}])"
        count = self.length if shape == 1 else self.random.choice([0, 1, 2, 3, 8, 40])
        return "ARRAY[" + ", ".join(self.an_expression(element, name) for _ in range(count)) + f"]::{element}[]"

    def an_expression(self, kind, name=""):
        """An SQL expression of the type, whose name is as format_type() writes it."""
        choose, name = self.random.choice, name or ""
        odd = self.chance(self.odd)
        if odd and self.chance(0.2) or not odd and name in RARE and self.chance(0.8):
            return f"NULL::{kind}"
        if kind.endswith("[]"):
            return self.an_array(kind[:-2], name)
        if kind == "name" and name == "ledger":
            return quoted(self.a_ledger()) + "::name"
        if kind in ("text", "name", "character varying", "character", "citext"):
            if odd and self.chance(0.05):
                self.large = True
                return f"repeat({quoted(choose(HOSTILE))}, {choose([300, 100000])})::{kind}"
            return quoted(self.a_text(name)) + f"::{kind}"
        if kind == "numeric":
            value = choose(NUMBERS if odd else ["0.01", "1", "2.50", "10", "100"])
            self.large |= len(value) > 1000 or "131071" in value
            return f"'{value}'::numeric"
        if kind in INTEGERS:
            return f"({choose(INTEGERS[kind] if odd else INTEGERS[kind][1:9:2])})::{kind}"
        if kind == "boolean":
            return choose(["true", "false"])
        if kind in ("timestamp with time zone", "timestamp without time zone", "date"):
            return f"({choose(TIME_EXPRESSIONS)})::{kind}" if not odd else f"'{choose(TIMES)}'::{kind}"
        if kind == "interval":
            return f"'{choose(INTERVALS if odd else ['1 day', '1 hour', '1 month'])}'::interval"
        if kind == "uuid":
            pool = self.seen.get("hold" if name == "hold" else "transaction_id")
            return quoted(choose(UUIDS if odd or not pool else pool)) + "::uuid"
        if kind in ("jsonb", "json"):
            if odd and self.chance(0.3):
                self.large = True
                return f"({choose(JSON_EXPRESSIONS)})::{kind}"
            return quoted(choose(JSON + self.seen.get("jsonb", []) if odd else ["{}", '{"channel": "wire"}'])) + f"::{kind}"
        if kind == "bytea":
            return choose(["''::bytea", "'\\x00ff'::bytea", "decode(repeat('00', 5000), 'hex')", "sha256('x')"])
        if kind.startswith("reg"):
            return choose(["0", "1259", "4294967295"]) + f"::oid::{kind}"
        if kind == "record":
            return choose(["ROW()", "ROW(1)", "ROW('a', 1)", "ROW(NULL, NULL, NULL)"])
        if kind in ("anyelement", "anynonarray", '"any"'):
            return self.an_expression(choose(["text", "numeric", "integer", "jsonb"]), name)
        if kind in ("anyarray",):
            return self.an_array(choose(["text", "numeric", "integer"]), name)
        if fields := self.types.get(kind):  # a row type: fields of its own types, now and then another shape
            if odd and self.chance(0.3):
                return f"ROW({', '.join(self.an_expression('text') for _ in range(len(fields) + choose([-1, 1])))})::{kind}"
            return "ROW(" + ", ".join(self.an_expression(*field[::-1]) for field in fields) + f")::{kind}"
        return f"{quoted(choose(HOSTILE))}::{kind}"

    def ledger_lines(self):
        """Lines that balance, so that they get past the first checks."""
        currency = self.random.choice(["USD", "EUR"])
        accounts = self.accounts[:6] if currency == "USD" else ["exchange:eur", "euro:a"]
        amount = self.random.choice(["0.01", "1", "2.50", "10"])
        parts = self.random.randint(1, 4)
        lines = [f"ledger_debit({quoted(self.random.choice(accounts))}, {amount})" for _ in range(parts)]
        return "ARRAY[" + ", ".join([*lines, f"ledger_credit({quoted(self.random.choice(accounts))}, {amount} * {parts})"]) + "]"


def is_uuid(text):
    return isinstance(text, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None
