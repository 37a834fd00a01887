#!/usr/bin/env bash
# The demo: three years of somebody's finances, from the journal that Debian's package beancount ships, in a
# ledger on a private PostgreSQL server; then the same books by beancount and by hledger, side by side.
#   demo/run.sh [JOURNAL]     JOURNAL: another beancount file
# demo/stop.sh ends it.
set -euo pipefail

demo=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$demo")
out=$root/build/demo
python=/usr/bin/python3 # Debian's: that one has Debian's beancount
export BEANCOUNT_DISABLE_LOAD_CACHE=1 PYTHONDONTWRITEBYTECODE=1
export LC_ALL=C.UTF-8 PGCLIENTENCODING=UTF8 PGTZ=UTC PGAPPNAME=ledgerflow-demo
unset PYTHONPATH PYTHONHOME MAKEFLAGS MFLAGS MAKELEVEL

bold='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

section() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
fact() { printf '  %-13s %s\n' "$1" "$2"; }
die() {
    printf '\nFAILED: %s\n' "$1" >&2
    exit 1
}

# quietly LOG COMMAND...: runs it, and shows the log's end if it fails
quietly() {
    local log=$out/$1
    shift
    "$@" >"$log" 2>&1 </dev/null || {
        tail -n 30 "$log" >&2
        die "$* (log: $log)"
    }
}

# find_journal: prints the path of the example journal. Where documentation is not installed (in slim
# containers) it is taken out of the package.
find_journal() {
    local pattern='/examples/example\.beancount(\.gz)?$' path
    path=$(dpkg -L beancount | grep -E "$pattern" || true)
    if [ ! -r "$path" ]; then
        rm -rf "$out/package"
        mkdir -p "$out/package"
        (cd "$out/package" && apt-get -q download beancount >/dev/null && dpkg-deb -x ./beancount_*.deb .) || return 1
        path=$(find "$out/package" -type f | grep -E "$pattern") || return 1
    fi
    if [[ $path == *.gz ]]; then
        gunzip -c "$path" >"$out/example.beancount"
        path=$out/example.beancount
    fi
    printf '%s\n' "$path"
}

sql() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
value() { sql -A -t -c "$1"; }

# show SQL: prints a statement and its result, as psql would
show() {
    printf '\n  %s\n' "${1//$'\n'/$'\n  '}"
    sql -P border=1 -P footer=off -P null=- -c "$1" | sed 's/^/  /; s/[[:space:]]*$//; /^$/d'
}

# refused TITLE SQLSTATE SQL: prints how the database refuses SQL (one database transaction); if it does not, that
# ends the demo
refused() {
    local answer line
    if answer=$(sql -v VERBOSITY=verbose -c "$3" 2>&1); then die "the database took what it must refuse: $3"; fi
    printf '\n  %s\n' "$1"
    grep -E '^(ERROR|DETAIL|HINT):' <<<"$answer" | while IFS= read -r line; do
        printf '    %-8s' "${line%%:*}:"
        fold -s -w 84 <<<"${line#*:  }" | sed 's/ *$//; 2,$s/^/            /'
    done
    grep -q "^ERROR:  $2:" <<<"$answer" || die "the database refused with another error than $2: $answer"
}

mkdir -p "$out"

section '1. Packages and build'
"$root/scripts/packages.sh" build demo | sed 's/^/  /'
started=$SECONDS
quietly build.log make -C "$root" --no-print-directory -j"$(nproc)" all
fact Built "the extension and its client, $((SECONDS - started)) s"

section '2. A private PostgreSQL server and a ledger'
quietly server.log "$root/scripts/server.sh" start demo
eval "$("$root/scripts/server.sh" env demo)"
export PATH=${LEDGERFLOW_PGBIN:?}:$PATH
sql -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS demo WITH (FORCE)' -c 'CREATE DATABASE demo'
export PGDATABASE=demo
sql -c 'CREATE EXTENSION ledgerflow' -c 'SELECT ledger_create()' >/dev/null
fact Server "PostgreSQL $(value 'SHOW server_version')"
fact Extension "ledgerflow $(value "SELECT extversion FROM pg_extension WHERE extname = 'ledgerflow'")"
fact Ledger "schema ledger, with $(value 'SELECT count(*) FROM ledger.currencies') currencies to start from"

section '3. The journal'
journal=${1:-$(find_journal)} || die 'the example journal of the package beancount was not found'
fact File "$journal"
"$python" "$demo/convert.py" "$journal" "$out" || die 'the journal cannot be converted'
sql -f "$out/setup.sql" >"$out/setup.log"

section '4. Imported by ledger_import(), all of it or nothing'
cat >"$out/import.sql" <<'SQL'
\set journal `cat "$JOURNAL"`
SELECT * FROM ledger_import(:'journal', 'beancount', key_prefix => 'demo:');
SQL
import() { JOURNAL=$journal sql -A -t -F ' ' -f "$out/import.sql" || die 'the import did not go well'; }
read -r posted replayed entries accounts _ balances <<<"$(import)"
fact Posted "$posted transactions of $entries lines, into $accounts accounts that it opened"
fact Checked "$balances balances that the journal states"
read -r again replayed _ <<<"$(import)"
fact 'Once more' "$again posted: $replayed are there already, by their idempotency keys"
if [ "$posted" -eq 0 ] || [ "$again" -ne 0 ] || [ "$replayed" != "$posted" ]; then die 'importing twice posted twice'; fi

section '5. Trial balance, by three accountants'
echo
agreed=yes
"$python" "$demo/check.py" "$journal" >"$out/trial-balance.txt" || agreed=no
verdict=$(tail -n 1 "$out/trial-balance.txt")
head -n -2 "$out/trial-balance.txt"
if [ "$agreed" = no ]; then die "${verdict#FAILED: }"; fi

section '6. Read back with SQL'
if [ $# -eq 0 ]; then
    show "SELECT ledger_balance('Assets:US:BofA:Checking') AS checking,
       ledger_balance('Liabilities:US:Chase:Slate') AS owed_on_the_card,
       ledger_balance('Income:US:Hoogle:Salary') AS salary_in_three_years;"
    show "SELECT metadata ->> 'payee' AS restaurant, count(*) AS visits, sum(debit) AS spent
  FROM ledger.journal WHERE account = 'Expenses:Food:Restaurant'
 GROUP BY 1 ORDER BY 3 DESC LIMIT 3;"
    show "SELECT account, debit, credit, currency, balance_after
  FROM ledger.journal WHERE description = 'Buy shares of VHT' AND effective_at = '2013-09-18'
 ORDER BY line;"
fi
show 'SELECT count(*) AS findings FROM ledger_verify();'
[ "$(value 'SELECT count(*) FROM ledger_verify()')" = 0 ] || die 'ledger_verify() finds something wrong'
if [ $# -eq 0 ]; then
    show "SELECT label, round(amount, 2) AS \"2015\"
  FROM ledger_income_statement('2015-01-01', '2016-01-01', depth => 2) WHERE currency = 'USD';"
    show "SELECT label, round(amount, 2) AS \"31 December\"
  FROM ledger_balance_sheet('2015-12-31', depth => 2) WHERE currency = 'USD';"
fi

section '7. What the database refuses'
before=$(value 'SELECT count(*) FROM ledger.entries')
IFS='|' read -r debit credit <<<"$(value "SELECT a.code, b.code FROM ledger.accounts a JOIN ledger.accounts b USING (currency)
    WHERE a.type = 'expense' AND b.type = 'asset' ORDER BY a.currency = 'USD' DESC, 1, 2 LIMIT 1")"
refused 'money out of nothing' LF006 \
    "SELECT ledger_post(ARRAY[ledger_debit('$debit', 2), ledger_credit('$credit', 1)])"
refused 'the same money under a key that was used for something else' LF047 \
    "SELECT ledger_post('$debit', '$credit', 1, idempotency_key => (SELECT min(key) FROM ledger.idempotency_keys))"
if [ $# -eq 0 ]; then
    refused 'a cent more than there is, on an account with a floor of zero' LF040 \
        "SELECT ledger_set_limits('Assets:US:BofA:Checking', min_balance => 0, max_balance => NULL);
         SELECT ledger_post('Expenses:Home:Rent', 'Assets:US:BofA:Checking', 3043.24)"
fi
refused "a superuser's INSERT past every function, found at COMMIT" LF006 "
    WITH t AS (INSERT INTO ledger.transactions (description) VALUES ('by hand') RETURNING id)
    INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
    SELECT t.id, v.line, a.id, v.amount
      FROM t, ledger.accounts a, (VALUES (1, '$debit', 1000000), (2, '$credit', -1)) AS v (line, code, amount)
     WHERE a.code = v.code"
refused "a superuser's UPDATE of what was posted" LF070 'UPDATE ledger.entries SET amount = amount * 2'
refused "a superuser's DELETE" LF070 'DELETE FROM ledger.transactions'
[ "$(value 'SELECT count(*) FROM ledger.entries')" = "$before" ] || die 'a refused statement left something behind'
[ "$(value 'SELECT count(*) FROM ledger_verify()')" = 0 ] || die 'ledger_verify() finds something wrong'
printf '\n  Nothing of this was posted, and ledger_verify() still finds nothing.\n'

section 'Try it'
fact psql "psql -h $PGHOST -U $PGUSER demo"
fact '' "SELECT * FROM ledger_trial_balance();"
fact files "$out (setup.sql, import.sql, trial-balance.txt)"
fact stop "make demo-stop"

printf '\n%s%s%s\n' "$bold" "$verdict" "$plain"
