-- The audit view: who did what, when, from where.
BEGIN;
\ir include/hold_helpers.sql
SELECT plan(8);
SET LOCAL application_name = 'back office';
SELECT ledger_post('assets:bank', 'liabilities:alice', 100) AS posted_id \gset
SELECT ledger_hold('liabilities:alice', 'income:fees', 30) AS hold_id \gset
SELECT ledger_capture(:'hold_id', 20) AS capture_id \gset
SELECT ledger_reverse(:'posted_id', 'by mistake', force => true) AS reversal_id \gset
SELECT ledger_freeze_account('liabilities:bob', reason => 'court');
SELECT ledger_close_period(now() - interval '1 day', 'month end');
SELECT ledger_reopen_period(reason => 'forgotten invoice');

CREATE FUNCTION t.audited(object text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', a.actor, a.application, a.action, a.object_kind, coalesce(a.from_value, 'none') || ' > ' || coalesce(a.to_value, 'none'), a.reason), '; ' ORDER BY a.at, a.application NULLS FIRST)
      FROM ledger.audit a WHERE a.object = audited.object
$$;
SELECT matches(t.audited(:'posted_id'), '^postgres posting transaction none > posted; postgres back office status transaction posted > reversed by transaction \S+$', 'a posting');
SELECT matches(t.audited(:'hold_id'), '^postgres back office status hold none > pending; postgres back office status hold pending > captured captured 20.00 USD in transaction \S+$', 'a hold');
SELECT is(t.audited(:'capture_id'), 'postgres capture transaction none > posted', 'a capture');
SELECT matches(t.audited(:'reversal_id'), '^postgres reversal transaction none > posted by mistake; postgres back office status transaction .*forced', 'a forced reversal');
SELECT is(t.audited('liabilities:bob'), 'opening account none > open; postgres back office status account open > frozen court', 'an account');
SELECT is((SELECT string_agg(concat_ws(' ', actor, action, application, reason), '; ' ORDER BY at) FROM ledger.audit WHERE object_kind = 'period'),
          'postgres closing back office month end; postgres reopening back office forgotten invoice', 'periods');
SELECT is((SELECT count(*) FROM ledger.audit WHERE at >= now() AND application IS NULL AND object_kind <> 'account' AND action NOT IN ('posting', 'capture', 'reversal')), 0::bigint, 'the rare things say from where');
SELECT is((SELECT count(DISTINCT client_address IS NOT DISTINCT FROM inet_client_addr()) FROM ledger.audit WHERE application IS NOT NULL), 1::bigint, 'and their address');
SELECT * FROM finish();
ROLLBACK;
