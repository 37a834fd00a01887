#!/usr/bin/env bash
# Eight threads post through the client library while the server's processes are killed, again and again: every
# posting that was told yes is there once, every one that was told no is not, and none waits for ever.
# STORM_SECONDS (20) makes it longer. Then: connections that a server turns down.
source "$(dirname "$0")/common.bash"

seconds=${STORM_SECONDS:-20}
server=storm-$$
storm=$LEDGERFLOW_ROOT/build/test/storm
flock "$LEDGERFLOW_ROOT/build/.lock" make -C "$LEDGERFLOW_ROOT/test" --no-print-directory ../build/test/storm >"$work/build" 2>&1 ||
    { cat "$work/build"; exit 1; }

new_server $server fsync=off shared_buffers=32MB max_connections=60 restart_after_crash=on
data=$(readlink -f "$LEDGERFLOW_ROOT/build/servers/$server")/data
control() {  # pg_ctl as the server's owner
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u postgres -- "$LEDGERFLOW_PGBIN/pg_ctl" -D "$data" "$@") </dev/null >/dev/null 2>&1
    else
        "$LEDGERFLOW_PGBIN/pg_ctl" -D "$data" "$@" </dev/null >/dev/null 2>&1
    fi
}
db=storm
sql postgres -c "CREATE DATABASE $db" >/dev/null
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a' || i, 'asset', 'USD') FROM generate_series(0, 3) i;
SELECT ledger_open_account('b' || i, 'income', 'USD') FROM generate_series(0, 2) i;
SELECT ledger_open_account('wallet', 'liability', 'USD', min_balance => 0);
SQL
export PGDATABASE=$db

timeout $((seconds + 200)) "$storm" "$seconds" "$work/journal" >"$work/printed" 2>&1 &
program=$!
end=$((SECONDS + seconds))
kills=0 restarts=0 ended=0
while [ $SECONDS -lt $end ]; do
    sleep 0.$((RANDOM % 7 + 2))
    case $((RANDOM % 5)) in
        0)  # all backends of the server go with one that is killed
            pid=$(sql postgres -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'ledgerflow' ORDER BY random() LIMIT 1")
            [[ $pid =~ ^[0-9]+$ ]] && kill -9 "$pid" 2>/dev/null && kills=$((kills + 1))
            ;;
        1)
            control -m immediate -w -t 60 restart && restarts=$((restarts + 1))
            ;;
        *)
            sql postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ledgerflow' AND random() < 0.4" >/dev/null
            ended=$((ended + 1))
            ;;
    esac
done
wait $program
check "the program ended by itself" 0 $?
check "no future hangs" "0 hanging" "$(cat "$work/printed")"
wait_for 60 postgres 'SELECT true' || exit 1
sql $db <<SQL >/dev/null || exit 1
CREATE TABLE journal (key text, word text, what text);
\\copy journal FROM '$work/journal' (DELIMITER ' ')
SQL
ask() { sql $db -c "SELECT $1 FROM journal j LEFT JOIN ledger.idempotency_keys k USING (key) LEFT JOIN ledger.transactions t ON t.id = k.transaction_id $2"; }
echo "$kills processes killed, $restarts immediate restarts, $ended rounds of sessions ended:" \
    "$(sql $db -c "SELECT string_agg(n || ' ' || word, ', ' ORDER BY word) FROM (SELECT word, count(*) AS n FROM journal GROUP BY word) w")"
check "each posting was answered once" t "$(sql $db -c 'SELECT count(*) = count(DISTINCT key) FROM journal')"
check "enough of them were posted" t "$(ask 'count(*) > 200' "WHERE word = 'yes'")"
check "some were refused" t "$(ask 'count(*) > 20' "WHERE word = 'no' AND what = 'LF040'")"
check "every yes is there, under its id" 0 "$(ask 'count(*)' "WHERE word = 'yes' AND t.id::text IS DISTINCT FROM what")"
check "no no is there" 0 "$(ask 'count(*)' "WHERE word = 'no' AND k.key IS NOT NULL")"
check "nothing is there twice, or without having been asked for" t \
    "$(sql $db -c "SELECT (SELECT count(*) FROM ledger.transactions) = (SELECT count(*) FROM journal JOIN ledger.idempotency_keys USING (key))")"
check "nothing was left unknown" 0 "$(ask 'count(*)' "WHERE word = 'unknown'")"
check "the books are right" '' "$(verified $db)"

# A server that asks for a password, is full, or is not there.
sql postgres -c "CREATE ROLE teller LOGIN PASSWORD 'right'" >/dev/null
{ echo 'local all teller scram-sha-256'; cat "$data/pg_hba.conf"; } >"$work/hba"
cat "$work/hba" >"$data/pg_hba.conf"
control reload
wait_for 10 postgres "SELECT EXISTS (SELECT FROM pg_hba_file_rules WHERE 'teller' = ANY (user_name))"
attempt() { env "$@" "$storm" connect; }
wait_for 10 postgres "SELECT '$(attempt PGUSER=teller PGPASSWORD=wrong | cut -c1-5)' = '08001'"
check "a wrong password" yes "$([[ $(attempt PGUSER=teller PGPASSWORD=wrong) == '08001 '*password* ]] && echo yes)"
check "no password" yes "$([[ $(attempt PGUSER=teller) == '08001 '*password* ]] && echo yes)"
check "the right password" ok "$(attempt PGUSER=teller PGPASSWORD=right)"
sql postgres -c 'ALTER ROLE teller CONNECTION LIMIT 0' >/dev/null
check "a role without connections" yes "$([[ $(attempt PGUSER=teller PGPASSWORD=right) == '08001 '*connections* ]] && echo yes)"
sql postgres -c 'CREATE DATABASE bare' >/dev/null
check "no extension" yes "$([[ $(attempt PGDATABASE=bare) == '42704 '*bare* ]] && echo yes)"
control -m fast -w stop
check "a server that is down" yes "$([[ $(attempt) == '08001 '* ]] && echo yes)"

finish "$kills kill -9, $restarts immediate restarts, $ended rounds of ended sessions"
