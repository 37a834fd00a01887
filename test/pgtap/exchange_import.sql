-- Journals as people have them: what is read, and what becomes of it.
BEGIN;
\ir include/books.sql
\ir include/exchange.sql
SELECT no_plan();
CREATE FUNCTION t.lines(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', account, debit, -credit, currency), ', ' ORDER BY line) FROM ledger.journal WHERE description = wanted
$$;
CREATE FUNCTION t.metadata(wanted text) RETURNS jsonb LANGUAGE sql AS $$ SELECT metadata FROM ledger.transactions WHERE description = wanted $$;

SELECT * FROM ledger_import($journal$
# A comment
* another
decimal-mark .
commodity $1,000.00
commodity EUR
    format 1.000,00 EUR
D $1,000.00
P 2024-01-01 EUR $1.10
account assets:wallet    ; type: C
account customers:carl   ; type:Liability, since: 2020
comment
2024-01-01 not a transaction
end comment

2024/1/2=2024/1/5 ! (1042) Grocer | weekly  ; shop:market, trip:
    ; a plain remark
    expenses:food & drink  ; nothing else
    assets:wallet    $-1,234.50   ; paid in cash
    ; by hand
2024.01.03 default commodity
    expenses:rent    700
    assets:wallet
2024-01-04 * european
    assets:euro    1.234,50 EUR @@ $1,357.95
    assets:wallet  -$1357.95
2024-01-05 several at once
    assets:euro    10,00 EUR
    customers:carl    $5 = $5
    equity:opening balances
2024-01-06 assertions
    customers:carl    $0.00 == $5
    assets:wallet    $0 =* $-3,292.45
    equity:opening balances    $0
$journal$, 'hledger', commodities => '{"$": "USD"}', accounts => '{"expenses:food & drink": "expenses:food"}') \gset i_
SELECT is(:'i_transactions' || ' ' || :'i_entries' || ' ' || :'i_balances_checked', '4 12 3', 'hledger: what is posted');
SELECT is(t.lines('Grocer | weekly'), 'expenses:food 1234.50 USD, assets:wallet -1234.50 USD', 'an elided amount stands in its place, thousands separated');
SELECT is(t.metadata('Grocer | weekly'), '{"flag": "!", "code": "1042", "date2": "2024/1/5", "shop": "market", "trip": "", "comments": ["a plain remark", "expenses:food & drink: nothing else", "assets:wallet: paid in cash", "assets:wallet: by hand"]}', 'flag, code, second date, tags and comments are kept');
SELECT is(t.lines('default commodity'), 'expenses:rent 700.00 USD, assets:wallet -700.00 USD', 'a default commodity');
SELECT is(t.lines('european'), 'assets:euro 1234.50 EUR, equity:trading:EUR:EUR -1234.50 EUR, equity:trading:EUR:USD 1357.95 USD, assets:wallet -1357.95 USD', 'a total price goes through trading accounts');
SELECT is(t.lines('several at once'), 'assets:euro 10.00 EUR, customers:carl 5.00 USD, equity:opening_balances:EUR -10.00 EUR, equity:opening_balances:USD -5.00 USD', 'an elided amount of several commodities: an account for each');
SELECT results_eq($$SELECT code, type, name, metadata::text FROM ledger.accounts WHERE code IN ('customers:carl', 'assets:wallet', 'equity:opening_balances:USD') ORDER BY 1$$,
    $$VALUES ('assets:wallet', 'asset', NULL, NULL), ('customers:carl', 'liability', NULL, '{"since": "2020"}'), ('equity:opening_balances:USD', 'equity', 'equity:opening balances', NULL)$$, 'types and tags of accounts, names with spaces');
SELECT is((SELECT balance FROM ledger.balances WHERE account = 'expenses:rent'), 700.00, 'an account that is open is used');

SELECT * FROM ledger_import($journal$
commodity USD
    note US dollar
    format 1,000.00 USD
account Assets:Broker
    note My broker
    assert true
2024-02-01 * (7) Payee; not a comment  ; :food:shop:
    ; Project: house
    Assets:Broker    10 "AAPL 24" @ 1,150.333 USD
    Assets:Cash US
2024-02-02 sell
    Assets:Broker    -3 "AAPL 24" @ 1.111111 USD
    Assets:Cash US    3.34 USD
    Expenses:Fees    -0.01 USD
$journal$, 'ledger', commodities => '{"AAPL 24": "AAPL"}') \gset i_
SELECT is(t.lines('Payee; not a comment'), 'Assets:Broker 10 AAPL, equity:trading:AAPL_24:AAPL -10 AAPL, equity:trading:AAPL_24:USD 11503.33 USD, Assets:Cash_US -11503.33 USD', 'ledger: a quoted commodity at a price');
SELECT is(t.metadata('Payee; not a comment'), '{"code": "7", "tags": ["food", "shop"], "Project": "house"}', 'ledger''s tags');
SELECT is(t.lines('sell'), 'Assets:Broker -3 AAPL, equity:trading:AAPL_24:AAPL 3 AAPL, equity:trading:AAPL_24:USD -3.33 USD, Assets:Cash_US 3.34 USD, Expenses:Fees -0.01 USD', 'what a price computes is rounded to the cent');

SELECT * FROM ledger_import($journal$;; -*- mode: beancount -*-
option "title" "Books"
option "operating_currency" "USD"
option "name_assets" "Vermoegen"
* Heading
2020-01-01 commodity AAA
  name: "Triple A"
  price: "USD:x/AAA"
2020-01-01 open Vermoegen:US:Bank USD
  number: "00-1"
2020-01-01 open Vermoegen:Depot AAA,BBB "FIFO"
2020-01-01 open Vermoegen:Idle
2020-01-02 price AAA 10.00 USD
2020-01-02 query "q" "
  SELECT ; nothing
"
2020-01-02 event "location" "x"
  a: 1
pushtag #trip
2020-01-03 txn "Payee" "bought" #a ^l-1
  key: "a \"quoted\" \\ text"
  n: 5.00 USD
  yes: TRUE
  none:
  Vermoegen:Depot   10 AAA {1,000.50 USD, 2020-01-03, "lot"}
    memo: "of the posting"
  ! Vermoegen:US:Bank
poptag #trip
2020-01-04 * "sold"
  Vermoegen:Depot   -4 AAA {1000.50 USD} @ 1100 USD
  Vermoegen:US:Bank  4,400.00 USD
  Income:Gains  -398 USD
2020-01-05 ! "off by a fraction"
  Vermoegen:Depot   1.5 BBB {{1.50 USD}}
  Vermoegen:Depot   3 BBB @ 0.3333 USD
  Vermoegen:US:Bank   -2.49 USD
2020-01-06 balance Vermoegen:US:Bank  -5607.49 USD
2020-01-06 balance Vermoegen:Depot  4.5 BBB
2020-01-06 balance Vermoegen:Depot  6 AAA
2020-01-06 balance Vermoegen:US  -5607.49 USD
2020-01-06 close Vermoegen:Idle
$journal$, 'beancount') \gset i_
SELECT is(:'i_transactions' || ' ' || :'i_balances_checked', '3 4', 'beancount: what is posted');
SELECT is(t.lines('bought'), 'Vermoegen:Depot:AAA 10 AAA, Equity:Trading:AAA:AAA -10 AAA, Equity:Trading:AAA:USD 10005.00 USD, Vermoegen:US:Bank -10005.00 USD', 'at cost');
SELECT is(t.metadata('bought'), '{"payee": "Payee", "tags": ["trip", "a"], "links": ["l-1"], "key": "a \"quoted\" \\ text", "n": "5.00 USD", "yes": true, "none": null, "lots": ["10 AAA {1,000.50 USD, 2020-01-03, \"lot\"}"], "comments": ["Vermoegen:Depot: memo: \"of the posting\""]}', 'its metadata');
SELECT is(t.lines('sold'), 'Vermoegen:Depot:AAA -4 AAA, Equity:Trading:AAA:AAA 4 AAA, Equity:Trading:AAA:USD -4002.00 USD, Vermoegen:US:Bank 4400.00 USD, Income:Gains -398.00 USD', 'the cost counts, not the price');
SELECT is(t.lines('off by a fraction'), 'Vermoegen:Depot:BBB 1.5 BBB, Equity:Trading:BBB:BBB -1.5 BBB, Equity:Trading:BBB:USD 1.50 USD, Vermoegen:Depot:BBB 3.0 BBB, Equity:Trading:BBB:BBB -3.0 BBB, Equity:Trading:BBB:USD 1.00 USD, Vermoegen:US:Bank -2.49 USD, Equity:Rounding -0.01 USD', 'what rounding leaves is booked');
SELECT results_eq($$SELECT code, type, currency, metadata::text FROM ledger.accounts WHERE code LIKE 'Verm%' ORDER BY 1$$,
    $$VALUES ('Vermoegen:Depot:AAA', 'asset', 'AAA', '{"opened": "2020-01-01"}'), ('Vermoegen:Depot:BBB', 'asset', 'BBB', '{"opened": "2020-01-01"}'),
             ('Vermoegen:Idle', 'asset', 'USD', '{"opened": "2020-01-01"}'), ('Vermoegen:US:Bank', 'asset', 'USD', '{"number": "00-1", "opened": "2020-01-01"}')$$, 'accounts, also those that are not used');
SELECT is((SELECT name || scale FROM ledger.currencies WHERE code = 'AAA'), 'Triple A0', 'a new currency has the decimals that the journal needs');
SELECT is((SELECT string_agg(scale::text, '' ORDER BY code) FROM ledger.currencies WHERE code IN ('BBB', 'USD')), '12', 'one that is there keeps its own');

-- Keys: a journal that grows is imported again and again.
SELECT ledger_create('grows') \g /dev/null
\set one 'E''2024-01-01 x\\n  assets:a  1 USD\\n  equity:b\\n'''
SELECT is((SELECT (transactions, replayed)::text FROM ledger_import(:one || :one, key_prefix => 'k', ledger => 'grows')), '(2,0)', 'two of the same are two');
SELECT is((SELECT (transactions, replayed)::text FROM ledger_import(:one || :one || :one, key_prefix => 'k', ledger => 'grows')), '(1,2)', 'the third one is new');
SELECT is((SELECT (transactions, replayed)::text FROM ledger_import(replace(:one, 'x', 'y') || :one, key_prefix => 'k', ledger => 'grows')), '(1,1)', 'their place does not matter');
SELECT is((SELECT (transactions, replayed)::text FROM ledger_import(:one, key_prefix => 'other', ledger => 'grows')), '(1,0)', 'under another prefix it is another');
SELECT is((SELECT (transactions, replayed)::text FROM ledger_import(:one, ledger => 'grows')), '(1,0)', 'without one it is posted again');
SELECT is((SELECT (transactions, accounts_opened)::text FROM ledger_import(replace(:one, '1 USD', '2 EUR') || :one, key_prefix => 'k', ledger => 'grows')), '(1,2)', 'another currency has accounts of its own');
SELECT is((SELECT string_agg(code, ' ' ORDER BY id) FROM grows.accounts), 'assets:a equity:b assets:a:EUR equity:b:EUR', 'beside the ones that are there');
SELECT throws_ok($$SELECT ledger_import(E'transaction,date,account,currency,debit,credit\nT1,2024-01-01,assets:a,USD,1,\nT1,,equity:b,USD,,1\n', 'csv', key_prefix => 'k', ledger => 'grows');
                   SELECT ledger_import(E'transaction,date,account,currency,debit,credit\nT1,2024-01-01,assets:a,USD,2,\nT1,,equity:b,USD,,2\n', 'csv', key_prefix => 'k', ledger => 'grows')$$, 'LF047', NULL, 'another transaction under an id that was imported');
SELECT is((SELECT transactions FROM ledger_import(E'\xEF\xBB\xBF' || :one, ledger => 'grows')), 1::bigint, 'a byte order mark');
SELECT is((SELECT transactions FROM ledger_import(replace(:one, E'\n', E'\r\n'), ledger => 'grows')), 1::bigint, 'lines as of Windows');
SELECT is((SELECT transactions FROM ledger_import(rtrim(:one, E'\n'), ledger => 'grows')), 1::bigint, 'no end of the last line');
-- More than one batch.
SELECT is((SELECT (transactions, entries)::text FROM ledger_import((SELECT string_agg(format(E'2024-01-01 * number %s\n  assets:a  %s USD\n  equity:b\n', n, n), E'\n') FROM generate_series(1, 25000) n), ledger => 'grows')), '(25000,50000)', 'more than a batch');
SELECT is_empty($$SELECT * FROM ledger_verify('grows')$$, 'and all is well');
SELECT is_empty($$SELECT * FROM ledger_verify()$$, 'here too');
SELECT * FROM finish();
ROLLBACK;
