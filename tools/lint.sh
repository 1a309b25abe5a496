#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What takes minutes, or a tool that not everybody has: clang-tidy over the C files, shellcheck over
# the scripts. The checks that take seconds are in `make check` (suite lint).
#
#   lint.sh BUILD
set -eu
cd "$(dirname "$0")/.."
build=$1
failed=0
if command -v shellcheck >/dev/null; then
    shellcheck tools/*.sh .ci/run src/libpvm/*.sh || failed=1
else
    echo "lint: shellcheck is not installed: scripts not looked at" >&2
fi
if command -v clang-tidy >/dev/null; then
    git ls-files 'src/*.c' 'sim/*.c' |
        xargs -P "$(nproc)" -n 8 clang-tidy --quiet -p "$build" 2>/dev/null || failed=1
else
    echo "lint: clang-tidy is not installed: C files not looked at" >&2
fi
exit $failed
