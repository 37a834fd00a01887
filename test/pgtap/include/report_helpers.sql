-- The reports' figures once more, straight from their definitions: sums over the entries, account by account.

-- Several hundred postings, effective in no order, over five years.
CREATE FUNCTION t.books_of_many() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    codes text[];
    chosen integer;
BEGIN
    PERFORM setseed(0.5);
    FOR n IN 1 .. 400 LOOP
        SELECT array_agg(code ORDER BY code) INTO codes FROM ledger.accounts
         WHERE currency = CASE WHEN n % 5 = 0 THEN 'JPY' ELSE 'USD' END AND code <> 'assets:cash' AND code <> 'liabilities:alice';
        chosen := floor(random() * cardinality(codes));
        IF n % 11 = 0 THEN  -- an account more than once in a transaction
            PERFORM ledger_post(ARRAY[ledger_debit(codes[1], n), ledger_credit(codes[2], 3 * n), ledger_debit(codes[1], 2 * n)]);
        END IF;
        PERFORM ledger_post(codes[1 + chosen], codes[1 + (chosen + 1 + floor(random() * (cardinality(codes) - 1))::integer) % cardinality(codes)],
                            1 + floor(random() * 1000)::integer,
                            effective_at => CASE WHEN n % 7 <> 0 THEN date_trunc('day', timestamptz '2020-01-01' + random() * interval '5 years') END);
    END LOOP;
END $$;

CREATE FUNCTION t.dated(by text) RETURNS TABLE (account text, type text, currency text, side text, amount numeric, at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT a.code, a.type, a.currency, y.normal_side, e.amount, CASE dated.by WHEN 'posted' THEN x.posted_at ELSE x.effective_at END
                   FROM ledger.entries e JOIN ledger.transactions x ON x.id = e.transaction_id JOIN ledger.accounts a ON a.id = e.account_id
                   JOIN ledger.account_types y ON y.code = a.type;
END $$;

-- Times to look at: those of some transactions exactly, just before them, and the ends.
CREATE FUNCTION t.moments(by text) RETURNS TABLE (at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
        SELECT m.at - shift FROM (SELECT DISTINCT d.at FROM t.dated(moments.by) d) AS m, (VALUES (interval '0'), (interval '1 microsecond')) AS s (shift)
         WHERE hashtext(m.at::text) % 30 = 0
        UNION VALUES (timestamptz '-infinity'), ('infinity'), ('1999-01-01'), (now() + interval '1 hour');
END $$;

-- Where charts by posting time begin: at a transaction that has an account twice.
CREATE FUNCTION t.opening() RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT t.posted_at FROM ledger.transactions t
             WHERE (SELECT count(*) <> count(DISTINCT account_id) FROM ledger.entries e WHERE e.transaction_id = t.id) ORDER BY t.id OFFSET 10 LIMIT 1);
END $$;

-- Every figure of a report that is not what the entries say.
CREATE FUNCTION t.differences(by text) RETURNS TABLE (report text, at timestamptz, account text, reported numeric, summed numeric)
LANGUAGE plpgsql SET jit = off AS $$  -- compiling these statements takes longer than running them
#variable_conflict use_column
BEGIN
    CREATE TEMPORARY TABLE line ON COMMIT DROP AS SELECT * FROM t.dated(differences.by);
    CREATE TEMPORARY TABLE moment ON COMMIT DROP AS SELECT * FROM t.moments(differences.by);
    IF (SELECT count(*) FROM pg_temp.moment) < 8 THEN RAISE 'there are too few times to look at'; END IF;
    CREATE TEMPORARY TABLE truth ON COMMIT DROP AS
    SELECT m.at, d.account, d.type, d.currency, d.side, sum(d.amount) AS amount, sum(greatest(d.amount, 0)) AS debits, sum(greatest(-d.amount, 0)) AS credits
      FROM pg_temp.moment m JOIN pg_temp.line d ON d.at <= m.at GROUP BY 1, 2, 3, 4, 5;
    RETURN QUERY
        SELECT 'trial balance', m.at, coalesce(r.account, w.account), r.debit - r.credit, w.amount
          FROM pg_temp.moment m
         CROSS JOIN LATERAL ledger_trial_balance(m.at, differences.by) r
          FULL JOIN truth w ON w.at = m.at AND w.account = r.account
         WHERE (r.debit - r.credit, r.debits_posted, r.credits_posted)
               IS DISTINCT FROM (coalesce(w.amount, 0), coalesce(w.debits, 0), coalesce(w.credits, 0))
        UNION ALL
        SELECT 'roll-up', m.at, coalesce(r.account, w.account), r.own, w.amount
          FROM pg_temp.moment m
         CROSS JOIN LATERAL (SELECT * FROM ledger_rollup(at => m.at, by => differences.by) WHERE own IS NOT NULL) r
          FULL JOIN (SELECT at, account, CASE side WHEN 'credit' THEN -amount ELSE amount END AS amount FROM truth) w ON w.at = m.at AND w.account = r.account
         WHERE r.own IS DISTINCT FROM coalesce(w.amount, 0) AND r.normal_side IS NOT NULL
        UNION ALL
        SELECT 'roll-up totals', m.at, r.account, r.total, w.amount
          FROM pg_temp.moment m
         CROSS JOIN LATERAL ledger_rollup(at => m.at, by => differences.by) r
         CROSS JOIN LATERAL (SELECT coalesce(sum(CASE r.normal_side WHEN 'credit' THEN -amount ELSE amount END), 0) AS amount FROM truth
                              WHERE truth.at = m.at AND truth.currency = r.currency AND (truth.account || ':') ^@ (r.account || ':')) w
         WHERE r.total <> w.amount
        UNION ALL
        SELECT 'by type', m.at, r.type, r.balance, w.amount
          FROM pg_temp.moment m
         CROSS JOIN LATERAL ledger_balances_by_type(m.at, differences.by) r
         CROSS JOIN LATERAL (SELECT coalesce(sum(CASE side WHEN 'credit' THEN -amount ELSE amount END), 0) AS amount FROM truth
                              WHERE truth.at = m.at AND truth.currency = r.currency AND truth.type = r.type) w
         WHERE r.balance <> w.amount
        UNION ALL
        SELECT 'balance sheet', m.at, coalesce(r.account, w.account), r.amount, w.amount
          FROM pg_temp.moment m
         CROSS JOIN LATERAL (SELECT account, amount FROM ledger_balance_sheet(m.at, by => differences.by) WHERE kind = 'account') r
          FULL JOIN (SELECT at, account, CASE side WHEN 'credit' THEN -amount ELSE amount END AS amount FROM truth
                      WHERE amount <> 0 AND type NOT IN ('income', 'expense')) w ON w.at = m.at AND w.account = r.account
         WHERE r.amount IS DISTINCT FROM w.amount
        UNION ALL
        SELECT 'earnings', m.at, r.currency, r.amount, w.amount
          FROM pg_temp.moment m
         CROSS JOIN LATERAL (SELECT currency, amount FROM ledger_balance_sheet(m.at, by => differences.by) WHERE kind = 'earnings') r
         CROSS JOIN LATERAL (SELECT -coalesce(sum(amount), 0) AS amount FROM truth
                              WHERE truth.at = m.at AND truth.currency = r.currency AND type IN ('income', 'expense')) w
         WHERE r.amount <> w.amount
        UNION ALL
        SELECT 'chart', r.at, a.code, r.balance, w.amount
          FROM ledger.accounts a
         CROSS JOIN LATERAL ledger_chart(a.code, CASE differences.by WHEN 'posted' THEN t.opening() ELSE '2019-12-31' END,
                                         CASE differences.by WHEN 'posted' THEN clock_timestamp() ELSE '2025-02-28' END,
                                         CASE differences.by WHEN 'posted' THEN interval '20 milliseconds' ELSE '1 month 3 days' END, differences.by) r
         CROSS JOIN LATERAL (SELECT coalesce(sum(CASE side WHEN 'credit' THEN -amount ELSE amount END), 0) AS amount
                               FROM pg_temp.line d WHERE d.account = a.code AND d.at <= r.at) w
         WHERE r.balance <> w.amount AND a.code IN ('assets:bank', 'equity:capital', 'liabilities:ann', 'assets:yen', 'assets:dinar');
    RETURN QUERY
        WITH range AS (
            SELECT a.at AS since, b.at AS until FROM pg_temp.moment a, pg_temp.moment b
             WHERE a.at <= b.at AND hashtext(a.at::text || b.at) % 5 = 0
        ), sums AS (
            SELECT since, until, d.account, d.side, d.type, d.currency, coalesce(sum(d.amount) FILTER (WHERE d.at < since), 0) AS opening,
                   coalesce(sum(d.amount) FILTER (WHERE d.at >= since AND amount > 0), 0) AS debits,
                   coalesce(-sum(d.amount) FILTER (WHERE d.at >= since AND amount < 0), 0) AS credits
              FROM range JOIN pg_temp.line d ON d.at < until GROUP BY 1, 2, 3, 4, 5, 6
        ), signed AS (
            SELECT *, CASE side WHEN 'credit' THEN -opening ELSE opening END AS opened,
                   CASE side WHEN 'credit' THEN credits - debits ELSE debits - credits END AS moved FROM sums
        )
        SELECT 'movements', g.until, coalesce(r.account, w.account), r.closing, w.opened
          FROM range g
         CROSS JOIN LATERAL ledger_movements(g.since, g.until, by => differences.by) r
          FULL JOIN (SELECT * FROM signed WHERE opening <> 0 OR debits <> 0 OR credits <> 0) w ON w.since = g.since AND w.until = g.until AND w.account = r.account
         WHERE (r.opening, r.debits, r.credits, r.closing) IS DISTINCT FROM (w.opened, w.debits, w.credits, w.opened + w.moved)
               AND (coalesce(r.closing, 0) <> 0 OR coalesce(w.debits, 0) <> 0 OR coalesce(w.opened, 0) <> 0)
        UNION ALL
        SELECT 'compare', g.until, r.account, r.difference, w.moved
          FROM range g
         CROSS JOIN LATERAL ledger_compare(g.since, g.until, NULL, g.since, by => differences.by) r
          LEFT JOIN signed w ON w.since = g.since AND w.until = g.until AND w.account = r.account
         WHERE (r.first, r.second, r.difference) IS DISTINCT FROM (w.moved, w.opened, w.opened - w.moved)
        UNION ALL
        SELECT 'income statement', g.until, r.account, r.amount, w.moved
          FROM range g
         CROSS JOIN LATERAL (SELECT * FROM ledger_income_statement(g.since, g.until, by => differences.by) WHERE kind = 'account') r
          LEFT JOIN signed w ON w.since = g.since AND w.until = g.until AND w.account = r.account
         WHERE r.amount IS DISTINCT FROM w.moved
        UNION ALL
        SELECT 'net income', g.until, r.currency, r.amount, w.net
          FROM range g
         CROSS JOIN LATERAL (SELECT * FROM ledger_income_statement(g.since, g.until, by => differences.by) WHERE kind = 'net') r
         CROSS JOIN LATERAL (SELECT coalesce(sum(credits - debits), 0) AS net FROM sums
                              WHERE sums.since = g.since AND sums.until = g.until AND sums.currency = r.currency AND sums.type IN ('income', 'expense')) w
         WHERE r.amount <> w.net;
    DROP TABLE truth, line, moment;
END $$;
