#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Makes a build folder: `meson setup` with clear words where it cannot be.
#
#   setup.sh DIR [meson option...]
set -eu
cd "$(dirname "$0")/.."
dir=$1
shift

if ! mkdir -p "$dir" 2>/dev/null || ! [ -w "$dir" ]; then
    echo "make: $(id -un) cannot write to $dir in $PWD" >&2
    echo "make: build elsewhere: make BUILD=\$HOME/pvm-build ..." >&2
    exit 1
fi
log=$dir/setup.log
if ! meson setup "$dir" . "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    echo "make: meson setup failed; all it said is in $log" >&2
    exit 1
fi
