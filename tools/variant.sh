#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds the tree in another way and runs the tests that mean something there.
#
#   variant.sh asan       address and undefined behaviour sanitizers: all but foreign binaries
#   variant.sh tsan       thread sanitizer
#   variant.sh generic    POSIX 2008 alone: everything
#   variant.sh musl       another C library: pure layers and the library
#   variant.sh fuzz [SECONDS]   each fuzzer for so long (60)
#   variant.sh clang      the other compiler: it builds, without warnings, and simulates the same
set -eu
cd "$(dirname "$0")/.."
kind=$1
build=build-$kind
shift

setup() {
    [ -e "$build/build.ninja" ] || tools/setup.sh "$build" "$@"
    ninja -C "$build" --quiet
}

in_one_process='--suite unit --suite sim --suite scenario --suite xport'

case $kind in
asan)
    setup -Db_sanitize=address,undefined -Db_lundef=false
    # A small quarantine: the system tests hold the daemons to bounds of memory.
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:quarantine_size_mb=1
    export UBSAN_OPTIONS=halt_on_error=1
    # shellcheck disable=SC2086
    tools/check.py "$build" $in_one_process --suite system --patience 5 ;;
tsan)
    setup -Db_sanitize=thread -Db_lundef=false
    # shellcheck disable=SC2086
    tools/check.py "$build" $in_one_process --patience 10
    PVM_TEST_BUILD=$build tests/system/threads.py ;;
generic)
    setup -Dplatform=generic
    # Without /proc a console does not know where it lies, so it is told where the daemon is.
    PVM_DPATH=$PWD/$build/src/pvmd/pvmd tools/check.py "$build" ;;
musl)
    command -v musl-gcc >/dev/null || { echo "make: musl-gcc is not installed" >&2; exit 1; }
    CC=musl-gcc setup -Ddaemon=disabled -Dconsole=disabled -Dplatform=generic
    tools/check.py "$build" --suite unit --suite sim --suite scenario --patience 2 ;;
clang)
    CC=clang setup -Dwerror=true
    meson test -C "$build" --print-errorlogs seeds_hash ;;
fuzz)
    [ -e "$build/build.ninja" ] ||
        CC=clang tools/setup.sh "$build" -Dfuzz=true -Db_sanitize=address,undefined \
            -Db_lundef=false
    ninja -C "$build" --quiet
    found=0
    for fuzzer in "$build"/tests/fuzz/fuzz_*; do
        if [ ! -f "$fuzzer" ] || [ ! -x "$fuzzer" ]; then continue; fi
        found=1
        name=$(basename "$fuzzer")
        corpus=$build/corpus/$name
        mkdir -p "$corpus"
        seeds=tests/fuzz/corpus/${name#fuzz_}
        [ -d "$seeds" ] || seeds=
        echo "$name for ${1:-60} s"
        "$fuzzer" -max_total_time="${1:-60}" -verbosity=0 -print_final_stats=0 "$corpus" \
            ${seeds:+"$seeds"}
    done
    [ $found = 1 ] || { echo "make: no fuzzers were built" >&2; exit 1; } ;;
*)
    sed -n '3,11s/^# *//p' "$0"
    exit 2 ;;
esac
