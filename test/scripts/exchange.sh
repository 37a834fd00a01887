#!/usr/bin/env bash
# Exports are read by hledger, ledger and beancount without complaint, with the ledger's own balances; what beancount's
# example journal becomes here is what beancount and hledger make of it.
source "$(dirname "$0")/common.bash"

for program in hledger ledger bean-check; do
    command -v $program >/dev/null || { echo "there is no $program: scripts/packages.sh test"; exit 77; }
done
export BEANCOUNT_DISABLE_LOAD_CACHE=1 LC_ALL=C.UTF-8 PGTZ=UTC
db=lf_exchange
new_database $db
sql $db -c 'CREATE EXTENSION ledgerflow' -c 'SELECT ledger_create()' >/dev/null

export_to() { psql -XAtq -d $db -c "SELECT ledger_export('$1', ledger => '$2')" -o "$work/$2.$1"; } # export_to FORMAT LEDGER

# The balances that a program finds in a journal, as "account|amount|commodity", without those of zero; summed up here
# from what it says in lines of that form.
sums() {
    /usr/bin/python3 -c '
import collections, decimal, sys
decimal.getcontext().prec = 100
totals = collections.defaultdict(decimal.Decimal)
for line in sys.stdin:
    account, amount, commodity = line.rstrip("\n").split("|")
    totals[account, commodity.strip("\"")] += decimal.Decimal(amount)
for (account, commodity), total in totals.items():
    if total: print(account, format(total.normalize(), "f"), commodity, sep="|")' | sort
}
hledger_balances() {
    hledger -s -f "$1" balance --flat --empty --no-total --layout=bare -O csv | tail -n +2 |
        sed -E 's/""//g; s/^"(.*)","(.*)","(.*)"$/\1|\3|\2/' | sums
}
ledger_balances() { ledger -f "$1" register --format '%(account)|%(quantity(amount))|%(commodity(amount))\n' | sums; }
beancount_balances() {
    /usr/bin/python3 -c '
import sys
from beancount import loader
from beancount.core import data
entries, errors, _ = loader.load_file(sys.argv[1])
if errors: sys.exit(str(errors[0]))
for entry in entries:
    if isinstance(entry, data.Transaction):
        for posting in entry.postings: print(posting.account, posting.units.number, posting.units.currency, sep="|")' "$1" | sums
}
our_balances() { # our_balances LEDGER
    sql $db -c "SELECT account || '|' || trim_scale(debit - credit)::text || '|' || currency FROM ledger_trial_balance('$1') WHERE debit <> credit" | LC_ALL=C.UTF-8 sort
}

compare() { # compare LEDGER: the three programs read it and find the same
    local format
    for format in hledger ledger beancount csv; do export_to $format "$1"; done
    check "$1: hledger reads it" '' "$(hledger -s -f "$work/$1.hledger" check 2>&1 | head -20)"
    check "$1: hledger's balances" "$(our_balances "$1")" "$(hledger_balances "$work/$1.hledger")"
    check "$1: ledger reads it" '' "$(ledger -f "$work/$1.ledger" balance 2>&1 >/dev/null | head -20)"
    check "$1: ledger's balances" "$(our_balances "$1")" "$(ledger_balances "$work/$1.ledger" | sed 's/|h_$/|h/')" # to ledger, h is time
    check "$1: beancount reads it" '' "$(bean-check "$work/$1.beancount" 2>&1 | head -20)"
}

# --- beancount's example journal ---------------------------------------------------------------------
journal=$(dpkg -L beancount | grep -E '/examples/example\.beancount(\.gz)?$')
if [ ! -r "$journal" ]; then # slim containers have no documentation
    (cd "$work" && apt-get -q download beancount >/dev/null 2>&1 && dpkg-deb -x ./beancount_*.deb .)
    journal=$(find "$work" -type f | grep -E '/examples/example\.beancount(\.gz)?$')
fi
[ -r "$journal" ] || { echo 'beancount has no example journal'; exit 77; }
zcat -f "$journal" >"$work/example.beancount"
import() { # import FILE FORMAT LEDGER [MORE]
    sql $db <<SQL
\set journal \`cat $1\`
SELECT transactions, replayed, balances_checked FROM ledger_import(:'journal', '$2', ledger => '$3' ${4:-});
SQL
}
# As many decimals as prices compute, so that nothing is rounded.
sql $db -c "DELETE FROM ledger.currencies WHERE code = 'USD'" -c "INSERT INTO ledger.currencies VALUES ('USD', 5, 'US Dollar')"
check 'the example is imported' '1146|0|92' "$(import "$work/example.beancount" beancount ledger ", key_prefix => 'example:'")"
check 'again: nothing new' '0|1146|92' "$(import "$work/example.beancount" beancount ledger ", key_prefix => 'example:'")"
check 'and it is sound' '' "$(verified $db)"
# Trading and rounding accounts are ours; all others have beancount's own balances, those of several commodities
# by commodity.
beancount_balances "$work/example.beancount" | sort >"$work/theirs"
our_balances ledger | grep -v '^Equity:Trading:\|^Equity:Rounding|' | sed -E 's/^([^|]*):([A-Z0-9]+)\|([^|]*)\|\2$/\1:\2|\3|\2/' >"$work/ours"
check 'with the balances of beancount' '' "$(diff "$work/theirs" "$work/ours" | head -20)"
compare ledger
check 'beancount finds in its own example what it finds in the export' "$(our_balances ledger)" "$(beancount_balances "$work/ledger.beancount")"

# --- texts, names and amounts of every kind ----------------------------------------------------------------
sql $db <<'SQL' >"$work/odd.log" || { cat "$work/odd.log"; exit 1; }
SELECT ledger_create('odd');
SET ledgerflow.ledger = 'odd';
INSERT INTO odd.currencies (code, scale, name) VALUES ('BTC-X.1', 24, 'A; "coin"'), ('usd', 4, NULL), ('x', 3, NULL), ('9', 2, NULL), ('TRUE', 1, NULL), ('h', 2, NULL), ('and', 2, NULL), ('POINTS', 0, NULL);
INSERT INTO odd.account_types (code, normal_side) VALUES ('wallet', 'credit');
SELECT ledger_open_account(code, type, currency, name, metadata => '{"type": "foo", "a": [1, [2024]], "note": "x, type:bar; [2024-99-99]"}') FROM (VALUES
    ('assets:bank', 'asset', 'USD', E'Bank\n"1"; x'), ('assets:bank:sub', 'asset', 'USD', 'type: X'), ('Assets:bank', 'asset', 'USD', NULL), ('assets', 'asset', 'USD', NULL), ('a.b-c_d@e+f/g', 'wallet', 'USD', NULL),
    ('@x', 'asset', 'BTC-X.1', NULL), ('-x', 'wallet', 'BTC-X.1', NULL), ('+1', 'asset', 'usd', NULL), ('/2', 'equity', 'usd', NULL), ('.3', 'income', 'x', NULL), ('4', 'expense', 'x', NULL),
    ('c9', 'asset', '9', NULL), ('d9', 'asset', '9', NULL), ('ct', 'asset', 'TRUE', NULL), ('dt', 'asset', 'TRUE', NULL), ('ch', 'asset', 'h', NULL), ('dh', 'asset', 'h', NULL), ('ca', 'asset', 'and', NULL), ('da', 'asset', 'and', NULL),
    ('cp', 'asset', 'POINTS', NULL), ('dp', 'asset', 'POINTS', NULL), (repeat('z', 255), 'asset', 'USD', repeat('n', 10000))) AS v (code, type, currency, name);
SELECT ledger_post('assets:bank', 'a.b-c_d@e+f/g', n + 0.01, reference => nullif(left(text, 60), ''), description => text, effective_at => '2024-01-01'::timestamptz + n * interval '1 day',
        metadata => jsonb_build_object('plain', text, 'payee', text, 'date', short, 'date2', short, 'type', short, 'uuid', short, 'value', short, 'k e y', short, 'list', jsonb_build_array(n, short), 'flag', left(text, 1), 'tags', jsonb_build_array(left(text, 50))))
  FROM unnest(ARRAY['', ' ', 'plain', ' leading', 'trailing ', E'tab\there', E'new\nline', E'\r', '"quoted"', '"', $q$'$q$, '\', 'back\slash\n', ';', 'a ; b', 'a  ; b', '* flagged', '! x', '(code) x', '(', '=x', '@', '#tag ^link', '|',
                 '[2024-01-01]', '[2024/13/40]', '[=2024/13/40]', 'date:2024-99-99', 'key: value, date: 99', 'x [2024-99-99] y', ':a:b:', '{"a": 1}', '{', 'Größe 😀 日本語', U&'\00A0nbsp\00A0', U&'\2028', E'\x01\x7f', 'a,b', 'a | b', '%', '&', '~',
                 'end comment', 'comment', 'include /etc/passwd', repeat('long ', 2000), repeat('"\', 5000), repeat('é', 5000), repeat(U&'\+01F600', 2500), 'NULL', 'TRUE', '2024-01-01', '1,000.00', '-', '--', 'Payee:', 'x  y']) WITH ORDINALITY AS x (text, n), left(text, 300) AS short;
SELECT ledger_post('@x', '-x', 12345678.000000000000000000000001), ledger_post('+1', '/2', 0.0001), ledger_post('4', '.3', 1.125), ledger_post('c9', 'd9', 1), ledger_post('ct', 'dt', 0.1), ledger_post('ch', 'dh', 90), ledger_post('ca', 'da', 1), ledger_post('cp', 'dp', 1000000),
       ledger_post('assets:bank:sub', 'assets', 5, effective_at => '2024-05-05 10:30:00.000001Z'), ledger_post(repeat('z', 255), 'Assets:bank', 99999999999),
       ledger_post(ARRAY[ledger_debit('assets', 1), ledger_credit('Assets:bank', 1), ledger_debit('cp', 3), ledger_credit('dp', 3), ledger_debit('@x', 0.1), ledger_credit('-x', 0.1)]);
SQL
compare odd
# beancount cannot confirm balances of more than 28 digits, and CSV states none.
declare -A stated=([hledger]=22 [ledger]=22 [beancount]=20 [csv]=0)
for format in hledger ledger beancount csv; do
    sql $db -c "SELECT ledger_create('back_$format')" -c "INSERT INTO back_$format.account_types (code, normal_side) VALUES ('wallet', 'credit')" >/dev/null
    check "$format: read back" "68|0|${stated[$format]}" "$(import "$work/odd.$format" $format back_$format)"
    check "$format: the same balances" "$(our_balances odd)" "$(our_balances back_$format)"
done

# --- what the documentation advises -------------------------------------------------------------------------
psql -XAtq -d $db -v FETCH_COUNT=100 -c "SELECT ledger_export('beancount', ledger => 'odd')" -o "$work/fetched"
check 'fetched in pieces it is the same' '' "$(cmp "$work/odd.beancount" "$work/fetched" 2>&1)"
# A journal that was changed on its way: the other program and the import both find the wrong balance.
sed '0,/assets:bank  *1\.01 USD/s//assets:bank 2.01 USD/; 0,/a.b-c_d@e+f\/g  *-1\.01 USD/s//a.b-c_d@e+f\/g -2.01 USD/' "$work/odd.hledger" | sed -E 's/^    (assets:bank|a.b-c_d@e\+f\/g) (-?2.01)/    \1  \2/' >"$work/changed.hledger"
check 'an amount that was changed: hledger' 1 "$(hledger -f "$work/changed.hledger" balance >/dev/null 2>&1; echo $?)"
sql $db -c "SELECT ledger_create('changed')" -c "INSERT INTO changed.account_types (code, normal_side) VALUES ('wallet', 'credit')" >/dev/null
check 'an amount that was changed: the import' 'where the journal says' "$(import "$work/changed.hledger" hledger changed | grep -o 'where the journal says' | head -1)"
check 'and nothing was posted' 0 "$(sql $db -c 'SELECT count(*) FROM changed.accounts')"

finish 'exports are read by hledger, ledger and beancount'
