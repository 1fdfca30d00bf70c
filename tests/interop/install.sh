#!/usr/bin/env bash
# Installs the real peers that `make interop` runs against: debuggers, servers, databases, from Debian's or Ubuntu's
# packages. Quick when they are there already. Where it cannot install, it says what is missing and goes on: the
# tests skip what is not there, or fail if the machine could have had it and CI=true.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

# command (or a pattern of its paths) | packages, any one of which brings it, best first
peers='gdb|gdb
debuginfod|debuginfod
debuginfod-find|debuginfod
eu-stack|elfutils
/usr/bin/llvm-symbolizer-*|llvm-16 llvm-19 llvm-18 llvm-17
nginx|nginx-light nginx
ceph|ceph-common
ceph-mon|ceph-mon
ceph-osd|ceph-osd
radosgw|radosgw
/usr/lib/postgresql/*/bin/initdb|postgresql-15 postgresql
wrk|wrk
gcc|gcc
objcopy|binutils
/usr/include/stdlib.h|libc6-dev'

present() {
    case $1 in
        /*) compgen -G "$1" >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

missing() {
    while IFS='|' read -r what packages; do
        present "$what" || echo "$what|$packages"
    done <<<"$peers"
}

wanted=$(missing)
[ -n "$wanted" ] || exit 0

if ! command -v apt-get >/dev/null; then
    as_root=''
elif [ "$(id -u)" = 0 ]; then
    as_root='env DEBIAN_FRONTEND=noninteractive'
elif sudo -n true 2>/dev/null; then
    as_root='sudo -n env DEBIAN_FRONTEND=noninteractive'
else
    as_root=''
fi

if [ -n "$as_root" ]; then
    $as_root apt-get update -qq || echo "apt-get update failed; going on with the package lists that are there" >&2
    choice=()
    while IFS='|' read -r _ packages; do
        for package in $packages; do
            if apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]'; then
                choice+=("$package")
                break
            fi
        done
    done <<<"$wanted"
    if [ ${#choice[@]} -gt 0 ]; then
        $as_root apt-get install -y -qq --no-install-recommends "${choice[@]}" >/dev/null ||
            echo "apt-get install failed" >&2
    fi
fi

wanted=$(missing)
if [ -n "$wanted" ]; then
    echo "missing peers; tests that need them are skipped:" >&2
    while IFS='|' read -r what packages; do
        echo "    $what  (package ${packages%% *})" >&2
    done <<<"$wanted"
fi
