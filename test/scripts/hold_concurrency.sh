#!/usr/bin/env bash
# Eight sessions hold, capture, release, raise, reverse, post and post batches over few accounts with limits, with expiries
# of milliseconds and colliding keys and references, while holds are expired and periods closed: no deadlock, no failure
# but refusals that belong to the operation, nothing lost, nothing reserved that no hold reserves.
source "$(dirname "$0")/common.bash"

seconds=${HOLD_SECONDS:-10}
db=lf_hold_concurrency
new_database $db
sql $db <<'SQL' >/dev/null || exit 1
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account('a' || i, CASE WHEN i % 2 = 0 THEN 'asset' ELSE 'liability' END, 'USD') FROM generate_series(1, 3) i;
SELECT ledger_open_account('a4', 'liability', 'USD', min_balance => 0);
SELECT ledger_open_account('a5', 'liability', 'USD', min_balance => 0, max_balance => 300);
SELECT ledger_open_account('a6', 'asset', 'USD', max_balance => 200);
SELECT ledger_post('a2', 'a4', 200);
SELECT ledger_post('a2', 'a5', 150);

-- What came of each call, and the answers of calls with a key.
CREATE UNLOGGED TABLE outcomes (op text, condition text);
CREATE UNLOGGED TABLE answers (key text, id uuid);

CREATE FUNCTION pick(low integer, high integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT low + floor(random() * (high - low + 1))::integer';
CREATE FUNCTION any_account(not_this text DEFAULT '') RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE code text;
BEGIN
    LOOP code := 'a' || pick(1, 6); EXIT WHEN code <> not_this; END LOOP;
    RETURN code;
END $$;
CREATE FUNCTION any_amount() RETURNS numeric LANGUAGE sql VOLATILE AS 'SELECT pick(4, 6000)::numeric / 100';
-- One of the latest, settled or not.
CREATE FUNCTION any_hold() RETURNS uuid LANGUAGE sql VOLATILE AS
    'SELECT id FROM (SELECT id FROM ledger.holds ORDER BY id DESC LIMIT 40) h ORDER BY random() LIMIT 1';
CREATE FUNCTION any_transaction() RETURNS uuid LANGUAGE sql VOLATILE AS
    'SELECT id FROM (SELECT id FROM ledger.transactions ORDER BY id DESC LIMIT 40) t ORDER BY random() LIMIT 1';
CREATE FUNCTION any_expiry() RETURNS interval LANGUAGE sql VOLATILE AS
    'SELECT (ARRAY[NULL, ''5 ms'', ''50 ms'', ''500 ms'', ''1 hour'']::interval[])[pick(1, 5)]';
CREATE FUNCTION held_lines(of uuid) RETURNS ledger_line[] LANGUAGE sql VOLATILE AS $$
    SELECT array_agg(ROW(a.code, l.amount)::ledger_line ORDER BY random())
      FROM ledger.hold_lines l JOIN ledger.accounts a ON a.id = l.account_id WHERE l.hold_id = of $$;

CREATE FUNCTION act(op text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a text := any_account();
    b text := any_account(a);
    c text := any_account(a);
    n integer := pick(1, 300);  -- tells a request with a key in full, so that a repetition is the same
    h uuid;
    found uuid;
    list ledger_line[];
    row record;
BEGIN
    CASE op
    WHEN 'hold' THEN
        PERFORM ledger_hold(a, b, any_amount(), expires_in => any_expiry());
    WHEN 'hold lines' THEN
        PERFORM ledger_hold(ARRAY[ledger_debit(a, 10), ledger_credit(b, 4), ledger_debit(b, 3), ledger_credit(c, 9)], expires_in => any_expiry());
    WHEN 'hold key' THEN
        found := ledger_hold('a' || 1 + n % 6, 'a' || 1 + (n + 2) % 6, n / 10.0, 'hold ' || n, CASE WHEN n % 3 = 0 THEN 'ref ' || n END,
                             expires_in => CASE WHEN n % 2 = 0 THEN interval '30 ms' END);
        INSERT INTO answers VALUES ('hold ' || n, found);
    WHEN 'capture' THEN
        h := any_hold();
        IF random() < 0.4 THEN PERFORM ledger_capture(h);
        ELSIF random() < 0.8 THEN PERFORM ledger_capture(h, round(any_amount() / 3, 2), random() < 0.3);
        ELSE
            list := held_lines(h);
            PERFORM ledger_capture(h, lines => list, final => false);
        END IF;
    WHEN 'capture key' THEN
        -- As a retry does: the same hold, the same key.
        h := any_hold();
        found := ledger_capture(h, 0.01, false, 'capture ' || h);
        INSERT INTO answers VALUES ('capture ' || h, found);
    WHEN 'release' THEN
        PERFORM ledger_release(any_hold());
    WHEN 'release key' THEN
        h := any_hold();
        PERFORM ledger_release(h, idempotency_key => 'release ' || h);
    WHEN 'raise' THEN
        h := any_hold();
        IF random() < 0.7 THEN PERFORM ledger_raise_hold(h, round(any_amount() / 2, 2));
        ELSE
            list := held_lines(h);
            PERFORM ledger_raise_hold(h, lines => list);
        END IF;
    WHEN 'reverse' THEN
        h := any_transaction();
        IF random() < 0.5 THEN PERFORM ledger_reverse(h, 'wrong');
        ELSE PERFORM ledger_reverse(h, amount => round(any_amount() / 4, 2));
        END IF;
    WHEN 'reverse key' THEN
        h := any_transaction();
        found := ledger_reverse(h, idempotency_key => 'reverse ' || h);
        INSERT INTO answers VALUES ('reverse ' || h, found);
    WHEN 'post' THEN
        PERFORM ledger_post(a, b, any_amount());
    WHEN 'post past' THEN
        PERFORM ledger_post(a, b, any_amount(), effective_at => clock_timestamp() - interval '1 hour' + interval '1 second' * (random() - 0.5));
    WHEN 'batch', 'chains' THEN
        -- Keys and references of a few, in any order, now and then twice in one batch.
        FOR row IN SELECT p.status, p.transaction_id, i.keys[p.item] AS key
                     FROM (SELECT array_agg('a' || 1 + k % 6) AS debit, array_agg('a' || 1 + (k + 2) % 6) AS credit, array_agg(k / 20.0) AS amount,
                                  array_agg(CASE WHEN k % 2 = 0 THEN 'batch ' || k END) AS keys,
                                  array_agg(CASE WHEN k % 5 = 0 THEN 'batch ' || k END) AS refs, array_agg(k % 3 = 0 AND i < 12) AS linked
                             FROM (SELECT pick(1, 300) AS k, i FROM generate_series(1, 12) i) s) i,
                          ledger_post_batch(i.debit, i.credit, i.amount, i.keys, 'each', i.refs,
                                            linked => CASE WHEN op = 'chains' THEN i.linked END) p LOOP
            IF row.key IS NOT NULL AND row.transaction_id IS NOT NULL THEN INSERT INTO answers VALUES (row.key, row.transaction_id); END IF;
            INSERT INTO outcomes VALUES (op || ' item', row.status);
        END LOOP;
    WHEN 'atomic' THEN
        PERFORM ledger_post_batch(ARRAY[a, b, c], ARRAY[b, a, a], ARRAY[any_amount(), any_amount(), any_amount()]);
    WHEN 'maintain' THEN
        PERFORM ledger_maintain();
    WHEN 'close' THEN
        PERFORM ledger_close_period(clock_timestamp() - interval '1 hour');
    END CASE;
    INSERT INTO outcomes VALUES (op, 'ok');
EXCEPTION WHEN OTHERS THEN
    -- Refusals are counted; anything else is a failure of the script.
    IF SQLSTATE NOT LIKE 'LF%' THEN RAISE; END IF;
    INSERT INTO outcomes SELECT op, e.condition FROM ledger_errors() e (state, condition) WHERE e.state = SQLSTATE;
END $$;
SQL

run() {  # run SECONDS NAME OPTION...: the mix
    local time=$1 name=$2 weight op files=()
    shift 2
    while read -r weight op; do
        echo "SELECT act('$op');" >"$work/$op"
        files+=(-f "$work/$op@$weight")
    done <<'MIX'
12 hold
4 hold lines
6 hold key
14 capture
6 capture key
5 release
2 release key
5 raise
6 reverse
3 reverse key
12 post
4 post past
4 batch
3 chains
3 atomic
1 maintain
1 close
MIX
    pgbench -n -c 8 -j 2 -T "$time" "$@" "${files[@]}" $db >"$work/out" 2>&1
    check "$name: pgbench ends well" 0 $? || tail -n 20 "$work/out"
    check "$name: no failed transaction" 'number of failed transactions: 0 (0.000%)' "$(grep '^number of failed' "$work/out")"
    check "$name: no client gave up" '' "$(grep -E 'ERROR|aborted' "$work/out" | head -n 5)"
    sed -n "s/^number of transactions actually processed/     $name/p" "$work/out"
}

# The books are right at any moment, not at the end only.
(while [ ! -e "$work/stop" ]; do
    verified $db >>"$work/meanwhile"
    sleep 0.5
done) &
watcher=$!
run "$seconds" 'read committed'
touch "$work/stop"
wait $watcher
check 'ledger_verify() finds nothing meanwhile' '' "$(head -n 5 "$work/meanwhile")"

wait_for 10 $db "SELECT numbackends = 1 FROM pg_stat_database WHERE datname = '$db'"
check 'no deadlock' 0 "$(sql $db -c "SELECT deadlocks FROM pg_stat_database WHERE datname = '$db'")"

# In the stricter levels what fails is a serialization failure, which is sent again until it passes.
for level in 'repeatable read' serializable; do
    PGOPTIONS="-c default_transaction_isolation=${level/ /\\ }" run 3 "$level" --max-tries=100000
done

# Refusals that belong to the operation: anything else is a bug.
limits="'insufficient_balance', 'limit_exceeded'"
check 'no refusal of another kind' '' "$(sql $db -c "
WITH allowed (op, conditions) AS (VALUES
    ('hold', ARRAY[$limits]), ('hold lines', ARRAY[$limits, 'unbalanced_transaction', 'same_account']), ('hold key', ARRAY[$limits]),
    ('capture', ARRAY['hold_not_pending', 'hold_expired', 'hold_amount_exceeded', 'invalid_argument', 'hold_not_found']),
    ('capture key', ARRAY['hold_not_pending', 'hold_expired', 'hold_amount_exceeded', 'invalid_argument', 'hold_not_found']),
    ('release', ARRAY['hold_not_pending', 'hold_expired', 'hold_not_found']), ('release key', ARRAY['hold_not_pending', 'hold_expired', 'hold_not_found']),
    ('raise', ARRAY[$limits, 'hold_not_pending', 'hold_expired', 'invalid_argument', 'hold_not_found']),
    ('reverse', ARRAY[$limits, 'already_reversed', 'invalid_argument', 'invalid_amount']),
    ('reverse key', ARRAY[$limits, 'already_reversed']),
    ('post', ARRAY[$limits]), ('post past', ARRAY[$limits, 'period_closed']), ('atomic', ARRAY[$limits]),
    ('batch', '{}'), ('chains', '{}'), ('maintain', '{}'), ('close', ARRAY['invalid_period']),
    ('batch item', ARRAY[$limits, 'posted', 'replayed', 'duplicate_reference']),
    ('chains item', ARRAY[$limits, 'posted', 'replayed', 'duplicate_reference', 'linked_failed']))
SELECT o.op, o.condition, count(*) FROM outcomes o LEFT JOIN allowed a USING (op)
 WHERE o.condition <> 'ok' AND o.condition <> ALL (coalesce(a.conditions, '{}')) GROUP BY 1, 2 ORDER BY 1, 2")"
echo 'what came of the calls:'
sql $db -c "SELECT op, string_agg(condition || ' ' || n, ', ' ORDER BY n DESC) FROM (SELECT op, condition, count(*) AS n FROM outcomes GROUP BY 1, 2) s GROUP BY op ORDER BY op" | sed 's/^/     /'
check 'every operation was done' 17 "$(sql $db -c "SELECT count(DISTINCT op) FROM outcomes WHERE condition = 'ok'")"
check 'the hard cases occurred' 7 "$(sql $db -c "SELECT count(DISTINCT condition) FROM outcomes WHERE condition IN
    ('hold_not_pending', 'hold_expired', 'hold_amount_exceeded', 'already_reversed', 'insufficient_balance', 'replayed', 'linked_failed')")"

check 'one answer to a key' 0 "$(sql $db -c 'SELECT count(*) FROM (SELECT key FROM answers GROUP BY key HAVING count(DISTINCT id) > 1) s')"
check 'ledger_verify() finds nothing' '' "$(verified $db)"
check 'money is conserved' t "$(sql $db -c 'SELECT sum(debits_posted) = sum(credits_posted) FROM ledger.account_balances')"
# A posting takes back its own account's line of a hold past its expiry; the worker takes the others.
sql $db -c 'SELECT ledger_maintain()' >/dev/null
check 'what is reserved balances' t "$(sql $db -c 'SELECT sum(debits_pending) = sum(credits_pending) FROM ledger.account_balances')"
check 'nothing was captured after its time' 0 "$(sql $db -c 'SELECT count(*) FROM ledger.transactions t JOIN ledger.holds h ON h.id = t.hold WHERE t.posted_at >= h.expires_at')"
check 'nothing was reversed beyond what it moved' 0 "$(sql $db -c "
WITH RECURSIVE tree (root, id) AS (
    SELECT id, id FROM ledger.transactions UNION ALL SELECT t.root, r.id FROM tree t JOIN ledger.transactions r ON r.reverses = t.id),
whole AS (SELECT transaction_id AS id, account_id, sum(amount) AS amount FROM ledger.entries GROUP BY 1, 2),
rest AS (SELECT t.root AS id, e.account_id, sum(e.amount) AS amount FROM tree t JOIN ledger.entries e ON e.transaction_id = t.id GROUP BY 1, 2)
SELECT count(*) FROM whole w JOIN rest r USING (id, account_id)
 WHERE r.amount NOT BETWEEN least(w.amount, 0) AND greatest(w.amount, 0)")"
check 'each settled hold was settled once' 0 "$(sql $db -c "
SELECT count(*) FROM (SELECT transaction_id FROM ledger.transaction_history WHERE to_status IN ('captured', 'released', 'expired')
                       GROUP BY transaction_id HAVING count(*) > 1) s")"

# Everything is given back: nothing stays reserved.
sql $db <<'SQL' >"$work/released" || { check 'what is left can be released' '' "$(cat "$work/released")"; }
SELECT * FROM ledger_maintain();
SELECT ledger_release(id) FROM ledger.holds WHERE status = 'pending' AND (expires_at IS NULL OR expires_at > clock_timestamp() + interval '1 minute');
SELECT * FROM ledger_maintain();
SQL
check 'no hold is pending' 0 "$(sql $db -c "SELECT count(*) FROM ledger.holds WHERE status = 'pending'")"
check 'nothing is reserved' '0.00|0.00' "$(sql $db -c 'SELECT sum(debits_pending), sum(credits_pending) FROM ledger.account_balances')"
check 'no line is open' 0 "$(sql $db -c 'SELECT count(*) FROM ledger.hold_lines WHERE is_open OR captured + released <> abs(amount)')"
check 'ledger_verify() finds nothing at the end' '' "$(verified $db)"
finish "8 sessions, $(sql $db -c "SELECT count(*) FROM outcomes WHERE op NOT LIKE '% item'") calls, every refusal with a reason"
