-- ledger_seal() and ledger_verify_seal(): what is sealed, and every kind of damage under the name of what it did.
BEGIN;
\ir include/books.sql
SELECT plan(78);

SELECT is((SELECT s::text FROM ledger_seal() s), '(,,,,,f)', 'an empty ledger: no seal');
SELECT is_empty('SELECT * FROM ledger_verify_seal()', 'and nothing to find');
SELECT is((SELECT count(*) FROM ledger.seals), 0::bigint, 'no row either');

SELECT ledger_post('assets:bank', 'equity:capital', 1000 + i, 'key ' || i, 'ref ' || i, 'number ' || i, metadata => jsonb_build_object('n', i)) FROM generate_series(1, 150) i;
SELECT ledger_post(ARRAY[ledger_debit('assets:bank', 5), ledger_debit('assets:yen', 7), ledger_credit('liabilities:alice', 5), ledger_credit('equity:yen', 7)]) AS lines_id \gset
SELECT ledger_post((SELECT array_agg(ledger_debit('assets:bank', 1)) || ledger_credit('equity:capital', 3000) FROM generate_series(1, 3000)), reference => 'huge') AS huge_id \gset
SELECT seal, root, transactions, entries, is_new FROM ledger_seal() \gset first_
SELECT is(:'first_seal' || ' ' || :'first_transactions' || ' ' || :'first_entries' || ' ' || :'first_is_new', '1 152 3305 t', 'everything is in the first seal');
SELECT is(length(:'first_root'), 64, 'its root in hexadecimal');
SELECT is((SELECT s.seal || ' ' || s.root || ' ' || s.is_new FROM ledger_seal() s), '1 ' || :'first_root' || ' false', 'nothing new: the last seal again');
SELECT is((SELECT count(*) FROM ledger.seals), 1::bigint, 'and no row');
SELECT is((SELECT array_agg(cardinality(transaction_ids) ORDER BY block) FROM ledger.seal_blocks), ARRAY[64, 64, 24], 'blocks of 64');
SELECT is((SELECT array_agg(i ORDER BY block, n) FROM ledger.seal_blocks, unnest(transaction_ids) WITH ORDINALITY u (i, n)),
          (SELECT array_agg(id ORDER BY id) FROM ledger.transactions), 'in the order of ids');
SELECT ledger_post('assets:bank', 'equity:capital', i, effective_at => '2020-01-01', description => E'two\nlines and tree 0') FROM generate_series(1, 3) i;
SELECT ledger_reverse(:'lines_id', 'wrong');
SELECT seal, root, transactions FROM ledger_seal() \gset second_
SELECT is(:'second_seal' || ' ' || :'second_transactions', '2 4', 'the next seal has what came after');
SELECT ledger_post('assets:bank', 'equity:capital', 7) AS third_id \gset
SELECT seal, root FROM ledger_seal() \gset third_
SELECT ledger_post('assets:bank', 'equity:capital', 8) AS unsealed_id \gset
SELECT is_empty('SELECT * FROM ledger_verify_seal()', 'all is well');
SELECT is_empty(format('SELECT * FROM ledger_verify_seal(known_root => %L)', root), 'with the root of any seal') FROM (VALUES (:'first_root'), (:'second_root'), (:'third_root')) r (root);
SELECT is((SELECT f::text FROM ledger_verify_seal(known_root => repeat('ab', 32)) f), format('(3,known_root,%s,"no seal has this root")', repeat('ab', 32)), 'a root that is of no seal');
SELECT is_empty('SELECT * FROM ledger_verify_seal(2, 2)', 'from a seal to a seal');
SELECT is((SELECT f::text FROM ledger_verify_seal(to_seal => 4) f), '(4,"seal 4","a row in seals",none)', 'a seal that somebody remembers and is not there');

-- What is found after a statement that no guard saw; the damage is undone again.
CREATE FUNCTION t.found(damage text, arguments text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        EXECUTE damage;
        SET LOCAL session_replication_role = origin;
        EXECUTE format('SELECT coalesce(string_agg(format(''%%s: %%s %%s'', f.seal, f.object, f.found), ''; '' ORDER BY f.seal, f.object, f.found), ''nothing'')
                          FROM ledger_verify_seal(%s) f', arguments) INTO answer;
        RAISE EXCEPTION USING ERRCODE = 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
        NULL;
    END;
    RETURN regexp_replace(answer, '[0-9a-f]{64}', 'H', 'g');
END $$;

SELECT id AS one_id FROM ledger.transactions WHERE reference = 'ref 70' \gset
SELECT is(t.found('SELECT 1'), 'nothing', 'no damage, no findings');
SELECT is(t.found(format(damage, :'one_id')), format('1: transaction %s %s', :'one_id', what), damage)
  FROM (VALUES
    ('UPDATE ledger.transactions SET description = ''other'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET description = NULL WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET metadata = metadata || ''{"n": 71}'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET created_by = ''somebody'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET posted_at = posted_at + interval ''1 microsecond'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET effective_at = ''infinity'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET effective_at = ''294276-12-31 23:59:59'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET reference = ''REF 70'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET xact_id = ''3'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET reverses = gen_random_uuid() WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET hold = id WHERE id = %L', 'changed'),
    ('UPDATE ledger.transactions SET type = ''t'' WHERE id = %L', 'changed'),
    ('UPDATE ledger.entries SET amount = amount + 0.01 WHERE transaction_id = %L AND line = 1', 'changed'),
    ('UPDATE ledger.entries SET amount = ''NaN'' WHERE transaction_id = %L AND line = 1', 'changed'),
    ('UPDATE ledger.entries SET amount = -amount WHERE transaction_id = %L', 'changed'),
    ('UPDATE ledger.entries SET balance_after = balance_after - 1 WHERE transaction_id = %L AND line = 2', 'changed'),
    ('UPDATE ledger.entries SET account_id = 4711 WHERE transaction_id = %L AND line = 1', 'changed'),
    ('UPDATE ledger.entries SET account_id = (SELECT id FROM ledger.accounts WHERE code = ''assets:cash'') WHERE transaction_id = %L AND line = 1', 'changed'),
    ('UPDATE ledger.entries SET line = line + 1 WHERE transaction_id = %L AND line = 2', 'changed'),
    ('UPDATE ledger.entries SET stripe = 1 WHERE transaction_id = %L AND line = 2', 'changed'),
    ('DELETE FROM ledger.entries WHERE transaction_id = %L', 'changed'),
    ('INSERT INTO ledger.entries SELECT account_id, transaction_id, line + 2, stripe, amount, balance_after FROM ledger.entries WHERE transaction_id = %L', 'changed'),
    ('DELETE FROM ledger.transactions WHERE id = %L', 'removed'),
    ('WITH gone AS (DELETE FROM ledger.entries WHERE transaction_id = %1$L) DELETE FROM ledger.transactions WHERE id = %1$L', 'removed')) d (damage, what);

-- Put in afterwards: by a database transaction that had ended, or whose posting claims a time before it began.
SELECT is(t.found('INSERT INTO ledger.transactions SELECT ''01900000-0000-7000-8000-000000000001'', posted_at, effective_at, xact_id, created_by FROM ledger.transactions LIMIT 1'),
    'nothing', 'put in by a transaction that may have been in flight: left for the next seal');
SELECT is(t.found('INSERT INTO ledger.transactions SELECT ''01900000-0000-7000-8000-000000000001'', posted_at, effective_at, ''3'', created_by FROM ledger.transactions LIMIT 1'),
    '3: transaction 01900000-0000-7000-8000-000000000001 its xact_id 3 had ended before seal 3, where it is not', 'put in under an old xact_id');
SELECT is(t.found('INSERT INTO ledger.transactions SELECT ''ffffffff-0000-7000-8000-000000000001'', posted_at, effective_at, ''3'', created_by FROM ledger.transactions LIMIT 1'),
    '3: transaction ffffffff-0000-7000-8000-000000000001 its xact_id 3 had ended before seal 3, where it is not', 'the same behind the last one');
SELECT is(t.found('INSERT INTO ledger.transactions SELECT ''01900000-0000-7000-8000-000000000001'', posted_at, effective_at, ''99999999'', created_by FROM ledger.transactions LIMIT 1'),
    '3: transaction 01900000-0000-7000-8000-000000000001 its xact_id 99999999 began after seal 3, its id says 2024-06-10 02:35:18.400000+00', 'put in with a time before its xact_id');
-- With everything that belongs to it, and sealed before anybody looked.
CREATE FUNCTION t.forgery() RETURNS text LANGUAGE sql AS $$
    SELECT 'INSERT INTO ledger.transactions SELECT ''01900000-0000-7000-8000-000000000001'', posted_at, effective_at, ''3'', created_by FROM ledger.transactions LIMIT 1;
            INSERT INTO ledger.entries SELECT account_id, ''01900000-0000-7000-8000-000000000001'', line, 0, amount, balance_after FROM ledger.entries WHERE transaction_id = (SELECT id FROM ledger.transactions WHERE reference = ''ref 1'');
            UPDATE ledger.account_balances SET version = version + 1 WHERE account_id IN (SELECT account_id FROM ledger.entries WHERE transaction_id = (SELECT id FROM ledger.transactions WHERE reference = ''ref 1''));
            SET LOCAL session_replication_role = origin; SELECT ledger_seal()'
$$;
SELECT is(t.found(t.forgery()), '4: transaction 01900000-0000-7000-8000-000000000001 its xact_id 3 had ended before seal 3, where it is not', 'sealed meanwhile, it is still found');
SELECT is(t.found(t.forgery() || '; DO $d$ BEGIN ASSERT (SELECT late = 1 AND transactions = 2 AND entries = 4 FROM ledger.seals WHERE seal = 4), (SELECT s::text FROM ledger.seals s WHERE seal = 4); END $d$', '1, 3'), 'nothing', 'a latecomer is in a seal of its own time and none before');

SELECT is(t.found('UPDATE ledger.accounts SET code = ''assets:other'' WHERE code = ''assets:yen'''), format('1: transaction %s changed; 2: transaction %s changed', :'lines_id', (SELECT id FROM ledger.transactions WHERE reverses IS NOT NULL)), 'another account code');
SELECT matches(t.found('UPDATE ledger.accounts SET currency = ''EUR'' WHERE code = ''assets:bank'''), '^1: more transactions 52 more differ; 1: transaction \S+ changed; ', 'another currency: a hundred are named');
SELECT matches(t.found('DELETE FROM ledger.accounts WHERE code = ''assets:yen'''), '^1: transaction \S+ changed; 2: transaction \S+ changed$', 'an account that is gone');

-- The seals themselves.
SELECT is(t.found('DELETE FROM ledger.seals WHERE seal = 2'), '2: seal 2 none; 2: seal 2 only rows in seal_blocks', 'a deleted seal');
SELECT is(t.found('DELETE FROM ledger.seals WHERE seal = 3'), '3: seal 3 only rows in seal_blocks', 'the last one deleted');
SELECT matches(t.found('DELETE FROM ledger.seals WHERE seal = 3; DELETE FROM ledger.seal_blocks WHERE seal = 3', format('known_root => %L', :'third_root')), '2: known_root no seal has this root', 'the last one deleted with its blocks: a root that was kept tells');
SELECT is(t.found(format('UPDATE ledger.seals SET %s WHERE seal = 2', change)), '2: seal 2 root H', 'seal edited: ' || change)
  FROM (VALUES ('sealed_at = sealed_at - interval ''1 day'''), ('sealed_by = ''x'''), ('server = NULL'), ('client_address = ''::1''')) c (change);
SELECT is(t.found('UPDATE ledger.seals SET root = sha256(root) WHERE seal = 2'), '2: seal 2 root H; 3: seal 3 root H', 'a root edited');
SELECT is(t.found('UPDATE ledger.seals SET tree = sha256(tree) WHERE seal = 2'), '2: seal 2 root H; 2: tree H over 4', 'a tree edited');
SELECT is(t.found('UPDATE ledger.seals SET root = ''\x00'', tree = '''' WHERE seal = 3'), '3: seal 3 root H; 3: tree H over 1', 'no digests at all');
SELECT matches(t.found('UPDATE ledger.seals SET seal = 99 WHERE seal = 2; UPDATE ledger.seals SET seal = 2 WHERE seal = 3; UPDATE ledger.seals SET seal = 3 WHERE seal = 99'),
    '2: seal 2 root H; .*3: seal 3 root H', 'two seals swapped');
SELECT matches(t.found('UPDATE ledger.seals SET last_transaction_id = ''00000000-0000-0000-0000-000000000000'', late = -5, transactions = -1 WHERE seal = 2'), '^2: seal 2 root H; 2: ', 'senseless figures');
SELECT is(t.found('INSERT INTO ledger.seals SELECT 0, transactions, entries, late, last_transaction_id, sealed_at, sealed_by, client_address, server, horizon, next_xact_id, tree, root FROM ledger.seals WHERE seal = 1'), '0: seal 0 a row in seals', 'a seal that never was');
SELECT is(t.found('UPDATE ledger.seal_blocks SET ' || change || ' WHERE seal = 1 AND block = 1'), '1: seal_blocks rows were edited, added or removed', 'block edited: ' || change)
  FROM (VALUES ('marks = sha256(marks)'), ('marks = '''''), ('root = sha256(root)'), ('block = 17'), ('last_transaction_id = last_transaction_id')) c (change) WHERE change NOT LIKE 'last%';
SELECT matches(t.found('UPDATE ledger.seal_blocks SET ' || change || ' WHERE seal = 1 AND block = 1'), '^1: ', 'block edited: ' || change)
  FROM (VALUES ('transaction_ids = ''{}'''), ('transaction_ids = ARRAY[NULL]::uuid[]'), ('transaction_ids = transaction_ids[2:]'), ('transaction_ids = transaction_ids || transaction_ids'),
               ('transaction_ids = (SELECT array_agg(i ORDER BY i DESC) FROM unnest(transaction_ids) i)'), ('transaction_ids[5] = gen_random_uuid()')) c (change);
SELECT is(t.found('DELETE FROM ledger.seal_blocks WHERE seal = 1 AND block = 1'), '1: seal_blocks rows were edited, added or removed', 'a block deleted');
SELECT is(t.found('DELETE FROM ledger.seal_blocks WHERE seal = 1'), '1: seal_blocks rows were edited, added or removed', 'all blocks deleted');
SELECT matches(t.found('DELETE FROM ledger.transactions; DELETE FROM ledger.entries'), '^1: more transactions 52 more differ; 1: transaction \S+ removed; ', 'everything deleted');
-- A row changed, and its mark with it: the tree still tells, though not which.
SELECT is(t.found(format('UPDATE ledger.transactions SET description = ''x'' WHERE id = %L; UPDATE ledger.seal_blocks SET marks = decode(repeat(''00'', 256), ''hex'') WHERE seal = 1 AND block = 1', :'one_id')) LIKE '1: transaction %', true, 'marks wiped with it');
SELECT * FROM finish();
ROLLBACK;
