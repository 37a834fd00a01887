#!/usr/bin/env bash
# The client library's headers as doxygen reads them: whatever is public is documented, and nothing is wrong with how.
# doxygen comes with scripts/packages.sh test; where it is not there, this is skipped.
source "$(dirname "$0")/common.bash"

if ! command -v doxygen >/dev/null; then
    echo "doxygen is not installed"
    exit 77
fi
cd "$LEDGERFLOW_ROOT" || exit 1
warnings() {  # warnings HEADERS
    { cat src/client/Doxyfile; echo "INPUT = $1"; echo "OUTPUT_DIRECTORY = $work/out"; } >"$work/Doxyfile"
    doxygen "$work/Doxyfile" 2>&1
}
check "the headers are documented" "" "$(warnings src/client/include/ledgerflow)"

# It would notice.
cp -r src/client/include/ledgerflow "$work/headers"
sed -i '/\/\/\/ Posts 2 to 10,000 lines/d' "$work/headers/client.hpp"
warnings "$work/headers" >"$work/found"  # doxygen's exit code says so too
check "a function without a comment is found" 1 "$(grep -c 'client.hpp.*not documented' "$work/found")"

finish "the client's headers are documented"
