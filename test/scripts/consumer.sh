#!/usr/bin/env bash
# The client library as users have it: installed, moved to another place, found by pkg-config and by
# CMake, linked shared and static. test/consumer is the user.
source "$(dirname "$0")/common.bash"

root=$LEDGERFLOW_ROOT
prefix=$work/usr
moved=$work/moved
new_database consumer_test
sql consumer_test -c 'CREATE EXTENSION ledgerflow' -c 'SELECT ledger_create()' >/dev/null
export PGDATABASE=consumer_test

quiet() { "$@" >>"$work/log" 2>&1 || { cat "$work/log"; return 1; }; }

quiet make -C "$root/src/client" install prefix="$prefix"
check "installs" 0 $?
check "no header reaches for the source tree" "" "$(grep -rn '\.\./' "$prefix/include")"
cp -a "$prefix" "$moved"

# Each header stands by itself.
for header in "$prefix"/include/ledgerflow/*.hpp; do
    echo "#include <ledgerflow/$(basename "$header")>"' // alone' >"$work/alone.cpp"
    quiet g++ -std=c++17 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" "$work/alone.cpp"
    check "$(basename "$header") stands by itself" 0 $?
done

run() {  # run WHAT PROGRAM LIBRARY_PATH
    local found
    found=$(LD_LIBRARY_PATH=$3 timeout 60 "$2" 2>&1 | tr '\n' ' ')
    check "$1 posts" "yes" "$([[ $found == 'consumer:cash '*'consumer:sales '* ]] && echo yes || echo "$found")"
}

# pkg-config
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
# shellcheck disable=SC2046
quiet g++ -std=c++17 -Wall -Wextra -Werror "$root/test/consumer/main.cpp" $(pkg-config --cflags --libs ledgerflow-client) -o "$work/by_pkg_config"
check "builds by pkg-config" 0 $?
run "the program built by pkg-config" "$work/by_pkg_config" "$prefix/lib"
check "its version" "$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$root/ledgerflow.control")" "$(pkg-config --modversion ledgerflow-client)"
# shellcheck disable=SC2046
quiet g++ -std=c++17 -Wall -Wextra -Werror "$root/test/consumer/main.cpp" $(pkg-config --cflags ledgerflow-client) \
    "$prefix/lib/libledgerflow_client.a" $(pkg-config --libs libpq) -pthread -o "$work/static_by_hand"
check "builds statically" 0 $?
run "the static program" "$work/static_by_hand" ""

# CMake, against the tree that was moved after it was installed
rm -rf "$prefix"
quiet cmake -S "$root/test/consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$moved" &&
    quiet cmake --build "$work/cmake"
check "builds by CMake" 0 $?
run "CMake's shared program" "$work/cmake/shared" ""
run "CMake's static program" "$work/cmake/static" ""
check "the static one needs no library of ours" "" "$(ldd "$work/cmake/static" | grep ledgerflow)"

# What shows of it: its own names only, and nothing of libpq.
check "symbols" "" "$(nm -DC --defined-only "$moved/lib/libledgerflow_client.so" | awk '$2 ~ /[TWVBDR]/' | cut -d' ' -f3- |
    grep -vE '^((vtable|typeinfo|typeinfo name) for )?(void )?ledgerflow::client::|std::' | head -n 5)"

finish "the consumer builds by pkg-config and by CMake"
