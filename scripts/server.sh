#!/usr/bin/env bash
# Private PostgreSQL servers with this tree's extension, for tests and the demo. The system's own
# clusters, files and ports are left alone: data lies in build/servers/NAME, the extension in
# build/stage (Debian's setting extension_destdir finds it there), connections come through a socket
# in a directory of its own.
#   scripts/server.sh start NAME [SETTING=VALUE...]  build, stage, start (again); settings go to its configuration
#   scripts/server.sh standby NAME PRIMARY           a streaming standby of a running server
#   scripts/server.sh backup NAME PRIMARY            a base backup of a running server, to be started as NAME later
#   scripts/server.sh env NAME                       shell lines that point libpq at it, for eval
#   scripts/server.sh status [NAME]
#   scripts/server.sh stop NAME | stop-all           data stays
#   scripts/server.sh crash NAME                     stop as if the server had been killed; data stays
#   scripts/server.sh drop NAME | drop-all           stop and remove the data
# With LEDGERFLOW_SANITIZE=undefined the extension is one with UBSan in it, built in build/sanitized; a finding ends
# the backend. With LEDGERFLOW_POSTGRES=PROGRAM that program takes the place of `postgres` (scripts/valgrind.sh).
set -euo pipefail
umask 022

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
servers=$root/build/servers
tree=$root
stage=$root/build/stage
if [ -n "${LEDGERFLOW_SANITIZE:-}" ]; then
    tree=$root/build/sanitized
    stage=$root/build/stage-sanitized
    export UBSAN_OPTIONS=${UBSAN_OPTIONS:-abort_on_error=1:print_stacktrace=1}
fi

say() { echo "server: $*" >&2; }
die() { say "$*"; exit 1; }
usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

# The server refuses to run as root, so root's servers run as postgres; anybody else's run as themselves.
as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && exec runuser -u postgres -- "$@")
    else
        (cd / && exec "$@")
    fi
}

find_postgresql() {
    local config=${PG_CONFIG:-}
    [ -n "$config" ] || config=/usr/lib/postgresql/15/bin/pg_config
    [ -x "$config" ] || config=$(command -v "${PG_CONFIG:-pg_config}" || true)
    [ -n "$config" ] || die "no pg_config: run scripts/packages.sh build, or set PG_CONFIG"
    bindir=$("$config" --bindir)
    [ -x "$bindir/initdb" ] || die "$bindir holds no server: run scripts/packages.sh build, or set PG_CONFIG"
}

# The checkout may lie where the owner cannot go (under root's home, say): then what the server must
# reach lies in a temporary directory, and build/ holds a link to it. The same where the path has
# characters that PostgreSQL's makefiles and option strings would have to quote.
place() {  # place DIRECTORY: make it, or make it a link to a directory that the owner can reach
    local directory=$1 outside
    [ -d "$directory" ] && return
    rm -f "$directory"
    mkdir -p "$(dirname "$directory")"
    if [[ $directory =~ ^[A-Za-z0-9_./+@-]+$ ]] && as_owner test -x "$(dirname "$directory")" 2>/dev/null; then
        mkdir "$directory"
    else
        outside=$(mktemp -d /tmp/ledgerflow.XXXXXX)
        chmod 755 "$outside"
        ln -s "$outside" "$directory"
    fi
}

remove() {  # remove DIRECTORY made by place
    if [ -L "$1" ]; then
        case $(readlink "$1") in
            /tmp/ledgerflow.*) rm -rf "$(readlink "$1")" ;;
        esac
    fi
    rm -rf "$1"
}

build_and_stage() {
    "$root/scripts/packages.sh" build | sed '/: all there/d' >&2
    mkdir -p "$root/build"
    (
        flock 9  # two servers may be started at once
        place "$stage"
        if [ "$tree" != "$root" ]; then  # objects of one kind do not mix with those of the other
            mkdir -p "$tree"
            rm -rf "$tree/sql"
            find "$tree" -name '*.[ch]pp' -delete
            tar -C "$root" --exclude='*.o' --exclude='*.d' --exclude='*.bc' -cf - \
                Makefile ledgerflow.control scripts sql src | tar -C "$tree" -xf -
        fi
        unset MAKEFLAGS MFLAGS MAKELEVEL
        log=$root/build/stage.log
        # Servers run on what is staged: only what has changed is replaced.
        if ! make -C "$tree" -j"$(nproc)" --no-print-directory SANITIZE="${LEDGERFLOW_SANITIZE:-}" WITH_CLIENT=no INSTALL='install -C' DESTDIR="$(readlink -f "$stage")" install >"$log" 2>&1 9>&-; then
            grep -E ': (fatal )?error:|: warning:|undefined reference|^make.*\*\*\*' "$log" | head -n 40 >&2 || true
            die "the extension does not build: $log"
        fi
    ) 9>"$root/build/.lock"
}

check_name() {
    [[ $1 =~ ^[A-Za-z0-9_-]{1,40}$ ]] || die "a server's name is 1 to 40 letters, digits, - and _"
    name=$1
    home=$servers/$name
}

running() {  # a live postmaster on our data; a pid file left by a crash, its number reused, does not count
    local pid
    [ -f "$home/data/postmaster.pid" ] && pid=$(head -n 1 "$home/data/postmaster.pid") && [ -d "/proc/$pid" ] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "-D $(readlink -f "$home/data") "
}

socket_of() { if [ -L "$home/socket" ]; then readlink "$home/socket"; fi; }

remove_socket() {
    local socket
    socket=$(socket_of)
    case $socket in
        /tmp/lf.*) rm -rf "$socket" ;;
    esac
    rm -f "$home/socket"
}

halt() {  # halt MODE
    if running; then
        as_owner "$bindir/pg_ctl" -D "$(readlink -f "$home/data")" -m "$1" -w -t 60 stop >/dev/null 2>&1 ||
            as_owner "$bindir/pg_ctl" -D "$(readlink -f "$home/data")" -m immediate -w -t 60 stop >/dev/null ||
            die "$name does not stop"
    fi
}

stop() { halt fast && remove_socket; }

# Fills an empty data directory once, without waiting for the disk; a half-made one (no file "ready" beside it) is made anew.
initialise() {  # initialise COMMAND...: a command that fills $data
    [ -e "$home/ready" ] && [ -s "$data/PG_VERSION" ] && return
    rm -rf "$home/ready" "$data"
    mkdir "$data"
    chmod 700 "$data"
    [ "$(id -u)" -ne 0 ] || chown postgres: "$data"
    as_owner "$@" >"$home/init.log" 2>&1 || { tail -n 20 "$home/init.log" >&2; die "$name: $1 failed"; }
    touch "$home/ready"
}

orphans() {  # processes of a postmaster that was killed which still work on our data
    local pid
    for pid in $(pgrep -f "^postgres: ledgerflow-$name: "); do
        [ "$(readlink "/proc/$pid/cwd")" != "$data" ] || echo "$pid"
    done
}

await_orphans() {  # they end by themselves once they have done what they were at, or else as at an immediate shutdown
    local tries=0 pids
    while pids=$(orphans) && [ -n "$pids" ]; do
        [ $((tries += 1)) -le 600 ] || die "children of a killed postmaster of $name are still there"
        # shellcheck disable=SC2086
        [ $tries -ne 30 ] || kill -QUIT $pids 2>/dev/null || true
        sleep 0.1
    done
}

launch() {  # launch SETTING=VALUE...
    local conf=$home/server.conf socket
    {
        echo "listen_addresses = ''"
        echo "port = 5432  # only a part of the socket's name"
        echo "extension_destdir = '$(readlink -f "$stage")'"
        echo "log_line_prefix = '%m [%p] %q%u@%d '"
        echo "cluster_name = 'ledgerflow-$name'"
        printf '%s\n' "$@"
    } >"$conf.new"
    if running && [ -S "$(socket_of)/.s.PGSQL.5432" ] && cmp -s "$conf" "$conf.new"; then
        rm "$conf.new"
        return
    fi
    halt fast
    await_orphans
    mv "$conf.new" "$conf"
    chmod 644 "$conf"
    socket=$(socket_of)
    # Left by a postmaster that was killed; whoever has its number now is not one of ours.
    rm -f "$data/postmaster.pid" ${socket:+"$socket/.s.PGSQL.5432" "$socket/.s.PGSQL.5432.lock"}
    if ! [ -d "$socket" ]; then  # after a crash it is still there, and so are those who wait for the server
        socket=$(mktemp -d /tmp/lf.XXXXXX)  # short: a socket's path has at most 107 bytes
        [ "$(id -u)" -ne 0 ] || chown postgres: "$socket"
        ln -sfn "$socket" "$home/socket"
    fi
    touch "$home/log"
    [ "$(id -u)" -ne 0 ] || chown postgres: "$home/log"
    if ! as_owner "$bindir/pg_ctl" ${LEDGERFLOW_POSTGRES:+-p "$LEDGERFLOW_POSTGRES"} -D "$data" -l "$(readlink -f "$home")/log" -w -t 120 \
        -o "-c config_file='$(readlink -f "$home")/postgresql.conf' -c unix_socket_directories='$socket'" start </dev/null >/dev/null 2>&1; then
        tail -n 20 "$home/log" >&2
        remove_socket
        die "$name does not start: $home/log"
    fi
}

configuration() {  # the file that the server reads: initdb's own defaults, then ours
    {
        echo "include_if_exists '$data/postgresql.conf'"
        echo "include '$(readlink -f "$home")/server.conf'"
    } >"$home/postgresql.conf"
}

start() {
    build_and_stage
    find_postgresql
    place "$home"
    data=$(readlink -f "$home")/data
    initialise "$bindir/initdb" --no-sync -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8
    local expected
    expected=$("$bindir/postgres" -V | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    [ "$(cat "$data/PG_VERSION")" = "$expected" ] ||
        die "$name holds data of PostgreSQL $(cat "$data/PG_VERSION"): scripts/server.sh drop $name"
    configuration
    launch "$@"
}

backup() {  # backup NAME PRIMARY [OPTION OF pg_basebackup...]
    local primary_socket
    find_postgresql
    check_name "$2"
    running || die "$2 is not running"
    primary_socket=$(socket_of)
    check_name "$1"
    place "$home"
    data=$(readlink -f "$home")/data
    initialise "$bindir/pg_basebackup" --no-sync -D "$data" -h "$primary_socket" -p 5432 -U postgres -X stream -c fast "${@:3}"
    configuration
}

standby() {
    backup "$1" "$2" -R
    launch hot_standby=on
}

show_env() {
    find_postgresql
    running || die "$name is not running: scripts/server.sh start $name"
    local home_path
    home_path=$(readlink -f "$home")
    printf 'export PGHOST=%q PGPORT=5432 PGUSER=postgres PGDATABASE=postgres\n' "$(socket_of)"
    printf 'unset PGSERVICE PGPASSWORD PGPASSFILE PGOPTIONS PGHOSTADDR PGCLUSTER\n'
    printf 'export LEDGERFLOW_SERVER=%q LEDGERFLOW_PGBIN=%q LEDGERFLOW_STAGE=%q LEDGERFLOW_LOG=%q\n' \
        "$name" "$bindir" "$(readlink -f "$stage")" "$home_path/log"
}

each() {  # each FUNCTION [ARGUMENT...]: for every server of this tree
    local directory
    for directory in "$servers"/*; do
        [ -d "$directory" ] || [ -L "$directory" ] || continue
        check_name "$(basename "$directory")"
        "$@"
    done
}

status_line() {
    if running; then echo "$name: running, psql -h $(socket_of) -U postgres"; else echo "$name: stopped"; fi
}

drop() {
    if [ -d "$home" ]; then halt immediate && remove_socket; fi
    remove "$home"
}

command=${1:-}
[ $# -gt 0 ] && shift
case $command in
    start)
        [ $# -ge 1 ] || usage
        check_name "$1"
        shift
        start "$@"
        ;;
    standby | backup)
        [ $# -eq 2 ] || usage
        "$command" "$@"
        ;;
    env | status | stop | crash | drop)
        if [ "$command" = status ] && [ $# -eq 0 ]; then
            [ ! -d "$servers" ] || { find_postgresql; each status_line; }
            exit
        fi
        [ $# -eq 1 ] || usage
        check_name "$1"
        if [ ! -d "$home" ] && [ "$command" != env ]; then
            remove "$home"
            [ "$command" = drop ] || say "there is no server $name"
            exit
        fi
        find_postgresql
        case $command in
            env) show_env ;;
            status) status_line ;;
            stop) stop ;;
            crash) halt immediate ;;
            drop) drop ;;
        esac
        ;;
    stop-all | drop-all)
        [ -d "$servers" ] || { [ "$command" = stop-all ] || remove "$stage"; exit 0; }
        find_postgresql
        if [ "$command" = stop-all ]; then
            each stop
        else
            each drop
            remove "$stage"
        fi
        ;;
    *) usage ;;
esac
