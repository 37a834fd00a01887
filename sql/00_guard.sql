\echo Use "CREATE EXTENSION ledgerflow" to load this file. \quit

-- No function here is SECURITY DEFINER. Functions that write check one privilege on a table of the ledger
-- (INSERT on transactions to post, for instance) and then act as the ledger's owner, as the checks of
-- foreign keys do; so EXECUTE stays with PUBLIC, like INSERT itself. Functions that read run with the
-- caller's own privileges.

