#!/usr/bin/env bash
# Stops the demo's private server and removes its files.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
"$root/scripts/server.sh" drop demo
rm -rf "$root/build/demo"
echo "The demo's server is stopped and its files are gone."
