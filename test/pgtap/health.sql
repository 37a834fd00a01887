-- ledger_health(): one row for monitoring.
BEGIN;
\ir include/books.sql
SELECT plan(22);
SELECT is((SELECT count(*) FROM ledger_health()), 1::bigint, 'one row');
SELECT results_eq($$SELECT ledger_name = 'ledger', format_version, last_posted_at, closed_through, last_verified_at, last_verification_mode, last_verification_findings,
                           unverified_transactions, holds_expired, oldest_hold_expired_at, keys_to_expire_estimate, guards_disabled FROM ledger_health()$$,
    $$VALUES (true, 2, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::text, NULL::bigint, 0::bigint, 0::bigint, NULL::timestamptz, 0::bigint, 0::bigint)$$, 'of a new ledger');
SELECT ok(checked_at >= now() AND horizon_lag >= 0 AND accounts_estimate >= 0 AND entries_estimate >= 0 AND transactions_estimate >= 0 AND keys_estimate >= 0, 'no estimate is negative') FROM ledger_health();
SELECT ledger_post('assets:bank', 'liabilities:alice', 100, 'k1') AS id \gset
SELECT is(unverified_transactions, 1::bigint, 'never verified') FROM ledger_health();
SELECT is(h.last_posted_at, t.posted_at, 'when the last was posted') FROM ledger_health() h, ledger.transactions t;
SELECT count(*) FROM ledger_verify_incremental() \g /dev/null
SELECT ok(last_verified_at = now() AND last_verification_mode = 'full' AND last_verification_findings = 0 AND last_full_verified_at = now(), 'verified') FROM ledger_health();
SELECT count(*) FROM ledger_verify_incremental() \g /dev/null
SELECT is(last_verification_mode, 'incremental', 'the last run') FROM ledger_health();
SET LOCAL session_replication_role = replica;
UPDATE ledger.account_balances SET debits_posted = 9 WHERE account_id = 1;
SET LOCAL session_replication_role = origin;
SELECT count(*) FROM ledger_verify_incremental() \g /dev/null
SELECT is(last_verification_findings, 1::bigint, 'findings of the last run') FROM ledger_health();

-- Holds and keys.
SELECT ledger_hold('assets:bank', 'liabilities:bob', 1, expires_in => '1 hour') AS hold, ledger_hold('assets:bank', 'liabilities:bob', 1) AS other \gset
SELECT is(holds_expired, 0::bigint, 'no hold is past its expiry') FROM ledger_health();
SET LOCAL session_replication_role = replica;
UPDATE ledger.holds SET expires_at = now() - interval '3 minutes' WHERE id = :'hold';
UPDATE ledger.idempotency_keys SET created_at = now() - interval '3 days';
SET LOCAL session_replication_role = origin;
SELECT is(holds_expired, 1::bigint, 'one is') FROM ledger_health();
SELECT is(oldest_hold_expired_at, now() - interval '3 minutes', 'since when') FROM ledger_health();
SELECT is(keys_to_expire_estimate, 0::bigint, 'keys are kept for ever') FROM ledger_health();
UPDATE ledger.settings SET idempotency_retention = '2 days';
SELECT is(keys_to_expire_estimate, 1::bigint, 'a key to expire') FROM ledger_health();
SELECT ledger_close_period(now() - interval '1 day') \g /dev/null
SELECT is(closed_through, now() - interval '1 day', 'the closed period') FROM ledger_health();

-- Guards, store.
SET LOCAL ledgerflow.store = auto;
SELECT results_eq('SELECT store, store_obstacle FROM ledger_health()', $$VALUES ('heap', NULL)$$, 'the store in use');
SET LOCAL ledgerflow.store = spi;
SELECT is(store, 'spi', 'as the session has it') FROM ledger_health();
SET LOCAL ledgerflow.store = auto;
SAVEPOINT before;
SET CONSTRAINTS ALL IMMEDIATE;
CREATE FUNCTION public.idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER mine AFTER INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION public.idle();
SELECT results_eq('SELECT store, store_obstacle FROM ledger_health()', $$VALUES ('spi', 'table "entries" has triggers that are not the ledger''s own')$$, 'and why');
ALTER TABLE ledger.entries DISABLE TRIGGER append_only;
SELECT is(guards_disabled, 1::bigint, 'a guard that is off') FROM ledger_health();
ROLLBACK TO before;

-- Several ledgers, and who may.
SELECT ledger_create('Second "Ledger"') \g /dev/null
SELECT is(ledger_name, 'Second "Ledger"', 'another ledger') FROM ledger_health('Second "Ledger"');
CREATE ROLE lf_reader; CREATE ROLE lf_none;
SELECT ledger_grant('lf_reader', 'reader') \g /dev/null
SELECT is((t.attempt('SELECT ledger_health()', 'lf_reader')).sqlstate, NULL, 'a reader may');
SELECT is((t.attempt('SELECT ledger_health()', 'lf_none')).sqlstate, '42501', 'nobody else');
SET LOCAL transaction_read_only = on;
SELECT is((SELECT count(*) FROM ledger_health()), 1::bigint, 'it reads only');
SELECT * FROM finish();
ROLLBACK;
