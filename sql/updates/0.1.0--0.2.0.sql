\echo Use "ALTER EXTENSION ledgerflow UPDATE" to load this file. \quit

-- It returns two columns now.
DROP FUNCTION ledger_maintain(name);
