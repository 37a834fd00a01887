-- What was done with ledgerflow 0.1.0 itself to make ledger_0_1_0.sql, whose head says how. Run as a superuser called
-- postgres. Names that begin with own_ are things of the user's.
\set ON_ERROR_STOP on
CREATE ROLE lf_old_owner;
CREATE ROLE lf_old_reader;
CREATE ROLE lf_old_poster;
CREATE ROLE lf_old_operator;
CREATE ROLE lf_old_admin;
CREATE ROLE lf_old_clerk;  -- with grants of its own: reads accounts and posts
CREATE EXTENSION ledgerflow;
GRANT CREATE ON DATABASE lf_old TO lf_old_owner;
SET TimeZone = 'UTC';
CREATE FUNCTION public.own_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

SET ROLE lf_old_owner;
SELECT ledger_create();
SELECT ledger_grant('lf_old_reader', 'reader'), ledger_grant('lf_old_poster', 'poster'),
       ledger_grant('lf_old_operator', 'operator'), ledger_grant('lf_old_admin', 'admin');
GRANT USAGE ON SCHEMA ledger TO lf_old_clerk;
GRANT SELECT ON ledger.accounts TO lf_old_clerk;
GRANT INSERT ON ledger.transactions TO lf_old_clerk;
UPDATE ledger.settings SET idempotency_retention = '90 years';
INSERT INTO ledger.currencies VALUES ('GOLD', 4, 'Gold in the vault'), ('A18', 18, NULL);
INSERT INTO ledger.account_types VALUES ('wallet', 'credit', 0, 5000, '{"type": "object"}', 'prepaid');
SELECT ledger_open_account('assets:bank', 'asset', 'USD', 'Bank', metadata => '{"iban": "XX"}'),
       ledger_open_account('equity:start', 'equity', 'USD'),
       ledger_open_account('income:fees', 'income', 'USD'),
       ledger_open_account('wallet:1', 'wallet', 'USD'),
       ledger_open_account('wallet:2', 'wallet', 'USD', min_balance => -10, max_balance => 100000),
       ledger_open_account('wallet:frozen', 'wallet', 'USD'),
       ledger_open_account('wallet:closed', 'wallet', 'USD'),
       ledger_open_account('vault', 'asset', 'GOLD'),
       ledger_open_account('mine', 'equity', 'GOLD'),
       ledger_open_account('wei:1', 'asset', 'A18'),
       ledger_open_account('wei:2', 'equity', 'A18');

CREATE TABLE ledger.own_notes (account_id bigint REFERENCES ledger.accounts, note text);
ALTER TABLE ledger.settings ADD COLUMN own_label text;
ALTER TABLE ledger.transactions ADD COLUMN own_branch text;
ALTER TABLE ledger.transactions ADD CONSTRAINT own_check CHECK (own_branch <> '');
COMMENT ON COLUMN ledger.transactions.own_branch IS 'branch office';
CREATE INDEX own_amount_idx ON ledger.entries (amount);
CREATE TRIGGER own_trigger AFTER INSERT ON ledger.entries FOR EACH STATEMENT EXECUTE FUNCTION public.own_trigger();
CREATE VIEW ledger.own_journal AS SELECT account, debit, own_branch
  FROM ledger.journal j JOIN ledger.transactions t ON t.id = j.transaction_id;

SELECT ledger_post('assets:bank', 'equity:start', 100000, 'opening', 'ref opening', 'opening', '2025-12-31 23:59:59.999999+00', '{"n": 0}');
DO $$ BEGIN
    PERFORM ledger_post('assets:bank', 'wallet:' || i % 2 + 1, i + 0.25, 'key ' || i, 'ref ' || i, 'number ' || i,
                        CASE WHEN i % 3 = 0 THEN '2026-01-01'::timestamptz + i * interval '7 hours' END, jsonb_build_object('n', i))
       FROM generate_series(1, 40) i;
END $$;
SELECT post_transfer('wallet:1', 'income:fees', 1.50, 'fee', description => 'a fee');
SELECT ledger_post(ARRAY[ledger_debit('vault', 1.2345), ledger_credit('mine', 1.2345), ledger_debit('wallet:2', 5),
                         ledger_credit('income:fees', 5)], 'lines', effective_at => '2030-06-30 12:00+00');
SELECT ledger_post('wei:1', 'wei:2', 12345678901234567.123456789012345678, effective_at => '2024-02-29+00');
WITH t AS (INSERT INTO ledger.transactions (reference, description, own_branch) VALUES ('by hand', E'tab\there, \\, "quoted"', 'north') RETURNING id)
INSERT INTO ledger.entries (transaction_id, line, account_id, amount)
SELECT t.id, row_number() OVER (ORDER BY a.code), a.id, CASE a.code WHEN 'wallet:1' THEN 0.75 ELSE -0.75 END
  FROM t, ledger.accounts a WHERE a.code IN ('wallet:1', 'income:fees');
SELECT ledger_post('assets:bank', 'wallet:frozen', 20, 'before the freeze');
SELECT ledger_freeze_account('wallet:frozen', reason => 'court'), ledger_close_account('wallet:closed', 'moved');
SELECT ledger_freeze_account('wallet:2'), ledger_unfreeze_account('wallet:2'), ledger_set_limits('wallet:2', 10, 1000000, 'bigger');
INSERT INTO ledger.own_notes SELECT id, 'mine' FROM ledger.accounts WHERE code = 'vault';
RESET ROLE;
CREATE VIEW public.own_findings AS SELECT check_name, object FROM ledger_verify();
GRANT SELECT ON public.own_findings TO lf_old_reader;

-- Another ledger, of another owner, with a name that has to be quoted.
SELECT ledger_create('tenant "2"');
SELECT ledger_open_account('a', 'asset', 'JPY', ledger => 'tenant "2"'), ledger_open_account('b', 'liability', 'JPY', ledger => 'tenant "2"');
SELECT ledger_post('a', 'b', 1000, 'key 1', effective_at => '2026-01-05+00', ledger => 'tenant "2"');
SELECT ledger_post('b', 'a', 300, 'key 2', ledger => 'tenant "2"');
SELECT ledger_grant('lf_old_poster', 'poster', 'tenant "2"');
