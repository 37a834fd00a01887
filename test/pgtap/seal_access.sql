-- The seal: who may, when it is refused, what rolls back, proofs, and the audit view.
BEGIN;
\ir include/books.sql
SELECT plan(47);
CREATE ROLE seal_reader;
CREATE ROLE seal_poster;
CREATE ROLE seal_operator;
CREATE ROLE seal_nobody;
SELECT ledger_grant('seal_reader', 'reader'), ledger_grant('seal_poster', 'poster'), ledger_grant('seal_operator', 'operator');
SELECT ledger_post('assets:bank', 'equity:capital', 100, description => 'first', reference => 'R1') AS first_id,
       ledger_post('assets:bank', 'equity:capital', 200) AS second_id \gset

SELECT t.refused('SELECT ledger_seal()', '42501', 'a reader cannot seal', 'seal_reader');
SELECT t.refused('SELECT ledger_seal()', '42501', 'nor a poster', 'seal_poster');
SELECT t.refused('SELECT ledger_seal()', '42501', 'nor anybody', 'seal_nobody');
SELECT t.refused('SELECT ledger_seal(''nowhere'')', 'LF020 ledger_not_found', 'no such ledger');
SELECT t.refused(format('SELECT ledger_prove(%L)', :'first_id'), 'LF081 transaction_not_sealed', 'no proof of what is not sealed');
SELECT t.allowed('SELECT ledger_seal()', 'an operator seals', 'seal_operator');
SELECT is((SELECT sealed_by FROM ledger.seals), 'seal_operator', 'and is named');
SELECT ok((SELECT sealed_at BETWEEN now() AND clock_timestamp() AND server = system_identifier FROM ledger.seals, pg_control_system()), 'when and on which server');
SELECT t.allowed('SELECT * FROM ledger_verify_seal()', 'a reader verifies', 'seal_reader');
SELECT t.refused('SELECT * FROM ledger_verify_seal()', '42501', 'others do not', 'seal_nobody');
SELECT t.allowed(format('SELECT ledger_prove(%L)', :'first_id'), 'a reader has proofs', 'seal_reader');
SELECT t.refused(format('SELECT ledger_prove(%L)', :'first_id'), '42501', 'others do not', 'seal_nobody');

-- Append-only.
SELECT t.refused(statement, 'LF070 immutable_ledger', statement)
  FROM (VALUES ('UPDATE ledger.seals SET sealed_by = ''x'''), ('DELETE FROM ledger.seals'), ('TRUNCATE ledger.seals'),
               ('INSERT INTO ledger.seals SELECT * FROM ledger.seals'), ('UPDATE ledger.seal_blocks SET root = '''''),
               ('DELETE FROM ledger.seal_blocks'), ('TRUNCATE ledger.seal_blocks'), ('INSERT INTO ledger.seal_blocks SELECT * FROM ledger.seal_blocks')) s (statement);

-- A seal is part of the transaction that makes it.
SELECT ledger_post('assets:bank', 'equity:capital', 300) AS third_id \gset
SAVEPOINT before;
SELECT is((SELECT s.seal FROM ledger_seal() s), 2::bigint, 'the second seal');
ROLLBACK TO before;
SELECT is((SELECT count(*) FROM ledger.seals), 1::bigint, 'rolled back, it is not there');
SELECT is((SELECT count(*) FROM ledger.seal_blocks), 1::bigint, 'nor its blocks');
SELECT is_empty('SELECT * FROM ledger_verify_seal()', 'and nothing is missed');
SAVEPOINT before;
SELECT is((SELECT s.transactions FROM (SELECT ledger_post('assets:bank', 'equity:capital', 400)) p, LATERAL ledger_seal() s), 2::bigint, 'what the same statement has posted is sealed');
ROLLBACK TO before;
SAVEPOINT before;
SELECT ledger_post('assets:bank', 'equity:capital', 500) AS fifth_id \gset
RELEASE before;
SELECT is((SELECT s.seal || ' ' || s.transactions FROM ledger_seal() s), '2 2', 'the second seal again');
SELECT is_empty('SELECT * FROM ledger_verify_seal()', 'all is well');
SELECT is_empty('SELECT * FROM ledger_verify()', 'in the books too');
SET LOCAL TRANSACTION READ ONLY;
SELECT is(t.verdict(t.attempt('SELECT ledger_seal()')), '25006', 'refused in a read-only transaction') ;
SELECT is_empty('SELECT * FROM ledger_verify_seal()', 'where verifying works');
SELECT ok(ledger_prove(:'first_id') LIKE 'ledgerflow-proof 1%', 'and proving');

-- Bad input.
SELECT is(t.verdict(t.attempt(statement)), expected, statement)
  FROM (VALUES ('SELECT ledger_verify_seal(0)', 'LF015 invalid_argument'), ('SELECT ledger_verify_seal(2, 1)', 'LF015 invalid_argument'),
               ('SELECT ledger_verify_seal(1, 9223372036854775807)', 'LF015 invalid_argument'), ('SELECT ledger_verify_seal(9223372036854775807)', 'done'),
               ('SELECT ledger_verify_seal(known_root => '''')', 'LF015 invalid_argument'), ('SELECT ledger_verify_seal(known_root => repeat(''x'', 64))', 'LF015 invalid_argument'),
               ('SELECT ledger_prove(NULL)', 'LF027 transaction_not_found'), ('SELECT ledger_prove(gen_random_uuid())', 'LF027 transaction_not_found'),
               (format('SELECT ledger_prove(%L, 3)', :'first_id'), 'LF080 seal_not_found'), (format('SELECT ledger_prove(%L, 1)', :'third_id'), 'LF080 seal_not_found'),
               (format('SELECT ledger_prove(%L, -1)', :'third_id'), 'LF080 seal_not_found')) s (statement, expected);
SELECT ok(ledger_prove(:'first_id', 1) LIKE E'ledgerflow-proof 1\nthrough 1\n%', 'a proof to an earlier seal');
SELECT ok(position(encode((SELECT root FROM ledger.seals WHERE seal = 2), 'hex') IN ledger_prove(:'first_id')) > 0, 'bears the root of the newest');

-- The audit view.
SELECT is((SELECT string_agg(concat_ws(' ', actor, action, object_kind, to_value, reason, details), '; ' ORDER BY at) FROM ledger.audit WHERE object = :'first_id'),
          'postgres posting transaction posted first {"reference": "R1"}', 'a posting');
SELECT is((SELECT string_agg(concat_ws(' ', actor, object, details), '; ' ORDER BY at) FROM ledger.audit WHERE action = 'sealing'),
          'seal_operator 1 {"late": 0, "entries": 4, "transactions": 2}; postgres 2 {"late": 0, "entries": 4, "transactions": 2}', 'seals');
SELECT is((SELECT count(*) FROM ledger.audit WHERE action = 'opening'), 11::bigint, 'accounts');
SELECT * FROM finish();
ROLLBACK;
