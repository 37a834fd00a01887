-- Exports and imports whole ledgers, and tells how two of them differ.
CREATE FUNCTION t.export(format text, ledger name DEFAULT 'ledger') RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(l.line, E'\n' ORDER BY l.number) || E'\n'
      FROM ledger_export(format, ledger => ledger) WITH ORDINALITY AS l (line, number)
$$;

-- Accounts and transactions of a ledger, one text each; ids and times of posting are its own and left out.
CREATE FUNCTION t.accounts(ledger name) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT concat_ws(' | ', b.account, b.type, b.currency, c.scale, quote_nullable(b.name), coalesce(b.metadata, '{}'), b.balance)
          FROM %1$I.balances b JOIN %1$I.currencies c ON c.code = b.currency$q$, ledger);
END $$;
CREATE FUNCTION t.transactions(ledger name) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT concat_ws(' | ', effective_at, quote_nullable(reference), quote_nullable(description), coalesce(metadata, '{}'),
                         string_agg(concat_ws(' ', line, account, debit, '/', credit, currency), ', ' ORDER BY line))
          FROM %I.journal GROUP BY transaction_id, effective_at, reference, description, metadata$q$, ledger);
END $$;
