-- Arguments without a type: literals in quotes, and the parameters of drivers that send none.
BEGIN;
\ir include/books.sql
SELECT plan(9);
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', 10.5)$$, 'ledger_post: a number');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', '10.50'::numeric)$$, 'a string with its type');
SELECT t.allowed($$SELECT ledger_post(debit => 'assets:bank', credit => 'equity:capital', amount => '10.50')$$, 'a string by name');
SELECT t.allowed($$SELECT post_transfer('assets:bank', 'equity:capital', '10.50')$$, 'post_transfer: a string');
SELECT t.allowed($$PREPARE untyped_transfer AS SELECT post_transfer($1, $2, $3)$$, 'post_transfer: parameters without types');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'equity:capital', '10.50')$$, 'ledger_post: a string');
SELECT t.allowed($$PREPARE untyped_posting AS SELECT ledger_post($1, $2, $3)$$, 'ledger_post: parameters without types');
SELECT t.allowed($$SELECT ledger_hold('assets:bank', 'equity:capital', '10.50')$$, 'ledger_hold: a string');
SELECT t.refused($$SELECT ledger_post('assets:bank', 'equity:capital', 'ten')$$, '22P02', 'a string that is no number');
SELECT * FROM finish();
ROLLBACK;
