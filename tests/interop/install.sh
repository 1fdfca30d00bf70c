#!/usr/bin/env bash
# Installs the real peers that `make interop` runs against: debuggers, servers, databases, readers of symbols, from
# Debian's or Ubuntu's packages, and three that are built. Quick when they are there already. Where it cannot install, it
# says what is missing and goes on: the tests skip what is not there, or fail if the machine could have had it and
# CI=true.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

# LLVM from 16 on: earlier ones do not fetch by themselves, and print sources otherwise.
# command (or a pattern of its paths) | packages, any one of which brings it, best first
peers='gdb|gdb
debuginfod|debuginfod
debuginfod-find|debuginfod
eu-stack|elfutils
/usr/bin/llvm-symbolizer-1[6-9]|llvm-16 llvm-19 llvm-18 llvm-17
nginx|nginx-light nginx
tinyproxy|tinyproxy
microsocks|microsocks
ceph|ceph-common
ceph-mon|ceph-mon
ceph-osd|ceph-osd
radosgw|radosgw
/usr/lib/postgresql/*/bin/initdb|postgresql-15 postgresql
wrk|wrk
aria2c|aria2
gcc|gcc
cmake|cmake
ninja|ninja-build
xbuild|mono-xbuild
mcs|mono-mcs
systemd-analyze|systemd
cabextract|cabextract
gcab|gcab
objcopy|binutils
readelf|binutils
eu-readelf|elfutils
eu-unstrip|elfutils
/usr/bin/llvm-readobj-1[6-9]|llvm-16 llvm-19 llvm-18 llvm-17
/usr/bin/llvm-objdump-1[6-9]|llvm-16 llvm-19 llvm-18 llvm-17
/usr/bin/llvm-pdbutil-1[6-9]|llvm-16 llvm-19 llvm-18 llvm-17
/usr/bin/llvm-dwarfdump-1[6-9]|llvm-16 llvm-19 llvm-18 llvm-17
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

# Mozilla's dump_syms, and rust-minidump's minidump-stackwalk, which reads what it makes, are in no distribution: each is
# built once, in four to five minutes, where there is a cargo to build it. Not in CI, which has to be soon done.
cache=${SYMSRV_INTEROP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/symsrv-interop}
built() { # program, version, further arguments of cargo install
    command -v "$1" >/dev/null || [ -x "$cache/cargo/bin/$1" ] || ! command -v cargo >/dev/null ||
        [ "${CI:-}" = true ] && return
    echo "building $1 $2 into $cache ..."
    build=$(mktemp -d)
    cargo install "$1" --version "$2" --locked --quiet --root "$cache/cargo" --target-dir "$build" "${@:3}" ||
        echo "$1 could not be built" >&2
    rm -rf "$build"
}
built dump_syms 2.3.9 --no-default-features --features cli
built minidump-stackwalk 0.27.0

# fake-gcs-server, for stores in Google Cloud Storage: built once, in about a minute, where there is a Go to build it.
fake_gcs_server_version=1.56.1
if ! command -v fake-gcs-server >/dev/null && [ ! -x "$cache/go/bin/fake-gcs-server" ] && command -v go >/dev/null; then
    echo "building fake-gcs-server $fake_gcs_server_version into $cache ..."
    GOBIN="$cache/go/bin" go install "github.com/fsouza/fake-gcs-server@v$fake_gcs_server_version" >/dev/null 2>&1 ||
        echo "fake-gcs-server could not be built" >&2
fi

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
            # Not by a pipe into grep -q: it hangs up at the first match, and pipefail takes that for a failure.
            if [[ $(apt-cache policy "$package" 2>/dev/null) == *'Candidate: '[^\(]* ]]; then
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
