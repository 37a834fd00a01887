-- A small ledger to try things on.
\ir helpers.sql
DO $$
BEGIN
    PERFORM ledger_create();
    PERFORM ledger_open_account('assets:bank', 'asset', 'USD', 'Bank');
    PERFORM ledger_open_account('assets:cash', 'asset', 'USD', min_balance => 0, max_balance => 1000);
    PERFORM ledger_open_account('liabilities:alice', 'liability', 'USD', min_balance => 0);
    PERFORM ledger_open_account('liabilities:bob', 'liability', 'USD');
    PERFORM ledger_open_account('equity:capital', 'equity', 'USD');
    PERFORM ledger_open_account('income:fees', 'income', 'USD');
    PERFORM ledger_open_account('expenses:rent', 'expense', 'USD');
    PERFORM ledger_open_account('assets:yen', 'asset', 'JPY');
    PERFORM ledger_open_account('equity:yen', 'equity', 'JPY');
    PERFORM ledger_open_account('assets:dinar', 'asset', 'BHD');
    PERFORM ledger_open_account('equity:dinar', 'equity', 'BHD');
END $$;
