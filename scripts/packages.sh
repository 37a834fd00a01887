#!/usr/bin/env bash
# Installs the Debian packages that a group of tasks needs and that are missing; does nothing otherwise.
#   scripts/packages.sh GROUP...     groups: build, test, demo, bench, torture
set -euo pipefail

build=(g++ make pkg-config postgresql-15 postgresql-server-dev-15 libpq-dev clang-14 llvm-14)
test=(cmake doxygen postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl libipc-run-perl libgtest-dev
    clang-format-14 clang-tidy-14 beancount hledger ledger python3)
demo=(beancount hledger ledger python3)
bench=(gnuplot-nox python3)
torture=(python3 python3-psycopg2 clang-14 libclang-rt-14-dev postgresql-15-repack)
# Of the command ledgerflow.
build+=(libcli11-dev)
test+=(mandoc)

wanted=()
for group in "$@"; do
    case $group in
        build) wanted+=("${build[@]}") ;;
        test) wanted+=("${test[@]}") ;;
        demo) wanted+=("${demo[@]}") ;;
        bench) wanted+=("${bench[@]}") ;;
        torture) wanted+=("${torture[@]}") ;;
        *)
            echo "packages: no group '$group'; there are build, test, demo, bench and torture" >&2
            exit 2
            ;;
    esac
done
[ ${#wanted[@]} -gt 0 ] || { sed -n '2,3s/^# \{0,1\}//p' "$0" >&2; exit 2; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "packages: not a Debian system; these must be there under whatever name: ${wanted[*]}" >&2
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || [[ " ${missing[*]-} " == *" $package "* ]] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "packages: all there ($*)"
    exit 0
fi

root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "packages: missing, and neither root nor sudo to install them: ${missing[*]}" >&2
        exit 1
    fi
    root=(sudo)
fi

echo "packages: installing ${missing[*]}"
log=$(mktemp)
restore=
finish() {
    if [ -n "$restore" ]; then
        "${root[@]}" cp -p "$restore" "$cluster_conf"
        "${root[@]}" rm -f "$restore"
    fi
    rm -f "$log"
}
trap finish EXIT

apt() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -q -y \
        -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null
}
install() { apt install --no-install-recommends "$@"; }
failed() {
    tail -n 20 "$log" >&2
    echo "packages: apt-get could not install: ${missing[*]}" >&2
    exit 1
}

apt update || echo "packages: apt-get update failed; trying with the package lists that are there" >&2

# Debian makes and starts a cluster "main" when it first installs a server. Nobody asked for one:
# it is switched off in Debian's own configuration while the packages install, and only then.
cluster_conf=/etc/postgresql-common/createcluster.conf
if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
    install postgresql-common || failed
    if [ -f "$cluster_conf" ]; then
        "${root[@]}" cp -p "$cluster_conf" "$cluster_conf.ledgerflow"
        restore=$cluster_conf.ledgerflow
        "${root[@]}" sed -i '/^[[:space:]]*create_main_cluster[[:space:]]*=/d' "$cluster_conf"
        echo 'create_main_cluster = false' | "${root[@]}" tee -a "$cluster_conf" >/dev/null
    fi
fi

install "${missing[@]}" || failed
