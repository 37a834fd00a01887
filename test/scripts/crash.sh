#!/usr/bin/env bash
# The server is killed under load, twice: whatever was acknowledged is there, exactly once, and a retry of every key
# settles what was not known.
source "$(dirname "$0")/common.bash"

clients=4
server=crash-$$
new_server $server shared_buffers=32MB
db=lf_crash
sql postgres -c "CREATE DATABASE $db" >/dev/null
sql $db <<'SQL' || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(1, 4) i;
SELECT ledger_open_account('floor', 'liability', 'USD', min_balance => 0);
SELECT ledger_post('a1', 'floor', 1000);
SQL

requests() {  # requests ROUND CLIENT: statements that say their key and what was answered
    awk -v r="$1" -v c="$2" 'BEGIN {
        for (i = 1; i <= 20000; ++i) {
            key = "r" r "-c" c "-" i
            printf "SELECT %c%s%c, ledger_post(%ca%d%c, %ca%d%c, %d, %c%s%c, %cref %s%c);\n", 39, key, 39,
                39, 1 + (i + c) % 4, 39, 39, 1 + (i + c + 1 + i % 3) % 4, 39, 1 + i % 50, 39, key, 39, 39, key, 39
        }
    }'
}
for round in 1 2; do
    pids=()
    for ((c = 1; c <= clients; ++c)); do
        requests $round $c >"$work/requests-$round-$c"
    done
    for ((c = 1; c <= clients; ++c)); do
        psql -XqAt -F ' ' -v ON_ERROR_STOP=1 -d $db -f "$work/requests-$round-$c" >"$work/acked-$round-$c" 2>>"$work/errors" &
        pids+=($!)
    done
    sleep 2
    "$LEDGERFLOW_ROOT/scripts/server.sh" crash $server
    wait "${pids[@]}"
    "$LEDGERFLOW_ROOT/scripts/server.sh" start $server shared_buffers=32MB || exit 1
    check "round $round: verified" '' "$(verified $db)"
    cat "$work"/acked-"$round"-* >"$work/acked-$round"
    acked=$(wc -l <"$work/acked-$round")
    check "round $round: some were acknowledged" t "$([ "$acked" -gt 50 ] && echo t)"
    found=$(sql $db <<SQL
CREATE TEMP TABLE acked (key text, id uuid);
\\copy acked FROM '$work/acked-$round' (DELIMITER ' ')
SELECT count(*) FROM acked JOIN ledger.idempotency_keys k USING (key) JOIN ledger.transactions t ON t.id = k.transaction_id
 WHERE k.transaction_id = acked.id AND t.reference = 'ref ' || key;
SQL
    )
    check "round $round: all $acked acknowledged are there under their ids" "$acked" "$found"
    # At most one more of each client was on its way.
    stored=$(sql $db -c "SELECT count(*) FROM ledger.idempotency_keys WHERE key LIKE 'r$round-%'")
    check "round $round: no more than what was on its way ($((stored - acked)))" t \
        "$([ "$stored" -ge "$acked" ] && [ "$stored" -le $((acked + clients)) ] && echo t)"
    # Everybody sends everything again that was acknowledged, and the next ones.
    for ((c = 1; c <= clients; ++c)); do
        had=$(wc -l <"$work/acked-$round-$c")
        head -n $((had + 2)) "$work/requests-$round-$c" >"$work/again"
        PGOPTIONS="-c synchronous_commit=off" sql $db -F " " -f "$work/again" >"$work/answers"
        check "round $round: client $c: the same answers again" "$(md5sum <"$work/acked-$round-$c")" \
            "$(head -n "$had" "$work/answers" | md5sum)"
        check "round $round: client $c: the unknown are settled" $((had + 2)) "$(wc -l <"$work/answers")"
    done
    check "round $round: exactly once" "$((acked + 2 * clients))" \
        "$(sql $db -c "SELECT count(*) FROM ledger.transactions WHERE reference LIKE 'ref r$round-%'")"
    check "round $round: verified after the retries" '' "$(verified $db)"
done
check 'nothing made or lost' 0.00 "$(sql $db -c 'SELECT sum(debits_posted - credits_posted) FROM ledger.account_balances')"
finish "two crashes under load, $(cat "$work"/acked-? | wc -l) acknowledged postings kept"
