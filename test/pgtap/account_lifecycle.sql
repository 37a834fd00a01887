-- Accounts with holds on them: freezing, closing, reopening; who did it and when.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(39);
CREATE ROLE officer;
SELECT ledger_grant('officer', 'operator') \g /dev/null
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) \g /dev/null
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 30) AS out, ledger_hold('assets:bank', 'liabilities:alice', 30) AS "in" \gset

-- Frozen in one direction.
SELECT ledger_freeze_account('liabilities:alice', 'debit') \g /dev/null
SELECT t.refused($$SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 1)$$, 'LF043 account_frozen', 'debits frozen: no hold that debits');
SELECT t.refused(format('SELECT ledger_capture(%L)', :'out'), 'LF043 account_frozen', 'no capture that debits');
SELECT t.refused(format('SELECT ledger_capture(%L, 1, false)', :'out'), 'LF043 account_frozen', 'nor of a part');
SELECT t.refused(format('SELECT ledger_raise_hold(%L, 1)', :'out'), 'LF043 account_frozen', 'no raise');
SELECT t.allowed($$SELECT ledger_hold('assets:bank', 'liabilities:alice', 1)$$, 'a hold that credits');
SELECT t.allowed(format('SELECT ledger_capture(%L, 10, false)', :'in'), 'a capture that credits');
SELECT t.allowed(format('SELECT ledger_raise_hold(%L, 1)', :'in'), 'a raise that credits');
SELECT ledger_unfreeze_account('liabilities:alice'), ledger_freeze_account('liabilities:alice', 'credit') \g /dev/null
SELECT t.refused($$SELECT ledger_hold('assets:bank', 'liabilities:alice', 1)$$, 'LF043 account_frozen', 'credits frozen: no hold that credits');
SELECT t.refused(format('SELECT ledger_capture(%L)', :'in'), 'LF043 account_frozen', 'no capture that credits');
SELECT t.allowed(format('SELECT ledger_capture(%L, 10, false)', :'out'), 'a capture that debits');
-- Frozen altogether: what is reserved can be given back, and expires.
SELECT ledger_freeze_account('liabilities:alice') \g /dev/null
SELECT t.refused(format('SELECT ledger_capture(%L)', :'out'), 'LF043 account_frozen', 'frozen: no capture');
SELECT t.allowed(format('SELECT ledger_release(%L)', :'out'), 'a release');
SELECT ledger_unfreeze_account('liabilities:alice') \g /dev/null
SELECT ledger_hold('liabilities:alice', 'liabilities:bob', 5, expires_in => '20 ms') AS brief \gset
SELECT ledger_freeze_account('liabilities:alice'), pg_sleep(0.05) \g /dev/null
SELECT is((SELECT holds_expired FROM ledger_maintain()), 1::bigint, 'an expiry');
SELECT ledger_unfreeze_account('liabilities:alice') \g /dev/null
SELECT t.allowed(format('SELECT ledger_capture(%L)', :'in'), 'unfrozen: a capture again');

-- Closing takes nothing posted and nothing pending.
SELECT ledger_open_account('liabilities:carol', 'liability', 'USD') \g /dev/null
SELECT ledger_hold('liabilities:carol', 'liabilities:bob', 5) AS hold \gset
SELECT t.refused($$SELECT ledger_close_account('liabilities:carol')$$, 'LF045 account_not_empty', 'pending debits');
SELECT is((t.attempt($$SELECT ledger_close_account('liabilities:carol')$$)).detail, 'Balance 0.00 USD, pending debits 5.00 USD, pending credits 0.00 USD.', 'with the figures');
SELECT ledger_release(:'hold'), ledger_hold('assets:bank', 'liabilities:carol', 5) AS hold \gset
SELECT t.refused($$SELECT ledger_close_account('liabilities:carol')$$, 'LF045 account_not_empty', 'pending credits');
SELECT ledger_capture(:'hold', 2, false) \g /dev/null
SELECT t.refused($$SELECT ledger_close_account('liabilities:carol')$$, 'LF045 account_not_empty', 'posted and pending');
SELECT ledger_release(:'hold') \g /dev/null
SELECT t.refused($$SELECT ledger_close_account('liabilities:carol')$$, 'LF045 account_not_empty', 'posted');
SELECT ledger_post('liabilities:carol', 'assets:bank', 2) \g /dev/null
SELECT t.allowed($$SELECT ledger_close_account('liabilities:carol', 'left us')$$, 'empty', 'officer');
SELECT t.refused($$SELECT ledger_hold('assets:bank', 'liabilities:carol', 1)$$, 'LF044 account_closed', 'no holds on a closed account');
SELECT t.refused($$SELECT ledger_hold('liabilities:carol', 'assets:bank', 1)$$, 'LF044 account_closed', 'in either direction');
SELECT t.refused(format('SELECT ledger_capture(%L)', :'hold'), 'LF061 hold_not_pending', 'settled holds answer for themselves');

-- Reopening.
SELECT t.allowed($$SELECT ledger_reopen_account('liabilities:carol', 'came back')$$, 'reopen', 'officer');
SELECT is((SELECT status FROM ledger.balances WHERE account = 'liabilities:carol'), 'open', 'is open');
SELECT t.allowed($$SELECT ledger_post('assets:bank', 'liabilities:carol', 1)$$, 'and posts');
SELECT t.refused($$SELECT ledger_reopen_account('liabilities:carol')$$, 'LF050 account_not_closed', 'what is open cannot be reopened');
SELECT ledger_freeze_account('liabilities:bob') \g /dev/null
SELECT t.refused($$SELECT ledger_reopen_account('liabilities:bob')$$, 'LF050 account_not_closed', 'nor what is frozen');
SELECT is((t.attempt($$SELECT ledger_reopen_account('liabilities:bob')$$)).detail, 'Its status is frozen.', 'the status is told');
SELECT t.refused($$SELECT ledger_reopen_account('nobody')$$, 'LF023 account_not_found', 'an unknown account');
SELECT t.refused($$SELECT ledger_reopen_account(NULL)$$, 'LF002 invalid_account_code', 'no account');
SELECT t.refused($$SELECT ledger_reopen_account('liabilities:bob', repeat('x', 10001))$$, 'LF010 invalid_description', 'a long reason');
-- A frozen account that is closed and reopened is open.
SELECT ledger_open_account('liabilities:dora', 'liability', 'USD'), ledger_freeze_account('liabilities:dora'), ledger_close_account('liabilities:dora'), ledger_reopen_account('liabilities:dora') \g /dev/null
SELECT is((SELECT status FROM ledger.balances WHERE account = 'liabilities:dora'), 'open', 'frozen, closed, reopened: open');

-- The history: who, when, from, to, why.
SELECT results_eq($$SELECT h.changed_by, h.change, h.from_value, h.to_value, h.reason FROM ledger.account_history h JOIN ledger.accounts a ON a.id = h.account_id WHERE a.code = 'liabilities:carol' ORDER BY h.id$$,
    $$VALUES ('officer', 'status', 'open', 'closed', 'left us'), ('officer', 'status', 'closed', 'open', 'came back')$$, 'by whom, from, to, why');
SELECT is((SELECT string_agg(h.to_value, ', ' ORDER BY h.id) FROM ledger.account_history h JOIN ledger.accounts a ON a.id = h.account_id WHERE a.code = 'liabilities:dora'), 'frozen, closed, open', 'step by step');
SELECT is((SELECT string_agg(h.to_value, ', ' ORDER BY h.id) FROM ledger.account_history h JOIN ledger.accounts a ON a.id = h.account_id WHERE a.code = 'liabilities:alice'),
          'debits_frozen, open, credits_frozen, frozen, open, frozen, open', 'freezes too');
SELECT ok((SELECT bool_and(changed_at BETWEEN now() AND clock_timestamp()) FROM ledger.account_history), 'and when');
SELECT ledger_set_limits('liabilities:alice', 1, 1000, 'review') \g /dev/null
SELECT results_eq($$SELECT change, from_value, to_value, reason FROM ledger.account_history WHERE reason = 'review' ORDER BY id$$,
    $$VALUES ('min_balance', '0.00 USD', '1.00 USD', 'review'), ('max_balance', 'none', '1000.00 USD', 'review')$$, 'limits as well');
SELECT is_empty('SELECT * FROM ledger_verify()', 'the ledger is well');

SELECT * FROM finish();
ROLLBACK;
