-- Rows written by plain SQL that no ledger takes.
BEGIN;
\ir include/books.sql
SELECT plan(54);
SELECT id AS bank FROM ledger.accounts WHERE code = 'assets:bank' \gset
SELECT id AS cash FROM ledger.accounts WHERE code = 'assets:cash' \gset
SELECT id AS alice FROM ledger.accounts WHERE code = 'liabilities:alice' \gset
SELECT id AS bob FROM ledger.accounts WHERE code = 'liabilities:bob' \gset
SELECT id AS capital FROM ledger.accounts WHERE code = 'equity:capital' \gset
SELECT id AS yen FROM ledger.accounts WHERE code = 'assets:yen' \gset

-- A transaction of these lines, complete with the check at its end; `id` NULL: the ledger makes one.
CREATE FUNCTION t.raw(lines text, id uuid DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.transactions (id) VALUES (coalesce(id, ledger_new_id())) RETURNING transactions.id INTO id;
    EXECUTE format('INSERT INTO ledger.entries (transaction_id, line, account_id, amount) SELECT %L, * FROM (VALUES %s) v', id, lines);
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN 'done';
END $$;
CREATE FUNCTION t.refused_raw(lines text, expected text, description text, id uuid DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT t.refused(format('SELECT t.raw(%L, %L)', lines, id), expected, description)
$$;
SELECT t.allowed(format('SELECT t.raw(%L)', format('(1, %s, 10), (2, %s, -10)', :bank, :capital)), 'a good one');

-- Balance.
SELECT t.refused_raw(format('(1, %s, 10), (2, %s, -9.99)', :bank, :capital), 'LF006 unbalanced_transaction', 'a cent is missing');
SELECT t.refused_raw(format('(1, %s, 10)', :bank), 'LF004 too_few_lines', 'one entry');
SELECT t.refused_raw(format('(1, %s, 10), (2, %s, -10)', :bank, :yen), 'LF007 currency_mismatch', 'two currencies that balance only in total');
SELECT t.refused_raw(format('(1, %s, 10), (2, %s, -10)', :bank, :bank), 'LF003 same_account', 'two entries of one account');
SELECT t.refused($$INSERT INTO ledger.transactions DEFAULT VALUES; SET CONSTRAINTS ALL IMMEDIATE$$, 'LF004 too_few_lines', 'a header without entries');
INSERT INTO ledger.transactions (id) VALUES ('016f5e66-e800-7000-8000-000000000001');
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES ('016f5e66-e800-7000-8000-000000000001', 1, :cash, 5), ('016f5e66-e800-7000-8000-000000000001', 2, :bob, -4.5);
SELECT is(t.attempt('SET CONSTRAINTS ALL IMMEDIATE'),
          ('LF006', 'unbalanced_transaction', 'transaction 016f5e66-e800-7000-8000-000000000001: transaction does not balance in USD', 'In USD debits less credits is 0.50.',
           'In every currency the debits must equal the credits.')::t.outcome, 'the transaction is named, with the difference');
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES ('016f5e66-e800-7000-8000-000000000001', 3, :bob, -0.5);
SELECT t.allowed('SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED', 'and the difference can still be made good');
SELECT t.refused(format($$INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES ('016f5e66-e800-7000-8000-000000000001', 4, %s, 1);
                          SET CONSTRAINTS ALL IMMEDIATE$$, :cash), 'LF006 unbalanced_transaction', 'what was balanced does not stay so by itself');
-- One that balances does not hide one that does not, not even under the same id in another ledger.
SELECT t.refused(format($$INSERT INTO ledger.transactions (id) VALUES ('01700000-0000-7000-8000-000000000001'), ('01700000-0000-7000-8000-000000000002'), ('01700000-0000-7000-8000-000000000003');
    INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES
        ('01700000-0000-7000-8000-000000000001', 1, %1$s, 1), ('01700000-0000-7000-8000-000000000001', 2, %2$s, -1),
        ('01700000-0000-7000-8000-000000000002', 1, %1$s, 1), ('01700000-0000-7000-8000-000000000002', 2, %2$s, -2),
        ('01700000-0000-7000-8000-000000000003', 1, %1$s, 1), ('01700000-0000-7000-8000-000000000003', 2, %2$s, -1);
    SET CONSTRAINTS ALL IMMEDIATE$$, :cash, :bob), 'LF006 unbalanced_transaction', 'one bad transaction between two good ones');
SELECT ledger_create('twin'), ledger_open_account('a', 'asset', 'USD', ledger => 'twin'), ledger_open_account('b', 'equity', 'USD', ledger => 'twin') \g /dev/null
SELECT t.refused(format($$INSERT INTO ledger.transactions (id) VALUES ('01700000-0000-7000-8000-000000000001');
    INSERT INTO twin.transactions (id) VALUES ('01700000-0000-7000-8000-000000000001');
    INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES ('01700000-0000-7000-8000-000000000001', 1, %1$s, 1), ('01700000-0000-7000-8000-000000000001', 2, %2$s, -1);
    INSERT INTO twin.entries (transaction_id, line, account_id, amount) SELECT '01700000-0000-7000-8000-000000000001', id, id, CASE code WHEN 'a' THEN 7 ELSE -6 END FROM twin.accounts;
    SET CONSTRAINTS ALL IMMEDIATE$$, :cash, :bob), 'LF006 unbalanced_transaction', 'the same id in two ledgers, balanced in the first only');

-- Amounts and accounts.
SELECT t.refused_raw(format('(1, %s, %s), (2, %s, -1)', :bank, amount, :capital), 'LF001 invalid_amount', 'amount ' || amount)
  FROM unnest('{0,0.001,''NaN''::numeric,''Infinity''::numeric,''-Infinity''::numeric,1e30,1e200,-1e31}'::text[]) AS amount;
SELECT t.refused_raw(format('(1, %s, NULL::numeric), (2, %s, -1)', :bank, :capital), '23502', 'no amount');
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :bank, 999999), 'LF023 account_not_found', 'an account that does not exist');
SELECT t.refused_raw(format('(1, %s, 1.5), (2, %s, -1.5)', :yen, :bank), 'LF001 invalid_amount', 'one and a half yen');
SELECT t.refused_raw(format('(1, %s, 1), (1, %s, -1)', :bank, :capital), '23505', 'two entries of one number');
SELECT t.refused_raw(format('(0, %s, 1), (1, %s, -1)', :bank, :capital), 'LF015 invalid_argument', 'a line 0');
SELECT t.refused_raw(format('(-1, %s, 1), (1, %s, -1)', :bank, :capital), 'LF015 invalid_argument', 'a line -1');
SELECT t.refused($$INSERT INTO ledger.entries (transaction_id, line, account_id, amount, stripe)
                   SELECT ledger_new_id(), 1, id, 1, 1 FROM ledger.accounts LIMIT 1$$, 'LF015 invalid_argument', 'a stripe');
SELECT t.refused(format($$INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (ledger_new_id(), 1, %s, 1)$$, :bank),
                 'LF027 transaction_not_found', 'an entry without header');

-- The state of accounts.
SELECT t.refused_raw(format('(1, %s, 0.01), (2, %s, -0.01)', :alice, :bob), 'LF040 insufficient_balance', 'below a floor');
SELECT t.refused_raw(format('(1, %s, 1000), (2, %s, -1000)', :cash, :bob), 'LF041 limit_exceeded', 'above a ceiling');
SELECT ledger_freeze_account('income:fees', 'credit'), ledger_freeze_account('expenses:rent', 'debit'), ledger_close_account('equity:dinar') \g /dev/null
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :bank, id), 'LF043 account_frozen', 'a credit to an account whose credits are frozen') FROM ledger.accounts WHERE code = 'income:fees';
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', id, :bank), 'LF043 account_frozen', 'a debit of one whose debits are') FROM ledger.accounts WHERE code = 'expenses:rent';
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', id, (SELECT id FROM ledger.accounts WHERE code = 'equity:dinar')), 'LF044 account_closed', 'an entry of a closed account')
  FROM ledger.accounts WHERE code = 'assets:dinar';

-- Ids.
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :bank, :capital), 'LF014 invalid_transaction_id', 'an id of version 4', '6e0ff1a3-0c4c-4d93-b8fd-b66bcb4c5b5f');
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :bank, :capital), 'LF014 invalid_transaction_id', 'an id of zeros', '00000000-0000-0000-0000-000000000000');
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :bank, :capital), 'LF014 invalid_transaction_id', 'version 7 of another variant', '01700000-0000-7000-c000-000000000001');
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :bank, :capital), 'LF014 invalid_transaction_id', 'an id of the year 4000', '3a44f2c0-0000-7000-8000-000000000001');
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :bank, :capital), 'LF014 invalid_transaction_id', 'an id of two minutes from now',
    (lpad(to_hex((extract(epoch FROM clock_timestamp() + interval '2 minutes') * 1000)::bigint), 12, '0') || '70008000000000000001')::uuid);
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :bank, :capital), 'LF049 transaction_out_of_order', 'an id before the last one of an account', '01700000-0000-7000-8000-000000000004');
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :cash, :capital), 'LF049 transaction_out_of_order', 'of one account is enough', '01700000-0000-7000-8000-000000000004');
SELECT t.refused_raw(format('(1, %s, 1), (2, %s, -1)', :cash, :bob), '23505', 'an id that is taken', '016f5e66-e800-7000-8000-000000000001');
INSERT INTO ledger.transactions DEFAULT VALUES RETURNING id \gset
SELECT t.refused(format($$INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (%1$L, 2, %2$s, 1); INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (%1$L, 1, %3$s, -1)$$,
                        :'id', :bank, :capital), 'LF049 transaction_out_of_order', 'lines in the wrong order, in two statements');
INSERT INTO ledger.entries (transaction_id, line, account_id, amount) VALUES (:'id', 1, :bank, 1), (:'id', 2, :capital, -1);

-- Headers.
SELECT t.refused(format('INSERT INTO ledger.transactions (%s) VALUES (%s)', field, value), error, 'header: ' || field || ' ' || left(value, 20))
  FROM (VALUES ('reference', '''''', 'LF009 invalid_reference'), ('reference', 'repeat(''x'', 256)', 'LF009 invalid_reference'),
               ('description', 'repeat(''x'', 10001)', 'LF010 invalid_description'), ('metadata', '''[]''', 'LF011 invalid_metadata'),
               ('effective_at', '''infinity''', 'LF012 invalid_effective_at'), ('effective_at', '''294276-12-31Z''', 'LF012 invalid_effective_at'), ('reverses', 'ledger_new_id()', 'LF015 invalid_argument'),
               ('hold', 'ledger_new_id()', 'LF015 invalid_argument')) AS x (field, value, error);
SELECT ledger_post('assets:bank', 'equity:capital', 1, reference => 'taken') IS NOT NULL AS posted \gset
SELECT t.refused($$INSERT INTO ledger.transactions (reference) VALUES ('taken')$$, '23505', 'header: a reference that is taken');
SELECT t.refused(format($$COPY ledger.entries (transaction_id, line, account_id, amount) FROM PROGRAM 'echo %s,1,%s,5' WITH (FORMAT csv)$$, :'id', :bank),
                 '23505', 'COPY of an entry that is there');

-- Keys.
SELECT t.refused($$INSERT INTO ledger.idempotency_keys (key, transaction_id) VALUES ('', ledger_new_id())$$, 'LF070 immutable_ledger', 'an empty key');
SELECT t.refused($$INSERT INTO ledger.idempotency_keys (key, transaction_id) VALUES ('k', ledger_new_id())$$, 'LF070 immutable_ledger', 'any key by hand');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
