-- Reports. Their range: from inclusive, to exclusive; at inclusive. Effective or posting time.

CREATE FUNCTION ledger_rollup(prefix text DEFAULT NULL, depth integer DEFAULT NULL, at timestamptz DEFAULT NULL,
    by text DEFAULT 'effective', ledger name DEFAULT NULL, OUT level integer, OUT account text, OUT label text,
    OUT currency text, OUT accounts bigint, OUT normal_side text, OUT own numeric, OUT total numeric)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_rollup';
COMMENT ON FUNCTION ledger_rollup(text, integer, timestamptz, text, name) IS
    'Balances as a tree of account codes, each code with the sum of all accounts under it, per currency';

CREATE FUNCTION ledger_balances_by_type(at timestamptz DEFAULT NULL, by text DEFAULT 'effective',
    ledger name DEFAULT NULL, OUT type text, OUT currency text, OUT accounts bigint, OUT normal_side text,
    OUT balance numeric) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_balances_by_type';
COMMENT ON FUNCTION ledger_balances_by_type(timestamptz, text, name) IS
    'Balances summed by account type, in its normal sign, per currency';

CREATE FUNCTION ledger_balances_by_metadata(key text, at timestamptz DEFAULT NULL, by text DEFAULT 'effective',
    ledger name DEFAULT NULL, OUT value text, OUT currency text, OUT accounts bigint, OUT normal_side text,
    OUT balance numeric) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_balances_by_metadata';
COMMENT ON FUNCTION ledger_balances_by_metadata(text, timestamptz, text, name) IS
    'Balances summed by the value that the accounts'' metadata has under a key, per currency';

-- Not one function with defaults for all: ledger_trial_balance('name') has to go on naming a ledger.
CREATE FUNCTION ledger_trial_balance(at timestamptz, by text DEFAULT 'effective', ledger name DEFAULT NULL,
    OUT account text, OUT type text, OUT currency text, OUT debit numeric, OUT credit numeric, OUT name text,
    OUT debits_posted numeric, OUT credits_posted numeric) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_trial_balance_at';
COMMENT ON FUNCTION ledger_trial_balance(timestamptz, text, name) IS
    'The trial balance at a time: each account''s balance in its debit or credit column, by code';

CREATE FUNCTION ledger_balance_sheet(at timestamptz DEFAULT NULL, depth integer DEFAULT NULL,
    by text DEFAULT 'effective', ledger name DEFAULT NULL, OUT currency text, OUT side text, OUT section text,
    OUT kind text, OUT label text, OUT account text, OUT name text, OUT amount numeric) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_balance_sheet';
COMMENT ON FUNCTION ledger_balance_sheet(timestamptz, integer, text, name) IS
    'Assets, liabilities and equity at a time, current earnings included, with totals; per currency both sides have the same sum';

CREATE FUNCTION ledger_income_statement("from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL,
    depth integer DEFAULT NULL, by text DEFAULT 'effective', ledger name DEFAULT NULL, OUT currency text,
    OUT section text, OUT kind text, OUT label text, OUT account text, OUT name text, OUT amount numeric)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_income_statement';
COMMENT ON FUNCTION ledger_income_statement(timestamptz, timestamptz, integer, text, name) IS
    'Income, expenses and net income from one time to before another, per currency';

CREATE FUNCTION ledger_movements("from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL,
    prefix text DEFAULT NULL, by text DEFAULT 'effective', ledger name DEFAULT NULL, OUT account text, OUT type text,
    OUT currency text, OUT opening numeric, OUT debits numeric, OUT credits numeric, OUT closing numeric,
    OUT name text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_movements';
COMMENT ON FUNCTION ledger_movements(timestamptz, timestamptz, text, text, name) IS
    'Each account''s opening balance, debits, credits and closing balance from one time to before another';

CREATE FUNCTION ledger_compare(from1 timestamptz, to1 timestamptz, from2 timestamptz, to2 timestamptz,
    prefix text DEFAULT NULL, by text DEFAULT 'effective', ledger name DEFAULT NULL, OUT account text, OUT type text,
    OUT currency text, OUT first numeric, OUT second numeric, OUT difference numeric, OUT percent numeric,
    OUT name text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_compare';
COMMENT ON FUNCTION ledger_compare(timestamptz, timestamptz, timestamptz, timestamptz, text, text, name) IS
    'By how much each account changed in two periods, in its normal sign, with the difference and its percentage of the first';

CREATE FUNCTION ledger_chart(account text, "from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL,
    step interval DEFAULT '1 day', by text DEFAULT 'effective', ledger name DEFAULT NULL, OUT at timestamptz,
    OUT debits numeric, OUT credits numeric, OUT balance numeric) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ledgerflow_chart';
COMMENT ON FUNCTION ledger_chart(text, timestamptz, timestamptz, interval, text, name) IS
    'The balance of an account at every step of a range, and what it was debited and credited since the step before';
