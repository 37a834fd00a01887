-- What ledger_import does not understand is refused with its line, and nothing is posted then.
BEGIN;
\ir include/books.sql
\ir include/exchange.sql
SELECT no_plan();
SELECT ledger_open_account('a', 'asset', 'USD'), ledger_open_account('b', 'liability', 'USD'), ledger_open_account('e', 'asset', 'EUR'), ledger_open_account('f', 'equity', 'EUR') \g /dev/null
SELECT ledger_close_period('2020-01-01'), ledger_freeze_account('liabilities:bob', 'credit') \g /dev/null

CREATE TEMPORARY TABLE bad (number serial, format text, journal text, verdict text, message text);
INSERT INTO bad (format, journal, verdict, message) VALUES
    -- Transactions of hledger and ledger.
    ('hledger', E'\n\n2024-01-01 x\n  a  1 USD\n  b  -2 USD\n', 'LF006 unbalanced_transaction', 'line 3: debits and credits differ by 1.00 USD'),
    ('ledger', E'2024-01-01 x\n  a  1 USD\n  e  -1 EUR', 'LF006 unbalanced_transaction', 'line 1: debits and credits differ by 1.00 USD'),
    ('hledger', E'2024-01-01 x\n  a  1 USD\n', 'LF006 unbalanced_transaction', 'line 1: %'),
    ('hledger', E'2024-01-01 x\n', 'LF090 invalid_journal', 'line 1: a transaction without postings'),
    ('hledger', E'2024-01-01 x\n  a\n  b\n', 'LF090 invalid_journal', 'line 3: a second posting without an amount: b'),
    ('hledger', E'2024-13-40 x\n  a  1 USD\n  b\n', 'LF090 invalid_journal', 'line 1: not a date of the calendar: 2024-13-40'),
    ('hledger', E'2023-02-29 x\n  a  1 USD\n  b\n', 'LF090 invalid_journal', 'line 1: not a date of the calendar: 2023-02-29'),
    ('hledger', E'01/15 x\n  a  1 USD\n  b\n', 'LF090 invalid_journal', 'line 1: not a date: 01/15 x'),
    ('hledger', E'20240115 x\n  a  1 USD\n  b\n', 'LF090 invalid_journal', 'line 1: not a date%'),
    ('hledger', E'2024-01-15x\n  a  1 USD\n  b\n', 'LF090 invalid_journal', 'line 1: not a date%'),
    ('hledger', E'0000-01-15 x\n  a  1 USD\n  b\n', 'LF090 invalid_journal', 'line 1: not a date of the calendar%'),
    ('hledger', E'2024-01-15=x\n  a  1 USD\n  b\n', 'LF090 invalid_journal', 'line 1: not a date%'),
    -- Amounts.
    ('hledger', E'2024-01-01 x\n  a  1e3 USD\n  b\n', 'LF090 invalid_journal', 'line 2: not an amount: 1e3 USD'),
    ('hledger', E'2024-01-01 x\n  a  0x10 USD\n  b\n', 'LF090 invalid_journal', 'line 2: not an amount: 0x10 USD'),
    ('hledger', E'2024-01-01 x\n  a  1,000.00 USD\n  b\n', 'LF090 invalid_journal', 'line 2: a number with separators that are not declared: 1,000.00'),
    ('ledger', E'2024-01-01 x\n  a  1,000.00 USD\n  b\n', 'LF090 invalid_journal', 'line 2: a number with separators that are not declared: 1,000.00'),
    ('hledger', E'commodity 1,000.00 USD\n2024-01-01 x\n  a  1,0,00.00 USD\n  b\n', 'LF090 invalid_journal', 'line 3: a number with separators%'),
    ('hledger', E'2024-01-01 x\n  a  1.0.0 USD\n  b\n', 'LF090 invalid_journal', 'line 2: not a plain decimal number: 1.0.0'),
    ('hledger', E'2024-01-01 x\n  a  -- 1 USD\n  b\n', 'LF090 invalid_journal', 'line 2: not an amount%'),
    ('hledger', E'2024-01-01 x\n  a  USD\n  b\n', 'LF090 invalid_journal', 'line 2: not an amount%'),
    ('hledger', E'2024-01-01 x\n  a  NaN USD\n  b\n', 'LF090 invalid_journal', 'line 2: not an amount%'),
    ('hledger', E'2024-01-01 x\n  a  (1 USD + 2 USD)\n  b\n', 'LF090 invalid_journal', 'line 2: not an amount%'),
    ('hledger', E'2024-01-01 x\n  a  1 USD 2\n  b\n', 'LF090 invalid_journal', 'line 2: cannot be read as an amount%'),
    ('hledger', E'2024-01-01 x\n  a  1 "USD\n  b\n', 'LF090 invalid_journal', 'line 2: a commodity whose quotes do not end%'),
    ('hledger', E'2024-01-01 x\n  a  1\n  b\n', 'LF090 invalid_journal', 'line 2: an amount without a commodity'),
    ('hledger', E'2024-01-01 x\n  a  $1\n  b\n', 'LF090 invalid_journal', 'line 2: commodity "$" is no currency''s code'),
    ('hledger', E'2024-01-01 x\n  a  1.005 USD\n  b\n', 'LF001 invalid_amount', 'line 2: amount 1.005 has too many decimals for USD, which has 2'),
    ('hledger', E'2024-01-01 x\n  a  0.0000000000000000000000001 NEW\n  b\n', 'LF001 invalid_amount', 'line 2: an amount of NEW has more than 24 decimals'),
    ('hledger', E'2024-01-01 x\n  a  ' || repeat('9', 39) || E' USD\n  b\n', 'LF090 invalid_journal', 'line 2: a number of more than 38 digits%'),
    ('hledger', E'2024-01-01 x\n  a  ' || repeat('9', 38) || E' USD\n  b\n', 'LF001 invalid_amount', 'line 2: an amount of USD is too large'),
    ('hledger', E'2024-01-01 x\n  a  ' || repeat('9', 35) || E' USD\n  b\n', 'LF001 invalid_amount', 'line 1: amount % is too large'),
    ('hledger', E'2024-01-01 x\n  a  0.' || repeat('0', 50) || E'1 USD\n  b\n', 'LF001 invalid_amount', 'line 2: %'),
    ('hledger', E'2024-01-01 x\n  e  12345678901234567890 EUR @ 1234567890123456789.25 USD\n  b\n', 'LF090 invalid_journal', 'line 2: an amount times its price has more than 38 digits'),
    ('hledger', E'2024-01-01 x\n  e  1 EUR @ -1 USD\n  b\n', 'LF090 invalid_journal', 'line 2: a negative price'),
    ('hledger', E'2024-01-01 x\n  e  1 EUR @ 2 EUR\n  f\n', 'LF090 invalid_journal', 'line 2: a price in the commodity itself'),
    ('ledger', E'2024-01-01 x\n  e  1 EUR {2 USD}\n  b\n', 'LF090 invalid_journal', 'line 2: lots cannot be imported%'),
    -- Balances.
    ('hledger', E'2024-01-01 x\n  a  1 USD = 2 USD\n  b\n', 'LF090 invalid_journal', 'line 2: account "a" has 1.00 USD, where the journal says that it has 2.00'),
    ('hledger', E'2024-01-01 x\n  a  = 2 USD\n  b\n', 'LF090 invalid_journal', 'line 2: a posting whose amount is told by a balance%'),
    ('hledger', E'2024-01-01 x\n  a  1 USD = 1 XXX\n  b\n', 'LF090 invalid_journal', 'line 2: account "a" has 0 XXX, where the journal says that it has 1'),
    -- What is not posted.
    ('hledger', E'2024-01-01 x\n  (a)  1 USD\n  b  0 USD\n', 'LF090 invalid_journal', 'line 2: virtual postings are not part of double entry: (a)  1 USD'),
    ('hledger', E'2024-01-01 x\n  [a]  1 USD\n  [b]  -1 USD\n', 'LF090 invalid_journal', 'line 2: virtual postings%'),
    ('hledger', E'~ monthly\n  a  1 USD\n  b\n', 'LF090 invalid_journal', 'line 1: periodic and automated transactions%'),
    ('ledger', E'= /a/\n  a  1 USD\n', 'LF090 invalid_journal', 'line 1: periodic and automated transactions%'),
    ('hledger', E'; x\ninclude other.journal\n', 'LF090 invalid_journal', 'line 2: cannot be read: include other.journal'),
    ('hledger', E'alias a = b\n', 'LF090 invalid_journal', 'line 1: cannot be read: alias a = b'),
    ('ledger', E'account a\n    alias x\n', 'LF090 invalid_journal', 'line 2: cannot be read: alias x'),
    ('hledger', E'  a  1 USD\n', 'LF090 invalid_journal', 'line 1: an indented line that belongs to nothing: a  1 USD'),
    ('hledger', E'\x01\x02\x03', 'LF090 invalid_journal', 'line 1: cannot be read%'),
    ('hledger', 'PK' || repeat('x', 5000), 'LF090 invalid_journal', 'line 1: cannot be read: PKx%...'),
    -- An exported file that was changed or cut.
    ('hledger', E'; ledgerflow journal 1\n2024-01-01 x\n  a  1 USD\n  b  -1 USD\n', 'LF090 invalid_journal', 'line 4: the file was cut short: its last line is missing'),
    ('hledger', E'; ledgerflow journal 1\n2024-01-01 x\n  a  1 USD\n  b\n; end of ledgerflow journal\n', 'LF090 invalid_journal', 'line 4: the amount is missing: b'),
    ('hledger', E'; ledgerflow journal 1\n2024-01-01 x\n  ; effective_at: noon\n  a  1 USD\n  b  -1 USD\n; end of ledgerflow journal\n', 'LF090 invalid_journal', 'line 2: its effective_at is not a time: noon'),
    ('hledger', E'; ledgerflow journal 1\n2024-01-01 x\n  ; metadata: {"a": }\n  a  1 USD\n  b  -1 USD\n; end of ledgerflow journal\n', 'LF090 invalid_journal', 'line 2: its metadata is not a JSON object: {"a": }'),
    ('hledger', E'; ledgerflow journal 1\n2024-01-01 x\n  ; reference: ' || repeat('r', 256) || E'\n  a  1 USD\n  b  -1 USD\n; end of ledgerflow journal\n', 'LF009 invalid_reference', 'line 2: reference is too long'),
    -- The ledger's own rules, with the line of the transaction.
    ('hledger', E'2024-01-01 x\n  a  1 USD\n  a  -1 USD\n', 'LF003 same_account', 'line 1: debit and credit are the same account "a"'),
    ('hledger', E'2024-01-01 x\n  a  1 USD\n  b\n\n2020-01-01 y\n  a  1 USD\n  b\n', 'LF048 period_closed', 'line 5: %'),
    ('hledger', E'2024-01-01 x\n  a  1 USD\n  b\n\n2024-01-01 y\n  a  1 USD\n  liabilities:bob\n', 'LF043 account_frozen', 'line 5: %'),
    ('hledger', E'2024-01-01 x\n  a  1 USD\n  b\n\n2024-01-01 y\n  a  1 USD\n  assets:cash\n', 'LF040 insufficient_balance', 'line 5: insufficient balance on account "assets:cash"'),
    ('hledger', E'2024-01-01 ' || repeat('x', 10001) || E'\n  a  1 USD\n  b\n', 'LF010 invalid_description', 'line 1: %'),
    ('hledger', E'2024-01-01 x\n' || repeat(E'  a  1 USD\n', 10000) || E'  b\n', 'LF005 too_many_lines', 'line 1: a transaction has too many lines'),
    ('hledger', E'2024-01-01 x\n  unknown  1 USD\n  b\n', 'LF025 account_type_not_found', 'line 2: the type of account "unknown" is not known'),
    ('hledger', E'2024-01-01 x\n  assets:Büro  1 USD\n  b\n', 'LF002 invalid_account_code', 'line 2: "assets:Büro" cannot be an account''s code'),
    ('hledger', E'2024-01-01 x\n  assets:' || repeat('x', 300) || E'  1 USD\n  b\n', 'LF002 invalid_account_code', 'line 2: %'),
    ('hledger', E'2024-01-01 x\n  assets:x y  1 USD\n  assets:x_y  2 USD\n  b\n', 'LF090 invalid_journal', 'line 3: accounts "assets:x y" and "assets:x_y" would both be "assets:x_y"'),
    -- beancount.
    ('beancount', E'2024-01-01 * "x"\n  A:B  1 USD\n  C:D  -2 USD\n', 'LF006 unbalanced_transaction', 'line 1: %'),
    ('beancount', E'2024-01-01 * "x\n\n', 'LF090 invalid_journal', 'line 1: a string that does not end'),
    ('beancount', E'2024-02-30 * "x"\n', 'LF090 invalid_journal', 'line 1: not a date of the calendar: 2024-02-30'),
    ('beancount', E'2024-01-01 * "x"\n  Assets:A  10 / 3 USD\n  Assets:B\n', 'LF090 invalid_journal', 'line 2: cannot be read as an amount: Assets:A  10 / 3 USD'),
    ('beancount', E'2024-01-01 * "x"\n  Assets:A  1e3 USD\n  Assets:B\n', 'LF090 invalid_journal', 'line 2: %'),
    ('beancount', E'2024-01-01 * "x"\n  Assets:A  1,00 USD\n  Assets:B\n', 'LF090 invalid_journal', 'line 2: not a number%'),
    ('beancount', E'2024-01-01 * "x"\n  Assets:A  1 AAA {}\n  Assets:B\n', 'LF090 invalid_journal', 'line 2: a lot without a cost%'),
    ('beancount', E'2024-01-01 * "x"\n  Assets:A  1 AAA {*}\n  Assets:B\n', 'LF090 invalid_journal', 'line 2: a cost that cannot be read%'),
    ('beancount', E'2024-01-01 * "x"\n  Assets:A  USD\n  Assets:B\n', 'LF090 invalid_journal', 'line 2: not a number%'),
    ('beancount', E'2024-01-01 * "x" "y" "z"\n  Assets:A  1 USD\n  Assets:B\n', 'LF090 invalid_journal', 'line 1: more than a payee and a narration%'),
    ('beancount', E'2024-01-01 * "x"\n\n', 'LF090 invalid_journal', 'line 1: a transaction without postings'),
    ('beancount', E'2024-01-01 pad Assets:A Equity:B\n', 'LF090 invalid_journal', 'line 1: cannot be imported: 2024-01-01 pad Assets:A Equity:B'),
    ('beancount', E'plugin "beancount.plugins.auto"\n', 'LF090 invalid_journal', 'line 1: cannot be imported%'),
    ('beancount', E'include "x.beancount"\n', 'LF090 invalid_journal', 'line 1: cannot be imported%'),
    ('beancount', E'2024-01-01 * "x"\n  Assets:A  1.00 USD\n  Assets:B\n2024-01-02 balance Assets:A  1.02 USD\n', 'LF090 invalid_journal', 'line 4: account "Assets:A" has 1.00 USD, where the journal says that it has 1.02'),
    ('beancount', E'2024-01-01 * "x"\n  Wrong:A  1.00 USD\n  Assets:B\n', 'LF025 account_type_not_found', 'line 2: the type of account "Wrong:A" is not known'),
    ('beancount', E'; ledgerflow journal 1 (beancount)\n', 'LF090 invalid_journal', 'line 2: the file was cut short: its last line is missing'),
    -- CSV.
    ('csv', '', 'LF090 invalid_journal', 'line 1: the row with the names of the columns is missing'),
    ('csv', E'transaction,date,account,currency,debit\n', 'LF090 invalid_journal', 'line 1: a column is missing: credit'),
    ('csv', E'transaction,date,account,currency,debit,credit,extra\n', 'LF090 invalid_journal', 'line 1: a column that is not known: extra'),
    ('csv', E'date,date\n', 'LF090 invalid_journal', 'line 1: a column that comes twice: date');
INSERT INTO bad (format, journal, verdict, message)
SELECT 'csv', E'transaction,date,account,currency,debit,credit,reference\n' || body, verdict, message FROM (VALUES
    (E'1,2024-01-01,a,USD,1,,\n1,2024-01-01,b,USD,,2,\n', 'LF006 unbalanced_transaction', 'line 2: debits and credits differ by 1.00 USD'),
    (E'1,2024-01-01,a,USD,1,1,\n', 'LF090 invalid_journal', 'line 2: a row has either a debit or a credit'),
    (E'1,2024-01-01,a,USD,,,\n', 'LF090 invalid_journal', 'line 2: a row has either a debit or a credit'),
    (E'1,2024-01-01,a,USD,1\n', 'LF090 invalid_journal', 'line 2: the row has 5 fields where the first row has 7'),
    (E',2024-01-01,a,USD,1,,\n', 'LF090 invalid_journal', 'line 2: the row names no transaction'),
    (E'1,01.02.2024,a,USD,1,,\n', 'LF090 invalid_journal', 'line 2: not a date: 01.02.2024'),
    (E'1,2024-01-01,a,USD,1e3,,\n', 'LF090 invalid_journal', 'line 2: not a plain decimal number: 1e3'),
    (E'1,2024-01-01,a,USD,"1,000",,\n', 'LF090 invalid_journal', 'line 2: not a plain decimal number: 1,000'),
    (E'1,2024-01-01,a,USD,-1,,\n1,2024-01-01,b,USD,,-1,\n', 'LF090 invalid_journal', 'line 2: a negative debit or credit'),
    (E'1,2024-01-01,a,USD,1,,"x\n', 'LF090 invalid_journal', 'line 2: a field whose quotes do not end'),
    (E'1,2024-01-01,a,USD,1,,"x"y\n', 'LF090 invalid_journal', 'line 2: a field goes on after its closing quote: x'),
    (E'1,2024-01-01,a,USD,1,,\n1,2024-01-02,b,USD,,1,\n', 'LF090 invalid_journal', 'line 3: another date than in the transaction''s first row: 2024-01-02'),
    (E'1,2024-01-01,a,USD,1,,\n1,2024-01-01,b,USD,,1,\n2,2024-01-01,a,USD,1,,\n2,,b,USD,,1,\n1,2024-01-01,a,USD,1,,\n', 'LF090 invalid_journal', 'line 6: the rows of a transaction do not stand together: 1'),
    (E'1,2024-01-01,a,USD,1,,R\n1,2024-01-01,b,USD,,1,R\n2,2024-01-01,a,USD,1,,R\n2,,b,USD,,1,\n', 'LF028 duplicate_reference', 'line 4: reference "R" is used already')) AS v (body, verdict, message);
SELECT t.refused(format('SELECT ledger_import(%L, %L)', b.journal, b.format), b.verdict, format('%s: %s', b.format, b.message)) FROM bad b ORDER BY number;
SELECT ok((t.attempt(format('SELECT ledger_import(%L, %L)', b.journal, b.format))).message LIKE b.message, format('%s says %s', b.format, b.message))
  FROM bad b ORDER BY number;

-- Arguments.
\set good 'E''2024-01-01 x\\n  a  1 USD\\n  b\\n'''
SELECT t.refused($$SELECT ledger_import(NULL)$$, 'LF015 invalid_argument', 'no journal');
SELECT t.refused($$SELECT ledger_import('', 'gnucash')$$, 'LF015 invalid_argument', 'an unknown format');
SELECT t.refused($$SELECT ledger_import('', NULL)$$, 'LF015 invalid_argument', 'no format');
SELECT t.refused($$SELECT ledger_export('HLEDGER')$$, 'LF015 invalid_argument', 'export: formats are in lower case');
SELECT t.refused($$SELECT ledger_export(NULL)$$, 'LF015 invalid_argument', 'export: no format');
SELECT t.refused($$SELECT ledger_export('csv', 'infinity')$$, 'LF012 invalid_effective_at', 'export: from infinity');
SELECT t.refused($$SELECT ledger_export('csv', '2024-01-02', '2024-01-01')$$, 'LF015 invalid_argument', 'export: reversed times');
SELECT t.refused($$SELECT ledger_export('csv', ledger => 'none')$$, 'LF020 ledger_not_found', 'export: no such ledger');
SELECT t.refused($$SELECT ledger_import('', ledger => 'none')$$, 'LF020 ledger_not_found', 'no such ledger');
SELECT t.refused($$SELECT ledger_import('', accounts => '[]')$$, 'LF015 invalid_argument', 'accounts are an object');
SELECT t.refused($$SELECT ledger_import('', commodities => '5')$$, 'LF015 invalid_argument', 'commodities are an object');
SELECT t.refused($$SELECT ledger_import('', commodities => '{"$": 5}')$$, 'LF015 invalid_argument', 'of texts');
SELECT t.refused(format($$SELECT ledger_import(%L, key_prefix => repeat('k', 250))$$, :good), 'LF008 invalid_idempotency_key', 'a prefix that makes keys too long');
SELECT t.refused(format($$SELECT ledger_import(%L, open_accounts => false)$$, replace(:good, '  a', '  assets:new')), 'LF023 account_not_found', 'accounts are opened only when wanted');
SELECT t.refused(format($$SELECT ledger_import(%L, add_currencies => false)$$, replace(replace(replace(:good, 'USD', 'NEW'), '  a', '  assets:nw'), '  b', '  equity:nw')), 'LF026 currency_not_found', 'currencies are added only when wanted');
SELECT is((SELECT i::text FROM ledger_import('') i), '(0,0,0,0,0,0)', 'nothing in it');
SELECT is((SELECT i::text FROM ledger_import(E'2024-01-01 x\n  a  0 USD\n  b  0 USD\n') i), '(0,0,0,0,0,0)', 'nothing that moves');

-- Privileges: posters post, operators open accounts, admins add currencies.
CREATE ROLE reads; CREATE ROLE posts; CREATE ROLE operates; CREATE ROLE administers;
SELECT ledger_grant('reads', 'reader'), ledger_grant('posts', 'poster'), ledger_grant('operates', 'operator'), ledger_grant('administers', 'admin') \g /dev/null
CREATE ROLE bystands; GRANT USAGE ON SCHEMA ledger TO bystands;
SELECT t.refused($$SELECT ledger_export()$$, '42501', 'nobody exports', 'bystands');
SELECT is(t.verdict(t.attempt($$SELECT ledger_export()$$, 'reads')), 'done', 'readers export');
SELECT t.refused(format($$SELECT ledger_import(%L)$$, :good), '42501', 'readers do not import', 'reads');
SELECT is(t.verdict(t.attempt(format($$SELECT ledger_import(%L)$$, :good), 'posts')), 'done', 'posters import');
SELECT t.refused(format($$SELECT ledger_import(%L)$$, replace(:good, '  a', '  assets:new')), '42501', 'and open no accounts', 'posts');
SELECT is(t.verdict(t.attempt(format($$SELECT ledger_import(%L)$$, replace(:good, '  a', '  assets:new')), 'operates')), 'done', 'operators do');
SELECT t.refused(format($$SELECT ledger_import(%L)$$, replace(replace(replace(:good, 'USD', 'NEW'), '  a', '  assets:nw'), '  b', '  equity:nw')), '42501', 'and add no currencies', 'operates');
SELECT is(t.verdict(t.attempt(format($$SELECT ledger_import(%L)$$, replace(replace(replace(:good, 'USD', 'NEW'), '  a', '  assets:nw'), '  b', '  equity:nw')), 'administers')), 'done', 'admins do');

-- A read-only transaction, and somebody's search_path.
SAVEPOINT writable;
SET LOCAL transaction_read_only = on;
SELECT t.verdict(t.attempt(format($$SELECT ledger_import(%L)$$, :good))) AS import, (SELECT count(*) > 10 FROM ledger_export('beancount')) AS export \gset
ROLLBACK TO writable;
SELECT is(:'import'::text, '25006', 'read-only: no import');
SELECT ok(:'export'::boolean, 'read-only: export');
CREATE SCHEMA attack;
CREATE FUNCTION attack.always(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR attack.= (FUNCTION = attack.always, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION attack.minus(numeric, numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 0::numeric';
CREATE OPERATOR attack.- (FUNCTION = attack.minus, LEFTARG = numeric, RIGHTARG = numeric);
SELECT t.export('hledger') AS before \gset
SET LOCAL search_path = attack, public, pg_catalog;
SELECT string_agg(l.line, E'\n' ORDER BY l.number) || E'\n' AS after FROM ledger_export('hledger') WITH ORDINALITY AS l (line, number) \gset
SELECT transactions AS imported FROM ledger_import(:good) \gset
RESET search_path;
SELECT is(:'after'::text, :'before'::text, 'operators in the search_path change no export');
SELECT is(:'imported'::text, '1', 'and no import');
SELECT * FROM finish();
ROLLBACK;
