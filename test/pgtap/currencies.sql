-- Currencies: ISO 4217, the user's own, and what of them never changes.
BEGIN;
\ir include/books.sql
SELECT plan(30);

SELECT is((SELECT scale FROM ledger.currencies WHERE code = wanted), scale::smallint, wanted || ' has ' || scale || ' decimals')
  FROM (VALUES ('USD', 2), ('EUR', 2), ('JPY', 0), ('KRW', 0), ('BHD', 3), ('KWD', 3), ('TND', 3), ('CLF', 4)) AS x (wanted, scale);
SELECT is((SELECT count(*) FROM ledger.currencies WHERE code !~ '^[A-Z]{3}$' OR name IS NULL), 0::bigint, 'every code has three letters, and a name');
SELECT cmp_ok((SELECT count(*) FROM ledger.currencies), '>', 150::bigint, 'all of ISO 4217 is there');

-- The user's own.
SELECT t.allowed($$INSERT INTO ledger.currencies (code, scale, name) VALUES ('BTC', 8, 'Bitcoin'), ('ETH', 18, 'Ether'),
                   ('paise', 0, 'Minor units'), ('AAPL.shares', 24, NULL)$$, 'currencies can be added');
SELECT ledger_open_account('a:' || c, 'asset', c), ledger_open_account('e:' || c, 'equity', c)
  FROM unnest('{BTC,ETH,paise,AAPL.shares}'::text[]) AS c \g /dev/null
SELECT ledger_post('a:BTC', 'e:BTC', 0.00000001), ledger_post('a:ETH', 'e:ETH', 1.000000000000000001),
       ledger_post('a:paise', 'e:paise', 12500), ledger_post('a:AAPL.shares', 'e:AAPL.shares', 12345678901234.000000000000000000000001) \g /dev/null
SELECT is(ledger_balance('a:BTC')::text, '0.00000001', 'one satoshi');
SELECT is(ledger_balance('a:ETH')::text, '1.000000000000000001', '18 decimals are exact');
SELECT is(ledger_balance('a:paise')::text, '12500', 'scale 0: whole numbers');
SELECT is(ledger_balance('a:AAPL.shares')::text, '12345678901234.000000000000000000000001', '38 digits are exact');
SELECT is(ledger_balance('assets:yen')::text, '0', 'a balance is written in the scale of its currency: JPY');
SELECT is(ledger_balance('assets:dinar')::text, '0.000', 'and BHD');
SELECT t.refused($$INSERT INTO ledger.currencies VALUES ('XXL', 25)$$, '23514', 'at most 24 decimals');
SELECT t.refused($$INSERT INTO ledger.currencies VALUES ('NEG', -1)$$, '23514', 'not fewer than none');
SELECT t.refused($$INSERT INTO ledger.currencies VALUES ('', 2)$$, '23514', 'a code is not empty');
SELECT t.refused($$INSERT INTO ledger.currencies VALUES ('U S D', 2)$$, '23514', 'and has no spaces');
SELECT t.refused($$INSERT INTO ledger.currencies VALUES ('USD', 2)$$, '23505', 'codes are unique');

-- Amounts rest on the scale.
SELECT t.refused($$UPDATE ledger.currencies SET scale = 3 WHERE code = 'USD'$$, 'LF070 immutable_ledger', 'the scale never changes');
SELECT t.refused($$UPDATE ledger.currencies SET scale = 3 WHERE code = 'CHE'$$, 'LF070 immutable_ledger', 'not even where nothing was posted');
SELECT t.refused($$UPDATE ledger.currencies SET code = 'DOL' WHERE code = 'CHE'$$, 'LF070 immutable_ledger', 'nor does the code');
SELECT t.allowed($$UPDATE ledger.currencies SET name = 'Dollar', scale = 2 WHERE code = 'USD'$$, 'the name may, and what stays as it is does no harm');
SELECT t.refused($$DELETE FROM ledger.currencies WHERE code = 'USD'$$, '23503', 'a currency with accounts stays');
SELECT t.allowed($$DELETE FROM ledger.currencies WHERE code = 'CHE'$$, 'one without may go');
SELECT t.refused($$TRUNCATE ledger.currencies$$, '0A000', 'the table cannot be emptied below its accounts');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
