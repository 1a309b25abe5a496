#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Brings what a make target needs and this machine lacks: through apt on Debian and Ubuntu, as root
# or by sudo; elsewhere it prints the list. It looks for the thing itself (a program, a library's
# pkg-config name), not for the package, so whatever put it there is fine.
#
#   deps.sh build|check|bench|lint|fuzz|demo      OFFLINE=1 only says what is missing
#
# Needed things that stay missing end it with 1. Things only some tests use are fetched where that
# needs no password; without them those tests are skipped.
set -eu

target=${1:-build}

# probe kind | probe | Debian package | targets that need it | targets that can use it
# Kind: cmd = a program on PATH or in sbin, lib = a pkg-config module, hdr = a header the compiler
# finds, file = a path that exists.
# "service" in the last column but one: the package starts a daemon where an init system runs, so it
# is only installed where there is none.
things='
cmd  meson        meson           build
cmd  ninja        ninja-build     build
cmd  cc           gcc             build
hdr  stdio.h      libc6-dev       build
cmd  pkg-config   pkg-config      build
cmd  python3      python3         build
lib  libuv        libuv1-dev      build
lib  libcrypto    libssl-dev      build
lib  libedit      libedit-dev     build
lib  jansson      libjansson-dev  build
cmd  setpriv      util-linux      check?
cmd  ip           iproute2        check?
cmd  mandoc       mandoc          check? lint?
cmd  musl-gcc     musl-tools      check?
cmd  ssh-keygen   openssh-client  check?
cmd  sshd         openssh-server  check? service
file /usr/lib32/crt1.o            gcc-multilib    check?
cmd  valgrind     valgrind        check?
cmd  gdb          gdb             check?
cmd  spin         spin            check?
file /usr/bin/pvmd                pvm             check? bench?
file /usr/include/pvm3.h          pvm-dev         check? bench?
file /usr/share/doc/pvm-examples  pvm-examples    check?
cmd  NPpvm        netpipe-pvm     check? bench?
cmd  mpirun.openmpi               openmpi-bin     bench?
cmd  mpirun.mpich                 mpich           bench?
cmd  NPopenmpi    netpipe-openmpi bench?
cmd  NPmpich2     netpipe-mpich2  bench?
cmd  mpicc.openmpi                libopenmpi-dev  bench?
cmd  mpicc.mpich  libmpich-dev    bench?
cmd  ucx_perftest ucx-utils       bench?
cmd  clang        clang           lint? fuzz
cmd  clang-tidy   clang-tidy      lint?
cmd  clang-format clang-format    format
cmd  shellcheck   shellcheck      lint?
'

say() { printf '%s\n' "deps: $*" >&2; }

is_there() { # kind, probe
    case $1 in
    cmd) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$2" >/dev/null 2>&1 ;;
    lib) command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$2" ;;
    hdr) echo "#include <$2>" | cc -E - >/dev/null 2>&1 ;;
    file) [ -e "$2" ] ;;
    esac
}

# Sets $needed and $wanted to the packages of the things that are missing.
look() {
    needed='' wanted='' missing=''
    old_ifs=$IFS
    IFS='
'
    for line in $things; do
        IFS=$old_ifs
        # shellcheck disable=SC2086
        set -- $line
        kind=$1 probe=$2 package=$3
        shift 3
        is_there "$kind" "$probe" && continue
        service=no
        for use; do [ "$use" = service ] && service=yes; done
        for use; do
            case $use in
            build | "$target") needed="$needed $package" missing="$missing $probe" ;;
            "$target?")
                if [ $service = yes ] && [ -d /run/systemd/system ]; then
                    say "$probe is missing; $package would start a service here, so it stays away"
                else
                    wanted="$wanted $package"
                fi ;;
            esac
        done
    done
    IFS=$old_ifs
}

# How to become root: "" as root, sudo, or "no". Only needed things may ask for a password.
root_by() {
    if [ "$(id -u)" = 0 ]; then
        echo
    elif ! command -v sudo >/dev/null 2>&1; then
        echo no
    elif sudo -n true 2>/dev/null; then
        echo sudo -n
    elif [ "$1" = needed ] && [ -t 0 ]; then
        echo sudo
    else
        echo no
    fi
}

has_candidates() {
    for package; do
        apt-cache show "$package" >/dev/null 2>&1 || return 1
    done
}

apt() { # how to become root, then packages
    as=$1
    shift
    # shellcheck disable=SC2086
    if ! has_candidates "$@" && [ -z "${updated:-}" ]; then
        say "apt-get update"
        $as env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null >&2 || true
        updated=yes
    fi
    known=''
    for package; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            known="$known $package"
        else
            say "no package $package in this system's archive"
        fi
    done
    [ -n "$known" ] || return 1
    say "apt-get install$known"
    said=$(mktemp)
    # shellcheck disable=SC2086
    if $as env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        install $known </dev/null >"$said" 2>&1; then
        rm -f "$said"
        return 0
    fi
    tail -n 20 "$said" >&2
    rm -f "$said"
    return 1
}

bring() { # needed|wanted, packages: 0 when apt was run with success
    what=$1
    shift
    [ "${OFFLINE:-0}" = 1 ] && return 1
    command -v apt-get >/dev/null 2>&1 || return 1
    as=$(root_by "$what")
    [ "$as" = no ] && return 1
    apt "$as" "$@"
}

look
if [ -n "$needed" ]; then
    # shellcheck disable=SC2086
    if bring needed $needed; then look; fi
fi
if [ -n "$needed" ]; then
    say "missing:$missing"
    say "install the packages that hold them; on Debian and Ubuntu:"
    say "  apt-get install$needed"
    exit 1
fi
if [ -n "$wanted" ]; then
    # shellcheck disable=SC2086
    if bring wanted $wanted; then look; fi
    if [ -n "$wanted" ]; then
        say "without these some tests are skipped or columns stay empty:$wanted"
    fi
fi
exit 0
