#!/usr/bin/env bash
# Draws docs/chart.svg from ledger_chart(): the checking account of the demo's journal, day by day and month by month.
#   demo/chart.sh [FILE.svg]     `make demo` must have left its server running
set -euo pipefail

demo=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$demo")
target=${1:-$root/docs/chart.svg}
account=Assets:US:BofA:Checking
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

"$root/scripts/packages.sh" bench >&2
if ! "$root/scripts/server.sh" status demo | grep -q running; then
    echo "chart: there is no demo to draw; make demo" >&2
    exit 1
fi
eval "$("$root/scripts/server.sh" env demo)"
export PATH=${LEDGERFLOW_PGBIN:?}:$PATH PGDATABASE=demo PGTZ=UTC

series() {  # series FILE STEP
    psql -X -q -v ON_ERROR_STOP=1 -A -t -F $'\t' -v account="$account" -v step="$2" >"$data/$1" <<'SQL'
SELECT extract(epoch FROM at)::bigint, balance, debits, -credits
  FROM ledger_chart(:'account', '2013-01-01', '2016-01-01', :'step');
SQL
}
series days.dat '1 day'
series months.dat '1 month'
gnuplot -e "account='$account'; data='$data'; target='$target'" "$demo/chart.gp"
echo "$target"
