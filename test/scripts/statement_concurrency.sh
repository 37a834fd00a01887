#!/usr/bin/env bash
# Readers page through statements of an account while others post on it, take holds and roll back: no line is
# skipped, none comes twice, and every balance follows from the one before it.
source "$(dirname "$0")/common.bash"

db=lf_statement
new_database $db
sql $db >"$work/setup.log" <<'SQL' || { cat "$work/setup.log"; exit 1; }
CREATE EXTENSION ledgerflow;
SELECT ledger_create();
SELECT ledger_open_account(a, 'liability', 'USD') FROM unnest(ARRAY['hot', 'a', 'b', 'c']) a;
SELECT ledger_post('hot', 'a', 1) FROM generate_series(1, 500);
CREATE TABLE seen (number bigint GENERATED ALWAYS AS IDENTITY, reader text, run int, transaction_id uuid, line int, balance numeric, debit numeric, credit numeric);
CREATE TABLE stop (reader text);

-- Reads to the end in pages, each by a statement and a snapshot of its own. Goes on until it is told to stop.
CREATE PROCEDURE read_oldest(page int) LANGUAGE plpgsql AS $$
DECLARE
    behind text; one record; rows_found int; last boolean;
BEGIN
    LOOP
        last := EXISTS (SELECT FROM stop);  -- before the page: what was posted by then is in it or behind it
        rows_found := 0;
        FOR one IN SELECT * FROM ledger_statement('hot', after => behind, "limit" => page, newest_first => false) LOOP
            INSERT INTO seen (reader, run, transaction_id, line, balance, debit, credit)
            VALUES ('oldest', 1, one.transaction_id, one.line, one.balance, one.debit, one.credit);
            behind := one.cursor;
            rows_found := rows_found + 1;
        END LOOP;
        COMMIT;
        EXIT WHEN last AND rows_found < page;
    END LOOP;
END $$;
CREATE PROCEDURE read_newest(page int) LANGUAGE plpgsql AS $$
DECLARE
    behind text; one record; rows_found int; run int := 0; last boolean;
BEGIN
    LOOP
        last := EXISTS (SELECT FROM stop);
        run := run + 1;
        behind := NULL;
        LOOP
            rows_found := 0;
            FOR one IN SELECT * FROM ledger_statement('hot', after => behind, "limit" => page) LOOP
                INSERT INTO seen (reader, run, transaction_id, line, balance, debit, credit)
                VALUES ('newest', run, one.transaction_id, one.line, one.balance, one.debit, one.credit);
                behind := one.cursor;
                rows_found := rows_found + 1;
            END LOOP;
            COMMIT;
            EXIT WHEN rows_found < page;
        END LOOP;
        EXIT WHEN last;
    END LOOP;
END $$;
SQL
cat >"$work/post.sql" <<'SQL'
\set kind random(1, 10)
BEGIN;
\if :kind <= 5
SELECT ledger_post('hot', 'a', :kind);
\elif :kind <= 7
SELECT ledger_post(ARRAY[ledger_debit('b', 6), ledger_credit('hot', 2), ledger_credit('c', 1), ledger_credit('hot', 3)]);
\else
SELECT ledger_capture(ledger_hold('hot', 'b', 5), 3);
\endif
\if :kind = 3
ROLLBACK;
\else
COMMIT;
\endif
SQL
sql $db -c 'CALL read_oldest(7)' >"$work/oldest.log" & oldest=$!
sql $db -c 'CALL read_newest(13)' >"$work/newest.log" & newest=$!
wait_for 60 $db "SELECT count(DISTINCT reader) = 2 FROM seen" || check 'both readers are reading' yes no
pgbench -n -c 4 -j 2 -t "${STATEMENT_POSTINGS:-500}" -f "$work/post.sql" $db >"$work/pgbench.log" 2>&1
check 'everybody could post' 0 $?
sql $db -c 'INSERT INTO stop VALUES (NULL)'
wait $oldest; check 'the reader of the oldest lines first' '0 ' "$? $(<"$work/oldest.log")"
wait $newest; check 'the reader of the newest lines first' '0 ' "$? $(<"$work/newest.log")"

entries="SELECT e.transaction_id, e.line FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id WHERE a.code = 'hot'"
check 'oldest first: every line once, in order' "$(sql $db -c "$entries ORDER BY 1, 2" | md5sum)" \
    "$(sql $db -c "SELECT transaction_id, line FROM seen WHERE reader = 'oldest' ORDER BY number" | md5sum)"
check 'and there were more than at first' t "$(sql $db -c "SELECT count(*) > 1500 FROM seen WHERE reader = 'oldest'")"
check 'newest first: from the first line of each run every line once' 0 "$(sql $db -c "
    SELECT count(*) FROM (SELECT run, array_agg((transaction_id, line)::text ORDER BY number) AS lines, (array_agg(transaction_id ORDER BY number))[1] AS first FROM seen WHERE reader = 'newest' GROUP BY run) r
     WHERE r.lines IS DISTINCT FROM (SELECT array_agg((e.transaction_id, e.line)::text ORDER BY e.transaction_id DESC, e.line DESC) FROM ($entries) e WHERE e.transaction_id <= r.first)")"
check 'several runs went on while others posted' t "$(sql $db -c "SELECT count(DISTINCT first) > 1 FROM (SELECT first_value(transaction_id) OVER (PARTITION BY run ORDER BY number) AS first FROM seen WHERE reader = 'newest') x")"
check 'every balance follows from the one before' 0 "$(sql $db -c "
    SELECT count(*) FROM (SELECT balance - lag(balance, 1, 0) OVER (ORDER BY number) AS step, coalesce(credit, 0) - coalesce(debit, 0) AS change FROM seen WHERE reader = 'oldest') x WHERE step <> change")"
check 'all is verified' '' "$(verified $db)"
finish 'pages of a statement while others post'
