"""The kinds of operations of soak.py: statements that run alike from the client and in a loop in the server.

In them $1 is a number that does not come again, $2 a random one below a million, {ledger} the schema of the ledger.
The first column of the answer is false where a statement did not do what it should.
"""

from collections import namedtuple

Kind = namedtuple("Kind", "name weight sqlstate calls postings statement")
KINDS = []

# Accounts of which nothing is ever opened or closed for good: account_balances has to keep its size.
ACCOUNTS = """
SELECT ledger_open_account('cash:' || n, 'asset', 'USD') FROM generate_series(0, 99) n;
SELECT ledger_open_account(code, type, currency, min_balance => floor, max_balance => ceiling)
  FROM (VALUES ('eur', 'asset', 'EUR', NULL::numeric, NULL::numeric), ('trade:usd', 'equity', 'USD', NULL, NULL),
               ('trade:eur', 'equity', 'EUR', NULL, NULL), ('empty', 'asset', 'USD', 0, NULL), ('full', 'asset', 'USD', NULL, 0),
               ('frozen', 'asset', 'USD', NULL, NULL), ('closed', 'asset', 'USD', NULL, NULL), ('ice', 'asset', 'USD', NULL, NULL),
               ('kept', 'asset', 'USD', NULL, NULL))
       AS a (code, type, currency, floor, ceiling);
SELECT ledger_freeze_account('frozen'), ledger_close_account('closed'), ledger_close_period('2020-01-01');
SELECT ledger_post('kept', 'cash:2', 1, reference => 'taken');
UPDATE {ledger}.settings SET idempotency_retention = '1 second';
SELECT ledger_seal();
SELECT ledger_grant('soak_poster', 'poster'), ledger_grant('soak_reader', 'reader');
"""

WORDS = {
    "{a}": "('cash:' || $2 % 50)",
    "{b}": "('cash:' || 50 + $2 % 50)",
    "{m}": "((1 + $2 % 500) / 100.0)",
    "{key}": "('key ' || $1)",
    "{ref}": "('reference ' || $1)",
    "{five}": "array_agg({a}), array_agg('cash:' || 50 + ($2 + n) % 50), array_agg(0.01 * n)",
    "{post}": "ledger_post({a}, {b}, {m}",
    "{hold}": "ledger_hold({a}, {b}, 5, expires_in => '20 milliseconds'",
    "{nothing}": "'00000000-0000-7000-8000-000000000000'",
}


def words(statement):
    for _ in range(2):
        for word, meaning in WORDS.items():
            statement = statement.replace(word, meaning)
    return statement


def kind(name, weight, calls, postings, statement):
    KINDS.append(Kind(name, weight, "00000", calls, postings, words(statement)))


def refused(state, name, statement, calls=1):
    KINDS.append(Kind(name, 1, state, calls, 0, words(statement)))


kind("two accounts", 60, 1, 1, "SELECT {post})")
kind("an amount as text", 5, 1, 1, "SELECT ledger_post({a}, {b}, '1.25')")
kind("a transfer", 10, 1, 1, "SELECT post_transfer({a}, {b}, {m})")
kind("key, reference, texts", 20, 1, 1,
     "SELECT {post}, {key}, {ref}, 'some text', metadata => jsonb_build_object('n', $1))")
kind("another effective time", 5, 1, 1, "SELECT {post}, effective_at => now() - $2 * interval '1 minute')")
kind("three lines", 5, 1, 1,
     "SELECT ledger_post(ARRAY[ledger_debit({a}, 2), ledger_debit({b}, 3), ledger_credit({a}, 5)])")
kind("an exchange", 5, 1, 1,
     "SELECT ledger_post(ARRAY[ledger_debit('eur', 9), ledger_credit('trade:eur', 9), ledger_debit('trade:usd', 10), ledger_credit({a}, 10)])")
kind("at a version", 5, 1, 1,
     "SELECT {post}, expected_version => (SELECT version FROM {ledger}.balances WHERE account = {a}))")
kind("a replay", 10, 2, 1, "SELECT {post}, {key}) = {post}, {key})")
kind("a hold that expires", 5, 1, 0, "SELECT {hold})")
kind("a hold captured", 5, 2, 1, "SELECT ledger_capture(ledger_hold({a}, {b}, 5, {key}, {ref}))")
kind("a hold in parts", 5, 4, 2,
     "SELECT ledger_capture(h, 1, false), ledger_raise_hold(h, 3), ledger_capture(h, 7) "
     "FROM (SELECT ledger_hold({a}, {b}, 5) AS h OFFSET 0) x")
kind("a hold released", 5, 2, 0, "SELECT ledger_release(ledger_hold({a}, {b}, 5, {key}), 'no longer')")
kind("a reversal", 5, 2, 2, "SELECT ledger_reverse({post}), 'a reason', idempotency_key => {key})")
kind("a reversal in part", 2, 2, 2, "SELECT ledger_reverse({post}), amount => 0.01)")
kind("a batch", 3, 1, 5,
     "SELECT count(*) = 5 FROM (SELECT (ledger_post_batch({five}, array_agg({key} || ':' || n))).* FROM generate_series(1, 5) n) b "
     "WHERE status = 'posted'")
kind("a batch, each for itself", 3, 1, 4,
     "SELECT string_agg(status, ',' ORDER BY item) = 'posted,posted,posted,posted,insufficient_balance' "
     "FROM ledger_post_batch(array_fill({a}, '{5}'), ARRAY['cash:90', 'cash:91', 'cash:92', 'cash:93', 'empty'], "
     "ARRAY[1, 2, 3, 4, 5], mode => 'each')")
kind("a chain that breaks", 2, 1, 1,
     "SELECT string_agg(status, ',' ORDER BY item) = 'linked_failed,insufficient_balance,posted' "
     "FROM ledger_post_batch(array_fill({a}, '{3}'), ARRAY['cash:90', 'empty', 'cash:92'], ARRAY[1, 2, 3], "
     "mode => 'each', linked => '{t,f,f}')")
kind("rows of the view postings", 3, 1, 5,
     "WITH r AS (INSERT INTO {ledger}.postings (debit, credit, amount, idempotency_key) "
     "SELECT {a}, {b}, n, {key} || n FROM generate_series(1, 5) n RETURNING 1) SELECT count(*) = 5 FROM r")

kind("balances", 10, 2, 0, "SELECT ledger_balance({a}), ledger_available({b})")
kind("balance at a time", 5, 1, 0, "SELECT ledger_balance_at({a}, now() - $2 * interval '1 millisecond')")
kind("effective balance at a time", 2, 1, 0,
     "SELECT ledger_balance_at({a}, now() - $2 * interval '1 minute', 'effective')")
kind("a page of a statement", 5, 1, 0, """SELECT count(*) FROM ledger_statement({a}, "limit" => 5)""")
kind("a page of transactions", 2, 1, 0, """SELECT count(*) FROM ledger_find_transactions(account => {a}, "limit" => 5)""")
kind("as of a time", 2, 1, 0,
     "SELECT set_config('ledgerflow.as_of', (now() - interval '1 second')::text, true), ledger_balance({a}), "
     "set_config('ledgerflow.as_of', '', true)")
kind("the view balances", 2, 1, 0, "SELECT balance FROM {ledger}.balances WHERE account = {a}")
kind("an account again", 2, 1, 0, "SELECT ledger_open_account({a}, 'asset', 'USD')")
kind("a freeze", 1, 2, 0, "SELECT ledger_freeze_account('ice', 'debit', 'why'), ledger_unfreeze_account('ice')")
kind("limits", 1, 1, 0, "SELECT ledger_set_limits('ice', -($2 % 100), $2 % 100)")
kind("closing and opening", 1, 2, 0, "SELECT ledger_close_account('ice'), ledger_reopen_account('ice')")
kind("minor units", 1, 2, 0, "SELECT ledger_from_minor(ledger_to_minor({m}, 'USD'), 'USD') = {m}")
kind("upkeep", 2, 1, 0, "SELECT ledger_maintain()")

refused("LF001", "no amount", "SELECT ledger_post({a}, {b}, 0)")
refused("LF001", "too many decimals", "SELECT ledger_post({a}, {b}, 1.001)")
refused("LF001", "not a number", "SELECT ledger_post({a}, {b}, 'NaN'::numeric)")
refused("LF002", "no code", "SELECT ledger_post('', {b}, 1)")
refused("LF003", "one account", "SELECT ledger_post({a}, {a}, 1)")
refused("LF004", "one line", "SELECT ledger_post(ARRAY[ledger_debit({a}, 1)])")
refused("LF005", "too many lines", "SELECT ledger_post(array_agg(ledger_debit({a}, 1))) FROM generate_series(1, 10001)")
refused("LF006", "unbalanced", "SELECT ledger_post(ARRAY[ledger_debit({a}, 1), ledger_credit({b}, 2)])")
refused("LF007", "two currencies", "SELECT ledger_post({a}, 'eur', 1)")
refused("LF008", "an empty key", "SELECT {post}, '')")
refused("LF009", "an empty reference", "SELECT {post}, reference => '')")
refused("LF010", "a long description", "SELECT {post}, description => repeat('x', 10001))")
refused("LF011", "metadata that is a list", "SELECT {post}, metadata => '[1]')")
refused("LF012", "no time", "SELECT {post}, effective_at => 'infinity')")
refused("LF013", "limits upside down", "SELECT ledger_set_limits('ice', 2, 1)")
refused("LF014", "an id of another kind", "INSERT INTO {ledger}.transactions (id) VALUES (gen_random_uuid()) RETURNING true")
refused("LF015", "an unknown mode", "SELECT ledger_post_batch(ARRAY[{a}], ARRAY[{b}], ARRAY[1], mode => 'some')")
refused("LF016", "an expiry in the past", "SELECT ledger_hold({a}, {b}, 1, expires_in => '-1 second')")
refused("LF017", "a period of the future", "SELECT ledger_close_period('infinity')")
refused("LF018", "what is no reversal", "SELECT ledger_reverse({post}), lines => ARRAY[ledger_debit({a}, 1), ledger_credit({b}, 1)])", 2)
refused("LF019", "no cursor", "SELECT ledger_statement({a}, after => 'c' || $1)")
refused("LF020", "no ledger", "SELECT {post}, ledger => 'none')")
refused("LF020", "a schema that is no ledger", "SELECT {post}, ledger => 'soak')")
refused("LF021", "a ledger again", "SELECT ledger_create('{ledger}')")
refused("LF023", "no account", "SELECT ledger_post({a}, 'nobody:' || $1, 1)")
refused("LF024", "another account", "SELECT ledger_open_account({a}, 'liability', 'USD')")
refused("LF025", "no type", "SELECT ledger_open_account('new', 'thing', 'USD')")
refused("LF026", "no currency", "SELECT ledger_open_account('new', 'asset', 'SEASHELLS')")
refused("LF027", "no transaction", "SELECT ledger_reverse({nothing})")
refused("LF028", "a reference again", "SELECT {post}, reference => 'taken')")
refused("LF040", "a floor", "SELECT ledger_post({a}, 'empty', 1)")
refused("LF041", "a ceiling", "SELECT ledger_post('full', {a}, 1)")
refused("LF043", "a frozen account", "SELECT ledger_post({a}, 'frozen', 1)")
refused("LF044", "a closed account", "SELECT ledger_post({a}, 'closed', 1)")
refused("LF045", "closing what is not empty", "SELECT ledger_close_account('kept')")
refused("LF046", "another version", "SELECT {post}, expected_version => 1000000000)")
refused("LF047", "a key for something else", "SELECT ledger_post({a}, {b}, 1, {key}), ledger_post({a}, {b}, 2, {key})", 2)
refused("LF048", "a closed period", "SELECT {post}, effective_at => '2019-06-01')")
refused("LF050", "opening what is open", "SELECT ledger_reopen_account({a})")
refused("LF060", "no hold", "SELECT ledger_capture({nothing})")
refused("LF061", "captured twice", "SELECT ledger_capture(h), ledger_capture(h) FROM (SELECT ledger_hold({a}, {b}, 5) AS h OFFSET 0) x", 3)
refused("LF063", "too much", "SELECT ledger_capture(ledger_hold({a}, {b}, 5), 6)", 2)
refused("LF064", "reversed twice", "SELECT ledger_reverse(p), ledger_reverse(p) FROM (SELECT {post}) AS p OFFSET 0) x", 3)
refused("LF070", "changing what was posted", "UPDATE {ledger}.transactions SET description = 'x' WHERE reference = 'taken' RETURNING true")
refused("LF070", "taking it away", "DELETE FROM {ledger}.transactions WHERE reference = 'taken' RETURNING true")
refused("LF080", "no seal", "SELECT ledger_prove(id, 1000000000) FROM {ledger}.transactions WHERE reference = 'taken'")
refused("LF090", "no journal", "SELECT ledger_import('nonsense ' || $1)")
refused("22012", "an account opened, and an error",
        "SELECT ledger_open_account('new:' || $1, 'asset', 'USD'), ledger_post({a}, 'new:' || $1, 1), "
        "1 / (length(ledger_balance({a})::text) * 0)", 3)
refused("22P02", "words for an amount", "SELECT ledger_post({a}, {b}, 'much')")
refused("2202E", "lines in rows", "SELECT ledger_post(ARRAY[[ledger_debit({a}, 1), ledger_credit({b}, 1)]])")

# Once at every measurement: statement, and how many transactions it posts.
ROUND = [(words(statement), postings) for statement, postings in (
    ("SELECT ledger_seal()", 0),
    ("SELECT length(ledger_prove(id)) FROM {ledger}.transactions WHERE reference = 'taken'", 0),
    ("SELECT ledger_verify_seal((SELECT max(seal) FROM {ledger}.seals))", 0),
    ("SELECT ledger_verify_incremental()", 0),
    ("SELECT ledger_health()", 0),
    ("SELECT count(*) FROM {ledger}.open_holds", 0),
    ("SELECT count(*) FROM ledger_trial_balance()", 0),
    ("SELECT count(*) FROM ledger_trial_balance(now(), 'posted')", 0),
    ("SELECT count(*) FROM ledger_rollup()", 0),
    ("SELECT count(*) FROM ledger_movements(now() - interval '1 second', NULL, by => 'posted')", 0),
    ("SELECT count(*) FROM ledger_chart('cash:1', now() - interval '1 minute', now(), '10 seconds', by => 'posted')", 0),
    ("SELECT count(*) FROM ledger_import(E'2026-01-02 a journal\\n  cash:1  3.00 USD\\n  cash:2  -3.00 USD\\n', key_prefix => 'import $1:')", 1),
    ("SELECT ledger_close_period(coalesce(closed_through, '2020-01-01') + interval '1 second') FROM {ledger}.settings", 0),
)]

# Some of the measurements only: they read all of the ledger.
REPORTS = (
    "SELECT count(*) FROM ledger_balance_sheet()",
    "SELECT count(*) FROM ledger_income_statement(now() - interval '1 day')",
    "SELECT count(*) FROM ledger_balances_by_type(now())",
    "SELECT count(*) FROM ledger_compare(now() - interval '2 days', now() - interval '1 day', now() - interval '1 day', now())",
    "SELECT count(*) FROM ledger_rebuild_balances('cash:1')",
    "SELECT count(*) FROM ledger_export('hledger', now() - interval '10 milliseconds')",
)
