#!/usr/bin/env bash
# One session posts 50,000 times and is refused 50,000 times: its memory does not grow.
source "$(dirname "$0")/common.bash"

n=${MEMORY_CALLS:-50000}
db=lf_memory
new_database $db
sql $db <<'SQL' || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account(a, 'asset', 'USD') FROM unnest(ARRAY['a', 'b', 'c']) a;
SELECT ledger_open_account('low', 'asset', 'USD', min_balance => 0);
SELECT ledger_post('a', 'b', 1, 'taken', 'taken', 'first');
SQL

posting() {  # statement I
    case $(($1 % 5)) in
        0) echo "SELECT ledger_post('a', 'b', 1.25);" ;;
        1) echo "SELECT ledger_post('b', 'a', 1, 'key $1', 'reference $1', 'some text', '2026-01-02', '{\"n\": $1}');" ;;
        2) echo "SELECT ledger_post(ARRAY[ledger_debit('a', 2), ledger_debit('b', 3), ledger_credit('c', 5)]);" ;;
        3) echo "SELECT post_transfer('c', 'b', 0.01);" ;;
        4) echo "SELECT ledger_post('a', 'b', 1, 'taken', 'taken', 'first');" ;;  # a replay
    esac
}
refusal() {
    case $(($1 % 10)) in
        0) echo "SELECT ledger_post('a', 'b', 0);" ;;
        1) echo "SELECT ledger_post('a', 'nobody:$1', 1);" ;;
        2) echo "SELECT ledger_post('b', 'low', 1);" ;;
        3) echo "SELECT ledger_post('a', 'b', 2, 'taken');" ;;
        4) echo "SELECT ledger_post('a', 'b', 2, reference => 'taken');" ;;
        5) echo "SELECT ledger_post(ARRAY[ledger_debit('a', 2), ledger_credit('b', 3)]);" ;;
        6) echo "SELECT ledger_post('a', 'b', 1.001);" ;;
        7) echo "SELECT ledger_post('a', 'b', 1, ledger => 'none');" ;;
        8) echo "DO \$\$ BEGIN PERFORM ledger_post('a', 'b', 1, expected_version => 0); EXCEPTION WHEN OTHERS THEN NULL; END \$\$;" ;;
        9) echo "UPDATE ledger.entries SET amount = amount + 1 WHERE line = 1 AND transaction_id = (SELECT transaction_id FROM ledger.idempotency_keys WHERE key = 'taken');" ;;
    esac
}
measure() {  # measure NAME: private memory of the backend, and its memory contexts, in kB
    cat <<SQL
\\o
SELECT '$1', (SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts)::bigint,
       substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\\s*(\\d+) kB');
\\o /dev/null
SQL
}
{
    echo '\o /dev/null'
    for what in posting refusal; do
        for ((i = 1; i <= n; ++i)); do
            $what $i
            [ $i -ne $((n * 3 / 10)) ] || measure $what-30
        done
        measure $what-100
    done
} >"$work/script"
psql -XqAt -F ' ' -d $db -f "$work/script" >"$work/out" 2>"$work/errors"
cat "$work/out"
figure() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$work/out"; }
for what in posting refusal; do
    check "$what: measured twice" 2 "$(grep -c "^$what-" "$work/out")"
    check_below "$what: growth of the memory contexts, kB" 256 $(($(figure $what-100 2) - $(figure $what-30 2)))
    check_below "$what: growth of the private memory, kB" 1024 $(($(figure $what-100 3) - $(figure $what-30 3)))
done
# Nine refusals in ten reach psql; the tenth is caught in its block.
check 'all the others were refused' $((n / 10 * 9)) "$(grep -c 'ERROR:' "$work/errors")"
check 'all postings were posted' $((n / 5 * 4 + 1)) "$(sql $db -c 'SELECT count(*) FROM ledger.transactions')"
check 'verified' '' "$(verified $db)"
finish "$n postings and $n refusals in one session"
